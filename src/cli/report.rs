//! `report`: figures of a published night, and those that it does not store.

mod differences;
mod table;

use std::process::ExitCode;

use jiff::civil::Date;

use crate::cli::output::{Format, print, print_with};
use crate::cli::{Base, Failure};
use crate::config::Configuration;
use crate::indicators::{Rank, RankingRule, period_changes, rank};
use crate::model::agency::Tier;
use crate::model::field::fold;
use crate::model::figure::{Figure, Night};
use crate::model::instant::{DAY_MICROS, from_local};
use crate::model::period::{PERIOD_FORMS, Period, PeriodKind};
use crate::model::rules::AgencyView;
use crate::publish::{self, FigureRow, NightRecord};
use crate::run::{self, FigureRequest};

use self::differences::compare_rules;
pub(super) use self::table::table;
use self::table::{Beside, table_beside};

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
    /// Whose indicators, rule sets, registries and calendar decide what the night does not store.
    #[arg(long, value_enum, default_value_t)]
    definitions: Definitions,
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

/// Whose definitions decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Definitions {
    /// Those that the night kept.
    #[default]
    Night,
    /// Those of the configuration as it is now.
    Today,
}

impl Definitions {
    /// The configuration that a night's figures are computed by.
    pub(super) fn of(self, config: Configuration, record: &NightRecord) -> Result<Configuration, Failure> {
        if self == Self::Today {
            return Ok(config);
        }
        let kept = publish::read_definitions(&config.settings.data, record)?;
        config.of_night(&kept).map_err(|problems| {
            let message = format!("what night {} kept cannot be read any more: {problems}", record.night.run);
            Failure::usage(message).with_hint("`--definitions today` computes with the configuration as it is now")
        })
    }
}

/// The newest night, or the newest on or before a day.
pub(super) async fn night_of(
    config: &Configuration,
    as_of: Option<&str>,
) -> Result<(NightRecord, Vec<Figure>), Failure> {
    let moment = as_of.map(end_of_day).transpose()?;
    run::night_as_of(&config.settings.data, moment).await?.ok_or_else(|| {
        let folder = config.settings.data.display();
        match as_of {
            Some(day) => Failure::usage(format!("`{folder}` has no night on or before {day}")),
            None => Failure::usage(format!("no night is published in `{folder}`")).with_hint("`motcua run` makes one"),
        }
    })
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = base.load()?;
    let (record, figures) = match night_of(&config, arguments.as_of.as_deref()).await {
        Ok(night) => night,
        // A mistake in what is asked for is told where there is no night too; with one it is held against what that
        // knows.
        Err(no_night) => return Filter::new(arguments, &config).and(Err(no_night)),
    };
    let config = arguments.definitions.of(config, &record)?;
    let filter = Filter::new(arguments, &config)?;
    if arguments.compare_rules {
        return compare_rules(&config, &record.night, &filter).await;
    }
    let figures = filter.computed(&config, &record.night).await?.unwrap_or(figures);
    filter.check_agency(&figures, &config)?;
    let (chosen, ranks) = filter.chosen(&figures, &config);
    let changes = filter.period.filter(|_| arguments.compare).map(|period| period_changes(&chosen, period));
    let rows = || {
        chosen.iter().copied().enumerate().map(|(index, figure)| {
            let mut row = FigureRow::new(figure, &record.night);
            if let Some(ranks) = &ranks {
                row = row.with_rank(ranks[index]);
            }
            match &changes {
                Some(changes) => row.with_change(changes[index]),
                None => row,
            }
        })
    };
    match arguments.format {
        Format::Json => print_with(|out| publish::json(out, rows()))?,
        Format::Csv => print_with(|out| publish::csv(out, rows()))?,
        Format::Table => {
            let beside = Beside { ranks: ranks.as_deref(), changes: changes.as_deref() };
            print(&table_beside(&chosen, &beside, &record.night, &record.not_whole, &config))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn ranking_rule(config: &Configuration, id: &str) -> Option<RankingRule> {
    let known = config.indicators.iter().find(|indicator| indicator.definition.id == id);
    known.and_then(|indicator| RankingRule::of(&indicator.definition))
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
            let asked = FigureRequest {
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

    /// The figures asked for, with their ranks where those are: an agency's place is the one among all of its tier.
    fn chosen<'f>(
        &self,
        figures: &'f [Figure],
        config: &Configuration,
    ) -> (Vec<&'f Figure>, Option<Vec<Option<Rank>>>) {
        let everybody: Vec<&Figure> = figures.iter().filter(|figure| self.takes(figure)).collect();
        let ranks = if self.arguments.rank { rank(&everybody, |id| ranking_rule(config, id)) } else { Vec::new() };
        let asked = everybody.iter().enumerate().filter(|(_, figure)| self.is_of(figure));
        let (places, chosen): (Vec<usize>, Vec<&Figure>) = asked.unzip();
        (chosen, self.arguments.rank.then(|| places.into_iter().map(|place| ranks[place]).collect()))
    }

    /// Whether a figure is of the agency and the tier asked for.
    fn is_of(&self, figure: &Figure) -> bool {
        self.arguments.agency.as_ref().is_none_or(|agency| names(figure, agency))
            && (self.tier.is_none() || figure.tier == self.tier)
    }

    /// Whether a figure is of an indicator and a period asked for.
    fn takes(&self, figure: &Figure) -> bool {
        let asked = &self.arguments.indicators;
        (asked.is_empty() || asked.iter().any(|id| **id == *figure.indicator))
            && (self.periods.is_empty() || self.periods.contains(&figure.period))
            && self.kind.is_none_or(|kind| figure.period.kind() == kind)
    }
}
