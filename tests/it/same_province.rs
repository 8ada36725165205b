//! The same simulated province read through the portals of three vendors, and through the messages that a portal sends to
//! the national one as JSON and as XML: every figure is the same, cell by cell.
//!
//! Each shape states facts that another has no field for. What not all of them state is left out of all of them, by name:
//! the columns that are not in [`COMMON`], and the words of [`MERGED`]. Columns that name a record or its version stay.
#![expect(clippy::disallowed_methods, reason = "tests read and write the files of an office")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use motcua::simulator::{CLIENT_ID, CLIENT_SECRET, MessageFormat, OPENCPS_GROUP};
use polars::prelude::DataType;
use serde_json::Value;

use crate::office::{Office, Town, files, frames, said};

/// The evenings on which the sources are read: due dates move between them.
const NIGHTS: [Date; 2] = [date(2025, 11, 17), date(2025, 11, 28)];

/// The columns that every shape states.
const COMMON: [&str; 12] = [
    "competent_agency",
    "completed_at",
    "dossier_code",
    "due_at",
    "procedure_code",
    "received_at",
    "return_requested",
    "returned_at",
    "sector_code",
    "status",
    "submission_channel",
    "submitted_at",
];

/// Columns that name a record or order its versions.
const IDENTITY: [&str; 2] = ["source_key", "source_updated_at"];

/// Column, word that some shapes have no code for, and the word in its place. iGate has one status for refused and
/// withdrawn dossiers; the other shapes have no code for a result that is wanted online.
const MERGED: [(&str, &str, &str); 2] = [("status", "refused", "withdrawn"), ("return_requested", "online", "counter")];

/// A shape of the province.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    IGate,
    TanDan,
    OpenCps,
    Message(MessageFormat),
}

const SHAPES: [Shape; 5] = [
    Shape::IGate,
    Shape::TanDan,
    Shape::OpenCps,
    Shape::Message(MessageFormat::Json),
    Shape::Message(MessageFormat::Xml),
];

/// The connectors that are compared.
pub(crate) fn connectors() -> [&'static str; SHAPES.len()] {
    SHAPES.map(Shape::connector)
}

impl Shape {
    fn connector(self) -> &'static str {
        match self {
            Self::IGate => "portal-igate",
            Self::TanDan => "portal-tandan",
            Self::OpenCps => "portal-opencps",
            Self::Message(MessageFormat::Json) => "lgsp-dossiers",
            Self::Message(MessageFormat::Xml) => "lgsp-dossiers-xml",
        }
    }

    /// An office that reads the province through this shape, with the lists of the post and the notes on dossiers.
    fn office(self, town: &Town) -> Office {
        const OTHERS: [&str; 2] = ["bcci-export", "dossier-notes-csv"];
        let mut office = Office::of(town);
        let indicators = files(&office.path().join("config/indicators"));
        let names: Vec<String> = indicators.iter().map(|file| file.with_extension("").display().to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if self == Self::IGate {
            office = office.only(&[OTHERS[0], OTHERS[1], "portal-igate"], &names);
        } else {
            office = office.only(&OTHERS, &names);
            let output = office.act(&["connectors", "add", self.connector()]);
            assert!(output.status.success(), "{}", said(&output));
        }
        let messages = office.path().join("messages");
        std::fs::create_dir(&messages).expect("the scratch folder is writable");
        office.variables.extend([
            ("TANDAN_URL", town.url()),
            ("TANDAN_USERNAME", CLIENT_ID.to_owned()),
            ("TANDAN_PASSWORD", CLIENT_SECRET.to_owned()),
            ("OPENCPS_URL", town.url()),
            ("OPENCPS_USERNAME", CLIENT_ID.to_owned()),
            ("OPENCPS_PASSWORD", CLIENT_SECRET.to_owned()),
            ("OPENCPS_GROUP", OPENCPS_GROUP.to_owned()),
            ("LGSP_MESSAGES", messages.display().to_string()),
        ]);
        office
    }

    /// Reads the province on both evenings.
    fn read(self, town: &Town, office: &Office) {
        for (number, night) in NIGHTS.into_iter().enumerate() {
            town.day.set(night);
            office.export(town, night);
            if let Self::Message(format) = self {
                let since = number.checked_sub(1).map(|before| NIGHTS[before]);
                let folder = office.path().join("messages");
                town.province.write_messages(&folder, format, since, night).expect("the messages can be written");
            }
            office.run();
        }
    }
}

/// The declaration of an office's connector of dossiers.
fn declaration(office: &Office, shape: Shape) -> toml::Table {
    let path = office.path().join("connectors").join(shape.connector()).join("connector.toml");
    let text = std::fs::read_to_string(path).expect("it was written");
    text.parse().expect("it is TOML")
}

fn columns(declaration: &toml::Table) -> BTreeSet<&str> {
    declaration["map"].as_table().expect("a table").keys().map(String::as_str).collect()
}

/// Leaves out of a connector what not all shapes state. What only protects a real source goes, too: on loopback it costs
/// time.
fn reduce(office: &Office, shape: Shape) {
    office.edit(&format!("connectors/{}/connector.toml", shape.connector()), |text| {
        let mut declaration: toml::Table = text.parse().expect("it is TOML");
        reduce_map(declaration["map"].as_table_mut().expect("a table"));
        if let Some(partial) = declaration.get_mut("partial") {
            reduce_map(partial["map"].as_table_mut().expect("a table"));
        }
        if let Some(limits) = declaration.get_mut("limits").and_then(toml::Value::as_table_mut) {
            limits.insert("requests_per_second".to_owned(), 1000.0.into());
        }
        if let Some(schedule) = declaration.get_mut("schedule").and_then(toml::Value::as_table_mut) {
            schedule.remove("silent_after_days");
        }
        toml::to_string(&declaration).expect("it is a table")
    });
}

/// Leaves out of a map of columns what not all shapes state.
fn reduce_map(map: &mut toml::Table) {
    map.retain(|column, _| COMMON.contains(&column) || IDENTITY.contains(&column));
    for (column, word, other) in MERGED {
        let Some(map) = map.get_mut(column) else { continue };
        let codes = map["codes"].as_table_mut().expect("a table of words");
        for (_, meaning) in codes.iter_mut().filter(|(_, meaning)| meaning.as_str() == Some(word)) {
            *meaning = other.into();
        }
    }
}

/// Number of stored dossiers that have a moment of a progress item, and of those the ones that such items completed: nothing but an
/// item gives a dossier of the messages a change time, and one of a later message keeps it.
fn completed_by_items(office: &Office) -> (usize, usize) {
    let (mut touched, mut completed) = (0, 0);
    for frame in frames(&office.data(), "dossiers") {
        let instant = |name: &str| {
            let column = frame.column(name).and_then(|column| column.cast(&DataType::Int64)).expect("an instant");
            column.i64().expect("cast").iter().collect::<Vec<_>>()
        };
        for (at, ends) in instant("source_updated_at")
            .into_iter()
            .zip(instant("completed_at").into_iter().zip(instant("returned_at")))
        {
            touched += usize::from(at.is_some());
            completed += usize::from(at.is_some() && (at == ends.0 || at == ends.1));
        }
    }
    (touched, completed)
}

/// Every published figure by indicator, agency, tier and period, without what differs from run to run.
fn cells(office: &Office) -> BTreeMap<[String; 4], Value> {
    let rows = office.report_on(&office.data());
    let cell = |mut row: Value| {
        let key = ["indicator", "agency", "tier", "period"].map(|name| row[name].to_string());
        let fields = row.as_object_mut().expect("a row");
        for name in ["as_of", "data_until", "run"] {
            fields.remove(name);
        }
        (key, row)
    };
    rows.into_iter().map(cell).collect()
}

#[test]
fn one_province_gives_the_same_figures_through_every_shape() {
    let town = Town::since(date(2025, 5, 5), 900, 31, NIGHTS[1]);
    let mut common: Option<BTreeSet<String>> = None;
    let mut first: Option<BTreeMap<[String; 4], Value>> = None;
    for shape in SHAPES {
        let office = shape.office(&town);
        let declared: BTreeSet<String> = columns(&declaration(&office, shape)).into_iter().map(str::to_owned).collect();
        common = Some(match common {
            None => declared,
            Some(before) => before.intersection(&declared).cloned().collect(),
        });
        reduce(&office, shape);
        shape.read(&town, &office);
        if let Shape::Message(_) = shape {
            let (touched, completed) = completed_by_items(&office);
            // Items that are older than their dossier's own message leave nothing behind.
            assert!(
                touched == completed && completed >= 5,
                "{completed} of {touched} dossiers were completed by items"
            );
        }
        let found = cells(&office);
        let Some(expected) = &first else {
            assert!(found.len() > 5_000, "{} figures", found.len());
            first = Some(found);
            continue;
        };
        let names: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        let different: Vec<String> = names
            .into_iter()
            .filter(|name| expected.get(*name) != found.get(*name))
            .map(|name| format!("{name:?}\n  {:?}\n  {:?}", expected.get(name), found.get(name)))
            .collect();
        let shown = different.iter().take(6).cloned().collect::<Vec<_>>().join("\n");
        assert!(different.is_empty(), "{shape:?}: {} of {} figures differ:\n{shown}", different.len(), expected.len());
    }
    let common = common.expect("there are shapes");
    let common: BTreeSet<&str> = common.iter().map(String::as_str).filter(|name| !IDENTITY.contains(name)).collect();
    assert_eq!(common, BTreeSet::from(COMMON), "what every shape states");
}
