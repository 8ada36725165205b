//! Figures as people read them: Vietnamese, grouped by indicator.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::cli::output::{self, decimal, percent, thousands};
use crate::config::Configuration;
use crate::indicators::Rank;
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Met, Night};
use crate::model::indicator::IndicatorKind;
use crate::model::instant::local;
use crate::model::period::{Period, Span};

/// Figures as people read them, grouped by indicator.
pub(in crate::cli) fn table(
    figures: &[&Figure],
    night: &Night,
    not_whole: &[String],
    config: &Configuration,
) -> String {
    table_beside(figures, &Beside::default(), night, not_whole, config)
}

/// What stands beside each figure, where it was asked for.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    pub(super) ranks: Option<&'a [Option<Rank>]>,
    pub(super) changes: Option<&'a [Option<f64>]>,
}

pub(super) fn table_beside(
    figures: &[&Figure],
    beside: &Beside<'_>,
    night: &Night,
    not_whole: &[String],
    config: &Configuration,
) -> String {
    let mut headings = vec!["Đơn vị", "Kỳ", "Đạt / tổng số", "Tỷ lệ", "Chỉ tiêu", "Kết quả"];
    headings.extend(beside.ranks.map(|_| "Xếp hạng"));
    headings.extend(beside.changes.map(|_| "Kỳ báo cáo so với kỳ này"));
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
            cells.extend(beside.ranks.map(|ranks| rank_text(ranks[index])));
            cells.extend(beside.changes.map(|changes| change_text(figure.kind, changes[index])));
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
    let until = night.data_until.map_or("–".to_owned(), moment);
    let _ = writeln!(text, "\nTính lúc {}; dữ liệu đến {until}; {state}; lượt {}.", moment(night.as_of), night.run);
    text
}

fn rank_text(rank: Option<Rank>) -> String {
    match rank {
        Some(Rank::Place(place)) => place.to_string(),
        Some(Rank::TooFew) => "ít hồ sơ".to_owned(),
        Some(Rank::NoDossiers) => "không phát sinh hồ sơ".to_owned(),
        None => String::new(),
    }
}

fn change_text(kind: IndicatorKind, change: Option<f64>) -> String {
    let Some(change) = change else { return String::new() };
    let sign = if change < 0.0 { "−" } else { "+" };
    let size = change.abs();
    match kind {
        IndicatorKind::Ratio => format!("{sign}{} điểm %", decimal((size * 10_000.0).round() / 100.0)),
        IndicatorKind::Mean | IndicatorKind::Median => format!("{sign}{} giờ làm việc", decimal(size)),
        IndicatorKind::Count | IndicatorKind::Stock => format!("{sign}{size}"),
    }
}

fn moment(micros: i64) -> String {
    local(micros).strftime("%d/%m/%Y %H:%M").to_string()
}

fn row(figure: &Figure, night: &Night, config: &Configuration) -> Vec<String> {
    let who = match (&figure.agency, figure.tier) {
        (Some(code), _) => figure.agency_name.as_ref().unwrap_or(code).to_string(),
        (None, None) => format!("Toàn tỉnh {}", config.settings.province.name),
        (None, Some(Tier::Province)) => "Cấp tỉnh".to_owned(),
        (None, Some(Tier::District)) => "Cấp huyện".to_owned(),
        (None, Some(Tier::Commune)) => "Cấp xã".to_owned(),
    };
    let counts = match (figure.kind, figure.denominator) {
        (IndicatorKind::Mean, Some(whole)) => {
            format!("{} giờ / {} hồ sơ", thousands(figure.numerator), thousands(whole))
        }
        (IndicatorKind::Median, Some(whole)) => format!("{} hồ sơ", thousands(whole)),
        (_, Some(whole)) => format!("{} / {}", thousands(figure.numerator), thousands(whole)),
        (_, None) => thousands(figure.numerator),
    };
    let ratio = match (figure.kind, figure.value()) {
        (IndicatorKind::Count | IndicatorKind::Stock, _) => String::new(),
        (_, None) => "không phát sinh".to_owned(),
        (IndicatorKind::Ratio, Some(ratio)) => percent(ratio),
        (_, Some(hours)) => format!("{} giờ làm việc", decimal(hours)),
    };
    let target = match (figure.target, figure.denominator) {
        (Some(target), Some(_)) => format!("≥ {}", percent(target)),
        (Some(target), None) => format!("≥ {target}"),
        (None, _) => String::new(),
    };
    let met = match figure.met() {
        Some(Met::Yes) => "đạt",
        Some(Met::No) => "không đạt",
        Some(Met::Open) => "còn có thể đạt",
        None => "",
    };
    // A period that runs is no match for a whole one.
    let runs = figure.period.end() >= local(night.as_of).date();
    let when = if runs { format!("{} (chưa hết kỳ)", period(figure.period)) } else { period(figure.period) };
    vec![who, when, counts, ratio, target, met.to_owned()]
}

fn period(period: Period) -> String {
    let span = |year: i16, span: Span| match span {
        Span::Month(month) => format!("tháng {month}/{year}"),
        Span::Quarter(quarter) => format!("quý {quarter}/{year}"),
        Span::HalfYear(1) => format!("6 tháng đầu năm {year}"),
        Span::HalfYear(_) => format!("6 tháng cuối năm {year}"),
        Span::NineMonths => format!("9 tháng năm {year}"),
        Span::Year => format!("năm {year}"),
    };
    let day = |day: Date| day.strftime("%d/%m/%Y").to_string();
    match period {
        Period::Month { year, month } => span(year, Span::Month(month)),
        Period::Quarter { year, quarter } => span(year, Span::Quarter(quarter)),
        Period::HalfYear { year, half } => span(year, Span::HalfYear(half)),
        Period::NineMonths { year } => span(year, Span::NineMonths),
        Period::Year { year } => span(year, Span::Year),
        Period::Statutory { year, span: part } => {
            let (from, to) = (period.start().strftime("%d/%m"), period.end().strftime("%d/%m"));
            format!("{} ({from}–{to})", span(year, part))
        }
        Period::Week { year, week } => format!("tuần {week}/{year}"),
        Period::Day(date) => day(date),
        Period::Range { from, to } => format!("{}–{}", day(from), day(to)),
    }
}
