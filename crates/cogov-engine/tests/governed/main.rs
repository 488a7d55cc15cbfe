//! Governed queries, one matter a file. They are one program, since each program links the whole query engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::cast_precision_loss, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod alone;
mod attack_suite;
mod attacks;
mod below_the_user;
mod conditions;
mod conjuncts;
mod extracts;
mod growth;
mod kept_plans;
mod labels;
mod limits;
mod meaning;
mod noise;
mod numbers;
mod outer_joins;
mod protected_statistics;
mod remembered_statistics;
mod short_circuit;
mod thresholds;
mod verification;
mod zeros;
