//! Groups of positions: k-means from a start that the points alone decide.
#![allow(clippy::indexing_slicing, reason = "labels are numbers of centres")]

use super::model::FACTORS;
use super::sheet::parts;
use super::small::{Square, dot, eigen};
use rayon::prelude::*;

/// A point: a position with each axis in units of votes.
pub type Point = [f64; FACTORS];

/// Rounds of k-means at most.
const ROUNDS: usize = 60;

/// Points in groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// Group of each point: the largest group is 0.
    pub labels: Vec<u8>,
    /// Mean of each group.
    pub centres: Vec<Point>,
    /// Size of each group.
    pub sizes: Vec<usize>,
    /// Mean of `(b − a) / max(a, b)`, `a` the distance to the own centre, `b` to the nearest other.
    pub silhouette: f64,
}

/// Splits the points into `k` groups: the widest group is cut in two across its longest axis until there are `k`, then
/// k-means moves the centres until no point changes. Groups are numbered by size, then by their centres.
#[must_use]
pub fn cluster(points: &[Point], k: usize) -> Clustering {
    let mut labels = vec![0_u8; points.len()];
    let mut count = 1;
    while count < k && cut(points, &mut labels, count) {
        count += 1;
    }
    let mut centres = means(points, &labels, count).0;
    for _ in 0..ROUNDS {
        let next = assign(points, &centres);
        let (moved, sizes) = means(points, &next, count);
        let still = next == labels;
        labels = next;
        for (centre, (mean, size)) in centres.iter_mut().zip(moved.iter().zip(&sizes)) {
            if *size > 0 {
                *centre = *mean;
            }
        }
        if still {
            break;
        }
    }
    finish(points, labels, count)
}

/// The nearest centre of each point; of equally near ones the first.
#[must_use]
pub fn assign(points: &[Point], centres: &[Point]) -> Vec<u8> {
    points.par_iter().with_min_len(2048).map(|point| nearest(point, centres).0).collect()
}

/// Number of the nearest centre, and the distances to it and to the next one.
#[must_use]
pub fn nearest(point: &Point, centres: &[Point]) -> (u8, f64, f64) {
    let (mut best, mut own, mut other) = (0, f64::INFINITY, f64::INFINITY);
    for (number, centre) in centres.iter().enumerate() {
        let distance = apart(point, centre);
        if distance < own {
            other = own;
            own = distance;
            best = number as u8;
        } else if distance < other {
            other = distance;
        }
    }
    (best, own.sqrt(), other.sqrt())
}

/// Squared distance.
fn apart(a: &Point, b: &Point) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Cuts the group with the greatest sum of squares; answers whether there was anything to cut.
fn cut(points: &[Point], labels: &mut [u8], count: usize) -> bool {
    let (centres, sizes) = means(points, labels, count);
    let mut scatter = vec![[[0.0; FACTORS]; FACTORS]; count];
    for (point, label) in points.iter().zip(labels.iter()) {
        let centre = &centres[*label as usize];
        let square: &mut Square<FACTORS> = &mut scatter[*label as usize];
        for i in 0..FACTORS {
            for j in 0..FACTORS {
                square[i][j] += (point[i] - centre[i]) * (point[j] - centre[j]);
            }
        }
    }
    let total = |group: &usize| (0..FACTORS).map(|i| scatter[*group][i][i]).sum::<f64>();
    let widest =
        (0..count).filter(|g| sizes[*g] > 1).max_by(|a, b| total(a).total_cmp(&total(b)).then(b.cmp(a)));
    let Some(widest) = widest.filter(|group| total(group) > 1e-12) else { return false };
    let (_, axes) = eigen(&scatter[widest]);
    let middle = dot(&axes[0], &centres[widest]);
    for (point, label) in points.iter().zip(labels.iter_mut()) {
        if *label as usize == widest && dot(&axes[0], point) > middle {
            *label = count as u8;
        }
    }
    true
}

/// Mean and size of each group, added up in fixed parts.
fn means(points: &[Point], labels: &[u8], count: usize) -> (Vec<Point>, Vec<usize>) {
    let part = |range: std::ops::Range<usize>| {
        let mut sums = vec![[0.0; FACTORS]; count];
        let mut sizes = vec![0_usize; count];
        for (point, label) in points[range.clone()].iter().zip(&labels[range]) {
            for (sum, value) in sums[*label as usize].iter_mut().zip(point) {
                *sum += value;
            }
            sizes[*label as usize] += 1;
        }
        (sums, sizes)
    };
    let done: Vec<_> = parts(points.len()).into_par_iter().with_min_len(4).map(part).collect();
    let (mut sums, mut sizes) = (vec![[0.0; FACTORS]; count], vec![0; count]);
    for (more, others) in done {
        for group in 0..count {
            for k in 0..FACTORS {
                sums[group][k] += more[group][k];
            }
            sizes[group] += others[group];
        }
    }
    for (sum, size) in sums.iter_mut().zip(&sizes) {
        *sum = sum.map(|value| value / (*size).max(1) as f64);
    }
    (sums, sizes)
}

/// Numbers the groups by size, drops empty ones, and measures how far apart they are.
fn finish(points: &[Point], labels: Vec<u8>, count: usize) -> Clustering {
    let (centres, sizes) = means(points, &labels, count);
    let mut order: Vec<usize> = (0..count).filter(|g| sizes[*g] > 0).collect();
    order.sort_by(|a, b| {
        sizes[*b].cmp(&sizes[*a]).then_with(|| {
            let pairs = centres[*a].iter().zip(&centres[*b]);
            pairs.map(|(x, y)| y.total_cmp(x)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        })
    });
    let mut number = vec![0_u8; count];
    for (new, old) in order.iter().enumerate() {
        number[*old] = new as u8;
    }
    let labels: Vec<u8> = labels.iter().map(|label| number[*label as usize]).collect();
    let centres: Vec<Point> = order.iter().map(|g| centres[*g]).collect();
    let sizes: Vec<usize> = order.iter().map(|g| sizes[*g]).collect();
    let silhouette = silhouette(points, &centres);
    Clustering { labels, centres, sizes, silhouette }
}

fn silhouette(points: &[Point], centres: &[Point]) -> f64 {
    if points.is_empty() || centres.len() < 2 {
        return 0.0;
    }
    let one = |point: &Point| {
        let (_, own, other) = nearest(point, centres);
        if other > 0.0 { (other - own) / other } else { 0.0 }
    };
    let sums: Vec<f64> = parts(points.len())
        .into_par_iter()
        .with_min_len(4)
        .map(|range| points[range].iter().map(one).sum::<f64>())
        .collect();
    sums.iter().sum::<f64>() / points.len() as f64
}

/// Adjusted Rand index of two labellings (Hubert and Arabie, 1985): 1 when they are the same up to names, about 0 when they
/// agree no more than by chance. Pairs of `None` are left out by the caller.
#[must_use]
pub fn rand_index(a: &[u8], b: &[u8]) -> f64 {
    let mut table = vec![[0_u64; 256]; 256];
    let (mut rows, mut columns) = ([0_u64; 256], [0_u64; 256]);
    for (x, y) in a.iter().zip(b) {
        table[*x as usize][*y as usize] += 1;
        rows[*x as usize] += 1;
        columns[*y as usize] += 1;
    }
    let pairs = |n: u64| (n * n.saturating_sub(1) / 2) as f64;
    let together: f64 = table.iter().flatten().map(|n| pairs(*n)).sum();
    let (left, right): (f64, f64) =
        (rows.iter().map(|n| pairs(*n)).sum(), columns.iter().map(|n| pairs(*n)).sum());
    let all = pairs(a.len().min(b.len()) as u64);
    if all == 0.0 {
        return 1.0;
    }
    let expected = left * right / all;
    let most = f64::midpoint(left, right);
    if (most - expected).abs() < 1e-12 { 1.0 } else { (together - expected) / (most - expected) }
}
