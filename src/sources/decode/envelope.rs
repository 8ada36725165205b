//! Values of a JSON envelope (the object around the list of records): flags, totals, the next cursor, reply codes.

use std::collections::BTreeMap;

use strum::EnumCount;

use crate::model::connector::{Auth, ConnectorFile, Decode, Detail, PageEnd, Pages, ReplyFailure, ReplyValues};
use crate::sources::error::{ErrorKind, SourceError};

/// Longest reply code that an error message repeats: a longer text may be a sentence.
const MAX_CODE_CHARS: usize = 16;

/// Number of places in an envelope that can be read.
pub(crate) const ENVELOPE_FIELDS: usize = EnvelopeField::COUNT;

/// A place in the envelope for which a connector states a path. Its value is the index into [`EnvelopeTexts`].
#[derive(Debug, Clone, Copy, EnumCount)]
pub(crate) enum EnvelopeField {
    /// The list of records.
    Records,
    /// The flag of `last_flag` or `next_flag`.
    Flag,
    /// Total number of records.
    Total,
    /// Total number of pages.
    Pages,
    /// Page number, repeated from the request (`pages.echo`).
    Number,
    /// The next cursor or address.
    Next,
    /// Reply code of `decode.failure`.
    Code,
    /// Reply code of `auth.expired`.
    Session,
    /// The list of column names, for `layout = "rows"`.
    Columns,
    /// Reply code of `detail.not_found`.
    NotFound,
}

/// What a reply code says of a response that is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsteadOfAnswer {
    /// The session has expired: log in again.
    Expired,
    /// The source has no such record.
    NotFound,
}

/// Values of one envelope; `None` where the connector states no path or the response has no such value.
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
    /// What the response is instead of an answer. The other values are then absent.
    pub instead: Option<InsteadOfAnswer>,
    /// The list of records is `null`, or an empty text.
    pub null_list: bool,
    /// The response states that there is no next page: its cursor or address is there, and is null, empty or `false`, or means
    /// that there is none.
    pub no_next: bool,
}

/// Paths of the envelope fields, and the reply codes with a meaning.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvelopePaths {
    paths: [Option<Box<str>>; ENVELOPE_FIELDS],
    failure: Option<ReplyFailure>,
    expired: Option<ReplyValues>,
    not_found: Option<ReplyValues>,
    /// Text of the flag → its value; empty for booleans.
    flag_codes: BTreeMap<String, bool>,
}

impl EnvelopePaths {
    /// The paths that `[decode]`, `[auth]`, `[pages]` and `[complete]` state.
    pub(crate) fn of(file: &ConnectorFile) -> Self {
        let mut found = Self::default();
        if let Decode::Json { records, failure, .. } | Decode::Xml { records, failure, .. } = &file.decode {
            found.paths[EnvelopeField::Records as usize] = Some(records.trim_matches('.').into());
            found.put(EnvelopeField::Code, failure.as_ref().map(|failure| &failure.path));
            found.failure.clone_from(failure);
        }
        if let Decode::Json { columns: Some(columns), .. } = &file.decode {
            let path = columns.split_once("[]").map_or(columns.as_str(), |(path, _)| path);
            found.put(EnvelopeField::Columns, Some(&path.to_owned()));
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
            Some(PageEnd::LastFlag { path, codes } | PageEnd::NextFlag { path, codes }) => {
                found.put(EnvelopeField::Flag, Some(path));
                found.flag_codes.clone_from(codes);
            }
            Some(PageEnd::Total { path: Some(path), .. }) => found.put(EnvelopeField::Total, Some(path)),
            Some(PageEnd::LastPage { path }) => found.put(EnvelopeField::Pages, Some(path)),
            _ => {}
        }
        found
    }

    /// The paths of the details of a record: the record, and the reply codes of `[decode]` and `[auth]`.
    pub(crate) fn of_details(file: &ConnectorFile, detail: &Detail) -> Self {
        let all = Self::of(file);
        let mut found = Self { failure: all.failure.clone(), expired: all.expired.clone(), ..Self::default() };
        for field in [EnvelopeField::Code, EnvelopeField::Session] {
            found.paths[field as usize].clone_from(&all.paths[field as usize]);
        }
        found.paths[EnvelopeField::Records as usize] = Some(detail.record.trim_matches('.').into());
        found.put(EnvelopeField::NotFound, detail.not_found.as_ref().map(|reply| &reply.path));
        found.not_found.clone_from(&detail.not_found);
        found
    }

    fn put(&mut self, fact: EnvelopeField, path: Option<&String>) {
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            self.paths[fact as usize] = Some(path.as_str().into());
        }
    }

    /// The paths, indexed by [`EnvelopeField`].
    pub(crate) fn paths(&self) -> [Option<&str>; ENVELOPE_FIELDS] {
        std::array::from_fn(|index| self.paths[index].as_deref())
    }

    /// A flag written as a boolean or as the word for it, or as the connector declares. Numbers are no flags unless declared:
    /// `"last": 1` may be the number of the last page.
    fn flag_of(&self, text: &str) -> Option<bool> {
        let text = text.trim();
        if !self.flag_codes.is_empty() {
            return self.flag_codes.get(text).copied();
        }
        [("true", true), ("false", false)]
            .into_iter()
            .find_map(|(word, flag)| text.eq_ignore_ascii_case(word).then_some(flag))
    }

    /// Interprets the texts found at the paths.
    ///
    /// # Errors
    /// `source_says_failure` if the reply code is not in `decode.failure.ok`.
    pub(crate) fn read(&self, texts: EnvelopeTexts) -> Result<EnvelopeValues, SourceError> {
        let [_, flag, total, pages, number, next, code, session, _, not_found] = texts;
        let code = code.unwrap_or_default();
        if let Some(expired) = &self.expired
            && expired.values.contains(&session.unwrap_or_default())
        {
            return Ok(EnvelopeValues { instead: Some(InsteadOfAnswer::Expired), ..EnvelopeValues::default() });
        }
        // Before the failures: a code that says so need not be one of success.
        if let Some(declared) = &self.not_found
            && declared.values.contains(&not_found.unwrap_or_default())
        {
            return Ok(EnvelopeValues { instead: Some(InsteadOfAnswer::NotFound), ..EnvelopeValues::default() });
        }
        if let Some(failure) = &self.failure
            && !failure.ok.contains(&code)
        {
            let message = format!("the response's `{}` {}", failure.path, describe_reply_code(&code));
            return Err(SourceError::new(ErrorKind::SourceSaysFailure, message));
        }
        let count = |text: Option<String>| text?.trim().parse::<u64>().ok();
        Ok(EnvelopeValues {
            flag: flag.and_then(|flag| self.flag_of(&flag)),
            total: count(total),
            pages: count(pages),
            number: count(number),
            next: next.filter(|next| !next.is_empty()),
            ..EnvelopeValues::default()
        })
    }
}

/// The text found at each path, indexed by [`EnvelopeField`].
pub(crate) type EnvelopeTexts = [Option<String>; ENVELOPE_FIELDS];

/// Describes a reply code for an error message. Only a short code without spaces is repeated.
pub(crate) fn describe_reply_code(code: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if code.is_empty() {
        "is absent".to_owned()
    } else if code.len() <= MAX_CODE_CHARS && code.bytes().all(plain) {
        format!("is `{code}`")
    } else {
        "is a text that is not shown".to_owned()
    }
}

/// The part of a path below `key`; `None` if it does not lead there. A key may itself contain dots (`@odata.count`).
pub(super) fn below<'a>(path: Option<&'a str>, key: &str) -> Option<&'a str> {
    let rest = path.filter(|path| !path.is_empty())?.strip_prefix(key)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}
