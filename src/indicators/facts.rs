//! The facts of dossiers and feedback as columns of a plan. What each fact is, `facts/*.toml` says.

use polars::prelude::*;

use crate::expressions::{SettingValue, Settings};
use crate::indicators::agencies::NO_AGENCY;
use crate::model::rules::{AgencyView, RuleSet};

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

/// The settings that facts name. `moment`: when the state of dossiers is read. `has_post_list`: whether the post has
/// listed any item.
pub(super) fn settings_of(rules: &RuleSet, now: i64, moment: i64, has_post_list: bool) -> Settings {
    Settings::of_rules(rules)
        .with("night.now", SettingValue::Number(now))
        .with("night.moment", SettingValue::Number(moment))
        .with("night.has_post_list", SettingValue::Flag(has_post_list))
}
