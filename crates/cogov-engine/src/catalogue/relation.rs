//! Small tables in memory, and the batches that come out.

use crate::error::QueryError;
use arrow::array::{ArrayRef, BooleanArray, Int32Array, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use std::{collections::HashMap, sync::Arc};

/// The mark by which the door's encoder knows an oid.
const OID_MARK: (&str, &str) = ("pg.oid_alias", "oid");

/// What a column of the catalogue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An oid.
    Oid,
    /// A number.
    Int,
    /// A text.
    Text,
    /// True or false.
    Bool,
}

impl Kind {
    fn field(self, name: &str) -> Field {
        let data_type = match self {
            Kind::Oid | Kind::Int => DataType::Int32,
            Kind::Text => DataType::Utf8,
            Kind::Bool => DataType::Boolean,
        };
        let field = Field::new(name, data_type, true);
        if self != Kind::Oid {
            return field;
        }
        field.with_metadata(HashMap::from([(OID_MARK.0.to_owned(), OID_MARK.1.to_owned())]))
    }
}

/// One value.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Null,
    Int(i32),
    Text(String),
    Bool(bool),
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Cell::Int(number)
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Self {
        Cell::Bool(truth)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

/// A table: its columns and rows.
pub(super) struct Relation {
    pub name: &'static str,
    pub columns: Vec<(String, Kind)>,
    pub rows: Vec<Vec<Cell>>,
}

impl Relation {
    /// A table from `name kind, name kind …`, where kind is `oid`, `int`, `text` or `bool`.
    pub(super) fn new(name: &'static str, columns: &'static str) -> Self {
        let column = |pair: &str| {
            let (name, kind) = pair.trim().split_once(' ').unwrap_or((pair.trim(), "text"));
            let kind = match kind {
                "oid" => Kind::Oid,
                "int" => Kind::Int,
                "bool" => Kind::Bool,
                _ => Kind::Text,
            };
            (name.to_owned(), kind)
        };
        Self { name, columns: columns.split(',').map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row: the cells by column name; the rest is null.
    pub(super) fn row(&mut self, cells: &[(&str, Cell)]) {
        let cell = |(column, _): &(String, Kind)| {
            cells.iter().find(|(name, _)| name == column).map_or(Cell::Null, |(_, cell)| cell.clone())
        };
        self.rows.push(self.columns.iter().map(cell).collect());
    }

    /// As a batch.
    pub(super) fn batch(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let fields: Vec<Field> = self.columns.iter().map(|(name, kind)| kind.field(name)).collect();
        let arrays = self.columns.iter().enumerate().map(|(place, (_, kind))| {
            let cells = self.rows.iter().map(|row| row.get(place));
            match kind {
                Kind::Oid | Kind::Int => {
                    let numbers =
                        cells.map(|cell| if let Some(Cell::Int(n)) = cell { Some(*n) } else { None });
                    Arc::new(numbers.collect::<Int32Array>()) as ArrayRef
                }
                Kind::Text => {
                    let texts = cells
                        .map(|cell| if let Some(Cell::Text(t)) = cell { Some(t.as_str()) } else { None });
                    Arc::new(texts.collect::<StringArray>())
                }
                Kind::Bool => {
                    let truths =
                        cells.map(|cell| if let Some(Cell::Bool(b)) = cell { Some(*b) } else { None });
                    Arc::new(truths.collect::<BooleanArray>())
                }
            }
        });
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect())
    }
}

/// A schema of texts.
pub(super) fn texts(names: &[String]) -> SchemaRef {
    let fields: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    Arc::new(Schema::new(fields))
}

/// A plan's schema with the names that its columns have outside, and types that every door encodes.
pub(super) fn renamed(schema: &Schema, names: &[Option<String>]) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(place, field)| {
        let name = names.get(place).cloned().flatten().unwrap_or_else(|| field.name().clone());
        let data_type = match field.data_type() {
            DataType::Int32 | DataType::Int64 | DataType::Int16 | DataType::Boolean | DataType::Float64 => {
                field.data_type().clone()
            }
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 | DataType::Int8 => {
                DataType::Int64
            }
            // Texts, nulls, lists: in their text form.
            _ => DataType::Utf8,
        };
        Field::new(name, data_type, true).with_metadata(field.metadata().clone())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// All rows as one batch of the promised schema.
pub(super) fn together(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, QueryError> {
    let internal = |_| QueryError::internal();
    let mut fitting = Vec::with_capacity(batches.len());
    for batch in batches {
        let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
            if matches!(column.data_type(), DataType::List(_)) {
                return Ok(Arc::new(StringArray::new_null(column.len())) as ArrayRef);
            }
            cast(column, field.data_type())
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(internal)?;
        fitting.push(RecordBatch::try_new(schema.clone(), columns).map_err(internal)?);
    }
    concat_batches(schema, &fitting).map_err(internal)
}
