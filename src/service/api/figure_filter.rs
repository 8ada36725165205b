//! Which figures of a night an answer has, found by the indexes of the night.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::period::{Period, PeriodKind};
use crate::service::nights::LoadedNight;

/// What a figure is about: the province, a whole tier, or one agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[schema(as = Scope)]
#[serde(rename_all = "snake_case")]
pub(in crate::service) enum FigureScope {
    Province,
    Tier,
    Agency,
}

impl FigureScope {
    fn of(figure: &Figure) -> Self {
        match (&figure.agency, figure.tier) {
            (Some(_), _) => Self::Agency,
            (None, Some(_)) => Self::Tier,
            (None, None) => Self::Province,
        }
    }
}

/// What figures must be, to be in an answer.
#[derive(Debug, Default)]
pub(super) struct FigureFilter {
    pub(super) indicators: Vec<String>,
    pub(super) agency: Option<String>,
    pub(super) tier: Option<Tier>,
    pub(super) scope: Option<FigureScope>,
    pub(super) by: Option<PeriodKind>,
    pub(super) period: Option<Period>,
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    pub(super) rules: Option<String>,
}

impl FigureFilter {
    /// Short digest of the filter. A cursor carries it, so that it cannot be used with another filter.
    pub(super) fn digest(&self) -> String {
        let whole = Sha256::digest(format!("{self:?}").as_bytes());
        format!("{whole:x}")[..8].to_owned()
    }

    /// Positions of a page of the matching figures, ascending: those from the place `start` on, `most` at most. And how many
    /// match in all.
    pub(super) fn page(&self, night: &LoadedNight, start: usize, most: usize) -> (Vec<u32>, usize) {
        let (candidates, is_exact) = self.candidates(night);
        match candidates {
            None if is_exact => ((0..night.count()).skip(start).take(most).collect(), night.figures.len()),
            Some(found) if is_exact => (found.iter().copied().skip(start).take(most).collect(), found.len()),
            None => self.matching(night, 0..night.count(), (start, most)),
            Some(found) => self.matching(night, found.iter().copied(), (start, most)),
        }
    }

    /// Reads every candidate, to count those that match.
    fn matching(
        &self,
        night: &LoadedNight,
        candidates: impl Iterator<Item = u32>,
        (start, most): (usize, usize),
    ) -> (Vec<u32>, usize) {
        let (mut page, mut total) = (Vec::new(), 0);
        for position in candidates.filter(|position| self.matches(night.at(*position))) {
            if total >= start && page.len() < most {
                page.push(position);
            }
            total += 1;
        }
        (page, total)
    }

    /// Positions that have all matching figures, ascending: the shortest list that an index of the night has for a part of the
    /// filter, `None` for all positions. And whether all of them match.
    fn candidates<'n>(&self, night: &'n LoadedNight) -> (Option<Cow<'n, [u32]>>, bool) {
        let mut parts: Vec<Vec<&'n [u32]>> = Vec::new();
        if let Some(agency) = &self.agency {
            parts.push(vec![night.of_agency(agency)]);
        }
        if let Some(tier) = self.tier {
            parts.push(vec![night.of_tier(tier)]);
        }
        if !self.indicators.is_empty() {
            let mut ids: Vec<&str> = self.indicators.iter().map(String::as_str).collect();
            ids.sort_unstable();
            ids.dedup();
            parts.push(ids.into_iter().map(|id| night.of_indicator(id)).collect());
        }
        if self.has_period_filter() {
            let matching = night.by_period().filter(|(period, _)| self.has_period(*period));
            parts.push(matching.map(|(_, positions)| positions).collect());
        }
        // These parts have no index of their own.
        let is_exact = parts.len() <= 1 && self.scope.is_none() && self.rules.is_none();
        if matches!(self.scope, Some(FigureScope::Province | FigureScope::Tier)) {
            parts.push(vec![night.without_agency()]);
        }
        let shortest = parts.into_iter().min_by_key(|lists| lists.iter().map(|list| list.len()).sum::<usize>());
        let candidates = shortest.map(|lists| {
            if let [one] = lists[..] {
                return Cow::Borrowed(one);
            }
            let mut positions = lists.concat();
            positions.sort_unstable();
            Cow::Owned(positions)
        });
        (candidates, is_exact)
    }

    fn has_period_filter(&self) -> bool {
        self.by.is_some() || self.period.is_some() || self.from.is_some() || self.to.is_some()
    }

    fn has_period(&self, period: Period) -> bool {
        self.by.is_none_or(|kind| period.kind() == kind)
            && self.period.is_none_or(|only| period == only)
            && self.from.is_none_or(|from| period.start() >= from)
            && self.to.is_none_or(|to| period.end() <= to)
    }

    fn matches(&self, figure: &Figure) -> bool {
        (self.indicators.is_empty() || self.indicators.iter().any(|id| **id == *figure.indicator))
            && self.agency.as_deref().is_none_or(|agency| figure.agency.as_deref() == Some(agency))
            && self.tier.is_none_or(|tier| figure.tier == Some(tier))
            && self.scope.is_none_or(|scope| FigureScope::of(figure) == scope)
            && self.has_period(figure.period)
            && self.rules.as_deref().is_none_or(|rules| *figure.rules == *rules)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::model::figure::Night;
    use crate::model::indicator::{IndicatorKind, TargetPeriods};
    use crate::publish::NightRecord;

    fn figure(indicator: &str, agency: Option<&str>, tier: Option<Tier>, period: &str) -> Figure {
        Figure {
            indicator: indicator.into(),
            kind: IndicatorKind::Ratio,
            definition: "".into(),
            rules: if indicator == "c" { "other".into() } else { "usual".into() },
            agency: agency.map(Into::into),
            agency_name: None,
            tier,
            period: Period::parse(period).expect("a period"),
            numerator: 1,
            denominator: Some(1),
            reachable: 1,
            one_sided: None,
            unknown: Some(0),
            undecided: Some(0),
            target: None,
            target_periods: TargetPeriods::All,
        }
    }

    /// Three indicators, each for the province, a tier and three agencies, in four periods.
    fn night() -> LoadedNight {
        let scopes = [
            (None, None),
            (None, Some(Tier::Commune)),
            (Some("x"), Some(Tier::Commune)),
            (Some("y"), Some(Tier::Province)),
            (Some("z"), None),
        ];
        let mut figures = Vec::new();
        for indicator in ["a", "b", "c"] {
            for (agency, tier) in scopes {
                for period in ["2026-01", "2026-02", "2026-Q1", "2026"] {
                    figures.push(figure(indicator, agency, tier, period));
                }
            }
        }
        let night = Night { run: 1, as_of: 0, complete: true, data_until: None };
        let record = NightRecord {
            night,
            not_whole: Vec::new(),
            clock: None,
            elsewhere: BTreeMap::new(),
            not_merged: BTreeMap::new(),
            without_connector: BTreeMap::new(),
            tables: BTreeMap::new(),
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        LoadedNight::new(record, figures)
    }

    type Wanted = fn(&Figure) -> bool;

    fn is_month(figure: &Figure) -> bool {
        ["2026-01", "2026-02"].contains(&figure.period.to_string().as_str())
    }

    #[test]
    fn a_filter_finds_what_a_look_at_every_figure_finds() {
        let night = night();
        let all = FigureFilter::default;
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let month = Some(PeriodKind::Month);
        let cases: [(FigureFilter, usize, Wanted); 16] = [
            (all(), 60, |_| true),
            (FigureFilter { agency: Some("x".to_owned()), ..all() }, 12, |one| one.agency.as_deref() == Some("x")),
            (FigureFilter { tier: Some(Tier::Commune), ..all() }, 24, |one| one.tier == Some(Tier::Commune)),
            (FigureFilter { indicators: words(&["b", "a", "b"]), ..all() }, 40, |one| *one.indicator != *"c"),
            (FigureFilter { by: month, ..all() }, 30, is_month),
            (FigureFilter { period: Period::parse("2026"), ..all() }, 15, |one| one.period.to_string() == "2026"),
            (FigureFilter { from: Some(date(2026, 2, 1)), ..all() }, 15, |one| one.period.to_string() == "2026-02"),
            (FigureFilter { to: Some(date(2026, 3, 31)), ..all() }, 45, |one| one.period.to_string() != "2026"),
            (FigureFilter { rules: Some("other".to_owned()), ..all() }, 20, |one| *one.indicator == *"c"),
            (FigureFilter { scope: Some(FigureScope::Province), ..all() }, 12, |one| {
                one.agency.is_none() && one.tier.is_none()
            }),
            (FigureFilter { scope: Some(FigureScope::Tier), ..all() }, 12, |one| {
                one.agency.is_none() && one.tier.is_some()
            }),
            (FigureFilter { scope: Some(FigureScope::Agency), ..all() }, 36, |one| one.agency.is_some()),
            (
                FigureFilter { scope: Some(FigureScope::Agency), tier: Some(Tier::Commune), by: month, ..all() },
                6,
                |one| one.agency.as_deref() == Some("x") && is_month(one),
            ),
            (FigureFilter { agency: Some("x".to_owned()), indicators: words(&["a"]), ..all() }, 4, |one| {
                one.agency.as_deref() == Some("x") && *one.indicator == *"a"
            }),
            (FigureFilter { agency: Some("nowhere".to_owned()), ..all() }, 0, |_| false),
            (FigureFilter { period: Period::parse("2025"), ..all() }, 0, |_| false),
        ];
        for (filter, number, is_wanted) in cases {
            let expected: Vec<u32> = (0..60).filter(|position| is_wanted(night.at(*position))).collect();
            assert_eq!(expected.len(), number, "{filter:?}");
            assert_eq!(filter.page(&night, 0, usize::MAX), (expected.clone(), number), "{filter:?}");
            for (start, most) in [(0, 5), (3, 4), (number, 10), (number + 7, 10), (0, 0)] {
                let page: Vec<u32> = expected.iter().copied().skip(start).take(most).collect();
                assert_eq!(filter.page(&night, start, most), (page, number), "{start} {most} {filter:?}");
            }
        }
    }
}
