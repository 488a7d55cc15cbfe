//! What is learned from a conversation before anybody is placed: loads, and how many groups come back.
//!
//! Up to [`SAMPLE`] participants everybody is fitted. Beyond, the rounds from the start use the participants with the
//! smallest hashes, and the last round everybody; which ones they are depends on their numbers alone. So what a vote
//! outside the samples cannot change need not be computed again, and starting over gives the same to the last bit.
#![allow(clippy::indexing_slicing, reason = "rows of the matrix that is passed in")]

use super::cluster::cluster;
use super::fit::{Gathered, fit, gather, improve};
use super::model::{FACTORS, Item, Model, WIDE};
use super::sheet::Sheet;
use super::stability::{GROUPS, Stability, place, stability};
use crate::hash::{mix, mix_all};
use crate::votes::Votes;
use rayon::prelude::*;
use std::sync::Arc;

/// More participants than this are sampled for the first rounds.
pub const SAMPLE: usize = 8_000;
/// More participants than this are sampled for the question whether groups come back; twice, four or eight times as many
/// where statements are so many that these have too few votes on each.
pub const STABILITY_SAMPLE: usize = 1_500;
/// How often that number is doubled at most.
const STEPS: u32 = 3;
/// Votes on a statement, in the mean, from which half of them show how it divides people.
const TELLING_VOTES: usize = 80;
/// How often the votes of so many are thrown into two halves. Of more people less often: chance moves them less.
const TIMES: u64 = 8;
/// At least so often.
const LEAST_TIMES: u64 = 2;

/// The part of a picture that a vote outside the samples does not change.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The model of the sample, under a hash of the sampled votes.
    model: (u64, Model),
    /// How well groups come back, under a hash of the votes that were compared.
    stability: (u64, Stability),
    /// How far apart the groups of those compared lie, for each number of groups.
    pub separation: Vec<f64>,
    /// The last round over everybody.
    last: LastRound,
}

/// What each part of the rows gave to the last round, under a hash of the model that it began with and the votes in the part.
#[derive(Debug, Clone, Default)]
struct LastRound(Vec<(u64, Arc<Gathered>)>);

/// Learns, leaving out what is `known` from the same votes.
#[must_use]
pub fn learn(votes: &Votes, active: &[bool], placed: &[usize], known: Option<&Learned>) -> Learned {
    let whole = Sheet::whole(votes);
    let everybody: Vec<usize> = (0..whole.height()).collect();
    let rows = sample(votes, &everybody, SAMPLE);
    let compared = sample(votes, placed, STABILITY_SAMPLE << step(votes, placed));
    let keep = |_: usize, column: u32, _: i8| active[column as usize];
    let hash = fingerprint(votes, active, &rows);
    let model = known.filter(|known| known.model.0 == hash).map(|known| known.model.1.clone());
    let model = model.unwrap_or_else(|| fit(&whole.pick(&rows, keep), active));
    let sheet = whole.pick(&compared, keep);
    let halves = fingerprint(votes, active, &compared);
    let stable = known.filter(|known| known.stability.0 == halves).map(|known| known.stability.1.clone());
    let stable = stable.unwrap_or_else(|| {
        let names: Vec<u64> = compared.iter().map(|row| content(votes, *row)).collect();
        stability(&sheet, active, &names, times(compared.len()))
    });
    let points = place(&sheet, &model);
    let separation = GROUPS.map(|count| cluster(&points, count).silhouette).collect();
    let last = known.map(|known| known.last.clone()).unwrap_or_default();
    Learned { model: (hash, model), stability: (halves, stable), separation, last }
}

/// How often the votes of so many are thrown into two halves.
fn times(compared: usize) -> u64 {
    (TIMES * STABILITY_SAMPLE as u64 / compared.max(STABILITY_SAMPLE) as u64).max(LEAST_TIMES)
}

/// How often the number of those compared is doubled. In steps, so that one vote seldom changes it.
fn step(votes: &Votes, placed: &[usize]) -> u32 {
    let wanted = TELLING_VOTES * votes.statements().len();
    let cast: usize = placed.iter().map(|row| votes.row(*row).0.len()).sum();
    let enough = |people: usize| people.saturating_mul(cast) >= wanted.saturating_mul(placed.len());
    (0..STEPS).find(|step| enough(STABILITY_SAMPLE << step)).unwrap_or(STEPS)
}

impl Learned {
    /// How well groups come back, by their number.
    #[must_use]
    pub const fn stability(&self) -> &Stability {
        &self.stability.1
    }

    /// The model for everybody. Keeps what the parts of the rows gave, for the next time.
    #[must_use]
    pub fn finish(&mut self, votes: &Votes, active: &[bool]) -> Model {
        let mut model = self.model.1.clone();
        if votes.participants().len() > SAMPLE {
            let sheet = Sheet::whole(votes);
            let woken = wake(&mut model, &sheet, active);
            let start = mix_all(&[self.model.0, woken]);
            self.last = self.last.again(&sheet, &model, start);
            let parts: Vec<&Gathered> = self.last.0.iter().map(|(_, part)| part.as_ref()).collect();
            improve(&mut model, &parts);
            model.orient();
        }
        model
    }
}

impl LastRound {
    /// The round from a model, whose hash is `start`: parts whose votes are as they were are kept.
    fn again(&self, sheet: &Sheet<'_>, model: &Model, start: u64) -> Self {
        let pulls = model.pulls();
        let parts = sheet.parts().into_par_iter().enumerate().map(|(at, rows)| {
            let hash = mix_all(&[start, sheet.hash(rows.clone())]);
            let known = self.0.get(at).filter(|(known, _)| *known == hash);
            let part =
                known.map_or_else(|| Arc::new(gather(sheet, &pulls, rows)), |(_, part)| Arc::clone(part));
            (hash, part)
        });
        Self(parts.collect())
    }
}

/// Statements that nobody of the sample voted on begin as an average one without loads. Answers a hash of which they are.
fn wake(model: &mut Model, sheet: &Sheet<'_>, active: &[bool]) -> u64 {
    let asleep: Vec<bool> = model.items.iter().zip(active).map(|(item, on)| *on && !item.active).collect();
    if !asleep.contains(&true) {
        return 0;
    }
    let mut voted = vec![false; sheet.width()];
    for row in 0..sheet.height() {
        for column in sheet.row(row).0 {
            voted[*column as usize] = true;
        }
    }
    let awake: Vec<f64> = model.items.iter().filter(|i| i.active).map(|i| i.noise).collect();
    let noise = awake.iter().sum::<f64>() / awake.len().max(1) as f64;
    let mut covariance = [[0.0; WIDE]; WIDE];
    covariance[0][0] = 1.0 / model.level.1;
    for k in 0..FACTORS {
        covariance[k + 1][k + 1] = 1.0 / model.precision[k];
    }
    let mut mean = [0.0; WIDE];
    mean[0] = model.level.0;
    let mut woken = 1;
    for (column, item) in model.items.iter_mut().enumerate() {
        if asleep[column] && voted[column] {
            *item = Item { mean, covariance, noise: noise.max(0.05), active: true };
            woken = mix(woken ^ mix(column as u64));
        }
    }
    woken
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
