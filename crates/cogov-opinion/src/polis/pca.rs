//! Two principal components by power iteration over the sparse matrix, and places of participants and statements.
#![allow(clippy::indexing_slicing, reason = "rows and columns of one matrix")]

use super::matrix::Matrix;
use crate::hash::{mix_all, unit};

/// Power iterations for each component.
const ITERATIONS: usize = 100;

/// Centre and two components, by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Column means of the votes cast.
    pub centre: Vec<f64>,
    /// Components of length one.
    pub components: [Vec<f64>; 2],
}

impl Pca {
    /// The components of a matrix. Missing votes are the column's mean, so once centred they are nothing.
    #[must_use]
    pub fn of(matrix: &Matrix) -> Self {
        let centre = centre(matrix);
        let first = iterate(matrix, &centre, None);
        let second = iterate(matrix, &centre, Some(&first));
        Self { centre, components: [first, second] }
    }

    /// Places of the rows: over the votes cast only, times `√(statements / votes)`.
    #[must_use]
    pub fn project(&self, matrix: &Matrix) -> Vec<[f64; 2]> {
        let width = matrix.statements.len() as f64;
        (0..matrix.participants.len())
            .map(|row| {
                let mut place = [0.0; 2];
                let (votes, count) = matrix.seen(row);
                for (column, value) in votes {
                    for (sum, component) in place.iter_mut().zip(&self.components) {
                        *sum += (value - self.centre[column]) * component[column];
                    }
                }
                place.map(|sum| sum * (width / count.max(1) as f64).sqrt())
            })
            .collect()
    }

    /// Places of the statements: of somebody who agrees with that one and has seen no other.
    #[must_use]
    pub fn comment_projections(&self) -> Vec<[f64; 2]> {
        let width = (self.centre.len() as f64).sqrt();
        (0..self.centre.len())
            .map(|column| {
                std::array::from_fn(|k| {
                    let component = self.components[k][column];
                    if component == 0.0 { 0.0 } else { (-1.0 - self.centre[column]) * component * width }
                })
            })
            .collect()
    }

    /// How far from the middle each statement's place is.
    #[must_use]
    pub fn extremity(&self) -> Vec<f64> {
        self.comment_projections().iter().map(|[x, y]| (x * x + y * y).sqrt()).collect()
    }

    /// The vote expected of a row by Polis' picture of it: the centre and its place along the components, agree 1.
    #[must_use]
    pub fn predict(&self, place: [f64; 2], column: usize) -> f64 {
        let sum: f64 = self.components.iter().zip(place).map(|(c, at)| c[column] * at).sum();
        -(self.centre[column] + sum).clamp(-1.0, 1.0)
    }
}

/// Column means of the votes cast; columns that are moderated out, or that nobody voted on, have 0.
#[must_use]
pub fn centre(matrix: &Matrix) -> Vec<f64> {
    let width = matrix.statements.len();
    let (mut sums, mut counts) = (vec![0.0; width], vec![0.0; width]);
    for (column, value) in matrix.cells.iter().flatten() {
        if !matrix.out[*column] {
            sums[*column] += value;
            counts[*column] += 1.0;
        }
    }
    sums.iter().zip(counts).map(|(sum, count)| if count > 0.0 { sum / count } else { 0.0 }).collect()
}

/// One component, orthogonal to the one before.
fn iterate(matrix: &Matrix, centre: &[f64], before: Option<&Vec<f64>>) -> Vec<f64> {
    let mut vector: Vec<f64> = (0..centre.len())
        .map(|column| 0.5 + unit(mix_all(&[column as u64, u64::from(before.is_some())])))
        .collect();
    for _ in 0..ITERATIONS {
        deflate(&mut vector, before);
        vector = gram_times(matrix, centre, &vector);
        deflate(&mut vector, before);
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length == 0.0 {
            break;
        }
        for value in &mut vector {
            *value /= length;
        }
    }
    vector
}

fn deflate(vector: &mut [f64], before: Option<&Vec<f64>>) {
    let Some(before) = before else { return };
    let along: f64 = vector.iter().zip(before).map(|(a, b)| a * b).sum();
    for (value, other) in vector.iter_mut().zip(before) {
        *value -= along * other;
    }
}

/// `DᵀD·v` with the centred matrix `D`, whose missing votes are nothing.
fn gram_times(matrix: &Matrix, centre: &[f64], vector: &[f64]) -> Vec<f64> {
    let mut image = vec![0.0; vector.len()];
    for row in &matrix.cells {
        let votes = || row.iter().filter(|(column, _)| !matrix.out[*column]);
        let score: f64 = votes().map(|(column, value)| (value - centre[*column]) * vector[*column]).sum();
        for (column, value) in votes() {
            image[*column] += (value - centre[*column]) * score;
        }
    }
    image
}
