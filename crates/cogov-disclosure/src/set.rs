//! Query sets: which rows of a table a released figure adds up, and how often.

use crate::digest::Digest;
use crate::residue::{Residue, weight};
use roaring::RoaringBitmap;

/// The most often that one row may stand in one figure: a join that multiplies rows further is not answered.
pub(crate) const REPEATS: usize = 64;

/// The rows (by their number in the table's file) that a figure adds up.
#[derive(Debug, Clone, PartialEq)]
pub struct QuerySet {
    /// The rows that stand in it at least once, at least twice, and so on.
    levels: Vec<RoaringBitmap>,
    mark: Residue,
}

impl QuerySet {
    /// The set of these rows, each as often as it is given. None when one is repeated too often.
    pub fn new(mut rows: Vec<u32>) -> Option<Self> {
        rows.sort_unstable();
        let mut levels: Vec<Vec<u32>> = Vec::new();
        let (mut last, mut times) = (None, 0);
        for row in rows {
            times = if last == Some(row) { times + 1 } else { 0 };
            last = Some(row);
            if times >= REPEATS {
                return None;
            }
            if levels.len() <= times {
                levels.push(Vec::new());
            }
            levels.get_mut(times)?.push(row);
        }
        let levels = levels.into_iter().map(|rows| RoaringBitmap::from_sorted_iter(rows).ok());
        levels.collect::<Option<Vec<_>>>().map(Self::of_levels)
    }

    /// The set of these levels.
    pub(crate) fn of_levels(levels: Vec<RoaringBitmap>) -> Self {
        let all = levels.iter().flat_map(RoaringBitmap::iter);
        let mark = all.fold(Residue::ZERO, |sum, row| sum.plus(weight(row)));
        Self { levels, mark }
    }

    pub(crate) fn levels(&self) -> &[RoaringBitmap] {
        &self.levels
    }

    /// The rows that stand in it.
    pub fn rows(&self) -> &RoaringBitmap {
        static EMPTY: std::sync::LazyLock<RoaringBitmap> = std::sync::LazyLock::new(RoaringBitmap::new);
        self.levels.first().unwrap_or(&EMPTY)
    }

    /// How often a row stands in it.
    pub(crate) fn times(&self, row: u32) -> Residue {
        Residue::new(self.levels.iter().take_while(|level| level.contains(row)).count() as u64)
    }

    /// Its name for ever, where it is kept without its rows.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for level in &self.levels {
            bytes.extend(level.len().to_be_bytes());
            bytes.extend(level.iter().flat_map(u32::to_be_bytes));
        }
        Digest::of([bytes.as_slice()])
    }

    /// Two sets with one mark are the same set. It means something in this process only.
    pub(crate) const fn mark(&self) -> Residue {
        self.mark
    }

    /// Rows, repeats counted.
    pub(crate) fn len(&self) -> u64 {
        self.levels.iter().map(RoaringBitmap::len).sum()
    }
}
