//! The service through the real binary: schedule, API, access, notifications, TLS, and one test of everything together.

mod alerts;
mod api;
mod attacks;
mod bound_tokens;
mod demo;
mod earlier_nights;
mod lists;
mod retention;
mod schedule;
mod stopping;
mod tls;
mod whole;
mod wide;
