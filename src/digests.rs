//! Digests of stored files and documents: made when they are written, compared when they are read.
//!
//! They find damage: flipped bits, lost and exchanged blocks. They are no protection against forgery. XXH3 with 128 bits
//! reads several gigabytes per CPU-second, so that every file is read once more before it is used
//! (docs/decisions/0011).
#![expect(clippy::disallowed_methods, reason = "edge: stored files are read to compare their digests")]

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Low, because what is compressed is read at most once.
const ZSTD_LEVEL: i32 = 1;
/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 20;
/// First part of every digest: the name of its hash.
const HASH: &str = "xxh3:";
/// Length of a digest in bytes: [`HASH`] and 32 hexadecimal digits.
const DIGEST_BYTES: usize = HASH.len() + 32;
/// What stands between the text of a sealed document and its digest.
const BEFORE_DIGEST: &str = ",\n  \"document_digest\": \"";
/// What follows the digest of a sealed document.
const AFTER_DIGEST: &str = "\"\n}";

/// Digest of bytes, `xxh3:` and 32 hexadecimal digits.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    shown(xxh3_128(bytes))
}

/// Digest of a file, and its size in bytes.
pub(crate) fn of_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes, mut buffer) = (Xxh3::new(), 0, vec![0; BUFFER_BYTES]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((shown(hash.digest128()), bytes)),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Compresses bytes that are read back rarely, with a checksum of their content: of what no other record names a digest,
/// it shows whether it is as it was written. `zstd::stream::decode_all` compares it.
pub(crate) fn compressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    compressor.include_checksum(true)?;
    compressor.compress(bytes)
}

fn shown(hash: u128) -> String {
    format!("{HASH}{hash:032x}")
}

/// A document that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seal {
    /// Its digest matched.
    Whole,
    /// Written by a motcua before documents had a digest.
    Absent,
}

/// JSON text of a document, an object, with the digest of the text before it as the last field.
pub(crate) fn sealed<T: Serialize>(document: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(document).expect("a document is plain data");
    debug_assert!(text.ends_with(b"\n}"), "a document is an object with fields");
    text.truncate(text.len().saturating_sub(2));
    let digest = of_bytes(&text);
    for part in [BEFORE_DIGEST, &digest, AFTER_DIGEST] {
        text.extend_from_slice(part.as_bytes());
    }
    text
}

/// Reads a document that [`sealed`] wrote, or one without a digest. The error says what is wrong with it.
pub(crate) fn unsealed<T: DeserializeOwned>(text: &[u8]) -> Result<(T, Seal), String> {
    let seal = check(text)?;
    let document = serde_json::from_slice(text).map_err(|error| format!("it cannot be read: {error}"))?;
    Ok((document, seal))
}

/// Compares the text of a document with its digest.
pub(crate) fn check(text: &[u8]) -> Result<Seal, String> {
    let damaged = || Err("it does not match its digest".to_owned());
    let Some(at) = text.len().checked_sub(BEFORE_DIGEST.len() + DIGEST_BYTES + AFTER_DIGEST.len()) else {
        return Ok(Seal::Absent);
    };
    let (text, end) = text.split_at(at);
    let (before, rest) = end.split_at(BEFORE_DIGEST.len());
    let (digest, after) = rest.split_at(DIGEST_BYTES);
    let parts =
        [before == BEFORE_DIGEST.as_bytes(), digest.starts_with(HASH.as_bytes()), after == AFTER_DIGEST.as_bytes()];
    match parts {
        [true, true, true] if digest == of_bytes(text).as_bytes() => Ok(Seal::Whole),
        // A document without a digest has none of the parts in these places; one flipped bit leaves two of them.
        [_, false, _] if !parts[0] => Ok(Seal::Absent),
        _ => damaged(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn document() -> BTreeMap<String, u64> {
        BTreeMap::from([("run".to_owned(), 42), ("rows".to_owned(), u64::MAX)])
    }

    #[test]
    fn a_sealed_document_is_json_and_every_flipped_bit_of_it_is_found() {
        let text = sealed(&document());
        let value: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
        assert_eq!(value["run"], 42);
        assert_eq!(value["document_digest"].as_str().map(str::len), Some(DIGEST_BYTES));
        let plain: BTreeMap<String, serde_json::Value> = unsealed(&text).expect("it is whole").0;
        assert_eq!(plain["rows"], u64::MAX);
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&flipped).is_err(), "bit {bit} of {}", String::from_utf8_lossy(&text));
        }
        for length in 0..text.len() {
            assert_ne!(check(&text[..length]), Ok(Seal::Whole), "cut after {length} bytes");
        }
    }

    #[test]
    fn a_document_without_a_digest_is_read() {
        for text in ["{}", "{\n  \"run\": 42\n}", &format!("{{\n  \"origin\": \"{}\"\n}}", "x".repeat(200))] {
            assert_eq!(check(text.as_bytes()), Ok(Seal::Absent), "{text}");
        }
        let text = serde_json::to_vec_pretty(&document()).expect("plain data");
        assert_eq!(unsealed::<BTreeMap<String, u64>>(&text), Ok((document(), Seal::Absent)));
    }

    #[test]
    fn a_file_has_the_digest_of_its_bytes() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let path = folder.path().join("data");
        for length in [0, 1, BUFFER_BYTES, BUFFER_BYTES + 1] {
            let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
            std::fs::write(&path, &bytes).expect("the folder is writable");
            assert_eq!(of_file(&path).expect("it can be read"), (of_bytes(&bytes), length as u64));
        }
    }

    #[test]
    fn a_digest_names_its_hash_and_never_changes() {
        // XXH3 with 128 bits of no bytes, as its specification lists it.
        assert_eq!(of_bytes(b""), "xxh3:99aa06d3014798d86001c324468d497f");
    }
}
