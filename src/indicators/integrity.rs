//! Changes of dossiers that make a ratio look better than the work was: per agency, with the ratio as it would be without
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use polars::prelude::*;
use strum::{EnumCount as _, IntoEnumIterator as _};

use crate::expressions::parse;
use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::explain::{DOSSIER_COLUMNS, FigureOf, cells_of, expressions_of};
use crate::indicators::groups::{between, day_column};
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::lookups::{RowsByText, value_at};
use crate::indicators::polars_expressions::predicate;
use crate::indicators::scan::{count_by, facts_of};
use crate::indicators::sums::IndicatorPredicates;
use crate::lake::Change;
use crate::model::agency::Tier;
use crate::model::indicator::{Better, CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::list::{ListCell, ListColumn};
use crate::model::period::Period;
use crate::model::rules::RuleSet;
use crate::model::table::UNRESOLVED_STATUSES;

/// A kind of change. A dossier can be of several.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::EnumCount,
    strum::EnumString,
)]
#[strum(serialize_all = "snake_case")]
pub enum IntegrityKind {
    /// The due date was moved later after it had passed, and neither a supplement nor a suspension explains it.
    DueMovedAfterDue,
    /// The due date was moved later, and neither a supplement, a suspension nor an apology explains it.
    DueMovedUnexplained,
    /// The end was moved to an earlier moment.
    EndSetBack,
    /// Its end was late, was set back, and is on time now.
    LateTurnedOnTime,
    /// It has the code of a dossier that was withdrawn, refused, stopped or deleted.
    Resubmitted,
    /// A supplement was asked for on the day of the first due date.
    SupplementOnLastDay,
}

impl IntegrityKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means, in Vietnamese and English.
    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::DueMovedAfterDue => ["hạn bị dời sau khi đã quá", "due date moved after it had passed"],
            Self::DueMovedUnexplained => ["hạn bị dời không có lý do", "due date moved without a reason"],
            Self::EndSetBack => ["ngày kết thúc bị lùi", "end set back"],
            Self::LateTurnedOnTime => ["trễ thành đúng hạn", "late turned on time"],
            Self::Resubmitted => ["nộp lại dưới mã mới", "resubmitted under a new code"],
            Self::SupplementOnLastDay => ["yêu cầu bổ sung vào ngày hết hạn", "supplement asked for on the last day"],
        }
    }
}

/// An agency with such dossiers in a ratio's denominator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrityRow {
    pub agency: Arc<str>,
    pub agency_name: Arc<str>,
    pub tier: Option<Tier>,
    /// Dossiers by kind, in the order of [`IntegrityKind`].
    pub dossiers: [u64; IntegrityKind::COUNT],
    /// Dossiers of any kind.
    pub any: u64,
    pub numerator: u64,
    pub denominator: u64,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator.
    pub unknown: u64,
    /// The numerator without the dossiers of any kind.
    pub numerator_without: u64,
}

/// Why an indicator's figures cannot be read without changed dossiers; `None` if they can.
///
/// The changes are of due dates and ends, and a ratio is shown as it would be if the changed dossiers were not in its numerator.
/// That is the worse ratio only if more is better and due dates and ends decide the numerator.
#[must_use]
pub fn integrity_problem(definition: &IndicatorDefinition) -> Option<&'static str> {
    let counts_one_by_one = definition.kind == IndicatorKind::Ratio
        && definition.over == CountedUnit::Dossiers
        && definition.having.is_none();
    if !counts_one_by_one {
        return Some("is no ratio that counts dossiers one by one");
    }
    if definition.better != Better::Higher || !reads_fact(&definition.numerator, ON_TIME) {
        return Some("is no ratio of dossiers on time: changes of due dates and ends do not make it look better");
    }
    None
}

/// The fact that due dates and ends decide.
const ON_TIME: &str = "is_on_time";

/// Whether a predicate names a fact.
fn reads_fact(predicate: &str, fact: &str) -> bool {
    parse(predicate).is_ok_and(|predicate| predicate.columns().contains(&fact))
}

/// The dossiers in the denominator of a ratio, with a flag for each kind.
struct MarkedDossiers {
    facts: LazyFrame,
    agencies: Agencies,
}

impl MarkedDossiers {
    /// `changes`: what the runs up to the night have found.
    fn new(
        inputs: &FigureInputs<'_>,
        rules: &RuleSet,
        definition: &IndicatorDefinition,
        period: Period,
        changes: &[Change],
    ) -> Result<Self, IndicatorError> {
        let found = facts_of(&inputs.for_period(period), rules, None)?;
        let [denominator, numerator, unknown, _] = IndicatorPredicates::read(definition, rules)?.standing();
        let in_period = between(day_column(definition.period), period.start(), period.end()).is_true();
        let is_counted = |condition| predicate(&in_period.clone().and(condition)).fill_null(lit(false));
        let facts = found
            .facts
            .filter(col("agency").is_not_null())
            .filter(is_counted(denominator))
            .with_columns([is_counted(numerator).alias("in_numerator"), is_counted(unknown).alias("is_unknown")])
            .with_columns(kinds(inputs, changes)?);
        Ok(Self { facts, agencies: found.agencies })
    }
}

/// Dossiers of one kind, by the columns of [`INTEGRITY_COLUMNS`].
#[derive(Debug, Clone)]
pub struct IntegrityDossiers {
    pub total: u64,
    /// The latest received first.
    pub rows: Vec<Vec<ListCell>>,
}

/// Columns of a list of [`IntegrityDossiers`].
pub static INTEGRITY_COLUMNS: LazyLock<Vec<&'static ListColumn>> =
    LazyLock::new(|| DOSSIER_COLUMNS.iter().filter(|column| column.name != "excluded_by").collect());

/// Lists the dossiers of one kind in the denominator of a ratio, of an agency, a tier or the province. `page`: dossiers to
/// pass over, and most to list.
///
/// # Errors
/// A predicate that Polars does not accept, or a table that cannot be scanned.
pub fn integrity_dossiers(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    (definition, period): (&IndicatorDefinition, Period),
    changes: &[Change],
    (kind, of): (IntegrityKind, &FigureOf),
    (offset, limit): (u32, u32),
) -> Result<IntegrityDossiers, IndicatorError> {
    let MarkedDossiers { facts, agencies } = MarkedDossiers::new(inputs, rules, definition, period, changes)?;
    let of_kind = facts.filter(of.is_of_agency(&agencies)).filter(col(kind.name()));
    let total: u64 = count_by(of_kind.clone(), &agencies, [])?.into_values().sum();
    // Polars reserves memory for every row that is asked for.
    let limit = limit.min(u32::try_from(total).unwrap_or(u32::MAX).saturating_sub(offset));
    if limit == 0 {
        return Ok(IntegrityDossiers { total, rows: Vec::new() });
    }
    let order = SortMultipleOptions::default().with_order_descending_multi([true, false, false]).with_nulls_last(true);
    let listed = of_kind
        .select(expressions_of(&INTEGRITY_COLUMNS, inputs.now))
        .sort(["received_at", "source", "source_key"], order)
        .slice(i64::from(offset), limit)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    Ok(IntegrityDossiers { total, rows: cells_of(&listed, &INTEGRITY_COLUMNS, &agencies, &[])? })
}

/// The agencies that have dossiers of any kind in the denominator of a ratio over dossiers, those with most first.
/// `changes`: what the runs up to the night have found.
///
/// # Errors
/// A predicate that Polars does not accept, or a table that cannot be scanned.
pub fn integrity(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    definition: &IndicatorDefinition,
    period: Period,
    changes: &[Change],
) -> Result<Vec<IntegrityRow>, IndicatorError> {
    let MarkedDossiers { facts, agencies: known } = MarkedDossiers::new(inputs, rules, definition, period, changes)?;
    let names: Vec<&str> = IntegrityKind::iter().map(IntegrityKind::name).collect();
    // The kinds of a dossier as bits of one number, and as two more whether it is in the numerator, or perhaps.
    let flags = names.iter().copied().chain(["in_numerator", "is_unknown"]).zip(0_u32..);
    let flags = flags.map(|(name, bit)| when(col(name)).then(lit(1_u32 << bit)).otherwise(lit(0_u32)));
    let facts = facts.with_columns([flags.reduce(|sum, flag| sum + flag).expect("there are kinds").alias("flags")]);
    let mut rows: BTreeMap<u32, IntegrityRow> = BTreeMap::new();
    for ((number, [flags]), dossiers) in count_by(facts, &known, ["flags"])? {
        let attributed = &known.known[number as usize];
        let row = rows.entry(number).or_insert_with(|| IntegrityRow {
            agency: Arc::clone(&attributed.code),
            agency_name: Arc::clone(&attributed.name),
            tier: attributed.tier,
            dossiers: [0; IntegrityKind::COUNT],
            any: 0,
            numerator: 0,
            denominator: 0,
            unknown: 0,
            numerator_without: 0,
        });
        let flags = flags.expect("no flag is null");
        let has = |bit: usize| flags >> bit & 1 == 1;
        let is_any = (0..IntegrityKind::COUNT).any(has);
        let count_if = |is_counted: bool| if is_counted { dossiers } else { 0 };
        row.dossiers.iter_mut().enumerate().for_each(|(bit, sum)| *sum += count_if(has(bit)));
        row.denominator += dossiers;
        row.any += count_if(is_any);
        row.numerator += count_if(has(IntegrityKind::COUNT));
        row.unknown += count_if(has(IntegrityKind::COUNT + 1));
        row.numerator_without += count_if(has(IntegrityKind::COUNT) && !is_any);
    }
    let mut rows: Vec<IntegrityRow> = rows.into_values().filter(|row| row.any > 0).collect();
    rows.sort_by(|left, right| right.any.cmp(&left.any).then_with(|| left.agency.cmp(&right.agency)));
    Ok(rows)
}

/// Codes of the [`Change`]s that are judged. What else is a kind is seen in the dossiers.
pub const JUDGED_CHANGES: [&str; 2] = ["due_moved_after_due", "end_set_back"];

/// One flag for each kind, never null.
fn kinds(inputs: &FigureInputs<'_>, changes: &[Change]) -> PolarsResult<Vec<Expr>> {
    let with = |change: &'static str| KeyMoments::of(changes.iter().filter(move |one| one.change == change));
    // Later, and without a supplement or suspension that explains it.
    let moved = changes.iter().filter(|one| {
        one.change == "due_moved_after_due"
            && one.explained != Some(true)
            && instant(one.after.as_deref()) > instant(one.before.as_deref())
    });
    let set_back = with("end_set_back");
    let was_late = set_back.moment().gt(col("late_from"));
    let of_closed = closed_codes(inputs)?;
    let flags = [
        KeyMoments::of(moved).has(),
        col("due_moved_unexplained").fill_null(lit(false)),
        set_back.has(),
        was_late.and(col("is_on_time")),
        has_code_of(of_closed),
        local_day(micros("supplement_requested_at")).eq(local_day(micros("known_first_due_at"))),
    ];
    let named = |(kind, flag): (IntegrityKind, Expr)| flag.fill_null(lit(false)).alias(kind.name());
    Ok(IntegrityKind::iter().zip(flags).map(named).collect())
}

/// Dossiers by source and key, each with the latest moment before a change.
struct KeyMoments(Vec<(String, RowsByText, Column)>);

impl KeyMoments {
    fn of<'c>(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut by_source: BTreeMap<&str, BTreeMap<&str, Option<i64>>> = BTreeMap::new();
        for change in changes {
            let before = instant(change.before.as_deref());
            let latest = by_source.entry(&change.source).or_default().entry(&change.source_key).or_default();
            *latest = before.max(*latest);
        }
        let of_source = |(source, keys): (&str, BTreeMap<&str, Option<i64>>)| {
            let moments: Vec<Option<i64>> = keys.values().copied().collect();
            (source.to_owned(), RowsByText::new(keys.into_keys().map(Some)), Column::new("moment".into(), moments))
        };
        Self(by_source.into_iter().map(of_source).collect())
    }

    fn has(&self) -> Expr {
        let of = |(source, keys, _): &(String, RowsByText, Column)| {
            col("source").eq(lit(source.as_str())).and(keys.row(col("source_key")).is_not_null())
        };
        self.0.iter().map(of).reduce(Expr::or).unwrap_or(lit(false))
    }

    /// Null for a dossier that is none of them.
    fn moment(&self) -> Expr {
        self.0.iter().fold(lit(NULL).cast(DataType::Int64), |rest, (source, keys, moments)| {
            when(col("source").eq(lit(source.as_str())))
                .then(value_at(keys.row(col("source_key")), moments.clone()))
                .otherwise(rest)
        })
    }
}

/// A value of a change as an instant, microseconds UTC.
fn instant(text: Option<&str>) -> Option<i64> {
    text.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_microsecond)
}

/// The codes of dossiers that were withdrawn, refused, stopped or deleted, by source. Another source's dossier with the code
/// is a copy and not a new one.
fn closed_codes(inputs: &FigureInputs<'_>) -> PolarsResult<PlHashMap<String, PlHashSet<String>>> {
    let closed = UNRESOLVED_STATUSES.map(|status| col("status").eq(lit(status)));
    let ends = ["withdrawn_at", "refused_at", "stopped_at"].map(|end| col(end).is_not_null());
    let is_closed = closed.into_iter().chain(ends).chain([col("deleted")]);
    let is_closed = is_closed.map(|flag| flag.fill_null(lit(false))).reduce(Expr::or).expect("there are seven");
    let closed = inputs
        .dossiers
        .clone()
        .filter(is_closed)
        .select([col("source"), col("dossier_code")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let mut codes: PlHashMap<String, PlHashSet<String>> = PlHashMap::new();
    for (source, code) in closed.column("source")?.str()?.iter().zip(closed.column("dossier_code")?.str()?.iter()) {
        if let (Some(source), Some(code)) = (source, code) {
            codes.entry_ref(source).or_default().insert(code.to_owned());
        }
    }
    Ok(codes)
}

/// Whether one of a dossier's other codes is among these of its source, and is not its own.
fn has_code_of(codes: PlHashMap<String, PlHashSet<String>>) -> Expr {
    let codes = Arc::new(codes);
    let find = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let [others, own, sources] = [0, 1, 2].map(|at| columns[at].str());
        let (others, own, sources) = (others?, own?, sources?);
        let is_closed = |others: &str, own: Option<&str>, source: &str| {
            let Some(closed) = codes.get(source) else { return false };
            others.split(';').map(str::trim).any(|code| Some(code) != own && closed.contains(code))
        };
        let found: BooleanChunked = others
            .iter()
            .zip(own.iter())
            .zip(sources.iter())
            .map(|((others, own), source)| {
                others.zip(source).is_some_and(|(others, source)| is_closed(others, own, source))
            })
            .collect();
        Ok(found.with_name(columns[0].name().clone()).into_column())
    };
    col("other_codes").map_many(find, &[col("dossier_code"), col("source")], |_, fields| {
        Ok(Field::new(fields[0].name().clone(), DataType::Boolean))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defined(toml: &str) -> IndicatorDefinition {
        let text = format!(
            "id = \"x\"\nkind = \"ratio\"\ntitle = {{ vi = \"x\", en = \"x\" }}\n\
             legal = {{ document = \"x\", place = \"x\", from = \"2020-01-01\" }}\nrules = \"x\"\n\
             population = \"is_received\"\nperiod = \"received_at\"\ndenominator = \"TRUE\"\n{toml}"
        );
        toml::from_str(&text).expect("a definition")
    }

    #[test]
    fn only_ratios_that_due_dates_and_ends_improve_are_judged() {
        let is_judged = |text: &str| integrity_problem(&defined(text)).is_none();
        assert!(is_judged("numerator = \"is_on_time\""));
        assert!(is_judged("numerator = \"is_on_time OR has_apology\""));
        // Changed dossiers out of the numerator would make it look better.
        assert!(!is_judged("numerator = \"NOT is_on_time\"\nbetter = \"lower\""));
        // Neither due dates nor ends change these.
        assert!(!is_judged("numerator = \"is_online\""));
        assert!(!is_judged("numerator = \"is_postal_return\""));
        assert!(!is_judged("numerator = \"is_on_time\"\nhaving = \"is_online\""));
        assert!(!is_judged("numerator = \"is_on_time\"\nover = \"feedback\""));
    }
}
