//! Kills a run at every crash point, and again during the recovery: tables and figures must be those of an undisturbed
//! run (docs/decisions/0005).
//!
//! A run in this process copies its data folder at each moment before and after a durable write: each copy is what a kill
//! would have left. Between two moments at most one durable write may happen, so a write without a crash point fails the
//! test. Copies that differ in no durable write are recovered once. That a real kill leaves nothing else is shown by
//! `kill_at_any_time.rs`.
#![expect(clippy::disallowed_methods, reason = "tests look at the files of a run that died")]

mod found;
mod moments;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::{DateTime, date};
use motcua::model::pull::Outcome;
use motcua::run::RunError;
use serde_json::{Value, json};

use self::found::{Found, FoundNow, durable_writes, groups, has_unfinished_pull, published};
use self::moments::{Moment, Program, Verb};
use crate::desk::{self, List, record};
use crate::office::{Office, copy};

const POST: &str = include_str!("../../../connectors/bcci-export/connector.toml");
const SWEEP: &str = "\n[sweep]\nevery_days = 1\npass = \"received\"\ncolumn = \"received_at\"\n";

/// The evening of the first night, and of the second.
const FIRST: DateTime = date(2025, 11, 10).at(20, 0, 0, 0);
const SECOND: DateTime = date(2025, 11, 11).at(20, 0, 0, 0);
/// Later in that evening: a pull that failed or was cut can still be continued, and the first night is still fresh.
const LATER: DateTime = date(2025, 11, 11).at(21, 0, 0, 0);
const LATER_STILL: DateTime = date(2025, 11, 11).at(21, 30, 0, 0);

/// One recovery of so many is killed.
const KILLED_AGAIN: usize = 3;

/// What an undisturbed run gives.
struct Undisturbed {
    /// The moments that it passed, one for each durable write.
    moments: Vec<Moment>,
    /// Number of all moments that it passed.
    passed: usize,
    found: Found,
}

/// A scratch office with a list that has bad rows, and lists of the post.
struct Scene {
    office: Office,
    list: List,
}

impl Scene {
    /// Sets the office up and runs its first night. `more` is added to the connector of the list.
    fn new(more: &str) -> Self {
        let list = List::default();
        let contract = "\n[contract]\nimpossible = \"reject_row\"\nreject_share = 0.9\n";
        let scene = Self { office: desk::of_list(&list.serve(), &format!("{more}{contract}")), list };
        // Sources are read one after the other, so that the number of a moment always means the same write.
        scene.office.edit("config/motcua.toml", |text| {
            let in_turn = text.replace("connectors_at_once = 4", "connectors_at_once = 1");
            assert_ne!(in_turn, text, "the shipped settings state how many are read side by side");
            in_turn
        });
        desk::keep_one_indicator(&scene.office);
        scene
            .office
            .write("connectors/bcci-export/connector.toml", &POST.replace("glob = ", "settle_secs = 0\nglob = "));
        scene.list.set(first_list());
        scene.post("1.csv", &["EP000000014VN", "EP000000028VN"]);
        scene.program(Verb::Run, FIRST).run(&scene.office.data()).expect("the first night ends");
        scene
    }

    /// Writes one list of the post.
    fn post(&self, name: &str, items: &[&str]) {
        let mut text =
            "Mã vận đơn;Mã hồ sơ;Mã TTHC;Đơn vị;Loại dịch vụ;Ngày chấp nhận;Ngày phát;Trạng thái;Phí thu hộ\n"
                .to_owned();
        for item in items {
            text += item;
            text += ";H61.14-251001-0002;;H61.14;Trả kết quả;03/10/2025 08:00;;Đang vận chuyển;1000\n";
        }
        let footer = format!("Tổng cộng;;;;;;;;{}\n", 1000 * items.len());
        self.office.write(&format!("exports/{name}"), &(text + &footer));
    }

    /// Corrects the mapping and the contract, so that every rejected row is accepted.
    fn correct_mapping(&self) {
        self.office.edit("connectors/desk/connector.toml", |text| {
            text.replace("D = \"completed\"", "D = \"completed\"\nX = \"stopped\"")
                .replace("impossible = \"reject_row\"", "impossible = \"report\"")
        });
    }

    /// What the sources show in the second night: rows that can be read now; have ended; are due later; are no longer
    /// listed; are new; are new and bad.
    fn change(&self) {
        let mut list = first_list();
        list[1]["status"] = json!("P");
        list[3]["status"] = json!("D");
        list[4]["due"] = json!("2025-12-24");
        list.remove(5);
        list.push(record(8));
        list.push(
            json!({"id": "K9", "code": "H61.14-251001-0009", "agency": "H61.14", "received": "2025-10-01", "status": "?"}),
        );
        self.list.set(list);
        self.post("2.csv", &["EP000000031VN"]);
    }

    /// Runs the second night, in which the list fails after its first two pages.
    fn fail(&self) {
        self.list.break_from(Some(2));
        let report = self.program(Verb::Run, SECOND).run(&self.office.data()).expect("the night ends");
        self.list.break_from(None);
        let outcomes: Vec<_> = report.pulls.iter().map(|pull| pull.outcome).collect();
        assert_eq!(outcomes, [Some(Outcome::Complete), Some(Outcome::Failed)], "the post, the list");
    }

    fn program(&self, verb: Verb, now: DateTime) -> Program {
        Program::new(&self.office, verb, now)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.office.path().join(name)
    }

    /// Runs `verb` undisturbed over the data in `base`. `least`: minimum number of moments.
    fn undisturbed(&self, base: &Path, verb: Verb, now: DateTime, least: usize) -> Undisturbed {
        let whole = self.path("undisturbed");
        copy(base, &whole);
        let moments = self.program(verb, now).moments(&whole, &self.path("moments"));
        let (found, before, passed) = (Found::of(&whole), published(base), moments.len());
        assert!(passed >= least, "{passed} moments");
        let mut distinct = Vec::new();
        let mut earlier: Option<BTreeSet<String>> = None;
        for moment in moments {
            let at = format!("{verb:?}, {}, {}", moment.data.display(), moment.name);
            let writes = durable_writes(&moment.data);
            if let Some(earlier) = &earlier {
                let new: Vec<&String> = writes.difference(earlier).collect();
                // A folder is renamed in one step.
                let is_one_step = new.len() <= 1 || moment.name == "after move landed pages";
                assert!(is_one_step, "{at}: durable writes without a crash point: {new:?}");
            }
            let seen = published(&moment.data);
            let old_or_new = seen == before || seen.as_ref().is_some_and(|(figures, _)| *figures == found.now.figures);
            assert!(old_or_new, "{at}: half a night is published");
            if earlier.as_ref() != Some(&writes) {
                distinct.push(moment);
            }
            earlier = Some(writes);
        }
        Undisturbed { moments: distinct, passed, found }
    }

    /// Lets the next run finish what each moment of `verb` left: it gives what the undisturbed run gives. The recovery
    /// from every third moment is killed too, each time at another moment.
    fn at_every_crash_point(&self, base: &Path, verb: Verb, least: usize) {
        let Undisturbed { moments, passed, found } = self.undisturbed(base, verb, SECOND, least);
        let (killed_again, finishing) = (self.program(verb, LATER), self.program(verb, LATER_STILL));
        let next_night = self.program(Verb::Run, LATER_STILL);
        for (number, Moment { name, data }) in (1_usize..).zip(moments) {
            let at = format!("{verb:?}, {number}: {name}");
            let left = self.path("left");
            if !number.is_multiple_of(KILLED_AGAIN) || !killed_again.dies_at(&data, 1 + number * 7 % passed, &left) {
                copy(&data, &left);
            }
            match finishing.run(&left) {
                // Every row was accepted before the kill; the next night publishes them.
                Err(RunError::NothingToRetry) => drop(next_night.run(&left).expect("the night ends")),
                ended => drop(ended.unwrap_or_else(|error| panic!("{at}: {error}"))),
            }
            assert_eq!(Found::of(&left), found, "{at}");
            std::fs::remove_dir_all(&left).expect("the scratch folder is writable");
        }
    }
}

/// Lets `nights` follow on each of the moments that left a pull unfinished: all give the same. `least`: minimum number of
/// these moments.
fn after_each(moments: Vec<Moment>, least: usize, nights: &[&dyn Fn(&Path)], expected: &FoundNow) {
    let cut: Vec<Moment> = moments.into_iter().filter(|moment| has_unfinished_pull(&moment.data)).collect();
    assert!(cut.len() >= least, "{} moments", cut.len());
    for Moment { name, data } in cut {
        for night in nights {
            night(&data);
        }
        assert_eq!(Found::of(&data).now, *expected, "{name}");
    }
}

fn first_list() -> Vec<Value> {
    let mut list: Vec<Value> = (0..7).map(record).collect();
    list[1]["status"] = json!("X");
    list[2]["due"] = json!("2025-09-09");
    list[6]["status"] = json!("X");
    list
}

#[test]
fn a_first_night_dies_at_every_crash_point() {
    let scene = Scene::new(SWEEP);
    scene.at_every_crash_point(&scene.path("nothing"), Verb::Run, 82);
}

#[test]
fn a_later_night_dies_at_every_crash_point() {
    let scene = Scene::new(SWEEP);
    scene.change();
    scene.at_every_crash_point(&scene.office.data(), Verb::Run, 48);
}

#[test]
fn a_retry_dies_at_every_crash_point() {
    let scene = Scene::new(SWEEP);
    scene.correct_mapping();
    scene.at_every_crash_point(&scene.office.data(), Verb::Retry, 30);
}

#[test]
fn a_replay_dies_at_every_crash_point() {
    let scene = Scene::new(SWEEP);
    scene.correct_mapping();
    scene.at_every_crash_point(&scene.office.data(), Verb::Replay(1), 26);
}

#[test]
fn a_backfill_dies_at_every_crash_point() {
    let scene = Scene::new(SWEEP);
    scene.office.edit("connectors/desk/connector.toml", |text| text.replace("slice_days = 100000", "slice_days = 31"));
    let mut list = first_list();
    list[3]["status"] = json!("D");
    scene.list.set(list);
    let verb = Verb::Backfill(date(2025, 9, 1), date(2025, 10, 31));
    scene.at_every_crash_point(&scene.office.data(), verb, 46);
}

/// The pull that failed goes on under its own run, in a night that has another number.
#[test]
fn a_night_after_a_failed_one_dies_at_every_crash_point() {
    let scene = Scene::new(SWEEP);
    scene.change();
    scene.fail();
    scene.at_every_crash_point(&scene.office.data(), Verb::Run, 60);
}

/// Two connectors read one list, so every dossier has two rows. The groups are made when the night is closed.
#[test]
fn a_night_that_groups_dossiers_dies_at_every_crash_point() {
    let scene = Scene::new("");
    let own = std::fs::read_to_string(scene.path("connectors/desk/connector.toml")).expect("it was written");
    scene.office.write("connectors/ministry/connector.toml", &own);
    let Undisturbed { moments, found, .. } = scene.undisturbed(&scene.office.data(), Verb::Run, SECOND, 30);
    let whole = groups(&scene.path("undisturbed"));
    assert_eq!(whole.len(), 2 * whole.iter().filter(|(.., counts)| *counts).count());
    assert!(whole.len() >= 6, "{whole:?}");
    let has_groups = |moment: &Moment| moment.data.join("lake/dossier_groups").exists();
    let is_published = |moment: &Moment| moment.data.join("published/nights/00000002").exists();
    let first = moments.iter().position(has_groups).expect("the table is made");
    let cut: Vec<&Moment> = moments[first - 1..].iter().take_while(|moment| !is_published(moment)).collect();
    assert!(cut.len() >= 4, "{} moments", cut.len());
    let finishing = scene.program(Verb::Run, LATER_STILL);
    for Moment { name, data } in cut {
        drop(finishing.run(data).unwrap_or_else(|error| panic!("{name}: {error}")));
        assert_eq!(Found::of(data), found, "{name}");
        assert_eq!(groups(data), whole, "{name}");
    }
}

/// The connector is changed before the night is run again: nothing of the old mapping is left.
#[test]
fn a_night_that_dies_is_finished_by_a_connector_that_was_changed_since() {
    let scene = Scene::new(SWEEP);
    scene.change();
    scene.fail();
    let Undisturbed { moments, .. } = scene.undisturbed(&scene.office.data(), Verb::Run, LATER, 60);
    scene.correct_mapping();
    let changed = scene.program(Verb::Run, LATER_STILL);
    let night = |data: &Path| drop(changed.run(data).expect("the night ends"));
    let whole = scene.path("changed");
    copy(&scene.office.data(), &whole);
    night(&whole);
    let expected = Found::of(&whole).now;
    assert!(expected.complete);
    after_each(moments, 8, &[&night], &expected);
}

/// A source that lists only what has changed since its cursor: a row that a cursor passes over is lost.
#[test]
fn a_cursor_of_a_night_that_dies_passes_over_no_row() {
    let scene = Scene::new("");
    scene.office.edit("connectors/desk/connector.toml", |text| {
        let narrow = text.replace("overlap_days = 100000", "overlap_days = 1");
        assert_ne!(narrow, text, "the list is read from its cursor on");
        narrow
    });
    let dated = |number: usize, changed: &str| {
        let mut row = record(number);
        row["changed"] = json!(changed);
        row
    };
    // Read under another connector once: its cursor counts from now on.
    let of_cursor: Vec<Value> = (0..6).map(|number| dated(number, "2025-11-01")).collect();
    scene.list.set(of_cursor.clone());
    scene.program(Verb::Run, SECOND).run(&scene.office.data()).expect("the night ends");
    let at = |day: i8| date(2025, 11, day).at(20, 0, 0, 0);
    // Rows of days that the failed pull reads, and that no later pull reads again if that one counts.
    let listed: Vec<Value> = of_cursor.into_iter().chain((10..15).map(|number| dated(number, "2025-11-14"))).collect();
    scene.list.set(listed.clone());
    scene.list.break_from(Some(1));
    scene.program(Verb::Run, at(18)).run(&scene.office.data()).expect("the night ends");
    scene.list.break_from(None);

    let later = date(2025, 11, 18).at(23, 0, 0, 0);
    let Undisturbed { moments, found, .. } = scene.undisturbed(&scene.office.data(), Verb::Run, later, 50);
    assert!(found.now.complete);
    // The next night is incomplete: its rows are stored, its cursor is not. The one after it is complete.
    let programs = [scene.program(Verb::Run, at(20)), scene.program(Verb::Run, at(22))];
    let tonight: Vec<Value> =
        listed.iter().cloned().chain((20..24).map(|number| dated(number, "2025-11-20"))).collect();
    let incomplete = |data: &Path| {
        scene.list.set(tonight.clone());
        scene.list.repeat_from(Some(1));
        let report = programs[0].run(data).expect("the night ends");
        scene.list.repeat_from(None);
        let list = report.pulls.iter().find(|pull| pull.connector == "desk").expect("it was read");
        assert_eq!((list.outcome, list.counts.received), (Some(Outcome::Incomplete), 2), "{list:?}");
    };
    let complete = |data: &Path| drop(programs[1].run(data).expect("the night ends"));
    let whole = scene.path("whole");
    copy(&scene.path("undisturbed"), &whole);
    incomplete(&whole);
    complete(&whole);
    let expected = Found::of(&whole).now;
    assert_eq!(desk::image_of(&whole).len(), 6 + 5 + 4, "every row was read");
    after_each(moments, 8, &[&incomplete, &complete], &expected);
}
