//! `runs list|show`: lists runs, and shows what one run's pulls received and stored.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::explained::Explained;
use crate::cli::language::{self, language, text};
use crate::cli::output::{self, OutputFormat, print};
use crate::cli::{Failure, GlobalOptions, narration, remarks};
use crate::landing::LandedPull;
use crate::locale::Language;
use crate::model::instant;
use crate::model::pull::{Certificate, ChainFacts, Findings, LandedPage, Outcome, PullCounts, Purpose};
use crate::run::{Ledger, Pull, Run, RunError};

/// Page chains with rows that are printed.
const MAX_CHAINS: usize = 12;
/// Runs that are listed.
const MAX_RUNS: i64 = 60;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  motcua runs list\n  motcua runs show 41 --pages")]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the last 60 runs, newest first.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Show one run's pulls: what each received, what of it was stored, and why it is not complete, if it is not.
    Show {
        /// Number of the run.
        run: i64,
        /// Print counts, findings, and every page chain and page with its digest, as JSON.
        #[arg(long)]
        pages: bool,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    run: i64,
    purpose: &'static str,
    started_at: String,
    finished_at: Option<String>,
    complete: Option<bool>,
    /// Who stopped it; `None` if nobody did.
    stopped_by: Option<String>,
}

/// A pull in the output of `--pages`. Chains and pages are empty once its landed pages are removed.
#[derive(Debug, Serialize)]
struct PullRow<'a> {
    connector: &'a str,
    run: i64,
    outcome: Option<Outcome>,
    /// Who stopped the run.
    stopped_by: Option<&'a str>,
    reason: Option<&'a str>,
    counts: PullCounts,
    findings: &'a Findings,
    chains: Vec<ChainFacts>,
    pages: Vec<LandedPage>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_with_data()?;
    let data = &config.settings.data;
    let Some(ledger) = Ledger::open_existing(data).await? else {
        return Err(Failure::no_ledger(data));
    };
    let text = match &arguments.verb {
        Verb::List { format } => {
            let runs = ledger.runs(MAX_RUNS).await.map_err(RunError::from)?;
            let rows: Vec<Row> = runs.iter().map(row).collect();
            match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(&runs),
            }
        }
        Verb::Show { run, pages } => {
            let pulls = ledger.pulls_of_run(*run).await.map_err(RunError::from)?;
            let stopped_by = ledger.run(*run).await.map_err(RunError::from)?.and_then(|run| run.stopped_by);
            if pulls.is_empty() && stopped_by.is_none() {
                let message = text!("lượt {run} không có lần đọc nào", "run {run} has no pulls");
                return Err(Failure::usage(message).with_hint(language::of(
                    "`motcua runs list` liệt kê các lượt; việc xử lý lại đã phục hồi một lượt thì nằm dưới số của lượt đó",
                    "`motcua runs list` shows the runs; a replay that restored a run stands under the number of that run",
                )));
            }
            if *pages {
                let rows = pulls
                    .iter()
                    .map(|pull| pull_row(data, pull, stopped_by.as_deref()))
                    .collect::<Result<Vec<_>, _>>()?;
                output::json(&rows)?
            } else {
                let mut text = stopped_by.map(|by| format!("{}\n", stopped_text(&by))).unwrap_or_default();
                let removed = ledger.landing_removed(*run).await.map_err(RunError::from)?;
                for pull in &pulls {
                    text.push_str(&pull_text(pull));
                    if let Some((_, at)) = removed.iter().find(|(connector, _)| *connector == pull.connector) {
                        let removed = text!(
                            "  dữ liệu đã tải: đã xóa lúc {}",
                            "  landing    removed {}",
                            match language() {
                                Language::Vietnamese => output::moment(*at),
                                Language::English => instant::display(*at),
                            }
                        );
                        let _ = writeln!(text, "{removed}");
                    }
                    text.push_str(&chains(&landed(data, pull)?.unwrap_or_default().chains));
                }
                text
            }
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Run) -> Row {
    Row {
        run: run.run,
        purpose: run.purpose.name(),
        started_at: instant::display(run.started_at),
        finished_at: run.finished_at.map(instant::display),
        complete: run.complete,
        stopped_by: run.stopped_by.clone(),
    }
}

fn table(runs: &[Run]) -> String {
    let cells = runs.iter().map(|run| {
        let complete = match (run.complete, &run.stopped_by) {
            (Some(true), _) => language::of("đủ nguồn", "complete").to_owned(),
            (Some(false), _) => language::of("chưa đủ nguồn", "not complete").to_owned(),
            (None, Some(by)) => stopped_text(by),
            (None, None) if run.finished_at.is_some() => language::of("không công bố", "none published").to_owned(),
            (None, None) => language::of("chưa kết thúc", "not ended").to_owned(),
        };
        let [started, finished] = [Some(run.started_at), run.finished_at].map(output::moment_or_dash);
        vec![run.run.to_string(), purpose(run.purpose).to_owned(), started, finished, complete]
    });
    output::worded_table(
        &[
            ["Lượt", "run"],
            ["Mục đích", "purpose"],
            ["Bắt đầu", "started"],
            ["Kết thúc", "finished"],
            ["Số liệu", "figures"],
        ],
        cells.collect(),
    )
}

/// The name of a purpose for programs, or its Vietnamese words.
fn purpose(purpose: Purpose) -> &'static str {
    match language() {
        Language::Vietnamese => Language::Vietnamese.purpose(purpose),
        Language::English => purpose.name(),
    }
}

fn stopped_text(by: &str) -> String {
    text!("bị dừng theo yêu cầu của `{by}`", "stopped by `{by}`")
}

fn pull_row<'a>(data: &std::path::Path, pull: &'a Pull, stopped_by: Option<&'a str>) -> Result<PullRow<'a>, Failure> {
    let landed = landed(data, pull)?.unwrap_or_default();
    Ok(PullRow {
        connector: &pull.connector,
        run: pull.run,
        outcome: pull.ended(),
        stopped_by,
        reason: pull.reason.as_deref(),
        counts: pull.counts,
        findings: &pull.findings,
        chains: landed.chains,
        pages: landed.pages,
    })
}

fn landed(data: &std::path::Path, pull: &Pull) -> Result<Option<Certificate>, Failure> {
    Ok(LandedPull::new(data, &pull.connector, pull.run).certificate().map_err(RunError::from)?)
}

/// The first page chains of a pull, as text. `--pages` prints all of them.
fn chains(chains: &[ChainFacts]) -> String {
    let mut text = String::new();
    let with_rows: Vec<&ChainFacts> = chains.iter().filter(|chain| chain.rows > 0).take(MAX_CHAINS).collect();
    for chain in &with_rows {
        let number = output::number;
        let label = if chain.label.is_empty() { language::of("tất cả", "all") } else { &chain.label };
        let (pages, rows) = (chain.pages, number(chain.rows));
        text.push_str(&text!(
            "  chuỗi trang {label}: {pages} trang, {rows} dòng",
            "  chain      {label}: {pages} pages, {rows} rows"
        ));
        if let Some(declared) = chain.declared_total.map(number) {
            text.push_str(&text!(", nguồn khai báo {declared}", ", {declared} declared"));
        }
        if let (Some(first), Some(last)) = (&chain.first_cursor, &chain.last_cursor) {
            text.push_str(&text!(", con trỏ từ `{first}` đến `{last}`", ", cursors `{first}` to `{last}`"));
        }
        text.push('\n');
    }
    if chains.len() > with_rows.len() {
        let others = chains.len() - with_rows.len();
        text.push_str(&text!(
            "  còn {others} chuỗi trang khác, kể cả chuỗi rỗng: `--pages`\n",
            "  chain      {others} more, empty ones among them: `--pages`\n"
        ));
    }
    text
}

/// A pull as the ledger has it, as text.
fn pull_text(pull: &Pull) -> String {
    if language() == Language::Vietnamese {
        return vietnamese_text(pull);
    }
    let counts = pull.counts;
    let number = output::number;
    let outcome = pull.ended().map_or("not ended", Outcome::name);
    let mut text = format!("{} · run {} · {} · {outcome}\n", pull.connector, pull.run, pull.purpose.name());
    if let Some(reason) = &pull.reason {
        let _ = writeln!(text, "  why        {reason}: {}", pull.message.as_deref().unwrap_or("–"));
    }
    let moment = |at: Option<i64>| at.map_or_else(|| "–".to_owned(), instant::display);
    let _ = writeln!(text, "  started    {}, ended {}", instant::display(pull.started_at), moment(pull.finished_at));
    let _ = writeln!(
        text,
        "  received   {} = accepted {} + unchanged {} + duplicate {} + superseded {} + quarantined {}",
        number(counts.received),
        number(counts.accepted),
        number(counts.unchanged),
        number(counts.duplicate),
        number(counts.superseded),
        number(counts.quarantined),
    );
    let findings = &pull.findings;
    let declared =
        findings.declared.map_or_else(|| "nothing declared".to_owned(), |all| format!("{} declared", number(all)));
    let _ = writeln!(
        text,
        "  pages      {}, {} different keys, {declared}",
        number(findings.pages),
        number(findings.distinct_keys)
    );
    let reached = pull.cursor.as_ref().and_then(|cursor| cursor.read_until);
    let cursor = if moves_cursor(pull) { moment(reached) } else { "unchanged".to_owned() };
    let _ = writeln!(text, "  cursor     {cursor}; data until {}", moment(pull.data_until));
    for drift in &findings.drift {
        let place = drift
            .first
            .map(|first| format!(", {} rows, first on page {}, row {}", number(first.rows), first.page, first.row));
        let _ = writeln!(text, "  drift      {}: {}{}", drift.kind.name(), drift.field, place.unwrap_or_default());
    }
    for (order, rows) in &findings.impossible {
        let _ = writeln!(text, "  impossible {order}: {} rows", number(*rows));
    }
    if let Some(first) = findings.contradictions {
        let _ = writeln!(
            text,
            "  contradict {} rows differ from another row with the same key and time, first on page {}, row {}",
            number(first.rows),
            first.page,
            first.row
        );
    }
    if findings.short_rows > 0 {
        let _ = writeln!(text, "  short      {} rows lacked empty cells at their end", number(findings.short_rows));
    }
    for remark in findings.tables.lines() {
        let _ = writeln!(text, "  tables     {remark}");
    }
    for file in &findings.undated_files {
        let _ = writeln!(
            text,
            "  undated    `{file}`: it has no date where `access.order` expects one; its modification time orders it"
        );
    }
    if findings.swept > 0 {
        let _ = writeln!(text, "  swept      {} rows marked as deleted", number(findings.swept));
    }
    if findings.restored > 0 {
        let _ = writeln!(text, "  restored   {} rows with the values of another file", number(findings.restored));
    }
    if let Some(left) = &findings.left {
        let _ = writeln!(text, "  left       {} rows that files no longer have", number(left.rows));
    }
    text
}

/// The same in Vietnamese. Of findings it has what `run` prints.
fn vietnamese_text(pull: &Pull) -> String {
    let (lang, number) = (Language::Vietnamese, output::number);
    let mut lines = vec![format!(
        "{} · lượt {} · {} · {}",
        pull.connector,
        pull.run,
        lang.purpose(pull.purpose),
        lang.outcome(pull.ended())
    )];
    if let Some(code) = &pull.reason {
        if let Some(explained) = Explained::of(code, &pull.connector) {
            lines.push(format!("  vì sao: {}", explained.why));
            lines.push(format!("  {}", output::hint_line(&explained.to_do)));
        }
        lines.push(format!("  thông báo gốc: {code}: {}", pull.message.as_deref().unwrap_or("–")));
    }
    let [started, finished] = [Some(pull.started_at), pull.finished_at].map(output::moment_or_dash);
    lines.push(format!("  bắt đầu {started}, kết thúc {finished}"));
    lines.push(format!("  {}", narration::equation(pull)));
    let findings = &pull.findings;
    let declared = findings
        .declared
        .map_or_else(|| "nguồn không khai báo".to_owned(), |all| format!("nguồn khai báo {}", number(all)));
    let (pages, keys) = (number(findings.pages), number(findings.distinct_keys));
    lines.push(format!("  {pages} trang, {keys} khóa khác nhau, {declared}"));
    let cursor = if moves_cursor(pull) {
        output::moment_or_dash(pull.cursor.as_ref().and_then(|cursor| cursor.read_until))
    } else {
        "không đổi".to_owned()
    };
    lines.push(format!("  con trỏ: {cursor}; dữ liệu đến {}", output::moment_or_dash(pull.data_until)));
    lines.extend(remarks::of_pull(pull).into_iter().map(|remark| format!("  {remark}")));
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Whether the next pull starts where this one ended.
fn moves_cursor(pull: &Pull) -> bool {
    matches!(pull.ended(), Some(Outcome::Complete | Outcome::Degraded)) && pull.purpose == Purpose::Night
}
