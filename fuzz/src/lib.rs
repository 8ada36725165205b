//! The modules of motcua that read what others write, and one function for each fuzz target.
//!
//! They are included by their paths, under the names that they have in motcua, so that Polars and the Delta tables need not
//! be built with instrumentation. A function may return anything and must not panic, hang or use memory without bounds.
#![allow(dead_code, missing_docs, unused_imports)]

// The test of declarations names the crate that it tests.
extern crate self as motcua;

#[path = "../../src/calendar/mod.rs"]
pub mod calendar;
#[path = "../../src/canonical/mod.rs"]
pub mod canonical;
#[path = "../../src/config/mod.rs"]
pub mod config;
#[path = "../../src/crash_points.rs"]
pub mod crash_points;
#[path = "../../src/digests.rs"]
mod digests;
#[path = "../../src/draft/mod.rs"]
pub mod draft;
#[path = "../../src/durable.rs"]
mod durable;
#[path = "../../src/expressions/mod.rs"]
pub mod expressions;
#[path = "../../src/fields/mod.rs"]
pub mod fields;
#[path = "../../src/landing/mod.rs"]
pub mod landing;
#[path = "../../src/model/mod.rs"]
pub mod model;
#[path = "../../src/rights.rs"]
mod rights;
#[path = "../../src/sources/mod.rs"]
pub mod sources;

#[path = "../../tests/it/declarations.rs"]
mod declarations;
mod targets;

pub use targets::*;
