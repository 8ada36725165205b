//! Later changes that make a ratio look better: per agency, with the ratio as it would be without them, and the dossiers of one
//! kind. Those hold dossier codes, so they need a caller, and the access is recorded.

use std::str::FromStr as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use strum::IntoEnumIterator as _;

use super::listing::{LIMIT, ListedRows, ListingPage, neighbours};
use crate::config::Configuration;
use crate::indicators::{INTEGRITY_COLUMNS, IntegrityDossiers, IntegrityKind, IntegrityRow, integrity_problem};
use crate::lists;
use crate::locale::{Initial, Language, UnitSpace};
use crate::model::figure::ratio;
use crate::model::list::{List, ListColumn, ListColumnType};
use crate::service::Service;
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::pages::figures::dossier_link::DossierLinks;
use crate::service::pages::figures::dossiers::cell_text;
use crate::service::pages::figures::scope_menu::ScopeMenu;
use crate::service::pages::figures::selection::{Choice, FigurePageQuery, Selection, night_summary};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{
    self, FileForm, FileHead, FileKind, MOST_IN_FILE, SEMICOLON, WantedFile, file_note,
};
use crate::service::pages::visitor::Visitor;
use crate::service::problem::Problem;
use crate::service::readable_scope::ReadableScope;

/// Columns of a list that the page leaves out; the file has all.
const ONLY_IN_FILE: [&str; 6] = ["agency", "source_key", "run", "page", "row", "late_cause"];

/// Query of the pages and files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct IntegrityQuery {
    /// A ratio over dossiers; empty for the first headline that is one.
    indicator: String,
    /// As on the pages of figures.
    period: String,
    scope: String,
    as_of: String,
    /// Rows to pass over.
    offset: u32,
}

#[derive(Template)]
#[template(path = "integrity.html")]
struct IntegrityTemplate<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    indicator: String,
    /// Identifier, title, whether it is selected.
    indicators: Vec<Choice>,
    title: String,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    as_of: String,
    same_night: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
    kinds: Vec<KindRow>,
    rows: Vec<AgencyRow>,
}

/// One kind of change in the whole scope.
struct KindRow {
    name: &'static str,
    meaning: &'static str,
    explained: &'static str,
    dossiers: String,
    any: bool,
}

/// The changes of one agency.
struct AgencyRow {
    code: String,
    name: String,
    /// Dossiers by kind, with the kind's name; empty for none.
    dossiers: Vec<(&'static str, String)>,
    /// Counts and share, and what is unknown of them.
    now: Counted,
    /// Counts and share without these dossiers.
    without: Counted,
}

/// A share with its counts.
struct Counted {
    counts: String,
    share: String,
    unknown: Option<String>,
}

/// What was asked for, checked.
struct Asked {
    selection: Selection,
    scope: ReadableScope,
    indicator: String,
    night_config: Arc<Configuration>,
}

async fn asked(service: &Service, visitor: &Visitor, query: &IntegrityQuery) -> Result<Asked, PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let selection = Selection::of_page(service, &page_query).await?;
    let night_config = config_of_night(service, &selection.night).await?;
    let of = NightRead { config: &night_config, night: &selection.night.record.night };
    let indicator = if query.indicator.is_empty() {
        let usual = judged(&night_config).next();
        usual.ok_or_else(|| PageError::not_found("no indicator is a ratio of dossiers on time"))?
    } else {
        query.indicator.clone()
    };
    if let Some(problem) = integrity_problem(of.defined(&indicator)?) {
        let known: Vec<String> = judged(&night_config).collect();
        let detail = format!("`indicator`: `{indicator}` {problem}; there are: {}", known.join(", "));
        return Err(PageError::new(StatusCode::BAD_REQUEST, detail));
    }
    let scope = visitor.counts_dossiers(service, selection.figure_of())?;
    Ok(Asked { selection, scope, indicator, night_config })
}

/// Identifiers of the indicators that can be judged, headlines first.
fn judged(config: &Configuration) -> impl Iterator<Item = String> {
    let headlines: Vec<&str> = config.headline_indicators().iter().map(|known| known.definition.id.as_str()).collect();
    let is_judged =
        config.indicators.iter().map(|known| &known.definition).filter(|one| integrity_problem(one).is_none());
    let mut ids: Vec<String> = is_judged.map(|one| one.id.clone()).collect();
    ids.sort_by_key(|id| headlines.iter().position(|known| known == id).unwrap_or(usize::MAX));
    ids.into_iter()
}

impl Asked {
    fn night(&self) -> NightRead<'_> {
        NightRead { config: &self.night_config, night: &self.selection.night.record.night }
    }

    /// The agencies of the scope that have such dossiers.
    async fn rows(&self) -> Result<Vec<IntegrityRow>, PageError> {
        Ok(dossiers::integrity(self.night(), (&self.indicator, self.selection.period), &self.scope).await?)
    }
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<IntegrityQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let rows = asked.rows().await?;
    let (lang, selection) = (visitor.lang, &asked.selection);
    let title = |id: &str| {
        let known = asked.night_config.indicators.iter().find(|known| known.definition.id == id);
        known.map_or_else(String::new, |known| {
            lang.of(&known.definition.title.vi, &known.definition.title.en).to_owned()
        })
    };
    let indicators = judged(&asked.night_config).map(|id| (id.clone(), title(&id), id == asked.indicator)).collect();
    html(&IntegrityTemplate {
        night: night_summary(&service, &visitor, selection).await?,
        title: title(&asked.indicator),
        indicator: asked.indicator.clone(),
        indicators,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, selection),
        kinds: kinds(lang, &rows),
        rows: rows.iter().map(|row| agency_row(lang, row)).collect(),
        layout: Layout::new(
            &service,
            &visitor,
            lang.of("Sửa đổi làm tỷ lệ đẹp hơn", "Later changes that make a ratio look better"),
            "checks",
        ),
    })
}

fn kinds(lang: Language, rows: &[IntegrityRow]) -> Vec<KindRow> {
    let row = |(position, kind): (usize, IntegrityKind)| {
        let dossiers = rows.iter().map(|row| row.dossiers[position]).sum();
        let [vietnamese, english] = kind.meaning();
        KindRow {
            name: kind.name(),
            meaning: lang.of(vietnamese, english),
            explained: explained(lang, kind),
            dossiers: lang.number(dossiers),
            any: dossiers > 0,
        }
    };
    IntegrityKind::iter().enumerate().map(row).collect()
}

/// What a kind of change is, in a sentence.
fn explained(lang: Language, kind: IntegrityKind) -> &'static str {
    match kind {
        IntegrityKind::DueMovedAfterDue => lang.of(
            "Hạn trả được dời muộn hơn khi hạn cũ đã qua, mà không có yêu cầu bổ sung hay tạm dừng nào giải thích.",
            "The due date was moved later when it had passed, and no supplement or suspension explains it.",
        ),
        IntegrityKind::DueMovedUnexplained => lang.of(
            "Hạn trả được dời muộn hơn mà không có yêu cầu bổ sung, tạm dừng hay văn bản xin lỗi nào giải thích.",
            "The due date was moved later, and no supplement, suspension or apology explains it.",
        ),
        IntegrityKind::EndSetBack => lang.of(
            "Ngày kết thúc được sửa thành sớm hơn ngày đã ghi trước đó.",
            "The end was changed to an earlier moment than the one stated before.",
        ),
        IntegrityKind::LateTurnedOnTime => lang.of(
            "Hồ sơ đã ghi kết thúc trễ, sau đó ngày kết thúc được lùi và nay thành đúng hạn.",
            "The dossier had ended late; its end was set back, and it is on time now.",
        ),
        IntegrityKind::Resubmitted => lang.of(
            "Hồ sơ mang mã của một hồ sơ đã rút, bị từ chối, dừng hoặc xóa: có thể nộp lại để tính hạn mới.",
            "It has the code of a dossier that was withdrawn, refused, stopped or deleted: perhaps entered again for a new due date.",
        ),
        IntegrityKind::SupplementOnLastDay => lang.of(
            "Yêu cầu bổ sung được ghi đúng vào ngày hết hạn đầu tiên.",
            "A supplement was asked for on the very day of the first due date.",
        ),
    }
}

fn agency_row(lang: Language, row: &IntegrityRow) -> AgencyRow {
    let counted = |numerator: u64, unknown: u64| Counted {
        counts: format!("{} / {}", lang.number(numerator), lang.number(row.denominator)),
        // Of a denominator of which nothing is known there is no share.
        share: ratio(numerator, row.denominator)
            .filter(|_| row.unknown < row.denominator)
            .map_or_else(|| "–".to_owned(), |share| lang.percent(share, UnitSpace::NonBreaking)),
        unknown: (unknown > 0).then(|| format!("{} {}", lang.number(unknown), lang.of("chưa rõ", "unknown"))),
    };
    let count = |(kind, dossiers): (IntegrityKind, u64)| {
        (kind.name(), if dossiers > 0 { lang.number(dossiers) } else { String::new() })
    };
    AgencyRow {
        code: row.agency.to_string(),
        name: row.agency_name.to_string(),
        dossiers: IntegrityKind::iter().zip(row.dossiers).map(count).collect(),
        now: counted(row.numerator, row.unknown),
        without: counted(row.numerator_without, 0),
    }
}

/// The table by agency as a file.
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Query(query): Query<IntegrityQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let name = format!("sua-doi_{}_{}", spreadsheet::plain_name(&asked.indicator), asked.selection.period);
    if wanted.kind == FileKind::Csv {
        return csv(&asked, &format!("{name}.csv")).await;
    }
    let form = FileForm::new(&service, wanted).await?;
    let list = lists::integrity_list(&asked.rows().await?);
    let mut head = FileHead::new(&service, &asked.selection, name, "Sửa đổi làm tỷ lệ đẹp hơn".to_owned());
    head.about.push(("Chỉ số", asked.indicator.clone()));
    spreadsheet::listed(form, head, (&list, list.rows.len() as u64))
}

async fn csv(asked: &Asked, name: &str) -> Result<Response, PageError> {
    let share = |numerator: u64, whole: u64| {
        ratio(numerator, whole).map_or_else(String::new, |share| format!("{:.2}", share * 100.0).replace('.', ","))
    };
    let cells = |row: &IntegrityRow| {
        let counts = [row.numerator, row.denominator, row.unknown, row.numerator_without];
        let counts = row.dossiers.iter().chain(&counts).map(u64::to_string).collect::<Vec<_>>();
        let shares = [share(row.numerator, row.denominator), share(row.numerator_without, row.denominator)];
        [row.agency.to_string(), row.agency_name.to_string()].into_iter().chain(counts).chain(shares).collect()
    };
    let rows: Vec<Vec<String>> = asked.rows().await?.iter().map(cells).collect();
    let headings = ["Mã đơn vị", "Đơn vị"].into_iter().chain(IntegrityKind::iter().map(|kind| kind.meaning()[0]));
    let headings = headings.chain([
        "Tử số",
        "Mẫu số",
        "Chưa rõ",
        "Tử số nếu không tính các hồ sơ này",
        "Tỷ lệ (%)",
        "Tỷ lệ nếu không tính các hồ sơ này (%)",
    ]);
    spreadsheet::csv(name, SEMICOLON, headings, rows)
}

fn kind_named(name: &str) -> Result<IntegrityKind, PageError> {
    IntegrityKind::from_str(name).map_err(|_| {
        let known: Vec<&str> = IntegrityKind::iter().map(IntegrityKind::name).collect();
        Problem::not_found(format!("there is no kind of change `{name}`; there are: {}", known.join(", "))).into()
    })
}

/// Finds the dossiers of a kind, and records the access.
async fn find(
    service: &Service,
    visitor: &Visitor,
    kind: IntegrityKind,
    query: &IntegrityQuery,
    limit: u32,
) -> Result<(Asked, IntegrityDossiers), PageError> {
    let asked = asked(service, visitor, query).await?;
    let period = asked.selection.period;
    let what = format!("integrity {} {period} {}", asked.indicator, kind.name());
    let read = visitor.reads_dossiers(service, asked.selection.figure_of(), &what).await?;
    let (about, page) = ((asked.indicator.as_str(), period), (query.offset, limit));
    let found = dossiers::integrity_dossiers(asked.night(), about, kind, &read, page).await?;
    Ok((asked, found))
}

pub(in crate::service::pages) async fn listed(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path(kind): Path<String>,
    Query(query): Query<IntegrityQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let kind = kind_named(&kind)?;
    let (asked, found) = find(&service, &visitor, kind, &query, LIMIT).await?;
    let (lang, selection) = (visitor.lang, &asked.selection);
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let query_text = format!(
        "indicator={}&period={}&scope={}{}",
        encoded(&asked.indicator),
        selection.period,
        encoded(selection.scope_code()),
        selection.same_night()
    );
    let address = format!("/integrity/{}", kind.name());
    let at = |offset: u32| format!("{address}?{query_text}&offset={offset}");
    let (previous, next) = neighbours(query.offset, found.rows.len(), found.total);
    let columns: Vec<usize> =
        (0..INTEGRITY_COLUMNS.len()).filter(|&at| !ONLY_IN_FILE.contains(&INTEGRITY_COLUMNS[at].name)).collect();
    let heading = |&at: &usize| {
        let column = INTEGRITY_COLUMNS[at];
        (lang.of(column.vi, column.en).to_owned(), column.column_type == ListColumnType::Number)
    };
    let headings = columns.iter().map(heading).collect();
    let codes = ["dossier_code", "source_key"];
    let codes = codes.map(|name| INTEGRITY_COLUMNS.iter().position(|column| column.name == name));
    let links = DossierLinks::new(&asked.night_config, selection, &visitor);
    let rows = found.rows.iter().map(|row| {
        let code = codes.into_iter().flatten().map(|at| row[at].to_csv()).find(|code| !code.is_empty());
        let cells = columns.iter().map(|&at| cell_text(lang, INTEGRITY_COLUMNS[at], &row[at])).collect();
        (code.map(|code| links.by(&asked.indicator, selection.period, &code)), cells)
    });
    let [vietnamese, english] = kind.meaning();
    let title = lang.of(vietnamese, english).to_owned();
    let place = selection.scope_name(lang, &service.config.settings.province.name);
    let period = lang.period(selection.period, Initial::Upper);
    html(&ListingPage {
        layout: Layout::new(&service, &visitor, title.clone(), "checks"),
        back: (format!("/integrity?{query_text}"), lang.of("Sửa đổi làm tỷ lệ đẹp hơn", "Later changes").to_owned()),
        subtitle: format!("{} · {place} · {period}: {}", asked.indicator, lang.number(found.total)),
        explained: explained(lang, kind).to_owned(),
        file: [format!("{address}/dossiers"), query_text.clone()],
        cut: file_note(lang, found.total),
        rows: ListedRows::new(lang, headings, rows.collect(), (query.offset, found.total)),
        previous: previous.map(at),
        next: next.map(at),
        title,
    })
}

/// The dossiers of a kind as a file: at most [`MOST_IN_FILE`].
pub(in crate::service::pages) async fn dossiers_file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Path(kind): Path<String>,
    Query(query): Query<IntegrityQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let kind = kind_named(&kind)?;
    let query = IntegrityQuery { offset: 0, ..query };
    let form = FileForm::new(&service, wanted).await?;
    let (asked, found) = find(&service, &visitor, kind, &query, MOST_IN_FILE).await?;
    let name = format!("sua-doi_{}_{}", kind.name(), asked.selection.period);
    let mut head = FileHead::new(&service, &asked.selection, name, kind.meaning()[0].to_owned());
    head.about.push(("Chỉ số", asked.indicator.clone()));
    let columns: Vec<ListColumn> = INTEGRITY_COLUMNS.iter().copied().copied().collect();
    spreadsheet::listed(form, head, (&List::new(&columns, found.rows), found.total))
}
