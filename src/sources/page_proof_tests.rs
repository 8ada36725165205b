//! Page sizes, `null` lists, keys at page edges and `Content-Range`, worked by hand.

use super::*;
use crate::model::connector::Complete;
use crate::sources::content_range::ContentRange;
use crate::sources::decode::envelope::EnvelopeValues;
use crate::sources::paginate::KeysetEdge;

/// One page as a source sends it: number of records, then what stands around them.
#[derive(Debug, Clone, Default)]
struct Sent {
    rows: u64,
    envelope: EnvelopeValues,
    range: Option<&'static str>,
    /// First key, last key, and whether the last two records have it.
    keys: Option<(&'static str, &'static str, bool)>,
}

fn rows(rows: u64) -> Sent {
    Sent { rows, ..Sent::default() }
}

fn null() -> Sent {
    Sent { envelope: EnvelopeValues { null_list: true, ..EnvelopeValues::default() }, ..Sent::default() }
}

fn keys(rows: u64, first: &'static str, last: &'static str, is_tied: bool) -> Sent {
    Sent { rows, keys: Some((first, last, is_tied)), ..Sent::default() }
}

impl Sent {
    fn flag(mut self, flag: bool) -> Self {
        self.envelope.flag = Some(flag);
        self
    }
    fn total(mut self, total: u64) -> Self {
        self.envelope.total = Some(total);
        self
    }
    fn pages(mut self, pages: u64) -> Self {
        self.envelope.pages = Some(pages);
        self
    }
    fn no_next(mut self) -> Self {
        self.envelope.no_next = true;
        self
    }
    fn range(mut self, range: &'static str) -> Self {
        self.range = Some(range);
        self
    }
}

fn pages(text: &str) -> Pages {
    toml::from_str(text).expect("the table is valid")
}

fn numbered(rest: &str) -> Pages {
    pages(&format!("type='page_number'\nfirst=1\nsize=4\nparam='page'\n{rest}"))
}

/// Feeds the pages to a new chain, whose state is saved and restored before each. Returns the last step, the sizes that
/// were requested, and the records of the chain.
fn follow(pages: &Pages, all: &[Sent]) -> (Result<ChainStep, ErrorKind>, Vec<u64>, u64) {
    let complete = Complete::default();
    let mut chain = PageChain::new(pages, &complete, 0, None);
    let (mut sizes, mut last) = (Vec::new(), Ok(ChainStep::More));
    for (at, sent) in all.iter().enumerate() {
        assert_eq!(last, Ok(ChainStep::More), "no page is requested after the end");
        let text = serde_json::to_string(chain.state()).expect("plain data");
        chain = PageChain::resume(pages, &complete, serde_json::from_str(&text).expect("serialized above"));
        sizes.push(chain.size());
        let digest = format!("page {at}");
        let next = sent.keys.map(|(_, key, _)| PagePlace::Cursor(key.to_owned()));
        let edge = sent.keys.map(|(first, _, is_tied)| KeysetEdge { first: first.to_owned(), is_tied });
        let range = sent.range.map(|text| ContentRange::parse(text).expect("a range"));
        last = chain
            .advance(&PageSummary {
                digest: &digest,
                records: &digest,
                rows: sent.rows,
                envelope: &sent.envelope,
                next: next.as_ref(),
                range: range.as_ref(),
                edge: edge.as_ref(),
            })
            .map_err(|error| error.kind);
    }
    (last, sizes, chain.rows())
}

#[test]
fn a_source_that_caps_its_pages_is_asked_again_for_its_own_size() {
    let (more, end) = (Ok(ChainStep::More), Ok(ChainStep::End));
    let empty = "size_param='n'\nend={type='empty_page'}";
    let short = "size_param='n'\nend={type='short_page'}";
    let flag = "size_param='n'\nend={type='last_flag',path='last'}";
    for (what, table, all, expected) in [
        ("full pages", empty, vec![rows(4), rows(4), rows(1), rows(0)], (end, vec![4, 4, 4, 4], 9)),
        ("more than requested", empty, vec![rows(6), rows(5), rows(0)], (end, vec![4, 4, 4], 11)),
        (
            "two of four: begun again with two",
            empty,
            vec![rows(2), rows(2), rows(2), rows(2), rows(2), rows(2), rows(2), rows(0)],
            (end, vec![4, 4, 2, 2, 2, 2, 2, 2], 10),
        ),
        (
            "the page after the short one is shorter",
            short,
            vec![rows(2), rows(1), rows(2), rows(1), rows(0)],
            (end, vec![4, 4, 2, 2, 2], 3),
        ),
        (
            "a short page between full ones, and only short pages end",
            short,
            vec![rows(4), rows(2), rows(4)],
            (Err(ErrorKind::PageSizeCapped), vec![4, 4, 4], 10),
        ),
        (
            "half of each size that is requested",
            empty,
            vec![rows(2), rows(2), rows(1), rows(1)],
            (Err(ErrorKind::PageSizeCapped), vec![4, 4, 2, 2], 2),
        ),
        (
            "a short page between full ones",
            empty,
            vec![rows(4), rows(3), rows(4)],
            (Err(ErrorKind::PageSizeCapped), vec![4, 4, 4], 11),
        ),
        (
            "pages of different lengths, and the source states the end",
            flag,
            vec![rows(4).flag(false), rows(3).flag(false), rows(4).flag(false), rows(2).flag(true)],
            (end, vec![4, 4, 4, 4], 13),
        ),
        (
            "capped, and the source states the end",
            flag,
            vec![rows(2).flag(false), rows(2).flag(true), rows(2).flag(false), rows(1).flag(true)],
            (end, vec![4, 4, 2, 2], 3),
        ),
        (
            "the size is not requested",
            "end={type='empty_page'}",
            vec![rows(2), rows(2), rows(1), rows(0)],
            (end, vec![4, 4, 4, 4], 5),
        ),
        ("one short page", empty, vec![rows(2)], (more, vec![4], 2)),
        ("one short page, and nothing behind it", short, vec![rows(2), rows(0)], (end, vec![4, 4], 2)),
    ] {
        assert_eq!(follow(&numbered(table), &all), expected, "{what}");
    }
}

#[test]
fn a_size_in_the_text_of_the_request_cannot_be_changed() {
    let flag = numbered("end={type='last_flag',path='last'}");
    let envelope = EnvelopeValues { flag: Some(false), ..EnvelopeValues::default() };
    let mut chain = PageChain::new(&flag, &Complete::default(), 0, None).with_size_in_text(true);
    let mut advance = |digest: &str| {
        let page =
            PageSummary { digest, records: digest, rows: 2, envelope: &envelope, next: None, range: None, edge: None };
        chain.advance(&page).map_err(|error| error.kind)
    };
    assert_eq!(advance("a"), Ok(ChainStep::More));
    assert_eq!(advance("b"), Err(ErrorKind::PageSizeCapped));
}

#[test]
fn by_offset_and_by_key_a_cap_loses_nothing_and_only_an_empty_page_ends_the_chain() {
    let offset = pages("type='offset'\nsize=4\nparam='skip'\nend={type='short_page'}");
    let all = [rows(2), rows(2), rows(1), rows(0)];
    assert_eq!(follow(&offset, &all), (Ok(ChainStep::End), vec![4; 4], 5));
    assert_eq!(follow(&offset, &all[..3]).0, Ok(ChainStep::More));
    let keyset = pages("type='keyset'\nparam='after'\npath='id'\nsize=4\nend={type='short_page'}");
    let all = [keys(2, "a", "b", false), keys(2, "c", "d", false), rows(0)];
    assert_eq!(follow(&keyset, &all), (Ok(ChainStep::End), vec![4; 3], 4));
    // Records without the key, which may have another name now, show no end.
    assert_eq!(follow(&keyset, &[rows(2)]).0, Err(ErrorKind::EndUnproved));
}

#[test]
fn only_behind_a_short_page_a_page_may_not_exist() {
    let chain = |end: &str, read: &[u64]| {
        let table = numbered(&format!("size_param='n'\nend={{{end}}}"));
        let mut chain = PageChain::new(&table, &Complete::default(), 0, None);
        for (at, rows) in read.iter().enumerate() {
            let (digest, envelope) = (format!("page {at}"), EnvelopeValues::default());
            let (digest, records) = (digest.as_str(), digest.as_str());
            let page =
                PageSummary { digest, records, rows: *rows, envelope: &envelope, next: None, range: None, edge: None };
            assert_eq!(chain.advance(&page).map_err(|error| error.kind), Ok(ChainStep::More));
        }
        chain.may_be_behind_end()
    };
    assert!(!chain("type='short_page'", &[]));
    assert!(chain("type='short_page'", &[2]));
    assert!(!chain("type='short_page'", &[4]));
    assert!(!chain("type='empty_page'", &[2]));
}

#[test]
fn a_null_list_is_empty_only_where_another_mark_ends_the_chain() {
    let (end, none) = (Ok(ChainStep::End), Err(ErrorKind::NoRecords));
    let last = "end={type='last_flag',path='last'}";
    let more = "end={type='next_flag',path='more'}";
    let count = "end={type='last_page',path='pages'}";
    let total = "end={type='total',path='total'}";
    let empty = "size_param='n'\nend={type='empty_page'}";
    for (what, table, all, expected) in [
        ("the last flag", last, vec![null().flag(true)], end),
        ("the last flag after pages", last, vec![rows(4).flag(false), null().flag(true)], end),
        ("not the last page", last, vec![null().flag(false)], none),
        ("no flag", last, vec![null()], none),
        ("no next page", more, vec![null().flag(false)], end),
        ("a next page", more, vec![null().flag(true)], none),
        ("no page at all", count, vec![null().pages(0)], end),
        ("one page, and it is null", count, vec![null().pages(1)], none),
        ("no record at all", total, vec![null().total(0)], end),
        ("records are missing", total, vec![rows(4).total(6), null().total(6)], none),
        ("no total", total, vec![null()], none),
        ("after a short page", empty, vec![rows(4), rows(1), null()], end),
        ("after a full page", empty, vec![rows(4), null()], none),
        ("the first page", empty, vec![null()], none),
    ] {
        assert_eq!(follow(&numbered(table), &all).0, expected, "{what}");
    }
    assert_eq!(follow(&Pages::None, &[null()]).0, none, "a single response");
    let cursor = pages("type='cursor'\nparam='after'\npath='next'");
    assert_eq!(follow(&cursor, &[null().no_next()]).0, end, "the next cursor is null");
    assert_eq!(follow(&cursor, &[null()]).0, none, "the next cursor is absent, as in a message of failure");
}

#[test]
fn records_with_one_key_at_the_edge_of_a_full_page_are_reported() {
    let sized = "size=3\nend={type='short_page'}";
    let no_size = "end={type='empty_page'}";
    let (more, end, ties) = (Ok(ChainStep::More), Ok(ChainStep::End), Err(ErrorKind::KeysetTies));
    for (what, table, all, expected) in [
        ("unique keys", sized, vec![keys(3, "1", "3", false), keys(1, "4", "4", false), rows(0)], end),
        ("the next page goes on behind the key", sized, vec![keys(3, "1", "2", true), keys(1, "3", "3", false)], ties),
        ("the next page is empty", sized, vec![keys(3, "1", "2", true), rows(0)], ties),
        ("the source repeats the key", sized, vec![keys(3, "1", "2", true), keys(2, "2", "3", false), rows(0)], end),
        ("inside a page", sized, vec![keys(3, "1", "3", false), keys(2, "4", "4", true), rows(0)], end),
        (
            "one key on several pages",
            sized,
            vec![keys(3, "1", "2", true), keys(3, "2", "2", true)],
            Err(ErrorKind::CursorStuck),
        ),
        (
            "size unknown, the last page is shorter",
            no_size,
            vec![keys(3, "1", "3", false), keys(2, "4", "4", true), rows(0)],
            end,
        ),
        ("size unknown, the only page", no_size, vec![keys(3, "1", "2", true), rows(0)], ties),
        ("not yet known", no_size, vec![keys(3, "1", "2", true)], more),
        (
            "the total proves that nothing is missing",
            no_size,
            vec![keys(3, "1", "2", true).total(3), rows(0).total(3)],
            end,
        ),
    ] {
        let table = pages(&format!("type='keyset'\nparam='after'\npath='id'\n{table}"));
        assert_eq!(follow(&table, &all).0, expected, "{what}");
    }
}

#[test]
fn a_chain_that_ends_before_the_total_of_its_content_range_is_partial() {
    let (end, partial) = (Ok(ChainStep::End), Err(ErrorKind::PartialContent));
    let empty = numbered("size_param='n'\nend={type='empty_page'}");
    for (what, table, all, expected) in [
        ("a single response", &Pages::None, vec![rows(2).range("items 0-1/6")], partial),
        ("a single response of unknown total", &Pages::None, vec![rows(2).range("items 0-1/*")], partial),
        ("the whole list", &Pages::None, vec![rows(6).range("items 0-5/6")], end),
        ("an empty list", &Pages::None, vec![rows(0).range("*/0")], end),
        ("every page", &empty, vec![rows(4).range("0-3/5"), rows(1).range("4-4/5"), rows(0).range("*/5")], end),
        ("unknown total, page by page", &empty, vec![rows(4).range("0-3/*"), rows(0)], end),
        ("the last page states no range", &empty, vec![rows(2).range("items 0-1/6"), rows(0)], partial),
        ("a range of pages is none of records", &empty, vec![rows(4).range("0-0/9"), rows(0)], end),
        ("a page is missing", &empty, vec![rows(4).range("0-3/9"), rows(0).range("*/9")], partial),
    ] {
        assert_eq!(follow(table, &all).0, expected, "{what}");
    }
}

#[test]
fn the_cursors_of_a_chain_are_bounded_together() {
    let cursor = pages("type='cursor'\nparam='after'\npath='next'");
    let mut chain = PageChain::new(&cursor, &Complete::default(), 0, None);
    let envelope = EnvelopeValues::default();
    let mut advance = |number: usize| {
        let (digest, next) =
            (format!("page {number}"), PagePlace::Cursor(format!("{number}{}", "x".repeat(1_000_000))));
        let (digest, next) = (digest.as_str(), Some(&next));
        let page = PageSummary { digest, records: digest, rows: 1, envelope: &envelope, next, range: None, edge: None };
        chain.advance(&page).map_err(|error| error.kind)
    };
    // A million bytes each: 16 are within 16 MiB, 17 are not.
    for number in 1..=16 {
        assert_eq!(advance(number), Ok(ChainStep::More), "{number}");
    }
    assert_eq!(advance(17), Err(ErrorKind::NoCursor));
}

#[test]
fn records_that_give_several_rows_are_read_again_although_their_total_is_reached() {
    let complete = Complete { read_twice: true, ..Complete::default() };
    let counted = numbered("end={type='total',path='n'}");
    let envelope = EnvelopeValues { total: Some(6), ..EnvelopeValues::default() };
    for (explodes, expected) in [(false, ChainStep::End), (true, ChainStep::More)] {
        let mut chain = PageChain::new(&counted, &complete, 0, None).with_exploded_records(explodes);
        let mut advance = |digest: &str, rows: u64| {
            let (records, envelope) = (digest, &envelope);
            let summary = PageSummary { digest, records, rows, envelope, next: None, range: None, edge: None };
            chain.advance(&summary).map_err(|error| error.kind)
        };
        assert_eq!(advance("a", 4), Ok(ChainStep::More));
        assert_eq!(advance("b", 2), Ok(expected), "{explodes}");
        assert_eq!(chain.expected_digest(), explodes.then_some("a"));
    }
}

#[test]
fn an_absent_cursor_ends_a_chain_only_if_something_else_does() {
    let (end, unproved) = (Ok(ChainStep::End), Err(ErrorKind::EndUnproved));
    let cursor = "type='cursor'\nparam='after'\npath='next'\n";
    let sized = format!("{cursor}size=2");
    let declared = format!("{cursor}end={{type='null_cursor',absent=true}}");
    let sized_and_declared = format!("{sized}\nend={{type='null_cursor',absent=true}}");
    let short = format!("{sized}\nend={{type='short_page'}}");
    for (mark, all, expected) in [
        // The field has another name now.
        (cursor, vec![rows(2)], unproved),
        ("type='next_url'\npath='next'", vec![rows(2)], unproved),
        ("type='link_header'", vec![rows(2)], unproved),
        (&sized, vec![rows(2)], unproved),
        (cursor, vec![rows(2).no_next()], end),
        (cursor, vec![rows(0)], end),
        (&declared, vec![rows(2)], end),
        // The source may serve at most one record, whatever size is requested.
        (&sized, vec![rows(1)], unproved),
        (&sized, vec![rows(1).total(1)], end),
        (&short, vec![rows(1)], unproved),
        (&short, vec![rows(1).no_next()], end),
        (&short, vec![keys(2, "a", "x", false), rows(1)], end),
        // The declaration covers a short page; the first page that is full most likely has a next one.
        (&sized_and_declared, vec![rows(1)], end),
        (&sized_and_declared, vec![rows(2)], unproved),
        (&sized_and_declared, vec![keys(2, "a", "x", false), rows(2)], end),
        // A total that is reached shows the end; one that is not shows that pages are missing.
        (cursor, vec![rows(2).total(2)], end),
        (cursor, vec![rows(2).total(5)], unproved),
        (cursor, vec![rows(2).range("items 0-1/2")], end),
        // The source has the field, and leaves it out on its last page.
        (cursor, vec![keys(2, "a", "x", false), rows(2)], end),
        (&sized, vec![keys(2, "a", "x", false), rows(1)], end),
        // A page as long as the others may have a next one: full, or cut by a source that serves one record a page.
        (&sized, vec![keys(2, "a", "x", false), rows(2)], unproved),
        (&sized, vec![keys(1, "a", "x", false), rows(1)], unproved),
    ] {
        assert_eq!(follow(&pages(mark), &all).0, expected, "{mark} {all:?}");
    }
}

#[test]
fn a_list_of_one_page_is_read_by_the_documented_examples() {
    let docs = include_str!("../../docs/CONNECTORS.md");
    let example = |mark: &str| {
        let mut all = docs.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let text = all.find(|text| text.contains("[pages]\n") && text.contains(mark)).expect("an example");
        let table: toml::Table = toml::from_str(text).expect("the example is valid");
        table["pages"].clone().try_into::<Pages>().expect("the example is valid")
    };
    let (end, unproved) = (Ok(ChainStep::End), Err(ErrorKind::EndUnproved));
    let (odata, link) = (example("@odata.nextLink"), example("\"link_header\""));
    let short = pages("type='next_url'\npath='next'\nsize=500\nend={type='short_page',absent=true}");
    let first = || keys(500, "a", "x", false);
    // Of a full first page with a size, the value may have another name now.
    for (table, full) in [(&odata, unproved), (&short, unproved), (&link, end)] {
        let lists = [vec![rows(0)], vec![rows(120)], vec![rows(500)], vec![first(), rows(1)], vec![first(), rows(500)]];
        assert_eq!(lists.map(|all| follow(table, &all).0), [end, end, full, end, end], "{table:?}");
    }
}

#[test]
fn a_page_behind_the_declared_number_of_pages_is_no_end() {
    let counted = numbered("end={type='last_page',path='n'}");
    assert_eq!(follow(&counted, &[rows(4).pages(0)]).0, Err(ErrorKind::TotalDisagrees));
}
