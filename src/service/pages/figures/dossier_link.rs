//! Links from lists of dossiers to the page of one dossier, which explains it by an indicator.

use super::selection::Selection;
use crate::config::Configuration;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind, PeriodColumn};
use crate::model::instant::local;
use crate::model::period::Period;
use crate::service::pages::visitor::Visitor;

/// What the address of the page of a dossier is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service::pages) struct DossierLink {
    /// Indicator by which the page explains the dossier.
    pub(in crate::service::pages) id: String,
    /// Code of the dossier, else its key in the source.
    pub(in crate::service::pages) code: String,
    pub(in crate::service::pages) period: String,
    pub(in crate::service::pages) scope: String,
    pub(in crate::service::pages) same_night: String,
}

/// Makes the links of one page. `config`: the one with the night's definitions, by which the page of a dossier explains it.
pub(in crate::service::pages) struct DossierLinks<'a> {
    config: &'a Configuration,
    selection: &'a Selection,
    /// The province, where former agencies' dossiers are found too; the page's own scope for a token that is bound to agencies.
    scope: &'a str,
}

impl<'a> DossierLinks<'a> {
    pub(in crate::service::pages) fn new(
        config: &'a Configuration,
        selection: &'a Selection,
        visitor: &Visitor,
    ) -> Self {
        let scope = if visitor.bound().is_some() { selection.scope_code() } else { "" };
        Self { config, selection, scope }
    }

    /// The page of a dossier by an indicator that counts it in a period.
    pub(in crate::service::pages) fn by(&self, id: &str, period: Period, code: &str) -> DossierLink {
        DossierLink {
            id: id.to_owned(),
            code: code.to_owned(),
            period: period.to_string(),
            scope: self.scope.to_owned(),
            same_night: self.selection.same_night(),
        }
    }

    /// The page of a dossier in the year of its reception (microseconds UTC), by a ratio on time that counts dossiers of its agency.
    /// `None` if the night has no such ratio, the dossier has no code, or it was not received yet: no ratio counts it.
    pub(in crate::service::pages) fn on_time(
        &self,
        received_at: Option<i64>,
        agency: &str,
        code: &str,
    ) -> Option<DossierLink> {
        let period = Period::Year { year: local(received_at?).date().year() };
        let ids: Vec<&str> = self
            .config
            .indicators
            .iter()
            .map(|known| &known.definition)
            .filter(|known| is_of_on_time(known))
            .map(id)
            .collect();
        let night = &self.selection.night;
        let own = night.of_agency(agency).iter().map(|position| night.at(*position)).find(|figure| {
            figure.period == period && figure.denominator > Some(0) && ids.contains(&&*figure.indicator)
        });
        let chosen = own.map(|figure| &*figure.indicator).or(ids.first().copied())?;
        (!code.is_empty()).then(|| self.by(chosen, period, code))
    }
}

fn id(definition: &IndicatorDefinition) -> &str {
    &definition.id
}

/// Whether an indicator is a ratio of dossiers on time, filed by their reception.
fn is_of_on_time(definition: &IndicatorDefinition) -> bool {
    definition.over == CountedUnit::Dossiers
        && definition.kind == IndicatorKind::Ratio
        && definition.period == PeriodColumn::ReceivedAt
        && definition.numerator == "is_on_time"
        && definition.having.is_none()
}
