//! Opens a source: finds its kind from its first bytes, and decompresses within the limits.

use super::{
    error::ImportError,
    plan::{Format, Limits},
};
use flate2::read::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes after decompression from which on the ratio is watched: small files compress well.
const RATIO_FROM: u64 = 64 << 20;

/// How a source is packed and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    packing: Packing,
    /// Never `Auto`.
    pub(super) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// What a decompressor stops with when a limit is passed; carried through `io::Error`.
#[derive(Debug, thiserror::Error)]
#[error("over the limit")]
struct Bomb {
    what: &'static str,
    limit: u64,
    unit: &'static str,
}

/// Finds the kind of a source from its bytes, never from its name.
pub(super) fn kind(file: &File, wanted: Format, limits: &Limits) -> Result<Kind, ImportError> {
    let head = head(&mut reader(file, Packing::Plain, limits, Arc::default())?)?;
    let packing = match head.as_slice() {
        [] => return Err(ImportError::Empty),
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        _ => Packing::Plain,
    };
    let inner = match packing {
        Packing::Plain => head,
        _ => self::head(&mut reader(file, packing, limits, Arc::default())?)?,
    };
    refuse(&inner)?;
    let format = match wanted {
        Format::Auto => guess(&inner),
        format => format,
    };
    if format == Format::Parquet && !inner.starts_with(b"PAR1") {
        return Err(ImportError::Parquet("it does not start as a Parquet file does".to_owned()));
    }
    Ok(Kind { packing, format })
}

fn head(reader: &mut dyn Read) -> Result<Vec<u8>, ImportError> {
    let mut head = Vec::new();
    reader.take(4_096).read_to_end(&mut head).map_err(read_error)?;
    Ok(head)
}

/// Known kinds of files that are no text, with a word on what they are.
fn refuse(head: &[u8]) -> Result<(), ImportError> {
    const KINDS: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"%PDF", "a PDF document"),
        (b"BZh", "compressed with bzip2"),
        (b"\xfd7zXZ", "compressed with xz"),
        (b"ARROW1", "an Arrow IPC file"),
        (b"SQLite format 3", "an SQLite database"),
    ];
    match KINDS.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, kind)) => Err(ImportError::Kind { kind }),
        None => Ok(()),
    }
}

fn guess(head: &[u8]) -> Format {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        _ if head.starts_with(b"PAR1") => Format::Parquet,
        Some(b'{') => Format::JsonLines,
        _ => Format::Delimited,
    }
}

/// The text of a source from its start. `taken` counts the bytes of the source that were read.
pub(super) fn text(
    file: &File,
    kind: Kind,
    limits: &Limits,
    taken: Arc<AtomicU64>,
) -> Result<Box<dyn Read + Send>, ImportError> {
    reader(file, kind.packing, limits, taken)
}

/// The Parquet bytes of a source: the file itself, or a decompressed copy of it.
pub(super) fn plain_copy(
    file: &File,
    kind: Kind,
    limits: &Limits,
    spool: impl FnOnce() -> Result<File, ImportError>,
) -> Result<File, ImportError> {
    if kind.packing == Packing::Plain {
        return file.try_clone().map_err(ImportError::io("reading the file"));
    }
    let mut copy = spool()?;
    let mut source = reader(file, kind.packing, limits, Arc::default())?;
    io::copy(&mut source, &mut copy).map_err(read_error)?;
    Ok(copy)
}

fn reader(
    file: &File,
    packing: Packing,
    limits: &Limits,
    taken: Arc<AtomicU64>,
) -> Result<Box<dyn Read + Send>, ImportError> {
    let mut file = file.try_clone().map_err(ImportError::io("reading the file"))?;
    file.seek(SeekFrom::Start(0)).map_err(ImportError::io("reading the file"))?;
    let counted = Counted { inner: file, taken: Arc::clone(&taken) };
    let buffered = BufReader::with_capacity(1 << 18, counted);
    let inner: Box<dyn Read + Send> = match packing {
        Packing::Plain => return Ok(Box::new(buffered)),
        Packing::Gzip => Box::new(MultiGzDecoder::new(buffered)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered).map_err(read_error)?;
            // A frame may ask for a window of gigabytes; 128 MiB is what `zstd -d` allows by default.
            decoder.window_log_max(27).map_err(read_error)?;
            Box::new(decoder)
        }
    };
    Ok(Box::new(Guarded { inner, taken, given: 0, limits: *limits }))
}

struct Counted {
    inner: File,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Stops a decompression bomb.
struct Guarded {
    inner: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    given: u64,
    limits: Limits,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.given += n as u64;
        if self.given > self.limits.expanded_bytes {
            let limit = self.limits.expanded_bytes;
            return Err(io::Error::other(Bomb {
                what: "the file after decompression",
                limit,
                unit: "bytes",
            }));
        }
        let taken = self.taken.load(Ordering::Relaxed).max(1);
        if self.given > RATIO_FROM && self.given / taken > self.limits.expansion_ratio {
            let limit = self.limits.expansion_ratio;
            let unit = "bytes for each compressed byte";
            return Err(io::Error::other(Bomb { what: "the compression", limit, unit }));
        }
        Ok(n)
    }
}

/// An error of reading, told apart: a bomb, a damaged archive, or the disk.
pub(super) fn read_error(error: io::Error) -> ImportError {
    if let Some(bomb) = error.get_ref().and_then(|inner| inner.downcast_ref::<Bomb>()) {
        let hint = "send it uncompressed or in parts";
        return ImportError::Limit { what: bomb.what, limit: bomb.limit, unit: bomb.unit, hint };
    }
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => {
            ImportError::Compression(error.to_string())
        }
        _ => ImportError::Io { doing: "reading the file", error },
    }
}
