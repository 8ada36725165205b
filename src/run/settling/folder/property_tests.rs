//! Random edits of a folder, night after night, against a plain model of each meaning of `access.content`.
//!
//! Each seed gives one history. `MOTCUA_FOLDER_HISTORIES` is the number of seeds per meaning.
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
use crate::run::ledger::Pull;
use crate::run::settling::SealedPull;
use crate::run::settling::deletions::are_too_many;

const KIND: RecordKind = RecordKind::Dossiers;
const NIGHTS: usize = 7;
const KEYS: u64 = 12;
/// Statuses as the file writes them and as they are stored: the values of a row.
const STATUSES: [(&str, &str); 5] = [
    ("Đã tiếp nhận", "received"),
    ("Đang giải quyết", "processing"),
    ("Chờ bổ sung", "supplement"),
    ("Đã xong", "completed"),
    ("Đã dừng", "stopped"),
];

/// Key → index of its status.
pub(in crate::run::settling) type Rows = BTreeMap<u64, usize>;

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound)
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("less than a length")
    }

    fn rows(&mut self) -> Rows {
        let count = 1 + self.below(8);
        (0..count).map(|_| (self.below(KEYS), self.index(STATUSES.len()))).collect()
    }
}

/// A file as it lies in the folder, with every content that its name had.
#[derive(Debug, Clone)]
struct File {
    rows: Rows,
    /// Modification time; every write has its own.
    time: u64,
    earlier: Vec<Rows>,
}

/// What the model knows about a file name after a night.
#[derive(Debug, Clone)]
struct Known {
    rows: Rows,
    time: u64,
    /// Keys that the name had, that it no longer has, and that were left.
    left: BTreeSet<u64>,
    /// Keys of the content whose rows were decided last.
    settled: BTreeSet<u64>,
}

/// The plain model: what the table must hold.
#[derive(Debug, Default)]
struct Model {
    names: BTreeMap<String, Known>,
    /// For whole lists.
    table: Rows,
    newest: Option<(String, u64)>,
    /// Keys of the whole list whose rows were decided last.
    settled: BTreeSet<u64>,
}

impl Model {
    fn night(&mut self, content: Content, folder: &BTreeMap<String, File>) {
        match content {
            Content::Whole => self.whole_night(folder),
            Content::Lists | Content::Append => self.lists_night(content, folder),
        }
    }

    fn whole_night(&mut self, folder: &BTreeMap<String, File>) {
        let Some((name, file)) = folder.iter().max_by_key(|(_, file)| file.time) else { return };
        // A whole list that left the folder still is the newest.
        if self.newest.as_ref().is_some_and(|(known, time)| !folder.contains_key(known) && *time > file.time) {
            return;
        }
        self.newest = Some((name.clone(), file.time));
        let missing = self.settled.iter().filter(|key| !file.rows.contains_key(key)).count();
        if !are_too_many(missing, self.settled.len()) {
            self.settled = file.rows.keys().copied().collect();
            self.table.clear();
        }
        self.table.extend(file.rows.iter().map(|(key, cause)| (*key, *cause)));
    }

    fn lists_night(&mut self, content: Content, folder: &BTreeMap<String, File>) {
        let held: BTreeSet<u64> = self.keys();
        let settled: BTreeSet<u64> = self.names.values().flat_map(|known| known.settled.clone()).collect();
        let mut lost: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for (name, file) in folder {
            let known = self.names.entry(name.clone()).or_insert_with(|| Known {
                rows: Rows::new(),
                time: 0,
                left: BTreeSet::new(),
                settled: BTreeSet::new(),
            });
            let former: BTreeSet<u64> = known.rows.keys().chain(&known.left).copied().collect();
            let gone: BTreeSet<u64> = former.iter().copied().filter(|key| !file.rows.contains_key(key)).collect();
            let shared = known.settled.iter().filter(|key| file.rows.contains_key(key)).count();
            let is_other_list = shared * 2 < known.settled.len();
            known.left.clear();
            if content == Content::Append || is_other_list {
                known.left = gone;
            } else {
                lost.insert(name.clone(), gone);
            }
            (known.rows, known.time) = (file.rows.clone(), file.time);
        }
        self.names.retain(|name, known| {
            let is_elsewhere = folder.values().any(|file| file.rows == known.rows);
            folder.contains_key(name) || !known.left.is_empty() || !is_elsewhere
        });
        let after = self.keys();
        let deleted = held.difference(&after).filter(|key| settled.contains(key)).count();
        if are_too_many(deleted, settled.len()) {
            for (name, gone) in lost {
                self.names.get_mut(&name).expect("a file of the folder").left.extend(gone);
            }
        }
        for known in self.names.values_mut().filter(|known| known.left.is_empty()) {
            known.settled = known.rows.keys().copied().collect();
        }
    }

    fn keys(&self) -> BTreeSet<u64> {
        self.names.values().flat_map(|known| known.rows.keys().chain(&known.left)).copied().collect()
    }

    /// Key → the causes that its row may have; several only where a row was left.
    fn allowed(&self, content: Content) -> BTreeMap<u64, Vec<usize>> {
        if content == Content::Whole {
            return self.table.iter().map(|(key, cause)| (*key, vec![*cause])).collect();
        }
        let of = |key: u64| {
            if self.names.values().any(|known| known.left.contains(&key)) {
                return (0..STATUSES.len()).collect();
            }
            let having = self.names.values().filter(|known| known.rows.contains_key(&key));
            having.max_by_key(|known| known.time).map(|known| vec![known.rows[&key]]).unwrap_or_default()
        };
        self.keys().into_iter().map(|key| (key, of(key))).collect()
    }

    fn has_left(&self) -> bool {
        self.names.values().any(|known| !known.left.is_empty())
    }
}

/// The folder on disk, and the history of its edits for a message.
pub(in crate::run::settling) struct Desk {
    path: PathBuf,
    files: BTreeMap<String, File>,
    clock: u64,
    history: String,
}

impl Desk {
    /// The folder that [`configuration`] declares.
    pub(in crate::run::settling) fn new(root: &Path, history: String) -> Self {
        Self { path: root.join("inbox"), files: BTreeMap::new(), clock: 0, history }
    }

    pub(in crate::run::settling) fn write(&mut self, name: &str, rows: Rows, is_late: bool) {
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
        let mut text = "Mã hồ sơ;Trạng thái\n".to_owned();
        for (key, cause) in &file.rows {
            writeln!(text, "HS-{key};{}", STATUSES[*cause].0).expect("a string takes all");
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
            (0, _) | (_, None) => self.write(&new, random.rows(), false),
            (1, _) => self.write(&new, random.rows(), true),
            (2 | 3, Some(name)) => {
                let mut rows = self.files[&name].rows.clone();
                rows.extend(random.rows());
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
pub(super) enum Cut {
    Never,
    /// After the certificate.
    AfterReading,
    /// After the ledger, before the table.
    AfterLedger,
}

/// One night under the number `run`; `None` if it was cut. The night after a cut finishes it first, as the next process
/// does.
pub(super) async fn night(data: &DataFolder<'_>, run: i64, now: i64, cut: Cut, is_after_cut: bool) -> Option<Pull> {
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

pub(in crate::run::settling) fn configuration(root: &Path, content: &str) -> Configuration {
    let connector = root.join("connectors/notes");
    std::fs::create_dir_all(&connector).expect("a scratch folder");
    std::fs::create_dir_all(root.join("inbox")).expect("a scratch folder");
    let codes = STATUSES.map(|(word, code)| format!("\"{word}\" = \"{code}\"")).join("\n");
    let text = format!(
        "[connector]\nversion = 1\ntitle = \"Notes\"\nkind = \"dossiers\"\nsystem = \"folder\"\ncontact = \"desk\"\n\
         [access]\ntype = \"files\"\nfolder = \"{}\"\nglob = \"*.csv\"\nsettle_secs = 0\ncontent = \"{content}\"\n\
         [decode]\ntype = \"csv\"\nheader = \"Mã hồ sơ\"\n\
         [map.dossier_code]\nfrom = \"Mã hồ sơ\"\ntype = \"dossier_code\"\nrequired = true\n\
         [map.status]\nfrom = \"Trạng thái\"\ntype = \"word\"\n[map.status.codes]\n{codes}\n\
         [identity]\nkey = [\"dossier_code\"]\n\
         [contract]\nleast_of_usual = 0.0\nmost_of_usual = 0.0\n",
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

async fn history(meaning: (Content, &str), seed: u64) {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configuration(root.path(), meaning.1);
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    let (mut random, mut model) = (Random(ChaCha8Rng::seed_from_u64(seed)), Model::default());
    let mut desk = Desk::new(root.path(), format!("seed {seed}:"));
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
        let is_told = pull.outcome == Some(Outcome::Incomplete);
        match meaning.0 {
            Content::Lists => assert_eq!(is_told, model.has_left(), "{}", described("outcome")),
            Content::Append => assert_eq!(pull.outcome, Some(Outcome::Complete), "{}", described("outcome")),
            Content::Whole => {}
        }
    }
}

fn play(content: Content, name: &str) {
    let count = std::env::var("MOTCUA_FOLDER_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    for seed in 0..count {
        runtime.block_on(history((content, name), seed));
    }
}

#[test]
fn lists_are_what_the_files_say_now() {
    play(Content::Lists, "lists");
}

#[test]
fn a_whole_list_is_what_its_newest_file_says() {
    play(Content::Whole, "whole");
}

#[test]
fn rows_are_only_added_to_an_appended_list() {
    play(Content::Append, "append");
}
