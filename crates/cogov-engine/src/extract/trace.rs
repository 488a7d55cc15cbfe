//! Finding the mark in a copy: whose key explains the order of its rows?
//!
//! For every column, the statistic is how many more neighbours ascend in a key's order than descend. With a wrong key it
//! is zero on average; how far it strays by chance depends on the data, so it is learnt from decoy keys on the very
//! same copy. Each column's statistic is divided by its spread, all are added, and the sum is divided by the spread of
//! the decoys' sums: the likeness, in standard deviations.

use super::key::{ValueHash, WatermarkKey, value_hash};
use super::mark::{Sketch, hashes, rows_of};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

/// Rows that are looked at; more do not make it clearer.
const ROWS: usize = 100_000;
/// Columns whose order is looked at, those with the most different values.
const COLUMNS: usize = 10;

/// Why a copy cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is neither Parquet nor delimited text.
    #[error("the file is neither Parquet nor CSV with a header: {0}")]
    Format(String),
}

/// A copy of unknown origin.
#[derive(Debug)]
pub struct Copied {
    /// SHA-256 of the file, hex.
    pub sha256: String,
    columns: Vec<Vec<ValueHash>>,
    rows: Vec<ValueHash>,
}

/// An extract that the copy may come from.
#[derive(Debug)]
pub struct Suspect {
    /// The key of its mark.
    pub key: WatermarkKey,
    /// Its sketch, when it was kept.
    pub sketch: Option<Sketch>,
}

/// How like a copy is to an extract.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// How far the order of the rows is from chance, in standard deviations.
    pub order: f64,
    /// The share of the extract's sketch that the copy holds, 0 to 1.
    pub share: Option<f64>,
}

impl Likeness {
    /// From here on chance is ruled out: the spread is estimated from 64 decoys, so that the likeness of a wrong extract
    /// follows Student's t with 64 degrees of freedom, which passes 8 less than once in a thousand million times.
    pub const CERTAIN: f64 = 8.0;
}

impl Copied {
    /// Reads a copy.
    ///
    /// # Errors
    /// When it is neither Parquet nor CSV.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let mut file = File::open(path)?;
        let mut digest = Sha256::new();
        std::io::copy(&mut file, &mut digest)?;
        file.rewind()?;
        let mut head = [0; 4];
        let length = file.read(&mut head)?;
        file.rewind()?;
        let columns = if head.get(..length) == Some(b"PAR1") { parquet(file)? } else { csv(file)? };
        let rows = columns.first().map_or(0, Vec::len);
        let rows = rows_of(&columns, rows);
        Ok(Self { sha256: hex::encode(digest.finalize()), columns, rows })
    }

    /// How many rows were looked at.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The orders that are looked at: those of columns with many different values, and of whole rows.
    fn orders(&self) -> Vec<&Vec<ValueHash>> {
        let distinct = |column: &&Vec<ValueHash>| column.iter().collect::<HashSet<_>>().len();
        let mut columns: Vec<(usize, &Vec<ValueHash>)> =
            self.columns.iter().map(|column| (distinct(&column), column)).filter(|(n, _)| *n > 2).collect();
        columns.sort_by_key(|(distinct, _)| std::cmp::Reverse(*distinct));
        let columns = columns.into_iter().take(COLUMNS).map(|(_, column)| column);
        columns.chain(std::iter::once(&self.rows)).collect()
    }
}

fn parquet(file: File) -> Result<Vec<Vec<ValueHash>>, TraceError> {
    let wrong = |error: &dyn std::fmt::Display| TraceError::Format(error.to_string());
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let reader = reader.map_err(|error| wrong(&error))?;
    let mut columns: Vec<Vec<ValueHash>> = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| wrong(&error))?;
        columns.resize(batch.num_columns(), Vec::new());
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.extend(hashes(array).map_err(|error| wrong(&error))?);
        }
        if columns.first().map_or(0, Vec::len) >= ROWS {
            break;
        }
    }
    Ok(columns)
}

fn csv(file: File) -> Result<Vec<Vec<ValueHash>>, TraceError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let wrong = |error: &csv::Error| TraceError::Format(error.to_string());
    let width = reader.headers().map_err(|error| wrong(&error))?.len();
    let mut columns = vec![Vec::new(); width];
    for record in reader.records().take(ROWS) {
        let record = record.map_err(|error| wrong(&error))?;
        for (place, column) in columns.iter_mut().enumerate() {
            column.push(value_hash(record.get(place).unwrap_or_default()));
        }
    }
    Ok(columns)
}

/// How like a copy is to each of the suspects, in their order. `decoys` are keys of nobody; 64 or more.
#[must_use]
pub fn trace(copy: &Copied, suspects: &[Suspect], decoys: &[WatermarkKey]) -> Vec<Likeness> {
    let orders = copy.orders();
    let by_chance: Vec<Vec<f64>> =
        decoys.iter().map(|key| orders.iter().map(|order| ascending(key, order)).collect()).collect();
    let spreads: Vec<f64> = (0..orders.len())
        .map(|place| spread(by_chance.iter().filter_map(|chance| chance.get(place).copied())))
        .collect();
    let total = |found: &[f64]| -> f64 {
        found.iter().zip(&spreads).filter(|(_, spread)| **spread > 0.0).map(|(f, spread)| f / spread).sum()
    };
    let whole = spread(by_chance.iter().map(|chance| total(chance)));
    let likeness = |suspect: &Suspect| {
        let found: Vec<f64> = orders.iter().map(|order| ascending(&suspect.key, order)).collect();
        Likeness {
            order: if whole > 0.0 { total(&found) / whole } else { 0.0 },
            share: suspect.sketch.as_ref().and_then(|sketch| share(copy, &suspect.key, sketch)),
        }
    };
    suspects.iter().map(likeness).collect()
}

/// Neighbours that ascend in a key's order, less those that descend.
fn ascending(key: &WatermarkKey, order: &[ValueHash]) -> f64 {
    let mut last: Option<(&ValueHash, u64)> = None;
    let mut sum = 0.0;
    for value in order {
        // Equal neighbours tell nothing and cost nothing.
        if last.is_some_and(|(before, _)| before == value) {
            continue;
        }
        let rank = key.rank(value);
        if let Some((_, before)) = last {
            sum += if rank > before { 1.0 } else { -1.0 };
        }
        last = Some((value, rank));
    }
    sum
}

/// The root of the mean square: by symmetry the mean itself is zero.
fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value * value, count + 1.0));
    if count > 0.0 { (sum / count).sqrt() } else { 0.0 }
}

fn share(copy: &Copied, key: &WatermarkKey, sketch: &Sketch) -> Option<f64> {
    let ranks: HashSet<u64> = copy.rows.iter().map(|row| key.rank(row)).collect();
    let found = sketch.ranks().iter().filter(|rank| ranks.contains(rank)).count();
    let all = sketch.ranks().len();
    #[expect(clippy::cast_precision_loss, reason = "at most a few hundred")]
    (all > 0).then(|| found as f64 / all as f64)
}
