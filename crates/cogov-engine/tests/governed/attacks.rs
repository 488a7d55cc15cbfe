//! Statistics resist attack: where a threshold alone gives persons away, ours leaves the attacker at the level of guessing.

use super::attack_suite::{HEAD, all};

#[tokio::test(flavor = "multi_thread")]
async fn ours_is_at_the_level_of_guessing() {
    println!("{HEAD}");
    for outcome in all().await {
        println!("{outcome}");
        assert!(outcome.threshold > outcome.guess + 5.0, "the attack itself must work: {outcome}");
        assert!(outcome.ours <= outcome.guess + 3.0, "{outcome}");
    }
}
