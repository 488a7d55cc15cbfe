//! Answers as they are kept: one JSON text a statement and table, its sets as Roaring bitmaps in base64.

use super::answered::Figure;
use super::set::QuerySet;
use super::story::Story;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one statement adds to the memory about one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The object whose rows the sets number.
    pub(crate) object: String,
    /// The groups of the certificate when it was answered.
    pub(crate) groups: u64,
    /// How it was asked.
    pub(crate) story: Story,
    /// Independent sets that were answered, with their seats.
    pub(crate) figures: Vec<KeptFigure>,
    /// Marks of sets that were hidden.
    pub(crate) hidden: Vec<u64>,
    /// When earlier figures got other seats: all figures in their new order, with their seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<Vec<(u32, Vec<u32>)>>,
    /// Seats that are no rows of the object any more: an older object and the row in it. Their numbers mean something
    /// to the memory that wrote them only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) gone: BTreeMap<u32, (String, u32)>,
}

/// An answered set as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptFigure {
    levels: Vec<String>,
    pub(crate) seats: Vec<u32>,
}

impl KeptFigure {
    pub(crate) fn new(figure: &Figure, seats: Vec<u32>) -> Option<Self> {
        let levels = figure.set.levels().iter().map(|level| {
            let mut bytes = Vec::with_capacity(level.serialized_size());
            level.serialize_into(&mut bytes).ok().map(|()| STANDARD.encode(bytes))
        });
        Some(Self { levels: levels.collect::<Option<Vec<_>>>()?, seats })
    }

    /// The set, its rows renumbered. None when it cannot be read, or a row has no number.
    pub(crate) fn set(&self, number: impl Fn(u32) -> Option<u32>) -> Option<QuerySet> {
        let level = |text: &String| {
            let bytes = STANDARD.decode(text).ok()?;
            let rows = RoaringBitmap::deserialize_from(bytes.as_slice()).ok()?;
            rows.iter().map(&number).collect::<Option<RoaringBitmap>>()
        };
        self.levels.iter().map(level).collect::<Option<Vec<_>>>().map(QuerySet::of_levels)
    }
}

impl Record {
    pub(crate) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
