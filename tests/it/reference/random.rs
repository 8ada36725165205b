//! Random tables of dossiers and postal items.

use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::test_runner::TestRunner;

use super::province::{Dossier, Item, at};

const BYTES_PER_ROW: usize = 88;

/// Runs few tables and few steps of shrinking, because Polars built for debugging is slow.
pub(super) fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, max_shrink_iters: 40, failure_persistence: None, ..Default::default() })
}

pub(super) fn rows(least: usize, most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), BYTES_PER_ROW), least..most)
}

pub(super) fn province_of(dossiers: &[Vec<u8>], items: &[Vec<u8>]) -> (Vec<Dossier>, Vec<Item>) {
    let dossiers: Vec<Dossier> = dossiers.iter().enumerate().map(|(number, row)| dossier(row, number)).collect();
    let items = items.iter().map(|row| item(row, dossiers.len())).collect();
    (dossiers, items)
}

/// Makes the choices for a random dossier or item from its bytes. When a failing table is shrunk to fewer rows and
/// smaller bytes, the choices become the first and plainest ones.
struct Dice<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        let byte = self.bytes[self.at];
        self.at += 1;
        usize::from(byte) % sides
    }

    /// One of the words; `None` for the empty word.
    fn word(&mut self, words: &[&str]) -> Option<String> {
        let word = words[self.roll(words.len())];
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A moment some days after `from`, at an hour at which a rule changes its result.
    fn moment(&mut self, from: i64, days: usize) -> i64 {
        const DAY: i64 = motcua::model::instant::DAY_MICROS;
        const HOUR: i64 = DAY / 24;
        let midnight = from - (from + 7 * HOUR).rem_euclid(DAY);
        let hours = [8 * HOUR, 0, 10 * HOUR - 1, 15 * HOUR - 1, 15 * HOUR, 17 * HOUR, DAY - 1];
        let after = i64::try_from(self.roll(days)).expect("a few hundred");
        midnight + after * DAY + hours[self.roll(hours.len())]
    }
}

fn dossier(bytes: &[u8], number: usize) -> Dossier {
    let mut dice = Dice { bytes, at: 0 };
    // Half-years around the merger of 2025-07-01; some dates are after the night.
    let base = at(["2025-04-20T00:00", "2025-06-20T00:00", "2024-12-20T00:00", "2025-12-20T00:00"][dice.roll(4)]);
    let received = dice.moment(base, 100);
    let due = match dice.roll(6) {
        0 | 1 => None,
        2 => Some(dice.moment(received, 1)),
        _ => Some(dice.moment(received, 12)),
    };
    let apology = match dice.roll(6) {
        0 => Some(due.unwrap_or_else(|| dice.moment(received, 20))),
        1 => Some(dice.moment(received, 20)),
        _ => None,
    };
    let first_due = if dice.roll(3) == 0 { Some(dice.moment(received, 8)) } else { None };
    let (known_first, explained) = match dice.roll(4) {
        0 | 1 => (due, due),
        moved => {
            let first = dice.moment(received, 8);
            (Some(first), Some(if moved == 2 { first } else { first.max(dice.moment(received, 12)) }))
        }
    };
    let near_due = |dice: &mut Dice<'_>| {
        let offset = [0, 1, -1, 3_600_000_000][dice.roll(4)];
        match due {
            Some(due) if dice.roll(2) == 0 => due + offset,
            Some(_) => dice.moment(received, 15),
            // Around the day that is computed for the missing due date.
            None => dice.moment(received, 4),
        }
    };
    let end = |dice: &mut Dice<'_>, sides: usize| (dice.roll(sides) == 0).then(|| near_due(dice));
    let completed = if dice.roll(3) > 0 { Some(end(&mut dice, 1).unwrap_or(received)) } else { None };
    let (refused, withdrawn, stopped) = (end(&mut dice, 8), end(&mut dice, 8), end(&mut dice, 8));
    let returned = if dice.roll(2) == 0 { Some(dice.moment(completed.unwrap_or(received), 40)) } else { None };
    let agencies = [
        "S1",
        "X3",
        "Xã mẫu E",
        "000.S1",
        "SỞ  MẪU A",
        "S2",
        "S3",
        "D1",
        "Huyện mẫu D (cũ)",
        "X1",
        "X2",
        "TT",
        "",
        "Phòng lạ",
        "Phòng lạ khác",
    ];
    let procedures = ["1.000001", "1.000002", "1.000003", "1.000004", "1.000005", "1.000006", "9.999999", ""];
    let statuses = ["processing", "completed", "returned", "withdrawn", "refused", "stopped", "supplement", ""];
    Dossier {
        code: (dice.roll(30) > 0).then(|| format!("H-{number}")),
        national: (dice.roll(4) == 0).then(|| format!("G-{number}")),
        others: (dice.roll(6) == 0).then(|| format!("A-{number}; B-{number}")),
        // A dossier of the table by one of its codes, itself or another, or none.
        parent: if dice.roll(6) == 0 { dice.word(&["H-0", "G-1", "B-2", "A-3", "H-7", "H-none"]) } else { None },
        lead: if dice.roll(6) == 0 { dice.word(&agencies) } else { None },
        competent: dice.word(&agencies),
        receiving: Some("TT".to_owned()),
        procedure: dice.word(&procedures),
        level: dice.word(&["", "partial", "full", "information"]),
        channel: dice.word(&["online", "postal", "counter", ""]),
        return_requested: dice.word(&["postal", ""]),
        returned_by: dice.word(&["postal", "counter", ""]),
        status: dice.word(&statuses),
        submitted: None,
        received: (dice.roll(15) > 0).then_some(received),
        due,
        first_due,
        apology_due: apology,
        known_first,
        explained,
        completed,
        returned,
        refused,
        withdrawn,
        stopped,
        certification: [None, Some(false), Some(true)][dice.roll(3)],
        deleted: [None, Some(false), None, Some(false), Some(true)][dice.roll(5)],
        handling: dice.word(&agencies),
        supplements: [None, Some(0), Some(1), Some(2)][dice.roll(4)],
        asked: (dice.roll(3) == 0).then(|| dice.moment(received, 6)),
        supplied: (dice.roll(4) == 0).then(|| dice.moment(received, 12)),
        apology: (dice.roll(3) == 0).then(|| dice.moment(received, 15)),
        apology_number: (dice.roll(4) == 0).then(|| "1/XL".to_owned()),
    }
}

fn item(bytes: &[u8], dossiers: usize) -> Item {
    let mut dice = Dice { bytes, at: 0 };
    let number = (dice.roll(256) * 256 + dice.roll(256)) % dossiers;
    let base = at("2025-04-20T00:00");
    Item {
        key: None,
        dossier: [Some(format!("H-{number}")), Some(format!("G-{number}")), Some("H-none".to_owned()), None]
            [[0, 0, 0, 0, 1, 1, 2, 3][dice.roll(8)]]
        .clone(),
        direction: dice.word(&["return", "submission", "return", "submission", ""]),
        accepted: (dice.roll(12) > 0).then(|| dice.moment(base, 250) + [0, 150 * 86_400_000_000][dice.roll(2)]),
        delivered: None,
        withdrawn: (dice.roll(8) == 0).then(|| dice.moment(base, 250)),
        status: dice.word(&["delivered", "accepted", "failed", "withdrawn", "in_transit", ""]),
        deleted: [None, Some(false), None, Some(false), Some(true)][dice.roll(5)],
        code: (dice.roll(2) == 0).then(|| format!("E{}", dice.roll(2))),
    }
}
