//! A media in memory whose disk can be made to fail: for tests here and in the crates that write to a ledger.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::Media;

/// A ledger in memory. Clones share the same bytes, so a test can hold one and open the ledger with another.
#[derive(Clone, Default)]
pub struct MemoryMedia {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone, Default)]
struct Disk {
    journal: Vec<u8>,
    /// The journal as a loss of power would leave it.
    synced: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    /// Bytes that journal writes still take before they fail.
    room: Option<usize>,
    sync_fails: bool,
    put_fails: bool,
    syncs: u64,
    sync_takes: Duration,
}

impl MemoryMedia {
    /// An empty media that does not fail.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Journal writes take `bytes` more bytes; the write that goes beyond is torn there and fails, like those after it.
    pub fn fail_write_after(&self, bytes: usize) {
        self.disk.lock().room = Some(bytes);
    }

    /// Every sync of the journal fails from now on.
    pub fn fail_sync(&self) {
        self.disk.lock().sync_fails = true;
    }

    /// Every file that is put fails from now on; the journal goes on.
    pub fn fail_put(&self) {
        self.disk.lock().put_fails = true;
    }

    /// The disk stops: no write, sync or file succeeds any more.
    pub fn stop(&self) {
        self.fail_write_after(0);
        self.fail_sync();
        self.fail_put();
    }

    /// The disk works again.
    pub fn heal(&self) {
        let mut disk = self.disk.lock();
        (disk.room, disk.sync_fails, disk.put_fails) = (None, false, false);
    }

    /// What a loss of power would leave: the synced journal and `unsynced` bytes more of what was only written.
    #[must_use]
    pub fn after_power_loss(&self, unsynced: usize) -> Self {
        let mut disk = self.disk.lock().clone();
        let keep = (disk.synced.len() + unsynced).min(disk.journal.len());
        disk.journal.truncate(keep);
        disk.synced.clone_from(&disk.journal);
        (disk.room, disk.sync_fails, disk.put_fails) = (None, false, false);
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// An independent copy of the bytes as they are.
    #[must_use]
    pub fn copy(&self) -> Self {
        self.after_power_loss(usize::MAX / 2)
    }

    /// Changes the journal's bytes behind the ledger's back.
    pub fn tamper_journal(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk.lock();
        change(&mut disk.journal);
        disk.synced = disk.journal.clone();
    }

    /// Changes the named files behind the ledger's back.
    pub fn tamper_files(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        change(&mut self.disk.lock().files);
    }

    /// Every sync of the journal takes this long from now on, as on a slow disk.
    pub fn slow_sync(&self, takes: Duration) {
        self.disk.lock().sync_takes = takes;
    }

    /// How often the journal was synced.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.disk.lock().syncs
    }
}

fn stopped() -> io::Error {
    io::Error::other("the disk was stopped by a test")
}

impl Media for MemoryMedia {
    fn journal_len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().journal.len() as u64)
    }

    fn journal_read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let disk = self.disk.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let from =
            disk.journal.get(start..start.saturating_add(bytes.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(from);
        Ok(())
    }

    fn journal_write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let taken = disk.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        if let Some(room) = &mut disk.room {
            *room -= taken;
        }
        let end = start + taken;
        if disk.journal.len() < end {
            disk.journal.resize(end, 0);
        }
        if let (Some(to), Some(from)) = (disk.journal.get_mut(start..end), bytes.get(..taken)) {
            to.copy_from_slice(from);
        }
        if taken == bytes.len() { Ok(()) } else { Err(stopped()) }
    }

    fn journal_sync(&self) -> io::Result<()> {
        let takes = self.disk.lock().sync_takes;
        std::thread::sleep(takes);
        let mut disk = self.disk.lock();
        if disk.sync_fails {
            return Err(stopped());
        }
        disk.syncs += 1;
        let Disk { journal, synced, .. } = &mut *disk;
        synced.clone_from(journal);
        Ok(())
    }

    fn journal_truncate(&self, len: u64) -> io::Result<()> {
        let mut disk = self.disk.lock();
        if disk.sync_fails {
            return Err(stopped());
        }
        disk.journal.truncate(usize::try_from(len).map_err(io::Error::other)?);
        let Disk { journal, synced, .. } = &mut *disk;
        synced.clone_from(journal);
        Ok(())
    }

    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.disk.lock().files.get(name).cloned())
    }

    fn put(&self, name: &str, bytes: &[u8], _durable: bool) -> io::Result<()> {
        let mut disk = self.disk.lock();
        if disk.put_fails {
            return Err(stopped());
        }
        disk.files.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        let prefix = format!("{name}/");
        self.disk.lock().files.retain(|file, _| !file.starts_with(&prefix));
        Ok(())
    }
}
