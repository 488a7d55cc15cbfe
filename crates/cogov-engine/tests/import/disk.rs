//! Disks and storages that fail: a clear error, and nothing half-written is visible.
use super::support::{objects, plan, reader};
use cogov_engine::import::{ImportError, Sink, Stage, import};
use cogov_model::TableName;
use futures::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart, local::LocalFileSystem,
    memory::InMemory, path::Path,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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
    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
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
        let sink = Sink {
            store: Arc::clone(&store) as Arc<dyn ObjectStore>,
            folder: "d".to_owned(),
            table: TableName::new("t").unwrap(),
        };
        let error = import(reader("a,b\n1,2\nragged\n"), plan(), sink.clone(), |_| {}).await.unwrap_err();
        assert!(
            matches!(error, ImportError::Store(_)) && error.to_string().contains("nothing was stored"),
            "{error}"
        );
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
    let paths: std::collections::BTreeSet<String> =
        all.into_iter().map(|i| i.unwrap().version.path).collect();
    assert_eq!(paths.len(), 1);
    let left: Vec<_> =
        std::fs::read_dir(folder.path().join("data/x")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_disk_that_takes_no_more_is_a_clear_error_at_any_size() {
    // The limit on file size stands in for a full disk: the same system call fails.
    for blocks in [1, 40, 400, 900] {
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact disk::no_room_alone --ignored");
        let program = std::env::current_exe().unwrap();
        let status = std::process::Command::new("sh").arg("-c").arg(script).arg(program).output().unwrap();
        assert!(status.status.success(), "{blocks}: {}", String::from_utf8_lossy(&status.stdout));
    }
}

#[tokio::test]
#[ignore = "run by the test above, with little room"]
async fn no_room_alone() {
    let mut csv = "a,b\n".to_owned();
    let mut x = 1_u64;
    for i in 0..120_000 {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        csv.push_str(&format!("{i},{x:x}\n"));
    }
    let store = Arc::new(InMemory::new());
    let error = import(reader(csv), plan(), super::support::sink(&store), |_| {}).await.unwrap_err();
    assert!(!error.is_input(), "{error}");
    assert!(error.to_string().contains("too large"), "{error}");
    assert!(objects(&store).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_nobody_waits_for_stops() {
    let csv = format!("a,b\n{}", "1,2\n".repeat(2_000_000));
    let told = Arc::new(AtomicUsize::new(0));
    let store = Arc::new(InMemory::new());
    let seen = Arc::clone(&told);
    let running = import(reader(csv), plan(), super::support::sink(&store), move |p| {
        if p.stage == Stage::Reading {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    {
        tokio::pin!(running);
        while told.load(Ordering::SeqCst) == 0 {
            let step = tokio::time::timeout(std::time::Duration::from_millis(5), &mut running).await;
            assert!(step.is_err(), "it ended before it could be dropped");
        }
    }
    // On a busy machine the step under way may still end; reading two million rows takes many of them.
    let dropped = told.load(Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let after = told.load(Ordering::SeqCst);
    assert!(after <= dropped + 2, "it goes on reading: {dropped}, then {after}");
    assert!(objects(&store).await.is_empty());
}
