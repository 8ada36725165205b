//! `worklist`: what an agency does today so that its ratios do not fall.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::cli::explain::list::{csv_cell, shown};
use crate::cli::nights::{night_of, typed};
use crate::cli::output::{self, LANGUAGE, OutputFormat, csv_lines, number, percent, print};
use crate::cli::{Failure, GlobalOptions, audit, typed as typed_names};
use crate::config::Configuration;
use crate::indicators::{
    FigureOf, FoundWorklist, SILENT, SilentAgency, Worklist, WorklistLine, WorklistPage, silent_title, worklists,
};
use crate::locale::{date, moment};
use crate::model::agency::Tier;
use crate::model::figure::{Night, ratio};
use crate::model::instant;
use crate::run::{self, NO_RATIO_OF_ON_TIME};

/// Shown by `motcua worklist --help`.
const EXAMPLES: &str = "\
Examples:
  motcua worklist
  motcua worklist due --agency H61.02
  motcua worklist overdue --tier xã --format csv
  motcua worklist silent";

/// Dossiers that a table shows if `--limit` is not given.
const ROWS_OF_A_TABLE: u32 = 50;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Name of the list: `due`, `overdue`, `apology`, `acceptance`, `supplement`, `ready`, `post` or `silent`. Default: how
    /// many dossiers each list has.
    name: Option<String>,
    /// Only this agency, by code or name.
    #[arg(long, conflicts_with = "tier")]
    agency: Option<String>,
    /// Only the agencies of this tier.
    #[arg(long, value_parser = typed_names::tier, value_name = "province|district|commune")]
    tier: Option<Tier>,
    /// The lists as of this day or moment, from the newest night at or before it. Default: now.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// Dossiers to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Most dossiers to list. Default: 50 in a table, all in JSON and CSV.
    #[arg(long)]
    limit: Option<u32>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    let wanted = arguments.name.as_deref().map(named).transpose()?;
    let now = arguments.at.as_deref().map(typed).transpose()?.unwrap_or_else(run::now);
    // What was known then: a later night has later versions.
    let (record, figures) = night_of(&config, arguments.at.as_deref()).await?;
    let of = match (&arguments.agency, arguments.tier) {
        (Some(agency), _) => FigureOf::Agency(typed_names::agency(&config, &figures, agency)?),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    };
    let night = &record.night;
    match wanted {
        None => overview(&config, (night, now), &of, arguments.format).await?,
        Some(Wanted::Silent) => silent(&config, (night, now), &of, arguments.format).await?,
        Some(Wanted::List(list)) => {
            let limit = arguments.limit.unwrap_or(match arguments.format {
                OutputFormat::Table => ROWS_OF_A_TABLE,
                OutputFormat::Json | OutputFormat::Csv => u32::MAX,
            });
            audit::log_read(&config.settings.data, &format!("worklist {} {}", list.name, of.name())).await?;
            let page = WorklistPage { of, offset: arguments.offset, limit };
            let found = find(&config, (night, now), list, page).await?;
            let text = match arguments.format {
                OutputFormat::Table => table(&config, list, &found, arguments.offset, (night, now)),
                OutputFormat::Csv => csv(list, &found, now)?,
                OutputFormat::Json => format!("{:#}\n", to_json(list, &found, (night, now))),
            };
            print(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

enum Wanted {
    List(&'static Worklist),
    Silent,
}

fn named(name: &str) -> Result<Wanted, Failure> {
    if name == SILENT {
        return Ok(Wanted::Silent);
    }
    run::worklist_named(name).map(Wanted::List).ok_or_else(|| {
        let known: Vec<&str> = worklists().iter().map(|list| list.name.as_str()).chain([SILENT]).collect();
        Failure::usage(format!("there is no worklist `{name}`; there are: {}", known.join(", ")))
    })
}

async fn find(
    config: &Configuration,
    at: (&Night, i64),
    list: &'static Worklist,
    page: WorklistPage,
) -> Result<FoundWorklist, Failure> {
    run::worklist(config, at, list, page, ()).await?.ok_or_else(|| Failure::usage(NO_RATIO_OF_ON_TIME))
}

/// How many dossiers each list has.
async fn overview(
    config: &Configuration,
    at: (&Night, i64),
    of: &FigureOf,
    format: OutputFormat,
) -> Result<(), Failure> {
    let counts = run::worklist_counts(config, at, of.clone(), ()).await?;
    let counts = counts.ok_or_else(|| Failure::usage(NO_RATIO_OF_ON_TIME))?;
    let row = |(list, count): (&Worklist, u64)| {
        let [title, _] = list.title(&config.settings.worklists);
        (list.name.clone(), title, count)
    };
    let mut rows: Vec<(String, String, u64)> = worklists().iter().zip(counts).map(row).collect();
    let silent = silent_of(config, at, of).await?;
    rows.push((SILENT.to_owned(), silent_title(&config.settings.worklists)[0].clone(), silent.len() as u64));
    let text = match format {
        OutputFormat::Table => {
            let cells = rows.iter().map(|(name, title, count)| vec![name.clone(), title.clone(), number(*count)]);
            output::table(&["Danh sách", "Nội dung", "Số lượng"], cells.collect())
        }
        OutputFormat::Json => {
            let rows = rows.iter().map(|(name, title, count)| json!({ "name": name, "title": title, "count": count }));
            format!("{:#}\n", Value::Array(rows.collect()))
        }
        OutputFormat::Csv => csv_lines(
            &["name", "title", "count"],
            rows.iter().map(|(name, title, count)| vec![name.clone(), title.clone(), count.to_string()]),
        )?,
    };
    print(&text)
}

async fn silent_of(config: &Configuration, at: (&Night, i64), of: &FigureOf) -> Result<Vec<SilentAgency>, Failure> {
    let found = run::silent_agencies(config, at, ()).await?.ok_or_else(|| Failure::usage(NO_RATIO_OF_ON_TIME))?;
    let (code, tier) = of.agency_and_tier();
    let is_of = |agency: &SilentAgency| {
        code.is_none_or(|code| agency.code == code) && tier.is_none_or(|tier| agency.tier == tier)
    };
    Ok(found.into_iter().filter(is_of).collect())
}

async fn silent(config: &Configuration, at: (&Night, i64), of: &FigureOf, format: OutputFormat) -> Result<(), Failure> {
    let found = silent_of(config, at, of).await?;
    let text = match format {
        OutputFormat::Json => {
            let row = |one: &SilentAgency| {
                json!({
                    "agency": one.code,
                    "agency_name": one.name,
                    "tier": one.tier.name(),
                    "last_day": one.last_day.map(|day| day.to_string()),
                })
            };
            format!("{:#}\n", Value::Array(found.iter().map(row).collect()))
        }
        OutputFormat::Csv => csv_lines(
            &["agency", "agency_name", "tier", "last_day"],
            found.iter().map(|one| {
                let last_day = one.last_day.map(|day| day.to_string()).unwrap_or_default();
                vec![one.code.clone(), one.name.clone(), one.tier.name().to_owned(), last_day]
            }),
        )?,
        OutputFormat::Table => {
            let cells = found.iter().map(|one| {
                let last_day = one.last_day.map_or_else(|| "chưa có hồ sơ nào".to_owned(), date);
                vec![one.code.clone(), one.name.clone(), LANGUAGE.tier(one.tier).to_owned(), last_day]
            });
            let [title, _] = silent_title(&config.settings.worklists);
            format!(
                "{title}: {}\n{}",
                number(found.len() as u64),
                output::table(&["Mã", "Cơ quan", "Cấp", "Tiếp nhận gần nhất"], cells.collect())
            )
        }
    };
    print(&text)
}

/// Columns that a terminal shows; CSV and JSON have all.
const SHOWN: [&str; 5] = ["dossier_code", "agency_name", "procedure_code", "received_at", "days_late"];

fn table(
    config: &Configuration,
    list: &Worklist,
    found: &FoundWorklist,
    offset: u32,
    (night, now): (&Night, i64),
) -> String {
    let [title, _] = list.title(&config.settings.worklists);
    let mut text = format!(
        "{title}: {} hồ sơ, lúc {}; dữ liệu của đêm {}\n",
        number(found.total),
        moment(now),
        moment(night.as_of)
    );
    for standing in &found.ratios {
        let share = |numerator: u64| ratio(numerator, standing.denominator).map_or_else(String::new, percent);
        let _ = writeln!(
            text,
            "{}: nay {} / {} = {}; cao nhất còn đạt được {}; nếu bỏ qua danh sách này {}",
            standing.indicator,
            number(standing.numerator),
            number(standing.denominator),
            share(standing.numerator),
            share(standing.reachable),
            share(standing.reachable_without),
        );
    }
    if found.lines.is_empty() {
        return text;
    }
    let columns: Vec<usize> = (0..found.columns.len()).filter(|&at| SHOWN.contains(&found.columns[at].name)).collect();
    let mut headings: Vec<&str> = columns.iter().map(|&at| found.columns[at].vi).collect();
    headings.extend([list.since_meaning[0].as_str(), "việc cần làm"]);
    let rows = found.lines.iter().map(|line| {
        let mut cells: Vec<String> = columns.iter().map(|&at| shown(found.columns[at], &line.cells[at])).collect();
        cells.push(line.since.map(moment).unwrap_or_default());
        cells.push(LANGUAGE.worklist_step(&list.name, line.since, (line.limit, line.last_apology_day), now));
        cells
    });
    text.push_str(&output::table(&headings, rows.collect()));
    let until = u64::from(offset) + found.lines.len() as u64;
    if until < found.total {
        let _ = writeln!(text, "Xem tiếp: --offset {until}; tất cả: --format csv.");
    }
    text
}

fn csv(list: &Worklist, found: &FoundWorklist, now: i64) -> Result<String, Failure> {
    let mut headings: Vec<&str> = found.columns.iter().map(|column| column.name).collect();
    headings.extend(["since", "step"]);
    let rows = found.lines.iter().map(|line| {
        let mut cells: Vec<String> = line.cells.iter().map(csv_cell).collect();
        cells.push(line.since.map(instant::display).unwrap_or_default());
        cells.push(LANGUAGE.worklist_step(&list.name, line.since, (line.limit, line.last_apology_day), now));
        cells
    });
    csv_lines(&headings, rows)
}

fn to_json(list: &Worklist, found: &FoundWorklist, (night, now): (&Night, i64)) -> Value {
    let agencies = found.by_agency.iter();
    let agencies: Vec<Value> =
        agencies.map(|(code, name, count)| json!({ "agency": code, "agency_name": name, "dossiers": count })).collect();
    let ratios = found.ratios.iter().map(|one| {
        json!({
            "indicator": one.indicator,
            "numerator": one.numerator,
            "denominator": one.denominator,
            "reachable": one.reachable,
            "reachable_without": one.reachable_without,
        })
    });
    let dossier = |line: &WorklistLine| {
        let cells =
            found.columns.iter().zip(&line.cells).map(|(column, cell)| (column.name.to_owned(), cell.to_json()));
        let mut row: Map<String, Value> = cells.collect();
        row.insert("since".to_owned(), json!(line.since.map(instant::display)));
        row.insert(
            "step".to_owned(),
            json!(LANGUAGE.worklist_step(&list.name, line.since, (line.limit, line.last_apology_day), now)),
        );
        Value::Object(row)
    };
    json!({
        "worklist": list.name,
        "at": instant::display(now),
        "run": night.run,
        "as_of": instant::display(night.as_of),
        "total": found.total,
        "by_agency": agencies,
        "ratios": ratios.collect::<Vec<_>>(),
        "dossiers": found.lines.iter().map(dossier).collect::<Vec<_>>(),
    })
}
