//! What is learned from a conversation before anybody is placed: loads, and how many groups come back.
//!
//! Up to [`SAMPLE`] participants everybody is fitted. Beyond, the rounds from the start use the participants with the
//! smallest hashes, and the last rounds everybody; which ones they are depends on their numbers alone. So what a vote
//! outside the sample cannot change need not be computed again, and starting over gives the same to the last bit.
#![allow(clippy::indexing_slicing, reason = "rows of the matrix that is passed in")]

use super::fit::{fit, round};
use super::model::{FACTORS, Item, Model, WIDE};
use super::sheet::Sheet;
use super::stability::{Stability, stability};
use crate::hash::{mix, mix_all};
use crate::votes::Votes;

/// More participants than this are sampled for the first rounds.
pub const SAMPLE: usize = 8_000;
/// More participants than this are sampled for the question whether groups come back.
pub const STABILITY_SAMPLE: usize = 2_000;
/// Rounds over everybody after the rounds over a sample.
const LAST_ROUNDS: usize = 2;
/// How often votes are thrown into two halves.
const TIMES: u64 = 12;

/// The part of a picture that a vote outside the sample does not change.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// Of what it was learned: a hash of the sampled votes.
    pub fingerprint: u64,
    model: Model,
    /// How well groups come back, by their number.
    pub stability: Option<Stability>,
}

/// Learns, unless `known` was learned from the same votes.
#[must_use]
pub fn learn(votes: &Votes, active: &[bool], placed: &[usize], known: Option<&Learned>) -> Learned {
    let whole = Sheet::whole(votes);
    let everybody: Vec<usize> = (0..whole.height()).collect();
    let rows = sample(votes, &everybody, SAMPLE);
    let compared = sample(votes, placed, STABILITY_SAMPLE);
    let fingerprint = fingerprint(votes, active, &rows) ^ mix(fingerprint(votes, active, &compared));
    if let Some(known) = known.filter(|known| known.fingerprint == fingerprint) {
        return known.clone();
    }
    let keep = |_: usize, column: u32, _: i8| active[column as usize];
    let model = fit(&whole.pick(&rows, keep), active);
    let names: Vec<u64> = compared.iter().map(|row| content(votes, *row)).collect();
    let sheet = whole.pick(&compared, keep);
    let stability = (compared.len() >= 2).then(|| stability(&sheet, active, &names, TIMES));
    Learned { fingerprint, model, stability }
}

impl Learned {
    /// The model for everybody.
    #[must_use]
    pub fn finish(&self, votes: &Votes, active: &[bool]) -> Model {
        let mut model = self.model.clone();
        if votes.participants().len() > SAMPLE {
            let sheet = Sheet::whole(votes);
            wake(&mut model, &sheet, active);
            for _ in 0..LAST_ROUNDS {
                round(&sheet, &mut model);
            }
            model.orient();
        }
        model
    }
}

/// Statements that nobody of the sample voted on begin as an average one without loads.
fn wake(model: &mut Model, sheet: &Sheet<'_>, active: &[bool]) {
    let mut voted = vec![false; sheet.width()];
    for row in 0..sheet.height() {
        for column in sheet.row(row).0 {
            voted[*column as usize] = true;
        }
    }
    let awake: Vec<f64> = model.items.iter().filter(|i| i.active).map(|i| i.noise).collect();
    let noise = awake.iter().sum::<f64>() / awake.len().max(1) as f64;
    for (column, item) in model.items.iter_mut().enumerate() {
        if item.active || !active[column] || !voted[column] {
            continue;
        }
        let mut covariance = [[0.0; WIDE]; WIDE];
        covariance[0][0] = 1.0 / model.level.1;
        for k in 0..FACTORS {
            covariance[k + 1][k + 1] = 1.0 / model.precision[k];
        }
        let mut mean = [0.0; WIDE];
        mean[0] = model.level.0;
        *item = Item { mean, covariance, noise: noise.max(0.05), active: true };
    }
}

/// At most `most` of the rows: those whose participants' numbers hash lowest, in the order of the rows.
fn sample(votes: &Votes, rows: &[usize], most: usize) -> Vec<usize> {
    if rows.len() <= most {
        return rows.to_vec();
    }
    let mut hashed: Vec<(u64, usize)> =
        rows.iter().map(|row| (mix(votes.participants()[*row].0), *row)).collect();
    hashed.select_nth_unstable(most);
    hashed.truncate(most);
    let mut rows: Vec<usize> = hashed.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

/// A hash of what a participant says, whoever it is.
fn content(votes: &Votes, row: usize) -> u64 {
    let (columns, values) = votes.row(row);
    columns.iter().zip(values).fold(0, |sum: u64, (column, value)| {
        let statement = votes.statements()[*column as usize].0;
        sum.wrapping_add(mix_all(&[statement, i64::from(*value) as u64]))
    })
}

fn fingerprint(votes: &Votes, active: &[bool], rows: &[usize]) -> u64 {
    let statements = votes
        .statements()
        .iter()
        .zip(active)
        .fold(0, |state, (statement, active)| mix(state ^ mix_all(&[statement.0, u64::from(*active)])));
    rows.iter().fold(statements, |state, row| {
        mix(state ^ mix_all(&[votes.participants()[*row].0, content(votes, *row)]))
    })
}
