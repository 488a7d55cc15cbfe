//! Rows of JSON lines: one object a line. Numbers keep their digits, nested values stay JSON text.

use super::{
    error::ImportError,
    lines::{Line, Lines},
    plan::Limits,
    row::{Cell, Next, Reason, Reject, Row},
};
use serde::de::IgnoredAny;
use std::collections::HashMap;

/// Reads rows of one file of JSON lines. Names are columns in the order in which they first appear.
pub(super) struct JsonLines {
    lines: Lines,
    names: Vec<String>,
    places: HashMap<String, usize>,
    limits: Limits,
}

impl JsonLines {
    pub(super) fn new(lines: Lines, limits: Limits) -> Self {
        Self { lines, names: Vec::new(), places: HashMap::new(), limits }
    }

    /// The names so far.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the next row into `row`; blank lines are no rows.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<Next, ImportError> {
        let mut line = Line::default();
        loop {
            if !self.lines.next(&mut line)? {
                return Ok(Next::End);
            }
            row.clear();
            return match self.read(&line, row) {
                Ok(true) => Ok(Next::Row),
                Ok(false) => continue,
                Err(Failed::Row(reason)) => {
                    let reject = Reject { line: line.number, reason, raw: self.lines.lossy(&line) };
                    Ok(Next::Reject(reject))
                }
                Err(Failed::File(error)) => Err(error),
            };
        }
    }

    /// Reads one line; false when it is blank.
    fn read(&mut self, line: &Line, row: &mut Row) -> Result<bool, Failed> {
        if line.overlong {
            return Err(Reason::LongLine(self.limits.line_bytes).into());
        }
        let text = self.lines.decode(line).ok_or(Reason::Encoding)?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(false);
        }
        if !text.starts_with('{') {
            return Err(Reason::NoObject.into());
        }
        // The whole line is checked first; the scanner below may then trust its form.
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| Reason::Json(described(&error)))?;
        let mut scanner = Scanner { rest: text.get(1..).unwrap_or_default() };
        row.cells.resize(self.names.len(), None);
        let mut named = vec![false; self.names.len()];
        while let Some((key, value)) = scanner.pair() {
            let key: String = serde_json::from_str(key).map_err(|error| Reason::Json(described(&error)))?;
            let place = self.place(key)?;
            if place >= row.cells.len() {
                row.cells.resize(place + 1, None);
                named.resize(place + 1, false);
            }
            if std::mem::replace(named.get_mut(place).unwrap_or(&mut false), true) {
                return Err(Reason::TwiceNamed.into());
            }
            let cell = self.cell(value, row)?;
            if let Some(slot) = row.cells.get_mut(place) {
                *slot = cell;
            }
        }
        Ok(true)
    }

    fn place(&mut self, key: String) -> Result<usize, Failed> {
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        let place = self.names.len();
        if place >= self.limits.columns {
            let hint = "write fewer names into the objects";
            let limit = self.limits.columns as u64;
            return Err(Failed::File(ImportError::Limit { what: "the file", limit, unit: "columns", hint }));
        }
        self.names.push(key.clone());
        self.places.insert(key, place);
        Ok(place)
    }

    fn cell(&self, value: &str, row: &mut Row) -> Result<Option<Cell>, Failed> {
        let start = row.text.len();
        let textual = value.starts_with(['"', '{', '[']);
        if value.starts_with('"') {
            let text: String =
                serde_json::from_str(value).map_err(|error| Reason::Json(described(&error)))?;
            if text.contains('\0') {
                return Err(Reason::Nul.into());
            }
            row.text.push_str(&text);
        } else {
            row.text.push_str(value);
        }
        let end = row.text.len();
        if end - start > self.limits.field_bytes {
            return Err(Reason::LongField(self.limits.field_bytes).into());
        }
        Ok((value != "null").then_some(Cell { start, end, textual }))
    }
}

/// The message of the parser without what it found, which might be a value.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split('`').next().unwrap_or_default().trim_end().to_owned()
}

enum Failed {
    Row(Reason),
    File(ImportError),
}

impl From<Reason> for Failed {
    fn from(reason: Reason) -> Self {
        Failed::Row(reason)
    }
}

/// Finds the pairs of an object that is known to be valid JSON.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn pair(&mut self) -> Option<(&'a str, &'a str)> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        if !self.rest.starts_with('"') {
            return None;
        }
        let key = self.value();
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ':']);
        Some((key, self.value()))
    }

    /// One value, up to the `,` or `}` that ends it at its own depth.
    fn value(&mut self) -> &'a str {
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        let mut end = self.rest.len();
        for (at, byte) in self.rest.bytes().enumerate() {
            let stop = match byte {
                _ if escaped => {
                    escaped = false;
                    false
                }
                b'\\' if quoted => {
                    escaped = true;
                    false
                }
                b'"' => {
                    quoted = !quoted;
                    false
                }
                _ if quoted => false,
                b',' | b':' | b'}' | b']' if depth == 0 => true,
                b'{' | b'[' => {
                    depth += 1;
                    false
                }
                b'}' | b']' => {
                    depth -= 1;
                    false
                }
                _ => false,
            };
            if stop {
                end = at;
                break;
            }
        }
        let value = self.rest.get(..end).unwrap_or_default().trim_end();
        self.rest = self.rest.get(end..).unwrap_or_default();
        value
    }
}
