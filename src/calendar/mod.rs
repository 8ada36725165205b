//! Working days and hours, and the slots of a schedule. Pure: days and moments are arguments.

pub mod clock;
mod days;
mod slots;
mod working;

pub use clock::StatutoryTime;
pub use days::{Allowed, FIRST_DAY, LAST_DAY, WorkingDays, day_number};
pub use slots::Slots;
pub use working::WorkingCalendar;
