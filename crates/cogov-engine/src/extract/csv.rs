//! Batches as RFC 4180 text. A null is nothing, an empty text is `""`; days and moments are as ISO 8601 writes them.

use arrow::array::Array;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// How days and moments are written.
pub(super) fn options() -> FormatOptions<'static> {
    FormatOptions::default()
        .with_date_format(Some("%Y-%m-%d"))
        .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f%:z"))
}

/// The header line.
#[must_use]
pub fn csv_head(schema: &Schema) -> Vec<u8> {
    let names: Vec<String> = schema.fields().iter().map(|field| csv_field(field.name())).collect();
    format!("{}\r\n", names.join(",")).into_bytes()
}

/// The lines of a batch.
///
/// # Errors
/// When a column has a type that has no text.
pub fn csv_rows(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let options = options();
    let columns = batch
        .columns()
        .iter()
        .map(|array| ArrayFormatter::try_new(array.as_ref(), &options).map(|texts| (array, texts)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        for (place, (array, texts)) in columns.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            if !array.is_null(row) {
                text.push_str(&csv_field(&texts.value(row).to_string()));
            }
        }
        text.push_str("\r\n");
    }
    Ok(text.into_bytes())
}

fn csv_field(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
