//! Prints what attacks recover from protected statistics: `cargo run --example attacks -p cogov-engine`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an experiment"
)]

#[path = "../tests/governed/attack_suite/mod.rs"]
mod attack_suite;
#[path = "../tests/common/mod.rs"]
mod common;

#[tokio::main]
async fn main() {
    println!("share of persons whose secret the attacker gets right\n\n{}", attack_suite::HEAD);
    for outcome in attack_suite::all().await {
        println!("{outcome}");
    }
}
