//! Datasets (数据集): named tables of one provider, in immutable versions.

use crate::{
    ColumnName, DatasetId, DatasetPrivacy, Label, Lane, PartyId, RegionCode, TableName, Text, Timestamp,
};
use serde::{Deserialize, Serialize};

/// The type of a column's values, as cogov names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// True or false.
    Boolean,
    /// A 64-bit whole number.
    Integer,
    /// A 64-bit floating number.
    Real,
    /// A text.
    Text,
    /// A calendar day.
    Date,
    /// A moment.
    Timestamp,
}

impl DataType {
    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            DataType::Boolean => "boolean",
            DataType::Integer => "integer",
            DataType::Real => "real",
            DataType::Text => "text",
            DataType::Date => "date",
            DataType::Timestamp => "timestamp",
        }
    }
}

/// A column with its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in SQL.
    pub name: ColumnName,
    /// Its name for people.
    #[serde(default)]
    pub title: Text,
    /// What it holds, with units.
    #[serde(default)]
    pub description: Text,
    /// Its type.
    pub data_type: DataType,
    /// Its categories and grade.
    pub label: Label,
    /// Why it has this label: the evidence, or the steward's reason for another.
    #[serde(default)]
    pub reason: Text,
}

/// A table of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its name for people.
    #[serde(default)]
    pub title: Text,
    /// Its columns, in file order.
    pub columns: Vec<Column>,
    /// The column that identifies a person or unit, whose privacy is protected. Declared, never guessed.
    #[serde(default)]
    pub unit: Option<ColumnName>,
}

impl Table {
    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &ColumnName) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
}

/// The sharing attribute (共享属性), articles 14 and 15 of Decree 809.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SharingAttribute {
    /// Any public body may have it.
    Unconditional,
    /// Under conditions that list scope and purpose.
    Conditional {
        /// The conditions.
        conditions: Text,
    },
    /// Not shared, with the law that says so.
    NotShared {
        /// The law.
        law: Text,
    },
}

impl SharingAttribute {
    /// The code used in rules and files.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            SharingAttribute::Unconditional => "unconditional",
            SharingAttribute::Conditional { .. } => "conditional",
            SharingAttribute::NotShared { .. } => "not-shared",
        }
    }
}

/// Where a dataset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetState {
    /// Imported, not yet in the catalogue.
    Draft,
    /// In the catalogue.
    Published,
    /// Taken out of the catalogue.
    Withdrawn,
}

/// A catalogue entry: article 13 of Decree 809.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its identifier; also its schema in SQL.
    pub id: DatasetId,
    /// Who provides it.
    pub provider: PartyId,
    /// Its name for people.
    pub title: Text,
    /// What it holds.
    #[serde(default)]
    pub description: Text,
    /// Words to find it by.
    #[serde(default)]
    pub keywords: Vec<Text>,
    /// How often it is updated.
    #[serde(default)]
    pub update_frequency: Text,
    /// The lanes it may flow in.
    pub lanes: Vec<Lane>,
    /// Its sharing attribute.
    pub sharing: SharingAttribute,
    /// The regions it covers; none means everywhere.
    #[serde(default)]
    pub regions: Vec<RegionCode>,
    /// Its tables.
    pub tables: Vec<Table>,
    /// What is declared for answers under differential privacy.
    #[serde(default, skip_serializing_if = "DatasetPrivacy::is_empty")]
    pub privacy: DatasetPrivacy,
    /// Where it stands.
    pub state: DatasetState,
    /// The version that queries read; 0 before the first import.
    pub version: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

impl Dataset {
    /// A table by name.
    #[must_use]
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// The dataset's label: the join of its columns'. Its grade follows from them.
    #[must_use]
    pub fn label(&self) -> Label {
        Label::join_all(self.tables.iter().flat_map(|t| &t.columns).map(|c| &c.label))
    }
}

/// One table of a version: an immutable Parquet object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableVersion {
    /// The table.
    pub name: TableName,
    /// Where the object lies in the storage, relative to its root.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of the object.
    pub bytes: u64,
    /// SHA-256 of the object, hex.
    pub sha256: String,
    /// Rows of the source that did not parse and are kept aside.
    pub rejected: u64,
    /// Where the reject file lies, if there is one.
    #[serde(default)]
    pub rejects_path: Option<String>,
}

/// An immutable version of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The dataset.
    pub dataset: DatasetId,
    /// Counts up from 1.
    pub number: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Every table of the dataset as of this version.
    pub tables: Vec<TableVersion>,
}
