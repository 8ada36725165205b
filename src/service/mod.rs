//! The service: every night by itself, an API, pages, metrics and alerts over what the nights leave.

mod access;
mod problem;

pub use access::{Access, Caller, Read, Scope, Token};
