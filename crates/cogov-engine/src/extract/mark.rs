//! Putting the mark in: rows in a keyed order within blocks, batch by batch.

use super::csv::options;
use super::key::{ValueHash, WatermarkKey, row_hash, value_hash};
use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::ArrayFormatter;
use std::collections::BTreeSet;

/// Rows that are shuffled together. Small, so that the mark needs no memory and a part of a copy keeps it.
pub const BLOCK: usize = 256;

/// Rows of an extract that its sketch remembers.
const SKETCH: usize = 256;

/// The rows of an extract with the least keyed hashes: a sample of them that only the key can draw again. With it, a copy
/// shows what share of the extract it holds, in whatever order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch(BTreeSet<u64>);

impl Sketch {
    fn take(&mut self, rank: u64) {
        if self.0.len() < SKETCH || self.0.last().is_some_and(|last| rank < *last) {
            self.0.insert(rank);
            if self.0.len() > SKETCH {
                self.0.pop_last();
            }
        }
    }

    pub(super) const fn ranks(&self) -> &BTreeSet<u64> {
        &self.0
    }

    /// As text: hex, 16 digits a row.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.iter().map(|rank| format!("{rank:016x}")).collect()
    }

    /// From its text; none when it is not one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let ranks = text.as_bytes().chunks(16).map(|digits| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 16)?;
            u64::from_str_radix(digits, 16).ok()
        });
        ranks.collect::<Option<BTreeSet<u64>>>().map(Self)
    }
}

/// Marks the batches of one extract, in their order.
#[derive(Debug)]
pub struct Marker {
    key: WatermarkKey,
    blocks: u64,
    sketch: Sketch,
}

impl Marker {
    /// A marker with the extract's key.
    #[must_use]
    pub fn new(key: WatermarkKey) -> Self {
        Self { key, blocks: 0, sketch: Sketch::default() }
    }

    /// The same rows in the key's order.
    ///
    /// # Errors
    /// When a column has a type that has no text.
    pub fn mark(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().map(hashes).collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<ValueHash> = rows_of(&columns, batch.num_rows());
        let mut order: Vec<u32> = Vec::with_capacity(batch.num_rows());
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            let end = (start + BLOCK).min(batch.num_rows());
            let by = columns.get(self.key.choice(self.blocks, columns.len())).unwrap_or(&rows);
            self.blocks += 1;
            let mut block: Vec<(u64, u64, usize)> =
                (start..end).map(|row| (self.rank(by, row), self.rank(&rows, row), row)).collect();
            block.sort_unstable();
            block.iter().for_each(|(_, whole, _)| self.sketch.take(*whole));
            order.extend(block.iter().filter_map(|(_, _, row)| u32::try_from(*row).ok()));
        }
        take_record_batch(batch, &UInt32Array::from(order))
    }

    fn rank(&self, hashes: &[ValueHash], row: usize) -> u64 {
        hashes.get(row).map_or(0, |hash| self.key.rank(hash))
    }

    /// The sketch of what was marked so far.
    #[must_use]
    pub const fn sketch(&self) -> &Sketch {
        &self.sketch
    }
}

/// The hashes of a column's values; a null is an empty text.
pub(super) fn hashes(column: &ArrayRef) -> Result<Vec<ValueHash>, ArrowError> {
    let options = options();
    let texts = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let hash = |row| match column.is_null(row) {
        true => value_hash(""),
        false => value_hash(&texts.value(row).to_string()),
    };
    Ok((0..column.len()).map(hash).collect())
}

/// The hashes of rows from those of their columns.
pub(super) fn rows_of(columns: &[Vec<ValueHash>], rows: usize) -> Vec<ValueHash> {
    (0..rows).map(|row| row_hash(columns.iter().filter_map(|column| column.get(row)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;
    use std::sync::Arc;

    fn batch(rows: i64) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    fn numbers(batch: &RecordBatch) -> Vec<i64> {
        batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
    }

    #[test]
    fn rows_are_the_same_in_another_order_within_their_block() {
        let marked = Marker::new(WatermarkKey::decoy([1; 32])).mark(&batch(1000)).unwrap();
        let marked = numbers(&marked);
        assert_ne!(marked, (0..1000).collect::<Vec<_>>());
        for (block, rows) in marked.chunks(BLOCK).enumerate() {
            let mut rows = rows.to_vec();
            rows.sort_unstable();
            let start = i64::try_from(block * BLOCK).unwrap();
            assert_eq!(rows.first(), Some(&start));
            assert!(rows.windows(2).all(|pair| pair[1] == pair[0] + 1));
        }
        let again = Marker::new(WatermarkKey::decoy([1; 32])).mark(&batch(1000)).unwrap();
        assert_eq!(numbers(&again), marked, "same key, same order");
        let other = Marker::new(WatermarkKey::decoy([2; 32])).mark(&batch(1000)).unwrap();
        assert_ne!(numbers(&other), marked);
    }

    #[test]
    fn sketches_read_back() {
        let mut marker = Marker::new(WatermarkKey::decoy([1; 32]));
        marker.mark(&batch(1000)).unwrap();
        let sketch = marker.sketch().clone();
        assert_eq!(sketch.ranks().len(), SKETCH);
        assert_eq!(Sketch::from_text(&sketch.to_text()), Some(sketch));
        assert_eq!(Sketch::from_text("xyz"), None);
        assert_eq!(Sketch::from_text(""), Some(Sketch::default()));
    }
}
