//! Takes one row of delimited text apart, line by line while a quote is open.

use super::row::{Cell, Reason, Row};
use memchr::memchr;

/// Where the parser stands between lines.
#[derive(Debug)]
pub(super) struct Fields {
    separator: u8,
    quoted: bool,
    /// Where the open value starts in the row's text.
    start: usize,
}

impl Fields {
    pub(super) const fn new(separator: u8) -> Self {
        Self { separator, quoted: false, start: 0 }
    }

    /// Takes one line into the row. True when the row is complete, false when a quote is still open.
    /// An unquoted value of nothing is null; a quote inside an unquoted value stands for itself.
    pub(super) fn line(&mut self, text: &str, row: &mut Row) -> Result<bool, Reason> {
        if self.quoted {
            row.text.push('\n');
        } else if memchr(b'"', text.as_bytes()).is_none() {
            self.plain(text, row);
            return Ok(true);
        }
        let mut rest = text;
        loop {
            if self.quoted {
                let Some((head, tail)) = rest.split_once('"') else {
                    row.text.push_str(rest);
                    return Ok(false);
                };
                row.text.push_str(head);
                match tail.as_bytes().first() {
                    Some(b'"') => row.text.push('"'),
                    Some(b) if *b != self.separator => return Err(Reason::AfterQuote),
                    after => {
                        row.cells.push(Some(Cell { start: self.start, end: row.text.len(), textual: false }));
                        self.quoted = false;
                        if after.is_none() {
                            return Ok(true);
                        }
                    }
                }
                rest = tail.get(1..).unwrap_or_default();
            } else if let Some(inside) = rest.strip_prefix('"') {
                self.quoted = true;
                self.start = row.text.len();
                rest = inside;
            } else {
                let end = memchr(self.separator, rest.as_bytes());
                let value = end.map_or(Some(rest), |end| rest.get(..end)).unwrap_or_default();
                push(row, value);
                match end {
                    Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
                    None => return Ok(true),
                }
            }
        }
    }

    /// A line without any quote: one copy, then ends of values.
    fn plain(&self, text: &str, row: &mut Row) {
        let base = row.text.len();
        row.text.push_str(text);
        let mut start = 0;
        for end in memchr::memchr_iter(self.separator, text.as_bytes()).chain([text.len()]) {
            let cell = Cell { start: base + start, end: base + end, textual: false };
            row.cells.push((start < end).then_some(cell));
            start = end + 1;
        }
    }
}

fn push(row: &mut Row, value: &str) {
    let start = row.text.len();
    row.text.push_str(value);
    let cell = Cell { start, end: row.text.len(), textual: false };
    row.cells.push((!value.is_empty()).then_some(cell));
}
