//! `check`: parses the whole configuration, then reads one page of each connector. Writes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use crate::canonical::Mapper;
use crate::cli::exit_codes::SOURCE_FAILED;
use crate::cli::explained::Explained;
use crate::cli::failure::first_connector;
use crate::cli::language::{self, text};
use crate::cli::output::{hint_line, print, print_message};
use crate::cli::{Failure, GlobalOptions, read_fields};
use crate::config::Configuration;
use crate::fields::Readers;
use crate::model::connector::{Access, Connector, FileOrder};
use crate::model::instant::DAY_MICROS;
use crate::model::pull::Cursor;
use crate::run::{self, RunError};
use crate::sources::{self, ErrorKind, PullStart, SourceError};

/// Start of the window whose first page is read, in days before now.
const RECENT_DAYS: i64 = 60;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua check\n  motcua check portal-igate\n  motcua check ./my-list\n  motcua check --offline"
)]
pub(super) struct Arguments {
    /// Names of connectors, or folders of connectors that lie elsewhere, as `./my-list`. Default: all configured ones.
    connectors: Vec<String>,
    /// Check the files only, without a connection to any source.
    #[arg(long)]
    offline: bool,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut config = options.load_readable()?;
    let mut names = Vec::new();
    for connector in &arguments.connectors {
        // A folder elsewhere, such as a draft.
        let is_folder = connector.contains(std::path::MAIN_SEPARATOR);
        names.push(if is_folder { config.add_connector(Path::new(connector))? } else { connector.clone() });
    }
    // Of a named connector its own mistakes matter, otherwise those of all.
    let of_named = config.mistaken.iter().filter(|known| names.contains(&known.name)).map(|known| &known.problems);
    if let Some(problems) = of_named.into_iter().next() {
        return Err(problems.clone().into());
    }
    let problems = config.all_problems();
    if names.is_empty() && !problems.as_slice().is_empty() {
        return Err(problems.into());
    }
    for mistaken in &config.mistaken {
        print_message(&Failure::from(RunError::no_connector(&config, &mistaken.name)).message);
    }
    if let Some(mistake) = run::calendar_mistake(&config, run::now()).await? {
        return Err(mistake.into());
    }
    let registries = &config.registries;
    print(&text!(
        "cấu hình: {} kết nối, {} chỉ số, {} bộ quy tắc, {} cơ quan, {} thủ tục, {} dòng cung cấp thủ tục, {} ngày: không có lỗi\n",
        "configuration: {} connectors, {} indicators, {} rule sets, {} agencies, {} procedures, {} offers, {} days: no mistake\n",
        config.connectors.len(),
        config.indicators.len(),
        config.rules.len(),
        registries.agencies.len(),
        registries.procedures.len(),
        registries.offers.len(),
        registries.calendar.len(),
    ))?;
    if config.has_no_connector() {
        print_message(language::of("chưa có kết nối nào", "no connector is configured"));
        print_message(&hint_line(first_connector()));
    }
    if arguments.offline {
        return Ok(ExitCode::SUCCESS);
    }
    let mut failed = false;
    let is_named = !names.is_empty();
    for connector in selected(&config, &names)? {
        match first_page(&config, connector, is_named).await {
            Ok(text) => print(&format!("{}: {text}\n", connector.name))?,
            Err(error) => {
                failed = true;
                print(&failed_line(&connector.name, &error))?;
            }
        }
    }
    let problems = problems_of_settings(&config);
    for line in &problems {
        print(line)?;
    }
    match (failed, problems.is_empty()) {
        (true, _) => Ok(ExitCode::from(SOURCE_FAILED)),
        (false, false) => Err(Failure::usage(language::of(
            "tệp cài đặt nêu giá trị hoặc tệp không có",
            "the settings refer to values or files that do not exist",
        ))),
        (false, true) => Ok(ExitCode::SUCCESS),
    }
}

/// Why a source could not be read, and what to do.
fn failed_line(connector: &str, error: &SourceError) -> String {
    match Explained::of(error.kind.code(), connector) {
        Some(explained) => {
            let hint = hint_line(&explained.to_do);
            format!("{connector}: lỗi: {}\n  {hint}\n  thông báo gốc: {error}\n", explained.why)
        }
        None => format!("{connector}: failed: {error}\n  {}\n", hint_line(error.hint)),
    }
}

/// One line for each value of the settings that is unset, invalid or refers to a missing file.
fn problems_of_settings(config: &Configuration) -> Vec<String> {
    let settings = &config.settings;
    let addresses = [
        ("alerts.heartbeat_url", settings.alerts.heartbeat_url.as_ref()),
        ("alerts.webhook_url", settings.alerts.webhook_url.as_ref()),
        ("postgres.url", settings.postgres.as_ref().map(|postgres| &postgres.url)),
    ];
    let problem = |(name, template): (&str, Option<&String>)| match config.values.fill(template?) {
        Err(unset) => {
            let why = unset.why.map(|why| format!(": {why}")).unwrap_or_default();
            let placeholder = &unset.placeholder;
            Some(text!("{name}: `{placeholder}` chưa có giá trị{why}\n", "{name}: `{placeholder}` has no value{why}\n"))
        }
        // The address may contain a secret, so it is not shown.
        Ok(address) if name.starts_with("alerts") && !is_web_address(&address) => Some(text!(
            "{name}: giá trị phải là địa chỉ bắt đầu bằng `http://` hoặc `https://`\n",
            "{name}: the value must be an address that begins with `http://` or `https://`\n"
        )),
        Ok(_) => None,
    };
    let mut lines: Vec<String> = addresses.into_iter().filter_map(problem).collect();
    if let Some((certificate, key)) = &settings.service.tls {
        let missing = [("service.tls_certificate", certificate), ("service.tls_key", key)];
        let missing = missing.into_iter().filter(|(_, file)| !file.exists());
        lines.extend(missing.map(|(name, file)| {
            text!("{name}: không có tệp `{}`\n", "{name}: there is no file `{}`\n", file.display())
        }));
    }
    lines
}

fn is_web_address(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn selected<'a>(config: &'a Configuration, names: &[String]) -> Result<Vec<&'a Connector>, Failure> {
    if names.is_empty() {
        return Ok(config.connectors.iter().collect());
    }
    names.iter().map(|name| config.connector(name).ok_or_else(|| RunError::no_connector(config, name).into())).collect()
}

/// Reads and maps the first page of the newest window or file. Returns a line that describes the result, and one for each
/// field with texts that were not read, or for every field if the connector `is_named`.
async fn first_page(config: &Configuration, connector: &Connector, is_named: bool) -> Result<String, SourceError> {
    let readers = Readers::of(connector);
    let now = run::now();
    let cursor = Cursor { read_until: Some(now - RECENT_DAYS * DAY_MICROS), ..Cursor::default() };
    let start = PullStart { now, cursor, newest_only: true, ..PullStart::default() };
    let mut reading = sources::open(connector, &readers, &config.values, start).await?;
    let Some(page) = reading.next().await? else {
        return Ok(language::of("kết nối được; không có gì để đọc", "reached; nothing to read").to_owned());
    };
    if let (Access::Files { order: FileOrder::Title(pattern), .. }, [file, ..]) =
        (&connector.file.access, reading.undated_files())
    {
        let message =
            format!("the title rows of file `{file}` have no date as `access.order.title` (`{pattern}`) declares");
        return Err(SourceError::new(ErrorKind::Misconfigured, message));
    }
    let mut rejections: BTreeMap<String, usize> = BTreeMap::new();
    let mut mapped = 0;
    for result in Mapper::new(connector, &readers, run::now()).map_page(&page) {
        match result {
            Ok(_) => mapped += 1,
            Err(rejection) => {
                let field = rejection.field.as_deref().unwrap_or("row");
                *rejections.entry(format!("{field} {}", rejection.reason.code())).or_default() += 1;
            }
        }
    }
    let rejected: Vec<String> = rejections.iter().map(|(what, count)| format!("{what} × {count}")).collect();
    let rejected = match rejected.join(", ") {
        none if none.is_empty() => none,
        rejected => text!("; bị loại: {rejected}", "; rejected: {rejected}"),
    };
    let fields = read_fields::lines(&readers, &page, is_named);
    let (origin, rows) = (&page.origin, page.len());
    Ok(text!(
        "kết nối được; trang đầu, `{origin}`: {rows} dòng, {mapped} dòng đọc được{rejected}{fields}",
        "reached; first page, `{origin}`: {rows} rows, {mapped} mapped{rejected}{fields}"
    ))
}
