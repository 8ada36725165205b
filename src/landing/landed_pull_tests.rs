//! Landed pages of a pull that is paged by cursor: where its cursors are, and how it is resumed.

use std::sync::Arc;

use super::*;
use crate::model::connector::ConnectorFile;
use crate::model::pull::{OpenChain, PagePlace, ReadPage};

const CONNECTOR: &str = r#"
    [connector]
    version = 1
    title = "Portal"
    kind = "dossiers"
    system = "any"
    contact = "staff"
    [access]
    type = "http"
    base_url = "https://portal.example/"
    [request]
    path = "/search"
    [decode]
    type = "json"
    records = "rows"
    [map.source_key]
    from = "id"
    type = "code"
    required = true
"#;
const PERSON: &str = "Trần Thị Canari 0912345679";

fn position(pages: u32, next: PagePlace) -> Position {
    let open = OpenChain {
        chain: 0,
        slice: None,
        next,
        pages: Vec::new(),
        declared_total: None,
        declared_pages: None,
        looks: 0,
        looking_at: None,
        changed: false,
        served_size: None,
        is_tied: false,
        range_total: None,
    };
    Position { pages, open: vec![open], ..Position::default() }
}

fn by_cursor(pages: u32) -> Position {
    position(pages, PagePlace::Cursor(format!("{PERSON} {pages}")))
}

/// A pull with its plan, and the readers of its connector.
fn pull(data: &Path) -> (LandedPull, Readers) {
    let file: ConnectorFile = toml::from_str(CONNECTOR).expect("the connector is valid");
    let landed = LandedPull::new(data, "portal", 1);
    landed.clear().expect("the folder is writable");
    let plan = PullPlan {
        connector: String::new(),
        now: 0,
        cursor: Cursor::default(),
        oldest_open: BTreeMap::new(),
        whole: None,
        sweep: None,
    };
    landed.write_plan(&plan).expect("the folder is writable");
    (landed, Readers::compile(&file).expect("the map is valid"))
}

fn land(landed: &LandedPull, readers: &Readers, number: u32, position: Position) {
    let page = Page::new(number, format!("page {number}"), number.to_string(), Arc::clone(&readers.fields));
    landed.write(&page, readers, Some(position)).expect("the folder is writable");
}

/// Number of pages, and position, from which the pull is resumed.
fn resumed(landed: &LandedPull) -> Option<(usize, Position)> {
    let found = landed.resumable().expect("the folder is readable");
    found.map(|(_, pages, position)| (pages.len(), position))
}

/// Names of the files of the pull that contain a text, packed ones unpacked.
fn files_with(landed: &LandedPull, text: &str) -> Vec<String> {
    let entries = fs::read_dir(&landed.folder).expect("the folder is readable").map(|entry| entry.expect("an entry"));
    let holds = |path: PathBuf| {
        let bytes = fs::read(path).expect("the file is readable");
        let unpacked = zstd::stream::decode_all(bytes.as_slice()).unwrap_or(bytes);
        String::from_utf8_lossy(&unpacked).contains(text)
    };
    let found = entries.filter(|entry| holds(entry.path()));
    let mut names: Vec<String> = found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_pull_by_cursor_is_resumed_after_its_last_page_and_keeps_no_cursor_when_it_is_sealed() {
    let data = tempfile::tempdir().expect("there is a scratch folder");
    let (landed, readers) = pull(data.path());
    for number in 1..=3 {
        land(&landed, &readers, number, by_cursor(number));
        assert_eq!(resumed(&landed), Some((number as usize, by_cursor(number))));
    }
    let names = ["position-000001.json", "position-000002.json", "position-000003.json"];
    assert_eq!(files_with(&landed, "Canari"), names, "no page holds a cursor");
    // The process ended after the position was written and before the page was.
    fs::remove_file(landed.page_path(3)).expect("the page is there");
    assert_eq!(resumed(&landed), Some((2, by_cursor(2))));
    landed.seal(&Certificate::default()).expect("the folder is writable");
    assert_eq!(files_with(&landed, "Canari"), [""; 0]);
}

#[test]
fn a_pull_by_page_number_has_its_position_in_its_pages() {
    let data = tempfile::tempdir().expect("there is a scratch folder");
    let (landed, readers) = pull(data.path());
    for number in 1..=2 {
        land(&landed, &readers, number, position(number, PagePlace::Number(number)));
    }
    assert!(!landed.folder.join("position-000001.json").exists());
    assert_eq!(resumed(&landed), Some((2, position(2, PagePlace::Number(2)))));
    landed.remove_personal_cursors(None).expect("there is nothing to remove");
    assert_eq!(resumed(&landed).map(|(pages, _)| pages), Some(2), "a number is no cursor of the source");
}

/// As [`by_cursor`] or by number, with the pages that were read so far.
fn after(pages: u32, place: impl Fn(u32) -> PagePlace) -> Position {
    let mut position = position(pages, place(pages + 1));
    let read = |number: u32| ReadPage {
        place: place(number),
        digest: format!("{number:064}"),
        records: String::new(),
        rows: 20,
    };
    position.open[0].pages = (1..=pages).map(read).collect();
    position
}

#[test]
fn a_pull_goes_on_before_a_lost_position_and_what_was_landed_behind_it_is_read_again() {
    let cursor = |number: u32| PagePlace::Cursor(number.to_string());
    for place in [cursor as fn(u32) -> PagePlace, PagePlace::Number] {
        let data = tempfile::tempdir().expect("there is a scratch folder");
        let (landed, readers) = pull(data.path());
        for number in 1..=5 {
            land(&landed, &readers, number, after(number, place));
        }
        assert_eq!(resumed(&landed), Some((5, after(5, place))));
        // The position after page 3 is lost: those of pages 4 and 5 build on it.
        let file = landed.folder.join("position-000003.json");
        let lost = if file.exists() { file } else { landed.page_path(3) };
        fs::write(lost, "damaged").expect("the folder is writable");
        assert_eq!(resumed(&landed), Some((2, after(2, place))));
        // Another process reads page 3 again and ends: pages 4 and 5 of the first one are not taken for its own.
        let again = LandedPull::new(data.path(), "portal", 1);
        land(&again, &readers, 3, after(3, place));
        assert_eq!(resumed(&again), Some((3, after(3, place))));
        assert!(!again.page_path(4).exists());
        // Those behind a page that is gone too.
        for number in 4..=6 {
            land(&again, &readers, number, after(number, place));
        }
        fs::remove_file(again.page_path(5)).expect("it was landed");
        let again = LandedPull::new(data.path(), "portal", 1);
        land(&again, &readers, 4, after(4, place));
        assert!(!again.page_path(6).exists() && files_with(&again, "page 6").is_empty());
        land(&again, &readers, 5, after(5, place));
        assert_eq!(resumed(&again), Some((5, after(5, place))));
        let again = LandedPull::new(data.path(), "portal", 1);
        land(&again, &readers, 4, after(4, place));
        assert_eq!(resumed(&again), Some((4, after(4, place))));
    }
}

#[test]
fn a_late_page_is_no_larger_than_an_early_one() {
    let data = tempfile::tempdir().expect("there is a scratch folder");
    let (landed, readers) = pull(data.path());
    for number in 1..=60 {
        land(&landed, &readers, number, after(number, PagePlace::Number));
    }
    let bytes = |number: u32| fs::metadata(landed.page_path(number)).expect("it was landed").len();
    assert!(bytes(60) < bytes(5) + 60, "{} and {} bytes", bytes(60), bytes(5));
}

#[test]
fn a_failed_pull_is_resumed_only_by_a_cursor_that_cannot_be_personal_data() {
    for (cursor, is_kept) in [("5f86a1c2e4b0a1b2c3d4e5f6", true), ("2026-03-02T08:00:00", true), (PERSON, false)] {
        let data = tempfile::tempdir().expect("there is a scratch folder");
        let (landed, readers) = pull(data.path());
        land(&landed, &readers, 1, position(1, PagePlace::Cursor(cursor.to_owned())));
        landed.remove_personal_cursors(None).expect("the folder is writable");
        assert_eq!(resumed(&landed).is_some(), is_kept, "{cursor}");
        assert_eq!(files_with(&landed, cursor).len(), usize::from(is_kept), "{cursor}");
    }
}
