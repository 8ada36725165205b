//! The postal items that belong to no dossier, with codes that are near. They hold dossier codes, so they need a caller, and the
//! access is recorded.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;

use super::listing::{LIMIT, LinkedRow, ListedRows, ListingPage, neighbours};
use super::reconcile::ReconcileQuery;
use crate::indicators::{FigureOf, UnmatchedItem, UnmatchedItems};
use crate::lists;
use crate::locale::{Initial, Language, moment};
use crate::service::Service;
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::pages::figures::selection::{FigurePageQuery, Selection};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{self, FileForm, FileHead, MOST_IN_FILE, WantedFile, file_note};
use crate::service::pages::visitor::Visitor;

/// Title in Vietnamese and English.
const TITLE: [&str; 2] = ["Bưu gửi không thuộc hồ sơ nào", "Postal items that belong to no dossier"];

async fn find(
    service: &Service,
    visitor: &Visitor,
    query: &ReconcileQuery,
    page: (u32, u32),
) -> Result<(Selection, UnmatchedItems), PageError> {
    visitor.authenticated()?;
    // Items have no agency.
    let selection = Selection::of_page(service, &FigurePageQuery::of(&query.period, "", &query.as_of)).await?;
    let what = format!("reconcile items {}", selection.period);
    let read = visitor.reads_dossiers(service, FigureOf::Province, &what).await?;
    let config = config_of_night(service, &selection.night).await?;
    let of = NightRead { config: &config, night: &selection.night.record.night };
    let items = dossiers::unmatched_items(of, selection.period, &read, page).await?;
    Ok((selection, items))
}

fn headings(lang: Language) -> Vec<(String, bool)> {
    let names = [
        lang.of("mã bưu gửi", "item"),
        lang.of("mã hồ sơ ghi trên bưu gửi", "dossier code on the item"),
        lang.of("chiều", "direction"),
        lang.of("bưu chính nhận", "taken by the post"),
        lang.of("vì sao", "why"),
        lang.of("mã hồ sơ gần giống", "codes that are near"),
    ];
    names.map(|name| (name.to_owned(), false)).into()
}

fn cells(lang: Language, item: &UnmatchedItem) -> Vec<String> {
    let [vietnamese, english] = item.problem.meaning();
    vec![
        item.item_code.clone().unwrap_or_default(),
        item.dossier_code.clone().unwrap_or_default(),
        item.direction.as_deref().map(|direction| lang.dossier_word(direction).to_owned()).unwrap_or_default(),
        item.accepted_at.map(moment).unwrap_or_default(),
        lang.of(vietnamese, english).to_owned(),
        item.near.join(", "),
    ]
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    let (selection, found) = find(&service, &visitor, &query, (query.offset, LIMIT)).await?;
    let (lang, total) = (visitor.lang, found.total);
    let listed: Vec<LinkedRow> = found.items.iter().map(|item| (None, cells(lang, item))).collect();
    let (previous, next) = neighbours(query.offset, listed.len(), total);
    let query_text = format!("period={}{}", selection.period, selection.same_night());
    let at = |offset: u32| format!("/reconcile/items?{query_text}&offset={offset}");
    let title = lang.of(TITLE[0], TITLE[1]);
    html(&ListingPage {
        layout: Layout::new(&service, &visitor, title, "checks"),
        back: (format!("/reconcile?{query_text}"), lang.of("Đối chiếu", "Reconcile").to_owned()),
        title: title.to_owned(),
        subtitle: format!("{}: {}", lang.period(selection.period, Initial::Upper), lang.number(total)),
        explained: lang
            .of(
                "Mã gần giống khác một lỗi gõ: hỏi bưu cục mã đúng. Hệ thống không tự ghép.",
                "Codes that are near differ by one mistake: ask the post office for the right one. They are never joined by guess.",
            )
            .to_owned(),
        file: ["/reconcile/items".to_owned(), query_text.clone()],
        cut: file_note(lang, total),
        rows: ListedRows::new(lang, headings(lang), listed, (query.offset, total)),
        previous: previous.map(at),
        next: next.map(at),
    })
}

/// The items as a file: at most [`MOST_IN_FILE`].
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    visitor.authenticated()?;
    let form = FileForm::new(&service, wanted).await?;
    let (selection, found) = find(&service, &visitor, &query, (0, MOST_IN_FILE)).await?;
    let name = format!("buu-gui-khong-ho-so_{}", selection.period);
    let head = FileHead::new(&service, &selection, name, TITLE[0].to_owned());
    let items: Vec<&UnmatchedItem> = found.items.iter().collect();
    spreadsheet::listed(form, head, (&lists::items_list(&items), found.total))
}
