//! Events of postal items (`vnpost-tracking`) beside the lists of the post, through the real program: what events state completes
//! the items of the lists, and proves nothing by itself.
#![expect(clippy::disallowed_methods, reason = "tests change the files of an office")]

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use motcua::simulator::{CLIENT_ID, CLIENT_SECRET, TOKEN_PATH};
use polars::prelude::DataType;

use crate::office::{Office, Town, assert_same, frames, rows, said, true_figures};

/// The connectors whose figures are compared with the true ones here.
pub(crate) const CONNECTORS: [&str; 1] = ["vnpost-tracking"];

/// The evenings on which the sources are read: some events are stored late between them.
const NIGHTS: [Date; 2] = [date(2025, 11, 17), date(2025, 11, 28)];

fn add_tracking(office: &mut Office, town: &Town) {
    let output = office.act(&["connectors", "add", "vnpost-tracking"]);
    assert!(output.status.success(), "{}", said(&output));
    office.edit("connectors/vnpost-tracking/connector.toml", |text| {
        let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("silent_after_days")).collect();
        // A town's days are in the past, before the last days that a night reads again.
        let quick = without.join("\n").replace("requests_per_second = 10.0", "requests_per_second = 1000.0");
        quick.replace("overlap_days = 3", "overlap_days = 36500").replace("2025-01-01", "2016-12-16") + "\n"
    });
    office.variables.extend([
        ("VNPOST_URL", format!("{}/vnpost", town.url())),
        ("VNPOST_TOKEN_URL", format!("{}{TOKEN_PATH}", town.url())),
        ("VNPOST_KEY", CLIENT_ID.to_owned()),
        ("VNPOST_SECRET", CLIENT_SECRET.to_owned()),
    ]);
}

fn read(office: &Office, town: &Town) {
    for night in NIGHTS {
        town.day.set(night);
        office.export(town, night);
        office.run();
    }
}

/// Moments of acceptance and delivery, and status.
type Item = (Option<i64>, Option<i64>, Option<String>);

/// The items of a source in the image, by code.
fn items(office: &Office, source: &str) -> BTreeMap<String, Item> {
    let mut found = BTreeMap::new();
    for frame in frames(&office.data(), "postal_items") {
        let text = |name: &str| -> Vec<Option<String>> {
            let column = frame.column(name).and_then(|column| column.str()).expect("a text column");
            column.iter().map(|text| text.map(str::to_owned)).collect()
        };
        let instants = |name: &str| -> Vec<Option<i64>> {
            let column =
                frame.column(name).and_then(|column| column.cast(&DataType::Int64)).expect("an instant column");
            column.i64().expect("cast").iter().collect()
        };
        let (accepted, delivered, status) = (instants("accepted_at"), instants("delivered_at"), text("status"));
        for (at, (of, item)) in text("source").into_iter().zip(text("item_code")).enumerate() {
            if of.as_deref() == Some(source) {
                let item = item.expect("every item has its code");
                found.insert(item, (accepted[at], delivered[at], status[at].clone()));
            }
        }
    }
    found
}

#[test]
fn lists_and_events_of_the_post_give_the_true_figures() {
    let town = Town::since(date(2025, 3, 3), 900, 41, NIGHTS[1]);
    let truth = true_figures(&town.province.truth_after(&NIGHTS));
    // A list may lack what events have: when the post accepted and delivered an item.
    for is_complete in [true, false] {
        let mut office = Office::of(&town).lean();
        if !is_complete {
            office.edit("connectors/bcci-export/connector.toml", |text| {
                let mut declaration: toml::Table = text.parse().expect("it is TOML");
                let map = declaration["map"].as_table_mut().expect("a table");
                map.retain(|column, _| column != "accepted_at" && column != "delivered_at");
                toml::to_string(&declaration).expect("it is a table")
            });
        }
        add_tracking(&mut office, &town);
        read(&office, &town);
        assert_same(&office.figures(), &truth, if is_complete { "whole lists" } else { "lists without dates" });
        if is_complete {
            let (listed, tracked) = (items(&office, "bcci-export"), items(&office, "vnpost-tracking"));
            assert!(tracked.len() > 50, "{} items", tracked.len());
            for (item, (accepted, delivered, status)) in &tracked {
                let Some((listed_at, arrived, of_list)) = listed.get(item) else { continue };
                assert_eq!((accepted, delivered), (listed_at, arrived), "{item}");
                let is_delivered = of_list.as_deref() == Some("delivered");
                assert_eq!(status.as_deref() == Some("delivered"), is_delivered, "{item}: {status:?} and {of_list:?}");
            }
            // Events that are read again change nothing.
            let before = rows(&office.data(), "postal_item_versions");
            office.run();
            assert_eq!(rows(&office.data(), "postal_item_versions"), before);
            assert!(office.count("vnpost-tracking", "unchanged") > 0);
        }
    }
}

#[test]
fn events_alone_are_no_evidence_of_a_direction() {
    let town = Town::new(300, 43, NIGHTS[1]);
    let figures = |has_events: bool| {
        let mut office = Office::of(&town).lean();
        std::fs::remove_dir_all(office.path().join("connectors/bcci-export")).expect("the connector was shipped");
        if has_events {
            add_tracking(&mut office, &town);
        }
        office.run();
        office.figures()
    };
    assert_same(&figures(true), &figures(false), "events without lists");
}
