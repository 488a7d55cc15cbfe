//! Prepared tables and answers as JSON, so that an engine that shares no code with ours can judge the answers.

use super::grant::Grant;
use super::oracle::prepared;
use super::statement::Order;
use super::worlds::{Contents, World};
use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;
use serde_json::{Value, json};

/// The rows of a statement, each value as a text, with the types of their columns.
pub async fn answer(world: &World, sql: &str, order: Order) -> Value {
    let prepared = world.engine.prepare(&world.grant, sql).await.unwrap();
    let types: Vec<String> =
        prepared.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    let mut stream = prepared.execute().unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        rows.extend(values(&batch.unwrap()));
    }
    json!({"sql": sql, "ordered": order != Order::Free, "types": types, "rows": rows})
}

/// A statement that ended in an error while it ran.
pub fn raised(sql: &str) -> Value {
    json!({"sql": sql, "raised": true})
}

/// The tables of a grant as it shows them.
pub fn tables(grant: &Grant, contents: &Contents) -> Vec<Value> {
    let shown = grant.tables.iter().zip(&contents.tables).map(|(table, rows)| {
        let batch = prepared(table, rows, contents);
        let fields: Vec<[String; 2]> = batch
            .schema()
            .fields()
            .iter()
            .map(|field| [field.name().clone(), field.data_type().to_string()])
            .collect();
        json!({"name": table.name, "columns": fields, "rows": values(&batch)})
    });
    shown.collect()
}

fn values(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let options = FormatOptions::default();
    let columns: Vec<(&dyn Array, ArrayFormatter<'_>)> = batch
        .columns()
        .iter()
        .map(|column| (column.as_ref(), ArrayFormatter::try_new(column.as_ref(), &options).unwrap()))
        .collect();
    let value = |row: usize| {
        columns
            .iter()
            .map(|(column, shown)| column.is_valid(row).then(|| shown.value(row).to_string()))
            .collect()
    };
    (0..batch.num_rows()).map(value).collect()
}
