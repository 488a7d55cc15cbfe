//! Whether a grant's row scope keeps a table to the party's own region.

use crate::Ask;
use cogov_model::{ColumnName, ColumnRef, CompareOp, Condition, DatasetId, RegionCode, Scalar, TableName};

/// Whether the rows of the column's table are filtered to the region of the party: by a column that
/// is labelled as a region and set equal to the party's region code, or through another table that
/// is filtered so. Unknown counts as no.
pub(crate) fn own_region_rows(ask: &Ask<'_>, column: &ColumnRef) -> bool {
    let Some(region) = &ask.party.region else {
        return false;
    };
    let conditions = ask.grant.scope.of(&column.dataset, &column.table);
    conditions.iter().any(|condition| keeps(ask, region, (&column.dataset, &column.table), condition))
}

fn keeps(ask: &Ask<'_>, region: &RegionCode, table: (&DatasetId, &TableName), condition: &Condition) -> bool {
    let is_region = |name: &ColumnName| {
        ask.columns.iter().any(|asked| {
            (&asked.column.dataset, &asked.column.table, &asked.column.column) == (table.0, table.1, name)
                && asked.label.categories.iter().any(|code| code.is_within("region"))
        })
    };
    match condition {
        Condition::Compare { column, op: CompareOp::Eq, value } => is_region(column) && names(value, region),
        Condition::In { column, values } => {
            is_region(column) && !values.is_empty() && values.iter().all(|value| names(value, region))
        }
        Condition::Linked { linked } => {
            // Only a key of the same name stands for the same unit: another link may reach other rows.
            let there = (&linked.dataset, &linked.table);
            linked.column == linked.key
                && !linked.any.is_empty()
                && linked.any.iter().all(|inner| keeps(ask, region, there, inner))
        }
        Condition::Any { any } => !any.is_empty() && any.iter().all(|inner| keeps(ask, region, table, inner)),
        Condition::Compare { .. } => false,
    }
}

/// Whether a literal is the region's code. Files often hold codes as numbers, without leading zeros.
fn names(value: &Scalar, region: &RegionCode) -> bool {
    match value {
        Scalar::Text(text) => text == region.as_str(),
        Scalar::Int(number) => region.as_str().parse() == Ok(*number),
        Scalar::Bool(_) | Scalar::Real(_) => false,
    }
}
