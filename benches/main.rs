//! Speed and memory, in CPU-seconds of this process alone: the portal is another process, so that only our work counts.
//!
//! `cargo bench -- pull [DOSSIERS]`: JSON pages over loopback HTTP → landed → versions and image.
//! `cargo bench -- csv|xlsx [ITEMS]`: the post's lists in files of 200,000 rows → landed → versions and image.
//! `cargo bench -- xml|ndjson [ITEMS]`: the same lists in files of 50,000 records.
//! `cargo bench -- readers [DOSSIERS]`: a hundred clients that read figures from `motcua serve`, quiet and while nights run.
//! `cargo bench -- groups [DOSSIERS]`: which dossiers several sources hold, with one source and with two.
//! `cargo bench -- explain [DOSSIERS]`: the dossiers behind a year's ratio of the province, of an agency, and a page of their list.
//! `cargo bench -- figures [DOSSIERS [FOLDER]]`: every figure over a table of that many dossiers; in a folder that is named the
//! table stays, is not written again, and has the script of the same figures beside it, for `peers/figures_duckdb.py`.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "edge: a bench makes its own folders and starts its own portal")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should stop")]

mod dossiers;
mod groups;
mod lists;
mod meter;
mod portal;
mod readers;

use std::path::Path;

use motcua::calendar::WorkingCalendar;
use motcua::config::{self, Configuration};
use motcua::indicators::{DossierPage, FigureInputs, FigureOf, Side, SqlDialect, compute};
use motcua::lake::Lake;
use motcua::model::figure::Night;
use motcua::model::period::Period;
use motcua::model::table::RecordKind;
use motcua::run::{DataFolder, ExplainRequest, FigureRequest, explain as explain_figure, sql_script};
use strum::{EnumCount as _, IntoEnumIterator as _};

use crate::meter::Meter;
use crate::portal::{Process, simulate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |default: usize| arguments.get(1).map_or(default, |text| text.parse().unwrap());
    match arguments.first().map(String::as_str) {
        Some("pull") => pull(number(200_000)),
        Some(kind @ ("csv" | "xlsx" | "xml" | "ndjson")) => files(kind, number(200_000)),
        Some("write") => lists::write(&arguments[1], Path::new(&arguments[2]), arguments[3].parse().unwrap()),
        Some("readers") => readers::readers(number(20_000)),
        Some("groups") => groups::groups(number(1_000_000)),
        Some("explain") => explain(number(1_000_000)),
        Some("figures") => figures(number(1_000_000), arguments.get(2).map(Path::new)),
        _ => {
            pull(200_000);
            figures(1_000_000, None);
        }
    }
}

fn shipped() -> Configuration {
    config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml")).unwrap()
}

/// A portal for the configuration; answers until it is dropped.
fn portal(dossiers: usize, exports: &Path, config: &mut Configuration) -> Process {
    let (portal, variables) = simulate(dossiers, exports);
    for (name, value) in variables {
        if name == "IGATE_CLIENT_SECRET" {
            config.values.set_secret(name, value);
        } else {
            config.values.set_variable(name, value);
        }
    }
    portal
}

/// Three passes over a province's first pull, and the same pull again.
fn pull(dossiers: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let mut config = shipped();
    config.connectors.retain(|connector| connector.name == "portal-igate");
    let _portal = portal(dossiers, &scratch.path().join("exports"), &mut config);
    measure(
        &mut config,
        &scratch.path().join("data"),
        &["first pull", "same pull again"],
        &format!("pull, {dossiers} dossiers"),
    );
}

/// The post's lists, from files to tables.
fn files(kind: &str, items: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let mut config = shipped();
    config.connectors.retain(|connector| connector.name == "bcci-export");
    let exports = scratch.path().join("exports");
    std::fs::create_dir(&exports).unwrap();
    lists::write_apart(kind, &exports, items);
    lists::declare(kind, &mut config.connectors[0].file);
    config.values.set_variable("BCCI_EXPORTS", exports.to_string_lossy().into_owned());
    measure(&mut config, &scratch.path().join("data"), &["first pull"], kind);
}

/// Runs nights without indicators, and says what each cost.
fn measure(config: &mut Configuration, data: &Path, nights: &[&str], what: &str) {
    config.indicators.clear();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build().unwrap();
    for name in nights {
        let meter = Meter::start();
        let report = runtime.block_on(async {
            let folder = DataFolder::open(config, data, "bench", motcua::run::now()).await.unwrap();
            folder.run_once(&[], motcua::run::now(), &|_| {}).await.unwrap()
        });
        let spent = meter.stop();
        let pull = &report.pulls[0];
        assert_eq!(pull.reason, None, "the pull is whole");
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let rate = pull.counts.received as f64 / spent.cpu_secs;
        println!(
            "{what}, {name}: {} records received, {} accepted; {:.2} CPU-s, {:.2} s; {rate:.0} records per CPU-s; peak {} MiB above start",
            pull.counts.received, pull.counts.accepted, spent.cpu_secs, spent.wall_secs, spent.peak_mib
        );
    }
}

/// All figures of the shipped indicators over a table written for it.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build().unwrap()
}

fn explain(count: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let mut config = shipped();
    scratch.path().clone_into(&mut config.settings.data);
    let runtime = runtime();
    runtime.block_on(async {
        let lake = Lake::open(&scratch.path().join("lake")).await.unwrap();
        dossiers::write(&lake, &config, count).await;
    });
    let night = Night { run: 1, as_of: motcua::run::now(), complete: true, data_until: None };
    let agency = config.registries.agencies[0].code.clone();
    let of = |figure: FigureOf, limit: u32| {
        let page = DossierPage { side: Side::NotInNumerator, offset: 0, limit };
        ExplainRequest {
            indicator: "nd224-on-time".to_owned(),
            figures: FigureRequest { indicators: vec!["nd224-on-time".to_owned()], ..FigureRequest::default() },
            period: Period::parse("2025").unwrap(),
            figure,
            page: (limit > 0).then_some(page),
        }
    };
    for (what, request) in [
        ("counts of the province", of(FigureOf::Province, 0)),
        ("counts of the province and 50 dossiers", of(FigureOf::Province, 50)),
        ("counts of an agency and 50 dossiers", of(FigureOf::Agency(agency), 50)),
    ] {
        for _ in 0..3 {
            let meter = Meter::start();
            let found = runtime.block_on(explain_figure(&config, &night, request.clone(), ())).unwrap();
            let (spent, counts) = (meter.stop(), found.explanation.counts);
            println!(
                "explain, {count} dossiers in five years, {what}: {counts:?}; {:.2} CPU-s, {:.2} s; peak {} MiB above start",
                spent.cpu_secs, spent.wall_secs, spent.peak_mib
            );
        }
    }
}

fn figures(count: usize, folder: Option<&Path>) {
    let scratch = tempfile::tempdir().unwrap();
    let named = folder;
    let folder = folder.unwrap_or(scratch.path());
    let is_written = folder.join("lake/dossiers").exists();
    let mut config = shipped();
    folder.clone_into(&mut config.settings.data);
    let [dossiers, postal_items, feedback, measures, dossier_notes, _] = runtime().block_on(async {
        let lake = Lake::open(&folder.join("lake")).await.unwrap();
        if !is_written {
            dossiers::write(&lake, &config, count).await;
        }
        if named.is_some() {
            let night = Night { run: 1, as_of: motcua::run::now(), complete: true, data_until: None };
            let root = std::path::absolute(folder.join("lake")).unwrap().display().to_string();
            for (file, script) in
                [("figures.sql", (SqlDialect::DuckDb, None)), ("figures-spark.sql", (SqlDialect::Spark, Some(root)))]
            {
                let script = sql_script(&config, &night, &FigureRequest::default(), script).await;
                std::fs::write(folder.join(file), script.unwrap()).unwrap();
            }
        }
        let mut tables = Vec::new();
        for kind in RecordKind::iter() {
            tables.push(lake.scan_image(kind).await.unwrap());
        }
        <[_; RecordKind::COUNT]>::try_from(tables).unwrap_or_else(|_| unreachable!("one table a kind"))
    });
    let own: Vec<_> = config.indicators.iter().map(|indicator| indicator.definition.clone()).collect();
    let mut every = Vec::new();
    for rules in config.rules.keys() {
        every.extend(own.iter().cloned().map(|mut definition| {
            definition.rules.clone_from(rules);
            definition
        }));
    }
    let calendar = WorkingCalendar::new(&config.registries.calendar);
    for (what, definitions) in
        [("as a night", &own), ("as a night", &own), ("as a night", &own), ("every rule set", &every)]
    {
        let indicators: Vec<_> = definitions.iter().map(|definition| (definition, "")).collect();
        let meter = Meter::start();
        let figures = compute(&FigureInputs {
            dossiers: dossiers.clone(),
            dossier_groups: motcua::lake::Lake::no_groups(),
            postal_items: postal_items.clone(),
            feedback: feedback.clone(),
            measures: measures.clone(),
            dossier_notes: dossier_notes.clone(),
            indicators: &indicators,
            rules: &config.rules.values().collect::<Vec<_>>(),
            agencies: &config.registries.agencies,
            agency_names: &motcua::indicators::AgencyNames::default(),
            procedures: &config.registries.procedures,
            offers: &config.registries.offers,
            calendar: &calendar,
            now: motcua::run::now(),
            successions: None,
            period: None,
        });
        let figures = figures.unwrap().len();
        let spent = meter.stop();
        println!(
            "figures, {count} dossiers, {what}: {figures} figures; {:.2} CPU-s, {:.2} s; peak {} MiB above start",
            spent.cpu_secs, spent.wall_secs, spent.peak_mib
        );
    }
}
