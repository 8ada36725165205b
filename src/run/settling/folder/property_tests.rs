//! Random edits of a folder, night after night, against a plain model of each meaning of `access.content`.
//!
//! Each seed gives one history. `MOTCUA_FOLDER_SEED` is the first seed (0), `MOTCUA_FOLDER_HISTORIES` the number of seeds (1).
#![expect(clippy::disallowed_methods, reason = "tests write the folder that is read")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::config::{self, Configuration};
use crate::model::connector::Content;
use crate::model::instant::DAY_MICROS;
use crate::model::pull::{Outcome, Purpose};
use crate::model::table::RecordKind;
use crate::run::data_folder::DataFolder;
use crate::run::ledger::{Pull, key_hash};
use crate::run::settling::SealedPull;
use crate::run::settling::folder::property_model::Model;

const KIND: RecordKind = RecordKind::Dossiers;
const NIGHTS: usize = 7;
const KEYS: u64 = 12;
/// Statuses as the file writes them and as they are stored: the values of a row.
pub(super) const STATUSES: [(&str, &str); 5] = [
    ("Đã tiếp nhận", "received"),
    ("Đang giải quyết", "processing"),
    ("Chờ bổ sung", "supplement"),
    ("Đã xong", "completed"),
    ("Đã dừng", "stopped"),
];

/// Key → value of its row: the index of its status, and five times the day of its change (0: no change time).
pub(in crate::run::settling) type Rows = BTreeMap<u64, usize>;

/// Number of days on which rows may have changed.
const DAYS: usize = 4;

/// Value of a row that is rejected, because its status is none of the connector's.
pub(super) const REJECTED: usize = usize::MAX;

/// Key that every list has, so that no pull is rejected as a whole.
const ALWAYS: u64 = 60;

/// What the rows of a history have besides key and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    Plain,
    /// Some have a change time.
    Timed,
    /// Some are rejected.
    Rejected,
}

pub(super) fn status_of(value: usize) -> usize {
    value % STATUSES.len()
}

pub(super) fn day_of(value: usize) -> Option<usize> {
    Some(value / STATUSES.len()).filter(|day| *day > 0 && value != REJECTED)
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound)
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("less than a length")
    }

    fn rows(&mut self, kind: RowKind) -> Rows {
        let count = 1 + self.below(8);
        (0..count).map(|_| (self.below(KEYS), self.value(kind))).collect()
    }

    fn value(&mut self, kind: RowKind) -> usize {
        match kind {
            RowKind::Timed => self.index(STATUSES.len() * (1 + DAYS)),
            RowKind::Rejected if self.below(3) == 0 => REJECTED,
            RowKind::Plain | RowKind::Rejected => self.index(STATUSES.len()),
        }
    }
}

/// A file as it lies in the folder, with every content that its name had.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) rows: Rows,
    /// Modification time; every write has its own.
    pub(super) time: u64,
    earlier: Vec<Rows>,
}

/// The folder on disk, and the history of its edits for a message.
pub(in crate::run::settling) struct Desk {
    path: PathBuf,
    files: BTreeMap<String, File>,
    clock: u64,
    history: String,
    rows: RowKind,
}

impl Desk {
    /// The folder that [`configuration`] declares.
    pub(in crate::run::settling) fn new(root: &Path, history: String) -> Self {
        Self { path: root.join("inbox"), files: BTreeMap::new(), clock: 0, history, rows: RowKind::Plain }
    }

    pub(in crate::run::settling) fn write(&mut self, name: &str, mut rows: Rows, is_late: bool) {
        if self.rows == RowKind::Rejected {
            rows.insert(ALWAYS, 0);
        }
        self.clock += 1;
        let time = if is_late { self.clock } else { self.clock + 1_000 };
        let earlier = self
            .files
            .get(name)
            .map_or_else(Vec::new, |file| file.earlier.iter().cloned().chain([file.rows.clone()]).collect());
        self.files.insert(name.to_owned(), File { rows, time, earlier });
        self.put(name);
    }

    fn put(&self, name: &str) {
        let file = &self.files[name];
        let mut text = "Mã hồ sơ;Trạng thái;Sửa\n".to_owned();
        for (key, value) in &file.rows {
            let changed = day_of(*value).map(|day| format!("0{day}/09/2026")).unwrap_or_default();
            let status = if *value == REJECTED { "?" } else { STATUSES[status_of(*value)].0 };
            writeln!(text, "HS-{key};{status};{changed}").expect("a string takes all");
        }
        let path = self.path.join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        let written = std::fs::File::options().write(true).open(&path).expect("the file is there");
        written
            .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + file.time))
            .expect("the time can be set");
    }

    fn edit(&mut self, random: &mut Random) {
        let names: Vec<String> = self.files.keys().cloned().collect();
        let chosen = (!names.is_empty()).then(|| names[random.index(names.len())].clone());
        let new = format!("{}.csv", ["a", "b", "c", "d"][random.index(4)]);
        let what = random.below(10);
        let _ = write!(self.history, " {what}:{chosen:?}/{new}");
        match (what, chosen) {
            (0, _) | (_, None) => self.write(&new, random.rows(self.rows), false),
            (1, _) => self.write(&new, random.rows(self.rows), true),
            (2 | 3, Some(name)) => {
                let mut rows = self.files[&name].rows.clone();
                rows.extend(random.rows(self.rows));
                self.write(&name, rows, false);
            }
            (4 | 5, Some(name)) => {
                let mut rows = self.files[&name].rows.clone();
                let gone = random.below(KEYS);
                rows.retain(|key, _| *key % 5 != gone % 5);
                self.write(&name, rows, false);
            }
            (6, Some(name)) => {
                let file = self.files[&name].clone();
                self.write(&name, file.earlier.first().cloned().unwrap_or(file.rows), false);
            }
            (7, Some(name)) => {
                std::fs::rename(self.path.join(&name), self.path.join(&new)).expect("it can be renamed");
                let file = self.files.remove(&name).expect("it is there");
                self.files.insert(new, file);
            }
            (8, Some(name)) => {
                std::fs::remove_file(self.path.join(&name)).expect("it can be removed");
                self.files.remove(&name);
            }
            (_, Some(name)) => {
                let rows = self.files[&name].rows.clone();
                // The same content under another name, or touched.
                let name = if random.below(2) == 0 { new } else { name };
                self.write(&name, rows, random.below(3) == 0);
            }
        }
    }
}

/// When a night is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run::settling) enum Cut {
    Never,
    /// After the certificate.
    AfterReading,
    /// After the ledger, before the table.
    AfterLedger,
}

/// One night under the number `run`; `None` if it was cut. The night after a cut finishes it first, as the next process
/// does.
pub(in crate::run::settling) async fn night(
    data: &DataFolder<'_>,
    run: i64,
    now: i64,
    cut: Cut,
    is_after_cut: bool,
) -> Option<Pull> {
    let progress = |_: &str| {};
    if is_after_cut {
        assert_eq!(data.begin(Purpose::Night, now, &progress).await.expect("a run begins"), run);
    } else {
        data.ledger.begin_run(run, Purpose::Night, now).await.expect("a run begins");
    }
    let connector = &data.config.connectors[0];
    let read = data.reader(&progress).read_night(connector, run, now).await.expect("the folder is read");
    let settler = data.settler(&progress);
    match cut {
        Cut::AfterReading => return None,
        Cut::AfterLedger => {
            let certificate = read.certificate.as_ref().expect("it is sealed");
            let sealed = SealedPull { connector, landed: &read.landed, certificate };
            drop(settler.classify_and_write(sealed, read.begun.clone()).await.expect("it is written to the ledger"));
            return None;
        }
        Cut::Never => {}
    }
    let pull = settler.settle_read(read).await.expect("it is settled");
    data.ledger.finish_run(run, now, None).await.expect("the ledger can be written");
    Some(pull)
}

/// Key → status of the rows that are not deleted.
pub(in crate::run::settling) async fn table(data: &DataFolder<'_>) -> Rows {
    let source = &data.config.connectors[0].name;
    let keys = data.lake.held_keys(KIND, source).await.expect("the image can be read");
    let records = data.lake.image_records(KIND, source, &keys).await.expect("the image can be read");
    let distinct: BTreeSet<&String> = keys.iter().collect();
    assert_eq!((keys.len(), keys.len()), (distinct.len(), records.len()), "a key has one row");
    let column = |name: &str| KIND.column_index(name).expect("dossiers have the column");
    let (code, cause) = (column("dossier_code"), column("status"));
    let row = |values: &[crate::model::record::Value]| {
        let text = |index: usize| values[index].as_text().expect("both columns are texts");
        let key = text(code).trim_start_matches("HS-").parse().expect("keys are numbers");
        (key, STATUSES.iter().position(|(_, word)| *word == text(cause)).expect("a status of the list"))
    };
    records.iter().map(|(record, _)| row(&record.values)).collect()
}

/// Keys of the open rejections after the night `run`.
async fn open_keys(data: &DataFolder<'_>, run: i64) -> BTreeSet<u64> {
    let source = &data.config.connectors[0].name;
    let open = data.ledger.file_rejections(source, run + 1, &[]).await.expect("the ledger can be read");
    let hashes: Vec<u64> = open.iter().map(|rejection| rejection.key.expect("keys can be read")).collect();
    let keys: BTreeSet<u64> = (0..KEYS).filter(|key| hashes.contains(&key_hash(&format!("HS-{key}")))).collect();
    assert_eq!(keys.len(), hashes.len(), "a key has one open rejection: {open:?}");
    keys
}

pub(in crate::run::settling) fn configuration(root: &Path, content: &str) -> Configuration {
    configured(root, content, RowKind::Plain)
}

pub(super) fn configured(root: &Path, content: &str, rows: RowKind) -> Configuration {
    let change_time = "[map.source_updated_at]\nfrom = \"Sửa\"\ntype = \"instant\"\nformats = [\"dd/MM/yyyy\"]\n";
    let change_time = if rows == RowKind::Timed { change_time } else { "" };
    let codes = STATUSES.map(|(word, code)| format!("\"{word}\" = \"{code}\"")).join("\n");
    let tables = format!(
        "[decode]\ntype = \"csv\"\nheader = \"Mã hồ sơ\"\n\
         [map.dossier_code]\nfrom = \"Mã hồ sơ\"\ntype = \"dossier_code\"\nrequired = true\n\
         [map.status]\nfrom = \"Trạng thái\"\ntype = \"word\"\n[map.status.codes]\n{codes}\n{change_time}\
         [identity]\nkey = [\"dossier_code\"]\n\
         [contract]\nleast_of_usual = 0.0\nmost_of_usual = 0.0\nreject_share = 1.0\n"
    );
    configured_as(root, "*.csv", content, &tables)
}

/// A connector of the folder `inbox`. `tables`: those after `[access]`.
pub(in crate::run::settling) fn configured_as(root: &Path, glob: &str, content: &str, tables: &str) -> Configuration {
    let connector = root.join("connectors/notes");
    std::fs::create_dir_all(&connector).expect("a scratch folder");
    std::fs::create_dir_all(root.join("inbox")).expect("a scratch folder");
    let text = format!(
        "[connector]\nversion = 1\ntitle = \"Notes\"\nkind = \"dossiers\"\nsystem = \"folder\"\ncontact = \"desk\"\n\
         [access]\ntype = \"files\"\nfolder = \"{}\"\nglob = \"{glob}\"\nsettle_secs = 0\ncontent = \"{content}\"\n{tables}",
        root.join("inbox").display()
    );
    std::fs::write(connector.join("connector.toml"), text).expect("a scratch folder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/receipt-log");
    let (indicators, rules) = (example.join("indicators"), example.join("rules"));
    let settings = format!(
        "[province]\nname = \"Test\"\n[folders]\ndata = \"data\"\nconnectors = \"connectors\"\n\
         indicators = \"{}\"\nrules = \"{}\"\n",
        indicators.display(),
        rules.display()
    );
    std::fs::write(root.join("motcua.toml"), settings).expect("a scratch folder");
    config::load(&root.join("motcua.toml")).unwrap_or_else(|problems| panic!("{problems}"))
}

async fn history(meaning: (Content, &str), rows: RowKind, seed: u64) {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configured(root.path(), meaning.1, rows);
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    let (mut random, mut model) = (Random(ChaCha8Rng::seed_from_u64(seed)), Model::new(rows == RowKind::Timed));
    let desk = Desk::new(root.path(), format!("seed {seed}:"));
    let mut desk = Desk { rows, ..desk };
    let (mut now, mut run) = (1_790_000_000_000_000, 0);
    for number in 0..NIGHTS {
        for _ in 0..=random.below(3) {
            desk.edit(&mut random);
        }
        let cut = [Cut::Never, Cut::Never, Cut::AfterReading, Cut::AfterLedger][random.index(4)];
        let _ = write!(desk.history, " | night {number} {cut:?}");
        model.night(meaning.0, &desk.files);
        (now, run) = (now + DAY_MICROS, run + 1);
        let mut pull = night(&data, run, now, cut, false).await;
        if pull.is_none() {
            if random.below(2) == 0 {
                desk.edit(&mut random);
            }
            model.night(meaning.0, &desk.files);
            run += 1;
            pull = night(&data, run, now, Cut::Never, true).await;
        }
        let pull = pull.expect("the last night was not cut");
        let (found, allowed) = (table(&data).await, model.allowed(meaning.0));
        let described =
            |what: &str| format!("{what}\n{}\n{found:?}\n{allowed:?}\n{:?}\n{pull:?}", desk.history, desk.files);
        assert_eq!(found.keys().collect::<Vec<_>>(), allowed.keys().collect::<Vec<_>>(), "{}", described("keys"));
        for (key, cause) in &found {
            assert!(allowed[key].contains(cause), "{}", described(&format!("row {key}")));
        }
        let (open, (must, may)) = (open_keys(&data, run).await, model.open(meaning.0));
        let is_expected = must.is_subset(&open) && open.is_subset(&must.union(&may).copied().collect());
        assert!(is_expected, "{}", described(&format!("open {open:?}, must be {must:?}, may be {may:?}")));
        let is_told = pull.outcome == Some(Outcome::Incomplete);
        match meaning.0 {
            Content::Lists => assert_eq!(is_told, model.has_left(), "{}", described("outcome")),
            Content::Append => assert_eq!(pull.outcome, Some(Outcome::Complete), "{}", described("outcome")),
            Content::Whole => {}
        }
    }
}

fn play(content: Content, name: &str, rows: RowKind) {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let first = number("MOTCUA_FOLDER_SEED").unwrap_or(0);
    let count = number("MOTCUA_FOLDER_HISTORIES").unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    for seed in first..first + count {
        runtime.block_on(history((content, name), rows, seed));
    }
}

#[test]
fn lists_are_what_the_files_say_now() {
    play(Content::Lists, "lists", RowKind::Plain);
}

#[test]
fn a_dossier_whose_newest_row_is_rejected_keeps_its_values() {
    play(Content::Lists, "lists", RowKind::Rejected);
}

#[test]
fn lists_with_change_times_are_what_their_files_say_one_after_the_other() {
    play(Content::Lists, "lists", RowKind::Timed);
}

#[test]
fn a_whole_list_is_what_its_newest_file_says() {
    play(Content::Whole, "whole", RowKind::Plain);
}

#[test]
fn a_dossier_whose_row_in_the_whole_list_is_rejected_keeps_its_values() {
    play(Content::Whole, "whole", RowKind::Rejected);
}

#[test]
fn rows_are_only_added_to_an_appended_list() {
    play(Content::Append, "append", RowKind::Plain);
}

#[test]
fn each_row_of_an_appended_list_counts_by_its_change_time() {
    play(Content::Append, "append", RowKind::Timed);
}

#[test]
fn a_dossier_whose_newest_appended_row_is_rejected_keeps_its_values() {
    play(Content::Append, "append", RowKind::Rejected);
}
