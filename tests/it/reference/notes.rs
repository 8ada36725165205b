//! Notes on dossiers, worked by hand: the values of a note replace those of the source.

use motcua::model::figure::Figure;
use motcua::model::period::Period;

use super::province::{self, Dossier, Note, at};
use super::{NOW, computed_from_tables};

/// A dossier that is late by one day in the portal.
fn late(code: &str) -> Dossier {
    let on = |moment| Some(at(moment));
    Dossier {
        code: Some(code.to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        status: Some("completed".to_owned()),
        received: on("2025-05-05T08:00"),
        due: on("2025-05-08T17:00"),
        completed: on("2025-05-09T10:00"),
        ..Dossier::default()
    }
}

fn note(code: &str, apology: &str) -> Note {
    Note { dossier: Some(code.to_owned()), apology: Some(at(apology)), ..Note::default() }
}

fn figures_of(dossiers: &[Dossier], notes: &[Note]) -> Vec<Figure> {
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let [dossiers, items] = [province::dossiers_table(dossiers), province::items_table(&[])];
    let tables = [dossiers, items, feedback, measures, province::notes_table(notes)];
    computed_from_tables(tables, at(NOW), None, Period::parse("2025-05"), None)
}

/// How many late dossiers have a timely apology, and how many are late; `None` if none is late.
fn apologised(dossiers: &[Dossier], notes: &[Note]) -> Option<(u64, u64)> {
    let figures = figures_of(dossiers, notes);
    let province = |one: &&Figure| one.agency.is_none() && one.tier.is_none();
    let figure = figures.iter().filter(province).find(|one| *one.indicator == *"par-3.4.4")?;
    Some((figure.numerator, figure.denominator?))
}

#[test]
fn an_apology_in_a_note_counts_like_one_of_the_source() {
    let rows = [late("A"), Dossier { apology: Some(at("2025-05-07T08:00")), ..late("B") }, late("C"), late("D")];
    assert_eq!(apologised(&rows, &[]), Some((1, 4)));
    let deleted = Note { deleted: Some(true), ..note("C", "2025-05-07T08:00") };
    // The note on D is from after the night, that on Z is for a missing dossier, and the last one has no apology.
    let notes = [
        note("A", "2025-05-07T08:00"),
        deleted,
        note("D", "2026-03-20T01:31"),
        note("Z", "2025-05-07T08:00"),
        Note { dossier: Some("C".to_owned()), cause: Some("agency".to_owned()), ..Note::default() },
    ];
    assert_eq!(apologised(&rows, &notes), Some((2, 4)));
}

#[test]
fn a_due_date_does_not_count_if_a_note_shows_that_an_apology_moved_it() {
    // The portal replaced the due date by the promised one without recording an apology, so the dossier seems on time.
    let due = Some(at("2025-05-20T17:00"));
    let first = Some(at("2025-05-08T17:00"));
    // A supplement explains the date, so that it would count without the note.
    let moved = Dossier { due, first_due: first, known_first: first, explained: due, ..late("A") };
    assert_eq!(apologised(std::slice::from_ref(&moved), &[]), None);
    let promised = Note { new_due: Some(at("2025-05-20T17:00")), ..note("A", "2025-05-07T08:00") };
    assert_eq!(apologised(&[moved], &[promised]), Some((1, 1)));
}

/// Two apologies promise 20 and 27 May; the portal shows one of these dates, so neither is the one to keep. The dossier
/// ended on 9 May, on time by either. Whether it kept the date before them is unknown.
#[test]
fn a_due_date_that_any_of_several_apologies_gave_does_not_count() {
    let promise = |new_due: &str| Note { new_due: Some(at(new_due)), ..note("A", "2025-05-06T08:00") };
    let on_time = |due: &str, notes: &[Note]| {
        let dossier = Dossier { due: Some(at(due)), ..late("A") };
        let figures = figures_of(&[dossier], notes);
        let found = figures.iter().find(|one| *one.indicator == *"par-3.4.1" && one.agency.is_none());
        found.map(|one| (one.numerator, one.denominator, one.unknown)).expect("a dossier ended")
    };
    let letters = [promise("2025-05-20T17:00"), promise("2025-05-27T00:00")];
    assert_eq!(on_time("2025-05-20T17:00", &letters), (0, Some(1), Some(1)), "the first promise");
    assert_eq!(on_time("2025-05-27T17:00", &letters), (0, Some(1), Some(1)), "the second, a date without a time");
    assert_eq!(on_time("2025-05-21T17:00", &letters), (1, Some(1), Some(0)), "a date that no apology gave");
}

/// NĐ 61/2018 art. 19(9): a new date once only. The dossier was due on Thursday 8 May; both letters are of the 6th.
#[test]
fn more_than_one_extension_among_the_notes_is_not_timely() {
    let letter = |number: &str, new_due: &str| Note {
        number: (!number.is_empty()).then(|| number.to_owned()),
        new_due: (!new_due.is_empty()).then(|| at(new_due)),
        ..note("A", "2025-05-06T08:00")
    };
    let cause = Note { dossier: Some("A".to_owned()), cause: Some("agency".to_owned()), ..Note::default() };
    let rows = [
        ("one letter", vec![letter("1/XL", "2025-05-15T17:00")], 1),
        ("the same in two lists", vec![letter("1/XL", "2025-05-15T17:00"), letter("1/XL", "2025-05-15T17:00")], 1),
        ("two numbers", vec![letter("1/XL", "2025-05-15T17:00"), letter("2/XL", "2025-05-15T17:00")], 0),
        ("one number, two new dates", vec![letter("1/XL", "2025-05-15T17:00"), letter("1/XL", "2025-05-22T17:00")], 0),
        ("one list without the number", vec![letter("1/XL", "2025-05-15T17:00"), letter("", "2025-05-15T17:00")], 1),
        ("two letters without numbers", vec![letter("", "2025-05-15T17:00"), letter("", "2025-05-22T17:00")], 0),
        ("a cause in another list", vec![letter("1/XL", ""), cause], 1),
    ];
    let own = |number: usize| Some(format!("H61.{number}"));
    let dossiers: Vec<Dossier> =
        (0..rows.len()).map(|number| Dossier { code: own(number), competent: own(number), ..late("") }).collect();
    let of_row = |(number, (_, notes, _)): (usize, &(&str, Vec<Note>, u64))| -> Vec<Note> {
        notes.iter().map(|note| Note { dossier: own(number), ..note.clone() }).collect()
    };
    let notes: Vec<Note> = rows.iter().enumerate().flat_map(of_row).collect();
    let figures = figures_of(&dossiers, &notes);
    for (number, (what, _, expected)) in rows.iter().enumerate() {
        let is_its = |figure: &&Figure| figure.agency.as_deref() == own(number).as_deref();
        let found = figures.iter().filter(is_its).find(|figure| *figure.indicator == *"par-3.4.4").expect(what);
        assert_eq!((found.numerator, found.denominator), (*expected, Some(1)), "{what}");
    }
}
