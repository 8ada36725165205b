//! Ends before the reception, worked by hand: such a dossier has ended, but it is on time under no rule set.

use motcua::indicators::FormScope;
use motcua::model::period::Period;
use motcua::model::report_form::{FormCount, FormCounts};

use super::super::province::{Dossier, at};
use super::super::{NOW, computed, form};
use super::{done, figure, on, plain, ratio, text};

/// Received on Monday 5 May 2025 at 08:00, due on Thursday 8 May at 17:00.
fn rows() -> Vec<Dossier> {
    vec![
        done("the day before", "2025-05-04T10:00"),
        done("a minute before", "2025-05-05T07:59"),
        done("a year before", "2024-05-06T10:00"),
        // Withdrawn is always on time under `form-06a`, but not before the reception.
        Dossier { withdrawn: on("2025-05-01T10:00"), status: text("withdrawn"), ..plain("withdrawn before") },
        // Possible: at the reception, and on its day without a time of day.
        done("at the reception", "2025-05-05T08:00"),
        done("the day", "2025-05-05T00:00"),
        done("in time", "2025-05-08T10:00"),
    ]
}

#[test]
fn an_end_before_the_reception_stands_in_no_numerator() {
    let rows = rows();
    assert_eq!(ratio(&rows, &[], "par-3.4.1"), (3, 7));
    let figures = computed(&rows, &[], at(NOW));
    // Whether the four are late, and owe an apology, nobody knows.
    let apologies = figure(&figures, "par-3.4.4", None, "2025");
    assert_eq!((apologies.denominator, apologies.undecided), (Some(0), Some(4)));
    // By the day of the end: in May all but the one of 2024.
    let in_may = figure(&figures, "nd224-on-time", None, "2025-05");
    assert_eq!((in_may.numerator, in_may.denominator), (3, Some(6)));
}

/// Working hours: none for the two that ended at the reception and on its day. For the third 7 on Monday, 8 on Tuesday,
/// 8 on Wednesday and 3 on Thursday. The four with an impossible end have no known time.
#[test]
fn an_end_before_the_reception_gives_no_processing_time() {
    let figures = computed(&rows(), &[], at(NOW));
    let mean = figure(&figures, "nd224-processing-mean", None, "2025");
    assert_eq!((mean.numerator, mean.denominator), (26, Some(3)));
    let median = figure(&figures, "nd224-processing-median", None, "2025");
    assert_eq!((median.numerator, median.denominator), (0, Some(3)));
}

/// An apology does not put such a dossier among those that were handled by the rules (3.4.5, index 5). They are told.
#[test]
fn an_end_before_the_reception_is_told_and_no_apology_makes_it_regular() {
    let apologised = |dossier: Dossier| Dossier { apology: on("2025-05-07T08:00"), ..dossier };
    let rows: Vec<Dossier> = rows().into_iter().map(apologised).collect();
    assert_eq!(ratio(&rows, &[], "source-ended-before-reception"), (4, 7));
    let figures = computed(&rows, &[], at(NOW));
    let regular = figure(&figures, "par-3.4.5-5", None, "2025");
    assert_eq!((regular.numerator, regular.denominator), (3, Some(6)));
}

#[test]
fn the_form_has_each_of_them_once_and_its_identities_hold() {
    let period = Period::parse("2025-05").expect("a period");
    let mut all = FormCounts::default();
    for (sector, cells) in form(&rows(), period, FormScope::Province) {
        cells.check(&sector).expect("the identities hold");
        all.add(&cells);
    }
    let cells = [FormCount::Received, FormCount::Resolved, FormCount::Early, FormCount::OnTime, FormCount::Late];
    // Before the due day: at the reception, and on its day. On the due day: in time.
    assert_eq!(cells.map(|count| all.get(count)), [7, 7, 2, 1, 4]);
    assert_eq!(all.get(FormCount::Pending), 0);
}
