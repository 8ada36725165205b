//! The facts: one row a dossier, one column a thing that a predicate may say of it.

use polars::prelude::*;

use crate::indicators::agencies::NO_AGENCY;
use crate::indicators::states::{clock_from, local_day, micros, status_is_in};
use crate::model::indicator::{AgencyView, PostalEvidence, RuleSet};

/// Everything that the scan joins.
#[derive(Clone)]
pub(super) struct Registers {
    pub(super) days: LazyFrame,
    pub(super) clock_days: LazyFrame,
    pub(super) working_days: LazyFrame,
    pub(super) agencies: LazyFrame,
    pub(super) procedures: LazyFrame,
    pub(super) agency_offers: LazyFrame,
    pub(super) tier_offers: LazyFrame,
}

/// The text that names a dossier's agency, by the rule set's view.
pub(super) fn agency_text(rules: &RuleSet) -> Expr {
    let named = match rules.agency {
        AgencyView::Competent => vec![col("lead_agency"), col("competent_agency"), lit(NO_AGENCY)],
        AgencyView::Receiving => vec![col("receiving_agency"), lit(NO_AGENCY)],
        AgencyView::Handling => vec![col("handling_agency"), lit(NO_AGENCY)],
    };
    coalesce(&named).alias("agency_text")
}

pub(super) fn left(facts: LazyFrame, other: LazyFrame, on: &[&str]) -> LazyFrame {
    let keys: Vec<Expr> = on.iter().map(|name| col(*name)).collect();
    facts.join(other, keys.clone(), keys, JoinArgs::new(JoinType::Left))
}

pub(super) fn flag(name: &str) -> Expr {
    col(name).fill_null(lit(false))
}

/// Dossiers with what notes say of them: apology and cause. A note that says something comes before the source; of several
/// the later apology's, then the later run's.
pub(super) fn noted(dossiers: LazyFrame, notes: LazyFrame, now: i64) -> PolarsResult<LazyFrame> {
    const NOTED: [&str; 4] = ["late_cause", "apology_number", "apology_at", "apology_new_due_at"];
    let note = |name: &str| format!("note_{name}");
    let last = |name: &str| {
        let order = SortMultipleOptions::default().with_nulls_last(false);
        col(name).sort_by([col("apology_at"), col("run")], order).drop_nulls().last().alias(note(name))
    };
    let is_known = micros("apology_at").lt_eq(lit(now)).fill_null(lit(true));
    let notes = notes
        .filter(flag("deleted").not().and(is_known).and(col("dossier_code").is_not_null()))
        .group_by([col("dossier_code")])
        .agg(NOTED.map(last))
        .collect()?;
    if notes.height() == 0 {
        return Ok(dossiers);
    }
    let facts = left(dossiers, notes.lazy(), &["dossier_code"]);
    Ok(facts.with_columns(NOTED.map(|name| coalesce(&[col(note(name)), col(name)]).alias(name))))
}

/// Dossiers with registries joined: all that does not depend on a due date.
pub(super) fn joined(
    dossiers: LazyFrame,
    postal: LazyFrame,
    registers: &Registers,
    rules: &RuleSet,
    now: i64,
) -> LazyFrame {
    let facts = dossiers.with_columns([
        agency_text(rules),
        local_day(micros("received_at")).alias("day"),
        local_day(clock_from(rules)).alias("clock_day"),
    ]);
    let facts = left(facts, registers.days.clone(), &["day"]);
    let facts = left(facts, registers.clock_days.clone(), &["clock_day"]);
    let facts = left(facts, registers.agencies.clone(), &["agency_text", "agency_epoch"]);
    let facts = left(facts, registers.procedures.clone(), &["procedure_code"]);
    let facts = left(facts, registers.agency_offers.clone(), &["procedure_code", "agency_code", "offer_epoch"]);
    let facts = left(facts, registers.tier_offers.clone(), &["procedure_code", "agency_tier", "offer_epoch"]);
    let post = post_by_dossier(postal, now);
    let by_national = post.clone().rename(
        ["dossier_code", "post_submission", "post_return", "post_returned_at"],
        ["national_code", "national_submission", "national_return", "national_returned_at"],
        true,
    );
    let facts = left(facts, post, &["dossier_code"]);
    let facts = left(facts, by_national, &["national_code"]);
    evident(facts, rules, now)
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

/// What the post says of each dossier code: items that were withdrawn count for nothing.
fn post_by_dossier(postal: LazyFrame, now: i64) -> LazyFrame {
    let direction = |name: &'static str| col("direction").eq(lit(name)).fill_null(lit(false));
    postal
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
            direction("submission").any(true).alias("post_submission"),
            direction("return").any(true).alias("post_return"),
            micros("accepted_at").filter(direction("return")).min().alias("post_returned_at"),
        ])
}

/// Portal and post read together: one dossier counts once, whichever of them has the evidence.
fn evident(facts: LazyFrame, rules: &RuleSet, now: i64) -> LazyFrame {
    let portal_submission = col("submission_channel").eq(lit("postal")).fill_null(lit(false));
    let post_submission = flag("post_submission").or(flag("national_submission"));
    let portal_returned = micros("returned_at").lt_eq(lit(now)).fill_null(lit(false));
    let portal_return = portal_returned.and(col("returned_by").eq(lit("postal")).fill_null(lit(false)));
    let post_return = flag("post_return").or(flag("national_return"));
    let (own, national) = (col("post_returned_at"), col("national_returned_at"));
    let own_is_earlier = own.clone().lt(national.clone()).fill_null(national.clone().is_null());
    let post_returned_at = when(own_is_earlier).then(own).otherwise(national);
    let returned_at = coalesce(&[
        when(micros("returned_at").lt_eq(lit(now))).then(micros("returned_at")).otherwise(lit(NULL)),
        post_returned_at,
    ]);
    let not_received: Vec<&str> = rules.not_received.iter().map(|status| status.name()).collect();
    let whole = flag("deleted").not().and(col("parent_code").is_null()).and(status_is_in(&not_received).not());
    facts
        .with_columns([
            whole.clone().and(micros("received_at").lt_eq(lit(now))).fill_null(lit(false)).alias("is_received"),
            returned_at.alias("result_returned_at"),
            by_evidence(rules, portal_submission.clone(), post_submission.clone()).alias("is_postal_submission"),
            portal_submission.neq(post_submission).alias("submission_one_sided"),
            by_evidence(rules, portal_return.clone(), post_return.clone()).alias("is_postal_return"),
            portal_return.neq(post_return).alias("return_one_sided"),
            col("submission_channel").eq(lit("online")).fill_null(lit(false)).alias("is_online"),
            coalesce(&[col("agency_level"), col("tier_level"), col("service_level")]).alias("offered_level"),
            coalesce(&[col("agency_submission"), col("tier_submission"), lit(false)]).alias("offers_postal_submission"),
            coalesce(&[col("agency_return"), col("tier_return"), lit(false)]).alias("offers_postal_return"),
            coalesce(&[col("procedure_sector"), col("sector_code")]).alias("sector_code"),
            flag("agency_vertical"),
            flag("agency_known"),
            flag("procedure_vertical"),
            flag("procedure_known"),
            flag("certification"),
            flag("non_territorial"),
            flag("result_electronic"),
            col("apology_at").is_not_null().alias("has_apology"),
        ])
        .with_columns([
            whole.and(col("result_returned_at").is_not_null()).alias("is_returned"),
            local_day(col("result_returned_at")).alias("returned_day"),
        ])
}
