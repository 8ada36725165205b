//! Faults of the post's exports: the files that replace the last list.

use crate::simulator::faults::Fault;
use crate::simulator::file_encodings;
use crate::simulator::list_cells::dong;
use crate::simulator::post::check_digit;

/// Rows above the first item: two title rows and the header.
const ROWS_ABOVE: usize = 3;
/// Serial number of an item that no province has.
const MISTAKEN_SERIAL: u32 = 99_999_999;
const LONG_LINE_BYTES: usize = 50_000_000;
const LINE_END: &str = "\r\n";

/// Files that replace one list, in the order of writing: end of the name after `bcci-<day>`, and content.
pub(super) fn files(fault: Fault, bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let mut list = List::read(&bytes);
    let one = |bytes: Vec<u8>| vec![(".csv", bytes)];
    match fault {
        Fault::ShiftedColumns => one(list.with_rows(|cells| cells.insert(1, String::new())).to_bytes()),
        Fault::CutInRow | Fault::CutLater | Fault::Growing => {
            let mut text = list.half().to_bytes();
            // Cuts the last row's status and fee off.
            let end = text.iter().rposition(|byte| *byte == b';').unwrap_or(0);
            text.truncate(end - 4);
            one(text)
        }
        Fault::CutAtLineEnd => one(list.half().to_bytes()),
        Fault::MissingRows => {
            let trailer = list.trailer.clone();
            one(List { trailer, ..list.half() }.to_bytes())
        }
        Fault::TwoSections => one(list.in_sections().to_bytes()),
        Fault::WrongTrailer => {
            let trailer = list.trailer.iter().map(|cell| cell.replace(".000", "5.000")).collect();
            one(List { trailer, ..list }.to_bytes())
        }
        Fault::SameContentTwice => vec![(".csv", bytes.clone()), (" (2).csv", bytes)],
        Fault::RenamedList => vec![(" bản cuối.csv", bytes)],
        Fault::CorruptBeside => {
            vec![(".csv", bytes), (" hỏng.xlsx", b"PK\x03\x04\x14\0\x06\0no more of it was saved".to_vec())]
        }
        Fault::PersonalFileName => vec![(" Nguyễn Văn Mẫu \u{1b}[31m.csv", bytes)],
        Fault::CorrectedFile => {
            // Sorted by name the second comes before the first.
            vec![(".csv", list.withdrawn().to_bytes()), (" (2).csv", bytes)]
        }
        Fault::HeaderRenamed => one(replaced(&bytes, "Mã vận đơn", "Số hiệu bưu gửi")),
        Fault::ColumnRenamed => one(replaced(&bytes, "Ngày phát", "Ngày trả bưu gửi")),
        Fault::HeadingRepeated => one(replaced(&bytes, "Trạng thái", "NGÀY  PHÁT")),
        Fault::LookAlikeLetters => {
            let text = list.text().replace(' ', "\u{a0}").replace('Đ', "Ð");
            one(text.replace(';', "\u{200b};").into_bytes())
        }
        Fault::SmallLetters => one(list.with_first_row_in_small_letters().to_bytes()),
        Fault::EmptyFile => one(Vec::new()),
        Fault::ZeroedFile => one(vec![0; bytes.len()]),
        Fault::Utf16 => one(file_encodings::utf16(&list.text())),
        Fault::Windows1258 => one(file_encodings::windows_1258(&list.text())),
        Fault::BrokenUtf8 => one(with_invalid_utf8(&bytes)),
        Fault::Gzip => vec![(".csv.gz", file_encodings::gzip(&bytes))],
        Fault::GzipBomb => vec![(".csv.gz", file_encodings::gzip_bomb())],
        Fault::TruncatedWorkbook => {
            let mut workbook = file_encodings::workbook(&list.all_rows());
            workbook.truncate(workbook.len() / 2);
            vec![(".xlsx", workbook)]
        }
        Fault::FormulasWithoutValues => {
            let list = list.with_rows(|cells| "=G1+1".clone_into(&mut cells[7]));
            vec![(".xlsx", file_encodings::workbook(&list.all_rows()))]
        }
        Fault::UnclosedQuote => {
            let middle = list.rows.len() / 2;
            list.rows[middle][4].insert(0, '"');
            one(list.to_bytes())
        }
        Fault::LongLine => {
            let middle = list.rows.len() / 2;
            list.rows.insert(middle, vec!["x".repeat(LONG_LINE_BYTES)]);
            one(list.to_bytes())
        }
        Fault::StrayQuote => {
            let middle = list.rows.len() / 2;
            list.rows.insert(middle, vec!["0".to_owned(), "\"x\"y".to_owned()]);
            one(list.to_bytes())
        }
        Fault::EndMark => one([bytes.as_slice(), b"\x1a", &[0; 100]].concat()),
        Fault::TabSeparated => {
            let lines = list.all_rows().into_iter().map(|cells| cells.join("\t") + LINE_END);
            one(file_encodings::utf16(&lines.collect::<String>()))
        }
        Fault::FeesWithCommas => one(list.with_fees(|fee| *fee = fee.replace('.', ",")).to_bytes()),
        Fault::FeesWithDecimals => one(list.with_fees(|fee| fee.push_str(",00")).to_bytes()),
        // Faults of HTTP, and those that change nothing in the bytes.
        _ => one(bytes),
    }
}

/// Content of a list a number of nights before a fault shows; `None` if there is no such list. `place`: 0 for the last list, 1
/// for the one before it.
pub(super) fn before(fault: Fault, nights: u32, place: usize, bytes: Vec<u8>) -> Option<Vec<u8>> {
    match (fault, nights, place) {
        (Fault::PutBack, 1, 0) => Some(List::read(&bytes).withdrawn().to_bytes()),
        (Fault::RowRemoved, 1, 0) => Some(List::read(&bytes).with_mistaken_row().to_bytes()),
        (Fault::LateList, 1, 1) => None,
        _ => Some(bytes),
    }
}

/// A list with its items in the opposite order.
pub(super) fn reversed(bytes: &[u8]) -> Vec<u8> {
    let mut list = List::read(bytes);
    list.rows.reverse();
    list.to_bytes()
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replacen(from, to, 1).into_bytes()
}

/// Inserts a byte that is invalid in UTF-8 before the last cell of every row.
fn with_invalid_utf8(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let at = if number < ROWS_ABOVE { None } else { line.iter().rposition(|byte| *byte == b';') };
        let (before, after) = line.split_at(at.unwrap_or(0));
        out.extend_from_slice(before);
        out.extend(at.map(|_| 0xff));
        out.extend_from_slice(after);
    }
    out
}

/// A list split into cells. No cell of the simulator has a line end; cells with `;` keep their quotes.
struct List {
    above: Vec<Vec<String>>,
    rows: Vec<Vec<String>>,
    trailer: Vec<String>,
}

impl List {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.trim_start_matches('\u{feff}').lines();
        let mut above: Vec<Vec<String>> = lines.map(split_cells).collect();
        let mut rows = above.split_off(ROWS_ABOVE.min(above.len()));
        let trailer = rows.pop().unwrap_or_default();
        Self { above, rows, trailer }
    }

    fn with_rows(mut self, change: impl Fn(&mut Vec<String>)) -> Self {
        self.rows.iter_mut().for_each(change);
        self
    }

    /// Every item as withdrawn and not delivered.
    fn withdrawn(self) -> Self {
        self.with_rows(|cells| {
            cells[7].clear();
            "Hủy".clone_into(&mut cells[8]);
        })
    }

    /// Adds an item that does not exist, without a fee.
    fn with_mistaken_row(mut self) -> Self {
        if let Some(mut copy) = self.rows.first().cloned() {
            copy[1] = format!("EP{MISTAKEN_SERIAL:08}{}VN", check_digit(MISTAKEN_SERIAL));
            if let Some(fee) = copy.last_mut() {
                "0".clone_into(fee);
            }
            self.rows.push(copy);
        }
        self
    }

    fn with_fees(mut self, change: impl Fn(&mut String)) -> Self {
        self.rows.iter_mut().chain([&mut self.trailer]).filter_map(|cells| cells.last_mut()).for_each(change);
        self
    }

    /// Repeats the first row with its item code in small letters and without its fee.
    fn with_first_row_in_small_letters(mut self) -> Self {
        if let Some(mut copy) = self.rows.first().cloned() {
            copy[1] = copy[1].to_lowercase();
            if let Some(fee) = copy.last_mut() {
                "0".clone_into(fee);
            }
            self.rows.insert(0, copy);
        }
        self
    }

    /// Keeps the first half of the rows, rounded up, and drops the trailer.
    fn half(mut self) -> Self {
        self.rows.truncate(self.rows.len().div_ceil(2));
        Self { trailer: Vec::new(), ..self }
    }

    /// Splits the rows into two sections, each with a sum of its own.
    fn in_sections(mut self) -> Self {
        let thousands = |cells: &Vec<String>| -> u32 {
            let digits: String = cells.last().map(|fee| fee.replace('.', "")).unwrap_or_default();
            digits.parse().map_or(0, |fee: u32| fee / 1000)
        };
        let summed = |rows: &[Vec<String>], trailer: &[String]| {
            let mut sum = trailer.to_vec();
            if let Some(fee) = sum.last_mut() {
                *fee = dong(rows.iter().map(thousands).sum());
            }
            sum
        };
        let half = self.rows.len().div_ceil(2);
        let first = summed(&self.rows[..half], &self.trailer);
        self.trailer = summed(&self.rows[half..], &self.trailer);
        self.rows.insert(half, first);
        self
    }

    fn all_rows(&self) -> Vec<Vec<String>> {
        let trailer = Some(&self.trailer).filter(|cells| !cells.is_empty());
        self.above.iter().chain(&self.rows).chain(trailer).cloned().collect()
    }

    fn text(&self) -> String {
        self.all_rows().into_iter().map(|cells| cells.join(";") + LINE_END).collect()
    }

    /// UTF-8 with a byte order mark.
    fn to_bytes(&self) -> Vec<u8> {
        format!("\u{feff}{}", self.text()).into_bytes()
    }
}

fn split_cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        quoted ^= letter == '"';
        if letter == ';' && !quoted {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(letter);
        }
    }
    cells
}
