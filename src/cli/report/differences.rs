//! `report --compare-rules`: one ratio under every rule set.

use std::process::ExitCode;

use serde::Serialize;

use super::FigureFilter;
use crate::cli::Failure;
use crate::cli::language::{self, language, text};
use crate::cli::output::{self, OutputFormat, number, percent, print};
use crate::config::Configuration;
use crate::indicators::RuleDifference;
use crate::locale::Language;
use crate::model::figure::{Night, ratio};
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::run;

/// One row of `report --compare-rules`.
#[derive(Debug, Serialize)]
struct DifferenceRow {
    rules: String,
    /// The setting that differs; null for the whole rule set.
    word: Option<String>,
    numerator: u64,
    denominator: u64,
    ratio: Option<f64>,
    moved: u64,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator.
    unknown: u64,
}

impl DifferenceRow {
    fn without_ratio(&self) -> &'static str {
        if self.denominator > 0 { language().no_data() } else { language().nothing_received() }
    }
}

pub(super) async fn compare_rules(
    config: &Configuration,
    night: &Night,
    filter: &FigureFilter<'_>,
) -> Result<ExitCode, Failure> {
    let [indicator] = filter.arguments.indicators.as_slice() else {
        return Err(Failure::usage(language::of(
            "`--compare-rules` cần một chỉ số",
            "`--compare-rules` takes one indicator",
        ))
        .with_hint(language::of("ví dụ `par-3.4.1`", "for example `par-3.4.1`")));
    };
    let known = config.indicators.iter().find(|known| known.definition.id == *indicator);
    let one_by_one = |definition: &IndicatorDefinition| {
        definition.over == CountedUnit::Dossiers
            && definition.having.is_none()
            && definition.kind == IndicatorKind::Ratio
    };
    if known.is_some_and(|known| !one_by_one(&known.definition)) {
        let message =
            text!("`{indicator}` không đếm từng hồ sơ một", "`{indicator}` does not count dossiers one by one");
        return Err(Failure::usage(message).with_hint(language::of(
            "chỉ so sánh được các bộ quy tắc với tỷ lệ đếm từng hồ sơ",
            "rule sets can only be compared for ratios that count each dossier on its own",
        )));
    }
    let period = filter.period.expect("the command line requires it");
    let found = run::compare_rules(config, night, indicator, period).await?;
    let rows: Vec<DifferenceRow> = found
        .into_iter()
        .map(|found| {
            let ratio = ratio(found.numerator, found.denominator).filter(|_| found.unknown < found.denominator);
            let RuleDifference { rules, setting: word, numerator, denominator, unknown, moved } = found;
            DifferenceRow { rules, word, numerator, denominator, ratio, moved, unknown }
        })
        .collect();
    let text = match filter.arguments.format {
        OutputFormat::Json => output::json(&rows)?,
        OutputFormat::Csv => output::csv(&rows)?,
        OutputFormat::Table => {
            let headings = match language() {
                Language::Vietnamese => {
                    ["Bộ quy tắc", "Khác ở", "Đạt / tổng số", "Chưa rõ", "Tỷ lệ", "Số hồ sơ tính khác"]
                }
                Language::English => {
                    ["Rule set", "Differs in", "Part / whole", "Unknown", "Ratio", "Dossiers that count otherwise"]
                }
            };
            let cells = rows.iter().map(|row| {
                vec![
                    row.rules.clone(),
                    row.word.clone().unwrap_or_else(|| language::of("(cả bộ)", "(the whole set)").to_owned()),
                    format!("{} / {}", number(row.numerator), number(row.denominator)),
                    number(row.unknown),
                    row.ratio.map_or_else(|| row.without_ratio().to_owned(), percent),
                    number(row.moved),
                ]
            });
            output::table(&headings, cells.collect())
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
