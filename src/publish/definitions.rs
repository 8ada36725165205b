//! `<data>/definitions/`: the texts that decide figures (indicators, rule sets, registries, calendar), each in a file
//! named after its SHA-256 digest. A night names the digests of its texts, so that its figures can be explained and
//! computed again.
#![expect(clippy::disallowed_methods, reason = "edge: texts of definitions are written and read here")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{PublishedFilesError, file_error};
use super::nights::NightRecord;
use crate::durable;
use crate::rights;

/// The folder of the texts in a data folder.
pub(super) const DEFINITIONS: &str = "definitions";

/// SHA-256 of a text: the name of its file.
pub(super) fn digest_of(text: &[u8]) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// Stores the texts of `sources` (name → text) that are not stored yet, and again those whose file is damaged. Returns
/// their digests by name.
pub fn store_definitions(
    data: &Path,
    sources: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, PublishedFilesError> {
    let folder = data.join(DEFINITIONS);
    rights::create_folder(&folder).map_err(file_error("create", &folder))?;
    let (mut digests, mut is_any_new) = (BTreeMap::new(), false);
    for (name, text) in sources {
        let digest = digest_of(text.as_bytes());
        let path = folder.join(&digest);
        let stored = stored(&path)?;
        if stored.as_ref().is_some_and(|stored| stored != text.as_bytes()) {
            tracing::warn!(name, path = %path.display(), "a stored definition was damaged: written again. Check the health of the disk");
        }
        if stored.is_none_or(|stored| stored != text.as_bytes()) {
            durable::replace_one_of_many(&path, "keep a definition", |out| out.write_all(text.as_bytes()))?;
            is_any_new = true;
        }
        digests.insert(name.clone(), digest);
    }
    if is_any_new {
        durable::sync(&folder)?;
    }
    Ok(digests)
}

/// The content of a stored definition; `None` if it is not stored.
fn stored(path: &Path) -> Result<Option<Vec<u8>>, PublishedFilesError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error("read", path)(error)),
    }
}

/// The texts that decided a night's figures, by name.
///
/// # Errors
/// A text that is not stored any more, or that does not match its digest.
pub fn read_definitions(data: &Path, record: &NightRecord) -> Result<BTreeMap<String, String>, PublishedFilesError> {
    let folder = data.join(DEFINITIONS);
    let mut texts = BTreeMap::new();
    for (name, expected) in &record.sources {
        let path = folder.join(expected);
        let text = fs::read_to_string(&path).map_err(file_error("read", &path))?;
        if digest_of(text.as_bytes()) != *expected {
            let what = format!("it should hold `{name}`, but its content does not match the digest in its name");
            return Err(PublishedFilesError::Damaged { path, what });
        }
        texts.insert(name.clone(), text);
    }
    Ok(texts)
}
