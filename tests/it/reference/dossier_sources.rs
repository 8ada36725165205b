//! The dossiers of each source are those that figures count.

use std::collections::BTreeMap;

use motcua::indicators::{FigureOf, dossier_sources};

use super::province::{self, Dossier, at};
use super::{NOW, with_inputs};

#[test]
fn only_dossiers_that_figures_count_are_counted() {
    let plain = |code: &str| Dossier {
        code: Some(code.to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        received: Some(at("2025-05-07T10:00")),
        ..Dossier::default()
    };
    let dossiers = [
        plain("received"),
        plain("whole"),
        Dossier { parent: Some("whole".to_owned()), ..plain("part") },
        Dossier { deleted: Some(true), ..plain("deleted") },
        Dossier { received: None, submitted: Some(at("2025-05-07T10:00")), ..plain("submitted") },
        Dossier { received: Some(at("2026-03-21T10:00")), ..plain("after the night") },
        Dossier { competent: Some("S3".to_owned()), ..plain("of another agency") },
    ];
    let tables = province::tables(&dossiers, &[]);
    let found = with_inputs(
        (province::offers(), tables, at(NOW), None, None),
        |_, _| {},
        |inputs| {
            let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
            [FigureOf::Agency("S1".to_owned()), FigureOf::Province]
                .map(|of| dossier_sources(&inputs, rules, &of).expect("they are counted"))
        },
    );
    let of_test = |dossiers| BTreeMap::from([("test".to_owned(), dossiers)]);
    assert_eq!(found, [of_test(2), of_test(3)]);
}
