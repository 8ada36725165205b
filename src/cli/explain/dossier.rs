//! `explain --dossier`: one dossier with the conditions and facts that decide it, and its versions.

use crate::cli::language::{self, language, text};
use crate::cli::output;
use crate::indicators::{DOSSIER_COLUMNS, ExplainedFact};
use crate::lists;
use crate::locale::Language;
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
    let (code, side) = (cell("dossier_code"), language::one(dossier.side.meaning()));
    text.push_str(&text!("\nHồ sơ {code}: {side}\n", "\nDossier {code}: {side}\n"));
    let verdict = |is_true: Option<bool>| match is_true {
        Some(true) => language::of("đúng", "true"),
        Some(false) => language::of("không đúng", "false"),
        None => language::of("chưa rõ", "unknown"),
    };
    let conditions = dossier.conditions.iter();
    let conditions = conditions.map(|(condition, is_true)| vec![condition.clone(), verdict(*is_true).to_owned()]);
    text.push_str(&output::table(
        &[language::of("Điều kiện", "Condition"), language::of("Với hồ sơ này", "Of this dossier")],
        conditions.collect(),
    ));
    // Facts below the second level are listed only if they have a value. JSON lists all.
    let is_telling = |fact: &&ExplainedFact| fact.depth < 3 || fact.value != ListCell::Null;
    let facts = dossier.facts.iter().filter(is_telling).map(|fact| {
        let meaning = language::of(&fact.meaning_vi, &fact.meaning_en);
        let meaning = format!("{}{meaning}", "  ".repeat(fact.depth.min(6)));
        let value = lists::fact_value(language(), &fact.name, &fact.value);
        vec![meaning, fact.name.clone(), value]
    });
    text.push_str(language::of(
        "\nNhững điều quyết định; thụt vào là điều mà dòng trên được tính từ đó:\n",
        "\nWhat decides; indented is what the line above follows from:\n",
    ));
    let headings = match language() {
        Language::Vietnamese => ["Nghĩa", "Tên", "Giá trị"],
        Language::English => ["Meaning", "Name", "Value"],
    };
    text.push_str(&output::table(&headings, facts.collect()));
    let source = cell("source");
    let versions = found.versions.iter().map(|version| {
        let changed = version
            .changed
            .iter()
            .map(|(column, value)| format!("{column} = {}", lists::stored_value(language(), column, value)));
        let place = match file_of(&source, version.run, version.page) {
            Some(file) => text!("tệp {file}, dòng {}", "file {file}, row {}", version.row),
            None => text!("trang {}, dòng {}", "page {}, row {}", version.page, version.row),
        };
        vec![version.run.to_string(), place, changed.collect::<Vec<_>>().join("\n")]
    });
    text.push_str(&text!(
        "\nCác phiên bản từ nguồn {source}, với điều thay đổi:\n",
        "\nVersions from the source {source}, with what changed:\n"
    ));
    let headings = match language() {
        Language::Vietnamese => ["Lượt", "Vị trí", "Thay đổi"],
        Language::English => ["Run", "Place", "Changed"],
    };
    text.push_str(&output::table(&headings, versions.collect()));
    text
}

/// A value as a person reads it, words as they are stored.
fn cell_text(cell: &ListCell) -> String {
    lists::shown(language(), &ListColumn::new("", ListColumnType::Text, "", ""), cell)
}
