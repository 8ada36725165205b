//! Portal against post as tables and as JSON.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::indicators::{PostDirection, ReconciledDossier, Reconciliation, UnmatchedItem};
use crate::model::figure::Night;
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};
use crate::model::period::Period;

/// What portal and post state about the dossiers of a period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReconcileAnswer {
    period: String,
    /// The night's run.
    run: i64,
    directions: Vec<ReconciledDirection>,
}

/// One direction.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ReconciledDirection {
    /// submission · return.
    direction: &'static str,
    /// Dossiers by class.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    totals: Map<String, Value>,
    by_agency: Vec<ClassCountAnswer>,
    #[schema(value_type = Vec<std::collections::BTreeMap<String, Value>>)]
    dossiers: Vec<Map<String, Value>>,
}

/// Dossiers of one agency in one class.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReconcileCount)]
struct ClassCountAnswer {
    agency: String,
    agency_name: String,
    class: &'static str,
    dossiers: u64,
}

impl ReconcileAnswer {
    #[must_use]
    pub fn new(found: &[(PostDirection, Reconciliation)], period: Period, night: &Night) -> Self {
        let directions = found.iter().map(|(direction, reconciled)| ReconciledDirection {
            direction: direction.name(),
            totals: reconciled.totals.iter().map(|(class, count)| (class.name().to_owned(), (*count).into())).collect(),
            by_agency: reconciled
                .counts
                .iter()
                .map(|one| ClassCountAnswer {
                    agency: one.agency.to_string(),
                    agency_name: one.agency_name.to_string(),
                    class: one.class.name(),
                    dossiers: one.dossiers,
                })
                .collect(),
            dossiers: reconciled_list(std::slice::from_ref(&(*direction, reconciled))).to_json(),
        });
        Self { period: period.to_string(), run: night.run, directions: directions.collect() }
    }
}

/// The listed dossiers of the directions.
#[must_use]
pub fn reconciled_list(found: &[(PostDirection, &Reconciliation)]) -> List {
    const COLUMNS: [ListColumn; 12] = [
        ListColumn::new("direction", ListColumnType::Word, "chiều", "direction"),
        ListColumn::new("class", ListColumnType::Word, "kết quả đối chiếu", "class"),
        ListColumn::new("dossier_code", ListColumnType::Text, "mã hồ sơ", "code of the dossier"),
        ListColumn::new("agency", ListColumnType::Text, "mã cơ quan", "agency"),
        ListColumn::new("agency_name", ListColumnType::Text, "cơ quan", "its name"),
        ListColumn::new("portal_way", ListColumnType::Word, "cổng ghi", "way that the portal states"),
        ListColumn::new("portal_at", ListColumnType::Instant, "ngày của cổng", "date of the portal"),
        ListColumn::new("post_at", ListColumnType::Instant, "bưu chính nhận", "accepted by the post"),
        ListColumn::new("delivered_at", ListColumnType::Instant, "bưu chính phát", "delivered by the post"),
        ListColumn::new("items", ListColumnType::Number, "số bưu gửi", "items"),
        ListColumn::new("source", ListColumnType::Text, "nguồn", "connector"),
        ListColumn::new("source_key", ListColumnType::Text, "khóa ở nguồn", "key in the source"),
    ];
    let row = |direction: PostDirection, one: &ReconciledDossier| {
        let text = |text: &Option<String>| ListCell::of(text.as_deref(), ListCell::text);
        let at = |at: Option<i64>| ListCell::of(at, ListCell::Instant);
        vec![
            ListCell::Named { name: direction.name(), meaning: direction.meaning() },
            ListCell::Named { name: one.class.name(), meaning: one.class.meaning() },
            text(&one.dossier_code),
            ListCell::text(&one.agency),
            ListCell::text(&one.agency_name),
            text(&one.portal_way),
            at(one.portal_at),
            at(one.post_at),
            at(one.delivered_at),
            ListCell::Number(one.items),
            ListCell::text(&one.source),
            ListCell::text(&one.source_key),
        ]
    };
    let rows =
        found.iter().flat_map(|(direction, reconciled)| reconciled.dossiers.iter().map(|one| row(*direction, one)));
    List::new(&COLUMNS, rows.collect())
}

/// Postal items that belong to no dossier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemsAnswer {
    period: String,
    /// The night's run.
    run: i64,
    /// Items of the period; those of the answer may be fewer.
    total: u64,
    items: Vec<UnmatchedItemAnswer>,
}

/// A postal item that belongs to no dossier.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = UnmatchedItem)]
struct UnmatchedItemAnswer {
    item_code: Option<String>,
    /// The dossier code that it states.
    dossier_code: Option<String>,
    direction: Option<String>,
    #[schema(format = DateTime)]
    accepted_at: Option<String>,
    /// no_code · ill_formed · unknown · not_counted.
    problem: &'static str,
    /// Codes of dossiers that differ by one mistake, for a person to decide.
    near: Vec<String>,
    source: String,
}

impl ItemsAnswer {
    #[must_use]
    pub fn new(items: &[&UnmatchedItem], total: u64, period: Period, night: &Night) -> Self {
        let item = |one: &&UnmatchedItem| UnmatchedItemAnswer {
            item_code: one.item_code.clone(),
            dossier_code: one.dossier_code.clone(),
            direction: one.direction.clone(),
            accepted_at: one.accepted_at.map(crate::model::instant::display),
            problem: one.problem.name(),
            near: one.near.clone(),
            source: one.source.clone(),
        };
        Self { period: period.to_string(), run: night.run, total, items: items.iter().map(item).collect() }
    }
}

/// The items as a table.
#[must_use]
pub fn items_list(items: &[&UnmatchedItem]) -> List {
    const COLUMNS: [ListColumn; 7] = [
        ListColumn::new("item_code", ListColumnType::Text, "mã bưu gửi", "code of the item"),
        ListColumn::new("dossier_code", ListColumnType::Text, "mã hồ sơ ghi trên bưu gửi", "dossier code on the item"),
        ListColumn::new("direction", ListColumnType::Word, "chiều", "direction"),
        ListColumn::new("accepted_at", ListColumnType::Instant, "bưu chính nhận", "accepted by the post"),
        ListColumn::new("near", ListColumnType::Text, "mã gần giống", "near codes"),
        ListColumn::new("problem", ListColumnType::Word, "vì sao", "why"),
        ListColumn::new("source", ListColumnType::Text, "nguồn", "connector"),
    ];
    let row = |one: &&UnmatchedItem| {
        let text = |text: &Option<String>| ListCell::of(text.as_deref(), ListCell::text);
        vec![
            text(&one.item_code),
            text(&one.dossier_code),
            text(&one.direction),
            ListCell::of(one.accepted_at, ListCell::Instant),
            ListCell::Text(one.near.join(" ")),
            ListCell::Named { name: one.problem.name(), meaning: one.problem.meaning() },
            ListCell::text(&one.source),
        ]
    };
    List::new(&COLUMNS, items.iter().map(row).collect())
}
