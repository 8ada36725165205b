//! The shipped indicators under `seed-2639`, row by row in plain loops, from the decision (domain C.1) and the rule
//! set's letters (C.4). Shares nothing with `src/indicators`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::day::DayKind;
use motcua::model::instant::{DAY_MICROS, from_local, local};
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer, Procedure, TimeUnit};

use super::province::{self, Dossier, Item};

/// Indicator, tier, agency, period.
pub(super) type Key = (String, Option<Tier>, Option<String>, Period);

/// What a figure counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) numerator: u64,
    pub(super) denominator: u64,
    pub(super) reachable: u64,
    /// Stays 0 where the post plays no part.
    pub(super) one_sided: u64,
}

/// What the loops know of one dossier that was received.
struct Facts<'a> {
    /// Registered agency, or none; then `own` is the text.
    agency: Option<&'a Agency>,
    own: String,
    procedure: Option<String>,
    in_competence: bool,
    received_on: Date,
    returned_on: Option<Date>,
    ended_on_time: bool,
    could_end_on_time: bool,
    online: bool,
    level: Option<String>,
    deployed: [bool; 2],
    /// Portal's and post's word on submission and on return.
    submission: [bool; 2],
    back: [bool; 2],
}

/// All figures that have dossiers.
pub(super) fn figures(dossiers: &[Dossier], items: &[Item], now: i64) -> BTreeMap<Key, Counts> {
    let (agencies, procedures, offers) = (province::agencies(), province::procedures(), province::offers());
    let mut facts = Vec::new();
    for dossier in dossiers {
        facts.extend(facts_of(dossier, items, &agencies, &procedures, &offers, now));
    }
    let mut figures = BTreeMap::new();
    for (id, kind) in [
        ("par-3.4.1", AgencyKind::Specialised),
        ("par-3.4.2", AgencyKind::District),
        ("par-3.4.3", AgencyKind::Commune),
    ] {
        for one in &facts {
            if one.agency.is_some_and(|agency| agency.kind == kind && !agency.vertical) {
                let part = one.ended_on_time;
                count(&mut figures, id, one, one.received_on, [part, part || one.could_end_on_time, false]);
            }
        }
    }
    let competent: Vec<&Facts<'_>> = facts.iter().filter(|one| one.in_competence).collect();
    for one in &competent {
        let level = one.level.as_deref();
        if matches!(level, Some("partial" | "full")) {
            count(&mut figures, "par-7.2.2", one, one.received_on, [one.online, one.online, false]);
        }
        for (id, wanted) in [("par-7.2.2-level-3", "partial"), ("par-7.2.2-level-4", "full")] {
            let part = one.online && level == Some(wanted);
            count(&mut figures, id, one, one.received_on, [part, part, false]);
        }
    }
    let by_day_of = |one: &Facts<'_>, back: bool| if back { one.returned_on } else { Some(one.received_on) };
    for (back, deployed_id, having_id) in
        [(false, "par-7.3.2-deployed", "par-7.3.2-having"), (true, "par-7.3.3-deployed", "par-7.3.3-having")]
    {
        let mut having = BTreeSet::new();
        for one in &competent {
            if let Some(day) = by_day_of(one, back)
                && either(one, back)
            {
                having.insert((one.procedure.clone(), day.year()));
            }
        }
        for one in &competent {
            let Some(day) = by_day_of(one, back) else { continue };
            let [portal, post] = if back { one.back } else { one.submission };
            let part = either(one, back);
            let counts = [part, part, portal != post];
            if one.deployed[usize::from(back)] {
                count(&mut figures, deployed_id, one, day, counts);
            }
            if having.contains(&(one.procedure.clone(), day.year())) {
                count(&mut figures, having_id, one, day, counts);
            }
        }
    }
    figures
}

fn either(one: &Facts<'_>, back: bool) -> bool {
    let [portal, post] = if back { one.back } else { one.submission };
    portal || post
}

/// Adds a dossier to the province, its tier and its agency; month, quarter and year. `part, reachable, one_sided`.
fn count(figures: &mut BTreeMap<Key, Counts>, id: &str, one: &Facts<'_>, day: Date, counts: [bool; 3]) {
    let tier = one.agency.map(|agency| agency.tier);
    let code = one.agency.map_or(one.own.clone(), |agency| agency.code.clone());
    let mut scopes = vec![(None, None), (tier, Some(code))];
    if tier.is_some() {
        scopes.push((tier, None));
    }
    let periods = [
        Period::Month { year: day.year(), month: day.month() },
        Period::Quarter { year: day.year(), quarter: (day.month() + 2) / 3 },
        Period::Year { year: day.year() },
    ];
    for (tier, agency) in scopes {
        for period in periods {
            let held = figures.entry((id.to_owned(), tier, agency.clone(), period)).or_default();
            held.denominator += 1;
            held.numerator += u64::from(counts[0]);
            held.reachable += u64::from(counts[1]);
            held.one_sided += u64::from(counts[0] && counts[2]);
        }
    }
}

fn day_of(micros: i64) -> Date {
    local(micros).date()
}

fn facts_of<'a>(
    dossier: &Dossier,
    items: &[Item],
    agencies: &'a [Agency],
    procedures: &[Procedure],
    offers: &[Offer],
    now: i64,
) -> Option<Facts<'a>> {
    // b: received by now. j: a part of an interlinked dossier is no dossier of its own.
    let received = dossier.received.filter(|&received| received <= now)?;
    if dossier.deleted == Some(true) || dossier.parent.is_some() {
        return None;
    }
    let received_on = day_of(received);
    // a, j: the lead agency, else the competent one; never the counter.
    let named = dossier.lead.as_ref().or(dossier.competent.as_ref());
    let agency = named.and_then(|text| agency_of(text, received_on, agencies));
    let procedure = procedures.iter().find(|procedure| Some(&procedure.code) == dossier.procedure.as_ref());
    let due = due_of(dossier, received, procedure);
    // f: each its own end. d: never the pick-up of the result.
    let end = dossier.completed.or(dossier.withdrawn).or(dossier.refused).or(dossier.stopped);
    let ended_word =
        matches!(dossier.status.as_deref(), Some("refused" | "withdrawn" | "stopped" | "completed" | "returned"));
    let ended = end.map_or(ended_word, |end| end <= now);
    let in_time = |moment: i64| due.is_some_and(|due| moment <= due);
    let found = items.iter().filter(|item| is_of(item, dossier, now));
    let (mut post, mut post_returned) = ([false, false], None::<i64>);
    for item in found {
        match item.direction.as_deref() {
            Some("submission") => post[0] = true,
            Some("return") => {
                post[1] = true;
                post_returned = post_returned.min(item.accepted).or(item.accepted);
            }
            _ => {}
        }
    }
    let portal_returned = dossier.returned.filter(|&returned| returned <= now);
    let offers = offers_of(agency, dossier.procedure.as_deref(), received_on, offers);
    let deployed = |of: fn(&Offer) -> bool| offers.first().is_some_and(|offer| of(offer));
    Some(Facts {
        agency,
        own: named.cloned().unwrap_or("?".to_owned()),
        procedure: dossier.procedure.clone(),
        in_competence: !agency.is_some_and(|agency| agency.vertical)
            && !procedure.is_some_and(|procedure| procedure.vertical),
        received_on,
        returned_on: portal_returned.or(post_returned).map(day_of),
        ended_on_time: ended && end.is_some_and(in_time),
        could_end_on_time: !ended && in_time(now),
        online: dossier.channel.as_deref() == Some("online"),
        level: offers.iter().find_map(|offer| offer.online_level.clone()).or(dossier.level.clone()),
        deployed: [deployed(|offer| offer.postal_submission), deployed(|offer| offer.postal_return)],
        submission: [dossier.channel.as_deref() == Some("postal"), post[0]],
        back: [portal_returned.is_some() && dossier.returned_by.as_deref() == Some("postal"), post[1]],
    })
}

/// i: an item of the dossier, under either of its codes, that was accepted and not withdrawn.
fn is_of(item: &Item, dossier: &Dossier, now: i64) -> bool {
    item.dossier.is_some()
        && (item.dossier == dossier.code || item.dossier == dossier.national)
        && item.accepted.is_some_and(|accepted| accepted <= now)
        && item.withdrawn.is_none()
        && item.status.as_deref() != Some("withdrawn")
        && item.deleted != Some(true)
}

/// A name that several bore is read by the day; if that leaves none or several it is nobody's.
fn agency_of<'a>(text: &str, day: Date, agencies: &'a [Agency]) -> Option<&'a Agency> {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let wanted = plain(text);
    let mut bearers: Vec<&Agency> = Vec::new();
    for agency in agencies {
        let mut names = vec![&agency.code, &agency.name];
        names.extend(&agency.other_codes);
        names.extend(&agency.aliases);
        if names.into_iter().any(|name| plain(name) == wanted) {
            bearers.push(agency);
        }
    }
    if bearers.len() > 1 {
        bearers.retain(|agency| {
            agency.valid_from.is_none_or(|from| from <= day) && agency.valid_to.is_none_or(|to| day <= to)
        });
    }
    if bearers.len() == 1 { bearers.pop() } else { None }
}

/// h: what is offered on the day of reception: the agency's own row before its tier's.
fn offers_of<'a>(agency: Option<&Agency>, procedure: Option<&str>, day: Date, offers: &'a [Offer]) -> Vec<&'a Offer> {
    let Some(agency) = agency else { return Vec::new() };
    let mut found: Vec<&Offer> = Vec::new();
    for wanted in [Offerer::Agency(agency.code.clone()), Offerer::Tier(agency.tier)] {
        for offer in offers {
            let stands = offer.valid_from.is_none_or(|from| from <= day) && offer.valid_to.is_none_or(|to| day <= to);
            if Some(offer.procedure.as_str()) == procedure && offer.offerer == wanted && stands {
                found.push(offer);
            }
        }
    }
    found
}

/// The last moment that is on time.
fn due_of(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<i64> {
    // e: the date before the apology, where the portal put the apology's date in its place.
    let moved = dossier.due.is_some() && dossier.due == dossier.apology_due;
    let due = if moved { dossier.first_due.or(dossier.due) } else { dossier.due };
    let Some(due) = due else { return stand_in(dossier, received, procedure).map(end_of) };
    // d: midnight is a date.
    let at_midnight = local(due).time() == jiff::civil::Time::midnight();
    Some(if at_midnight { end_of(day_of(due)) } else { due })
}

/// g: certification and immediate results by the cut-off, others by the statutory time.
fn stand_in(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<Date> {
    let day = day_of(received);
    if dossier.certification == Some(true) || procedure.is_some_and(|procedure| procedure.immediate) {
        let cut_off = procedure.map_or(jiff::civil::time(15, 0, 0, 0), |procedure| procedure.cut_off);
        let same_day = is_working(day) && local(received).time() < cut_off;
        return Some(if same_day { day } else { next_working(day) });
    }
    let procedure = procedure?;
    let days = match procedure.unit {
        TimeUnit::WorkingDays => procedure.statutory_time?,
        // Eight hours are a working day; one begun counts whole.
        TimeUnit::Hours => procedure.statutory_time?.div_ceil(8),
    };
    let mut last = day;
    for _ in 0..days {
        last = next_working(last);
    }
    Some(last)
}

fn is_working(day: Date) -> bool {
    for marked in province::calendar() {
        if marked.date == day {
            return marked.kind == DayKind::Working;
        }
    }
    day.weekday() != Weekday::Saturday && day.weekday() != Weekday::Sunday
}

fn next_working(day: Date) -> Date {
    let mut next = day.tomorrow().expect("in this millennium");
    while !is_working(next) {
        next = next.tomorrow().expect("in this millennium");
    }
    next
}

fn end_of(day: Date) -> i64 {
    from_local(day.into()) + DAY_MICROS - 1
}
