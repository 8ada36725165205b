//! The worklists a second time, in plain loops, and the ratios that are shown with them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::AgencyKind;
use motcua::model::instant::from_local;
use motcua::model::rules::AgencyView;
use motcua::model::worklist::WorklistSettings;

use super::super::province::{self, Dossier, Item};
use super::outcome::{Apology, end_of, is_working, working_hours_between};
use super::received::{ReceivedDossier, is_part, joined, received_dossier};
use super::{ShippedRules, day_of};

/// What the loops find.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Worklists {
    /// Positions of the dossiers of each list.
    pub(in super::super) lists: BTreeMap<&'static str, BTreeSet<usize>>,
    /// Of each ratio of on time: numerator, denominator, unknown, at best, and at best without each list.
    pub(in super::super) ratios: BTreeMap<(&'static str, &'static str), [u64; 5]>,
}

/// The next working day after a day, `count` times.
fn working_days_after(day: Date, count: u32) -> Date {
    let mut at = day;
    while !is_working(at) {
        at = at.yesterday().expect("in this millennium");
    }
    for _ in 0..count {
        at = at.tomorrow().expect("in this millennium");
        while !is_working(at) {
            at = at.tomorrow().expect("in this millennium");
        }
    }
    at
}

pub(in super::super) fn worklists(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    settings: WorklistSettings,
) -> Worklists {
    let (agencies, procedures, offers) = (province::agencies(), province::procedures(), province::offers());
    let today = day_of(now);
    let year_start = from_local(today.first_of_year().into());
    let due_until = end_of(working_days_after(today, settings.due_days));
    let next_working_day_end = end_of(working_days_after(today, 1));
    let mut waited_since = today.yesterday().expect("in this millennium");
    let mut left = settings.supplement_days;
    loop {
        left -= u32::from(is_working(waited_since));
        if left == 0 {
            break;
        }
        waited_since = waited_since.yesterday().expect("in this millennium");
    }
    let waited_since = from_local(waited_since.into());
    let joined_items = joined(items);
    let mut found = Worklists::default();
    let mut of_ratios: Vec<(usize, &'static str, [bool; 3], bool)> = Vec::new();
    for (place, dossier) in dossiers.iter().enumerate() {
        let mut add = |list: &'static str, is_in: bool| {
            let of_list = found.lists.entry(list).or_default();
            if is_in {
                of_list.insert(place);
            }
        };
        let status = dossier.status.as_deref();
        let is_countable = dossier.deleted != Some(true) && !is_part(dossier, dossiers);
        let is_filed = dossier.received.or(dossier.submitted).is_some();
        let waits = dossier.submitted.filter(|_| dossier.received.is_none());
        add(
            "acceptance",
            is_countable
                && dossier.channel.as_deref() == Some("online")
                && status.is_none_or(|status| status == "registered")
                && waits.is_some_and(|submitted| {
                    submitted <= now && working_hours_between(submitted, now) >= u64::from(settings.acceptance_hours)
                }),
        );
        add("post", is_countable && is_filed && undelivered_since(dossier, items).is_some_and(|since| since <= now));
        let about = (now, ShippedRules::Seed2639, AgencyView::Competent);
        let received = received_dossier(dossier, (dossiers, &joined_items), &agencies, &procedures, &offers, about);
        let Some(received) = received else {
            for list in ["due", "overdue", "apology", "supplement", "ready"] {
                add(list, false);
            }
            continue;
        };
        let outcome = &received.outcome;
        let is_open = !outcome.ended_by(now);
        let limit = outcome.due;
        let is_within = |from: i64, to: i64| limit.is_some_and(|limit| from < limit && limit <= to);
        let is_due = is_open && outcome.overdue_at(now) == Some(false) && is_within(i64::MIN, due_until);
        add("due", is_due);
        let is_overdue = outcome.overdue_at(now) == Some(true);
        add("overdue", is_overdue);
        let owes = (outcome.late_by(now) == Some(true) || is_overdue) && received.received >= year_start;
        let is_last_day = is_open && is_within(end_of(today), next_working_day_end);
        let is_vertical = received.competent.is_some_and(|agency| agency.vertical);
        add("apology", !is_vertical && received.apology == Apology::Absent && (owes || is_last_day));
        add(
            "supplement",
            status == Some("supplement")
                // What came before a later request answered an earlier one.
                && dossier.supplied.is_none_or(|supplied| dossier.asked.is_some_and(|asked| supplied < asked))
                && dossier.asked.unwrap_or(received.received) < waited_since,
        );
        let is_finished = dossier.completed.is_some_and(|completed| completed <= now && completed >= year_start);
        let is_ready = is_finished && received.returned_on.is_none();
        add("ready", is_ready && status.is_none_or(|status| status == "completed"));
        of_ratios.extend(ratio_of(&received, now).map(|(id, counts)| (place, id, counts, is_open)));
    }
    for (place, id, [numerator, unknown, reachable], is_open) in of_ratios {
        for (list, listed) in &found.lists {
            let counts = found.ratios.entry((id, list)).or_default();
            let without = reachable && !(listed.contains(&place) && is_open);
            for (count, is_in) in counts.iter_mut().zip([numerator, true, unknown, reachable, without]) {
                *count += u64::from(is_in);
            }
        }
    }
    found
}

/// The ratio of on time that a dossier of this year counts in: in the numerator, perhaps in it, and at best.
fn ratio_of(received: &ReceivedDossier<'_>, now: i64) -> Option<(&'static str, [bool; 3])> {
    let agency = received.competent.filter(|agency| !agency.vertical)?;
    let id = match agency.kind {
        AgencyKind::Specialised => "par-3.4.1",
        AgencyKind::District => "par-3.4.2",
        AgencyKind::Commune => "par-3.4.3",
        _ => return None,
    };
    let is_ended = received.outcome.ended_by(now);
    let numerator = is_ended && received.outcome.ended_on_time == Some(true);
    let unknown = is_ended && received.outcome.ended_on_time.is_none();
    let reachable = numerator || received.outcome.can_end_on_time_at(now);
    (received.received_on.year() == day_of(now).year()).then_some((id, [numerator, unknown, reachable]))
}

/// When the post accepted a result that it has not delivered, by the dossier's own code, else by the national one.
fn undelivered_since(dossier: &Dossier, items: &[Item]) -> Option<i64> {
    let of = |code: &Option<String>| {
        let own = || items.iter().filter(|item| code.is_some() && item.dossier == *code && item.deleted != Some(true));
        let is_over = |item: &Item| {
            item.delivered.is_some()
                || item.withdrawn.is_some()
                || matches!(item.status.as_deref(), Some("delivered" | "withdrawn"))
        };
        let is_one = |left: &Item, right: &Item| match &left.code {
            Some(_) => left.code == right.code,
            None => right.code.is_none() && left.key == right.key,
        };
        let is_under_way = |item: &&Item| {
            let rows = || own().filter(|other| is_one(item, other));
            rows().any(|row| row.direction.as_deref() == Some("return")) && !rows().any(is_over)
        };
        own().filter(is_under_way).filter_map(|item| item.accepted).min()
    };
    of(&dossier.code).or_else(|| of(&dossier.national))
}
