//! Are the groups there? Each vote is thrown into one of two halves, each half is fitted and grouped alone, and the two
//! groupings are compared: groups that are there come back from votes that share nothing; groups that a fit invents do not.

use super::cluster::{Point, cluster, rand_index};
use super::fit::fit;
use super::model::{FACTORS, Model, stand};
use super::sheet::Sheet;
use crate::hash::{mix_all, unit};
use rayon::prelude::*;

/// The numbers of groups that are tried.
pub const GROUPS: std::ops::RangeInclusive<usize> = 2..=5;

/// How often the two halves agree, by number of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// Mean adjusted Rand index between the halves, for each of [`GROUPS`].
    pub agreement: Vec<f64>,
    /// Standard deviation of the same over the resamplings.
    pub deviation: Vec<f64>,
}

/// Resamples `times` and compares. `names` are what rows are hashed by.
#[must_use]
pub fn stability(sheet: &Sheet<'_>, active: &[bool], names: &[u64], times: u64) -> Stability {
    let rows: Vec<usize> = (0..sheet.height()).collect();
    let rounds: Vec<Vec<f64>> = (0..times)
        .into_par_iter()
        .map(|time| {
            let half = |row: usize, column: u32| {
                let name = names.get(row).copied().unwrap_or_default();
                unit(mix_all(&[time, name, u64::from(column)])) < 0.5
            };
            let first = sheet.pick(&rows, |row, column, _| half(row, column));
            let second = sheet.pick(&rows, |row, column, _| !half(row, column));
            let (first, second) = (points(&first, active), points(&second, active));
            GROUPS.map(|k| rand_index(&cluster(&first, k).labels, &cluster(&second, k).labels)).collect()
        })
        .collect();
    let count = times.max(1) as f64;
    let column = |k: usize| rounds.iter().filter_map(move |round| round.get(k).copied());
    let agreement: Vec<f64> = GROUPS.enumerate().map(|(k, _)| column(k).sum::<f64>() / count).collect();
    let deviation = agreement
        .iter()
        .enumerate()
        .map(|(k, mean)| (column(k).map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt())
        .collect();
    Stability { agreement, deviation }
}

/// Fits a sheet and places its rows.
fn points(sheet: &Sheet<'_>, active: &[bool]) -> Vec<Point> {
    let model = fit(sheet, active);
    place(sheet, &model)
}

/// The points of a sheet's rows, each axis in units of votes.
#[must_use]
pub fn place(sheet: &Sheet<'_>, model: &Model) -> Vec<Point> {
    let (pulls, scales) = (model.pulls(), model.scales());
    (0..sheet.height())
        .into_par_iter()
        .with_min_len(1024)
        .map(|row| {
            let (columns, values) = sheet.row(row);
            scaled(&stand(&pulls, columns, values).mean, &scales)
        })
        .collect()
}

/// A position with each axis in units of votes.
#[must_use]
pub fn scaled(position: &[f64; FACTORS], scales: &[f64; FACTORS]) -> Point {
    let mut point = *position;
    for (value, scale) in point.iter_mut().zip(scales) {
        *value *= scale;
    }
    point
}
