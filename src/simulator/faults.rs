//! The faults that a simulated source can have: a closed list, by name.
//!
//! "The second answer" in a description counts answers with dossiers, from the moment when the fault was set.
//! "The last list" is the newest file of the post office.

/// Where a fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum FaultSide {
    /// In the portal's answers.
    Http,
    /// In the post's exports.
    Files,
}

impl FaultSide {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

macro_rules! faults {
    ($($fault:ident $side:ident $name:literal $description:literal;)*) => {
        /// One fault of a simulated source.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
        )]
        pub enum Fault { $(#[doc = $description] #[strum(serialize = $name)] $fault,)* }

        impl Fault {
            /// All faults, in the order of the list below.
            pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

            /// Its name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }

            #[must_use]
            pub fn side(self) -> FaultSide {
                match self { $(Self::$fault => FaultSide::$side,)* }
            }

            /// What goes wrong, when and how often, in one line.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Self::$fault => $description,)* }
            }
        }
    };
}

faults! {
    RateLimitedSeconds Http "rate-limited-seconds" "the second answer is 429 with `Retry-After` in seconds, once";
    RateLimitedDate Http "rate-limited-date" "the second answer is 429 with `Retry-After` as a date, once";
    RateLimitedForHours Http "rate-limited-for-hours" "every search is answered with 429 and `Retry-After: 7200`";
    UnavailableTwice Http "unavailable-twice" "the second answer is 503 twice, then complete";
    Unavailable Http "unavailable" "every search is answered with 503";
    CutShort Http "cut-short" "the connection ends in the middle of the second answer, once";
    CutShortAlways Http "cut-short-always" "the connection ends in the middle of every answer from the second on";
    WrongLength Http "wrong-length" "`Content-Length` counts half of every answer from the second on, and half is sent";
    OneByteASecond Http "one-byte-a-second" "every answer from the second on is sent one byte a second";
    Silence Http "silence" "from the second answer on, the portal accepts every search and never answers";
    Reset Http "reset" "the connection is reset in the middle of the second answer, once";
    ResetAlways Http "reset-always" "the connection is reset in the middle of every answer from the second on";
    EmptyBody Http "empty-body" "every answer from the second on is 200 without a body";
    EndlessBody Http "endless-body" "every answer from the second on is followed by spaces without end";
    ZippedBomb Http "zipped-bomb" "every answer from the second on is gzip that inflates to a gigabyte of spaces";
    ManyRecords Http "many-records" "every answer from the second on is gzip that inflates to nine million empty records";
    OtherCoding Http "other-coding" "every answer from the second on has `Content-Encoding: br`";
    LooseTypes Http "loose-types" "the last-page flag is a text, the token's lifetime is a text with a fraction, and answers are `x-gzip`";
    NotReadyOnce Http "not-ready-once" "the second answer is 202 with an empty list and `Retry-After: 1`, once";
    NoContent Http "no-content" "every answer from the second on is 204";
    PartialContent Http "partial-content" "every answer from the second on is 206 with a `Content-Range` of a million dossiers";
    LoginPage Http "login-page" "every answer from the second on is an HTML login page with status 200";
    LoginPageAsJson Http "login-page-as-json" "the same login page with `Content-Type: application/json`";
    TokenRevoked Http "token-revoked" "every token is revoked before the second answer, once";
    TokenExpired403 Http "token-expired-403" "every token is revoked before the second answer, once, which is 403 with `token expired`";
    TokenRefused Http "token-refused" "tokens are issued, but every search refuses them";
    TokenPage Http "token-page" "the token endpoint answers with an HTML page and status 200";
    TokenUnavailableOnce Http "token-unavailable-once" "the token endpoint answers 503 once";
    RedirectElsewhere Http "redirect-elsewhere" "every answer from the second on redirects to another host";
    RedirectToken Http "redirect-token" "the token endpoint redirects to another host (307, which repeats the form there)";
    DuplicatePage Http "duplicate-page" "the first page of every chain is sent twice, the others follow: nothing is missing";
    RepeatedPage Http "repeated-page" "every page of a chain is the first one, byte for byte, and none is marked as last";
    SkippedPage Http "skipped-page" "instead of the second page of every chain the third is sent, with its own page number";
    MovingRecords Http "moving-records" "after the first page, the first record moves to the end of the list: all others move up by one";
    RestlessRecords Http "restless-records" "the list starts at another record in every request";
    NoLastFlag Http "no-last-flag" "no answer has the field that marks the last page";
    RenumberedPage Http "renumbered-page" "every page of a chain has the dossiers of the first one, under the page number that was requested";
    CappedPages Http "capped-pages" "pages have at most three dossiers, and begin at multiples of the requested size";
    NeverLast Http "never-last" "no answer is marked as last; empty pages follow without end";
    NullList Http "null-list" "an empty list is `null`";
    NullPage Http "null-page" "the list of the second answer is `null`, and it is the last page, once";
    NullMiddle Http "null-middle" "the list of every answer from the second on is `null`, and it is not the last page";
    FailureInside Http "failure-inside" "every answer from the second on is 200 with an error message in its body";
    InvalidUtf8 Http "invalid-utf8" "every answer from the second on contains a byte that is invalid in UTF-8";
    HalfSurrogate Http "half-surrogate" "applicants' names contain half of a surrogate pair";
    BigIds Http "big-ids" "ids are consecutive numbers above 2^53";
    WrongTypes Http "wrong-types" "accepted dates are numbers of milliseconds";
    WrongTypesOnce Http "wrong-types-once" "accepted dates of the second answer are numbers of milliseconds, once";
    NamesInLanguages Http "names-in-languages" "names of channels, levels and statuses are lists by language, and numbers of statuses are above 6";
    DeclaredTotal Http "declared-total" "every answer declares the total number of dossiers and lists none twice";
    MovingWithTotal Http "moving-with-total" "the same, and after the first page, the first record moves to the end of the list";
    YearOne Http "year-one" "dates that a record lacks are `0001-01-01T00:00:00.000+0000` in every answer";
    BuddhistYears Http "buddhist-years" "every date of the second answer is 543 years later, as in the Buddhist calendar, once";
    NewField Http "new-field" "every record has two undeclared fields, an object and a list";
    PersonalKeys Http "personal-keys" "every record has fields whose keys are a person's name, an e-mail address and a telephone number";
    MissingField Http "missing-field" "no record has its procedure";
    MissingDate Http "missing-date" "no record has its accepted date";
    ShrinkingTotal Http "shrinking-total" "after the first page of `/td/dossiers`, the last page of the list is gone and the total is smaller";
    StuckCursor Http "stuck-cursor" "`/cursor/dossiers` returns the same cursor and the same page again";
    CirclingCursor Http "circling-cursor" "`/cursor/dossiers` returns the first page's cursor on the last page";
    StuckKey Http "stuck-key" "`/keyset/dossiers` ignores the key and always returns the first page";
    KeyTies Http "key-ties" "`/keyset/dossiers` lists every dossier but the first twice";
    SessionOver Http "session-over" "the national portal's first answer reports in its body that the session has expired, once";
    SessionRefused Http "session-refused" "the national portal issues sessions and reports each one as expired";
    WrongDay Http "wrong-day" "the `Date` of every answer is 25 hours late";
    WrongDecade Http "wrong-decade" "the `Date` of every answer is ten years ahead";
    CatalogueFailure Http "catalogue-failure" "every catalogue is 200 with an `error_code` other than 0 in its body";

    ShiftedColumns Files "shifted-columns" "rows of the last list have an extra empty cell in second place: the cells after it move one column to the right";
    CutInRow Files "cut-in-row" "the last list ends in the middle of a row";
    CutAtLineEnd Files "cut-at-line-end" "the last list ends after half of its rows, at a line end";
    MissingRows Files "missing-rows" "half of the last list's rows are missing, but its trailer has the sum of all";
    TwoSections Files "two-sections" "the last list has two sections, each with its own sum";
    WrongTrailer Files "wrong-trailer" "the sum in the trailer of the last list is larger than that of its rows";
    Growing Files "growing" "the last list is half written, and somebody may still be writing it";
    ReplacedWhileReading Files "replaced-while-reading" "the last list is written again and again while it is read";
    SameContentTwice Files "same-content-twice" "the last list is there a second time under another name";
    PersonalFileName Files "personal-file-name" "the last list is named after a person, and its name has control bytes";
    CorrectedFile Files "corrected-file" "the last list has every item as withdrawn; a corrected list, written later, has another name";
    HeaderRenamed Files "header-renamed" "the column of the item code has another name in the last list";
    HeadingRepeated Files "heading-repeated" "the last list has a second column with the heading of the delivery date, in capital letters";
    LookAlikeLetters Files "look-alike-letters" "the last list has no-break spaces for spaces, a zero-width space at the end of every cell, and Ð for Đ";
    SmallLetters Files "small-letters" "the first item of the last list is there a second time, with its code in small letters";
    ColumnRenamed Files "column-renamed" "the column of the delivery date has another name in the last list";
    EmptyFile Files "empty-file" "the last list has no bytes";
    ZeroedFile Files "zeroed-file" "the last list has its normal length, but all bytes are zero";
    Utf16 Files "utf-16" "the last list is UTF-16 with a byte order mark";
    Windows1258 Files "windows-1258" "the last list is Windows-1258, with tones as separate marks";
    BrokenUtf8 Files "broken-utf8" "every row of the last list contains a byte that is invalid in UTF-8";
    Gzip Files "gzip" "the last list is `.csv.gz`";
    GzipBomb Files "gzip-bomb" "the last list is `.csv.gz` and inflates to a gigabyte of spaces";
    TruncatedWorkbook Files "truncated-workbook" "the last list is `.xlsx` and ends in the middle";
    FormulasWithoutValues Files "formulas-without-values" "the last list is `.xlsx`, and its delivery dates are formulas that were not calculated";
    UnclosedQuote Files "unclosed-quote" "a cell in the middle of the last list opens a quote that is never closed";
    LongLine Files "long-line" "the last list contains a line of 50 MB that is not an item";
    StrayQuote Files "stray-quote" "the last list contains a row, which is no item, with a text behind a closing quotation mark";
    EndMark Files "end-mark" "the last list ends with the end mark of DOS (^Z) and a hundred NULs";
    TabSeparated Files "tab-separated" "the last list has tabs between its cells and is UTF-16: `Unicode text` of a spreadsheet program";
    FeesWithCommas Files "fees-with-commas" "fees in the last list have commas between thousands";
    FeesWithDecimals Files "fees-with-decimals" "fees in the last list have two decimals after a comma";
    PutBack Files "put-back" "the last list had every item as withdrawn for a night, and is put back to its former content and time of saving";
    RowRemoved Files "row-removed" "the last list had a row of an item that was entered by mistake, which is removed";
    LateList Files "late-list" "the list before the last one arrives a night after the last one";
    RenamedList Files "renamed-list" "the last list was read, and has another name since";
    CutLater Files "cut-later" "the last list was read whole, and ends in the middle of a row since";
    LockFile Files "lock-file" "the lock file of a spreadsheet program lies beside the last list";
    CorruptBeside Files "corrupt-beside" "a workbook that cannot be opened lies beside the last list";
    EditedAtNight Files "edited-at-night" "the last list is saved again and again in the night, with its items in another order";
}

impl Fault {
    /// Nights that must be read before the fault shows, each with its own exports (`Province::write_exports_before`).
    #[must_use]
    pub fn nights_before(self) -> u32 {
        match self {
            Self::PutBack => 2,
            Self::RowRemoved | Self::LateList | Self::RenamedList | Self::CutLater => 1,
            _ => 0,
        }
    }

    /// Finds a fault by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_can_be_read_back() {
        let names: BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
        for fault in Fault::ALL {
            assert_eq!(Fault::from_name(fault.name()), Some(*fault));
            assert!(
                fault.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
        assert_eq!(Fault::from_name("none"), None);
    }
}
