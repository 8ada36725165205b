//! Random versions against a plain walk over them: the history of due dates is the same in an image that was updated pull
//! by pull, in one that was rebuilt, in one that was filled afterwards, and as of every past night.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::layout::Layout;
use super::super::table::Table;
use super::super::{due_backfill, image as images};
use super::*;
use crate::model::table::{DUE_HISTORY, PROVENANCE};

const DAY: i64 = 86_400_000_000;

/// First due date, explained due date, whether a pause was seen.
type History = (Option<i64>, Option<i64>, Option<bool>);
type Key = (String, String);

/// What a version states. Instants are hours since 1970-01-01T00:00 local time.
#[derive(Debug, Clone, Default)]
struct Stated {
    /// Change time, run, page, row.
    order: (Option<i64>, i64, i64, i64),
    received: Option<i64>,
    due: Option<i64>,
    own_first: Option<i64>,
    requests: Option<i64>,
    requested: Option<i64>,
    supplied: Option<i64>,
    stopped: Option<i64>,
    status: Option<&'static str>,
    deleted: bool,
}

fn drawn(random: &mut ChaCha8Rng) -> Stated {
    let mut few =
        |likely: f64, values: &[i64]| random.random_bool(likely).then(|| values[random.random_range(0..values.len())]);
    let (received, due) = (few(0.9, &[32, 32, 32, 80]), few(0.85, &[24, 17, 41, 65, 65, 89, 96, 137]));
    let (own_first, requests) = (few(0.1, &[24, 41, 65, 89]), few(0.2, &[0, 1, 1, 2]));
    let (requested, supplied, stopped) = (few(0.15, &[50, 60]), few(0.15, &[70, 90]), few(0.1, &[55, 75]));
    let statuses = [None, Some("processing"), Some("processing"), Some("supplement"), Some("finance"), Some("stopped")];
    let status = statuses[random.random_range(0..statuses.len())];
    let deleted = random.random_bool(0.1);
    let order = (None, 0, 0, 0);
    Stated { order, received, due, own_first, requests, requested, supplied, stopped, status, deleted }
}

/// Microseconds UTC of an hour.
fn at(hour: i64) -> i64 {
    hour * 3_600_000_000 - 7 * 3_600_000_000
}

fn record(key: &str, version: &Stated, row: u32) -> Record {
    let mut record = dossier(key, "processing", version.order.0, 0, row);
    let instant = |hour: Option<i64>| hour.map_or(Value::Null, |hour| Value::Instant(at(hour)));
    for (name, value) in [
        ("status", version.status.map_or(Value::Null, |status| Value::Text(status.into()))),
        ("received_at", instant(version.received)),
        ("due_at", instant(version.due)),
        ("first_due_at", instant(version.own_first)),
        ("supplement_requests", version.requests.map_or(Value::Null, Value::Integer)),
        ("supplement_requested_at", instant(version.requested)),
        ("supplement_received_at", instant(version.supplied)),
        ("stopped_at", instant(version.stopped)),
        ("deleted", Value::Flag(version.deleted)),
    ] {
        record.values[KIND.column_index(name).expect("the column exists")] = value;
    }
    record
}

/// Whether a due date is possible for a reception: not before it; midnight is the whole day.
fn is_possible(due: i64, received: i64) -> bool {
    due >= received || due % 24 == 0 && due / 24 == received / 24
}

/// The history of a key, walked over all of its versions: rule e, read once more.
fn walked(versions: &[Stated]) -> History {
    // A version that is older than one of an earlier pull is in no image.
    let mut pulls: Vec<Stated> = versions.to_vec();
    pulls.sort_by_key(|version| (version.order.1, version.order));
    let mut taken: Vec<Stated> = Vec::new();
    for version in pulls {
        if taken.iter().all(|other| other.order < version.order) {
            taken.push(version);
        }
    }
    let before = |at: usize| if at == 0 { Stated::default() } else { taken[at - 1].clone() };
    let states_due_anew = |at: usize| taken[at].due.is_some() && taken[at].due != before(at).due;
    let changes = |at: usize| {
        let (old, new) = (before(at), &taken[at]);
        let differs = |old: Option<i64>, new: Option<i64>| new.is_some() && old != new;
        new.requests.unwrap_or(0) > old.requests.unwrap_or(0)
            || differs(old.requested, new.requested)
            || differs(old.supplied, new.supplied)
            || differs(old.stopped, new.stopped)
    };
    let is_paused = |at: usize| matches!(taken[at].status, Some("supplement" | "finance" | "stopped"));
    // Something in between explains the due date of a version: since the version that stated the former one.
    let has_pause = |until: usize| {
        let former = (0..until).rev().find(|&at| states_due_anew(at));
        let from = former.map_or(0, |former| former + 1);
        (from..=until).any(|at| is_paused(at) || changes(at)) || former.is_some_and(is_paused)
    };
    let (mut first, mut explained) = (None, None);
    for (at, version) in taken.iter().enumerate() {
        let fits = |due: i64| version.received.is_some_and(|received| is_possible(due, received));
        let stays = |due: i64| version.received.is_none() || fits(due);
        if explained == first || explained.is_some_and(|due| !stays(due)) {
            explained = None;
        }
        if first.is_some_and(|due| !stays(due)) {
            first = None;
        }
        if let Some(own) = version.own_first.filter(|due| fits(*due)) {
            first = Some(own);
        }
        let due = version.due.filter(|due| fits(*due));
        first = first.or(due);
        explained = explained.max(first);
        if due > explained && states_due_anew(at) && has_pause(at) {
            explained = due;
        }
    }
    let newest = taken.len() - 1;
    let since = (0..=newest).rev().find(|&at| states_due_anew(at));
    let seen = match since {
        Some(since) => is_paused(since) || (since + 1..=newest).any(|at| is_paused(at) || changes(at)),
        None => (0..=newest).any(|at| is_paused(at) || changes(at)),
    };
    (first.map(super::due_dates::at), explained.map(super::due_dates::at), Some(seen))
}

async fn histories(scan: Result<LazyFrame, LakeError>) -> BTreeMap<Key, History> {
    let scan = scan.expect("the table can be scanned");
    let frame = blocking("test", move || collect("test", scan)).await.expect("the rows can be read");
    let text = |name: &str| frame.column(name).expect("the column exists").str().expect("it is text").clone();
    let long = |name: &str| {
        let column = frame.column(name).expect("the column exists").cast(&DataType::Int64).expect("it is a number");
        column.i64().expect("it was cast").clone()
    };
    let (sources, keys) = (text("source"), text("source_key"));
    let (first, explained) = (long(DUE_HISTORY[0].0), long(DUE_HISTORY[1].0));
    let seen = frame.column(DUE_HISTORY[2].0).expect("the column exists").bool().expect("it is a flag").clone();
    let key = |at: usize| (sources.get(at).unwrap_or_default().to_owned(), keys.get(at).unwrap_or_default().to_owned());
    (0..frame.height()).map(|at| (key(at), (first.get(at), explained.get(at), seen.get(at)))).collect()
}

/// An image as an older motcua made it: without the columns of the history.
fn image_of_older_version(lake: &Lake) -> Table {
    let own = KIND.columns().iter().map(|column| (column.name, column.column_type));
    let columns = own.chain(PROVENANCE.iter().copied()).map(|(name, kind)| (name, kind.into())).collect();
    Table::existing(lake.root(), Layout { name: KIND.image_name(), columns, parted: true })
}

/// Appends random pulls to the versions and to `known`. `portal` has a change time, `post` has none.
async fn pull_random(lake: &Lake, random: &mut ChaCha8Rng, run: i64, known: &mut BTreeMap<Key, Vec<Stated>>) {
    for source in ["portal", "post"] {
        let mut parts: HashMap<String, String> = HashMap::new();
        let mut records = Vec::new();
        for row in 0..random.random_range(0..14_u32) {
            let key = format!("k{}", random.random_range(0..7));
            let updated = (source == "portal").then(|| random.random_range(0..30) + run * 4);
            let version = Stated { order: (updated, run, 0, i64::from(row)), ..drawn(random) };
            let fresh = format!("2026-{:02}", random.random_range(1..4));
            let part = parts.entry(key.clone()).or_insert(fresh).clone();
            records.push((record(&key, &version, row), part));
            known.entry((source.to_owned(), key)).or_default().push(version);
        }
        pull(lake, source, run, &records).await.expect("committed");
    }
}

fn walked_all(known: &BTreeMap<Key, Vec<Stated>>, night: i64) -> BTreeMap<Key, History> {
    let until = |versions: &[Stated]| versions.iter().filter(|one| one.order.1 <= night).cloned().collect::<Vec<_>>();
    let known = known.iter().map(|(key, versions)| (key, until(versions))).filter(|(_, versions)| !versions.is_empty());
    known.map(|(key, versions)| (key.clone(), walked(&versions))).collect()
}

#[tokio::test]
async fn image_rebuilt_image_and_past_nights_have_the_history_of_all_versions() {
    for seed in [2639, 766, 61] {
        let folder = folder();
        let lake = open(&folder).await;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut known = BTreeMap::new();
        for run in 1..=7_i64 {
            pull_random(&lake, &mut random, run, &mut known).await;
            if run % 3 != 1 {
                lake.update_image(KIND).await.expect("the image is updated");
                let found = histories(lake.scan_image(KIND).await).await;
                assert_eq!(found, walked_all(&known, run), "seed {seed}: image after run {run}");
            }
        }
        for night in [1, 4, 7] {
            let found = histories(lake.scan_as_of(KIND, night).await).await;
            assert_eq!(found, walked_all(&known, night), "seed {seed}: as of night {night}");
        }
        lake.update_image(KIND).await.expect("the image is updated");
        for file in super::super::files::data_files(&lake.root().join("dossiers")).expect("the folder can be listed") {
            std::fs::write(&file.path, b"damaged").expect("it can be written");
        }
        let lake = open(&folder).await;
        lake.update_image(KIND).await.expect("the image is rebuilt");
        let found = histories(lake.scan_image(KIND).await).await;
        assert_eq!(found, walked_all(&known, 7), "seed {seed}: rebuilt");
    }
}

#[tokio::test]
async fn an_image_of_an_older_version_is_filled_once() {
    let folder = folder();
    let lake = open(&folder).await;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut known = BTreeMap::new();
    for run in 1..=4 {
        pull_random(&lake, &mut random, run, &mut known).await;
        if run == 3 {
            let older = image_of_older_version(&lake);
            images::update(&lake.tables(KIND).versions, &older).await.expect("the image is updated");
        }
    }
    let found = histories(lake.scan_image(KIND).await).await;
    assert!(found.values().all(|history| *history == (None, None, None)), "nothing is known of it yet");
    let tables = lake.tables(KIND);
    due_backfill::fill(&tables.versions, &tables.image).await.expect("it is filled");
    assert_eq!(histories(lake.scan_image(KIND).await).await, walked_all(&known, 3));
    let version = lake.table_versions().await.expect("the logs can be read")["dossiers"];
    due_backfill::fill(&tables.versions, &tables.image).await.expect("nothing is left to do");
    assert_eq!(lake.table_versions().await.expect("the logs can be read")["dossiers"], version);
    lake.update_image(KIND).await.expect("the image is updated");
    assert_eq!(histories(lake.scan_image(KIND).await).await, walked_all(&known, 4));
}

#[test]
fn hours_are_local() {
    assert_eq!(crate::model::instant::local(at(24)).time(), jiff::civil::Time::midnight());
    assert_eq!(at(24) - at(0), DAY);
}
