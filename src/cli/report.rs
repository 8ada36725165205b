//! `report`: figures of a published night.

use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::civil::Date;

use crate::cli::output::{self, Format, percent, print, thousands};
use crate::cli::{Base, Failure};
use crate::config::Configuration;
use crate::model::agency::Tier;
use crate::model::field::fold;
use crate::model::figure::{Figure, Met, Night};
use crate::model::instant::{DAY_MICROS, from_local};
use crate::model::period::{PERIOD_FORMS, Period, PeriodKind, Span};
use crate::publish::{self, FigureRow};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Indicators by identifier; all if absent.
    indicators: Vec<String>,
    /// Only this agency: its code or name.
    #[arg(long)]
    agency: Option<String>,
    /// Only this tier: its own row and its agencies.
    #[arg(long, value_parser = ["province", "district", "commune"])]
    tier: Option<String>,
    /// Kind of period. Where absent: all in JSON and CSV, years in a table.
    #[arg(long)]
    by: Option<PeriodKind>,
    /// One period: `2026`, `2026-Q1` or `2026-03`.
    #[arg(long)]
    period: Option<String>,
    /// Only figures under this rule set.
    #[arg(long)]
    rules: Option<String>,
    /// As the newest night on or before this day had them (yyyy-MM-dd).
    #[arg(long)]
    as_of: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = base.load()?;
    let filter = Filter::new(arguments, &config)?;
    let as_of = arguments.as_of.as_deref().map(end_of_day).transpose()?;
    let Some((record, figures)) = publish::read_night(&config.settings.data, as_of)? else {
        let folder = config.settings.data.display();
        return Err(match &arguments.as_of {
            Some(day) => Failure::usage(format!("`{folder}` has no night on or before {day}")),
            None => Failure::usage(format!("no night is published in `{folder}`")).with_hint("`motcua run` makes one"),
        });
    };
    filter.check_agency(&figures, &config)?;
    let chosen: Vec<&Figure> = figures.iter().filter(|figure| filter.takes(figure)).collect();
    let rows = || -> Vec<FigureRow> { chosen.iter().map(|figure| FigureRow::new(figure, &record.night)).collect() };
    let text = match arguments.format {
        Format::Json => publish::json(&rows()),
        Format::Csv => publish::csv(&rows()),
        Format::Table => table(&chosen, &record.night, &record.not_whole, &config),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn end_of_day(text: &str) -> Result<i64, Failure> {
    let day: Date = text.parse().map_err(|_| Failure::usage(format!("`{text}` is no date (yyyy-MM-dd)")))?;
    Ok(from_local(day.into()) + DAY_MICROS - 1)
}

/// Whether a figure is an agency's, by its code or name; case and spacing do not count.
fn names(figure: &Figure, agency: &str) -> bool {
    [&figure.agency, &figure.agency_name].into_iter().flatten().any(|name| fold(name) == fold(agency))
}

/// What is asked for.
struct Filter<'a> {
    arguments: &'a Arguments,
    period: Option<Period>,
    kind: Option<PeriodKind>,
    tier: Option<Tier>,
}

impl<'a> Filter<'a> {
    fn new(arguments: &'a Arguments, config: &Configuration) -> Result<Self, Failure> {
        for id in &arguments.indicators {
            if !config.indicators.iter().any(|indicator| indicator.definition.id == *id) {
                return Err(Failure::usage(format!("there is no indicator `{id}`"))
                    .with_hint("`motcua indicators list` names those that are defined"));
            }
        }
        if let Some(rules) = &arguments.rules
            && !config.rules.contains_key(rules)
        {
            let known: Vec<&str> = config.rules.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!("there is no rule set `{rules}`; there are: {}", known.join(", "))));
        }
        let period = match &arguments.period {
            None => None,
            Some(text) => Some(Period::parse(text).ok_or_else(|| {
                Failure::usage(format!("`{text}` is no period")).with_hint(format!("write {PERIOD_FORMS}"))
            })?),
        };
        if let (Some(period), Some(kind)) = (period, arguments.by)
            && period.kind() != kind
        {
            let message = format!("`{period}` is a {}, `--by` asks for a {}", period.kind().name(), kind.name());
            return Err(Failure::usage(message));
        }
        let years = arguments.format == Format::Table && period.is_none();
        let kind = arguments.by.or(years.then_some(PeriodKind::Year));
        let tier = arguments.tier.as_deref().and_then(Tier::from_name);
        Ok(Self { arguments, period, kind, tier })
    }

    /// An agency that neither the figures nor the registry know is a mistake, not an empty answer.
    fn check_agency(&self, figures: &[Figure], config: &Configuration) -> Result<(), Failure> {
        let Some(asked) = &self.arguments.agency else { return Ok(()) };
        let registered = config.registries.agencies.iter();
        let known = registered.flat_map(|agency| [&agency.code, &agency.name]).any(|name| fold(name) == fold(asked));
        if known || figures.iter().any(|figure| names(figure, asked)) {
            return Ok(());
        }
        Err(Failure::usage(format!("there is no agency `{asked}`, neither in the registry nor in the figures"))
            .with_hint("give its code or its name as `report` prints it"))
    }

    fn takes(&self, figure: &Figure) -> bool {
        let asked = &self.arguments.indicators;
        let is_agency = |agency: &String| names(figure, agency);
        (asked.is_empty() || asked.contains(&figure.indicator))
            && self.arguments.agency.as_ref().is_none_or(is_agency)
            && (self.tier.is_none() || figure.tier == self.tier)
            && self.period.is_none_or(|period| figure.period == period)
            && self.kind.is_none_or(|kind| figure.period.kind() == kind)
            && self.arguments.rules.as_ref().is_none_or(|rules| figure.rules == *rules)
    }
}

/// Figures as people read them, grouped by indicator.
pub(super) fn table(figures: &[&Figure], night: &Night, not_whole: &[String], config: &Configuration) -> String {
    let headings = ["Đơn vị", "Kỳ", "Đạt / tổng số", "Tỷ lệ", "Chỉ tiêu", "Kết quả"];
    let mut text = String::new();
    for indicator in &config.indicators {
        let definition = &indicator.definition;
        let rows: Vec<Vec<String>> = figures
            .iter()
            .filter(|figure| figure.indicator == definition.id)
            .map(|figure| row(figure, config))
            .collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "\n{} · {} ({})", definition.id, definition.title.vi, definition.legal.place);
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

fn moment(micros: i64) -> String {
    crate::model::instant::local(micros).strftime("%d/%m/%Y %H:%M").to_string()
}

fn row(figure: &Figure, config: &Configuration) -> Vec<String> {
    let who = match (&figure.agency, figure.tier) {
        (Some(code), _) => figure.agency_name.clone().unwrap_or_else(|| code.clone()),
        (None, None) => format!("Toàn tỉnh {}", config.settings.province.name),
        (None, Some(Tier::Province)) => "Cấp tỉnh".to_owned(),
        (None, Some(Tier::District)) => "Cấp huyện".to_owned(),
        (None, Some(Tier::Commune)) => "Cấp xã".to_owned(),
    };
    let counts = match figure.denominator {
        Some(denominator) => format!("{} / {}", thousands(figure.numerator), thousands(denominator)),
        None => thousands(figure.numerator),
    };
    let ratio = match (figure.ratio(), figure.denominator) {
        (Some(ratio), _) => percent(ratio),
        (None, Some(_)) => "không phát sinh".to_owned(),
        (None, None) => String::new(),
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
    vec![who, period(figure.period), counts, ratio, target, met.to_owned()]
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
