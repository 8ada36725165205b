//! The SQL scripts over random tables, run with DuckDB and Spark: their rows are the computed figures, under every rule set.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the tables that another engine reads")]

use std::collections::BTreeMap;
use std::fs::{File, write};
use std::path::Path;
use std::sync::Arc;

use motcua::calendar::WorkingCalendar;
use motcua::indicators::{AgencyNames, FigureInputs, SqlDialect, StoredTables, compute, sql_script};
use motcua::model::agency::Succession;
use motcua::model::figure::Figure;
use motcua::model::indicator::{CountedUnit, IndicatorDefinition};
use motcua::model::rules::{AgencyView, RuleSet};
use polars::prelude::*;
use proptest::prelude::ProptestConfig;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::NOW;
use super::province::{self, Dossier, Feedback, Measure, Note, at};
use super::random::{province_of, rows};
use crate::services::{python_can_run, run_python};

const RUN: i64 = 7;
const CAUSES: [&str; 3] = ["agency", "cooperating", "applicant"];

/// Random dossiers with everything that moves a figure: supplements, refusals, withdrawals, deletions, interlinked parts,
/// moved due dates, successions, notes, postal items, copies in another source, ties.
struct Scrambled {
    /// By name of the image.
    tables: BTreeMap<&'static str, DataFrame>,
    groups: DataFrame,
}

/// A table whose rows have keys, half of them of one source, half of another.
fn with_keys(table: LazyFrame) -> DataFrame {
    let rows = table.with_row_index("place", None);
    let keyed = rows.with_columns([
        when((col("place") % lit(2)).eq(lit(0))).then(lit("portal")).otherwise(lit("ministry")).alias("source"),
        (lit("K") + col("place").floor_div(lit(2)).cast(DataType::String)).alias("source_key"),
        (col("place") % lit(RUN) + lit(1)).cast(DataType::Int64).alias("run"),
    ]);
    keyed.drop(cols(["place"])).collect().expect("the columns exist")
}

/// One of the lakes that the engines compute.
#[derive(Clone, Copy)]
struct Case {
    seed: u8,
    rows: usize,
    /// Dossiers count for today's successors of their agencies.
    for_successors: bool,
    /// Every rule set counts dossiers for another agency than the one before.
    by_view: bool,
    /// One script has every rule set with its own indicators; otherwise each rule set has a script with all indicators.
    together: bool,
}

const CASES: [Case; 3] = [
    Case { seed: 1, rows: 400, for_successors: false, by_view: false, together: false },
    Case { seed: 2, rows: 120, for_successors: true, by_view: true, together: false },
    Case { seed: 3, rows: 120, for_successors: false, by_view: true, together: true },
];

fn scrambled(Case { seed, rows: seed_rows, .. }: Case) -> Scrambled {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), random);
    let mut bytes = |count: usize| rows(count, count + 1).new_tree(&mut runner).expect("bytes").current();
    let (dossier_bytes, item_bytes) = (bytes(seed_rows), bytes(seed_rows));
    let (mut dossiers, items) = province_of(&dossier_bytes, &item_bytes);
    let receiving = ["TT", "X2", "Phòng lạ", "Xã mẫu E"].map(str::to_owned);
    let received_by = |(place, dossier): (usize, Dossier)| {
        let receiving = receiving.get(place % 5).cloned();
        Dossier { receiving, ..dossier }
    };
    dossiers = dossiers.into_iter().enumerate().map(received_by).collect();
    let base = at("2025-05-20T00:00");
    let day = |byte: u8| base + i64::from(byte) * 86_400_000_000;
    let some = |byte: u8, value: i64| (!byte.is_multiple_of(3)).then_some(value);
    let notes: Vec<Note> = bytes(seed_rows)
        .iter()
        .map(|row| {
            let number = usize::from(row[0]) % seed_rows;
            // Some promise the dossier's due date, or its day only.
            let due = dossiers[number].due.unwrap_or_else(|| day(row[5]));
            let midnight = due - (due + 7 * 3_600_000_000).rem_euclid(86_400_000_000);
            Note {
                dossier: (row[1] % 20 > 0).then(|| format!("H-{number}")),
                cause: CAUSES.get(usize::from(row[2]) % 4).map(ToString::to_string),
                number: (row[3] % 2 == 0).then(|| format!("{}/XL", row[3] % 5)),
                apology: some(row[4], day(row[4])),
                new_due: some(row[6], [due, midnight, day(row[7])][usize::from(row[6]) % 3]),
                deleted: [None, Some(false), Some(true)][usize::from(row[8]) % 3],
            }
        })
        .collect();
    let feedback: Vec<Feedback> = bytes(seed_rows / 3)
        .iter()
        .map(|row| Feedback {
            subject: (row[0] % 2 == 0).then(|| "conduct".to_owned()),
            agency: ["S1", "Xã mẫu E", "Phòng lạ"].get(usize::from(row[1]) % 4).map(ToString::to_string),
            received: some(row[2], day(row[2])),
            due: some(row[3], day(row[3])),
            handled: some(row[4], day(row[4])),
            outcome: (row[5] % 3 == 0).then(|| "handled".to_owned()),
            answered: some(row[6], day(row[6])),
            published: some(row[7], day(row[7])),
            deleted: [None, Some(false), Some(true)][usize::from(row[8]) % 3],
        })
        .collect();
    let tables = [
        ("dossiers", province::dossiers_table(&dossiers)),
        ("postal_items", province::items_table(&items)),
        ("feedback", province::feedback_table(&feedback)),
        ("measures", province::measures_table(&measures(&bytes(seed_rows), day))),
        ("dossier_notes", province::notes_table(&notes)),
    ];
    let tables: BTreeMap<_, _> = tables.into_iter().map(|(name, table)| (name, with_keys(table))).collect();
    // Every fifth row of the ministry is a copy, and a row of the portal that counts stands in the table too.
    let is_copy = col("source").eq(lit("ministry"));
    let every_fifth =
        tables["dossiers"].clone().lazy().with_row_index("place", None).filter((col("place") % lit(5)).eq(lit(0)));
    let groups = every_fifth.select([col("source"), col("source_key"), is_copy.not().alias("counts")]);
    Scrambled { tables, groups: groups.collect().expect("the columns exist") }
}

/// Measures that several state for one period, that are replaced, deleted, of weeks, of periods to come, or of nothing.
fn measures(bytes: &[Vec<u8>], day: impl Fn(u8) -> i64) -> Vec<Measure> {
    let stated = ["par-7.1.2", "sipas-1", "par-3.2.2", "par-3.4.1", "par-9.9.9"];
    let agencies = ["S1", "Xã mẫu E", "X3", "D1", "Toàn tỉnh", "toàn  tỉnh", "Phòng lạ", ""];
    let periods = ["2025", "2025-Q4", "2025-12", "2026-03s", "2027", "2025-W30", "2025-H1", "never"];
    let count = |byte: u8| (byte > 20).then(|| i64::from(byte) - 30);
    let measure = |row: &Vec<u8>| Measure {
        indicator: Some(stated[usize::from(row[0]) % stated.len()].to_owned()),
        agency: Some(agencies[usize::from(row[1]) % agencies.len()].to_owned()).filter(|agency| !agency.is_empty()),
        period: Some(periods[usize::from(row[2]) % periods.len()].to_owned()),
        counts: [count(row[3]), count(row[4])],
        // Some at the same moment, some after the night.
        entered: (row[5] > 40).then(|| day(row[5] / 16 * 16)),
        deleted: [None, Some(false), Some(true)][usize::from(row[6]) % 3],
    };
    bytes.iter().map(measure).collect()
}

const ENGINES: [(&str, SqlDialect); 2] = [("duckdb", SqlDialect::DuckDb), ("spark", SqlDialect::Spark)];

/// Writes the tables, and for each rule set the figures and a script for each engine. Returns for each engine the paths of
/// script and figures, one pair after the other.
fn write_case(case: Case, folder: &Path) -> [Vec<String>; 2] {
    let scrambled = &scrambled(case);
    let parquet = |name: &str, table: &DataFrame| {
        let file = File::create(folder.join(format!("{name}.parquet"))).expect("the folder takes a file");
        ParquetWriter::new(file).finish(&mut table.clone()).expect("the table can be written");
    };
    scrambled.tables.iter().for_each(|(name, table)| parquet(name, table));
    parquet("dossier_groups", &scrambled.groups);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
    let config = motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
    let images = scrambled
        .tables
        .iter()
        .map(|(name, table)| (*name, table.get_column_names().into_iter().map(ToString::to_string).collect()));
    let images: BTreeMap<_, _> = images.collect();
    let table = |name: &str| scrambled.tables[name].clone().lazy();
    let mut rule_sets: Vec<RuleSet> = config.rules.values().cloned().collect();
    let successions = [Succession {
        from: "X1".to_owned(),
        to: "X2".to_owned(),
        date: jiff::civil::date(2025, 7, 1),
        document: "mẫu".to_owned(),
    }];
    if case.by_view {
        let views = [AgencyView::Handling, AgencyView::Competent, AgencyView::Receiving];
        rule_sets.iter_mut().zip(views.into_iter().cycle()).for_each(|(rules, view)| rules.agency = view);
    }
    let mut paths = [Vec::new(), Vec::new()];
    let scripts: Vec<Vec<&RuleSet>> = if case.together {
        vec![rule_sets.iter().collect()]
    } else {
        rule_sets.iter().map(|rules| vec![rules]).collect()
    };
    for rule_sets in &scripts {
        let mut definitions: Vec<IndicatorDefinition> =
            config.indicators.iter().map(|one| one.definition.clone()).collect();
        if let [rules] = rule_sets[..] {
            for definition in &mut definitions {
                definition.rules.clone_from(&rules.id);
            }
        }
        let name = rule_sets[0].id.as_str();
        let indicators: Vec<_> = definitions.iter().map(|definition| (definition, "")).collect();
        let inputs = FigureInputs {
            dossiers: table("dossiers"),
            dossier_groups: scrambled.groups.clone().lazy(),
            postal_items: table("postal_items"),
            feedback: table("feedback"),
            measures: table("measures"),
            dossier_notes: table("dossier_notes"),
            indicators: &indicators,
            rules: rule_sets,
            agencies: &province::agencies(),
            agency_names: &AgencyNames::default(),
            procedures: &province::procedures(),
            offers: &province::offers(),
            calendar: &WorkingCalendar::new(&province::calendar()),
            now: at(NOW),
            successions: case.for_successors.then_some(&successions[..]),
            period: None,
        };
        let figures = compute(&inputs).expect("the shipped indicators compute");
        for over in [CountedUnit::Dossiers, CountedUnit::Procedures, CountedUnit::Agencies, CountedUnit::Measures] {
            let is_over = |figure: &&Figure| {
                definitions.iter().any(|definition| definition.id == *figure.indicator && definition.over == over)
            };
            assert!(figures.iter().filter(is_over).any(|figure| figure.numerator > 0), "{over:?} under {name}");
        }
        let path = |ending: &str| folder.join(format!("{name}.{ending}"));
        write(path("csv"), figures_as_csv(&figures)).expect("the folder takes a file");
        for ((engine, dialect), paths) in ENGINES.into_iter().zip(&mut paths) {
            let stored = StoredTables { dialect, root: None, images: images.clone(), has_groups: true, run: RUN };
            let script = sql_script(&inputs, &stored).expect("the shipped indicators can be rendered");
            let ending = format!("{engine}.sql");
            write(path(&ending), script).expect("the folder takes a file");
            paths.extend([&ending, "csv"].map(|ending| path(ending).display().to_string()));
        }
    }
    paths
}

fn figures_as_csv(figures: &[Figure]) -> String {
    let count = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    let row = |figure: &Figure| {
        let agency = figure.agency.as_deref().map_or_else(String::new, |code| format!("\"{code}\""));
        let tier = figure.tier.map_or("", |tier| tier.name());
        format!(
            "{},{},{agency},{tier},{},{},{},{},{}\n",
            figure.indicator,
            figure.rules,
            figure.period,
            figure.numerator,
            count(figure.denominator),
            count(figure.unknown),
            count(figure.undecided)
        )
    };
    "indicator,rules,agency,tier,period,numerator,denominator,unknown,undecided\n".to_owned()
        + &figures.iter().map(row).collect::<String>()
}

#[test]
fn other_engines_compute_the_figures_of_scrambled_tables() {
    if !python_can_run("other_engines_compute_the_figures_of_scrambled_tables") {
        return;
    }
    let mut cells = 0;
    for case in CASES {
        let folder = Arc::new(tempfile::tempdir().expect("a scratch folder can be made"));
        let of_work = Arc::clone(&folder);
        // Polars built for debugging walks deep plans by recursion.
        let work = move || write_case(case, of_work.path());
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
        let paths = thread.join().expect("the figures compute");
        for ((engine, _), paths) in ENGINES.into_iter().zip(paths) {
            let arguments = [engine.to_owned(), folder.path().display().to_string()];
            let printed = run_python("compare_sql.py", &[&arguments, &paths[..]].concat());
            assert_eq!(printed.matches(" 0 different").count(), paths.len() / 2, "{printed}");
            cells += printed.lines().filter_map(equal_cells).sum::<u64>();
        }
    }
    assert!(cells > 500_000, "{cells} cells of both engines are few");
}

/// `SCRIPT: 61310 equal, 0 different, …`.
fn equal_cells(line: &str) -> Option<u64> {
    line.split_once(": ")?.1.split_once(" equal")?.0.parse().ok()
}
