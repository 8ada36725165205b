//! Our counts beside those of the national evaluation, by agency and period, for the indicators that both count.
//!
//! Both are figures of one night: the national portal states its counts as measures, and an indicator over measures names the
//! ratio over dossiers that counts the same (`reconcile_with`). Only periods are compared that the national portal has stated.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::indicators::explain::FigureOf;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::{CountedUnit, IndicatorDefinition, IndicatorKind};
use crate::model::period::Period;

/// Two indicators that count the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NationalPair {
    /// Id of the indicator over measures.
    pub national: Arc<str>,
    /// Id of the indicator over dossiers.
    pub local: Arc<str>,
}

impl NationalPair {
    /// The pairs that definitions declare, if both of a pair are defined.
    #[must_use]
    pub fn all<'d>(definitions: impl IntoIterator<Item = &'d IndicatorDefinition>) -> Vec<Self> {
        let all: Vec<&IndicatorDefinition> = definitions.into_iter().collect();
        let is_ratio_over_dossiers =
            |known: &IndicatorDefinition| known.kind == IndicatorKind::Ratio && known.over == CountedUnit::Dossiers;
        let is_compared = |id: &str| all.iter().any(|known| known.id == id && is_ratio_over_dossiers(known));
        let pair = |definition: &&IndicatorDefinition| {
            let local = definition.reconcile_with.as_deref().filter(|id| is_compared(id))?;
            Some(Self { national: definition.id.as_str().into(), local: local.into() })
        };
        all.iter().filter_map(pair).collect()
    }
}

/// What the counts of the two sides have in common.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::EnumString, strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum NationalClass {
    /// Both have counts, and these differ by more than what is unknown here.
    Differs,
    /// The national portal has no data.
    OnlyLocal,
    /// There are no dossiers here.
    OnlyNational,
    /// The counts differ by no more than what is unknown or undecided here.
    WithinUnknown,
    /// The counts are equal.
    Equal,
}

impl NationalClass {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn meaning(self) -> [&'static str; 2] {
        match self {
            Self::Differs => ["Chênh lệch", "Differs"],
            Self::OnlyLocal => ["Cổng quốc gia không có số liệu", "The national portal has no data"],
            Self::OnlyNational => ["Chỉ Cổng quốc gia có", "Only the national portal has dossiers"],
            Self::WithinUnknown => ["Chênh lệch không quá phần chưa rõ", "Differs by no more than what is unknown"],
            Self::Equal => ["Khớp", "Equal"],
        }
    }
}

/// The counts of one side; there is something to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideCounts {
    pub numerator: u64,
    pub denominator: u64,
    /// Dossiers of the denominator of which it is not known whether they are in the numerator. Of the national portal: 0.
    pub unknown: u64,
    /// Dossiers, not in the denominator, that may belong to it, and then may be in the numerator. Of the national portal: 0.
    pub undecided: u64,
}

impl SideCounts {
    /// `None` if there is nothing to count.
    fn of(figure: &Figure) -> Option<Self> {
        let (unknown, undecided) = (figure.unknown.unwrap_or(0), figure.undecided.unwrap_or(0));
        let denominator = figure.denominator.filter(|denominator| *denominator > 0 || undecided > 0)?;
        Some(Self { numerator: figure.numerator, denominator, unknown, undecided })
    }
}

/// The counts of both sides, of an agency, a tier or the province. At least one side has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NationalRow {
    pub pair: NationalPair,
    /// `None` for a tier or the province.
    pub agency: Option<Arc<str>>,
    pub agency_name: Option<Arc<str>>,
    pub tier: Option<Tier>,
    pub period: Period,
    pub ours: Option<SideCounts>,
    pub theirs: Option<SideCounts>,
}

impl NationalRow {
    /// Ours minus theirs: numerator, denominator. `None` if a side has no counts.
    #[must_use]
    pub fn difference(&self) -> Option<[i64; 2]> {
        let (ours, theirs) = (self.ours?, self.theirs?);
        let minus = |ours: u64, theirs: u64| ours.cast_signed() - theirs.cast_signed();
        Some([minus(ours.numerator, theirs.numerator), minus(ours.denominator, theirs.denominator)])
    }

    #[must_use]
    pub fn class(&self) -> NationalClass {
        let (ours, theirs) = match (self.ours, self.theirs) {
            (Some(ours), Some(theirs)) => (ours, theirs),
            (Some(_), None) => return NationalClass::OnlyLocal,
            (None, _) => return NationalClass::OnlyNational,
        };
        // So many of the undecided belong to the denominator, if the counts agree.
        let belong = theirs.denominator.checked_sub(ours.denominator).filter(|belong| *belong <= ours.undecided);
        let most = belong.map_or(0, |belong| ours.numerator + ours.unknown + belong);
        match belong {
            Some(0) if ours.numerator == theirs.numerator => NationalClass::Equal,
            Some(_) if (ours.numerator..=most).contains(&theirs.numerator) => NationalClass::WithinUnknown,
            _ => NationalClass::Differs,
        }
    }

    /// How far the sides are apart, in dossiers.
    fn distance(&self) -> u64 {
        let of = |side: Option<SideCounts>| side.map_or([0; 2], |side| [side.numerator, side.denominator]);
        let (ours, theirs) = (of(self.ours), of(self.theirs));
        ours[0].abs_diff(theirs[0]) + ours[1].abs_diff(theirs[1])
    }
}

/// What was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NationalReconciliation {
    /// Whether the night has any count of the national portal, of whatever scope and period.
    pub is_connected: bool,
    /// The newest period first; in it by indicator, the whole scope before its agencies, and these with the greatest distance first.
    pub rows: Vec<NationalRow>,
}

/// Compares the figures of a night within a period: those of the scope, and of its agencies. `figures_of`: the night's figures of an
/// indicator.
#[must_use]
pub fn compare_national<'f>(
    pairs: &[NationalPair],
    figures_of: impl Fn(&str) -> Vec<&'f Figure>,
    of: &FigureOf,
    period: Period,
) -> NationalReconciliation {
    let is_within = |one: Period| period.start() <= one.start() && one.end() <= period.end();
    let is_shown = |figure: &Figure| {
        of.has(figure) || figure.agency.as_deref().is_some_and(|code| of.has_agency(code, figure.tier))
    };
    let mut found = NationalReconciliation::default();
    for pair in pairs {
        let (local, national) = (figures_of(&pair.local), figures_of(&pair.national));
        let stated: BTreeSet<Period> =
            national.iter().filter(|figure| SideCounts::of(figure).is_some()).map(|figure| figure.period).collect();
        found.is_connected |= !stated.is_empty();
        let mut rows: BTreeMap<(Period, Option<&str>), NationalRow> = BTreeMap::new();
        let of_sides = local.into_iter().map(|figure| (figure, true));
        for (figure, is_ours) in of_sides.chain(national.into_iter().map(|figure| (figure, false))) {
            let is_wanted = stated.contains(&figure.period) && is_within(figure.period) && is_shown(figure);
            let Some(counts) = SideCounts::of(figure).filter(|_| is_wanted) else { continue };
            let row = rows.entry((figure.period, figure.agency.as_deref())).or_insert_with(|| NationalRow {
                pair: pair.clone(),
                agency: figure.agency.clone(),
                agency_name: figure.agency_name.clone(),
                tier: figure.tier,
                period: figure.period,
                ours: None,
                theirs: None,
            });
            *(if is_ours { &mut row.ours } else { &mut row.theirs }) = Some(counts);
        }
        found.rows.extend(rows.into_values());
    }
    found.rows.sort_by_cached_key(|row| {
        let period = Reverse((row.period.start(), row.period.end()));
        (period, Arc::clone(&row.pair.local), row.agency.is_some(), Reverse(row.distance()), row.agency.clone())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::indicator::TargetPeriods;

    fn figure(
        indicator: &str,
        agency: Option<&str>,
        period: &str,
        [numerator, denominator, unknown]: [u64; 3],
    ) -> Figure {
        Figure {
            indicator: indicator.into(),
            kind: IndicatorKind::Ratio,
            definition: "".into(),
            rules: "".into(),
            agency: agency.map(Into::into),
            agency_name: agency.map(Into::into),
            tier: agency.map(|code| if code == "X" { Tier::Commune } else { Tier::Province }),
            period: Period::parse(period).expect("a period"),
            numerator,
            denominator: Some(denominator),
            reachable: numerator,
            one_sided: None,
            unknown: Some(unknown),
            undecided: Some(0),
            target: None,
            target_periods: TargetPeriods::All,
        }
    }

    fn compared(figures: &[Figure], of: &FigureOf, period: &str) -> NationalReconciliation {
        let pair = NationalPair { national: "national".into(), local: "local".into() };
        let period = Period::parse(period).expect("a period");
        compare_national(&[pair], |id| figures.iter().filter(|one| &*one.indicator == id).collect(), of, period)
    }

    /// Period, agency, class, difference.
    type Line<'f> = (String, Option<&'f str>, NationalClass, Option<[i64; 2]>);

    fn lines(found: &NationalReconciliation) -> Vec<Line<'_>> {
        let rows = found.rows.iter();
        rows.map(|row| (row.period.to_string(), row.agency.as_deref(), row.class(), row.difference())).collect()
    }

    fn night() -> Vec<Figure> {
        vec![
            figure("local", None, "2026-03", [90, 100, 4]),
            figure("national", None, "2026-03", [85, 97, 0]),
            // A: two dossiers are not on the national portal. B: late there, unknown here. C: late there. X: not there at all.
            figure("local", Some("A"), "2026-03", [50, 52, 0]),
            figure("national", Some("A"), "2026-03", [48, 50, 0]),
            figure("local", Some("B"), "2026-03", [10, 20, 4]),
            figure("national", Some("B"), "2026-03", [14, 20, 0]),
            figure("local", Some("C"), "2026-03", [20, 20, 0]),
            figure("national", Some("C"), "2026-03", [19, 20, 0]),
            figure("local", Some("X"), "2026-03", [8, 8, 0]),
            figure("national", Some("X"), "2026-03", [0, 0, 0]),
            figure("national", Some("Y"), "2026-03", [3, 3, 0]),
            // Another month, in which both have the same; of April the national portal has nothing.
            figure("local", Some("A"), "2026-02", [7, 9, 0]),
            figure("national", Some("A"), "2026-02", [7, 9, 0]),
            figure("local", Some("A"), "2026-04", [1, 1, 0]),
            // A year is stated by nobody.
            figure("local", Some("A"), "2026", [58, 62, 0]),
        ]
    }

    fn defined(id: &str, more: &str) -> IndicatorDefinition {
        let text = format!(
            "id = \"{id}\"\nkind = \"ratio\"\ntitle = {{ vi = \"x\", en = \"x\" }}\nrules = \"qd-766\"\npopulation = \"TRUE\"\n\
             legal = {{ document = \"x\", place = \"x\", from = \"2022-08-01\" }}\nnumerator = \"TRUE\"\n{more}"
        );
        toml::from_str(&text).expect("a definition")
    }

    #[test]
    fn what_is_defined_on_both_sides_is_a_pair() {
        let stated = "period = \"stated\"\nover = \"measures\"\n";
        let national = |id: &str, local: &str| defined(id, &format!("{stated}reconcile_with = \"{local}\"\n"));
        let local = defined("qd766-2.1", "period = \"received_at\"\ndenominator = \"TRUE\"\n");
        let all = [
            national("dvcqg-on-time", "qd766-2.1"),
            // One that the office left out, one that counts no dossiers.
            national("dvcqg-online", "qd766-3.3"),
            national("dvcqg-other", "dvcqg-online"),
            defined("sipas-1", stated),
            local,
        ];
        let expected = NationalPair { national: "dvcqg-on-time".into(), local: "qd766-2.1".into() };
        assert_eq!(NationalPair::all(&all), [expected]);
    }

    #[test]
    fn what_both_count_is_compared_by_agency_and_stated_period() {
        use NationalClass::{Differs, Equal, OnlyLocal, OnlyNational, WithinUnknown};
        let night = night();
        let found = compared(&night, &FigureOf::Province, "2026");
        assert!(found.is_connected);
        let march = "2026-03".to_owned();
        let expected = [
            (march.clone(), None, Differs, Some([5, 3])),
            (march.clone(), Some("X"), OnlyLocal, None),
            (march.clone(), Some("Y"), OnlyNational, None),
            // Four dossiers apart each: by code.
            (march.clone(), Some("A"), Differs, Some([2, 2])),
            (march.clone(), Some("B"), WithinUnknown, Some([-4, 0])),
            (march, Some("C"), Differs, Some([1, 0])),
            ("2026-02".to_owned(), Some("A"), Equal, Some([0, 0])),
        ];
        assert_eq!(lines(&found), expected);
    }

    #[test]
    fn what_is_undecided_here_may_explain_a_difference() {
        use NationalClass::{Differs, Equal, OnlyNational, WithinUnknown};
        // Ours: numerator, denominator, unknown, undecided.
        for (ours, theirs, expected) in [
            ([10, 20, 0, 3], [10, 20], Equal),
            // Three more, on time or not.
            ([10, 20, 0, 3], [10, 23], WithinUnknown),
            ([10, 20, 0, 3], [13, 23], WithinUnknown),
            // One that is unknown here, and two that may belong.
            ([10, 20, 1, 2], [13, 22], WithinUnknown),
            ([0, 0, 0, 3], [2, 3], WithinUnknown),
            // More than may belong, more on time than belong, fewer than certainly are here.
            ([10, 20, 0, 3], [10, 24], Differs),
            ([10, 20, 0, 3], [12, 21], Differs),
            ([10, 20, 0, 3], [9, 21], Differs),
            ([10, 20, 0, 3], [10, 19], Differs),
            ([0, 0, 0, 0], [2, 3], OnlyNational),
        ] {
            let [numerator, denominator, unknown, undecided] = ours;
            let local = Figure {
                undecided: Some(undecided),
                ..figure("local", Some("A"), "2026-03", [numerator, denominator, unknown])
            };
            let night = [local, figure("national", Some("A"), "2026-03", [theirs[0], theirs[1], 0])];
            let found = compared(&night, &FigureOf::Province, "2026");
            assert_eq!(lines(&found).iter().map(|line| line.2).collect::<Vec<_>>(), [expected], "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn a_scope_and_a_period_restrict_what_is_compared() {
        let night = night();
        let agencies = |of: FigureOf, period: &str| {
            let found = compared(&night, &of, period);
            assert!(found.is_connected, "the night has counts, though not of this scope or period");
            lines(&found).into_iter().map(|(_, agency, ..)| agency.map(str::to_owned)).collect::<Vec<_>>()
        };
        let only = |code: &str| vec![Some(code.to_owned())];
        assert_eq!(agencies(FigureOf::Agency("C".to_owned()), "2026"), only("C"));
        assert_eq!(agencies(FigureOf::Tier(Tier::Commune), "2026"), only("X"));
        assert_eq!(agencies(FigureOf::Province, "2026-02"), only("A"));
        assert!(agencies(FigureOf::Province, "2026-04").is_empty());
        assert!(agencies(FigureOf::Province, "2025").is_empty());
    }

    #[test]
    fn without_counts_of_the_national_portal_nothing_is_compared() {
        let local: Vec<Figure> = night().into_iter().filter(|figure| &*figure.indicator == "local").collect();
        assert_eq!(compared(&local, &FigureOf::Province, "2026"), NationalReconciliation::default());
    }
}
