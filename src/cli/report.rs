//! `report`: figures of a published night.

use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::civil::Date;
use serde::Serialize;

use crate::cli::output::{self, Format, percent, print, thousands};
use crate::cli::{Base, Failure};
use crate::config::Configuration;
use crate::indicators::{Rank, RuleDifference, rank};
use crate::model::agency::Tier;
use crate::model::field::fold;
use crate::model::figure::{Figure, Met, Night, ratio};
use crate::model::indicator::{AgencyView, Better};
use crate::model::instant::{DAY_MICROS, from_local};
use crate::model::period::{PERIOD_FORMS, Period, PeriodKind, Span};
use crate::publish::{self, FigureRow};
use crate::run::{self, Asked};

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
    /// Kind of period. Where absent: all named ones in JSON and CSV, years in a table.
    #[arg(long)]
    by: Option<PeriodKind>,
    /// One period: `2026`, `2026-Q1`, `2026-03`, `2026-Q3s` (15th to 14th), `2026-W05`, a day, or `DAY..DAY`.
    #[arg(long)]
    period: Option<String>,
    /// From the beginning of the period's year to its last day.
    #[arg(long, requires = "period")]
    cumulative: bool,
    /// With the previous period and the same period of the year before.
    #[arg(long, requires = "period")]
    compare: bool,
    /// Under this rule set instead of each indicator's own.
    #[arg(long)]
    rules: Option<String>,
    /// One indicator in one period under every rule set, and how many dossiers each difference moves.
    #[arg(long, requires = "period", conflicts_with_all = ["rules", "compare", "rank", "agency", "tier", "by_agency", "as_if"])]
    compare_rules: bool,
    /// Whose dossiers they are, instead of as the rule set says.
    #[arg(long, value_enum)]
    by_agency: Option<View>,
    /// `today`: old agencies in the rows of their successors; what was split keeps a row of its own.
    #[arg(long, value_parser = ["today"])]
    as_if: Option<String>,
    /// The place of each agency within its tier.
    #[arg(long)]
    rank: bool,
    /// As the newest night on or before this day had them (yyyy-MM-dd).
    #[arg(long)]
    as_of: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Whose a dossier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum View {
    /// The agency competent to resolve.
    Competent,
    /// The counter that received it.
    Receiving,
    /// The unit that handles it.
    Handling,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
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
    if arguments.compare_rules {
        return compare_rules(&config, &record.night, &filter).await;
    }
    let figures = filter.computed(&config, &record.night).await?.unwrap_or(figures);
    filter.check_agency(&figures, &config)?;
    let chosen: Vec<&Figure> = figures.iter().filter(|figure| filter.takes(figure)).collect();
    let ranks = arguments.rank.then(|| rank(&chosen, |id| better(&config, id)));
    let rows = || -> Vec<FigureRow> {
        let row = |(index, figure): (usize, &&Figure)| {
            let row = FigureRow::new(figure, &record.night);
            match &ranks {
                Some(ranks) => row.with_rank(ranks[index]),
                None => row,
            }
        };
        chosen.iter().enumerate().map(row).collect()
    };
    let text = match arguments.format {
        Format::Json => publish::json(&rows()),
        Format::Csv => publish::csv(&rows()),
        Format::Table => ranked_table(&chosen, ranks.as_deref(), &record.night, &record.not_whole, &config),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn better(config: &Configuration, id: &str) -> Better {
    let known = config.indicators.iter().find(|indicator| indicator.definition.id == id);
    known.map_or(Better::default(), |indicator| indicator.definition.better)
}

/// One row of `report --compare-rules`.
#[derive(Debug, Serialize)]
struct DifferenceRow {
    rules: String,
    /// Null for the whole rule set.
    word: Option<String>,
    numerator: u64,
    denominator: u64,
    ratio: Option<f64>,
    moved: u64,
}

async fn compare_rules(config: &Configuration, night: &Night, filter: &Filter<'_>) -> Result<ExitCode, Failure> {
    let [indicator] = filter.arguments.indicators.as_slice() else {
        return Err(Failure::usage("`--compare-rules` takes one indicator"));
    };
    let period = filter.period.expect("the command line requires it");
    let found = run::compare_rules(config, night, indicator, period).await?;
    let rows: Vec<DifferenceRow> = found
        .into_iter()
        .map(|found| {
            let ratio = ratio(found.numerator, found.denominator);
            let RuleDifference { rules, word, numerator, denominator, moved } = found;
            DifferenceRow { rules, word, numerator, denominator, ratio, moved }
        })
        .collect();
    let text = match filter.arguments.format {
        Format::Json => output::json(&rows)?,
        Format::Csv => output::csv(&rows)?,
        Format::Table => {
            let headings = ["Bộ quy tắc", "Khác ở", "Đạt / tổng số", "Tỷ lệ", "Số hồ sơ tính khác"];
            let cells = rows.iter().map(|row| {
                vec![
                    row.rules.clone(),
                    row.word.clone().unwrap_or_else(|| "(cả bộ)".to_owned()),
                    format!("{} / {}", thousands(row.numerator), thousands(row.denominator)),
                    row.ratio.map_or("không phát sinh".to_owned(), percent),
                    thousands(row.moved),
                ]
            });
            output::table(&headings, cells.collect())
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn end_of_day(text: &str) -> Result<i64, Failure> {
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
    /// The period, and those that it is compared with.
    periods: Vec<Period>,
    kind: Option<PeriodKind>,
    tier: Option<Tier>,
    view: Option<AgencyView>,
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
        if period.is_none()
            && let Some(kind) = arguments.by.filter(|kind| !PeriodKind::NAMED.contains(kind))
        {
            let message = format!("`--by {}` needs `--period`: it is counted on demand, one at a time", kind.name());
            return Err(Failure::usage(message).with_hint(format!("write {PERIOD_FORMS}")));
        }
        let mut periods: Vec<Period> = period.into_iter().collect();
        if let Some(period) = period.filter(|_| arguments.compare) {
            periods.extend([period.previous(), period.a_year_before()].into_iter().flatten());
        }
        if arguments.cumulative {
            for period in &mut periods {
                *period = period.cumulative();
            }
        }
        let years = arguments.format == Format::Table && period.is_none();
        let kind = arguments.by.filter(|_| !arguments.cumulative).or(years.then_some(PeriodKind::Year));
        let tier = arguments.tier.as_deref().and_then(Tier::from_name);
        let view = arguments.by_agency.map(|view| match view {
            View::Competent => AgencyView::Competent,
            View::Receiving => AgencyView::Receiving,
            View::Handling => AgencyView::Handling,
        });
        let kind = kind.filter(|_| periods.len() < 2);
        Ok(Self { arguments, period: periods.first().copied(), periods, kind, tier, view })
    }

    /// Figures that the night does not store; `None` where it has all that is asked for.
    async fn computed(&self, config: &Configuration, night: &Night) -> Result<Option<Vec<Figure>>, Failure> {
        let is_stored = |period: &Period| PeriodKind::NAMED.contains(&period.kind());
        let asked = &self.arguments.indicators;
        let chosen = config.indicators.iter().map(|indicator| &indicator.definition);
        let mut chosen = chosen.filter(|definition| asked.is_empty() || asked.contains(&definition.id));
        let own_rules = self.arguments.rules.as_ref().is_none_or(|rules| chosen.all(|one| one.rules == *rules));
        if own_rules && self.view.is_none() && self.arguments.as_if.is_none() && self.periods.iter().all(is_stored) {
            return Ok(None);
        }
        let mut figures = Vec::new();
        let periods: Vec<Option<Period>> =
            if self.periods.is_empty() { vec![None] } else { self.periods.iter().copied().map(Some).collect() };
        for period in periods {
            let asked = Asked {
                indicators: self.arguments.indicators.clone(),
                rules: self.arguments.rules.clone(),
                view: self.view,
                as_if_today: self.arguments.as_if.is_some(),
                period,
            };
            figures.extend(run::figures_as_of(config, night, &asked).await?);
        }
        Ok(Some(figures))
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
            && (self.periods.is_empty() || self.periods.contains(&figure.period))
            && self.kind.is_none_or(|kind| figure.period.kind() == kind)
    }
}

/// Figures as people read them, grouped by indicator.
pub(super) fn table(figures: &[&Figure], night: &Night, not_whole: &[String], config: &Configuration) -> String {
    ranked_table(figures, None, night, not_whole, config)
}

fn ranked_table(
    figures: &[&Figure],
    ranks: Option<&[Option<Rank>]>,
    night: &Night,
    not_whole: &[String],
    config: &Configuration,
) -> String {
    let mut headings = vec!["Đơn vị", "Kỳ", "Đạt / tổng số", "Tỷ lệ", "Chỉ tiêu", "Kết quả"];
    headings.extend(ranks.map(|_| "Xếp hạng"));
    let mut text = String::new();
    for indicator in &config.indicators {
        let definition = &indicator.definition;
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut rules = None;
        for (index, figure) in figures.iter().enumerate().filter(|(_, figure)| figure.indicator == definition.id) {
            let mut cells = row(figure, config);
            cells.extend(ranks.map(|ranks| rank_text(ranks[index])));
            rows.push(cells);
            rules = Some(&figure.rules);
        }
        if let Some(rules) = rules {
            let own = if *rules == definition.rules { String::new() } else { format!("; quy tắc {rules}") };
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
        Some(Rank::Nothing) => "không phát sinh hồ sơ".to_owned(),
        None => String::new(),
    }
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
