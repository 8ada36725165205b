//! Figures as a Vietnamese table for each indicator.

use std::fmt::Write as _;

use crate::cli::output::{self, LANGUAGE, number, percent};
use crate::config::Configuration;
use crate::indicators::Rank;
use crate::locale::{Initial, UnitSpace, moment, moment_or_dash};
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
    let mut headings = vec!["Đơn vị", "Kỳ", "Đạt / tổng số", "Tỷ lệ", "Chỉ tiêu", "Kết quả"];
    headings.extend(extra.ranks.map(|_| "Xếp hạng"));
    headings.extend(extra.changes.map(|_| "Kỳ báo cáo so với kỳ này"));
    let mut text = String::new();
    for indicator in &config.indicators {
        let definition = &indicator.definition;
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut rules = None;
        for (index, figure) in figures.iter().enumerate().filter(|(_, figure)| *figure.indicator == definition.id) {
            let mut cells = row(figure, night, config);
            if figure.period.end().to_string() < definition.legal.from {
                cells[1].push_str(" (trước khi văn bản có hiệu lực)");
            }
            cells.extend(extra.ranks.map(|ranks| rank_text(ranks[index])));
            cells.extend(extra.changes.map(|changes| change_text(figure.kind, changes[index])));
            rows.push(cells);
            rules = Some(&*figure.rules);
        }
        if let Some(rules) = rules {
            let own = if rules == definition.rules { String::new() } else { format!("; quy tắc {rules}") };
            let _ = writeln!(text, "\n{} · {} ({}{own})", definition.id, definition.title.vi, definition.legal.place);
            text.push_str(&output::table(&headings, rows));
        }
    }
    if text.is_empty() {
        text.push_str("Không có số liệu.\n");
    }
    let state = match not_whole {
        _ if night.complete => "đủ nguồn".to_owned(),
        [] => "CHƯA ĐỦ NGUỒN, số liệu tạm thời".to_owned(),
        names => format!("CHƯA ĐỦ NGUỒN ({}), số liệu tạm thời", names.join(", ")),
    };
    let until = moment_or_dash(night.data_until);
    let _ = writeln!(text, "\nTính lúc {}; dữ liệu đến {until}; {state}; lượt {}.", moment(night.as_of), night.run);
    text
}

fn rank_text(rank: Option<Rank>) -> String {
    match rank {
        Some(Rank::Place(place)) => place.to_string(),
        Some(Rank::TooFew) => "ít hồ sơ".to_owned(),
        Some(Rank::NoDossiers) => "không phát sinh hồ sơ".to_owned(),
        Some(Rank::NoData) => LANGUAGE.no_data().to_owned(),
        None => String::new(),
    }
}

fn change_text(kind: IndicatorKind, change: Option<f64>) -> String {
    let Some(change) = change else { return String::new() };
    let sign = if change < 0.0 { "−" } else { "+" };
    let size = change.abs();
    match kind {
        IndicatorKind::Ratio => format!("{sign}{} điểm %", LANGUAGE.decimal((size * 10_000.0).round() / 100.0)),
        IndicatorKind::Mean | IndicatorKind::Median => {
            format!("{sign}{}", LANGUAGE.working_hours(size, UnitSpace::Plain))
        }
        IndicatorKind::Points => format!("{sign}{}", LANGUAGE.points(size, UnitSpace::Plain)),
        IndicatorKind::Count | IndicatorKind::Stock => format!("{sign}{size}"),
    }
}

fn row(figure: &Figure, night: &Night, config: &Configuration) -> Vec<String> {
    let scope = LANGUAGE.scope(figure, &config.settings.province.name);
    let mut counts = LANGUAGE.counts(figure).unwrap_or_else(|| number(figure.numerator));
    if let Some(unknown) = LANGUAGE.unknown(figure) {
        counts = format!("{counts} ({unknown})");
    }
    let value = match figure.kind {
        // The count itself is in the column before.
        IndicatorKind::Count | IndicatorKind::Stock => String::new(),
        _ => LANGUAGE.bounds(figure, UnitSpace::Plain).unwrap_or_else(|| LANGUAGE.value(figure, UnitSpace::Plain)),
    };
    let target = match (figure.target, figure.denominator) {
        (Some(target), Some(_)) => format!("≥ {}", percent(target)),
        (Some(target), None) => format!("≥ {target}"),
        (None, _) => String::new(),
    };
    let met = match figure.met() {
        Some(Met::Yes) => "đạt",
        Some(Met::No) => "chưa đạt",
        Some(Met::Open) => "còn có thể đạt",
        Some(Met::Unknown) => "chưa rõ",
        None => "",
    };
    let met = LANGUAGE.annual_target(figure).unwrap_or_else(|| met.to_owned());
    let mut period = LANGUAGE.period(figure.period, Initial::Lower);
    // Readers must not compare a period that has not ended with a whole one.
    if figure.period.end() >= local(night.as_of).date() {
        period.push_str(" (chưa hết kỳ)");
    }
    vec![scope, period, counts, value, target, met]
}
