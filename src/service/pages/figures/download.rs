//! Figures as files for people: a workbook, and CSV. Always Vietnamese, whatever the page's language: they go into reports.
//!
//! CSV begins with a byte order mark and ends lines as spreadsheets do. With `separator=semicolon`, as a Vietnamese
//! spreadsheet opens it, numbers have a decimal comma; with `comma`, a decimal point. Dates are `dd/MM/yyyy` in both.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::filter::{Asked, View};
use crate::config::Configuration;
use crate::locale::{Initial, Language, date, moment};
use crate::model::figure::{Figure, Met};
use crate::model::indicator::IndicatorKind;
use crate::model::instant::local;
use crate::run::RunError;
use crate::service::Service;
use crate::service::pages::connectors::NightLine;
use crate::service::pages::trouble::Trouble;
use crate::service::pages::visitor::Visitor;
use crate::service::problem::Problem;

/// Headings, and the widths of their columns in the workbook.
const COLUMNS: [(&str, f64); 18] = [
    ("Mã chỉ số", 16.0),
    ("Chỉ số", 58.0),
    ("Văn bản", 18.0),
    ("Điều, mục", 26.0),
    ("Cấp", 12.0),
    ("Mã đơn vị", 16.0),
    ("Đơn vị", 36.0),
    ("Kỳ báo cáo", 22.0),
    ("Từ ngày", 12.0),
    ("Đến ngày", 12.0),
    ("Tử số", 12.0),
    ("Mẫu số", 12.0),
    ("Giá trị", 14.0),
    ("Đơn vị tính", 14.0),
    ("Chỉ tiêu", 12.0),
    ("Kết quả", 16.0),
    ("Chưa đối chiếu được", 14.0),
    ("Bộ quy tắc", 14.0),
];
/// Columns that CSV has besides: a file without a head says them in each row.
const NIGHT_COLUMNS: [&str; 4] = ["Tính lúc", "Dữ liệu đến", "Tình trạng", "Lượt"];
/// Row of the headings in the workbook.
const TOP: u32 = 7;

/// A cell of either file.
enum Cell {
    Text(String),
    Day(Date),
    Count(u64),
    Share(f64),
    Amount(f64),
    Nothing,
}

pub(in crate::service::pages) async fn workbook(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (view, indicator) = asked_for(&service, &visitor, &asked).await?;
    let name = file_name(&view, &asked, "xlsx");
    let config = Arc::clone(&service.config);
    let line = NightLine::new(&service, Language::Vietnamese, &view.night, None);
    let made = tokio::task::spawn_blocking(move || book(&config, &view, &line, &figures(&view, indicator.as_deref())));
    let bytes = made.await.map_err(RunError::from)?;
    let bytes = bytes.map_err(|error| Problem::internal("the workbook cannot be made", &error))?;
    Ok(file(bytes, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &name))
}

pub(in crate::service::pages) async fn csv(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let separator = match asked.separator.as_str() {
        "" | "semicolon" => b';',
        "comma" => b',',
        other => {
            let detail = format!("`separator`: there is no `{other}`; there are: semicolon, comma");
            return Err(Trouble::new(StatusCode::BAD_REQUEST, detail));
        }
    };
    let (view, indicator) = asked_for(&service, &visitor, &asked).await?;
    let name = file_name(&view, &asked, "csv");
    let config = Arc::clone(&service.config);
    let made =
        tokio::task::spawn_blocking(move || lines(&config, &view, &figures(&view, indicator.as_deref()), separator));
    let bytes = made.await.map_err(RunError::from)?;
    let bytes = bytes.map_err(|error| Problem::internal("the file cannot be made", &error))?;
    Ok(file(bytes, "text/csv; charset=utf-8", &name))
}

async fn asked_for(service: &Service, visitor: &Visitor, asked: &Asked) -> Result<(View, Option<String>), Trouble> {
    visitor.figure_reader(service)?;
    let indicator = Some(asked.indicator.clone()).filter(|id| !id.is_empty());
    if let Some(id) = &indicator
        && !service.config.indicators.iter().any(|known| known.definition.id == *id)
    {
        return Err(Trouble::new(StatusCode::BAD_REQUEST, format!("`indicator`: there is no `{id}`")));
    }
    Ok((View::new(service, asked).await?, indicator))
}

/// What is asked for, in the order of the night: one scan at most.
fn figures<'v>(view: &'v View, indicator: Option<&str>) -> Vec<&'v Figure> {
    let figures = match indicator {
        Some(id) => view.night.of_indicator(id).iter().map(|place| view.night.at(*place)).collect(),
        None => view.of_scope(),
    };
    figures.into_iter().filter(|figure| figure.period == view.period && view.takes(figure)).collect()
}

/// Says the period, whose figures, of which indicator and of which night; plain ASCII.
fn file_name(view: &View, asked: &Asked, ending: &str) -> String {
    let night = local(view.night.record.night.as_of).date();
    let parts = [asked.indicator.as_str(), asked.scope.as_str()].into_iter().filter(|part| !part.is_empty());
    let plain = |part: &str| {
        part.chars().map(|sign| if sign.is_ascii_alphanumeric() || sign == '.' { sign } else { '-' }).collect()
    };
    let parts: Vec<String> = parts.map(plain).collect();
    let of = parts.iter().fold(String::new(), |name, part| name + "_" + part);
    format!("so-lieu-mot-cua_{}{of}_dem-{night}.{ending}", view.period)
}

fn file(bytes: Vec<u8>, kind: &'static str, name: &str) -> Response {
    let disposition =
        HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("names are plain ASCII");
    let headers: [(HeaderName, HeaderValue); 2] =
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}

fn cells(config: &Configuration, figure: &Figure) -> [Cell; 18] {
    let lang = Language::Vietnamese;
    let text = |text: &str| if text.is_empty() { Cell::Nothing } else { Cell::Text(text.to_owned()) };
    let known = config.indicators.iter().find(|indicator| *indicator.definition.id == *figure.indicator);
    let definition = known.map(|known| &known.definition);
    let (value, unit) = match (figure.kind, figure.value()) {
        (_, None) => (text(lang.nothing_received()), ""),
        (IndicatorKind::Ratio, Some(share)) => (Cell::Share(share), "%"),
        (IndicatorKind::Count | IndicatorKind::Stock, _) => (Cell::Count(figure.numerator), "số lượng"),
        (IndicatorKind::Mean | IndicatorKind::Median, Some(amount)) => (Cell::Amount(amount), "giờ làm việc"),
    };
    let target = match (figure.kind, figure.target) {
        (_, None) => Cell::Nothing,
        (IndicatorKind::Ratio, Some(target)) => Cell::Share(target),
        (_, Some(target)) => Cell::Amount(target),
    };
    [
        text(&figure.indicator),
        text(definition.map_or("", |definition| &definition.title.vi)),
        text(definition.map_or("", |definition| &definition.legal.document)),
        text(definition.map_or("", |definition| &definition.legal.place)),
        text(figure.tier.map_or("", |tier| lang.tier(tier))),
        text(figure.agency.as_deref().unwrap_or_default()),
        text(&lang.scope(figure, &config.settings.province.name)),
        text(&lang.period(figure.period, Initial::Upper)),
        Cell::Day(figure.period.start()),
        Cell::Day(figure.period.end()),
        Cell::Count(figure.numerator),
        figure.denominator.map_or(Cell::Nothing, Cell::Count),
        value,
        text(unit),
        target,
        figure.met().map_or(Cell::Nothing, |met: Met| text(lang.met(met))),
        figure.unmatched().map_or(Cell::Nothing, Cell::Share),
        text(&figure.rules),
    ]
}

fn state(is_complete: bool) -> &'static str {
    if is_complete { "Đủ số liệu" } else { "Số liệu tạm thời, chưa đủ nguồn" }
}

/// A text that a spreadsheet would take for a formula is marked as a text.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn lines(config: &Configuration, view: &View, figures: &[&Figure], separator: u8) -> Result<Vec<u8>, ::csv::Error> {
    let mut out = "\u{feff}".as_bytes().to_vec();
    let mut writer =
        ::csv::WriterBuilder::new().delimiter(separator).terminator(::csv::Terminator::CRLF).from_writer(&mut out);
    writer.write_record(COLUMNS.iter().map(|(heading, _)| *heading).chain(NIGHT_COLUMNS))?;
    let number = |number: String| if separator == b';' { number.replace('.', ",") } else { number };
    let night = &view.night.record.night;
    let of_night = [
        moment(night.as_of),
        night.data_until.map(moment).unwrap_or_default(),
        state(night.complete).to_owned(),
        night.run.to_string(),
    ];
    for figure in figures {
        let cells = cells(config, figure).map(|cell| match cell {
            Cell::Text(text) => harmless(&text),
            Cell::Day(day) => date(day),
            Cell::Count(count) => count.to_string(),
            Cell::Share(share) => number(format!("{:.2}", share * 100.0)),
            Cell::Amount(amount) => number(format!("{amount:.2}")),
            Cell::Nothing => String::new(),
        });
        writer.write_record(cells.iter().chain(&of_night))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(out)
}

fn base() -> Format {
    Format::new().set_font_name("Times New Roman").set_font_size(12)
}

fn book(config: &Configuration, view: &View, line: &NightLine, figures: &[&Figure]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = excel_day(local(view.night.record.night.as_of).date())?;
    workbook.set_properties(&DocProperties::new().set_title("Số liệu một cửa").set_creation_datetime(&made));
    let sheet = workbook.add_worksheet();
    sheet.set_name("Số liệu")?.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    head(sheet, config, view, line)?;
    let heading = base()
        .set_bold()
        .set_text_wrap()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_background_color(0x00E8_EEF4);
    for (column, (name, width)) in (0_u16..).zip(COLUMNS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(TOP, column, name, &heading)?;
    }
    sheet.set_row_height(TOP, 34)?.set_freeze_panes(TOP + 1, 2)?.set_repeat_rows(TOP, TOP)?;
    let formats = Formats::new();
    let mut row = TOP;
    for figure in figures {
        row += 1;
        for (column, cell) in (0_u16..).zip(cells(config, figure)) {
            write(sheet, row, column, &cell, &formats)?;
        }
    }
    sheet.autofilter(TOP, 0, row, u16::try_from(COLUMNS.len() - 1).unwrap_or(0))?;
    workbook.save_to_buffer()
}

/// Whose figures, of which night and period, and how far they can be trusted.
fn head(sheet: &mut Worksheet, config: &Configuration, view: &View, line: &NightLine) -> Result<(), XlsxError> {
    let lang = Language::Vietnamese;
    let province = &config.settings.province.name;
    let running = if view.is_running() { "; chưa hết kỳ" } else { "" };
    let (from, to) = (date(view.period.start()), date(view.period.end()));
    let missing: Vec<&str> = line.not_whole.iter().map(|(_, title, _)| title.as_str()).collect();
    let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join("; ")) };
    sheet.write_string_with_format(0, 0, "SỐ LIỆU MỘT CỬA", &base().set_bold().set_font_size(14))?;
    let facts = [
        ("Tỉnh", province.clone()),
        ("Phạm vi", view.scope_text(lang, province)),
        ("Kỳ báo cáo", format!("{} (từ {from} đến {to}){running}", lang.period(view.period, Initial::Upper))),
        ("Tính lúc", format!("{}; lượt {}", line.as_of, line.run)),
        ("Dữ liệu đến", line.data_until.clone()),
        ("Tình trạng", format!("{}{missing}", state(line.is_complete))),
    ];
    for (row, (name, text)) in (1_u32..).zip(facts) {
        sheet.write_string_with_format(row, 0, name, &base().set_bold())?;
        sheet.write_string_with_format(row, 1, text, &base())?;
    }
    Ok(())
}

/// How cells look; made once.
struct Formats {
    text: Format,
    day: Format,
    count: Format,
    share: Format,
    amount: Format,
}

impl Formats {
    fn new() -> Self {
        let cell = || base().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
        Self {
            text: cell().set_text_wrap(),
            day: cell().set_num_format("dd/mm/yyyy").set_align(FormatAlign::Center),
            count: cell().set_num_format("#,##0"),
            share: cell().set_num_format("0.00 %"),
            amount: cell().set_num_format("#,##0.00"),
        }
    }
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
    match cell {
        // Written as a text, which no spreadsheet takes for a formula.
        Cell::Text(text) => sheet.write_string_with_format(row, column, text, &formats.text)?,
        Cell::Day(date) => sheet.write_datetime_with_format(row, column, &excel_day(*date)?, &formats.day)?,
        #[expect(clippy::cast_precision_loss, reason = "counts of dossiers are far below 2^52")]
        Cell::Count(count) => sheet.write_number_with_format(row, column, *count as f64, &formats.count)?,
        Cell::Share(share) => sheet.write_number_with_format(row, column, *share, &formats.share)?,
        Cell::Amount(amount) => sheet.write_number_with_format(row, column, *amount, &formats.amount)?,
        Cell::Nothing => sheet.write_blank(row, column, &formats.text)?,
    };
    Ok(())
}

fn excel_day(date: Date) -> Result<ExcelDateTime, XlsxError> {
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    ExcelDateTime::from_ymd(u16::try_from(date.year()).unwrap_or(1900), part(date.month()), part(date.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for text in ["=1+1", "+84", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("Sở Tư pháp"), "Sở Tư pháp");
    }
}
