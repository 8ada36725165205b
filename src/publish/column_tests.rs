//! All forms of a figure have the columns of [`FIGURE_COLUMNS`].
#![expect(clippy::disallowed_methods, reason = "tests read and write published files")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

use polars::prelude::*;
use serde_json::Value;
use utoipa::PartialSchema as _;

use super::postgres::MIGRATIONS;
use super::*;
use crate::indicators::{
    FIGURE_COLUMNS, FigureCell, FigureColumn, FigureColumnRole, FigureColumnType, FigureOfNight, Rank, row_columns,
    stored_columns,
};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::{IndicatorKind, TargetPeriods};
use crate::model::period::Period;

const NIGHT: Night =
    Night { run: 7, as_of: 1_790_000_000_123_456, complete: true, data_until: Some(1_789_000_000_123_456) };

/// A figure in which every column has a value.
fn full() -> Figure {
    Figure {
        indicator: "par-3.4.1".into(),
        kind: IndicatorKind::Ratio,
        definition: "d\"1".into(),
        rules: "seed-2639".into(),
        agency: Some("H61,14".into()),
        agency_name: Some("Sở \"Y\" tế".into()),
        tier: Some(Tier::Province),
        period: Period::parse("2026").expect("a period"),
        numerator: 9,
        denominator: Some(10),
        reachable: 10,
        one_sided: Some(2),
        unknown: Some(0),
        undecided: Some(3),
        target: Some(1.0),
        target_periods: TargetPeriods::Year,
    }
}

/// A figure in which every nullable column is null.
fn bare() -> Figure {
    Figure {
        kind: IndicatorKind::Mean,
        agency: None,
        agency_name: None,
        tier: None,
        denominator: None,
        one_sided: None,
        unknown: None,
        undecided: None,
        target: None,
        target_periods: TargetPeriods::All,
        ..full()
    }
}

fn names<'a>(columns: impl IntoIterator<Item = &'a FigureColumn>) -> Vec<&'static str> {
    columns.into_iter().map(|column| column.name).collect()
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("a vector takes everything");
    String::from_utf8(bytes).expect("rows are UTF-8")
}

#[test]
fn cells_have_the_type_of_their_column_and_null_only_where_it_is_declared() {
    let incomplete = Night { complete: false, data_until: None, ..NIGHT };
    for (figure, night) in [(full(), NIGHT), (bare(), incomplete)] {
        let row = FigureOfNight { figure: &figure, night, is_gone: false };
        for column in FIGURE_COLUMNS {
            let cell = (column.read)(&row);
            let fits = match &cell {
                FigureCell::Null => column.is_nullable,
                FigureCell::Text(_) => column.column_type == FigureColumnType::Text,
                FigureCell::Integer(number) => match column.column_type {
                    FigureColumnType::Integer => true,
                    FigureColumnType::Count => *number >= 0,
                    _ => false,
                },
                FigureCell::Float(_) => column.column_type == FigureColumnType::Float,
                FigureCell::Flag(_) => column.column_type == FigureColumnType::Flag,
                FigureCell::Day(_) => column.column_type == FigureColumnType::Day,
                FigureCell::Instant(_) => column.column_type == FigureColumnType::Instant,
                FigureCell::Met(_) => column.column_type == FigureColumnType::Met,
            };
            assert!(fits, "column `{}`: {cell:?}", column.name);
        }
    }
}

#[test]
fn rows_are_written_as_ever() {
    let (full, bare) = (full(), bare());
    let rows = || [FigureRow::new(&full, &NIGHT), FigureRow::new(&bare, &Night { data_until: None, ..NIGHT })];
    let expected = r#"[
{"indicator":"par-3.4.1","definition":"d\"1","rules":"seed-2639","agency":"H61,14","agency_name":"Sở \"Y\" tế","tier":"province","period":"2026","period_start":"2026-01-01","period_end":"2026-12-31","numerator":9,"denominator":10,"ratio":0.9,"target":1.0,"met":"open","complete":true,"data_until":"2026-09-10T07:26:40+07:00","unmatched":0.2222,"as_of":"2026-09-21T21:13:20+07:00","run":7,"kind":"ratio","value":0.9,"target_period":"year","unknown":0,"undecided":3,"ratio_least":0.9,"ratio_most":0.9},
{"indicator":"par-3.4.1","definition":"d\"1","rules":"seed-2639","agency":null,"agency_name":null,"tier":null,"period":"2026","period_start":"2026-01-01","period_end":"2026-12-31","numerator":9,"denominator":null,"ratio":null,"target":null,"met":null,"complete":true,"data_until":null,"unmatched":null,"as_of":"2026-09-21T21:13:20+07:00","run":7,"kind":"mean","value":9.0,"target_period":null,"unknown":null,"undecided":null,"ratio_least":null,"ratio_most":null}
]
"#;
    assert_eq!(text(|out| json(out, rows())), expected);
    let header = "indicator,definition,rules,agency,agency_name,tier,period,period_start,period_end,numerator,\
                  denominator,ratio,target,met,complete,data_until,unmatched,as_of,run,kind,value,target_period,unknown,\
                  undecided,ratio_least,ratio_most";
    let expected = format!(
        "{header}\n\
         par-3.4.1,\"d\"\"1\",seed-2639,\"H61,14\",\"Sở \"\"Y\"\" tế\",province,2026,2026-01-01,2026-12-31,9,10,0.9,1.0,\
         open,true,2026-09-10T07:26:40+07:00,0.2222,2026-09-21T21:13:20+07:00,7,ratio,0.9,year,0,3,0.9,0.9\n\
         par-3.4.1,\"d\"\"1\",seed-2639,,,,2026,2026-01-01,2026-12-31,9,,,,,true,,,2026-09-21T21:13:20+07:00,7,mean,9.0,,,,,\n"
    );
    assert_eq!(text(|out| csv(out, rows())), expected);
    assert_eq!(text(|out| csv(out, [])), format!("{header}\n"), "the header is written without rows, too");
    // Decided targets are booleans, and the columns of ranks and comparisons come last.
    let met = Figure { numerator: 10, ..full.clone() };
    let ranked = FigureRow::new(&met, &NIGHT).with_rank(Some(Rank::Place(2))).with_change(None);
    let written = text(|out| json(out, [ranked]));
    assert!(written.contains(r#""met":true,"#), "{written}");
    assert!(written.ends_with("\"ratio_most\":1.0,\"rank\":2,\"change\":null}\n]\n"), "{written}");
    let unknown = Figure { reachable: 9, unknown: Some(1), ..full.clone() };
    let written = text(|out| json(out, [FigureRow::new(&unknown, &NIGHT)]));
    assert!(written.contains(r#""met":"unknown","#), "{written}");
    let unranked = FigureRow::new(&full, &NIGHT).with_rank(Some(Rank::TooFew)).with_change(Some(0.5));
    let written = text(|out| csv(out, [unranked]));
    assert!(
        written.starts_with(&format!("{header},rank,change\n")) && written.ends_with(",too_few,0.5\n"),
        "{written}"
    );
}

#[test]
fn no_text_of_a_csv_is_a_formula_and_json_has_texts_as_they_are() {
    let name = "=HYPERLINK(1)";
    let figure = Figure { agency_name: Some(name.into()), ..full() };
    let rows = || [FigureRow::new(&figure, &NIGHT).with_change(Some(-0.5))];
    let written = text(|out| csv(out, rows()));
    assert!(written.contains(&format!(",'{name},")) && written.ends_with(",-0.5\n"), "{written}");
    assert!(text(|out| json(out, rows())).contains(&format!("\"{name}\"")));
}

#[test]
fn csv_json_parquet_arrow_and_the_schema_of_the_api_have_the_same_columns() {
    let figure = full();
    let rows = || [FigureRow::new(&figure, &NIGHT)];
    let expected = names(row_columns());
    let written = text(|out| csv(out, rows()));
    assert_eq!(written.lines().next(), Some(expected.join(",").as_str()));
    let json: Value = serde_json::from_str(&text(|out| json(out, rows()))).expect("JSON");
    let fields: BTreeSet<&str> = json[0].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(fields, expected.iter().copied().collect());

    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let bytes = parquet(rows(), folder.path()).expect("the folder is writable");
    let parquet = ParquetReader::new(Cursor::new(bytes)).finish().expect("it is Parquet");
    assert_eq!(parquet.get_column_names(), expected);
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 0, "no temporary file is left");
    let arrow = IpcReader::new(Cursor::new(arrow(rows()).expect("columns have one length"))).finish();
    assert!(arrow.expect("it is Arrow").equals_missing(&parquet));

    let schema = serde_json::to_value(FigureRow::schema()).expect("plain data");
    let properties = schema["properties"].as_object().expect("an object");
    assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected.iter().copied().collect());
    for column in row_columns() {
        let is_required = schema["required"].as_array().expect("a list").iter().any(|name| name == column.name);
        assert_eq!(is_required, !column.is_nullable, "`{}`", column.name);
        assert_eq!(properties[column.name]["description"], column.description, "`{}`", column.name);
    }
    assert_eq!(properties["denominator"]["type"], serde_json::json!(["integer", "null"]));
    assert_eq!(properties["period_start"]["format"], "date");
    assert_eq!(properties["met"]["oneOf"][1]["$ref"], "#/components/schemas/Met");
}

fn publish(data: &Path) -> std::path::PathBuf {
    publish_run(data, NIGHT)
}

fn publish_run(data: &Path, night: Night) -> std::path::PathBuf {
    let record = NightRecord {
        night,
        not_whole: Vec::new(),
        clock: None,
        elsewhere: BTreeMap::new(),
        not_merged: BTreeMap::new(),
        without_connector: BTreeMap::new(),
        tables: BTreeMap::new(),
        sources: BTreeMap::new(),
        files: BTreeMap::new(),
    };
    publish_night(data, &[full(), bare()], &record).expect("the folder is writable")
}

fn present(folder: &Path) -> Vec<Figure> {
    match read_night(folder).expect("the night can be read").1 {
        NightFigures::Present(figures) => figures,
        NightFigures::Removed(removed) => panic!("{removed:?}"),
    }
}

#[test]
fn the_published_parquet_file_has_all_columns_and_is_read_back() {
    let data = tempfile::tempdir().expect("the temporary folder is writable");
    let folder = publish(data.path());
    let file = std::fs::File::open(folder.join("figures.parquet")).expect("it was written");
    let frame = ParquetReader::new(file).finish().expect("it is Parquet");
    assert_eq!(frame.get_column_names(), names(FIGURE_COLUMNS));
    assert_eq!(present(&folder), [full(), bare()]);
}

/// The runs, from 1 to `newest`, whose nights have CSV and JSON. Every night has its Parquet file.
fn runs_with_csv(data: &Path, newest: i64) -> Vec<i64> {
    let has = |run: i64, name: &str| data.join(format!("published/nights/{run:08}/{name}")).exists();
    assert!((1..=newest).all(|run| has(run, "figures.parquet") && has(run, "night.json")));
    assert!((1..=newest).all(|run| has(run, "figures.csv") == has(run, "figures.json")));
    (1..=newest).filter(|run| has(*run, "figures.csv")).collect()
}

#[test]
fn the_newest_nights_have_csv_and_json_and_all_nights_are_read_back() {
    let data = tempfile::tempdir().expect("the temporary folder is writable");
    let data = data.path();
    let publish = |run: i64| publish_run(data, Night { run, complete: run == 1, ..NIGHT });
    // The newest, the one before it, and the newest complete one.
    for (run, expected) in [(1, &[1][..]), (2, &[1, 2]), (3, &[1, 2, 3]), (4, &[1, 3, 4])] {
        publish(run);
        assert_eq!(runs_with_csv(data, run), expected);
    }
    let folders = [1, 2, 3, 4].map(|run| data.join(format!("published/nights/{run:08}")));
    assert!(folders.iter().all(|folder| present(folder) == [full(), bare()]));
    // If the Parquet file is damaged, the CSV is the last that is left.
    let path = folders[2].join("figures.parquet");
    let whole = std::fs::read(&path).expect("it was written");
    std::fs::write(&path, &whole[1..]).expect("the folder is writable");
    publish(5);
    assert_eq!(runs_with_csv(data, 5), [1, 3, 4, 5]);
    std::fs::write(&path, whole).expect("the folder is writable");
    publish(6);
    assert_eq!(runs_with_csv(data, 6), [1, 5, 6]);
}

/// Makes the record of a night one of an older motcua, which names no digests.
fn remove_digests(folder: &Path) {
    let path = folder.join("night.json");
    let text = std::fs::read(&path).expect("it was written");
    let mut record: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    let fields = record.as_object_mut().expect("it is an object");
    fields.retain(|name, _| !["files", "document_digest"].contains(&name.as_str()));
    std::fs::write(&path, record.to_string()).expect("the folder is writable");
}

#[test]
fn the_complete_night_before_the_newest_complete_one_has_csv_and_json_too() {
    let data = tempfile::tempdir().expect("the temporary folder is writable");
    let data = data.path();
    for run in 1..=6 {
        publish_run(data, Night { run, complete: [1, 2, 4].contains(&run), ..NIGHT });
    }
    // The newest and the one before it; the newest complete one and the complete one before it.
    assert_eq!(runs_with_csv(data, 6), [2, 4, 5, 6]);
}

#[test]
fn without_a_digest_csv_and_json_are_removed_beside_a_parquet_file_of_as_many_rows_only() {
    let data = tempfile::tempdir().expect("the temporary folder is writable");
    let data = data.path();
    let publish = |run: i64| publish_run(data, Night { run, complete: false, ..NIGHT });
    let first = publish(1);
    publish(2);
    remove_digests(&first);
    let (csv, parquet) = (first.join("figures.csv"), first.join("figures.parquet"));
    let [rows, whole] = [&csv, &parquet].map(|path| std::fs::read(path).expect("it was written"));
    // Header and two figures; then the second figure twice.
    let lines: Vec<&[u8]> = rows.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 3);
    std::fs::write(&csv, [&rows[..], lines[2]].concat()).expect("the folder is writable");
    publish(3);
    assert_eq!(runs_with_csv(data, 3), [1, 2, 3], "the CSV has more figures");
    std::fs::write(&csv, &rows).expect("the folder is writable");
    std::fs::write(&parquet, &whole[..whole.len() / 2]).expect("the folder is writable");
    publish(4);
    assert_eq!(runs_with_csv(data, 4), [1, 3, 4], "the Parquet file cannot be read");
    std::fs::write(&parquet, &whole).expect("the folder is writable");
    publish(5);
    assert_eq!(runs_with_csv(data, 5), [4, 5]);
}

#[test]
fn a_damaged_file_of_a_night_is_named() {
    let data = tempfile::tempdir().expect("the temporary folder is writable");
    let folder = publish(data.path());
    for name in ["figures.parquet", "night.json"] {
        let path = folder.join(name);
        let whole = std::fs::read(&path).expect("it was written");
        for at in (0..whole.len()).step_by(whole.len() / 50) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, damaged).expect("the folder is writable");
            let error = read_night(&folder).expect_err("it is damaged").to_string();
            assert!(error.contains(name), "byte {at} of {name}: {error}");
        }
        std::fs::write(&path, whole).expect("the folder is writable");
    }
    assert_eq!(present(&folder), [full(), bare()]);
}

#[test]
fn a_parquet_file_of_an_older_motcua_is_read_back() {
    let data = tempfile::tempdir().expect("the temporary folder is writable");
    let folder = publish(data.path());
    let path = folder.join("figures.parquet");
    let frame = ParquetReader::new(std::fs::File::open(&path).expect("it was written")).finish().expect("Parquet");
    // The columns of the version that did not count the unknown, of the one before annual targets, and of a still older
    // one, which had no kinds.
    let mut columns: Vec<&str> = stored_columns().into_iter().map(|(name, _)| name).collect();
    let without_unknown = Figure { unknown: None, undecided: None, ..full() };
    let without_target_period = Figure { target_periods: TargetPeriods::All, ..without_unknown.clone() };
    for (missing, full, kind) in [
        (&["unknown", "undecided"][..], without_unknown, IndicatorKind::Mean),
        (&["target_period"], without_target_period.clone(), IndicatorKind::Mean),
        (&["kind"], without_target_period, IndicatorKind::Count),
    ] {
        columns.retain(|name| !missing.contains(name));
        let older = frame.select(columns.iter().copied()).expect("they are among all columns");
        super::columnar::write_parquet(&path, older).expect("the folder is writable");
        remove_digests(&folder);
        assert_eq!(present(&folder), [full, Figure { kind, ..bare() }]);
    }
}

/// Name, type and `NOT NULL` of the columns of a table in the migrations: those that it was created with, then those
/// that were added.
fn migrated(table: &str) -> Vec<(String, String, bool)> {
    let sql = MIGRATIONS.concat();
    let (_, body) = sql.split_once(&format!("CREATE TABLE {{schema}}.{table} (")).expect("the table is created");
    let (body, _) = body.split_once("\n);").expect("the table ends");
    let lines = body.lines().map(|line| line.trim().trim_end_matches(','));
    let columns = lines.filter(|line| !line.is_empty() && !line.starts_with("CONSTRAINT"));
    let alter = format!("ALTER TABLE {{schema}}.{table} ADD COLUMN ");
    let added = sql.lines().filter_map(|line| Some(line.strip_prefix(&alter)?.trim_end_matches(';')));
    columns
        .chain(added)
        .map(|line| {
            let (name, rest) = line.split_once(' ').expect("name and type");
            let sql_type = rest.trim_end_matches(" NOT NULL");
            (name.to_owned(), sql_type.to_owned(), rest != sql_type)
        })
        .collect()
}

fn in_sql(column: &FigureColumn) -> (String, String, bool) {
    let sql_type = match column.column_type {
        FigureColumnType::Text | FigureColumnType::Met => "text",
        FigureColumnType::Integer | FigureColumnType::Count => "bigint",
        FigureColumnType::Float => "double precision",
        FigureColumnType::Flag => "boolean",
        FigureColumnType::Day => "date",
        FigureColumnType::Instant => "timestamptz",
    };
    (column.name.to_owned(), sql_type.to_owned(), !column.is_nullable)
}

#[test]
fn the_migrations_of_postgres_create_the_declared_columns() {
    assert_eq!(migrated("figure_latest"), row_columns().map(in_sql).collect::<Vec<_>>());
    let history = row_columns().filter(|column| column.role != FigureColumnRole::Night).map(in_sql);
    let own = [("run", "bigint"), ("gone", "boolean")].map(|(name, of)| (name.to_owned(), of.to_owned(), true));
    assert_eq!(migrated("figures"), own.into_iter().chain(history).collect::<Vec<_>>());
    for column in row_columns() {
        let comment = format!("COMMENT ON COLUMN {{schema}}.figure_latest.{} IS", column.name);
        assert!(MIGRATIONS.concat().contains(&comment), "`{}` has no comment", column.name);
    }
}
