//! Converts a CSV file or a JSON text to UTF-8: decompresses gzip (recognised by its first bytes), then decodes the encoding.

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization;

use crate::model::connector::Encoding;
use crate::sources::decode::{inflate, tcvn3};
use crate::sources::error::{ErrorKind, SourceError};

/// Stands in the text for a unit that cannot be decoded: as long as U+FFFD, and not UTF-8.
const UNDECODABLE: [u8; 3] = [0xff; 3];
/// If one unit in fewer than this many cannot be decoded, the file has another encoding.
const MIN_UNITS_PER_UNDECODABLE: usize = 20;

/// The text of a file in UTF-8, at most `limit` bytes. A file in UTF-8 is returned unchanged, with its byte order mark,
/// and is not validated. Of a UTF-16 file, single units that cannot be decoded become bytes that are not UTF-8.
///
/// # Errors
/// `not_utf8`, `wrong_encoding`, `body_cut_short`, `expands_too_far`; for a gzip file also `file_damaged`.
pub(crate) fn text_of(mut bytes: Vec<u8>, encoding: Encoding, limit: u64) -> Result<Vec<u8>, SourceError> {
    if bytes.starts_with(b"\x1f\x8b") {
        bytes = inflate::gzip(bytes, limit)?;
    }
    // The end mark of DOS, as one byte behind the two-byte units of UTF-16.
    if bytes.len() % 2 == 1 && bytes.last() == Some(&0x1a) {
        bytes.pop();
    }
    let mark = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        _ => None,
    };
    // A byte order mark takes precedence over encodings that have none: `encoding` then applies to the other files.
    let has_no_mark = matches!(encoding, Encoding::Windows1252 | Encoding::Windows1258 | Encoding::Tcvn3);
    let encoding = if has_no_mark && mark.is_some() { Encoding::Auto } else { encoding };
    if let (Encoding::Auto | Encoding::Utf8, None, Some(likely)) = (encoding, mark, utf_16_without_mark(&bytes)) {
        let message = format!("the file looks like {} without a byte order mark: set `decode.encoding`", name(likely));
        return Err(SourceError::new(ErrorKind::WrongEncoding, message));
    }
    match (encoding, mark) {
        (Encoding::Auto | Encoding::Utf8, None | Some(Encoding::Utf8)) => Ok(bytes),
        (Encoding::Utf8, Some(_)) => Err(SourceError::new(ErrorKind::NotUtf8, "the file is UTF-16")),
        (Encoding::Auto | Encoding::Utf16Le, Some(Encoding::Utf16Le)) => decode(&bytes[2..], UTF_16LE, limit),
        (Encoding::Auto | Encoding::Utf16Be, Some(Encoding::Utf16Be)) => decode(&bytes[2..], UTF_16BE, limit),
        (Encoding::Utf16Le, None) => decode(&bytes, UTF_16LE, limit),
        (Encoding::Utf16Be, None) => decode(&bytes, UTF_16BE, limit),
        (Encoding::Windows1252, None) => decode(&bytes, WINDOWS_1252, limit),
        (Encoding::Tcvn3, None) => {
            let text = tcvn3::decode(&bytes, &UNDECODABLE);
            if text.len() as u64 > limit { Err(inflate::expands_too_far(limit)) } else { Ok(text) }
        }
        (Encoding::Windows1258, None) => {
            let text = decode(&bytes, WINDOWS_1258, limit)?;
            drop(bytes);
            let text = String::from_utf8(text).expect("decoded text is UTF-8");
            Ok(text.nfc().collect::<String>().into_bytes())
        }
        (_, Some(mark)) => {
            let message = format!("the file's byte order mark is that of {}", name(mark));
            Err(SourceError::new(ErrorKind::WrongEncoding, message))
        }
    }
}

/// The byte order of a text whose beginning has a NUL in most of its two-byte units, always on one side: letters and
/// digits have one in UTF-16.
fn utf_16_without_mark(bytes: &[u8]) -> Option<Encoding> {
    let units = bytes[..bytes.len().min(128)].chunks_exact(2);
    let needed = units.len() / 2;
    let count = |at: usize| units.clone().filter(|unit| unit[at] == 0 && unit[1 - at] != 0).count();
    match (count(0), count(1)) {
        (0, low) if low > needed => Some(Encoding::Utf16Le),
        (high, 0) if high > needed => Some(Encoding::Utf16Be),
        _ => None,
    }
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Auto | Encoding::Utf8 => "UTF-8",
        Encoding::Utf16Le => "UTF-16LE",
        Encoding::Utf16Be => "UTF-16BE",
        Encoding::Windows1252 => "Windows-1252",
        Encoding::Windows1258 => "Windows-1258",
        Encoding::Tcvn3 => "TCVN3",
    }
}

/// Decodes bytes without a byte order mark to at most `limit` bytes of UTF-8. Where a unit cannot be decoded (the half of
/// a letter outside the basic plane, which programs that shorten texts leave behind), the text has bytes that are not
/// UTF-8, so that only its own cell is affected.
fn decode(bytes: &[u8], encoding: &'static encoding_rs::Encoding, limit: u64) -> Result<Vec<u8>, SourceError> {
    let max_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let needed = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(usize::MAX);
    let mut text = String::with_capacity(needed.min(max_bytes.saturating_add(4)));
    let (mut at, mut undecodable) = (0, Vec::new());
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, true);
        at += read;
        match result {
            DecoderResult::InputEmpty if text.len() <= max_bytes => break,
            DecoderResult::InputEmpty | DecoderResult::OutputFull => return Err(inflate::expands_too_far(limit)),
            // Half of a two-byte unit at the end.
            DecoderResult::Malformed(..) if at == bytes.len() && bytes.len() % 2 == 1 => {
                let message = format!("the file ends inside a {} character", encoding.name());
                return Err(SourceError::new(ErrorKind::BodyCutShort, message));
            }
            DecoderResult::Malformed(..) if (undecodable.len() + 1) * MIN_UNITS_PER_UNDECODABLE > bytes.len() / 2 => {
                let message = format!("byte {at} of the file is not {}", encoding.name());
                return Err(SourceError::new(ErrorKind::WrongEncoding, message));
            }
            DecoderResult::Malformed(..) if text.len() + UNDECODABLE.len() > max_bytes => {
                return Err(inflate::expands_too_far(limit));
            }
            DecoderResult::Malformed(..) => {
                undecodable.push(text.len());
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
    let mut text = text.into_bytes();
    for at in undecodable {
        text[at..at + UNDECODABLE.len()].copy_from_slice(&UNDECODABLE);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    fn read(bytes: &[u8], encoding: Encoding) -> Result<String, ErrorKind> {
        text_of(bytes.to_vec(), encoding, 1000)
            .map(|text| String::from_utf8(text).expect("UTF-8"))
            .map_err(|error| error.kind)
    }

    #[test]
    fn the_byte_order_mark_or_the_connector_decides_the_encoding() {
        let text = "Mã hồ sơ";
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Auto),
            (text.as_bytes().to_vec(), Encoding::Utf8),
            ([b"\xff\xfe".as_slice(), &utf16(text, false)].concat(), Encoding::Auto),
            ([b"\xfe\xff".as_slice(), &utf16(text, true)].concat(), Encoding::Auto),
            ([b"\xff\xfe".as_slice(), &utf16(text, false)].concat(), Encoding::Utf16Le),
            (utf16(text, false), Encoding::Utf16Le),
            (utf16(text, true), Encoding::Utf16Be),
            // Code page 1258: ã is a and a tilde (DE); ồ is ô (F4) and a grave (CC); ơ is F5.
            (b"Ma\xde h\xf4\xcc s\xf5".to_vec(), Encoding::Windows1258),
            (b"M\xb7 h\xe5 s\xac".to_vec(), Encoding::Tcvn3),
        ] {
            assert_eq!(read(&bytes, encoding).as_deref(), Ok(text), "{encoding:?}");
        }
    }

    #[test]
    fn utf_16_without_a_mark_is_named() {
        for big in [false, true] {
            let error = text_of(utf16("Mã hồ sơ;Ghi chú;Ngày nhận", big), Encoding::Auto, 1000).expect_err("no mark");
            let named = format!("UTF-16{} without a byte order mark", if big { "BE" } else { "LE" });
            assert_eq!((error.kind, error.message.contains(&named)), (ErrorKind::WrongEncoding, true), "{error}");
        }
        assert_eq!(read(&[b'a', 0, 0, 0, 0, 0, b'b', 0], Encoding::Auto).as_deref(), Ok("a\0\0\0\0\0b\0"));
    }

    #[test]
    fn half_a_letter_of_utf_16_spoils_only_its_place() {
        let halved = |big: bool| {
            let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let half = unit(0xd83d);
            [
                utf16("Mã hồ sơ;Ghi chú của cán bộ\nHS-0001;", big),
                half.to_vec(),
                utf16("\nHS-0002;x", big),
                half.to_vec(),
            ]
            .concat()
        };
        let expected = [b"\nHS-0001;\xff\xff\xff\nHS-0002;x\xff\xff\xff".as_slice()].concat();
        for (bytes, encoding) in [
            ([b"\xff\xfe".as_slice(), &halved(false)].concat(), Encoding::Auto),
            (halved(true), Encoding::Utf16Be),
            ([halved(false).as_slice(), b"\x1a"].concat(), Encoding::Utf16Le),
        ] {
            let text = text_of(bytes, encoding, 1000).expect("most of it can be decoded");
            assert!(text.ends_with(&expected), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn bytes_of_another_encoding_are_an_error() {
        for (bytes, encoding, kind) in [
            (b"\xff\xfeS\0".as_slice(), Encoding::Utf8, ErrorKind::NotUtf8),
            (b"\xff\xfeS\0T", Encoding::Auto, ErrorKind::BodyCutShort),
            (b"\xff\xfeS\0\0\xd8S\0", Encoding::Auto, ErrorKind::WrongEncoding),
            (&[b'a'; 2000], Encoding::Windows1258, ErrorKind::ExpandsTooFar),
        ] {
            assert_eq!(read(bytes, encoding), Err(kind), "{encoding:?}");
        }
    }
}
