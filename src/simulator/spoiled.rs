//! The faults of the post's exports: what the folder holds in the place of the last list.

use crate::simulator::exports::dong;
use crate::simulator::faults::Fault;
use crate::simulator::pack;

/// Rows above the first item: two titles and the header.
const ROWS_ABOVE: usize = 3;
const LONG_LINE_BYTES: usize = 50_000_000;
const LINE_END: &str = "\r\n";

/// Files in the place of one: what follows `bcci-<day>` in the name, and the content, in the order of writing.
pub(super) fn files(fault: Fault, bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let list = List::read(&bytes);
    let one = |bytes: Vec<u8>| vec![(".csv", bytes)];
    match fault {
        Fault::ShiftedColumns => one(list.with_rows(|cells| cells.insert(1, String::new())).write()),
        Fault::CutInRow | Fault::Growing => {
            let mut text = list.half().write();
            // The last row's status and fee are gone.
            let end = text.iter().rposition(|byte| *byte == b';').unwrap_or(0);
            text.truncate(end - 4);
            one(text)
        }
        Fault::CutAtLineEnd => one(list.half().write()),
        Fault::MissingRows => {
            let trailer = list.trailer.clone();
            one(List { trailer, ..list.half() }.write())
        }
        Fault::TwoSections => one(list.in_sections().write()),
        Fault::WrongTrailer => {
            let trailer = list.trailer.iter().map(|cell| cell.replace(".000", "5.000")).collect();
            one(List { trailer, ..list }.write())
        }
        Fault::SameContentTwice => vec![(".csv", bytes.clone()), (" (2).csv", bytes)],
        Fault::CorrectedFile => {
            let wrong = list.with_rows(|cells| {
                cells[7].clear();
                "Hủy".clone_into(&mut cells[8]);
            });
            // By name the second stands before the first.
            vec![(".csv", wrong.write()), (" (2).csv", bytes)]
        }
        Fault::HeaderRenamed => one(replaced(&bytes, "Mã vận đơn", "Số hiệu bưu gửi")),
        Fault::ColumnRenamed => one(replaced(&bytes, "Ngày phát", "Ngày trả bưu gửi")),
        Fault::EmptyFile => one(Vec::new()),
        Fault::ZeroedFile => one(vec![0; bytes.len()]),
        Fault::Utf16 => one(pack::utf16(&list.text())),
        Fault::Windows1258 => one(pack::windows_1258(&list.text())),
        Fault::BrokenUtf8 => one(broken(&bytes)),
        Fault::Gzip => vec![(".csv.gz", pack::gzip(&bytes))],
        Fault::GzipBomb => vec![(".csv.gz", pack::gzip_bomb())],
        Fault::TruncatedWorkbook => {
            let mut workbook = pack::workbook(&list.all());
            workbook.truncate(workbook.len() / 2);
            vec![(".xlsx", workbook)]
        }
        Fault::UnclosedQuote => {
            let mut spoiled = list;
            let middle = spoiled.rows.len() / 2;
            spoiled.rows[middle][4].insert(0, '"');
            one(spoiled.write())
        }
        Fault::LongLine => {
            let mut spoiled = list;
            let middle = spoiled.rows.len() / 2;
            spoiled.rows.insert(middle, vec!["x".repeat(LONG_LINE_BYTES)]);
            one(spoiled.write())
        }
        Fault::FeesWithCommas => one(list.with_fees(|fee| *fee = fee.replace('.', ",")).write()),
        Fault::FeesWithDecimals => one(list.with_fees(|fee| fee.push_str(",00")).write()),
        // What is wrong is not in the bytes, or on the other side.
        _ => one(bytes),
    }
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replacen(from, to, 1).into_bytes()
}

/// A byte that is no UTF-8 before the status of every row.
fn broken(bytes: &[u8]) -> Vec<u8> {
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

/// A list by cells. None of the simulator's cells has a line end; those that hold `;` are quoted and stay so.
struct List {
    above: Vec<Vec<String>>,
    rows: Vec<Vec<String>>,
    trailer: Vec<String>,
}

impl List {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.trim_start_matches('\u{feff}').lines();
        let mut above: Vec<Vec<String>> = lines.map(cells).collect();
        let mut rows = above.split_off(ROWS_ABOVE.min(above.len()));
        let trailer = rows.pop().unwrap_or_default();
        Self { above, rows, trailer }
    }

    fn with_rows(mut self, change: impl Fn(&mut Vec<String>)) -> Self {
        self.rows.iter_mut().for_each(change);
        self
    }

    fn with_fees(mut self, change: impl Fn(&mut String)) -> Self {
        self.rows.iter_mut().chain([&mut self.trailer]).filter_map(|cells| cells.last_mut()).for_each(change);
        self
    }

    /// The first half of the rows, at least one, and no trailer.
    fn half(mut self) -> Self {
        self.rows.truncate(self.rows.len().div_ceil(2));
        Self { trailer: Vec::new(), ..self }
    }

    /// The first half of the rows, their sum, the others, their sum.
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

    fn all(&self) -> Vec<Vec<String>> {
        let trailer = Some(&self.trailer).filter(|cells| !cells.is_empty());
        self.above.iter().chain(&self.rows).chain(trailer).cloned().collect()
    }

    fn text(&self) -> String {
        self.all().into_iter().map(|cells| cells.join(";") + LINE_END).collect()
    }

    /// UTF-8 with its mark.
    fn write(&self) -> Vec<u8> {
        format!("\u{feff}{}", self.text()).into_bytes()
    }
}

fn cells(line: &str) -> Vec<String> {
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
