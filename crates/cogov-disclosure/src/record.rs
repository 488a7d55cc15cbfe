//! Answers as they are kept: one JSON text a statement and table, its sets as Roaring bitmaps in base64.

use crate::answered::Figure;
use crate::digest::Digest;
use crate::set::QuerySet;
use crate::story::Story;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one statement adds to the memory about one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The object whose rows the sets number.
    pub object: String,
    /// The groups of the certificate when it was answered.
    pub groups: u64,
    /// How it was asked.
    pub story: Story,
    /// Independent sets that were answered, with their seats.
    pub figures: Vec<KeptFigure>,
    /// Sets that were hidden.
    pub hidden: Vec<Digest>,
    /// When earlier figures got other seats: all figures in their new order, with their seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<(u32, Vec<u32>)>>,
    /// Seats that are no rows of the object any more: an older object and the row in it. Their numbers mean something
    /// to the memory that wrote them only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gone: BTreeMap<u32, (String, u32)>,
}

/// An answered set as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptFigure {
    levels: Vec<String>,
    /// The rows on which it has its seats.
    pub seats: Vec<u32>,
}

impl KeptFigure {
    /// A figure with its seats as it is kept. None when it cannot be written.
    #[must_use]
    pub fn new(figure: &Figure, seats: Vec<u32>) -> Option<Self> {
        let levels = figure.set.levels().iter().map(|level| {
            let mut bytes = Vec::with_capacity(level.serialized_size());
            level.serialize_into(&mut bytes).ok().map(|()| STANDARD.encode(bytes))
        });
        Some(Self { levels: levels.collect::<Option<Vec<_>>>()?, seats })
    }

    /// The set, its rows renumbered. None when it cannot be read, or a row has no number.
    pub fn set(&self, number: impl Fn(u32) -> Option<u32>) -> Option<QuerySet> {
        let level = |text: &String| {
            let bytes = STANDARD.decode(text).ok()?;
            let rows = RoaringBitmap::deserialize_from(bytes.as_slice()).ok()?;
            rows.iter().map(&number).collect::<Option<RoaringBitmap>>()
        };
        self.levels.iter().map(level).collect::<Option<Vec<_>>>().map(QuerySet::of_levels)
    }
}

impl Record {
    /// As a text. None when it cannot be written.
    #[must_use]
    pub fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// From a text. None when it is none of ours.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
