//! What can go wrong between a connector and its source, classed by what happens next.
//!
//! Messages name what was attempted on what: method, path, pass, page, file, line. They never hold query
//! values, header values, bodies or cells.

use std::fmt;

/// What the caller does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The same request may succeed later.
    Transient,
    /// The source asks to wait.
    RateLimited,
    /// One record is at fault; the rest goes on.
    Rejected,
    /// Somebody must change something first.
    Fatal,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $code:literal $class:ident $hint:literal;)*) => {
        /// What went wrong. Codes are stable: they stand in reports, logs and docs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $($(#[$doc])* $kind,)* }

        impl ErrorKind {
            /// Every kind, in the order of the docs.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)* }
            }

            /// The class it has unless the place that raises it knows better.
            #[must_use]
            pub fn class(self) -> Class {
                match self { $(Self::$kind => Class::$class,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$kind => $hint,)* }
            }
        }
    };
}

kinds! {
    /// No connection: name, route, port or TLS.
    Unreachable "unreachable" Transient "check that the source is up, and its address, network and certificate";
    /// No answer in time.
    Timeout "timeout" Transient "the source is slow: raise `limits.read_timeout_secs`, or ask for smaller pages or slices";
    /// The token endpoint refused, or a fresh token was refused.
    LoginRefused "login_refused" Fatal "check the connector's client id and secret, and whether the account is locked";
    /// A status of 500 or above: the source says that the fault is its own.
    Unavailable "unavailable" Transient "the source is down or overloaded: ask its `contact`; the next run reads it again";
    /// Another status that is no success.
    UnexpectedStatus "unexpected_status" Fatal "check the request's path and parameters against the source's documentation";
    /// 429, or a longer `Retry-After` than the connector allows.
    RateLimited "rate_limited" RateLimited "lower `limits.requests_per_second`, or run at another hour";
    /// A page for people where data was expected.
    HtmlInsteadOfJson "html_instead_of_json" Fatal "the login has expired or the address is wrong: open it in a browser to see the page";
    /// Fewer bytes than announced, or a text that ends in the middle.
    BodyCutShort "body_cut_short" Transient "the connection or the file ended early: try again, or ask for the file again";
    /// More bytes than `limits.max_body_bytes`.
    BodyTooLarge "body_too_large" Fatal "ask for smaller pages, or raise `limits.max_body_bytes`";
    /// The body is no JSON.
    NotJson "not_json" Fatal "check the address, and `decode` against what the source sends";
    /// The answer has no list at `decode.records`.
    NoRecords "no_records" Fatal "the source changed its answer or reports a failure inside it: check `decode.records`";
    /// The answer does not say whether it is the last.
    NoLastFlag "no_last_flag" Fatal "the source changed its answer: check `pages.end.path`";
    /// The answer names no next page, and does not say either that it is the last.
    NoCursor "no_cursor" Fatal "the source changed its answer: check `pages` for where the next page stands";
    /// A reply code that means failure inside a success.
    SourceSaysFailure "source_says_failure" Fatal "look the code up in the source's documentation; `decode.failure` says which codes are no failure";
    /// The same page came twice in one chain.
    PageRepeated "page_repeated" Fatal "the source ignores the page parameter, or its records moved: check `pages.param` and `pages.first`";
    /// A cursor or address came twice in one chain, or does not move.
    CursorStuck "cursor_stuck" Fatal "the source turns in a circle: check where `pages` finds the next page";
    /// The source gave another page than was asked for.
    PageMissing "page_missing" Fatal "the source gives another page than it is asked for: check `pages.first` and `pages.echo`";
    /// The source declared another number of records or pages than it gave, or changed its mind.
    TotalDisagrees "total_disagrees" Fatal "records came or went while they were read: run again at a quieter hour, or ask for smaller slices";
    /// Pages still differed after they were asked for again three times.
    RecordsMoved "records_moved" Fatal "records moved between pages while they were read: run again at a quieter hour, or ask for smaller slices";
    /// No further try is left of `retry.budget`.
    RetryBudget "retry_budget" Transient "the source fails too often: run at another hour, or raise `retry.budget`";
    /// A position of another plan.
    PlanChanged "plan_changed" Fatal "begin the pull anew";
    /// More pages than `limits.max_pages`.
    PageLimit "page_limit" Fatal "raise `limits.max_pages` if the source really has more";
    /// More records than `limits.max_records`.
    RecordLimit "record_limit" Fatal "raise `limits.max_records` if the source really has more";
    /// A request or redirect to a host that the connector does not name.
    WrongHost "wrong_host" Fatal "the source redirects elsewhere, often to a login page: check `access.base_url`";
    /// The file has no header row, or its header lacks a required column.
    HeaderNotFound "header_not_found" Fatal "the file's layout changed: compare its header row with `decode.header` and `map`";
    /// The bytes are no UTF-8.
    NotUtf8 "not_utf8" Fatal "save or export it again as UTF-8 (in a spreadsheet: `CSV UTF-8`)";
    /// The bytes are not of the encoding that `decode.encoding` or the byte order mark says.
    WrongEncoding "wrong_encoding" Fatal "compare `decode.encoding` with how the file is saved, or save it as UTF-8";
    /// The file ends inside a quoted cell.
    UnclosedQuote "unclosed_quote" Transient "the file was cut, or a quotation mark in that row has no partner: ask for the file again";
    /// More bytes than `limits.max_expanded_bytes` once inflated.
    ExpandsTooFar "expands_too_far" Fatal "ask for smaller files, or raise `limits.max_expanded_bytes` if the file is honest";
    /// An archive or workbook whose parts contradict each other.
    FileDamaged "file_damaged" Fatal "open it in a spreadsheet and save it again, or ask for the file again";
    /// A workbook that asks for a password.
    FileEncrypted "file_encrypted" Fatal "ask for the file without a password";
    /// No workbook in the format of XLSX.
    NotAWorkbook "not_a_workbook" Fatal "save it as `.xlsx` in a spreadsheet";
    /// The footer row is not there: the file may be cut.
    TrailerMissing "trailer_missing" Transient "the file was cut, or its layout changed: ask for the file again, or correct `decode.footers` and `complete.trailer`";
    /// The footer row says something else than the rows above it.
    TrailerDisagrees "trailer_disagrees" Transient "rows are missing or were changed by hand, or the column is written otherwise: look at the footer, or ask for the file again";
    /// Rows like records stand below the footer row: the list has several sections, or was put together.
    RowsBelowFooter "rows_below_footer" Transient "ask for one list without sections, or take the sections' footers out of `decode.footers`";
    /// A file changed while it was looked at.
    FileGrowing "file_growing" Transient "it is still being written: the next run takes it";
    /// A placeholder without a value.
    UnsetPlaceholder "unset_placeholder" Fatal "set that variable (a secret also from the file that its name with `_FILE` gives); the README of the connector lists them";
    /// The folder of a file connector does not exist.
    FolderMissing "folder_missing" Fatal "create the folder, mount its share, or correct `access.folder`";
    /// A file or folder cannot be read.
    FileUnreadable "file_unreadable" Fatal "check the permissions of the folder and its files";
    /// The connector says what cannot be done.
    Misconfigured "misconfigured" Fatal "correct `connector.toml`, or the variable that it names";
}

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    pub class: Class,
    pub kind: ErrorKind,
    /// What was attempted on what.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
    /// `Retry-After` as it came.
    pub(crate) retry_after: Option<String>,
}

impl SourceError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { class: kind.class(), kind, message: message.into(), hint: kind.hint(), retry_after: None }
    }

    /// Adds in front of the message what was attempted.
    pub(crate) fn on(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Whether what came before was read, but is not proved whole: it may be kept as incomplete.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::PageLimit
                | ErrorKind::RecordLimit
                | ErrorKind::TotalDisagrees
                | ErrorKind::RecordsMoved
                | ErrorKind::PageRepeated
                | ErrorKind::CursorStuck
                | ErrorKind::PageMissing
                | ErrorKind::TrailerMissing
                | ErrorKind::TrailerDisagrees
                | ErrorKind::RowsBelowFooter
                | ErrorKind::FileGrowing
        )
    }

    /// Whether the same request may be sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, Class::Transient | Class::RateLimited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn every_code_stands_in_the_docs() {
        let docs = include_str!("../../docs/CONNECTORS.md");
        for kind in ErrorKind::ALL {
            assert!(docs.contains(&format!("`{}`", kind.code())), "{}", kind.code());
        }
    }

    #[test]
    fn what_was_read_and_not_proved_is_incomplete() {
        let incomplete: Vec<&str> = ErrorKind::ALL
            .iter()
            .filter(|kind| SourceError::new(**kind, "").is_incomplete())
            .map(|kind| kind.code())
            .collect();
        let mut expected = [
            "page_limit",
            "record_limit",
            "total_disagrees",
            "records_moved",
            "page_repeated",
            "cursor_stuck",
            "page_missing",
            "trailer_missing",
            "trailer_disagrees",
            "rows_below_footer",
            "file_growing",
        ];
        expected.sort_unstable();
        let mut found = incomplete;
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}
