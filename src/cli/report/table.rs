//! Figures as a table for each indicator.

use std::fmt::Write as _;

use crate::cli::language::{self, language, text};
use crate::cli::output::{self, number, percent};
use crate::config::Configuration;
use crate::indicators::Rank;
use crate::locale::{Initial, Language, UnitSpace, moment, moment_or_dash};
use crate::model::figure::{Figure, Met, Night};
use crate::model::indicator::IndicatorKind;
use crate::model::instant::local;

/// One table for each indicator, and a line about the night.
pub(in crate::cli) fn table(
    figures: &[&Figure],
    night: &Night,
    not_whole: &[String],
    config: &Configuration,
) -> String {
    table_with(figures, &ExtraColumns::default(), night, not_whole, config)
}

/// Columns that are added if they were requested. One value for each figure.
#[derive(Debug, Default)]
pub(super) struct ExtraColumns<'a> {
    pub(super) ranks: Option<&'a [Option<Rank>]>,
    pub(super) changes: Option<&'a [Option<f64>]>,
}

pub(super) fn table_with(
    figures: &[&Figure],
    extra: &ExtraColumns<'_>,
    night: &Night,
    not_whole: &[String],
    config: &Configuration,
) -> String {
    let mut headings = match language() {
        Language::Vietnamese => vec!["Đơn vị", "Kỳ", "Đạt / tổng số", "Tỷ lệ", "Chỉ tiêu", "Kết quả"],
        Language::English => vec!["Agency", "Period", "Part / whole", "Ratio", "Target", "Met"],
    };
    headings.extend(extra.ranks.map(|_| language::of("Xếp hạng", "Rank")));
    headings.extend(extra.changes.map(|_| language::of("Kỳ báo cáo so với kỳ này", "Change since this period")));
    let mut text = String::new();
    for indicator in &config.indicators {
        let definition = &indicator.definition;
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut rules = None;
        for (index, figure) in figures.iter().enumerate().filter(|(_, figure)| *figure.indicator == definition.id) {
            let mut cells = row(figure, night, config);
            if figure.period.end().to_string() < definition.legal.from {
                cells[1].push_str(language::of(
                    " (trước khi văn bản có hiệu lực)",
                    " (before the document came into force)",
                ));
            }
            cells.extend(extra.ranks.map(|ranks| rank_text(ranks[index])));
            cells.extend(extra.changes.map(|changes| change_text(figure.kind, changes[index])));
            rows.push(cells);
            rules = Some(&*figure.rules);
        }
        if let Some(rules) = rules {
            let own =
                if rules == definition.rules { String::new() } else { text!("; quy tắc {rules}", "; rules {rules}") };
            let title = language::of(&definition.title.vi, &definition.title.en);
            let _ = writeln!(text, "\n{} · {title} ({}{own})", definition.id, definition.legal.place);
            text.push_str(&output::table(&headings, rows));
        }
    }
    if text.is_empty() {
        text.push_str(language::of("Không có số liệu.\n", "No figures.\n"));
    }
    let state = match not_whole {
        names if night.complete || names.is_empty() => output::completeness(night).to_owned(),
        names => text!("CHƯA ĐỦ NGUỒN ({}), số liệu tạm thời", "NOT COMPLETE ({}), provisional", names.join(", ")),
    };
    let until = moment_or_dash(night.data_until);
    let (as_of, run) = (moment(night.as_of), night.run);
    text.push_str(&text!(
        "\nTính lúc {as_of}; dữ liệu đến {until}; {state}; lượt {run}.\n",
        "\nAs of {as_of}; data until {until}; {state}; run {run}.\n"
    ));
    text
}

fn rank_text(rank: Option<Rank>) -> String {
    match rank {
        Some(Rank::Place(place)) => place.to_string(),
        Some(Rank::TooFew) => language::of("ít hồ sơ", "few dossiers").to_owned(),
        Some(Rank::NoDossiers) => language::of("không phát sinh hồ sơ", "no dossiers").to_owned(),
        Some(Rank::NoData) => language().no_data().to_owned(),
        None => String::new(),
    }
}

fn change_text(kind: IndicatorKind, change: Option<f64>) -> String {
    let Some(change) = change else { return String::new() };
    let sign = if change < 0.0 { "−" } else { "+" };
    let size = change.abs();
    match kind {
        IndicatorKind::Ratio => {
            let points = language().decimal((size * 10_000.0).round() / 100.0);
            text!("{sign}{points} điểm %", "{sign}{points} points")
        }
        IndicatorKind::Mean | IndicatorKind::Median => {
            format!("{sign}{}", language().working_hours(size, UnitSpace::Plain))
        }
        IndicatorKind::Points => format!("{sign}{}", language().points(size, UnitSpace::Plain)),
        IndicatorKind::Count | IndicatorKind::Stock => format!("{sign}{size}"),
    }
}

fn row(figure: &Figure, night: &Night, config: &Configuration) -> Vec<String> {
    let scope = language().scope(figure, &config.settings.province.name);
    let mut counts = language().counts(figure).unwrap_or_else(|| number(figure.numerator));
    if let Some(unknown) = language().unknown(figure) {
        counts = format!("{counts} ({unknown})");
    }
    let value = match figure.kind {
        // The count itself is in the column before.
        IndicatorKind::Count | IndicatorKind::Stock => String::new(),
        _ => language().bounds(figure, UnitSpace::Plain).unwrap_or_else(|| language().value(figure, UnitSpace::Plain)),
    };
    let target = match (figure.target, figure.denominator) {
        (Some(target), Some(_)) => format!("≥ {}", percent(target)),
        (Some(target), None) => format!("≥ {target}"),
        (None, _) => String::new(),
    };
    let met = match figure.met() {
        Some(Met::Yes) => language::of("đạt", "met"),
        Some(Met::No) => language::of("chưa đạt", "not met"),
        Some(Met::Open) => language::of("còn có thể đạt", "still possible"),
        Some(Met::Unknown) => language::of("chưa rõ", "unknown"),
        None => "",
    };
    let met = language().annual_target(figure).unwrap_or_else(|| met.to_owned());
    let mut period = language().period(figure.period, Initial::Lower);
    // Readers must not compare a period that has not ended with a whole one.
    if figure.period.end() >= local(night.as_of).date() {
        period.push_str(language::of(" (chưa hết kỳ)", " (still running)"));
    }
    vec![scope, period, counts, value, target, met]
}
