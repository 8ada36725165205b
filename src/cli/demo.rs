//! `demo`: runs two nights over a simulated province and compares its figures with the simulator's own. With `--serve`
//! it then serves them.
#![expect(clippy::disallowed_methods, reason = "edge: a demonstration uses a scratch folder")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use jiff::civil::{Date, date};
use serde::Serialize;

use crate::cli::exit_codes::INCOMPLETE;
use crate::cli::narration::narration;
use crate::cli::output::{OutputFormat, number, print, print_message, print_with};
use crate::cli::{Failure, GlobalOptions, init, report, run, simulate};
use crate::config::{self, Configuration};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::instant::{DAY_MICROS, from_local, local};
use crate::model::period::{Period, PeriodKind, typed_day};
use crate::publish::{self, FigureRow};
use crate::run::{RunError, RunReport};
use crate::service::{self, AccessStore, TokenScope};
use crate::simulator::{
    self, CATALOGUE_PASSWORD, CATALOGUE_ROUTE, CATALOGUE_UNIT, CATALOGUE_USER, CLIENT_ID, CLIENT_SECRET,
    MINISTRY_CONNECTOR, SimulatedDay, TOKEN_PATH, TRUE_INDICATORS, Truth, TruthScope,
};

/// The connector of the simulated portal.
const PORTAL: &str = "portal-igate";
/// The connector of the simulated ministry.
const MINISTRY: &str = "ministry-software";
/// The first day that a province can be simulated for: its dossiers begin two years before.
const FIRST_DAY: Date = date(2022, 1, 1);
/// Days between the two nights: on different weekdays, whose volumes are not compared.
const DAYS_BETWEEN: i64 = 12;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua demo --dossiers 2000\n  motcua demo --dossiers 2000 --serve\n  motcua --data data demo --format json"
)]
pub(super) struct Arguments {
    /// Number of dossiers.
    #[arg(long, default_value_t = 50_000)]
    dossiers: usize,
    /// Seed of the random draws. The same seed gives the same province.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Last simulated day (yyyy-MM-dd), of the second night; the first night is twelve days before it. With `--serve` it is
    /// yesterday.
    #[arg(long, value_name = "DAY", default_value_t = simulate::TODAY, value_parser = typed_day, conflicts_with = "serve")]
    today: Date,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Then serve the pages and the API until stopped. The simulated portal stays up, so that connectors can run.
    #[arg(long)]
    serve: bool,
    /// Address of the service, as in `serve --listen`.
    #[arg(long, value_name = "ADDRESS", requires = "serve")]
    listen: Option<SocketAddr>,
}

/// Output of `demo --format json`. Rows are those of both nights.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    dossiers: u64,
    received: u64,
    accepted: u64,
    quarantined: u64,
    figures_checked: usize,
    figures_equal: usize,
    seconds: f64,
    figures: Vec<FigureRow<'a>>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.dossiers == 0 {
        return Err(Failure::usage("`--dossiers` must be at least 1"));
    }
    let days = FIRST_DAY..=local(crate::run::now()).date();
    if !arguments.serve && !days.contains(&arguments.today) {
        let message = format!("`--today` must be a day from {} to {}", days.start(), days.end());
        return Err(Failure::usage(message)
            .with_hint("dossiers are received from two years before it, and the shipped calendar begins in 2020"));
    }
    if let Some(data) = options.data.as_ref().filter(|data| data.join("ledger.sqlite").exists()) {
        let message = format!("`{}` is already a data folder: a demonstration does not write into it", data.display());
        return Err(Failure::usage(message).with_hint("choose a new folder with `--data`, or omit it"));
    }
    let scratch = std::env::temp_dir().join(format!("motcua-demo-{}", std::process::id()));
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    let result = demonstrate(options, arguments, &scratch).await;
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    result
}

async fn demonstrate(options: &GlobalOptions, arguments: &Arguments, scratch: &Path) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    print_message(&format!("simulating a province with {} dossiers", number(arguments.dossiers as u64)));
    // The service judges health by today's clock. So the night is yesterday's, and today's slot is made up.
    let day = if arguments.serve { local(crate::run::now() - DAY_MICROS).date() } else { arguments.today };
    let province = Arc::new(simulate::generate(arguments.dossiers, arguments.seed, day).await?.with_ministry());
    let exports = scratch.join("bcci-exports");
    std::fs::create_dir_all(&exports)?;
    province.write_exports(&exports, day)?;
    let [feedback, measures, notes] = province.write_lists(scratch, day)?;
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let shown = SimulatedDay::new(day);
    let portal = simulator::serve(province.clone(), loopback, shown.clone()).await?;

    init::write_shipped(scratch)?;
    let ministry = scratch.join("ministry-exports");
    let connector = scratch.join("connectors").join(MINISTRY);
    std::fs::create_dir_all(&ministry)?;
    std::fs::create_dir_all(&connector)?;
    std::fs::write(connector.join("connector.toml"), MINISTRY_CONNECTOR)?;
    let mut config = config::load(&scratch.join("config/motcua.toml"))?;
    config.settings.data = options.data.clone().unwrap_or_else(|| scratch.join("data"));
    config.values.set_variable("IGATE_URL", portal.url());
    config.values.set_variable("IGATE_TOKEN_URL", format!("{}{TOKEN_PATH}", portal.url()));
    config.values.set_variable("IGATE_CLIENT_ID", CLIENT_ID);
    config.values.set_secret("IGATE_CLIENT_SECRET", CLIENT_SECRET);
    config.values.set_variable("BCCI_EXPORTS", exports.display().to_string());
    config.values.set_variable("DVCQG_URL", portal.url());
    config.values.set_variable("DVCQG_DSTCODE", CATALOGUE_ROUTE);
    config.values.set_variable("DVCQG_USERNAME", CATALOGUE_USER);
    config.values.set_secret("DVCQG_PASSWORD", CATALOGUE_PASSWORD);
    config.values.set_variable("DVCQG_UNIT", CATALOGUE_UNIT);
    config.values.set_variable("PAKN_EXPORTS", feedback.display().to_string());
    config.values.set_variable("MEASURES_FOLDER", measures.display().to_string());
    config.values.set_variable("NOTES_FOLDER", notes.display().to_string());
    config.values.set_variable("MINISTRY_EXPORTS", ministry.display().to_string());

    // Before it, the sources of dossiers are read once: what they changed since then, due dates above all, counts.
    let earlier = day.saturating_sub(jiff::Span::new().days(DAYS_BETWEEN));
    let evening = |day: Date| from_local(day.at(20, 0, 0, 0));
    if arguments.serve {
        let listen = arguments.listen.unwrap_or(config.settings.service.listen);
        // Now, and not once the nights are over.
        TcpListener::bind(listen).map_err(|error| {
            Failure::usage(format!("the demonstration cannot listen on {listen}: {error}"))
                .with_hint("another program uses the address: choose another one with `--listen 127.0.0.1:PORT`")
        })?;
    }
    print_message("running two nights over it");
    shown.set(earlier);
    province.write_ministry_list(&ministry, earlier)?;
    let first = run::night(&config, &[PORTAL, MINISTRY].map(str::to_owned), "demo", evening(earlier)).await?;
    shown.set(day);
    province.write_ministry_list(&ministry, day)?;
    let night = run::night(&config, &[], "demo", evening(day)).await?;
    let truth = tokio::task::spawn_blocking(move || province.truth_after(&[earlier, day]))
        .await
        .map_err(|error| Failure::internal(error.to_string()))?;
    let (_, figures) = crate::run::night_as_of(&config.settings.data, None)
        .await?
        .ok_or_else(|| Failure::internal("the night was not published"))?;
    let comparison = compare(&figures, &truth);
    let seconds = started.elapsed().as_secs_f64();
    let is_kept = options.data.is_some();
    print_result(arguments.format, &config, [&first, &night], is_kept, (&figures, &truth), &comparison, seconds)?;
    if arguments.serve {
        serve_demonstration(config, arguments.listen).await?;
    }
    portal.stop().await;
    let is_equal = comparison.differences.is_empty() && run::exit_code(&night) == ExitCode::SUCCESS;
    Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

/// Serves the demonstration's data folder and prints a token to log in with.
async fn serve_demonstration(mut config: Configuration, listen: Option<SocketAddr>) -> Result<(), Failure> {
    let access = AccessStore::open(&config.settings.data).await.map_err(RunError::from)?;
    let made =
        access.create("demo", (TokenScope::Operate, None), None, crate::run::now()).await.map_err(RunError::from)?;
    access.close().await;
    let token = made.ok_or_else(|| Failure::internal("the new data folder already has a token"))?;
    config.settings.service.listen = listen.unwrap_or(config.settings.service.listen);
    print(&format!("\nlog in with the token {token}\n"))?;
    print_message("press Ctrl-C to stop");
    service::serve(config, |url| print_message(&format!("listening on {url}"))).await?;
    Ok(())
}

/// Result of comparing figures with the truth.
struct Comparison {
    checked: usize,
    differences: Vec<String>,
}

fn compare(figures: &[Figure], truth: &Truth) -> Comparison {
    // Numerator, denominator, unknown and undecided.
    let mut computed: HashMap<(&str, TruthScope, String), [u64; 4]> = HashMap::new();
    for figure in figures {
        let [denominator, unknown, undecided] =
            [figure.denominator, figure.unknown, figure.undecided].map(|count| count.unwrap_or(0));
        let counts = [figure.numerator, denominator, unknown, undecided];
        if (denominator > 0 || undecided > 0) && TRUE_INDICATORS.contains(&&*figure.indicator) {
            computed.insert((&figure.indicator, scope_of(figure), figure.period.to_string()), counts);
        }
    }
    let mut differences = Vec::new();
    let mut checked = 0;
    for figure in &truth.figures {
        checked += 1;
        let key = (figure.indicator, figure.scope.clone(), figure.period.clone());
        let found = computed.remove(&key);
        let truth = [figure.numerator, figure.denominator, figure.unknown, figure.undecided];
        if found != Some(truth) {
            differences.push(format!(
                "{} {:?} {}: truth {truth:?}, ours {found:?}",
                figure.indicator, figure.scope, figure.period
            ));
        }
    }
    for ((indicator, scope, period), counts) in computed {
        checked += 1;
        differences.push(format!("{indicator} {scope:?} {period}: truth has none, ours {counts:?}"));
    }
    differences.sort();
    Comparison { checked, differences }
}

fn scope_of(figure: &Figure) -> TruthScope {
    match (&figure.agency, figure.tier) {
        (Some(code), _) => TruthScope::Agency(code.to_string()),
        (None, Some(tier)) => TruthScope::Tier(Tier::name(tier)),
        (None, None) => TruthScope::Province,
    }
}

fn print_result(
    format: OutputFormat,
    config: &Configuration,
    reports: [&RunReport; 2],
    is_kept: bool,
    (figures, truth): (&[Figure], &Truth),
    comparison: &Comparison,
    seconds: f64,
) -> Result<(), Failure> {
    let [_, report] = reports;
    let year = Period::Year { year: local(report.published.night.as_of).date().year() };
    let sums = |count: fn(&crate::run::Pull) -> u64| reports.iter().flat_map(|report| &report.pulls).map(count).sum();
    let of_year: Vec<&Figure> =
        figures.iter().filter(|figure| figure.period == year && figure.agency.is_none()).collect();
    let equal = comparison.checked - comparison.differences.len();
    for difference in comparison.differences.iter().take(20) {
        print_message(&format!("differs: {difference}"));
    }
    if format == OutputFormat::Table {
        for line in narration(report, is_kept) {
            print_message(&line);
        }
        print(&report::table(&of_year, &report.published.night, &report.published.not_whole, config))?;
        return print(&format!(
            "\n{} of {} figures (agencies, tiers, province × every named period) of the {} indicators that the simulator counts equal its truth; {seconds:.1} s.\n",
            number(equal as u64),
            number(comparison.checked as u64),
            TRUE_INDICATORS.len(),
        ));
    }
    let rows = figures
        .iter()
        .filter(|figure| figure.agency.is_none() && figure.tier.is_none() && figure.period.kind() == PeriodKind::Year)
        .map(|figure| FigureRow::new(figure, &report.published.night));
    if format == OutputFormat::Csv {
        return print_with(|out| publish::csv(out, rows));
    }
    let summary = Summary {
        dossiers: truth.dossiers_sent,
        received: sums(|pull| pull.counts.received),
        accepted: sums(|pull| pull.counts.accepted),
        quarantined: sums(|pull| pull.counts.quarantined),
        figures_checked: comparison.checked,
        figures_equal: equal,
        seconds: (seconds * 10.0).round() / 10.0,
        figures: rows.collect(),
    };
    let text = serde_json::to_string_pretty(&summary).map_err(|error| Failure::internal(error.to_string()))?;
    print(&format!("{text}\n"))
}
