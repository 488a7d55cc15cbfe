//! The doors as clients meet them: one node with one grant, asked over the PostgreSQL protocol, HTTP and Flight SQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod api;
#[path = "../../../cogov-app/tests/common/mod.rs"]
mod common;
mod consultations;
mod extended;
mod flight;
mod hostile;
mod programs;
mod public;
mod served;
mod simple;
