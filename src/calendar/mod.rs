//! Working days and hours, and the slots of a schedule. Pure: days and moments are arguments.

pub mod clock;
mod slots;
mod working;

pub use clock::StatutoryTime;
pub use slots::Slots;
pub use working::WorkingCalendar;
