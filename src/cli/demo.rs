//! `demo`: a simulated province, one night, and its figures held against the simulator's own truth; with `--serve` the
//! service on it.
#![expect(clippy::disallowed_methods, reason = "edge: a demonstration lives in a scratch folder")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::cli::failure::INCOMPLETE;
use crate::cli::output::{Format, narrate, number, print, print_with};
use crate::cli::{Base, Failure, init, report, run, simulate};
use crate::config::{self, Configuration};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::instant::{DAY_MICROS, from_local, local};
use crate::model::period::{Period, PeriodKind};
use crate::publish::{self, FigureRow};
use crate::run::{RunError, RunReport};
use crate::service::{self, Access, Scope as TokenScope};
use crate::simulator::{
    self, CATALOGUE_PASSWORD, CATALOGUE_ROUTE, CATALOGUE_UNIT, CATALOGUE_USER, CLIENT_ID, CLIENT_SECRET, Scope,
    SimulatedDay, TOKEN_PATH, TRUE_INDICATORS, Truth,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(long, default_value_t = 50_000)]
    dossiers: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Then serve the pages and the API on it, with the province still there to be read, until stopped.
    #[arg(long)]
    serve: bool,
    /// Where it is served; as `serve --listen`.
    #[arg(long, requires = "serve")]
    listen: Option<SocketAddr>,
}

/// `demo --format json`.
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

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.dossiers == 0 {
        return Err(Failure::usage("a province without dossiers has no figures to compare"));
    }
    if let Some(data) = base.data.as_ref().filter(|data| data.join("ledger.sqlite").exists()) {
        let message =
            format!("`{}` is an office's data folder; a demonstration does not write into it", data.display());
        return Err(Failure::usage(message).with_hint("give a new folder with `--data`, or none"));
    }
    let scratch = std::env::temp_dir().join(format!("motcua-demo-{}", std::process::id()));
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    let result = show(base, arguments, &scratch).await;
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    result
}

async fn show(base: &Base, arguments: &Arguments, scratch: &Path) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    narrate(&format!("simulating a province with {} dossiers", number(arguments.dossiers as u64)));
    // What is served is judged by today's clock: its night is yesterday's, and the slot of this night is made up.
    let day = if arguments.serve { local(crate::run::now() - DAY_MICROS).date() } else { simulate::TODAY };
    let province = Arc::new(simulate::generate(arguments.dossiers, arguments.seed, day).await?);
    let exports = scratch.join("bcci-exports");
    std::fs::create_dir_all(&exports)?;
    province.write_exports(&exports, day)?;
    let [feedback, measures, notes] = province.write_lists(scratch, day)?;
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let portal = simulator::serve(province.clone(), loopback, SimulatedDay::new(day)).await?;

    init::write_shipped(scratch)?;
    let mut config = config::load(&scratch.join("config/motcua.toml"))?;
    config.settings.data = base.data.clone().unwrap_or_else(|| scratch.join("data"));
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

    narrate("running one night against it");
    let night = run::night(&config, &[], "demo", from_local(day.at(20, 0, 0, 0))).await?;
    let truth = tokio::task::spawn_blocking(move || province.truth(day))
        .await
        .map_err(|error| Failure::internal(error.to_string()))?;
    let (_, figures) = crate::run::night_as_of(&config.settings.data, None)
        .await?
        .ok_or_else(|| Failure::internal("the night was not published"))?;
    let checked = compare(&figures, &truth);
    let seconds = started.elapsed().as_secs_f64();
    tell(arguments.format, &config, &night, &figures, &truth, &checked, seconds)?;
    if arguments.serve {
        serve_on(config, arguments.listen).await?;
    }
    portal.stop().await;
    let fine = checked.differences.is_empty() && run::exit_code(&night) == ExitCode::SUCCESS;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

/// Serves the office of the demonstration, with a token to look at it.
async fn serve_on(mut config: Configuration, listen: Option<SocketAddr>) -> Result<(), Failure> {
    let access = Access::open(&config.settings.data).await.map_err(RunError::from)?;
    let made = access.create("demo", TokenScope::Operate, None, crate::run::now()).await.map_err(RunError::from)?;
    access.close().await;
    let token = made.ok_or_else(|| Failure::internal("a new data folder has a token already"))?;
    config.settings.service.listen = listen.unwrap_or(config.settings.service.listen);
    print(&format!("\nlog in with the token {token}\n"))?;
    narrate("Ctrl-C ends it");
    service::serve(config, |url| narrate(&format!("listening on {url}"))).await?;
    Ok(())
}

/// Figures held against the truth.
struct Checked {
    checked: usize,
    differences: Vec<String>,
}

fn compare(figures: &[Figure], truth: &Truth) -> Checked {
    let mut ours: HashMap<(&str, Scope, String), (u64, u64)> = HashMap::new();
    for figure in figures {
        let counts = (figure.numerator, figure.denominator.unwrap_or(0));
        if counts.1 > 0 && TRUE_INDICATORS.contains(&&*figure.indicator) {
            ours.insert((&figure.indicator, scope_of(figure), figure.period.to_string()), counts);
        }
    }
    let mut differences = Vec::new();
    let mut checked = 0;
    for figure in &truth.figures {
        checked += 1;
        let key = (figure.indicator, figure.scope.clone(), figure.period.clone());
        let found = ours.remove(&key);
        if found != Some((figure.numerator, figure.denominator)) {
            differences.push(format!(
                "{} {:?} {}: truth {}/{}, ours {found:?}",
                figure.indicator, figure.scope, figure.period, figure.numerator, figure.denominator
            ));
        }
    }
    for ((indicator, scope, period), counts) in ours {
        checked += 1;
        differences.push(format!("{indicator} {scope:?} {period}: truth has none, ours {counts:?}"));
    }
    differences.sort();
    Checked { checked, differences }
}

fn scope_of(figure: &Figure) -> Scope {
    match (&figure.agency, figure.tier) {
        (Some(code), _) => Scope::Agency(code.to_string()),
        (None, Some(tier)) => Scope::Tier(Tier::name(tier)),
        (None, None) => Scope::Province,
    }
}

fn tell(
    format: Format,
    config: &Configuration,
    report: &RunReport,
    figures: &[Figure],
    truth: &Truth,
    checked: &Checked,
    seconds: f64,
) -> Result<(), Failure> {
    let year = Period::Year { year: local(report.published.night.as_of).date().year() };
    let sums = |count: fn(&crate::run::Pull) -> u64| report.pulls.iter().map(count).sum();
    let of_year: Vec<&Figure> =
        figures.iter().filter(|figure| figure.period == year && figure.agency.is_none()).collect();
    let equal = checked.checked - checked.differences.len();
    for difference in checked.differences.iter().take(20) {
        narrate(&format!("differs: {difference}"));
    }
    if format == Format::Table {
        for line in run::narration(report) {
            narrate(&line);
        }
        print(&report::table(&of_year, &report.published.night, &report.published.not_whole, config))?;
        return print(&format!(
            "\n{} of {} figures (agencies, tiers, province × every named period) of the {} indicators that the simulator counts equal its truth; {seconds:.1} s.\n",
            number(equal as u64),
            number(checked.checked as u64),
            TRUE_INDICATORS.len(),
        ));
    }
    let rows = figures
        .iter()
        .filter(|figure| figure.agency.is_none() && figure.tier.is_none() && figure.period.kind() == PeriodKind::Year)
        .map(|figure| FigureRow::new(figure, &report.published.night));
    if format == Format::Csv {
        return print_with(|out| publish::csv(out, rows));
    }
    let summary = Summary {
        dossiers: truth.dossiers_sent,
        received: sums(|pull| pull.counts.received),
        accepted: sums(|pull| pull.counts.accepted),
        quarantined: sums(|pull| pull.counts.quarantined),
        figures_checked: checked.checked,
        figures_equal: equal,
        seconds: (seconds * 10.0).round() / 10.0,
        figures: rows.collect(),
    };
    let text = serde_json::to_string_pretty(&summary).map_err(|error| Failure::internal(error.to_string()))?;
    print(&format!("{text}\n"))
}
