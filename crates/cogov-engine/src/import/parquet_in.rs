//! Reads a Parquet file that may lie: every value of it is read, and it is written again in our own layout.

use super::error::ImportError;
use cogov_model::DataType;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::errors::ParquetError;
use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::cast::arrow_type;

/// Rows read at a time.
const BATCH_ROWS: usize = 8_192;
/// Text of one column in one batch, above which the batch is cut.
const BATCH_BYTES: usize = 16 << 20;

/// One column: its header and its type for us.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) header: String,
    pub(super) data_type: DataType,
}

/// Reads the schema: what each column will be.
pub(super) fn columns(file: &File) -> Result<Vec<Source>, ImportError> {
    let schema = guarded(|| Ok(Arc::clone(metadata(file)?.schema())))?;
    schema
        .fields()
        .iter()
        .map(|field| Ok(Source { header: field.name().clone(), data_type: type_of(field)? }))
        .collect()
}

/// Our type for a column, or a refusal that names it.
fn type_of(field: &Field) -> Result<DataType, ImportError> {
    Ok(match field.data_type() {
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int8 | ArrowType::Int16 | ArrowType::Int32 | ArrowType::Int64 => DataType::Integer,
        ArrowType::UInt8 | ArrowType::UInt16 | ArrowType::UInt32 | ArrowType::UInt64 => DataType::Integer,
        ArrowType::Float16 | ArrowType::Float32 | ArrowType::Float64 => DataType::Real,
        // A decimal that a number would round stays as it is written.
        ArrowType::Decimal32(p, 0) | ArrowType::Decimal64(p, 0) | ArrowType::Decimal128(p, 0) if *p <= 18 => {
            DataType::Integer
        }
        ArrowType::Decimal32(p, _) | ArrowType::Decimal64(p, _) | ArrowType::Decimal128(p, _) if *p <= 15 => {
            DataType::Real
        }
        ArrowType::Decimal64(..) | ArrowType::Decimal128(..) | ArrowType::Decimal256(..) => DataType::Text,
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View | ArrowType::Null => DataType::Text,
        ArrowType::Time32(_) | ArrowType::Time64(_) => DataType::Text,
        ArrowType::Date32 | ArrowType::Date64 => DataType::Date,
        ArrowType::Timestamp(..) => DataType::Timestamp,
        other => {
            let kind = if other.is_nested() { "a nested type".to_owned() } else { other.to_string() };
            return Err(ImportError::Type { column: field.name().chars().take(60).collect(), kind });
        }
    })
}

/// Calls `see` with every batch, cast to our types, and checks that the rows are as many as the footer says.
pub(super) fn each(
    file: &File,
    columns: &[Source],
    field_bytes: usize,
    mut see: impl FnMut(Vec<ArrayRef>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let metadata = guarded(|| metadata(file))?;
    let promised = metadata.metadata().file_metadata().num_rows();
    let source = file.try_clone().map_err(ImportError::io("reading the file"))?;
    let mut reader = guarded(|| {
        // Views share the pages' bytes, so that one long value that repeats is in memory once.
        let options = options().with_schema(viewed(metadata.schema()));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata)
            .with_batch_size(BATCH_ROWS)
            .build()
    })?;
    let mut rows = 0;
    while let Some(batch) = guarded(|| reader.next().transpose().map_err(ParquetError::from))? {
        rows += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        for part in parts(&batch, field_bytes)? {
            let cast = part.columns().iter().zip(columns).map(|(values, to)| convert(values, to));
            see(cast.collect::<Result<_, _>>()?)?;
        }
    }
    if rows == promised {
        Ok(())
    } else {
        Err(ImportError::Parquet(format!("its footer promises {promised} rows and it holds {rows}")))
    }
}

fn options() -> ArrowReaderOptions {
    // The schema that a writer embeds beside Parquet's own may say anything.
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

fn metadata(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    ArrowReaderMetadata::load(file, options())
}

fn viewed(schema: &Schema) -> SchemaRef {
    let view = |field: &Arc<Field>| match field.data_type() {
        ArrowType::Utf8 | ArrowType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(ArrowType::Utf8View))
        }
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(view).collect::<Vec<_>>()))
}

/// Runs the reader on bytes of a stranger: whatever it does, it does not take the process with it.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ImportError> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ImportError::Parquet(said(&error))),
        Err(_) => Err(ImportError::Parquet("its pages contradict its footer".to_owned())),
    }
}

/// The reader's words, cut before anything that could be a value of the file.
fn said(error: &ParquetError) -> String {
    let text = error.to_string();
    let clean: String =
        text.chars().take_while(|c| !c.is_control() && !matches!(c, '"' | '\'' | '`')).take(120).collect();
    clean.trim().to_owned()
}

/// The batch in parts of bounded text. A value over the limit ends the import.
fn parts(batch: &RecordBatch, field_bytes: usize) -> Result<Vec<RecordBatch>, ImportError> {
    let mut cuts = vec![0];
    let mut sizes = vec![0_usize; batch.num_rows()];
    for column in batch.columns() {
        let Some(texts) = column.as_string_view_opt() else { continue };
        for (size, text) in sizes.iter_mut().zip(texts.iter()) {
            let length = text.map_or(0, str::len);
            if length > field_bytes {
                let hint = "shorten it or leave its column out";
                return Err(ImportError::Limit {
                    what: "a value",
                    limit: field_bytes as u64,
                    unit: "bytes",
                    hint,
                });
            }
            *size += length;
        }
    }
    let mut sum = 0;
    for (row, size) in sizes.iter().enumerate() {
        sum += size;
        if sum > BATCH_BYTES && row > 0 {
            cuts.push(row);
            sum = *size;
        }
    }
    cuts.push(batch.num_rows());
    Ok(cuts
        .windows(2)
        .filter_map(|w| match w {
            [from, to] if from < to => Some(batch.slice(*from, to - from)),
            _ => None,
        })
        .collect())
}

fn convert(values: &ArrayRef, to: &Source) -> Result<ArrayRef, ImportError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let target = match (values.data_type(), to.data_type) {
        // Nanoseconds are cut to microseconds; other units fit.
        (ArrowType::Timestamp(_, zone), _) => ArrowType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        (_, data_type) => arrow_type(data_type),
    };
    let refused = |_| ImportError::Type {
        column: to.header.chars().take(60).collect(),
        kind: format!("{} with values beyond {}", values.data_type(), to.data_type.code()),
    };
    let cast = catch_unwind(AssertUnwindSafe(|| cast_with_options(values, &target, &options)));
    let cast = cast
        .map_err(|_| ImportError::Parquet("its values contradict its types".to_owned()))?
        .map_err(refused)?;
    if let ArrowType::Timestamp(TimeUnit::Microsecond, Some(_)) = cast.data_type() {
        // The stored value is UTC already; only the name of the zone goes.
        let micros = cast.as_primitive::<datafusion::arrow::datatypes::TimestampMicrosecondType>();
        return Ok(Arc::new(micros.clone().with_timezone_opt(None::<Arc<str>>)));
    }
    Ok(cast)
}
