use super::*;
use crate::model::connector::ConnectorFile;

fn readers() -> Readers {
    let connector: ConnectorFile =
        toml::from_str(include_str!("../../connectors/feedback/connector.toml")).expect("it is shipped");
    Readers::compile(&connector).expect("its map is valid")
}

/// Lands a plan and pages of some rows, as a pull that has not been sealed.
fn land(pull: &LandedPull, readers: &Readers, pages: u32) {
    pull.clear().expect("the scratch folder is writable");
    let plan = PullPlan {
        connector: "digest".to_owned(),
        now: 1,
        cursor: Cursor::default(),
        oldest_open: BTreeMap::new(),
        whole: None,
        sweep: None,
    };
    pull.write_plan(&plan).expect("the scratch folder is writable");
    for number in 1..=pages {
        let mut page = Page::new(number, "/list".to_owned(), "body".to_owned(), readers.fields.clone());
        for row in 1..=20 {
            page.begin_row(row);
            page.set(0, &format!("PA-{number}-{row}"));
        }
        pull.write(&page, readers, Some(Position { pages: number, ..Position::default() })).expect("it is writable");
    }
}

fn resumable_pages(pull: &LandedPull) -> usize {
    pull.resumable().expect("the folder can be read").map_or(0, |(_, pages, _)| pages.len())
}

/// No certificate names the digests of its pages: each page must show by itself that it is as it was written.
#[test]
fn a_pull_goes_on_behind_its_last_page_that_is_not_damaged() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let (pull, readers) = (LandedPull::new(folder.path(), "feedback", 1), readers());
    land(&pull, &readers, 3);
    assert_eq!(resumable_pages(&pull), 3);
    let path = pull.page_path(2);
    let whole = fs::read(&path).expect("it was landed");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, flipped).expect("the scratch folder is writable");
        let pages = resumable_pages(&pull);
        // A few bits of the frame's header mean nothing to the reader.
        let read = || zstd::stream::decode_all(fs::read(&path).expect("it was just written").as_slice());
        let same = || read().ok() == zstd::stream::decode_all(whole.as_slice()).ok();
        assert!(pages == 1 || same(), "byte {at} of {}", whole.len());
    }
    fs::write(&path, &whole[..whole.len() / 2]).expect("the scratch folder is writable");
    assert_eq!(resumable_pages(&pull), 1, "cut short");
}
