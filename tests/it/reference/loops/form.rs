//! The cells of form II.06a, counted dossier by dossier.

use std::collections::BTreeMap;

use motcua::model::agency::Agency;
use motcua::model::period::Period;

use super::super::province::{self, Dossier};
use super::outcome::end_of;
use super::{AgencyView, ShippedRules, day_of, received_dossier};

/// Columns 4, 5, 6, 8, 9, 10, 12 and 13 of form II.06a, by sector code. `counts`: whether an agency, given by its
/// registry row or else by its text, belongs to the form.
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
        let inputs = (now, ShippedRules::Form06a, AgencyView::Competent);
        let Some(received) = received_dossier(dossier, (dossiers, &[]), &agencies, &procedures, &offers, inputs) else {
            continue;
        };
        if !counts(received.competent, &received.agency_text) || received.received_on > period.end() {
            continue;
        }
        let ended = received.outcome.ended_by(moment);
        // A dossier that ended before its reception counts as ended on the day of reception.
        let ended_on = received.outcome.end.map_or(received.received_on, day_of).max(received.received_on);
        if ended && ended_on < period.start() {
            continue;
        }
        let sector = procedures.iter().find(|procedure| Some(&procedure.code) == received.procedure.as_ref());
        let row = cells.entry(sector.map_or(String::new(), |procedure| procedure.sector.clone())).or_default();
        row[match (received.received_on < period.start(), received.online) {
            (true, _) => 2,
            (false, Some(true)) => 0,
            (false, _) => 1,
        }] += 1;
        let due_on = received.outcome.due.map(day_of);
        // A withdrawn dossier is on time whenever it ends: column 9.
        let is_done = dossier.completed.or(dossier.returned).is_some();
        let early = is_done && received.outcome.end.is_some_and(|end| due_on.is_some_and(|due| day_of(end) < due));
        row[match (ended, received.outcome.ended_on_time == Some(true)) {
            (true, true) if early => 3,
            (true, true) => 4,
            (true, false) => 5,
            (false, _) if received.outcome.overdue_at(moment) == Some(true) => 7,
            (false, _) => 6,
        }] += 1;
    }
    cells
}
