//! What a grant's database shows.

use super::certified;
use super::governed::GovernedTable;
use super::run::plain_type;
use super::world::GrantWorld;
use arrow::datatypes::DataType;
use cogov_model::{Clauses, ColumnName, DatasetId, Label, TableName, Text, Treatment};

/// A table as the grant shows it.
#[derive(Debug, Clone)]
pub struct GrantedTable {
    /// The dataset; the schema in SQL.
    pub dataset: DatasetId,
    /// The table.
    pub table: TableName,
    /// Its name for people.
    pub title: Text,
    /// Its visible columns, in file order.
    pub columns: Vec<GrantedColumn>,
    /// Columns that the permit shows but the engine withholds, because the treatment does not fit them.
    /// For stewards and the log; a grant's user is never told of what it withholds.
    pub unenforceable: Vec<(ColumnName, Text)>,
}

/// A column as the grant shows it.
#[derive(Debug, Clone)]
pub struct GrantedColumn {
    /// Its name in SQL.
    pub name: ColumnName,
    /// Its name for people.
    pub title: Text,
    /// What it holds.
    pub description: Text,
    /// The type of what queries get.
    pub data_type: DataType,
    /// What is done to it.
    pub treatment: Treatment,
    /// The label of what queries get, row by row; of the column itself when only statistics are shown.
    pub label: Label,
    /// Why it is treated so.
    pub reason: Text,
    /// The clauses that say so.
    pub clauses: Clauses,
}

/// The public view of a governed table.
pub(super) fn show(table: &GovernedTable, world: &GrantWorld) -> GrantedTable {
    let title = world
        .source(&table.dataset, &table.name)
        .map(|source| source.table.title.clone())
        .unwrap_or_default();
    let columns = table.columns.iter().map(|visible| GrantedColumn {
        name: visible.column.name.clone(),
        title: visible.column.title.clone(),
        description: visible.column.description.clone(),
        data_type: plain_type(&visible.data_type),
        treatment: visible.ruling.treatment,
        label: certified::at_scan(&visible.column.label, &visible.ruling.treatment),
        reason: visible.ruling.reason.clone(),
        clauses: visible.ruling.clauses.clone(),
    });
    GrantedTable {
        dataset: table.dataset.clone(),
        table: table.name.clone(),
        title,
        columns: columns.collect(),
        unenforceable: table.unenforceable.clone(),
    }
}
