//! The figures of a night beside those of the national portal, for the API and the pages.

use crate::config::Configuration;
use crate::indicators::{NationalPair, NationalReconciliation, compare_national};
use crate::model::figure::Figure;
use crate::model::period::Period;
use crate::service::nights::LoadedNight;
use crate::service::readable_scope::ReadableScope;

/// Compares the figures within a period of the agencies that may be counted. `config`: today's, also for an earlier night, since it
/// only names which indicators count the same.
pub(super) fn compare(
    config: &Configuration,
    night: &LoadedNight,
    scope: &ReadableScope,
    period: Period,
) -> NationalReconciliation {
    let pairs = NationalPair::all(config.indicators.iter().map(|known| &known.definition));
    let figures_of =
        |id: &str| -> Vec<&Figure> { night.of_indicator(id).iter().map(|position| night.at(*position)).collect() };
    compare_national(&pairs, figures_of, scope.of(), period)
}
