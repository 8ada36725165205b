//! The position of a pull that is paged by cursor, key or address, while the pull is open.
//!
//! A cursor is a text of the source: it can hold a person's name or number. It is needed to resume the pull, and only
//! for that. It is therefore kept apart from the landed pages, in `position-000001.json` and so on, each written before its
//! page, which are removed when the pull is sealed. An older motcua wrote `position-0.json` and `position-1.json` in turn. If
//! the pull fails, they stay only if every cursor is a number, a moment or an opaque
//! identifier; otherwise the next run reads the pull from its beginning.
#![expect(clippy::disallowed_methods, reason = "edge: landing is a folder of files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::crash_points::crash_point;
use crate::landing::error::{LandingError, io};
use crate::landing::stored_position::{PositionDelta, StoredPosition, places};
use crate::model::connector::{QueryValue, RequestTemplate};
use crate::model::pull::{PagePlace, Position};
use crate::{digests, durable};

/// Digits of a number that may identify a person.
const PERSONAL_DIGITS: usize = 9;
/// Shortest identifier of hexadecimal digits.
const HEX_CHARS: usize = 16;

/// Beginning of the files' names.
const PREFIX: &str = "position-";

/// Content of a file.
#[derive(Debug, Serialize, Deserialize)]
struct PositionFile {
    /// Number of the page that the position follows.
    page: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    /// In place of `position`: what differs from the position before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delta: Option<PositionDelta>,
}

/// Whether a position can be written into a landed page: it holds numbers of pages and offsets only.
pub(super) fn is_plain(position: &Position) -> bool {
    places(position).all(|place| matches!(place, PagePlace::First | PagePlace::Number(_) | PagePlace::Offset(_)))
}

/// Writes the position after a page.
pub(super) fn write(folder: &Path, page: u32, stored: StoredPosition) -> Result<(), LandingError> {
    let (position, delta) = stored.into_fields();
    let text = digests::sealed(&PositionFile { page, position, delta });
    let path = folder.join(format!("{PREFIX}{page:06}.json"));
    Ok(durable::replace_one_of_many(&path, "write a position", |out| out.write_all(&text))?)
}

/// The positions that are kept, by the number of their page.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<u32, StoredPosition>, LandingError> {
    Ok(files(folder)?.iter().filter_map(|path| read_file(path)).collect())
}

/// The position in a file, and the number of its page; `None` if the file is damaged or half written.
fn read_file(path: &Path) -> Option<(u32, StoredPosition)> {
    let text = fs::read(path).ok()?;
    let (PositionFile { page, position, delta }, _) = digests::unsealed(&text).ok()?;
    Some((page, StoredPosition::from_fields(position, delta)?))
}

/// The files with positions of pages from `page` on, with the number of the page; `u32::MAX` for one that cannot be read.
pub(super) fn files_from(folder: &Path, page: u32) -> Result<Vec<(u32, PathBuf)>, LandingError> {
    let numbered = files(folder)?.into_iter().map(|path| (read_file(&path).map_or(u32::MAX, |(of, _)| of), path));
    Ok(numbered.filter(|(of, _)| *of >= page).collect())
}

/// Removes the positions.
pub(super) fn remove(folder: &Path) -> Result<(), LandingError> {
    let kept = files(folder)?;
    for path in &kept {
        let _crash_point = crash_point("remove a position");
        fs::remove_file(path).map_err(io("remove", path))?;
    }
    if kept.is_empty() { Ok(()) } else { Ok(durable::sync(folder)?) }
}

/// Removes the positions of a pull that failed, unless no cursor in them can be personal data.
pub(super) fn remove_personal(folder: &Path, request: Option<&RequestTemplate>) -> Result<(), LandingError> {
    // A file that cannot be read, or that a crash left half written, is removed too.
    let is_opaque = |path: &PathBuf| {
        let stored = read_file(path).map(|(_, stored)| stored);
        stored.is_some_and(|stored| stored.places().into_iter().all(|place| is_opaque_place(place, request)))
    };
    if files(folder)?.iter().all(is_opaque) { Ok(()) } else { remove(folder) }
}

/// The files that are there by their names, half-written ones among them.
fn files(folder: &Path) -> Result<Vec<PathBuf>, LandingError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A pull that landed nothing.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(io("list", folder)(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(io("list", folder))?;
    let is_position = |name: &str| name.starts_with(PREFIX);
    paths.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_position));
    paths.sort();
    Ok(paths)
}

/// Whether a place holds numbers, moments, opaque identifiers, and what the connector itself requests.
fn is_opaque_place(place: &PagePlace, request: Option<&RequestTemplate>) -> bool {
    let (cursor, address) = match place {
        PagePlace::First | PagePlace::Number(_) | PagePlace::Offset(_) => return true,
        PagePlace::Cursor(cursor) => (cursor, None),
        PagePlace::Address(address) => (address, Url::parse(address).ok()),
    };
    let Some(address) = address else { return is_opaque(cursor) };
    let values = request.iter().flat_map(|request| request.query.values());
    let own: BTreeSet<&str> = values.flat_map(QueryValue::texts).map(String::as_str).collect();
    let is_own_path =
        request.is_some_and(|request| address.path().trim_matches('/').ends_with(request.path.trim_matches('/')));
    let is_own = |name: &str| request.is_some_and(|request| request.query.contains_key(name));
    let is_name =
        |name: &str| is_own(name) || name.chars().all(|symbol| symbol.is_ascii_alphabetic() || "_-$".contains(symbol));
    let mut parameters = address.query_pairs();
    is_own_path && parameters.all(|(name, value)| is_name(&name) && (own.contains(&*value) || is_opaque(&value)))
}

/// Whether a text is a short number, a moment or an identifier of hexadecimal digits.
fn is_opaque(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_number =
        text.bytes().all(|byte| byte.is_ascii_digit() || b"-_.:,".contains(&byte)) && digits < PERSONAL_DIGITS;
    is_number || is_moment(text) || is_identifier(text)
}

/// `2026-03-02T08:00:00.000+0700` and shorter forms.
fn is_moment(text: &str) -> bool {
    let is_date = text.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok());
    let year = text.get(..4).and_then(|year| year.parse::<u32>().ok());
    is_date
        && year.is_some_and(|year| (1990..2100).contains(&year))
        && text.len() <= 35
        && text.bytes().skip(10).all(|byte| byte.is_ascii_digit() || b"T Z:.+-".contains(&byte))
}

/// At least sixteen hexadecimal digits, letters and figures among them: keys of databases, UUIDs.
fn is_identifier(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && digits + letters >= HEX_CHARS
        && digits > 0
        && letters > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landing::stored_position::{KnownPosition, last_known};
    use crate::model::pull::{OpenChain, ReadPage};

    fn position(places: &[PagePlace]) -> Position {
        let chain = OpenChain {
            chain: 0,
            slice: None,
            next: places.last().expect("there is a place").clone(),
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
        Position { open: vec![chain], ..Position::default() }
    }

    fn request() -> RequestTemplate {
        toml::from_str("path = \"/api/dossiers\"\n[query]\nsort = \"updatedDate,desc\"\n").expect("a request")
    }

    #[test]
    fn numbers_moments_and_identifiers_are_kept_after_a_failure() {
        for cursor in [
            "3",
            "12345678",
            "2026-03-02",
            "2026-03-02T08:00:00.000+0700",
            "2026-03-02 08:00:00Z",
            "5f86a1c2e4b0a1b2c3d4e5f6",
            "123e4567-e89b-12d3-a456-426614174000",
        ] {
            assert!(is_opaque_place(&PagePlace::Cursor(cursor.to_owned()), None), "{cursor}");
        }
        for cursor in [
            "Trần Thị Canari 0912345679",
            "Canari",
            "nguyen-van-an",
            "0912345679",
            "0912.345.679",
            "079301012345",
            "an@example.vn",
            "SG9hbmcgT2FuaA==",
            "2026-03-02 Canari",
            "0912-34-56T79",
        ] {
            assert!(!is_opaque_place(&PagePlace::Cursor(cursor.to_owned()), None), "{cursor}");
        }
    }

    #[test]
    fn an_address_is_kept_if_its_path_and_values_are_the_connectors_or_opaque() {
        let request = request();
        let kept = |address: &str| is_opaque_place(&PagePlace::Address(address.to_owned()), Some(&request));
        assert!(kept("https://portal.example/api/dossiers?sort=updatedDate,desc&page=3&from=2026-03-02T00:00:00"));
        assert!(kept("https://portal.example/api/dossiers"));
        for address in [
            "https://portal.example/api/dossiers?after=Canari-0912345679",
            "https://portal.example/api/dossiers/canari?page=2",
            "https://portal.example/api/dossiers?0912345679",
            "https://portal.example/api/dossiers?page=2&name=canari",
            "https://portal.example/api/dossiers?tr%E1%BA%A7n=2",
        ] {
            assert!(!kept(address), "{address}");
        }
    }

    /// Stores the positions after the pages 1, 2 and so on, each by what differs from the one before.
    fn write_all(folder: &Path, positions: &[Position]) {
        let mut before = None;
        for (page, position) in (1..).zip(positions) {
            let stored = StoredPosition::of(position, before.as_ref());
            before = Some(KnownPosition::new(page, position.clone(), &stored));
            write(folder, page, stored).expect("the folder is writable");
        }
    }

    fn last(folder: &Path) -> Option<(u32, Position)> {
        last_known(read(folder).expect("the folder is readable"))
    }

    #[test]
    fn the_positions_are_kept_until_they_are_removed() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let at = |number: u32| position(&[PagePlace::Cursor(format!("c{number}"))]);
        write_all(folder.path(), &[1, 2, 3].map(at));
        assert_eq!(last(folder.path()), Some((3, at(3))));
        let names = |page| -> Vec<_> {
            let found = files_from(folder.path(), page).expect("the folder is readable");
            found.iter().map(|(_, path)| path.file_name().expect("a file").to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(2), ["position-000002.json", "position-000003.json"]);
        remove_personal(folder.path(), None).expect("the folder is writable");
        assert_eq!(last(folder.path()), None, "`c3` is no opaque identifier");
        write_all(folder.path(), &[position(&[PagePlace::Cursor("4".to_owned())])]);
        remove_personal(folder.path(), None).expect("the folder is writable");
        assert!(last(folder.path()).is_some());
        remove(folder.path()).expect("the folder is writable");
        assert!(names(0).is_empty());
    }

    #[test]
    fn the_cursors_of_all_pages_are_judged() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let (mut first, mut second) = (position(&[PagePlace::Number(2)]), position(&[PagePlace::Number(3)]));
        let read = |cursor: &str| {
            let (digest, records) = (String::new(), String::new());
            ReadPage { place: PagePlace::Cursor(cursor.to_owned()), digest, records, rows: 1 }
        };
        first.open[0].pages = vec![read("Canari")];
        second.open[0].pages = vec![read("Canari"), read("2")];
        write_all(folder.path(), &[first, second]);
        remove_personal(folder.path(), None).expect("the folder is writable");
        assert_eq!(last(folder.path()), None, "the first file names a person, the second does not");
    }

    #[test]
    fn positions_of_an_older_motcua_are_read_and_removed() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let at = |number: u32| position(&[PagePlace::Cursor(number.to_string())]);
        for page in [7, 8] {
            let text = digests::sealed(&serde_json::json!({"page": page, "position": at(page)}));
            let path = folder.path().join(format!("position-{}.json", page % 2));
            fs::write(path, text).expect("the folder is writable");
        }
        assert_eq!(last(folder.path()), Some((8, at(8))));
        remove(folder.path()).expect("the folder is writable");
        assert_eq!(last(folder.path()), None);
    }
}
