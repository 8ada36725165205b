//! `worklist`: what an agency does today so that its ratios do not fall.

use std::process::ExitCode;

use crate::cli::language::{self, language, text};
use crate::cli::list_output::{ListOutput, WorkbookHead, headings, places_of, shown_cells};
use crate::cli::nights::{DefinitionSource, night_of, no_moment};
use crate::cli::output::{self, number, percent};
use crate::cli::{Failure, GlobalOptions, audit, typed};
use crate::config::Configuration;
use crate::indicators::{
    FigureOf, FoundWorklist, SILENT, SilentAgency, Worklist, WorklistPage, silent_title, worklists,
};
use crate::lists::{self, WorklistAnswer, WorklistCount};
use crate::locale::{Language, moment};
use crate::model::agency::Tier;
use crate::model::figure::{Night, ratio};
use crate::model::list::List;
use crate::model::typed_moment::past_moment;
use crate::run::{self, NO_RATIO_OF_ON_TIME};

/// Shown by `motcua worklist --help`.
const EXAMPLES: &str = "\
Examples:
  motcua worklist
  motcua worklist due --agency H61.02
  motcua worklist overdue --tier xã --format xlsx --output qua-han.xlsx
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
    #[arg(long, value_parser = typed::tier, value_name = "province|district|commune")]
    tier: Option<Tier>,
    /// The lists as of this day or moment, which is not in the future, from the newest night at or before it and by its
    /// definitions. Default: now.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// Dossiers to pass over.
    #[arg(long, default_value_t = 0)]
    offset: u32,
    /// Most dossiers to list. Default: 50 in a table, else all.
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    output: ListOutput,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let output = &arguments.output;
    output.check()?;
    let config = options.load_readable()?;
    let wanted = arguments.name.as_deref().map(named).transpose()?;
    let now = match arguments.at.as_deref() {
        Some(text) => past_moment(text, run::now()).map_err(|message| no_moment(text, message))?,
        None => run::now(),
    };
    // What was known then: a later night has later versions, and may have other definitions.
    let (record, figures) = night_of(&config, arguments.at.as_deref()).await?;
    let config = match arguments.at {
        Some(_) => DefinitionSource::Night.of(config, &record)?,
        None => config,
    };
    let of = typed::figure_of(&config, &figures, (arguments.agency.as_deref(), arguments.tier))?;
    let night = &record.night;
    let scope = typed::scope_name(Language::Vietnamese, &of, &config, &figures);
    let about = vec![("Phạm vi", scope), ("Lúc", moment(now))];
    match wanted {
        None => overview(&config, (night, now), &of, (output, about)).await?,
        Some(Wanted::Silent) => silent(&config, (night, now), &of, (output, about)).await?,
        Some(Wanted::List(list)) => {
            audit::log_read(&config.settings.data, &format!("worklist {} {}", list.name, of.name())).await?;
            let limit = output.limit(arguments.limit, ROWS_OF_A_TABLE);
            let page = WorklistPage { of, offset: arguments.offset, limit };
            let found = run::worklist(&config, (night, now), list, page, ()).await?;
            let found = found.ok_or_else(no_ratio)?;
            // Files are the same in every language.
            let of_lines = if output.is_table() { language() } else { Language::Vietnamese };
            let lines = lists::worklist_list(of_lines, list, &found, now);
            let titles = list.title(&config.settings.worklists);
            let answer = WorklistAnswer::new(list, &found, &lines, (night, now));
            let head = WorkbookHead { title: &titles[0], about, night };
            output.give(&lines, head, &answer, || {
                table(language::of(&titles[0], &titles[1]), (list, &found, &lines), arguments.offset, (night, now))
            })?;
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
        let known = known.join(", ");
        Failure::usage(text!(
            "không có danh sách `{name}`; đang có: {known}",
            "there is no worklist `{name}`; there are: {known}"
        ))
        .with_near(name, worklists().iter().map(|list| list.name.as_str()).chain([SILENT]))
    })
}

fn no_ratio() -> Failure {
    Failure::usage(language::of(
        "không chỉ số nào là tỷ lệ `is_on_time` có chỉ tiêu: danh sách việc cần làm được tính theo bộ quy tắc của một tỷ lệ như vậy",
        NO_RATIO_OF_ON_TIME,
    ))
}

type Output<'a> = (&'a ListOutput, Vec<(&'static str, String)>);

/// How many dossiers each list has.
async fn overview(
    config: &Configuration,
    (night, now): (&Night, i64),
    of: &FigureOf,
    (output, about): Output<'_>,
) -> Result<(), Failure> {
    let counts = run::worklist_counts(config, (night, now), of.clone(), ()).await?;
    let counts = counts.ok_or_else(no_ratio)?;
    let settings = &config.settings.worklists;
    let row = |(list, count): (&Worklist, u64)| WorklistCount::new(&list.name, list.title(settings), count);
    let mut rows: Vec<WorklistCount> = worklists().iter().zip(counts).map(row).collect();
    let silent = silent_of(config, (night, now), of).await?;
    rows.push(WorklistCount::new(SILENT, silent_title(settings), silent.len() as u64));
    let list = WorklistCount::list(&rows);
    let headings = match language() {
        Language::Vietnamese => ["Danh sách", "Nội dung", "Số lượng"],
        Language::English => ["List", "Content", "Number"],
    };
    output.give(&list, WorkbookHead { title: "Việc cần làm", about, night }, &rows, || {
        let cells = rows
            .iter()
            .map(|one| vec![one.name.clone(), language::of(&one.title, &one.title_en).to_owned(), number(one.count)]);
        output::table(&headings, cells.collect())
    })
}

async fn silent_of(config: &Configuration, at: (&Night, i64), of: &FigureOf) -> Result<Vec<SilentAgency>, Failure> {
    let found = run::silent_agencies(config, at, of.clone(), ()).await?;
    found.ok_or_else(no_ratio)
}

async fn silent(
    config: &Configuration,
    (night, now): (&Night, i64),
    of: &FigureOf,
    (output, about): Output<'_>,
) -> Result<(), Failure> {
    let list = lists::silent_list(&silent_of(config, (night, now), of).await?);
    let titles = silent_title(&config.settings.worklists);
    output.give(&list, WorkbookHead { title: &titles[0], about, night }, &list.to_json(), || {
        let all: Vec<usize> = (0..list.columns.len()).collect();
        let cells = list.rows.iter().map(|row| {
            let mut cells = shown_cells(&list, row, &all);
            if let Some(last_day) = cells.last_mut().filter(|text| text.is_empty()) {
                language::of("chưa có hồ sơ nào", "no dossier yet").clone_into(last_day);
            }
            cells
        });
        let (title, count) = (language::of(&titles[0], &titles[1]), number(list.rows.len() as u64));
        format!("{title}: {count}\n{}", output::table(&headings(&list, &all), cells.collect()))
    })
}

/// Columns that a terminal shows; CSV and JSON have all.
const SHOWN: [&str; 7] = ["dossier_code", "agency_name", "procedure_code", "received_at", "days_late", "since", "step"];

fn table(
    title: &str,
    (list, found, lines): (&Worklist, &FoundWorklist, &List),
    offset: u32,
    (night, now): (&Night, i64),
) -> String {
    let (total, at, as_of) = (number(found.total), moment(now), moment(night.as_of));
    let mut text = text!(
        "{title}: {total} hồ sơ, lúc {at}; dữ liệu của đêm {as_of}\n",
        "{title}: {total} dossiers, at {at}; data of the night {as_of}\n"
    );
    for standing in &found.ratios {
        let share = |numerator: u64| ratio(numerator, standing.denominator).map_or_else(String::new, percent);
        let counts =
            |numerator: u64| format!("{} / {} = {}", number(numerator), number(standing.denominator), share(numerator));
        let unknown = match standing.unknown {
            0 => String::new(),
            unknown => text!(" (chưa rõ {})", " ({} unknown)", number(unknown)),
        };
        let (id, now) = (&standing.indicator, counts(standing.numerator));
        let (most, without) = (counts(standing.reachable), counts(standing.reachable_without));
        text.push_str(&text!(
            "{id}: nay {now}{unknown}; cao nhất còn đạt được {most}; nếu bỏ qua danh sách này {without}\n",
            "{id}: now {now}{unknown}; at most {most}; without this list {without}\n"
        ));
    }
    if lines.rows.is_empty() {
        return text;
    }
    let columns = places_of(lines, &SHOWN);
    let rows = lines.rows.iter().map(|row| shown_cells(lines, row, &columns));
    text.push_str(&output::table(&headings(lines, &columns), rows.collect()));
    let until = u64::from(offset) + lines.rows.len() as u64;
    if until < found.total {
        let name = &list.name;
        text.push_str(&text!(
            "Xem tiếp: --offset {until}; tất cả: motcua worklist {name} --format csv.\n",
            "More: --offset {until}; all: motcua worklist {name} --format csv.\n"
        ));
    }
    text
}
