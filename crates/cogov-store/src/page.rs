//! Pages of a list and revisions of a record: the two shapes that every listing and every change uses.

use crate::StoreError;
use cogov_model::Timestamp;
use std::fmt;

/// Where a page ends: opaque to callers, stable while records come and go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// Reads a cursor that came back from outside. It is checked when it is used.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.chars().take(200).collect())
    }

    /// A cursor at a text key.
    pub(crate) fn at_key(key: &str) -> Self {
        Self(key.to_owned())
    }

    /// A cursor at a moment and a text key.
    pub(crate) fn at_moment(at: Timestamp, key: &str) -> Self {
        Self(format!("{}~{key}", at.millis()))
    }

    /// A cursor at a number.
    pub(crate) fn at_number(number: u64) -> Self {
        Self(number.to_string())
    }

    pub(crate) fn key(&self) -> &str {
        &self.0
    }

    pub(crate) fn moment(&self) -> Result<(i64, &str), StoreError> {
        let (at, key) = self.0.split_once('~').ok_or(StoreError::BadCursor)?;
        Ok((at.parse().map_err(|_| StoreError::BadCursor)?, key))
    }

    pub(crate) fn number(&self) -> Result<i64, StoreError> {
        self.0.parse().map_err(|_| StoreError::BadCursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The `next` of the page before; none for the first.
    pub after: Option<Cursor>,
    /// At most so many items: 1 to 1,000.
    limit: u32,
}

impl Page {
    /// The most items a page has.
    pub const MOST: u32 = 1000;

    /// A page after a cursor. The limit is brought into 1 to [`Page::MOST`].
    #[must_use]
    pub fn new(after: Option<Cursor>, limit: u32) -> Self {
        Self { after, limit: limit.clamp(1, Self::MOST) }
    }

    /// The first page.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self::new(None, limit)
    }

    /// At most so many items.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// One more than the limit: so that the query itself says whether more follows.
    pub(crate) fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Cursor>,
}

impl<T> Paged<T> {
    /// Cuts a list that was fetched with [`Page::fetch`].
    pub(crate) fn cut(mut items: Vec<T>, page: &Page, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = page.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }

    /// The same page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Paged<U> {
        Paged { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}
