//! Rule e, by hand: which due date counts if the source moved it. Unless a row has other values, the dossier was received
//! on Monday 5 May 2025 at 08:00, first due on Thursday 8 May at 17:00, and is due on Tuesday 20 May at 17:00 by now.

use super::*;

/// A dossier whose due date was moved to 20 May and that ended on 15 May: late by the first date.
fn moved(code: &str) -> Dossier {
    Dossier {
        due: on("2025-05-20T17:00"),
        known_first: on("2025-05-08T17:00"),
        explained: on("2025-05-08T17:00"),
        ..done(code, "2025-05-15T10:00")
    }
}

#[test]
fn e_a_due_date_moved_later_counts_only_if_a_supplement_explains_it() {
    let rows = [
        // No version shows a supplement or a suspension: 8 May counts.
        (moved("unexplained"), 0),
        (Dossier { completed: on("2025-05-08T17:00"), ..moved("in time all the same") }, 1),
        // The image found a supplement between the two dates: 20 May counts.
        (Dossier { explained: on("2025-05-20T17:00"), ..moved("explained") }, 1),
        (Dossier { explained: on("2025-05-20T17:00"), completed: on("2025-05-20T17:00:01"), ..moved("late") }, 0),
        // Explained up to 14 May, then moved to 20 May without a reason.
        (Dossier { explained: on("2025-05-14T17:00"), ..moved("moved again") }, 0),
        (Dossier { explained: on("2025-05-15T00:00"), ..moved("a date is its whole day") }, 1),
        // An earlier date just counts.
        (Dossier { due: on("2025-05-07T17:00"), completed: on("2025-05-08T09:00"), ..moved("moved earlier") }, 0),
        // A removed due date does not free from the one that was promised.
        (Dossier { due: None, ..moved("removed") }, 0),
        (Dossier { due: None, completed: on("2025-05-08T16:00"), ..moved("removed, in time") }, 1),
        // Before the reception it is no due date. Without any, the statutory time counts: three working days, 8 May.
        (Dossier { due: on("2025-05-02T17:00"), ..plain_history("impossible", "2025-05-08T16:00") }, 1),
        (Dossier { due: on("2025-05-02T17:00"), ..plain_history("impossible, late", "2025-05-09T09:00") }, 0),
    ];
    for (row, expected) in rows {
        assert_eq!(on_time(std::slice::from_ref(&row)), (expected, 1), "{:?}", row.code);
    }
}

/// Moves that nothing explains are counted by themselves.
#[test]
fn e_due_dates_that_were_moved_without_a_reason_are_counted() {
    let rows = [
        moved("unexplained"),
        Dossier { explained: on("2025-05-14T17:00"), ..moved("explained up to 14 May") },
        Dossier { explained: on("2025-05-20T17:00"), ..moved("explained") },
        Dossier { due: on("2025-05-07T17:00"), ..moved("moved earlier") },
        Dossier { due: None, ..moved("removed") },
        plain("never moved"),
        // The letter of apology announced the later date: that is a reason, although the first date counts.
        Dossier { apology: on("2025-05-07T08:00"), apology_due: on("2025-05-20T00:00"), ..moved("apologised") },
        // Neither a status nor supplements: the move may have a reason.
        Dossier { status: None, ..moved("nothing is stated") },
        // A date before the reception is no due date, so moving to it moves none; also if an apology announced it.
        Dossier { due: on("2025-05-02T17:00"), explained: on("2025-04-30T17:00"), ..moved("before the reception") },
        // A vertical agency's.
        Dossier { competent: text("S2"), ..moved("vertical") },
    ];
    let found = figure(&computed_alone(&rows, &[], "source-due-moved"), "source-due-moved", None, "2025").clone();
    assert_eq!((found.numerator, found.denominator, found.unknown), (2, Some(9), Some(1)));
}

/// A dossier of which no possible due date is known.
fn plain_history(code: &str, completed: &str) -> Dossier {
    Dossier { due: None, ..done(code, completed) }
}

#[test]
fn e_an_apology_makes_no_dossier_on_time() {
    let apology = |row: Dossier| Dossier { apology_due: on("2025-05-20T17:00"), ..row };
    let first_stated = Dossier { known_first: on("2025-05-20T17:00"), ..moved("the extended date is the first known") };
    let first_stated = Dossier { explained: on("2025-05-20T17:00"), ..first_stated };
    let rows = [
        (apology(moved("moved by an apology")), 0),
        (apology(Dossier { completed: on("2025-05-08T16:00"), ..moved("in time before it") }), 1),
        // A supplement in between does not make the apology's own date count: what was known before it does.
        (apology(Dossier { explained: on("2025-05-20T17:00"), ..moved("supplement and apology") }), 0),
        (apology(Dossier { explained: on("2025-05-16T17:00"), ..moved("supplement, then apology") }), 1),
        // The apology states a day, the portal a moment of that day.
        (Dossier { apology_due: on("2025-05-20T00:00"), ..moved("by day") }, 0),
        // The date before the apology is not known: not on time for certain.
        (apology(first_stated.clone()), 0),
        (apology(Dossier { completed: on("2025-05-21T09:00"), ..first_stated }), 0),
    ];
    for (row, expected) in rows {
        assert_eq!(on_time(std::slice::from_ref(&row)), (expected, 1), "{:?}", row.code);
    }
}

#[test]
fn e_without_status_and_supplements_a_moved_date_is_unknown() {
    let silent = |row: Dossier| Dossier { status: None, ..row };
    // Ended between the two dates: unknown. Before the first: on time.
    assert_eq!(on_time(&[silent(moved("between"))]), (0, 1));
    assert_eq!(on_time(&[silent(Dossier { completed: on("2025-05-08T09:00"), ..moved("before") })]), (1, 1));
    // Open at the night of 20 March 2026, with a due date of 25 March that was moved: neither overdue nor certain to end on
    // time.
    let open = Dossier { due: on("2026-03-25T17:00"), completed: None, ..silent(moved("open")) };
    let found = figure(&computed_alone(std::slice::from_ref(&open), &[], "par-3.4.1"), "par-3.4.1", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.reachable), (0, Some(1), 0));
    let is_counted_late = |figures: &[Figure]| {
        let late = figures.iter().filter(|figure| *figure.indicator == *"par-3.4.4" && figure.agency.is_none());
        late.into_iter().any(|figure| figure.denominator != Some(0))
    };
    let figures = computed_alone(std::slice::from_ref(&open), &[], "par-3.4.4");
    assert!(!is_counted_late(&figures), "it is certain only after 25 March");
    let apologies = figure(&figures, "par-3.4.4", None, "2025");
    assert_eq!((apologies.denominator, apologies.undecided), (Some(0), Some(1)), "whether it is overdue is not known");
    let past_both = Dossier { due: on("2026-03-19T17:00"), ..open };
    assert!(is_counted_late(&computed_alone(&[past_both], &[], "par-3.4.4")), "19 March has passed");
}
