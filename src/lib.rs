//! motcua (một cửa): nightly statistics of a Vietnamese province's one-stop shops.

pub mod model;

pub mod calendar;
pub mod config;

pub mod canonical;
pub mod indicators;
pub mod landing;
