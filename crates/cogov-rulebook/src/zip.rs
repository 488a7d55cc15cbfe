//! One file out of a ZIP archive (PKWARE's APPNOTE 6.3.3: stored or deflated, no encryption, no ZIP64).
//!
//! Archives come from strangers: every offset is checked, and what an archive says of its own sizes is not trusted.

use flate2::{Crc, read::DeflateDecoder};
use std::io::Read as _;

/// Files that an archive may list.
const MOST_FILES: u16 = 4096;
/// Bytes of the record at the end of an archive, and of the longest comment after it.
const END: usize = 22;
const COMMENT: usize = 0xFFFF;

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZipError {
    /// The bytes are no archive.
    NoArchive,
    /// The archive has no such file.
    NoFile,
    /// The file is larger than it may be.
    TooLarge,
    /// The archive is damaged, or uses what texts do not need.
    Broken,
}

/// The bytes of a file of an archive, at most `most`.
pub(crate) fn file(archive: &[u8], name: &str, most: usize) -> Result<Vec<u8>, ZipError> {
    let end = end(archive).ok_or(ZipError::NoArchive)?;
    let count = word(archive, end + 10).ok_or(ZipError::Broken)?;
    if count > MOST_FILES {
        return Err(ZipError::TooLarge);
    }
    let mut at = long(archive, end + 16).ok_or(ZipError::Broken)?;
    for _ in 0..count {
        let entry = Entry::read(archive, at).ok_or(ZipError::Broken)?;
        if entry.name == name.as_bytes() {
            return entry.bytes(archive, most);
        }
        at = entry.next;
    }
    Err(ZipError::NoFile)
}

/// Where the record at the end begins.
fn end(archive: &[u8]) -> Option<usize> {
    let last = archive.len().checked_sub(END)?;
    let first = last.saturating_sub(COMMENT);
    (first..=last).rev().find(|at| archive.get(*at..).is_some_and(|rest| rest.starts_with(b"PK\x05\x06")))
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
}

/// An entry of the directory.
struct Entry<'a> {
    name: &'a [u8],
    encrypted: bool,
    method: u16,
    crc: usize,
    packed: usize,
    /// Where the file's own header begins.
    header: usize,
    /// Where the next entry begins.
    next: usize,
}

impl<'a> Entry<'a> {
    fn read(archive: &'a [u8], at: usize) -> Option<Self> {
        if !archive.get(at..)?.starts_with(b"PK\x01\x02") {
            return None;
        }
        let length = |offset: usize| word(archive, at.checked_add(offset)?).map(usize::from);
        let field = |offset: usize| long(archive, at.checked_add(offset)?);
        let start = at.checked_add(46)?;
        let stop = start.checked_add(length(28)?)?;
        Some(Self {
            name: archive.get(start..stop)?,
            encrypted: length(8)? & 1 == 1,
            method: word(archive, at.checked_add(10)?)?,
            crc: field(16)?,
            packed: field(20)?,
            header: field(42)?,
            next: stop.checked_add(length(30)?)?.checked_add(length(32)?)?,
        })
    }

    fn bytes(&self, archive: &[u8], most: usize) -> Result<Vec<u8>, ZipError> {
        let packed = self.packed(archive).ok_or(ZipError::Broken)?;
        let mut bytes = Vec::new();
        let limit = most as u64 + 1;
        let read = match self.method {
            0 => packed.take(limit).read_to_end(&mut bytes),
            8 => DeflateDecoder::new(packed).take(limit).read_to_end(&mut bytes),
            _ => return Err(ZipError::Broken),
        };
        read.map_err(|_| ZipError::Broken)?;
        if bytes.len() > most {
            return Err(ZipError::TooLarge);
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if usize::try_from(crc.sum()) == Ok(self.crc) { Ok(bytes) } else { Err(ZipError::Broken) }
    }

    /// The packed bytes, behind the file's own header.
    fn packed<'b>(&self, archive: &'b [u8]) -> Option<&'b [u8]> {
        let at = self.header;
        if self.encrypted || !archive.get(at..)?.starts_with(b"PK\x03\x04") {
            return None;
        }
        let length = |offset: usize| word(archive, at.checked_add(offset)?).map(usize::from);
        let start = at.checked_add(30)?.checked_add(length(26)?)?.checked_add(length(28)?)?;
        archive.get(start..start.checked_add(self.packed)?)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, write::DeflateEncoder};
    use std::io::Write;

    /// An archive of deflated files, written by hand.
    pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, bytes) in files {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            let packed = encoder.finish().unwrap();
            let mut crc = Crc::new();
            crc.update(bytes);
            let header = out.len() as u32;
            let mut fields = Vec::new();
            for two in [20_u16, 0, 8, 0, 0] {
                fields.extend(two.to_le_bytes());
            }
            for four in [crc.sum(), packed.len() as u32, bytes.len() as u32] {
                fields.extend(four.to_le_bytes());
            }
            fields.extend((name.len() as u16).to_le_bytes());
            fields.extend([0, 0]);
            out.extend(b"PK\x03\x04");
            out.extend(&fields);
            out.extend(name.as_bytes());
            out.extend(&packed);
            directory.extend(b"PK\x01\x02\x14\x00");
            directory.extend(&fields);
            directory.extend([0; 10]);
            directory.extend(header.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let (start, length, count) = (out.len() as u32, directory.len() as u32, files.len() as u16);
        out.extend(&directory);
        out.extend(b"PK\x05\x06\x00\x00\x00\x00");
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend([0, 0]);
        out
    }

    #[test]
    fn files_come_back_and_damage_is_found() {
        let whole = archive(&[("a.txt", b"first"), ("b.txt", "second 第二".as_bytes())]);
        assert_eq!(file(&whole, "a.txt", 100).unwrap(), b"first");
        assert_eq!(file(&whole, "b.txt", 100).unwrap(), "second 第二".as_bytes());
        assert_eq!(file(&whole, "c.txt", 100), Err(ZipError::NoFile));
        assert_eq!(file(&whole, "b.txt", 5), Err(ZipError::TooLarge));
        assert_eq!(file(b"PK\x03\x04", "a.txt", 5), Err(ZipError::NoArchive));
        // Every byte changed, and every cut, is an error or gives the same bytes; none panics.
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            for name in ["a.txt", "b.txt"] {
                if let Ok(bytes) = file(&changed, name, 100) {
                    assert_eq!(bytes, file(&whole, name, 100).unwrap(), "byte {at}");
                }
            }
            assert!(file(&whole[..at], "a.txt", 100).is_err());
        }
    }
}
