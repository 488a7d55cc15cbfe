//! Rows of delimited text after RFC 4180, with recovery: one bad quote costs one row, not the rest of the file.

use super::{
    error::ImportError,
    fields::Fields,
    lines::{Line, Lines},
    plan::Limits,
    row::{Next, Reason, Reject, Row},
};
use std::{borrow::Cow, collections::VecDeque};

/// Lines that are looked at to find the separator.
const SAMPLE: usize = 64;
/// Separators that are looked for, likeliest first.
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Reads rows of one delimited file.
pub(super) struct Delimited {
    lines: Lines,
    /// Lines to be read again: the sample, or what followed a row that was given up.
    pending: VecDeque<Line>,
    separator: u8,
    /// Values of each row; none before the header was read.
    width: Option<usize>,
    limits: Limits,
}

impl Delimited {
    /// Reads with `separator`, or finds it from the first lines.
    pub(super) fn new(lines: Lines, separator: Option<char>, limits: Limits) -> Result<Self, ImportError> {
        let mut rows = Self { lines, pending: VecDeque::new(), separator: b',', width: None, limits };
        match separator {
            Some(c)
                if c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '"' | '\n' | '\r' | '\0') =>
            {
                rows.separator = u8::try_from(c).unwrap_or(b',');
            }
            Some(c) => return Err(ImportError::Delimiter(c)),
            None => rows.find_separator()?,
        }
        Ok(rows)
    }

    /// The separator in use.
    pub(super) const fn separator(&self) -> char {
        self.separator as char
    }

    /// The one that stands most evenly in the first lines.
    fn find_separator(&mut self) -> Result<(), ImportError> {
        let mut counts: Vec<[usize; 4]> = Vec::new();
        while self.pending.len() < SAMPLE {
            let mut line = Line::default();
            if !self.lines.next(&mut line)? {
                break;
            }
            if let Some(text) = self.lines.decode(&line).filter(|t| !t.trim().is_empty() && !line.overlong) {
                counts.push(SEPARATORS.map(|s| outside_quotes(&text, s)));
            }
            self.pending.push_back(line);
        }
        let Some(first) = counts.first().copied() else { return Ok(()) };
        let score = |place: usize| {
            let own = first.get(place).copied().unwrap_or(0);
            let even = counts.iter().filter(|c| c.get(place) == Some(&own)).count();
            if own == 0 { (0, 0) } else { (even, own) }
        };
        let best = (0..SEPARATORS.len()).rev().max_by_key(|place| score(*place)).filter(|p| score(*p).0 > 0);
        self.separator = best.and_then(|place| SEPARATORS.get(place)).copied().unwrap_or(b',');
        Ok(())
    }

    fn line(&mut self) -> Result<Option<Line>, ImportError> {
        if let Some(line) = self.pending.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Line::default();
        Ok(self.lines.next(&mut line)?.then_some(line))
    }

    /// The header: the values of the first line that is not blank.
    pub(super) fn header(&mut self) -> Result<Vec<String>, ImportError> {
        let mut row = Row::default();
        match self.next(&mut row)? {
            Next::End => Err(ImportError::Empty),
            Next::Reject(Reject { reason: Reason::LongLine(limit) | Reason::LongField(limit), .. }) => {
                let hint = "check that the file has line breaks and that its quotes are closed";
                Err(ImportError::Limit { what: "the first line", limit: limit as u64, unit: "bytes", hint })
            }
            Next::Reject(Reject { line, reason, .. }) => {
                Err(ImportError::AllRejected { rejected: 1, line, reason: reason.to_string() })
            }
            Next::Row => {
                self.width = Some(row.cells.len());
                Ok(row
                    .cells
                    .iter()
                    .map(|cell| cell.map_or_else(String::new, |c| row.value(c).to_owned()))
                    .collect())
            }
        }
    }

    /// Reads the next row into `row`. Blank lines are no rows.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<Next, ImportError> {
        loop {
            let Some(line) = self.line()? else { return Ok(Next::End) };
            row.clear();
            let text = match self.text(&line) {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => text,
                Err(reason) => return Ok(self.reject(&line, reason)),
            };
            let mut fields = Fields::new(self.separator);
            match fields.line(&text, row) {
                Ok(true) => {}
                Ok(false) => {
                    drop(text);
                    return self.several(line, fields, row);
                }
                Err(reason) => return Ok(self.reject(&line, reason)),
            }
            return Ok(match self.checked(row) {
                Ok(()) => Next::Row,
                Err(reason) => self.reject(&line, reason),
            });
        }
    }

    /// A row whose quoted value goes on over the next lines. When that does not come out right, only the
    /// first line is rejected and the others are read again, each for itself.
    fn several(&mut self, first: Line, mut fields: Fields, row: &mut Row) -> Result<Next, ImportError> {
        let mut taken: VecDeque<Line> = VecDeque::new();
        while taken.len() < self.limits.row_lines {
            let Some(line) = self.line()? else { break };
            let parsed = match self.text(&line) {
                Ok(text) if row.text.len() + text.len() <= self.limits.line_bytes => fields.line(&text, row),
                _ => Err(Reason::UnclosedQuote),
            };
            taken.push_back(line);
            match parsed {
                Ok(true) if self.checked(row).is_ok() => return Ok(Next::Row),
                Ok(false) => {}
                Ok(true) | Err(_) => break,
            }
        }
        taken.append(&mut self.pending);
        self.pending = taken;
        Ok(self.reject(&first, Reason::UnclosedQuote))
    }

    fn text<'a>(&self, line: &'a Line) -> Result<Cow<'a, str>, Reason> {
        if line.overlong {
            return Err(Reason::LongLine(self.limits.line_bytes));
        }
        let text = self.lines.decode(line).ok_or(Reason::Encoding)?;
        if memchr::memchr(0, text.as_bytes()).is_some() { Err(Reason::Nul) } else { Ok(text) }
    }

    fn checked(&self, row: &Row) -> Result<(), Reason> {
        let limit = self.limits.field_bytes;
        if row.text.len() > limit && row.cells.iter().flatten().any(|c| c.end - c.start > limit) {
            return Err(Reason::LongField(limit));
        }
        match self.width {
            Some(expected) if expected != row.cells.len() => {
                Err(Reason::Ragged { expected, found: row.cells.len() })
            }
            _ => Ok(()),
        }
    }

    fn reject(&self, line: &Line, reason: Reason) -> Next {
        Next::Reject(Reject { line: line.number, reason, raw: self.lines.lossy(line) })
    }
}

fn outside_quotes(text: &str, separator: u8) -> usize {
    let mut quoted = false;
    let mut outside = |b: &u8| {
        quoted ^= *b == b'"';
        !quoted && *b == separator
    };
    text.as_bytes().iter().filter(|b| outside(b)).count()
}
