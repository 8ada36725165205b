//! The law as examples: `tests/law/*.toml` (see `tests/law/README.md`), computed with the indicators' own code.
//!
//! All examples of one rule set are one province, in which each example has an agency of its own: so a few passes
//! compute them all.
#![expect(clippy::disallowed_methods, reason = "tests read and write tests/law")]

mod examples;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use motcua::calendar::WorkingCalendar;
use motcua::config::Configuration;
use motcua::indicators::{FigureInputs, FormScope, IndicatorError, compute, form_counts};
use motcua::model::figure::Figure;
use motcua::model::indicator::IndicatorDefinition;
use motcua::model::period::Period;
use motcua::model::report_form::FormCounts;
use motcua::model::rules::RuleSet;

use super::NOW;
use super::province::{self, at};
use examples::{Example, Expected, LawFile, Registry};
use tables::{Rows, tables_of};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/law")
}

fn configuration() -> Configuration {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/motcua.toml");
    motcua::config::load(&file).unwrap_or_else(|problems| panic!("{problems}"))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of articles, in the order of their names.
fn law_files() -> Vec<LawFile> {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| {
        let is_of_article = !["registry.toml", "province.toml"].iter().any(|name| path.ends_with(name));
        is_of_article && path.extension().is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// Everything that computing needs besides rows.
struct Law {
    config: Configuration,
    registry: Registry,
    calendar: WorkingCalendar,
}

impl Law {
    fn load() -> Self {
        let registry = read(&folder().join("registry.toml"));
        Self { config: configuration(), registry, calendar: WorkingCalendar::new(&province::calendar()) }
    }

    /// Runs `work` with the inputs made from the rows. The agencies are those of the registry and one for each example.
    fn with_inputs<T>(
        &self,
        examples: &[(usize, &Example)],
        (definitions, rules): (&[IndicatorDefinition], &[&RuleSet]),
        (now, period): (i64, Option<Period>),
        work: impl FnOnce(&FigureInputs<'_>) -> Result<T, IndicatorError>,
    ) -> T {
        let rows: Vec<Rows<'_>> = examples.iter().map(|(number, example)| example.rows(*number)).collect();
        let [dossiers, postal_items, feedback, measures, dossier_notes] = tables_of(&rows);
        let mut agencies = self.registry.agencies();
        agencies.extend(examples.iter().map(|(number, example)| example.agency(*number)));
        let indicators: Vec<_> = definitions.iter().map(|definition| (definition, "")).collect();
        let inputs = FigureInputs {
            dossiers,
            dossier_groups: motcua::lake::Lake::no_groups(),
            postal_items,
            feedback,
            measures,
            dossier_notes,
            indicators: &indicators,
            rules,
            agencies: &agencies,
            agency_names: &motcua::indicators::AgencyNames::default(),
            procedures: &self.registry.procedures(),
            offers: &self.registry.offers(),
            calendar: &self.calendar,
            now,
            successions: None,
            period,
        };
        work(&inputs).expect("the shipped indicators compute")
    }

    /// The definitions of some indicators under a rule set.
    fn definitions(&self, ids: &BTreeSet<&str>, rules: &str) -> Vec<IndicatorDefinition> {
        let known = |id: &&str| self.config.indicators.iter().find(|one| one.definition.id == **id);
        ids.iter()
            .map(|id| known(id).unwrap_or_else(|| panic!("`{id}` is no indicator")).definition.clone())
            .map(|definition| IndicatorDefinition { rules: rules.to_owned(), ..definition })
            .collect()
    }

    fn rule_set(&self, id: &str) -> &RuleSet {
        self.config.rules.get(id).unwrap_or_else(|| panic!("`{id}` is no rule set"))
    }

    /// The figures of several examples under a rule set. All have the same moment.
    fn figures(&self, examples: &[(usize, &Example)], rules: &str) -> Vec<Figure> {
        let expected = |(_, example): &(usize, &'_ Example)| example.indicators(rules);
        let ids: BTreeSet<String> = examples.iter().flat_map(expected).collect();
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let definitions = self.definitions(&ids, rules);
        let now = at(examples[0].1.now());
        self.with_inputs(examples, (&definitions, &[self.rule_set(rules)]), (now, None), compute)
    }

    /// The total row of form II.06a of an example's agency.
    fn form(&self, number: usize, example: &Example, period: Period) -> FormCounts {
        let rules = self.rule_set("form-06a");
        let scope = FormScope::Agency(Example::agency_code(number));
        let sectors = self.with_inputs(&[(number, example)], (&[], &[rules]), (at(example.now()), None), |inputs| {
            form_counts(inputs, rules, period, &scope)
        });
        sectors.values().fold(FormCounts::default(), |mut total, counts| {
            total.add(counts);
            total
        })
    }
}

/// What came out otherwise: the article, and in words what was expected and found.
type Moved = Vec<(String, String)>;

fn check_examples(law: &Law, files: &[LawFile]) -> Moved {
    let examples: Vec<(usize, &LawFile, &Example)> = files
        .iter()
        .flat_map(|file| file.example.iter().map(move |example| (file, example)))
        .enumerate()
        .map(|(number, (file, example))| (number, file, example))
        .collect();
    let mut moved = Moved::new();
    // Examples that are computed together: those of a rule set and a moment, but for the ones that need a province of
    // their own.
    let mut groups: BTreeMap<(&str, &str, Option<usize>), Vec<usize>> = BTreeMap::new();
    for (number, _, example) in &examples {
        for rules in example.rule_sets() {
            let alone = example.alone.then_some(*number);
            groups.entry((rules, example.now(), alone)).or_default().push(*number);
        }
    }
    for ((rules, ..), numbers) in &groups {
        let group: Vec<(usize, &Example)> = numbers.iter().map(|number| (*number, examples[*number].2)).collect();
        let figures = law.figures(&group, rules);
        for (number, example) in group {
            for expected in example.expected(number).into_iter().filter(|expected| expected.rules == *rules) {
                if let Some(difference) = difference(&figures, &expected) {
                    let about = format!("{}: {rules}: {difference}", example.about);
                    moved.push((examples[number].1.article.clone(), about));
                }
            }
        }
    }
    for (number, file, example) in &examples {
        let Some((period, cells)) = example.form_cells() else { continue };
        let found = law.form(*number, example, period);
        let found = examples::cells_of(&found);
        if found != cells {
            let about = format!("{}: form II.06a: expected {cells:?}, found {found:?}", example.about);
            moved.push((file.article.clone(), about));
        }
    }
    moved
}

/// What differs between what is expected and the figures; `None` if nothing does.
fn difference(figures: &[Figure], expected: &Expected<'_>) -> Option<String> {
    let is_it = |figure: &&Figure| {
        let scope = match (&figure.agency, figure.tier) {
            (Some(code), _) => &**code,
            (None, None) => "-",
            (None, Some(_)) => return false,
        };
        *figure.indicator == *expected.indicator && figure.period == expected.period && scope == expected.scope
    };
    let found = figures.iter().find(is_it);
    let counts = found.map_or_else(Vec::new, counts_of);
    let (id, period) = (expected.indicator, expected.period);
    if counts != expected.counts {
        return Some(format!("{id} in {period}: expected {:?}, found {counts:?}", expected.counts));
    }
    let met = found.and_then(Figure::met).map_or("null", motcua::indicators::met_word);
    if expected.met.is_some_and(|word| word != met) {
        return Some(format!("{id} in {period}: expected met {:?}, found {met}", expected.met));
    }
    let value = found.and_then(Figure::value);
    let differs = |wanted: f64| value.is_none_or(|value| (value - wanted).abs() > 0.000_05);
    if expected.value.is_some_and(differs) {
        return Some(format!("{id} in {period}: expected the value {:?}, found {value:?}", expected.value));
    }
    None
}

/// Numerator and denominator (a count has none), then, if they are not 0, what is unknown and what is undecided.
fn counts_of(figure: &Figure) -> Vec<u64> {
    let counted: Vec<u64> = std::iter::once(figure.numerator).chain(figure.denominator).collect();
    match [figure.unknown.unwrap_or(0), figure.undecided.unwrap_or(0)] {
        [0, 0] => counted,
        // A count with one number more would look like a ratio.
        [unknown, 0] if counted.len() > 1 => [counted, vec![unknown]].concat(),
        both => [counted, both.to_vec()].concat(),
    }
}

/// The figures of the fixed province, one line each: those of the year 2025, each indicator by its own rule set.
fn province_figures(law: &Law) -> BTreeMap<String, String> {
    let file: LawFile = read(&folder().join("province.toml"));
    let [province] = &file.example[..] else { panic!("the province is one example") };
    let rules: Vec<&RuleSet> = law.config.rules.values().collect();
    let definitions: Vec<IndicatorDefinition> =
        law.config.indicators.iter().map(|one| one.definition.clone()).collect();
    let period = Period::parse("2025");
    let figures = law.with_inputs(&[(0, province)], (&definitions, &rules), (at(province.now()), period), compute);
    let of_province = figures.iter().filter(|figure| figure.agency.is_none() && figure.tier.is_none());
    of_province
        .map(|figure| {
            let whole = figure.denominator.map_or(String::new(), |whole| format!(" / {whole}"));
            let more = [("unknown", figure.unknown), ("undecided", figure.undecided)];
            let more = more.into_iter().filter_map(|(name, count)| Some((name, count.filter(|count| *count > 0)?)));
            let more = more.fold(String::new(), |text, (name, count)| format!("{text}, {name} {count}"));
            (format!("{} ({})", figure.indicator, figure.rules), format!("{}{whole}{more}", figure.numerator))
        })
        .collect()
}

/// Compares the province's figures with the file, or writes it; returns the lines that moved.
fn check_province(law: &Law) -> Vec<String> {
    let path = folder().join("province-figures.txt");
    let found = province_figures(law);
    let text = found.iter().fold(String::new(), |mut text, (name, counts)| {
        let _ = writeln!(text, "{name}: {counts}");
        text
    });
    if std::env::var("MOTCUA_WRITE_REFERENCE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, text).expect("the file can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let written: BTreeMap<&str, &str> = written.lines().filter_map(|line| line.split_once(": ")).collect();
    let names: BTreeSet<&str> = found.keys().map(String::as_str).chain(written.keys().copied()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let (before, after) = (written.get(name).copied(), found.get(name).map(String::as_str));
            let shown = |counts: Option<&str>| counts.unwrap_or("none").to_owned();
            (before != after).then(|| format!("{name}: {} became {}", shown(before), shown(after)))
        })
        .collect()
}

#[test]
fn every_article_gives_what_its_examples_say() {
    let work = || {
        let law = Law::load();
        (check_examples(&law, &law_files()), check_province(&law))
    };
    // Polars built for debugging walks deep plans by recursion.
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    let (moved, figures) = thread.join().expect("the computation ends");
    let articles: BTreeSet<&str> = moved.iter().map(|(article, _)| article.as_str()).collect();
    let mut text = String::new();
    for article in &articles {
        let _ = writeln!(text, "{article}");
        for (_, what) in moved.iter().filter(|(of, _)| of == article) {
            let _ = writeln!(text, "    {what}");
        }
    }
    for line in &figures {
        let _ = writeln!(text, "figure of the fixed province, {line}");
    }
    assert!(
        text.is_empty(),
        "examples of {} articles and {} figures of the fixed province came out otherwise:\n{text}",
        articles.len(),
        figures.len(),
    );
}

#[test]
fn every_letter_and_article_has_an_example() {
    let articles: Vec<String> = law_files().into_iter().map(|file| file.article).collect();
    let letters = ('a'..='l').map(|letter| format!("Bộ quy tắc seed-2639, {letter}"));
    let others = [
        "Nghị định 23/2015/NĐ-CP, Điều 7",
        "Nghị định 61/2018/NĐ-CP, Điều 17 khoản 4",
        "Nghị định 61/2018/NĐ-CP, Điều 18 khoản 2",
        "Nghị định 61/2018/NĐ-CP, Điều 19 khoản 4",
        "Nghị định 61/2018/NĐ-CP, Điều 19 khoản 8",
        "Nghị định 61/2018/NĐ-CP, Điều 19 khoản 9",
        "Quyết định 45/2016/QĐ-TTg, Điều 7",
        "Quyết định 45/2016/QĐ-TTg, Điều 9",
        "Quyết định 766/QĐ-TTg, 2.1",
        "Quyết định 766/QĐ-TTg, 3.3",
        "Biểu II.06a/VPCP/KSTT, cột 4–13",
        "Thông tư 01/2018/TT-VPCP, Điều 13",
    ];
    for wanted in letters.chain(others.map(str::to_owned)) {
        assert!(articles.iter().any(|article| article.starts_with(&wanted)), "no example of {wanted}");
    }
}

/// The ratio by the portal's own due date is one setting away from the decision's.
#[test]
fn the_rule_set_of_the_portal_s_due_date_differs_in_one_setting() {
    let config = configuration();
    let [own, portal] = ["seed-2639", "seed-2639-portal-due"].map(|id| config.rules[id].settings());
    let differs = |name: &&String| !matches!(name.as_str(), "id" | "title") && own.get(*name) != portal.get(*name);
    let differing: Vec<&String> = own.keys().chain(portal.keys()).filter(differs).collect();
    assert_eq!(differing, ["due_moves", "due_moves"]);
}
