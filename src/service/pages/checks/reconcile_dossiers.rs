//! The dossiers of a class of portal against post. They hold dossier codes, so they need a caller, and the access is recorded.

use std::str::FromStr as _;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use strum::IntoEnumIterator as _;

use super::listing::{LIMIT, ListedRows, ListingPage, neighbours};
use super::reconcile::{Asked, ReconcileQuery, asked, to_do};
use crate::indicators::{PostDirection, ReconcileClass, ReconciledDossier, Reconciliation};
use crate::lists;
use crate::locale::{Initial, Language, moment};
use crate::service::Service;
use crate::service::pages::figures::dossier_link::DossierLinks;
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{self, FileForm, FileHead, MOST_IN_FILE, WantedFile, file_note};
use crate::service::pages::visitor::Visitor;
use crate::service::problem::Problem;

/// Name in addresses for all classes that do not match.
const UNMATCHED: &str = "unmatched";
/// What they are, in Vietnamese and English.
const ALL_UNMATCHED: [&str; 2] = ["Mọi hồ sơ chưa khớp", "All dossiers that do not match"];

/// Direction and class of an address. `None` as the class: all that do not match.
fn direction_and_class(direction: &str, class: &str) -> Result<(PostDirection, Option<ReconcileClass>), PageError> {
    let found = PostDirection::from_str(direction).map_err(|_| {
        let known: Vec<&str> = PostDirection::iter().map(PostDirection::name).collect();
        Problem::not_found(format!("there is no direction `{direction}`; there are: {}", known.join(", ")))
    })?;
    if class == UNMATCHED {
        return Ok((found, None));
    }
    let class = ReconcileClass::from_str(class).map_err(|_| {
        let known: Vec<&str> = ReconcileClass::iter().map(ReconcileClass::name).chain([UNMATCHED]).collect();
        Problem::not_found(format!("there is no class `{class}`; there are: {}", known.join(", ")))
    })?;
    Ok((found, Some(class)))
}

/// Finds the dossiers of a class, and records the access.
async fn find(
    service: &Service,
    visitor: &Visitor,
    (direction, class): (PostDirection, Option<ReconcileClass>),
    query: &ReconcileQuery,
    limit: u32,
) -> Result<(Asked, Reconciliation), PageError> {
    let asked = asked(service, visitor, query).await?;
    let class_name = class.map_or(UNMATCHED, ReconcileClass::name);
    let what = format!("reconcile {} {} {class_name}", asked.selection.period, direction.name());
    let read = visitor.reads_dossiers(service, asked.selection.figure_of(), &what).await?;
    let found = asked.reconciled(direction, class, &read, (query.offset, limit)).await?;
    Ok((asked, found))
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Path((direction, class)): Path<(String, String)>,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let (of_direction, of_class) = direction_and_class(&direction, &class)?;
    let (asked, found) = find(&service, &visitor, (of_direction, of_class), &query, LIMIT).await?;
    let (lang, selection) = (visitor.lang, &asked.selection);
    let total = total(&found, of_class);
    let (previous, next) = neighbours(query.offset, found.dossiers.len(), total);
    let scope = selection.scope_code();
    let query_text = format!(
        "period={}&scope={}{}",
        selection.period,
        url::form_urlencoded::byte_serialize(scope.as_bytes()).collect::<String>(),
        selection.same_night()
    );
    let address = format!("/reconcile/{}/{class}", of_direction.name());
    let at = |offset: u32| format!("{address}?{query_text}&offset={offset}");
    let [vietnamese, english] = match of_class {
        Some(class) => class.meaning(),
        None => ALL_UNMATCHED,
    };
    let title = lang.of(vietnamese, english).to_owned();
    let [vietnamese, english] = of_direction.meaning();
    let place = selection.scope_name(lang, &service.config.settings.province.name);
    let links = DossierLinks::new(&asked.night_config, selection, &visitor);
    let row = |dossier: &ReconciledDossier| {
        let code = dossier.dossier_code.as_ref().unwrap_or(&dossier.source_key);
        (links.on_time(dossier.received_at, &dossier.agency, code), cells(lang, dossier).into())
    };
    let rows = found.dossiers.iter().map(row).collect();
    html(&ListingPage {
        layout: Layout::new(&service, &visitor, title.clone(), "checks"),
        back: (format!("/reconcile?{query_text}"), lang.of("Đối chiếu", "Reconcile").to_owned()),
        subtitle: format!(
            "{} · {place} · {}: {}",
            lang.of(vietnamese, english),
            lang.period(selection.period, Initial::Upper),
            lang.number(total)
        ),
        explained: of_class.map(|class| to_do(lang, class).to_owned()).unwrap_or_default(),
        file: [format!("{address}/dossiers"), query_text.clone()],
        cut: file_note(lang, total),
        rows: ListedRows::new(lang, headings(lang), rows, (query.offset, total)),
        previous: previous.map(at),
        next: next.map(at),
        title,
    })
}

/// Dossiers of a class, `None`: of all that do not match.
fn total(found: &Reconciliation, class: Option<ReconcileClass>) -> u64 {
    match class {
        Some(class) => found.totals.get(&class).copied().unwrap_or(0),
        None => found.totals.iter().filter(|(class, _)| **class != ReconcileClass::Matched).map(|(_, n)| n).sum(),
    }
}

/// Headings of a list, with whether the column has numbers.
fn headings(lang: Language) -> Vec<(String, bool)> {
    let names = [
        (lang.of("mã hồ sơ", "dossier"), false),
        (lang.of("đơn vị", "agency"), false),
        (lang.of("kết quả", "class"), false),
        (lang.of("cổng ghi", "the portal states"), false),
        (lang.of("ngày của cổng", "day of the portal"), false),
        (lang.of("bưu chính nhận", "taken by the post"), false),
        (lang.of("bưu chính phát", "delivered by the post"), false),
        (lang.of("số bưu gửi", "items"), true),
    ];
    names.map(|(name, number)| (name.to_owned(), number)).into()
}

fn cells(lang: Language, dossier: &ReconciledDossier) -> [String; 8] {
    let shown = |at: Option<i64>| at.map(moment).unwrap_or_default();
    let [vietnamese, english] = dossier.class.meaning();
    [
        dossier.dossier_code.clone().unwrap_or_else(|| dossier.source_key.clone()),
        dossier.agency_name.to_string(),
        lang.of(vietnamese, english).to_owned(),
        dossier.portal_way.as_deref().map(|way| lang.dossier_word(way).to_owned()).unwrap_or_default(),
        shown(dossier.portal_at),
        shown(dossier.post_at),
        shown(dossier.delivered_at),
        dossier.items.to_string(),
    ]
}

/// The dossiers of a class as a file: at most [`MOST_IN_FILE`].
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Path((direction, class)): Path<(String, String)>,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    visitor.reader()?;
    let of = direction_and_class(&direction, &class)?;
    let query = ReconcileQuery { offset: 0, ..query };
    let form = FileForm::new(&service, wanted).await?;
    let (asked, found) = find(&service, &visitor, of, &query, MOST_IN_FILE).await?;
    let name = format!("doi-chieu_{direction}_{class}_{}", asked.selection.period);
    let title = format!("Đối chiếu cổng với bưu chính: {}", of.1.map_or(ALL_UNMATCHED[0], |class| class.meaning()[0]));
    let head = FileHead::new(&service, &asked.selection, name, title);
    spreadsheet::listed(form, head, (&lists::reconciled_list(&[(of.0, &found)]), total(&found, of.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_directions_and_classes_are_named_with_what_there_is() {
        let wrong = |direction, class| direction_and_class(direction, class).expect_err("unknown").detail;
        assert!(wrong("up", "matched").contains("submission, return"));
        assert!(wrong("return", "<b>").contains("portal_only"));
        assert_eq!(direction_and_class("return", UNMATCHED).expect("known").1, None);
    }
}
