//! Computes the figures of a night so that one indicator that cannot be computed costs its own figures only.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::indicators::IndicatorError;
use crate::indicators::compute::{compute, sort_figures};
use crate::indicators::inputs::FigureInputs;
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorDefinition;

/// Figures, and the indicators that could not be computed.
#[derive(Debug, Default)]
pub struct ComputedFigures {
    /// In the order of [`sort_figures`].
    pub figures: Vec<Figure>,
    /// Identifiers of the indicators that failed, each with the error. The log has the place of a panic.
    pub failed: Vec<(String, IndicatorError)>,
}

type Indicators<'a> = &'a [(&'a IndicatorDefinition, &'a str)];

/// Computes every figure. If that fails or panics, the indicators are computed in smaller and smaller groups until those
/// that fail are known.
///
/// # Errors
/// The error of the first indicator if all of them fail: then the cause is not an indicator.
pub fn compute_each(inputs: &FigureInputs<'_>) -> Result<ComputedFigures, IndicatorError> {
    let mut computed = halve(inputs.indicators, &|indicators| {
        let inputs = inputs.with_indicators(indicators);
        catch_unwind(AssertUnwindSafe(|| compute(&inputs))).unwrap_or(Err(IndicatorError::Panicked))
    });
    if computed.figures.is_empty() && computed.failed.len() == inputs.indicators.len() && !computed.failed.is_empty() {
        return Err(computed.failed.swap_remove(0).1);
    }
    for (indicator, error) in &computed.failed {
        tracing::error!(indicator, "indicator not computed: {error}");
    }
    // What was computed in one part is sorted.
    if !computed.failed.is_empty() {
        sort_figures(&mut computed.figures);
    }
    Ok(computed)
}

/// Computes indicators together, and each half apart if that fails.
fn halve(
    indicators: Indicators<'_>,
    compute: &dyn Fn(Indicators<'_>) -> Result<Vec<Figure>, IndicatorError>,
) -> ComputedFigures {
    match (compute(indicators), indicators) {
        (Ok(figures), _) => ComputedFigures { figures, failed: Vec::new() },
        (Err(_), []) => ComputedFigures::default(),
        (Err(error), [(definition, _)]) => {
            ComputedFigures { figures: Vec::new(), failed: vec![(definition.id.clone(), error)] }
        }
        (Err(_), _) => {
            let (first, second) = indicators.split_at(indicators.len() / 2);
            let (mut computed, second) = (halve(first, compute), halve(second, compute));
            computed.figures.extend(second.figures);
            computed.failed.extend(second.failed);
            computed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_that_fail_are_found_and_the_others_are_computed() {
        let file: toml::Table = toml::from_str(include_str!("../../config/indicators/resolution.toml")).expect("TOML");
        let definition: IndicatorDefinition =
            file["indicator"].as_array().expect("a list")[0].clone().try_into().expect("a definition");
        let named: Vec<IndicatorDefinition> =
            (0..9).map(|number| IndicatorDefinition { id: number.to_string(), ..definition.clone() }).collect();
        let indicators: Vec<(&IndicatorDefinition, &str)> = named.iter().map(|definition| (definition, "")).collect();
        for bad in [vec![], vec!["4"], vec!["0", "1", "8"], (0..9).map(|number| &*named[number].id).collect()] {
            let computed = std::cell::RefCell::new(Vec::new());
            let found = halve(&indicators, &|group| {
                if group.iter().any(|(definition, _)| bad.contains(&&*definition.id)) {
                    return Err(IndicatorError::Panicked);
                }
                computed.borrow_mut().extend(group.iter().map(|(definition, _)| definition.id.clone()));
                Ok(Vec::new())
            });
            let failed: Vec<&str> = found.failed.iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(failed, bad);
            let good: Vec<&str> = named.iter().map(|one| &*one.id).filter(|id| !bad.contains(id)).collect();
            assert_eq!(*computed.borrow(), good);
        }
    }
}
