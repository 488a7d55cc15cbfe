//! What the tests of import and grading share.
use cogov_engine::import::{ImportError, ImportPlan, ImportSource, Imported, Sink, import};
use cogov_model::{ColumnProfile, Scheme, TableName};
use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use std::{path::PathBuf, sync::Arc};

/// The root of the workspace.
pub fn root() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..")
}

/// The scheme that ships.
pub fn scheme() -> Arc<Scheme> {
    let text = std::fs::read_to_string(root().join("rulebooks/scheme.toml")).unwrap();
    let scheme: Scheme = toml::from_str(&text).unwrap();
    scheme.check().unwrap();
    Arc::new(scheme)
}

pub fn plan() -> ImportPlan {
    ImportPlan::new(scheme())
}

pub fn sink(store: &Arc<InMemory>) -> Sink {
    Sink {
        store: Arc::clone(store) as Arc<dyn ObjectStore>,
        folder: "data/test".to_owned(),
        table: TableName::new("t").unwrap(),
    }
}

pub fn reader(bytes: impl Into<Vec<u8>>) -> ImportSource {
    let bytes: Vec<u8> = bytes.into();
    ImportSource::Reader { size: Some(bytes.len() as u64), reader: Box::pin(std::io::Cursor::new(bytes)) }
}

/// Imports bytes into a store of their own.
pub async fn import_bytes(bytes: impl Into<Vec<u8>>) -> Result<(Arc<InMemory>, Imported), ImportError> {
    import_with(bytes, plan()).await
}

pub async fn import_with(
    bytes: impl Into<Vec<u8>>,
    plan: ImportPlan,
) -> Result<(Arc<InMemory>, Imported), ImportError> {
    let store = Arc::new(InMemory::new());
    let result = import(reader(bytes), plan, sink(&store), |_| {}).await;
    if result.is_err() {
        assert!(objects(&store).await.is_empty(), "a failed import leaves nothing visible");
    }
    Ok((store, result?))
}

pub async fn objects(store: &InMemory) -> Vec<String> {
    use futures::TryStreamExt;
    let all: Vec<_> = store.list(None).try_collect().await.unwrap();
    all.into_iter().map(|o| o.location.to_string()).collect()
}

pub async fn bytes(store: &InMemory, path: &str) -> bytes::Bytes {
    store.get(&Path::from(path)).await.unwrap().bytes().await.unwrap()
}

/// The stored table.
pub async fn table(store: &InMemory, imported: &Imported) -> RecordBatch {
    let bytes = bytes(store, &imported.version.path).await;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().with_batch_size(1 << 20).build().unwrap();
    let schema = datafusion::arrow::array::RecordBatchReader::schema(&reader);
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    datafusion::arrow::compute::concat_batches(&schema, &batches).unwrap()
}

/// Every row of the stored table as text; null as `∅`.
pub async fn rows(store: &InMemory, imported: &Imported) -> Vec<Vec<String>> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let batch = table(store, imported).await;
    let options = FormatOptions::default().with_null("∅");
    let columns: Vec<_> =
        batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options).unwrap()).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect()).collect()
}

pub async fn rejects(store: &InMemory, imported: &Imported) -> Vec<Vec<String>> {
    let Some(path) = &imported.version.rejects_path else { return Vec::new() };
    let bytes = bytes(store, path).await;
    let mut reader = csv::Reader::from_reader(bytes.as_ref());
    reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
}

pub fn column<'a>(imported: &'a Imported, name: &str) -> &'a ColumnProfile {
    imported
        .profile
        .columns
        .iter()
        .find(|c| c.name.as_str() == name)
        .unwrap_or_else(|| panic!("no column {name}"))
}

pub fn categories(profile: &ColumnProfile) -> Vec<&str> {
    profile.proposal.label.categories.iter().map(|c| c.as_str()).collect()
}
