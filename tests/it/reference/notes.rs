//! Notes on dossiers, worked by hand: the values of a note replace those of the source.

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

/// How many late dossiers have an apology, and how many are late; `None` if none is late.
fn apologised(dossiers: &[Dossier], notes: &[Note]) -> Option<(u64, u64)> {
    let [feedback, measures] = [province::feedback_table(&[]), province::measures_table(&[])];
    let [dossiers, items] = [province::dossiers_table(dossiers), province::items_table(&[])];
    let tables = [dossiers, items, feedback, measures, province::notes_table(notes)];
    let figures = computed_from_tables(tables, at(NOW), None, Period::parse("2025-05"), None);
    let province = |one: &&motcua::model::figure::Figure| one.agency.is_none() && one.tier.is_none();
    let figure = figures.iter().filter(province).find(|one| *one.indicator == *"par-3.4.4")?;
    Some((figure.numerator, figure.denominator?))
}

#[test]
fn an_apology_in_a_note_counts_like_one_of_the_source() {
    let rows = [late("A"), Dossier { apology: Some(at("2025-05-08T08:00")), ..late("B") }, late("C"), late("D")];
    assert_eq!(apologised(&rows, &[]), Some((1, 4)));
    let deleted = Note { deleted: Some(true), ..note("C", "2025-05-08T08:00") };
    // The note on D is from after the night, that on Z is for a missing dossier, and the last one has no apology.
    let notes = [
        note("A", "2025-05-08T08:00"),
        deleted,
        note("D", "2026-03-20T01:31"),
        note("Z", "2025-05-08T08:00"),
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
    let promised = Note { new_due: Some(at("2025-05-20T17:00")), ..note("A", "2025-05-08T08:00") };
    assert_eq!(apologised(&[moved], &[promised]), Some((1, 1)));
}
