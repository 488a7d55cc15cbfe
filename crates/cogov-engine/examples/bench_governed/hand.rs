//! The same policy by hand: views over plain DataFusion, as an engineer would write them.

use crate::policy::{Policy, Rules};
use anyhow::{Result, bail};
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{fmt::Write as _, path::Path, sync::Arc};

/// A context whose tables are views with row filter and masks.
pub async fn context(policy: &Policy, data: &Path, partitions: usize) -> Result<SessionContext> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    context.register_udf(create_udf(
        "keyed_hash",
        vec![DataType::Utf8View],
        DataType::Utf8View,
        Volatility::Immutable,
        Arc::new(|arguments| {
            Ok(ColumnarValue::Array(keyed_hash(&ColumnarValue::values_to_arrays(arguments)?)))
        }),
    ));
    for (name, rules) in &policy.tables {
        let path = data.join(format!("{name}.parquet"));
        let raw = format!("raw_{name}");
        context.register_parquet(&raw, path.to_string_lossy(), ParquetReadOptions::default()).await?;
        let columns: Vec<String> =
            context.table(&raw).await?.schema().fields().iter().map(|f| f.name().clone()).collect();
        context.sql(&view(name, &raw, &columns, rules)?).await?.collect().await?;
    }
    Ok(context)
}

fn view(name: &str, raw: &str, columns: &[String], rules: &Rules) -> Result<String> {
    let mut shown = Vec::new();
    for column in columns.iter().filter(|c| !rules.withheld.contains(c)) {
        shown.push(match rules.masks.get(column).map(|m| m.split_once(':').unwrap_or((m, ""))) {
            None => column.clone(),
            Some(("prefix", keep)) => format!("substr({column}, 1, {keep}) || '…' AS {column}"),
            Some(("year", _)) => format!("CAST(date_part('year', {column}) AS INT) AS {column}"),
            Some(("keyed-hash", _)) => format!("keyed_hash({column}) AS {column}"),
            Some((other, _)) => bail!("the mask {other} is not written by hand yet"),
        });
    }
    let mut sql = format!("CREATE VIEW {name} AS SELECT {} FROM {raw}", shown.join(", "));
    if let Some(rows) = &rules.rows {
        let values: Vec<String> = rows.values.iter().map(|v| v.to_string().replace('"', "'")).collect();
        write!(sql, " WHERE {} IN ({})", rows.column, values.join(", "))?;
    }
    Ok(sql)
}

/// HMAC-SHA-256, the first 16 bytes in hex.
fn keyed_hash(arguments: &[ArrayRef]) -> ArrayRef {
    let mut out = StringViewBuilder::new();
    let fresh = Hmac::<Sha256>::new_from_slice(&crate::KEY).ok();
    for text in arguments.iter().flat_map(|array| array.as_string_view().iter()) {
        let hash = text.zip(fresh.clone()).map(|(text, mut hmac)| {
            hmac.update(text.as_bytes());
            hex::encode(hmac.finalize().into_bytes().get(..16).unwrap_or_default())
        });
        out.append_option(hash);
    }
    Arc::new(out.finish()) as Arc<dyn Array>
}
