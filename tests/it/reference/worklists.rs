//! The worklists of random provinces are those of plain loops: every dossier of every list, and the ratios beside them.

use std::collections::BTreeSet;

use motcua::indicators::{FigureOf, WorklistPage, find_worklist, silent_agencies, worklist_counts, worklists};
use motcua::model::agency::Tier;
use motcua::model::instant::DAY_MICROS;
use motcua::model::list::ListCell;
use motcua::model::worklist::WorklistSettings;
use proptest::test_runner::{TestCaseError, TestError};

use super::loops;
use super::province::{self, Dossier, Item, at};
use super::random::{province_of, rows, runner};
use super::with_inputs;

/// Friday and Monday in office hours, a Sunday, and a night before a holiday.
const MOMENTS: [&str; 4] = ["2025-06-27T09:30", "2025-07-07T14:00", "2025-05-25T08:00", "2026-01-16T01:30"];

#[test]
fn worklists_are_those_of_the_loops() {
    let settings = WorklistSettings { due_days: 2, acceptance_hours: 8, supplement_days: 3, silent_days: 5 };
    let moment = proptest::sample::select(MOMENTS.to_vec());
    let check = runner(6).run(&((rows(60, 120), rows(10, 60)), moment), |((dossiers, items), moment)| {
        let (mut dossiers, mut items) = province_of(&dossiers, &items);
        let now = at(moment);
        spread_around(&mut dossiers, &mut items, now);
        let expected = loops::worklists(&dossiers, &items, now, settings);
        let tables = province::tables(&dossiers, &items);
        let inputs = (province::offers(), tables, now, None, None);
        let differences = with_inputs(
            inputs,
            |_, _| {},
            move |inputs| {
                let ratios: Vec<_> = inputs
                    .indicators
                    .iter()
                    .map(|(definition, _)| *definition)
                    .filter(|definition| ["par-3.4.1", "par-3.4.2", "par-3.4.3"].contains(&definition.id.as_str()))
                    .collect();
                let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
                let counts = worklist_counts(&inputs, rules, &settings, &FigureOf::Province).expect("they are counted");
                let mut differences = Vec::new();
                for (list, count) in worklists().iter().zip(counts) {
                    let page = WorklistPage { of: FigureOf::Province, offset: 0, limit: u32::MAX };
                    let found = find_worklist(&inputs, rules, list, (&settings, &ratios), &page).expect("it is found");
                    let key = found.columns.iter().position(|column| column.name == "source_key").expect("a column");
                    let listed: BTreeSet<usize> = found
                        .lines
                        .iter()
                        .map(|line| match &line.cells[key] {
                            ListCell::Text(key) => {
                                key.strip_prefix("H-").and_then(|key| key.parse().ok()).expect("a key")
                            }
                            other => panic!("{other:?} is no key"),
                        })
                        .collect();
                    let wanted = &expected.lists[list.name.as_str()];
                    if listed != *wanted || found.lines.len() != listed.len() {
                        differences.push(format!("{}: {listed:?} instead of {wanted:?}", list.name));
                    }
                    let by_agency: u64 = found.by_agency.iter().map(|(.., count)| count).sum();
                    if [count, found.total, by_agency] != [wanted.len() as u64; 3] {
                        differences.push(format!("{}: {count}, {}, {by_agency} counted", list.name, found.total));
                    }
                    let is_sorted = found.lines.is_sorted_by_key(|line| line.since.unwrap_or(i64::MAX));
                    if !is_sorted {
                        differences.push(format!("{} is not sorted", list.name));
                    }
                    for one in &found.ratios {
                        let found = [one.numerator, one.denominator, one.unknown, one.reachable, one.reachable_without];
                        let of_list =
                            expected.ratios.iter().find(|((id, of), _)| *id == one.indicator && *of == list.name);
                        if of_list.map(|(_, counts)| *counts) != Some(found) {
                            differences
                                .push(format!("{} {}: {found:?} instead of {of_list:?}", list.name, one.indicator));
                        }
                    }
                }
                differences
            },
        );
        differences
            .into_iter()
            .next()
            .map_or(Ok(()), |difference| Err(TestCaseError::fail(format!("{moment}: {difference}"))))
    });
    match check {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
}

/// Gives every dossier a code, and some of them dates around the moment: due soon, submitted and not received, collected by
/// the post.
fn spread_around(dossiers: &mut [Dossier], items: &mut [Item], now: i64) {
    for (number, dossier) in dossiers.iter_mut().enumerate() {
        dossier.code = Some(format!("H-{number}"));
        let step = i64::try_from(number / 6).expect("a few") - 4;
        match number % 6 {
            // Open, and due within days.
            0 | 1 => {
                dossier.received = Some(now - 9 * DAY_MICROS);
                dossier.due = Some(now + step * DAY_MICROS / 2);
                (dossier.explained, dossier.known_first) = (dossier.due, dossier.due);
                dossier.apology_due = None;
                (dossier.completed, dossier.returned) = (None, None);
                (dossier.refused, dossier.withdrawn, dossier.stopped) = (None, None, None);
                dossier.status = Some(if number % 12 == 0 { "supplement" } else { "processing" }.to_owned());
            }
            // Submitted online, and not received.
            2 => {
                dossier.received = None;
                dossier.submitted = Some(now - (step + 5) * DAY_MICROS / 3);
                dossier.channel = Some("online".to_owned());
                dossier.status = [None, Some("registered"), Some("refused")][number % 3].map(str::to_owned);
            }
            // Finished this year, and not handed over.
            3 => {
                dossier.received = Some(now - 20 * DAY_MICROS);
                dossier.completed = Some(now - (step + 5) * DAY_MICROS);
                dossier.returned = None;
                dossier.status = [None, Some("completed"), Some("returned")][number / 6 % 3].map(str::to_owned);
            }
            _ => {}
        }
    }
    for (number, item) in items.iter_mut().enumerate() {
        item.key = Some(format!("R{number}"));
        if number % 4 == 0 {
            item.accepted = Some(now + (i64::try_from(number).expect("a few") - 8) * DAY_MICROS / 4);
            item.direction = Some("return".to_owned());
        }
        // Never delivered before it was accepted.
        if number % 3 == 0 {
            item.delivered = item.accepted.map(|accepted| accepted + DAY_MICROS);
        }
    }
}

/// Due on 10 March by the date that was stated first, on 20 March by the one that the source shows now. It states neither a
/// status nor a supplement, so it is not known which of them counts.
#[test]
fn the_step_names_the_limit_that_is_certain() {
    let now = at("2026-03-09T09:00");
    let first = Some(at("2026-03-10T17:00"));
    let dossier = Dossier {
        code: Some("H-1".to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        received: Some(at("2026-03-04T10:00")),
        due: Some(at("2026-03-20T17:00")),
        known_first: first,
        explained: first,
        ..Dossier::default()
    };
    let tables = province::tables(&[dossier], &[]);
    let found = with_inputs(
        (province::offers(), tables, now, None, None),
        |_, _| {},
        |inputs| {
            let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
            ["due", "apology"].map(|name| {
                let list = worklists().iter().find(|list| list.name == name).expect("it is shipped");
                let page = WorklistPage { of: FigureOf::Province, offset: 0, limit: 10 };
                let settings = WorklistSettings::default();
                let found = find_worklist(&inputs, rules, list, (&settings, &[]), &page).expect("it is found");
                let may_be =
                    found.columns.iter().position(|column| column.name == "last_on_time_at").expect("a column");
                let [line] = &found.lines[..] else { panic!("{name}: {:?}", found.lines) };
                (line.limit, line.last_apology_day, line.cells[may_be].clone())
            })
        },
    );
    for (limit, apology_day, may_be) in found {
        // The day before the limit is Monday the 9th.
        assert_eq!((limit, apology_day), (first, Some(jiff::civil::date(2026, 3, 9))));
        assert_eq!(may_be, ListCell::Instant(at("2026-03-20T17:00")));
    }
}

/// The record of a source that sends parts keeps the day of a supplement when it asks for a further one.
#[test]
fn a_dossier_waits_for_a_later_round_of_supplements_too() {
    let now = at("2026-03-09T09:00");
    for (asked, supplied, is_listed) in [
        (Some("2025-12-15T09:00"), None, true),
        (Some("2025-12-15T09:00"), Some("2025-12-22T09:00"), false),
        // Asked again, long ago and on the last working day but one.
        (Some("2025-12-29T09:00"), Some("2025-12-22T09:00"), true),
        (Some("2026-03-06T09:00"), Some("2025-12-22T09:00"), false),
        (None, Some("2025-12-22T09:00"), false),
    ] {
        let dossier = Dossier {
            code: Some("H-1".to_owned()),
            competent: Some("S1".to_owned()),
            procedure: Some("1.000001".to_owned()),
            received: Some(at("2025-12-01T10:00")),
            due: Some(at("2026-06-01T17:00")),
            status: Some("supplement".to_owned()),
            asked: asked.map(at),
            supplied: supplied.map(at),
            ..Dossier::default()
        };
        let tables = province::tables(&[dossier], &[]);
        let found = with_inputs(
            (province::offers(), tables, now, None, None),
            |_, _| {},
            |inputs| {
                let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
                let list = worklists().iter().find(|list| list.name == "supplement").expect("it is shipped");
                let page = WorklistPage { of: FigureOf::Province, offset: 0, limit: 10 };
                let settings = WorklistSettings::default();
                find_worklist(&inputs, rules, list, (&settings, &[]), &page).expect("it is found").lines.len()
            },
        );
        assert_eq!(found, usize::from(is_listed), "{asked:?} {supplied:?}");
    }
}

#[test]
fn an_agency_without_dossiers_for_days_is_silent() {
    let now = at("2025-05-23T09:30");
    let of = |agency: &str, received: &str| Dossier {
        code: Some(format!("H-{agency}")),
        competent: Some(agency.to_owned()),
        received: Some(at(received)),
        ..Dossier::default()
    };
    // Five working days back from Friday the 23rd begin on Monday the 19th.
    let dossiers = [of("S1", "2025-05-19T08:00"), of("S3", "2025-05-16T16:00"), of("X1", "2025-05-22T08:00")];
    let tables = province::tables(&dossiers, &[]);
    let found = with_inputs(
        (province::offers(), tables, now, None, None),
        |_, _| {},
        |inputs| {
            let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
            {
                let province = silent_agencies(&inputs, rules, 5, &FigureOf::Province).expect("they are found");
                // Of a tier those of the tier, of an agency itself.
                let communes =
                    silent_agencies(&inputs, rules, 5, &FigureOf::Tier(Tier::Commune)).expect("they are found");
                let of_tier: Vec<_> = province.iter().filter(|agency| agency.tier == Tier::Commune).cloned().collect();
                assert_eq!(communes, of_tier);
                assert!(!communes.is_empty() && communes.len() < province.len());
                let of_agency = FigureOf::Agency("S3".to_owned());
                let own = silent_agencies(&inputs, rules, 5, &of_agency).expect("they are found");
                assert_eq!(own.iter().map(|agency| agency.code.as_str()).collect::<Vec<_>>(), ["S3"]);
                province
            }
        },
    );
    let codes: Vec<&str> = found.iter().map(|agency| agency.code.as_str()).collect();
    assert!(!codes.contains(&"S1") && !codes.contains(&"X1"), "{codes:?}");
    let last = found.iter().find(|agency| agency.code == "S3").expect("it is silent");
    assert_eq!(last.last_day, Some(jiff::civil::date(2025, 5, 16)));
    // Those that never had one come first.
    let never = found.iter().take_while(|agency| agency.last_day.is_none()).count();
    assert_eq!(found[never].code, "S3", "{codes:?}");
}
