//! Nights of the real binary, published to a real PostgreSQL server.
#![expect(
    clippy::disallowed_methods,
    reason = "edge: tests look for PostgreSQL, and write and read the files of a data folder and a server"
)]

mod down;
mod killed;
pub(crate) mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use motcua::model::indicator::Target;
use serde_json::{Value, json};

use crate::desk;
use crate::office::Office;
use server::{DATABASE, PASSWORD, Server, WRITER};

/// Every table of the schema.
const TABLES: [&str; 7] =
    ["agencies", "connectors", "figure_latest", "figures", "indicators", "runs", "schema_version"];
/// Columns that have the same value in all figures of a night.
const OF_THE_NIGHT: [&str; 4] = ["as_of", "complete", "data_until", "run"];

/// A desk that publishes to a server.
fn office(url: &str) -> Office {
    let mut office = desk::of_files("");
    office.edit("config/motcua.toml", |text| {
        format!("{text}\n[postgres]\nurl = \"{{secret:POSTGRES_URL}}\"\nreader_role = \"reader\"\n")
    });
    office.variables.insert("POSTGRES_URL", url.to_owned());
    office
}

/// Dossiers of an agency, received one a day from 2025-10-01 on; all but the last are completed.
fn list(office: &Office, name: &str, agency: &str, first: usize, dossiers: usize) {
    let row = |number: usize| {
        let (day, status) = (1 + number % 28, if number + 1 == first + dossiers { "P" } else { "D" });
        format!("{number},H61.14-2510{day:02}-{number:04},{agency},2025-10-{day:02},2025-10-30,{status}")
    };
    let rows: Vec<String> = (first..first + dossiers).map(row).collect();
    desk::file(office, name, &rows.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Figures by their key, as `report` prints them; `met` is a text.
type Rows = BTreeMap<String, BTreeMap<String, Value>>;

fn by_key(rows: Vec<Value>) -> Rows {
    let mut by_key = Rows::new();
    for row in rows {
        let Value::Object(cells) = row else { panic!("a row is an object: {row}") };
        let key = ["indicator", "rules", "period", "tier", "agency"].map(|name| cells[name].to_string()).join(" ");
        let cell = |(name, value): (String, Value)| {
            let value = match (name.as_str(), value) {
                ("met", Value::Bool(met)) => json!(met.to_string()),
                // For JSON 12 and 12.0 are different.
                ("ratio" | "target" | "unmatched" | "value" | "ratio_least" | "ratio_most", Value::Number(number)) => {
                    json!(number.as_f64())
                }
                (_, value) => value,
            };
            (name, value)
        };
        let before = by_key.insert(key.clone(), cells.into_iter().map(cell).collect());
        assert!(before.is_none(), "a key is in the table once: {key}");
    }
    by_key
}

/// The figures of `report --format json`.
fn reported(office: &Office) -> Rows {
    by_key(office.report_on(&office.data()))
}

/// Removes the columns of the night, and those that only the history has.
fn without_night(mut rows: Rows) -> Rows {
    for cells in rows.values_mut() {
        for name in OF_THE_NIGHT.iter().chain(&["gone"]) {
            cells.remove(*name);
        }
    }
    rows
}

fn assert_same_rows(found: &Rows, expected: &Rows, what: &str) {
    assert!(expected.len() > 100, "{what}: there are too few rows to compare");
    let keys: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let different: Vec<_> = keys.into_iter().filter(|key| found.get(*key) != expected.get(*key)).collect();
    let first = different.first().map(|key| format!("{:?}\n{:?}", found.get(*key), expected.get(*key)));
    assert!(different.is_empty(), "{what}: {} differ: {}", different.len(), first.unwrap_or_default());
}

fn assert_no_secret(text: &str) {
    for planted in [WRITER, PASSWORD, "planted", "s3cret"] {
        assert!(!text.contains(planted), "`{planted}` is printed:\n{text}");
    }
}

#[test]
fn dashboards_read_the_same_figures_as_the_report_night_after_night() {
    let Some(server) = Server::start("dashboards_read_the_same_figures_as_the_report_night_after_night") else {
        return;
    };
    let office = office(&server.url());
    list(&office, "1.csv", "H61.14", 0, 60);
    let output = desk::expect(&office, &["run"], 0);
    let first = reported(&office);
    let run_line = |figures: usize| format!("published, {} figures", thousands(figures));
    assert!(output.contains("postgres: run 1 ") && output.contains(&run_line(first.len())), "{output}");
    assert!(output.contains("role `reader` does not exist"), "the user may not create roles: {output}");
    assert_no_secret(&output);

    let mut administrator = server.administrator();
    let latest = "SELECT * FROM motcua.figure_latest";
    assert_same_rows(&by_key(administrator.rows(latest)), &first, "the first night");
    assert_eq!(administrator.count("motcua.figures"), first.len() as u64, "all of them are new");
    registries_and_runs(&server, &office);
    documented(&server);

    // Publish again after the administrator has created the role: nothing else changes.
    administrator.act("CREATE ROLE reader NOLOGIN");
    let everything = |server: &Server| {
        let mut client = server.administrator();
        TABLES.map(|table| client.rows(&format!("SELECT * FROM motcua.{table} AS t ORDER BY t::text")))
    };
    let before = everything(&server);
    let output = desk::expect(&office, &["publish"], 0);
    assert!(!output.contains("reader"), "{output}");
    assert!(before == everything(&server), "the same night again changes nothing");
    reading_only(&server);

    // A dashboard has its own view, and reads in a long transaction.
    administrator.act(
        "CREATE SCHEMA board; CREATE VIEW board.province AS SELECT * FROM motcua.figure_latest WHERE agency IS NULL",
    );
    let mut reader = server.client("board", DATABASE);
    reader.act("BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_same_rows(&by_key(reader.rows(latest)), &first, "the reader's snapshot");

    // The second night has another agency, and no longer the indicators of one file.
    list(&office, "2.csv", "H61.02", 60, 60);
    std::fs::remove_file(office.path().join("config/indicators/online.toml")).expect("the file was shipped");
    desk::expect(&office, &["run"], 0);
    let second = reported(&office);
    assert_same_rows(&by_key(reader.rows(latest)), &first, "the reader's snapshot, after the second night");
    assert_eq!(reader.count("motcua.runs"), 1);
    reader.act("COMMIT");
    assert_same_rows(&by_key(reader.rows(latest)), &second, "the second night");
    let province = second.values().filter(|cells| cells["agency"].is_null()).count();
    assert_eq!(administrator.count("board.province"), province as u64, "the view is as it was");
    history(&server, &first, &second);
}

/// Makes the tables what version 2 created, with the rows that it would have written.
const VERSION_2: &str = "
UPDATE motcua.figure_latest SET met = NULL WHERE met = 'unknown';
UPDATE motcua.figures SET met = NULL WHERE met = 'unknown';
ALTER TABLE motcua.figure_latest DROP COLUMN unknown, DROP COLUMN undecided, DROP COLUMN ratio_least,
    DROP COLUMN ratio_most, DROP CONSTRAINT figure_latest_met,
    ADD CONSTRAINT figure_latest_met CHECK (met IN ('true', 'false', 'open'));
ALTER TABLE motcua.figures DROP COLUMN unknown, DROP COLUMN undecided, DROP COLUMN ratio_least,
    DROP COLUMN ratio_most, DROP CONSTRAINT figures_met,
    ADD CONSTRAINT figures_met CHECK (met IN ('true', 'false', 'open'));
DELETE FROM motcua.schema_version WHERE version > 2";

#[test]
fn tables_of_an_older_motcua_get_the_columns_of_what_is_unknown() {
    let Some(server) = Server::start("tables_of_an_older_motcua_get_the_columns_of_what_is_unknown") else {
        return;
    };
    let office = office(&server.url());
    list(&office, "1.csv", "H61.14", 0, 60);
    desk::expect(&office, &["run"], 0);
    let first = reported(&office);
    let mut administrator = server.administrator();
    administrator.act(VERSION_2);
    list(&office, "2.csv", "H61.02", 60, 60);
    desk::expect(&office, &["run"], 0);
    let latest = by_key(administrator.rows("SELECT * FROM motcua.figure_latest"));
    assert_same_rows(&latest, &reported(&office), "the night after the migration");
    assert!(latest.values().any(|cells| cells["unknown"].as_u64() > Some(0)), "something is unknown");
    documented(&server);
    // The night before did not count what was unknown.
    let older = by_key(administrator.rows("SELECT * FROM motcua.figures_as_of(1)"));
    assert_eq!(older.len(), first.len());
    assert!(older.values().all(|cells| cells["unknown"].is_null() && cells["ratio_most"].is_null()));
}

/// The history holds the changes, and both nights can be read from it.
fn history(server: &Server, first: &Rows, second: &Rows) {
    let mut client = server.administrator();
    let (old, new) = (without_night(first.clone()), without_night(second.clone()));
    let changed = new.iter().filter(|(key, cells)| old.get(*key) != Some(cells)).count();
    let gone = old.keys().filter(|key| !new.contains_key(*key)).count();
    assert!(changed > 0 && changed < new.len() && gone > 0, "{changed} of {} changed, {gone} gone", new.len());
    assert_eq!(client.count("motcua.figures WHERE run = 2 AND NOT gone"), changed as u64);
    assert_eq!(client.count("motcua.figures WHERE run = 2 AND gone"), gone as u64);
    for (run, figures) in [(1, &old), (2, &new), (9, &new)] {
        let rows = by_key(client.rows(&format!("SELECT * FROM motcua.figures_as_of({run})")));
        assert_same_rows(&without_night(rows), figures, &format!("as of run {run}"));
    }
    assert_eq!(client.count("motcua.figures_as_of(0)"), 0);
    // The same query without the function, as in docs/OPERATIONS.md.
    let written_out = "SELECT * FROM (SELECT DISTINCT ON (indicator, rules, period, tier, agency) * FROM motcua.figures \
                       WHERE run <= 1 ORDER BY indicator, rules, period, tier, agency, run DESC) AS newest WHERE NOT gone";
    assert_same_rows(&without_night(by_key(client.rows(written_out))), &old, "as of run 1, written out");
}

fn registries_and_runs(server: &Server, office: &Office) {
    let mut client = server.administrator();
    let config = motcua::config::load(&office.settings()).unwrap_or_else(|problems| panic!("{problems}"));
    let indicators = client.rows("SELECT * FROM motcua.indicators ORDER BY indicator");
    let mut expected: Vec<Value> = config
        .indicators
        .iter()
        .map(|indicator| {
            let (definition, legal) = (&indicator.definition, &indicator.definition.legal);
            json!({
                "indicator": definition.id, "definition": indicator.digest, "kind": definition.kind.name(),
                "title_vi": definition.title.vi, "title_en": definition.title.en, "legal_document": legal.document,
                "legal_place": legal.place, "in_force_from": legal.from, "rules": definition.rules,
                "better": serde_json::to_value(definition.better).expect("a word"),
                "lead_agency": definition.lead_agency, "evidence": definition.evidence, "note": definition.note,
                "target_period": definition.target.and_then(Target::annual_name),
            })
        })
        .collect();
    expected.sort_by_key(|row| row["indicator"].as_str().map(str::to_owned));
    assert_eq!(indicators.len(), expected.len());
    for (mut found, expected) in indicators.into_iter().zip(&expected) {
        let target = found.as_object_mut().and_then(|row| row.remove("target")).expect("a column");
        let definition = config.indicators.iter().find(|indicator| found["indicator"] == *indicator.definition.id);
        let stated = definition.and_then(|indicator| indicator.definition.target).map(|target| target.at_least);
        assert_eq!(target.as_f64(), stated, "{found}");
        assert_eq!(found, *expected);
    }
    let agencies = client.rows("SELECT * FROM motcua.agencies");
    assert_eq!(agencies.len(), config.registries.agencies.len());
    for agency in &config.registries.agencies {
        let found = agencies.iter().find(|row| row["agency"] == *agency.code).expect("every agency has a row");
        let lists = (json!(agency.other_codes), json!(agency.aliases));
        assert_eq!((found["other_codes"].clone(), found["aliases"].clone()), lists, "{found}");
        assert_eq!((&found["name"], &found["vertical"]), (&json!(agency.name), &json!(agency.vertical)));
        assert_eq!(found["valid_to"], json!(agency.valid_to.map(|day| day.to_string())));
    }
    let connectors = client.rows("SELECT connector, kind, state FROM motcua.connectors");
    assert_eq!(connectors, [json!({"connector": "desk", "kind": "dossiers", "state": "healthy"})]);
    let night =
        std::fs::read_to_string(office.data().join("published/latest/night.json")).expect("a night is published");
    let night: Value = serde_json::from_str(&night).expect("a record is JSON");
    let figures = client.count("motcua.figure_latest");
    let runs = client.rows("SELECT run, complete, not_whole, figures FROM motcua.runs");
    let expected = json!({"run": night["night"]["run"], "complete": true, "not_whole": [], "figures": figures});
    assert_eq!(runs, [expected]);
}

/// Every table and column has a comment.
fn documented(server: &Server) {
    let mut client = server.administrator();
    let tables = client.rows(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'motcua'::regnamespace AND relkind = 'r' ORDER BY 1",
    );
    assert_eq!(tables, TABLES.map(|table| json!({ "name": table })));
    let uncommented = client.rows(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'motcua'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped \
         AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)",
    );
    assert!(uncommented.is_empty(), "no comment: {uncommented:?}");
}

/// A user of the reader role reads every table and writes none.
fn reading_only(server: &Server) {
    server.administrator().act(&format!("CREATE ROLE board LOGIN PASSWORD '{PASSWORD}' IN ROLE reader"));
    let mut reader = server.client("board", DATABASE);
    for table in TABLES {
        assert!(reader.count(&format!("motcua.{table}")) > 0, "`{table}` is filled and can be read");
        for write in ["DELETE FROM motcua.{}", "TRUNCATE motcua.{}", "INSERT INTO motcua.{} DEFAULT VALUES"] {
            let write = write.replace("{}", table);
            assert_eq!(reader.try_act(&write), Err("42501".to_owned()), "{write}");
        }
    }
    assert_eq!(reader.try_act("CREATE TABLE motcua.own (x int)"), Err("42501".to_owned()));
    assert!(reader.count("motcua.figures_as_of(1)") > 0);
}

/// A number with `.` between thousands, as in Vietnamese.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(".")
}

/// The folder that `latest` links to, and the number of its files.
fn latest_night(data: &Path) -> (std::path::PathBuf, usize) {
    let link = std::fs::read_link(data.join("published/latest")).expect("a night is published");
    let files = crate::office::files(&data.join("published").join(&link)).len();
    (link, files)
}
