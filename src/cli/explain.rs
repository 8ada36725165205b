//! `explain`: counts the dossiers behind a figure by what they are to it, and lists them.

mod dossier;
pub(super) mod list;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::{self, OutputFormat, number, print, print_message};
use crate::cli::{Failure, GlobalOptions, audit, typed};
use crate::config::Configuration;
use crate::indicators::{
    DOSSIER_COLUMNS, DossierCell, DossierPage, Explanation, FigureOf, Side, dossier_json, unexplained,
};
use crate::locale::moment;
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::IndicatorDefinition;
use crate::model::instant;
use crate::model::period::Period;
use crate::run::{self, ExplainRequest, ExplainedDossiers, FigureRequest};

/// Shown by `motcua explain --help`.
const EXAMPLES: &str = "\
Examples:
  motcua explain par-3.4.1 --period 2026-Q1 --agency H61.02
  motcua explain par-3.4.1 --period 2026-Q1 --agency H61.02 --side unknown
  motcua explain par-3.4.1 --period 2026-Q1 --dossier H61.02-260105-0007
  motcua explain par-3.4.3 --period 2026 --tier commune --side excluded --format csv";

/// Dossiers that a table shows if `--limit` is not given.
const ROWS_OF_A_TABLE: u32 = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Identifier of the indicator.
    indicator: String,
    /// The period, as in `report --period`.
    #[arg(long)]
    period: String,
    /// The figure of this agency, by code or name. Default: of the whole province.
    #[arg(long, conflicts_with = "tier")]
    agency: Option<String>,
    /// The figure of this tier.
    #[arg(long, value_parser = typed::tier, value_name = "province|district|commune")]
    tier: Option<Tier>,
    /// Explain one dossier, by its code, its national code or its key in the source: the conditions, the facts that decide
    /// them, and its versions.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["side", "offset", "limit", "agency", "tier"])]
    dossier: Option<String>,
    /// Which dossiers to list. Default: `not_in_numerator` for a ratio, else `in_numerator`.
    #[arg(long, value_enum)]
    side: Option<ListedSide>,
    /// Dossiers to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Most dossiers to list. Default: 20 in a table, all in JSON and CSV; 0 lists none.
    #[arg(long)]
    limit: Option<u32>,
    /// Explain by this rule set instead of the indicator's own.
    #[arg(long)]
    rules: Option<String>,
    /// `today`: attribute dossiers of former agencies to their successors.
    #[arg(long, value_parser = ["today"])]
    as_if: Option<String>,
    /// Use the newest night at or before this day or moment (`2026-10-01`, `2026-10-01T06:00`). Default: the newest night.
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    /// Indicator, rule sets, registries and calendar to use.
    #[arg(long, value_enum, default_value_t)]
    definitions: DefinitionSource,
    /// Output format. CSV has the listed dossiers only.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Value of `--side`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[clap(rename_all = "snake_case")]
enum ListedSide {
    /// Counted in the numerator.
    InNumerator,
    /// Counted in the denominator only.
    NotInNumerator,
    /// In the denominator, while the data do not say whether in the numerator.
    Unknown,
    /// The data do not say whether it counts.
    Undecided,
    /// Of the period and the agency, but not counted.
    Excluded,
}

impl ListedSide {
    fn side(self) -> Side {
        match self {
            Self::InNumerator => Side::InNumerator,
            Self::NotInNumerator => Side::NotInNumerator,
            Self::Unknown => Side::Unknown,
            Self::Undecided => Side::Undecided,
            Self::Excluded => Side::Excluded,
        }
    }
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    let (record, figures) = night_of(&config, arguments.as_of.as_deref()).await?;
    let config = arguments.definitions.of(config, &record)?;
    let definition = definition(&config, &arguments.indicator)?;
    let period = period(&arguments.period, &record.night)?;
    if let Some(rules) = &arguments.rules
        && !config.rules.contains_key(rules)
    {
        let known: Vec<&str> = config.rules.keys().map(String::as_str).collect();
        return Err(Failure::usage(format!("there is no rule set `{rules}`; there are: {}", known.join(", "))));
    }
    let figure = figure_of(&config, &figures, arguments)?;
    let side = arguments.side.map_or(Side::listed_first(definition), ListedSide::side);
    let limit = arguments.limit.unwrap_or(match arguments.format {
        OutputFormat::Table => ROWS_OF_A_TABLE,
        OutputFormat::Json | OutputFormat::Csv => u32::MAX,
    });
    let request = ExplainRequest {
        indicator: definition.id.clone(),
        figures: FigureRequest {
            indicators: vec![definition.id.clone()],
            rules: arguments.rules.clone(),
            view: None,
            as_if_today: arguments.as_if.is_some(),
            period: Some(period),
        },
        period,
        figure: figure.clone(),
        page: (limit > 0).then_some(DossierPage { side, offset: arguments.offset, limit }),
    };
    if let Some(code) = &arguments.dossier {
        return explain_dossier(&config, &record.night, request, code, arguments.format).await;
    }
    let what = format!("explain {} {period} {} {}", definition.id, figure.name(), side.name());
    audit::log_read(&config.settings.data, &what).await?;
    let explained = run::explain(&config, &record.night, request, ()).await?;
    let is_of_night = arguments.definitions == DefinitionSource::Night
        && arguments.rules.as_ref().is_none_or(|rules| *rules == definition.rules)
        && arguments.as_if.is_none();
    let published = published(&figures, definition, &figure, period).filter(|_| is_of_night);
    let name = name_of(&figure, &config, &figures);
    let night = &record.night;
    let shown = Shown { definition, figure: &figure, name, period, night, published, side, explained: &explained };
    match arguments.format {
        OutputFormat::Csv => print(&list::csv(&explained.dossiers)?)?,
        OutputFormat::Json => print(&format!("{:#}\n", shown.json(arguments)))?,
        OutputFormat::Table => print(&shown.text(arguments))?,
    }
    if let Some(difference) = shown.difference() {
        print_message(&difference);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain_dossier(
    config: &Configuration,
    night: &Night,
    request: ExplainRequest,
    code: &str,
    format: OutputFormat,
) -> Result<ExitCode, Failure> {
    let (indicator, period) = (request.indicator.clone(), request.period);
    audit::log_read(&config.settings.data, &format!("explain {indicator} {period}, one dossier")).await?;
    let found = run::explain_dossier(config, night, request, code.trim().to_owned()).await?;
    if found.is_empty() {
        return Err(Failure::usage(format!("no dossier of {period} has the code `{code}`")).with_hint(
            "the period is that of the date by which the indicator files dossiers; `motcua indicators show` names it",
        ));
    }
    match format {
        OutputFormat::Json => {
            let dossiers: Vec<Value> = found.iter().map(dossier::json).collect();
            print(&format!("{:#}\n", Value::Array(dossiers)))?;
        }
        OutputFormat::Csv => {
            let rows: Vec<Vec<DossierCell>> = found.into_iter().map(|found| found.dossier.cells).collect();
            print(&list::csv(&rows)?)?;
        }
        OutputFormat::Table => {
            let file_of = |connector: &str, run: i64, page: u32| run::file_of_page(config, connector, run, page);
            for found in &found {
                print(&dossier::text(found, &file_of))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn definition<'c>(config: &'c Configuration, id: &str) -> Result<&'c IndicatorDefinition, Failure> {
    let known = config.indicators.iter().map(|indicator| &indicator.definition).find(|known| known.id == id);
    let definition = known.ok_or_else(|| {
        Failure::usage(format!("there is no indicator `{id}`"))
            .with_hint("`motcua indicators list` shows the defined indicators")
    })?;
    match unexplained(definition) {
        None => Ok(definition),
        Some(reason) => Err(Failure::usage(format!("figures of `{id}` have no dossiers to list: {reason}"))
            .with_hint(format!("`motcua indicators show {id}` prints the definition"))),
    }
}

fn period(text: &str, night: &Night) -> Result<Period, Failure> {
    let period = typed::period(text)?;
    let today = instant::local(night.as_of).date();
    if period.start() > today {
        return Err(Failure::usage(format!("`{period}` begins after the night of {today}"))
            .with_hint("choose a period that has begun"));
    }
    Ok(period)
}

/// The figure that the arguments name.
fn figure_of(config: &Configuration, figures: &[Figure], arguments: &Arguments) -> Result<FigureOf, Failure> {
    Ok(match (&arguments.agency, arguments.tier) {
        (Some(wanted), _) => FigureOf::Agency(typed::agency(config, figures, wanted)?),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    })
}

/// What a figure is of, as a person reads it. A code alone would not show that a name was understood wrongly.
fn name_of(figure: &FigureOf, config: &Configuration, figures: &[Figure]) -> String {
    let code = match figure {
        FigureOf::Province => return "toàn tỉnh".to_owned(),
        FigureOf::Tier(Tier::Province) => return "các cơ quan cấp tỉnh".to_owned(),
        FigureOf::Tier(Tier::District) => return "các đơn vị cấp huyện".to_owned(),
        FigureOf::Tier(Tier::Commune) => return "các đơn vị cấp xã".to_owned(),
        FigureOf::Agency(code) => code,
    };
    let registered = config.registries.agencies.iter().find(|agency| agency.code == *code);
    let of_figure = || figures.iter().find(|figure| figure.agency.as_deref() == Some(code))?.agency_name.as_deref();
    match registered.map(|agency| agency.name.as_str()).or_else(of_figure) {
        Some(name) => format!("{name} ({code})"),
        None => code.clone(),
    }
}

/// The figure that the night published.
fn published<'f>(
    figures: &'f [Figure],
    definition: &IndicatorDefinition,
    figure: &FigureOf,
    period: Period,
) -> Option<&'f Figure> {
    figures
        .iter()
        .find(|published| figure.has(published) && *published.indicator == definition.id && published.period == period)
}

/// What is printed.
struct Shown<'a> {
    definition: &'a IndicatorDefinition,
    figure: &'a FigureOf,
    name: String,
    period: Period,
    night: &'a Night,
    published: Option<&'a Figure>,
    side: Side,
    explained: &'a ExplainedDossiers,
}

impl Shown<'_> {
    fn explanation(&self) -> &Explanation {
        &self.explained.explanation
    }

    /// Says how the dossiers differ from the published figure; `None` if they are equal, or if the night has no such figure.
    fn difference(&self) -> Option<String> {
        let [found, expected] = self.explanation().difference(self.published?)?;
        Some(format!(
            "error: the dossiers do not give the published figure: {found:?} instead of {expected:?} (denominator, numerator, unknown, undecided)\n\
             hint: run `motcua verify`; if it finds no damage, this is a mistake in motcua: report it"
        ))
    }

    fn text(&self, arguments: &Arguments) -> String {
        let mut text = String::new();
        let (definition, explanation) = (self.definition, self.explanation());
        let rules = arguments.rules.as_ref().unwrap_or(&definition.rules);
        let _ = writeln!(text, "{} · {} ({})", definition.id, definition.title.vi, definition.legal.place);
        let _ = writeln!(text, "{} · kỳ {} · quy tắc {rules}", self.name, self.period);
        let state = if self.night.complete { "đủ nguồn" } else { "CHƯA ĐỦ NGUỒN, số liệu tạm thời" };
        let _ = writeln!(text, "Tính lúc {}; {state}; lượt {}.\n", moment(self.night.as_of), self.night.run);
        let counts = Side::iter()
            .map(|side| vec![side.meaning()[0].to_owned(), number(explanation.count(side)), side.name().to_owned()]);
        text.push_str(&output::table(&["Hồ sơ", "Số hồ sơ", "--side"], counts.collect()));
        if !explanation.exclusions.is_empty() {
            let rows = explanation.exclusions.iter().map(|exclusion| {
                vec![exclusion.condition.clone(), exclusion.meaning_vi.clone(), number(exclusion.dossiers)]
            });
            let _ = writeln!(text, "\nKhông được tính vì điều kiện đầu tiên sau đây không đúng:");
            text.push_str(&output::table(&["Điều kiện", "Nghĩa", "Số hồ sơ"], rows.collect()));
        }
        let of = explanation.count(self.side);
        if self.explained.dossiers.is_empty() {
            if of > 0 && arguments.limit != Some(0) {
                let _ = writeln!(
                    text,
                    "\nChỉ có {} hồ sơ ({}): --offset {} vượt quá.",
                    number(of),
                    self.side.name(),
                    arguments.offset
                );
            }
            return text;
        }
        let first = u64::from(arguments.offset) + 1;
        let last = u64::from(arguments.offset) + self.explained.dossiers.len() as u64;
        let _ = writeln!(
            text,
            "\nHồ sơ {} đến {} trong {} ({}), trễ nhiều ngày nhất trước:",
            number(first),
            number(last),
            number(of),
            self.side.name()
        );
        // The whole row is in CSV and JSON; a terminal is narrower.
        let is_shown = |name: &str| {
            let of_sources =
                matches!(name, "agency_name" | "source_key" | "run" | "page" | "row" | "late_cause" | "returned_at");
            !of_sources && (name != "excluded_by" || self.side == Side::Excluded)
        };
        let columns: Vec<usize> = (0..DOSSIER_COLUMNS.len()).filter(|&at| is_shown(DOSSIER_COLUMNS[at].name)).collect();
        let headings: Vec<&str> = columns.iter().map(|&at| DOSSIER_COLUMNS[at].vi).collect();
        let row = |cells: &Vec<DossierCell>| {
            columns.iter().map(|&at| list::shown(&DOSSIER_COLUMNS[at], &cells[at])).collect()
        };
        text.push_str(&output::table(&headings, self.explained.dossiers.iter().map(row).collect()));
        if last < of {
            let _ = writeln!(text, "Xem tiếp: --offset {last}; tất cả: --format csv.");
        }
        text
    }

    fn json(&self, arguments: &Arguments) -> Value {
        let explanation = self.explanation();
        let counts = Side::iter().map(|side| (side.name().to_owned(), json!(explanation.count(side))));
        let exclusions: Vec<Value> = explanation
            .exclusions
            .iter()
            .map(|one| {
                json!({ "condition": one.condition, "meaning_vi": one.meaning_vi, "meaning_en": one.meaning_en, "dossiers": one.dossiers })
            })
            .collect();
        let (agency, tier) = self.figure.agency_and_tier();
        json!({
            "indicator": self.definition.id,
            "rules": arguments.rules.as_ref().unwrap_or(&self.definition.rules),
            "agency": agency,
            "tier": tier.map(Tier::name),
            "period": self.period.to_string(),
            "run": self.night.run,
            "as_of": instant::display(self.night.as_of),
            "counts": Value::Object(counts.collect()),
            "exclusions": exclusions,
            "side": self.side.name(),
            "offset": arguments.offset,
            "dossiers": self.explained.dossiers.iter().map(|row| dossier_json(row)).collect::<Vec<_>>(),
        })
    }
}
