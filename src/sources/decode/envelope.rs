//! What an answer says of itself besides its records: flags, counts, the way on, and codes of failure.

use crate::model::connector::{Auth, ConnectorFile, Decode, PageEnd, Pages, ReplyFailure, ReplyValues};
use crate::sources::error::{ErrorKind, SourceError};

/// Longest reply code that an error repeats: a longer one may be a sentence.
const CODE_CHARS: usize = 16;

/// How many places of an envelope can be read; [`EnvelopeField`] numbers them.
pub(crate) const ENVELOPE_FIELDS: usize = 8;

/// A place of the envelope. The list of records is one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EnvelopeField {
    Records,
    Flag,
    Total,
    Pages,
    Number,
    Next,
    Code,
    Session,
}

/// What one answer said. All is absent unless the connector names where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvelopeValues {
    /// The flag of `last_flag` or `next_flag`.
    pub flag: Option<bool>,
    /// Declared number of records.
    pub total: Option<u64>,
    /// Declared number of pages.
    pub pages: Option<u64>,
    /// The page number as the source repeats it.
    pub number: Option<u64>,
    /// The next cursor or address; never empty.
    pub next: Option<String>,
    /// The session is over: log in again. Nothing else of the answer counts then.
    pub expired: bool,
}

/// Where they stand, and which codes mean what.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvelopePaths {
    paths: [Option<Box<str>>; ENVELOPE_FIELDS],
    failure: Option<ReplyFailure>,
    expired: Option<ReplyValues>,
}

impl EnvelopePaths {
    pub(crate) fn of(file: &ConnectorFile) -> Self {
        let mut found = Self::default();
        if let Decode::Json { records, failure } = &file.decode {
            found.paths[EnvelopeField::Records as usize] = Some(records.trim_matches('.').into());
            found.put(EnvelopeField::Code, failure.as_ref().map(|failure| &failure.path));
            found.failure.clone_from(failure);
        }
        if let Auth::Login { expired, .. } = &file.auth {
            found.put(EnvelopeField::Session, expired.as_ref().map(|expired| &expired.path));
            found.expired.clone_from(expired);
        }
        match &file.pages {
            Pages::PageNumber { echo, .. } => found.put(EnvelopeField::Number, echo.as_ref()),
            Pages::Cursor { path, .. } => found.put(EnvelopeField::Next, path.as_ref()),
            Pages::NextUrl { path, .. } => found.put(EnvelopeField::Next, Some(path)),
            _ => {}
        }
        found.put(EnvelopeField::Total, file.complete.total.as_ref());
        match file.pages.end() {
            Some(PageEnd::LastFlag { path } | PageEnd::NextFlag { path }) => found.put(EnvelopeField::Flag, Some(path)),
            Some(PageEnd::Total { path: Some(path), .. }) => found.put(EnvelopeField::Total, Some(path)),
            Some(PageEnd::LastPage { path }) => found.put(EnvelopeField::Pages, Some(path)),
            _ => {}
        }
        found
    }

    fn put(&mut self, fact: EnvelopeField, path: Option<&String>) {
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            self.paths[fact as usize] = Some(path.as_str().into());
        }
    }

    /// The paths, by [`EnvelopeField`].
    pub(crate) fn paths(&self) -> [Option<&str>; ENVELOPE_FIELDS] {
        std::array::from_fn(|index| self.paths[index].as_deref())
    }

    /// What the texts at the paths mean.
    ///
    /// # Errors
    /// `source_says_failure`.
    pub(crate) fn read(&self, flag: Option<bool>, texts: EnvelopeTexts) -> Result<EnvelopeValues, SourceError> {
        let [_, _, total, pages, number, next, code, session] = texts;
        let code = code.unwrap_or_default();
        if let Some(expired) = &self.expired
            && expired.values.contains(&session.unwrap_or_default())
        {
            return Ok(EnvelopeValues { expired: true, ..EnvelopeValues::default() });
        }
        if let Some(failure) = &self.failure
            && !failure.ok.contains(&code)
        {
            let message = format!("the reply's `{}` {}", failure.path, describe_reply_code(&code));
            return Err(SourceError::new(ErrorKind::SourceSaysFailure, message));
        }
        let count = |text: Option<String>| text?.trim().parse::<u64>().ok();
        Ok(EnvelopeValues {
            flag,
            total: count(total),
            pages: count(pages),
            number: count(number),
            next: next.filter(|next| !next.is_empty()),
            expired: false,
        })
    }
}

/// The text at each place, by [`EnvelopeField`].
pub(crate) type EnvelopeTexts = [Option<String>; ENVELOPE_FIELDS];

/// What a reply code says; only a short code is repeated.
pub(crate) fn describe_reply_code(code: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if code.is_empty() {
        "is absent".to_owned()
    } else if code.len() <= CODE_CHARS && code.bytes().all(plain) {
        format!("says `{code}`")
    } else {
        "says a failure that is no short code".to_owned()
    }
}
