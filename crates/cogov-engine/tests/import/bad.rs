//! Bad files: a clear error or a reject with line and reason, nothing lost, nothing half-written, no panic.
use super::support::{import_bytes, import_with, objects, plan, rejects, rows, sink};
use cogov_engine::import::{ImportError, ImportSource, import};
use object_store::memory::InMemory;
use std::{
    io::Write,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tokio::io::{AsyncRead, ReadBuf};

#[tokio::test]
async fn one_bad_quote_costs_one_row() {
    let csv = "a,b,c\n1,x,2\n2,\"open,3\n3,y,4\n4,\"closed\"tail,5\n5,z,6\n";
    let (store, imported) = import_bytes(csv).await.unwrap();
    assert_eq!(rows(&store, &imported).await, [["1", "x", "2"], ["3", "y", "4"], ["5", "z", "6"]]);
    let rejects = rejects(&store, &imported).await;
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[0], ["3", "a quote is opened and never closed", "2,\"open,3"]);
    assert_eq!(rejects[1], ["5", "text stands after a closing quote", "4,\"closed\"tail,5"]);
    assert_eq!((imported.version.rows, imported.version.rejected), (3, 2));
}

#[tokio::test]
async fn ragged_rows_nul_and_mixed_encodings_are_kept_aside() {
    let mut csv = "姓名,b\n张三,1\n李四,2\nx\ny,1,2\nz,\0\n".as_bytes().to_vec();
    csv.extend_from_slice(&encoding_rs::GB18030.encode("王五,3\n").0);
    csv.extend_from_slice("赵六,4\n".as_bytes());
    let (store, imported) = import_bytes(csv).await.unwrap();
    assert_eq!(rows(&store, &imported).await, [["张三", "1"], ["李四", "2"], ["赵六", "4"]]);
    let reasons: Vec<_> =
        rejects(&store, &imported).await.into_iter().map(|r| (r[0].clone(), r[1].clone())).collect();
    let expected = [
        ("4", "1 values where the header has 2"),
        ("5", "3 values where the header has 2"),
        ("6", "a NUL character"),
        ("7", "bytes that are not of the file's encoding"),
    ];
    assert_eq!(reasons, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[tokio::test]
async fn json_rows_that_are_wrong_are_kept_aside_without_their_values_in_the_reason() {
    let json = "{\"a\": 1}\n[1]\n{\"a\": secret}\n{\"a\": 1, \"a\": 2}\n{\"a\": 2}\n";
    let (store, imported) = import_bytes(json).await.unwrap();
    assert_eq!(imported.version.rows, 2);
    let rejects = rejects(&store, &imported).await;
    assert_eq!(rejects.iter().map(|r| r[0].as_str()).collect::<Vec<_>>(), ["2", "3", "4"]);
    assert!(rejects.iter().all(|r| !r[1].contains("secret")));
}

#[tokio::test]
async fn files_without_rows_or_header_are_refused() {
    assert!(matches!(import_bytes("").await, Err(ImportError::Empty)));
    assert!(matches!(import_bytes("\n\n  \n").await, Err(ImportError::Empty)));
    assert!(matches!(import_bytes("a,b\n").await, Err(ImportError::NoRows)));
    assert!(matches!(import_bytes("a,b\n\n\n").await, Err(ImportError::NoRows)));
    assert!(matches!(import_bytes("1,2\n3,4\n").await, Err(ImportError::NoHeader)));
    assert!(matches!(
        import_bytes("a,b\n1\n2\n").await,
        Err(ImportError::AllRejected { rejected: 2, line: 2, .. })
    ));
    assert!(matches!(import_bytes("{\n").await, Err(ImportError::AllRejected { .. })));
    assert!(matches!(import_bytes(&b"PK\x03\x04rest"[..]).await, Err(ImportError::Kind { .. })));
    let mut plan = plan();
    plan.limits.rejects = 10;
    let csv = format!("a,b\n1,2\n{}", "x\n".repeat(11));
    assert!(matches!(
        import_with(csv, plan).await,
        Err(ImportError::TooManyRejected { limit: 10, line: 13, .. })
    ));
}

/// A stream that is made as it is read.
struct Endless {
    head: &'static [u8],
    left: u64,
    tail: &'static [u8],
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.head.is_empty() {
            buffer.put_slice(self.head);
            self.head = b"";
        } else if self.left > 0 {
            let n = buffer.remaining().min(usize::try_from(self.left).unwrap());
            buffer.put_slice(&vec![b'x'; n]);
            self.left -= n as u64;
        } else {
            buffer.put_slice(self.tail);
            self.tail = b"";
        }
        Poll::Ready(Ok(()))
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_gigabyte_of_one_line_is_refused_in_little_memory() {
    // In a process of its own, since the other tests use memory too.
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let status = alone.args(["--exact", "bad::one_long_line_alone", "--ignored"]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
#[ignore = "run alone by the test above"]
async fn one_long_line_alone() {
    // A gigabyte would only take longer: 256 MiB are many times what is kept.
    let before = resident();
    let started = Instant::now();
    let store = Arc::new(InMemory::new());
    let source = |head, tail| ImportSource::Reader {
        size: None,
        reader: Box::pin(Endless { head, left: 256 << 20, tail }),
    };
    let refused = import(source(b"", b"\n"), plan(), sink(&store), |_| {}).await;
    assert!(matches!(refused, Err(ImportError::Limit { what: "the first line", .. })), "{refused:?}");
    let kept = import(source(b"a,b\n1,2\n3,", b"\n5,6\n"), plan(), sink(&store), |_| {}).await.unwrap();
    assert_eq!((kept.version.rows, kept.version.rejected), (2, 1));
    assert_eq!(rows(&store, &kept).await, [["1", "2"], ["5", "6"]]);
    let reject = &rejects(&store, &kept).await[0];
    assert!(reject[0] == "3" && reject[1].starts_with("a line longer than") && reject[2].len() <= 4_096);
    let grown = resident().saturating_sub(before);
    assert!(grown < 128 << 20, "memory grew by {grown} bytes");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_stream_over_the_limit_is_not_taken_in() {
    let store = Arc::new(InMemory::new());
    let mut plan = plan();
    plan.limits.source_bytes = 1 << 20;
    let source = ImportSource::Reader {
        size: None,
        reader: Box::pin(Endless { head: b"a\n", left: u64::MAX, tail: b"" }),
    };
    assert!(matches!(
        import(source, plan, sink(&store), |_| {}).await,
        Err(ImportError::Limit { what: "the file", .. })
    ));
}

#[tokio::test]
async fn too_many_columns_are_refused_by_name_of_the_limit() {
    let wide = |n: usize| {
        let header: Vec<_> = (0..n).map(|i| format!("c{i}")).collect();
        format!("{}\n{}\n", header.join(","), vec!["1"; n].join(","))
    };
    let error = import_bytes(wide(10_000)).await.unwrap_err();
    assert!(error.to_string().contains("4096 columns"), "{error}");
    let (_, imported) = import_bytes(wide(4_096)).await.unwrap();
    assert_eq!(imported.profile.columns.len(), 4_096);
    let json: String = (0..5_000).map(|i| format!("{{\"c{i}\": 1}}\n")).collect();
    assert!(import_bytes(json).await.unwrap_err().to_string().contains("4096 columns"));
}

fn gzip(chunks: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    chunks.for_each(|c| encoder.write_all(&c).unwrap());
    encoder.finish().unwrap()
}

#[tokio::test]
async fn bombs_and_damaged_archives_are_refused() {
    let line = b"1,2\n".repeat(1 << 18);
    let bomb = gzip(std::iter::once(b"a,b\n".to_vec()).chain((0..96).map(|_| line.clone())));
    assert!(bomb.len() < 1 << 20);
    let error = import_bytes(bomb).await.unwrap_err();
    assert!(error.to_string().contains("bytes for each compressed byte"), "{error}");

    let rows: String = (0..50_000).map(|i| format!("{i},{}\n", i * 7919 % 104_729)).collect();
    let whole = gzip(std::iter::once(format!("a,b\n{rows}").into_bytes()));
    for cut in [whole.len() / 3, whole.len() / 2, whole.len() - 4] {
        let error = import_bytes(&whole[..cut]).await.unwrap_err();
        assert!(matches!(error, ImportError::Compression(_)), "{error}");
    }
    let mut flipped = whole.clone();
    let at = flipped.len() / 2;
    flipped[at] ^= 0xff;
    assert!(matches!(import_bytes(flipped).await.unwrap_err(), ImportError::Compression(_)));
    let standard = zstd::encode_all(format!("a,b\n{rows}").as_bytes(), 3).unwrap();
    assert!(matches!(
        import_bytes(&standard[..standard.len() / 2]).await.unwrap_err(),
        ImportError::Compression(_)
    ));
}

#[tokio::test]
async fn a_stray_quote_in_a_long_file_does_not_take_hours() {
    let mut csv = "a,b,c\n".to_owned();
    for i in 0..20_000 {
        csv.push_str(&if i % 100 == 0 { format!("{i},\"open,3\n") } else { format!("{i},x,3\n") });
    }
    let started = Instant::now();
    let (_, imported) = import_bytes(csv).await.unwrap();
    assert_eq!((imported.version.rows, imported.version.rejected), (19_800, 200));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[tokio::test]
async fn unreadable_sources_say_so() {
    let store = Arc::new(InMemory::new());
    let missing =
        import(ImportSource::Path("/nonexistent/file.csv".into()), plan(), sink(&store), |_| {}).await;
    assert!(matches!(missing, Err(ImportError::Io { .. })));
    let mut plan = plan();
    plan.encoding = Some("klingon".to_owned());
    assert!(matches!(import_with("a\n1\n", plan).await, Err(ImportError::Encoding(_))));
    assert!(objects(&store).await.is_empty());
}
