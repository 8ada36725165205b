//! motcua (một cửa): nightly statistics of a Vietnamese province's one-stop shops.

pub mod model;

pub mod calendar;
pub mod config;

pub mod sources;

pub mod landing;

pub mod canonical;

pub mod lake;

pub mod indicators;

pub mod publish;

pub mod run;

pub mod simulator;
