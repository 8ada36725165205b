//! Official report forms as XLSX: one sheet in A4 landscape, with the headings of the template. The identities between
//! its columns are checked before anything is written.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::locale::{Language, date, time_on_date};
use crate::model::instant::local;
use crate::model::report_form::{BrokenIdentity, FilledForm, FormColumn, FormCounts, FormRemark, FormTemplate};

/// Why a report form was not written.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("form `{form}` is not written: {source}")]
    Identity { form: String, source: BrokenIdentity },
    #[error("cannot make the workbook of form `{form}`: {source}")]
    Workbook { form: String, source: XlsxError },
}

/// First row of the headings, from 0.
const FIRST_HEADING: u32 = 6;
/// Rows of headings: group, subgroup, column, column number.
const HEADING_ROWS: u32 = 4;

/// Writes a form as the bytes of a workbook. The same form gives the same bytes.
pub fn write_form(template: &FormTemplate, form: &FilledForm) -> Result<Vec<u8>, FormError> {
    for (row, counts) in &form.rows {
        let broken = |source| FormError::Identity { form: template.id.clone(), source };
        counts.check(row).map_err(broken)?;
    }
    workbook(template, form).map_err(|source| FormError::Workbook { form: template.id.clone(), source })
}

fn text() -> Format {
    Format::new().set_font_name("Times New Roman").set_font_size(12)
}

fn centred() -> Format {
    text().set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter).set_text_wrap()
}

fn cell() -> Format {
    text().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter)
}

fn heading() -> Format {
    centred().set_border(FormatBorder::Thin).set_bold()
}

/// Characters of a label that surely fit into one line of its column. The file states the heights of its rows: a label
/// in two lines would be cut.
const LABEL_LINE: usize = 32;

fn workbook(template: &FormTemplate, form: &FilledForm) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let day = local(form.as_of).date();
    let year = u16::try_from(day.year()).unwrap_or(1900);
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    let made = ExcelDateTime::from_ymd(year, part(day.month()), part(day.day()))?;
    workbook.set_properties(&DocProperties::new().set_title(&template.sign).set_creation_datetime(&made));
    let sheet = workbook.add_worksheet();
    sheet.set_name(&template.id)?.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.2, 0.2).set_repeat_rows(FIRST_HEADING, FIRST_HEADING + HEADING_ROWS - 1)?;
    let columns: Vec<&FormColumn> = template.group.iter().flat_map(|group| &group.column).collect();
    let last = u16::try_from(columns.len() + 1).unwrap_or(u16::MAX);
    sheet.set_column_width(0, 6)?.set_column_width(1, 38)?;
    for column in 2..=last {
        sheet.set_column_width(column, 11)?;
    }
    head(sheet, template, form, last)?;
    headings(sheet, template, last)?;
    let mut at = FIRST_HEADING + HEADING_ROWS;
    for (number, (label, counts)) in (1_u32..).zip(&form.rows) {
        let cells = cell();
        sheet.write_number_with_format(at, 0, number, &cells.clone().set_align(FormatAlign::Center))?;
        sheet.write_string_with_format(at, 1, label, &cells.clone().set_text_wrap().set_indent(1))?;
        let lines = u32::try_from(label.chars().count().div_ceil(LABEL_LINE).max(1)).unwrap_or(1);
        sheet.set_row_height(at, 4 + 15 * lines)?;
        numbers(sheet, at, &columns, counts, &cells)?;
        at += 1;
    }
    let bold = cell().set_bold();
    sheet.merge_range(at, 0, at, 1, &template.total, &bold.clone().set_align(FormatAlign::Center))?;
    numbers(sheet, at, &columns, &form.total(), &bold)?;
    foot(sheet, template, form, at + 1, last)?;
    workbook.save_to_buffer()
}

fn head(sheet: &mut Worksheet, template: &FormTemplate, form: &FilledForm, last: u16) -> Result<(), XlsxError> {
    let half = last / 2;
    sheet.merge_range(0, 0, 0, half, &format!("Đơn vị báo cáo: {}", form.whom), &text().set_bold())?;
    sheet.merge_range(0, half + 1, 0, last, &template.sign, &text().set_align(FormatAlign::Right))?;
    sheet.merge_range(2, 0, 2, last, &template.title, &centred().set_bold().set_font_size(13))?;
    sheet.set_row_height(2, 36)?;
    let period = template.period.replace("{start}", &date(form.start)).replace("{end}", &date(form.end));
    sheet.merge_range(3, 0, 3, last, &period, &centred().set_italic())?;
    let reasons = [(!form.complete, "chưa đủ nguồn dữ liệu"), (form.is_running(), "chưa hết kỳ báo cáo")];
    let reasons: Vec<&str> = reasons.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect();
    if !reasons.is_empty() {
        let warning = format!("SỐ LIỆU TẠM THỜI: {}", reasons.join("; "));
        sheet.merge_range(4, 0, 4, last, &warning, &centred().set_bold())?;
    }
    sheet.merge_range(5, 0, 5, last, &template.unit, &text().set_italic().set_align(FormatAlign::Right))?;
    Ok(())
}

/// Writes three rows of headings and one of column numbers. Neighbouring cells of one group are merged.
fn headings(sheet: &mut Worksheet, template: &FormTemplate, last: u16) -> Result<(), XlsxError> {
    let bold = heading();
    let (subgroup, own, numbers) = (FIRST_HEADING + 1, FIRST_HEADING + 2, FIRST_HEADING + 3);
    sheet.merge_range(FIRST_HEADING, 0, own, 0, &template.number, &bold)?;
    sheet.merge_range(FIRST_HEADING, 1, own, 1, &template.label, &bold)?;
    sheet.set_row_height(FIRST_HEADING, 20)?.set_row_height(subgroup, 20)?.set_row_height(own, 50)?;
    let mut at = 2;
    for group in &template.group {
        let width = u16::try_from(group.column.len()).unwrap_or(1);
        merged(sheet, (FIRST_HEADING, at), (FIRST_HEADING, at + width - 1), &group.title, &bold)?;
        let mut index = 0;
        while index < group.column.len() {
            let column = &group.column[index];
            let here = at + u16::try_from(index).unwrap_or(0);
            let Some(under) = &column.under else {
                merged(sheet, (subgroup, here), (own, here), &column.title, &bold)?;
                index += 1;
                continue;
            };
            let together = group.column[index..].iter().take_while(|next| next.under.as_ref() == Some(under)).count();
            let end = here + u16::try_from(together - 1).unwrap_or(0);
            merged(sheet, (subgroup, here), (subgroup, end), under, &bold)?;
            for (column, next) in (here..).zip(&group.column[index..index + together]) {
                sheet.write_string_with_format(own, column, &next.title, &bold)?;
            }
            index += together;
        }
        at += width;
    }
    let italic = centred().set_border(FormatBorder::Thin).set_italic();
    let given = template.group.iter().flat_map(|group| &group.column).map(|column| column.number);
    for (column, number) in (0..=last).zip([1, 2].into_iter().chain(given)) {
        sheet.write_string_with_format(numbers, column, format!("({number})"), &italic)?;
    }
    Ok(())
}

/// Merges a range of cells and writes a text into it. A range of one cell is only written: the format forbids merging
/// it.
fn merged(
    sheet: &mut Worksheet,
    from: (u32, u16),
    to: (u32, u16),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if from == to {
        sheet.write_string_with_format(from.0, from.1, text, format)?;
    } else {
        sheet.merge_range(from.0, from.1, to.0, to.1, text, format)?;
    }
    Ok(())
}

fn numbers(
    sheet: &mut Worksheet,
    row: u32,
    columns: &[&FormColumn],
    counts: &FormCounts,
    format: &Format,
) -> Result<(), XlsxError> {
    let format = format.clone().set_num_format("#,##0").set_align(FormatAlign::Right).set_indent(1);
    for (at, column) in (2_u16..).zip(columns) {
        #[expect(clippy::cast_precision_loss, reason = "counts of dossiers are far below 2^52")]
        sheet.write_number_with_format(row, at, counts.get(column.count) as f64, &format)?;
    }
    Ok(())
}

/// A footnote about dossiers that stand in a column although it is not known that they belong there.
fn remark((column, dossiers, remark): (u32, u64, FormRemark)) -> String {
    let dossiers = Language::Vietnamese.number(dossiers);
    let reason = match remark {
        FormRemark::ChannelUnknown => "nguồn không ghi hình thức nộp",
        FormRemark::EndUndated => "nguồn ghi đã giải quyết nhưng không ghi ngày",
        FormRemark::EndBeforeReception => "nguồn ghi ngày giải quyết trước ngày tiếp nhận",
    };
    format!("Ghi chú: cột ({column}) có {dossiers} hồ sơ mà {reason}.")
}

fn foot(
    sheet: &mut Worksheet,
    template: &FormTemplate,
    form: &FilledForm,
    row: u32,
    last: u16,
) -> Result<(), XlsxError> {
    let notes: Vec<String> = form.total().remarks().into_iter().map(remark).collect();
    let made = format!("Số liệu tính lúc {}. Cách tính: {}.", time_on_date(form.as_of), form.rules_title);
    let mut row = row;
    for note in notes.into_iter().chain([made]) {
        sheet.merge_range(row, 0, row, last, &note, &text().set_italic().set_font_size(10))?;
        row += 1;
    }
    row -= 1;
    let blocks = u16::try_from(template.signature.len()).unwrap_or(1).max(1);
    let width = (last + 1) / blocks;
    let lines = template.signature.iter().map(Vec::len).max().unwrap_or(0);
    for (block, texts) in (0_u16..).zip(&template.signature) {
        let from = block * width;
        let to = if block + 1 == blocks { last } else { from + width - 1 };
        // All blocks end on the same line, so the one with a date begins a line above the others.
        let first = u32::try_from(lines - texts.len()).unwrap_or(0) + row + 2;
        for (line, text) in (first..).zip(texts) {
            let format = if text.to_uppercase() == *text { centred().set_bold() } else { centred().set_italic() };
            merged(sheet, (line, from), (line, to), text, &format)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader as _, Xlsx};

    use super::*;

    fn form(rows: Vec<(String, FormCounts)>) -> FilledForm {
        let day = |text: &str| text.parse().expect("a date");
        FilledForm {
            whom: "=Sở mẫu".to_owned(),
            start: day("2026-02-15"),
            end: day("2026-03-14"),
            as_of: 1_774_000_000_000_000,
            complete: false,
            rules_title: "Theo biểu mẫu".to_owned(),
            rows,
        }
    }

    fn template() -> FormTemplate {
        toml::from_str(include_str!("../../config/forms/ii-06a.toml")).expect("the shipped form can be read")
    }

    #[test]
    fn every_cell_is_where_the_official_form_has_it() {
        // 3 = 4 + 5 + 6 = 10; 7 = 8 + 9 + 10 = 6; 11 = 12 + 13 = 4; 10 = 6 + 4.
        let one = FormCounts {
            online: 5,
            counter_and_post: 3,
            carried_over: 2,
            early: 1,
            on_time: 3,
            late: 2,
            pending_in_time: 3,
            pending_overdue: 1,
            channel_unknown: 2,
            end_undated: 1,
            end_before_reception: 1,
        };
        let two = FormCounts { counter_and_post: 1, pending_overdue: 1, channel_unknown: 1, ..FormCounts::default() };
        let filled = form(vec![("Hộ tịch".to_owned(), one), ("Đất đai".to_owned(), two)]);
        let bytes = write_form(&template(), &filled).expect("identities hold");
        assert_eq!(write_form(&template(), &filled).expect("again"), bytes, "the same form gives the same bytes");
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(bytes)).expect("a workbook");
        let sheet = book.worksheet_range("II.06a").expect("its sheet");
        let text = |row: u32, column: u32| match sheet.get_value((row, column)) {
            Some(Data::String(text)) => text.clone(),
            Some(Data::Float(number)) => format!("{number}"),
            other => panic!("({row}, {column}): {other:?}"),
        };
        assert_eq!(text(0, 0), "Đơn vị báo cáo: =Sở mẫu");
        assert_eq!(text(3, 0), "Từ ngày 15/02/2026 đến ngày 14/03/2026");
        assert_eq!(text(4, 0), "SỐ LIỆU TẠM THỜI: chưa đủ nguồn dữ liệu");
        let row = |at: u32| -> Vec<String> { (0..13).map(|column| text(at, column)).collect() };
        let numbers: Vec<String> = (1..=13).map(|number| format!("({number})")).collect();
        assert_eq!(row(9), numbers);
        assert_eq!(row(10), ["1", "Hộ tịch", "10", "5", "3", "2", "6", "1", "3", "2", "4", "3", "1"]);
        assert_eq!(row(11), ["2", "Đất đai", "1", "0", "1", "0", "0", "0", "0", "0", "1", "0", "1"]);
        let total: Vec<String> = (2..13).map(|column| text(12, column)).collect();
        assert_eq!(total, ["11", "5", "4", "2", "6", "1", "3", "2", "5", "3", "2"]);
        assert_eq!(text(13, 0), "Ghi chú: cột (5) có 3 hồ sơ mà nguồn không ghi hình thức nộp.");
        assert_eq!(text(14, 0), "Ghi chú: cột (10) có 1 hồ sơ mà nguồn ghi đã giải quyết nhưng không ghi ngày.");
        assert_eq!(text(15, 0), "Ghi chú: cột (10) có 1 hồ sơ mà nguồn ghi ngày giải quyết trước ngày tiếp nhận.");
        assert!(text(16, 0).starts_with("Số liệu tính lúc "));
        assert_eq!(text(18, 6), "........, ngày ...... tháng ...... năm ........");
    }

    #[test]
    fn a_long_label_has_a_row_of_two_lines() {
        let labels = ["Hộ tịch", "Thành lập và hoạt động của doanh nghiệp"];
        let rows = labels.map(|label| (label.to_owned(), FormCounts::default()));
        let bytes = write_form(&template(), &form(rows.to_vec())).expect("identities hold");
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a workbook is an archive");
        let sheet = archive.by_name("xl/worksheets/sheet1.xml").expect("its sheet");
        let sheet = std::io::read_to_string(sheet).expect("UTF-8");
        // Points, in whole pixels.
        for (row, height) in [(11, "18.75"), (12, "33.75")] {
            let (_, of_row) = sheet.split_once(&format!("<row r=\"{row}\"")).expect("the row is there");
            let (tag, _) = of_row.split_once('>').expect("the tag ends");
            assert!(tag.contains(&format!("ht=\"{height}\"")), "row {row}: {tag}");
        }
    }

    #[test]
    fn a_form_whose_identities_do_not_hold_is_not_written() {
        let counts = FormCounts { online: 2, pending_overdue: 1, ..FormCounts::default() };
        let error = write_form(&template(), &form(vec![("Y tế".to_owned(), counts)])).expect_err("2 is not 1");
        assert!(matches!(error, FormError::Identity { .. }), "{error}");
    }
}
