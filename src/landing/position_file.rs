//! The position of a pull that is paged by cursor, key or address, while the pull is open.
//!
//! A cursor is a text of the source: it can hold a person's name or number. It is needed to resume the pull, and only
//! for that. It is therefore kept apart from the landed pages, in `position-0.json` and `position-1.json`, which are
//! removed when the pull is sealed. The two files are written in turn, each before its page: after a crash one of them
//! belongs to the last landed page. If the pull fails, they stay only if every cursor is a number, a moment or an opaque
//! identifier; otherwise the next run reads the pull from its beginning.
#![expect(clippy::disallowed_methods, reason = "edge: landing is a folder of files")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::crash_points::crash_point;
use crate::landing::error::{LandingError, io};
use crate::model::connector::{QueryValue, RequestTemplate};
use crate::model::pull::{PagePlace, Position};
use crate::{digests, durable};

/// Digits of a number that may identify a person.
const PERSONAL_DIGITS: usize = 9;
/// Shortest identifier of hexadecimal digits.
const HEX_CHARS: usize = 16;

/// Content of one of the two files.
#[derive(Debug, Serialize, Deserialize)]
struct PositionFile {
    /// Number of the page that the position follows.
    page: u32,
    position: Position,
}

/// Whether a position can be written into a landed page: it holds numbers of pages and offsets only.
pub(super) fn is_plain(position: &Position) -> bool {
    places(position).all(|place| matches!(place, PagePlace::First | PagePlace::Number(_) | PagePlace::Offset(_)))
}

/// Writes the position after a page. The file of the page before stays.
pub(super) fn write(folder: &Path, page: u32, position: &Position) -> Result<(), LandingError> {
    let text = digests::sealed(&PositionFile { page, position: position.clone() });
    Ok(durable::replace_one_of_many(&path(folder, page % 2), "write a position", |out| out.write_all(&text))?)
}

/// The positions that are kept, each with the number of its page.
pub(super) fn read(folder: &Path) -> Vec<(u32, Position)> {
    let kept = [0, 1].into_iter().filter_map(|parity| {
        let text = fs::read(path(folder, parity)).ok()?;
        let (file, _): (PositionFile, _) = digests::unsealed(&text).ok()?;
        Some((file.page, file.position))
    });
    kept.collect()
}

/// Removes the positions.
pub(super) fn remove(folder: &Path) -> Result<(), LandingError> {
    let kept = files(folder);
    for path in &kept {
        let _crash_point = crash_point("remove a position");
        fs::remove_file(path).map_err(io("remove", path))?;
    }
    if kept.is_empty() { Ok(()) } else { Ok(durable::sync(folder)?) }
}

/// Removes the positions of a pull that failed, unless no cursor in them can be personal data.
pub(super) fn remove_personal(folder: &Path, request: Option<&RequestTemplate>) -> Result<(), LandingError> {
    let kept = read(folder);
    let is_opaque = |position: &Position| places(position).all(|place| is_opaque_place(place, request));
    // A file that cannot be read, or that a crash left half written, is removed too.
    let is_whole = kept.len() == files(folder).len();
    if is_whole && kept.iter().all(|(_, position)| is_opaque(position)) { Ok(()) } else { remove(folder) }
}

/// The files that are there, half-written ones among them.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = [0, 1].map(|parity| path(folder, parity));
    let all = paths.into_iter().flat_map(|path| [path.with_extension("partial"), path]);
    all.filter(|path| path.exists()).collect()
}

fn path(folder: &Path, parity: u32) -> PathBuf {
    folder.join(format!("position-{parity}.json"))
}

fn places(position: &Position) -> impl Iterator<Item = &PagePlace> {
    position
        .open
        .iter()
        .flat_map(|chain| std::iter::once(&chain.next).chain(chain.pages.iter().map(|page| &page.place)))
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
    use crate::model::pull::OpenChain;

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

    #[test]
    fn the_positions_of_the_last_two_pages_are_kept_until_they_are_removed() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let at = |number: u32| position(&[PagePlace::Cursor(format!("c{number}"))]);
        for number in 1..=3 {
            write(folder.path(), number, &at(number)).expect("the folder is writable");
        }
        let mut kept = read(folder.path());
        kept.sort_by_key(|(page, _)| *page);
        assert_eq!(kept, [(2, at(2)), (3, at(3))]);
        remove_personal(folder.path(), None).expect("the folder is writable");
        assert!(read(folder.path()).is_empty(), "`c3` is no opaque identifier");
        write(folder.path(), 4, &position(&[PagePlace::Cursor("4".to_owned())])).expect("the folder is writable");
        remove_personal(folder.path(), None).expect("the folder is writable");
        assert_eq!(read(folder.path()).len(), 1);
        remove(folder.path()).expect("the folder is writable");
        assert!(read(folder.path()).is_empty());
    }
}
