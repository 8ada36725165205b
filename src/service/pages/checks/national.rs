//! Our counts beside those of the national portal. They are published figures: no dossier is read.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use strum::IntoEnumIterator as _;

use super::listing::{LIMIT, neighbours};
use super::reconcile::ReconcileQuery;
use crate::indicators::{NationalClass, NationalReconciliation, NationalRow, SideCounts};
use crate::lists;
use crate::locale::{Initial, Language, UnitSpace};
use crate::model::figure::ratio;
use crate::service::Service;
use crate::service::national::compare;
use crate::service::pages::figures::scope_menu::ScopeMenu;
use crate::service::pages::figures::selection::{Choice, FigurePageQuery, Selection, night_summary, tier_scope};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{self, FileForm, FileHead, MOST_IN_FILE, WantedFile};
use crate::service::pages::visitor::Visitor;

/// Title in Vietnamese and English.
const TITLE: [&str; 2] = ["Đối chiếu với Cổng quốc gia", "Against the national portal"];

#[derive(Template)]
#[template(path = "national.html")]
struct NationalPage<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    scope: String,
    scope_code: String,
    period: String,
    as_of: String,
    same_night: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
    /// The query of this page without `offset`, for links.
    query: String,
    is_connected: bool,
    /// Why there are no rows.
    notice: Option<&'static str>,
    /// Meaning, number of rows.
    classes: Vec<(&'static str, String)>,
    rows: Vec<ShownRow>,
    /// From, to, of.
    shown: Option<[String; 3]>,
    previous: Option<u32>,
    next: Option<u32>,
}

/// A row as the page shows it.
struct ShownRow {
    name: String,
    period: String,
    period_code: String,
    indicator: String,
    scope_code: String,
    ours: ShownSide,
    unknown: Option<String>,
    undecided: Option<String>,
    theirs: ShownSide,
    difference: String,
    class: &'static str,
    is_equal: bool,
}

/// A share with its counts; dashes if a side has none.
struct ShownSide {
    share: String,
    counts: String,
}

/// What was asked for, compared.
async fn compared(
    service: &Service,
    visitor: &Visitor,
    query: &ReconcileQuery,
) -> Result<(Selection, NationalReconciliation), PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let selection = Selection::of_page(service, &page_query).await?;
    let scope = visitor.counts_dossiers(service, selection.figure_of())?;
    let found = compare(&service.config, &selection.night, &scope, selection.period);
    Ok((selection, found))
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    let (selection, found) = compared(&service, &visitor, &query).await?;
    let lang = visitor.lang;
    let rows = found.rows.iter().skip(query.offset as usize).take(LIMIT as usize);
    let rows: Vec<ShownRow> = rows.map(|row| shown_row(lang, row)).collect();
    let total = found.rows.len() as u64;
    let until = u64::from(query.offset) + rows.len() as u64;
    let (previous, next) = neighbours(query.offset, rows.len(), total);
    let class = |class: NationalClass| {
        let [vietnamese, english] = class.meaning();
        let count = found.rows.iter().filter(|row| row.class() == class).count() as u64;
        (lang.of(vietnamese, english), lang.number(count))
    };
    html(&NationalPage {
        night: night_summary(&service, &visitor, &selection).await?,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, &selection),
        query: format!(
            "period={}&scope={}{}",
            selection.period,
            url::form_urlencoded::byte_serialize(selection.scope_code().as_bytes()).collect::<String>(),
            selection.same_night()
        ),
        is_connected: found.is_connected,
        notice: lists::national_notice(lang, &found),
        classes: NationalClass::iter().map(class).collect(),
        shown: (!rows.is_empty())
            .then(|| [u64::from(query.offset) + 1, until, total].map(|number| lang.number(number))),
        rows,
        previous,
        next,
        layout: Layout::new(&service, &visitor, lang.of(TITLE[0], TITLE[1]), "checks"),
    })
}

fn shown_row(lang: Language, row: &NationalRow) -> ShownRow {
    let [vietnamese, english] = row.class().meaning();
    let above_zero = |count: Option<u64>, meaning: &str| {
        count.filter(|count| *count > 0).map(|count| format!("{} {meaning}", lang.number(count)))
    };
    ShownRow {
        name: lists::national_scope(lang, row),
        period: lang.period(row.period, Initial::Upper),
        period_code: row.period.to_string(),
        indicator: row.pair.local.to_string(),
        scope_code: row.agency.as_deref().or(row.tier.map(tier_scope)).unwrap_or_default().to_owned(),
        ours: shown_side(lang, row.ours),
        unknown: above_zero(row.ours.map(|ours| ours.unknown), lang.of("chưa rõ", "unknown")),
        undecided: above_zero(
            row.ours.map(|ours| ours.undecided),
            lang.of("chưa rõ có thuộc phạm vi tính", "may or may not belong"),
        ),
        theirs: shown_side(lang, row.theirs),
        difference: lists::national_difference(lang, row).unwrap_or_else(|| "–".to_owned()),
        class: lang.of(vietnamese, english),
        is_equal: row.class() == NationalClass::Equal,
    }
}

fn shown_side(lang: Language, side: Option<SideCounts>) -> ShownSide {
    // Of a denominator of which nothing is known there is no share.
    let known = side.filter(|side| side.unknown < side.denominator);
    let share = known.and_then(|side| ratio(side.numerator, side.denominator));
    ShownSide {
        share: share.map_or_else(|| "–".to_owned(), |share| lang.percent(share, UnitSpace::NonBreaking)),
        counts: lists::national_counts(lang, side).unwrap_or_default(),
    }
}

/// The rows as a file: at most [`MOST_IN_FILE`].
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    let (selection, found) = compared(&service, &visitor, &query).await?;
    let form = FileForm::new(&service, wanted).await?;
    let name = format!("doi-chieu-cong-quoc-gia_{}", selection.period);
    let head = FileHead::new(&service, &selection, name, TITLE[0].to_owned());
    let list = lists::national_list(&found, (0, MOST_IN_FILE));
    spreadsheet::listed(form, head, (&list, found.rows.len() as u64))
}
