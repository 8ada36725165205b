//! What portal and post state about each dossier, a second time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::instant::DAY_MICROS;
use motcua::model::rules::AgencyView;

use super::super::province::{self, Dossier, Item};
use super::received::{is_of, joined, received_dossier};
use super::{ShippedRules, day_of};

/// The class of each dossier, by its position, that one of the two connects with the post in a direction, of those filed
/// between two days.
pub(in super::super) fn postal_classes(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    is_return: bool,
    (from, to): (Date, Date),
) -> BTreeMap<usize, &'static str> {
    let (agencies, procedures, offers) = (province::agencies(), province::procedures(), province::offers());
    let items = &joined(items)[..];
    let mut classes = BTreeMap::new();
    for (place, dossier) in dossiers.iter().enumerate() {
        let about = (now, ShippedRules::Seed2639, AgencyView::Competent);
        let received = received_dossier(dossier, (dossiers, items), &agencies, &procedures, &offers, about);
        let Some(received) = received else { continue };
        let (day, (by_portal, by_post)) = if is_return {
            (received.returned_on, received.return_evidence)
        } else {
            (Some(received.received_on), received.submission_evidence)
        };
        if !day.is_some_and(|day| from <= day && day <= to) {
            continue;
        }
        let (way, portal_at) = if is_return {
            (&dossier.returned_by, dossier.returned.filter(|returned| *returned <= now))
        } else {
            (&dossier.channel, dossier.received)
        };
        let direction = if is_return { "return" } else { "submission" };
        let own: Vec<&Item> = items.iter().filter(|item| is_of(item, dossier, now)).collect();
        let (of_direction, others): (Vec<&Item>, Vec<&Item>) = own
            .into_iter()
            .filter(|item| item.direction.is_some())
            .partition(|item| item.direction.as_deref() == Some(direction));
        let post_at = of_direction.iter().filter_map(|item| item.accepted).min();
        let by_portal = by_portal == Some(true);
        let apart = portal_at.zip(post_at).map(|(portal, post)| portal - post);
        let class = if by_post && !by_portal && way.as_deref().is_some_and(|way| way != "postal") {
            "other_channel"
        } else if by_portal && !by_post && !others.is_empty() {
            "other_direction"
        } else if by_portal && !by_post {
            "portal_only"
        } else if by_post && !by_portal {
            "post_only"
        } else if by_post
            && is_return
            && portal_at.zip(post_at).is_some_and(|(portal, post)| day_of(portal) < day_of(post))
        {
            "returned_early"
        } else if by_post && apart.is_some_and(|apart| apart.abs() > 3 * DAY_MICROS) {
            "other_date"
        } else if by_post
            && of_direction.iter().map(|item| item.code.as_ref().or(item.key.as_ref())).collect::<BTreeSet<_>>().len()
                > 1
        {
            "several_items"
        } else if by_post {
            "matched"
        } else {
            continue;
        };
        classes.insert(place, class);
    }
    classes
}
