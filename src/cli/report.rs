//! `report`: prints figures of a published night, and computes those that the night does not store.

mod differences;
mod integrity;
mod night_figures;
mod table;

use std::process::ExitCode;

use crate::cli::language::{self, text};
use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::{OutputFormat, print, print_message, print_with};
use crate::cli::{Failure, GlobalOptions, typed};
use crate::config::Configuration;
use crate::indicators::{Rank, RankingRule, period_changes, rank};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::period::{PERIOD_FORMS, Period, PeriodKind};
use crate::model::rules::AgencyView;
use crate::publish::{self, FigureRow};
use crate::run::{self, FigureRequest};

/// Shown by `motcua report --help`.
const EXAMPLES: &str = "\
Examples:
  motcua report par-3.4.1 --by year
  motcua report --period 2026-Q1 --tier commune --rank
  motcua report par-3.4.1 --period 2026-03 --compare
  motcua report --period 2026 --as-of 2026-06-30 --format csv
  motcua report par-3.4.1 --period 2026-Q3 --diff 2026-10-01T06:00 2026-10-02T06:00";

use self::differences::compare_rules;
pub(super) use self::table::table;
use self::table::{ExtraColumns, table_with};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Identifiers of indicators. Default: all.
    indicators: Vec<String>,
    /// Only this agency, by code or name.
    #[arg(long)]
    agency: Option<String>,
    /// Only this tier: its own figures and those of its agencies.
    #[arg(long, value_parser = typed::tier, value_name = "province|district|commune")]
    tier: Option<Tier>,
    /// Kind of period. Default: years in a table, all named kinds in JSON and CSV.
    #[arg(long)]
    by: Option<PeriodKind>,
    /// One period: `tháng 3/2026`, `quý 1/2026`, `năm 2026`, or `2026`, `2026-H1`, `2026-9M`, `2026-Q1`, `2026-03`, with `s` for the 15th to the 14th (`2026-Q3s`),
    /// a week `2026-W05`, a day `2026-03-05`, or `DAY..DAY`.
    #[arg(long)]
    period: Option<String>,
    /// From the first day of the period's year to the period's last day.
    #[arg(long, requires = "period")]
    cumulative: bool,
    /// Also the previous period and the same period of the year before, with the changes.
    #[arg(long, requires = "period")]
    compare: bool,
    /// Compute with this rule set instead of each indicator's own.
    #[arg(long)]
    rules: Option<String>,
    /// Compute one indicator in one period under every rule set; show how many dossiers each difference affects.
    #[arg(long, requires = "period", conflicts_with_all = ["rules", "compare", "rank", "agency", "tier", "by_agency", "as_if"])]
    compare_rules: bool,
    /// For one ratio of dossiers on time in one period: agencies whose dossiers were changed later so that the ratio looks better, and
    /// the ratio without those dossiers.
    #[arg(long, requires = "period", conflicts_with_all = ["compare_rules", "rules", "compare", "rank", "by_agency", "as_if", "diff"])]
    integrity: bool,
    /// Agency that a dossier is attributed to. Default: the rule set's setting.
    #[arg(long, value_enum)]
    by_agency: Option<ByAgency>,
    /// `today`: attribute dossiers of former agencies to their successors. An agency that was split keeps its own
    /// figures.
    #[arg(long, value_parser = ["today"])]
    as_if: Option<String>,
    /// Also the rank of each agency within its tier.
    #[arg(long)]
    rank: bool,
    /// Use the newest night at or before this day or moment (`2026-10-01`, `2026-10-01T06:00`). Default: the newest night.
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    /// List the figures that differ between two nights, each named by its run or by a day or moment. With one indicator and
    /// `--period` also the dossiers that moved, and why.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["compare", "compare_rules", "rank", "rules", "by_agency", "as_if", "as_of", "definitions"])]
    diff: Option<Vec<String>>,
    /// Indicators, rule sets, registries and calendar for figures that the night does not store.
    #[arg(long, value_enum, default_value_t)]
    definitions: DefinitionSource,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Value of `--by-agency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ByAgency {
    /// The agency that is competent to resolve the dossier.
    Competent,
    /// The counter that received it.
    Receiving,
    /// The unit that processes it.
    Handling,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    if let Some([before, after]) = arguments.diff.as_deref().and_then(|nights| nights.first_chunk()) {
        return night_figures::compare(config, arguments, [before, after]).await;
    }
    let (record, figures) = match night_of(&config, arguments.as_of.as_deref()).await {
        Ok(night) => night,
        // Without a night, wrong arguments are still reported first, checked against today's configuration.
        Err(no_night) => return FigureFilter::new(arguments, &config).and(Err(no_night)),
    };
    let config = arguments.definitions.of(config, &record)?;
    let mut filter = FigureFilter::new(arguments, &config)?;
    if arguments.compare_rules {
        return compare_rules(&config, &record.night, &filter).await;
    }
    if arguments.integrity {
        filter.find_agency(&figures, &config)?;
        return integrity::show(&config, &record.night, &filter).await;
    }
    let figures = filter.computed(&config, &record.night).await?.unwrap_or(figures);
    filter.find_agency(&figures, &config)?;
    let (selected, ranks) = filter.select(&figures, &config);
    let changes = filter.period.filter(|_| arguments.compare).map(|period| period_changes(&selected, period));
    let rows = || {
        selected.iter().copied().enumerate().map(|(index, figure)| {
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
        OutputFormat::Json => print_with(|out| publish::json(out, rows()))?,
        OutputFormat::Csv => print_with(|out| publish::csv(out, rows()))?,
        OutputFormat::Table => {
            let extra = ExtraColumns { ranks: ranks.as_deref(), changes: changes.as_deref() };
            print(&table_with(&selected, &extra, &record.night, &record.not_whole, &config))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn ranking_rule(config: &Configuration, id: &str) -> Option<RankingRule> {
    let known = config.indicators.iter().find(|indicator| indicator.definition.id == id);
    known.and_then(|indicator| RankingRule::of(&indicator.definition))
}

/// The checked arguments: which figures are selected.
struct FigureFilter<'a> {
    arguments: &'a Arguments,
    period: Option<Period>,
    /// The period, followed by those that it is compared with.
    periods: Vec<Period>,
    kind: Option<PeriodKind>,
    tier: Option<Tier>,
    view: Option<AgencyView>,
    /// Code of the only agency.
    agency: Option<String>,
}

impl<'a> FigureFilter<'a> {
    fn new(arguments: &'a Arguments, config: &Configuration) -> Result<Self, Failure> {
        for id in &arguments.indicators {
            if !config.indicators.iter().any(|indicator| indicator.definition.id == *id) {
                return Err(Failure::no_indicator(id, config));
            }
        }
        if let Some(rules) = &arguments.rules
            && !config.rules.contains_key(rules)
        {
            return Err(Failure::no_rule_set(rules, config));
        }
        let period = match &arguments.period {
            None => None,
            Some(text) => Some(typed::period(text)?),
        };
        if let (Some(period), Some(kind)) = (period, arguments.by)
            && period.kind() != kind
        {
            let [of_period, by] = [period.kind().name(), kind.name()];
            let message = text!(
                "`{period}` là kỳ loại `{of_period}`, nhưng `--by` là `{by}`",
                "`{period}` is a {of_period}, but `--by` is {by}"
            );
            return Err(Failure::usage(message).with_hint(language::of("bỏ `--by`", "leave out `--by`")));
        }
        if period.is_none()
            && let Some(kind) = arguments.by.filter(|kind| !PeriodKind::NAMED.contains(kind))
        {
            let by = kind.name();
            let message = text!(
                "`--by {by}` cần `--period`: số liệu loại này được tính cho từng kỳ một",
                "`--by {by}` needs `--period`: figures of this kind are computed for one period at a time"
            );
            return Err(Failure::usage(message).with_hint(text!("ghi {PERIOD_FORMS}", "write {PERIOD_FORMS}")));
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
        let years = arguments.format == OutputFormat::Table && period.is_none();
        let kind = arguments.by.filter(|_| !arguments.cumulative).or(years.then_some(PeriodKind::Year));
        let view = arguments.by_agency.map(|view| match view {
            ByAgency::Competent => AgencyView::Competent,
            ByAgency::Receiving => AgencyView::Receiving,
            ByAgency::Handling => AgencyView::Handling,
        });
        let kind = kind.filter(|_| periods.len() < 2);
        Ok(Self {
            arguments,
            period: periods.first().copied(),
            periods,
            kind,
            tier: arguments.tier,
            view,
            agency: None,
        })
    }

    /// Figures computed on demand; `None` if the night stores all selected figures.
    async fn computed(&self, config: &Configuration, night: &Night) -> Result<Option<Vec<Figure>>, Failure> {
        let is_stored = |period: &Period| PeriodKind::NAMED.contains(&period.kind());
        let wanted = &self.arguments.indicators;
        let chosen = config.indicators.iter().map(|indicator| &indicator.definition);
        let mut chosen = chosen.filter(|definition| wanted.is_empty() || wanted.contains(&definition.id));
        let own_rules = self.arguments.rules.as_ref().is_none_or(|rules| chosen.all(|one| one.rules == *rules));
        if own_rules && self.view.is_none() && self.arguments.as_if.is_none() && self.periods.iter().all(is_stored) {
            return Ok(None);
        }
        let mut figures = Vec::new();
        let periods: Vec<Option<Period>> =
            if self.periods.is_empty() { vec![None] } else { self.periods.iter().copied().map(Some).collect() };
        for period in periods {
            let query = FigureRequest {
                indicators: self.arguments.indicators.clone(),
                rules: self.arguments.rules.clone(),
                view: self.view,
                as_if_today: self.arguments.as_if.is_some(),
                period,
            };
            report_unfit(&query, config)?;
            figures.extend(run::figures_as_of(config, night, &query).await?);
        }
        Ok(Some(figures))
    }

    /// Finds the agency that the arguments name. Refuses one that is neither in the figures nor in the registry, instead of
    /// printing nothing.
    fn find_agency(&mut self, figures: &[Figure], config: &Configuration) -> Result<(), Failure> {
        let wanted = self.arguments.agency.as_ref();
        self.agency = wanted.map(|wanted| typed::agency(config, figures, wanted)).transpose()?;
        Ok(())
    }

    /// The selected figures, with ranks if they were requested. An agency is ranked among all agencies of its tier.
    fn select<'f>(
        &self,
        figures: &'f [Figure],
        config: &Configuration,
    ) -> (Vec<&'f Figure>, Option<Vec<Option<Rank>>>) {
        let of_all_agencies: Vec<&Figure> =
            figures.iter().filter(|figure| self.is_of_indicator_and_period(figure)).collect();
        let ranks =
            if self.arguments.rank { rank(&of_all_agencies, |id| ranking_rule(config, id)) } else { Vec::new() };
        let selected = of_all_agencies.iter().enumerate().filter(|(_, figure)| self.is_of_agency_and_tier(figure));
        let (indices, figures): (Vec<usize>, Vec<&Figure>) = selected.unzip();
        (figures, self.arguments.rank.then(|| indices.into_iter().map(|index| ranks[index]).collect()))
    }

    fn is_of_agency_and_tier(&self, figure: &Figure) -> bool {
        self.agency.as_deref().is_none_or(|agency| figure.agency.as_deref() == Some(agency))
            && (self.tier.is_none() || figure.tier == self.tier)
    }

    fn is_of_indicator_and_period(&self, figure: &Figure) -> bool {
        let wanted = &self.arguments.indicators;
        (wanted.is_empty() || wanted.iter().any(|id| **id == *figure.indicator))
            && (self.periods.is_empty() || self.periods.contains(&figure.period))
            && self.kind.is_none_or(|kind| figure.period.kind() == kind)
    }
}

/// Says which indicators a rule set cannot compute; those that are asked for by name are a failure.
pub(super) fn report_unfit(request: &FigureRequest, config: &Configuration) -> Result<(), Failure> {
    let unfit = request.unfit(config);
    let listed: Vec<String> = unfit.iter().map(|(id, reason)| format!("`{id}`: {reason}")).collect();
    if listed.is_empty() {
        return Ok(());
    }
    let rules = request.rules.as_deref().unwrap_or_default();
    let message = text!(
        "bộ quy tắc `{rules}` đọc trạng thái vào cuối mỗi kỳ; {}",
        "rule set `{rules}` reads the state at each period's end; {}",
        listed.join("; ")
    );
    if request.indicators.is_empty() {
        print_message(&text!("bỏ qua: {message}", "left out: {message}"));
        return Ok(());
    }
    Err(Failure::usage(message).with_hint(language::of(
        "hỏi một kỳ: `motcua report --rules … --period 2026-Q1`",
        "ask for one period: `motcua report --rules … --period 2026-Q1`",
    )))
}
