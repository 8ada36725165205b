//! What figures are computed from: tables, registries, definitions and the moment.

use std::sync::Arc;

use polars::prelude::LazyFrame;

use crate::calendar::WorkingCalendar;
use crate::indicators::agency_names::AgencyNames;
use crate::model::agency::{Agency, Succession};
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::procedure::{Offer, Procedure};
use crate::model::rules::RuleSet;

/// The inputs of [`compute`](crate::indicators::compute()). Each table is an image: the newest version per key.
pub struct FigureInputs<'a> {
    pub dossiers: LazyFrame,
    /// Rows of dossiers that several sources hold, and which of them counts (table `dossier_groups`).
    pub dossier_groups: LazyFrame,
    pub postal_items: LazyFrame,
    pub feedback: LazyFrame,
    pub measures: LazyFrame,
    pub dossier_notes: LazyFrame,
    /// The indicators to compute, each with the digest of its definition and rule set.
    pub indicators: &'a [(&'a IndicatorDefinition, &'a str)],
    pub rules: &'a [&'a RuleSet],
    pub agencies: &'a [Agency],
    /// Names of the agencies that the registry lacks.
    pub agency_names: &'a AgencyNames,
    pub procedures: &'a [Procedure],
    pub offers: &'a [Offer],
    pub calendar: &'a WorkingCalendar,
    /// The moment that figures are computed for, in microseconds UTC.
    pub now: i64,
    /// Successions, if dossiers are attributed to today's agencies; `None` if to the agencies of the time.
    pub successions: Option<&'a [Succession]>,
    /// The only period to compute; `None` for every named period.
    pub period: Option<Period>,
}

impl std::fmt::Debug for FigureInputs<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FigureInputs")
            .field("indicators", &self.indicators.len())
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl<'a> FigureInputs<'a> {
    /// The same inputs for one period.
    pub(super) fn for_period(&self, period: Period) -> FigureInputs<'_> {
        FigureInputs {
            dossiers: self.dossiers.clone(),
            dossier_groups: self.dossier_groups.clone(),
            postal_items: self.postal_items.clone(),
            feedback: self.feedback.clone(),
            measures: self.measures.clone(),
            dossier_notes: self.dossier_notes.clone(),
            period: Some(period),
            ..*self
        }
    }

    /// The same inputs with other dossiers.
    pub(super) fn with_dossiers(&self, dossiers: LazyFrame) -> FigureInputs<'_> {
        FigureInputs {
            dossiers,
            dossier_groups: self.dossier_groups.clone(),
            postal_items: self.postal_items.clone(),
            feedback: self.feedback.clone(),
            measures: self.measures.clone(),
            dossier_notes: self.dossier_notes.clone(),
            ..*self
        }
    }

    /// The same inputs with other indicators.
    pub(super) fn with_indicators<'i>(
        &'i self,
        indicators: &'i [(&'i IndicatorDefinition, &'i str)],
    ) -> FigureInputs<'i> {
        FigureInputs {
            dossiers: self.dossiers.clone(),
            dossier_groups: self.dossier_groups.clone(),
            postal_items: self.postal_items.clone(),
            feedback: self.feedback.clone(),
            measures: self.measures.clone(),
            dossier_notes: self.dossier_notes.clone(),
            indicators,
            ..*self
        }
    }

    /// The indicators that use a rule set.
    pub(super) fn indicators_of(&self, rules: &RuleSet) -> impl Iterator<Item = ComputedIndicator<'a>> {
        let of_rules = self.indicators.iter().filter(|(definition, _)| definition.rules == rules.id);
        of_rules.map(|(definition, digest)| ComputedIndicator {
            definition,
            id: definition.id.as_str().into(),
            digest: (*digest).into(),
        })
    }
}

/// An indicator to compute: its definition, with the texts that each of its figures shares.
#[derive(Debug)]
pub(super) struct ComputedIndicator<'a> {
    pub(super) definition: &'a IndicatorDefinition,
    pub(super) id: Arc<str>,
    /// Digest of definition and rule set.
    pub(super) digest: Arc<str>,
}
