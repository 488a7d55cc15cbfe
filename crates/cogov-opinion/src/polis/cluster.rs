//! Base clusters, groups of base clusters, and how their number is chosen.
#![allow(clippy::indexing_slicing, reason = "labels are numbers of centres and points")]

/// Base clusters at most.
const BASE: usize = 100;
/// Rounds of k-means for base clusters, and for groups.
const ROUNDS: (usize, usize) = (100, 20);
/// Centres that move less are at rest.
const REST: f64 = 0.01;
/// Groups at most.
const GROUPS: usize = 5;
/// Wins in a row after which another number of groups is shown.
const WINS: usize = 4;

type Point = [f64; 2];

/// Participants who stand about in the same place.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseCluster {
    /// Rows that belong to it.
    pub members: Vec<usize>,
    /// Mean of their places.
    pub centre: Point,
}

/// A group of base clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupCluster {
    /// Numbers of its base clusters.
    pub members: Vec<usize>,
    /// Mean of their centres, weighted by their sizes.
    pub centre: Point,
}

/// Remembers which number of groups is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Smoother {
    shown: Option<usize>,
    winner: Option<usize>,
    wins: usize,
}

impl Smoother {
    /// Takes the number of groups that won now; answers the one to show: another one only after four wins in a row.
    pub fn take(&mut self, winner: usize) -> usize {
        self.wins = if self.winner == Some(winner) { self.wins + 1 } else { 1 };
        self.winner = Some(winner);
        if self.shown.is_none() || self.wins >= WINS {
            self.shown = Some(winner);
        }
        self.shown.unwrap_or(winner)
    }
}

/// k-means with a hundred centres, started from the first hundred distinct places.
#[must_use]
pub fn base_clusters(rows: &[usize], points: &[Point]) -> Vec<BaseCluster> {
    let weights = vec![1.0; points.len()];
    let (labels, centres) = kmeans(points, &weights, BASE, ROUNDS.0);
    let clusters = (0..centres.len()).map(|number| {
        let members = |at: &usize| labels[*at] == number;
        let at: Vec<usize> = (0..points.len()).filter(members).collect();
        let centre = mean(at.iter().map(|i| (points[*i], 1.0)));
        BaseCluster { members: at.iter().map(|i| rows[*i]).collect(), centre }
    });
    clusters.filter(|cluster| !cluster.members.is_empty()).collect()
}

/// Weighted k-means over base clusters for 2 to min(5, 2 + ⌊n/12⌋) groups; the largest silhouette wins.
#[must_use]
pub fn group_clusters(base: &[BaseCluster], smoother: &mut Smoother) -> Vec<GroupCluster> {
    let points: Vec<Point> = base.iter().map(|cluster| cluster.centre).collect();
    let weights: Vec<f64> = base.iter().map(|cluster| cluster.members.len() as f64).collect();
    let most = GROUPS.min(2 + base.len() / 12);
    let tried: Vec<(usize, Vec<usize>)> =
        (2..=most).map(|k| (k, kmeans(&points, &weights, k, ROUNDS.1).0)).collect();
    let mut best: Option<(usize, f64)> = None;
    for (k, labels) in &tried {
        let value = silhouette(&points, labels);
        if best.is_none_or(|(_, most)| value > most) {
            best = Some((*k, value));
        }
    }
    let shown = smoother.take(best.map_or(2, |(k, _)| k));
    let labels = tried.into_iter().find(|(k, _)| *k == shown).map(|(_, labels)| labels).unwrap_or_default();
    let count = labels.iter().max().map_or(0, |most| most + 1);
    let groups = (0..count).map(|number| {
        let members: Vec<usize> = (0..labels.len()).filter(|at| labels[*at] == number).collect();
        let centre = mean(members.iter().map(|at| (points[*at], weights[*at])));
        GroupCluster { members, centre }
    });
    groups.filter(|group| !group.members.is_empty()).collect()
}

/// Mean over the points of `(b − a) / max(a, b)`: `a` the mean distance within the own cluster, `b` to the nearest other.
/// Points alone in their cluster count 0; clusters' weights do not count.
#[must_use]
pub fn silhouette(points: &[Point], labels: &[usize]) -> f64 {
    let count = labels.iter().max().map_or(0, |most| most + 1);
    let one = |at: usize| {
        let (mut sums, mut sizes) = (vec![0.0; count], vec![0.0; count]);
        for other in (0..points.len()).filter(|other| *other != at) {
            sums[labels[other]] += apart(points[at], points[other]).sqrt();
            sizes[labels[other]] += 1.0;
        }
        let own = labels[at];
        if sizes[own] == 0.0 {
            return 0.0;
        }
        let within = sums[own] / sizes[own];
        let next = (0..count)
            .filter(|group| *group != own && sizes[*group] > 0.0)
            .map(|group| sums[group] / sizes[group])
            .fold(f64::INFINITY, f64::min);
        if next.is_finite() { (next - within) / next.max(within).max(1e-300) } else { 0.0 }
    };
    if points.is_empty() { 0.0 } else { (0..points.len()).map(one).sum::<f64>() / points.len() as f64 }
}

/// k-means from the first distinct points, with weights; labels and centres.
fn kmeans(points: &[Point], weights: &[f64], k: usize, rounds: usize) -> (Vec<usize>, Vec<Point>) {
    let mut centres: Vec<Point> = Vec::new();
    for point in points {
        if centres.len() < k && !centres.contains(point) {
            centres.push(*point);
        }
    }
    let mut labels = vec![0; points.len()];
    for _ in 0..rounds {
        labels = points.iter().map(|point| nearest(*point, &centres)).collect();
        let next: Vec<Point> = (0..centres.len())
            .map(|number| {
                let members = (0..points.len()).filter(|at| labels[*at] == number);
                let mut members = members.map(|at| (points[at], weights[at])).peekable();
                if members.peek().is_none() { centres[number] } else { mean(members) }
            })
            .collect();
        let moved = at_rest(&centres, &next);
        centres = next;
        if moved {
            break;
        }
    }
    (labels, centres)
}

/// Whether the sorted centres have all moved less than a hundredth.
fn at_rest(before: &[Point], after: &[Point]) -> bool {
    let sorted = |centres: &[Point]| {
        let mut centres = centres.to_vec();
        centres.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        centres
    };
    sorted(before).iter().zip(sorted(after)).all(|(a, b)| apart(*a, b).sqrt() < REST)
}

fn nearest(point: Point, centres: &[Point]) -> usize {
    let mut best = (0, f64::INFINITY);
    for (number, centre) in centres.iter().enumerate() {
        let distance = apart(point, *centre);
        if distance < best.1 {
            best = (number, distance);
        }
    }
    best.0
}

fn apart(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// Weighted mean of points.
pub fn mean(points: impl Iterator<Item = (Point, f64)>) -> Point {
    let (mut sum, mut total) = ([0.0; 2], 0.0);
    for (point, weight) in points {
        sum[0] += point[0] * weight;
        sum[1] += point[1] * weight;
        total += weight;
    }
    sum.map(|x| x / f64::max(total, 1e-300))
}

/// Rows of each group.
pub fn members(base: &[BaseCluster], groups: &[GroupCluster]) -> Vec<Vec<usize>> {
    let rows = |group: &GroupCluster| group.members.iter().flat_map(|at| base[*at].members.clone()).collect();
    groups.iter().map(rows).collect()
}

/// Group of each of these rows.
pub fn labels(rows: &[usize], base: &[BaseCluster], groups: &[GroupCluster]) -> Vec<usize> {
    let members = members(base, groups);
    rows.iter().map(|row| members.iter().position(|rows| rows.contains(row)).unwrap_or(0)).collect()
}
