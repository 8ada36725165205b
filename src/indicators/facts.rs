//! The facts: one row a dossier, one column a thing that a predicate may say of it.
//!
//! [`common`] holds what every rule set reads alike, a view whose the dossier is, [`evident`] what a rule set takes as
//! evidence; `states` adds how it ends.

use polars::prelude::*;

use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::lookups::{Keyed, value};
use crate::indicators::registers::{ProcedureRegister, day_row};
use crate::indicators::states::{local_day, micros, status_is_in};
use crate::model::rules::{AgencyView, PostalEvidence, RuleSet};

/// The text that names a dossier's agency.
pub(super) fn agency_text(view: AgencyView) -> Expr {
    let named = match view {
        AgencyView::Competent => vec![col("lead_agency"), col("competent_agency"), lit(NO_AGENCY)],
        AgencyView::Receiving => vec![col("receiving_agency"), lit(NO_AGENCY)],
        AgencyView::Handling => vec![col("handling_agency"), lit(NO_AGENCY)],
    };
    coalesce(&named).alias("agency_text")
}

pub(super) fn flag(name: &str) -> Expr {
    col(name).fill_null(lit(false))
}

/// Dossiers with their procedures, their notes and what the post says of them.
pub(super) fn common(
    dossiers: LazyFrame,
    notes: &NoteRegister,
    post: &PostRegister,
    procedures: &ProcedureRegister,
) -> LazyFrame {
    let day = local_day(micros("received_at"));
    let facts = dossiers.with_columns([day.clone().alias("day"), day_row(day).alias("day_row")]);
    post.join(procedures.join(notes.join(facts))).with_columns([
        flag("non_territorial"),
        flag("result_electronic"),
        col("apology_at").is_not_null().alias("has_apology"),
        col("due_at").is_not_null().alias("has_due_date"),
        col("submission_channel").eq(lit("online")).fill_null(lit(false)).alias("is_online"),
    ])
}

/// What notes say of dossiers, by their codes.
#[derive(Debug)]
pub(super) struct NoteRegister {
    codes: Keyed,
    said: [Column; NOTED.len()],
}

const NOTED: [&str; 4] = ["late_cause", "apology_number", "apology_at", "apology_new_due_at"];

impl NoteRegister {
    /// Of several notes the later apology's counts, then the later run's.
    pub(super) fn read(notes: LazyFrame, now: i64) -> PolarsResult<Self> {
        let last = |name: &str| {
            let order = SortMultipleOptions::default().with_nulls_last(false);
            col(name).sort_by([col("apology_at"), col("run")], order).drop_nulls().last()
        };
        let is_known = micros("apology_at").lt_eq(lit(now)).fill_null(lit(true));
        let notes = notes
            .filter(flag("deleted").not().and(is_known).and(col("dossier_code").is_not_null()))
            .group_by([col("dossier_code")])
            .agg(NOTED.map(last))
            .collect()?;
        let codes = Keyed::new(notes.column("dossier_code")?.str()?.iter());
        let column = |name: &str| notes.column(name).expect("it was just aggregated").clone();
        Ok(Self { codes, said: NOTED.map(column) })
    }

    /// Dossiers with apology and cause as notes say them: a note that says something comes before the source.
    fn join(&self, dossiers: LazyFrame) -> LazyFrame {
        if self.codes.is_empty() {
            return dossiers;
        }
        let said = NOTED.iter().zip(&self.said);
        let said = said.map(|(name, said)| coalesce(&[value(col("note"), said.clone()), col(*name)]).alias(*name));
        dossiers
            .with_columns([self.codes.row(col("dossier_code")).alias("note")])
            .with_columns(said.collect::<Vec<_>>())
    }
}

/// What the post says of dossiers, by their codes. Items that were withdrawn count for nothing.
#[derive(Debug)]
pub(super) struct PostRegister {
    codes: Keyed,
    submission: Column,
    returning: Column,
    returned_at: Column,
}

impl PostRegister {
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
            codes: Keyed::new(items.column("dossier_code")?.str()?.iter()),
            submission: items.column("submission")?.clone(),
            returning: items.column("return")?.clone(),
            returned_at: items.column("returned_at")?.clone(),
        })
    }

    /// Adds what the post says of each dossier, under either of its codes: `post_submission`, `post_return` and
    /// `post_returned_at`.
    fn join(&self, dossiers: LazyFrame) -> LazyFrame {
        if self.codes.is_empty() {
            return dossiers.with_columns([
                lit(false).alias("post_submission"),
                lit(false).alias("post_return"),
                lit(NULL).cast(DataType::Int64).alias("post_returned_at"),
            ]);
        }
        let either = |values: &Column| {
            let of = |row: &str| value(col(row), values.clone()).fill_null(lit(false));
            of("own_item").or(of("national_item"))
        };
        let returned = |row: &str| value(col(row), self.returned_at.clone());
        let own_is_earlier =
            col("own_returned").lt(col("national_returned")).fill_null(col("national_returned").is_null());
        dossiers
            .with_columns([
                self.codes.row(col("dossier_code")).alias("own_item"),
                self.codes.row(col("national_code")).alias("national_item"),
            ])
            .with_columns([
                either(&self.submission).alias("post_submission"),
                either(&self.returning).alias("post_return"),
                returned("own_item").alias("own_returned"),
                returned("national_item").alias("national_returned"),
            ])
            .with_columns([when(own_is_earlier)
                .then(col("own_returned"))
                .otherwise(col("national_returned"))
                .alias("post_returned_at")])
    }
}

/// Whether a thing went by post, by the rule set's evidence.
fn by_evidence(rules: &RuleSet, portal: Expr, post: Expr) -> Expr {
    match rules.postal_evidence {
        PostalEvidence::Either => portal.or(post),
        PostalEvidence::Both => portal.and(post),
        PostalEvidence::Portal => portal,
        PostalEvidence::Post => post,
    }
}

/// Adds what counts as received and as returned, and what went by post: one dossier once, whichever of portal and post has
/// the evidence.
pub(super) fn evident(facts: LazyFrame, rules: &RuleSet, now: i64) -> LazyFrame {
    let portal_submission = col("submission_channel").eq(lit("postal")).fill_null(lit(false));
    let portal_returned = micros("returned_at").lt_eq(lit(now)).fill_null(lit(false));
    let portal_return = portal_returned.and(col("returned_by").eq(lit("postal")).fill_null(lit(false)));
    let returned_at = coalesce(&[
        when(micros("returned_at").lt_eq(lit(now))).then(micros("returned_at")).otherwise(lit(NULL)),
        col("post_returned_at"),
    ]);
    let not_received: Vec<&str> = rules.not_received.iter().map(|status| status.name()).collect();
    let whole = flag("deleted").not().and(col("parent_code").is_null()).and(status_is_in(&not_received).not());
    facts
        .with_columns([
            whole.clone().and(micros("received_at").lt_eq(lit(now))).fill_null(lit(false)).alias("is_received"),
            returned_at.alias("result_returned_at"),
            by_evidence(rules, portal_submission.clone(), col("post_submission")).alias("is_postal_submission"),
            portal_submission.neq(col("post_submission")).alias("submission_one_sided"),
            by_evidence(rules, portal_return.clone(), col("post_return")).alias("is_postal_return"),
            portal_return.neq(col("post_return")).alias("return_one_sided"),
        ])
        .with_columns([
            whole.and(col("result_returned_at").is_not_null()).alias("is_returned"),
            local_day(col("result_returned_at")).alias("returned_day"),
        ])
}
