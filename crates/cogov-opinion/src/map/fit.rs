//! The fit: variational Bayes for votes as products of loads and positions, with noise of each statement's own.
//!
//! The model is probabilistic principal components with missing values: `vote = levelᵢ + loadᵢ·positionᵤ + noise`, positions
//! standard normal, levels and loads normal with precisions that are estimated too, so that a factor without support
//! shrinks to nothing (automatic relevance determination). See Ilin and Raiko, *Practical Approaches to Principal Component
//! Analysis in the Presence of Missing Values*, JMLR 11 (2010), section 3; the noise by statement, drawn towards the common
//! one by [`NOISE_WEIGHT`] votes, is ours. One round passes once over the votes: positions, and with them the sums from which
//! every statement's equations follow.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "numeric kernels over arrays of fixed length and columns of the sheet"
)]

use super::model::{FACTORS, Model, Pull, WIDE, stand};
use super::sheet::{SMALL, Sheet};
use super::small::{
    Square, apply, cholesky, dot, eigen, identity, invert, invert_lower, multiply, transpose,
};
use super::start::start;
use rayon::prelude::*;
use std::ops::Range;

/// Rounds of a fit from its start. More rounds fit the votes at hand better and votes held out worse.
pub const ROUNDS: usize = 12;
/// How many votes the common noise counts for in a statement's own.
const NOISE_WEIGHT: f64 = 30.0;
/// Noise below this would let one vote decide.
const LEAST_NOISE: f64 = 0.02;
/// Numbers of a symmetric matrix of level and factors.
const PACKED: usize = WIDE * (WIDE + 1) / 2;

/// Fits from the canonical start.
#[must_use]
pub fn fit(sheet: &Sheet<'_>, active: &[bool]) -> Model {
    let mut model = start(sheet, active);
    for _ in 0..ROUNDS {
        round(sheet, &mut model);
    }
    model.orient();
    model
}

/// Sums over the votes on one statement.
#[derive(Debug, Clone, Copy)]
struct Sums {
    /// `Σ E[(1, z)(1, z)ᵀ]`, lower triangle by rows.
    square: [f64; PACKED],
    /// `Σ x·E[(1, z)]`.
    cross: [f64; WIDE],
    /// `Σ x²`.
    votes: f64,
}

const NOTHING: Sums = Sums { square: [0.0; PACKED], cross: [0.0; WIDE], votes: 0.0 };

/// Sums over the participants.
#[derive(Debug, Clone, Copy)]
struct People {
    count: f64,
    mean: [f64; FACTORS],
    square: Square<FACTORS>,
}

/// What one part of the rows gives to the equations of every statement.
#[derive(Debug, Clone)]
pub struct Gathered {
    sums: Vec<Sums>,
    people: People,
}

/// One round: positions by the loads, then loads by the positions.
pub fn round(sheet: &Sheet<'_>, model: &mut Model) {
    let pulls = model.pulls();
    let part = |rows: Range<usize>| gather(sheet, &pulls, rows);
    let parts: Vec<Gathered> = if sheet.votes() < SMALL {
        sheet.parts().into_iter().map(part).collect()
    } else {
        sheet.parts().into_par_iter().map(part).collect()
    };
    improve(model, &parts.iter().collect::<Vec<_>>());
}

/// Loads by what the parts of all rows gathered, in the order of the parts.
pub fn improve(model: &mut Model, parts: &[&Gathered]) {
    let Some((first, others)) = parts.split_first() else { return };
    let Gathered { mut sums, mut people } = (*first).clone();
    for part in others {
        for (sum, other) in sums.iter_mut().zip(&part.sums) {
            sum.add(other);
        }
        people.add(&part.people);
    }
    if people.count > 0.0 {
        let (change, shift) = standardise(&people, model);
        for sum in &mut sums {
            sum.change(&change, &shift);
        }
        solve(model, &sums);
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        for (to, what) in self.square.iter_mut().zip(&other.square) {
            *to += what;
        }
        for (to, what) in self.cross.iter_mut().zip(&other.cross) {
            *to += what;
        }
        self.votes += other.votes;
    }

    fn matrix(&self) -> Square<WIDE> {
        let mut out = [[0.0; WIDE]; WIDE];
        let mut at = 0;
        for i in 0..WIDE {
            for j in 0..=i {
                out[i][j] = self.square[at];
                out[j][i] = self.square[at];
                at += 1;
            }
        }
        out
    }

    /// The sums as if positions had been `change·(z − shift)`.
    fn change(&mut self, change: &Square<FACTORS>, shift: &[f64; FACTORS]) {
        let moved = apply(change, shift);
        let mut wide = [[0.0; WIDE]; WIDE];
        wide[0][0] = 1.0;
        for i in 0..FACTORS {
            wide[i + 1][0] = -moved[i];
            for j in 0..FACTORS {
                wide[i + 1][j + 1] = change[i][j];
            }
        }
        let square = multiply(&multiply(&wide, &self.matrix()), &transpose(&wide));
        let mut at = 0;
        for (i, row) in square.iter().enumerate() {
            for value in row.iter().take(i + 1) {
                self.square[at] = *value;
                at += 1;
            }
        }
        self.cross = apply(&wide, &self.cross);
    }
}

impl People {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        for i in 0..FACTORS {
            self.mean[i] += other.mean[i];
            for j in 0..FACTORS {
                self.square[i][j] += other.square[i][j];
            }
        }
    }
}

/// Positions of some rows and the sums of their votes.
pub fn gather(sheet: &Sheet<'_>, pulls: &[Pull], rows: Range<usize>) -> Gathered {
    let mut sums = vec![NOTHING; sheet.width()];
    let mut people = People { count: 0.0, mean: [0.0; FACTORS], square: [[0.0; FACTORS]; FACTORS] };
    for row in rows {
        let (columns, values) = sheet.row(row);
        if columns.is_empty() {
            continue;
        }
        let stand = stand(pulls, columns, values);
        people.count += 1.0;
        let mut wide = [1.0; WIDE];
        let mut square = [0.0; PACKED];
        square[0] = 1.0;
        let mut at = 1;
        for i in 0..FACTORS {
            wide[i + 1] = stand.mean[i];
            people.mean[i] += stand.mean[i];
            square[at] = stand.mean[i];
            at += 1;
            for j in 0..FACTORS {
                let second = stand.mean[i] * stand.mean[j] + stand.covariance[i][j];
                people.square[i][j] += second;
                if j <= i {
                    square[at] = second;
                    at += 1;
                }
            }
        }
        for (column, value) in columns.iter().zip(values) {
            let sum = &mut sums[*column as usize];
            for (to, what) in sum.square.iter_mut().zip(&square) {
                *to += what;
            }
            if *value != 0 {
                let x = f64::from(*value);
                for (to, what) in sum.cross.iter_mut().zip(&wide) {
                    *to += x * what;
                }
                sum.votes += 1.0;
            }
        }
    }
    Gathered { sums, people }
}

/// The change `z ← R·(z − shift)` that makes positions standard again and loads independent (Ilin and Raiko, section 4.2);
/// it speeds the rounds up and does not alter what they converge to.
fn standardise(people: &People, model: &Model) -> (Square<FACTORS>, [f64; FACTORS]) {
    let shift = people.mean.map(|sum| sum / people.count);
    let mut spread = [[0.0; FACTORS]; FACTORS];
    for i in 0..FACTORS {
        for j in 0..FACTORS {
            spread[i][j] = people.square[i][j] / people.count - shift[i] * shift[j];
        }
    }
    let root = cholesky(&spread);
    let back = transpose(&root);
    let mut gram = [[0.0; FACTORS]; FACTORS];
    for item in model.items.iter().filter(|item| item.active) {
        let load = apply(&back, &item.load());
        for i in 0..FACTORS {
            for j in 0..FACTORS {
                gram[i][j] += load[i] * load[j];
            }
        }
    }
    let (_, turn) = eigen(&gram);
    (multiply(&turn, &invert_lower(&root)), shift)
}

/// Levels, loads, noise and precisions from the sums.
fn solve(model: &mut Model, sums: &[Sums]) {
    let (middle, tightness) = model.level;
    let mut prior = identity::<WIDE>();
    prior[0][0] = tightness;
    for k in 0..FACTORS {
        prior[k + 1][k + 1] = model.precision[k];
    }
    let mut residuals = vec![0.0; sums.len()];
    for ((item, sum), residual) in model.items.iter_mut().zip(sums).zip(&mut residuals) {
        if !item.active {
            continue;
        }
        let square = sum.matrix();
        let weight = 1.0 / item.noise;
        let mut equations = prior;
        let mut right = sum.cross.map(|x| x * weight);
        right[0] += tightness * middle;
        for i in 0..WIDE {
            for j in 0..WIDE {
                equations[i][j] += weight * square[i][j];
            }
        }
        item.covariance = invert(&equations);
        item.mean = apply(&item.covariance, &right);
        *residual =
            sum.votes - 2.0 * dot(&item.mean, &sum.cross) + expected(&square, &item.mean, &item.covariance);
    }
    noise(model, sums, &residuals);
    precisions(model);
}

/// `tr(E[w wᵀ]·S)`.
fn expected(square: &Square<WIDE>, mean: &[f64; WIDE], covariance: &Square<WIDE>) -> f64 {
    let mut sum = 0.0;
    for i in 0..WIDE {
        for j in 0..WIDE {
            sum += square[i][j] * (mean[i] * mean[j] + covariance[i][j]);
        }
    }
    sum
}

fn noise(model: &mut Model, sums: &[Sums], residuals: &[f64]) {
    let (mut total, mut votes) = (0.0, 0.0);
    for ((item, sum), residual) in model.items.iter().zip(sums).zip(residuals) {
        if item.active {
            total += residual;
            votes += sum.square[0];
        }
    }
    let common = total / f64::max(votes, 1.0);
    for ((item, sum), residual) in model.items.iter_mut().zip(sums).zip(residuals) {
        let own = (residual + NOISE_WEIGHT * common) / (sum.square[0] + NOISE_WEIGHT);
        item.noise = own.max(LEAST_NOISE);
    }
}

fn precisions(model: &mut Model) {
    let active = || model.items.iter().filter(|item| item.active);
    let count = active().count().max(1) as f64;
    let middle = active().map(|item| item.mean[0]).sum::<f64>() / count;
    let spread = active().map(|i| (i.mean[0] - middle).powi(2) + i.covariance[0][0]).sum::<f64>();
    let precision = std::array::from_fn(|k| {
        let energy: f64 = active().map(|i| i.mean[k + 1].powi(2) + i.covariance[k + 1][k + 1]).sum();
        count / energy.max(1e-9)
    });
    model.level = (middle, count / spread.max(1e-9));
    model.precision = precision;
}
