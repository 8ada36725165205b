//! Errors of reading a source, classed by what the caller does next.
//!
//! A message names what was attempted and on what: method, path, pass, page, file, line. It never contains query
//! values, header values, bodies or cells. Control characters and direction marks in it are escaped.

use std::fmt;

use strum::VariantArray;

use crate::model::escape::escaped;

/// What the caller does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Retry: the same request may succeed later.
    Transient,
    /// Retry after the wait that the source demands.
    RateLimited,
    /// Do not retry: somebody must change something first.
    Fatal,
}

/// What went wrong. Codes are stable: reports, logs and `docs/CONNECTORS.md` use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
pub enum ErrorKind {
    /// No connection: DNS, network, port or TLS.
    #[strum(serialize = "unreachable")]
    Unreachable,
    /// No response, or not all of it, within the time limits.
    #[strum(serialize = "timeout")]
    Timeout,
    /// The login was refused, or a new token was rejected.
    #[strum(serialize = "login_refused")]
    LoginRefused,
    /// Status 500 or above.
    #[strum(serialize = "unavailable")]
    Unavailable,
    /// Any other status that is not a success.
    #[strum(serialize = "unexpected_status")]
    UnexpectedStatus,
    /// Status 429 (too many requests).
    #[strum(serialize = "rate_limited")]
    RateLimited,
    /// Status 202: the source has accepted the request, and the list is not ready yet.
    #[strum(serialize = "not_ready")]
    NotReady,
    /// Status 204 or 205: a success without content.
    #[strum(serialize = "no_content")]
    NoContent,
    /// Status 206 or `Content-Range`: the response is a part of the list.
    #[strum(serialize = "partial_content")]
    PartialContent,
    /// The server's certificate is not accepted: unknown issuer, expired, another name.
    #[strum(serialize = "tls_certificate")]
    TlsCertificate,
    /// The response has a content coding that motcua did not ask for and cannot decode.
    #[strum(serialize = "content_coding")]
    ContentCoding,
    /// An HTML page where data was expected, often a login page.
    #[strum(serialize = "html_instead_of_json")]
    HtmlInsteadOfJson,
    /// Fewer bytes than announced, or data that ends in the middle.
    #[strum(serialize = "body_cut_short")]
    BodyCutShort,
    /// More bytes than `limits.max_body_bytes`.
    #[strum(serialize = "body_too_large")]
    BodyTooLarge,
    /// More records in one response than `limits.max_page_records`.
    #[strum(serialize = "page_too_long")]
    PageTooLong,
    /// The body is not valid JSON.
    #[strum(serialize = "not_json")]
    NotJson,
    /// The body is not XML that can be read: not well-formed, with a document type, nested too deeply, or with too many
    /// elements.
    #[strum(serialize = "not_xml")]
    NotXml,
    /// The response has no list at `decode.records`.
    #[strum(serialize = "no_records")]
    NoRecords,
    /// The response lacks the value that proves the last page: a flag, a total, a number of pages.
    #[strum(serialize = "no_last_flag")]
    NoLastFlag,
    /// The response is not the last page and has no cursor or address of the next one.
    #[strum(serialize = "no_cursor")]
    NoCursor,
    /// The response has no cursor or address of a next page, and nothing shows that it is the last page.
    #[strum(serialize = "end_unproved")]
    EndUnproved,
    /// The envelope of a 200 response has a reply code that means failure.
    #[strum(serialize = "source_says_failure")]
    SourceSaysFailure,
    /// Two pages of a chain have the same records.
    #[strum(serialize = "page_repeated")]
    PageRepeated,
    /// A cursor or address occurred twice in a chain, or does not change.
    #[strum(serialize = "cursor_stuck")]
    CursorStuck,
    /// Pages before the last one are shorter than requested: the source may step by another size than it serves.
    #[strum(serialize = "page_size_capped")]
    PageSizeCapped,
    /// Several records at the edge of a page have the key after which the next page begins.
    #[strum(serialize = "keyset_ties")]
    KeysetTies,
    /// The source sent another page than was requested.
    #[strum(serialize = "page_missing")]
    PageMissing,
    /// The declared number of records or pages differs from those received, or changed between pages.
    #[strum(serialize = "total_disagrees")]
    TotalDisagrees,
    /// Pages still differed after they were read again three times.
    #[strum(serialize = "records_moved")]
    RecordsMoved,
    /// All retries of `retry.budget` are used up.
    #[strum(serialize = "retry_budget")]
    RetryBudget,
    /// The saved position or the slices belong to another plan.
    #[strum(serialize = "plan_changed")]
    PlanChanged,
    /// More pages than `limits.max_pages`.
    #[strum(serialize = "page_limit")]
    PageLimit,
    /// More records with details than `limits.max_details`.
    #[strum(serialize = "detail_limit")]
    DetailLimit,
    /// More records than `limits.max_records`.
    #[strum(serialize = "record_limit")]
    RecordLimit,
    /// A request, redirect or next address leads to a host that the connector does not name.
    #[strum(serialize = "wrong_host")]
    WrongHost,
    /// The file has no header row, or the header row lacks a required column.
    #[strum(serialize = "header_not_found")]
    HeaderNotFound,
    /// Several columns have the heading of a mapped field.
    #[strum(serialize = "heading_repeated")]
    HeadingRepeated,
    /// A row below the header row has the headings again, in another order.
    #[strum(serialize = "headings_moved")]
    HeadingsMoved,
    /// The bytes are not UTF-8.
    #[strum(serialize = "not_utf8")]
    NotUtf8,
    /// The bytes are not in the encoding that `decode.encoding` or the byte order mark states.
    #[strum(serialize = "wrong_encoding")]
    WrongEncoding,
    /// The file ends inside a quoted cell.
    #[strum(serialize = "unclosed_quote")]
    UnclosedQuote,
    /// More bytes than `limits.max_expanded_bytes` after decompression.
    #[strum(serialize = "expands_too_far")]
    ExpandsTooFar,
    /// An archive or workbook whose parts are inconsistent.
    #[strum(serialize = "file_damaged")]
    FileDamaged,
    /// A workbook that is protected by a password.
    #[strum(serialize = "file_encrypted")]
    FileEncrypted,
    /// The file is not the table that `decode` declares: a web page, a document, or no XLSX workbook.
    #[strum(serialize = "not_a_workbook")]
    NotAWorkbook,
    /// The file is a workbook, and the connector reads CSV.
    #[strum(serialize = "not_csv")]
    NotCsv,
    /// The footer row is missing: the file may be cut.
    #[strum(serialize = "trailer_missing")]
    TrailerMissing,
    /// The footer row declares another sum or count than the rows above it have.
    #[strum(serialize = "trailer_disagrees")]
    TrailerDisagrees,
    /// Rows below the footer row look like records: the list has several sections.
    #[strum(serialize = "rows_below_footer")]
    RowsBelowFooter,
    /// A file ends in many NULs: padding, or a part that was never written.
    #[strum(serialize = "ends_in_nuls")]
    EndsInNuls,
    /// A file has no bytes, or nothing but spaces and NULs.
    #[strum(serialize = "file_empty")]
    FileEmpty,
    /// The list of a folder did not come to its end, or is longer than can be read.
    #[strum(serialize = "list_incomplete")]
    ListIncomplete,
    /// A file that was in the list of its folder is gone.
    #[strum(serialize = "file_vanished")]
    FileVanished,
    /// The host key of an SFTP server is not in `access.server.known_hosts`, or is another one.
    #[strum(serialize = "host_key")]
    HostKey,
    /// A file changed while it was read.
    #[strum(serialize = "file_growing")]
    FileGrowing,
    /// A placeholder has no value.
    #[strum(serialize = "unset_placeholder")]
    UnsetPlaceholder,
    /// The folder of a file connector does not exist.
    #[strum(serialize = "folder_missing")]
    FolderMissing,
    /// A file or folder cannot be read.
    #[strum(serialize = "file_unreadable")]
    FileUnreadable,
    /// A setting of the connector cannot be used.
    #[strum(serialize = "misconfigured")]
    Misconfigured,
}

impl ErrorKind {
    /// Every kind, in the order of the docs.
    pub const ALL: &[Self] = Self::VARIANTS;

    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// The class of this kind, unless the code that raises the error sets another.
    #[must_use]
    pub fn class(self) -> ErrorClass {
        match self {
            Self::Unreachable
            | Self::Timeout
            | Self::Unavailable
            | Self::NotReady
            | Self::BodyCutShort
            | Self::RetryBudget
            | Self::UnclosedQuote
            | Self::TrailerMissing
            | Self::TrailerDisagrees
            | Self::RowsBelowFooter
            | Self::EndsInNuls
            | Self::ListIncomplete
            | Self::FileGrowing => ErrorClass::Transient,
            Self::RateLimited => ErrorClass::RateLimited,
            _ => ErrorClass::Fatal,
        }
    }
}

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    pub class: ErrorClass,
    pub kind: ErrorKind,
    /// What was attempted, on what, and what happened.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
    /// The `Retry-After` header as received.
    pub(crate) retry_after: Option<String>,
}

impl SourceError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = escaped(&message.into()).into_owned();
        Self { class: kind.class(), kind, message, hint: kind.hint(), retry_after: None }
    }

    pub(crate) fn too_many_records(most: usize) -> Self {
        Self::new(ErrorKind::PageTooLong, format!("the response has more than {most} records"))
    }

    /// Prefixes the message with what was attempted.
    pub(crate) fn on(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{}: {}", escaped(&what.to_string()), self.message);
        self
    }

    /// The error of a file, whose hint names no address or request.
    #[must_use]
    pub fn of_file(mut self) -> Self {
        self.hint = match self.kind {
            ErrorKind::NotJson | ErrorKind::NotXml => {
                "compare `decode` with the file; if the file is damaged there, ask for it again"
            }
            ErrorKind::HtmlInsteadOfJson => "the file is a web page, often that of a login: ask for the list again",
            ErrorKind::BodyTooLarge => "ask for smaller files, or raise `limits.max_body_bytes`",
            ErrorKind::PageTooLong => "ask for smaller files, or raise `limits.max_page_records`",
            ErrorKind::NoRecords => "the file has another structure: check `decode.records`",
            _ => self.hint,
        };
        self
    }

    /// Whether the pages before the error may be kept: the pull is then incomplete, not failed.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::PageLimit
                | ErrorKind::DetailLimit
                | ErrorKind::RecordLimit
                | ErrorKind::TotalDisagrees
                | ErrorKind::RecordsMoved
                | ErrorKind::PageRepeated
                | ErrorKind::CursorStuck
                | ErrorKind::EndUnproved
                | ErrorKind::PartialContent
                | ErrorKind::PageSizeCapped
                | ErrorKind::KeysetTies
                | ErrorKind::PageMissing
                | ErrorKind::TrailerMissing
                | ErrorKind::TrailerDisagrees
                | ErrorKind::RowsBelowFooter
                | ErrorKind::EndsInNuls
                | ErrorKind::FileGrowing
        )
    }

    /// Whether the same request may be sent again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.class, ErrorClass::Transient | ErrorClass::RateLimited)
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
