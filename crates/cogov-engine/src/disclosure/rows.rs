//! The rows of a table's file by number: which row a key means, and which person stands behind it.

use super::answered::People;
use super::keys::row_keys;
use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use std::collections::HashMap;

/// A file that cannot be read as it should.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unreadable;

/// The rows of one file.
#[derive(Debug)]
pub(crate) struct TableRows {
    /// Rows in the file.
    pub(crate) count: u32,
    /// Whether keys are of whole rows, because the unit repeats or there is none.
    pub(crate) by_content: bool,
    /// Whether persons are rows, because no unit is declared.
    pub(crate) without_unit: bool,
    first: HashMap<u64, u32>,
    /// Rows that are all alike, by key.
    alike: HashMap<u64, Vec<u32>>,
    pub(crate) people: People,
    /// The person of a unit, by the unit's hash.
    units: HashMap<u64, u32>,
}

impl TableRows {
    /// Reads the unit column of a file, or every column where that does not tell rows apart.
    pub(crate) async fn read(file: &File<'_>, unit: Option<&str>) -> Result<Self, Unreadable> {
        let all: Vec<&str> = file.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let units = match unit {
            Some(unit) => file.keys(&[unit]).await?,
            None => Vec::new(),
        };
        let mut rows = Self::of_keys(&units)?;
        if unit.is_some() && rows.alike.is_empty() {
            rows.people.count = u64::from(rows.count);
            rows.units = rows.first.clone();
            return Ok(rows);
        }
        let persons = rows.first;
        rows = Self::of_keys(&file.keys(&all).await?)?;
        (rows.by_content, rows.without_unit) = (true, unit.is_none());
        rows.people.count = if unit.is_some() { persons.len() as u64 } else { u64::from(rows.count) };
        let person = |(row, key): (u32, &u64)| persons.get(key).map(|person| (row, *person));
        rows.people.of_row = (0_u32..).zip(&units).filter_map(person).collect();
        rows.units = persons;
        Ok(rows)
    }

    fn of_keys(keys: &[u64]) -> Result<Self, Unreadable> {
        let count = u32::try_from(keys.len()).map_err(|_| Unreadable)?;
        let mut first = HashMap::with_capacity(keys.len());
        let mut alike: HashMap<u64, Vec<u32>> = HashMap::new();
        for (row, key) in (0_u32..).zip(keys) {
            let earlier = *first.entry(*key).or_insert(row);
            if earlier != row {
                alike.entry(*key).or_insert_with(|| vec![earlier]).push(row);
            }
        }
        let people = People::default();
        let units = HashMap::new();
        Ok(Self { count, by_content: false, without_unit: false, first, alike, people, units })
    }

    /// The rows that keys mean, each key as often as it stands there. None for a key of no row.
    pub(crate) fn rows(&self, keys: &[u64]) -> Option<Vec<u32>> {
        if self.alike.is_empty() {
            return keys.iter().map(|key| self.first.get(key).copied()).collect();
        }
        // Rows that are alike stand under the same conditions, so they always come together.
        let mut seen: HashMap<u64, usize> = HashMap::new();
        let each = |key: &u64| match self.alike.get(key) {
            None => self.first.get(key).copied(),
            Some(alike) => {
                let turn = seen.entry(*key).or_default();
                *turn += 1;
                alike.get((*turn - 1) % alike.len()).copied()
            }
        };
        keys.iter().map(each).collect()
    }

    /// How many persons stand behind rows, which are given with repeats.
    pub(crate) fn persons(&self, set: &super::set::QuerySet) -> u64 {
        self.people.behind(set.rows())
    }

    /// For each row of an older file its number here: the row of the same unit and content; otherwise that of a row
    /// that is gone, of a person who is known here by the same unit, or there, or stands alone.
    pub(crate) fn renumber(&self, old: &Told, here: &Told, gone: &mut Gone) -> Option<Renumbered> {
        let mut found: HashMap<(u64, u64), Vec<u32>> = HashMap::new();
        for (row, key) in (0_u32..).zip(here.units.iter().copied().zip(here.contents.iter().copied())) {
            found.entry(key).or_default().push(row);
        }
        found.values_mut().for_each(|rows| rows.reverse());
        let mut turns: HashMap<(u64, u64), usize> = HashMap::new();
        let mut renumbered =
            Renumbered { numbers: Vec::with_capacity(old.units.len()), gone: HashMap::new() };
        for (unit, content) in old.units.iter().copied().zip(old.contents.iter().copied()) {
            if let Some(row) = found.get_mut(&(unit, content)).and_then(Vec::pop) {
                renumbered.numbers.push(row);
                continue;
            }
            let turn = turns.entry((unit, content)).or_default();
            let known = gone.numbers.entry((old.columns, unit, content)).or_default();
            let number = match known.get(*turn) {
                Some(number) => *number,
                None => {
                    let number = gone.next.max(self.count);
                    gone.next = number.checked_add(1)?;
                    known.push(number);
                    let person = match self.units.get(&unit) {
                        _ if self.without_unit => number,
                        Some(person) => *person,
                        None => *gone.persons.entry(unit).or_insert(number),
                    };
                    renumbered.gone.insert(number, person);
                    number
                }
            };
            *turn += 1;
            renumbered.numbers.push(number);
        }
        Some(renumbered)
    }
}

/// Rows of older files that are not in this one, over all of them: each has one number, which nothing else has.
#[derive(Debug, Default)]
pub(crate) struct Gone {
    /// By the columns that were compared, unit and content: as many as stood in one file at most.
    numbers: HashMap<(u64, u64, u64), Vec<u32>>,
    /// The person of a unit that is not in this file.
    persons: HashMap<u64, u32>,
    next: u32,
}

/// By row: a hash of the unit (zero without one) and of the content.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) units: Vec<u64>,
    pub(crate) contents: Vec<u64>,
    /// A hash of the columns that the content is of.
    pub(crate) columns: u64,
}

/// An older file's rows by the numbers of a newer one.
#[derive(Debug)]
pub(crate) struct Renumbered {
    pub(crate) numbers: Vec<u32>,
    /// Rows that are gone or changed and were not met before, with the person behind each.
    pub(crate) gone: HashMap<u32, u32>,
}

/// A file of a table: how to open it, and the types in which queries see its columns.
pub(crate) struct File<'a> {
    pub(crate) open: &'a (dyn Fn() -> Result<Box<dyn AsyncFileReader>, Unreadable> + Send + Sync),
    pub(crate) schema: &'a Schema,
}

impl File<'_> {
    /// A hash of each row over the named columns, in file order.
    pub(crate) async fn keys(&self, names: &[&str]) -> Result<Vec<u64>, Unreadable> {
        let builder = ParquetRecordBatchStreamBuilder::new((self.open)()?).await.map_err(|_| Unreadable)?;
        let wanted: Result<Vec<usize>, _> =
            names.iter().map(|name| builder.schema().index_of(name)).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.map_err(|_| Unreadable)?);
        let mut stream = builder.with_projection(mask).build().map_err(|_| Unreadable)?;
        let mut keys = Vec::new();
        while let Some(batch) = stream.try_next().await.map_err(|_| Unreadable)? {
            keys.extend(row_keys(&columns(&batch, self.schema, names)?).map_err(|_| Unreadable)?);
        }
        Ok(keys)
    }
}

/// The named columns of a batch, in the types of a schema.
fn columns(batch: &RecordBatch, schema: &Schema, names: &[&str]) -> Result<Vec<ArrayRef>, Unreadable> {
    let column = |name: &&str| {
        let to: &DataType = schema.field_with_name(name).map_err(|_| Unreadable)?.data_type();
        cast(batch.column_by_name(name).ok_or(Unreadable)?, to).map_err(|_| Unreadable)
    };
    names.iter().map(column).collect()
}
