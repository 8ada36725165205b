//! A figure in words: counts, value, target and whether it is met.

use crate::locale::{Language, UnitSpace};
use crate::model::figure::{Figure, Met};

/// A figure as the tables show it.
#[derive(Debug)]
pub(in crate::service::pages) struct ShownFigure {
    /// Empty for a figure without a denominator.
    pub(in crate::service::pages) counts: String,
    pub(in crate::service::pages) value: String,
    /// What is unknown of it, in words.
    pub(in crate::service::pages) unknown: Option<String>,
    /// Between which shares it lies if part of it is unknown.
    pub(in crate::service::pages) bounds: Option<String>,
    /// Whether there is no value, since there were no dossiers or nothing is known of them.
    pub(in crate::service::pages) is_nothing: bool,
    pub(in crate::service::pages) target: Option<String>,
    pub(in crate::service::pages) met: Option<MetBadge>,
    /// In the place of `met` for a period shorter than the year of an annual target.
    pub(in crate::service::pages) annual_target: Option<String>,
    pub(in crate::service::pages) unmatched: Option<String>,
}

/// Whether a target is met, as a badge.
#[derive(Debug)]
pub(in crate::service::pages) struct MetBadge {
    /// CSS class: `yes`, `no`, `open` or `unknown`.
    pub(in crate::service::pages) class: &'static str,
    pub(in crate::service::pages) word: &'static str,
}

impl ShownFigure {
    pub(in crate::service::pages) fn new(lang: Language, figure: &Figure) -> Self {
        let badge = |met| {
            let class = match met {
                Met::Yes => "yes",
                Met::No => "no",
                Met::Open => "open",
                Met::Unknown => "unknown",
            };
            MetBadge { class, word: lang.met(met) }
        };
        Self {
            counts: lang.counts(figure).unwrap_or_default(),
            value: lang.value(figure, UnitSpace::NonBreaking),
            unknown: lang.unknown(figure),
            bounds: lang.bounds(figure, UnitSpace::NonBreaking),
            is_nothing: figure.value().is_none(),
            target: lang.target(figure),
            met: figure.met().map(badge),
            annual_target: lang.annual_target(figure),
            unmatched: figure.unmatched().map(|share| lang.percent(share, UnitSpace::NonBreaking)),
        }
    }
}
