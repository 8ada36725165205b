//! Letter d, worked by hand: a dossier ends when it is completed or its result is handed over, whichever is earlier.

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{done, figure, on, own_agency, plain, text};

/// The end is the earlier of completion and return. Received on 5 May at 08:00, due on 8 May at 17:00.
#[test]
fn d_a_result_that_was_handed_over_had_been_completed() {
    let returned = |dossier: Dossier, at| Dossier { returned: on(at), status: text("returned"), ..dossier };
    let rows = [
        ("fetched weeks later", returned(done("1", "2025-05-08T09:00"), "2025-06-20T09:00"), 1),
        ("handed over before its date", returned(done("1", "2025-05-12T09:00"), "2025-05-08T16:00"), 1),
        ("both late", returned(done("1", "2025-05-12T09:00"), "2025-05-09T08:00"), 0),
        ("returned, never completed", returned(plain("1"), "2025-05-08T17:00"), 1),
        ("returned a minute late, never completed", returned(plain("1"), "2025-05-08T17:01"), 0),
        ("status without any date", Dossier { status: text("returned"), ..plain("1") }, 0),
        // An end before the reception is a mistake, whatever the other date is.
        ("completed before the reception", returned(done("1", "2025-05-04T09:00"), "2025-05-08T16:00"), 0),
        ("returned before the reception", returned(done("1", "2025-05-08T09:00"), "2025-05-04T16:00"), 0),
        // A completion in the future has not happened; the return has.
        ("completed after the night", returned(done("1", "2026-12-01T08:00"), "2025-05-08T16:00"), 1),
        // Handed over, and later withdrawn: it was finished.
        (
            "withdrawn as well",
            Dossier { withdrawn: on("2025-05-20T08:00"), ..returned(plain("1"), "2025-05-08T16:00") },
            1,
        ),
    ];
    let mut dossiers: Vec<Dossier> =
        rows.iter().enumerate().map(|(number, (_, row, _))| own_agency(number, row)).collect();
    // It ends on the day of the return.
    dossiers.push(Dossier { competent: text("S1"), ..returned(plain("in June"), "2025-06-02T08:00") });
    let figures = computed(&dossiers, &[], at(NOW));
    for (number, (what, _, expected)) in rows.into_iter().enumerate() {
        let found = figure(&figures, "par-3.4-without-certification", Some(&format!("H61.{number}")), "2025");
        assert_eq!((found.numerator, found.denominator), (expected, Some(1)), "{what}");
    }
    let ended = figure(&figures, "nd224-on-time", Some("S1"), "2025-06");
    assert_eq!((ended.numerator, ended.denominator), (0, Some(1)));
}
