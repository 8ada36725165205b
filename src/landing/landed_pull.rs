//! The landed pages of one pull: writing, reading back, resuming and sealing.
#![expect(clippy::disallowed_methods, reason = "edge: landing is a folder of files")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crash_points::crash_point;
use crate::fields::Readers;
use crate::landing::error::{LandingError, io};
use crate::landing::stored_position::{KnownPosition, PositionDelta, StoredPosition, last_known};
use crate::landing::{position_file, rows};
use crate::model::connector::RequestTemplate;
use crate::model::page::Page;
use crate::model::pull::{Certificate, Cursor, LandedPage, Position, SliceRef};
use crate::{digests, durable, rights};

const CERTIFICATE: &str = "certificate.json";
const PLAN: &str = "plan.json";
/// Ending of the names of pages, after their numbers.
const PAGE_ENDING: &str = ".ndjson.zst";
/// Crash point of every file of a landed pull.
const WRITE: &str = "land a file";

/// First line of a landed page.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    number: u32,
    origin: String,
    body_digest: String,
    fields: Vec<String>,
    #[serde(default)]
    chain: u32,
    #[serde(default)]
    slice: Option<SliceRef>,
    /// Position of the pull after the page; `None` if the pull cannot be resumed from there, if `delta` has it, or if it holds
    /// cursors of the source (`position_file`).
    #[serde(default)]
    position: Option<Position>,
    /// In place of `position`: what differs from the position after an earlier page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delta: Option<PositionDelta>,
}

/// Everything from which a pull was planned, so that it can be resumed. Written before its first page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullPlan {
    /// Digest of what the connector reads (`Connector::digest`): the pages of another one cannot be added to.
    pub connector: String,
    /// Moment of the pull, microseconds UTC.
    pub now: i64,
    pub cursor: Cursor,
    /// Instant column → value for the oldest open dossier, microseconds UTC.
    pub oldest_open: BTreeMap<String, i64>,
    /// Pass that is read from its first date on, because a sweep is due.
    pub whole: Option<String>,
    pub sweep: Option<SliceRef>,
}

/// Folder of the landed pages of one pull.
#[derive(Debug)]
pub struct LandedPull {
    folder: PathBuf,
    /// The page that was written last, and the position after it: the next one is stored by what differs.
    before: Mutex<Option<KnownPosition>>,
}

impl LandedPull {
    #[must_use]
    pub fn new(data: &Path, connector: &str, run: i64) -> Self {
        let folder = data.join("landing").join(connector).join(format!("{run:08}"));
        Self { folder, before: Mutex::default() }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates the folder, empty: pages of an earlier attempt without a certificate are removed.
    pub fn clear(&self) -> Result<(), LandingError> {
        let _crash_point = crash_point("empty a landing folder");
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(io("remove", &self.folder))?;
        }
        rights::create_folder(&self.folder).map_err(io("create", &self.folder))
    }

    /// Writes one page, scrubbed and synced. `position` is the position of the pull after it.
    pub fn write(
        &self,
        page: &Page,
        readers: &Readers,
        position: Option<Position>,
    ) -> Result<LandedPage, LandingError> {
        let path = self.page_path(page.number);
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut plain, mut known) = (None, None);
        if let Some(position) = position {
            if before.is_none() {
                self.remove_from(page.number)?;
            }
            let is_plain = position_file::is_plain(&position);
            // Cursors are removed earlier than pages: a plain position builds on no other.
            let base = before.as_ref().filter(|known| position_file::is_plain(&known.position) == is_plain);
            let stored = StoredPosition::of(&position, base);
            known = Some(KnownPosition::new(page.number, position, &stored));
            if is_plain {
                plain = Some(stored);
            } else {
                // Before the page: a page without its position would be read again.
                position_file::write(&self.folder, page.number, stored)?;
            }
        }
        let (plain, delta) = plain.map_or((None, None), StoredPosition::into_fields);
        let header = Header {
            number: page.number,
            origin: page.origin.clone(),
            body_digest: page.body_digest.clone(),
            fields: page.fields.to_vec(),
            chain: page.chain,
            slice: page.slice.clone(),
            position: plain,
            delta,
        };
        let mut lines = serde_json::to_vec(&header).expect("a header is plain data");
        lines.push(b'\n');
        rows::write_rows(page, readers, &mut lines);
        let packed = digests::compressed(&lines).map_err(io("compress", &path))?;
        durable::replace_one_of_many(&path, WRITE, |out| out.write_all(&packed))?;
        *before = known;
        Ok(LandedPage {
            number: page.number,
            origin: page.origin.clone(),
            rows: page.len() as u64,
            body_digest: page.body_digest.clone(),
            chain: page.chain,
            slice: page.slice.clone(),
            read_by: None,
            landed_digest: format!("{:x}", Sha256::digest(&packed)),
        })
    }

    /// Reads a page and checks its digest against the certificate.
    pub fn read(&self, landed: &LandedPage) -> Result<Page, LandingError> {
        let path = self.page_path(landed.number);
        let packed = fs::read(&path).map_err(io("read", &path))?;
        let damaged = |what: String| LandingError::Damaged { path: path.clone(), what };
        if format!("{:x}", Sha256::digest(&packed)) != landed.landed_digest {
            return Err(damaged("its digest is not the certificate's".to_owned()));
        }
        let mut text = Vec::new();
        zstd::stream::read::Decoder::new(packed.as_slice())
            .and_then(|mut decoder| decoder.read_to_end(&mut text))
            .map_err(|error| damaged(error.to_string()))?;
        let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let header: Header = serde_json::from_slice(lines.next().unwrap_or_default())
            .map_err(|error| damaged(format!("header: {error}")))?;
        let mut page = Page::new(header.number, header.origin, header.body_digest, header.fields.into());
        for line in lines {
            rows::read_row(line, &mut page).map_err(|error| damaged(error.to_string()))?;
        }
        Ok(page)
    }

    /// Writes the plan.
    pub fn write_plan(&self, plan: &PullPlan) -> Result<(), LandingError> {
        let text = digests::sealed(plan);
        Ok(durable::replace_one_of_many(&self.folder.join(PLAN), WRITE, |out| out.write_all(&text))?)
    }

    /// Plan, landed pages in unbroken order, and position after the last of them; `None` if the pull cannot be resumed.
    pub fn resumable(&self) -> Result<Option<(PullPlan, Vec<LandedPage>, Position)>, LandingError> {
        let path = self.folder.join(PLAN);
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        // A damaged plan: the pull is read again from its first page.
        let Ok((plan, _)) = digests::unsealed::<PullPlan>(&text) else { return Ok(None) };
        let (mut pages, mut positions) = (Vec::new(), position_file::read(&self.folder)?);
        for number in 1.. {
            let Ok(packed) = fs::read(self.page_path(number)) else { break };
            let Some((landed, position)) = landed_page(&packed) else { break };
            pages.push(landed);
            positions.extend(position.map(|position| (number, position)));
        }
        // The pull is resumed after the last page whose position is known.
        positions.retain(|page, _| *page as usize <= pages.len());
        Ok(last_known(positions).map(|(page, position)| {
            pages.truncate(page as usize);
            (plan, pages, position)
        }))
    }

    /// Removes the pages from `number` on, and their positions: an earlier process landed them, and the pull goes on before
    /// them. Some of them may be lost. The last ones first, so that what is left is always whole.
    fn remove_from(&self, number: u32) -> Result<(), LandingError> {
        let positions = position_file::files_from(&self.folder, number)?;
        // A page was written after its position, so it goes before it.
        let mut stale: Vec<(u32, bool, PathBuf)> = positions.into_iter().map(|(of, path)| (of, false, path)).collect();
        for entry in fs::read_dir(&self.folder).map_err(io("list", &self.folder))? {
            let path = entry.map_err(io("list", &self.folder))?.path();
            if let Some(of) = page_number(&path).filter(|of| *of >= number) {
                stale.push((of, true, path));
            }
        }
        stale.sort();
        for (.., path) in stale.iter().rev() {
            let _crash_point = crash_point("remove a page that is read again");
            fs::remove_file(path).map_err(io("remove", path))?;
        }
        if stale.is_empty() { Ok(()) } else { Ok(durable::sync(&self.folder)?) }
    }

    /// Makes the pages those of `other`, which has none.
    pub fn move_to(self, other: Self) -> Result<Self, LandingError> {
        other.clear()?;
        let _crash_point = crash_point("move landed pages");
        // In the place of the empty folder.
        fs::rename(&self.folder, &other.folder).map_err(io("move", &other.folder))?;
        durable::sync(other.folder.parent().expect("a pull's folder lies in that of its connector"))?;
        Ok(other)
    }

    /// Links a page that another run landed into this pull, under the same number. `read_by` is that run.
    pub fn adopt(&self, from: &Self, landed: &LandedPage, read_by: i64) -> Result<LandedPage, LandingError> {
        let path = self.page_path(landed.number);
        let _crash_point = crash_point("adopt a landed page");
        fs::hard_link(from.page_path(landed.number), &path).map_err(io("link", &path))?;
        Ok(LandedPage { read_by: Some(landed.first_read(read_by)), ..landed.clone() })
    }

    /// Writes the certificate: from now on the pull can be settled without its source, and its cursors are removed.
    pub fn seal(&self, certificate: &Certificate) -> Result<(), LandingError> {
        let text = digests::sealed(certificate);
        durable::replace(&self.folder.join(CERTIFICATE), WRITE, |out| out.write_all(&text))?;
        self.remove_cursors()
    }

    /// Removes the cursors and addresses of the source that an open pull needs to be resumed.
    pub fn remove_cursors(&self) -> Result<(), LandingError> {
        position_file::remove(&self.folder)
    }

    /// As [`remove_cursors`](Self::remove_cursors) for a pull that failed, which the next run resumes if no cursor can
    /// be personal data.
    pub fn remove_personal_cursors(&self, request: Option<&RequestTemplate>) -> Result<(), LandingError> {
        position_file::remove_personal(&self.folder, request)
    }

    /// Certificate of the pull; `None` if it is not sealed.
    pub fn certificate(&self) -> Result<Option<Certificate>, LandingError> {
        let path = self.folder.join(CERTIFICATE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read(&path).map_err(io("read", &path))?;
        match digests::unsealed(&text) {
            Ok((certificate, _)) => Ok(Some(certificate)),
            Err(what) => Err(LandingError::Damaged { path, what }),
        }
    }

    /// Whether the pull's pages of a content are there. They are not read.
    #[must_use]
    pub fn has_pages_of(&self, body_digest: &str) -> bool {
        let certificate = self.certificate().ok().flatten();
        let pages = certificate.iter().flat_map(|certificate| &certificate.pages);
        let mut pages = pages.filter(|page| page.body_digest == body_digest && !page.is_partial()).peekable();
        pages.peek().is_some() && pages.all(|page| self.page_path(page.number).exists())
    }

    fn page_path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:06}{PAGE_ENDING}"))
    }
}

/// The number of a landed page; `None` for other files.
fn page_number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_suffix(PAGE_ENDING)?.parse().ok()
}

/// Certificate entry and position from the header of a landed page; `None` if the page is damaged.
fn landed_page(packed: &[u8]) -> Option<(LandedPage, Option<StoredPosition>)> {
    let text = zstd::stream::decode_all(packed).ok()?;
    let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let header: Header = serde_json::from_slice(lines.next()?).ok()?;
    let landed = LandedPage {
        number: header.number,
        origin: header.origin,
        rows: lines.count() as u64,
        body_digest: header.body_digest,
        landed_digest: format!("{:x}", Sha256::digest(packed)),
        chain: header.chain,
        slice: header.slice,
        read_by: None,
    };
    Some((landed, StoredPosition::from_fields(header.position, header.delta)))
}

/// Highest run number of any landed pull; 0 if there is none.
pub fn highest_run(data: &Path) -> Result<i64, LandingError> {
    let root = data.join("landing");
    let mut highest = 0;
    if !root.exists() {
        return Ok(highest);
    }
    for connector in fs::read_dir(&root).map_err(io("list", &root))?.flatten() {
        // A file in this folder is no connector.
        if connector.file_type().is_ok_and(|kind| !kind.is_dir()) {
            continue;
        }
        // Ledger and tables know the highest run, too, so an unreadable folder does not stop the other connectors.
        let folder = connector.path();
        let Ok(runs) = fs::read_dir(&folder).inspect_err(|error| {
            tracing::warn!("cannot list `{}`: {error}", folder.display());
        }) else {
            continue;
        };
        for run in runs.flatten() {
            let number = run.file_name().to_string_lossy().parse().unwrap_or(0);
            highest = highest.max(number);
        }
    }
    Ok(highest)
}

#[cfg(test)]
#[path = "landed_pull_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "landed_pull_damage_tests.rs"]
mod damage_tests;
