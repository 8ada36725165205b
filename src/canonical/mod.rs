//! From landed pages to canonical records and rejections. Pure: the same page and mapping give the same records.

mod identity;
mod map;
mod order;

pub use identity::{Class, Seen, Stored, part_of};
pub use map::{Mapper, digest_of};
pub use order::names as order_names;
