//! `reconcile`: portal against post, or our counts against those of the national portal.

mod national;

use std::fmt::Write as _;
use std::process::ExitCode;

use strum::IntoEnumIterator as _;

use crate::cli::language::{self, language, text};
use crate::cli::list_output::{ListOutput, WorkbookHead, headings, places_of, shown_cells};
use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::{self, number};
use crate::cli::{Failure, GlobalOptions, audit, typed};
use crate::config::Configuration;
use crate::indicators::{FigureOf, PostDirection, ReconcileClass, ReconcilePage, Reconciliation, UnmatchedItem};
use crate::lists::{self, ItemsAnswer, ReconcileAnswer};
use crate::locale::{Initial, Language};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::instant::local;
use crate::model::list::List;
use crate::model::period::Period;
use crate::run::{self, NO_POSTAL_INDICATOR};

/// Shown by `motcua reconcile --help`.
const EXAMPLES: &str = "\
Examples:
  motcua reconcile --period 2026-Q3
  motcua reconcile --period 2026-Q3 --direction return --class returned_early
  motcua reconcile --period 2026-Q3 --agency H61.02 --format csv
  motcua reconcile --period 2026-Q3 --format xlsx --output doi-chieu.xlsx
  motcua reconcile --period 2026-Q3 --items
  motcua reconcile --period 2026-Q3 --national";

/// Rows that a table shows if `--limit` is not given.
const ROWS_OF_A_TABLE: u32 = 50;
/// Columns that a terminal shows; CSV and JSON have all.
const SHOWN: [&str; 7] = ["dossier_code", "agency_name", "portal_way", "portal_at", "post_at", "delivered_at", "items"];

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The period, as in `report --period`. Default: the year of the night.
    #[arg(long)]
    period: Option<String>,
    /// Only this agency, by code or name.
    #[arg(long, conflicts_with = "tier")]
    agency: Option<String>,
    /// Only the agencies of this tier.
    #[arg(long, value_parser = typed::tier, value_name = "province|district|commune")]
    tier: Option<Tier>,
    /// Only this direction.
    #[arg(long, value_parser = typed::one_of(PostDirection::name, PostDirection::meaning))]
    direction: Option<PostDirection>,
    /// List the dossiers of this class. Default, but for a table: all that do not match.
    #[arg(long, value_parser = typed::one_of(ReconcileClass::name, ReconcileClass::meaning), requires = "direction")]
    class: Option<ReconcileClass>,
    /// List the postal items that belong to no dossier, with codes that are near.
    #[arg(long, conflicts_with_all = ["agency", "tier", "direction", "class"])]
    items: bool,
    /// Compare our counts with those of the national portal's evaluation, by agency and period.
    #[arg(long, conflicts_with_all = ["direction", "class", "items"])]
    national: bool,
    /// Rows to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Most rows to list. Default: 50 in a table, else all.
    #[arg(long)]
    limit: Option<u32>,
    /// Use the newest night at or before this day or moment (`2026-10-01`, `2026-10-01T06:00`). Default: the newest night.
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    #[command(flatten)]
    output: ListOutput,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = &arguments.output;
    output.check()?;
    let config = options.load_readable()?;
    let (record, figures) = night_of(&config, arguments.as_of.as_deref()).await?;
    let night = &record.night;
    let period = match &arguments.period {
        Some(text) => typed::period(text)?,
        None => Period::Year { year: local(night.as_of).date().year() },
    };
    let scope = (arguments.agency.as_deref(), arguments.tier);
    let limit = output.limit(arguments.limit, ROWS_OF_A_TABLE);
    if arguments.national {
        let of = typed::figure_of(&config, &figures, scope)?;
        let head = WorkbookHead { title: national::TITLE, about: about(&of, period, (&config, &figures)), night };
        return national::give(&config, &figures, (&of, period), (arguments.offset, limit), (output, head));
    }
    let config = DefinitionSource::Night.of(config, &record)?;
    let of = typed::figure_of(&config, &figures, scope)?;
    let about = about(&of, period, (&config, &figures));
    audit::log_read(&config.settings.data, &format!("reconcile {period} {}", of.name())).await?;
    if arguments.items {
        let found = run::unmatched_items(&config, night, period, (arguments.offset, limit), ()).await?;
        let listed: Vec<&UnmatchedItem> = found.items.iter().collect();
        let list = lists::items_list(&listed);
        let total = found.total;
        let head = WorkbookHead { title: "Bưu gửi không thuộc hồ sơ nào", about, night };
        output.give(&list, head, &ItemsAnswer::new(&listed, total, period, night), || items_table(&list, total))?;
        return Ok(ExitCode::SUCCESS);
    }
    let directions: Vec<PostDirection> =
        arguments.direction.map_or_else(|| PostDirection::iter().collect(), |direction| vec![direction]);
    let lists_dossiers = arguments.class.is_some() || !output.is_table();
    let mut found = Vec::new();
    for direction in directions {
        let page = ReconcilePage {
            of: of.clone(),
            class: arguments.class,
            offset: arguments.offset,
            limit: if lists_dossiers { limit } else { 0 },
        };
        let reconciled = run::reconcile(&config, night, (direction, period), page, ()).await?;
        found.push((direction, reconciled.ok_or_else(no_postal_indicator)?));
    }
    let mut items = 0;
    if output.is_table() {
        items = run::count_unmatched_items(&config, night, period, ()).await?;
    }
    let list = lists::reconciled_list(&found.iter().map(|(direction, one)| (*direction, one)).collect::<Vec<_>>());
    let head = WorkbookHead { title: "Đối chiếu cổng với bưu chính", about, night };
    output.give(&list, head, &ReconcileAnswer::new(&found, period, night), || {
        let mut text = table(&found, period);
        text.push_str(&text!(
            "\nBưu gửi không thuộc hồ sơ nào: {} (xem: --items)\n",
            "\nPostal items that belong to no dossier: {} (list: --items)\n",
            number(items)
        ));
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What stands above the list in a workbook.
fn about(of: &FigureOf, period: Period, (config, figures): (&Configuration, &[Figure])) -> Vec<(&'static str, String)> {
    let lang = Language::Vietnamese;
    vec![("Phạm vi", typed::scope_name(lang, of, config, figures)), ("Kỳ", lang.period(period, Initial::Upper))]
}

fn no_postal_indicator() -> Failure {
    Failure::usage(language::of(
        "không chỉ số nào đếm những gì bưu chính chuyển: không có bộ quy tắc để đối chiếu",
        NO_POSTAL_INDICATOR,
    ))
}

fn table(found: &[(PostDirection, Reconciliation)], period: Period) -> String {
    let of_period = language().period(period, Initial::Lower);
    let mut text = text!("Đối chiếu cổng với bưu chính, {of_period}\n", "Portal against post, {of_period}\n");
    let classes = match language() {
        Language::Vietnamese => ["Kết quả", "Số hồ sơ", "--class"],
        Language::English => ["Result", "Dossiers", "--class"],
    };
    for (direction, reconciled) in found {
        let _ = writeln!(text, "\n{}:", language::one(direction.meaning()));
        let rows = reconciled.totals.iter().map(|(class, dossiers)| {
            vec![language::one(class.meaning()).to_owned(), number(*dossiers), class.name().to_owned()]
        });
        text.push_str(&output::table(&classes, rows.collect()));
        if !reconciled.dossiers.is_empty() {
            let list = lists::reconciled_list(&[(*direction, reconciled)]);
            let columns = places_of(&list, &SHOWN);
            let rows = list.rows.iter().map(|row| shown_cells(&list, row, &columns));
            text.push_str(&output::table(&headings(&list, &columns), rows.collect()));
        }
    }
    text
}

fn items_table(list: &List, total: u64) -> String {
    let columns = places_of(list, &["item_code", "dossier_code", "direction", "accepted_at", "near", "problem"]);
    let rows = list.rows.iter().map(|row| shown_cells(list, row, &columns));
    let (total, table) = (number(total), output::table(&headings(list, &columns), rows.collect()));
    text!("Bưu gửi không thuộc hồ sơ nào: {total}\n{table}", "Postal items that belong to no dossier: {total}\n{table}")
}
