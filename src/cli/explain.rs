//! `explain`: counts what is behind a figure (dossiers, procedures, agencies, feedback, measures) by what it is to it, and lists it.

mod dossier;

use std::fmt::Write as _;
use std::process::ExitCode;

use strum::IntoEnumIterator as _;

use crate::cli::list_output::{ListOutput, WorkbookHead};
use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::{self, LANGUAGE, number, print_message};
use crate::cli::{Failure, GlobalOptions, audit, typed};
use crate::config::Configuration;
use crate::indicators::{DOSSIER_COLUMNS, DossierPage, ExplainedUnits, Explanation, FigureOf, Side, unexplained};
use crate::lists::{self, DossierAnswer, ExplainedAnswer, ExplainedOf};
use crate::locale::{Initial, moment};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::{CountedUnit, IndicatorDefinition};
use crate::model::instant;
use crate::model::list::{List, ListCell};
use crate::model::period::Period;
use crate::run::{self, ExplainRequest, FigureRequest};

/// Shown by `motcua explain --help`.
const EXAMPLES: &str = "\
Examples:
  motcua explain par-3.4.1 --period 2026-Q1 --agency H61.02
  motcua explain par-3.4.1 --period 2026-Q1 --agency H61.02 --side unknown
  motcua explain par-3.4.1 --period 2026-Q1 --dossier H61.02-260105-0007
  motcua explain par-3.4.3 --period 2026 --tier commune --side excluded --format csv
  motcua explain par-3.4.1 --period 2026-Q1 --agency H61.02 --format xlsx --output ho-so.xlsx";

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
    #[arg(long, value_parser = typed::one_of(Side::name, Side::meaning))]
    side: Option<Side>,
    /// Dossiers to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Most dossiers to list. Default: 20 in a table, else all; 0 lists none.
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
    #[command(flatten)]
    output: ListOutput,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = &arguments.output;
    output.check()?;
    let config = options.load_readable()?;
    let (record, figures) = night_of(&config, arguments.as_of.as_deref()).await?;
    let config = arguments.definitions.of(config, &record)?;
    let definition = definition(&config, arguments)?;
    let period = period(&arguments.period, &record.night)?;
    if let Some(rules) = &arguments.rules
        && !config.rules.contains_key(rules)
    {
        let known: Vec<&str> = config.rules.keys().map(String::as_str).collect();
        return Err(Failure::usage(format!("there is no rule set `{rules}`; there are: {}", known.join(", "))));
    }
    let figure = typed::figure_of(&config, &figures, (arguments.agency.as_deref(), arguments.tier))?;
    let side = arguments.side.unwrap_or(Side::listed_first(definition));
    let limit = output.limit(arguments.limit, ROWS_OF_A_TABLE);
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
        return explain_dossier(&config, &record.night, request, code, output).await;
    }
    let what = format!("explain {} {period} {} {}", definition.id, figure.name(), side.name());
    audit::log_read(&config.settings.data, &what).await?;
    let explained = run::explain(&config, &record.night, request, ()).await?;
    let is_of_night = arguments.definitions == DefinitionSource::Night
        && arguments.rules.as_ref().is_none_or(|rules| *rules == definition.rules)
        && arguments.as_if.is_none();
    let published = published(&figures, definition, &figure, period).filter(|_| is_of_night);
    let name = typed::scope_name(&figure, &config, &figures);
    let night = &record.night;
    let shown = Shown { definition, figure: &figure, name, period, night, published, side, explained: &explained };
    let list = List::new(explained.columns, explained.rows.clone());
    let title = format!("{} · {}", definition.id, definition.title.vi);
    let about = vec![
        ("Phạm vi", shown.name.clone()),
        ("Kỳ", LANGUAGE.period(period, Initial::Upper)),
        ("Nhóm", side.meaning()[0].to_owned()),
    ];
    output.give(&list, WorkbookHead { title: &title, about, night }, &shown.answer(arguments), || {
        shown.text(arguments)
    })?;
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
    output: &ListOutput,
) -> Result<ExitCode, Failure> {
    let (indicator, period) = (request.indicator.clone(), request.period);
    audit::log_read(&config.settings.data, &format!("explain {indicator} {period}, one dossier")).await?;
    let found = run::explain_dossier(config, night, request, code.trim().to_owned()).await?;
    if found.is_empty() {
        return Err(Failure::usage(format!("no dossier of {period} has the code `{code}`")).with_hint(
            "the period is that of the date by which the indicator files dossiers; `motcua indicators show` names it",
        ));
    }
    let list = List::new(DOSSIER_COLUMNS, found.iter().map(|found| found.dossier.cells.clone()).collect());
    let answer: Vec<DossierAnswer> = found.iter().map(DossierAnswer::new).collect();
    let title = format!("{indicator} · {code}");
    let about = vec![("Kỳ", LANGUAGE.period(period, Initial::Upper))];
    let file_of = |connector: &str, run: i64, page: u32| run::file_of_page(config, connector, run, page);
    output.give(&list, WorkbookHead { title: &title, about, night }, &answer, || {
        found.iter().map(|found| dossier::text(found, &file_of)).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn definition<'c>(config: &'c Configuration, arguments: &Arguments) -> Result<&'c IndicatorDefinition, Failure> {
    let id = &arguments.indicator;
    let known = config.indicators.iter().map(|indicator| &indicator.definition).find(|known| known.id == *id);
    let definition = known.ok_or_else(|| {
        Failure::usage(format!("there is no indicator `{id}`"))
            .with_hint("`motcua indicators list` shows the defined indicators")
    })?;
    match unexplained(definition).filter(|_| arguments.dossier.is_some()) {
        None => Ok(definition),
        Some(reason) => Err(Failure::usage(format!("figures of `{id}` have no dossiers to explain: {reason}"))
            .with_hint("leave out `--dossier` to list what they count")),
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
    explained: &'a ExplainedUnits,
}

impl Shown<'_> {
    fn explanation(&self) -> &Explanation {
        &self.explained.explanation
    }

    /// Says how the dossiers differ from the published figure; `None` if they are equal, or if the night has no such figure.
    fn difference(&self) -> Option<String> {
        let [found, expected] = self.explained.difference(self.published?)?;
        Some(format!(
            "error: what is listed does not give the published figure: {found:?} instead of {expected:?} (denominator, numerator, unknown, undecided)\n\
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
        let [unit, _] = definition.over.meaning();
        text.push_str(&output::table(&[unit, "Số lượng", "--side"], counts.collect()));
        if let Some([numerator, denominator]) = self.explained.stated {
            let _ = writeln!(text, "Cộng các dòng được tính: {} / {}", number(numerator), number(denominator));
        }
        if !explanation.exclusions.is_empty() {
            let rows = explanation.exclusions.iter().map(|exclusion| {
                vec![exclusion.condition.clone(), exclusion.meaning_vi.clone(), number(exclusion.dossiers)]
            });
            let _ = writeln!(text, "\nKhông được tính vì điều kiện đầu tiên sau đây không đúng:");
            text.push_str(&output::table(&["Điều kiện", "Nghĩa", "Số lượng"], rows.collect()));
        }
        let of = explanation.count(self.side);
        if self.explained.rows.is_empty() {
            if of > 0 && arguments.limit != Some(0) {
                let _ = writeln!(
                    text,
                    "\nChỉ có {} {unit} ({}): --offset {} vượt quá.",
                    number(of),
                    self.side.name(),
                    arguments.offset
                );
            }
            return text;
        }
        let is_over_dossiers = definition.over == CountedUnit::Dossiers;
        let first = u64::from(arguments.offset) + 1;
        let last = u64::from(arguments.offset) + self.explained.rows.len() as u64;
        let _ = writeln!(
            text,
            "\n{} đến {} trong {} {unit} ({}){}:",
            number(first),
            number(last),
            number(of),
            self.side.name(),
            if is_over_dossiers { ", trễ nhiều ngày nhất trước" } else { "" },
        );
        // The whole row is in CSV and JSON; a terminal is narrower.
        let is_shown = |name: &str| {
            let of_sources = matches!(name, "source_key" | "run" | "page" | "row" | "late_cause" | "returned_at");
            let is_double = name == "agency_name" && is_over_dossiers;
            !of_sources && !is_double && (name != "excluded_by" || self.side == Side::Excluded)
        };
        let all = self.explained.columns;
        let columns: Vec<usize> = (0..all.len()).filter(|&at| is_shown(all[at].name)).collect();
        let headings: Vec<&str> = columns.iter().map(|&at| all[at].vi).collect();
        let row =
            |cells: &Vec<ListCell>| columns.iter().map(|&at| lists::shown(LANGUAGE, &all[at], &cells[at])).collect();
        text.push_str(&output::table(&headings, self.explained.rows.iter().map(row).collect()));
        if last < of {
            let _ = writeln!(text, "Xem tiếp: --offset {last}; tất cả: --format csv.");
        }
        text
    }

    fn answer(&self, arguments: &Arguments) -> ExplainedAnswer {
        let about = ExplainedOf {
            definition: self.definition,
            rules: arguments.rules.as_ref().unwrap_or(&self.definition.rules),
            of: self.figure,
            period: self.period,
            night: self.night,
            published: self.published,
            side: self.side,
            offset: arguments.offset,
        };
        ExplainedAnswer::new(about, self.explained)
    }
}
