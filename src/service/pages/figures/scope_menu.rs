//! The scopes that a page offers: all of them for figures; for dossiers those that the visitor may read.

use super::selection::{Choice, Selection};
use crate::indicators::FigureOf;
use crate::locale::Language;
use crate::model::vietnamese_order::VietnameseOrder;
use crate::service::Service;
use crate::service::pages::visitor::Visitor;

/// Values for `templates/filter.html` and `templates/scope.html`.
#[derive(Debug)]
pub(in crate::service::pages) struct ScopeMenu {
    /// Whether the whole province is offered.
    pub(in crate::service::pages) province: bool,
    pub(in crate::service::pages) tiers: Vec<Choice>,
    /// By tier.
    pub(in crate::service::pages) agencies: Vec<(&'static str, Vec<Choice>)>,
}

impl ScopeMenu {
    /// Figures are published: every scope.
    pub(in crate::service::pages) fn of_figures(selection: &Selection, lang: Language) -> Self {
        Self { province: true, tiers: selection.tiers(lang), agencies: selection.agencies(lang) }
    }

    /// The scopes whose dossiers the visitor may count.
    pub(in crate::service::pages) fn of_dossiers(service: &Service, visitor: &Visitor, selection: &Selection) -> Self {
        let all = Self::of_figures(selection, visitor.lang);
        let Some(bound) = visitor.bound() else { return all };
        let may_count = |code: &str| visitor.counts_dossiers(service, FigureOf::Agency(code.to_owned())).is_ok();
        let mut agencies = all.agencies;
        for (_, choices) in &mut agencies {
            choices.retain(|(code, ..)| may_count(code));
        }
        agencies.retain(|(_, choices)| !choices.is_empty());
        // An agency without figures is in no tier of the night.
        let is_listed =
            |code: &String| agencies.iter().flat_map(|(_, choices)| choices).any(|(known, ..)| known == code);
        let registered = &service.config.registries.agencies;
        let name =
            |code: &String| registered.iter().find(|agency| agency.code == *code).map(|agency| agency.name.clone());
        let choice =
            |code: &String| (code.clone(), name(code).unwrap_or_else(|| code.clone()), *code == selection.scope_code());
        let mut others: Vec<Choice> = bound.iter().filter(|code| !is_listed(code)).map(choice).collect();
        others.sort_by_cached_key(|choice| VietnameseOrder::of(&choice.1));
        if !others.is_empty() {
            agencies.push((visitor.lang.of("Chưa có số liệu", "Without figures"), others));
        }
        Self { province: false, tiers: Vec::new(), agencies }
    }
}
