//! XML messages, SOAP among them.

use std::io::Write as _;
use std::sync::Arc;

use super::*;
use crate::sources::decode::envelope::EnvelopePaths;

const FIELDS: [&str; 4] = ["id", "@kind", "date[@key=due].@value", "name"];

fn read(records: &str, body: &[u8]) -> Result<Page, SourceError> {
    read_all(records, body).map(|(page, _)| page)
}

fn read_all(records: &str, body: &[u8]) -> Result<(Page, EnvelopeValues), SourceError> {
    let text = format!(
        "[connector]\nversion=1\ntitle=''\nkind='dossiers'\nsystem=''\ncontact=''\n[access]\ntype='http'\n\
         base_url='https://portal.example'\n[decode]\ntype='xml'\nrecords='{records}'\n[map]\n"
    );
    let paths = EnvelopePaths::of(&toml::from_str(&text).expect("the connector is valid"));
    let fields: Arc<[String]> = FIELDS.iter().map(ToString::to_string).collect();
    let layout = XmlLayout::new(JsonLayout::compile(paths, &fields, 5)?, records, Some(1 << 20));
    let mut page = Page::new(1, String::new(), String::new(), fields);
    let envelope = layout.read(body, &mut page)?;
    Ok((page, envelope))
}

/// The cells of each row; `none` for a cell without a value.
fn rows(records: &str, body: &str) -> Vec<Vec<String>> {
    let page = read(records, body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"));
    let cells = |row| (0..FIELDS.len()).map(|field| page.cell(row, field).unwrap_or("none").to_owned()).collect();
    (0..page.len()).map(cells).collect()
}

fn ids(records: &str, body: &str) -> Vec<String> {
    rows(records, body).into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn records_are_the_elements_at_the_path_however_many_there_are() {
    for (body, expected) in [
        ("<list><r><id>a</id></r><r><id>b</id></r></list>", vec!["a", "b"]),
        ("<list><r><id>a</id></r></list>", vec!["a"]),
        ("<list/>", vec![]),
        ("<list></list>", vec![]),
        ("<list count=\"0\">\n</list>", vec![]),
        // Other elements beside the records, and an element of their name elsewhere.
        ("<list><page><r>9</r></page><r><id>a</id></r><total>1</total></list>", vec!["a"]),
        ("<?xml version=\"1.0\"?>\n<!-- a -->\n<list><!-- b --><r><id>a</id></r></list>\n", vec!["a"]),
    ] {
        assert_eq!(ids("list.r", body), expected, "{body}");
    }
}

#[test]
fn names_are_local_names_in_a_soap_message_of_either_version() {
    for namespace in ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"] {
        let body = format!(
            "<s:Envelope xmlns:s=\"{namespace}\" xmlns=\"urn:x\"><s:Header/><s:Body><GetResponse><n:List xmlns:n=\"urn:n\">\
             <n:Item kind=\"k\"><n:id>a</n:id></n:Item></n:List></GetResponse></s:Body></s:Envelope>"
        );
        let expected = ["a", "k", "none", "none"];
        assert_eq!(rows("Envelope.Body.GetResponse.List.Item", &body), [expected]);
    }
}

#[test]
fn an_element_is_chosen_by_another_of_its_attributes() {
    let body = "<log><trace kind='x'><date key='start' value='1'/><date key='due' value='2'/><id>a</id></trace>\
                <trace><date key='due' value='3'/><id>b</id></trace></log>";
    let expected = [["a", "x", "2", "none"], ["b", "none", "3", "none"]];
    assert_eq!(rows("log.trace", body), expected);
}

#[test]
fn text_comes_in_pieces_and_nil_is_no_text() {
    for (name, expected) in [
        ("<name>Sở <![CDATA[<Nội> & ]]>vụ</name>", "Sở <Nội> & vụ"),
        ("<name>\n  a&amp;b &#x110;&#272;<!-- c -->d\n</name>", "a&b ĐĐd"),
        // With attributes it is an object, whose text has the key `#text`.
        ("<name lang=\"vi\">Sở</name>", crate::model::page::CELL_STRUCTURE),
        ("<name/>", ""),
        ("<name xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\" x:nil=\"true\"/>", "none"),
        ("", "none"),
    ] {
        let body = format!("<list><r><id>a</id>{name}</r></list>");
        assert_eq!(rows("list.r", &body)[0][3], expected, "{name}");
    }
}

#[test]
fn the_encoding_is_that_of_the_byte_order_mark_or_of_the_declaration() {
    let message = |declared: &str| format!("<?xml version=\"1.0\"{declared}?><list><r><id>Đ</id></r></list>");
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [vec![0xff, 0xfe], units.collect()].concat()
    };
    let (windows, ..) =
        encoding_rs::WINDOWS_1258.encode("<?xml version='1.0' encoding='windows-1258'?><list><r><id>Đ</id></r></list>");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(message("").as_bytes()).expect("memory takes it");
    for body in [
        message("").into_bytes(),
        message(" encoding=\"UTF-8\"").into_bytes(),
        [&b"\xef\xbb\xbf"[..], message("").as_bytes()].concat(),
        utf16(&message(" encoding=\"UTF-16\"")),
        windows.into_owned(),
        gzip.finish().expect("memory takes it"),
    ] {
        let page = read("list.r", &body).expect("it is read");
        assert_eq!(page.cell(0, 0), Some("Đ"));
    }
    // Windows-1258 has letters with their tone marks behind them.
    let marked = b"<?xml version='1.0' encoding='windows-1258'?><list><r><id>Ti\xea\xecp</id></r></list>";
    assert_eq!(read("list.r", marked).expect("it is read").cell(0, 0), Some("Tiếp"));
    assert_eq!(read("list.r", b"<list><r><id>\xd0</id></r></list>").expect_err("refused").kind, ErrorKind::NotUtf8);
}

#[test]
fn what_is_no_list_of_records_is_named_without_its_text() {
    let deep = "<a>".repeat(10_000);
    let fault = |code: &str| {
        format!("<Envelope><Body><Fault>{code}<faultstring>secret</faultstring></Fault></Body></Envelope>")
    };
    for (body, kind, said) in [
        ("<!DOCTYPE list [<!ENTITY secret \"x\">]><list/>", ErrorKind::NotXml, "document type"),
        ("<list><r>&secret;</r></list>", ErrorKind::NotXml, "entity"),
        (&deep, ErrorKind::NotXml, "64 elements"),
        ("<list><r></list>", ErrorKind::NotXml, "not well-formed"),
        ("<list secret></list>", ErrorKind::NotXml, "attributes"),
        ("<list/><list/>", ErrorKind::NotXml, "root element"),
        ("secret", ErrorKind::NotXml, "root element"),
        ("", ErrorKind::NotXml, "root element"),
        ("<list><r><id>secret", ErrorKind::BodyCutShort, "ends inside"),
        ("<list><r><id>secret</i", ErrorKind::BodyCutShort, "ends inside"),
        ("<list><r><id><![CDATA[secret", ErrorKind::BodyCutShort, "ends inside"),
        ("<list><r><id>secret&am", ErrorKind::BodyCutShort, "ends inside"),
        ("<?xml version='1.0'?>\n", ErrorKind::BodyCutShort, "before its root"),
        // A message in the place of the list, which may be anything.
        ("<list>secret</list>", ErrorKind::NoRecords, "list.r"),
        ("<list>&lt;r&gt;secret&lt;/r&gt;</list>", ErrorKind::NoRecords, "list.r"),
        ("<!DOCTYPE html><html><p>secret</p></html>", ErrorKind::HtmlInsteadOfJson, "HTML"),
        ("<HTML><p>secret</HTML>", ErrorKind::HtmlInsteadOfJson, "HTML"),
        ("<other><r/></other>", ErrorKind::NoRecords, "list.r"),
        (&fault("<faultcode>soap:Client</faultcode>"), ErrorKind::SourceSaysFailure, "`soap:Client`"),
        (&fault("<Code><Value>env:Sender</Value></Code>"), ErrorKind::SourceSaysFailure, "`env:Sender`"),
        (&fault("<faultcode>079203001234</faultcode>"), ErrorKind::SourceSaysFailure, "SOAP fault, without"),
        (&fault("<faultcode>Nguyen Van A secret</faultcode>"), ErrorKind::SourceSaysFailure, "SOAP fault"),
    ] {
        let error = read("list.r", body.as_bytes()).expect_err(body);
        assert_eq!(error.kind, kind, "{body}: {error}");
        let shown = error.to_string();
        assert!(shown.contains(said) && !shown.contains("secret"), "{body}: {shown}");
    }
}

#[test]
fn more_records_than_allowed_are_refused() {
    let body = format!("<list>{}</list>", "<r><id>a</id></r>".repeat(6));
    assert_eq!(read("list.r", body.as_bytes()).expect_err("refused").kind, ErrorKind::PageTooLong);
}

/// A list with other elements only, or that is nil, may be a failure: as a null of JSON it must be proved to be empty.
#[test]
fn a_list_that_may_be_a_failure_is_null() {
    let instances = "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"";
    for (body, is_null) in [
        ("<list/>".to_owned(), false),
        ("<list count=\"0\"/>".to_owned(), false),
        ("<list><error/></list>".to_owned(), true),
        ("<list><r1><id>a</id></r1></list>".to_owned(), true),
        (format!("<list {instances} i:nil=\"true\"/>"), true),
    ] {
        let (page, envelope) = read_all("list.r", body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!((page.len(), envelope.null_list), (0, is_null), "{body}");
    }
}

/// `xsi:nil` is no value also beside other attributes, and `xsi:type` is no attribute of the record.
#[test]
fn attributes_of_the_schema_instance_are_no_data() {
    let body = "<list xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><r kind='k' xsi:type='T'><id>a</id>\
                <date key='due' value='1' xsi:nil='true'/><name nil='1'/></r></list>";
    let page = read("list.r", body.as_bytes()).expect("it is read");
    assert_eq!([0, 1, 2].map(|field| page.cell(0, field)), [Some("a"), Some("k"), None]);
    // Another attribute of that name is data.
    assert_eq!(page.cell(0, 3), Some(crate::model::page::CELL_STRUCTURE));
}

#[test]
fn gzip_is_for_files() {
    let paths = EnvelopePaths::default();
    let fields: Arc<[String]> = Arc::from(["id".to_owned()]);
    let layout = XmlLayout::new(JsonLayout::compile(paths, &fields, 5).expect("it compiles"), "list.r", None);
    let mut page = Page::new(1, String::new(), String::new(), fields);
    let error = layout.read(b"\x1f\x8b\x08", &mut page).expect_err("it is refused");
    assert_eq!(error.kind, ErrorKind::ContentCoding);
}

/// Whether an element has attributes, or stands alone, does not change the path of its text.
#[test]
fn a_text_is_found_with_and_without_attributes_alone_and_among_several() {
    let fields: Arc<[String]> = Arc::from(["ten.#text".to_owned(), "ma[0]".to_owned()]);
    let text = "[connector]\nversion=1\ntitle=''\nkind='dossiers'\nsystem=''\ncontact=''\n[access]\ntype='http'\n\
                base_url='https://portal.example'\n[decode]\ntype='xml'\nrecords='list.r'\n[map]\n";
    let paths = EnvelopePaths::of(&toml::from_str(text).expect("the connector is valid"));
    let layout = XmlLayout::new(JsonLayout::compile(paths, &fields, 5).expect("it compiles"), "list.r", None);
    let mut page = Page::new(1, String::new(), String::new(), fields);
    let body = "<list><r><ten>A</ten><ma>1</ma></r>\
                <r><ten lang='vi'>B</ten><ma>3</ma><ma>4</ma></r><r><x/></r></list>";
    layout.read(body.as_bytes(), &mut page).expect("it is read");
    let row = |row| [0, 1].map(|field| page.cell(row, field));
    assert_eq!(row(0), [Some("A"), Some("1")]);
    assert_eq!(row(1), [Some("B"), Some("3")]);
    assert_eq!(row(2), [None; 2]);
}
