//! A 1022 system of VNPT: the search over petitions (domain H.1). Those about procedures are the feedback of the province;
//! there are as many about other things.
//!
//! The reply is a Spring page with its total. `tag-ids` limits it to petitions with one of these tags.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::feedback::Feedback;
use crate::simulator::stated::written;
use crate::simulator::working_days::Moment;

pub const PETITIONS_PATH: &str = "/pe/petition/--search";
/// The tags of petitions about procedures: about a regulation, about an official's conduct.
pub const PETITION_TAGS: &str = "5f000000000000000000fa01,5f000000000000000000fa02";
/// The tag of petitions about streets, water and light.
const OTHER_TAG: &str = "5f000000000000000000fa03";

const DATE_TIME: &str = "%Y-%m-%dT%H:%M:%S.000+0700";
const DEFAULT_SIZE: usize = 20;

/// A page of petitions.
pub(super) fn answer(province: &Province, fields: &HashMap<String, String>, now: Moment) -> String {
    let number = |name: &str, default: usize| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (number("page", 0), number("size", DEFAULT_SIZE).max(1));
    let tags = fields.get("tag-ids").filter(|tags| !tags.is_empty());
    let petitions = province.feedback(now).flat_map(|feedback| [province.petition(&feedback), other(&feedback)]);
    let is_wanted = |petition: &Value| {
        tags.is_none_or(|tags| tags.split(',').any(|tag| petition["tag"]["id"].as_str() == Some(tag)))
    };
    let found: Vec<Value> = petitions.filter(is_wanted).collect();
    let pages = found.len().div_ceil(size).max(1);
    let content: Vec<&Value> = found.iter().skip(page * size).take(size).collect();
    json!({
        "content": content, "number": page, "size": size, "totalElements": found.len(), "totalPages": pages,
        "first": page == 0, "last": page + 1 >= pages,
    })
    .to_string()
}

impl Province {
    fn petition(&self, feedback: &Feedback) -> Value {
        let tags: Vec<&str> = PETITION_TAGS.split(',').collect();
        let (tag, subject) = if feedback.on_regulation {
            (tags[0], "Quy định hành chính")
        } else {
            (tags[1], "Hành vi hành chính")
        };
        let at = |moment: Option<Moment>| moment.map(|moment| written(moment, DATE_TIME));
        let agency = &self.registry.agencies[feedback.agency as usize];
        json!({
            "id": format!("5f0000000000000000{:06x}", feedback.number()), "code": format!("PAKN-{:06}", feedback.number()),
            "status": if feedback.handled.is_some() { 3 } else { 2 }, "tag": {"id": tag, "name": subject},
            "agency": {"id": "5f00000000000000000000b1", "code": agency.code, "name": agency.name},
            "createdDate": at(Some(feedback.received)), "receiptDate": at(Some(feedback.received)), "dueDate": null,
            "completedDate": at(feedback.handled), "answeredDate": at(feedback.answered),
            "publishedDate": at(feedback.published), "reporter": {"fullname": "Người Mô Phỏng", "phone": "0000000000"},
        })
    }
}

fn other(feedback: &Feedback) -> Value {
    json!({
        "id": format!("5e0000000000000000{:06x}", feedback.number()), "code": format!("HTDT-{:06}", feedback.number()),
        "status": 3, "tag": {"id": OTHER_TAG, "name": "Hạ tầng đô thị"}, "agency": {"name": "Phòng Quản lý đô thị"},
        "receiptDate": written(feedback.received, DATE_TIME),
    })
}
