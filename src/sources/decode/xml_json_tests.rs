//! What is kept of a document, what is handed on, and where errors are.

use super::*;

const NONE: [Option<&str>; ENVELOPE_FIELDS] = [None; ENVELOPE_FIELDS];

/// The JSON text of what is kept, and the records that were handed on.
fn converted(body: &str, records: &str, total: Option<&str>) -> Result<(String, Vec<String>), SourceError> {
    let names: Vec<Box<str>> = records.split('.').map(Into::into).collect();
    let mut paths = NONE;
    paths[EnvelopeField::Total as usize] = total;
    let mut taken = Vec::new();
    let mut take = |record: &str| {
        taken.push(record.to_owned());
        Ok(())
    };
    let json = XmlConverter::new(body).with_envelope(paths).handing_on(&names, 5, &mut take).json()?;
    Ok((json, taken))
}

#[test]
fn records_are_handed_on_and_what_is_around_them_is_left_out() {
    for (body, total, kept, records) in [
        ("<l><r><a>1</a></r><r b='2'/></l>", None, r#"{"l":{"r":[]}}"#, vec![r#"{"a":"1"}"#, r#"{"@b":"2"}"#]),
        ("<l><r>x</r></l>", None, r#"{"l":{"r":[]}}"#, vec![r#""x""#]),
        ("<l/>", None, r#"{"l":{"r":[]}}"#, vec![]),
        ("<l>text</l>", None, r#"{"l":"text"}"#, vec![]),
        ("<l><other><r>1</r></other></l>", None, r#"{"l":{"r":null}}"#, vec![]),
        ("<l n='1'><head><x>9</x></head><r/></l>", None, r#"{"l":{"r":[]}}"#, vec![r#""""#]),
        ("<l><r/><n>7</n></l>", Some("l.n"), r#"{"l":{"n":"7","r":[]}}"#, vec![r#""""#]),
        ("<l n='7'><r/></l>", Some("l.@n"), r#"{"l":{"@n":"7","r":[]}}"#, vec![r#""""#]),
        // The total has an attribute, so that it is no text.
        ("<l><n unit='x'>7</n></l>", Some("l.n"), r##"{"l":{"n":{"#text":"7"},"r":null}}"##, vec![]),
        ("<l><n><x>7</x></n><r/></l>", Some("l.n"), r#"{"l":{"n":{},"r":[]}}"#, vec![r#""""#]),
        // Text between the records.
        ("<l>a<r/>b</l>", None, r##"{"l":{"#text":"ab","r":[]}}"##, vec![r#""""#]),
    ] {
        let found = converted(body, "l.r", total).expect(body);
        let records: Vec<String> = records.into_iter().map(str::to_owned).collect();
        assert_eq!(found, (kept.to_owned(), records), "{body}");
    }
    // A nil list has no records, whatever it holds.
    let nil = "<l xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'><r/></l>";
    assert_eq!(converted(nil, "l.r", None).expect(nil), (r#"{"l":{"r":null}}"#.to_owned(), vec![]));
    // A record that is the root is no list.
    assert_eq!(converted("<r><a>1</a></r>", "r", None).expect("it is read"), (r#"{"r":{"a":"1"}}"#.to_owned(), vec![]));
    // Everything is kept where no envelope is given.
    let whole = XmlConverter::new("<a><b c='1'>x</b><b/></a>").json().expect("it is read");
    assert_eq!(whole, r##"{"a":{"b":[{"#text":"x","@c":"1"},""]}}"##);
}

#[test]
fn a_refused_record_ends_the_reading() {
    let names: [Box<str>; 2] = ["l".into(), "r".into()];
    let mut take = |_: &str| Err(SourceError::too_many_records(1));
    let found = XmlConverter::new("<l><r/><r>").with_envelope(NONE).handing_on(&names, 5, &mut take).json();
    assert_eq!(found.map_err(|error| error.kind), Err(ErrorKind::PageTooLong));
}

#[test]
fn errors_have_line_and_column() {
    for (body, kind, at) in [
        ("<a>\n  <b>Sở</c>\n</a>", ErrorKind::NotXml, "at line 2 column 12, is"),
        ("<a>\n<b>ệ &nope; </b></a>", ErrorKind::NotXml, "at line 2 column 12, names"),
        ("<a>\r\nệ<b", ErrorKind::BodyCutShort, "began at line 2 column 2"),
        ("<!DOCTYPE a>\n<a/>", ErrorKind::NotXml, "at line 1 column 13, has a document type"),
    ] {
        let error = XmlConverter::new(body).json().expect_err(body);
        assert_eq!(error.kind, kind, "{body}");
        assert!(error.message.contains(at), "{body}: {}", error.message);
    }
}

#[test]
fn elements_and_attributes_that_are_kept_are_bounded() {
    let names: [Box<str>; 2] = ["l".into(), "r".into()];
    let read = |body: &str, in_record: usize, around: usize| {
        let mut take = |_: &str| Ok(());
        let converter = XmlConverter::new(body).with_envelope(NONE).handing_on(&names, 9, &mut take);
        XmlConverter { max_record_nodes: in_record, envelope_nodes_left: around, ..converter }.json().is_ok()
    };
    // What is around the records: only the root is kept.
    assert!(read("<l><a/><a b='1'><c/></a><r/></l>", MAX_RECORD_NODES, 1));
    assert!(!read("<l><r/></l>", MAX_RECORD_NODES, 0));
    // Each record begins to count anew.
    assert!(read("<l><r a='1'/><r a='1'/></l>", 2, 1) && !read("<l><r a='1'/><r a='1'><b/></r></l>", 2, 1));
    let most = |nodes: usize| {
        XmlConverter { record_nodes_left: nodes, ..XmlConverter::new("<a b='1'><c/></a>") }.json().is_ok()
    };
    assert!(most(3) && !most(2));
}
