//! Portal against post: the class of every dossier of random provinces is that of plain loops, and the dossiers on one side
//! only are the unmatched share of the postal ratios.

use std::collections::BTreeMap;

use jiff::civil::date;
use motcua::indicators::{
    FigureOf, PostDirection, ReconcileClass, ReconcilePage, compute, count_unmatched_items, reconcile, unmatched_items,
};
use motcua::model::instant::DAY_MICROS;
use motcua::model::period::Period;
use proptest::test_runner::{TestCaseError, TestError};
use strum::IntoEnumIterator as _;

use super::loops;
use super::province::{self, Dossier, Item, at};
use super::random::{province_of, rows, runner};
use super::{NOW, with_inputs};

#[test]
fn classes_are_those_of_the_loops() {
    let direction = proptest::sample::select(vec![PostDirection::Submission, PostDirection::Return]);
    let check = runner(6).run(&((rows(60, 120), rows(40, 120)), direction), |((dossiers, items), direction)| {
        let (mut dossiers, mut items) = province_of(&dossiers, &items);
        for (number, dossier) in dossiers.iter_mut().enumerate() {
            dossier.code = Some(format!("H-{number}"));
        }
        for (number, item) in items.iter_mut().enumerate() {
            item.key = Some(format!("R{number}"));
            // Near the dates of the portal, so that some match.
            let of = dossiers.iter().find(|dossier| dossier.code == item.dossier);
            let portal_at = of.and_then(|dossier| match item.direction.as_deref() {
                Some("return") => dossier.returned,
                _ => dossier.received,
            });
            if number % 2 == 0 {
                item.accepted = portal_at.map(|at| at + (i64::try_from(number % 9).expect("few") - 4) * DAY_MICROS);
            }
        }
        let now = at(NOW);
        let is_return = direction == PostDirection::Return;
        let expected = loops::postal_classes(&dossiers, &items, now, is_return, (date(2025, 1, 1), date(2025, 12, 31)));
        let tables = province::tables(&dossiers, &items);
        let year = Period::parse("2025").expect("a period");
        let differences = with_inputs(
            (province::offers(), tables, now, None, None),
            |_, _| {},
            move |inputs| {
                let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
                let page = |class| ReconcilePage { of: FigureOf::Province, class, offset: 0, limit: u32::MAX };
                let found = reconcile(&inputs, rules, (direction, year), &page(None)).expect("it is compared");
                let matched = reconcile(&inputs, rules, (direction, year), &page(Some(ReconcileClass::Matched)));
                let matched = matched.expect("it is compared");
                let listed: BTreeMap<usize, &str> = found
                    .dossiers
                    .iter()
                    .chain(&matched.dossiers)
                    .map(|one| {
                        (
                            one.source_key.strip_prefix("H-").and_then(|key| key.parse().ok()).expect("a key"),
                            one.class.name(),
                        )
                    })
                    .collect();
                let mut differences = Vec::new();
                if listed != expected {
                    differences.push(format!("{listed:?} instead of {expected:?}"));
                }
                for (class, total) in &found.totals {
                    let of_agencies: u64 =
                        found.counts.iter().filter(|one| one.class == *class).map(|one| one.dossiers).sum();
                    let wanted = expected.values().filter(|one| **one == class.name()).count() as u64;
                    if [*total, of_agencies] != [wanted; 2] {
                        differences.push(format!("{}: {total} and {of_agencies} instead of {wanted}", class.name()));
                    }
                }
                differences
            },
        );
        differences
            .into_iter()
            .next()
            .map_or(Ok(()), |difference| Err(TestCaseError::fail(format!("{}: {difference}", direction.name()))))
    });
    match check {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_on_one_side_only_is_the_unmatched_share() {
    let competent = |code: &str, channel: Option<&str>| Dossier {
        code: Some(code.to_owned()),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        channel: channel.map(str::to_owned),
        received: Some(at("2025-05-07T10:00")),
        ..Dossier::default()
    };
    let item = |key: &str, dossier: &str| Item {
        key: Some(key.to_owned()),
        code: Some(key.to_owned()),
        dossier: Some(dossier.to_owned()),
        direction: Some("submission".to_owned()),
        accepted: Some(at("2025-05-06T10:00")),
        ..Item::default()
    };
    let dossiers = [
        competent("H-1", Some("postal")),
        competent("H-2", Some("postal")),
        competent("H-3", Some("online")),
        competent("H-4", None),
        competent("H-5", Some("counter")),
    ];
    let items = [item("E1", "H-1"), item("E3", "H-3"), item("E4", "H-4"), item("E9", "H-9")];
    let year = Period::parse("2025").expect("a period");
    let inputs = (province::offers(), province::tables(&dossiers, &items), at(NOW), Some(year), None);
    let (totals, figures) = with_inputs(
        inputs,
        |_, _| {},
        move |inputs| {
            let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
            let page = ReconcilePage { of: FigureOf::Agency("S1".to_owned()), class: None, offset: 0, limit: 0 };
            let found = reconcile(&inputs, rules, (PostDirection::Submission, year), &page).expect("it is compared");
            (found.totals, compute(&inputs).expect("the shipped indicators compute"))
        },
    );
    let of = |class| totals[&class];
    assert_eq!(
        [ReconcileClass::Matched, ReconcileClass::PortalOnly, ReconcileClass::OtherChannel, ReconcileClass::PostOnly]
            .map(of),
        [1, 1, 1, 1]
    );
    let figure = figures
        .iter()
        .find(|figure| &*figure.indicator == "par-7.3.2-deployed" && figure.agency.is_none() && figure.tier.is_none());
    let figure = figure.expect("it is computed");
    let one_sided: u64 = totals.iter().filter(|(class, _)| class.is_one_sided()).map(|(_, dossiers)| dossiers).sum();
    assert_eq!((figure.numerator, figure.one_sided), (4, Some(one_sided)));
}

/// Code, way and moment that the portal states, items (direction, when the post took them), class.
type ReturnRow =
    (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], Option<ReconcileClass>);
const RETURNS: [ReturnRow; 13] = [
    ("way", "counter", "2025-05-07T10:00", &[("return", "2025-05-07T08:00")], Some(ReconcileClass::OtherChannel)),
    // The way decides before the date does.
    (
        "way and date",
        "online",
        "2025-05-07T10:00",
        &[("return", "2025-05-27T08:00")],
        Some(ReconcileClass::OtherChannel),
    ),
    (
        "other way round",
        "postal",
        "2025-05-07T10:00",
        &[("submission", "2025-05-02T08:00")],
        Some(ReconcileClass::OtherDirection),
    ),
    ("no item", "postal", "2025-05-07T10:00", &[], Some(ReconcileClass::PortalOnly)),
    ("nothing stated", "", "2025-05-07T10:00", &[("return", "2025-05-07T08:00")], Some(ReconcileClass::PostOnly)),
    ("not returned", "", "", &[("return", "2025-05-07T08:00")], Some(ReconcileClass::PostOnly)),
    (
        "a day before",
        "postal",
        "2025-05-07T23:59",
        &[("return", "2025-05-08T00:00")],
        Some(ReconcileClass::ReturnedEarly),
    ),
    // On one day the time does not matter.
    ("an hour before", "postal", "2025-05-07T08:00", &[("return", "2025-05-07T09:00")], Some(ReconcileClass::Matched)),
    (
        "four days after",
        "postal",
        "2025-05-12T08:01",
        &[("return", "2025-05-09T08:00")],
        Some(ReconcileClass::OtherDate),
    ),
    (
        "three days after",
        "postal",
        "2025-05-12T08:00",
        &[("return", "2025-05-09T08:00")],
        Some(ReconcileClass::Matched),
    ),
    (
        "two items",
        "postal",
        "2025-05-07T10:00",
        &[("return", "2025-05-07T08:00"), ("return", "2025-05-08T08:00")],
        Some(ReconcileClass::SeveralItems),
    ),
    (
        "both agree",
        "postal",
        "2025-05-07T10:00",
        &[("return", "2025-05-07T08:00"), ("submission", "2025-05-02T08:00")],
        Some(ReconcileClass::Matched),
    ),
    ("at the counter", "counter", "2025-05-07T10:00", &[], None),
];

#[test]
fn returns_have_the_first_class_that_fits() {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let dossier = |(code, way, returned, ..): &ReturnRow| Dossier {
        code: text(code),
        competent: Some("S1".to_owned()),
        procedure: Some("1.000001".to_owned()),
        received: Some(at("2025-05-01T10:00")),
        returned_by: text(way),
        returned: text(returned).map(|returned| at(&returned)),
        ..Dossier::default()
    };
    let mut items = Vec::new();
    for (code, .., of_dossier, _) in &RETURNS {
        for (direction, accepted) in *of_dossier {
            let key = Some(format!("E{}", items.len()));
            items.push(Item {
                key: key.clone(),
                code: key,
                dossier: text(code),
                direction: text(direction),
                accepted: Some(at(accepted)),
                ..Item::default()
            });
        }
    }
    let dossiers: Vec<Dossier> = RETURNS.iter().map(dossier).collect();
    let year = Period::parse("2025").expect("a period");
    let inputs = (province::offers(), province::tables(&dossiers, &items), at(NOW), None, None);
    let (listed, totals) = with_inputs(
        inputs,
        |_, _| {},
        move |inputs| {
            let rules = inputs.rules.iter().find(|rules| rules.id == "seed-2639").expect("it is shipped");
            let page = |class| ReconcilePage { of: FigureOf::Province, class, offset: 0, limit: u32::MAX };
            let found =
                |class| reconcile(&inputs, rules, (PostDirection::Return, year), &page(class)).expect("it is compared");
            let (others, matched) = (found(None), found(Some(ReconcileClass::Matched)));
            let listed: BTreeMap<String, ReconcileClass> = others
                .dossiers
                .into_iter()
                .chain(matched.dossiers)
                .map(|one| (one.dossier_code.expect("a code"), one.class))
                .collect();
            (listed, others.totals)
        },
    );
    for (code, .., expected) in RETURNS {
        assert_eq!(listed.get(code).copied(), expected, "{code}");
    }
    for class in ReconcileClass::iter() {
        let expected = RETURNS.iter().filter(|(.., of)| *of == Some(class)).count() as u64;
        assert!(expected > 0, "{class:?} has a row");
        assert_eq!(totals[&class], expected, "{class:?}");
    }
}

#[test]
fn items_without_a_dossier_are_listed_with_near_codes() {
    let dossier = |code: &str| Dossier { code: Some(code.to_owned()), ..Dossier::default() };
    let item = |key: &str, dossier: Option<&str>, accepted: &str| Item {
        key: Some(key.to_owned()),
        code: Some(key.to_owned()),
        dossier: dossier.map(str::to_owned),
        direction: Some("return".to_owned()),
        accepted: Some(at(accepted)),
        ..Item::default()
    };
    let dossiers = [
        dossier("H61.02-260105-0007"),
        Dossier { others: Some("H61.02-260105-0100; H61.02-260105-0200".to_owned()), ..dossier("H61.02-260105-0009") },
        Dossier { national: Some("G09.20-260105-000001".to_owned()), ..dossier("H61.02-260105-0010") },
        Dossier { deleted: Some(true), ..dossier("H61.02-260105-0300") },
    ];
    let items = [
        item("E1", Some("H61.02-260105-0007"), "2026-01-06T10:00"),
        item("E2", Some("G09.20-260105-000001"), "2026-01-06T10:00"),
        // Classes do not read further codes of a dossier, nor a deleted one.
        item("E3", Some("H61.02-260105-0200"), "2026-01-06T10:00"),
        item("E4", Some("H61.02-260105-0017"), "2026-01-06T10:00"),
        item("E5", Some("HS7"), "2026-01-06T10:00"),
        item("E6", None, "2026-01-06T10:00"),
        item("E7", Some("H61.02-260105-0017"), "2025-12-31T10:00"),
        item("E8", Some("H61.02-260105-0300"), "2026-01-06T10:00"),
        // Only the delivery is known.
        Item { accepted: None, delivered: Some(at("2026-01-08T10:00")), ..item("E9", Some("HS9"), "2026-01-06T10:00") },
        // Events: of an item whose list names the dossier in the year before, and of one that no list has.
        Item {
            key: Some("E7 event".to_owned()),
            delivered: Some(at("2026-01-02T10:00")),
            ..item("E7", None, "2026-01-01T10:00")
        },
        // No day is known: of the night.
        Item { accepted: None, ..item("E10", None, "2026-01-06T10:00") },
    ];
    let year = |text: &str| Period::parse(text).expect("a period");
    let [this_year, year_before] = [year("2026"), year("2025")];
    let inputs = (province::offers(), province::tables(&dossiers, &items), at(NOW), None, None);
    let (found, counts, before) = with_inputs(
        inputs,
        |_, _| {},
        move |inputs| {
            let page = |year, page| unmatched_items(&inputs, year, page).expect("they are found");
            let whole = page(this_year, (0, u32::MAX));
            // Pages of three give the same, one after the other.
            let pages = [0, 3, 6, 9].map(|offset| page(this_year, (offset, 3)));
            assert!(pages.iter().all(|page| page.total == 7), "each page has the number of all");
            assert_eq!(pages.map(|page| page.items).concat(), whole.items);
            let found = |year| page(year, (0, u32::MAX)).items;
            let count = |year| count_unmatched_items(&inputs, year).expect("they are counted");
            (found(this_year), [count(this_year), count(year_before)], found(year_before))
        },
    );
    let mut found: Vec<(&str, &str, &[String])> = found
        .iter()
        .map(|one| (one.item_code.as_deref().expect("a code"), one.problem.name(), one.near.as_slice()))
        .collect();
    found.sort_unstable();
    let near = ["H61.02-260105-0007".to_owned(), "H61.02-260105-0010".to_owned()];
    let none: &[String] = &[];
    assert_eq!(
        found,
        [
            ("E10", "no_code", none),
            ("E3", "not_counted", none),
            ("E4", "unknown", &near[..]),
            ("E5", "ill_formed", none),
            ("E6", "no_code", none),
            ("E8", "not_counted", none),
            ("E9", "ill_formed", none),
        ]
    );
    let before: Vec<&str> = before.iter().filter_map(|one| one.item_code.as_deref()).collect();
    assert_eq!(before, ["E7"]);
    assert_eq!(counts, [7, 1], "counting finds as many as listing");
}
