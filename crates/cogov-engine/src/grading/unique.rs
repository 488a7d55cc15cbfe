//! How many rows a combination of columns singles out.

use datafusion::arrow::array::RecordBatch;
use datafusion::common::hash_utils::{QualityRandomState, create_hashes};
use datafusion::error::DataFusionError;

/// Bytes of hashes kept over all combinations; above it, a sample of combinations is counted exactly.
const BUDGET: u64 = 128 * 1024 * 1024;
/// The seed of every hash: fixed, so that the same file always gives the same profile.
const SEED: u64 = 0x0C06_0F00;

/// What one combination of columns singles out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// The columns, as places in the table.
    pub columns: Vec<usize>,
    /// Rows that share their combination with no other.
    pub alone: u64,
    /// Rows in groups smaller than the limit.
    pub small: u64,
    /// Rows that were counted: all, or those of the sampled combinations.
    pub rows: u64,
}

/// Hashes of the rows of one batch over some columns, in the order given.
///
/// # Errors
/// When a column's type cannot be hashed.
pub fn row_hashes(batch: &RecordBatch, columns: &[usize]) -> Result<Vec<u64>, DataFusionError> {
    let mut hashes = vec![0_u64; batch.num_rows()];
    let arrays: Vec<_> = columns.iter().filter_map(|c| batch.columns().get(*c)).collect();
    create_hashes(arrays, &QualityRandomState::with_seed(SEED), &mut hashes)?;
    Ok(hashes)
}

/// Counts groups over every pair and, with `most` ≥ 3, triple of columns, one batch at a time.
#[derive(Debug)]
pub struct Combinations {
    sets: Vec<(Vec<usize>, Vec<u64>)>,
    /// A combination is counted when its hash is a multiple of this: all its rows are, or none.
    step: u64,
}

impl Combinations {
    /// For `columns` columns of a table of `rows` rows, in sets of two up to `most`.
    #[must_use]
    pub fn new(columns: usize, most: u64, rows: u64) -> Self {
        let mut sets: Vec<Vec<usize>> = Vec::new();
        for a in 0..columns {
            for b in a + 1..columns {
                sets.push(vec![a, b]);
                if most >= 3 {
                    sets.extend((b + 1..columns).map(|c| vec![a, b, c]));
                }
            }
        }
        let bytes = rows.saturating_mul(8).saturating_mul(sets.len() as u64);
        let step = bytes.div_ceil(BUDGET).max(1);
        Self { sets: sets.into_iter().map(|set| (set, Vec::new())).collect(), step }
    }

    /// Adds the rows of a batch that holds just these columns.
    ///
    /// # Errors
    /// When a column's type cannot be hashed.
    pub fn see(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        let columns: Vec<Vec<u64>> =
            (0..batch.num_columns()).map(|c| row_hashes(batch, &[c])).collect::<Result<_, _>>()?;
        for (set, kept) in &mut self.sets {
            let mut mixed = vec![0_u64; batch.num_rows()];
            for column in set.iter().filter_map(|c| columns.get(*c)) {
                for (sum, hash) in mixed.iter_mut().zip(column) {
                    *sum = mix(*sum ^ *hash);
                }
            }
            if self.step == 1 {
                kept.append(&mut mixed);
            } else {
                kept.extend(mixed.into_iter().filter(|hash| hash % self.step == 0));
            }
        }
        Ok(())
    }

    /// The pair that singles out most rows if it reaches `permille`, otherwise the best set of all.
    /// `names` maps the places in the batches to places in the table.
    #[must_use]
    pub fn best(self, names: &[usize], small: u64, permille: u64) -> Option<Combination> {
        let counted = self.sets.into_iter().map(|(set, hashes)| {
            let (alone, few, rows) = count(hashes, small);
            let columns = set.iter().filter_map(|c| names.get(*c)).copied().collect();
            Combination { columns, alone, small: few, rows }
        });
        let mut all: Vec<Combination> = counted.filter(|c| c.rows > 0).collect();
        all.sort_by_key(|c| std::cmp::Reverse(c.small.saturating_mul(1_000_000) / c.rows.max(1)));
        let enough = |c: &&Combination| c.small.saturating_mul(1000) >= c.rows.saturating_mul(permille);
        all.iter().find(|c| c.columns.len() == 2).filter(enough).or_else(|| all.first()).cloned()
    }
}

/// A mixing step of SplitMix64, so that the order of columns matters and zeros do not cancel.
const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Rows alone, rows in groups smaller than `small`, all rows.
fn count(mut hashes: Vec<u64>, small: u64) -> (u64, u64, u64) {
    hashes.sort_unstable();
    let (mut alone, mut few) = (0, 0);
    for group in hashes.chunk_by(|a, b| a == b) {
        let size = group.len() as u64;
        alone += u64::from(size == 1);
        few += if size < small { size } else { 0 };
    }
    (alone, few, hashes.len() as u64)
}
