//! Disks and storages that fail: a clear error, and nothing half-written is visible.
use cogov_engine::import::{ImportError, Sink, import};
use cogov_model::TableName;
use futures::stream::BoxStream;
use super::support::{objects, plan, reader};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, UploadPart, local::LocalFileSystem, memory::InMemory, path::Path,
};
use std::{
    fmt,
    sync::{Arc, atomic::{AtomicUsize, Ordering}},
};

/// A storage whose `fail_at`-th write of a part, or completion, fails as a full disk does.
#[derive(Debug)]
struct Full {
    inner: InMemory,
    writes: Arc<AtomicUsize>,
    fail_at: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full")
    }
}

fn step(writes: &AtomicUsize, fail_at: usize) -> Result<()> {
    if writes.fetch_add(1, Ordering::SeqCst) == fail_at {
        let source = Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull));
        return Err(object_store::Error::Generic { store: "Full", source });
    }
    Ok(())
}

#[derive(Debug)]
struct FullUpload {
    inner: Box<dyn MultipartUpload>,
    writes: Arc<AtomicUsize>,
    fail_at: usize,
}

#[async_trait::async_trait]
impl MultipartUpload for FullUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match step(&self.writes, self.fail_at) {
            Ok(()) => self.inner.put_part(data),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }
    async fn complete(&mut self) -> Result<PutResult> {
        step(&self.writes, self.fail_at)?;
        self.inner.complete().await
    }
    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait::async_trait]
impl ObjectStore for Full {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        step(&self.writes, self.fail_at)?;
        self.inner.put_opts(location, payload, opts).await
    }
    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(FullUpload { inner, writes: Arc::clone(&self.writes), fail_at: self.fail_at }))
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_full_storage_leaves_nothing_behind_at_any_step() {
    for fail_at in 0..4 {
        let store = Arc::new(Full { inner: InMemory::new(), writes: Arc::default(), fail_at });
        let sink = Sink { store: Arc::clone(&store) as Arc<dyn ObjectStore>, folder: "d".to_owned(), table: TableName::new("t").unwrap() };
        let error = import(reader("a,b\n1,2\nragged\n"), plan(), sink.clone(), |_| {}).await.unwrap_err();
        assert!(matches!(error, ImportError::Store(_)) && error.to_string().contains("nothing was stored"), "{error}");
        assert!(objects(&store.inner).await.is_empty(), "step {fail_at}");
        // The storage recovers: the same import goes through.
        let imported = import(reader("a,b\n1,2\nragged\n"), plan(), sink, |_| {}).await.unwrap();
        assert_eq!((imported.version.rows, imported.version.rejected), (1, 1));
        assert_eq!(objects(&store.inner).await.len(), 2);
    }
}

#[tokio::test]
async fn a_full_temporary_folder_is_said_so() {
    let mut plan = plan();
    plan.spool_dir = "/nonexistent/spool".into();
    let store = Arc::new(InMemory::new());
    let error = import(reader("a\n1\n"), plan, super::support::sink(&store), |_| {}).await.unwrap_err();
    assert!(matches!(error, ImportError::Io { doing: "making a temporary file", .. }), "{error}");
}

#[tokio::test]
async fn a_local_folder_holds_the_table_and_no_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let sink = Sink { store, folder: "data/x".to_owned(), table: TableName::new("t").unwrap() };
    let imports = (0..6).map(|_| import(reader("a,b\n1,2\n3\n"), plan(), sink.clone(), |_| {}));
    let all = futures::future::join_all(imports).await;
    let paths: std::collections::BTreeSet<String> = all.into_iter().map(|i| i.unwrap().version.path).collect();
    assert_eq!(paths.len(), 1);
    let left: Vec<_> = std::fs::read_dir(folder.path().join("data/x")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}
