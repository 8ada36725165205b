//! `explain --dossier`: one dossier with the conditions and facts that decide it, and its versions.

use std::fmt::Write as _;

use crate::cli::output::{self, LANGUAGE};
use crate::indicators::{DOSSIER_COLUMNS, ExplainedFact};
use crate::lists;
use crate::model::list::{ListCell, ListColumn, ListColumnType};
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
        let changed = version
            .changed
            .iter()
            .map(|(column, value)| format!("{column} = {}", lists::stored_value(LANGUAGE, value)));
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
