//! The tracking service of VNPost (domain A.5, B.6): the events of postal items, after the id of the last one that a client
//! has (RESTHeart HAL).
//!
//! An event has one time, and a code that says what happened then. Some events are stored two days late, so that they come
//! after newer events of their item. Which way an item goes, no event says.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::simulator::Province;
use crate::simulator::post::Waybill;
use crate::simulator::stated::written;
use crate::simulator::working_days::{AHEAD_SECS, DAY_SECS, Moment, day_number, evening};

pub const TRACKING_PATH: &str = "/vnpost/tracking";

const DEFAULT_SIZE: usize = 50;
/// Of the items one in this many has events that are stored late.
const LATE_EVERY: u32 = 16;
const LATE_SECS: i64 = 2 * DAY_SECS;

/// A page of events. A number that cannot be read is treated as absent.
pub(super) fn answer(province: &Province, fields: &HashMap<String, String>, now: Moment) -> String {
    let size = fields.get("pagesize").and_then(|text| text.parse().ok()).filter(|size| *size > 0);
    let size: usize = size.unwrap_or(DEFAULT_SIZE);
    let last = fields.get("lastId").map_or("", String::as_str);
    let mut events: Vec<(String, Value)> = province
        .waybills
        .iter()
        .flat_map(|item| province.events(item, now))
        .filter(|(id, _)| id.as_str() > last)
        .collect();
    events.sort_by(|left, right| left.0.cmp(&right.0));
    let (total, pages) = (events.len(), events.len().div_ceil(size));
    let page: Vec<Value> = events.into_iter().take(size).map(|(_, event)| event).collect();
    json!({
        "_size": total, "_total_pages": pages, "_returned": page.len(), "_embedded": {"rh:doc": page},
    })
    .to_string()
}

impl Province {
    /// The events of an item that are stored by a moment, each with its id.
    fn events(&self, item: &Waybill, now: Moment) -> Vec<(String, Value)> {
        let code = self.order_number(item);
        let finished = item.finished.map(|(at, delivered)| {
            let (code, message) =
                if delivered { ("4", "Phát thành công") } else { ("5", "Phát không thành công") };
            (at, code, message)
        });
        let accepted = (item.accepted, "1", "Chấp nhận");
        let moved = (item.accepted + 1800, "2", "Đang vận chuyển");
        let withdrawn = item.withdrawn.map(|at| (at, "7", "Hủy"));
        // On the last simulated day all events are there.
        let is_late = item.serial % LATE_EVERY == 3 && item.accepted + LATE_SECS <= evening(day_number(self.today));
        let events = [Some(accepted), Some(moved), finished, withdrawn].into_iter().flatten().zip(0_u32..);
        let stored = |at: Moment, number: u32| if is_late && number == 0 { at + LATE_SECS } else { at };
        let visible = events.filter(|((at, ..), number)| stored(*at, *number) <= now);
        let event = |((at, status, message), number): ((Moment, &str, &str), u32)| {
            let second = u32::try_from(stored(at, number) - AHEAD_SECS).expect("simulated years are after 1970");
            let id = format!("{second:08x}{:08x}{number:08x}", item.serial);
            let event = json!({
                "_id": {"$oid": id}, "CustomerCode": "C-VL-01", "OrderNumber": code, "ItemCode": item.item_code(),
                "EventTime": written(at, "%Y-%m-%d %H:%M:%S"), "POSID": "850000", "StatusCode": status,
                "StatusMessage": message, "Notes": "Người Mô Phỏng nhận hộ",
            });
            (id, event)
        };
        visible.map(event).collect()
    }
}
