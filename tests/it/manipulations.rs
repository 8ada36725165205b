//! Two weeks of a list in which some dossiers are changed so that a ratio looks better, and others honestly: `report --integrity`
//! finds all of the first, each of its kind, and none of the others.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::desk;
use crate::office::Office;

/// Days on which dossiers are received.
const RECEIVED: i64 = 4;
/// The last change of a story is eleven days after its reception; one night more changes nothing.
const NIGHTS: i64 = RECEIVED + 12;
const FIRST: Date = date(2025, 10, 1);
/// Each story six times, three of them of each agency.
const DOSSIERS: usize = 6 * STORIES.len();
const AGENCIES: [&str; 2] = ["H61.02", "H61.03"];
const KINDS: [&str; 6] = [
    "due_moved_after_due",
    "due_moved_unexplained",
    "end_set_back",
    "late_turned_on_time",
    "resubmitted",
    "supplement_on_last_day",
];

/// Further columns of the list, after the last table of the connector's mapping.
const COLUMNS: &str = r#"W = "withdrawn"
S = "supplement"

[map.completed_at]
from = "done"
type = "instant"
formats = ["yyyy-MM-dd"]
default = ""

[map.supplement_requested_at]
from = "asked"
type = "instant"
formats = ["yyyy-MM-dd"]
default = ""

[map.other_codes]
from = "other"
type = "dossier_code"
default = ""
"#;

/// A dossier of the list on an evening.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    received: Date,
    due: Date,
    done: Option<Date>,
    asked: Option<Date>,
    status: char,
    /// Its code is that of another dossier, too.
    other: Option<usize>,
}

/// What is done with a dossier in the course of the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    OnTime,
    Late,
    DueMovedAfterItPassed,
    DueMovedWithoutReason,
    /// On the due date itself, which lasts until midnight.
    DueMovedOnTheDay,
    DueMovedBySupplement,
    DueMovedEarlier,
    EndSetBack,
    LateMadeOnTime,
    EndMovedLater,
    Resubmitted,
    /// Beside a dossier that was completed.
    SecondOfCompleted,
    SupplementOnLastDay,
    SupplementBefore,
}

const STORIES: [Story; 14] = [
    Story::OnTime,
    Story::Late,
    Story::DueMovedAfterItPassed,
    Story::DueMovedWithoutReason,
    Story::DueMovedOnTheDay,
    Story::DueMovedBySupplement,
    Story::DueMovedEarlier,
    Story::EndSetBack,
    Story::LateMadeOnTime,
    Story::EndMovedLater,
    Story::Resubmitted,
    Story::SecondOfCompleted,
    Story::SupplementOnLastDay,
    Story::SupplementBefore,
];

impl Story {
    /// The kinds of change that it is.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::DueMovedAfterItPassed => &["due_moved_after_due", "due_moved_unexplained"],
            Self::DueMovedWithoutReason | Self::DueMovedOnTheDay => &["due_moved_unexplained"],
            Self::EndSetBack => &["end_set_back"],
            Self::LateMadeOnTime => &["end_set_back", "late_turned_on_time"],
            Self::Resubmitted => &["resubmitted"],
            Self::SupplementOnLastDay => &["supplement_on_last_day"],
            _ => &[],
        }
    }

    /// The dossier's rows on an evening, by key: a second one if it was submitted again.
    fn rows(self, key: usize, received: Date, today: Date) -> Vec<(usize, Row)> {
        let day = |date: Date, days: i64| date + days.days();
        let (due, is_from) = (day(received, 6), |date: Date| today >= date);
        let mut row = Row { received, due, done: None, asked: None, status: 'P', other: None };
        let mut done = |at: Date, from: Date| {
            if is_from(from) {
                row.done = Some(at);
            }
        };
        match self {
            Self::OnTime => done(day(received, 4), day(received, 4)),
            Self::Late
            | Self::DueMovedWithoutReason
            | Self::DueMovedOnTheDay
            | Self::SupplementOnLastDay
            | Self::SupplementBefore => done(day(due, 3), day(due, 3)),
            Self::DueMovedAfterItPassed => done(day(due, 5), day(due, 5)),
            Self::DueMovedBySupplement => done(day(due, 4), day(due, 4)),
            Self::DueMovedEarlier => done(day(received, 3), day(received, 3)),
            Self::EndSetBack => {
                done(day(due, -1), day(due, -1));
                done(day(due, -3), day(due, 2));
            }
            Self::LateMadeOnTime => {
                done(day(due, 2), day(due, 2));
                done(day(due, -1), day(due, 5));
            }
            Self::EndMovedLater => {
                done(day(due, -2), day(due, -2));
                done(day(due, -1), due);
            }
            Self::SecondOfCompleted => done(day(received, 2), day(received, 2)),
            Self::Resubmitted => {}
        }
        let moved = match self {
            Self::DueMovedAfterItPassed => Some((day(due, 2), day(due, 10))),
            Self::DueMovedWithoutReason => Some((day(due, -2), day(due, 8))),
            Self::DueMovedOnTheDay => Some((due, day(due, 8))),
            Self::DueMovedBySupplement => Some((day(received, 4), day(due, 5))),
            Self::DueMovedEarlier => Some((day(received, 2), day(due, -2))),
            _ => None,
        };
        row.due = moved.filter(|(from, _)| is_from(*from)).map_or(due, |(_, to)| to);
        let asked = match self {
            Self::DueMovedBySupplement => Some(day(received, 2)),
            Self::SupplementOnLastDay => Some(due),
            Self::SupplementBefore => Some(day(due, -1)),
            _ => None,
        };
        row.asked = asked.filter(|asked| is_from(*asked));
        row.status = match (row.done, row.asked) {
            (Some(_), _) => 'D',
            (None, Some(asked)) if today < day(asked, 2) => 'S',
            _ if self == Self::Resubmitted && is_from(day(received, 2)) => 'W',
            _ => 'P',
        };
        let mut rows = vec![(key, row)];
        let again = day(received, 3);
        if matches!(self, Self::Resubmitted | Self::SecondOfCompleted) && is_from(again) {
            let done = Some(day(again, 2)).filter(|done| is_from(*done));
            let status = if done.is_some() { 'D' } else { 'P' };
            let second = Row { received: again, due: day(again, 6), done, asked: None, status, other: Some(key) };
            rows.push((key + 1_000, second));
        }
        rows
    }
}

fn code(key: usize) -> String {
    format!("H61.02-251001-{key:04}")
}

fn write(office: &Office, dossiers: &[(Story, &'static str, Date)], today: Date) {
    let mut text = "id,code,agency,received,due,status,done,asked,other\n".to_owned();
    for (key, (story, agency, received)) in dossiers.iter().enumerate() {
        if today < *received {
            continue;
        }
        for (key, row) in story.rows(key, *received, today) {
            let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
            let cells = [
                format!("K{key}"),
                code(key),
                (*agency).to_owned(),
                row.received.to_string(),
                row.due.to_string(),
                row.status.to_string(),
                day(row.done),
                day(row.asked),
                row.other.map(code).unwrap_or_default(),
            ];
            text.push_str(&cells.join(","));
            text.push('\n');
        }
    }
    office.write("exports/list.csv", &text);
}

#[test]
fn planted_manipulations_are_all_found_and_none_is_invented() {
    let office = desk::of_files(COLUMNS);
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"whole\"\norder = \"modified\"")
    });
    let mut random = ChaCha8Rng::seed_from_u64(20_251_002);
    let dossiers: Vec<(Story, &'static str, Date)> = (0..DOSSIERS)
        .map(|key| {
            let received = FIRST + random.random_range(0..RECEIVED).days();
            (STORIES[key % STORIES.len()], AGENCIES[key / STORIES.len() % AGENCIES.len()], received)
        })
        .collect();
    desk::keep_one_indicator(&office);
    let config = desk::configuration(&office);
    for night in 0..NIGHTS {
        let today = FIRST + night.days();
        write(&office, &dossiers, today);
        let report = desk::night_with(&config, &office, today);
        let reasons: Vec<_> = report.pulls.iter().map(|pull| (&pull.reason, &pull.message)).collect();
        assert!(report.published.night.complete, "{today}: {reasons:?}");
    }
    let mut expected: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (story, agency, _) in &dossiers {
        let counts = expected.entry((*agency).to_owned()).or_insert_with(|| vec![0; KINDS.len() + 1]);
        for (count, kind) in counts.iter_mut().zip(KINDS) {
            *count += u64::from(story.kinds().contains(&kind));
        }
        counts[KINDS.len()] += u64::from(!story.kinds().is_empty());
    }
    assert!(expected.values().all(|counts| counts.iter().all(|count| *count > 0)), "{expected:?}");
    let rows = desk::rows(&office, &["report", "par-3.4.1", "--period", "2025", "--integrity"]);
    let counts = |row: &Value| -> Vec<u64> {
        KINDS.iter().chain(&["any"]).map(|name| row[name].as_u64().expect("a count")).collect()
    };
    let found: BTreeMap<String, Vec<u64>> =
        rows.iter().map(|row| (row["agency"].as_str().expect("a code").to_owned(), counts(row))).collect();
    assert_eq!(found, expected, "{KINDS:?} and any");
    // Without them the ratio is what the work was: only dossiers that nobody changed are left.
    for row in &rows {
        let [numerator, without, any] =
            ["numerator", "numerator_without", "any"].map(|name| row[name].as_u64().expect("a count"));
        assert!(without < numerator && numerator - without <= any, "{row}");
    }
}
