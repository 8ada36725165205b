//! Order of the files of a folder (`access.order`): by a date in their names or title rows, or by modification time.

use crate::fields::{DateFormat, TitleDate};
use crate::model::connector::FileOrder;
use crate::model::folder::FileTime;
use crate::model::instant;
use crate::sources::error::{ErrorKind, SourceError};

/// Where the date of a file stands.
#[derive(Debug, Clone)]
pub enum FileDates {
    /// Nowhere: the modification time counts.
    Modified,
    Name(DateFormat),
    Title(TitleDate),
}

impl FileDates {
    /// # Errors
    /// `misconfigured` if the pattern is no date format.
    pub fn compile(order: &FileOrder) -> Result<Self, SourceError> {
        let wrong = |message| SourceError::new(ErrorKind::Misconfigured, format!("`access.order`: {message}"));
        match order {
            FileOrder::Modified => Ok(Self::Modified),
            FileOrder::Name(pattern) => DateFormat::compile_month(pattern).map(Self::Name).map_err(wrong),
            FileOrder::Title(pattern) => TitleDate::compile(pattern).map(Self::Title).map_err(wrong),
        }
    }

    /// Date of a file, microseconds UTC; `None` if it has none. `titles`: text of its title rows, if it was read.
    #[must_use]
    pub fn date(&self, name: &str, titles: Option<&str>) -> Option<i64> {
        match self {
            Self::Modified => None,
            Self::Name(format) => format.find(name, &instant::zone()),
            Self::Title(pattern) => pattern.last(titles?),
        }
    }

    /// Order of a file with this date: its date, else its modification time.
    #[must_use]
    pub fn time(date: Option<i64>, modified_at: i64) -> FileTime {
        FileTime { ordered_at: date.unwrap_or(modified_at), modified_at }
    }

    /// Whether the title rows of a file must be read before its order is known.
    pub(crate) fn are_in_titles(&self) -> bool {
        matches!(self, Self::Title(_))
    }

    /// Whether files should have a date.
    pub(crate) fn are_declared(&self) -> bool {
        !matches!(self, Self::Modified)
    }
}
