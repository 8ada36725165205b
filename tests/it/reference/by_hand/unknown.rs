//! What is unknown, worked by hand: a fact that no source states and no rule decides leaves a dossier of the denominator
//! unknown, and may leave it undecided whether a dossier belongs to the denominator.

use motcua::indicators::FormScope;
use motcua::model::figure::{Figure, Met};
use motcua::model::period::Period;
use motcua::model::report_form::{FormCount, FormRemark};

use super::super::province::{Dossier, Item, at};
use super::super::{NOW, computed, computed_alone, form};
use super::{done, figure, item, on, plain, text};

/// Numerator, denominator, unknown and undecided of the province in 2025.
fn counts(figures: &[Figure], indicator: &str) -> [u64; 4] {
    let found = figure(figures, indicator, None, "2025");
    [
        found.numerator,
        found.denominator.unwrap_or(0),
        found.unknown.expect("counted"),
        found.undecided.expect("counted"),
    ]
}

fn counts_of(dossiers: &[Dossier], items: &[Item], indicator: &'static str) -> [u64; 4] {
    counts(&computed_alone(dossiers, items, indicator), indicator)
}

/// Four dossiers of one procedure that is deployed for reception by post: online, at the counter, and two of which the
/// source states no channel; the post brought one of these.
#[test]
fn a_channel_that_the_source_does_not_state() {
    let by = |code, channel: Option<&str>| Dossier { channel: channel.map(str::to_owned), ..plain(code) };
    let rows = [by("online", Some("online")), by("counter", Some("counter")), by("none", None), by("post", None)];
    let figures = computed(&rows, &[item("post", "submission")], at(NOW));
    assert_eq!(counts(&figures, "nd224-online"), [1, 4, 2, 0]);
    // The post's list shows the fourth; the third may have come by post, too.
    assert_eq!(counts(&figures, "par-7.3.2-deployed"), [1, 4, 1, 0]);
    // QĐ 766: direct is channel 1 or none.
    assert_eq!(counts(&figures, "qd766-3.3"), [1, 4, 0, 0]);
    let share = figure(&figures, "nd224-online", None, "2025");
    assert_eq!((share.ratio(), share.bounds()), (Some(0.25), Some([0.25, 0.75])));
    // 7.3.2 asks for 10 %: a quarter suffices. 7.2.2 asks for 20 %: so does a quarter.
    assert_eq!(figure(&figures, "par-7.3.2-deployed", None, "2025").met(), Some(Met::Yes));
    // Without the one that is online, the target depends on what is unknown.
    let figures = computed(&rows[1..], &[], at(NOW));
    assert_eq!(counts(&figures, "par-7.2.2"), [0, 3, 2, 0]);
    assert_eq!(figure(&figures, "par-7.2.2", None, "2025").met(), Some(Met::Unknown));
    // If the source states none at all there are no data, and no ratio of 0 %.
    let figures = computed(&rows[2..], &[], at(NOW));
    let share = figure(&figures, "nd224-online", None, "2025");
    assert_eq!((share.ratio(), share.value(), share.lacks_data()), (None, None, true));
    // Whether the procedure had any online dossier, and whether it had any by post, is not known either.
    assert_eq!(counts(&figures, "par-7.3.2-having"), [0, 0, 0, 2]);
    let procedures = |figures: &[Figure]| {
        let found = figure(figures, "par-7.2.1", Some("S1"), "2025");
        (found.numerator, found.unknown)
    };
    assert_eq!(procedures(&figures), (0, Some(1)));
    assert_eq!(procedures(&computed_alone(&rows, &[], "par-7.2.1")), (1, Some(0)));
}

/// Ended by its status, without the date of the end: on time or not.
#[test]
fn an_end_that_the_status_asserts_and_no_date_shows() {
    let rows = [
        done("on time", "2025-05-08T16:00"),
        done("late", "2025-05-09T08:00"),
        Dossier { status: text("completed"), ..plain("no date") },
        Dossier { status: text("withdrawn"), ..plain("withdrawn, no date") },
        Dossier { apology: on("2025-05-08T08:00"), status: text("completed"), ..plain("no date, apologised") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_eq!(counts(&figures, "par-3.4.1"), [1, 5, 3, 0]);
    assert_eq!(counts(&figures, "nd224-on-time"), [1, 5, 3, 0]);
    assert_eq!(counts(&figures, "qd766-2.1"), [1, 5, 3, 0]);
    // Late for certain is only the second.
    assert_eq!(counts(&figures, "par-3.4.4"), [0, 1, 0, 3]);
    // With an apology it is in order, on time or not.
    assert_eq!(counts(&figures, "par-3.4.5-5"), [2, 5, 2, 0]);
    // The form has the undated ones in column 10, but a withdrawn one always in column 9.
    assert_eq!(counts(&figures, "ii06a-on-time"), [2, 5, 0, 0]);
    // Monday 08:00 to Thursday 16:00: 7 + 8 + 8 + 7 = 30 working hours; to Friday 08:00: 7 + 8 + 8 + 8 + 1 = 32.
    let found = figure(&figures, "nd224-processing-mean", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.unknown), (62, Some(2), Some(3)));
    let found = figure(&figures, "nd224-processing-median", None, "2025");
    assert_eq!((found.numerator, found.denominator, found.unknown), (30, Some(2), Some(3)));
    // If no end has a date there is no mean.
    let mean = "nd224-processing-mean";
    let found = figure(&computed_alone(&rows[2..3], &[], mean), mean, None, "2025");
    assert_eq!((found.value(), found.lacks_data()), (None, true));
}

/// Rule g: without any due date a dossier is not on time. Whether it is late is another question: if the registry lacks
/// its procedure, nobody knows its limit.
#[test]
fn a_dossier_without_any_limit_is_not_on_time_and_perhaps_not_late() {
    let without_due = |code, procedure: &str, completed: Option<i64>| Dossier {
        due: None,
        procedure: text(procedure),
        completed,
        status: text(if completed.is_some() { "completed" } else { "processing" }),
        ..plain(code)
    };
    let end = on("2025-05-06T08:00");
    let unknown = without_due("not in the registry", "9.999999", end);
    assert_eq!(counts_of(std::slice::from_ref(&unknown), &[], "par-3.4.1"), [0, 1, 0, 0]);
    assert_eq!(counts_of(&[unknown], &[], "par-3.4.4"), [0, 0, 0, 1]);
    let open = without_due("open, not in the registry", "9.999999", None);
    assert_eq!(counts_of(&[open], &[], "par-3.4.4"), [0, 0, 0, 1]);
    // The registry has 1.000004, without a statutory time: late. An end before the reception is never on time; whether
    // it is late nobody knows.
    let known = without_due("in the registry", "1.000004", end);
    let impossible = without_due("ended before", "9.999999", on("2025-05-04T08:00"));
    assert_eq!(counts_of(&[known, impossible], &[], "par-3.4.4"), [0, 1, 0, 1]);
}

/// Five dossiers: the number of requests is missing, none, one; missing, but a date or the status shows a request.
#[test]
fn supplements_that_the_source_does_not_state() {
    let rows = [
        plain("missing"),
        Dossier { supplements: Some(0), ..plain("none") },
        Dossier { supplements: Some(1), ..plain("one") },
        Dossier { asked: on("2025-05-06T08:00"), ..plain("asked") },
        Dossier { status: text("supplement"), ..plain("waits") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_eq!(counts(&figures, "par-3.4.5-3"), [1, 5, 1, 0]);
    // More than once: the last two at least once.
    assert_eq!(counts(&figures, "par-ii.1.d"), [0, 5, 3, 0]);
}

/// The kind of an agency, a certification and a level of online service that are not known leave it undecided whether a
/// dossier belongs to a ratio of these.
#[test]
fn what_may_belong_to_a_denominator_is_undecided() {
    let rows = [
        done("known", "2025-05-08T16:00"),
        Dossier { competent: text("Phòng lạ"), ..done("agency", "2025-05-08T16:00") },
        Dossier { procedure: text("9.999999"), ..done("procedure", "2025-05-08T16:00") },
        Dossier { procedure: text("9.999999"), certification: Some(true), ..done("certified", "2025-05-08T16:00") },
        Dossier { procedure: text("9.999999"), level: text("full"), ..done("level", "2025-05-08T16:00") },
    ];
    let figures = computed(&rows, &[], at(NOW));
    assert_eq!(counts(&figures, "par-3.4.1"), [4, 4, 0, 1]);
    assert_eq!(counts(&figures, "par-3.4.2"), [0, 0, 0, 1]);
    let districts = figure(&figures, "par-3.4.2", None, "2025");
    assert_eq!((districts.ratio(), districts.met(), districts.lacks_data()), (None, Some(Met::Unknown), true));
    assert_eq!(counts(&figures, "par-3.4-certification"), [1, 1, 0, 2]);
    assert_eq!(counts(&figures, "par-3.4-without-certification"), [2, 2, 0, 2]);
    // Levels: partial by the registry (1), none of an agency or procedure that no registry has (3), the source's (1).
    assert_eq!(counts(&figures, "par-7.2.2"), [0, 2, 0, 3]);
    // Of all received: an online dossier of no known level may be one of level 4; one at the counter is none.
    let online = Dossier { channel: text("online"), ..rows[2].clone() };
    assert_eq!(counts_of(&[rows[2].clone(), online], &[], "par-7.2.2-level-4"), [0, 2, 1, 0]);
}

/// How a result was returned, if the portal does not say: the post's lists decide, if there are any.
#[test]
fn a_return_that_the_portal_does_not_describe() {
    let returned = |code, by: Option<&str>| Dossier {
        received: on("2025-07-01T08:00"),
        returned: on("2025-07-04T08:00"),
        returned_by: by.map(str::to_owned),
        ..plain(code)
    };
    let rows = [returned("post", Some("postal")), returned("counter", Some("counter")), returned("not stated", None)];
    assert_eq!(counts_of(&rows, &[], "par-7.3.3-deployed"), [1, 3, 1, 0]);
    assert_eq!(counts_of(&rows, &[item("another", "return")], "par-7.3.3-deployed"), [1, 3, 0, 0]);
    assert_eq!(counts_of(&rows, &[item("not stated", "return")], "par-7.3.3-deployed"), [2, 3, 0, 0]);
}

/// Form II.06a has no column for what is unknown: an unknown channel is in column 5, an end without a date and one before
/// the reception in column 10.
#[test]
fn the_form_names_what_it_does_not_know() {
    let rows = [
        Dossier { channel: text("online"), ..done("on time", "2025-05-08T16:00") },
        Dossier { channel: None, ..done("no channel", "2025-05-09T16:00") },
        Dossier { status: text("completed"), ..plain("no date") },
        done("before", "2025-05-04T16:00"),
        Dossier { channel: None, received: on("2025-04-28T08:00"), ..plain("carried over, no channel") },
    ];
    let cells = form(&rows, Period::parse("2025-05").expect("a period"), FormScope::Province);
    let [counts] = cells.values().collect::<Vec<_>>()[..] else { panic!("one sector: {cells:?}") };
    counts.check("LV").expect("the identities hold");
    let columns = [
        FormCount::Received,
        FormCount::Online,
        FormCount::CounterAndPost,
        FormCount::CarriedOver,
        FormCount::OnTime,
        FormCount::Late,
        FormCount::PendingOverdue,
    ];
    assert_eq!(columns.map(|column| counts.get(column)), [5, 1, 3, 1, 1, 3, 1]);
    let remarks =
        [(5, 1, FormRemark::ChannelUnknown), (10, 1, FormRemark::EndUndated), (10, 1, FormRemark::EndBeforeReception)];
    assert_eq!(counts.remarks(), remarks);
}
