//! Copies that are taken away: marked files of an answer, which must be the same in both worlds to the byte, and hold the rows
//! of the answer.

use super::common::texts;
use super::worlds::World;
use cogov_engine::MaskKey;
use cogov_engine::extract::{ExtractWriter, FileFormat, Marker, WatermarkKey};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::StreamExt;

/// The files of an answer, in each format; none when it ends in an error.
pub async fn copies(world: &World, sql: &str) -> Option<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for format in FileFormat::ALL {
        files.push(copy(world, sql, format).await?);
    }
    Some(files)
}

async fn copy(world: &World, sql: &str, format: FileFormat) -> Option<Vec<u8>> {
    let prepared = world.engine.prepare(&world.grant, sql).await.ok()?;
    let mut stream = prepared.execute().ok()?;
    let mut marker = Marker::new(WatermarkKey::derive(&MaskKey::new([5; 32]), 7));
    let metadata = [("cogov.grant".to_owned(), "g".to_owned())];
    let (mut writer, mut bytes) = ExtractWriter::begin(format, &stream.schema(), &metadata).ok()?;
    while let Some(batch) = stream.next().await {
        let marked = marker.mark(&batch.ok()?).unwrap();
        bytes.extend(writer.batch(&marked).unwrap());
    }
    bytes.extend(writer.end().unwrap());
    Some(bytes)
}

/// The rows of the Parquet file among them, sorted.
pub fn rows_of(files: &[Vec<u8>]) -> Vec<String> {
    let parquet = bytes::Bytes::from(files[0].clone());
    let reader = ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap().build().unwrap();
    let mut rows: Vec<String> = reader.flat_map(|batch| texts(&batch.unwrap())).collect();
    rows.sort();
    rows
}
