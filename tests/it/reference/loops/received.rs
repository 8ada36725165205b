//! Which dossiers count as received, and what the loops need of them.

use jiff::civil::Date;
use motcua::model::agency::Agency;
use motcua::model::procedure::{Offer, Offerer, Procedure};
use motcua::model::rules::AgencyView;

use super::super::province::{Dossier, Item};
use super::outcome::{Apology, DossierOutcome, apology_of, is_due_date, is_of_apology, outcome_of, states_no_pause};
use super::{ShippedRules, day_of};

/// A dossier that was received, with what the loops need of it.
pub(super) struct ReceivedDossier<'a> {
    /// The competent agency, if it is registered. It decides whether the dossier counts.
    pub(super) competent: Option<&'a Agency>,
    /// The agency that the view attributes the dossier to, if it is registered.
    pub(super) attributed: Option<&'a Agency>,
    /// The text that names this agency.
    pub(super) agency_text: String,
    pub(super) procedure: Option<String>,
    /// Neither the competent agency nor the procedure is vertical (ngành dọc).
    pub(super) in_competence: bool,
    /// `None`: neither the source nor the registry says it.
    pub(super) certification: Option<bool>,
    pub(super) received: i64,
    pub(super) received_on: Date,
    pub(super) returned_on: Option<Date>,
    pub(super) ended_on: Option<Date>,
    pub(super) outcome: DossierOutcome,
    pub(super) online: Option<bool>,
    pub(super) level: Option<String>,
    /// Whether the procedure is deployed for reception and for return by post.
    pub(super) deployed: [bool; 2],
    /// Evidence of a postal submission and of a postal return, each of the portal and of the post.
    pub(super) submission_evidence: (Option<bool>, bool),
    pub(super) return_evidence: (Option<bool>, bool),
    pub(super) supplements: Option<i64>,
    pub(super) was_supplemented: Option<bool>,
    pub(super) apology: Apology,
    pub(super) lacks_due_date: bool,
    /// Whether the due date was moved later without a reason; `None`: the source states neither status nor supplements.
    pub(super) due_moved: Option<bool>,
    pub(super) lacks_channel: bool,
    pub(super) has_unknown_procedure: bool,
}

/// What the loops need of a dossier; `None` if it does not count as received. The letters are those of rule set
/// `seed-2639`.
pub(super) fn received_dossier<'a>(
    dossier: &Dossier,
    (dossiers, items): (&[Dossier], &[Item]),
    agencies: &'a [Agency],
    procedures: &[Procedure],
    offers: &[Offer],
    (now, rules, view): (i64, ShippedRules, AgencyView),
) -> Option<ReceivedDossier<'a>> {
    // b: received by now. j: a part of an interlinked dossier does not count by itself, unless its parent is missing.
    let received = dossier.received.filter(|&received| received <= now)?;
    if dossier.deleted == Some(true) || is_part(dossier, dossiers) {
        return None;
    }
    if rules == ShippedRules::Form06a && matches!(dossier.status.as_deref(), Some("registered" | "refused")) {
        return None;
    }
    let received_on = day_of(received);
    // a, j: the lead agency, else the competent one; the counter only in the view of the receiving agency.
    let agency_text = match view {
        AgencyView::Competent => dossier.lead.as_ref().or(dossier.competent.as_ref()),
        AgencyView::Receiving => dossier.receiving.as_ref(),
        AgencyView::Handling => dossier.handling.as_ref(),
    };
    let attributed = agency_text.and_then(|text| agency_of(text, received_on, agencies));
    let competent = dossier.lead.as_ref().or(dossier.competent.as_ref());
    let competent = competent.and_then(|text| agency_of(text, received_on, agencies));
    let procedure = procedures.iter().find(|procedure| Some(&procedure.code) == dossier.procedure.as_ref());
    let outcome = outcome_of(dossier, received, procedure, rules);
    let ended_on = outcome.ended_by(now).then(|| day_of(outcome.end.unwrap_or(received)));
    let (mut post_submission, mut post_return, mut post_returned) = (false, false, None::<i64>);
    for item in items.iter().filter(|item| is_of(item, dossier, now)) {
        match item.direction.as_deref() {
            Some("submission") => post_submission = true,
            Some("return") => {
                post_return = true;
                post_returned = post_returned.min(item.accepted).or(item.accepted);
            }
            _ => {}
        }
    }
    // Direct is 1 or none (QĐ 766, 3.3); else a missing channel is not known.
    let channel_is = |word: &str| match (&dossier.channel, rules) {
        (None, ShippedRules::Qd766) => Some(false),
        (channel, _) => channel.as_ref().map(|channel| channel == word),
    };
    let portal_returned = dossier.returned.filter(|&returned| returned <= now);
    // What the portal does not state, the lists of the post decide, if there are any.
    let is_listed = |item: &Item| item.dossier.is_some() && item.direction.is_some() && is_carried(item, now);
    let has_post_list = items.iter().any(is_listed);
    let portal_return = match &dossier.returned_by {
        _ if portal_returned.is_none() => Some(false),
        Some(way) => Some(way == "postal"),
        None if rules == ShippedRules::Seed2639 && !has_post_list => None,
        None => Some(false),
    };
    let offers = offers_of(competent, dossier.procedure.as_deref(), received_on, offers);
    let deployed = |of: fn(&Offer) -> bool| offers.first().is_some_and(|offer| of(offer));
    Some(ReceivedDossier {
        competent,
        attributed,
        agency_text: agency_text.cloned().unwrap_or("?".to_owned()),
        procedure: dossier.procedure.clone(),
        in_competence: !competent.is_some_and(|agency| agency.vertical)
            && !procedure.is_some_and(|procedure| procedure.vertical),
        certification: dossier.certification.or(procedure.map(|procedure| procedure.certification)),
        received,
        received_on,
        // QĐ 45/2016 art. 9: returned when the post takes it.
        returned_on: match rules {
            ShippedRules::Seed2639 => post_returned.or(portal_returned).map(day_of),
            ShippedRules::Form06a | ShippedRules::Qd766 => portal_returned.or(post_returned).map(day_of),
        },
        ended_on,
        outcome,
        supplements: dossier.supplements,
        was_supplemented: if dossier.asked.is_some()
            || dossier.supplied.is_some()
            || dossier.status.as_deref() == Some("supplement")
        {
            Some(true)
        } else {
            dossier.supplements.map(|times| times > 0)
        },
        apology: apology_of(dossier, received, procedure, rules),
        lacks_due_date: dossier.due.is_none(),
        due_moved: {
            let due = dossier.due.filter(|&due| is_due_date(due, received));
            let is_later = matches!((due, dossier.explained), (Some(due), Some(explained)) if due > explained);
            let is_moved = is_later && !due.is_some_and(|due| is_of_apology(dossier, due));
            let is_undecided = is_moved && states_no_pause(dossier);
            (!is_undecided).then_some(is_moved)
        },
        lacks_channel: dossier.channel.is_none(),
        has_unknown_procedure: procedure.is_none(),
        online: channel_is("online"),
        level: offers.iter().find_map(|offer| offer.online_level.clone()).or(dossier.level.clone()),
        deployed: [deployed(|offer| offer.postal_submission), deployed(|offer| offer.postal_return)],
        submission_evidence: (channel_is("postal"), post_submission),
        return_evidence: (portal_return, post_return),
    })
}

/// Whether a dossier names a parent that is in the table and not deleted. One that names itself is no part.
pub(super) fn is_part(dossier: &Dossier, dossiers: &[Dossier]) -> bool {
    let Some(parent) = &dossier.parent else { return false };
    let has = |of: &Dossier| {
        let others = of.others.iter().flat_map(|others| others.split("; "));
        of.code.as_ref() == Some(parent)
            || of.national.as_ref() == Some(parent)
            || others.into_iter().any(|one| one == parent)
    };
    !has(dossier) && dossiers.iter().any(|other| other.deleted != Some(true) && has(other))
}

/// i: whether a postal item belongs to a dossier by either of its codes, was accepted by now, and was not withdrawn.
pub(super) fn is_of(item: &Item, dossier: &Dossier, now: i64) -> bool {
    item.dossier.is_some()
        && (item.dossier == dossier.code || item.dossier == dossier.national)
        && is_carried(item, now)
}

/// One item for each direction that the rows of an item state: rows with the same code and the same dossier are one.
pub(super) fn joined(items: &[Item]) -> Vec<Item> {
    let is_one = |left: &Item, right: &Item| {
        left.code.is_some() && left.code == right.code && left.dossier.is_some() && left.dossier == right.dossier
    };
    let kept: Vec<&Item> = items.iter().filter(|item| item.deleted != Some(true)).collect();
    let join = |item: &&Item| {
        let same: Vec<&&Item> = kept.iter().filter(|other| is_one(item, other)).collect();
        if same.is_empty() {
            return vec![(*item).clone()];
        }
        let is_withdrawn = |one: &&&Item| one.withdrawn.is_some() || one.status.as_deref() == Some("withdrawn");
        let status = same.iter().any(is_withdrawn).then(|| "withdrawn".to_owned());
        let accepted = same.iter().filter_map(|one| one.accepted).min();
        let directions: Vec<Option<String>> = same.iter().map(|one| one.direction.clone()).collect();
        let as_one =
            |direction| Item { direction, accepted, withdrawn: None, status: status.clone(), ..(*item).clone() };
        directions.into_iter().map(as_one).collect()
    };
    kept.iter().flat_map(join).collect()
}

fn is_carried(item: &Item, now: i64) -> bool {
    item.accepted.is_some_and(|accepted| accepted <= now)
        && item.withdrawn.is_none()
        && item.status.as_deref() != Some("withdrawn")
        && item.deleted != Some(true)
}

/// The agency that a text names. Of several with this name, the only one that exists on the day; else `None`.
fn agency_of<'a>(text: &str, day: Date, agencies: &'a [Agency]) -> Option<&'a Agency> {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let wanted = plain(text);
    let mut candidates: Vec<&Agency> = Vec::new();
    for agency in agencies {
        let mut names = vec![&agency.code, &agency.name];
        names.extend(&agency.other_codes);
        names.extend(&agency.aliases);
        if names.into_iter().any(|name| plain(name) == wanted) {
            candidates.push(agency);
        }
    }
    if candidates.len() > 1 {
        candidates.retain(|agency| {
            agency.valid_from.is_none_or(|from| from <= day) && agency.valid_to.is_none_or(|to| day <= to)
        });
    }
    if candidates.len() == 1 { candidates.pop() } else { None }
}

/// h: the offers on the day of reception; those of the agency itself before those of its tier.
fn offers_of<'a>(agency: Option<&Agency>, procedure: Option<&str>, day: Date, offers: &'a [Offer]) -> Vec<&'a Offer> {
    let Some(agency) = agency else { return Vec::new() };
    let mut found: Vec<&Offer> = Vec::new();
    for wanted in [Offerer::Agency(agency.code.clone()), Offerer::Tier(agency.tier)] {
        for offer in offers {
            let is_valid = offer.valid_from.is_none_or(|from| from <= day) && offer.valid_to.is_none_or(|to| day <= to);
            if Some(offer.procedure.as_str()) == procedure && offer.offerer == wanted && is_valid {
                found.push(offer);
            }
        }
    }
    found
}
