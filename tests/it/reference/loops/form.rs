//! Form II.06a dossier by dossier.

use std::collections::BTreeMap;

use motcua::model::agency::Agency;
use motcua::model::period::Period;

use super::super::province::{self, Dossier};
use super::life::end_of;
use super::{Reading, View, day_of, facts_of};

/// The cells of form II.06a by its column rules (domain C.2), dossier by dossier: sector → columns 4, 5, 6, 8, 9, 10, 12, 13.
pub(crate) fn form_cells(
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
