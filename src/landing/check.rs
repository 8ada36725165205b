//! Checks the files of a landed pull against their digests. Nothing is changed.
#![expect(clippy::disallowed_methods, reason = "edge: landed files are compared with their digests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::digests::{self, Seal};
use crate::landing::error::{LandingError, io};
use crate::landing::retention::LandedFolder;
use crate::model::checked_file::CheckedFile;
use crate::model::pull::Certificate;

const CERTIFICATE: &str = "certificate.json";

/// Checks every file of a landed pull: documents against their own digests, pages against the certificate. Of
/// a pull without a certificate, the pages have a checksum of their own.
pub fn check(pull: &LandedFolder) -> Result<Vec<CheckedFile>, LandingError> {
    let mut checked = Vec::new();
    let mut pages = Pages::WithoutCertificate;
    let entries = fs::read_dir(&pull.folder).map_err(io("list", &pull.folder))?;
    let mut files: BTreeMap<String, PathBuf> =
        entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
    files.retain(|name, path| !name.ends_with(".partial") && path.is_file());
    // The certificate, the plan, and the positions of an open pull.
    let documents: Vec<String> = files.keys().filter(|name| is_document(name)).cloned().collect();
    for name in documents {
        let Some(path) = files.remove(&name) else { continue };
        let text = fs::read(&path).map_err(io("read", &path))?;
        if name == CERTIFICATE {
            pages = Pages::of(&text);
        }
        checked.push(match digests::check(&text) {
            Ok(seal) => CheckedFile::whole(path, text.len() as u64, seal == Seal::Whole),
            Err(what) => CheckedFile::damaged(path, text.len() as u64, what),
        });
    }
    if let Pages::Certified(digests) = &pages {
        let missing = digests.keys().filter(|name| !files.contains_key(*name));
        checked.extend(missing.map(|name| CheckedFile::missing(pull.folder.join(name))));
    }
    for (name, path) in files {
        checked.push(check_page(&name, &path, &pages)?);
    }
    Ok(checked)
}

/// Whether a file of a landed pull is no page.
fn is_document(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "json")
}

/// What is known of the pages of a pull.
enum Pages {
    /// Digest by file name.
    Certified(BTreeMap<String, String>),
    /// The certificate is damaged.
    Unknown,
    WithoutCertificate,
}

impl Pages {
    fn of(certificate: &[u8]) -> Self {
        let Ok((certificate, _)) = digests::unsealed::<Certificate>(certificate) else { return Self::Unknown };
        let digest =
            |page: crate::model::pull::LandedPage| (format!("{:06}.ndjson.zst", page.number), page.landed_digest);
        Self::Certified(certificate.pages.into_iter().map(digest).collect())
    }
}

fn check_page(name: &str, path: &Path, pages: &Pages) -> Result<CheckedFile, LandingError> {
    let packed = fs::read(path).map_err(io("read", path))?;
    let (path, bytes) = (path.to_owned(), packed.len() as u64);
    Ok(match pages {
        Pages::Certified(digests) => match digests.get(name) {
            Some(digest) if format!("{:x}", Sha256::digest(&packed)) == *digest => {
                CheckedFile::whole(path, bytes, true)
            }
            Some(_) => CheckedFile::damaged(path, bytes, "does not match the digest in the certificate of its pull"),
            // A page that the certificate does not name belongs to no pull.
            None => CheckedFile::whole(path, bytes, false),
        },
        Pages::Unknown => CheckedFile::whole(path, bytes, false),
        Pages::WithoutCertificate => match zstd::stream::decode_all(packed.as_slice()) {
            Ok(_) => CheckedFile::whole(path, bytes, has_checksum(&packed)),
            Err(error) => CheckedFile::damaged(path, bytes, format!("cannot be decompressed: {error}")),
        },
    })
}

/// Whether a zstd frame ends with a checksum of its content (RFC 8878, 3.1.1.1.1).
fn has_checksum(packed: &[u8]) -> bool {
    packed.get(4).is_some_and(|descriptor| descriptor & 0b100 != 0)
}
