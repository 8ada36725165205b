//! `removed.json` in a night's folder: states that the night's figures were removed, and what they were.
//!
//! Figures that are rebuilt from table `figure_versions` must match it: a past night is shown as it was published, or
//! not at all.
#![expect(clippy::disallowed_methods, reason = "edge: `removed.json` is read here")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{PublishedFilesError, file_error};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::{digests, durable};

pub(super) const REMOVED: &str = "removed.json";

/// When the figures of a night were removed, their number, and their digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedFigures {
    /// Microseconds UTC.
    pub removed_at: i64,
    pub figures: usize,
    pub digest: String,
}

impl RemovedFigures {
    #[must_use]
    pub fn new(figures: &[Figure], now: i64) -> Self {
        Self { removed_at: now, figures: figures.len(), digest: digest(figures) }
    }

    /// Whether `figures` are those that were removed.
    #[must_use]
    pub fn matches(&self, figures: &[Figure]) -> bool {
        self.figures == figures.len() && self.digest == digest(figures)
    }

    /// Reads `removed.json` of a night's folder; `None` if there is none.
    pub(super) fn read(night: &Path) -> Result<Option<Self>, PublishedFilesError> {
        let path = night.join(REMOVED);
        match fs::read(&path) {
            Ok(text) => match digests::unsealed(&text) {
                Ok((removed, _)) => Ok(Some(removed)),
                Err(what) => Err(PublishedFilesError::Damaged { path, what }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_error("read", &path)(error)),
        }
    }

    /// Writes `removed.json` into a night's folder unless it is there.
    pub(super) fn write(&self, night: &Path) -> Result<(), PublishedFilesError> {
        let path = night.join(REMOVED);
        if path.exists() {
            return Ok(());
        }
        let text = digests::sealed(self);
        Ok(durable::replace(&path, "say that a night's figures are removed", |out| out.write_all(&text))?)
    }
}

/// SHA-256 of what identifies and decides each figure, in order. The format is fixed: other versions of motcua must
/// find the same digest.
fn digest(figures: &[Figure]) -> String {
    let mut hash = Sha256::new();
    for figure in figures {
        let (tier, agency) = (figure.tier.map_or("", Tier::name), figure.agency.as_deref().unwrap_or(""));
        let line = format!(
            "{}|{}|{}|{tier}|{agency}|{}|{}|{:?}|{}\n",
            figure.indicator,
            figure.definition,
            figure.rules,
            figure.period,
            figure.numerator,
            figure.denominator,
            figure.reachable,
        );
        hash.update(line.as_bytes());
    }
    format!("{:x}", hash.finalize())
}
