//! The type of a column, from all its values: boolean, whole number, real number, day, moment, or text.

use super::cell::{self, Kinds};
use crate::grading::numeric_identifier;
use cogov_model::DataType;

/// Whole numbers of fewer digits are no identifiers.
const LONG: usize = 11;

/// What the values of one column allow so far.
#[derive(Debug, Clone)]
pub(super) struct Inference {
    possible: Kinds,
    /// Values that are neither null nor a word for nothing.
    present: u64,
    long: u64,
    identifiers: u64,
    zoned: bool,
    unzoned: bool,
}

impl Default for Inference {
    fn default() -> Self {
        Self { possible: Kinds::ALL, present: 0, long: 0, identifiers: 0, zoned: false, unzoned: false }
    }
}

impl Inference {
    /// Takes in one value. A `textual` one is a text even if it looks like a number.
    pub(super) fn see(&mut self, value: &str, textual: bool) {
        if self.possible == Kinds::NONE {
            return;
        }
        let value = value.trim_matches(' ');
        if cell::missing(value) {
            return;
        }
        self.present += 1;
        let mut kinds = cell::kinds(value);
        if textual {
            kinds = kinds.and(Kinds::DATE.or(Kinds::TIMESTAMP));
        }
        self.possible = self.possible.and(kinds);
        if kinds.has(Kinds::TIMESTAMP) && !kinds.has(Kinds::DATE) {
            let zoned = super::time::zoned(value);
            self.zoned |= zoned;
            self.unzoned |= !zoned;
        }
        if value.len() >= LONG && kinds.has(Kinds::INTEGER) {
            self.long += 1;
            self.identifiers += u64::from(numeric_identifier(value));
        }
    }

    /// Values that have to come out as values, not as null, when the column is no text.
    pub(super) const fn present(&self) -> u64 {
        self.present
    }

    /// The narrowest type that holds every value as it is written.
    pub(super) fn data_type(&self) -> DataType {
        let identifiers = self.identifiers * 10 >= self.long * 9 && self.long * 2 >= self.present;
        match self.possible {
            _ if self.present == 0 => DataType::Text,
            p if p.has(Kinds::BOOLEAN) => DataType::Boolean,
            // Numbers that name somebody are not for sums.
            p if p.has(Kinds::INTEGER) && identifiers => DataType::Text,
            p if p.has(Kinds::INTEGER) => DataType::Integer,
            p if p.has(Kinds::REAL) => DataType::Real,
            p if p.has(Kinds::DATE) => DataType::Date,
            p if p.has(Kinds::TIMESTAMP) && !(self.zoned && self.unzoned) => DataType::Timestamp,
            _ => DataType::Text,
        }
    }
}
