//! What is behind a figure: procedures, agencies, feedback, measures or dossiers.

use crate::indicators::explain::Explanation;
use crate::model::figure::Figure;
use crate::model::list::{ListCell, ListColumn};

/// What is counted behind a figure, and what of one side is listed.
#[derive(Debug, Clone)]
pub struct ExplainedUnits {
    /// How many dossiers, procedures, agencies, feedback or rows of measures are on each side.
    pub explanation: Explanation,
    pub columns: &'static [ListColumn],
    pub rows: Vec<Vec<ListCell>>,
    /// Of measures: numerator and denominator that the rows of the numerator's side state together.
    pub stated: Option<[u64; 2]>,
}

impl ExplainedUnits {
    /// The counts as found here and as published, if they differ: see [`Explanation::difference`]. Of measures the sums are
    /// compared, not the rows.
    #[must_use]
    pub fn difference(&self, published: &Figure) -> Option<[[u64; 4]; 2]> {
        let Some([numerator, denominator]) = self.stated else { return self.explanation.difference(published) };
        let found = [denominator, numerator, 0, 0];
        let expected = [published.denominator.unwrap_or(denominator), published.numerator, 0, 0];
        (found != expected).then_some([found, expected])
    }
}
