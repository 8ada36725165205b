//! Converts a CSV file to UTF-8: decompresses gzip (recognised by its first bytes), then decodes the encoding.

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization;

use crate::model::connector::Encoding;
use crate::sources::decode::inflate;
use crate::sources::error::{ErrorKind, SourceError};

/// The text of a file in UTF-8, at most `limit` bytes. A file in UTF-8 is returned unchanged, with its byte order mark,
/// and is not validated.
///
/// # Errors
/// `not_utf8`, `wrong_encoding`, `body_cut_short`, `expands_too_far`; for a gzip file also `file_damaged`.
pub(crate) fn text_of(mut bytes: Vec<u8>, encoding: Encoding, limit: u64) -> Result<Vec<u8>, SourceError> {
    if bytes.starts_with(b"\x1f\x8b") {
        bytes = inflate::gzip(bytes, limit)?;
    }
    let mark = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        _ => None,
    };
    // A byte order mark takes precedence over Windows-1258, which has none: `encoding` then applies to the other files.
    let encoding = if encoding == Encoding::Windows1258 && mark.is_some() { Encoding::Auto } else { encoding };
    match (encoding, mark) {
        (Encoding::Auto | Encoding::Utf8, None | Some(Encoding::Utf8)) => Ok(bytes),
        (Encoding::Utf8, Some(_)) => Err(SourceError::new(ErrorKind::NotUtf8, "the file is UTF-16")),
        (Encoding::Auto | Encoding::Utf16Le, Some(Encoding::Utf16Le)) => decode(&bytes[2..], UTF_16LE, limit),
        (Encoding::Auto | Encoding::Utf16Be, Some(Encoding::Utf16Be)) => decode(&bytes[2..], UTF_16BE, limit),
        (Encoding::Utf16Le, None) => decode(&bytes, UTF_16LE, limit),
        (Encoding::Utf16Be, None) => decode(&bytes, UTF_16BE, limit),
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

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Auto | Encoding::Utf8 => "UTF-8",
        Encoding::Utf16Le => "UTF-16LE",
        Encoding::Utf16Be => "UTF-16BE",
        Encoding::Windows1258 => "Windows-1258",
    }
}

/// Decodes bytes without a byte order mark to at most `limit` bytes of UTF-8.
fn decode(bytes: &[u8], encoding: &'static encoding_rs::Encoding, limit: u64) -> Result<Vec<u8>, SourceError> {
    let max_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let needed = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(usize::MAX);
    let mut text = String::with_capacity(needed.min(max_bytes.saturating_add(4)));
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        DecoderResult::InputEmpty if text.len() <= max_bytes => Ok(text.into_bytes()),
        DecoderResult::InputEmpty | DecoderResult::OutputFull => Err(inflate::expands_too_far(limit)),
        // Half of a two-byte unit at the end.
        DecoderResult::Malformed(..) if read == bytes.len() && bytes.len() % 2 == 1 => Err(SourceError::new(
            ErrorKind::BodyCutShort,
            format!("the file ends inside a {} character", encoding.name()),
        )),
        DecoderResult::Malformed(..) => {
            let message = format!("byte {read} of the file is not {}", encoding.name());
            Err(SourceError::new(ErrorKind::WrongEncoding, message))
        }
    }
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
        ] {
            assert_eq!(read(&bytes, encoding).as_deref(), Ok(text), "{encoding:?}");
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
