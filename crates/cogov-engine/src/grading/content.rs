//! What the values of one column say, counted batch by batch.

use super::distinct::{Distinct, Identical};
use super::mask::mask_shape;
use super::scan::{Identifier, scan};
use super::shapes::{Shape, Shapes, embedded_contacts, shapes};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::kernels::aggregate::{max, min};
use datafusion::arrow::datatypes::{DataType as ArrowType, Date32Type, Float64Type, Int64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use std::collections::HashMap;

/// Examples that a profile shows.
const EXAMPLES: usize = 3;
/// Whole numbers below this are too short for any identifier or phone number.
const LONG_NUMBER: i64 = 10_000_000_000;

/// What one value says.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    valid: [bool; 4],
    shaped: [bool; 4],
    shapes: Shapes,
    contacts: [bool; 2],
}

fn look(text: &str) -> Said {
    let mut said = Said::default();
    scan(text, &mut |found| {
        if let Some(shaped) = said.shaped.get_mut(found.kind as usize) {
            *shaped = true;
        }
        if let Some(valid) = said.valid.get_mut(found.kind as usize) {
            *valid |= found.valid;
        }
    });
    said.shapes = shapes(text);
    let whole = said.shapes.has(Shape::Email) || said.shapes.has(Shape::Phone);
    if text.len() >= 12 && !whole {
        said.contacts = embedded_contacts(text);
    }
    said
}

/// Counts over the values of one column.
#[derive(Debug)]
pub struct Content {
    rows: u64,
    nulls: u64,
    examined: u64,
    valid: [u64; 4],
    shaped: [u64; 4],
    shapes: [u64; Shape::ALL.len()],
    contacts: [u64; 2],
    examples: Vec<String>,
    distinct: Distinct,
    /// What repeated values said, so that each costs one look; given up when there are too many.
    memory: Option<HashMap<u64, Said, Identical>>,
    remembered: usize,
    range: Range,
}

/// The range of numbers and days, and how fine the numbers are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    /// Least and greatest, as days since 1970 for dates; none before the first value.
    pub ends: Option<(f64, f64)>,
    /// Numbers with more than three decimals.
    pub fine: u64,
}

impl Content {
    /// Counts distinct values exactly up to `limit`, and remembers what `remembered` of them said.
    #[must_use]
    pub fn new(limit: usize, remembered: usize) -> Self {
        Self {
            rows: 0,
            nulls: 0,
            examined: 0,
            valid: [0; 4],
            shaped: [0; 4],
            shapes: [0; Shape::ALL.len()],
            contacts: [0; 2],
            examples: Vec::new(),
            distinct: Distinct::new(limit),
            memory: Some(HashMap::default()),
            remembered,
            range: Range::default(),
        }
    }

    /// Looks at one batch of the column; `hashes` holds one hash a row.
    pub fn see(&mut self, values: &ArrayRef, hashes: &[u64]) {
        self.rows += values.len() as u64;
        self.nulls += values.null_count() as u64;
        if values.null_count() == 0 {
            hashes.iter().for_each(|hash| self.distinct.add(*hash));
        } else {
            let present = (0..values.len()).zip(hashes).filter(|(row, _)| values.is_valid(*row));
            present.for_each(|(_, hash)| self.distinct.add(*hash));
        }
        self.see_examples(values);
        match values.data_type() {
            ArrowType::Utf8 => {
                for (text, hash) in values.as_string::<i32>().iter().zip(hashes) {
                    if let Some(text) = text {
                        self.see_text(text, *hash);
                    }
                }
            }
            ArrowType::Int64 => self.see_integers(values, hashes),
            kind => {
                self.examined += (values.len() - values.null_count()) as u64;
                match kind {
                    ArrowType::Float64 => self.see_reals(values.as_primitive::<Float64Type>()),
                    ArrowType::Date32 => {
                        let days = values.as_primitive::<Date32Type>();
                        self.widen(min(days).map(f64::from), max(days).map(f64::from));
                    }
                    _ => {}
                }
            }
        }
    }

    fn see_reals(&mut self, numbers: &PrimitiveArray<Float64Type>) {
        self.widen(min(numbers), max(numbers));
        let fine = |number: &f64| {
            (number * 1000.0).fract().abs() > 1e-6 && (number * 1000.0).fract().abs() < 1.0 - 1e-6
        };
        self.range.fine += numbers.iter().flatten().filter(fine).count() as u64;
    }

    fn widen(&mut self, least: Option<f64>, greatest: Option<f64>) {
        if let (Some(least), Some(greatest)) = (least, greatest) {
            let (a, b) = self.range.ends.unwrap_or((least, greatest));
            self.range.ends = Some((a.min(least), b.max(greatest)));
        }
    }

    /// The range of numbers and days.
    #[must_use]
    pub const fn range(&self) -> Range {
        self.range
    }

    fn see_integers(&mut self, values: &ArrayRef, hashes: &[u64]) {
        let numbers = values.as_primitive::<Int64Type>();
        if max(numbers).unwrap_or(0) < LONG_NUMBER && min(numbers).unwrap_or(0) > -LONG_NUMBER {
            self.examined += (values.len() - values.null_count()) as u64;
            return;
        }
        for (number, hash) in numbers.iter().zip(hashes) {
            match number {
                Some(number) if number >= LONG_NUMBER => self.see_text(&number.to_string(), *hash),
                Some(_) => self.examined += 1,
                None => {}
            }
        }
    }

    fn see_text(&mut self, text: &str, hash: u64) {
        if let Some(said) = self.memory.as_ref().and_then(|m| m.get(&hash)).copied() {
            self.count(said);
            return;
        }
        let said = look(text);
        self.count(said);
        if let Some(memory) = &mut self.memory {
            memory.insert(hash, said);
            if memory.len() > self.remembered {
                self.memory = None;
            }
        }
    }

    fn count(&mut self, said: Said) {
        self.examined += 1;
        for (count, is) in self.valid.iter_mut().zip(said.valid) {
            *count += u64::from(is);
        }
        for (count, is) in self.shaped.iter_mut().zip(said.shaped) {
            *count += u64::from(is);
        }
        if said.shapes != Shapes::default() {
            for (count, shape) in self.shapes.iter_mut().zip(Shape::ALL) {
                *count += u64::from(said.shapes.has(shape));
            }
        }
        for (count, is) in self.contacts.iter_mut().zip(said.contacts) {
            *count += u64::from(is);
        }
    }

    /// Keeps the first few different shapes.
    fn see_examples(&mut self, values: &ArrayRef) {
        if self.examples.len() >= EXAMPLES {
            return;
        }
        let options = FormatOptions::default();
        let Ok(formatter) = ArrayFormatter::try_new(values.as_ref(), &options) else { return };
        for row in (0..values.len().min(200)).filter(|row| values.is_valid(*row)) {
            let shape = mask_shape(&formatter.value(row).to_string());
            if !self.examples.contains(&shape) {
                self.examples.push(shape);
            }
            if self.examples.len() >= EXAMPLES {
                return;
            }
        }
    }

    /// Rows seen.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Nulls among them.
    #[must_use]
    pub const fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Values that were looked at: all that are not null.
    #[must_use]
    pub const fn examined(&self) -> u64 {
        self.examined
    }

    /// Distinct values, and whether the count is exact.
    #[must_use]
    pub fn distinct(&self) -> (u64, bool) {
        self.distinct.count()
    }

    /// The shapes of a few values, without the values.
    #[must_use]
    pub fn examples(&self) -> &[String] {
        &self.examples
    }

    /// Values that hold a valid identifier of a kind.
    #[must_use]
    pub fn valid(&self, kind: Identifier) -> u64 {
        self.valid.get(kind as usize).copied().unwrap_or(0)
    }

    /// Whether the valid identifiers of a kind are identifiers, not numbers that pass by chance: they are
    /// at least half of what has the shape, or more than five standard deviations above chance.
    #[must_use]
    pub fn convincing(&self, kind: Identifier) -> bool {
        let valid = self.valid(kind);
        let shaped = self.shaped.get(kind as usize).copied().unwrap_or(0);
        let expected = shaped as f64 / kind.chance() as f64;
        valid > 0 && (valid * 2 >= shaped || valid as f64 > expected + 5.0 * expected.sqrt())
    }

    /// Values of a shape.
    #[must_use]
    pub fn shape(&self, shape: Shape) -> u64 {
        self.shapes.get(shape as usize).copied().unwrap_or(0)
    }

    /// Values that hold a phone number, or an e-mail address, among other words.
    #[must_use]
    pub const fn contacts(&self) -> [u64; 2] {
        self.contacts
    }
}
