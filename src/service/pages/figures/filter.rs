//! Which figures of the newest night a page or a download is of: a scope and a period.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::instant::local;
use crate::model::period::{Period, PeriodKind};
use crate::service::Service;
use crate::service::api::figures::no_night;
use crate::service::nights::LoadedNight;
use crate::service::pages::trouble::Trouble;
use crate::service::pages::words::Lang;
use crate::service::problem::Problem;

/// Kinds in the order in which they are offered.
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

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service::pages) struct Asked {
    /// A named period; the running year where it is empty.
    pub(super) period: String,
    /// Empty: the province; `province`, `district`, `commune`: a tier; else the code of an agency. `all` in
    /// downloads.
    pub(super) scope: String,
    /// `name` or `value`.
    pub(super) sort: String,
    /// Of a download.
    pub(super) indicator: String,
    /// `comma` or `semicolon`.
    pub(super) separator: String,
}

/// Whose figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    Province,
    Tier(Tier),
    Agency(String),
    Everybody,
}

/// A night, and what of it is asked for.
#[derive(Debug)]
pub(super) struct View {
    pub(super) night: Arc<LoadedNight>,
    pub(super) whose: Whose,
    pub(super) period: Period,
    /// Agencies that stand no more: code → last day.
    ended: BTreeMap<String, jiff::civil::Date>,
}

/// One entry of a list to choose from: value, text, whether it is chosen.
pub(super) type Choice = (String, String, bool);

impl View {
    pub(super) async fn new(service: &Service, asked: &Asked) -> Result<Self, Trouble> {
        let night = service.nights.newest().await?.ok_or_else(no_night)?;
        let whose = whose(service, &night, &asked.scope)?;
        let period = if asked.period.is_empty() { running_year(&night) } else { named(&asked.period)? };
        let today = crate::model::instant::local(night.record.night.as_of).date();
        let registered = service.config.registries.agencies.iter();
        let ended =
            registered.filter_map(|agency| Some((agency.code.clone(), agency.valid_to.filter(|day| *day < today)?)));
        let ended = ended.collect();
        Ok(Self { night, whose, period, ended })
    }

    /// Figures of the scope, of every period, in the order of the night.
    pub(super) fn of_scope(&self) -> Vec<&Figure> {
        let at = |place: &u32| self.night.at(*place);
        match &self.whose {
            Whose::Province => {
                self.night.without_agency().iter().map(at).filter(|figure| figure.tier.is_none()).collect()
            }
            Whose::Tier(tier) => {
                self.night.without_agency().iter().map(at).filter(|figure| figure.tier == Some(*tier)).collect()
            }
            Whose::Agency(code) => self.night.of_agency(code).iter().map(at).collect(),
            Whose::Everybody => self.night.figures.iter().collect(),
        }
    }

    pub(super) fn takes(&self, figure: &Figure) -> bool {
        match &self.whose {
            Whose::Province => figure.agency.is_none() && figure.tier.is_none(),
            Whose::Tier(tier) => figure.agency.is_none() && figure.tier == Some(*tier),
            Whose::Agency(code) => figure.agency.as_deref() == Some(code),
            Whose::Everybody => true,
        }
    }

    /// Whether the period has not ended at the night's moment.
    pub(super) fn is_running(&self) -> bool {
        self.period.end() >= local(self.night.record.night.as_of).date()
    }

    /// What stands in an address for the scope.
    pub(super) fn scope_word(&self) -> &str {
        match &self.whose {
            Whose::Province => "",
            Whose::Tier(tier) => tier.name(),
            Whose::Agency(code) => code,
            Whose::Everybody => "all",
        }
    }

    pub(super) fn scope_text(&self, lang: Lang, province: &str) -> String {
        match &self.whose {
            Whose::Province => format!("{} {province}", lang.of("Toàn tỉnh", "Province of")),
            Whose::Tier(tier) => lang.tier(*tier).to_owned(),
            Whose::Agency(code) => {
                let name =
                    self.night.of_agency(code).first().and_then(|place| self.night.at(*place).agency_name.as_deref());
                name.unwrap_or(code).to_owned()
            }
            Whose::Everybody => {
                lang.of("Toàn tỉnh, các cấp và mọi đơn vị", "Province, tiers and every agency").to_owned()
            }
        }
    }

    /// Periods that have begun and have figures, by kind, newest first.
    pub(super) fn periods(&self, lang: Lang) -> Vec<(&'static str, Vec<Choice>)> {
        let today = local(self.night.record.night.as_of).date();
        let whole = self.night.without_agency().iter().map(|place| self.night.at(*place).period);
        let begun = whole.filter(|period| period.start() <= today).chain([self.period]);
        let known: BTreeSet<Period> = begun.collect();
        let choice = |period: &Period| (period.to_string(), lang.period(*period), *period == self.period);
        let of_kind = |kind| {
            let mut periods: Vec<&Period> = known.iter().filter(|period| period.kind() == kind).collect();
            periods.sort_by_key(|period| std::cmp::Reverse(period.start()));
            (lang.period_kind(kind), periods.into_iter().map(choice).collect::<Vec<_>>())
        };
        KINDS.into_iter().map(of_kind).filter(|(_, choices)| !choices.is_empty()).collect()
    }

    /// Agencies that have figures, by tier, in the order of their names; those that no registry has stand last.
    pub(super) fn agencies(&self, lang: Lang) -> Vec<(&'static str, Vec<Choice>)> {
        let mut by_tier: BTreeMap<Option<Tier>, Vec<Choice>> = BTreeMap::new();
        for (code, name) in self.night.agencies() {
            let tier = self.night.of_agency(code).first().and_then(|place| self.night.at(*place).tier);
            let chosen = matches!(&self.whose, Whose::Agency(of) if of == code);
            let name = name.unwrap_or(code);
            // Names are used again: whoever stands no more says until when.
            let ended =
                self.ended.get(code).map(|day| format!(" ({} {})", lang.of("đến", "until"), day.strftime("%d/%m/%Y")));
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
            choices.sort_by(|left, right| left.1.cmp(&right.1));
        }
        groups
    }

    /// Tiers that have figures.
    pub(super) fn tiers(&self, lang: Lang) -> Vec<Choice> {
        let has =
            |tier: &Tier| self.night.without_agency().iter().any(|place| self.night.at(*place).tier == Some(*tier));
        let choice = |tier: Tier| (tier.name().to_owned(), lang.tier(tier).to_owned(), self.whose == Whose::Tier(tier));
        Tier::ALL.into_iter().filter(has).map(choice).collect()
    }
}

fn whose(service: &Service, night: &LoadedNight, scope: &str) -> Result<Whose, Trouble> {
    match scope {
        "" => return Ok(Whose::Province),
        "all" => return Ok(Whose::Everybody),
        _ => {}
    }
    if let Some(tier) = Tier::from_name(scope) {
        return Ok(Whose::Tier(tier));
    }
    let registered = || service.config.registries.agencies.iter().any(|agency| agency.code == scope);
    if !night.of_agency(scope).is_empty() || registered() {
        return Ok(Whose::Agency(scope.to_owned()));
    }
    Err(Problem::bad_request(format!("`scope`: there is no agency `{scope}`")).into())
}

fn named(text: &str) -> Result<Period, Trouble> {
    let named = Period::parse(text).filter(|period| period.halves().is_some());
    named.ok_or_else(|| {
        let detail = format!(
            "`period`: there is no `{text}`; write `2026`, `2026-Q1`, `2026-03`, with `s` for the statutory one"
        );
        Problem::bad_request(detail).into()
    })
}

fn running_year(night: &LoadedNight) -> Period {
    Period::Year { year: local(night.record.night.as_of).date().year() }
}
