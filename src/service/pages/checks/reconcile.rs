//! Portal against post: per agency how many dossiers are in each class.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use strum::IntoEnumIterator as _;

use crate::config::Configuration;
use crate::indicators::{ClassCount, PostDirection, ReconcileClass, Reconciliation};
use crate::locale::{Initial, Language};
use crate::model::list::{List, ListCell, ListColumn, ListColumnType};
use crate::service::Service;
use crate::service::dossiers;
use crate::service::explaining::{NightRead, config_of_night};
use crate::service::pages::figures::scope_menu::ScopeMenu;
use crate::service::pages::figures::selection::{Choice, FigurePageQuery, Selection, night_summary};
use crate::service::pages::layout::{Layout, html};
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::spreadsheet::{self, FileForm, FileHead, WantedFile};
use crate::service::pages::visitor::Visitor;
use crate::service::readable_scope::{ReadableScope, RecordedRead};

/// Query of the pages and files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct ReconcileQuery {
    /// As on the pages of figures.
    pub(super) period: String,
    pub(super) scope: String,
    pub(super) as_of: String,
    /// Rows to pass over.
    pub(super) offset: u32,
}

#[derive(Template)]
#[template(path = "reconcile.html")]
struct ReconcileTemplate<'a> {
    layout: Layout<'a>,
    night: NightSummary,
    scope: String,
    scope_code: String,
    period: String,
    period_code: String,
    as_of: String,
    same_night: String,
    periods: Vec<(&'static str, Vec<Choice>)>,
    scopes: ScopeMenu,
    directions: Vec<Direction>,
    /// Postal items that belong to no dossier; they are of the province.
    items: Option<String>,
}

/// One direction of the post.
struct Direction {
    name: &'static str,
    title: &'static str,
    classes: Vec<ClassRow>,
    agencies: Vec<AgencyRow>,
}

/// One class in the whole scope.
struct ClassRow {
    name: &'static str,
    meaning: &'static str,
    to_do: &'static str,
    dossiers: String,
    any: bool,
    is_matched: bool,
}

/// The classes of one agency.
struct AgencyRow {
    code: String,
    name: String,
    /// Dossiers by class, in the order of [`ReconcileClass`], with the class's name; empty for none.
    dossiers: Vec<(&'static str, String)>,
    differing: String,
}

/// What was asked for, checked.
pub(super) struct Asked {
    pub(super) selection: Selection,
    scope: ReadableScope,
    pub(super) night_config: Arc<Configuration>,
}

pub(super) async fn asked(service: &Service, visitor: &Visitor, query: &ReconcileQuery) -> Result<Asked, PageError> {
    visitor.reader()?;
    let page_query = FigurePageQuery::of(&query.period, visitor.scope_or_own(&query.scope), &query.as_of);
    let selection = Selection::of_page(service, &page_query).await?;
    let scope = visitor.counts_dossiers(service, selection.figure_of())?;
    let night_config = config_of_night(service, &selection.night).await?;
    Ok(Asked { selection, scope, night_config })
}

impl Asked {
    fn night(&self) -> NightRead<'_> {
        NightRead { config: &self.night_config, night: &self.selection.night.record.night }
    }

    /// The dossiers of a class, `None`: of every class but the matched ones.
    pub(super) async fn reconciled(
        &self,
        direction: PostDirection,
        class: Option<ReconcileClass>,
        read: &RecordedRead,
        page: (u32, u32),
    ) -> Result<Reconciliation, PageError> {
        Ok(dossiers::reconcile(self.night(), (direction, self.selection.period), class, read, page).await?)
    }
}

pub(in crate::service::pages) async fn page(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let (lang, selection) = (visitor.lang, &asked.selection);
    let mut directions = Vec::new();
    for direction in PostDirection::iter() {
        let about = (direction, selection.period);
        let counted = dossiers::reconcile_counts(asked.night(), about, &asked.scope).await?;
        directions.push(shown(lang, direction, &counted));
    }
    let items = dossiers::count_unmatched_items(asked.night(), selection.period, &asked.scope).await?;
    html(&ReconcileTemplate {
        night: night_summary(&service, &visitor, selection).await?,
        scope: selection.scope_name(lang, &service.config.settings.province.name),
        scope_code: selection.scope_code().to_owned(),
        period: lang.period(selection.period, Initial::Upper),
        period_code: selection.period.to_string(),
        as_of: selection.as_of.clone().unwrap_or_default(),
        same_night: selection.same_night(),
        periods: selection.periods(lang),
        scopes: ScopeMenu::of_dossiers(&service, &visitor, selection),
        directions,
        items: items.map(|items| lang.number(items)),
        layout: Layout::new(
            &service,
            &visitor,
            lang.of("Đối chiếu cổng với bưu chính", "Portal against post"),
            "checks",
        ),
    })
}

fn shown(lang: Language, direction: PostDirection, found: &Reconciliation) -> Direction {
    let [vietnamese, english] = direction.meaning();
    let class = |class: ReconcileClass| {
        let dossiers = found.totals.get(&class).copied().unwrap_or(0);
        let [vietnamese, english] = class.meaning();
        ClassRow {
            name: class.name(),
            meaning: lang.of(vietnamese, english),
            to_do: to_do(lang, class),
            dossiers: lang.number(dossiers),
            any: dossiers > 0,
            is_matched: class == ReconcileClass::Matched,
        }
    };
    let agencies = by_agency(&found.counts).into_iter().map(|agency| AgencyRow {
        dossiers: ReconcileClass::iter()
            .map(|class| {
                (class.name(), agency.dossiers.get(&class).map(|count| lang.number(*count)).unwrap_or_default())
            })
            .collect(),
        differing: lang.number(agency.differing()),
        code: agency.code,
        name: agency.name,
    });
    Direction {
        name: direction.name(),
        title: lang.of(vietnamese, english),
        classes: ReconcileClass::iter().map(class).collect(),
        agencies: agencies.collect(),
    }
}

/// The counts of one agency.
struct AgencyCounts {
    code: String,
    name: String,
    dossiers: BTreeMap<ReconcileClass, u64>,
}

impl AgencyCounts {
    /// Dossiers about which the two do not agree.
    fn differing(&self) -> u64 {
        self.dossiers.iter().filter(|(class, _)| **class != ReconcileClass::Matched).map(|(_, count)| count).sum()
    }
}

/// The counts by agency, those with most differences first.
fn by_agency(counts: &[ClassCount]) -> Vec<AgencyCounts> {
    let mut by_code: BTreeMap<&str, AgencyCounts> = BTreeMap::new();
    for count in counts {
        let agency = by_code.entry(&count.agency).or_insert_with(|| AgencyCounts {
            code: count.agency.to_string(),
            name: count.agency_name.to_string(),
            dossiers: BTreeMap::new(),
        });
        *agency.dossiers.entry(count.class).or_default() += count.dossiers;
    }
    let mut agencies: Vec<AgencyCounts> = by_code.into_values().collect();
    agencies.sort_by_key(|agency| std::cmp::Reverse(agency.differing()));
    agencies
}

/// What a clerk does about a dossier of a class.
pub(super) fn to_do(lang: Language, class: ReconcileClass) -> &'static str {
    match class {
        ReconcileClass::OtherChannel => lang.of(
            "Hỏi bộ phận một cửa hồ sơ có đi qua bưu chính không; nếu có, sửa hình thức trên cổng.",
            "Ask the one-stop shop whether the post carried it; if so, correct the way on the portal.",
        ),
        ReconcileClass::OtherDirection => lang.of(
            "Kiểm tra bưu cục có ghi nhầm chiều đi, chiều về không.",
            "Check whether the post office mixed up the two directions.",
        ),
        ReconcileClass::PortalOnly => lang.of(
            "Xin bưu cục mã bưu gửi; nếu không có bưu gửi, sửa hình thức trên cổng.",
            "Ask the post office for the item's code; if there is no item, correct the way on the portal.",
        ),
        ReconcileClass::PostOnly => lang.of(
            "Ghi hình thức bưu chính công ích vào hồ sơ trên cổng.",
            "Enter the public post as the way on the portal.",
        ),
        ReconcileClass::ReturnedEarly => lang.of(
            "Cổng ghi đã trả khi kết quả chưa giao cho bưu chính: xem lại ngày trả trên cổng.",
            "The portal has it as returned before the post took it: check the day of return on the portal.",
        ),
        ReconcileClass::OtherDate => lang.of(
            "Đối chiếu ngày trên cổng với sổ giao nhận của bưu cục.",
            "Compare the day on the portal with the post office's book of deliveries.",
        ),
        ReconcileClass::SeveralItems => lang.of(
            "Xem hồ sơ gửi nhiều lần thật, hay bưu cục ghi trùng.",
            "See whether it was sent several times, or whether the post office listed it twice.",
        ),
        ReconcileClass::Matched => lang.of("Không cần làm gì.", "Nothing."),
    }
}

/// The table by agency as a file.
pub(in crate::service::pages) async fn file(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    wanted: WantedFile,
    Query(query): Query<ReconcileQuery>,
) -> Result<Response, PageError> {
    let asked = asked(&service, &visitor, &query).await?;
    let form = FileForm::new(&service, wanted).await?;
    let text = |name, heading| ListColumn::new(name, ListColumnType::Text, heading, name);
    let mut columns = vec![text("direction", "Chiều"), text("agency", "Mã đơn vị"), text("agency_name", "Đơn vị")];
    columns.extend(ReconcileClass::iter().map(|class| {
        let [vietnamese, english] = class.meaning();
        ListColumn::new(class.name(), ListColumnType::Number, vietnamese, english)
    }));
    let mut rows = Vec::new();
    for direction in PostDirection::iter() {
        let about = (direction, asked.selection.period);
        let found = dossiers::reconcile_counts(asked.night(), about, &asked.scope).await?;
        for agency in by_agency(&found.counts) {
            let counts = ReconcileClass::iter().map(|class| agency.dossiers.get(&class).copied().unwrap_or(0));
            let mut row = vec![ListCell::Named { name: direction.name(), meaning: direction.meaning() }];
            row.extend([ListCell::text(&agency.code), ListCell::text(&agency.name)]);
            row.extend(counts.map(ListCell::count));
            rows.push(row);
        }
    }
    let list = List::new(&columns, rows);
    let name = format!("doi-chieu_{}", asked.selection.period);
    let head = FileHead::new(&service, &asked.selection, name, "Đối chiếu cổng với bưu chính".to_owned());
    spreadsheet::listed(form, head, (&list, list.rows.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agencies_with_most_differences_come_first() {
        let count = |agency: &str, class, dossiers| ClassCount {
            agency: agency.into(),
            agency_name: agency.into(),
            class,
            dossiers,
        };
        let counts = [
            count("A", ReconcileClass::Matched, 90),
            count("A", ReconcileClass::PostOnly, 1),
            count("B", ReconcileClass::PortalOnly, 2),
            count("B", ReconcileClass::OtherDate, 3),
        ];
        let found: Vec<(String, u64)> =
            by_agency(&counts).iter().map(|agency| (agency.code.clone(), agency.differing())).collect();
        assert_eq!(found, [("B".to_owned(), 5), ("A".to_owned(), 1)]);
    }
}
