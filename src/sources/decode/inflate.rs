//! Decompresses gzip files, workbooks and response bodies within a limit. Sizes that a file declares are not used for the limit: the
//! decompressed bytes are counted.

use std::io::{Cursor, ErrorKind as IoKind, Read, Write};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::sources::decode::foreign_format;
use crate::sources::error::{ErrorKind, SourceError};

/// Maximum number of parts in a workbook. A list has a dozen, a workbook with pictures some hundreds.
pub(super) const MAX_PARTS: usize = 10_000;
/// First bytes of an OLE compound file: an encrypted workbook, or an `.xls` file.
const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

pub(crate) fn expands_too_far(limit: u64) -> SourceError {
    SourceError::new(ErrorKind::ExpandsTooFar, format!("the decompressed content is longer than {limit} bytes"))
}

fn damaged(message: impl Into<String>) -> SourceError {
    SourceError::new(ErrorKind::FileDamaged, message)
}

/// Copies to the end of `from`, and subtracts the bytes from `left`. Fails if they are more than `left`.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write, left: &mut u64, limit: u64) -> Result<(), SourceError> {
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut chunk).map_err(|error| match error.kind() {
            IoKind::UnexpectedEof => SourceError::new(ErrorKind::BodyCutShort, "the compressed data ends early"),
            _ => damaged("the compressed data cannot be decompressed"),
        })?;
        if read == 0 {
            return Ok(());
        }
        *left = left.checked_sub(read as u64).ok_or_else(|| expands_too_far(limit))?;
        to.write_all(&chunk[..read]).map_err(|_| damaged("the data cannot be decompressed"))?;
    }
}

/// Decompresses a gzip file.
///
/// # Errors
/// `expands_too_far`, `body_cut_short`, `file_damaged`.
pub(crate) fn gzip(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, SourceError> {
    // The last four bytes declare the size (RFC 1952): used, up to the limit, as the capacity of the buffer only.
    let hint = bytes.last_chunk::<4>().map_or(0, |size| u64::from(u32::from_le_bytes(*size))).min(limit);
    let mut text = Vec::with_capacity(usize::try_from(hint).unwrap_or(0));
    let mut left = limit;
    copy(&mut MultiGzDecoder::new(Cursor::new(bytes)), &mut text, &mut left, limit)?;
    Ok(text)
}

/// The number of files that the end of a ZIP archive declares.
fn listed_files(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memmem::rfind(bytes, b"PK\x05\x06")?;
    let count = bytes.get(end + 10..end + 12)?;
    match u16::from_le_bytes([count[0], count[1]]) {
        // The end of a ZIP64 archive has the number (APPNOTE 4.3.14).
        u16::MAX => {
            let end = memchr::memmem::rfind(&bytes[..end], b"PK\x06\x06")?;
            let count = bytes.get(end + 32..)?.first_chunk::<8>()?;
            usize::try_from(u64::from_le_bytes(*count)).ok()
        }
        count => Some(usize::from(count)),
    }
}

/// The only file of a ZIP archive; other contents, workbooks among them, as they are.
///
/// # Errors
/// `file_damaged` if the archive has several files, `file_encrypted`, `expands_too_far`, `body_cut_short`.
pub(crate) fn only_file(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, SourceError> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return Ok(bytes);
    }
    let is_part =
        |name: &String| name.starts_with("xl/") || ["[Content_Types].xml", "mimetype"].contains(&name.as_str());
    let mut archive = ZipArchive::new(Cursor::new(bytes.as_slice())).map_err(|_| {
        SourceError::new(ErrorKind::BodyCutShort, "the list of files at the end of the archive is missing")
    })?;
    let names: Result<Vec<String>, _> = archive.file_names().map(|name| name.map(|name| name.to_string())).collect();
    let names = names.map_err(|_| damaged("the archive has a file whose name cannot be read"))?;
    if names.iter().any(is_part) {
        drop(archive);
        return Ok(bytes);
    }
    // Names that come twice, and what stands before the archive, would be left out without a word.
    if archive.offset() != 0 || listed_files(&bytes) != Some(names.len()) {
        return Err(damaged("the archive has two files of one name, or is two archives in one: pack the file again"));
    }
    // Folders, and what macOS adds.
    let is_of_system =
        |name: &str| name.starts_with("__MACOSX/") && name.rsplit('/').next().unwrap_or_default().starts_with("._");
    let is_file = |name: &&String| !name.ends_with('/') && !is_of_system(name);
    let files: Vec<&String> = names.iter().filter(is_file).collect();
    let [name] = files.as_slice() else {
        return Err(damaged(format!("the archive has {} files: deliver each in one of its own", files.len())));
    };
    let mut file = archive.by_name(name).map_err(|error| match error {
        ZipError::UnsupportedArchive(why) if why.contains("assword") => {
            SourceError::new(ErrorKind::FileEncrypted, "the archive is protected by a password")
        }
        _ => damaged("the file of the archive cannot be read"),
    })?;
    let (mut text, mut left) = (Vec::new(), limit);
    copy(&mut file, &mut text, &mut left, limit)?;
    Ok(text)
}

/// Decompresses a response body by its `Content-Encoding` (RFC 9110 §8.4): gzip, x-gzip, deflate, or none.
///
/// # Errors
/// `content_coding` for another coding and for damaged data, `body_too_large`, `body_cut_short`.
pub(crate) fn content(body: Vec<u8>, codings: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
    let mut body = body;
    // The last coding was applied last.
    for coding in codings.rsplit(',').map(str::trim) {
        if coding.is_empty() || coding.eq_ignore_ascii_case("identity") || body.is_empty() {
            continue;
        }
        let mut text = Vec::new();
        let mut left = limit;
        let is_gzip = ["gzip", "x-gzip"].iter().any(|name| coding.eq_ignore_ascii_case(name));
        let inflated = if is_gzip {
            copy(&mut MultiGzDecoder::new(Cursor::new(body)), &mut text, &mut left, limit)
        } else if !coding.eq_ignore_ascii_case("deflate") {
            return Err(unknown_coding(coding));
        } else if is_zlib(&body) {
            copy(&mut ZlibDecoder::new(Cursor::new(body)), &mut text, &mut left, limit)
        } else {
            copy(&mut DeflateDecoder::new(Cursor::new(body)), &mut text, &mut left, limit)
        };
        inflated.map_err(|error| in_response(error, coding, limit))?;
        body = text;
    }
    Ok(body)
}

/// Whether the data begin with a zlib header (RFC 1950). Some servers send `deflate` without it.
fn is_zlib(bytes: &[u8]) -> bool {
    bytes.first_chunk::<2>().is_some_and(|head| head[0] & 0x0f == 8 && u16::from_be_bytes(*head) % 31 == 0)
}

fn unknown_coding(coding: &str) -> SourceError {
    let is_plain = coding.len() <= 16 && coding.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let shown = if is_plain { coding } else { "a text that is not shown" };
    let message =
        format!("the response has the content coding `{shown}`, which motcua did not ask for and cannot decode");
    SourceError::new(ErrorKind::ContentCoding, message)
}

/// The error of decompressing a body, in the words for responses.
fn in_response(error: SourceError, coding: &str, limit: u64) -> SourceError {
    match error.kind {
        ErrorKind::ExpandsTooFar => {
            SourceError::new(ErrorKind::BodyTooLarge, format!("the response body is longer than {limit} bytes"))
        }
        ErrorKind::FileDamaged => SourceError::new(
            ErrorKind::ContentCoding,
            format!("the body is not `{coding}`, which `Content-Encoding` names"),
        ),
        _ => error,
    }
}

/// Decompresses the parts of a workbook that hold cells into an archive of uncompressed parts. Each part is
/// decompressed once, within the limit; the workbook reader then decompresses nothing.
///
/// # Errors
/// `file_encrypted`, `not_a_workbook`, `body_cut_short`, `expands_too_far`, `file_damaged`.
pub(crate) fn workbook(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, SourceError> {
    if bytes.starts_with(COMPOUND_FILE) {
        let stream: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return Err(if bytes.windows(stream.len()).any(|window| window == stream) {
            SourceError::new(ErrorKind::FileEncrypted, "the workbook is protected by a password")
        } else {
            SourceError::new(ErrorKind::NotAWorkbook, "the file is not XLSX; it may be an older `.xls`")
        });
    }
    if !bytes.starts_with(b"PK") {
        return Err(SourceError::new(ErrorKind::NotAWorkbook, "the file is not XLSX"));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| {
        SourceError::new(ErrorKind::BodyCutShort, "the list of parts at the end of the workbook is missing")
    })?;
    if archive.len() > MAX_PARTS {
        return Err(damaged(format!("the workbook has more than {MAX_PARTS} parts")));
    }
    if let Some(format) = foreign_format::of_archive(archive.file_names().filter_map(Result::ok)) {
        return Err(SourceError::new(ErrorKind::NotAWorkbook, format!("the file is {format}")));
    }
    // The declared size is used, up to the limit, as the capacity of the buffer only.
    let hint = archive.decompressed_size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0).min(limit);
    let mut stored = ZipWriter::new(Cursor::new(Vec::with_capacity(usize::try_from(hint).unwrap_or(0))));
    let mut left = limit;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(why) if why.contains("assword") => {
                SourceError::new(ErrorKind::FileEncrypted, "a part of the workbook is protected by a password")
            }
            _ => damaged(format!("part {} of the workbook cannot be read", index + 1)),
        })?;
        let name = part
            .name()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| damaged(format!("part {} has no name", index + 1)))?;
        if !has_cells(&name) {
            continue;
        }
        let place = || format!("part {} of the workbook", index + 1);
        let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(false);
        stored.start_file(name, plain).map_err(|_| damaged(format!("{} has no usable name", place())))?;
        copy(&mut part, &mut stored, &mut left, limit).map_err(|error| error.on(place()))?;
    }
    drop(archive);
    let stored = stored.finish().map_err(|_| damaged("the workbook's parts cannot be written to an archive"))?;
    Ok(stored.into_inner())
}

/// Whether a part may be needed to read cells; pictures, drawings, charts and the like are not.
fn has_cells(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let other =
        ["xl/media/", "xl/drawings/", "xl/charts/", "xl/theme/", "xl/pivot", "xl/calcchain", "docprops/", "customxml/"];
    matches!(ending, "xml" | "rels") && !other.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn packed(bytes: usize) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&vec![b' '; bytes]).expect("memory takes all");
        packed.finish().expect("memory takes all")
    }

    fn archive(files: &[&str]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for name in files {
            archive.start_file(*name, SimpleFileOptions::default()).expect("a name");
            archive.write_all(name.as_bytes()).expect("memory takes all");
        }
        archive.finish().expect("memory takes all").into_inner()
    }

    /// The archive with an end in the form ZIP64, which large archives have.
    fn as_zip64(archive: &[u8]) -> Vec<u8> {
        let (files, end) = archive.split_at(archive.len() - 22);
        let number = |from: usize, bytes: usize| {
            let read = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
            end[from..from + bytes].iter().rev().fold(0, read).to_le_bytes()
        };
        let mut zip64 = files.to_vec();
        zip64.extend(b"PK\x06\x06".iter().chain(&44_u64.to_le_bytes()).chain(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        for place in [(8, 2), (10, 2), (12, 4), (16, 4)] {
            zip64.extend(number(place.0, place.1));
        }
        zip64.extend(
            b"PK\x06\x07".iter().chain(&[0; 4]).chain(&(files.len() as u64).to_le_bytes()).chain(&[1, 0, 0, 0]),
        );
        zip64.extend(b"PK\x05\x06".iter().chain(&[0; 4]).chain(&[0xff; 12]).chain(&[0, 0]));
        zip64
    }

    #[test]
    fn zip64_archives_are_read() {
        let mut large = ZipWriter::new(Cursor::new(Vec::new()));
        large.start_file("list.csv", SimpleFileOptions::default().large_file(true)).expect("a name");
        large.write_all(b"list.csv").expect("memory takes all");
        let large = large.finish().expect("memory takes all").into_inner();
        for bytes in [&large, &as_zip64(&large), &as_zip64(&archive(&["list.csv"]))] {
            assert_eq!(only_file(bytes.clone(), 100).as_deref(), Ok(b"list.csv".as_slice()));
        }
        let kind = |bytes: Vec<u8>| only_file(bytes, 100).map_err(|error| error.kind);
        assert_eq!(kind(as_zip64(&archive(&["a.csv", "b.csv"]))), Err(ErrorKind::FileDamaged));
        assert_eq!(kind([archive(&["a.csv"]), as_zip64(&large)].concat()), Err(ErrorKind::FileDamaged));
        let parts = archive(&["[Content_Types].xml", "xl/workbook.xml"]);
        assert_eq!(workbook(as_zip64(&parts), 1_000), workbook(parts, 1_000));
    }

    #[test]
    fn an_archive_of_one_file_is_that_file() {
        for files in [&["list.csv"][..], &["folder/", "folder/list.csv"], &["list.csv", "__MACOSX/._list.csv"]] {
            let wanted = files.iter().find(|name| name.ends_with("list.csv")).expect("the file");
            assert_eq!(only_file(archive(files), 100).as_deref(), Ok(wanted.as_bytes()), "{files:?}");
        }
        let workbook = archive(&["[Content_Types].xml", "xl/workbook.xml"]);
        assert_eq!(only_file(workbook.clone(), 100), Ok(workbook));
        let kind = |bytes: Vec<u8>, limit| only_file(bytes, limit).map_err(|error| error.kind);
        assert_eq!(kind(archive(&["a.csv", "b.csv"]), 100), Err(ErrorKind::FileDamaged));
        assert_eq!(kind(archive(&[]), 100), Ok(archive(&[])));
        assert_eq!(kind(archive(&["list.csv"]), 7), Err(ErrorKind::ExpandsTooFar));
        // What would be left out without a word: the first of two archives, a file beside one of the system.
        let two = [archive(&["a.csv"]), archive(&["b.csv"])].concat();
        assert_eq!(kind(two, 100), Err(ErrorKind::FileDamaged));
        assert_eq!(kind(archive(&["list.csv", "__MACOSX/real.csv"]), 100), Err(ErrorKind::FileDamaged));
        let mut same = archive(&["a.csv", "b.csv"]);
        while let Some(at) = memchr::memmem::find(&same, b"b.csv") {
            same[at] = b'a';
        }
        assert_eq!(kind(same, 100), Err(ErrorKind::FileDamaged));
        let whole = archive(&["list.csv"]);
        assert_eq!(kind(whole[..whole.len() - 4].to_vec(), 100), Err(ErrorKind::BodyCutShort));
    }

    #[test]
    fn a_body_is_decompressed_by_the_codings_that_its_response_names() {
        let text = b"[{\"id\":\"a\"}]".repeat(50);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&text).expect("memory takes all");
        let zlib = zlib.finish().expect("memory takes all");
        let compressed = |part: &[u8]| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(part).expect("memory takes all");
            gzip.finish().expect("memory takes all")
        };
        let gzip = compressed(&text);
        let (first, second) = text.split_at(text.len() / 2);
        let raw = zlib[2..zlib.len() - 4].to_vec();
        let mut twice = GzEncoder::new(Vec::new(), Compression::fast());
        twice.write_all(&zlib).expect("memory takes all");
        let twice = twice.finish().expect("memory takes all");
        for (body, coding, expected) in [
            (text.clone(), "identity", Ok(text.clone())),
            (text.clone(), "", Ok(text.clone())),
            (gzip.clone(), "x-gzip", Ok(text.clone())),
            // Several members are one body (RFC 1952 §2.2).
            ([compressed(first), compressed(second)].concat(), "gzip", Ok(text.clone())),
            (gzip.clone(), "GZIP", Ok(text.clone())),
            (zlib.clone(), "deflate", Ok(text.clone())),
            (raw, "Deflate", Ok(text.clone())),
            (twice, "deflate, gzip", Ok(text.clone())),
            (Vec::new(), "x-gzip", Ok(Vec::new())),
            (text.clone(), "br", Err(ErrorKind::ContentCoding)),
            (text.clone(), "zstd", Err(ErrorKind::ContentCoding)),
            (text.clone(), "x-gzip", Err(ErrorKind::ContentCoding)),
            (gzip[..gzip.len() / 2].to_vec(), "x-gzip", Err(ErrorKind::BodyCutShort)),
            (packed(2_000), "x-gzip", Err(ErrorKind::BodyTooLarge)),
        ] {
            assert_eq!(content(body, coding, 1_000).map_err(|error| error.kind), expected, "{coding}");
        }
        let named = content(text.clone(), "br", 1_000).expect_err("not decoded").message;
        assert!(named.contains("`br`"), "{named}");
        let hidden = content(text, "Nguyen Van A", 1_000).expect_err("not decoded").message;
        assert!(!hidden.contains("Nguyen"), "{hidden}");
    }

    #[test]
    fn a_gzip_file_is_decompressed_up_to_the_limit() {
        let one = packed(1 << 20);
        assert_eq!(gzip(one.clone(), 1 << 20).map(|text| text.len()), Ok(1 << 20));
        // Concatenated gzip members are one file: a thousand of them decompress to a gigabyte.
        for (bytes, limit, kind) in [
            (one.repeat(1000), 8 << 20, ErrorKind::ExpandsTooFar),
            (one.clone(), (1 << 20) - 1, ErrorKind::ExpandsTooFar),
            (one[..one.len() / 2].to_vec(), 8 << 20, ErrorKind::BodyCutShort),
            (one[..one.len() - 4].to_vec(), 8 << 20, ErrorKind::BodyCutShort),
            ([&one[..10], &[0xff; 100]].concat(), 8 << 20, ErrorKind::FileDamaged),
        ] {
            assert_eq!(gzip(bytes, limit).map_err(|error| error.kind).map(|text| text.len()), Err(kind));
        }
    }
}
