//! The profile of a table: columns looked at batch by batch, then combinations, then the proposals.

use super::content::Content;
use super::propose::{self, Draft, Seen, threshold};
use super::unique::{Combination, Combinations, row_hashes};
use cogov_model::{ColumnName, ColumnProfile, DataType, Scheme};
use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;

/// Hashes kept for distinct counts over all columns: 64 MiB or so.
const HASHES: usize = 4_000_000;
/// Most hashes kept for one column.
const HASHES_OF_ONE: usize = 100_000;

/// Findings of repeated values kept over all columns: 20 MiB or so.
const REMEMBERED: usize = 200_000;
/// Most findings kept for one column.
const REMEMBERED_OF_ONE: usize = 2_048;

/// Why a table cannot be profiled.
#[derive(Debug, thiserror::Error)]
pub enum GradingError {
    /// The query engine could not hash a column.
    #[error("the values of the table cannot be compared: {0}")]
    Hash(#[from] DataFusionError),
}

/// A column before it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name in SQL.
    pub name: ColumnName,
    /// The header in the file.
    pub header: String,
    /// Its type.
    pub data_type: DataType,
}

/// Looks at a table, first at every batch, then at the combinations of a few columns.
#[derive(Debug)]
pub struct Profiler {
    headers: Vec<Header>,
    contents: Vec<Content>,
}

impl Profiler {
    /// For a table of these columns.
    #[must_use]
    pub fn new(headers: Vec<Header>) -> Self {
        let columns = headers.len().max(1);
        let limit = (HASHES / columns).min(HASHES_OF_ONE);
        let remembered = (REMEMBERED / columns).min(REMEMBERED_OF_ONE);
        let contents = headers.iter().map(|_| Content::new(limit, remembered)).collect();
        Self { headers, contents }
    }

    /// Looks at a batch of all columns. Text is `Utf8`, whole numbers are `Int64`.
    ///
    /// # Errors
    /// When a column cannot be hashed.
    pub fn see(&mut self, batch: &RecordBatch) -> Result<(), GradingError> {
        for (index, (content, values)) in self.contents.iter_mut().zip(batch.columns()).enumerate() {
            content.see(values, &row_hashes(batch, &[index])?);
        }
        Ok(())
    }

    fn seen(&self) -> Vec<Seen<'_>> {
        let both = self.headers.iter().zip(&self.contents);
        both.map(|(header, content)| Seen {
            name: &header.name,
            header: &header.header,
            data_type: header.data_type,
            content,
        })
        .collect()
    }

    /// The columns that may single persons out together: what `finish` wants to read again.
    #[must_use]
    pub fn quasi_identifiers(&self, scheme: &Scheme) -> Vec<usize> {
        let seen = self.seen();
        propose::quasi_identifiers(scheme, &seen, &propose::draft(scheme, &seen))
    }

    /// The profile of every column. `again` calls its argument with every batch of just the columns that
    /// `quasi_identifiers` named, in that order.
    ///
    /// # Errors
    /// Those of `again`, and when a column cannot be hashed.
    pub fn finish<E: From<GradingError>>(
        self,
        scheme: &Scheme,
        again: impl FnOnce(&[usize], &mut dyn FnMut(&RecordBatch) -> Result<(), GradingError>) -> Result<(), E>,
    ) -> Result<Vec<ColumnProfile>, E> {
        let seen = self.seen();
        let drafts: Vec<Draft> = propose::draft(scheme, &seen);
        let quasi = propose::quasi_identifiers(scheme, &seen, &drafts);
        let combination = match quasi.len() {
            0 | 1 => None,
            columns => {
                let rows = seen.first().map_or(0, |c| c.content.rows());
                let mut sets = Combinations::new(columns, threshold(scheme, "quasi_columns"), rows);
                again(&quasi, &mut |batch| Ok(sets.see(batch)?))?;
                best(scheme, sets, &quasi)
            }
        };
        let proposals = propose::propose(scheme, &seen, drafts, combination.as_ref());
        drop(seen);
        let columns = self.headers.into_iter().zip(self.contents).zip(proposals);
        Ok(columns
            .map(|((header, content), proposal)| {
                let (distinct, distinct_exact) = content.distinct();
                ColumnProfile {
                    name: header.name,
                    header: header.header,
                    data_type: header.data_type,
                    nulls: content.nulls(),
                    distinct,
                    distinct_exact,
                    examples: content.examples().to_vec(),
                    proposal,
                }
            })
            .collect())
    }
}

/// The most telling combination, when it singles out enough rows to be worth a notice.
fn best(scheme: &Scheme, sets: Combinations, quasi: &[usize]) -> Option<Combination> {
    let raise = threshold(scheme, "unique_rows_raise_permille");
    let notice = threshold(scheme, "unique_rows_notice_permille");
    sets.best(quasi, threshold(scheme, "small_group_persons"), raise)
        .filter(|found| found.small.saturating_mul(1000) >= found.rows.saturating_mul(notice))
}
