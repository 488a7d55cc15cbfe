//! Small symmetric matrices, a handful of rows, held by value.
#![allow(clippy::indexing_slicing, clippy::needless_range_loop, reason = "loops over arrays of fixed length")]

/// A square matrix of `N` rows.
pub type Square<const N: usize> = [[f64; N]; N];

/// The matrix with ones on its diagonal.
#[must_use]
pub fn identity<const N: usize>() -> Square<N> {
    let mut out = [[0.0; N]; N];
    for (i, row) in out.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    out
}

/// The lower Cholesky factor. Pivots that rounding made too small are lifted, so that a semi-definite matrix has one too.
#[must_use]
pub fn cholesky<const N: usize>(a: &Square<N>) -> Square<N> {
    let mut l = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let mut sum = a[i][j];
            for k in 0..j {
                sum -= l[i][k] * l[j][k];
            }
            l[i][j] = if i == j { sum.max(1e-12).sqrt() } else { sum / l[j][j] };
        }
    }
    l
}

/// The inverse of a lower triangular matrix.
#[must_use]
pub fn invert_lower<const N: usize>(l: &Square<N>) -> Square<N> {
    let mut inverse = [[0.0; N]; N];
    for i in 0..N {
        inverse[i][i] = 1.0 / l[i][i];
        for j in 0..i {
            let mut sum = 0.0;
            for k in j..i {
                sum -= l[i][k] * inverse[k][j];
            }
            inverse[i][j] = sum / l[i][i];
        }
    }
    inverse
}

/// The inverse of a symmetric positive definite matrix.
#[must_use]
pub fn invert<const N: usize>(a: &Square<N>) -> Square<N> {
    let l = invert_lower(&cholesky(a));
    let mut out = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let mut sum = 0.0;
            for row in l.iter().skip(i) {
                sum += row[i] * row[j];
            }
            out[i][j] = sum;
            out[j][i] = sum;
        }
    }
    out
}

/// `a · b`.
#[must_use]
pub fn multiply<const N: usize>(a: &Square<N>, b: &Square<N>) -> Square<N> {
    let mut out = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..N {
            for k in 0..N {
                out[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    out
}

/// `aᵀ`.
#[must_use]
pub fn transpose<const N: usize>(a: &Square<N>) -> Square<N> {
    let mut out = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..N {
            out[j][i] = a[i][j];
        }
    }
    out
}

/// `a · v`.
#[must_use]
pub fn apply<const N: usize>(a: &Square<N>, v: &[f64; N]) -> [f64; N] {
    let mut out = [0.0; N];
    for (value, row) in out.iter_mut().zip(a) {
        *value = dot(row, v);
    }
    out
}

/// `a · b` of two vectors.
#[must_use]
pub fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    let mut sum = 0.0;
    for i in 0..N {
        sum += a[i] * b[i];
    }
    sum
}

/// Eigenvalues, largest first, and eigenvectors (as rows) of a symmetric matrix, by Jacobi's rotations. The sign of a
/// vector is whatever the rotations give: the same for the same matrix.
#[must_use]
pub fn eigen<const N: usize>(a: &Square<N>) -> ([f64; N], Square<N>) {
    let mut a = *a;
    let mut v = identity::<N>();
    for _ in 0..30 {
        let mut off = 0.0;
        for p in 0..N {
            for q in p + 1..N {
                off += a[p][q] * a[p][q];
                rotate(&mut a, &mut v, p, q);
            }
        }
        if off < 1e-300 {
            break;
        }
    }
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_by(|x, y| a[*y][*y].total_cmp(&a[*x][*x]));
    (order.map(|i| a[i][i]), order.map(|i| std::array::from_fn(|k| v[k][i])))
}

/// One rotation that makes `a[p][q]` zero.
fn rotate<const N: usize>(a: &mut Square<N>, v: &mut Square<N>, p: usize, q: usize) {
    if a[p][q].abs() < 1e-300 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    for k in 0..N {
        let (x, y) = (a[p][k], a[q][k]);
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
    }
    for row in v.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn positive(values: [[f64; 4]; 4]) -> Square<4> {
        let mut a = multiply(&values, &transpose(&values));
        for (i, row) in a.iter_mut().enumerate() {
            row[i] += 0.1;
        }
        a
    }

    proptest! {
        #[test]
        fn inverse_times_matrix_is_identity(values: [[i8; 4]; 4]) {
            let a = positive(values.map(|row| row.map(|x| f64::from(x) / 64.0)));
            let product = multiply(&a, &invert(&a));
            for i in 0..4 {
                for j in 0..4 {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    prop_assert!((product[i][j] - expected).abs() < 1e-7);
                }
            }
        }

        #[test]
        fn eigenvectors_are_stretched_by_their_values(values: [[i8; 4]; 4]) {
            let a = positive(values.map(|row| row.map(|x| f64::from(x) / 64.0)));
            let (lambda, vectors) = eigen(&a);
            for i in 0..4 {
                let image = apply(&a, &vectors[i]);
                for k in 0..4 {
                    prop_assert!((image[k] - lambda[i] * vectors[i][k]).abs() < 1e-9);
                }
                prop_assert!((dot(&vectors[i], &vectors[i]) - 1.0).abs() < 1e-9);
            }
        }
    }
}
