//! Expected outcome of each fault and its reason, written by hand.

use motcua::simulator::Fault::{self, *};

use super::other_systems::{self, PortalApi};
use super::{PORTAL, POST};

/// Outcome of the night with the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Figures equal the true ones, the night is complete, exit 0.
    Equal,
    /// Exit 4, no figure is marked complete.
    Incomplete,
    /// Exit 3, no figure is marked complete.
    Failed,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) fault: Fault,
    pub(super) outcome: Outcome,
    /// Why, for `docs/reference/faults.md`. Unless the outcome is `Equal`, it begins with the reason code in backticks.
    pub(super) why: &'static str,
    /// Whether the second night reads a repaired source. False for a fault that is only another form of the data.
    pub(super) repaired: bool,
    /// Edits of the configuration: file, text, replacement.
    pub(super) edits: &'static [(&'static str, &'static str, &'static str)],
    /// Another API of the simulated portal, read instead of the iGate search.
    pub(super) api: Option<PortalApi>,
}

const fn case(fault: Fault, outcome: Outcome, why: &'static str) -> Case {
    Case { fault, outcome, why, repaired: true, edits: &[], api: None }
}

const fn equal(fault: Fault, why: &'static str) -> Case {
    case(fault, Outcome::Equal, why)
}

const fn incomplete(fault: Fault, why: &'static str) -> Case {
    case(fault, Outcome::Incomplete, why)
}

const fn failed(fault: Fault, why: &'static str) -> Case {
    case(fault, Outcome::Failed, why)
}

/// A single attempt and a short timeout: the case tests a timeout.
const ONE_ATTEMPT: &[(&str, &str, &str)] =
    &[(PORTAL, "attempts = 3", "attempts = 1"), (PORTAL, "read_timeout_secs = 2", "read_timeout_secs = 1")];

/// Windows-1258 has no byte order mark: the connector must state it.
const WINDOWS_1258_SET: &[(&str, &str, &str)] =
    &[(POST, "type = \"spreadsheet\"", "type = \"spreadsheet\"\nencoding = \"windows-1258\"")];

/// Waits for a file until it was not modified for a second.
const SETTLE_ONE_SECOND: &[(&str, &str, &str)] = &[(POST, "settle_secs = 0", "settle_secs = 1")];

pub(super) const RESPONSES: &[Case] = &[
    equal(RateLimitedSeconds, "retried after the wait"),
    equal(RateLimitedDate, "retried after the wait"),
    failed(RateLimitedForHours, "`rate_limited`: the wait is longer than `retry.cap_secs`"),
    equal(UnavailableTwice, "retried"),
    failed(Unavailable, "`unavailable` after the last attempt"),
    failed(LoginPage, "`html_instead_of_json`"),
    failed(LoginPageAsJson, "`html_instead_of_json`, recognised by the body"),
    failed(FailureInside, "`no_records`"),
    failed(EmptyBody, "`body_cut_short`"),
    equal(NotReadyOnce, "retried after the wait"),
    failed(NoContent, "`no_content`"),
    incomplete(PartialContent, "`partial_content`: the chain ends before the total of `Content-Range`"),
    failed(OtherCoding, "`content_coding`"),
    equal(LooseTypes, "the text of a flag, of a number and the older name of gzip are read"),
];

pub(super) const CONNECTIONS: &[Case] = &[
    equal(CutShort, "retried"),
    failed(CutShortAlways, "`body_cut_short`"),
    failed(WrongLength, "`body_cut_short`, recognised by the JSON"),
    Case { edits: ONE_ATTEMPT, ..failed(OneByteASecond, "`timeout` of the whole response") },
    Case { edits: ONE_ATTEMPT, ..failed(Silence, "`timeout`") },
    equal(Reset, "retried"),
    failed(ResetAlways, "`body_cut_short`"),
    failed(EndlessBody, "`body_too_large`"),
    failed(ZippedBomb, "`body_too_large`: decompressed bytes are counted"),
    failed(ManyRecords, "`page_too_long`: records are counted while they are read"),
];

pub(super) const TOKENS: &[Case] = &[
    equal(TokenRevoked, "a new token is fetched, once"),
    equal(TokenExpired403, "a new token is fetched, once"),
    failed(TokenRefused, "`login_refused`"),
    failed(TokenPage, "`html_instead_of_json`"),
    equal(TokenUnavailableOnce, "retried"),
    failed(RedirectElsewhere, "`wrong_host`: not followed, no credentials are sent there"),
    failed(RedirectToken, "`wrong_host`: not followed, the secret is not sent there"),
];

pub(super) const PAGES: &[Case] = &[
    incomplete(DuplicatePage, "`page_repeated`: known by its records, although its number is that of the next page"),
    incomplete(RepeatedPage, "`page_repeated`"),
    incomplete(SkippedPage, "`page_repeated`: the third page was received already in place of the second"),
    equal(MovingRecords, "the second reading of the pages finds the record that moved"),
    incomplete(RestlessRecords, "`records_moved`: pages differ at each reading"),
    failed(NoLastFlag, "`no_last_flag`"),
    incomplete(NeverLast, "`page_limit`"),
    incomplete(RenumberedPage, "`page_repeated`: known by its records"),
    equal(CappedPages, "the chain is read again with the size that the source serves"),
    equal(NullList, "`null` twice, on a page that is marked as the last one, is an empty list"),
    equal(NullPage, "requested again: a list counts as `null` only if it is so twice"),
    failed(NullMiddle, "`no_records`: nothing else says that the list ends there"),
];

pub(super) const RECORDS: &[Case] = &[
    failed(InvalidUtf8, "`not_utf8`"),
    equal(HalfSurrogate, "the names are not mapped"),
    Case {
        repaired: false,
        edits: &[(PORTAL, "[0-9a-f]{24}", "[0-9]{16}")],
        ..equal(BigIds, "numbers are kept as text, digit by digit; the connector states their form")
    },
    incomplete(WrongTypes, "`all_rejected`"),
    incomplete(WrongTypesOnce, "`page_rejected`: every row of the page is rejected"),
    equal(NamesInLanguages, "the Vietnamese names are read; a status whose number is unknown goes by its name"),
    equal(DeclaredTotal, "a declared total takes the place of the second reading"),
    incomplete(MovingWithTotal, "`total_disagrees`: one record came twice, another not at all"),
    equal(PersonalKeys, "the keys are withheld where unmapped fields are reported"),
    equal(YearOne, "the year 1 means that there is no date"),
    incomplete(BuddhistYears, "`page_rejected`: every row of the page is rejected, the year is out of range"),
    equal(NewField, "fields that are not mapped are not read"),
    incomplete(MissingField, "`field_missing`: no record has a required field, and every row is rejected"),
    incomplete(MissingDate, "`field_missing`: no record has a mapped field"),
];

/// Every file of the folder matches, also the lock file.
const ANY_NAME: &[(&str, &str, &str)] = &[(POST, "glob = \"bcci-*\"", "glob = \"*bcci-*\"")];

pub(super) const CLOCKS: &[Case] = &[
    incomplete(
        WrongDay,
        "the clock of the machine and that of every source differ by more than a day: one of them is wrong",
    ),
    incomplete(WrongDecade, "the same"),
];

pub(super) const EDITED: &[Case] = &[
    equal(PutBack, "what the list says now applies, whatever its time of saving"),
    equal(RowRemoved, "a row that no list has any more is deleted"),
    equal(LateList, "the list of the later date applies, whenever the other arrives"),
    equal(RenamedList, "the content is known: nothing is read or deleted"),
    incomplete(CutLater, "`trailer_missing`: rows that the cut list lacks are not deleted"),
    Case { edits: ANY_NAME, ..equal(LockFile, "lock files are ignored") },
    incomplete(CorruptBeside, "`body_cut_short`: the good list is taken, the bad one is named"),
    equal(EditedAtNight, "every saved content is whole: what was read counts, and the next run reads the newer one"),
];

pub(super) const LISTS: &[Case] = &[
    incomplete(ShiftedColumns, "`page_rejected`: every row of the list is rejected"),
    incomplete(CutInRow, "`trailer_missing`"),
    incomplete(CutAtLineEnd, "`trailer_missing`"),
    incomplete(MissingRows, "`trailer_disagrees`"),
    incomplete(TwoSections, "`rows_below_footer`: records below the first sum are not skipped silently"),
    incomplete(WrongTrailer, "`trailer_disagrees`"),
    Case { edits: SETTLE_ONE_SECOND, ..incomplete(Growing, "`file_growing`: the next run reads it") },
    Case { edits: SETTLE_ONE_SECOND, ..incomplete(ReplacedWhileReading, "`file_growing`: the next run reads it") },
    equal(PersonalFileName, "the name is shown as its shape, with the request to rename the file"),
    equal(SameContentTwice, "the same content is read once"),
    equal(CorrectedFile, "the file written later applies"),
    incomplete(HeaderRenamed, "`header_not_found`"),
    incomplete(HeadingRepeated, "`heading_repeated`: two columns have the heading of a mapped field"),
    equal(LookAlikeLetters, "spaces and letters that look alike are read alike"),
    equal(SmallLetters, "one item: the type of its code says that case does not count; the later row applies"),
    incomplete(ColumnRenamed, "`header_not_found`: a mapped column is missing"),
];

pub(super) const BYTES: &[Case] = &[
    incomplete(EmptyFile, "`file_empty`"),
    incomplete(ZeroedFile, "`file_empty`"),
    equal(Utf16, "recognised by the byte order mark"),
    Case { edits: WINDOWS_1258_SET, ..equal(Windows1258, "the connector states the encoding") },
    incomplete(BrokenUtf8, "`page_rejected`: rows that are not UTF-8 are rejected"),
    equal(Gzip, "decompressed"),
    incomplete(GzipBomb, "`expands_too_far`: decompressed bytes are counted"),
    incomplete(TruncatedWorkbook, "`body_cut_short`: the list of parts at its end is missing"),
    incomplete(FormulasWithoutValues, "`page_rejected`: every row is rejected, its formula has no stored value"),
    incomplete(UnclosedQuote, "`unclosed_quote`: the file ends inside a cell"),
    equal(LongLine, "one row is rejected"),
    equal(StrayQuote, "the row is rejected, and no other"),
    equal(EndMark, "no rows"),
    equal(TabSeparated, "recognised by the header row"),
    equal(FeesWithCommas, "dots and commas both separate groups of three digits"),
    incomplete(FeesWithDecimals, "`trailer_disagrees`: fees and their sum must be whole đồng"),
];

const fn with_api(api: PortalApi, case: Case) -> Case {
    Case { api: Some(api), ..case }
}

/// APIs with the paging kinds of other systems.
pub(super) const OTHER_SYSTEMS: &[Case] = &[
    with_api(other_systems::TD, incomplete(ShrinkingTotal, "`total_disagrees`")),
    with_api(other_systems::CURSOR, incomplete(StuckCursor, "`cursor_stuck`")),
    with_api(
        other_systems::CURSOR,
        incomplete(CirclingCursor, "`page_repeated`: the page to which the cursor returns"),
    ),
    with_api(other_systems::KEYSET, incomplete(StuckKey, "`page_repeated`")),
    with_api(
        other_systems::KEYSET,
        incomplete(KeyTies, "`keyset_ties`: records behind the edge of the page are left out"),
    ),
];

/// The adapter from which the catalogue of procedures is read.
pub(super) const CATALOGUE: &[Case] = &[
    equal(SessionOver, "logged in again, once"),
    failed(SessionRefused, "`login_refused`: a new session has expired, too"),
    failed(CatalogueFailure, "`source_says_failure`"),
];

/// All cases.
pub(super) fn all() -> Vec<&'static Case> {
    [RESPONSES, CONNECTIONS, TOKENS, PAGES, RECORDS, CLOCKS, LISTS, EDITED, BYTES, OTHER_SYSTEMS, CATALOGUE]
        .into_iter()
        .flatten()
        .collect()
}
