//! Chains worked by hand.

use super::*;

fn pages(text: &str) -> Pages {
    toml::from_str(text).expect("the table is valid")
}

fn numbered(end: &str) -> Pages {
    pages(&format!("type='page_number'\nfirst=1\nsize=2\nparam='page'\n{end}"))
}

/// One page as a source would give it: body, rows, what it says, the next cursor.
#[derive(Clone, Default)]
struct Seen {
    body: &'static str,
    rows: u64,
    facts: Facts,
    next: Option<&'static str>,
}

fn seen(body: &'static str, rows: u64) -> Seen {
    Seen { body, rows, ..Seen::default() }
}

impl Seen {
    fn flag(self, flag: bool) -> Self {
        Self { facts: Facts { flag: Some(flag), ..self.facts }, ..self }
    }
    fn total(self, total: u64) -> Self {
        Self { facts: Facts { total: Some(total), ..self.facts }, ..self }
    }
    fn pages(self, pages: u64) -> Self {
        Self { facts: Facts { pages: Some(pages), ..self.facts }, ..self }
    }
    fn number(self, number: u64) -> Self {
        Self { facts: Facts { number: Some(number), ..self.facts }, ..self }
    }
    fn next(self, next: &'static str) -> Self {
        Self { next: Some(next), ..self }
    }
}

fn step(chain: &mut Chain, seen: &Seen) -> Result<Step, SourceError> {
    if chain.expected() == Some(seen.body) {
        return chain.agree();
    }
    let next = seen.next.map(|next| PagePlace::Cursor(next.to_owned()));
    chain.advance(&Answer { digest: seen.body, rows: seen.rows, facts: &seen.facts, next: next.as_ref() })
}

/// What follows each page until the chain ends or fails, and the places asked for.
fn follow(pages: &Pages, complete: &Complete, all: &[Seen]) -> (Vec<PagePlace>, Result<Step, ErrorKind>, ChainFacts) {
    let mut chain = Chain::new(pages, complete, 0, None);
    let mut places = Vec::new();
    let mut last = Ok(Step::More);
    for seen in all {
        assert_eq!(last, Ok(Step::More), "nothing is asked for after the end");
        // What stands still is written down and read again: it is the whole state.
        let text = serde_json::to_string(chain.state()).expect("plain data");
        chain = Chain::resume(pages, complete, serde_json::from_str(&text).expect("what was written"));
        places.push(chain.place().clone());
        last = step(&mut chain, seen).map_err(|error| error.kind);
    }
    (places, last, chain.facts(String::new()))
}

#[test]
fn every_end_is_known_by_its_mark_only() {
    let (more, end) = (Ok(Step::More), Ok(Step::End));
    for (mark, all, expected) in [
        ("end={type='last_flag',path='last'}", vec![seen("a", 2).flag(false), seen("b", 1).flag(true)], end),
        ("end={type='last_flag',path='last'}", vec![seen("a", 2)], Err(ErrorKind::NoLastFlag)),
        ("end={type='next_flag',path='next'}", vec![seen("a", 2).flag(true), seen("b", 0).flag(false)], end),
        ("end={type='next_flag',path='next'}", vec![seen("a", 2)], Err(ErrorKind::NoLastFlag)),
        ("end={type='empty_page'}", vec![seen("a", 2), seen("b", 1)], more),
        ("end={type='empty_page'}", vec![seen("a", 2), seen("b", 1), seen("", 0)], end),
        ("end={type='short_page'}", vec![seen("a", 2), seen("b", 2)], more),
        ("end={type='short_page'}", vec![seen("a", 2), seen("b", 1)], end),
        ("end={type='last_page',path='n'}", vec![seen("a", 2).pages(2), seen("b", 2).pages(2)], end),
        ("end={type='last_page',path='n'}", vec![seen("", 0).pages(0)], end),
        (
            "end={type='last_page',path='n'}",
            vec![seen("a", 2).pages(2), seen("b", 2).pages(3)],
            Err(ErrorKind::TotalDisagrees),
        ),
        ("end={type='last_page',path='n'}", vec![seen("a", 2)], Err(ErrorKind::NoLastFlag)),
        ("end={type='total',path='n'}", vec![seen("a", 2).total(3), seen("b", 1).total(3)], end),
        ("end={type='total',path='n'}", vec![seen("", 0).total(0)], end),
        ("end={type='total',path='n'}", vec![seen("a", 2)], Err(ErrorKind::NoLastFlag)),
        (
            "end={type='total',path='n'}",
            vec![seen("a", 2).total(3), seen("b", 1).total(4)],
            Err(ErrorKind::TotalDisagrees),
        ),
        (
            "end={type='total',path='n'}",
            vec![seen("a", 2).total(3), seen("b", 2).total(3)],
            Err(ErrorKind::TotalDisagrees),
        ),
        (
            "end={type='total',path='n'}",
            vec![seen("a", 2).total(3), seen("", 0).total(3)],
            Err(ErrorKind::TotalDisagrees),
        ),
    ] {
        let (places, last, facts) = follow(&numbered(mark), &Complete::default(), &all);
        assert_eq!(last, expected, "{mark}");
        let counted: Vec<_> = (1..).map(PagePlace::Number).take(all.len()).collect();
        assert_eq!(places, counted, "{mark}");
        assert_eq!((facts.pages as usize, facts.rows), (all.len(), all.iter().map(|seen| seen.rows).sum()), "{mark}");
    }
}

#[test]
fn an_offset_moves_by_what_came() {
    let offset = pages("type='offset'\nsize=100\nparam='offset'\nend={type='last_flag',path='last'}");
    // A source that gives fewer than it is asked for loses nothing.
    let all = [seen("a", 50).flag(false), seen("b", 50).flag(false), seen("c", 7).flag(true)];
    let (places, last, facts) = follow(&offset, &Complete::default(), &all);
    assert_eq!(places, [PagePlace::Offset(0), PagePlace::Offset(50), PagePlace::Offset(100)]);
    assert_eq!((last, facts.rows), (Ok(Step::End), 107));
    let (_, last, _) = follow(&offset, &Complete::default(), &[seen("a", 50).flag(false), seen("", 0).flag(false)]);
    assert_eq!(last, Err(ErrorKind::CursorStuck));
}

#[test]
fn a_cursor_is_followed_until_there_is_none() {
    let cursor = pages("type='cursor'\nparam='after'\npath='next'");
    let named = |name: &str| PagePlace::Cursor(name.to_owned());
    let all = [seen("a", 2).next("x"), seen("b", 2).next("y"), seen("c", 1)];
    let (places, last, facts) = follow(&cursor, &Complete::default(), &all);
    assert_eq!((places, last), (vec![PagePlace::First, named("x"), named("y")], Ok(Step::End)));
    assert_eq!((facts.first_cursor.as_deref(), facts.last_cursor.as_deref()), (Some("x"), Some("y")));
    for (all, kind) in [
        (vec![seen("a", 2).next("x"), seen("b", 2).next("x")], ErrorKind::CursorStuck),
        (vec![seen("a", 1).next("x"), seen("b", 1).next("y"), seen("c", 1).next("x")], ErrorKind::CursorStuck),
        (vec![seen("a", 1).next("x"), seen("b", 1).next("y"), seen("a", 1).next("z")], ErrorKind::PageRepeated),
    ] {
        assert_eq!(follow(&cursor, &Complete::default(), &all).1, Err(kind));
    }
    let flagged = pages("type='cursor'\nparam='after'\npath='next'\nend={type='next_flag',path='more'}");
    let (_, last, _) = follow(&flagged, &Complete::default(), &[seen("a", 2).flag(true)]);
    assert_eq!(last, Err(ErrorKind::NoCursor));
    let keyset = pages("type='keyset'\nparam='lastId'\npath='_id.$oid'\nfirst='000'\nend={type='empty_page'}");
    let all = [seen("a", 2).next("5f1"), seen("b", 1).next("5f2"), seen("", 0)];
    let (places, last, _) = follow(&keyset, &Complete::default(), &all);
    assert_eq!((places, last), (vec![named("000"), named("5f1"), named("5f2")], Ok(Step::End)));
    // The source does not sort by its key, or does not look at it.
    let (_, last, _) = follow(&keyset, &Complete::default(), &[seen("a", 2).next("000")]);
    assert_eq!(last, Err(ErrorKind::CursorStuck));
}

#[test]
fn a_page_that_is_another_or_came_before_is_an_error() {
    let echoed = numbered("echo='currentPage'\nend={type='empty_page'}");
    for (all, expected) in [
        (vec![seen("a", 2).number(1), seen("", 0).number(2)], Ok(Step::End)),
        (vec![seen("a", 2).number(1), seen("b", 2).number(1)], Err(ErrorKind::PageMissing)),
        (vec![seen("a", 2).number(1), seen("c", 2).number(3)], Err(ErrorKind::PageMissing)),
        (vec![seen("a", 2)], Err(ErrorKind::PageMissing)),
        (vec![seen("a", 2).number(1), seen("b", 2).number(2), seen("a", 2).number(3)], Err(ErrorKind::PageRepeated)),
    ] {
        assert_eq!(follow(&echoed, &Complete::default(), &all).1, expected);
    }
    // Pages without records may be alike.
    let flagged = numbered("end={type='last_flag',path='last'}");
    let all = [seen("", 0).flag(false), seen("", 0).flag(false), seen("a", 1).flag(true)];
    assert_eq!(follow(&flagged, &Complete::default(), &all).1, Ok(Step::End));
}

#[test]
fn a_declared_total_is_checked_whatever_ends_the_chain() {
    let complete = Complete { total: Some("n".to_owned()), read_twice: true, ..Complete::default() };
    let flagged = numbered("end={type='next_flag',path='more'}");
    for (all, expected) in [
        (vec![seen("a", 2).flag(true).total(3), seen("b", 1).flag(false).total(3)], Ok(Step::End)),
        (vec![seen("a", 2).flag(true).total(3), seen("b", 2).flag(false).total(3)], Err(ErrorKind::TotalDisagrees)),
        (vec![seen("a", 2).flag(true).total(3), seen("b", 1).flag(true).total(4)], Err(ErrorKind::TotalDisagrees)),
        (vec![seen("a", 2).flag(false)], Err(ErrorKind::NoLastFlag)),
    ] {
        assert_eq!(follow(&flagged, &complete, &all).1, expected);
    }
}

#[test]
fn a_chain_is_looked_at_until_it_stands_still() {
    let complete = Complete { read_twice: true, ..Complete::default() };
    let flagged = numbered("end={type='last_flag',path='last'}");
    let more = |body, rows| seen(body, rows).flag(false);
    let last = |body, rows| seen(body, rows).flag(true);
    for (what, all, expected, pages) in [
        ("one page is not asked for again", vec![last("a", 1)], Ok(Step::End), 1),
        ("it stands still", vec![more("a", 2), last("b", 1), more("a", 2), last("b", 1)], Ok(Step::End), 2),
        (
            "a record moved: another look",
            vec![more("a", 2), last("b", 1), more("A", 2), last("b", 1), more("A", 2), last("b", 1)],
            Ok(Step::End),
            2,
        ),
        (
            "it grew: read on, then look",
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
            Ok(Step::End),
            3,
        ),
        (
            "it shrank",
            vec![more("a", 2), more("b", 2), last("c", 1), more("a", 2), last("B", 2), more("a", 2), last("B", 2)],
            Ok(Step::End),
            2,
        ),
        (
            "it never stands still",
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
            "two pages became one",
            vec![more("a", 2), last("b", 2), more("b", 2), last("b", 2), more("b", 2), last("b", 2)],
            Err(ErrorKind::PageRepeated),
            2,
        ),
    ] {
        let (_, found, facts) = follow(&flagged, &complete, &all);
        assert_eq!((found, facts.pages), (expected, pages), "{what}");
    }
    let cursor = numbered("end={type='total',path='n'}");
    let (_, found, _) = follow(&cursor, &complete, &[seen("a", 2).total(3), seen("b", 1).total(3)]);
    assert_eq!(found, Ok(Step::End), "a declared total proves enough");
}

#[test]
fn a_second_look_follows_cursors_that_changed() {
    let complete = Complete { read_twice: true, ..Complete::default() };
    let cursor = pages("type='cursor'\nparam='after'\npath='next'");
    let named = |name: &str| PagePlace::Cursor(name.to_owned());
    let all = [
        seen("a", 2).next("x"),
        seen("b", 1),
        seen("A", 2).next("z"),
        seen("c", 1),
        seen("A", 2).next("z"),
        seen("c", 1),
    ];
    let (places, last, facts) = follow(&cursor, &complete, &all);
    let expected = [PagePlace::First, named("x"), PagePlace::First, named("z"), PagePlace::First, named("z")];
    assert_eq!((places, last, facts.pages), (expected.to_vec(), Ok(Step::End), 2));
}

#[test]
fn one_answer_is_a_whole_chain() {
    let (places, last, _) = follow(&Pages::None, &Complete::default(), &[seen("a", 5)]);
    assert_eq!((places, last), (vec![PagePlace::First], Ok(Step::End)));
}
