//! Reads the templates of official forms and checks their columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::definition_texts::DefinitionTexts;
use crate::config::document::Document;
use crate::config::problem::Problems;
use crate::config::settings::Settings;
use crate::model::report_form::FormTemplate;

/// The templates by id. The folder may be absent.
pub(crate) fn load(
    settings: &Settings,
    texts: &DefinitionTexts<'_>,
    rule_sets: Option<&BTreeSet<String>>,
    used_texts: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> BTreeMap<String, FormTemplate> {
    let mut forms: BTreeMap<String, FormTemplate> = BTreeMap::new();
    if matches!(texts, DefinitionTexts::OnDisk) && !settings.forms.is_dir() {
        return forms;
    }
    for (file, text) in texts.folder("forms", &settings.forms, problems) {
        let Some(document) = Document::parse(&file, &text, problems) else { continue };
        let Some(form) = document.read::<FormTemplate>(&file, problems) else { continue };
        let mut add = |key: &str, message: String| problems.add(&file, document.line(&format!("/{key}")), key, message);
        if let Some(known) = rule_sets
            && !known.contains(&form.rules)
        {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            add("rules", format!("no rule set `{}`; there are: {}", form.rules, known.join(", ")));
        }
        for (key, text) in [("title", &form.title), ("document", &form.document)] {
            if text.trim().is_empty() {
                add(key, format!("empty; form `{}` needs it", form.id));
            }
        }
        let mut counted = BTreeSet::new();
        for column in form.group.iter().flat_map(|group| &group.column) {
            if !counted.insert(column.count) {
                add("group", format!("column {} has the same `count` as another column", column.number));
            }
        }
        used_texts.insert(format!("forms/{}", file.file_name().unwrap_or_default().to_string_lossy()), text);
        if forms.contains_key(&form.id) {
            add("id", format!("form `{}` is defined twice", form.id));
        }
        forms.insert(form.id.clone(), form);
    }
    forms
}
