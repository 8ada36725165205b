//! Compares two nights: which dossiers stand otherwise in a figure, and why.

use std::collections::HashSet;

use polars::prelude::*;

use crate::config::Configuration;
use crate::indicators::{FigureOf, IndicatorError, Move, Standings, reads_lookup};
use crate::lake::Lake;
use crate::model::figure::Night;
use crate::model::period::Period;
use crate::model::table::{CLOSED_STATUSES, RecordKind};
use crate::run::error::RunError;
use crate::run::explanation::{ExplainRequest, with_figure};
use crate::run::figures::FigureRequest;

/// Why a dossier stands otherwise in a figure than at an earlier night. The first that is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum MoveCause {
    /// By the earlier night's definitions it would stand as it did: the indicator or its rule set changed.
    Definition,
    /// As `Definition`: a registry or the calendar changed.
    Registry,
    /// It was received after the earlier night.
    New,
    /// It had been received before the earlier night, which did not have it yet.
    LateArrival,
    Deleted,
    /// It had been deleted.
    Restored,
    /// It was closed, and no longer is.
    Reopened,
    /// It was open, and has ended.
    Ended,
    /// Other values of it changed.
    Corrected,
    /// A row of another source counts instead of it, or does so no longer.
    OtherSource,
    /// A postal item of it came or changed.
    PostalItem,
    /// A note on it came or changed.
    Note,
    /// Nothing of it changed: a limit passed, or the lists of the post, which decide what the portal leaves open, came since.
    Circumstances,
}

impl MoveCause {
    /// Its code.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means, in Vietnamese and English.
    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::Definition => ["định nghĩa hoặc bộ quy tắc đã đổi", "the definition or its rule set changed"],
            Self::Registry => ["danh mục hoặc lịch làm việc đã đổi", "a registry or the calendar changed"],
            Self::New => ["hồ sơ mới tiếp nhận", "received since"],
            Self::LateArrival => ["hồ sơ đến muộn từ nguồn", "received before, came late from its source"],
            Self::Deleted => ["nguồn đã xóa hồ sơ", "deleted by its source"],
            Self::Restored => ["nguồn đã khôi phục hồ sơ", "restored by its source"],
            Self::Reopened => ["hồ sơ được mở lại", "reopened"],
            Self::Ended => ["hồ sơ đã kết thúc", "ended"],
            Self::Corrected => ["nguồn đã sửa hồ sơ", "corrected by its source"],
            Self::OtherSource => ["bản ghi của nguồn khác được tính thay", "another source's row counts instead"],
            Self::PostalItem => ["bưu gửi của hồ sơ thay đổi", "a postal item of it changed"],
            Self::Note => ["ghi chú (xin lỗi, nguyên nhân) thay đổi", "a note on it changed"],
            Self::Circumstances => [
                "hồ sơ không đổi: đã qua thời hạn, hoặc danh sách của bưu chính mới có",
                "nothing of it changed: a limit passed, or the lists of the post came since",
            ],
        }
    }
}

/// A dossier that stands otherwise at the later night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedDossier {
    pub moved: Move,
    pub cause: MoveCause,
    pub dossier_code: Option<String>,
    /// The run that brought the version which the later night has; `None` if the tables have none.
    pub run: Option<i64>,
}

/// A night with the configuration by which it is explained.
#[derive(Debug, Clone, Copy)]
pub struct NightOf<'a> {
    pub config: &'a Configuration,
    pub night: &'a Night,
}

/// The figure that is compared. The indicator is over dossiers at both nights.
#[derive(Debug, Clone)]
pub struct ComparedFigure {
    pub indicator: String,
    pub period: Period,
    pub figure: FigureOf,
}

/// The dossiers that stand otherwise at `after` than at `before`, ordered by source and key.
///
/// # Errors
/// A table that cannot be read.
pub async fn moved_dossiers(
    before: NightOf<'_>,
    after: NightOf<'_>,
    compared: &ComparedFigure,
) -> Result<Vec<MovedDossier>, RunError> {
    let of_before = standings(before, compared).await?;
    let of_after = standings(after, compared).await?;
    let moves = of_before.moves_to(&of_after)?;
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    // What has moved although the data and the moment alone would not have moved it.
    let changed = changed_definitions(before, after, &compared.indicator);
    let mut by_definition: HashSet<(String, String)> = HashSet::new();
    if changed.is_some() {
        let by_old_definitions = standings(NightOf { config: before.config, night: after.night }, compared).await?;
        let by_data = of_before.moves_to(&by_old_definitions)?;
        let by_data: HashSet<(&str, &str)> =
            by_data.iter().map(|one| (one.source.as_str(), one.source_key.as_str())).collect();
        let of_definition = |one: &&Move| !by_data.contains(&(one.source.as_str(), one.source_key.as_str()));
        by_definition =
            moves.iter().filter(of_definition).map(|one| (one.source.clone(), one.source_key.clone())).collect();
    }
    let mut rows = ComparedRows::read(before, after, &moves).await?;
    // What the indicator does not depend on is no cause.
    let known = after.config.indicators.iter().find(|known| known.definition.id == compared.indicator);
    let reads = |lookup: &str| known.is_none_or(|known| reads_lookup(&known.definition, lookup));
    rows.with_items.retain(|_| reads("own_item"));
    rows.with_notes.retain(|_| reads("note"));
    let dossiers = moves.into_iter().map(|moved| {
        let key = (moved.source.clone(), moved.source_key.clone());
        let cause = changed.filter(|_| by_definition.contains(&key));
        let (old, new) = (rows.before.get(&key), rows.after.get(&key));
        MovedDossier {
            cause: cause.unwrap_or_else(|| rows.cause(&key)),
            dossier_code: new.or(old).and_then(|row| row.codes[0].clone()),
            run: new.map(|row| row.position[0]),
            moved,
        }
    });
    Ok(dossiers.collect())
}

async fn standings(night: NightOf<'_>, compared: &ComparedFigure) -> Result<Standings, RunError> {
    let request = ExplainRequest {
        indicator: compared.indicator.clone(),
        figures: FigureRequest { indicators: vec![compared.indicator.clone()], ..FigureRequest::default() },
        period: compared.period,
        figure: compared.figure.clone(),
        page: None,
    };
    let figure = compared.figure.clone();
    with_figure(night.config, night.night, request, move |explained| explained.standings(&figure)).await
}

/// Whether the two nights read the indicator by different definitions; and if so, of which kind.
fn changed_definitions(before: NightOf<'_>, after: NightOf<'_>, indicator: &str) -> Option<MoveCause> {
    let digest = |night: NightOf<'_>| {
        let known = night.config.indicators.iter().find(|known| known.definition.id == indicator);
        known.map(|known| known.digest.clone())
    };
    if digest(before) != digest(after) {
        return Some(MoveCause::Definition);
    }
    (before.config.registries != after.config.registries).then_some(MoveCause::Registry)
}

/// What is compared of a dossier's row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ComparedRow {
    /// Run, page and row of the version.
    position: [i64; 3],
    /// Its own code and the national one.
    codes: [Option<String>; 2],
    is_deleted: bool,
    /// It has an end, or a status of a closed dossier.
    is_closed: bool,
    /// Microseconds UTC.
    received_at: Option<i64>,
}

/// The dates of an end.
const ENDS: [&str; 5] = ["completed_at", "returned_at", "refused_at", "withdrawn_at", "stopped_at"];

type RowsByKey = PlHashMap<(String, String), ComparedRow>;

/// The rows of moved dossiers at both nights, and the codes of which something beside changed.
struct ComparedRows {
    before: RowsByKey,
    after: RowsByKey,
    /// Those of which a row of another source counts at one of the nights only.
    stood_in: HashSet<(String, String)>,
    with_items: HashSet<String>,
    with_notes: HashSet<String>,
    /// The moment of the earlier night.
    earlier: i64,
}

impl ComparedRows {
    async fn read(before: NightOf<'_>, after: NightOf<'_>, moves: &[Move]) -> Result<Self, RunError> {
        let root = before.config.settings.data.join("lake");
        let dossiers = [
            Lake::read_as_of(&root, RecordKind::Dossiers, before.night.run).await?,
            Lake::read_as_of(&root, RecordKind::Dossiers, after.night.run).await?,
        ];
        let items = Lake::read_as_of(&root, RecordKind::PostalItems, after.night.run).await?;
        let notes = Lake::read_as_of(&root, RecordKind::DossierNotes, after.night.run).await?;
        let copies = [copies_of(before).await?, copies_of(after).await?];
        let (since, earlier) = (before.night.run, before.night.as_of);
        let wanted = df!(
            "source" => moves.iter().map(|one| one.source.as_str()).collect::<Vec<_>>(),
            "source_key" => moves.iter().map(|one| one.source_key.as_str()).collect::<Vec<_>>(),
        );
        let read = move || -> Result<Self, IndicatorError> {
            let wanted = wanted?.lazy();
            let [before, after] = dossiers.map(|dossiers| rows_of(dossiers, wanted.clone()));
            let [old_copies, new_copies] = copies.map(|copies| keys_of(copies, wanted.clone()));
            Ok(Self {
                before: before?,
                after: after?,
                stood_in: old_copies?.symmetric_difference(&new_copies?).cloned().collect(),
                with_items: codes_since(items, since)?,
                with_notes: codes_since(notes, since)?,
                earlier,
            })
        };
        Ok(tokio::task::spawn_blocking(read).await??)
    }

    fn cause(&self, key: &(String, String)) -> MoveCause {
        let (old, new) = (self.before.get(key), self.after.get(key));
        let Some(new) = new.filter(|_| !self.stood_in.contains(key)) else { return MoveCause::OtherSource };
        let Some(old) = old else {
            let was_received = new.received_at.is_some_and(|received| received <= self.earlier);
            return if was_received { MoveCause::LateArrival } else { MoveCause::New };
        };
        if old.position != new.position {
            if old.received_at.is_none_or(|at| at > self.earlier) && !new.is_deleted && !old.is_deleted {
                return MoveCause::New;
            }
            return match (old.is_deleted, new.is_deleted, old.is_closed, new.is_closed) {
                (false, true, ..) => MoveCause::Deleted,
                (true, false, ..) => MoveCause::Restored,
                (.., true, false) => MoveCause::Reopened,
                (.., false, true) => MoveCause::Ended,
                _ => MoveCause::Corrected,
            };
        }
        let has = |codes: &HashSet<String>| new.codes.iter().flatten().any(|code| codes.contains(code));
        if has(&self.with_items) {
            MoveCause::PostalItem
        } else if has(&self.with_notes) {
            MoveCause::Note
        } else {
            MoveCause::Circumstances
        }
    }
}

fn rows_of(dossiers: LazyFrame, wanted: LazyFrame) -> PolarsResult<RowsByKey> {
    let key = [col("source"), col("source_key")];
    let has_end = ENDS.map(|end| col(end).is_not_null()).into_iter().reduce(Expr::or).expect("there are five");
    let is_closed = CLOSED_STATUSES.map(|status| col("status").eq(lit(status))).into_iter().reduce(Expr::or);
    let is_closed = is_closed.expect("there are five").fill_null(lit(false)).or(has_end);
    let frame = dossiers
        .select([
            col("source"),
            col("source_key"),
            col("run"),
            col("page"),
            col("row"),
            col("dossier_code"),
            col("national_code"),
            col("deleted").fill_null(lit(false)),
            is_closed.alias("is_closed"),
            col("received_at").cast(DataType::Int64).alias("received_at"),
        ])
        .join(wanted, key.clone(), key, JoinArgs::new(JoinType::Semi))
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let text = |name: &str| frame.column(name)?.str();
    let flag = |name: &str| frame.column(name)?.bool();
    let numbers = ["run", "page", "row", "received_at"].map(|name| frame.column(name)?.cast(&DataType::Int64));
    let [run, page, row, received_at] = numbers;
    let (run, page, row, received_at) = (run?, page?, row?, received_at?);
    let (run, page, row, received_at) = (run.i64()?, page.i64()?, row.i64()?, received_at.i64()?);
    let (sources, keys) = (text("source")?, text("source_key")?);
    let (codes, national) = (text("dossier_code")?, text("national_code")?);
    let (deleted, closed) = (flag("deleted")?, flag("is_closed")?);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let compared = |at: usize| {
        let key = (owned(sources.get(at)).unwrap_or_default(), owned(keys.get(at)).unwrap_or_default());
        let compared = ComparedRow {
            position: [run, page, row].map(|column| column.get(at).unwrap_or(0)),
            codes: [owned(codes.get(at)), owned(national.get(at))],
            is_deleted: deleted.get(at).unwrap_or(false),
            is_closed: closed.get(at).unwrap_or(false),
            received_at: received_at.get(at),
        };
        (key, compared)
    };
    Ok((0..frame.height()).map(compared).collect())
}

/// The rows of dossiers for which a row of another source counts.
async fn copies_of(night: NightOf<'_>) -> Result<LazyFrame, RunError> {
    let root = night.config.settings.data.join("lake");
    let groups = match &night.config.source_order {
        Some(order) => Lake::groups_as_of(&root, night.night.run, order).await?,
        None => Lake::no_groups(),
    };
    Ok(groups.filter(col("counts").not()))
}

fn keys_of(rows: LazyFrame, wanted: LazyFrame) -> PolarsResult<HashSet<(String, String)>> {
    let key = [col("source"), col("source_key")];
    let found = rows.select(key.clone()).join(wanted, key.clone(), key, JoinArgs::new(JoinType::Semi)).collect()?;
    let keys = found.column("source")?.str()?.iter().zip(found.column("source_key")?.str()?.iter());
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Ok(keys.map(|(source, key)| (owned(source), owned(key))).collect())
}

/// The dossier codes of rows that came after a run.
fn codes_since(rows: LazyFrame, since: i64) -> PolarsResult<HashSet<String>> {
    let frame = rows
        .filter(col("run").gt(lit(since)))
        .select([col("dossier_code")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    Ok(frame.column("dossier_code")?.str()?.iter().flatten().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: i64 = 1_000;

    fn row(run: i64) -> ComparedRow {
        ComparedRow {
            position: [run, 1, 1],
            codes: [Some("H1".to_owned()), None],
            is_deleted: false,
            is_closed: false,
            received_at: Some(500),
        }
    }

    #[test]
    fn each_change_of_a_row_has_its_cause() {
        let with_code = |code: &str| ComparedRow { codes: [None, Some(code.to_owned())], ..row(1) };
        let closed = |run| ComparedRow { is_closed: true, ..row(run) };
        let deleted = |run| ComparedRow { is_deleted: true, ..row(run) };
        let key = ("portal".to_owned(), "1".to_owned());
        let cause = |old: Option<ComparedRow>, new: Option<ComparedRow>, is_stood_in: bool| {
            let by_key = |row: Option<ComparedRow>| row.map(|row| (key.clone(), row)).into_iter().collect();
            let rows = ComparedRows {
                before: by_key(old),
                after: by_key(new),
                stood_in: is_stood_in.then(|| key.clone()).into_iter().collect(),
                with_items: HashSet::from(["ITEM".to_owned()]),
                with_notes: HashSet::from(["NOTE".to_owned(), "ITEM".to_owned()]),
                earlier: EARLIER,
            };
            rows.cause(&key)
        };
        for (old, new, expected) in [
            (None, row(2), MoveCause::LateArrival),
            (None, ComparedRow { received_at: Some(EARLIER + 1), ..row(2) }, MoveCause::New),
            (None, ComparedRow { received_at: None, ..row(2) }, MoveCause::New),
            (Some(row(1)), deleted(2), MoveCause::Deleted),
            (Some(deleted(1)), row(2), MoveCause::Restored),
            (Some(closed(1)), row(2), MoveCause::Reopened),
            (Some(row(1)), closed(2), MoveCause::Ended),
            (Some(closed(1)), closed(2), MoveCause::Corrected),
            (Some(with_code("ITEM")), with_code("ITEM"), MoveCause::PostalItem),
            (Some(with_code("NOTE")), with_code("NOTE"), MoveCause::Note),
            (Some(row(1)), row(1), MoveCause::Circumstances),
            (Some(ComparedRow { received_at: None, ..row(1) }), closed(2), MoveCause::New),
        ] {
            assert_eq!(cause(old.clone(), Some(new.clone()), false), expected, "{old:?} {new:?}");
            assert_eq!(cause(old.clone(), Some(new.clone()), true), MoveCause::OtherSource, "{old:?} {new:?}");
        }
        assert_eq!(cause(Some(row(1)), None, false), MoveCause::OtherSource);
    }
}
