//! Lists as workbooks (XLSX) in Vietnamese: texts wrapped, a filter on the headings, which stay on the screen and are repeated
//! on every printed page.

use std::io::Write;
use std::path::Path;

use jiff::civil::{Date, DateTime};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::shown;
use crate::locale::Language;
use crate::model::instant::local;
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};

/// Rows of a sheet.
const MOST_ROWS: usize = 1_048_576;
/// First year of the dates of a sheet.
const FIRST_YEAR: i16 = 1900;
/// Width of all columns, in signs, from which a list is printed on A3: on A4 its letters would be half as large or smaller.
const WIDE: u32 = 200;
/// Numbers of paper sizes in a workbook.
const A3: u8 = 8;
const A4: u8 = 9;
/// Height of a line of a heading in points.
const HEADING_LINE: u32 = 17;
/// Rows whose texts decide the width of a column.
const MEASURED_ROWS: usize = 500;

/// Why a workbook cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    #[error("a sheet has at most {MOST_ROWS} rows, and the list has {0}")]
    TooManyRows(usize),
    #[error("the rows cannot be kept in a temporary file: {0}")]
    Scratch(XlsxError),
    #[error("the workbook cannot be written: {0}")]
    Xlsx(#[from] XlsxError),
}

/// Writes a list as a workbook with one sheet. `about`: the title, and what the list is of, such as scope and night. `made`: the
/// night's moment, microseconds UTC, so that the same list gives the same bytes. `scratch`: the folder of a file without a name
/// for the rows, of which one is in memory at a time.
///
/// # Errors
/// More rows than a sheet has; the file or `out` cannot be written.
pub fn workbook(
    list: &List,
    (title, about): (&str, &[(&str, String)]),
    made: i64,
    (scratch, out): (&Path, &mut (dyn Write + Send)),
) -> Result<(), WorkbookError> {
    let above = about.len() + 3;
    if list.rows.len() + above > MOST_ROWS {
        return Err(WorkbookError::TooManyRows(list.rows.len()));
    }
    let heading_row = u32::try_from(above - 1).unwrap_or(u32::MAX);
    let mut workbook = Workbook::new();
    let made = excel_day(local(made).date())?;
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&made));
    // Rows are written once, from the first to the last: a row that is complete leaves the memory.
    workbook.set_tempdir(scratch).map_err(WorkbookError::Scratch)?;
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(WorkbookError::Scratch)?;
    sheet.set_name("Danh sách")?.set_landscape().set_print_fit_to_pages(1, 0);
    sheet.write_string_with_format(0, 0, title, &base().set_bold().set_font_size(14))?;
    for (row, (name, text)) in (1_u32..).zip(about) {
        sheet.write_string_with_format(row, 0, *name, &base().set_bold())?;
        sheet.write_string_with_format(row, 1, text, &base())?;
    }
    let heading = base()
        .set_bold()
        .set_text_wrap()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_background_color(0x00E8_EEF4);
    let widths: Vec<u16> =
        list.columns.iter().enumerate().map(|(place, declared)| width(list, place, declared)).collect();
    sheet.set_paper_size(if widths.iter().copied().map(u32::from).sum::<u32>() > WIDE { A3 } else { A4 });
    let mut lines = 2;
    for (column, (declared, width)) in (0_u16..).zip(list.columns.iter().zip(&widths)) {
        sheet.set_column_width(column, *width)?;
        sheet.write_string_with_format(heading_row, column, declared.vi, &heading)?;
        lines = lines.max(heading_lines(declared.vi, usize::from(*width)));
    }
    sheet
        .set_row_height(heading_row, lines * HEADING_LINE)?
        .set_freeze_panes(heading_row + 1, 1)?
        .set_repeat_rows(heading_row, heading_row)?;
    let formats = Formats::new();
    let mut row = heading_row;
    for cells in &list.rows {
        row += 1;
        for (column, (declared, cell)) in (0_u16..).zip(list.columns.iter().zip(cells)) {
            write(sheet, (row, column), (declared, cell), &formats)?;
        }
    }
    let last_column = u16::try_from(list.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.autofilter(heading_row, 0, row, last_column)?;
    Ok(workbook.save_to_writer(out)?)
}

fn base() -> Format {
    Format::new().set_font_name("Times New Roman").set_font_size(12)
}

/// Formats of cells.
struct Formats {
    text: Format,
    number: Format,
    moment: Format,
    day: Format,
}

impl Formats {
    fn new() -> Self {
        let cell = || base().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
        Self {
            text: cell().set_text_wrap(),
            number: cell().set_num_format("#,##0"),
            moment: cell().set_num_format("dd/mm/yyyy hh:mm").set_align(FormatAlign::Center),
            day: cell().set_num_format("dd/mm/yyyy").set_align(FormatAlign::Center),
        }
    }
}

/// Width of a column in signs: of its longest text, within limits.
fn width(list: &List, place: usize, column: &ListColumn) -> u16 {
    let (least, most) = match column.column_type {
        ListColumnType::Number => (10, 12),
        ListColumnType::Instant => (18, 18),
        ListColumnType::Day => (12, 12),
        ListColumnType::Text | ListColumnType::Word => (12, 48),
    };
    let texts = list.rows.iter().take(MEASURED_ROWS).map(|row| shown(Language::Vietnamese, column, &row[place]));
    let longest = texts.map(|text| text.chars().count() + 2).max().unwrap_or(0);
    u16::try_from(longest.clamp(least, most)).unwrap_or(u16::MAX)
}

/// Lines of a heading that is wrapped between words in a column of a width in signs. Bold letters are wider than the digits
/// that the width counts: a tenth of it is left.
fn heading_lines(heading: &str, width: usize) -> u32 {
    let width = (width * 9 / 10).max(1);
    let (mut lines, mut filled) = (0_u32, width);
    for word in heading.split_whitespace() {
        let mut signs = word.chars().count();
        if filled + 1 + signs <= width {
            filled += 1 + signs;
            continue;
        }
        lines += 1;
        // A word that no line holds is broken.
        while signs > width {
            signs -= width;
            lines += 1;
        }
        filled = signs;
    }
    lines
}

fn write(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    (column, cell): (&ListColumn, &ListCell),
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        #[expect(clippy::cast_precision_loss, reason = "counts and days are far below 2^52")]
        ListCell::Number(number) => sheet.write_number_with_format(row, at, *number as f64, &formats.number)?,
        ListCell::Instant(micros) if local(*micros).year() >= FIRST_YEAR => {
            sheet.write_datetime_with_format(row, at, &excel_moment(local(*micros))?, &formats.moment)?
        }
        ListCell::Day(day) if day.year() >= FIRST_YEAR => {
            sheet.write_datetime_with_format(row, at, &excel_day(*day)?, &formats.day)?
        }
        ListCell::Null => sheet.write_blank(row, at, &formats.text)?,
        // A string cell, which no spreadsheet evaluates, whatever it begins with.
        text => sheet.write_string_with_format(row, at, shown(Language::Vietnamese, column, text), &formats.text)?,
    };
    Ok(())
}

fn excel_day(day: Date) -> Result<ExcelDateTime, XlsxError> {
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    ExcelDateTime::from_ymd(u16::try_from(day.year()).unwrap_or(1900), part(day.month()), part(day.day()))
}

fn excel_moment(at: DateTime) -> Result<ExcelDateTime, XlsxError> {
    let part = |number: i8| u8::try_from(number).unwrap_or(0);
    let time = at.time();
    excel_day(at.date())?.and_hms(u16::from(part(time.hour())), part(time.minute()), f64::from(part(time.second())))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::instant::from_local;

    /// The text of a part of a workbook.
    fn part(workbook: &[u8], name: &str) -> String {
        use std::io::Read as _;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook)).expect("a workbook is an archive");
        let mut text = String::new();
        archive.by_name(name).expect("it has the part").read_to_string(&mut text).expect("XML is UTF-8");
        text
    }

    /// A list as the bytes of a workbook.
    fn made_workbook(list: &List, about: (&str, &[(&str, String)]), made: i64) -> Result<Vec<u8>, WorkbookError> {
        let mut bytes = Vec::new();
        workbook(list, about, made, (&std::env::temp_dir(), &mut bytes)).map(|()| bytes)
    }

    #[test]
    fn a_list_is_wrapped_filtered_and_frozen_and_has_no_formula() {
        let columns = [
            ListColumn::new("code", ListColumnType::Text, "mã hồ sơ", "code"),
            ListColumn::new("at", ListColumnType::Instant, "lúc", "at"),
            ListColumn::new("day", ListColumnType::Day, "ngày", "day"),
            ListColumn::new("count", ListColumnType::Number, "số", "count"),
            ListColumn::new("status", ListColumnType::Word, "trạng thái", "status"),
        ];
        let at = from_local(date(2026, 3, 5).at(14, 30, 0, 0));
        let text = |text: &str| {
            let cells = [ListCell::Instant(at), ListCell::Day(date(2026, 3, 5)), ListCell::Number(3)];
            [vec![ListCell::text(text)], cells.to_vec(), vec![ListCell::text("processing")]].concat()
        };
        let list = List::new(&columns, ["=1+1", "+84", "-1", "@SUM(A1)"].map(text).to_vec());
        let about = [("Phạm vi", "=HYPERLINK(\"x\")".to_owned())];
        let made = made_workbook(&list, ("Việc cần làm", &about), at).expect("it is made");
        let sheet = part(&made, "xl/worksheets/sheet1.xml");
        assert!(!sheet.contains("<f>"), "{sheet}");
        for wanted in ["<autoFilter ref=\"A4:E8\"/>", "state=\"frozen\"", "ySplit=\"4\""] {
            assert!(sheet.contains(wanted), "{wanted} is not in {sheet}");
        }
        assert!(part(&made, "xl/styles.xml").contains("wrapText=\"1\""));
        for wanted in ["=1+1", "@SUM(A1)", "đang giải quyết", "mã hồ sơ", "=HYPERLINK("] {
            assert!(sheet.contains(wanted), "{wanted} is not in {sheet}");
        }
        // The headings, in row 4, are as high as two lines; each row is there once, in order.
        assert!(sheet.contains("<row r=\"4\" ht=\"33.75\" customHeight=\"1\""), "{sheet}");
        let rows: Vec<&str> = sheet.split("<row r=\"").skip(1).filter_map(|row| row.split('"').next()).collect();
        assert_eq!(rows, ["1", "2", "4", "5", "6", "7", "8"]);
        // 2026-03-05 is day 46,086 since 1899-12-30; 14:30 is 0.604… of a day.
        assert!(sheet.contains("<v>46086.604166"), "{sheet}");
        assert_eq!(made, made_workbook(&list, ("Việc cần làm", &about), at).expect("it is made"));
    }

    #[test]
    fn headings_are_as_high_as_their_lines_and_wide_lists_are_for_a3() {
        // Nine signs of ten are filled.
        for (heading, width, expected) in [
            ("", 10, 0),
            ("mã hồ sơ", 10, 1),
            ("ngày hẹn trả", 10, 2),
            ("ngày hẹn trả mới trong văn bản", 10, 4),
            ("abcdefghijkl mn", 10, 2),
        ] {
            assert_eq!(heading_lines(heading, width), expected, "{heading:?}");
        }
        let heading = "ngày hẹn trả mới ghi trong văn bản xin lỗi";
        let sheet = |columns: usize| {
            let columns = vec![ListColumn::new("code", ListColumnType::Text, heading, "code"); columns];
            let list = List::new(&columns, vec![vec![ListCell::text("H-1"); columns.len()]]);
            part(&made_workbook(&list, ("Danh sách", &[]), 0).expect("it is made"), "xl/worksheets/sheet1.xml")
        };
        // Columns of 12 signs, ten of them filled: "ngày hẹn", "trả mới", "ghi trong", "văn bản", "xin lỗi". 85 points; row 3.
        let narrow = sheet(2);
        assert!(narrow.contains("<row r=\"3\" ht=\"84.75\" customHeight=\"1\""), "{narrow}");
        assert!(narrow.contains("paperSize=\"9\""), "{narrow}");
        assert!(sheet(20).contains("paperSize=\"8\""));
    }

    #[test]
    fn a_list_that_no_sheet_holds_is_refused() {
        let columns = [ListColumn::new("code", ListColumnType::Text, "mã", "code")];
        let list = List::new(&columns, vec![vec![ListCell::Null]; MOST_ROWS]);
        let refused = made_workbook(&list, ("Danh sách", &[]), 0).expect_err("it has too many rows");
        assert!(refused.to_string().contains("1048576 rows"), "{refused}");
    }
}
