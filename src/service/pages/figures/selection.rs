//! The figures that a page or download shows: a scope and a period of a night.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::StatusCode;
use serde::Deserialize;
use strum::IntoEnumIterator as _;

use crate::config::DefinedIndicator;
use crate::indicators::FigureOf;
use crate::locale::{Initial, Language, date};
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::instant::local;
use crate::model::period::{Period, PeriodKind};
use crate::model::vietnamese_order::VietnameseOrder;
use crate::run::{self, assess_connectors};
use crate::service::Service;
use crate::service::api::figures::night_until;
use crate::service::nights::LoadedNight;
use crate::service::pages::night_summary::NightSummary;
use crate::service::pages::page_error::PageError;
use crate::service::pages::visitor::Visitor;
use crate::service::problem::Problem;

/// Kinds of periods in the order of the menu.
const KINDS: [PeriodKind; 10] = [
    PeriodKind::Year,
    PeriodKind::NineMonths,
    PeriodKind::HalfYear,
    PeriodKind::Quarter,
    PeriodKind::Month,
    PeriodKind::StatutoryYear,
    PeriodKind::StatutoryNineMonths,
    PeriodKind::StatutoryHalfYear,
    PeriodKind::StatutoryQuarter,
    PeriodKind::StatutoryMonth,
];

/// What `scope` may be.
const SCOPE_FORMS: &str = "write `province` for the whole province, `tier-province`, `tier-district` or \
                           `tier-commune` for a tier, or the code of an agency (`/api/v1/agencies`)";

/// Query of the figure pages and downloads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct FigurePageQuery {
    /// A named period; empty for the current year.
    pub(in crate::service::pages) period: String,
    /// Empty or `province` for the whole province; `tier-province`, `tier-district` or `tier-commune` for a tier; else
    /// the code of an agency. Downloads also accept `all`.
    pub(in crate::service::pages) scope: String,
    /// The night: the newest at or before this day or moment; empty for the newest of all.
    pub(in crate::service::pages) as_of: String,
    /// Order of the agencies on the page of an indicator: `name` or `value`.
    pub(in crate::service::pages) sort: String,
    /// Only this indicator; for downloads.
    pub(in crate::service::pages) indicator: String,
    /// `comma` or `semicolon`; for CSV downloads.
    pub(in crate::service::pages) separator: String,
}

impl FigurePageQuery {
    /// The query of a page that has no further parameters of figures.
    pub(in crate::service::pages) fn of(period: &str, scope: &str, as_of: &str) -> Self {
        let [period, scope, as_of] = [period, scope, as_of].map(str::to_owned);
        Self { period, scope, as_of, ..Self::default() }
    }
}

/// Scope that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service::pages) enum SelectedScope {
    Province,
    Tier(Tier),
    Agency(String),
    /// Province, tiers and all agencies.
    All,
}

/// A night, and the scope and period selected of it.
#[derive(Debug)]
pub(in crate::service::pages) struct Selection {
    pub(in crate::service::pages) night: Arc<LoadedNight>,
    pub(in crate::service::pages) scope: SelectedScope,
    pub(in crate::service::pages) period: Period,
    /// Value of `as_of`; `None` for the newest night.
    pub(in crate::service::pages) as_of: Option<String>,
    /// Agencies that have been dissolved: code → last day.
    ended: BTreeMap<String, jiff::civil::Date>,
}

/// One entry of a menu: value, text, whether it is selected.
pub(in crate::service::pages) type Choice = (String, String, bool);

impl Selection {
    pub(in crate::service::pages) async fn new(service: &Service, query: &FigurePageQuery) -> Result<Self, PageError> {
        let as_of = Some(query.as_of.trim().to_owned()).filter(|text| !text.is_empty());
        let night = match &as_of {
            Some(text) => night_until(service, text).await?,
            None => service.nights.newest().await?.ok_or_else(PageError::no_night)?,
        };
        let scope = selected_scope(service, &night, &query.scope)?;
        let period = if query.period.is_empty() { current_year(&night) } else { named_period(&query.period)? };
        let today = local(night.record.night.as_of).date();
        let registered = service.config.registries.agencies.iter();
        let ended =
            registered.filter_map(|agency| Some((agency.code.clone(), agency.valid_to.filter(|day| *day < today)?)));
        let ended = ended.collect();
        Ok(Self { night, scope, period, as_of, ended })
    }

    /// The selection of a page, which shows one scope: as [`Self::new`], without `scope=all`.
    pub(in crate::service::pages) async fn of_page(
        service: &Service,
        query: &FigurePageQuery,
    ) -> Result<Self, PageError> {
        let selection = Self::new(service, query).await?;
        if selection.scope == SelectedScope::All {
            let detail = format!("`scope=all` is for downloads of figures only; {SCOPE_FORMS}");
            return Err(PageError::new(StatusCode::BAD_REQUEST, detail));
        }
        Ok(selection)
    }

    /// Whose dossiers the selected figures count.
    pub(in crate::service::pages) fn figure_of(&self) -> FigureOf {
        match &self.scope {
            SelectedScope::Province | SelectedScope::All => FigureOf::Province,
            SelectedScope::Tier(tier) => FigureOf::Tier(*tier),
            SelectedScope::Agency(code) => FigureOf::Agency(code.clone()),
        }
    }

    /// Figures of the scope and of every period, in the order of the night.
    pub(in crate::service::pages) fn of_scope(&self) -> Vec<&Figure> {
        let at = |position: &u32| self.night.at(*position);
        match &self.scope {
            SelectedScope::Province => {
                self.night.without_agency().iter().map(at).filter(|figure| figure.tier.is_none()).collect()
            }
            SelectedScope::Tier(tier) => {
                self.night.without_agency().iter().map(at).filter(|figure| figure.tier == Some(*tier)).collect()
            }
            SelectedScope::Agency(code) => self.night.of_agency(code).iter().map(at).collect(),
            SelectedScope::All => self.night.figures.iter().collect(),
        }
    }

    /// Whether a figure is of the scope.
    pub(in crate::service::pages) fn includes(&self, figure: &Figure) -> bool {
        match &self.scope {
            SelectedScope::Province => figure.agency.is_none() && figure.tier.is_none(),
            SelectedScope::Tier(tier) => figure.agency.is_none() && figure.tier == Some(*tier),
            SelectedScope::Agency(code) => figure.agency.as_deref() == Some(code),
            SelectedScope::All => true,
        }
    }

    /// Whether the period had not ended when the night was computed.
    pub(in crate::service::pages) fn is_running(&self) -> bool {
        self.period.end() >= local(self.night.record.night.as_of).date()
    }

    /// Value of `scope` in addresses.
    pub(in crate::service::pages) fn scope_code(&self) -> &str {
        match &self.scope {
            SelectedScope::Province => "",
            SelectedScope::Tier(tier) => tier_scope(*tier),
            SelectedScope::Agency(code) => code,
            SelectedScope::All => "all",
        }
    }

    /// The end of addresses of pages about the same night: `&as_of=…`, or nothing for the newest.
    pub(in crate::service::pages) fn same_night(&self) -> String {
        self.as_of.as_deref().map_or_else(String::new, |text| {
            format!("&as_of={}", url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>())
        })
    }

    /// Name of the scope.
    pub(in crate::service::pages) fn scope_name(&self, lang: Language, province: &str) -> String {
        match &self.scope {
            SelectedScope::Province => format!("{} {province}", lang.of("Toàn tỉnh", "Province of")),
            SelectedScope::Tier(tier) => lang.tier(*tier).to_owned(),
            SelectedScope::Agency(code) => {
                let name = self
                    .night
                    .of_agency(code)
                    .first()
                    .and_then(|position| self.night.at(*position).agency_name.as_deref());
                name.unwrap_or(code).to_owned()
            }
            SelectedScope::All => {
                lang.of("Toàn tỉnh, các cấp và mọi đơn vị", "Province, tiers and every agency").to_owned()
            }
        }
    }

    /// Periods that have begun and have figures, by kind, newest first.
    pub(in crate::service::pages) fn periods(&self, lang: Language) -> Vec<(&'static str, Vec<Choice>)> {
        let today = local(self.night.record.night.as_of).date();
        let periods = self.night.without_agency().iter().map(|position| self.night.at(*position).period);
        let begun = periods.filter(|period| period.start() <= today).chain([self.period]);
        let known: BTreeSet<Period> = begun.collect();
        let choice =
            |period: &Period| (period.to_string(), lang.period(*period, Initial::Upper), *period == self.period);
        let of_kind = |kind| {
            let mut periods: Vec<&Period> = known.iter().filter(|period| period.kind() == kind).collect();
            periods.sort_by_key(|period| std::cmp::Reverse(period.start()));
            (lang.period_kind(kind), periods.into_iter().map(choice).collect::<Vec<_>>())
        };
        KINDS.into_iter().map(of_kind).filter(|(_, choices)| !choices.is_empty()).collect()
    }

    /// Agencies that have figures, by tier, in the order of their names. Agencies without a registry entry come last.
    pub(in crate::service::pages) fn agencies(&self, lang: Language) -> Vec<(&'static str, Vec<Choice>)> {
        let mut by_tier: BTreeMap<Option<Tier>, Vec<Choice>> = BTreeMap::new();
        for (code, name) in self.night.agencies() {
            let tier = self.night.of_agency(code).first().and_then(|position| self.night.at(*position).tier);
            let chosen = matches!(&self.scope, SelectedScope::Agency(of) if of == code);
            let name = name.unwrap_or(code);
            // Names are reused, so a dissolved agency shows its last day.
            let ended = self.ended.get(code).map(|day| format!(" ({} {})", lang.of("đến", "until"), date(*day)));
            by_tier.entry(tier).or_default().push((
                code.to_owned(),
                format!("{name}{}", ended.unwrap_or_default()),
                chosen,
            ));
        }
        let unknown = by_tier.remove(&None);
        let mut groups: Vec<_> =
            by_tier.into_iter().map(|(tier, choices)| (tier.map_or("", |tier| lang.tier(tier)), choices)).collect();
        groups.extend(unknown.map(|choices| (lang.words().other_agencies, choices)));
        for (_, choices) in &mut groups {
            choices.sort_by_cached_key(|choice| VietnameseOrder::of(&choice.1));
        }
        groups
    }

    /// Tiers that have figures.
    pub(in crate::service::pages) fn tiers(&self, lang: Language) -> Vec<Choice> {
        let has = |tier: &Tier| {
            self.night.without_agency().iter().any(|position| self.night.at(*position).tier == Some(*tier))
        };
        let choice = |tier: Tier| {
            (tier_scope(tier).to_owned(), lang.tier(tier).to_owned(), self.scope == SelectedScope::Tier(tier))
        };
        Tier::iter().filter(has).map(choice).collect()
    }
}

fn selected_scope(service: &Service, night: &LoadedNight, scope: &str) -> Result<SelectedScope, PageError> {
    match scope {
        "" | "province" => return Ok(SelectedScope::Province),
        "all" => return Ok(SelectedScope::All),
        "tier-province" => return Ok(SelectedScope::Tier(Tier::Province)),
        // Without the prefix in addresses that people kept from earlier versions.
        "tier-district" | "district" => return Ok(SelectedScope::Tier(Tier::District)),
        "tier-commune" | "commune" => return Ok(SelectedScope::Tier(Tier::Commune)),
        _ => {}
    }
    let registered = || service.config.registries.agencies.iter().any(|agency| agency.code == scope);
    if !night.of_agency(scope).is_empty() || registered() {
        return Ok(SelectedScope::Agency(scope.to_owned()));
    }
    Err(Problem::bad_request(format!("`scope`: there is no agency `{scope}`; {SCOPE_FORMS}")).into())
}

fn named_period(text: &str) -> Result<Period, PageError> {
    let named = Period::parse(text).filter(|period| period.half_months().is_some());
    named.ok_or_else(|| {
        let detail = format!(
            "`period`: there is no `{text}`; write `2026`, `2026-Q1`, `2026-03`, with `s` for the statutory period, \
             and a year from 1990 to 2099"
        );
        Problem::bad_request(detail).into()
    })
}

fn current_year(night: &LoadedNight) -> Period {
    Period::Year { year: local(night.record.night.as_of).date().year() }
}

/// Value of `scope` for a tier. `province` alone is the whole province, as in the API.
pub(in crate::service::pages) fn tier_scope(tier: Tier) -> &'static str {
    match tier {
        Tier::Province => "tier-province",
        Tier::District => "tier-district",
        Tier::Commune => "tier-commune",
    }
}

/// The indicator of an identifier; without one, the page says that it is not found.
pub(in crate::service::pages) fn indicator_named<'s>(
    service: &'s Service,
    id: &str,
) -> Result<&'s DefinedIndicator, PageError> {
    let indicators = &service.config.indicators;
    indicators.iter().find(|indicator| indicator.definition.id == id).ok_or_else(|| {
        PageError::not_found(format!("there is no indicator `{id}`; `/api/v1/indicators` lists what there is"))
    })
}

/// The night in one line, with the states of its connectors if the visitor may know them.
pub(in crate::service::pages) async fn night_summary(
    service: &Service,
    visitor: &Visitor,
    selection: &Selection,
) -> Result<NightSummary, PageError> {
    let subjects = match &visitor.caller {
        // What connectors are like now is not what they were then.
        Some(caller) if selection.as_of.is_none() && caller.unbound().is_ok() => {
            Some(assess_connectors(&service.config, Some(&service.ledger), run::now()).await?)
        }
        _ => None,
    };
    let mut summary = NightSummary::new(service, visitor.lang, &selection.night, subjects.as_deref());
    summary.is_past = selection.as_of.is_some();
    Ok(summary)
}
