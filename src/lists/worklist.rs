//! Worklists as tables and as JSON.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::tier_cell;
use crate::indicators::{FoundWorklist, SilentAgency, Worklist, WorklistLine};
use crate::locale::Language;
use crate::model::figure::Night;
use crate::model::instant;
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};

/// How many dossiers, or silent agencies, a worklist has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorklistCount {
    /// Name of the list in addresses.
    pub name: String,
    pub title: String,
    pub title_en: String,
    pub count: u64,
}

/// Title of a worklist in Vietnamese and English.
pub type WorklistTitle = [String; 2];

impl WorklistCount {
    #[must_use]
    pub fn new(name: &str, [title, title_en]: WorklistTitle, count: u64) -> Self {
        Self { name: name.to_owned(), title, title_en, count }
    }

    /// The counts as a table.
    #[must_use]
    pub fn list(counts: &[Self]) -> List {
        const COLUMNS: [ListColumn; 3] = [
            ListColumn::new("name", ListColumnType::Text, "danh sách", "list"),
            ListColumn::new("title", ListColumnType::Text, "nội dung", "title"),
            ListColumn::new("count", ListColumnType::Number, "số lượng", "count"),
        ];
        let row = |one: &Self| vec![ListCell::text(&one.name), ListCell::text(&one.title), ListCell::count(one.count)];
        List::new(&COLUMNS, counts.iter().map(row).collect())
    }
}

/// The dossiers of a worklist.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WorklistAnswer {
    worklist: String,
    /// The moment of which the list is.
    #[schema(format = DateTime)]
    at: String,
    /// The night's run.
    run: i64,
    /// The night's moment: what happened since is not known.
    #[schema(format = DateTime)]
    as_of: String,
    /// Dossiers of the agency, tier or province.
    total: u64,
    by_agency: Vec<WorklistAgency>,
    /// The ratios of on time of this year, with the dossiers of former agencies at their successors; empty for lists that do not
    /// move them.
    ratios: Vec<WorklistRatio>,
    /// Those with the earliest moment first. `step` says which step keeps the ratio.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Value>>)]
    dossiers: Vec<Map<String, Value>>,
}

/// Dossiers of one agency in a worklist.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct WorklistAgency {
    agency: String,
    agency_name: String,
    dossiers: u64,
}

/// How a ratio of on time stands, and what it can still become.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct WorklistRatio {
    indicator: String,
    numerator: u64,
    denominator: u64,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator.
    unknown: u64,
    /// The numerator if every dossier that is open in time ends on time.
    reachable: u64,
    /// The same if nothing is done about the dossiers of the list.
    reachable_without: u64,
}

impl WorklistAnswer {
    /// `lines`: of [`worklist_list`]; `now`: the moment of asking, microseconds UTC.
    #[must_use]
    pub fn new(list: &Worklist, found: &FoundWorklist, lines: &List, (night, now): (&Night, i64)) -> Self {
        let by_agency = found.by_agency.iter().map(|(code, name, dossiers)| WorklistAgency {
            agency: code.to_string(),
            agency_name: name.to_string(),
            dossiers: *dossiers,
        });
        let ratios = found.ratios.iter().map(|one| WorklistRatio {
            indicator: one.indicator.clone(),
            numerator: one.numerator,
            denominator: one.denominator,
            unknown: one.unknown,
            reachable: one.reachable,
            reachable_without: one.reachable_without,
        });
        Self {
            worklist: list.name.clone(),
            at: instant::display(now),
            run: night.run,
            as_of: instant::display(night.as_of),
            total: found.total,
            by_agency: by_agency.collect(),
            ratios: ratios.collect(),
            dossiers: lines.to_json(),
        }
    }
}

/// The agencies that have received nothing for days.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SilentAnswer {
    worklist: String,
    /// The moment of which the list is.
    #[schema(format = DateTime)]
    at: String,
    /// The night's run.
    run: i64,
    /// The night's moment.
    #[schema(format = DateTime)]
    as_of: String,
    /// Agencies of the scope; those of the answer may be fewer.
    total: u64,
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Value>>)]
    agencies: Vec<Map<String, Value>>,
}

impl SilentAnswer {
    /// `agencies`: of [`silent_list`].
    #[must_use]
    pub fn new(name: &str, (night, now): (&Night, i64), total: u64, agencies: &List) -> Self {
        Self {
            worklist: name.to_owned(),
            at: instant::display(now),
            run: night.run,
            as_of: instant::display(night.as_of),
            total,
            agencies: agencies.to_json(),
        }
    }
}

/// The lines of a worklist: the columns of its dossiers, the moment by which it is ordered, and what to do.
#[must_use]
pub fn worklist_list(lang: Language, list: &'static Worklist, found: &FoundWorklist, now: i64) -> List {
    let [vietnamese, english] = &list.since_meaning;
    let further = [
        ListColumn::new("since", ListColumnType::Instant, vietnamese, english),
        ListColumn::new("step", ListColumnType::Text, "việc cần làm", "what to do"),
    ];
    let columns: Vec<ListColumn> = found.columns.iter().map(|column| **column).chain(further).collect();
    let row = |line: &WorklistLine| {
        let step = lang.worklist_step(&list.name, line.since, (line.limit, line.last_apology_day), now);
        let further = [ListCell::of(line.since, ListCell::Instant), ListCell::Text(step)];
        line.cells.iter().cloned().chain(further).collect()
    };
    List::new(&columns, found.lines.iter().map(row).collect())
}

/// The agencies that have received nothing for days.
#[must_use]
pub fn silent_list(found: &[SilentAgency]) -> List {
    const COLUMNS: [ListColumn; 4] = [
        ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency"),
        ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
        ListColumn::new("tier", ListColumnType::Word, "cấp", "tier"),
        ListColumn::new("last_day", ListColumnType::Day, "tiếp nhận gần nhất", "latest reception"),
    ];
    let row = |one: &SilentAgency| {
        vec![
            ListCell::text(&one.code),
            ListCell::text(&one.name),
            tier_cell(one.tier),
            ListCell::of(one.last_day, ListCell::Day),
        ]
    };
    List::new(&COLUMNS, found.iter().map(row).collect())
}
