//! Changes that make a ratio look better, worked by hand.

use motcua::indicators::{IntegrityKind, integrity};
use motcua::lake::Change;
use motcua::model::period::Period;
use strum::IntoEnumIterator as _;

use super::province::{self, Dossier, at};
use super::{NOW, with_inputs};

/// Received on Wednesday 2025-05-07, due on Monday the 12th at 17:00.
fn plain(code: &str) -> Dossier {
    let due = Some(at("2025-05-12T17:00"));
    Dossier {
        code: Some(code.to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        received: Some(at("2025-05-07T10:00")),
        completed: Some(at("2025-05-12T10:00")),
        status: Some("completed".to_owned()),
        due,
        known_first: due,
        explained: due,
        ..Dossier::default()
    }
}

fn change(key: &str, change: &str, before: &str) -> Change {
    Change {
        source: "test".to_owned(),
        source_key: key.to_owned(),
        dossier_code: Some(key.to_owned()),
        change: change.to_owned(),
        before: Some(before.to_owned()),
        after: Some("2025-05-30T17:00:00+07:00".to_owned()),
        run_before: 1,
        run: 2,
        explained: None,
    }
}

#[test]
fn later_changes_are_counted_and_taken_out_of_the_ratio() {
    let dossiers = [
        plain("plain"),
        plain("set back, was late"),
        plain("set back, was on time"),
        plain("moved after due"),
        // Moved to the 20th without a reason, ended on the 19th: late.
        Dossier { due: Some(at("2025-05-20T17:00")), completed: Some(at("2025-05-19T10:00")), ..plain("moved") },
        Dossier { asked: Some(at("2025-05-12T09:00")), ..plain("asked on the last day") },
        Dossier { others: Some("H-old; H-other".to_owned()), ..plain("resubmitted") },
        Dossier { withdrawn: Some(at("2025-05-06T10:00")), received: Some(at("2024-05-07T10:00")), ..plain("H-old") },
        // It ended, on an unknown date.
        Dossier { completed: None, status: Some("completed".to_owned()), ..plain("undated") },
        // Of another year.
        Dossier { received: Some(at("2024-05-07T10:00")), ..plain("of 2024") },
    ];
    let changes = vec![
        change("set back, was late", "end_set_back", "2025-05-13T10:00:00+07:00"),
        change("set back, was on time", "end_set_back", "2025-05-12T16:00:00+07:00"),
        change("moved after due", "due_moved_after_due", "2025-05-09T17:00:00+07:00"),
        change("of 2024", "due_moved_after_due", "2024-05-09T17:00:00+07:00"),
    ];
    let tables = province::tables(&dossiers, &[]);
    let rows = with_inputs(
        (province::offers(), tables, at(NOW), None, None),
        |_, _| {},
        move |inputs| {
            let (definition, _) =
                inputs.indicators.iter().find(|(one, _)| one.id == "par-3.4.1").expect("it is shipped");
            let rules = inputs.rules.iter().find(|rules| rules.id == definition.rules).expect("it is shipped");
            integrity(&inputs, rules, definition, Period::parse("2025").expect("a period"), &changes)
                .expect("it is counted")
        },
    );
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(&*row.agency, "S1");
    let counts: Vec<(&str, u64)> = IntegrityKind::iter().map(IntegrityKind::name).zip(row.dossiers).collect();
    assert_eq!(
        counts,
        [
            ("due_moved_after_due", 1),
            ("due_moved_unexplained", 1),
            ("end_set_back", 2),
            ("late_turned_on_time", 1),
            ("resubmitted", 1),
            ("supplement_on_last_day", 1),
        ]
    );
    // Six of eight are on time; of these only the plain one was not touched. Of the undated one it is not known.
    assert_eq!([row.any, row.numerator, row.denominator, row.unknown, row.numerator_without], [6, 6, 8, 1, 1]);
}
