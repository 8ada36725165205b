//! Tables worked by hand: for each letter of rule set `seed-2639` a few dossiers and the figures that they give.
//!
//! The night is 20 March 2026, 01:30. Unless a row has other values, its dossier is at agency `S1`, of procedure
//! `1.000001` (three working days), received on Monday 5 May 2025 at 08:00 and due on Thursday 8 May at 17:00.

mod apologies;
mod complete;
mod due_dates;
mod ends;
mod impossible_ends;
mod parts;
mod quality;
mod registries;
mod returns;
mod rule_sets;
mod statutory;
mod stocks;
mod times;
mod unknown;

use motcua::model::figure::{Figure, Met};
use motcua::model::period::Period;
use motcua::model::rules::DueChoice;

use super::province::{Dossier, Item, at};
use super::{NOW, REGISTRY_INDICATORS, computed, computed_alone, computed_with_due};

#[expect(clippy::unnecessary_wraps, reason = "the rows read better without `Some`")]
fn text(word: &str) -> Option<String> {
    Some(word.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "the rows read better without `Some`")]
fn on(moment: &str) -> Option<i64> {
    Some(at(moment))
}

fn plain(code: &str) -> Dossier {
    Dossier {
        code: text(code),
        competent: text("S1"),
        procedure: text("1.000001"),
        channel: text("counter"),
        status: text("processing"),
        received: on("2025-05-05T08:00"),
        due: on("2025-05-08T17:00"),
        ..Dossier::default()
    }
}

/// A plain dossier that is completed.
fn done(code: &str, completed: &str) -> Dossier {
    Dossier { completed: on(completed), status: text("completed"), ..plain(code) }
}

/// The dossier at an agency of its own, `H61.<number>`, which no registry has.
fn own_agency(number: usize, dossier: &Dossier) -> Dossier {
    let name = format!("H61.{number}");
    Dossier { code: text(&name), competent: text(&name), ..dossier.clone() }
}

fn item(dossier: &str, direction: &str) -> Item {
    Item {
        dossier: text(dossier),
        direction: text(direction),
        accepted: on("2025-05-06T09:00"),
        status: text("delivered"),
        ..Item::default()
    }
}

/// Whether an agency has figures other than those that the registries alone give it.
fn has_dossiers(figures: &[Figure], agency: &str) -> bool {
    let of_agency = figures.iter().filter(|figure| figure.agency.as_deref() == Some(agency));
    of_agency.into_iter().any(|figure| !REGISTRY_INDICATORS.contains(&&*figure.indicator))
}

fn figure(figures: &[Figure], indicator: &str, agency: Option<&str>, period: &str) -> Figure {
    let period = Period::parse(period).expect("a period");
    let is_it = |figure: &&Figure| {
        let province = figure.agency.is_none() && figure.tier.is_none();
        *figure.indicator == *indicator
            && figure.period == period
            && agency.map_or(province, |code| figure.agency.as_deref() == Some(code))
    };
    figures.iter().find(is_it).unwrap_or_else(|| panic!("{indicator} {agency:?} {period}: no figure")).clone()
}

/// Numerator and denominator of 3.4.1 (on time at departments) for the province in 2025.
fn on_time(dossiers: &[Dossier]) -> (u64, u64) {
    ratio(dossiers, &[], "par-3.4.1")
}

fn ratio(dossiers: &[Dossier], items: &[Item], indicator: &'static str) -> (u64, u64) {
    let found = figure(&computed_alone(dossiers, items, indicator), indicator, None, "2025");
    (found.numerator, found.denominator.expect("a ratio"))
}

#[test]
fn a_a_dossier_counts_for_the_competent_agency_not_for_the_counter() {
    let at_centre = Dossier { receiving: text("TT"), ..done("1", "2025-05-07T10:00") };
    let figures = computed(&[at_centre], &[], at(NOW));
    assert_eq!(figure(&figures, "par-3.4.1", Some("S1"), "2025").numerator, 1);
    assert!(!has_dossiers(&figures, "TT"));
}

#[test]
fn b_the_denominator_has_the_dossiers_received_in_the_period() {
    let next_year = Dossier { received: on("2025-12-31T23:59:59"), due: on("2026-01-09T17:00"), ..plain("1") };
    let late_end = Dossier { completed: on("2026-01-09T16:00"), ..next_year.clone() };
    let new_year = Dossier { received: on("2026-01-01T00:00"), ..late_end.clone() };
    let to_come = Dossier { received: on("2026-03-20T01:30:01"), ..plain("4") };
    let figures = computed_alone(&[next_year, late_end, new_year, to_come], &[], "par-3.4.1");
    let figure_of = |period| figure(&figures, "par-3.4.1", None, period);
    assert_eq!((figure_of("2025").numerator, figure_of("2025").denominator), (1, Some(2)));
    assert_eq!((figure_of("2026-Q1").numerator, figure_of("2026-Q1").denominator), (1, Some(1)));
}

#[test]
fn c_a_pending_dossier_is_in_the_denominator_and_leaves_the_target_open() {
    let ended = done("1", "2025-05-07T10:00");
    let pending = Dossier { due: on("2026-03-25T17:00"), ..plain("2") };
    let found = figure(&computed_alone(&[ended.clone(), pending.clone()], &[], "par-3.4.1"), "par-3.4.1", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.reachable), (1, Some(2), 2));
    assert_eq!(found.met(), Some(Met::Open));
    // An overdue dossier cannot end on time any more.
    let overdue = Dossier { due: on("2026-03-19T17:00"), ..plain("3") };
    let found = figure(&computed_alone(&[ended, pending, overdue], &[], "par-3.4.1"), "par-3.4.1", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.reachable), (1, Some(3), 2));
    assert_eq!(found.met(), Some(Met::No));
}

#[test]
fn d_ends_and_due_dates_are_compared_as_instants_and_midnight_is_a_day() {
    let midnight = |code, completed| Dossier { due: on("2025-05-08T00:00"), ..done(code, completed) };
    let rows = [
        done("equal", "2025-05-08T17:00"),
        done("late by a microsecond", "2025-05-08T17:00:00.000001"),
        midnight("any time of the day", "2025-05-08T23:59:59.999999"),
        midnight("the day after", "2025-05-09T00:00"),
        // An end after the night is ignored.
        Dossier { due: on("2027-01-01T17:00"), ..done("ahead", "2026-12-01T08:00") },
    ];
    assert_eq!(on_time(&rows), (2, 5));
}

#[test]
fn f_withdrawn_refused_and_stopped_dossiers_end_on_that_date() {
    let rows = [
        Dossier { withdrawn: on("2025-05-07T10:00"), status: text("withdrawn"), ..plain("1") },
        Dossier { refused: on("2025-05-09T10:00"), status: text("refused"), ..plain("2") },
        Dossier { stopped: on("2025-05-08T17:00"), status: text("stopped"), ..plain("3") },
        Dossier { status: text("withdrawn"), ..plain("without a date") },
    ];
    assert_eq!(on_time(&rows), (2, 4));
}

#[test]
fn g_a_missing_due_date_is_computed_or_the_dossier_is_not_on_time() {
    let no_due = |code, procedure: &str, received, completed| Dossier {
        due: None,
        procedure: text(procedure),
        received: on(received),
        ..done(code, completed)
    };
    let rows = [
        // Three working days from Tuesday 29 April, over the holidays: 5, 6 and 7 May.
        no_due("statutory", "1.000001", "2025-04-29T08:00", "2025-05-07T23:00"),
        no_due("statutory, late", "1.000001", "2025-04-29T08:00", "2025-05-08T00:00"),
        // Saturday 26 April is worked in exchange: three days from Friday are Saturday, Monday and Tuesday.
        no_due("swapped", "1.000001", "2025-04-25T08:00", "2025-04-29T17:00"),
        no_due("swapped, late", "1.000001", "2025-04-25T08:00", "2025-05-05T08:00"),
        // Immediate result: the same day if received by 15:00:00, after it the next working day ("sau 15 giờ").
        no_due("at once", "1.000002", "2025-05-05T14:59", "2025-05-05T20:00"),
        no_due("at once, late", "1.000002", "2025-05-05T14:59", "2025-05-06T08:00"),
        no_due("at the cut-off", "1.000002", "2025-05-09T15:00", "2025-05-09T20:00"),
        no_due("at the cut-off, late", "1.000002", "2025-05-09T15:00", "2025-05-12T07:00"),
        no_due("after the cut-off", "1.000002", "2025-05-09T15:00:01", "2025-05-12T17:00"),
        Dossier {
            certification: Some(true),
            ..no_due("certified", "9.999999", "2025-05-10T08:00", "2025-05-12T17:00")
        },
        no_due("no due date can be computed", "9.999999", "2025-05-05T08:00", "2025-05-05T08:01"),
    ];
    assert_eq!(on_time(&rows), (6, 11));
}

/// NĐ 23/2015/NĐ-CP art. 7: certification is due on the same day or, if received after 15:00, on the next working day.
/// If its procedure has a statutory time, that time counts instead. Each row is a dossier without a due date, received
/// on Monday 5 May 2025, that its source marks as a certification or not.
#[test]
fn g_certification_with_a_statutory_time_follows_that_time() {
    // Procedure, certification, received at, completed, whether on time.
    for (procedure, certification, received, completed, expected) in [
        // Three working days: 6, 7 and 8 May. Contracts, signatures, copies in quantity.
        ("1.000001", true, "08:00", "2025-05-08T23:59", 1),
        ("1.000001", true, "08:00", "2025-05-09T00:00", 0),
        // The cut-off of 15:00 belongs to the same-day rule and does not move a time in days.
        ("1.000001", true, "16:00", "2025-05-08T23:59", 1),
        ("1.000001", false, "08:00", "2025-05-08T23:59", 1),
        // Twelve working hours: 3½ before lunch and 3½ after it on the 5th, 4½ and ½ on the 6th.
        ("1.000005", true, "08:00", "2025-05-06T14:00", 1),
        ("1.000005", true, "08:00", "2025-05-06T14:01", 0),
        // Four calendar days: the 9th.
        ("1.000006", true, "08:00", "2025-05-09T23:59", 1),
        ("1.000006", true, "08:00", "2025-05-10T00:00", 0),
        // Immediate result by the registry: the same day, certification or not. The twelve hours of 1.000003 are not
        // used.
        ("1.000002", true, "08:00", "2025-05-05T23:59", 1),
        ("1.000002", true, "08:00", "2025-05-06T00:00", 0),
        ("1.000003", true, "08:00", "2025-05-05T23:59", 1),
        ("1.000003", true, "08:00", "2025-05-06T08:00", 0),
        // Neither immediate nor with a statutory time: certification is due on the same day, other dossiers have no due
        // date.
        ("1.000004", true, "14:59", "2025-05-05T23:59", 1),
        ("1.000004", true, "14:59", "2025-05-06T00:00", 0),
        ("1.000004", true, "15:00", "2025-05-05T23:59", 1),
        ("1.000004", true, "15:00", "2025-05-06T08:00", 0),
        ("1.000004", true, "15:00:01", "2025-05-06T08:00", 1),
        ("1.000004", true, "16:00", "2025-05-06T23:59", 1),
        ("1.000004", false, "08:00", "2025-05-05T08:01", 0),
        // Not in the registry: the same.
        ("9.999999", true, "08:00", "2025-05-05T23:59", 1),
        ("9.999999", true, "08:00", "2025-05-06T00:00", 0),
        ("9.999999", false, "08:00", "2025-05-05T08:01", 0),
    ] {
        let row = [Dossier {
            due: None,
            procedure: text(procedure),
            certification: Some(certification),
            received: on(&format!("2025-05-05T{received}")),
            ..done("1", completed)
        }];
        assert_eq!(on_time(&row), (expected, 1), "{procedure} {certification} {received} {completed}");
    }
}

/// Each value of `due`, for a dossier received on Monday 5 May 2025 at 08:00. Three working days end with 8 May. Twelve
/// hours end at 14:00 on 6 May: 3½ before lunch and 3½ after it on the 5th, 4½ before lunch and ½ after it on the 6th.
#[test]
fn due_is_the_portals_date_the_statutory_one_or_the_earlier() {
    // Procedure, the portal's due date, completed; whether on time by the portal's, the statutory, the earlier due
    // date.
    for (procedure, due, completed, expected) in [
        ("1.000001", "2025-05-12T17:00", "2025-05-09T10:00", [1, 0, 0]),
        ("1.000001", "2025-05-07T17:00", "2025-05-08T10:00", [0, 1, 0]),
        ("1.000001", "2025-05-12T17:00", "2025-05-08T23:00", [1, 1, 1]),
        ("1.000001", "", "2025-05-08T23:00", [1, 1, 1]),
        ("1.000001", "", "2025-05-09T00:00", [0, 0, 0]),
        ("1.000005", "2025-05-07T17:00", "2025-05-06T14:00", [1, 1, 1]),
        ("1.000005", "2025-05-07T17:00", "2025-05-06T14:01", [1, 0, 0]),
        ("1.000005", "2025-05-06T10:00", "2025-05-06T11:00", [0, 1, 0]),
        // Without a statutory time the portal's date counts.
        ("9.999999", "2025-05-07T17:00", "2025-05-07T16:00", [1, 1, 1]),
        ("9.999999", "2025-05-07T17:00", "2025-05-08T16:00", [0, 0, 0]),
    ] {
        let due = (!due.is_empty()).then(|| at(due));
        let row = [Dossier { due, procedure: text(procedure), ..done("1", completed) }];
        for (choice, expected) in
            [DueChoice::Portal, DueChoice::Statutory, DueChoice::Earlier].into_iter().zip(expected)
        {
            let figures = computed_with_due(&row, choice, "par-3.4.1");
            let found = figure(&figures, "par-3.4.1", None, "2025");
            assert_eq!(
                (found.numerator, found.denominator),
                (expected, Some(1)),
                "{procedure} {due:?} {completed} {choice:?}"
            );
        }
    }
}

#[test]
fn h_having_counts_province_wide_and_by_year_and_levels_by_day() {
    let received_by = |code, competent: &str, channel: &str, received| Dossier {
        competent: text(competent),
        channel: text(channel),
        received: on(received),
        ..plain(code)
    };
    // The procedure has its first postal dossier in May 2025, at one agency: all its dossiers of 2025 count in periods
    // that reach May, and none of 2026.
    let rows = [
        received_by("0", "S3", "counter", "2025-01-06T08:00"),
        received_by("1", "S1", "postal", "2025-05-05T08:00"),
        received_by("2", "S3", "counter", "2025-11-05T08:00"),
        received_by("3", "S3", "counter", "2026-01-05T08:00"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    for (period, expected) in
        [("2025", (1, Some(3))), ("2025-H1", (1, Some(2))), ("2025-Q2", (1, Some(1))), ("2025-05", (1, Some(1)))]
    {
        let found = figure(&figures, "par-7.3.2-having", None, period);
        assert_eq!((found.numerator, found.denominator), expected, "{period}");
    }
    let of_january = |figure: &&Figure| {
        let january = ["2025-01", "2025-Q1"].map(|name| Period::parse(name).expect("a period"));
        *figure.indicator == *"par-7.3.2-having" && january.contains(&figure.period)
    };
    assert_eq!(figures.iter().find(of_january), None, "what May brings does not change January");
    assert_eq!(figure(&figures, "par-7.3.2-having", Some("S3"), "2025-11").denominator, Some(1));
    assert!(!figures.iter().any(|figure| *figure.indicator == *"par-7.3.2-having" && figure.period.year() == 2026));
    // Offered at level 3 until 30 June 2025 and at level 4 from July.
    let rows =
        [received_by("1", "S1", "online", "2025-06-30T23:59"), received_by("2", "S1", "online", "2025-07-01T00:00")];
    assert_eq!(ratio(&rows, &[], "par-7.2.2-level-3"), (1, 2));
    assert_eq!(ratio(&rows, &[], "par-7.2.2-level-4"), (1, 2));
}

#[test]
fn i_evidence_of_portal_or_post_counts_a_dossier_once() {
    let postal = |code| Dossier { channel: text("postal"), ..plain(code) };
    let rows = [postal("both"), postal("portal"), plain("post"), plain("withdrawn"), plain("none")];
    let items = [
        item("both", "submission"),
        item("both", "submission"),
        item("post", "submission"),
        item("post", "return"),
        Item { status: text("withdrawn"), ..item("withdrawn", "submission") },
        item("not in the lake", "submission"),
    ];
    let figures = computed(&rows, &items, at(NOW));
    let found = figure(&figures, "par-7.3.2-deployed", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.one_sided), (3, Some(5), Some(2)));
    // The post returned the result of one dossier; it is the only result that was returned.
    let found = figure(&figures, "par-7.3.3-having", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.one_sided), (1, Some(1), Some(1)));
}

#[test]
fn j_an_interlinked_dossier_counts_once_at_its_lead_agency() {
    let whole = Dossier { lead: text("S3"), ..done("whole", "2025-05-07T10:00") };
    let part = Dossier { parent: text("whole"), ..done("part", "2025-05-07T10:00") };
    let figures = computed(&[whole, part], &[], at(NOW));
    assert_eq!(figure(&figures, "par-3.4.1", None, "2025").denominator, Some(1));
    assert_eq!(figure(&figures, "par-3.4.1", Some("S3"), "2025").numerator, 1);
    assert!(!has_dossiers(&figures, "S1"));
}

#[test]
fn apologies_supplements_and_levels_are_counted() {
    let late = |code| done(code, "2025-05-09T10:00");
    let rows = [
        Dossier { apology: on("2025-05-07T08:00"), ..late("late, apologised") },
        late("late"),
        plain("overdue"),
        Dossier { apology: on("2025-05-07T08:00"), ..done("on time, apologised", "2025-05-08T10:00") },
        Dossier { supplements: Some(2), ..done("asked twice", "2025-05-08T10:00") },
        Dossier {
            supplements: Some(1),
            received: on("2025-07-01T08:00"),
            due: on("2025-07-04T17:00"),
            ..done("full", "2025-07-02T10:00")
        },
    ];
    assert_eq!(ratio(&rows, &[], "par-3.4.4"), (1, 3));
    assert_eq!(ratio(&rows, &[], "par-ii.1.d"), (1, 6));
    // Procedure 1.000001 is offered full-process from July 2025.
    assert_eq!(ratio(&rows, &[], "nd224-full-process"), (1, 6));
    assert_eq!(ratio(&[Dossier { channel: text("online"), ..plain("1") }, plain("2")], &[], "qd766-3.3"), (1, 2));
}
