//! What to do about each kind of error.

use crate::sources::error::ErrorKind;

impl ErrorKind {
    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unreachable => "check that the source is running, its address and the network",
            Self::Timeout => "the source is slow: raise `limits.read_timeout_secs`, or request smaller pages or slices",
            Self::LoginRefused => "check the connector's client id and secret, and whether the account is locked",
            Self::Unavailable => "the source is down or overloaded: ask its `contact`; the next run reads it again",
            Self::UnexpectedStatus => "check the path and parameters of `[request]` against the source's documentation",
            Self::RateLimited => "lower `limits.requests_per_second`, or run at another hour",
            Self::NotReady => {
                "the source was still preparing the list: run again later, or raise `retry.attempts` and `retry.base_millis`"
            }
            Self::NoContent => "check the path and parameters of `[request]`: the source answers, but with no content",
            Self::PartialContent => {
                "the source sends the list in parts: describe in `[pages]` how to ask for the next part"
            }
            Self::TlsCertificate => {
                "an unknown issuer: name the PEM file of the authority in `access.ca_certificates`; expired or another name: \
                 ask the source's `contact`"
            }
            Self::ContentCoding => {
                "ask the source's `contact` to send the list uncompressed or with gzip, or remove `accept-encoding` from \
                 `request.headers`"
            }
            Self::HtmlInsteadOfJson => {
                "the login has expired or the address is wrong: open the address in a browser to see the page"
            }
            Self::BodyCutShort => "the connection or the file ended early: run again, or ask for the file again",
            Self::BodyTooLarge => "request smaller pages, or raise `limits.max_body_bytes`",
            Self::PageTooLong => "request smaller pages, or raise `limits.max_page_records`",
            Self::NotJson | Self::NotXml => "check the address, and compare `decode` with what the source sends",
            Self::NoRecords => {
                "the response has another structure, or reports a failure inside a 200: check `decode.records`"
            }
            Self::NoLastFlag => "the response has another structure: check `pages.end` and `complete.total`",
            Self::NoCursor => {
                "the response has another structure: check where `pages` reads the next cursor or address"
            }
            Self::EndUnproved => {
                "look where the source states the next page: if the place has another name now, correct `pages`; if the source leaves \
                 it out on its last page, declare `complete.total`, or set `absent = true` in `pages.end`, also where `pages.size` is \
                 declared; with `pages.size` if more records than one page has are usual"
            }
            Self::SourceSaysFailure => {
                "look up the code in the source's documentation; `decode.failure` lists the codes that mean success"
            }
            Self::PageRepeated => {
                "the source ignores the page parameter, or its records moved: check `pages.param` and `pages.first`"
            }
            Self::CursorStuck => "the source repeats a cursor: check where `pages` reads the next cursor or address",
            Self::PageSizeCapped => {
                "set `pages.size` to the number of records that the source really sends, or choose an end that the source \
                 states (`last_flag`, `total`)"
            }
            Self::KeysetTies => {
                "choose a key that every record has for itself in `pages.path`, such as its id; the source must sort by it"
            }
            Self::PageMissing => "the source sends other pages than requested: check `pages.first` and `pages.echo`",
            Self::TotalDisagrees | Self::RecordsMoved => {
                "records changed while they were read: run again when the source is used less, or request smaller slices"
            }
            Self::RetryBudget => "the source fails too often: run at another hour, or raise `retry.budget`",
            Self::PlanChanged => "start the pull again from the beginning",
            Self::PageLimit => "raise `limits.max_pages` if the source really has more pages",
            Self::DetailLimit | Self::RecordLimit => "raise the limit if the source really has more records",
            Self::WrongHost => "the source leads to another host, often that of a login page: check `access.base_url`",
            _ => self.hint_for_files(),
        }
    }

    /// What to do about a file or a declaration.
    fn hint_for_files(self) -> &'static str {
        match self {
            Self::HeaderNotFound => "the file's layout changed: compare its header row with `decode.header` and `map`",
            Self::HeadingRepeated => {
                "say which column is meant, `from = { column = \"…\", nth = 2 }`, or ask for the list with different headings"
            }
            Self::HeadingsMoved => {
                "the file has several tables with different columns: ask for one table, or one file for each"
            }
            Self::NotUtf8 => "save or export the file again as UTF-8 (in a spreadsheet program: `CSV UTF-8`)",
            Self::WrongEncoding => "compare `decode.encoding` with the encoding of the file, or save the file as UTF-8",
            Self::UnclosedQuote => {
                "the file was cut, or a quotation mark in that row is not closed: ask for the file again"
            }
            Self::ExpandsTooFar => {
                "ask for smaller files; if the file is what it should be, raise `limits.max_expanded_bytes`"
            }
            Self::FileDamaged => "open it in a spreadsheet program and save it again, or ask for the file again",
            Self::FileEncrypted => "ask for the file without a password",
            Self::NotAWorkbook => "ask for the list again, or save it in the format that `decode` declares",
            Self::NotCsv => "save it as `CSV UTF-8`, or set `decode.type = \"spreadsheet\"`",
            Self::TrailerMissing => {
                "the file was cut, or its layout changed: ask for the file again, or correct `decode.footers` and \
                 `complete.trailer`"
            }
            Self::TrailerDisagrees => {
                "rows are missing, were changed by hand, or write their numbers in another form: look at the footer \
                 row, or ask for the file again"
            }
            Self::RowsBelowFooter => {
                "ask for one list without sections, or remove the footers of the sections from `decode.footers`"
            }
            Self::EndsInNuls => "its end may be lost: ask for it again, or for a footer row (`decode.footers`)",
            Self::FileEmpty => "the export or its transfer broke off: ask for the file again, or remove it",
            Self::ListIncomplete => {
                "run again; if it stays, divide the folder, or let the source move files that were read to another one"
            }
            Self::FileVanished => {
                "the source moved or removed it while the folder was read: the next run reads what is there"
            }
            Self::HostKey => {
                "ask the source's `contact` for the fingerprint of its host key; if it is right, put the lines of \
                 `ssh-keyscan` into the file of `access.server.known_hosts`"
            }
            Self::FileGrowing => "it is still being written: the next run reads it",
            Self::UnsetPlaceholder => {
                "set the variable (for a secret also: a file, named by the same variable with `_FILE` added); the \
                 connector's README lists the variables"
            }
            Self::FolderMissing => "create the folder, mount its share, or correct `access.folder`",
            Self::FileUnreadable => "check the permissions of the folder and its files, and where a link leads",
            // `Misconfigured`
            _ => "correct `connector.toml`, or the variable that it names",
        }
    }
}
