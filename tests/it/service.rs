//! The service through the real binary: the schedule, the API, who may ask what, health at a glance.

mod alerts;
mod api;
mod demo;
mod schedule;
mod tls;
mod whole;
