//! Finds the text encoding of a file from the file itself, as far as it has to be read for that.

use super::error::ImportError;
use chardetng::EncodingDetector;
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};
use std::io::Read;

/// Bytes of lines with other than ASCII that are enough to tell an encoding.
const ENOUGH: usize = 256 << 10;
/// Bytes read at a time.
const STEP: usize = 256 << 10;

/// An encoding, and the bytes of a byte order mark before the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) encoding: &'static Encoding,
    pub(super) mark: usize,
}

/// The encoding that a caller names.
pub(super) fn named(label: &str) -> Result<&'static Encoding, ImportError> {
    let found = Encoding::for_label(label.trim().as_bytes());
    found.map(wide).ok_or_else(|| ImportError::Encoding(label.chars().take(40).collect()))
}

/// GB18030 contains GBK, and files called GBK often hold more.
fn wide(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == GBK { GB18030 } else { encoding }
}

/// Finds the encoding: a byte order mark, UTF-16 by its zeros, UTF-8 when most lines with other than
/// ASCII are valid, and otherwise what the bytes look like. A file of ASCII alone is read to its end,
/// since a name may come late.
pub(super) fn find(reader: &mut dyn Read, label: Option<&str>) -> Result<Found, ImportError> {
    let mut chunk = step(reader)?;
    if let Some((encoding, mark)) = Encoding::for_bom(&chunk) {
        return Ok(Found { encoding, mark });
    }
    if let Some(label) = label {
        return Ok(Found { encoding: named(label)?, mark: 0 });
    }
    if let Some(encoding) = utf16(&chunk) {
        return Ok(Found { encoding, mark: 0 });
    }
    let mut evidence = Evidence::default();
    while !chunk.is_empty() && !evidence.enough() {
        evidence.add(&chunk);
        chunk = step(reader)?;
    }
    Ok(Found { encoding: evidence.encoding(), mark: 0 })
}

fn step(reader: &mut dyn Read) -> Result<Vec<u8>, ImportError> {
    let mut chunk = Vec::with_capacity(STEP);
    reader.take(STEP as u64).read_to_end(&mut chunk).map_err(super::open::read_error)?;
    Ok(chunk)
}

/// UTF-16 without a mark: in most text nearly every other byte is zero, always the same one.
fn utf16(chunk: &[u8]) -> Option<&'static Encoding> {
    let head = chunk.get(..chunk.len().min(1024) & !1)?;
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    match half {
        0..=3 => None,
        _ if odd * 10 > half * 7 && even * 10 < half => Some(UTF_16LE),
        _ if even * 10 > half * 7 && odd * 10 < half => Some(UTF_16BE),
        _ => None,
    }
}

/// Lines that hold more than ASCII.
#[derive(Default)]
struct Evidence {
    lines: Vec<u8>,
    utf8: usize,
    other: usize,
    /// The unfinished last line of the chunk before.
    rest: Vec<u8>,
}

impl Evidence {
    fn enough(&self) -> bool {
        self.lines.len() >= ENOUGH
    }

    fn add(&mut self, chunk: &[u8]) {
        if chunk.is_ascii() && self.rest.is_ascii() {
            self.rest.clear();
            return;
        }
        let mut parts = chunk.split(|b| *b == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.rest.extend_from_slice(part);
            if parts.peek().is_some() || self.rest.len() > STEP {
                self.settle();
            }
        }
    }

    fn settle(&mut self) {
        if !self.rest.is_ascii() {
            if std::str::from_utf8(&self.rest).is_ok() {
                self.utf8 += 1
            } else {
                self.other += 1
            }
            self.lines.append(&mut self.rest);
            self.lines.push(b'\n');
        }
        self.rest.clear();
    }

    fn encoding(mut self) -> &'static Encoding {
        self.settle();
        if self.utf8 >= self.other {
            return UTF_8;
        }
        let mut detector = EncodingDetector::new();
        detector.feed(&self.lines, true);
        wide(detector.guess(None, false))
    }
}
