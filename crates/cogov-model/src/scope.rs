//! The rows a grant reaches: a small closed language, so that every condition can be shown, checked and enforced.

use crate::{ColumnName, DatasetId, TableName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// A literal in a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text; dates are written `YYYY-MM-DD`.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(value) => write!(f, "{value}"),
            Scalar::Int(value) => write!(f, "{value}"),
            Scalar::Real(value) => write!(f, "{value}"),
            Scalar::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareOp {
    /// Equal.
    #[serde(rename = "=")]
    Eq,
    /// Not equal.
    #[serde(rename = "<>", alias = "!=")]
    NotEq,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessEq,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterEq,
}

impl CompareOp {
    /// The SQL sign.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            CompareOp::Eq => "=",
            CompareOp::NotEq => "<>",
            CompareOp::Less => "<",
            CompareOp::LessEq => "<=",
            CompareOp::Greater => ">",
            CompareOp::GreaterEq => ">=",
        }
    }
}

/// Rows whose key stands in another dataset's table under conditions there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linked {
    /// The column of this table.
    pub column: ColumnName,
    /// The other dataset.
    pub dataset: DatasetId,
    /// Its table.
    pub table: TableName,
    /// Its key column.
    pub key: ColumnName,
    /// At least one of these must hold there; none means that the key's presence is enough.
    #[serde(default)]
    pub any: Vec<Condition>,
}

/// One condition on a row. A comparison with a null is never met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// A column against a literal.
    Compare {
        /// The column.
        column: ColumnName,
        /// The comparison.
        op: CompareOp,
        /// The literal.
        value: Scalar,
    },
    /// A column's value is one of these.
    In {
        /// The column.
        column: ColumnName,
        /// The values; never empty in a valid scope.
        values: Vec<Scalar>,
    },
    /// The row's key stands in another dataset.
    Linked {
        /// Where.
        linked: Linked,
    },
    /// At least one holds.
    Any {
        /// The alternatives; never empty in a valid scope.
        any: Vec<Condition>,
    },
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let either = |any: &[Condition]| any.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        match self {
            Condition::Compare { column, op, value } => write!(f, "{column} {} {value}", op.sign()),
            Condition::In { column, values } => {
                let list: Vec<_> = values.iter().map(ToString::to_string).collect();
                write!(f, "{column} in ({})", list.join(", "))
            }
            Condition::Linked { linked: l } if l.any.is_empty() => {
                write!(f, "{} in {}.{} ({})", l.column, l.dataset, l.table, l.key)
            }
            Condition::Linked { linked: l } => {
                write!(f, "{} in {}.{} ({}) where {}", l.column, l.dataset, l.table, l.key, either(&l.any))
            }
            Condition::Any { any } => write!(f, "({})", either(any)),
        }
    }
}

/// The row filter of a grant: per table (`dataset.table`), conditions that must all hold. A table
/// without an entry is not filtered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowScope(pub BTreeMap<String, Vec<Condition>>);

impl RowScope {
    /// The conditions on one table.
    #[must_use]
    pub fn of(&self, dataset: &DatasetId, table: &TableName) -> &[Condition] {
        self.0.get(&format!("{dataset}.{table}")).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is filtered.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn scopes_read_from_json_and_read_aloud() {
        let scope: RowScope = serde_json::from_str(
            r#"{"revenue.tax_units":[{"column":"fips","op":"=","value":6},
                {"linked":{"column":"recid","dataset":"welfare","table":"benefits","key":"recid",
                 "any":[{"column":"snap_ben","op":">","value":0}]}}]}"#,
        )
        .unwrap();
        let conditions = scope.of(&"revenue".parse().unwrap(), &"tax_units".parse().unwrap());
        let words: Vec<_> = conditions.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["fips = 6", "recid in welfare.benefits (recid) where snap_ben > 0"]);
        assert!(scope.of(&"revenue".parse().unwrap(), &"other".parse().unwrap()).is_empty());
    }
}
