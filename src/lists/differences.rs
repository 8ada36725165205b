//! What changed between two nights: figures, and the dossiers that moved.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::tier_cell;
use crate::indicators::{FigureKey, Side, Standing, figure_key};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::instant;
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};
use crate::run::MovedDossier;

/// A figure at both nights; `None` if a night does not have it.
#[derive(Debug, Clone, Copy)]
pub struct FigureChange<'f> {
    pub before: Option<&'f Figure>,
    pub after: Option<&'f Figure>,
}

/// A figure that differs, in JSON.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangeRow {
    indicator: String,
    rules: String,
    agency: Option<String>,
    #[schema(value_type = Option<String>)]
    tier: Option<Tier>,
    period: String,
    numerator_before: Option<u64>,
    denominator_before: Option<u64>,
    unknown_before: Option<u64>,
    undecided_before: Option<u64>,
    numerator_after: Option<u64>,
    denominator_after: Option<u64>,
    unknown_after: Option<u64>,
    undecided_after: Option<u64>,
    /// Whether the definition or its rule set changed between the nights.
    definition_changed: bool,
}

/// The figures whose counts or definitions differ, in the order of the later night; those that it lacks come last.
#[must_use]
pub fn figure_changes<'f>(before: &[&'f Figure], after: &[&'f Figure]) -> Vec<FigureChange<'f>> {
    let mut old: BTreeMap<FigureKey, &Figure> = before.iter().map(|figure| (figure_key(figure), *figure)).collect();
    let mut changes = Vec::new();
    for figure in after {
        let known = old.remove(&figure_key(figure));
        if known.is_none_or(|known| counts(known) != counts(figure) || known.definition != figure.definition) {
            changes.push(FigureChange { before: known, after: Some(figure) });
        }
    }
    changes.extend(old.into_values().map(|figure| FigureChange { before: Some(figure), after: None }));
    changes
}

fn counts(figure: &Figure) -> [Option<u64>; 4] {
    [Some(figure.numerator), figure.denominator, figure.unknown, figure.undecided]
}

impl FigureChange<'_> {
    /// The figure of the later night, else of the earlier.
    ///
    /// # Panics
    /// If neither night has it.
    #[must_use]
    pub fn of_either(&self) -> &Figure {
        self.after.or(self.before).expect("a night has it")
    }

    #[must_use]
    pub fn definition_changed(&self) -> bool {
        self.before.zip(self.after).is_some_and(|(before, after)| before.definition != after.definition)
    }
}

impl ChangeRow {
    #[must_use]
    pub fn of(change: &FigureChange<'_>) -> Self {
        let figure = change.of_either();
        let [numerator_before, denominator_before, unknown_before, undecided_before] =
            change.before.map(counts).unwrap_or_default();
        let [numerator_after, denominator_after, unknown_after, undecided_after] =
            change.after.map(counts).unwrap_or_default();
        Self {
            indicator: figure.indicator.to_string(),
            rules: figure.rules.to_string(),
            agency: figure.agency.as_deref().map(str::to_owned),
            tier: figure.tier,
            period: figure.period.to_string(),
            numerator_before,
            denominator_before,
            unknown_before,
            undecided_before,
            numerator_after,
            denominator_after,
            unknown_after,
            undecided_after,
            definition_changed: change.definition_changed(),
        }
    }

    /// The rows as a table.
    #[must_use]
    pub fn list(rows: &[Self]) -> List {
        let text = |name, vi, en| ListColumn::new(name, ListColumnType::Text, vi, en);
        let number = |name, vi, en| ListColumn::new(name, ListColumnType::Number, vi, en);
        let columns = [
            text("indicator", "chỉ số", "indicator"),
            text("rules", "bộ quy tắc", "rule set"),
            text("agency", "mã cơ quan", "agency"),
            ListColumn::new("tier", ListColumnType::Word, "cấp", "tier"),
            text("period", "kỳ", "period"),
            number("numerator_before", "tử số trước", "numerator before"),
            number("denominator_before", "mẫu số trước", "denominator before"),
            number("unknown_before", "chưa rõ trước", "unknown before"),
            number("undecided_before", "chưa rõ phạm vi trước", "undecided before"),
            number("numerator_after", "tử số sau", "numerator after"),
            number("denominator_after", "mẫu số sau", "denominator after"),
            number("unknown_after", "chưa rõ sau", "unknown after"),
            number("undecided_after", "chưa rõ phạm vi sau", "undecided after"),
            ListColumn::new("definition_changed", ListColumnType::Word, "định nghĩa đã đổi", "definition changed"),
        ];
        let row = |row: &Self| {
            let mut cells = vec![
                ListCell::text(&row.indicator),
                ListCell::text(&row.rules),
                ListCell::of(row.agency.as_deref(), ListCell::text),
                ListCell::of(row.tier, tier_cell),
                ListCell::text(&row.period),
            ];
            let counts = [
                row.numerator_before,
                row.denominator_before,
                row.unknown_before,
                row.undecided_before,
                row.numerator_after,
                row.denominator_after,
                row.unknown_after,
                row.undecided_after,
            ];
            cells.extend(counts.map(|count| ListCell::of(count, ListCell::count)));
            cells.push(ListCell::Flag(row.definition_changed));
            cells
        };
        List::new(&columns, rows.iter().map(row).collect())
    }
}

/// The difference of two nights.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DifferenceAnswer {
    before: ComparedNight,
    after: ComparedNight,
    /// Figures that differ; those of the answer may be fewer.
    total_figures: u64,
    figures: Vec<ChangeRow>,
    /// Dossiers that moved; those of the answer may be fewer. Null as `dossiers`.
    total_dossiers: Option<u64>,
    /// The dossiers that moved the one figure that was asked for. Null if several were, or if one of the nights counts no
    /// dossiers by the indicator or does not have it.
    dossiers: Option<Vec<MovedAnswer>>,
}

/// One of the nights.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ComparedNight {
    run: i64,
    #[schema(format = DateTime)]
    as_of: String,
}

/// A dossier that stands otherwise at the later night.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = MovedDossier)]
struct MovedAnswer {
    dossier_code: Option<String>,
    source: String,
    source_key: String,
    /// Null: it did not count.
    before: Option<StandingAnswer>,
    after: Option<StandingAnswer>,
    cause: &'static str,
    /// The run that brought the version of the later night.
    run: Option<i64>,
}

/// What a dossier is to the figure.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DossierStanding)]
struct StandingAnswer {
    agency: String,
    side: &'static str,
}

impl DifferenceAnswer {
    /// `changes`, `moved`: those of the answer, and how many there are.
    #[must_use]
    pub fn new(
        nights: [&Night; 2],
        changes: (&[FigureChange<'_>], u64),
        moved: Option<(&[MovedDossier], u64)>,
    ) -> Self {
        let [before, after] =
            nights.map(|night| ComparedNight { run: night.run, as_of: instant::display(night.as_of) });
        let standing = |standing: &Option<Standing>| {
            standing.as_ref().map(|one| StandingAnswer { agency: one.agency.clone(), side: one.side.name() })
        };
        let dossier = |one: &MovedDossier| MovedAnswer {
            dossier_code: one.dossier_code.clone(),
            source: one.moved.source.clone(),
            source_key: one.moved.source_key.clone(),
            before: standing(&one.moved.before),
            after: standing(&one.moved.after),
            cause: one.cause.name(),
            run: one.run,
        };
        Self {
            before,
            after,
            total_figures: changes.1,
            figures: changes.0.iter().map(ChangeRow::of).collect(),
            total_dossiers: moved.map(|(_, total)| total),
            dossiers: moved.map(|(moved, _)| moved.iter().map(dossier).collect()),
        }
    }
}

/// The dossiers that moved as a table.
#[must_use]
pub fn moved_list(moved: &[MovedDossier]) -> List {
    const COLUMNS: [ListColumn; 9] = [
        ListColumn::new("dossier_code", ListColumnType::Text, "mã hồ sơ", "code of the dossier"),
        ListColumn::new("agency_before", ListColumnType::Text, "cơ quan trước", "agency before"),
        ListColumn::new("side_before", ListColumnType::Word, "trước", "before"),
        ListColumn::new("agency_after", ListColumnType::Text, "cơ quan sau", "agency after"),
        ListColumn::new("side_after", ListColumnType::Word, "sau", "after"),
        ListColumn::new("cause", ListColumnType::Word, "vì sao", "why"),
        ListColumn::new("run", ListColumnType::Number, "lượt của bản mới nhất", "run of the newest version"),
        ListColumn::new("source", ListColumnType::Text, "nguồn", "connector"),
        ListColumn::new("source_key", ListColumnType::Text, "khóa ở nguồn", "key in the source"),
    ];
    let standing = |standing: &Option<Standing>| {
        let side = |side: Side| ListCell::Named { name: side.name(), meaning: side.meaning() };
        match standing {
            Some(one) => [ListCell::text(&one.agency), side(one.side)],
            None => [ListCell::Null, side(Side::Excluded)],
        }
    };
    let row = |one: &MovedDossier| {
        let [agency_before, before] = standing(&one.moved.before);
        let [agency_after, after] = standing(&one.moved.after);
        vec![
            ListCell::of(one.dossier_code.as_deref(), ListCell::text),
            agency_before,
            before,
            agency_after,
            after,
            ListCell::Named { name: one.cause.name(), meaning: one.cause.meaning() },
            ListCell::of(one.run, ListCell::Number),
            ListCell::text(&one.moved.source),
            ListCell::text(&one.moved.source_key),
        ]
    };
    List::new(&COLUMNS, moved.iter().map(row).collect())
}
