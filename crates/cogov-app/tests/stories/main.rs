//! What people do with one node, a story a file. They are one program, since each program links the whole query engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod consultation;
mod deliberation;
mod drafting;
mod extracts;
mod noise;
mod publishing;
mod remembered;
mod story;
mod verification;
mod whole_loop;
mod written_first;
