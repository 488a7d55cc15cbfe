//! Physical lines of a text, with bounded memory whatever the file holds.

use super::{error::ImportError, open::read_error};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read},
};

/// A line without its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// Counts from 1.
    pub(super) number: u64,
    /// Its bytes in the file's encoding, cut when it is too long.
    bytes: Vec<u8>,
    /// Whether it is longer than the limit: then only its head is kept.
    pub(super) overlong: bool,
}

/// Bytes kept of a line that is too long.
const HEAD: usize = 4_096;

/// Reads lines that end in LF, CRLF, or CR alone in files that have no LF.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    encoding: &'static Encoding,
    end: u8,
    limit: usize,
    number: u64,
    /// Whether the text was UTF-16, where U+FFFD marks what was no character.
    narrowed: bool,
}

impl Lines {
    /// Lines of a text that starts after a byte order mark of `mark` bytes.
    pub(super) fn new(
        mut text: Box<dyn Read + Send>,
        encoding: &'static Encoding,
        mark: usize,
        limit: usize,
    ) -> Result<Self, ImportError> {
        io::copy(&mut (&mut text).take(mark as u64), &mut io::sink()).map_err(read_error)?;
        let wide = encoding == UTF_16LE || encoding == UTF_16BE;
        // Only UTF-16 has to be decoded before lines can be found; in all others LF is LF.
        let (text, encoding): (Box<dyn Read + Send>, _) =
            if wide { (Box::new(Narrowed::new(text, encoding)), UTF_8) } else { (text, encoding) };
        let mut reader = BufReader::with_capacity(1 << 18, text);
        let head = reader.fill_buf().map_err(read_error)?;
        let end = if head.contains(&b'\r') && !head.contains(&b'\n') { b'\r' } else { b'\n' };
        Ok(Self { reader, encoding, end, limit, number: 0, narrowed: wide })
    }

    /// Reads the next line into `line`; false at the end of the file.
    pub(super) fn next(&mut self, line: &mut Line) -> Result<bool, ImportError> {
        line.bytes.clear();
        line.overlong = false;
        self.number += 1;
        line.number = self.number;
        let mut any = false;
        loop {
            let buffer = self.reader.fill_buf().map_err(read_error)?;
            if buffer.is_empty() {
                return Ok(any);
            }
            any = true;
            let (part, used, ended) = match memchr::memchr(self.end, buffer) {
                Some(at) => (buffer.get(..at).unwrap_or_default(), at + 1, true),
                None => (buffer, buffer.len(), false),
            };
            if !line.overlong {
                line.bytes.extend_from_slice(part);
                if line.bytes.len() > self.limit {
                    line.overlong = true;
                    line.bytes.truncate(HEAD);
                    line.bytes.shrink_to(HEAD);
                }
            }
            self.reader.consume(used);
            if ended {
                if self.end == b'\n' && line.bytes.last() == Some(&b'\r') {
                    line.bytes.pop();
                }
                return Ok(true);
            }
        }
    }

    /// The text of a line, or `None` when its bytes are not of the encoding.
    pub(super) fn decode<'a>(&self, line: &'a Line) -> Option<Cow<'a, str>> {
        if self.encoding == UTF_8 {
            let text = std::str::from_utf8(&line.bytes).ok()?;
            (!(self.narrowed && text.contains('\u{FFFD}'))).then_some(Cow::Borrowed(text))
        } else {
            self.encoding.decode_without_bom_handling_and_without_replacement(&line.bytes)
        }
    }

    /// The text of a line with what is wrong replaced, for the reject file.
    pub(super) fn lossy(&self, line: &Line) -> String {
        self.encoding.decode_without_bom_handling(&line.bytes).0.into_owned()
    }
}

/// UTF-16 as UTF-8. What is wrong in it becomes U+FFFD, and its line is rejected.
struct Narrowed {
    inner: Box<dyn Read + Send>,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    done: bool,
}

impl Narrowed {
    fn new(inner: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { inner, decoder, raw: vec![0; 1 << 16], text: Vec::new(), given: 0, done: false }
    }
}

impl Read for Narrowed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.done {
            let n = self.inner.read(&mut self.raw)?;
            self.done = n == 0;
            self.given = 0;
            let raw = self.raw.get(..n).unwrap_or_default();
            self.text.resize(self.decoder.max_utf8_buffer_length(n).unwrap_or(n * 3 + 16), 0);
            let (_, _, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, self.done);
            self.text.truncate(written);
        }
        let rest = self.text.get(self.given..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.given += n;
        Ok(n)
    }
}
