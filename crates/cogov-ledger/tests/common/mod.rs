//! What the tests of the ledger share.
#![allow(dead_code, clippy::unwrap_used, missing_docs, reason = "each test binary uses a part of it")]

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use cogov_ledger::{FileSigner, Ledger, LedgerError, Media, MemoryMedia, Opened, Options, verify::Source};

/// One key for a whole test binary.
pub fn signer() -> Arc<FileSigner> {
    static KEY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = KEY.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        FileSigner::open(&path, "cogov.example/test").unwrap();
        (dir, path)
    });
    Arc::new(FileSigner::open(path, "cogov.example/test").unwrap())
}

pub fn options(media: &MemoryMedia) -> Options {
    Options::new(Arc::new(media.clone()), signer(), Arc::new(|| 1_700_000_000_000))
}

pub fn open(media: &MemoryMedia) -> Result<(Ledger, Opened), LedgerError> {
    Ledger::open(options(media))
}

/// A public entry that names its number, of changing length.
pub fn leaf(number: u64) -> Vec<u8> {
    format!(r#"{{"n":{number},"pad":"{}"}}"#, "x".repeat((number % 37) as usize)).into_bytes()
}

pub fn sealed(number: u64) -> Vec<u8> {
    format!("sealed {number} {}", "y".repeat((number % 23) as usize)).into_bytes()
}

/// The public files of a media in memory.
pub struct Public<'a>(pub &'a MemoryMedia);

impl Source for Public<'_> {
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Media::get(self.0, &format!("public/{path}"))
    }
}
