//! Figures as files for people: XLSX and CSV. Always in Vietnamese, whatever the language of the page, since they go
//! into reports.
//!
//! In CSV with `separator=semicolon`, which a Vietnamese spreadsheet expects, numbers have a decimal comma; with `comma`, a
//! decimal point. Dates are `dd/MM/yyyy` in both.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::selection::{FigurePageQuery, SelectedScope, Selection};
use crate::config::Configuration;
use crate::locale::{Initial, Language, date, moment};
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorKind;
use crate::model::instant::local;
use crate::service::Service;
use crate::service::answers::{AnswerKey, Encoding, Making};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{CSV, SEMICOLON, XLSX, file_headers, plain_name, write_csv};
use crate::service::pages::visitor::Visitor;

/// Headings of the columns, with their widths in the workbook.
const COLUMNS: [(&str, f64); 22] = [
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
    ("Chưa rõ", 12.0),
    ("Chưa rõ có thuộc phạm vi tính", 14.0),
    ("Tỷ lệ thấp nhất có thể", 14.0),
    ("Tỷ lệ cao nhất có thể", 14.0),
];
/// Further columns of CSV: the workbook has these values in its head.
const NIGHT_COLUMNS: [&str; 4] = ["Tính lúc", "Dữ liệu đến", "Tình trạng", "Lượt"];
/// Row of the headings in the workbook, from 0.
const HEADING_ROW: u32 = 7;

/// A cell, in XLSX or CSV.
enum Cell {
    Text(String),
    Day(Date),
    Count(u64),
    /// A share of 1, shown as a percentage.
    Share(f64),
    /// A number with two decimals.
    Amount(f64),
    Empty,
}

pub(in crate::service::pages) async fn workbook(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    let (selection, indicator) = select(&service, &visitor, &query).await?;
    // A workbook is packed by itself.
    let key = key("xlsx", &query, &selection, Encoding::Identity);
    if let Some(kept) = service.answers.kept(&key) {
        return Ok(kept.answer()?);
    }
    let headers = file_headers(XLSX, &file_name(&selection, &query, "xlsx"));
    let night = NightSummary::new(&service, Language::Vietnamese, &selection.night, None);
    let made = service.answers.make_kept(key, Some(Making::ByRows), headers, |out| {
        let figures = figures(&selection, indicator.as_deref());
        Ok(book((&service.config, &selection, &night), figures, (&service.data, out))?)
    });
    Ok(made.await?.answer()?)
}

pub(in crate::service::pages) async fn csv(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    encoding: Encoding,
    Query(query): Query<FigurePageQuery>,
) -> Result<Response, PageError> {
    let separator = match query.separator.as_str() {
        "" | "semicolon" => SEMICOLON,
        "comma" => b',',
        other => {
            let detail = format!("`separator`: there is no `{other}`; there are: semicolon, comma");
            return Err(PageError::new(StatusCode::BAD_REQUEST, detail));
        }
    };
    let (selection, indicator) = select(&service, &visitor, &query).await?;
    let key = key(if separator == SEMICOLON { "csv;" } else { "csv," }, &query, &selection, encoding);
    if let Some(kept) = service.answers.kept(&key) {
        return Ok(kept.answer()?);
    }
    let headers = file_headers(CSV, &file_name(&selection, &query, "csv"));
    let made = service.answers.make_kept(key, Some(Making::ByRows), headers, |out| {
        let headings = COLUMNS.iter().map(|(heading, _)| *heading).chain(NIGHT_COLUMNS);
        let lines = lines(&service.config, &selection, figures(&selection, indicator.as_deref()), separator);
        Ok(write_csv(out, separator, headings, lines)?)
    });
    Ok(made.await?.answer()?)
}

/// What a file depends on: of the night the scope, period and indicator, and the words by which they were selected, of which its
/// name is made.
fn key(form: &str, query: &FigurePageQuery, selection: &Selection, encoding: Encoding) -> AnswerKey {
    let selected = (selection.period, &selection.scope, &query.scope, &query.indicator);
    AnswerKey::new(&selection.night.record.night, format!("file {form} {selected:?}"), encoding)
}

/// Checks access and query; returns the selection and the indicator that is filtered by.
async fn select(
    service: &Service,
    visitor: &Visitor,
    query: &FigurePageQuery,
) -> Result<(Selection, Option<String>), PageError> {
    visitor.may_read_figures(service)?;
    let indicator = Some(query.indicator.clone()).filter(|id| !id.is_empty());
    if let Some(id) = &indicator
        && !service.config.indicators.iter().any(|known| known.definition.id == *id)
    {
        return Err(PageError::new(StatusCode::BAD_REQUEST, format!("`indicator`: there is no `{id}`")));
    }
    Ok((Selection::new(service, query).await?, indicator))
}

/// The selected figures, in the order of the night.
fn figures<'s>(selection: &'s Selection, indicator: Option<&str>) -> impl Iterator<Item = &'s Figure> {
    let night = &selection.night;
    let candidates = match (indicator, &selection.scope) {
        (Some(id), _) => night.of_indicator(id),
        (None, SelectedScope::Agency(code)) => night.of_agency(code),
        (None, SelectedScope::Province | SelectedScope::Tier(_)) => night.without_agency(),
        (None, SelectedScope::All) => night.of_period(selection.period),
    };
    let candidates = candidates.iter().map(move |position| night.at(*position));
    candidates.filter(move |figure| figure.period == selection.period && selection.includes(figure))
}

/// File name from period, indicator, scope and date of the night, in ASCII.
fn file_name(selection: &Selection, query: &FigurePageQuery, ending: &str) -> String {
    let night = local(selection.night.record.night.as_of).date();
    let parts = [query.indicator.as_str(), query.scope.as_str()].into_iter().filter(|part| !part.is_empty());
    let of = parts.fold(String::new(), |name, part| name + "_" + &plain_name(part));
    format!("so-lieu-mot-cua_{}{of}_dem-{night}.{ending}", selection.period)
}

fn cells(config: &Configuration, figure: &Figure) -> [Cell; 22] {
    let lang = Language::Vietnamese;
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let known = config.indicators.iter().find(|indicator| *indicator.definition.id == *figure.indicator);
    let definition = known.map(|known| &known.definition);
    let (value, unit) = match (figure.kind, figure.value()) {
        (_, None) => (text(lang.no_value(figure)), ""),
        (IndicatorKind::Ratio, Some(share)) => (Cell::Share(share), "%"),
        (IndicatorKind::Count | IndicatorKind::Stock, _) => (Cell::Count(figure.numerator), "số lượng"),
        (IndicatorKind::Mean | IndicatorKind::Median, Some(amount)) => (Cell::Amount(amount), "giờ làm việc"),
        (IndicatorKind::Points, Some(amount)) => (Cell::Amount(amount), "điểm"),
    };
    let target = match (figure.kind, figure.target) {
        (_, None) => Cell::Empty,
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
        figure.denominator.map_or(Cell::Empty, Cell::Count),
        value,
        text(unit),
        target,
        text(
            &lang
                .annual_target(figure)
                .or_else(|| figure.met().map(|met| lang.met(met).to_owned()))
                .unwrap_or_default(),
        ),
        figure.unmatched().map_or(Cell::Empty, Cell::Share),
        text(&figure.rules),
        figure.unknown.map_or(Cell::Empty, Cell::Count),
        figure.undecided.map_or(Cell::Empty, Cell::Count),
        figure.bounds().map_or(Cell::Empty, |[least, _]| Cell::Share(least)),
        figure.bounds().map_or(Cell::Empty, |[_, most]| Cell::Share(most)),
    ]
}

fn completeness(is_complete: bool) -> &'static str {
    if is_complete { "Đủ số liệu" } else { "Số liệu tạm thời, chưa đủ nguồn" }
}

/// The cells of each figure, and those of its night. With semicolons, numbers have a decimal comma.
fn lines<'s>(
    config: &'s Configuration,
    selection: &'s Selection,
    figures: impl Iterator<Item = &'s Figure>,
    separator: u8,
) -> impl Iterator<Item = Vec<String>> {
    let number = move |number: String| if separator == SEMICOLON { number.replace('.', ",") } else { number };
    let night = &selection.night.record.night;
    let of_night = [
        moment(night.as_of),
        night.data_until.map(moment).unwrap_or_default(),
        completeness(night.complete).to_owned(),
        night.run.to_string(),
    ];
    let text = move |cell: Cell| match cell {
        Cell::Text(text) => text,
        Cell::Day(day) => date(day),
        Cell::Count(count) => count.to_string(),
        Cell::Share(share) => number(format!("{:.2}", share * 100.0)),
        Cell::Amount(amount) => number(format!("{amount:.2}")),
        Cell::Empty => String::new(),
    };
    figures.map(move |figure| cells(config, figure).map(text).into_iter().chain(of_night.clone()).collect())
}

fn base() -> Format {
    Format::new().set_font_name("Times New Roman").set_font_size(12)
}

/// Writes the figures as a workbook. `scratch`: the folder of a file without a name for the rows, of which one is in memory at
/// a time.
fn book<'s>(
    (config, selection, night): (&Configuration, &Selection, &NightSummary),
    figures: impl Iterator<Item = &'s Figure>,
    (scratch, out): (&Path, &mut (dyn Write + Send)),
) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    let made = excel_day(local(selection.night.record.night.as_of).date())?;
    workbook.set_properties(&DocProperties::new().set_title("Số liệu một cửa").set_creation_datetime(&made));
    // Rows are written once, from the first to the last.
    let sheet = workbook.set_tempdir(scratch)?.add_worksheet_with_constant_memory()?;
    sheet.set_name("Số liệu")?.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    head(sheet, config, selection, night)?;
    let heading = base()
        .set_bold()
        .set_text_wrap()
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_background_color(0x00E8_EEF4);
    for (column, (name, width)) in (0_u16..).zip(COLUMNS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(HEADING_ROW, column, name, &heading)?;
    }
    sheet
        .set_row_height(HEADING_ROW, 34)?
        .set_freeze_panes(HEADING_ROW + 1, 2)?
        .set_repeat_rows(HEADING_ROW, HEADING_ROW)?;
    let formats = Formats::new();
    let mut row = HEADING_ROW;
    for figure in figures {
        row += 1;
        for (column, cell) in (0_u16..).zip(cells(config, figure)) {
            write(sheet, row, column, &cell, &formats)?;
        }
    }
    sheet.autofilter(HEADING_ROW, 0, row, u16::try_from(COLUMNS.len() - 1).unwrap_or(0))?;
    workbook.save_to_writer(out)
}

/// Writes the rows above the table: province, scope, period, night, and completeness.
fn head(
    sheet: &mut Worksheet,
    config: &Configuration,
    selection: &Selection,
    night: &NightSummary,
) -> Result<(), XlsxError> {
    let lang = Language::Vietnamese;
    let province = &config.settings.province.name;
    let running = if selection.is_running() { "; chưa hết kỳ" } else { "" };
    let (from, to) = (date(selection.period.start()), date(selection.period.end()));
    let missing: Vec<&str> = night.not_whole.iter().map(|(_, title, _)| title.as_str()).collect();
    let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join("; ")) };
    sheet.write_string_with_format(0, 0, "SỐ LIỆU MỘT CỬA", &base().set_bold().set_font_size(14))?;
    let facts = [
        ("Tỉnh", province.clone()),
        ("Phạm vi", selection.scope_name(lang, province)),
        ("Kỳ báo cáo", format!("{} (từ {from} đến {to}){running}", lang.period(selection.period, Initial::Upper))),
        ("Tính lúc", format!("{}; lượt {}", night.as_of, night.run)),
        ("Dữ liệu đến", night.data_until.clone()),
        ("Tình trạng", format!("{}{missing}", completeness(night.is_complete))),
    ];
    for (row, (name, text)) in (1_u32..).zip(facts) {
        sheet.write_string_with_format(row, 0, name, &base().set_bold())?;
        sheet.write_string_with_format(row, 1, text, &base())?;
    }
    Ok(())
}

/// Cell formats of the workbook.
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
        // Written as a string cell, which no spreadsheet evaluates.
        Cell::Text(text) => sheet.write_string_with_format(row, column, text, &formats.text)?,
        Cell::Day(date) => sheet.write_datetime_with_format(row, column, &excel_day(*date)?, &formats.day)?,
        #[expect(clippy::cast_precision_loss, reason = "counts of dossiers are far below 2^52")]
        Cell::Count(count) => sheet.write_number_with_format(row, column, *count as f64, &formats.count)?,
        Cell::Share(share) => sheet.write_number_with_format(row, column, *share, &formats.share)?,
        Cell::Amount(amount) => sheet.write_number_with_format(row, column, *amount, &formats.amount)?,
        Cell::Empty => sheet.write_blank(row, column, &formats.text)?,
    };
    Ok(())
}

fn excel_day(date: Date) -> Result<ExcelDateTime, XlsxError> {
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    ExcelDateTime::from_ymd(u16::try_from(date.year()).unwrap_or(1900), part(date.month()), part(date.day()))
}
