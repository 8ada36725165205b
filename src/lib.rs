//! motcua (một cửa): nightly statistics of a Vietnamese province's one-stop shops.
//!
//! The modules are listed in the order of the flow. A stage imports `model`, `calendar`, `fields` and the output of the
//! stage before it; `run` is the only module that sees all stages (`docs/ARCHITECTURE.md`; `tests/it/imports.rs` reads
//! the imports).
//!
//! | module | does |
//! |---|---|
//! | `crash_points` | marks the moments around each durable write, for tests that end the process there |
//! | `durable` | writes files so that they survive a crash |
//! | `rights` | who may read the files of the data folder |
//! | `digests` | digests of stored files and documents |
//! | [`telemetry`] | log output; messages of panics without cell values |
//! | [`model`] | words that stages share |
//! | [`locale`] | numbers, dates, periods and figures as people read them, in Vietnamese and English |
//! | [`calendar`] | working days and hours, slots of a schedule |
//! | [`fields`] | readers of field texts: types, alphabets, date formats |
//! | [`expressions`] | predicates and facts as a small part of SQL, for any engine |
//! | [`config`] | settings, connectors, registries, indicators, rule sets; reports all mistakes at once |
//! | [`sources`] | HTTP and files, paging, login, retry, decoding |
//! | [`draft`] | drafts a connector from a sample of its source |
//! | [`landing`] | write-ahead copy of the pages: kept fields, compressed, with digests |
//! | [`canonical`] | pages to records and rejections |
//! | [`lake`] | Delta tables: versions and their image |
//! | [`indicators`] | counts and figures |
//! | [`publish`] | a night as files and in PostgreSQL |
//! | [`health`] | state of each connector: since when, why, what to do |
//! | [`run`] | one night: composes the stages |
//! | [`lists`] | dossiers behind figures, worklists and reconciliation as tables: JSON, CSV, workbooks |
//! | [`service`] | the schedule, the API, the pages, metrics and notifications |
//! | [`simulator`] | portals and a post office on loopback, with known true counts |
//! | [`cli`] | the verbs |

#[doc(hidden)]
pub mod crash_points;
mod digests;
mod durable;
mod rights;
pub mod telemetry;

pub mod model;

pub mod locale;

pub mod calendar;

pub mod fields;

pub mod expressions;

pub mod config;

pub mod sources;

pub mod draft;

pub mod landing;

pub mod canonical;

pub mod lake;

pub mod indicators;

pub mod publish;

pub mod health;

pub mod run;

pub mod lists;

pub mod service;

pub mod simulator;

pub mod cli;
