//! The generated pages `docs/INDICATORS.md` and `docs/CLI.md`: `MOTCUA_WRITE_REFERENCE=1` writes them, otherwise they are
//! compared. Also checks of what other pages say about the program.
#![expect(clippy::disallowed_methods, reason = "edge: the document is read and written here")]

mod command_line;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use motcua::config::{Configuration, DefinedIndicator};
use motcua::expressions::{FactTable, dossier_facts, feedback_facts};
use motcua::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind, PeriodColumn};
use motcua::model::predicate::{AGENCY_COLUMNS, FactType, OFFER_COLUMNS};
use motcua::model::rules::RuleSet;
use serde_json::Value;

#[test]
fn the_page_of_indicators_lists_the_definitions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = motcua::config::load(&root.join("config/motcua.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    compare_or_write("docs/INDICATORS.md", &page(&config));
}

/// Compares a generated page with its file; writes the file if `MOTCUA_WRITE_REFERENCE=1`.
fn compare_or_write(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var("MOTCUA_WRITE_REFERENCE").is_ok_and(|value| value == "1") {
        std::fs::write(&path, text).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text, "`{file}` is out of date: run this test with MOTCUA_WRITE_REFERENCE=1 to write it");
}

#[test]
fn the_unit_waits_longer_than_the_service_takes_to_stop() {
    let unit = include_str!("../../docs/examples/motcua.service");
    let seconds = |text: &str, key: &str| -> u64 {
        let value = text.lines().find_map(|line| line.strip_prefix(key));
        value.expect("the key stands on a line of its own").trim().parse().expect("seconds")
    };
    let stops_within = seconds(include_str!("../../config/motcua.toml"), "stop_within_secs = ");
    assert!(seconds(unit, "TimeoutStopSec=") >= stops_within + 15);
}

#[test]
fn the_unit_allows_more_open_files_than_connections() {
    let number = |text: &str, key: &str| -> usize {
        let value = text.lines().find_map(|line| line.strip_prefix(key));
        value.expect("the key stands on a line of its own").trim().parse().expect("a number")
    };
    let connections = number(include_str!("../../config/motcua.toml"), "max_connections = ");
    let files = number(include_str!("../../docs/examples/motcua.service"), "LimitNOFILE=");
    assert!(files >= connections + 1024, "{files} open files for {connections} connections and a night");
}

fn page(config: &Configuration) -> String {
    let mut text = String::from(
        "# Indicators\n\nFor data clerks and developers: what each indicator counts, and which article requires it. Generated from \
         `config/indicators` and `config/rules`; do not edit. Every figure carries the digest of its definition and rule set. \
         A ratio is shown with its counts. It is rounded half up to two decimals of a percent, and is never 100 % while the \
         numerator is below the denominator. A denominator of 0 is shown as \"không phát sinh\". Facts that no source states and no \
         rule decides are counted: `unknown` is what is in the denominator and may be in the numerator, `undecided` what may be in the \
         denominator. A ratio with unknowns lies between n/d and (n + unknown)/d; if all of it is unknown it is shown as \
         \"không có dữ liệu\". `met` is decided on the counts: yes, no, open while pending dossiers could still reach the target, or \
         unknown if what is unknown decides. An annual target (\"a year\") is judged for years only, calendar or statutory; shorter \
         periods show their distance to it. Figures of the province are sums of \
         counts, except those of procedures and agencies, which are counted once in each scope.\n",
    );
    readings(&mut text);
    text.push_str("\n## The indicators\n\n| indicator | what | article | rules | target |\n|---|---|---|---|---|\n");
    for DefinedIndicator { definition, .. } in &config.indicators {
        let target = definition.target.map_or("none".to_owned(), |target| {
            let of_year = if target.judged.is_all() { "" } else { " a year" };
            format!("≥ {}{of_year}", target.at_least)
        });
        let place = format!("{}, {}", definition.legal.document, definition.legal.place);
        let _ = writeln!(
            text,
            "| [{id}](#{anchor}) | {} | {place} | {} | {target} |",
            definition.title.vi,
            definition.rules,
            id = definition.id,
            anchor = definition.id.replace('.', ""),
        );
    }
    for indicator in &config.indicators {
        entry(&mut text, indicator);
    }
    rule_sets(&mut text, config);
    facts(&mut text, "Columns of a dossier", "facts/dossiers.toml", dossier_facts());
    facts(&mut text, "Columns of feedback", "facts/feedback.toml", feedback_facts());
    for (title, columns) in [
        ("Columns of an offer, for `registry`", OFFER_COLUMNS),
        ("Columns of an agency, for `registry`", AGENCY_COLUMNS),
    ] {
        let _ = write!(text, "\n## {title}\n\n| column | type | meaning |\n|---|---|---|\n");
        for (name, fact_type, meaning) in columns {
            let _ = writeln!(text, "| `{name}` | {} | {meaning} |", words_of(*fact_type));
        }
    }
    text
}

/// The facts that predicates may name.
fn facts(text: &mut String, title: &str, file: &str, table: &FactTable) {
    let _ = write!(
        text,
        "\n## {title}\n\n`{file}` has the expression of each, and the steps to them (`facts/README.md`).\n\n| column | type | \
         nghĩa | meaning |\n|---|---|---|---|\n"
    );
    for fact in table.named() {
        let state = if fact.phases.is_some() { " (by the rule set)" } else { "" };
        let word = words_of(fact.fact_type);
        let _ = writeln!(text, "| `{}` | {word}{state} | {} | {} |", fact.name, fact.meaning_vi, fact.meaning_en);
    }
}

fn words_of(fact_type: FactType) -> String {
    match fact_type {
        FactType::Flag => "true or false".to_owned(),
        FactType::Text => "text".to_owned(),
        FactType::Word(words) => words.join(" · "),
        FactType::Number => "number".to_owned(),
        FactType::Instant | FactType::Day => unreachable!("only steps have it"),
    }
}

/// The readings a to l of the decision, in Vietnamese, from the files of `tests/law`.
fn readings(text: &mut String) {
    text.push_str(
        "\n## Quyết định 2639/QĐ-UBND được hiểu thế nào\n\nDành cho người biết quyết định và không cần biết phần mềm. Chỗ nào quyết định không nói \
         rõ, bộ quy tắc `seed-2639` hiểu như sau; mỗi cách hiểu có căn cứ và có ví dụ được kiểm thử (`tests/law`). Biểu II.06a và Quyết định \
         766/QĐ-TTg có cách hiểu riêng, ở sau chữ l.\n",
    );
    for letter in 'a'..='l' {
        let file = law_file(&format!("seed-2639-{letter}"));
        reading(text, &format!("{letter}. "), &file);
    }
    text.push_str(
        "\n**Điều chưa rõ thì sao?** Hồ sơ của mẫu số mà không nguồn nào ghi điều cần biết, và bộ quy tắc không có cách hiểu, được đếm riêng là “chưa rõ”. \
         Tỷ lệ thật khi đó nằm trong khoảng từ tử số trên mẫu số đến (tử số + chưa rõ) trên mẫu số; khoảng này chưa kể hồ sơ không rõ có thuộc mẫu số hay không, được ghi riêng và không tính vào mẫu số. Nếu mọi hồ sơ đều chưa rõ thì ghi “không có dữ liệu”, không \
         ghi 0 % hay 100 %. Kết luận là “đạt”, “chưa đạt”, “còn có thể đạt” \
         khi hồ sơ còn hạn có thể làm đủ chỉ tiêu, hoặc “chưa rõ” khi đạt hay không tùy các hồ sơ chưa rõ.\n",
    );
    text.push_str("\n## Biểu II.06a và các bộ quy tắc khác được hiểu thế nào\n");
    for name in ["ii-06a", "qd-766-2.1", "nd-61-2018-18-2"] {
        reading(text, "", &law_file(name));
    }
    text.push_str(
        "\nBộ quy tắc `seed-2639-portal-due` như `seed-2639`, nhưng chấp nhận cả hạn trả đã dời mà không rõ lý do, để thấy tỷ lệ theo đúng hạn Cổng đang \
         ghi. Bảng *Rule sets* ở cuối trang có mọi lựa chọn.\n",
    );
}

fn law_file(name: &str) -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/law").join(format!("{name}.toml"));
    let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A question that the law leaves open, the answer, its article and the examples.
fn reading(text: &mut String, letter: &str, file: &toml::Table) {
    let of = |key: &str| file.get(key).and_then(toml::Value::as_str).unwrap_or_else(|| panic!("`{key}`"));
    let article = of("article");
    let article = article.split_once('(').map_or(article, |(_, article)| article.trim_end_matches(')'));
    let _ = write!(text, "\n**{letter}{}** {} Căn cứ: {article}.\n\n", of("question"), of("means"));
    let examples = file.get("example").and_then(toml::Value::as_array).into_iter().flatten();
    for about in examples.filter_map(|example| example.get("about").and_then(toml::Value::as_str)) {
        let _ = writeln!(text, "* Ví dụ: {about}.");
    }
}

fn entry(text: &mut String, DefinedIndicator { definition, digest }: &DefinedIndicator) {
    let _ = write!(text, "\n## {}\n\n{}.  \n{}.\n\n", definition.id, definition.title.vi, definition.title.en);
    let legal = &definition.legal;
    let _ = writeln!(text, "* Article: {}, {}; in force from {}.", legal.document, legal.place, legal.from);
    if let Some(evidence) = &definition.evidence {
        let _ = writeln!(text, "* Evidence: {evidence}.");
    }
    if let Some(lead) = &definition.lead_agency {
        let _ = writeln!(text, "* Lead agency: {lead}.");
    }
    let filed = match definition.period {
        PeriodColumn::ReceivedAt => "received",
        PeriodColumn::ReturnedAt => "whose result was returned",
        PeriodColumn::EndedAt => "that ended",
        PeriodColumn::Stated => "stated",
    };
    let (whole, part) = match definition.over {
        CountedUnit::Dossiers => (
            format!("dossiers {filed} in the period for which `{}`", definition.population),
            format!("those for which `{}`", definition.numerator),
        ),
        CountedUnit::Feedback => (
            format!("feedback {filed} in the period for which `{}`", definition.population),
            format!("that for which `{}`", definition.numerator),
        ),
        CountedUnit::Measures => (
            "the denominator that was stated for exactly this period".to_owned(),
            "the numerator that was stated with it".to_owned(),
        ),
        CountedUnit::Procedures if definition.registry_part.is_some() => (
            format!("procedures offered on at least one day of the period, with `{}`", registry_of(definition)),
            format!("those whose offers all have `{}`", definition.registry_part.as_deref().unwrap_or_default()),
        ),
        CountedUnit::Procedures => (
            format!("procedures offered on at least one day of the period, with `{}`", registry_of(definition)),
            format!(
                "those that had a dossier {filed} in the period with `{}`, where `{}`",
                definition.numerator, definition.population
            ),
        ),
        CountedUnit::Agencies => (
            format!(
                "agencies that exist on the period's last day, or today if that is earlier, with `{}`",
                registry_of(definition)
            ),
            format!(
                "those with a dossier in the last {} working days before its end, or before the night, where `{}`",
                definition.within_working_days.unwrap_or_default(),
                definition.population
            ),
        ),
    };
    match definition.kind {
        IndicatorKind::Ratio => {
            let _ = writeln!(text, "* Denominator: {whole}.\n* Numerator: {part}.");
        }
        IndicatorKind::Count => {
            let _ = writeln!(text, "* Count: {whole}.");
        }
        IndicatorKind::Mean | IndicatorKind::Median => {
            let _ = writeln!(
                text,
                "* Of: {whole}.\n* Value: the {} of their `{}`.",
                definition.kind.name(),
                amount(definition)
            );
        }
        IndicatorKind::Points => {
            let _ = writeln!(text, "* Of: {whole}.\n* Value: the mean of their `{}`.", amount(definition));
        }
        IndicatorKind::Stock => {
            let _ = writeln!(
                text,
                "* Count: dossiers received by the end of the period for which `{}` and, at its end, `{}`.",
                definition.population, definition.numerator
            );
        }
    }
    conditions(text, definition);
    let _ = writeln!(text, "* Rule set: {}; definition `{digest}`.", definition.rules);
    if let Some(note) = &definition.note_vi {
        let _ = writeln!(text, "* Ghi chú: {note}");
    }
    if let Some(note) = &definition.note {
        let _ = writeln!(text, "* Note: {note}");
    }
}

/// What further decides an indicator's counts, and which facts leave it open.
fn conditions(text: &mut String, definition: &IndicatorDefinition) {
    if let Some(denominator) = definition.denominator.as_deref().filter(|denominator| *denominator != "TRUE") {
        let _ = writeln!(text, "* In both, only those for which `{denominator}`.");
    }
    if let Some(having) = &definition.having {
        let _ = writeln!(
            text,
            "* Only procedures that have a dossier with `{having}`, in the whole province, from 1 January to the end of the \
             period."
        );
    }
    if let Some(other) = &definition.also {
        let _ = writeln!(
            text,
            "* The numerator also has procedures with a dossier for which `{}`, by `{}`.",
            other.numerator,
            other.period.name()
        );
    }
    if let Some(other) = &definition.reconcile_with {
        let _ = writeln!(text, "* Compared with `{other}` by `motcua reconcile --national`.");
    }
    let population = format!("{} {}", definition.population, definition.denominator.as_deref().unwrap_or_default());
    for (word, facts) in [
        ("Unknown", can_be_null(&definition.numerator, definition.over)),
        ("Undecided", can_be_null(&population, definition.over)),
    ] {
        if !facts.is_empty() {
            let _ = writeln!(text, "* {word} if not known: {}.", facts.join(", "));
        }
    }
}

/// The facts of a predicate that are null where they are not known.
fn can_be_null(predicate: &str, over: CountedUnit) -> Vec<String> {
    let facts = if over == CountedUnit::Feedback { feedback_facts() } else { dossier_facts() };
    let words = || predicate.split(|symbol: char| !symbol.is_ascii_alphanumeric() && symbol != '_');
    let is_named = |name: &str| words().any(|word| word == name) && !predicate.contains(&format!("{name} IS NULL"));
    let named = facts.named().filter(|fact| is_named(&fact.name) && !fact.is_always_known);
    named.map(|fact| format!("`{}`", fact.name)).collect()
}

fn registry_of(definition: &IndicatorDefinition) -> &str {
    definition.registry.as_deref().unwrap_or("TRUE")
}

/// The amount that a mean or median is computed from, as the definition names it.
fn amount(definition: &IndicatorDefinition) -> String {
    let of = serde_json::to_value(definition.of).expect("a word");
    of.as_str().unwrap_or_default().to_owned()
}

/// Table of the rule sets: one row for each setting.
fn rule_sets(text: &mut String, config: &Configuration) {
    let sets: Vec<BTreeMap<String, Value>> = config.rules.values().map(RuleSet::settings).collect();
    let _ =
        write!(text, "\n## Rule sets\n\n`config/rules/*.toml` explains each word, and why it was chosen.\n\n| word |");
    for set in &sets {
        let _ = write!(text, " {} |", set["id"].as_str().unwrap_or_default());
    }
    let _ = write!(text, "\n|---|{}\n", "---|".repeat(sets.len()));
    for word in sets[0].keys().filter(|word| !matches!(word.as_str(), "id" | "title" | "legal")) {
        let _ = write!(text, "| `{word}` |");
        for set in &sets {
            let value = match &set[word] {
                Value::Array(values) if values.is_empty() => "none".to_owned(),
                Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
                Value::Null => "default".to_owned(),
                value => value.as_str().unwrap_or_default().to_owned(),
            };
            let _ = write!(text, " {value} |");
        }
        text.push('\n');
    }
}

#[test]
fn every_note_of_an_indicator_is_in_vietnamese_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = motcua::config::load(&root.join("config/motcua.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let lacks = config.indicators.iter().map(|indicator| &indicator.definition);
    let lacks: Vec<&str> =
        lacks.filter(|one| one.note.is_some() != one.note_vi.is_some()).map(|one| one.id.as_str()).collect();
    assert!(lacks.is_empty(), "a note in one language only: {lacks:?}");
    assert!(config.indicators.iter().any(|indicator| indicator.definition.note_vi.is_some()), "there are notes");
}
