//! A portal on OpenCPS 2 (domain A.4): the list of dossiers, by HTTP Basic.
//!
//! A request filters by days of the reception, the submission or the hand-over, both included. With `end=-1` the reply
//! has every dossier that matches, each once, and their number.

use std::collections::HashMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::dossier::Channel;
use crate::simulator::listing::{ListEntry, SearchQuery, found, listed_once};
use crate::simulator::stated::{StatedDossier, applicant_name, written};
use crate::simulator::working_days::{DAY_SECS, Moment, day_number, end_of};

pub const OPENCPS_PATH: &str = "/o/rest/v2/dossiers";
/// The site whose dossiers are listed: the header `groupId`.
pub const OPENCPS_GROUP: &str = "35166";

const DATE_TIME: &str = "%d/%m/%Y %H:%M:%S";

/// Reply to a request for dossiers, or why it cannot be read.
pub(super) fn answer(
    province: &Province,
    entries: &[ListEntry],
    fields: &HashMap<String, String>,
    now: Moment,
) -> Result<String, String> {
    let day = |name: &str| match fields.get(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => Date::strptime("%d/%m/%Y", text)
            .map(|day| Some(day_number(day)))
            .map_err(|_| format!("`{name}` is not a day: `{text}`")),
    };
    let range = |from: &str, to: &str| -> Result<_, String> {
        Ok((day(from)?.map(|day| day * DAY_SECS), day(to)?.map(end_of)))
    };
    let query = SearchQuery::by_dates(
        range("fromReceiveDate", "toReceiveDate")?,
        range("fromSubmitDate", "toSubmitDate")?,
        range("fromFinishDate", "toFinishDate")?,
    );
    let lines = listed_once(found(province, entries, &query));
    let total = lines.len();
    let place = |name: &str| fields.get(name).and_then(|text| text.parse::<usize>().ok());
    let (start, end) = (place("start").unwrap_or(0), place("end").unwrap_or(total));
    let shown = lines.into_iter().take(end).skip(start);
    let data: Vec<Value> =
        shown.map(|(dossier, shown)| record(&StatedDossier::new(province, dossier, shown), now)).collect();
    Ok(json!({"total": total, "data": data}).to_string())
}

fn record(stated: &StatedDossier<'_>, now: Moment) -> Value {
    let (dossier, shown) = (stated.dossier, stated.shown);
    let at = |moment: Option<Moment>| moment.map_or_else(String::new, |moment| written(moment, DATE_TIME));
    let (agency_code, agency_name) = stated.agency();
    let channel = stated.channel();
    let procedure = stated.procedure();
    // 0 none, 1 available and not used, 2 requested.
    let via_postal = if dossier.return_by_post { "2" } else { "1" };
    let mut record = json!({
        "dossierId": stated.number(), "dossierNo": stated.code(), "dossierIdCTN": "",
        "serviceCode": stated.procedure_code(), "serviceName": procedure.name, "domainCode": procedure.sector,
        "govAgencyCode": agency_code.unwrap_or_default(), "govAgencyName": agency_name.unwrap_or_default(),
        "submitDate": at(dossier.recorded_hand_in()), "receiveDate": stated.received(DATE_TIME).unwrap_or_default(),
        "dueDate": at(shown.due), "extendDate": "", "releaseDate": at(shown.completed), "finishDate": at(shown.returned),
        "cancellingDate": at(stated.given_up(false)), "dossierStatus": status(stated.status()), "dossierSubStatus": "",
        "viaPostal": via_postal, "modifiedDate": at(Some(dossier.last_change(now))),
        "serviceLevel": stated.level().unwrap_or(0), "applicantName": applicant_name(dossier).to_uppercase(),
        "applicantIdNo": stated.identity_number(),
    });
    if let Some(channel) = channel {
        record["online"] = json!(if channel == Channel::Online { "true" } else { "false" });
        record["fromViaPostal"] = json!(u8::from(channel == Channel::Postal));
    }
    record
}

/// The word of a national code.
fn status(code: Option<&str>) -> &'static str {
    match code {
        Some("1") => "receiving",
        Some("2") => "new",
        Some("3") => "denied",
        Some("4") => "processing",
        Some("5") => "waiting",
        Some("7") => "cancelled",
        Some("9") => "releasing",
        Some("10") => "done",
        _ => "",
    }
}
