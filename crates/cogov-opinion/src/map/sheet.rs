//! The votes a fit works on: rows of columns and values, borrowed from the matrix or picked out of it.
#![allow(
    clippy::indexing_slicing,
    reason = "row starts are within the bounds of the columns by construction"
)]

use crate::hash::mix;
use std::borrow::Cow;
use std::ops::Range;

/// Rows of votes. Columns are those of the matrix it comes from.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    offsets: Cow<'a, [usize]>,
    columns: Cow<'a, [u32]>,
    values: Cow<'a, [i8]>,
    width: usize,
}

/// The greatest number of parts that rows are cut into. Fixed, so that sums are added in the same order on any number of threads.
const PARTS: usize = 16;
/// Fewer votes than this are not worth a second thread.
pub const SMALL: usize = 20_000;

impl<'a> Sheet<'a> {
    /// The whole matrix.
    #[must_use]
    pub fn whole(votes: &'a crate::Votes) -> Self {
        let (offsets, columns, values) = votes.parts();
        Self {
            offsets: Cow::Borrowed(offsets),
            columns: Cow::Borrowed(columns),
            values: Cow::Borrowed(values),
            width: votes.statements().len(),
        }
    }

    /// The given rows, and of each the votes that `keep(row, column, value)` keeps.
    #[must_use]
    pub fn pick(&self, rows: &[usize], keep: impl Fn(usize, u32, i8) -> bool) -> Sheet<'static> {
        let mut offsets = vec![0];
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for row in rows {
            let (cells, votes) = self.row(*row);
            for (column, value) in cells.iter().zip(votes) {
                if keep(*row, *column, *value) {
                    columns.push(*column);
                    values.push(*value);
                }
            }
            offsets.push(columns.len());
        }
        Sheet {
            offsets: Cow::Owned(offsets),
            columns: Cow::Owned(columns),
            values: Cow::Owned(values),
            width: self.width,
        }
    }

    /// How many rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many columns.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// How many votes.
    #[must_use]
    pub fn votes(&self) -> usize {
        self.columns.len()
    }

    /// Columns and values of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> (&[u32], &[i8]) {
        let range = self.offsets[row]..self.offsets[row + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// A hash of what stands in some rows, and in which.
    #[must_use]
    pub fn hash(&self, rows: Range<usize>) -> u64 {
        rows.fold(0, |state: u64, row| {
            let (columns, values) = self.row(row);
            let start = (row as u64) << 36;
            columns.iter().zip(values).fold(state, |state, (column, value)| {
                state.wrapping_add(mix(start ^ (u64::from(*column) << 2) ^ u64::from(*value as u8 & 3)))
            })
        })
    }

    /// The rows in parts, which depend on nothing but their number.
    #[must_use]
    pub fn parts(&self) -> Vec<Range<usize>> {
        parts(self.height())
    }
}

/// `0..n` in at most sixteen parts. A power of two in length, so that a row more at the end changes the last part only.
#[must_use]
pub fn parts(n: usize) -> Vec<Range<usize>> {
    let length = n.div_ceil(PARTS).next_power_of_two().max(64);
    (0..n.div_ceil(length).max(1)).map(|i| i * length..n.min((i + 1) * length)).collect()
}
