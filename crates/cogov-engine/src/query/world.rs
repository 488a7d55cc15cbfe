//! What a grant's queries run over: its permit, rows, tables and key.

use super::noise::NoiseTerms;
use cogov_disclosure::AnswerMemory;
use cogov_model::{ColumnRef, DatasetId, RowScope, Table, TableName};
use cogov_rulebook::{Permit, Ruling};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// A table that a query of the grant reads, or that its row scope links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The dataset; the schema in SQL.
    pub dataset: DatasetId,
    /// The table with the labels of its columns.
    pub table: Table,
    /// The Parquet object, relative to the store's root. Immutable once named.
    pub path: String,
    /// Rows of the whole object: public, and known to the planner.
    pub rows: u64,
}

/// The grant's key for keyed hashes. Wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct MaskKey(Zeroizing<[u8; 32]>);

impl MaskKey {
    /// A key from 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(…)")
    }
}

/// A grant as the engine sees it: exactly what [`Permit`] allows, on the rows of the scope.
pub struct GrantWorld {
    permit: Permit,
    scope: RowScope,
    sources: Vec<Source>,
    mask_key: MaskKey,
    noise: NoiseTerms,
    memory: Option<Arc<dyn AnswerMemory>>,
}

impl fmt::Debug for GrantWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantWorld({})", self.permit.grant())
    }
}

impl GrantWorld {
    /// A world. `sources` holds every granted table and every table that `scope` links to; columns
    /// without a ruling in the permit do not exist.
    #[must_use]
    pub fn new(permit: Permit, scope: RowScope, sources: Vec<Source>, mask_key: MaskKey) -> Self {
        Self { permit, scope, sources, mask_key, noise: NoiseTerms::default(), memory: None }
    }

    /// The same world with terms of answers under noise.
    #[must_use]
    pub fn with_noise(mut self, noise: NoiseTerms) -> Self {
        self.noise = noise;
        self
    }

    pub(super) const fn noise(&self) -> &NoiseTerms {
        &self.noise
    }

    /// The same with the memory of what the party was answered before. Without it no protected statistic is shown.
    #[must_use]
    pub fn remembering(mut self, memory: Arc<dyn AnswerMemory>) -> Self {
        self.memory = Some(memory);
        self
    }

    pub(super) const fn memory(&self) -> Option<&Arc<dyn AnswerMemory>> {
        self.memory.as_ref()
    }

    /// Whether every statement shows the same here as there: equal decisions but for their time, equal rows, equal
    /// objects, terms and keys. What a party was answered before is not looked at.
    pub(super) fn shows_the_same(&self, other: &Self) -> bool {
        self.governs_the_same(other) && self.noise == other.noise
    }

    /// The same without the terms of answers under noise, on which no governed table depends.
    pub(super) fn governs_the_same(&self, other: &Self) -> bool {
        self.permit.allows_the_same(&other.permit)
            && self.scope == other.scope
            && self.sources == other.sources
            && self.mask_key.bytes() == other.mask_key.bytes()
    }

    /// The decision that this world rests on.
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    pub(super) const fn scope(&self) -> &RowScope {
        &self.scope
    }

    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(super) const fn mask_key(&self) -> &MaskKey {
        &self.mask_key
    }

    pub(super) fn source(&self, dataset: &DatasetId, table: &TableName) -> Option<&Source> {
        self.sources.iter().find(|s| s.dataset == *dataset && s.table.name == *table)
    }

    /// The ruling on a column of a source.
    pub(super) fn ruling(&self, source: &Source, column: &cogov_model::ColumnName) -> Option<&Ruling> {
        self.permit.ruling(&ColumnRef {
            dataset: source.dataset.clone(),
            table: source.table.name.clone(),
            column: column.clone(),
        })
    }
}
