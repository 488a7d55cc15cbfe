//! Where a fit starts: the leading directions of the votes around their column means, by subspace iteration.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "numeric kernels over arrays of fixed length and columns of the sheet"
)]

use super::model::{FACTORS, Item, Model, WIDE};
use super::sheet::{SMALL, Sheet};
use super::small::{Square, cholesky, eigen, invert_lower};
use crate::hash::{mix_all, unit};
use rayon::prelude::*;

/// Directions that are iterated: the factors and two more, which let the factors settle sooner.
const WIDTH: usize = FACTORS + 2;
/// How often the votes are passed over.
const PASSES: usize = 12;
/// Share of the spread that is taken for noise before anything is known.
const NOISE: f64 = 0.7;

type Directions = Vec<[f64; WIDTH]>;

/// A model of column means and leading directions. The beginning is a hash of the column's number, and forgotten by the end.
#[must_use]
pub fn start(sheet: &Sheet<'_>, active: &[bool]) -> Model {
    let (sums, counts) = column_sums(sheet);
    let means: Vec<f64> = sums.iter().zip(&counts).map(|(s, n)| if *n > 0.0 { s / n } else { 0.0 }).collect();
    let used: Vec<bool> = active.iter().zip(&counts).map(|(a, n)| *a && *n > 0.0).collect();
    let mut directions: Directions = (0..sheet.width())
        .map(|column| {
            std::array::from_fn(|k| {
                if used[column] { unit(mix_all(&[column as u64, k as u64])) - 0.5 } else { 0.0 }
            })
        })
        .collect();
    let mut spread = [0.0; WIDTH];
    for _ in 0..PASSES {
        orthonormalise(&mut directions);
        let (image, gram) = pass(sheet, &means, &used, &directions);
        let (values, turn) = eigen(&gram);
        spread = values;
        directions = image;
        turn_all(&mut directions, &turn);
    }
    orthonormalise(&mut directions);
    assemble(sheet, &means, &used, &directions, &spread)
}

/// Sum of votes and number of votes by column.
fn column_sums(sheet: &Sheet<'_>) -> (Vec<f64>, Vec<f64>) {
    let (mut sums, mut counts) = (vec![0.0; sheet.width()], vec![0.0; sheet.width()]);
    for row in 0..sheet.height() {
        let (columns, values) = sheet.row(row);
        for (column, value) in columns.iter().zip(values) {
            sums[*column as usize] += f64::from(*value);
            counts[*column as usize] += 1.0;
        }
    }
    (sums, counts)
}

/// `DᵀD·V` and `VᵀDᵀD·V`, where `D` are the votes less their column means.
fn pass(
    sheet: &Sheet<'_>,
    means: &[f64],
    used: &[bool],
    directions: &Directions,
) -> (Directions, Square<WIDTH>) {
    let part = |rows: std::ops::Range<usize>| {
        let mut image: Directions = vec![[0.0; WIDTH]; sheet.width()];
        let mut gram = [[0.0; WIDTH]; WIDTH];
        for row in rows {
            let (columns, values) = sheet.row(row);
            let mut score = [0.0; WIDTH];
            for (column, value) in columns.iter().zip(values) {
                let column = *column as usize;
                let centred = f64::from(*value) - means[column];
                for (sum, direction) in score.iter_mut().zip(&directions[column]) {
                    *sum += centred * direction;
                }
            }
            for (column, value) in columns.iter().zip(values) {
                let column = *column as usize;
                let centred = if used[column] { f64::from(*value) - means[column] } else { 0.0 };
                for (sum, part) in image[column].iter_mut().zip(&score) {
                    *sum += centred * part;
                }
            }
            for i in 0..WIDTH {
                for j in 0..WIDTH {
                    gram[i][j] += score[i] * score[j];
                }
            }
        }
        (image, gram)
    };
    let done: Vec<(Directions, Square<WIDTH>)> = if sheet.votes() < SMALL {
        sheet.parts().into_iter().map(part).collect()
    } else {
        sheet.parts().into_par_iter().map(part).collect()
    };
    let mut parts = done.into_iter();
    let Some((mut image, mut gram)) = parts.next() else {
        return (vec![[0.0; WIDTH]; sheet.width()], [[0.0; WIDTH]; WIDTH]);
    };
    for (other, square) in parts {
        add(&mut image, &other);
        add(&mut gram, &square);
    }
    (image, gram)
}

fn add<const N: usize>(to: &mut [[f64; N]], what: &[[f64; N]]) {
    for (to, what) in to.iter_mut().zip(what) {
        for (to, what) in to.iter_mut().zip(what) {
            *to += what;
        }
    }
}

/// Makes the directions orthogonal and of length one (Cholesky QR); what has no length stays small.
fn orthonormalise(directions: &mut Directions) {
    for _ in 0..2 {
        let mut gram = [[0.0; WIDTH]; WIDTH];
        for row in directions.iter() {
            for i in 0..WIDTH {
                for j in 0..WIDTH {
                    gram[i][j] += row[i] * row[j];
                }
            }
        }
        let largest = (0..WIDTH).map(|i| gram[i][i]).fold(1e-300, f64::max);
        for (i, row) in gram.iter_mut().enumerate() {
            row[i] += largest * 1e-14;
        }
        let scale = 1.0 / largest;
        let gram = gram.map(|row| row.map(|x| x * scale));
        let inverse = invert_lower(&cholesky(&gram));
        turn_all(directions, &inverse);
        let root = scale.sqrt();
        for row in directions.iter_mut() {
            *row = row.map(|x| x * root);
        }
    }
}

/// `V ← V·turnᵀ`.
fn turn_all(directions: &mut Directions, turn: &Square<WIDTH>) {
    for row in directions.iter_mut() {
        *row = super::small::apply(turn, row);
    }
}

fn assemble(
    sheet: &Sheet<'_>,
    means: &[f64],
    used: &[bool],
    directions: &Directions,
    spread: &[f64; WIDTH],
) -> Model {
    let count = used.iter().filter(|u| **u).count().max(1) as f64;
    let rows = sheet.height().max(1) as f64;
    let fill = (sheet.votes() as f64 / (rows * count)).max(1e-3);
    let strength: [f64; FACTORS] = std::array::from_fn(|k| (spread[k].max(0.0) / rows).sqrt() / fill);
    let (mut squares, mut sum, mut total) = (0.0, 0.0, 0.0);
    for row in 0..sheet.height() {
        let (columns, values) = sheet.row(row);
        for (column, value) in columns.iter().zip(values).filter(|(c, _)| used[**c as usize]) {
            let centred = f64::from(*value) - means[*column as usize];
            squares += centred * centred;
            sum += f64::from(*value);
            total += 1.0;
        }
    }
    let total = f64::max(total, 1.0);
    let noise = (NOISE * squares / total).max(0.05);
    let middle = means.iter().zip(used).filter(|(_, u)| **u).map(|(m, _)| m).sum::<f64>() / count;
    let variance =
        means.iter().zip(used).filter(|(_, u)| **u).map(|(m, _)| (m - middle).powi(2)).sum::<f64>() / count;
    let items = (0..sheet.width())
        .map(|column| Item {
            mean: std::array::from_fn(|k| match k {
                0 => means[column],
                k => directions[column][k - 1] * strength[k - 1],
            }),
            covariance: [[0.0; WIDE]; WIDE],
            noise,
            active: used[column],
        })
        .collect();
    Model { items, level: (sum / total, 1.0 / variance.max(0.05)), precision: [1.0; FACTORS] }
}
