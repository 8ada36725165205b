//! Classes of dossiers by what portal and post state about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;
use strum::IntoEnumIterator as _;

use crate::expressions::dossier_facts;
use crate::indicators::IndicatorError;
use crate::indicators::agencies::Agencies;
use crate::indicators::explain::FigureOf;
use crate::indicators::grouped_rows::joined_items;
use crate::indicators::groups::between;
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::lookups::{RowsByText, value_at};
use crate::indicators::polars_expressions::predicate;
use crate::indicators::scan::{count_by, facts_of};
use crate::model::instant::DAY_MICROS;
use crate::model::period::Period;
use crate::model::rules::RuleSet;

/// Days by which the dates of portal and post may differ.
const TOLERANCE_DAYS: i64 = 3;

/// Which way the post carried something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumString, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum PostDirection {
    /// The dossier to the agency. Dossiers are filed by their reception.
    Submission,
    /// The result to the applicant. Dossiers are filed by the return.
    Return,
}

impl PostDirection {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::Submission => ["Nộp hồ sơ qua bưu chính", "Submitted by post"],
            Self::Return => ["Trả kết quả qua bưu chính", "Returned by post"],
        }
    }

    fn is_return(self) -> bool {
        self == Self::Return
    }
}

/// What portal and post state about a dossier. Each dossier has the first class that fits.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
    strum::FromRepr,
)]
#[strum(serialize_all = "snake_case")]
#[repr(u8)]
pub enum ReconcileClass {
    /// The post has an item of this direction, and the portal states another way.
    OtherChannel,
    /// The portal states the post, which has an item of the other direction only.
    OtherDirection,
    /// The portal states the post, which has no item.
    PortalOnly,
    /// The post has an item, and the portal states nothing.
    PostOnly,
    /// The portal says that the result was returned before the post took it.
    ReturnedEarly,
    /// The dates of portal and post are more than three days apart.
    OtherDate,
    /// The post has several items of this direction.
    SeveralItems,
    /// Both agree.
    Matched,
}

impl ReconcileClass {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::OtherChannel => {
                ["Bưu chính có bưu gửi, cổng ghi hình thức khác", "The post has an item, the portal states another way"]
            }
            Self::OtherDirection => [
                "Cổng ghi bưu chính, bưu chính chỉ có bưu gửi chiều kia",
                "The portal states the post, which has an item of the other direction only",
            ],
            Self::PortalOnly => {
                ["Cổng ghi bưu chính, bưu chính không có bưu gửi", "The portal states the post, which has no item"]
            }
            Self::PostOnly => {
                ["Bưu chính có bưu gửi, cổng không ghi", "The post has an item, the portal states nothing"]
            }
            Self::ReturnedEarly => {
                ["Cổng ghi đã trả trước khi bưu chính nhận", "Returned by the portal before the post took it"]
            }
            Self::OtherDate => ["Ngày của hai bên lệch quá 3 ngày", "The dates are more than three days apart"],
            Self::SeveralItems => ["Một hồ sơ có nhiều bưu gửi cùng chiều", "Several items of one direction"],
            Self::Matched => ["Khớp", "Matched"],
        }
    }

    /// Whether only one of the two has evidence: those of them that a ratio counts are its unmatched share.
    #[must_use]
    pub fn is_one_sided(self) -> bool {
        matches!(self, Self::OtherChannel | Self::OtherDirection | Self::PortalOnly | Self::PostOnly)
    }
}

/// Which dossiers are listed.
#[derive(Debug, Clone)]
pub struct ReconcilePage {
    pub of: FigureOf,
    /// `None`: all classes but [`ReconcileClass::Matched`].
    pub class: Option<ReconcileClass>,
    pub offset: u32,
    pub limit: u32,
}

/// Dossiers of one agency in one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCount {
    pub agency: Arc<str>,
    pub agency_name: Arc<str>,
    pub class: ReconcileClass,
    pub dossiers: u64,
}

/// A dossier with what each side states. Instants are in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciledDossier {
    pub class: ReconcileClass,
    pub dossier_code: Option<String>,
    pub source: String,
    pub source_key: String,
    pub agency: Arc<str>,
    pub agency_name: Arc<str>,
    /// The channel of the submission, or the way of the return, as the portal states it.
    pub portal_way: Option<String>,
    /// Received, or returned, by the portal.
    pub portal_at: Option<i64>,
    /// Received by the portal, whatever the direction.
    pub received_at: Option<i64>,
    /// When the post took the first item of the direction.
    pub post_at: Option<i64>,
    pub delivered_at: Option<i64>,
    /// Items of the direction.
    pub items: i64,
}

/// What was found about one direction in a period.
#[derive(Debug, Clone)]
pub struct Reconciliation {
    /// By agency and class.
    pub counts: Vec<ClassCount>,
    /// Dossiers by class, of the agency, tier or province of the page.
    pub totals: BTreeMap<ReconcileClass, u64>,
    pub dossiers: Vec<ReconciledDossier>,
}

/// Compares portal and post about the dossiers of a period.
///
/// # Errors
/// A table that cannot be scanned.
pub fn reconcile(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    (direction, period): (PostDirection, Period),
    page: &ReconcilePage,
) -> Result<Reconciliation, IndicatorError> {
    let items = ItemsByCode::read(inputs, direction)?;
    let found = facts_of(inputs, rules, None)?;
    let day = if direction.is_return() { "returned_day" } else { "received_day" };
    let in_period = predicate(&between(day, period.start(), period.end()).is_true());
    let classed = found
        .facts
        .filter(col("agency").is_not_null().and(in_period))
        .with_columns(items.columns())
        .with_columns([class(direction).alias("class")])
        .filter(col("class").is_not_null());
    let agencies = found.agencies;
    let class_of = |number: Option<u32>| ReconcileClass::from_repr(u8::try_from(number?).ok()?);
    let counts = count_by(classed.clone(), &agencies, ["class"])?.into_iter();
    let mut counts: Vec<(u32, ReconcileClass, u64)> =
        counts.filter_map(|((number, [class]), dossiers)| Some((number, class_of(class)?, dossiers))).collect();
    let mut totals: BTreeMap<ReconcileClass, u64> = ReconcileClass::iter().map(|class| (class, 0)).collect();
    for (number, class, dossiers) in &counts {
        if page.of.is_of(&agencies.known[*number as usize]) {
            *totals.entry(*class).or_default() += dossiers;
        }
    }
    let dossiers = list(classed, &agencies, direction, page, &totals)?;
    let named = |(number, class, dossiers): (u32, ReconcileClass, u64)| {
        let agency = &agencies.known[number as usize];
        ClassCount { agency: Arc::clone(&agency.code), agency_name: Arc::clone(&agency.name), class, dossiers }
    };
    counts.retain(|(number, ..)| page.of.is_of(&agencies.known[*number as usize]));
    Ok(Reconciliation { counts: counts.into_iter().map(named).collect(), totals, dossiers })
}

/// The items of each dossier code: how many of the direction, when the first was taken and the last delivered, and whether
/// there is one of the other direction.
struct ItemsByCode {
    codes: RowsByText,
    values: DataFrame,
}

impl ItemsByCode {
    fn read(inputs: &FigureInputs<'_>, direction: PostDirection) -> PolarsResult<Self> {
        let [is_of, is_other] = match direction {
            PostDirection::Submission => ["is_submission", "is_return"],
            PostDirection::Return => ["is_return", "is_submission"],
        };
        // A moment after the night's is a mistake of the post, and no moment.
        let of_direction =
            |name: &str| when(col(is_of).and(col(name).lt_eq(lit(inputs.now)))).then(col(name)).otherwise(lit(NULL));
        let values = joined_items(inputs.postal_items.clone(), inputs.now)
            .group_by([col("dossier_code")])
            .agg([
                col(is_of).sum().cast(DataType::Int64).alias("items"),
                of_direction("taken_at").min().alias("post_at"),
                of_direction("arrived_at").max().alias("delivered_at"),
                col(is_other).any(true).alias("is_other_direction"),
            ])
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let codes = RowsByText::new(values.column("dossier_code")?.str()?.iter());
        Ok(Self { codes, values })
    }

    /// The values of a dossier: of its own code and of the national one together.
    fn columns(&self) -> Vec<Expr> {
        // A source may repeat the dossier's own code as the national one.
        let national = when(col("national_code").neq_missing(col("dossier_code"))).then(col("national_code"));
        let national = national.otherwise(lit(NULL)).cast(DataType::String);
        let value = |code: Expr, name: &str| {
            let values = self.values.column(name).expect("it was aggregated").clone();
            value_at(self.codes.row(code), values)
        };
        let both = |name: &str| [value(col("dossier_code"), name), value(national.clone(), name)];
        let [own, national] = both("items");
        let items = own.fill_null(lit(0_i64)) + national.fill_null(lit(0_i64));
        let [own, national] = both("post_at");
        let post_at =
            when(own.clone().lt_eq(national.clone()).or(national.clone().is_null())).then(own).otherwise(national);
        let [own, national] = both("delivered_at");
        let delivered_at = coalesce(&[own, national]);
        let [own, national] = both("is_other_direction");
        let is_other = own.fill_null(lit(false)).or(national.fill_null(lit(false)));
        vec![
            items.alias("items"),
            post_at.alias("post_at"),
            delivered_at.alias("item_delivered_at"),
            is_other.alias("is_other_direction"),
        ]
    }
}

/// The class of a dossier; null if neither side connects it with the post.
fn class(direction: PostDirection) -> Expr {
    let [portal, post] = match direction {
        PostDirection::Submission => ["portal_submission", "post_submission"],
        PostDirection::Return => ["portal_return", "post_return"],
    };
    debug_assert!([portal, post].iter().all(|name| dossier_facts().fact(name).is_some()));
    let class = |class: ReconcileClass| lit(class as u32);
    let (by_portal, by_post) = (col(portal).fill_null(lit(false)), col(post).fill_null(lit(false)));
    let (portal_at, tolerance) = (portal_at(direction), lit(TOLERANCE_DAYS * DAY_MICROS));
    let way = col(portal_way(direction));
    let apart = portal_at.clone() - col("post_at");
    let is_early = if direction.is_return() { local_day(portal_at).lt(local_day(col("post_at"))) } else { lit(false) };
    let is_apart = apart.clone().gt(tolerance.clone()).or(apart.lt(lit(0_i64) - tolerance));
    let states_another = way.neq(lit("postal")).fill_null(lit(false));
    when(by_post.clone().and(by_portal.clone().not()).and(states_another))
        .then(class(ReconcileClass::OtherChannel))
        .when(by_portal.clone().and(by_post.clone().not()).and(col("is_other_direction")))
        .then(class(ReconcileClass::OtherDirection))
        .when(by_portal.clone().and(by_post.clone().not()))
        .then(class(ReconcileClass::PortalOnly))
        .when(by_post.clone().and(by_portal.not()))
        .then(class(ReconcileClass::PostOnly))
        .when(by_post.clone().and(is_early.fill_null(lit(false))))
        .then(class(ReconcileClass::ReturnedEarly))
        .when(by_post.clone().and(is_apart.fill_null(lit(false))))
        .then(class(ReconcileClass::OtherDate))
        .when(by_post.clone().and(col("items").gt(lit(1_i64))))
        .then(class(ReconcileClass::SeveralItems))
        .when(by_post)
        .then(class(ReconcileClass::Matched))
        .otherwise(lit(NULL))
        .cast(DataType::UInt32)
}

/// When the portal says that it was received or returned.
fn portal_at(direction: PostDirection) -> Expr {
    micros(if direction.is_return() { "portal_returned_at" } else { "received_at" })
}

fn portal_way(direction: PostDirection) -> &'static str {
    if direction.is_return() { "returned_by" } else { "submission_channel" }
}

fn list(
    classed: LazyFrame,
    agencies: &Agencies,
    direction: PostDirection,
    page: &ReconcilePage,
    totals: &BTreeMap<ReconcileClass, u64>,
) -> Result<Vec<ReconciledDossier>, IndicatorError> {
    let is_listed = |class: ReconcileClass| page.class.map_or(class != ReconcileClass::Matched, |only| only == class);
    let of: u64 = totals.iter().filter(|(class, _)| is_listed(**class)).map(|(_, dossiers)| dossiers).sum();
    // Polars reserves memory for every row that is asked for.
    let limit = page.limit.min(u32::try_from(of).unwrap_or(u32::MAX).saturating_sub(page.offset));
    if limit == 0 {
        return Ok(Vec::new());
    }
    let listed =
        ReconcileClass::iter().filter(|class| is_listed(*class)).map(|class| col("class").eq(lit(class as u32)));
    let frame = classed
        .filter(page.of.is_of_agency(agencies))
        .filter(listed.reduce(Expr::or).expect("there are classes"))
        .select([
            col("class"),
            col("dossier_code"),
            col("source"),
            col("source_key"),
            col("agency"),
            col(portal_way(direction)).cast(DataType::String).alias("portal_way"),
            portal_at(direction).alias("portal_at"),
            micros("received_at").alias("portal_received_at"),
            col("post_at"),
            col("item_delivered_at"),
            col("items"),
        ])
        .sort(["class", "agency", "source", "source_key"], SortMultipleOptions::default())
        .slice(i64::from(page.offset), limit)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let text = |name: &str| frame.column(name)?.str();
    let number = |name: &str| frame.column(name)?.i64();
    let (codes, sources, keys, ways) =
        (text("dossier_code")?, text("source")?, text("source_key")?, text("portal_way")?);
    let (portal, received, post) = (number("portal_at")?, number("portal_received_at")?, number("post_at")?);
    let (delivered, items) = (number("item_delivered_at")?, number("items")?);
    let (of_class, numbers) = (frame.column("class")?.u32()?, frame.column("agency")?.u32()?);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let dossier = |row: usize| {
        let agency = &agencies.known[agencies.attributed_to(numbers.get(row)?) as usize];
        Some(ReconciledDossier {
            class: ReconcileClass::from_repr(u8::try_from(of_class.get(row)?).ok()?)?,
            dossier_code: owned(codes.get(row)),
            source: owned(sources.get(row)).unwrap_or_default(),
            source_key: owned(keys.get(row)).unwrap_or_default(),
            agency: Arc::clone(&agency.code),
            agency_name: Arc::clone(&agency.name),
            portal_way: owned(ways.get(row)),
            portal_at: portal.get(row),
            received_at: received.get(row),
            post_at: post.get(row),
            delivered_at: delivered.get(row),
            items: items.get(row).unwrap_or(0),
        })
    };
    Ok((0..frame.height()).filter_map(dossier).collect())
}
