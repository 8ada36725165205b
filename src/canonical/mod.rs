//! Canonical: maps landed pages to canonical records and rejections, and classifies records by key and version.
//!
//! Pure: the same page and the same connector give the same records.

mod change_time;
mod conditions;
mod far_due_dates;
mod impossible_orders;
mod key_spellings;
mod keys_seen;
mod map;
mod partial_records;

pub use change_time::complete_change_time;
pub use impossible_orders::{is_changed_in_future, names as order_names};
pub use key_spellings::{KeySpellings, other_spellings};
pub use keys_seen::{KeysSeen, RecordClass, StoredVersion, part_of};
pub use map::{Mapper, digest_of};
pub use partial_records::{Fold, Folded, KeyRow, KnownKey, RowPlace, RowsBeside, StoredRow};
