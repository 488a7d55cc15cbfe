//! Least squares by conjugate gradients on the normal equations: the smallest correction to a first guess that
//! explains the answers.

/// For sets and the sums over them, the value of each person nearest to `guess`.
pub fn least_squares(sets: &[Vec<usize>], sums: &[f64], guess: f64, persons: usize) -> Vec<f64> {
    let forward =
        |x: &[f64]| -> Vec<f64> { sets.iter().map(|set| set.iter().map(|at| x[*at]).sum()).collect() };
    let back = |y: &[f64]| -> Vec<f64> {
        let mut x = vec![0.0; persons];
        for (set, value) in sets.iter().zip(y) {
            set.iter().for_each(|at| x[*at] += value);
        }
        x
    };
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let mut x = vec![0.0; persons];
    let mut rest: Vec<f64> = sets.iter().zip(sums).map(|(set, sum)| sum - guess * set.len() as f64).collect();
    let mut gradient = back(&rest);
    let mut direction = gradient.clone();
    let mut size = dot(&gradient, &gradient);
    let enough = size * 1e-24;
    for _ in 0..4 * persons {
        if size <= enough || size == 0.0 {
            break;
        }
        let moved = forward(&direction);
        let step = size / dot(&moved, &moved);
        x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
        rest.iter_mut().zip(&moved).for_each(|(r, m)| *r -= step * m);
        gradient = back(&rest);
        let next = dot(&gradient, &gradient);
        direction.iter_mut().zip(&gradient).for_each(|(d, g)| *d = g + next / size * *d);
        size = next;
    }
    x.iter().map(|x| x + guess).collect()
}
