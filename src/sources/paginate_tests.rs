//! Page chains worked by hand.

use super::*;

fn pages(text: &str) -> Pages {
    toml::from_str(text).expect("the table is valid")
}

fn numbered(end: &str) -> Pages {
    pages(&format!("type='page_number'\nfirst=1\nsize=2\nparam='page'\n{end}"))
}

/// One page as a source sends it. The body is also used as its digest.
#[derive(Clone, Default)]
struct SentPage {
    body: &'static str,
    /// Digest of the records; the body if `None`.
    records: Option<&'static str>,
    rows: u64,
    envelope: EnvelopeValues,
    next: Option<&'static str>,
}

fn sent(body: &'static str, rows: u64) -> SentPage {
    SentPage { body, rows, ..SentPage::default() }
}

impl SentPage {
    fn flag(self, flag: bool) -> Self {
        Self { envelope: EnvelopeValues { flag: Some(flag), ..self.envelope }, ..self }
    }
    fn total(self, total: u64) -> Self {
        Self { envelope: EnvelopeValues { total: Some(total), ..self.envelope }, ..self }
    }
    fn pages(self, pages: u64) -> Self {
        Self { envelope: EnvelopeValues { pages: Some(pages), ..self.envelope }, ..self }
    }
    fn number(self, number: u64) -> Self {
        Self { envelope: EnvelopeValues { number: Some(number), ..self.envelope }, ..self }
    }
    fn next(self, next: &'static str) -> Self {
        Self { next: Some(next), ..self }
    }
    fn records(self, records: &'static str) -> Self {
        Self { records: Some(records), ..self }
    }
}

fn step(chain: &mut PageChain, sent: &SentPage) -> Result<ChainStep, SourceError> {
    if chain.expected_digest() == Some(sent.body) {
        return chain.confirm_unchanged();
    }
    let next = sent.next.map(|next| PagePlace::Cursor(next.to_owned()));
    chain.advance(&PageSummary {
        digest: sent.body,
        records: sent.records.unwrap_or(sent.body),
        rows: sent.rows,
        envelope: &sent.envelope,
        next: next.as_ref(),
        range: None,
        edge: None,
    })
}

/// Feeds all pages to a new chain. Returns the requested places, the last step, and the facts of the chain.
fn follow(
    pages: &Pages,
    complete: &Complete,
    all: &[SentPage],
) -> (Vec<PagePlace>, Result<ChainStep, ErrorKind>, ChainFacts) {
    let mut chain = PageChain::new(pages, complete, 0, None);
    let mut places = Vec::new();
    let mut last = Ok(ChainStep::More);
    for sent in all {
        assert_eq!(last, Ok(ChainStep::More), "no page is requested after the end");
        // Saved and restored before every page: the serialized state must be complete.
        let text = serde_json::to_string(chain.state()).expect("plain data");
        chain = PageChain::resume(pages, complete, serde_json::from_str(&text).expect("serialized above"));
        places.push(chain.place().clone());
        last = step(&mut chain, sent).map_err(|error| error.kind);
    }
    (places, last, chain.facts(String::new()))
}

#[test]
fn the_last_page_once_more_ends_a_chain_of_short_page() {
    let short = numbered("end={type='short_page'}");
    let (_, last, facts) = follow(&short, &Complete::default(), &[sent("a", 2), sent("b", 1), sent("b", 1)]);
    assert_eq!((last, facts.pages, facts.rows), (Ok(ChainStep::End), 2, 3));
    for all in [vec![sent("a", 1), sent("a", 1)], vec![sent("a", 2), sent("a", 2)]] {
        let (_, last, _) = follow(&short, &Complete::default(), &all);
        assert_eq!(last, Err(ErrorKind::PageRepeated), "the source may ignore the number of the page");
    }
}

#[test]
fn each_kind_of_end_ends_the_chain_by_its_own_mark_only() {
    let (more, end) = (Ok(ChainStep::More), Ok(ChainStep::End));
    for (mark, all, expected) in [
        ("end={type='last_flag',path='last'}", vec![sent("a", 2).flag(false), sent("b", 1).flag(true)], end),
        ("end={type='last_flag',path='last'}", vec![sent("a", 2)], Err(ErrorKind::NoLastFlag)),
        ("end={type='next_flag',path='next'}", vec![sent("a", 2).flag(true), sent("b", 0).flag(false)], end),
        ("end={type='next_flag',path='next'}", vec![sent("a", 2)], Err(ErrorKind::NoLastFlag)),
        ("end={type='empty_page'}", vec![sent("a", 2), sent("b", 1)], more),
        ("end={type='short_page'}", vec![sent("a", 1)], more),
        ("end={type='short_page'}", vec![sent("a", 1), sent("", 0)], end),
        ("end={type='short_page'}", vec![sent("", 0)], end),
        ("end={type='empty_page'}", vec![sent("a", 2), sent("b", 1), sent("", 0)], end),
        ("end={type='short_page'}", vec![sent("a", 2), sent("b", 2)], more),
        ("end={type='short_page'}", vec![sent("a", 2), sent("b", 1)], more),
        ("end={type='short_page'}", vec![sent("a", 2), sent("b", 1), sent("", 0)], end),
        ("end={type='last_page',path='n'}", vec![sent("a", 2).pages(2), sent("b", 2).pages(2)], end),
        ("end={type='last_page',path='n'}", vec![sent("", 0).pages(0)], end),
        (
            "end={type='last_page',path='n'}",
            vec![sent("a", 2).pages(2), sent("b", 2).pages(3)],
            Err(ErrorKind::TotalDisagrees),
        ),
        ("end={type='last_page',path='n'}", vec![sent("a", 2)], Err(ErrorKind::NoLastFlag)),
        ("end={type='total',path='n'}", vec![sent("a", 2).total(3), sent("b", 1).total(3)], end),
        ("end={type='total',path='n'}", vec![sent("", 0).total(0)], end),
        ("end={type='total',path='n'}", vec![sent("a", 2)], Err(ErrorKind::NoLastFlag)),
        (
            "end={type='total',path='n'}",
            vec![sent("a", 2).total(3), sent("b", 1).total(4)],
            Err(ErrorKind::TotalDisagrees),
        ),
        (
            "end={type='total',path='n'}",
            vec![sent("a", 2).total(3), sent("b", 2).total(3)],
            Err(ErrorKind::TotalDisagrees),
        ),
        (
            "end={type='total',path='n'}",
            vec![sent("a", 2).total(3), sent("", 0).total(3)],
            Err(ErrorKind::TotalDisagrees),
        ),
    ] {
        let (places, last, facts) = follow(&numbered(mark), &Complete::default(), &all);
        assert_eq!(last, expected, "{mark}");
        let counted: Vec<_> = (1..).map(PagePlace::Number).take(all.len()).collect();
        assert_eq!(places, counted, "{mark}");
        assert_eq!((facts.pages as usize, facts.rows), (all.len(), all.iter().map(|sent| sent.rows).sum()), "{mark}");
    }
}

#[test]
fn an_offset_moves_by_the_number_of_rows_received() {
    let offset = pages("type='offset'\nsize=100\nparam='offset'\nend={type='last_flag',path='last'}");
    // The source sends 50 of the 100 requested rows: none is skipped.
    let all = [sent("a", 50).flag(false), sent("b", 50).flag(false), sent("c", 7).flag(true)];
    let (places, last, facts) = follow(&offset, &Complete::default(), &all);
    assert_eq!(places, [PagePlace::Offset(0), PagePlace::Offset(50), PagePlace::Offset(100)]);
    assert_eq!((last, facts.rows), (Ok(ChainStep::End), 107));
    let (_, last, _) = follow(&offset, &Complete::default(), &[sent("a", 50).flag(false), sent("", 0).flag(false)]);
    assert_eq!(last, Err(ErrorKind::CursorStuck));
}

#[test]
fn a_cursor_is_followed_until_there_is_none() {
    let cursor = pages("type='cursor'\nparam='after'\npath='next'");
    let named = |name: &str| PagePlace::Cursor(name.to_owned());
    let all = [sent("a", 2).next("x"), sent("b", 2).next("y"), sent("c", 1)];
    let (places, last, facts) = follow(&cursor, &Complete::default(), &all);
    assert_eq!((places, last), (vec![PagePlace::First, named("x"), named("y")], Ok(ChainStep::End)));
    assert_eq!((facts.first_cursor.as_deref(), facts.last_cursor.as_deref()), (Some("#2d71"), Some("#a1fc")));
    for (all, kind) in [
        (vec![sent("a", 2).next("x"), sent("b", 2).next("x")], ErrorKind::CursorStuck),
        (vec![sent("a", 1).next("x"), sent("b", 1).next("y"), sent("c", 1).next("x")], ErrorKind::CursorStuck),
        (vec![sent("a", 1).next("x"), sent("b", 1).next("y"), sent("a", 1).next("z")], ErrorKind::PageRepeated),
    ] {
        assert_eq!(follow(&cursor, &Complete::default(), &all).1, Err(kind));
    }
    let flagged = pages("type='cursor'\nparam='after'\npath='next'\nend={type='next_flag',path='more'}");
    let (_, last, _) = follow(&flagged, &Complete::default(), &[sent("a", 2).flag(true)]);
    assert_eq!(last, Err(ErrorKind::NoCursor));
    let keyset = pages("type='keyset'\nparam='lastId'\npath='_id.$oid'\nfirst='000'\nend={type='empty_page'}");
    let all = [sent("a", 2).next("5f1"), sent("b", 1).next("5f2"), sent("", 0)];
    let (places, last, _) = follow(&keyset, &Complete::default(), &all);
    assert_eq!((places, last), (vec![named("000"), named("5f1"), named("5f2")], Ok(ChainStep::End)));
    // The last key equals the first: the source does not sort by the key, or ignores it.
    let (_, last, _) = follow(&keyset, &Complete::default(), &[sent("a", 2).next("000")]);
    assert_eq!(last, Err(ErrorKind::CursorStuck));
}

#[test]
fn a_page_with_another_number_or_a_repeated_body_is_an_error() {
    let echoed = numbered("echo='currentPage'\nend={type='empty_page'}");
    for (all, expected) in [
        (vec![sent("a", 2).number(1), sent("", 0).number(2)], Ok(ChainStep::End)),
        (vec![sent("a", 2).number(1), sent("b", 2).number(1)], Err(ErrorKind::PageMissing)),
        (vec![sent("a", 2).number(1), sent("c", 2).number(3)], Err(ErrorKind::PageMissing)),
        (vec![sent("a", 2)], Err(ErrorKind::PageMissing)),
        (vec![sent("a", 2).number(1), sent("b", 2).number(2), sent("a", 2).number(3)], Err(ErrorKind::PageRepeated)),
    ] {
        assert_eq!(follow(&echoed, &Complete::default(), &all).1, expected);
    }
    // Another body with the same records is the same page.
    let stamped = vec![sent("a1", 2).records("a"), sent("a2", 2).records("a")];
    let plain = numbered("end={type='empty_page'}");
    assert_eq!(follow(&plain, &Complete::default(), &stamped).1, Err(ErrorKind::PageRepeated));
    // Pages without records may have the same body.
    let flagged = numbered("end={type='last_flag',path='last'}");
    let all = [sent("", 0).flag(false), sent("", 0).flag(false), sent("a", 1).flag(true)];
    assert_eq!(follow(&flagged, &Complete::default(), &all).1, Ok(ChainStep::End));
}

#[test]
fn a_declared_total_is_checked_for_every_kind_of_end() {
    let complete = Complete { total: Some("n".to_owned()), ..Complete::default() };
    let flagged = numbered("end={type='next_flag',path='more'}");
    for (all, expected) in [
        (vec![sent("a", 2).flag(true).total(3), sent("b", 1).flag(false).total(3)], Ok(ChainStep::End)),
        (vec![sent("a", 2).flag(true).total(3), sent("b", 2).flag(false).total(3)], Err(ErrorKind::TotalDisagrees)),
        (vec![sent("a", 2).flag(true).total(3), sent("b", 1).flag(true).total(4)], Err(ErrorKind::TotalDisagrees)),
        (vec![sent("a", 2).flag(false)], Err(ErrorKind::NoLastFlag)),
    ] {
        assert_eq!(follow(&flagged, &complete, &all).1, expected);
    }
}

#[test]
fn a_chain_is_read_again_until_its_pages_stay_the_same() {
    let complete = Complete { read_twice: true, ..Complete::default() };
    let flagged = numbered("end={type='last_flag',path='last'}");
    let more = |body, rows| sent(body, rows).flag(false);
    let last = |body, rows| sent(body, rows).flag(true);
    for (what, all, expected, pages) in [
        ("a single page is not read again", vec![last("a", 1)], Ok(ChainStep::End), 1),
        ("no page changed", vec![more("a", 2), last("b", 1), more("a", 2), last("b", 1)], Ok(ChainStep::End), 2),
        (
            "a record moved: all pages are read once more",
            vec![more("a", 2), last("b", 1), more("A", 2), last("b", 1), more("A", 2), last("b", 1)],
            Ok(ChainStep::End),
            2,
        ),
        (
            "only a time stamp around the records changed",
            vec![
                more("a1", 2).records("a"),
                last("b1", 1).records("b"),
                more("a2", 2).records("a"),
                last("b2", 1).records("b"),
            ],
            Ok(ChainStep::End),
            2,
        ),
        (
            "the records stayed, and a page came after them",
            vec![
                more("a", 2),
                last("b1", 2).records("b"),
                more("a", 2),
                more("b2", 2).records("b"),
                last("c", 1),
                more("a", 2),
                more("b2", 2).records("b"),
                last("c", 1),
            ],
            Ok(ChainStep::End),
            3,
        ),
        (
            "the list grew: the new pages are read, then all again",
            vec![
                more("a", 2),
                last("b", 1),
                more("a", 2),
                more("B", 2),
                last("c", 1),
                more("a", 2),
                more("B", 2),
                last("c", 1),
            ],
            Ok(ChainStep::End),
            3,
        ),
        (
            "the list shrank",
            vec![more("a", 2), more("b", 2), last("c", 1), more("a", 2), last("B", 2), more("a", 2), last("B", 2)],
            Ok(ChainStep::End),
            2,
        ),
        (
            "a page changes each time",
            vec![
                more("a", 2),
                last("b", 1),
                more("a1", 2),
                last("b", 1),
                more("a2", 2),
                last("b", 1),
                more("a3", 2),
                last("b", 1),
            ],
            Err(ErrorKind::RecordsMoved),
            2,
        ),
        (
            "two pages became equal",
            vec![more("a", 2), last("b", 2), more("b", 2), last("b", 2), more("b", 2), last("b", 2)],
            Err(ErrorKind::PageRepeated),
            2,
        ),
    ] {
        let (_, found, facts) = follow(&flagged, &complete, &all);
        assert_eq!((found, facts.pages), (expected, pages), "{what}");
    }
    let cursor = numbered("end={type='total',path='n'}");
    let (_, found, _) = follow(&cursor, &complete, &[sent("a", 2).total(3), sent("b", 1).total(3)]);
    assert_eq!(found, Ok(ChainStep::End), "with a declared total, pages are not read again");
}

#[test]
fn rereading_follows_cursors_that_changed() {
    let complete = Complete { read_twice: true, ..Complete::default() };
    let cursor = pages("type='cursor'\nparam='after'\npath='next'");
    let named = |name: &str| PagePlace::Cursor(name.to_owned());
    let all = [
        sent("a", 2).next("x"),
        sent("b", 1),
        sent("A", 2).next("z"),
        sent("c", 1),
        sent("A", 2).next("z"),
        sent("c", 1),
    ];
    let (places, last, facts) = follow(&cursor, &complete, &all);
    let expected = [PagePlace::First, named("x"), PagePlace::First, named("z"), PagePlace::First, named("z")];
    assert_eq!((places, last, facts.pages), (expected.to_vec(), Ok(ChainStep::End), 2));
}

#[test]
fn without_paging_one_response_is_a_whole_chain() {
    let (places, last, _) = follow(&Pages::None, &Complete::default(), &[sent("a", 5)]);
    assert_eq!((places, last), (vec![PagePlace::First], Ok(ChainStep::End)));
}

#[test]
fn a_declared_total_takes_the_place_of_the_second_reading() {
    let (more, end) = (Ok(ChainStep::More), Ok(ChainStep::End));
    let pages = numbered("end={type='last_flag',path='last'}");
    let complete = Complete { total: Some("n".to_owned()), read_twice: true, ..Complete::default() };
    let page = |body, rows, last| sent(body, rows).flag(last);
    for (all, expected, declared) in [
        // Declared: one reading.
        (vec![page("a", 2, false).total(3), page("b", 1, true).total(3)], end, Some(3)),
        (vec![page("", 0, true).total(0)], end, Some(0)),
        // Not declared: the pages are read again.
        (vec![page("a", 2, false), page("b", 1, true)], more, None),
        (vec![page("a", 2, false), page("b", 1, true), page("a", 2, false), page("b", 1, true)], end, None),
        (vec![page("a", 1, true)], end, None),
        // The total changed while the pages were read: they are read again until none differs.
        (vec![page("a", 2, false).total(3), page("b", 2, true).total(4)], more, Some(4)),
        (
            vec![
                page("a", 2, false).total(3),
                page("b", 2, true).total(4),
                page("c", 2, false).total(4),
                page("b", 2, true).total(4),
                page("c", 2, false).total(4),
                page("b", 2, true).total(4),
            ],
            end,
            Some(4),
        ),
        // A total that stays wrong is an error after the second reading.
        (
            vec![
                page("a", 2, false).total(5),
                page("b", 2, true).total(5),
                page("a", 2, false).total(5),
                page("b", 2, true).total(5),
            ],
            Err(ErrorKind::TotalDisagrees),
            Some(5),
        ),
        (vec![page("a", 2, true).total(3)], Err(ErrorKind::TotalDisagrees), Some(3)),
    ] {
        let (_, last, facts) = follow(&pages, &complete, &all);
        assert_eq!((last, facts.declared_total), (expected, declared));
    }
    let only_total = Complete { read_twice: false, ..complete };
    let (_, last, _) = follow(&pages, &only_total, &[page("a", 2, false), page("b", 1, true)]);
    assert_eq!(last, Err(ErrorKind::NoLastFlag));
}
