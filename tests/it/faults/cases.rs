//! What each fault comes to, and why, by hand.

use motcua::simulator::Fault::{self, *};

use super::doors::{self, Door};
use super::{PORTAL, POST};

/// How the spoiled night ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Figures equal the truth, night complete, exit 0.
    Equal,
    /// Exit 4, no figure called complete.
    Incomplete,
    /// Exit 3, no figure called complete.
    Failed,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) fault: Fault,
    pub(super) end: End,
    pub(super) why: &'static str,
    /// Whether the second night meets a mended source: what is only another form stays.
    pub(super) mended: bool,
    /// File, text and what stands in its place.
    pub(super) edits: &'static [(&'static str, &'static str, &'static str)],
    /// The portal is read by another of its doors.
    pub(super) door: Option<Door>,
}

const fn case(fault: Fault, end: End, why: &'static str) -> Case {
    Case { fault, end, why, mended: true, edits: &[], door: None }
}

const fn equal(fault: Fault, why: &'static str) -> Case {
    case(fault, End::Equal, why)
}

const fn incomplete(fault: Fault, why: &'static str) -> Case {
    case(fault, End::Incomplete, why)
}

const fn failed(fault: Fault, why: &'static str) -> Case {
    case(fault, End::Failed, why)
}

/// One try each: the waits are the point.
const ONE_TRY: &[(&str, &str, &str)] =
    &[(PORTAL, "attempts = 3", "attempts = 1"), (PORTAL, "read_timeout_secs = 2", "read_timeout_secs = 1")];

/// The encoding has no mark: the connector says it.
const IN_1258: &[(&str, &str, &str)] =
    &[(POST, "type = \"spreadsheet\"", "type = \"spreadsheet\"\nencoding = \"windows-1258\"")];

/// Files are given time to settle.
const SETTLED: &[(&str, &str, &str)] = &[(POST, "settle_secs = 0", "settle_secs = 1")];

pub(super) const ANSWERS: &[Case] = &[
    equal(RateLimitedSeconds, "waited for and asked again"),
    equal(RateLimitedDate, "waited for and asked again"),
    failed(RateLimitedForHours, "`rate_limited`: longer than `retry.cap_secs`"),
    equal(UnavailableTwice, "asked again"),
    failed(Unavailable, "`unavailable` after the last try"),
    failed(LoginPage, "`html_instead_of_json`"),
    failed(LoginPageAsJson, "`html_instead_of_json`, told by the body"),
    failed(FailureInside, "`no_records`"),
    failed(EmptyBody, "`body_cut_short`"),
];

pub(super) const CONNECTIONS: &[Case] = &[
    equal(CutShort, "asked again"),
    failed(CutShortAlways, "`body_cut_short`"),
    failed(WrongLength, "`body_cut_short`, told by the JSON"),
    Case { edits: ONE_TRY, ..failed(OneByteASecond, "`timeout` of the whole answer") },
    Case { edits: ONE_TRY, ..failed(Silence, "`timeout`") },
    equal(Reset, "asked again"),
    failed(ResetAlways, "`body_cut_short`"),
    failed(EndlessBody, "`body_too_large`"),
    failed(ZippedBomb, "`body_too_large`, counted after inflating"),
];

pub(super) const TOKENS: &[Case] = &[
    equal(TokenRevoked, "a new token is fetched, once"),
    failed(TokenRefused, "`login_refused`"),
    failed(TokenPage, "`html_instead_of_json`"),
    equal(TokenUnavailableOnce, "asked again"),
    failed(RedirectElsewhere, "`wrong_host`: not followed, no credential goes along"),
    failed(RedirectToken, "`wrong_host`: not followed, the secret stays"),
];

pub(super) const PAGES: &[Case] = &[
    equal(DuplicatePage, "records that come twice are duplicates"),
    incomplete(RepeatedPage, "`page_repeated`"),
    incomplete(SkippedPage, "`page_repeated`: the page that it jumped to comes again"),
    equal(MovingRecords, "the second look finds the record that moved"),
    incomplete(RestlessRecords, "`records_moved`: no two looks agree"),
    failed(NoLastFlag, "`no_last_flag`"),
    incomplete(NeverLast, "`page_limit`"),
    failed(NullList, "`no_records`: nothing is not an empty list"),
    failed(NullPage, "`no_records`"),
];

pub(super) const RECORDS: &[Case] = &[
    failed(InvalidUtf8, "`not_utf8`"),
    equal(HalfSurrogate, "names are not read"),
    Case {
        mended: false,
        edits: &[(PORTAL, "[0-9a-f]{24}", "[0-9]{16}")],
        ..equal(BigIds, "numbers are kept as their digits")
    },
    incomplete(WrongTypes, "every row is rejected"),
    incomplete(WrongTypesOnce, "`page_rejected`: every row of the page is rejected"),
    equal(NewField, "what is not mapped is not read"),
    incomplete(MissingField, "every row is rejected"),
    incomplete(MissingDate, "`field_missing`: a mapped field that no record has"),
];

pub(super) const LISTS: &[Case] = &[
    incomplete(ShiftedColumns, "`page_rejected`: every row of the list is rejected"),
    incomplete(CutInRow, "`trailer_missing`"),
    incomplete(CutAtLineEnd, "`trailer_missing`"),
    incomplete(MissingRows, "`trailer_disagrees`"),
    incomplete(TwoSections, "`rows_below_footer`: what stands below the first sum is not passed over"),
    incomplete(WrongTrailer, "`trailer_disagrees`"),
    Case { edits: SETTLED, ..incomplete(Growing, "`file_growing`: left for the next run") },
    Case { edits: SETTLED, ..incomplete(ReplacedWhileReading, "`file_growing`: left for the next run") },
    equal(SameContentTwice, "a content is taken once"),
    equal(CorrectedFile, "the file written later counts"),
    failed(HeaderRenamed, "`header_not_found`"),
    failed(ColumnRenamed, "`header_not_found`: a mapped column has gone"),
];

pub(super) const BYTES: &[Case] = &[
    failed(EmptyFile, "`header_not_found`"),
    failed(ZeroedFile, "`header_not_found`"),
    equal(Utf16, "the mark says so"),
    Case { edits: IN_1258, ..equal(Windows1258, "what has no mark is read as the connector says") },
    incomplete(BrokenUtf8, "`page_rejected`: a row that is no UTF-8 is rejected"),
    equal(Gzip, "inflated"),
    failed(GzipBomb, "`expands_too_far`, counted as it is inflated"),
    failed(TruncatedWorkbook, "`body_cut_short`: the list of its parts stands at its end"),
    failed(UnclosedQuote, "`unclosed_quote`: the file ends inside a cell"),
    equal(LongLine, "one row is rejected"),
    equal(FeesWithCommas, "either separates groups of three"),
    incomplete(FeesWithDecimals, "`trailer_disagrees`: fees are whole đồng, and so is their sum"),
];

const fn through(door: Door, case: Case) -> Case {
    Case { door: Some(door), ..case }
}

/// Doors of other systems: their paging kinds.
pub(super) const DOORS: &[Case] = &[
    through(doors::TD, incomplete(ShrinkingTotal, "`total_disagrees`")),
    through(doors::CURSOR, incomplete(StuckCursor, "`cursor_stuck`")),
    through(doors::CURSOR, incomplete(CirclingCursor, "`page_repeated`: the page that the cursor came back to")),
    through(doors::KEYSET, incomplete(StuckKey, "`page_repeated`")),
];

/// The adapter that the catalogue of procedures is read from.
pub(super) const CATALOGUE: &[Case] = &[
    equal(SessionOver, "logged in again, once"),
    failed(SessionRefused, "`login_refused`: a fresh session is over too"),
    failed(CatalogueFailure, "`source_says_failure`"),
];

/// Every case, in no order that matters.
pub(super) fn all() -> Vec<&'static Case> {
    [ANSWERS, CONNECTIONS, TOKENS, PAGES, RECORDS, LISTS, BYTES, DOORS, CATALOGUE].into_iter().flatten().collect()
}
