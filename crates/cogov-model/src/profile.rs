//! Profiles: what an import found in each column, and the label it proposes, with the evidence.

use crate::{CategoryCode, ColumnName, DataType, Label, Text};
use serde::{Deserialize, Serialize};

/// Where a finding comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The column's name says so.
    Name,
    /// The values say so.
    Content,
    /// Few rows share a combination of quasi-identifiers.
    Uniqueness,
    /// So many persons are in it that the volume raises the grade.
    Volume,
    /// The scheme's floor for the category.
    Floor,
}

/// One piece of evidence for a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where it comes from.
    pub evidence: Evidence,
    /// The category it speaks for, if any.
    pub category: Option<CategoryCode>,
    /// What was seen, in words without any value.
    pub words: Text,
    /// Values that agree, where the content was looked at.
    #[serde(default)]
    pub matched: u64,
    /// Values that were looked at.
    #[serde(default)]
    pub examined: u64,
}

/// A label that an import proposes, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelProposal {
    /// The label.
    pub label: Label,
    /// Why.
    pub findings: Vec<Finding>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// The column.
    pub name: ColumnName,
    /// The header as it stood in the file.
    pub header: String,
    /// The type that every kept value has.
    pub data_type: DataType,
    /// Nulls.
    pub nulls: u64,
    /// Distinct values: exact up to the limit of the profiler, estimated above.
    pub distinct: u64,
    /// Whether `distinct` is exact.
    pub distinct_exact: bool,
    /// A few examples, masked: shape without value (`A…`, `99…`).
    pub examples: Vec<String>,
    /// The proposed label.
    pub proposal: LabelProposal,
}

/// What an imported table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableProfile {
    /// Rows kept.
    pub rows: u64,
    /// Rows that did not parse.
    pub rejected: u64,
    /// The text encoding that was read, for text files.
    pub encoding: Option<String>,
    /// The field separator that was found, for delimited files.
    pub delimiter: Option<char>,
    /// One profile a column, in file order.
    pub columns: Vec<ColumnProfile>,
}
