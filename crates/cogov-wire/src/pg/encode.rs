//! Record batches → rows on the wire, one batch at a time, at the pace of the client.

use super::fault;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use arrow_pg::datatypes::arrow_schema_to_pg_fields;
use arrow_pg::row_encoder::RowEncoder;
use cogov_app::ReleasedRows;
use cogov_model::Locale;
use futures::{Stream, StreamExt, stream};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::FieldInfo;
use pgwire::error::PgWireResult;
use pgwire::messages::data::DataRow;
use std::sync::Arc;

/// The columns of a result as the client is told of them.
pub(super) fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    // A column of nothing but NULL is told as text, as PostgreSQL does since version 10.
    let told = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Null => Field::new(field.name(), DataType::Utf8, true),
        _ => field.as_ref().clone(),
    });
    let told = Schema::new(told.collect::<Vec<_>>());
    arrow_schema_to_pg_fields(&told, format, None)
}

/// The type of a parameter as the client is told of it; text where the statement does not tell.
pub(super) fn parameter(data_type: Option<&DataType>) -> Type {
    data_type
        .and_then(|known| arrow_pg::datatypes::into_pg_type(known).ok())
        .filter(|t| *t != Type::UNKNOWN)
        .unwrap_or(Type::TEXT)
}

/// The rows of an answer. Dropping the stream ends the query.
pub(super) fn released(
    rows: ReleasedRows,
    fields: Arc<Vec<FieldInfo>>,
    locale: Locale,
) -> impl Stream<Item = PgWireResult<DataRow>> + Send {
    let state = (rows, None::<RowEncoder>, fields, locale);
    stream::try_unfold(state, |(mut rows, mut open, fields, locale)| async move {
        loop {
            if let Some(encoder) = open.as_mut()
                && let Some(row) = encoder.next_row()
            {
                return Ok(Some((row?, (rows, open, fields, locale))));
            }
            match rows.next().await {
                Some(Ok(batch)) => open = Some(RowEncoder::new(batch, fields.clone())),
                Some(Err(error)) => return Err(fault::statement(&error, locale)),
                None => return Ok(None),
            }
        }
    })
}

/// The rows of one batch.
pub(super) fn batch(
    batch: RecordBatch,
    fields: Arc<Vec<FieldInfo>>,
) -> impl Stream<Item = PgWireResult<DataRow>> + Send {
    let mut encoder = RowEncoder::new(batch, fields);
    stream::iter(std::iter::from_fn(move || encoder.next_row()))
}
