//! How the lists of the post and of the feedback office write a moment and a fee.

use crate::simulator::working_days::{DAY_SECS, Moment, civil};

/// `dd/MM/yyyy HH:mm`.
pub(super) fn minute(at: Moment) -> String {
    debug_assert_eq!(at % DAY_SECS % 60, 0, "the lists have no seconds");
    civil(at).strftime("%d/%m/%Y %H:%M").to_string()
}

/// An amount in đồng, from thousands of đồng: `1.030.000`.
pub(super) fn dong(thousands: u32) -> String {
    match thousands {
        0 => "0".to_owned(),
        1..1000 => format!("{thousands}.000"),
        _ => format!("{}.{:03}.000", thousands / 1000, thousands % 1000),
    }
}
