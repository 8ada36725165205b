//! `published/README.md`: for people who find the folder, what lies in it, and how to get what an earlier night has no file
//! of. Its last line is the digest of those above.
#![expect(clippy::disallowed_methods, reason = "edge: the description of the published files is written and read here")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::error::{PublishedFilesError, file_error};
use crate::model::checked_file::CheckedFile;
use crate::{digests, durable};

const README: &str = "README.md";
const TEXT: &str = include_str!("published-readme.md");
/// What stands around the digest in the last line: a comment of Markdown.
const BEFORE_DIGEST: &str = "\n<!-- ";
const AFTER_DIGEST: &str = " -->\n";

/// Writes the file, unless it is there as it is written now.
pub(super) fn write(published: &Path) -> Result<(), PublishedFilesError> {
    let (path, text) = (published.join(README), with_digest(TEXT));
    if fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    Ok(durable::replace(&path, "describe the published files", |out| out.write_all(text.as_bytes()))?)
}

/// Compares the file with its digest. `None` if there is no file: the next night writes it.
pub(super) fn check(published: &Path) -> Result<Option<CheckedFile>, PublishedFilesError> {
    let path = published.join(README);
    if !path.exists() {
        return Ok(None);
    }
    let content = fs::read(&path).map_err(file_error("read", &path))?;
    let bytes = content.len() as u64;
    Ok(Some(if is_whole(&content) {
        CheckedFile::whole(path, bytes, true)
    } else {
        CheckedFile::damaged(path, bytes, "does not match the digest in its last line")
    }))
}

fn with_digest(text: &str) -> String {
    format!("{text}{BEFORE_DIGEST}{}{AFTER_DIGEST}", digests::of_bytes(text.as_bytes()))
}

/// Whether a content is a text with its digest, whichever version wrote it.
fn is_whole(content: &[u8]) -> bool {
    let text = std::str::from_utf8(content).ok().and_then(|content| content.rsplit_once(BEFORE_DIGEST));
    text.is_some_and(|(text, _)| with_digest(text).as_bytes() == content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_written_once_and_every_flipped_bit_of_it_is_found() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        assert!(check(folder.path()).expect("it can be looked at").is_none());
        write(folder.path()).expect("the folder is writable");
        let path = folder.path().join(README);
        let whole = fs::read(&path).expect("it was written");
        assert!(is_whole(&whole));
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_whole(&flipped), "bit {bit}");
        }
        fs::write(&path, "notes of a person").expect("the folder is writable");
        let found = check(folder.path()).expect("it can be read").expect("it is there");
        assert!(!found.state.is_fine());
        write(folder.path()).expect("the folder is writable");
        assert_eq!(fs::read(&path).expect("it is there"), whole, "it is written again");
    }
}
