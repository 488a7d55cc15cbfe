//! Import, profiling and grading, as one test program: each file is about one kind of input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bad;
mod digits;
mod disk;
mod formats;
mod heldout;
mod load;
mod parquet;
mod support;
