//! Rows as JSON, CSV or an Arrow stream, batch by batch.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use axum::http::{HeaderMap, header};
use cogov_engine::extract::{csv_head, csv_rows};
use serde_json::Value;

/// A format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object: facts, columns, rows as lists.
    Json,
    /// RFC 4180, with a header line.
    Csv,
    /// Arrow IPC stream.
    Arrow,
}

impl Format {
    const ALL: [Format; 3] = [Format::Json, Format::Csv, Format::Arrow];

    /// The media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv",
            Format::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// The `Content-Type`.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            other => other.media_type(),
        }
    }

    /// What the request accepts most (RFC 9110, 12.5.1); `None` when it accepts none of ours.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Format> {
        let wishes: Vec<&str> =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if wishes.is_empty() {
            return Some(Format::Json);
        }
        let wishes = wishes.join(",");
        let quality = |format: Format| {
            wishes.split(',').filter_map(|wish| fits(wish, format)).max_by(|a, b| a.0.cmp(&b.0))
        };
        let mut best: Option<(f32, Format)> = None;
        for format in Self::ALL {
            if let Some((_, quality)) = quality(format)
                && quality > 0.0
                && best.is_none_or(|(known, _)| quality > known)
            {
                best = Some((quality, format));
            }
        }
        best.map(|(_, format)| format)
    }
}

/// How exactly one wish names the format (2: by name, 1: by kind, 0: anything), and its quality.
fn fits(wish: &str, format: Format) -> Option<(u8, f32)> {
    let mut parts = wish.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let (kind, _) = format.media_type().split_once('/')?;
    let exactness = match range.as_str() {
        name if name == format.media_type() => 2,
        "*/*" => 0,
        name if name.strip_suffix("/*") == Some(kind) => 1,
        _ => return None,
    };
    let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok())?;
    Some((exactness, quality))
}

/// Writes batches in one format.
pub(super) struct Writer {
    format: Format,
    schema: SchemaRef,
    arrow: Option<StreamWriter<Vec<u8>>>,
    rows: u64,
}

impl Writer {
    /// A writer, and what stands before the first row. For JSON, `head` is an object to which the rows are added.
    pub(super) fn begin(
        format: Format,
        schema: SchemaRef,
        head: &Value,
    ) -> Result<(Self, Vec<u8>), ArrowError> {
        let mut writer = Self { format, schema, arrow: None, rows: 0 };
        let first = match format {
            Format::Json => {
                let mut text = head.to_string();
                text.pop();
                text.push_str(",\"rows\":[");
                text.into_bytes()
            }
            Format::Csv => csv_head(&writer.schema),
            Format::Arrow => {
                let mut stream = StreamWriter::try_new(Vec::new(), &writer.schema)?;
                let first = std::mem::take(stream.get_mut());
                writer.arrow = Some(stream);
                first
            }
        };
        Ok((writer, first))
    }

    /// The bytes of one batch.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match self.format {
            Format::Json => self.json(batch),
            Format::Csv => csv_rows(batch),
            Format::Arrow => match self.arrow.as_mut() {
                Some(stream) => {
                    stream.write(batch)?;
                    Ok(std::mem::take(stream.get_mut()))
                }
                None => Ok(Vec::new()),
            },
        }
    }

    /// What stands after the last row.
    pub(super) fn end(mut self) -> Result<Vec<u8>, ArrowError> {
        match self.format {
            Format::Json => Ok(format!("],\"row_count\":{}}}", self.rows).into_bytes()),
            Format::Csv => Ok(Vec::new()),
            Format::Arrow => match self.arrow.as_mut() {
                Some(stream) => {
                    stream.finish()?;
                    Ok(std::mem::take(stream.get_mut()))
                }
                None => Ok(Vec::new()),
            },
        }
    }

    fn json(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let columns = batch.columns().iter().map(Column::new).collect::<Result<Vec<_>, _>>()?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                text.push(',');
            }
            self.rows += 1;
            let cells: Vec<Value> = columns.iter().map(|column| column.json(row)).collect();
            text.push_str(&Value::Array(cells).to_string());
        }
        Ok(text.into_bytes())
    }
}

/// A column that tells its cells.
struct Column<'a> {
    array: &'a ArrayRef,
    texts: ArrayFormatter<'a>,
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new()
            .with_date_format(Some("%Y-%m-%d"))
            .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
            .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f%:z"));
        Ok(Self { array, texts: ArrayFormatter::try_new(array.as_ref(), &OPTIONS)? })
    }

    fn json(&self, row: usize) -> Value {
        let array = self.array;
        if array.is_null(row) {
            return Value::Null;
        }
        match array.data_type() {
            DataType::Null => Value::Null,
            DataType::Boolean => array.as_boolean().value(row).into(),
            DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
            DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
            DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
            DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
            DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
            DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
            DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
            DataType::Float32 => real(array.as_primitive::<Float32Type>().value(row).into()),
            DataType::Float64 => real(array.as_primitive::<Float64Type>().value(row)),
            _ => self.texts.value(row).to_string().into(),
        }
    }
}

/// A number; what JSON has no number for is named.
fn real(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use arrow::array::{Date32Array, Float64Array, Int64Array, StringArray};
    use arrow::datatypes::{Field, Schema};
    use axum::http::HeaderValue;
    use std::sync::Arc;

    fn batch() -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("x", DataType::Float64, true),
            Field::new("t,\"t", DataType::Utf8, true),
            Field::new("d", DataType::Date32, true),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(i64::MAX), None])),
            Arc::new(Float64Array::from(vec![0.1, f64::NAN])),
            Arc::new(StringArray::from(vec!["", "a\n\"b\""])),
            Arc::new(Date32Array::from(vec![0, 18263])),
        ];
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    fn written(format: Format) -> Vec<u8> {
        let batch = batch();
        let (mut writer, mut bytes) =
            Writer::begin(format, batch.schema(), &serde_json::json!({"a": 1})).unwrap();
        bytes.extend(writer.batch(&batch).unwrap());
        bytes.extend(writer.batch(&batch).unwrap());
        bytes.extend(writer.end().unwrap());
        bytes
    }

    #[test]
    fn json_keeps_numbers_and_nulls() {
        let value: Value = serde_json::from_slice(&written(Format::Json)).unwrap();
        let rows = value.get("rows").unwrap().as_array().unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows.first().unwrap(), &serde_json::json!([i64::MAX, 0.1, "", "1970-01-01"]));
        assert_eq!(rows.get(1).unwrap(), &serde_json::json!([null, "NaN", "a\n\"b\"", "2020-01-02"]));
        assert_eq!(value.get("row_count").unwrap(), 4);
        assert_eq!(value.get("a").unwrap(), 1);
    }

    #[test]
    fn csv_tells_null_from_empty() {
        let text = String::from_utf8(written(Format::Csv)).unwrap();
        let expected = "n,x,\"t,\"\"t\",d\r\n9223372036854775807,0.1,\"\",1970-01-01\r\n,NaN,\"a\n\"\"b\"\"\",2020-01-02\r\n";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn arrow_reads_back() {
        let bytes = written(Format::Arrow);
        let reader = arrow::ipc::reader::StreamReader::try_new(bytes.as_slice(), None).unwrap();
        let batches: Vec<_> = reader.map(Result::unwrap).collect();
        assert_eq!(batches.len(), 2);
        assert_eq!(batches.first().unwrap().schema(), batch().schema());
    }

    #[test]
    fn the_best_wish_wins() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(value));
            Format::accepted(&headers)
        };
        assert_eq!(accepts("text/csv"), Some(Format::Csv));
        assert_eq!(accepts("application/json;q=0.5, text/*"), Some(Format::Csv));
        assert_eq!(accepts("*/*"), Some(Format::Json));
        assert_eq!(accepts("application/vnd.apache.arrow.stream"), Some(Format::Arrow));
        assert_eq!(accepts("*/*, application/json;q=0"), Some(Format::Csv));
        assert_eq!(accepts("image/png"), None);
        assert_eq!(Format::accepted(&HeaderMap::new()), Some(Format::Json));
    }
}
