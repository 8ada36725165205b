//! Calendar: working days, working hours and due dates, and the slots of a schedule.
//!
//! Pure: days and moments are arguments.

mod slots;
mod working_calendar;
mod working_day_table;
pub mod working_time;

pub use slots::Slots;
pub use working_calendar::WorkingCalendar;
pub use working_day_table::{FIRST_DAY, LAST_DAY, ProcedureTime, WorkingDayTable, day_number};
pub use working_time::StatutoryTime;
