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

/// How a dossier ends by a reading, and the last moment in time.
struct Life {
    end: Option<i64>,
    /// Its status says that it ended.
    ended_word: bool,
    /// On time once it ended.
    good: bool,
    due: Option<i64>,
    /// A dossier without due date may be on time.
    free: bool,
    /// The clock stands while it is open.
    stands: bool,
}

impl Life {
    fn ended_by(&self, moment: i64) -> bool {
        self.end.map_or(self.ended_word, |end| end <= moment)
    }

    fn overdue_at(&self, moment: i64) -> bool {
        !self.ended_by(moment) && !self.stands && self.due.is_some_and(|due| due < moment)
    }

    fn late_by(&self, moment: i64) -> bool {
        self.ended_by(moment) && !self.good
    }

    /// Open and not overdue, and something says until when.
    fn hopeful_at(&self, moment: i64) -> bool {
        !self.ended_by(moment) && !self.overdue_at(moment) && (self.due.is_some() || self.free)
    }
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
        }
        if not_vertical {
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
    registered_figures(&mut figures, &facts, now, reading, (&agencies, &procedures, &offers));
    figures
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

/// What is counted over procedures and agencies (domain C.1, 3.3.3, 3.3.4, 7.1.4, 7.2.1, 7.3.1).
fn registered_figures(
    figures: &mut BTreeMap<Key, Counts>,
    facts: &[Facts<'_>],
    now: i64,
    reading: Reading,
    registries: (&[Agency], &[Procedure], &[Offer]),
) {
    let figures_of = |figures: &mut BTreeMap<Key, Counts>, id: &str, found: Units, ratio: bool| {
        for ((tier, agency, period), units) in found {
            let whole = registered(id, tier, agency.as_deref(), period, registries);
            let with = units.intersection(&whole).count() as u64;
            let whole = whole.len() as u64;
            let part = if ratio { with } else { whole };
            let reachable = if ratio && end_of(period.end()) >= now { whole } else { part };
            let denominator = if ratio { whole } else { 0 };
            figures.insert(
                (id.to_owned(), tier, agency, period),
                Counts { numerator: part, denominator, reachable, one_sided: 0 },
            );
        }
    };
    for (id, ratio) in [("par-3.3.3", false), ("par-3.3.4", false), ("par-7.2.1", true), ("par-7.3.1", true)] {
        let mut found = Units::new();
        for one in facts.iter().filter(|one| one.in_competence) {
            let online_level = matches!(one.level.as_deref(), Some("partial" | "full"));
            let counts = match id {
                "par-7.2.1" if !online_level => continue,
                "par-7.2.1" => one.online,
                "par-7.3.1" => went(one, false, reading) || one.returned_on.is_some() && went(one, true, reading),
                _ => true,
            };
            for (tier, agency) in scopes_of(one).into_iter().filter(|(_, agency)| ratio || agency.is_none()) {
                for period in periods_with(one.received_on) {
                    let units = found.entry((tier, agency.clone(), period)).or_default();
                    units.extend(one.procedure.clone().filter(|_| counts));
                }
            }
        }
        figures_of(figures, id, found, ratio);
    }
    let mut found = Units::new();
    for one in facts.iter().filter(|one| !one.agency.is_some_and(|agency| agency.vertical)) {
        for period in periods_with(one.received_on) {
            let last = period.end().min(day_of(now));
            // The two half-months up to the last day that has come.
            let first = if last.day() >= 15 {
                last.first_of_month()
            } else {
                let before = last.first_of_month().yesterday().expect("in this millennium");
                jiff::civil::date(before.year(), before.month(), 15)
            };
            for (tier, agency) in scopes_of(one).into_iter().filter(|(_, agency)| agency.is_none()) {
                let units = found.entry((tier, agency, period)).or_default();
                units.extend(Some(one.own.clone()).filter(|_| one.received_on >= first && one.agency.is_none()));
                units.extend(one.agency.map(|agency| agency.code.clone()).filter(|_| one.received_on >= first));
            }
        }
    }
    figures_of(figures, "par-7.1.4", found, true);
}

/// Procedures or agencies found with a dossier, by tier, agency and period.
type Units = BTreeMap<(Option<Tier>, Option<String>, Period), BTreeSet<String>>;

/// Province, tier, agency.
fn scopes_of(one: &Facts<'_>) -> Vec<(Option<Tier>, Option<String>)> {
    let tier = one.agency.map(|agency| agency.tier);
    let code = one.agency.map_or(one.own.clone(), |agency| agency.code.clone());
    let mut scopes = vec![(None, None), (tier, Some(code))];
    if tier.is_some() {
        scopes.push((tier, None));
    }
    scopes
}

/// What the registries hold for an indicator on any day of a period.
fn registered(
    id: &str,
    tier: Option<Tier>,
    agency: Option<&str>,
    period: Period,
    (agencies, procedures, offers): (&[Agency], &[Procedure], &[Offer]),
) -> BTreeSet<String> {
    let stands = |from: Option<Date>, to: Option<Date>| {
        from.is_none_or(|from| from <= period.end()) && to.is_none_or(|to| to >= period.start())
    };
    let mut whole = BTreeSet::new();
    if id == "par-7.1.4" {
        for known in agencies {
            let kind = matches!(known.kind, AgencyKind::Specialised | AgencyKind::District | AgencyKind::Commune);
            let in_scope = tier.is_none_or(|tier| known.tier == tier);
            if kind && !known.vertical && in_scope && stands(known.valid_from, known.valid_to) {
                whole.insert(known.code.clone());
            }
        }
        return whole;
    }
    for offer in offers {
        let (offerer_tier, offerer) = match &offer.offerer {
            Offerer::Tier(tier) => (Some(*tier), None),
            Offerer::Agency(code) => {
                let known = agencies.iter().find(|known| known.code == *code).expect("offers name the registry's");
                (Some(known.tier), Some(known))
            }
        };
        let in_scope = match (tier, agency) {
            (None, None) => true,
            (_, Some(code)) => offerer.map_or(tier.is_some() && tier == offerer_tier, |known| known.code == code),
            (Some(_), None) => tier == offerer_tier,
        };
        let vertical = offerer.is_some_and(|known| known.vertical)
            || procedures.iter().any(|procedure| procedure.code == offer.procedure && procedure.vertical);
        let wanted = match id {
            "par-3.3.3" => offer.interlinked.as_deref() == Some("same_level"),
            "par-3.3.4" => offer.interlinked.as_deref() == Some("between_levels"),
            "par-7.2.1" => matches!(offer.online_level.as_deref(), Some("partial" | "full")),
            _ => offer.postal_submission || offer.postal_return,
        };
        if in_scope && !vertical && wanted && stands(offer.valid_from, offer.valid_to) {
            whole.insert(offer.procedure.clone());
        }
    }
    whole
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
    let agency = named.and_then(|text| agency_of(text, received_on, agencies));
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
        own: named.cloned().unwrap_or("?".to_owned()),
        procedure: dossier.procedure.clone(),
        in_competence: !agency.is_some_and(|agency| agency.vertical)
            && !procedure.is_some_and(|procedure| procedure.vertical),
        received_on,
        returned_on: portal_returned.or(post_returned).map(day_of),
        ended_on,
        life,
        supplements: dossier.supplements.unwrap_or(0),
        apology: dossier.apology.is_some(),
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

/// The life of a dossier by a reading (domain C.4, a column each).
fn life_of(dossier: &Dossier, received: i64, procedure: Option<&Procedure>, reading: Reading) -> Life {
    let status = dossier.status.as_deref();
    match reading {
        Reading::Seed2639 => {
            // f: each its own end. d: never the pick-up of the result.
            let end = dossier.completed.or(dossier.withdrawn).or(dossier.refused).or(dossier.stopped);
            let due = due_of(dossier, received, procedure);
            Life {
                end,
                ended_word: matches!(status, Some("refused" | "withdrawn" | "stopped" | "completed" | "returned")),
                good: end.is_some_and(|end| due.is_some_and(|due| end <= due)),
                due,
                free: false,
                stands: false,
            }
        }
        Reading::Form06a => {
            let done = dossier.completed.or(dossier.returned);
            let due = dossier.due.map(|due| end_of(day_of(due)));
            let good = match (done, dossier.withdrawn) {
                (Some(done), _) => due.is_none_or(|due| day_of(done) <= day_of(due)),
                (None, Some(_)) => true,
                (None, None) => status == Some("withdrawn"),
            };
            Life {
                end: done.or(dossier.withdrawn),
                ended_word: matches!(status, Some("completed" | "returned" | "withdrawn")),
                good,
                due,
                free: true,
                stands: matches!(status, Some("supplement" | "finance" | "stopped")),
            }
        }
        Reading::Qd766 => {
            let again = dossier.supplements.is_some_and(|times| times > 1);
            let end = dossier.completed.or(dossier.returned).or(dossier.stopped).or(dossier.refused);
            let waits = if status == Some("supplement") && !again { dossier.asked } else { None };
            let end = end.or(dossier.withdrawn).or(waits);
            let stated = dossier.due.map(|due| if is_midnight(due) { end_of(day_of(due)) } else { due });
            let statutory = procedure.and_then(|procedure| statutory(received, procedure));
            let pause = match (dossier.asked, dossier.supplied) {
                (Some(asked), Some(supplied)) if supplied > asked => supplied - asked,
                _ => 0,
            };
            let due = if again { Some(received - 1) } else { stated.or(statutory).map(|due| due + pause) };
            Life {
                end,
                ended_word: matches!(status, Some("refused" | "withdrawn" | "stopped" | "completed" | "returned")),
                good: end.is_some_and(|end| due.is_some_and(|due| end <= due)),
                due,
                free: false,
                stands: false,
            }
        }
    }
}

fn is_midnight(moment: i64) -> bool {
    local(moment).time() == jiff::civil::Time::midnight()
}

/// When the statutory time has run out.
fn statutory(from: i64, procedure: &Procedure) -> Option<i64> {
    let time = procedure.statutory_time?;
    Some(match procedure.unit {
        TimeUnit::WorkingDays => end_of(working_days_on(day_of(from), time)),
        TimeUnit::Hours => working_hours_on(from, i64::from(time)),
    })
}

/// Mornings from 7:00 to 11:30 and afternoons from 13:30 to 17:00 are used up one after the other.
fn working_hours_on(from: i64, hours: i64) -> i64 {
    const HOUR: i64 = 3_600_000_000;
    let mut left = hours * HOUR;
    let mut day = day_of(from);
    loop {
        for (begins, ends) in [(14, 23), (27, 34)] {
            let midnight = from_local(day.into());
            let begin = from.max(midnight + begins * HOUR / 2);
            let end = midnight + ends * HOUR / 2;
            if !is_working(day) || begin >= end {
                continue;
            }
            if left <= end - begin {
                return begin + left;
            }
            left -= end - begin;
        }
        day = day.tomorrow().expect("in this millennium");
    }
}

fn working_days_on(day: Date, days: u32) -> Date {
    let mut last = day;
    for _ in 0..days {
        last = next_working(last);
    }
    last
}

/// The last moment that is on time by `seed-2639`.
fn due_of(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<i64> {
    // e: the date before the apology, where the portal put the apology's date in its place.
    let moved = dossier.due.is_some() && dossier.due == dossier.apology_due;
    let due = if moved { dossier.first_due.or(dossier.due) } else { dossier.due };
    // NĐ 61/2018 art. 19(4): a supplement starts the statutory time again.
    let from = dossier.supplied.unwrap_or(received);
    let Some(due) = due else { return stand_in(dossier, from, procedure) };
    // d: midnight is a date.
    Some(if is_midnight(due) { end_of(day_of(due)) } else { due })
}

/// g: certification and immediate results by the cut-off, others by the statutory time.
fn stand_in(dossier: &Dossier, received: i64, procedure: Option<&Procedure>) -> Option<i64> {
    let day = day_of(received);
    if dossier.certification == Some(true) || procedure.is_some_and(|procedure| procedure.immediate) {
        let cut_off = procedure.map_or(jiff::civil::time(15, 0, 0, 0), |procedure| procedure.cut_off);
        let same_day = is_working(day) && local(received).time() < cut_off;
        return Some(end_of(if same_day { day } else { next_working(day) }));
    }
    statutory(received, procedure?)
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

/// The cells of form II.06a by its column rules (domain C.2), dossier by dossier: sector → columns 4, 5, 6, 8, 9, 10, 12, 13.
pub(super) fn form_cells(
    dossiers: &[Dossier],
    now: i64,
    period: Period,
    counts: impl Fn(Option<&Agency>, &str) -> bool,
) -> BTreeMap<String, [u64; 8]> {
    let (agencies, procedures, offers) = (province::agencies(), province::procedures(), province::offers());
    let moment = end_of(period.end()).min(now);
    let mut cells: BTreeMap<String, [u64; 8]> = BTreeMap::new();
    for dossier in dossiers {
        let how = (now, Reading::Form06a, View::Competent);
        let Some(one) = facts_of(dossier, &[], [&agencies], &procedures, &offers, how) else { continue };
        if !counts(one.agency, &one.own) || one.received_on > period.end() {
            continue;
        }
        let ended = one.life.ended_by(moment);
        // What ended before it was received ended when it was received.
        let ended_on = one.life.end.map_or(one.received_on, day_of).max(one.received_on);
        if ended && ended_on < period.start() {
            continue;
        }
        let sector = procedures.iter().find(|procedure| Some(&procedure.code) == one.procedure.as_ref());
        let row = cells.entry(sector.map_or(String::new(), |procedure| procedure.sector.clone())).or_default();
        row[match (one.received_on < period.start(), one.online) {
            (true, _) => 2,
            (false, true) => 0,
            (false, false) => 1,
        }] += 1;
        let due_on = one.life.due.map(day_of);
        let early = one.life.end.is_some_and(|end| due_on.is_some_and(|due| day_of(end) < due));
        row[match (ended, one.life.good) {
            (true, true) if early => 3,
            (true, true) => 4,
            (true, false) => 5,
            (false, _) if one.life.overdue_at(moment) => 7,
            (false, _) => 6,
        }] += 1;
    }
    cells
}
