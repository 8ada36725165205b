//! Random CSV files with random damage, against what is known of them by construction: every good row comes out exactly,
//! every damaged one is rejected in its own lines or comes out exactly, and no other row comes out.

use proptest::prelude::*;

use super::*;
use crate::model::connector::ConnectorFile;

const CONNECTOR: &str = r#"
    [connector]
    version = 1
    title = "Post"
    kind = "postal_items"
    system = "BCCI"
    contact = "post"
    [access]
    type = "files"
    folder = "in"
    glob = "*.csv"
    [decode]
    type = "csv"
    header = "Mã"
    [map.item_code]
    from = "Mã"
    type = "code"
    pattern = "HS-[0-9]+"
    required = true
    [map.dossier_code]
    from = "Hồ sơ"
    type = "code"
    pattern = "D[0-9]+"
    [map.delivered_at]
    from = "Ngày"
    type = "instant"
    formats = ["dd/MM/yyyy"]
    [map.fee]
    from = "Phí"
    type = "integer"
"#;
/// The second column is not mapped, the third to fifth may be empty.
const HEADER: &str = "Mã;Ghi chú;Hồ sơ;Ngày;Phí";

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Damage {
    None,
    /// The note begins with a quotation mark that nothing closes in this row.
    StrayQuote,
    /// The same, and the note of the next row ends with one: together they enclose the end of the row between them.
    QuoteToNextRow,
    /// A text follows the closing quotation mark of the note.
    TextAfterQuote,
    /// A byte that is not UTF-8, in the note.
    BadByteInNote,
    /// The same in the dossier code.
    BadByteInCode,
    /// A line end without quotation marks in the note.
    Broken,
    /// A cell is missing before the last one.
    MissingCell,
    /// There is a cell too many.
    ExtraCell,
    /// A block of NULs in the place of what follows the note.
    LostBlock,
}

#[derive(Debug, Clone)]
struct Row {
    note: String,
    dossier: bool,
    date: bool,
    fee: bool,
    /// Whether empty cells at the end are left out.
    is_short: bool,
    blank_lines: usize,
    damage: Damage,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let damage = prop_oneof![
        10 => Just(Damage::None),
        1 => Just(Damage::StrayQuote),
        1 => Just(Damage::QuoteToNextRow),
        1 => Just(Damage::TextAfterQuote),
        1 => Just(Damage::BadByteInNote),
        1 => Just(Damage::BadByteInCode),
        1 => Just(Damage::Broken),
        1 => Just(Damage::MissingCell),
        1 => Just(Damage::ExtraCell),
        1 => Just(Damage::LostBlock),
    ];
    let row = ("[a-c;\"\n ]{0,6}", any::<[bool; 4]>(), 0..2_usize, damage).prop_map(
        |(note, [dossier, date, fee, is_short], blank_lines, damage)| Row {
            note,
            dossier,
            date,
            fee,
            is_short,
            blank_lines,
            damage,
        },
    );
    proptest::collection::vec(row, 0..12)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text as spreadsheet programs write it: quoted if it must be.
fn written(text: &str) -> String {
    if text.contains([';', '"', '\n']) { quoted(text) } else { text.to_owned() }
}

/// Text of a file, and for each row its lines and what must come out: `None` if it must be rejected.
struct File {
    bytes: Vec<u8>,
    line: u32,
    expected: Vec<(std::ops::Range<u32>, Option<String>)>,
}

impl File {
    fn of(rows: &[Row], line_end: &str) -> Self {
        let mut file = Self { bytes: HEADER.as_bytes().to_vec(), line: 1, expected: Vec::new() };
        file.end_line(line_end);
        for (number, row) in rows.iter().enumerate() {
            let closes = number > 0 && rows[number - 1].damage == Damage::QuoteToNextRow && row.damage == Damage::None;
            file.add(number, row, closes, line_end);
        }
        file
    }

    fn end_line(&mut self, line_end: &str) {
        self.bytes.extend_from_slice(line_end.as_bytes());
        self.line += 1;
    }

    /// `closes`: the note ends with the quotation mark that closes the one in the row before.
    fn add(&mut self, number: usize, row: &Row, closes: bool, line_end: &str) {
        let plain = |text: &str| text.replace([';', '"', '\n'], "");
        let code = format!("HS-{number}");
        let dossier = if row.dossier { format!("D{number}") } else { String::new() };
        let date = if row.date { "15/10/2020" } else { "" };
        let fee = if row.fee { "30" } else { "" };
        let note = match row.damage {
            _ if closes => format!("y{}\"", plain(&row.note)),
            Damage::StrayQuote | Damage::QuoteToNextRow => format!("\"x{}", plain(&row.note)),
            Damage::TextAfterQuote => format!("{}x", quoted(&row.note)),
            Damage::BadByteInNote => format!("{}\u{1}", plain(&row.note)),
            Damage::Broken => format!("x{line_end}{}", plain(&row.note)),
            _ => written(&row.note),
        };
        let shown = if row.damage == Damage::BadByteInCode { "D\u{1}".to_owned() } else { dossier.clone() };
        let mut cells = vec![code.clone(), note, shown, date.to_owned(), fee.to_owned()];
        let has_more = row.dossier || row.date || row.fee;
        let is_harmless = match row.damage {
            Damage::None | Damage::BadByteInNote => true,
            // Otherwise the last cell is empty, and the row has not too many cells.
            Damage::ExtraCell => !row.fee,
            // If the last cells are empty, one that is missing before them cannot be told from one of them.
            Damage::MissingCell => !row.date && !row.fee,
            // Nothing but empty cells stands in the second line.
            Damage::Broken => !has_more && plain(&row.note).trim().is_empty(),
            _ => false,
        };
        match row.damage {
            Damage::MissingCell if !is_harmless => drop(cells.remove(2)),
            Damage::ExtraCell if !is_harmless => cells.insert(1, "x".to_owned()),
            Damage::LostBlock => cells[1] = "\0".repeat(600),
            _ => {}
        }
        let is_cut = row.is_short && (is_harmless || row.damage == Damage::Broken);
        while is_cut && cells.len() > 2 && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        let text = cells.join(";");
        let lines = text.matches('\n').count();
        let first = self.line;
        // U+0001 stands for the byte that is not UTF-8.
        self.bytes.extend(text.bytes().map(|byte| if byte == 1 { 0xff } else { byte }));
        self.line += u32::try_from(lines).expect("few lines");
        self.end_line(line_end);
        let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let exact = format!("{first} {code} {} {} {}", or_none(&dossier), or_none(date), or_none(fee));
        self.expected.push((first..self.line, is_harmless.then_some(exact)));
        for _ in 0..row.blank_lines {
            self.end_line(line_end);
        }
    }
}

/// The rows that come out as texts, and the lines of the rejected ones.
fn read(bytes: Vec<u8>) -> Result<(Vec<String>, Vec<u32>), SourceError> {
    let file: ConnectorFile = toml::from_str(CONNECTOR).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let table = TableLayout::compile("Mã", &[], &readers, None);
    let layout = CsvLayout::compile(None, Encoding::Auto, 1 << 20, table, &readers).expect("valid");
    let mut page = Page::new(1, String::new(), String::new(), std::sync::Arc::clone(&readers.fields));
    CsvFile::open(&layout, bytes)?.read(&mut page, usize::MAX)?;
    let (mut taken, mut rejected) = (Vec::new(), Vec::new());
    for index in 0..page.len() {
        let (line, reason) = page.row(index);
        let cell = |name: &str| {
            let field = readers.fields.iter().position(|field| field == name).expect("a kept field");
            page.cell(index, field).unwrap_or("-")
        };
        match reason {
            Some(_) => rejected.push(line),
            // The second part of a broken row may have the width of a row. The mapping rejects it.
            None if !cell("Mã").starts_with("HS-") => rejected.push(line),
            None => taken.push(format!("{line} {} {} {} {}", cell("Mã"), cell("Hồ sơ"), cell("Ngày"), cell("Phí"))),
        }
    }
    Ok((taken, rejected))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn good_rows_come_out_exactly_and_no_damaged_row_is_swallowed(rows in rows(), is_windows in any::<bool>()) {
        let file = File::of(&rows, if is_windows { "\r\n" } else { "\n" });
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        match read(file.bytes) {
            // The last quotation mark is never closed.
            Err(error) => {
                prop_assert_eq!(error.kind, ErrorKind::UnclosedQuote);
                let opens = |row: &Row| match row.damage {
                    Damage::StrayQuote | Damage::QuoteToNextRow => true,
                    // The closing mark is the first of its line.
                    Damage::TextAfterQuote => row.note.contains('\n'),
                    _ => false,
                };
                prop_assert!(rows.iter().any(opens), "{}", text);
            }
            Ok((taken, rejected)) => {
                let exact: Vec<&String> = file.expected.iter().filter_map(|(_, row)| row.as_ref()).collect();
                prop_assert_eq!(taken.iter().collect::<Vec<_>>(), exact, "{}", text);
                for (lines, row) in &file.expected {
                    let is_rejected = rejected.iter().any(|line| lines.contains(line));
                    prop_assert_eq!(is_rejected, row.is_none(), "lines {:?} of {}", lines, text);
                }
            }
        }
    }

    /// Any part of a file may be damaged: each line that was not touched comes out, or the file is refused.
    #[test]
    fn a_damaged_stretch_costs_its_own_lines(at in 0..400_usize, length in 1..60_usize, byte in 0..=255_u8) {
        let good: Vec<String> = (0..20).map(|number| format!("HS-{number};ghi chú;D{number};15/10/2020;30")).collect();
        let mut bytes = format!("{HEADER}\n{}\n", good.join("\n")).into_bytes();
        let start = HEADER.len() + 1 + at.min(bytes.len() - HEADER.len() - 62);
        bytes[start..start + length].fill(byte);
        let touched = |line: usize| {
            let from = HEADER.len() + 1 + good[..line - 2].iter().map(|row| row.len() + 1).sum::<usize>();
            // The line end before it counts: without it, the line belongs to the one before.
            start < from + good[line - 2].len() + 1 && start + length > from - 1
        };
        if let Ok((taken, _)) = read(bytes) {
            for line in (2..22).filter(|line| !touched(*line)) {
                let expected = format!("{line} HS-{0} D{0} 15/10/2020 30", line - 2);
                let comes_out = taken.iter().any(|row| row.split_once(' ') == expected.split_once(' '));
                // A line end that was written over, or written in, moves the line numbers of what follows.
                let is_moved = taken.iter().any(|row| row.ends_with(&expected[expected.find(' ').unwrap_or(0)..]));
                prop_assert!(comes_out || is_moved, "{} of {:?}", expected, taken);
            }
        }
    }
}

#[test]
fn a_row_that_a_stray_quote_encloses_need_not_be_a_record() {
    let last = "HS-3;x;D3;15/10/2020;3\n";
    for (rows, taken, rejected) in [
        // The code of the enclosed row is wrong, or empty; cells at its end may be missing.
        ("HS-1;\"chờ;D1;15/10/2020;1\n2 (bs);xong\";D2;16/10/2020;2\n", 1, vec![2, 3]),
        ("HS-1;\"chờ;D1;15/10/2020;1\r\n;xong\";D2;16/10/2020;2\n", 1, vec![2, 3]),
        ("HS-1;\"chờ;D1;15/10/2020;1\n2 (bs);xong\";D2\n", 1, vec![2, 3]),
        ("HS-1;\"chờ;D1;15/10/2020;1\nx;x;x;x;x\n2 (bs);xong\";D2;16/10/2020;2\n", 1, vec![2, 3, 4]),
        // The quotation mark closes in the code.
        ("\"HS-1;chờ;D1;15/10/2020;1\n2\";xong;D2;16/10/2020;2\n", 1, vec![2, 3]),
        // Lines of a note.
        ("HS-1;\"dòng 1\ndòng 2; có dấu\";D1;15/10/2020;1\n", 2, vec![]),
        ("HS-1;\"dòng 1; a\ndòng 2; có dấu\n; dòng 3\";D1;15/10/2020;1\n", 2, vec![]),
        ("HS-1;\"dòng 1\ndòng 2; có dấu\"\n", 2, vec![]),
    ] {
        let found = read(format!("{HEADER}\n{rows}{last}").into_bytes()).expect("a list");
        assert_eq!((found.0.len(), found.1), (taken, rejected), "{rows}");
    }
}

#[test]
fn a_second_header_row_is_skipped_or_refused() {
    let row = |number: u32| format!("HS-{number};x;D{number};15/10/2020;3\n");
    let file = |second: &str| read(format!("{HEADER}\n{}{second}\n{}", row(1), row(2)).into_bytes());
    // Letter case, spaces and what stands in unmapped columns do not matter.
    for second in [HEADER, "MÃ;Chú thích;Hồ  sơ;Ngày;Phí;;", "Mã;;Hồ sơ;Ngày;Phí"] {
        let (taken, rejected) = file(second).expect("the same table");
        assert_eq!((taken.len(), rejected), (2, vec![]), "{second}");
    }
    for second in ["Mã;Ghi chú;Hồ sơ;Phí;Ngày", "Mã;Hồ sơ;Ngày;Phí", "Ghi chú;Mã;Hồ sơ;Ngày;Phí", "Mã;Ghi chú;Hồ sơ"]
    {
        let error = file(second).expect_err("another table");
        assert_eq!(
            (error.kind, error.message.contains("line 3")),
            (ErrorKind::HeadingsMoved, true),
            "{second}: {error}"
        );
    }
    // A remark that has the word of a heading.
    let (taken, rejected) = file("Mã;;;;").expect("a list");
    assert_eq!((taken.len(), rejected), (2, vec![3]));
}

#[test]
fn a_footer_word_at_the_start_of_a_record_ends_no_table() {
    let file: ConnectorFile = toml::from_str(CONNECTOR).expect("the connector is valid");
    let readers = Readers::compile(&file).expect("the map is valid");
    let table = TableLayout::compile("Mã", &["Tổng".to_owned()], &readers, None);
    let layout = CsvLayout::compile(None, Encoding::Auto, 1 << 20, table, &readers).expect("valid");
    let rows = |rows: &str| {
        let mut page = Page::new(1, String::new(), String::new(), std::sync::Arc::clone(&readers.fields));
        let text = format!("Ghi chú;Mã;Hồ sơ;Ngày;Phí\nx;HS-1;D1;15/10/2020;1\n{rows}");
        CsvFile::open(&layout, text.into_bytes())?.read(&mut page, usize::MAX)?;
        Ok::<_, SourceError>(page.len())
    };
    assert_eq!(rows("Tổng cục Thuế;HS-2;D2;15/10/2020;1\n"), Ok(2));
    assert_eq!(rows("Tổng cục Thuế;HS-2;D2;15/10/2020;1\nTổng;;;;2\n"), Ok(2));
    for footer in ["Tổng;;;;2\n", "Tổng;2;;;2\n", ";Tổng;;;2\n", "Tổng;HS-2;2;2;2\n"] {
        assert_eq!(rows(footer), Ok(1), "{footer}");
    }
}
