//! `explain`: counts what is behind a figure (dossiers, procedures, agencies, feedback, measures) by what it is to it, and lists it.

mod dossier;

use std::fmt::Write as _;
use std::process::ExitCode;

use strum::IntoEnumIterator as _;

use crate::cli::language::{self, language, text};
use crate::cli::list_output::{ListOutput, WorkbookHead};
use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::{self, number, print_message};
use crate::cli::{Failure, GlobalOptions, audit, typed};
use crate::config::Configuration;
use crate::indicators::{DOSSIER_COLUMNS, DossierPage, ExplainedUnits, Explanation, FigureOf, Side, unexplained};
use crate::lists::{self, DossierAnswer, ExplainedAnswer, ExplainedOf};
use crate::locale::{Initial, Language, moment};
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
        return Err(Failure::no_rule_set(rules, &config));
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
    let name = |language| typed::scope_name(language, &figure, &config, &figures);
    let night = &record.night;
    let shown = Shown {
        definition,
        figure: &figure,
        name: name(language()),
        period,
        night,
        published,
        side,
        explained: &explained,
    };
    let list = List::new(explained.columns, explained.rows.clone());
    let title = format!("{} · {}", definition.id, definition.title.vi);
    let about = vec![
        ("Phạm vi", name(Language::Vietnamese)),
        ("Kỳ", Language::Vietnamese.period(period, Initial::Upper)),
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
        let message = text!(
            "không có hồ sơ nào của kỳ {period} mang mã `{code}`",
            "no dossier of {period} has the code `{code}`"
        );
        return Err(Failure::usage(message).with_hint(language::of(
            "kỳ được tính theo ngày mà chỉ số dùng để xếp hồ sơ; `motcua indicators show` cho biết ngày nào",
            "the period is that of the date by which the indicator files dossiers; `motcua indicators show` names it",
        )));
    }
    let list = List::new(DOSSIER_COLUMNS, found.iter().map(|found| found.dossier.cells.clone()).collect());
    let answer: Vec<DossierAnswer> = found.iter().map(DossierAnswer::new).collect();
    let title = format!("{indicator} · {code}");
    let about = vec![("Kỳ", Language::Vietnamese.period(period, Initial::Upper))];
    let file_of = |connector: &str, run: i64, page: u32| run::file_of_page(config, connector, run, page);
    output.give(&list, WorkbookHead { title: &title, about, night }, &answer, || {
        found.iter().map(|found| dossier::text(found, &file_of)).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn definition<'c>(config: &'c Configuration, arguments: &Arguments) -> Result<&'c IndicatorDefinition, Failure> {
    let id = &arguments.indicator;
    let known = config.indicators.iter().map(|indicator| &indicator.definition).find(|known| known.id == *id);
    let definition = known.ok_or_else(|| Failure::no_indicator(id, config))?;
    match unexplained(definition).filter(|_| arguments.dossier.is_some()) {
        None => Ok(definition),
        Some(reason) => Err(Failure::usage(text!(
            "số liệu của `{id}` không do từng hồ sơ tạo nên ({reason})",
            "figures of `{id}` have no dossiers to explain: {reason}"
        ))
        .with_hint(language::of(
            "bỏ `--dossier` để liệt kê những gì được đếm",
            "leave out `--dossier` to list what they count",
        ))),
    }
}

fn period(text: &str, night: &Night) -> Result<Period, Failure> {
    let period = typed::period(text)?;
    let today = instant::local(night.as_of).date();
    if period.start() > today {
        return Err(Failure::not_begun(period, today));
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
        Some(text!(
            "lỗi: những gì được liệt kê không cho ra số liệu đã công bố: {found:?} thay vì {expected:?} (mẫu số, tử số, chưa rõ, chưa rõ có thuộc phạm vi tính)\n\
             gợi ý: chạy `motcua verify`; nếu không thấy tệp nào hỏng thì đây là lỗi của motcua: hãy báo lại",
            "error: what is listed does not give the published figure: {found:?} instead of {expected:?} (denominator, numerator, unknown, undecided)\n\
             hint: run `motcua verify`; if it finds no damage, this is a mistake in motcua: report it"
        ))
    }

    fn text(&self, arguments: &Arguments) -> String {
        let mut text = String::new();
        let (definition, explanation) = (self.definition, self.explanation());
        let rules = arguments.rules.as_ref().unwrap_or(&definition.rules);
        let title = language::of(&definition.title.vi, &definition.title.en);
        let _ = writeln!(text, "{} · {title} ({})", definition.id, definition.legal.place);
        let (name, period) = (&self.name, self.period);
        text.push_str(&text!("{name} · kỳ {period} · quy tắc {rules}\n", "{name} · {period} · rules {rules}\n"));
        let (as_of, state, run) = (moment(self.night.as_of), output::completeness(self.night), self.night.run);
        text.push_str(&text!("Tính lúc {as_of}; {state}; lượt {run}.\n\n", "As of {as_of}; {state}; run {run}.\n\n"));
        let counts = Side::iter().map(|side| {
            vec![language::one(side.meaning()).to_owned(), number(explanation.count(side)), side.name().to_owned()]
        });
        let unit = language::one(definition.over.meaning());
        text.push_str(&output::table(&[unit, language::of("Số lượng", "Number"), "--side"], counts.collect()));
        if let Some([numerator, denominator]) = self.explained.stated.map(|stated| stated.map(number)) {
            text.push_str(&text!(
                "Cộng các dòng được tính: {numerator} / {denominator}\n",
                "Sum of the rows that count: {numerator} / {denominator}\n"
            ));
        }
        text.push_str(&exclusions(explanation));
        let of = explanation.count(self.side);
        if self.explained.rows.is_empty() {
            if of > 0 && arguments.limit != Some(0) {
                let (of, side, offset) = (number(of), self.side.name(), arguments.offset);
                text.push_str(&text!(
                    "\nChỉ có {of} {unit} ({side}): --offset {offset} vượt quá.\n",
                    "\nThere are only {of} {unit} ({side}): --offset {offset} is beyond them.\n"
                ));
            }
            return text;
        }
        text.push_str(&self.rows(arguments, (of, unit)));
        text
    }

    /// The listed rows. `of`: how many there are of the side.
    fn rows(&self, arguments: &Arguments, (of, unit): (u64, &str)) -> String {
        let mut text = String::new();
        let is_over_dossiers = self.definition.over == CountedUnit::Dossiers;
        let first = u64::from(arguments.offset) + 1;
        let last = u64::from(arguments.offset) + self.explained.rows.len() as u64;
        let order = if is_over_dossiers {
            language::of(", trễ nhiều ngày nhất trước", ", most days late first")
        } else {
            ""
        };
        let ([from, to, all_of_side], side) = ([first, last, of].map(number), self.side.name());
        text.push_str(&text!(
            "\n{from} đến {to} trong {all_of_side} {unit} ({side}){order}:\n",
            "\n{from} to {to} of {all_of_side} {unit} ({side}){order}:\n"
        ));
        // The whole row is in CSV and JSON; a terminal is narrower.
        let is_shown = |name: &str| {
            let of_sources = matches!(name, "source_key" | "run" | "page" | "row" | "late_cause" | "returned_at");
            let is_double = name == "agency_name" && is_over_dossiers;
            !of_sources && !is_double && (name != "excluded_by" || self.side == Side::Excluded)
        };
        let all = self.explained.columns;
        let columns: Vec<usize> = (0..all.len()).filter(|&at| is_shown(all[at].name)).collect();
        let headings: Vec<&str> = columns.iter().map(|&at| language::of(all[at].vi, all[at].en)).collect();
        let row =
            |cells: &Vec<ListCell>| columns.iter().map(|&at| lists::shown(language(), &all[at], &cells[at])).collect();
        text.push_str(&output::table(&headings, self.explained.rows.iter().map(row).collect()));
        if last < of {
            text.push_str(&text!(
                "Xem tiếp: --offset {last}; tất cả: --format csv.\n",
                "More: --offset {last}; all: --format csv.\n"
            ));
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

/// How many are left out, by the first condition that is false for them; empty if none is.
fn exclusions(explanation: &Explanation) -> String {
    if explanation.exclusions.is_empty() {
        return String::new();
    }
    let rows = explanation.exclusions.iter().map(|exclusion| {
        let meaning = language::of(&exclusion.meaning_vi, &exclusion.meaning_en).to_owned();
        vec![exclusion.condition.clone(), meaning, number(exclusion.dossiers)]
    });
    let headings = match language() {
        Language::Vietnamese => ["Điều kiện", "Nghĩa", "Số lượng"],
        Language::English => ["Condition", "Meaning", "Number"],
    };
    let table = output::table(&headings, rows.collect());
    text!(
        "\nKhông được tính vì điều kiện đầu tiên sau đây không đúng:\n{table}",
        "\nLeft out, because the first of these conditions is false:\n{table}"
    )
}
