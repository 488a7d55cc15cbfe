//! Figures from noisy sums, each with its margin of error at 95 %.
//!
//! Margins are those of the noise alone. Of quotients they follow from the first derivatives (delta method), which
//! holds since groups too small for it are not shown.

use super::measure::Figure;
use super::quantise::{LEVELS, Range};
use crate::noise::{Ladder, Z95};

/// A noisy measure of one group.
pub(super) enum Drawn {
    /// A sum, with the standard deviation of its noise.
    Sum(f64, f64),
    /// Counts by bins, with the standard deviation of each.
    Bins(Ladder, f64),
}

/// A figure with its margin; neither where nothing can be said.
pub(super) type Shown = Option<(f64, f64)>;

/// The figure of a group.
pub(super) fn show(figure: &Figure, drawn: &[Drawn]) -> Shown {
    let sum = |place: usize| match drawn.get(place) {
        Some(Drawn::Sum(value, sigma)) => Some((*value, *sigma)),
        _ => None,
    };
    match *figure {
        Figure::Count(place) => sum(place).map(|(value, sigma)| (value.max(0.0), Z95 * sigma)),
        Figure::Whole { sum: place, range } => {
            let (value, sigma) = sum(place)?;
            let unit = range.size() / levels();
            Some((value * unit, Z95 * sigma * unit))
        }
        Figure::Sum { sum: place, count, range } => {
            let ((distances, noise), (count, count_noise)) = (sum(place)?, sum(count)?);
            let (unit, middle) = (range.half() / levels(), range.middle());
            let sigma = (noise * unit).hypot(count_noise * middle);
            Some((distances * unit + count * middle, Z95 * sigma))
        }
        Figure::Average { sum: place, count, range } => average(sum(place)?, sum(count)?, range),
        Figure::Spread { sum: place, squares, count, range, sample, root } => {
            let (value, sigma) = spread(sum(place)?, sum(squares)?, sum(count)?, range, sample)?;
            if !root {
                return Some((value, Z95 * sigma));
            }
            let deviation = value.sqrt();
            // The derivative of a root near 0 has no bound; there the margin is the root of the variance's own.
            let margin = (Z95 * sigma / (2.0 * deviation)).min((Z95 * sigma).sqrt());
            Some((deviation, if margin.is_finite() { margin } else { (Z95 * sigma).sqrt() }))
        }
        Figure::Quantile { bins, share, range } => {
            let Some(Drawn::Bins(ladder, sigma)) = drawn.get(bins) else { return None };
            let found = ladder.locate(share, *sigma)?;
            let width = range.upper - range.lower;
            let margin = (found.ends.1 - found.at).max(found.at - found.ends.0);
            Some((range.lower + found.at * width, margin * width))
        }
    }
}

fn average(sum: (f64, f64), count: (f64, f64), range: Range) -> Shown {
    let ((distances, noise), (count, count_noise)) = (sum, count);
    if count < 1.0 {
        return None;
    }
    let unit = range.half() / levels();
    let distance = (distances * unit / count).clamp(-range.half(), range.half());
    let sigma = (noise * unit).hypot(distance * count_noise) / count;
    Some((range.middle() + distance, Z95 * sigma))
}

/// A variance and the standard deviation of its noise.
fn spread(sum: (f64, f64), squares: (f64, f64), count: (f64, f64), range: Range, sample: bool) -> Shown {
    let ((distances, noise), (squares, square_noise), (n, count_noise)) = (sum, squares, count);
    if n <= 1.0 {
        return None;
    }
    // In halves of the distance of the bounds: u lies in −1 to 1, and of its square half was taken away.
    let (s, q) = (distances / levels(), squares / levels());
    let (mean, half) = (s / n, range.half());
    let value = (q / n + 0.5 - mean * mean).clamp(0.0, 1.0);
    let by_squares = square_noise / levels() / n;
    let by_sum = 2.0 * mean * (noise / levels()) / n;
    let by_count = (2.0 * mean * mean - q / n) * count_noise / n;
    let sigma = by_squares.hypot(by_sum).hypot(by_count);
    let scale = half * half * if sample { n / (n - 1.0) } else { 1.0 };
    Some((value * scale, sigma * scale))
}

#[expect(clippy::cast_precision_loss, reason = "a power of two")]
const fn levels() -> f64 {
    LEVELS as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const RANGE: Range = Range { lower: 0.0, upper: 100.0, complete: true };

    /// Exact sums of the values 0, 25, 50, 75, 100, ten times each, with noise of no width.
    fn exact() -> Vec<Drawn> {
        let values = [0.0, 25.0, 50.0, 75.0, 100.0];
        let shares: Vec<f64> = values.iter().map(|v| (v - 50.0) / 50.0).collect();
        let total = |f: &dyn Fn(f64) -> f64| 10.0 * shares.iter().map(|u| f(*u)).sum::<f64>() * levels();
        vec![
            Drawn::Sum(50.0, 0.0),
            Drawn::Sum(total(&|u| u), 0.0),
            Drawn::Sum(total(&|u| u * u - 0.5), 0.0),
            Drawn::Sum(10.0 * 2.5 * levels(), 0.0),
        ]
    }

    #[test]
    fn without_noise_figures_are_those_of_the_values() {
        let near = |figure: Figure, wanted: f64| {
            let (value, margin) = show(&figure, &exact()).unwrap();
            assert!((value - wanted).abs() < 1e-6 && margin == 0.0, "{figure:?}: {value}");
        };
        near(Figure::Count(0), 50.0);
        near(Figure::Sum { sum: 1, count: 0, range: RANGE }, 2500.0);
        near(Figure::Whole { sum: 3, range: RANGE }, 2500.0);
        near(Figure::Average { sum: 1, count: 0, range: RANGE }, 50.0);
        let spread =
            |sample, root| Figure::Spread { sum: 1, squares: 2, count: 0, range: RANGE, sample, root };
        near(spread(false, false), 1250.0);
        near(spread(true, false), 1250.0 * 50.0 / 49.0);
        near(spread(false, true), 1250.0_f64.sqrt());
    }

    #[test]
    fn nothing_is_said_of_nobody() {
        let nobody = [Drawn::Sum(-2.0, 3.0), Drawn::Sum(5.0, 3.0)];
        assert!(show(&Figure::Average { sum: 1, count: 0, range: RANGE }, &nobody).is_none());
        assert_eq!(show(&Figure::Count(0), &nobody).map(|(value, _)| value), Some(0.0));
    }
}
