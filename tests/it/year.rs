//! Nights of a year, one after the other, with old files removed as `serve` does: the last months take no more time, and
//! add no more bytes, than the first ones. `MOTCUA_YEAR=365` simulates a year. Without the variable a few nights are simulated,
//! of which only the bytes are compared.
//! `target/tmp/year-of-nights.txt` has the result.
#![expect(clippy::disallowed_methods, reason = "tests look at the files of the data folder")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::ToSpan as _;
use jiff::civil::Date;
use motcua::config::{self, RetentionSettings};
use motcua::model::instant::{from_local, local};
use motcua::run::{self, Retention};

use crate::desk;
use crate::office::{Office, deep, files};

/// Nights without the variable.
const FEW: usize = 6;
/// Nights of a month, in the report and in what is compared.
const MONTH: usize = 30;
/// Dossiers that are received each day. Each is completed two days later.
const NEW_A_DAY: usize = 20;

/// Added to the mapping of the test connector `desk`.
const MORE: &str = r#"
[map.completed_at]
from = "ended"
type = "instant"
formats = ["yyyy-MM-dd"]
default = ""

[contract]
reject_share = 0.9
least_of_usual = 0.0
"#;

/// What a night left behind.
struct Measured {
    time: Duration,
    /// Bytes by the first part of their path.
    bytes: BTreeMap<String, u64>,
}

impl Measured {
    fn bytes(&self) -> u64 {
        self.bytes.values().sum()
    }
}

/// The file of a day: what is received, what is completed, and one row that is rejected each day.
fn hand_in(office: &Office, number: usize, today: Date) {
    let mut lines = vec!["id,code,agency,received,due,status,ended".to_owned()];
    let ended = today.to_string();
    let of_day = |of: usize, status: &str, ended: &str| {
        let received = today - i64::try_from(number - of).expect("a few").days();
        let due = received + 7.days();
        let row = |at: usize| {
            let (key, agency) = (of * NEW_A_DAY + at, 9 + at % 3);
            let code = format!("H61.{agency:02}-{}-{key:06}", received.strftime("%y%m%d"));
            format!("K{key},{code},H61.{agency:02},{received},{due},{status},{ended}")
        };
        (0..NEW_A_DAY).map(row).collect::<Vec<_>>()
    };
    lines.extend(of_day(number, "P", ""));
    if let Some(earlier) = number.checked_sub(2) {
        lines.extend(of_day(earlier, "D", &ended));
    }
    lines.push(format!("X9,H61.09-250818-900009,H61.09,{today},{today},X,\n"));
    office.write(&format!("exports/{today}.csv"), &lines.join("\n"));
}

/// Removes old files as `serve` does after a night.
fn remove_old_files(office: &Office, day: Date) {
    let config = config::load(&office.settings()).expect("the configuration is valid");
    let evening = from_local(day.at(21, 0, 0, 0));
    let keep = Retention::from(&RetentionSettings::default());
    let runtime = desk::runtime();
    deep(|| {
        runtime.block_on(async {
            let held =
                run::DataFolder::open(&config, &office.data(), "test", evening).await.expect("the folder is free");
            held.vacuum(keep, false, evening, &|_| ()).await.expect("old files are removed");
            held.ledger.close().await;
        });
    });
}

/// Bytes of a data folder by the first part of their path. The logs of the tables are left out: Delta removes their entries
/// after thirty days of the machine's clock, which stands still meanwhile.
fn bytes_of(data: &Path) -> BTreeMap<String, u64> {
    let mut bytes = BTreeMap::new();
    for file in files(data) {
        let is_log = file.iter().any(|part| part == "_delta_log" || part == "digests");
        let top = file.iter().next().map(|top| top.to_string_lossy().into_owned()).unwrap_or_default();
        if !is_log && let Ok(meta) = data.join(&file).symlink_metadata() {
            *bytes.entry(top).or_default() += meta.len();
        }
    }
    bytes
}

fn median(measured: &[Measured]) -> Duration {
    let mut times: Vec<Duration> = measured.iter().map(|night| night.time).collect();
    times.sort();
    times[times.len() / 2]
}

/// Bytes that a month added to those of the night before it.
fn added(before: &Measured, month: &[Measured]) -> u64 {
    month.last().map_or(0, |last| last.bytes().saturating_sub(before.bytes()))
}

/// Compares what a few nights added. From the third one on each has as many rows, received and completed.
fn compare_few(office: &Office, measured: &[Measured]) {
    let last = measured.len() - 1;
    let added = |top: &str, from: usize, to: usize| {
        let bytes = [from, to].map(|night| measured[night].bytes.get(top).copied().unwrap_or_default());
        bytes[1].saturating_sub(bytes[0])
    };
    let (early, late) = (added("landing", 2, 3), added("landing", last - 1, last));
    assert!(early > 0 && late <= early * 3 / 2, "a night landed {early} bytes, and the last one {late}");
    // Each night adds its Parquet file; CSV and JSON have the newest two only.
    let newest = office.data().join(format!("published/nights/{:08}", measured.len()));
    let size = |name: &str| newest.join(name).symlink_metadata().expect("the newest night has it").len();
    let (published, csv_and_json) = (added("published", 2, last), size("figures.csv") + size("figures.json"));
    assert!(published < csv_and_json, "nights added {published} bytes; {csv_and_json} are CSV and JSON of one");
}

#[test]
fn a_year_of_nights_takes_the_same_time_and_room_each_month() {
    let nights = std::env::var("MOTCUA_YEAR").ok().and_then(|number| number.parse().ok()).unwrap_or(FEW);
    let office = desk::of_files(MORE);
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("settle_secs = 0", "settle_secs = 0\ncontent = \"append\"")
    });
    // The nights lie ahead of the machine's clock, so that what they replace is old enough a week later.
    let first = local(run::now()).date();
    let mut measured: Vec<Measured> = Vec::new();
    for number in 0..nights {
        let today = first + i64::try_from(number).expect("a few").days();
        hand_in(&office, number, today);
        let started = Instant::now();
        let report = desk::night_at(&office, today);
        remove_old_files(&office, today);
        let time = started.elapsed();
        assert!(report.published.changed > 0, "{today}: figures change");
        measured.push(Measured { time, bytes: bytes_of(&office.data()) });
    }
    let of_month = |(month, nights): (usize, &[Measured])| {
        let last = nights.last().expect("a chunk is not empty");
        format!("month {}: median {:?}, {} bytes {:?}\n", month + 1, median(nights), last.bytes(), last.bytes)
    };
    let summary = measured.chunks(MONTH).enumerate().map(of_month).collect::<Vec<_>>().concat();
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("year-of-nights.txt"), &summary)
        .expect("it is writable");
    let has_csv = |number: &usize| office.data().join(format!("published/nights/{number:08}/figures.csv")).exists();
    assert_eq!((1..=nights).filter(has_csv).count(), nights.min(2), "the newest night, and the one before it");
    // The first month has landed pages of all its nights, so the second one is the first that is like the others.
    let months: Vec<&[Measured]> = measured.chunks_exact(MONTH).collect();
    if months.len() < 4 {
        return compare_few(&office, &measured);
    }
    let (early, late) = (months[1], months[months.len() - 1]);
    let (early_time, late_time) = (median(early), median(late));
    assert!(late_time <= early_time * 2, "a night took {early_time:?}, and {late_time:?} in the last month\n{summary}");
    let before_late = &measured[(months.len() - 1) * MONTH - 1];
    let (early_bytes, late_bytes) = (added(&measured[MONTH - 1], early), added(before_late, late));
    assert!(
        late_bytes <= early_bytes * 3 / 2 + 1_000_000,
        "the second month added {early_bytes} bytes, the last one {late_bytes}\n{summary}"
    );
}
