//! What a fit learns of the statements, and what follows from it for participants.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "numeric kernels over arrays of fixed length and columns of the sheet"
)]

use super::small::{Square, dot, eigen, invert};

/// How many directions of opinion a fit looks for; those without support in the votes shrink to nothing.
pub const FACTORS: usize = 4;
/// A level and its factors.
pub const WIDE: usize = FACTORS + 1;

/// What is known of one statement: a vote on it is `level + load · position + noise`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Expected level and loads.
    pub mean: [f64; WIDE],
    /// How unsure they are: their covariance.
    pub covariance: Square<WIDE>,
    /// Variance of the noise.
    pub noise: f64,
    /// Statements that are moderated out, and those without votes, say nothing of anybody.
    pub active: bool,
}

impl Item {
    /// A statement that says nothing of anybody yet, and of which this is expected.
    #[must_use]
    pub fn silent(level: f64) -> Self {
        let mut mean = [0.0; WIDE];
        mean[0] = level;
        Self { mean, covariance: [[0.0; WIDE]; WIDE], noise: 1.0, active: false }
    }

    /// The loads alone.
    #[must_use]
    pub fn load(&self) -> [f64; FACTORS] {
        std::array::from_fn(|k| self.mean[k + 1])
    }

    /// What the statement adds to the equations of who voted on it.
    #[must_use]
    pub fn pull(&self) -> Pull {
        let mut pull =
            Pull { gram: [0.0; FACTORS * (FACTORS + 1) / 2], load: [0.0; FACTORS], shift: [0.0; FACTORS] };
        if !self.active {
            return pull;
        }
        let weight = 1.0 / self.noise;
        let mut at = 0;
        for i in 0..FACTORS {
            for j in 0..=i {
                pull.gram[at] =
                    weight * (self.mean[i + 1] * self.mean[j + 1] + self.covariance[i + 1][j + 1]);
                at += 1;
            }
            pull.load[i] = weight * self.mean[i + 1];
            pull.shift[i] = weight * (self.mean[i + 1] * self.mean[0] + self.covariance[0][i + 1]);
        }
        pull
    }
}

/// A fitted model: votes as the products of statements' loads and participants' positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// One entry per column.
    pub items: Vec<Item>,
    /// Mean and precision of the levels.
    pub level: (f64, f64),
    /// Precision of the loads, by factor.
    pub precision: [f64; FACTORS],
}

/// Where a participant stands, in units of the factors (standard normal beforehand), and how unsure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stand {
    /// Expected position.
    pub mean: [f64; FACTORS],
    /// Its covariance.
    pub covariance: Square<FACTORS>,
}

/// What one statement adds to the equations of a participant who voted on it.
#[derive(Debug, Clone, Copy)]
pub struct Pull {
    gram: [f64; FACTORS * (FACTORS + 1) / 2],
    load: [f64; FACTORS],
    shift: [f64; FACTORS],
}

impl Model {
    /// The participants' equations, statement by statement.
    #[must_use]
    pub fn pulls(&self) -> Vec<Pull> {
        self.items.iter().map(Item::pull).collect()
    }

    /// The vote that is expected of somebody who stands there, between −1 and 1.
    #[must_use]
    pub fn predict(&self, column: usize, stand: &[f64; FACTORS]) -> f64 {
        let Some(item) = self.items.get(column) else { return 0.0 };
        (item.mean[0] + dot(&item.load(), stand)).clamp(-1.0, 1.0)
    }

    /// How far opinions differ along each factor: the root mean square difference in votes, over statements, that one
    /// unit of it makes.
    #[must_use]
    pub fn scales(&self) -> [f64; FACTORS] {
        let count = self.items.iter().filter(|item| item.active).count().max(1) as f64;
        let mut sums = [0.0; FACTORS];
        for item in self.items.iter().filter(|item| item.active) {
            for (sum, load) in sums.iter_mut().zip(item.load()) {
                *sum += load * load;
            }
        }
        sums.map(|sum| (sum / count).sqrt())
    }

    /// Turns the factors so that they are independent and ordered by weight, with signs that the loads alone decide.
    pub fn orient(&mut self) {
        let mut gram = [[0.0; FACTORS]; FACTORS];
        for item in self.items.iter().filter(|item| item.active) {
            let load = item.load();
            for i in 0..FACTORS {
                for j in 0..FACTORS {
                    gram[i][j] += load[i] * load[j];
                }
            }
        }
        let (_, mut turn) = eigen(&gram);
        for axis in &mut turn {
            let skew: f64 =
                self.items.iter().filter(|i| i.active).map(|i| dot(&i.load(), axis).powi(3)).sum();
            if skew < 0.0 {
                for value in axis.iter_mut() {
                    *value = -*value;
                }
            }
        }
        self.turn(&turn);
    }

    /// Applies a rotation (rows are the new axes) to loads and their covariances.
    pub fn turn(&mut self, turn: &Square<FACTORS>) {
        let wide = widen(turn);
        for item in &mut self.items {
            item.mean = super::small::apply(&wide, &item.mean);
            item.covariance = super::small::multiply(
                &super::small::multiply(&wide, &item.covariance),
                &super::small::transpose(&wide),
            );
        }
    }
}

/// The same turn with the level left alone.
fn widen(turn: &Square<FACTORS>) -> Square<WIDE> {
    let mut wide = [[0.0; WIDE]; WIDE];
    wide[0][0] = 1.0;
    for i in 0..FACTORS {
        for j in 0..FACTORS {
            wide[i + 1][j + 1] = turn[i][j];
        }
    }
    wide
}

/// Where somebody with these votes stands.
#[must_use]
pub fn stand(pulls: &[Pull], columns: &[u32], values: &[i8]) -> Stand {
    let mut gram = [0.0; FACTORS * (FACTORS + 1) / 2];
    let mut right = [0.0; FACTORS];
    for (column, value) in columns.iter().zip(values) {
        let pull = &pulls[*column as usize];
        let x = f64::from(*value);
        for (sum, part) in gram.iter_mut().zip(&pull.gram) {
            *sum += part;
        }
        for k in 0..FACTORS {
            right[k] += x * pull.load[k] - pull.shift[k];
        }
    }
    let mut equations = [[0.0; FACTORS]; FACTORS];
    let mut at = 0;
    for i in 0..FACTORS {
        for j in 0..=i {
            equations[i][j] = gram[at];
            equations[j][i] = gram[at];
            at += 1;
        }
        equations[i][i] += 1.0;
    }
    let covariance = invert(&equations);
    Stand { mean: super::small::apply(&covariance, &right), covariance }
}
