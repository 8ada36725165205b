//! `reconcile`: portal against post.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::cli::nights::{DefinitionSource, night_of};
use crate::cli::output::{self, LANGUAGE, OutputFormat, csv_lines, csv_value, number, print};
use crate::cli::{Failure, GlobalOptions, audit, typed};
use crate::indicators::{
    FigureOf, PostDirection, ReconcileClass, ReconcilePage, ReconciledDossier, Reconciliation, UnmatchedItem,
};
use crate::locale::{Initial, moment};
use crate::model::agency::Tier;
use crate::model::figure::Night;
use crate::model::instant::{self, local};
use crate::model::period::Period;
use crate::run::{self, NO_POSTAL_INDICATOR};

/// Shown by `motcua reconcile --help`.
const EXAMPLES: &str = "\
Examples:
  motcua reconcile --period 2026-Q3
  motcua reconcile --period 2026-Q3 --direction return --class returned_early
  motcua reconcile --period 2026-Q3 --agency H61.02 --format csv
  motcua reconcile --period 2026-Q3 --items";

/// Rows that a table shows if `--limit` is not given.
const ROWS_OF_A_TABLE: u32 = 50;

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
    #[arg(long, value_enum)]
    direction: Option<Direction>,
    /// List the dossiers of this class. Default in CSV and JSON: all that do not match.
    #[arg(long, value_enum, requires = "direction")]
    class: Option<Class>,
    /// List the postal items that belong to no dossier, with codes that are near.
    #[arg(long, conflicts_with_all = ["agency", "tier", "direction", "class"])]
    items: bool,
    /// Rows to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Most rows to list. Default: 50 in a table, all in JSON and CSV.
    #[arg(long)]
    limit: Option<u32>,
    /// Use the newest night at or before this day or moment (`2026-10-01`, `2026-10-01T06:00`). Default: the newest night.
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// Value of `--direction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Direction {
    /// Dossiers submitted by post.
    Submission,
    /// Results returned by post.
    Return,
}

/// Value of `--class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[clap(rename_all = "snake_case")]
enum Class {
    /// The post has an item, the portal states another way.
    OtherChannel,
    /// The portal states the post, which has an item of the other direction only.
    OtherDirection,
    /// The portal states the post, which has no item.
    PortalOnly,
    /// The post has an item, the portal states nothing.
    PostOnly,
    /// Returned by the portal before the post took it.
    ReturnedEarly,
    /// The dates are more than three days apart.
    OtherDate,
    /// Several items of one direction.
    SeveralItems,
    /// Both agree.
    Matched,
}

impl Class {
    fn class(self) -> ReconcileClass {
        match self {
            Self::OtherChannel => ReconcileClass::OtherChannel,
            Self::OtherDirection => ReconcileClass::OtherDirection,
            Self::PortalOnly => ReconcileClass::PortalOnly,
            Self::PostOnly => ReconcileClass::PostOnly,
            Self::ReturnedEarly => ReconcileClass::ReturnedEarly,
            Self::OtherDate => ReconcileClass::OtherDate,
            Self::SeveralItems => ReconcileClass::SeveralItems,
            Self::Matched => ReconcileClass::Matched,
        }
    }
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    let (record, figures) = night_of(&config, arguments.as_of.as_deref()).await?;
    let config = DefinitionSource::Night.of(config, &record)?;
    let night = &record.night;
    let period = match &arguments.period {
        Some(text) => typed::period(text)?,
        None => Period::Year { year: local(night.as_of).date().year() },
    };
    let of = match (&arguments.agency, arguments.tier) {
        (Some(agency), _) => FigureOf::Agency(typed::agency(&config, &figures, agency)?),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    };
    let is_table = arguments.format == OutputFormat::Table;
    let limit = arguments.limit.unwrap_or(if is_table { ROWS_OF_A_TABLE } else { u32::MAX });
    audit::log_read(&config.settings.data, &format!("reconcile {period} {}", of.name())).await?;
    if arguments.items {
        let items = run::unmatched_items(&config, night, period, ()).await?;
        print(&items_text(&items, (arguments.offset, limit), arguments.format)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let directions: Vec<PostDirection> = match arguments.direction {
        Some(Direction::Submission) => vec![PostDirection::Submission],
        Some(Direction::Return) => vec![PostDirection::Return],
        None => PostDirection::iter().collect(),
    };
    let class = arguments.class.map(Class::class);
    let lists = class.is_some() || !is_table;
    let mut found = Vec::new();
    for direction in directions {
        let page =
            ReconcilePage { of: of.clone(), class, offset: arguments.offset, limit: if lists { limit } else { 0 } };
        let reconciled = run::reconcile(&config, night, (direction, period), page, ()).await?;
        found.push((direction, reconciled.ok_or_else(|| Failure::usage(NO_POSTAL_INDICATOR))?));
    }
    let text = match arguments.format {
        OutputFormat::Json => format!("{:#}\n", to_json(&found, period, night)),
        OutputFormat::Csv => csv(&found)?,
        OutputFormat::Table => {
            let mut text = table(&found, period);
            let items = run::unmatched_items(&config, night, period, ()).await?.len() as u64;
            let _ = writeln!(text, "\nBưu gửi không thuộc hồ sơ nào: {} (xem: --items)", number(items));
            text
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(found: &[(PostDirection, Reconciliation)], period: Period) -> String {
    let mut text = format!("Đối chiếu cổng với bưu chính, {}\n", LANGUAGE.period(period, Initial::Lower));
    for (direction, reconciled) in found {
        let _ = writeln!(text, "\n{}:", direction.meaning()[0]);
        let rows = reconciled
            .totals
            .iter()
            .map(|(class, dossiers)| vec![class.meaning()[0].to_owned(), number(*dossiers), class.name().to_owned()]);
        text.push_str(&output::table(&["Kết quả", "Số hồ sơ", "--class"], rows.collect()));
        if !reconciled.dossiers.is_empty() {
            let headings =
                ["mã hồ sơ", "cơ quan", "cổng ghi", "ngày của cổng", "bưu chính nhận", "bưu chính phát", "số bưu gửi"];
            let shown = |at: Option<i64>| at.map(moment).unwrap_or_default();
            let row = |one: &ReconciledDossier| {
                vec![
                    one.dossier_code.clone().unwrap_or_else(|| one.source_key.clone()),
                    one.agency_name.to_string(),
                    one.portal_way.as_deref().map(|way| LANGUAGE.dossier_word(way).to_owned()).unwrap_or_default(),
                    shown(one.portal_at),
                    shown(one.post_at),
                    shown(one.delivered_at),
                    one.items.to_string(),
                ]
            };
            text.push_str(&output::table(&headings, reconciled.dossiers.iter().map(row).collect()));
        }
    }
    text
}

/// The columns of a dossier in CSV and JSON.
fn fields(direction: PostDirection, one: &ReconciledDossier) -> [(&'static str, Value); 12] {
    let at = |at: Option<i64>| json!(at.map(instant::display));
    [
        ("direction", json!(direction.name())),
        ("class", json!(one.class.name())),
        ("dossier_code", json!(one.dossier_code)),
        ("agency", json!(one.agency)),
        ("agency_name", json!(one.agency_name)),
        ("portal_way", json!(one.portal_way)),
        ("portal_at", at(one.portal_at)),
        ("post_at", at(one.post_at)),
        ("delivered_at", at(one.delivered_at)),
        ("items", json!(one.items)),
        ("source", json!(one.source)),
        ("source_key", json!(one.source_key)),
    ]
}

fn csv(found: &[(PostDirection, Reconciliation)]) -> Result<String, Failure> {
    let headings = [
        "direction",
        "class",
        "dossier_code",
        "agency",
        "agency_name",
        "portal_way",
        "portal_at",
        "post_at",
        "delivered_at",
        "items",
        "source",
        "source_key",
    ];
    let rows = found.iter().flat_map(|(direction, reconciled)| {
        reconciled
            .dossiers
            .iter()
            .map(|one| fields(*direction, one).into_iter().map(|(_, value)| csv_value(&value)).collect())
    });
    csv_lines(&headings, rows)
}

fn to_json(found: &[(PostDirection, Reconciliation)], period: Period, night: &Night) -> Value {
    let of_direction = |(direction, reconciled): &(PostDirection, Reconciliation)| {
        let totals = reconciled.totals.iter().map(|(class, dossiers)| (class.name().to_owned(), json!(dossiers)));
        let by_agency = reconciled.counts.iter().map(|one| {
            json!({
                "agency": one.agency,
                "agency_name": one.agency_name,
                "class": one.class.name(),
                "dossiers": one.dossiers,
            })
        });
        let dossier = |one: &ReconciledDossier| {
            Value::Object(fields(*direction, one).into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        json!({
            "direction": direction.name(),
            "totals": Value::Object(totals.collect()),
            "by_agency": by_agency.collect::<Vec<_>>(),
            "dossiers": reconciled.dossiers.iter().map(dossier).collect::<Vec<_>>(),
        })
    };
    json!({
        "period": period.to_string(),
        "run": night.run,
        "directions": found.iter().map(of_direction).collect::<Vec<_>>(),
    })
}

fn items_text(items: &[UnmatchedItem], (offset, limit): (u32, u32), format: OutputFormat) -> Result<String, Failure> {
    let total = items.len() as u64;
    let listed = || items.iter().skip(offset as usize).take(limit as usize);
    let cells = |one: &UnmatchedItem, at: fn(i64) -> String| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let near = one.near.join(" ");
        [
            text(&one.item_code),
            text(&one.dossier_code),
            text(&one.direction),
            one.accepted_at.map(at).unwrap_or_default(),
            near,
        ]
    };
    match format {
        OutputFormat::Table => {
            let rows = listed().map(|one| {
                let [item, code, direction, accepted, near] = cells(one, moment);
                let direction = LANGUAGE.dossier_word(&direction).to_owned();
                vec![item, code, direction, accepted, one.problem.meaning()[0].to_owned(), near]
            });
            let headings =
                ["mã bưu gửi", "mã hồ sơ ghi trên bưu gửi", "chiều", "bưu chính nhận", "vì sao", "mã gần giống"];
            Ok(format!(
                "Bưu gửi không thuộc hồ sơ nào: {}\n{}",
                number(total),
                output::table(&headings, rows.collect())
            ))
        }
        OutputFormat::Csv => {
            let headings = ["item_code", "dossier_code", "direction", "accepted_at", "near", "problem", "source"];
            csv_lines(
                &headings,
                listed().map(|one| {
                    let mut row: Vec<String> = cells(one, instant::display).into();
                    row.extend([one.problem.name().to_owned(), one.source.clone()]);
                    row
                }),
            )
        }
        OutputFormat::Json => {
            let rows = listed().map(|one| {
                json!({
                    "item_code": one.item_code,
                    "dossier_code": one.dossier_code,
                    "direction": one.direction,
                    "accepted_at": one.accepted_at.map(instant::display),
                    "problem": one.problem.name(),
                    "near": one.near,
                    "source": one.source,
                })
            });
            Ok(format!("{:#}\n", Value::Array(rows.collect())))
        }
    }
}
