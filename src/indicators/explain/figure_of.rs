//! Of which agencies a figure is.

use polars::prelude::*;

use crate::indicators::agencies::{Agencies, KnownAgency};
use crate::indicators::lookups::value_at;
use crate::model::agency::Tier;
use crate::model::figure::Figure;

/// The figure that is explained: its agencies, among all those of its indicator, rule set and period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureOf {
    Province,
    Tier(Tier),
    /// One agency, by its code.
    Agency(String),
}

impl FigureOf {
    /// Code of the agency, or the tier; neither for the province.
    #[must_use]
    pub fn agency_and_tier(&self) -> (Option<&str>, Option<Tier>) {
        match self {
            Self::Province => (None, None),
            Self::Tier(tier) => (None, Some(*tier)),
            Self::Agency(code) => (Some(code), None),
        }
    }

    /// The agency's code, the tier's name, or `province`: for the access log.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Province => "province",
            Self::Tier(tier) => tier.name(),
            Self::Agency(code) => code,
        }
    }

    /// Whether dossiers that count for an agency count in the figure.
    pub(in crate::indicators) fn is_of(&self, agency: &KnownAgency) -> bool {
        self.has_agency(&agency.code, agency.tier)
    }

    /// The same for an agency by its code and its tier.
    #[must_use]
    pub fn has_agency(&self, code: &str, tier: Option<Tier>) -> bool {
        match self {
            Self::Province => true,
            Self::Tier(of) => tier == Some(*of),
            Self::Agency(of) => code == of,
        }
    }

    /// The same for the agency of the column `agency`, or its successor.
    pub(in crate::indicators) fn is_of_agency(&self, agencies: &Agencies) -> Expr {
        let numbers = (0_u32..).take(agencies.known.len());
        let is_of: Vec<bool> =
            numbers.map(|number| self.is_of(&agencies.known[agencies.attributed_to(number) as usize])).collect();
        value_at(col("agency"), Column::new("is_of".into(), is_of))
    }

    /// Whether a figure is of this agency, this tier or the province.
    #[must_use]
    pub fn has(&self, figure: &Figure) -> bool {
        match self {
            Self::Province => figure.agency.is_none() && figure.tier.is_none(),
            Self::Tier(tier) => figure.agency.is_none() && figure.tier == Some(*tier),
            Self::Agency(code) => figure.agency.as_deref() == Some(code),
        }
    }
}
