//! Where the bytes of a ledger lie.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use crate::LedgerError;

/// The store of a ledger: one journal and some named files. Names are relative paths with `/`, made by the ledger itself.
pub trait Media: Send + Sync + 'static {
    /// Length of the journal in bytes.
    ///
    /// # Errors
    /// When the store cannot tell.
    fn journal_len(&self) -> io::Result<u64>;

    /// Fills `bytes` from the journal at `offset`.
    ///
    /// # Errors
    /// When reading fails or the journal ends before.
    fn journal_read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` into the journal at `offset`, which is at most its length.
    ///
    /// # Errors
    /// When writing fails; a part may have been written.
    fn journal_write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written to the journal is durable.
    ///
    /// # Errors
    /// When that is not certain.
    fn journal_sync(&self) -> io::Result<()>;

    /// Cuts the journal to `len` bytes, durably.
    ///
    /// # Errors
    /// When cutting fails.
    fn journal_truncate(&self, len: u64) -> io::Result<()>;

    /// The file `name`, or `None` when there is none.
    ///
    /// # Errors
    /// When reading fails.
    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the file `name` in one step: a reader sees the old or the new bytes. When `durable`, it returns only when the
    /// new bytes would survive a loss of power.
    ///
    /// # Errors
    /// When writing fails; the old file is then still there.
    fn put(&self, name: &str, bytes: &[u8], durable: bool) -> io::Result<()>;

    /// Removes the folder `name` and all in it; nothing happens when there is none.
    ///
    /// # Errors
    /// When removing fails.
    fn remove_folder(&self, name: &str) -> io::Result<()>;
}

/// A ledger in a directory: `journal`, `signed`, and `public/` with nothing but what anyone may read.
#[derive(Debug)]
pub struct FileMedia {
    dir: PathBuf,
    journal: File,
    /// Held for as long as this ledger is open, so that no second process writes to it.
    _lock: File,
}

impl FileMedia {
    /// Opens or creates the directory `dir` (mode 0700 when created) and locks it.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] when another process has it open; [`LedgerError::Media`] when it cannot be created or opened.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        let failed = || LedgerError::media("open the ledger's directory");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed())?;
        let open = |name: &str| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(dir.join(name))
        };
        let lock = open("lock").map_err(failed())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Locked { dir: dir.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(failed()(error)),
        }
        let journal = open("journal").map_err(failed())?;
        // The journal's own directory entry must be as durable as what will be written into it.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed())?;
        Ok(Self { dir: dir.to_owned(), journal, _lock: lock })
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        inside(&self.dir, name)
    }
}

/// `dir/name`, when `name` stays inside `dir`.
pub(crate) fn inside(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let name = Path::new(name);
    if name.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(dir.join(name))
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "the name leaves the directory"))
    }
}

/// Reads a file; `None` when there is none.
pub(crate) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Media for FileMedia {
    fn journal_len(&self) -> io::Result<u64> {
        Ok(self.journal.metadata()?.len())
    }

    fn journal_read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.journal.read_exact_at(bytes, offset)
    }

    fn journal_write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.journal.write_all_at(bytes, offset)
    }

    fn journal_sync(&self) -> io::Result<()> {
        self.journal.sync_data()
    }

    fn journal_truncate(&self, len: u64) -> io::Result<()> {
        self.journal.set_len(len)?;
        self.journal.sync_all()
    }

    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        read_if_there(&self.path(name)?)
    }

    fn put(&self, name: &str, bytes: &[u8], durable: bool) -> io::Result<()> {
        let path = self.path(name)?;
        let folder = path.parent().unwrap_or(&self.dir);
        let draft = path.with_extension("new");
        let create = || File::create(&draft);
        let mut file = match create() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                create()?
            }
            other => other?,
        };
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&draft, &path)?;
        if durable { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.path(name)?) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let media = FileMedia::open(&dir.path().join("l")).unwrap();
        for name in ["../x", "/etc/passwd", "a/../../x", "./x"] {
            assert_eq!(media.put(name, b"", false).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
        }
        media.put("public/tile/0/000", b"1", true).unwrap();
        assert_eq!(media.get("public/tile/0/000").unwrap().unwrap(), b"1");
        assert_eq!(media.get("public/tile/0/001").unwrap(), None);
        media.remove_folder("public").unwrap();
        media.remove_folder("public").unwrap();
        assert_eq!(media.get("public/tile/0/000").unwrap(), None);
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = FileMedia::open(dir.path()).unwrap();
        assert!(matches!(FileMedia::open(dir.path()), Err(LedgerError::Locked { .. })));
        drop(first);
        FileMedia::open(dir.path()).unwrap();
    }
}
