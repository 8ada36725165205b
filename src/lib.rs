//! motcua (một cửa): nightly statistics of a Vietnamese province's one-stop shops.
//!
//! The modules stand in the order of the flow; each imports `model`, `calendar` and its left neighbour's output,
//! and `run` is the only one that sees them all (`docs/ARCHITECTURE.md`; a test reads the imports).
//!
//! | module | does |
//! |---|---|
//! | `durable` | writes files so that they survive a crash; `crash_points` lets tests kill the process at each write |
//! | [`model`] | words that cross a stage boundary |
//! | [`locale`] | numbers, dates, periods and figures as people read them, Vietnamese and English |
//! | [`calendar`] | working days, schedule slots |
//! | [`config`] | settings, connectors, registries, indicators, rule sets: every mistake at once |
//! | [`sources`] | bytes in: HTTP and files, paging, login, retry, decoding |
//! | [`landing`] | what came, kept fields only, digested |
//! | [`canonical`] | records and rejections |
//! | [`lake`] | Delta tables: versions and their image |
//! | [`indicators`] | counts and figures |
//! | [`publish`] | files that other programs read |
//! | [`health`] | state of each connector, since when, why, what to do |
//! | [`run`] | one night: composes and acts |
//! | [`service`] | the schedule, the API, the pages, metrics and alerts |
//! | [`simulator`] | a portal and a post office on loopback, with known truth |
//! | [`cli`] | the verbs |

mod crash_points;
mod durable;
pub mod telemetry;

pub mod model;

pub mod locale;

pub mod calendar;

pub mod config;

pub mod sources;

pub mod landing;

pub mod canonical;

pub mod lake;

pub mod indicators;

pub mod publish;

pub mod health;

pub mod run;

pub mod service;

pub mod simulator;

pub mod cli;
