//! Parts of interlinked dossiers, worked by hand: a part counts with its whole, and by itself while no source has the
//! whole.

use super::super::computed_alone;
use super::super::province::Dossier;
use super::{done, figure, text};

/// A part that ended in time.
fn part(code: &str, parent: &str) -> Dossier {
    Dossier { parent: text(parent), ..done(code, "2025-05-07T10:00") }
}

/// A whole that ended late.
fn whole() -> Dossier {
    Dossier { national: text("G-1"), others: text("A-1; A-2"), ..done("W-1", "2025-05-09T10:00") }
}

/// On time and all, of the dossiers in one table that are of an agency of their own: the codes of each row are its own.
#[test]
fn a_part_counts_by_itself_until_its_parent_comes() {
    let deleted = |dossier: Dossier| Dossier { deleted: Some(true), ..dossier };
    let rows = [
        ("no parent in any source", vec![part("P-1", "W-1")], (1, 1)),
        ("by its code", vec![part("P-1", "W-1"), whole()], (0, 1)),
        ("by its national code", vec![part("P-1", "G-1"), whole()], (0, 1)),
        ("by another of its codes", vec![part("P-1", "A-2"), part("P-2", "A-1"), whole()], (0, 1)),
        ("another dossier", vec![part("P-1", "W-2"), whole()], (1, 2)),
        ("the parent was deleted", vec![part("P-1", "W-1"), deleted(whole())], (1, 1)),
        ("a deleted part", vec![deleted(part("P-1", "W-9")), whole()], (0, 1)),
        // The parent is there, and will be received.
        (
            "the parent is not received",
            vec![part("P-1", "W-1"), part("P-2", "W-9"), Dossier { received: None, ..whole() }],
            (1, 1),
        ),
        ("its own parent", vec![part("P-1", "P-1")], (1, 1)),
        ("a part of a part", vec![part("P-1", "P-2"), part("P-2", "W-1"), whole()], (0, 1)),
        ("a part of a part without a whole", vec![part("P-1", "P-2"), part("P-2", "W-1")], (1, 1)),
    ];
    // The codes of each row end with its number.
    let own = |number: usize, dossier: &Dossier| {
        let code = |code: &Option<String>| code.as_ref().map(|code| format!("{code}/{number}"));
        Dossier {
            code: code(&dossier.code),
            national: code(&dossier.national),
            parent: code(&dossier.parent),
            others: dossier.others.as_ref().map(|_| format!("A-1/{number}; A-2/{number}")),
            competent: text(&format!("H61.{number}")),
            ..dossier.clone()
        }
    };
    let table = rows.iter().enumerate();
    let table: Vec<Dossier> =
        table.flat_map(|(number, (_, dossiers, _))| dossiers.iter().map(move |one| own(number, one))).collect();
    let figures = computed_alone(&table, &[], "nd224-on-time");
    for (number, (what, _, (on_time, all))) in rows.into_iter().enumerate() {
        let found = figure(&figures, "nd224-on-time", Some(&format!("H61.{number}")), "2025");
        assert_eq!((found.numerator, found.denominator), (on_time, Some(all)), "{what}");
    }
}
