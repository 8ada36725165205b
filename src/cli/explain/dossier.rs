//! `explain --dossier`: one dossier with the conditions and facts that decide it, and its versions.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::cli::output::{self, LANGUAGE};
use crate::indicators::{DOSSIER_COLUMNS, ExplainedFact, dossier_json};
use crate::lists;
use crate::locale::moment;
use crate::model::instant;
use crate::model::list::{ListCell, ListColumn, ListColumnType};
use crate::model::record::Value;
use crate::run::DossierWithHistory;

/// One dossier: what it is to the figure, its conditions, its facts, its versions. `file_of`: name of the file that a
/// page of a run came from.
pub(super) fn text(found: &DossierWithHistory, file_of: &dyn Fn(&str, i64, u32) -> Option<String>) -> String {
    let dossier = &found.dossier;
    let mut text = String::new();
    let cell = |name: &str| {
        let place = DOSSIER_COLUMNS.iter().position(|column| column.name == name);
        place.map(|place| cell_text(&dossier.cells[place])).unwrap_or_default()
    };
    let _ = writeln!(text, "\nHồ sơ {}: {}", cell("dossier_code"), dossier.side.meaning()[0]);
    let verdict = |is_true: Option<bool>| match is_true {
        Some(true) => "đúng",
        Some(false) => "không đúng",
        None => "chưa rõ",
    };
    let conditions = dossier.conditions.iter();
    let conditions = conditions.map(|(condition, is_true)| vec![condition.clone(), verdict(*is_true).to_owned()]);
    text.push_str(&output::table(&["Điều kiện", "Với hồ sơ này"], conditions.collect()));
    // Facts below the second level are listed only if they have a value. JSON lists all.
    let is_telling = |fact: &&ExplainedFact| fact.depth < 3 || fact.value != ListCell::Null;
    let facts = dossier.facts.iter().filter(is_telling).map(|fact| {
        let meaning = format!("{}{}", "  ".repeat(fact.depth.min(6)), fact.meaning_vi);
        let value = match &fact.value {
            ListCell::Null => "–".to_owned(),
            known => cell_text(known),
        };
        vec![meaning, fact.name.clone(), value]
    });
    let _ = writeln!(text, "\nNhững điều quyết định; thụt vào là điều mà dòng trên được tính từ đó:");
    text.push_str(&output::table(&["Nghĩa", "Tên", "Giá trị"], facts.collect()));
    let source = cell("source");
    let versions = found.versions.iter().map(|version| {
        let changed = version.changed.iter().map(|(column, value)| format!("{column} = {}", value_text(value)));
        let place = match file_of(&source, version.run, version.page) {
            Some(file) => format!("tệp {file}, dòng {}", version.row),
            None => format!("trang {}, dòng {}", version.page, version.row),
        };
        vec![version.run.to_string(), place, changed.collect::<Vec<_>>().join("\n")]
    });
    let _ = writeln!(text, "\nCác phiên bản từ nguồn {source}, với điều thay đổi:");
    text.push_str(&output::table(&["Lượt", "Vị trí", "Thay đổi"], versions.collect()));
    text
}

/// A value as a person reads it, words as they are stored.
fn cell_text(cell: &ListCell) -> String {
    lists::shown(LANGUAGE, &ListColumn::new("", ListColumnType::Text, "", ""), cell)
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Text(text) => text.to_string(),
        Value::Instant(micros) => moment(*micros),
        Value::Flag(flag) => if *flag { "có" } else { "không" }.to_owned(),
        Value::Integer(number) => number.to_string(),
    }
}

pub(super) fn json(found: &DossierWithHistory) -> Json {
    let dossier = &found.dossier;
    let conditions =
        dossier.conditions.iter().map(|(condition, is_true)| json!({ "condition": condition, "is_true": is_true }));
    let facts = dossier.facts.iter().map(|fact| {
        json!({
            "name": fact.name,
            "meaning_vi": fact.meaning_vi,
            "meaning_en": fact.meaning_en,
            "value": fact.value.to_json(),
            "expression": fact.expression,
            "depth": fact.depth,
        })
    });
    let versions = found.versions.iter().map(|version| {
        let changed = version.changed.iter().map(|(column, value)| {
            let value = match value {
                Value::Null => Json::Null,
                Value::Text(text) => json!(&**text),
                Value::Instant(micros) => json!(instant::display(*micros)),
                Value::Flag(flag) => json!(flag),
                Value::Integer(number) => json!(number),
            };
            ((*column).to_owned(), value)
        });
        json!({ "run": version.run, "page": version.page, "row": version.row, "changed": changed.collect::<Map<_, _>>() })
    });
    json!({
        "side": dossier.side.name(),
        "dossier": dossier_json(&dossier.cells),
        "conditions": conditions.collect::<Vec<_>>(),
        "facts": facts.collect::<Vec<_>>(),
        "versions": versions.collect::<Vec<_>>(),
    })
}
