//! What becomes of values that are none, far due dates and cells with errors, with and without a tolerant contract.

use super::*;
use crate::model::connector::ConnectorFile;
use crate::model::page::CELL_ERROR;

/// A connector of dossiers with `more` keys of `due_at` and of `[contract]`.
fn connector(due: &str, contract: &str) -> Connector {
    let text = format!(
        r#"
        [connector]
        version = 1
        title = "t"
        kind = "dossiers"
        system = "s"
        contact = "c"
        [access]
        type = "files"
        folder = "in"
        glob = "*.xlsx"
        [decode]
        type = "xlsx"
        header = "id"
        [map.source_key]
        from = "id"
        type = "code"
        required = true
        [map.received_at]
        from = ["received", "registered"]
        type = "instant"
        formats = ["yyyy-MM-dd"]
        required = true
        [map.due_at]
        from = "due"
        type = "instant"
        formats = ["yyyy-MM-dd"]
        {due}
        [contract]
        {contract}
        "#
    );
    let file: ConnectorFile = toml::from_str(&text).expect("the connector is valid");
    Connector {
        name: "t".to_owned(),
        file,
        digest: String::new(),
        file_digest: String::new(),
        procedure_names: std::sync::Arc::default(),
    }
}

/// For each row (id, received, registered, due) its due day, `-` for none, or field and reason of its rejection.
fn mapped(connector: &Connector, rows: &[[&str; 4]]) -> Vec<String> {
    let readers = Readers::compile(&connector.file).expect("the map is valid");
    let mut page = Page::new(1, String::new(), String::new(), readers.fields.clone());
    for (number, row) in (1..).zip(rows) {
        page.begin_row(number);
        for (name, text) in ["id", "received", "registered", "due"].iter().zip(row) {
            page.set(readers.fields.iter().position(|field| field == name).expect("kept"), text);
        }
    }
    let due = RecordKind::Dossiers.column_index("due_at").expect("a column");
    let said = |mapped: Result<Record, Rejection>| match mapped {
        Ok(record) => {
            let due = record.values[due].as_instant();
            let due = due.map_or("-".to_owned(), |at| crate::model::instant::local(at).date().to_string());
            let issues = record.issues.iter().map(|issue| match issue {
                Issue::IllTyped { field, reason } => format!(" {field} {}", reason.code()),
                Issue::Impossible(name) => format!(" {name}"),
            });
            due + &issues.collect::<String>()
        }
        Err(rejection) => {
            let key = rejection.key.as_deref().unwrap_or("no key");
            format!("{key}: {} {}", rejection.field.as_deref().unwrap_or("row"), rejection.reason.code())
        }
    };
    // 1 January 2030, after every reception below.
    Mapper::new(connector, &readers, 1_893_510_000_000_000).map_page(&page).into_iter().map(said).collect()
}

const ROWS: [[&str; 4]; 8] = [
    ["A", "2026-03-02", "", "2026-03-10"],
    ["B", "2026-03-02", "", "0001-01-01"],
    // The first date is none, so the second counts: ten years run from it.
    ["C", "1970-01-01", "2026-03-02", "2036-03-02"],
    ["D", "2026-03-02", "", "2036-03-03"],
    ["E", "1900-01-01", "0001-01-01", "2026-03-10"],
    ["F", "2026-03-02", "", "2569-03-10"],
    ["G", "2026-03-02", "", CELL_ERROR],
    ["H", "2026-03-02", "", "2026-02-27"],
];

#[test]
fn far_due_dates_and_errors_reject_their_rows() {
    let expected = [
        "2026-03-10",
        "-",
        "2036-03-02",
        "D: due_at out_of_range",
        "E: received_at missing",
        "F: due_at out_of_range",
        "G: due_at cell_error",
        "2026-02-27 due_before_received",
    ];
    assert_eq!(mapped(&connector("", ""), &ROWS), expected);
}

#[test]
fn a_tolerant_contract_leaves_the_value_out_and_reports_it() {
    let expected = [
        "2026-03-10",
        "-",
        "2036-03-02",
        "- due_at out_of_range",
        "E: received_at missing",
        "- due_at out_of_range",
        "- due_at cell_error",
        "2026-02-27 due_before_received",
    ];
    assert_eq!(mapped(&connector("", "ill_typed = \"report\""), &ROWS), expected);
    let required = mapped(&connector("required = true", "ill_typed = \"report\""), &ROWS);
    assert_eq!(required[1], "B: due_at missing");
    assert_eq!(required[3], "D: due_at out_of_range");
}

#[test]
fn a_declared_bound_replaces_the_ten_years() {
    let found = mapped(&connector("most = \"2060-12-31\"", ""), &ROWS);
    assert_eq!([&found[3], &found[5]], ["2036-03-03", "F: due_at out_of_range"]);
}

#[test]
fn a_change_time_in_the_future_is_left_out() {
    // The mapper reads on 1 January 2030: a day ahead is another time zone, not more.
    let stated = |contract: &str| {
        let text = "[map.source_updated_at]\nfrom = \"registered\"\ntype = \"instant\"\nformats = [\"yyyy-MM-dd\"]";
        let rows = ["2030-01-01", "2030-01-02", "2030-01-03"].map(|changed| ["A", "2026-03-02", changed, ""]);
        mapped(&connector(text, contract), &rows)
    };
    assert_eq!(stated(""), ["-", "-", "- changed_in_future"]);
    assert_eq!(stated("impossible = \"accept\""), ["-", "-", "-"]);
    let rejected = stated("impossible = \"reject_row\"");
    assert_eq!(rejected, ["-", "-", "A: source_updated_at impossible_order"]);
}

#[test]
fn a_panic_rejects_the_row_that_caused_it() {
    let mut page = Page::new(3, String::new(), String::new(), Vec::new().into());
    page.begin_row(7);
    let rejection = without_panic(&page, 0, || panic!("in a row")).expect_err("the row is rejected");
    let expected = Rejection { page: 3, row: 7, field: None, reason: Reason::OwnError, key: None, row_hash: None };
    assert_eq!(rejection, expected);
}
