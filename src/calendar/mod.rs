//! Working days, and the slots of a schedule. Pure: days and moments are arguments.

mod slots;
mod working;

pub use slots::Slots;
pub use working::WorkingCalendar;
