//! Reads indicators and rule sets, and checks them against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::config::DefinedIndicator;
use crate::config::definition_texts::DefinitionTexts;
use crate::config::document::Document;
use crate::config::indicator_checks::{check_entry, check_legal};
use crate::config::problem::Problems;
use crate::config::settings::Settings;
use crate::expressions::{names_state, parse};
use crate::model::indicator::{Amount, CountedUnit, IndicatorDefinition, IndicatorFile, IndicatorKind, PeriodColumn};
use crate::model::rules::{ApologyDue, AsOf, DueMoves, RuleSet};

/// The rule sets that can be read.
#[derive(Debug, Default)]
pub(crate) struct RuleSets {
    pub(crate) by_id: BTreeMap<String, RuleSet>,
    /// Ids of all rule sets, also of those that cannot be read; `None` if the id of some file is unknown.
    pub(crate) ids: Option<BTreeSet<String>>,
}

pub(crate) fn load_rules(
    settings: &Settings,
    texts: &DefinitionTexts<'_>,
    used_texts: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> RuleSets {
    let before = problems.as_slice().len();
    let files = texts.folder("rules", &settings.rules, problems);
    // A rule set without an id is one mistake, not one for each indicator that uses it.
    let ids = (problems.as_slice().len() == before).then(BTreeSet::new);
    let mut rules = RuleSets { by_id: BTreeMap::new(), ids };
    for (file, text) in files {
        let Some(document) = Document::parse(&file, &text, problems) else {
            rules.ids = None;
            continue;
        };
        let Some(id) = document.part::<String>("id") else {
            rules.ids = None;
            document.read::<RuleSet>(&file, problems);
            continue;
        };
        let mut add = |key: &str, message: String| {
            problems.add(&file, document.line(&format!("/{key}")), key.replace('/', "."), message);
        };
        if rules.ids.as_mut().is_some_and(|ids| !ids.insert(id.clone())) {
            add("id", format!("rule set `{id}` is defined twice"));
        }
        let (title, legal) = (document.part("title"), document.part("legal"));
        for (key, message) in check_legal(&format!("rule set `{id}`"), title.as_ref(), legal.as_ref()) {
            add(&key, message);
        }
        let Some(mut set) = document.read::<RuleSet>(&file, problems) else { continue };
        let mut kept = text;
        if texts.are_on_disk() && !document.has("/due_moves") && set.apology == ApologyDue::Before {
            // The text that the night keeps says so: texts of older nights without the key mean the portal's date.
            set.due_moves = DueMoves::Explained;
            kept = format!("due_moves = \"{}\"\n{kept}", set.due_moves.name());
        }
        used_texts.insert(text_name("rules", &file), kept);
        rules.by_id.insert(id, set);
    }
    rules
}

pub(crate) fn load_indicators(
    settings: &Settings,
    texts: &DefinitionTexts<'_>,
    rules: &RuleSets,
    used_texts: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<DefinedIndicator> {
    let mut indicators: Vec<DefinedIndicator> = Vec::new();
    let mut ids = BTreeSet::new();
    for (file, text) in texts.folder("indicators", &settings.indicators, problems) {
        let Some(document) = Document::parse(&file, &text, problems) else { continue };
        // Checks words and types of the whole file. The entries are then read one by one, so that a mistake in one does
        // not hide those in another.
        if document.read::<IndicatorFile>(&file, problems).is_some() {
            used_texts.insert(text_name("indicators", &file), text);
        }
        let entries: Vec<serde_json::Value> = document.part("indicator").unwrap_or_default();
        for (index, entry) in entries.into_iter().enumerate() {
            let mut add = |key: &str, message: String| {
                let line = document.line(&format!("/indicator/{index}/{key}"));
                problems.add(&file, line, format!("indicator.{index}.{}", key.replace('/', ".")), message);
            };
            for (key, message) in check_entry(&entry, &mut ids, rules.ids.as_ref()) {
                add(&key, message);
            }
            let Ok(definition) = serde_json::from_value::<IndicatorDefinition>(entry) else { continue };
            let set = rules.by_id.get(&definition.rules);
            for (key, message) in check_kind(&definition).into_iter().chain(check_counted(&definition)) {
                add(key, message);
            }
            if let Some(message) = set.and_then(|set| period_end_problem(&definition, set)) {
                add("rules", message.to_owned());
            }
            let digest = definition_digest(&definition, set);
            indicators.push(DefinedIndicator { definition, digest });
        }
    }
    if indicators.is_empty() && !problems.has_any(&settings.indicators) {
        problems.add(&settings.indicators, 0, "folders.indicators", "contains no file with a valid indicator");
    }
    indicators.sort_by(|left, right| left.definition.id.cmp(&right.definition.id));
    indicators
}

/// Why figures of all named periods in one pass cannot have the state of dossiers at each period's end, as a rule set asks.
/// `None` if they can, or if the rule set does not ask for it.
#[must_use]
pub fn period_end_problem(definition: &IndicatorDefinition, rules: &RuleSet) -> Option<&'static str> {
    // What ended in a period has also ended at its end.
    let is_by_end = definition.period == PeriodColumn::EndedAt && definition.also.is_none();
    if rules.as_of != AsOf::PeriodEnd || is_by_end {
        return None;
    }
    let uses_state = predicates(definition).any(|text| parse(text).is_ok_and(|predicate| names_state(&predicate)));
    let amount_has_state = definition.of == Some(Amount::TimePoints) || definition.of.is_some() && uses_state;
    if amount_has_state {
        return Some(
            "an amount at a period's end can only be computed for dossiers that ended in the period: use `period = \
             \"ended_at\"`",
        );
    }
    let is_plain = definition.having.is_none() && definition.over == CountedUnit::Dossiers;
    (uses_state && !is_plain).then_some("states at a period's end can only be computed for dossiers")
}

/// Checks the keys that depend on the kind of the indicator.
fn check_kind(definition: &IndicatorDefinition) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let kind = match definition.kind {
        IndicatorKind::Points => "mean of points",
        kind => kind.name(),
    };
    match (definition.kind, &definition.denominator) {
        (IndicatorKind::Ratio, None) if definition.over.is_additive() => {
            found.push(("denominator", "required for a ratio".to_owned()));
        }
        (IndicatorKind::Ratio, _) | (_, None) => {}
        (_, Some(_)) => found.push(("denominator", format!("not allowed for a {kind}"))),
    }
    let is_points = definition.kind == IndicatorKind::Points;
    let has_amount = is_points || matches!(definition.kind, IndicatorKind::Mean | IndicatorKind::Median);
    let example = if is_points { "time_points" } else { "processing_hours" };
    match definition.of {
        None if has_amount => found.push(("of", format!("required for a {kind}, for example `{example}`"))),
        Some(_) if !has_amount => found.push(("of", format!("not allowed for a {kind}"))),
        Some(amount) if amount.is_points() != is_points => {
            found.push(("of", format!("not an amount of a {kind}: write for example `{example}`")));
        }
        _ => {}
    }
    let is_stock = definition.kind == IndicatorKind::Stock;
    if (has_amount || is_stock) && (definition.over != CountedUnit::Dossiers || definition.having.is_some()) {
        found.push(("kind", format!("a {kind} can only be computed over dossiers, without `having`")));
    }
    if is_stock && definition.period != PeriodColumn::ReceivedAt {
        found.push(("period", "a stock counts dossiers received by the period's end: use `received_at`".to_owned()));
    }
    if (has_amount || is_stock) && definition.target.is_some() {
        found.push(("target", format!("not allowed for a {kind}")));
    }
    found
}

/// Checks the keys that depend on what the indicator counts.
fn check_counted(definition: &IndicatorDefinition) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let has_registry = matches!(definition.over, CountedUnit::Procedures | CountedUnit::Agencies);
    if definition.registry_part.is_some() {
        if !has_registry || definition.kind != IndicatorKind::Ratio {
            found.push(("registry_part", "only a ratio over procedures or agencies has it".to_owned()));
        } else if definition.population != "TRUE" || definition.numerator != "TRUE" {
            let message = "only the registry is counted: set `population` and `numerator` to `TRUE`";
            found.push(("registry_part", message.to_owned()));
        }
    }
    if let Some(other) = &definition.also {
        if definition.over != CountedUnit::Procedures || definition.is_of_registry() {
            found.push(("also", "only a ratio over procedures that have dossiers has it".to_owned()));
        } else if other.period == definition.period || other.period == PeriodColumn::Stated {
            found.push(("also/period", "must be another date of the dossier than `period`".to_owned()));
        }
    }
    let needs_days = definition.over == CountedUnit::Agencies && !definition.is_of_registry();
    match definition.within_working_days {
        None if needs_days => {
            found.push((
                "within_working_days",
                "missing: maximum age of an agency's latest dossier, in working days".to_owned(),
            ));
        }
        Some(_) if !needs_days => {
            found.push(("within_working_days", "only allowed for a ratio of agencies with recent dossiers".to_owned()));
        }
        Some(0) => found.push(("within_working_days", "must be 1 or more".to_owned())),
        _ => {}
    }
    if needs_days && definition.period != PeriodColumn::ReceivedAt {
        found.push(("period", "agencies are counted by their latest reception: use `received_at`".to_owned()));
    }
    if has_registry && definition.registry.is_none() {
        found.push(("registry", "missing: condition for the procedures or agencies of the denominator".to_owned()));
    }
    if !has_registry && definition.registry.is_some() {
        found.push(("registry", "only allowed if `over` is `procedures` or `agencies`".to_owned()));
    }
    if definition.groups_once && (definition.over != CountedUnit::Procedures || definition.kind != IndicatorKind::Count)
    {
        found.push(("groups_once", "only allowed for a count of procedures".to_owned()));
    }
    if definition.over == CountedUnit::Feedback
        && (definition.having.is_some() || definition.period != PeriodColumn::ReceivedAt)
    {
        found.push(("period", "feedback is counted by `received_at`, without `having`".to_owned()));
    }
    let is_measure = definition.over == CountedUnit::Measures;
    if is_measure != (definition.period == PeriodColumn::Stated) {
        found.push(("period", "measures need `stated`; all others must not use it".to_owned()));
    }
    if definition.reconcile_with.is_some() && !(is_measure && definition.kind == IndicatorKind::Ratio) {
        found.push(("reconcile_with", "only a ratio over measures has it".to_owned()));
    }
    if is_measure && (definition.population != "TRUE" || definition.numerator != "TRUE") {
        found
            .push(("numerator", "a measure has its own counts: set `population` and `numerator` to `TRUE`".to_owned()));
    }
    if !definition.over.is_additive() && (definition.having.is_some() || definition.denominator.is_some()) {
        let message = "the registry or the measure gives the denominator: remove `denominator` and `having`";
        found.push(("denominator", message.to_owned()));
    }
    found
}

/// The predicates over dossiers or feedback.
fn predicates(definition: &IndicatorDefinition) -> impl Iterator<Item = &str> {
    let optional = [&definition.denominator, &definition.having];
    let also = definition.also.iter().map(|other| other.numerator.as_str());
    [definition.population.as_str(), definition.numerator.as_str()]
        .into_iter()
        .chain(optional.into_iter().filter_map(Option::as_deref))
        .chain(also)
}

/// Digest of an indicator's definition and its rule set: the first 16 hexadecimal digits of their SHA-256.
#[must_use]
pub fn definition_digest(definition: &IndicatorDefinition, rules: Option<&RuleSet>) -> String {
    let text = serde_json::to_string(&(definition, rules)).expect("definitions are plain data");
    format!("{:x}", Sha256::digest(text.as_bytes()))[..16].to_owned()
}

fn text_name(folder: &str, file: &PathBuf) -> String {
    format!("{folder}/{}", PathBuf::from(file).file_name().unwrap_or_default().to_string_lossy())
}
