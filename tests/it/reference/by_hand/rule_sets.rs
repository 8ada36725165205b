//! Worked by hand: rule sets `form-06a` and `qd-766`, the views of a dossier's agency, and today's successors of
//! agencies.

use motcua::model::figure::Figure;
use motcua::model::rules::AgencyView;

use super::super::loops::ShippedRules;
use super::super::province::{Dossier, at};
use super::super::{NOW, computed, computed_by, computed_with_successions};
use super::{done, figure, on, plain, text};

/// Numerator, denominator and reachable of an indicator for the province under a rule set.
fn under(rules: ShippedRules, dossiers: &[Dossier], indicator: &str, period: &str) -> (u64, u64, u64) {
    let figures = computed_by(dossiers, &[], at(NOW), Some((rules, AgencyView::Competent)), None);
    let found = figure(&figures, indicator, None, period);
    (found.numerator, found.denominator.expect("a ratio"), found.reachable)
}

/// `form-06a`: days are compared; a withdrawn dossier and one without a due date are on time; one that waits is not
/// overdue; a refused one was not received.
#[test]
fn form_06a_rule_by_rule() {
    let rows = [
        done("same day, later hour", "2025-05-08T23:00"),
        done("the day after", "2025-05-09T07:00"),
        Dossier { withdrawn: on("2025-05-20T10:00"), status: text("withdrawn"), ..plain("withdrawn late") },
        Dossier { due: None, ..done("no due date", "2025-06-20T10:00") },
        Dossier { refused: on("2025-05-07T10:00"), status: text("refused"), ..plain("refused") },
        // Without a completion date the return is the end.
        Dossier { returned: on("2025-05-08T09:00"), status: text("returned"), ..plain("returned") },
        Dossier { status: text("supplement"), ..plain("waits since May") },
        Dossier { status: text("stopped"), stopped: on("2025-05-09T09:00"), ..plain("paused") },
        plain("overdue"),
    ];
    // Eight were received (the refused one was not): four ended on time, one late, three are open.
    assert_eq!(under(ShippedRules::Form06a, &rows, "par-3.4.1", "2025"), (4, 8, 4));
    // Of the five that ended: columns 8 + 9 over column 7.
    assert_eq!(under(ShippedRules::Form06a, &rows, "ii06a-on-time", "2025"), (4, 5, 4));
    // In May four of them ended, three on time.
    assert_eq!(under(ShippedRules::Form06a, &rows, "ii06a-on-time", "2025-05"), (3, 4, 3));
    // At the end of May the dossier without a due date was still open.
    assert_eq!(under(ShippedRules::Form06a, &rows, "par-3.4.1", "2025-05"), (3, 8, 3));
    let owed = under(ShippedRules::Form06a, &rows, "par-3.4.4", "2025-05");
    assert_eq!(owed.1, 2, "one ended late and one is overdue; those whose clock is stopped are neither");
}

/// `qd-766`: a dossier that is open in time counts as on time, a first supplement pauses the clock, a second one makes
/// it late, and returns and refusals are ends.
#[test]
fn qd_766_rule_by_rule() {
    let asked = |code, times| Dossier { supplements: Some(times), asked: on("2025-05-07T10:00"), ..plain(code) };
    let rows = [
        done("equal", "2025-05-08T17:00"),
        done("late by an hour", "2025-05-08T18:00"),
        // Asked on the 7th at 10:00 and supplied on the 9th at 10:00: these two days do not count.
        Dossier { supplied: on("2025-05-09T10:00"), completed: on("2025-05-10T16:00"), ..asked("paused", 1) },
        Dossier { supplied: on("2025-05-09T10:00"), completed: on("2025-05-10T18:00"), ..asked("paused, late", 1) },
        // While it waits for its first supplement, the request is the end.
        Dossier { status: text("supplement"), ..asked("waits", 1) },
        Dossier { completed: on("2025-05-07T16:00"), ..asked("asked twice", 2) },
        Dossier { refused: on("2025-05-08T09:00"), status: text("refused"), ..plain("refused in time") },
        // No due date: three working days from 5 May.
        Dossier { due: None, ..done("statutory", "2025-05-08T20:00") },
        Dossier { due: None, procedure: text("9.999999"), ..plain("open without any due date") },
        plain("overdue"),
    ];
    assert_eq!(under(ShippedRules::Qd766, &rows, "qd766-2.1", "2025"), (5, 10, 5));
    // Open and in time at the end of the statutory month (14 May): it is due on the 20th.
    let open = Dossier { due: on("2025-05-20T17:00"), ..plain("open") };
    assert_eq!(under(ShippedRules::Qd766, std::slice::from_ref(&open), "qd766-2.1", "2025-05s"), (1, 1, 1));
    assert_eq!(under(ShippedRules::Qd766, &[open], "qd766-2.1", "2025-05"), (0, 1, 0), "overdue at the end of May");
}

#[test]
fn each_view_attributes_a_dossier_to_another_agency() {
    let one =
        Dossier { receiving: text("TT"), handling: text("S3"), lead: text("X3"), ..done("1", "2025-05-07T10:00") };
    let agencies_in = |view| {
        let figures = computed_by(std::slice::from_ref(&one), &[], at(NOW), Some((ShippedRules::Seed2639, view)), None);
        let named: std::collections::BTreeSet<Option<String>> = figures
            .into_iter()
            .filter(|figure| *figure.indicator == *"par-ii.1.d")
            .map(|figure| figure.agency.map(|code| code.to_string()))
            .collect();
        named.into_iter().flatten().collect::<Vec<_>>()
    };
    assert_eq!(agencies_in(AgencyView::Competent), ["X3"]);
    // In every view the competent agency decides what counts: the dossier of a department counts in 3.4.1 in all three
    // views, although a counter received it and a vertical agency handles it.
    let of_department = Dossier { lead: None, competent: text("S1"), handling: text("S2"), ..one.clone() };
    for (view, agency) in [(AgencyView::Competent, "S1"), (AgencyView::Receiving, "TT"), (AgencyView::Handling, "S2")] {
        let dossiers = std::slice::from_ref(&of_department);
        let figures = computed_by(dossiers, &[], at(NOW), Some((ShippedRules::Seed2639, view)), None);
        assert_eq!(figure(&figures, "par-3.4.1", Some(agency), "2025").denominator, Some(1), "{agency}");
        assert_eq!(figure(&figures, "par-3.4.1", None, "2025").numerator, 1);
    }
    assert_eq!(agencies_in(AgencyView::Receiving), ["TT"]);
    assert_eq!(agencies_in(AgencyView::Handling), ["S3"]);
}

/// Dossiers of an ended commune count for its successor. An ended district has no successor and keeps a row of its own.
/// The province's totals stay the same.
#[test]
fn dossiers_count_for_todays_successors() {
    use motcua::model::agency::{Succession, Tier};

    let completed_at = |code, competent: &str| Dossier { competent: text(competent), ..done(code, "2025-05-07T10:00") };
    // X1 ended on 30 June 2025 and X2 succeeded it; D1 was dissolved; X3 still exists.
    let rows = [
        completed_at("1", "X1"),
        completed_at("2", "X1"),
        completed_at("3", "X2"),
        completed_at("4", "X3"),
        completed_at("5", "D1"),
    ];
    let successions = vec![Succession {
        from: "X1".to_owned(),
        to: "X2".to_owned(),
        date: jiff::civil::date(2025, 7, 1),
        document: "mẫu".to_owned(),
    }];
    let then = computed(&rows, &[], at(NOW));
    let today = computed_with_successions(&rows, &[], at(NOW), None, None, Some(successions));
    let communes = |figures: &[Figure], code| {
        let is_it = |figure: &&Figure| {
            let names = (&*figure.indicator, figure.agency.as_deref(), figure.period.to_string());
            names == ("par-3.4.3", Some(code), "2025".to_owned())
        };
        figures.iter().find(is_it).map(|figure| figure.numerator)
    };
    assert_eq!((communes(&then, "X1"), communes(&then, "X2")), (Some(2), Some(1)));
    assert_eq!((communes(&today, "X1"), communes(&today, "X2"), communes(&today, "X3")), (None, Some(3), Some(1)));
    let district = today.iter().find(|figure| figure.agency.as_deref() == Some("D1")).expect("it keeps its row");
    assert_eq!(district.tier, None);
    assert_eq!(district.agency_name.as_deref(), Some("Huyện mẫu D (không quy đổi được)"));
    assert!(!today.iter().any(|figure| figure.agency.is_none() && figure.tier == Some(Tier::District)));
    let province = |figures: &[Figure]| {
        let of_province = figures.iter().filter(|figure| figure.agency.is_none() && figure.tier.is_none());
        of_province.map(|figure| (figure.indicator.clone(), figure.period, figure.numerator)).collect::<Vec<_>>()
    };
    assert_eq!(province(&then), province(&today));
}
