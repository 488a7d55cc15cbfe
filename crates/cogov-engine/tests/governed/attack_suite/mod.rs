//! Attacks on protected statistics over a sample of the demo's survey: what share of persons is recovered from answers with
//! a threshold alone, from ours, and by the best constant guess.
//!
//! Every attack puts the same questions to both. The threshold alone is a model of its own, which adds up the
//! sample itself and shares no code with the engine.

mod attacks;
mod sample;
mod solve;

use crate::common::{TestTable, Tester, aggregate, col, remembered};
use cogov_engine::VolatileMemory;
use cogov_model::Form;
use sample::Person;
use std::sync::Arc;

pub use attacks::all;

/// A question: a figure over the persons that a condition picks.
pub struct Question {
    /// The figure in SQL: `sum(wages)`, `count(*)`.
    pub figure: &'static str,
    /// The condition in SQL.
    pub condition: String,
    /// The persons that it picks, by the attacker's own knowledge of everything but the secret.
    pub picks: Vec<usize>,
}

/// Whoever answers.
pub enum Oracle {
    /// Groups of ten or more, and nothing else.
    Threshold(Vec<Person>),
    /// The engine.
    Ours(Box<Tester>),
}

impl Oracle {
    pub fn threshold(people: &[Person]) -> Self {
        Self::Threshold(people.to_vec())
    }

    pub async fn ours(people: &[Person], name: &str) -> Self {
        let memory = Arc::new(VolatileMemory::new(name));
        let whole =
            |value: fn(&Person) -> i64| arrow::array::Int64Array::from_iter_values(people.iter().map(value));
        let table = TestTable {
            name: "survey.units",
            columns: vec![
                col("id", whole(|p| p.serial), aggregate(10)),
                // What the attacker knows of everybody: as telling as a number of its own.
                col("serial", whole(|p| p.serial), aggregate(10)),
                col("fips", whole(|p| p.fips), aggregate(10)),
                col("band", whole(|p| p.band), aggregate(10)),
                col("wages", whole(|p| p.wages), aggregate(10)),
                col("above", whole(|p| p.above), aggregate(10)),
                col("covered", whole(|p| p.covered), aggregate(10)),
            ],
            unit: Some("id"),
            granted: true,
        };
        Self::Ours(Box::new(remembered(vec![table], Form::Aggregate, &memory).await))
    }

    /// The figure, when it is shown.
    pub async fn ask(&self, question: &Question) -> Option<f64> {
        match self {
            Self::Threshold(people) => {
                let picked = question.picks.iter().map(|at| &people[*at]);
                let values: Vec<f64> = match question.figure {
                    "sum(wages)" | "avg(wages)" => picked.map(|p| p.wages as f64).collect(),
                    "sum(covered)" => picked.map(|p| p.covered as f64).collect(),
                    "count(*)" => picked.map(|_| 1.0).collect(),
                    other => panic!("{other}"),
                };
                let sum: f64 = values.iter().sum();
                let figure = if question.figure.starts_with("avg") { sum / values.len() as f64 } else { sum };
                (values.len() >= 10).then_some(figure)
            }
            Self::Ours(tester) => {
                let sql = format!("select {} from units where {}", question.figure, question.condition);
                let rows = tester.rows(&sql).await.unwrap_or_default();
                rows.first().and_then(|row| row.parse().ok())
            }
        }
    }
}

/// How one attack went: the share of its targets whose value was got right, in per cent.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub attack: &'static str,
    pub targets: usize,
    pub threshold: f64,
    pub ours: f64,
    pub guess: f64,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { attack, targets, threshold, ours, guess } = self;
        write!(f, "{attack:<46} {targets:>7} {threshold:>10.1} % {ours:>8.1} % {guess:>8.1} %")
    }
}

/// The head of the table of outcomes.
pub const HEAD: &str =
    "attack                                         targets  threshold 10     ours   best guess";
