//! The national portal's evaluation of agencies (domain B.7 and H.1): counts by agency and period, with those of the whole
//! province in a row of their own.
//!
//! Its counts are the true ones, but for the agencies that had no dossiers: they have nulls. A reply has status 201.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::truth_counts::TruthScope;

pub const EVALUATION_PATH: &str = "/api/v1/reporting/evaluation/dvc-progress-tree";
/// The department whose tree is evaluated.
pub const EVALUATION_ROOT: &str = "398126";

/// On time by kind of agency, of the same dossiers as [`ONLINE`] but for those of vertical procedures.
const ON_TIME: [&str; 3] = ["par-3.4.1", "par-3.4.2", "par-3.4.3"];
const ONLINE: &str = "nd224-online";

/// The counts of an agency or of the province.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    received: u64,
    on_time: u64,
    online: u64,
}

/// Reply to a request, as of a day.
pub(super) fn answer(province: &Province, request: &Value, day: Date) -> Value {
    let Some(period) = period_of(request).filter(|_| request["rootDepartmentId"] == EVALUATION_ROOT) else {
        return json!({"code": "BAD_REQUEST", "message": "Tham số không hợp lệ", "data": null});
    };
    let counts = province.counts_in(&period, day);
    let registry = &province.registry;
    // Of those without dossiers, a tenth.
    let agencies = registry.agencies.iter().enumerate().filter(|(number, agency)| {
        !agency.vertical && (counts.contains_key(&agency.code) || number.is_multiple_of(10))
    });
    let children: Vec<Value> = agencies
        .map(|(number, agency)| {
            let department = json!({
                "departmentId": (400_000 + number).to_string(), "departmentCode": agency.code, "departmentName": agency.name,
            });
            row(department, counts.get(&agency.code).copied())
        })
        .collect();
    let number = |name: &str| request[name].as_u64().and_then(|number| usize::try_from(number).ok());
    let (page, size) = (number("currentPage").unwrap_or(1).max(1), number("pageSize").unwrap_or(20).max(1));
    let whole = counts.values().copied().reduce(|sum, one| Counts {
        received: sum.received + one.received,
        on_time: sum.on_time + one.on_time,
        online: sum.online + one.online,
    });
    let root = json!({"departmentId": EVALUATION_ROOT, "departmentName": "UBND tỉnh"});
    let shown: Vec<&Value> = children.iter().skip((page - 1) * size).take(size).collect();
    json!({"code": "OK", "message": "Thành công", "data": {
        "parent": row(root, whole), "children": shown,
        "pagination": {
            "currentPage": page, "pageSize": size, "total": children.len(), "totalPages": children.len().div_ceil(size).max(1),
        },
    }})
}

/// The period that a request asks for, as figures name it.
fn period_of(request: &Value) -> Option<String> {
    let year = request["year"].as_u64()?;
    Some(match request["timeType"].as_str()? {
        "month" => format!("{year}-{:02}", request["month"].as_u64()?),
        "quarter" => format!("{year}-Q{}", request["quarter"].as_u64()?),
        "year" => year.to_string(),
        _ => return None,
    })
}

/// The row of an agency; nulls mean that there are no data.
fn row(mut department: Value, counts: Option<Counts>) -> Value {
    let of = |count: fn(Counts) -> u64| counts.map(count);
    let fields = json!({
        "totalReceived": of(|counts| counts.received), "totalOnTime": of(|counts| counts.on_time),
        "totalCompleted": of(|counts| counts.on_time), "avgProcessingDays": counts.map(|_| 2.4),
        "channelOnlineSum": of(|counts| counts.online),
        "channelDirectSum": of(|counts| counts.received.saturating_sub(counts.online)), "channelPostalSum": of(|_| 0),
        "channelTotalSum": of(|counts| counts.received),
    });
    if let (Value::Object(department), Value::Object(fields)) = (&mut department, fields) {
        department.extend(fields);
    }
    department
}

impl Province {
    /// The counts of every agency with dossiers in a period, by its code.
    fn counts_in(&self, period: &str, day: Date) -> BTreeMap<String, Counts> {
        let mut found: BTreeMap<String, Counts> = BTreeMap::new();
        for figure in self.truth(day).figures.into_iter().filter(|figure| figure.period == period) {
            let TruthScope::Agency(agency) = figure.scope else { continue };
            if ON_TIME.contains(&figure.indicator) {
                let counts = found.entry(agency).or_default();
                (counts.received, counts.on_time) = (figure.denominator, figure.numerator);
            } else if figure.indicator == ONLINE {
                found.entry(agency).or_default().online = figure.numerator;
            }
        }
        found.retain(|_, counts| counts.received > 0);
        found
    }
}
