//! The facts: one row per dossier, one column per property that predicates use.
//!
//! [`common_facts`] adds what every rule set reads alike, the view (in `scan`) the agency, and [`rule_set_facts`] what
//! depends on the rule set's evidence. `states` then adds the end and the state.

use polars::prelude::*;

use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::apologies::{self, Promises};
use crate::indicators::due_dates::is_moved_unexplained;
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::lookups::{RowsByText, value_at};
use crate::indicators::parts::ParentCodes;
use crate::indicators::registry_lookups::{ProcedureLookup, day_row};
use crate::indicators::states::status_is_in;
use crate::model::rules::{
    AgencyView, MissingCertification, MissingChannel, MissingReturn, PostalEvidence, ReturnDay, RuleSet,
};

/// The text that names the agency of a dossier in a view, as the column `agency_text`.
pub(super) fn agency_text(view: AgencyView) -> Expr {
    let named = match view {
        AgencyView::Competent => vec![col("lead_agency"), col("competent_agency"), lit(NO_AGENCY)],
        AgencyView::Receiving => vec![col("receiving_agency"), lit(NO_AGENCY)],
        AgencyView::Handling => vec![col("handling_agency"), lit(NO_AGENCY)],
    };
    coalesce(&named).alias("agency_text")
}

/// A boolean column; null counts as false.
pub(super) fn flag(name: &str) -> Expr {
    col(name).fill_null(lit(false))
}

/// Adds what every rule set reads alike: the day of reception, procedure, notes and postal items of each dossier.
pub(super) fn common_facts(
    dossiers: LazyFrame,
    notes: &NoteLookup,
    post: &PostLookup,
    procedures: &ProcedureLookup,
    parents: &ParentCodes,
) -> LazyFrame {
    let day = local_day(micros("received_at"));
    let facts = dossiers.with_columns([day.clone().alias("day"), day_row(day).alias("day_row")]);
    post.add_to(procedures.add_to(notes.add_to(facts))).with_columns([
        parents.is_part(),
        apologies::is_stated().alias("has_apology"),
        col("due_at").is_not_null().alias("has_due_date"),
        is_moved_unexplained().alias("due_moved_unexplained"),
        was_supplemented().alias("was_supplemented"),
    ])
}

/// Whether the applicant was asked to supplement: by the number of requests, by the dates of one, or because the dossier
/// waits for one. Null if the source states none of these.
fn was_supplemented() -> Expr {
    let dates = ["supplement_requested_at", "supplement_received_at"].map(|date| col(date).is_not_null());
    let is_stated = dates.into_iter().fold(status_is_in(&["supplement"]), Expr::or);
    when(is_stated).then(lit(true)).otherwise(col("supplement_requests").gt(lit(0_i64)))
}

/// The dossier notes (cause of delay, apology), by dossier code.
#[derive(Debug)]
pub(super) struct NoteLookup {
    codes: RowsByText,
    /// The values of each of [`NOTE_COLUMNS`].
    values: [Column; NOTE_COLUMNS.len()],
    /// Whether the notes state more than one extension.
    has_extensions: Column,
    promises: Promises,
}

const NOTE_COLUMNS: [&str; 4] = ["late_cause", "apology_number", "apology_at", "apology_new_due_at"];

impl NoteLookup {
    /// Reads the notes known at `now`. If a dossier has several, each column takes its value from the latest note that
    /// has one: latest by the date of the apology, then by the run.
    pub(super) fn read(notes: LazyFrame, now: i64) -> PolarsResult<Self> {
        let latest = |name: &str| {
            let order = SortMultipleOptions::default().with_nulls_last(false);
            col(name).sort_by([col("apology_at"), col("run")], order).drop_nulls().last()
        };
        let is_known = micros("apology_at").lt_eq(lit(now)).fill_null(lit(true));
        let notes = notes
            .filter(flag("deleted").not().and(is_known).and(col("dossier_code").is_not_null()))
            .group_by([col("dossier_code")])
            .agg(
                [
                    &NOTE_COLUMNS.map(latest)[..],
                    &[
                        apologies::has_several_extensions().alias("has_extensions"),
                        micros("apology_new_due_at").drop_nulls().alias("promises"),
                    ],
                ]
                .concat(),
            )
            .collect()?;
        let codes = RowsByText::new(notes.column("dossier_code")?.str()?.iter());
        let column = |name: &str| notes.column(name).expect("it was just aggregated").clone();
        let promises = Promises::read(notes.column("promises")?)?;
        Ok(Self { codes, values: NOTE_COLUMNS.map(column), has_extensions: column("has_extensions"), promises })
    }

    /// Replaces cause and apology by those of the notes; without a note the source's values stay. If several notes promise
    /// different dates, `apology_new_due_at` is the one that the due date was moved to. Adds `has_extensions`.
    fn add_to(&self, dossiers: LazyFrame) -> LazyFrame {
        if self.codes.is_empty() {
            return dossiers.with_columns([lit(false).alias("has_extensions")]);
        }
        let columns = NOTE_COLUMNS.iter().zip(&self.values);
        let columns =
            columns.map(|(name, values)| coalesce(&[value_at(col("note"), values.clone()), col(*name)]).alias(*name));
        dossiers
            .with_columns([self.codes.row(col("dossier_code")).alias("note")])
            .with_columns(columns.collect::<Vec<_>>())
            .with_columns([self.promises.kept(col("note"))])
            .with_columns([value_at(col("note"), self.has_extensions.clone())
                .fill_null(lit(false))
                .alias("has_extensions")])
    }
}

/// The postal items of dossiers, by dossier code. Items that were withdrawn are left out.
#[derive(Debug)]
pub(super) struct PostLookup {
    codes: RowsByText,
    /// Whether there is an item that brought the dossier.
    submission: Column,
    /// Whether there is an item that returned the result.
    returning: Column,
    /// When the post accepted the first such item, in microseconds UTC.
    returned_at: Column,
}

impl PostLookup {
    /// Reads the items that the post had accepted by `now`.
    pub(super) fn read(items: LazyFrame, now: i64) -> PolarsResult<Self> {
        let direction = |name: &'static str| col("direction").eq(lit(name)).fill_null(lit(false));
        let items = items
            .filter(
                flag("deleted")
                    .not()
                    .and(col("withdrawn_at").is_null())
                    .and(col("status").neq(lit("withdrawn")).fill_null(lit(true)))
                    .and(micros("accepted_at").lt_eq(lit(now)))
                    .and(col("dossier_code").is_not_null()),
            )
            .group_by([col("dossier_code")])
            .agg([
                direction("submission").any(true).alias("submission"),
                direction("return").any(true).alias("return"),
                micros("accepted_at").filter(direction("return")).min().alias("returned_at"),
            ])
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        Ok(Self {
            codes: RowsByText::new(items.column("dossier_code")?.str()?.iter()),
            submission: items.column("submission")?.clone(),
            returning: items.column("return")?.clone(),
            returned_at: items.column("returned_at")?.clone(),
        })
    }

    /// Whether there are no items at all.
    pub(super) fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Adds `post_submission`, `post_return` and `post_returned_at`. Items match by the dossier's own or its national
    /// code.
    fn add_to(&self, dossiers: LazyFrame) -> LazyFrame {
        if self.codes.is_empty() {
            return dossiers.with_columns([
                lit(false).alias("post_submission"),
                lit(false).alias("post_return"),
                lit(NULL).cast(DataType::Int64).alias("post_returned_at"),
            ]);
        }
        let by_either_code = |values: &Column| {
            let by = |row: &str| value_at(col(row), values.clone()).fill_null(lit(false));
            by("own_item").or(by("national_item"))
        };
        let returned = |row: &str| value_at(col(row), self.returned_at.clone());
        let own_is_earlier =
            col("own_returned").lt(col("national_returned")).fill_null(col("national_returned").is_null());
        dossiers
            .with_columns([
                self.codes.row(col("dossier_code")).alias("own_item"),
                self.codes.row(col("national_code")).alias("national_item"),
            ])
            .with_columns([
                by_either_code(&self.submission).alias("post_submission"),
                by_either_code(&self.returning).alias("post_return"),
                returned("own_item").alias("own_returned"),
                returned("national_item").alias("national_returned"),
            ])
            .with_columns([when(own_is_earlier)
                .then(col("own_returned"))
                .otherwise(col("national_returned"))
                .alias("post_returned_at")])
    }
}

/// Whether a submission or return counts as postal by the evidence that the rule set accepts; null if the portal states
/// nothing and the post's evidence does not decide.
fn by_evidence(rules: &RuleSet, portal: Expr, post: Expr) -> Expr {
    match rules.postal_evidence {
        PostalEvidence::Either => portal.or(post),
        PostalEvidence::Both => portal.and(post),
        PostalEvidence::Portal => portal,
        PostalEvidence::Post => post,
    }
}

/// Whether a channel is a word; null without a channel, unless the rule set reads that as the counter.
fn channel_is(word: &'static str, rules: &RuleSet) -> Expr {
    let is = col("submission_channel").eq(lit(word));
    match rules.missing_channel {
        MissingChannel::Counter => is.fill_null(lit(false)),
        MissingChannel::Unknown => is,
    }
}

/// Adds which dossiers count as received and as returned at `now`, how they were submitted, and which of them went by
/// post. A dossier counts once, also if both portal and post have evidence. `has_post_list`: whether the post has listed
/// any item.
pub(super) fn rule_set_facts(facts: LazyFrame, rules: &RuleSet, now: i64, has_post_list: bool) -> LazyFrame {
    let portal_submission = channel_is("postal", rules);
    let portal_returned = micros("returned_at").lt_eq(lit(now)).fill_null(lit(false));
    let returned_by_post = col("returned_by").eq(lit("postal"));
    let portal_return = portal_returned.and(match rules.missing_return {
        MissingReturn::NotPostal => returned_by_post.fill_null(lit(false)),
        MissingReturn::PostList if has_post_list => returned_by_post.fill_null(lit(false)),
        MissingReturn::PostList | MissingReturn::Unknown => returned_by_post,
    });
    let by_portal = when(micros("returned_at").lt_eq(lit(now))).then(micros("returned_at")).otherwise(lit(NULL));
    let returned_at = match rules.return_day {
        ReturnDay::Portal => coalesce(&[by_portal, col("post_returned_at")]),
        ReturnDay::Post => coalesce(&[col("post_returned_at"), by_portal]),
    };
    let not_received: Vec<&str> = rules.not_received.iter().map(|status| status.name()).collect();
    let is_countable = flag("deleted").not().and(col("is_part").not()).and(status_is_in(&not_received).not());
    facts
        .with_columns([
            is_countable.clone().and(micros("received_at").lt_eq(lit(now))).fill_null(lit(false)).alias("is_received"),
            returned_at.alias("result_returned_at"),
            channel_is("online", rules).alias("is_online"),
            by_evidence(rules, portal_submission.clone(), col("post_submission")).alias("is_postal_submission"),
            portal_submission.fill_null(lit(false)).neq(col("post_submission")).alias("submission_one_sided"),
            by_evidence(rules, portal_return.clone(), col("post_return")).alias("is_postal_return"),
            portal_return.fill_null(lit(false)).neq(col("post_return")).alias("return_one_sided"),
        ])
        .with_columns([
            match rules.missing_certification {
                MissingCertification::No => flag("certification"),
                MissingCertification::Unknown => col("certification"),
            },
            is_countable.and(col("result_returned_at").is_not_null()).alias("is_returned"),
            local_day(col("result_returned_at")).alias("returned_day"),
        ])
}
