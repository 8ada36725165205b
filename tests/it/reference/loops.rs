//! The shipped indicators under `seed-2639`, row by row in plain loops, from the decision (domain C.1) and the rule
//! set's letters (C.4). Shares nothing with `src/indicators`.

mod form;
mod life;
mod registered;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use motcua::model::agency::{Agency, AgencyKind, Tier};
use motcua::model::instant::local;
use motcua::model::period::Period;
use motcua::model::procedure::{Offer, Offerer, Procedure};

pub(super) use form::form_cells;
use life::{Life, end_of, life_of};
use registered::registered_figures;

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

/// One of the shipped rule sets, read from domain C.4 and not from its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Seed2639,
    Form06a,
    Qd766,
}

impl Reading {
    pub(super) const ALL: [Self; 3] = [Self::Seed2639, Self::Form06a, Self::Qd766];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seed2639 => "seed-2639",
            Self::Form06a => "form-06a",
            Self::Qd766 => "qd-766",
        }
    }
}

/// Whose dossier it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Competent,
    Receiving,
    Handling,
}

/// What the loops know of one dossier that was received.
struct Facts<'a> {
    /// The competent agency, if it is registered: it decides what counts.
    agency: Option<&'a Agency>,
    /// In whose row it stands, if that is registered; else `own` is the text.
    row: Option<&'a Agency>,
    own: String,
    procedure: Option<String>,
    in_competence: bool,
    certification: bool,
    received: i64,
    received_on: Date,
    returned_on: Option<Date>,
    ended_on: Option<Date>,
    life: Life,
    online: bool,
    level: Option<String>,
    deployed: [bool; 2],
    /// Portal's and post's word on submission and on return.
    submission: [bool; 2],
    back: [bool; 2],
    supplements: i64,
    apology: bool,
    /// No due date, no channel, no procedure of the registry.
    lacks: [bool; 3],
}

/// All figures that have dossiers, by one reading.
pub(super) fn figures(
    dossiers: &[Dossier],
    items: &[Item],
    now: i64,
    reading: Reading,
    view: View,
) -> BTreeMap<Key, Counts> {
    let (agencies, procedures, offers) = (province::agencies(), province::procedures(), province::offers());
    let mut facts = Vec::new();
    for dossier in dossiers {
        facts.extend(facts_of(dossier, items, [&agencies], &procedures, &offers, (now, reading, view)));
    }
    let mut figures = BTreeMap::new();
    // When a period's dossiers are judged: at the night, or at its end where the reading says so and it is over.
    let judged = |period: Period| {
        let end = end_of(period.end());
        if reading == Reading::Seed2639 || end >= now { (now, false) } else { (end, true) }
    };
    for one in &facts {
        let day = one.received_on;
        let not_vertical = !one.agency.is_some_and(|agency| agency.vertical);
        let on_time = |period: Period| {
            let (moment, over) = judged(period);
            let hopeful = one.life.hopeful_at(moment);
            let part = one.life.ended_by(moment) && one.life.good || hopeful && reading == Reading::Qd766;
            [true, part, part || hopeful && !over, false]
        };
        if not_vertical {
            let apart = if one.certification { "par-3.4-certification" } else { "par-3.4-without-certification" };
            count(&mut figures, apart, one, day, on_time);
        }
        for (id, kind) in [
            ("par-3.4.1", AgencyKind::Specialised),
            ("par-3.4.2", AgencyKind::District),
            ("par-3.4.3", AgencyKind::Commune),
        ] {
            if not_vertical && one.agency.is_some_and(|agency| agency.kind == kind) {
                count(&mut figures, id, one, day, on_time);
            }
        }
        if one.in_competence {
            count(&mut figures, "qd766-2.1", one, day, on_time);
            count(&mut figures, "qd766-3.3", one, day, |_| [true, one.online, one.online, false]);
            let full = one.level.as_deref() == Some("full");
            count(&mut figures, "nd224-full-process", one, day, |_| [true, full, full, false]);
            let again = one.supplements > 1;
            count(&mut figures, "par-ii.1.d", one, day, |_| [true, again, again, false]);
            let never = one.supplements == 0;
            count(&mut figures, "par-3.4.5-3", one, day, |_| [true, never, never, false]);
            count(&mut figures, "nd224-online", one, day, |_| [true, one.online, one.online, false]);
            if let Some(day) = one.ended_on {
                let (good, orderly) = (one.life.good, one.life.good || one.apology);
                count(&mut figures, "nd224-on-time", one, day, |_| [true, good, good, false]);
                count(&mut figures, "par-3.4.5-1", one, day, |_| [true, good, good, false]);
                count(&mut figures, "par-3.4.5-5", one, day, |_| [true, orderly, orderly, false]);
                if one.online && matches!(one.level.as_deref(), Some("partial" | "full")) {
                    count(&mut figures, "par-3.4.5-9", one, day, |_| [true, good, good, false]);
                }
            }
        }
        if not_vertical {
            for (id, lacks) in [
                ("source-without-due-date", one.lacks[0]),
                ("source-without-channel", one.lacks[1]),
                ("source-without-level", one.level.is_none()),
                ("source-unknown-agency", one.agency.is_none()),
                ("source-unknown-procedure", one.lacks[2]),
            ] {
                count(&mut figures, id, one, day, |_| [true, lacks, lacks, false]);
            }
            let apology = |period: Period| {
                let (moment, _) = judged(period);
                let late = one.life.late_by(moment) || one.life.overdue_at(moment);
                [late, one.apology, one.apology, false]
            };
            count(&mut figures, "par-3.4.4", one, day, apology);
            if let Some(day) = one.ended_on {
                count(&mut figures, "ii06a-on-time", one, day, |_| [true, one.life.good, one.life.good, false]);
            }
        }
    }
    let competent: Vec<&Facts<'_>> = facts.iter().filter(|one| one.in_competence).collect();
    for one in &competent {
        let level = one.level.as_deref();
        if matches!(level, Some("partial" | "full")) {
            count(&mut figures, "par-7.2.2", one, one.received_on, |_| [true, one.online, one.online, false]);
        }
        for (id, wanted) in [("par-7.2.2-level-3", "partial"), ("par-7.2.2-level-4", "full")] {
            let part = one.online && level == Some(wanted);
            count(&mut figures, id, one, one.received_on, |_| [true, part, part, false]);
        }
    }
    postal_figures(&mut figures, &competent, reading);
    processing_figures(&mut figures, &competent);
    stock_figures(&mut figures, &facts, now);
    registered_figures(&mut figures, &facts, now, reading, (&agencies, &procedures, &offers));
    figures
}

/// Mean and median of working hours from reception to the end (domain E: NĐ 224/2026, art. 19(2)).
fn processing_figures(figures: &mut BTreeMap<Key, Counts>, competent: &[&Facts<'_>]) {
    let mut hours: BTreeMap<(Option<Tier>, Option<String>, Period), Vec<u64>> = BTreeMap::new();
    for one in competent {
        let (Some(day), Some(end)) = (one.ended_on, one.life.end) else { continue };
        for (tier, agency) in scopes_of(one) {
            for period in periods_with(day) {
                let held = hours.entry((tier, agency.clone(), period)).or_default();
                held.push(life::working_hours_between(one.received, end));
            }
        }
    }
    for ((tier, agency, period), mut hours) in hours {
        hours.sort_unstable();
        let (sum, middle) = (hours.iter().sum(), hours[(hours.len() - 1) / 2]);
        for (id, numerator) in [("nd224-processing-mean", sum), ("nd224-processing-median", middle)] {
            let counts = Counts { numerator, denominator: hours.len() as u64, reachable: numerator, one_sided: 0 };
            figures.insert((id.to_owned(), tier, agency.clone(), period), counts);
        }
    }
}

/// What is open at the end of each period that has begun (columns 12 and 13 of form II.06a).
fn stock_figures(figures: &mut BTreeMap<Key, Counts>, facts: &[Facts<'_>], now: i64) {
    let mut periods = BTreeSet::new();
    let mut day = facts.iter().map(|one| one.received_on).min().unwrap_or(day_of(now));
    while day <= day_of(now) {
        periods.extend(periods_with(day));
        day = day.tomorrow().expect("in this millennium");
    }
    for one in facts.iter().filter(|one| !one.agency.is_some_and(|agency| agency.vertical)) {
        for &period in periods.iter().filter(|period| one.received_on <= period.end()) {
            let moment = end_of(period.end()).min(now);
            let id = match (one.life.ended_by(moment), one.life.overdue_at(moment)) {
                (true, _) => continue,
                (false, false) => "ii06a-pending",
                (false, true) => "ii06a-overdue",
            };
            for (tier, agency) in scopes_of(one) {
                let held = figures.entry((id.to_owned(), tier, agency, period)).or_default();
                held.numerator += 1;
                held.reachable += 1;
            }
        }
    }
}

/// Whether it came, or its result went back, by post.
fn went(one: &Facts<'_>, back: bool, reading: Reading) -> bool {
    let [portal, post] = if back { one.back } else { one.submission };
    portal || post && reading == Reading::Seed2639
}

/// Received and returned by post (domain C.1, 7.3.2 and 7.3.3).
fn postal_figures(figures: &mut BTreeMap<Key, Counts>, competent: &[&Facts<'_>], reading: Reading) {
    let by_day_of = |one: &Facts<'_>, back: bool| if back { one.returned_on } else { Some(one.received_on) };
    for (back, deployed_id, having_id) in
        [(false, "par-7.3.2-deployed", "par-7.3.2-having"), (true, "par-7.3.3-deployed", "par-7.3.3-having")]
    {
        let mut having = BTreeSet::new();
        for one in competent {
            if let Some(day) = by_day_of(one, back)
                && went(one, back, reading)
            {
                having.insert((one.procedure.clone(), day.year()));
            }
        }
        for one in competent {
            let Some(day) = by_day_of(one, back) else { continue };
            let [portal, post] = if back { one.back } else { one.submission };
            let part = went(one, back, reading);
            let counts = |_| [true, part, part, portal != post];
            if one.deployed[usize::from(back)] {
                count(figures, deployed_id, one, day, counts);
            }
            if having.contains(&(one.procedure.clone(), day.year())) {
                count(figures, having_id, one, day, counts);
            }
        }
    }
}

/// Province, tier, agency.
fn scopes_of(one: &Facts<'_>) -> Vec<(Option<Tier>, Option<String>)> {
    let tier = one.row.map(|agency| agency.tier);
    let code = one.row.map_or(one.own.clone(), |agency| agency.code.clone());
    let mut scopes = vec![(None, None), (tier, Some(code))];
    if tier.is_some() {
        scopes.push((tier, None));
    }
    scopes
}

/// Every named period that holds a day, found by its first and last day.
fn periods_with(day: Date) -> Vec<Period> {
    let mut found = Vec::new();
    for year in [day.year() - 1, day.year(), day.year() + 1] {
        let mut names = vec![String::new(), "-9M".to_owned(), "-H1".to_owned(), "-H2".to_owned()];
        names.extend((1..=4).map(|quarter| format!("-Q{quarter}")));
        names.extend((1..=12).map(|month| format!("-{month:02}")));
        for name in names {
            for end in ["", "s"] {
                let period = Period::parse(&format!("{year}{name}{end}")).expect("a period");
                if period.start() <= day && day <= period.end() {
                    found.push(period);
                }
            }
        }
    }
    found
}

/// Adds a dossier to the province, its tier and its agency, in every named period of its day: `whole, part, reachable,
/// one_sided` as the period sees them.
fn count(
    figures: &mut BTreeMap<Key, Counts>,
    id: &str,
    one: &Facts<'_>,
    day: Date,
    counts: impl Fn(Period) -> [bool; 4],
) {
    let scopes = scopes_of(one);
    for period in periods_with(day) {
        let [whole, part, reachable, one_sided] = counts(period);
        if !whole {
            continue;
        }
        for (tier, agency) in &scopes {
            let held = figures.entry((id.to_owned(), *tier, agency.clone(), period)).or_default();
            held.denominator += 1;
            held.numerator += u64::from(part);
            held.reachable += u64::from(reachable);
            held.one_sided += u64::from(part && one_sided);
        }
    }
}

fn day_of(micros: i64) -> Date {
    local(micros).date()
}

fn facts_of<'a>(
    dossier: &Dossier,
    items: &[Item],
    [agencies]: [&'a [Agency]; 1],
    procedures: &[Procedure],
    offers: &[Offer],
    (now, reading, view): (i64, Reading, View),
) -> Option<Facts<'a>> {
    // b: received by now. j: a part of an interlinked dossier is no dossier of its own.
    let received = dossier.received.filter(|&received| received <= now)?;
    if dossier.deleted == Some(true) || dossier.parent.is_some() {
        return None;
    }
    if reading == Reading::Form06a && matches!(dossier.status.as_deref(), Some("registered" | "refused")) {
        return None;
    }
    let received_on = day_of(received);
    // a, j: the lead agency, else the competent one; never the counter, unless its view is asked for.
    let named = match view {
        View::Competent => dossier.lead.as_ref().or(dossier.competent.as_ref()),
        View::Receiving => dossier.receiving.as_ref(),
        View::Handling => dossier.handling.as_ref(),
    };
    let row = named.and_then(|text| agency_of(text, received_on, agencies));
    let competent = dossier.lead.as_ref().or(dossier.competent.as_ref());
    let agency = competent.and_then(|text| agency_of(text, received_on, agencies));
    let procedure = procedures.iter().find(|procedure| Some(&procedure.code) == dossier.procedure.as_ref());
    let life = life_of(dossier, received, procedure, reading);
    let ended_on = life.ended_by(now).then(|| day_of(life.end.unwrap_or(received)));
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
        row,
        own: named.cloned().unwrap_or("?".to_owned()),
        procedure: dossier.procedure.clone(),
        in_competence: !agency.is_some_and(|agency| agency.vertical)
            && !procedure.is_some_and(|procedure| procedure.vertical),
        certification: dossier.certification.unwrap_or(procedure.is_some_and(|procedure| procedure.certification)),
        received,
        received_on,
        returned_on: portal_returned.or(post_returned).map(day_of),
        ended_on,
        life,
        supplements: dossier.supplements.unwrap_or(0),
        apology: dossier.apology.is_some(),
        lacks: [dossier.due.is_none(), dossier.channel.is_none(), procedure.is_none()],
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
