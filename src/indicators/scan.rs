//! The scan of the dossiers table: a lazy plan with one row per dossier and one column per fact.
//!
//! The facts are added in three steps: first what every rule set reads alike, then the agency by the rule set's view, then
//! the rule set's own columns. What several rule sets share is computed once (`shared_columns`).

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;

use crate::calendar::WorkingDayTable;
use crate::expressions::{Settings, Stage, dossier_facts};
use crate::indicators::IndicatorError;
use crate::indicators::agencies::{Agencies, agencies_of};
use crate::indicators::copies::CopyLookup;
use crate::indicators::facts::{agency_text, settings_of};
use crate::indicators::group_scan::GroupScan;
use crate::indicators::grouped_rows::{NoteLookup, PostLookup};
use crate::indicators::groups::{GroupQuery, between, day_column};
use crate::indicators::inputs::FigureInputs;
use crate::indicators::local_time::{local_day, micros};
use crate::indicators::parts::ParentCodes;
use crate::indicators::periods::end_of;
use crate::indicators::polars_expressions::{FactRenderer, predicate};
use crate::indicators::registry_lookups::{AgencyLookup, HalfMonthLookup, OfferLookup, ProcedureLookup, day_row};
use crate::indicators::rows::GroupRows;
use crate::indicators::sums::{IndicatorPredicates, StillReachable};
use crate::model::indicator::IndicatorDefinition;
use crate::model::period::Period;
use crate::model::rules::{AgencyView, AsOf, RuleSet};

/// Plans the scan, with the look-up tables that every rule set uses alike.
pub(super) struct DossierScan {
    copies: CopyLookup,
    notes: NoteLookup,
    post: PostLookup,
    parents: ParentCodes,
    pub(super) procedures: ProcedureLookup,
    days: Arc<WorkingDayTable>,
    pub(super) half_months: HalfMonthLookup,
}

/// The look-up tables that attribute dossiers to agencies by one [`AgencyView`].
///
/// In every view the competent agency decides whether a dossier counts and what is offered. A view therefore moves
/// dossiers from one agency's figures to another's, and never adds or drops any.
pub(super) struct ViewLookups {
    /// The agencies to which this view attributes dossiers.
    pub(super) agencies: Agencies,
    competent: AgencyLookup,
    offers: OfferLookup,
    /// Look-up of the view's agency, and the text that names it; `None` if the view is the competent agency.
    attributed: Option<(AgencyLookup, Expr)>,
}

impl ViewLookups {
    /// Adds the agency, its properties and the offer of each dossier to the common facts.
    pub(super) fn add_to(&self, common_facts: LazyFrame) -> LazyFrame {
        let facts = self.add_competent(common_facts);
        match self.attributed() {
            Some(agency) => facts.with_columns([agency]),
            None => facts,
        }
    }

    /// The agency by this view, as the column `agency`; `None` if it is the competent one.
    pub(super) fn attributed(&self) -> Option<Expr> {
        self.attributed.as_ref().map(|(lookup, text)| lookup.number(text.clone()))
    }

    /// The same with the competent agency, which every view reads alike.
    pub(super) fn add_competent(&self, common_facts: LazyFrame) -> LazyFrame {
        let facts = common_facts.with_columns([self.competent.number(agency_text(AgencyView::Competent))]);
        let facts = facts.with_columns([self.offers.row()]);
        let lookup = |name: &str| match name.split_once('.') {
            Some(("agency", _)) => self.competent.value(name),
            _ => self.offers.value(name),
        };
        let renderer = FactRenderer { table: dossier_facts(), days: None, lookup: &lookup, order: &[] };
        renderer.add_to(facts, Stage::Agency, &Settings::default())
    }
}

impl DossierScan {
    pub(super) fn new(inputs: &FigureInputs<'_>) -> Result<Self, IndicatorError> {
        Ok(Self {
            copies: CopyLookup::read(inputs.dossier_groups.clone())?,
            notes: NoteLookup::read(inputs.dossier_notes.clone(), inputs.now)?,
            post: PostLookup::read(inputs.postal_items.clone(), inputs.now)?,
            parents: ParentCodes::read(&inputs.dossiers)?,
            procedures: ProcedureLookup::new(inputs.procedures),
            days: Arc::new(WorkingDayTable::new(inputs.calendar)),
            half_months: HalfMonthLookup::new(),
        })
    }

    /// Step 1: dossiers with the facts that every rule set reads alike, each dossier once.
    pub(super) fn common_facts(&self, dossiers: LazyFrame) -> LazyFrame {
        let dossiers = self.copies.left_out_of(dossiers);
        let mut rows = vec![day_row(local_day(micros("received_at"))).alias("day_row"), self.procedures.number()];
        rows.extend(self.notes.row());
        rows.extend(self.post.rows());
        let lookup = |name: &str| match name.split_once('.') {
            Some(("procedure", _)) => self.procedures.value(name),
            Some(("own_item" | "national_item", _)) => self.post.value(name),
            Some(("parts", _)) => self.parents.is_part(),
            _ => self.notes.value(name),
        };
        self.renderer(&lookup).add_to(dossiers.with_columns(rows), Stage::Common, &Settings::default())
    }

    fn renderer<'a>(&'a self, lookup: &'a dyn Fn(&str) -> Expr) -> FactRenderer<'a> {
        FactRenderer { table: dossier_facts(), days: Some(&self.days), lookup, order: &[] }
    }

    /// Step 2: the look-up tables of a view; [`ViewLookups::add_to`] adds their columns to the common facts.
    pub(super) fn view(&self, inputs: &FigureInputs<'_>, view: AgencyView) -> Result<ViewLookups, IndicatorError> {
        let agencies = |view| agencies_of(inputs, inputs.dossiers.clone(), agency_text(view));
        let competent_agencies = agencies(AgencyView::Competent)?;
        let competent = AgencyLookup::new(&competent_agencies);
        let offers = OfferLookup::new(inputs.offers, &self.procedures, &competent_agencies);
        if view == AgencyView::Competent {
            return Ok(ViewLookups { agencies: competent_agencies, competent, offers, attributed: None });
        }
        let agencies = agencies(view)?;
        let attributed = Some((AgencyLookup::new(&agencies), agency_text(view)));
        Ok(ViewLookups { agencies, competent, offers, attributed })
    }

    /// Step 3: facts of a view with the columns of a rule set.
    fn facts(&self, inputs: &FigureInputs<'_>, view_facts: LazyFrame, rules: &RuleSet) -> LazyFrame {
        let settings = self.settings(inputs, rules);
        self.renderer(&|name| self.procedures.value(name)).add_to(view_facts, Stage::Rules, &settings)
    }

    /// Step 3 for the group-bys of several rule sets, each with the look-up tables of its view: one pass over the
    /// dossiers.
    pub(super) fn count(
        &self,
        inputs: &FigureInputs<'_>,
        rule_sets: &[(&RuleSet, &ViewLookups, &[GroupQuery])],
    ) -> PolarsResult<Vec<GroupRows>> {
        let mut scan = GroupScan::new(&self.half_months, inputs.period);
        let mut facts = self.common_facts(inputs.dossiers.clone());
        let mut agency_columns: BTreeMap<&str, String> = BTreeMap::new();
        for (rules, view, groups) in rule_sets {
            if agency_columns.is_empty() {
                facts = view.add_competent(facts);
            }
            let column = agency_columns.entry(rules.agency.name()).or_insert_with(|| match view.attributed() {
                None => "agency".to_owned(),
                Some(agency) => {
                    let name = format!("agency_{}", rules.agency.name());
                    facts = facts.clone().with_columns([agency.alias(name.as_str())]);
                    name
                }
            });
            let names = scan.names(dossier_facts(), &self.settings(inputs, rules), column);
            for group in *groups {
                scan.add(group, &names);
            }
        }
        scan.run(facts, &self.renderer(&|name| self.procedures.value(name)))
    }

    fn settings(&self, inputs: &FigureInputs<'_>, rules: &RuleSet) -> Settings {
        settings_of(rules, inputs.now, moment_of(inputs, rules).0, !self.post.is_empty())
    }
}

/// The moment at which the state of dossiers is read, and which of them can still count later.
pub(super) fn moment_of(inputs: &FigureInputs<'_>, rules: &RuleSet) -> (i64, StillReachable) {
    // If states are read at the end of one period, nothing after that end is considered.
    let moment = match inputs.period {
        Some(period) if rules.as_of == AsOf::PeriodEnd => inputs.now.min(end_of(period.end())),
        _ => inputs.now,
    };
    (moment, if moment == inputs.now { StillReachable::OpenInTime } else { StillReachable::Nothing })
}

/// Every dossier with the facts of a rule set for one period, and the agencies that they are attributed to.
pub(super) fn facts_of_period(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    period: Period,
) -> Result<(LazyFrame, Agencies), IndicatorError> {
    let found = facts_of(&inputs.for_period(period), rules, None)?;
    Ok((found.facts, found.agencies))
}

/// The facts of dossiers under a rule set.
pub(super) struct RuleSetFacts {
    pub(super) facts: LazyFrame,
    /// The agencies that the dossiers are attributed to.
    pub(super) agencies: Agencies,
    /// What the facts were computed with.
    pub(super) settings: Settings,
}

/// The same for the period of the inputs, and only for the dossiers whose stored columns meet a condition.
pub(super) fn facts_of(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    only: Option<Expr>,
) -> Result<RuleSetFacts, IndicatorError> {
    let scan = DossierScan::new(inputs)?;
    let view = scan.view(inputs, rules.agency)?;
    let dossiers = only.into_iter().fold(inputs.dossiers.clone(), LazyFrame::filter);
    let facts = scan.facts(inputs, view.add_to(scan.common_facts(dossiers)), rules);
    Ok(RuleSetFacts { facts, agencies: view.agencies, settings: scan.settings(inputs, rules) })
}

/// Counts by number of the agency and the values of further columns.
type CountsBy<const N: usize> = BTreeMap<(u32, [Option<u32>; N]), u64>;

/// How many rows there are for each agency, or its successor, and each value of further columns of numbers. Rows without
/// an agency are not counted.
pub(super) fn count_by<const N: usize>(
    rows: LazyFrame,
    agencies: &Agencies,
    further: [&str; N],
) -> PolarsResult<CountsBy<N>> {
    let by: Vec<Expr> = std::iter::once("agency").chain(further).map(col).collect();
    let counted = rows
        .select(by.clone())
        .group_by(by)
        .agg([len().alias("rows")])
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    // A number of literals may have got another type.
    let number = |name: &&str| Ok(counted.column(name)?.cast(&DataType::UInt32)?.u32()?.clone());
    let of_further = further.iter().map(number).collect::<PolarsResult<Vec<UInt32Chunked>>>()?;
    let of_rows = counted.column("rows")?.cast(&DataType::UInt64)?;
    let counted = counted.column("agency")?.u32()?.iter().zip(of_rows.u64()?.iter()).enumerate();
    let mut counts = BTreeMap::new();
    for (at, (agency, rows)) in counted {
        let (Some(agency), Some(rows)) = (agency, rows) else { continue };
        let values = std::array::from_fn(|place| of_further[place].get(at));
        *counts.entry((agencies.attributed_to(agency), values)).or_default() += rows;
    }
    Ok(counts)
}

/// The dossiers of an indicator's denominator in a period; the column `in_numerator` is true for those of the
/// numerator, and null if that is not known. The rule set may be another one than the indicator's own.
pub(super) fn counted_dossiers(
    inputs: &FigureInputs<'_>,
    rules: &RuleSet,
    definition: &IndicatorDefinition,
    period: Period,
) -> Result<LazyFrame, IndicatorError> {
    let (facts, _) = facts_of_period(inputs, rules, period)?;
    let predicates = IndicatorPredicates::read(definition, rules)?.at_moment();
    let in_period = between(day_column(definition.period), period.start(), period.end());
    let is_counted = predicate(&in_period.and(predicates.denominator));
    Ok(facts.filter(is_counted).with_columns([predicate(&predicates.numerator).alias("in_numerator")]))
}
