//! A plan below a statistic as a text that does not depend on how its tables and columns were called.
//!
//! Every column is printed as what it is computed from, down to columns of tables by their full names; conditions
//! that all must hold are printed in order. So two statements that ask the same print the same.

use super::super::{allowed, faults};
use super::words;
use crate::error::QueryError;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// A printed plan, with its columns printed one by one.
pub(super) struct Printed<'a> {
    schema: &'a DFSchema,
    columns: Vec<String>,
    /// The rows.
    pub(super) rows: String,
}

impl<'a> Printed<'a> {
    /// Prints a plan.
    ///
    /// # Errors
    /// When it has a node that stands below no statistic.
    pub(super) fn new(plan: &'a LogicalPlan) -> Result<Self, QueryError> {
        Self::numbered(plan, &mut 0)
    }

    fn numbered(plan: &'a LogicalPlan, tables: &mut usize) -> Result<Self, QueryError> {
        let schema: &DFSchema = plan.schema();
        match plan {
            LogicalPlan::TableScan(scan) => {
                let table = allowed::governed(scan).map_err(|e| faults::planning(&e))?;
                *tables += 1;
                let rows = format!("{}.{}#{tables}", table.dataset, table.name);
                let columns = schema.fields().iter().map(|f| format!("{rows}.{}", f.name())).collect();
                Ok(Self { schema, columns, rows })
            }
            LogicalPlan::SubqueryAlias(node) => Ok(Self { schema, ..Self::numbered(&node.input, tables)? }),
            LogicalPlan::Projection(node) => {
                let below = Self::numbered(&node.input, tables)?;
                let columns = node.expr.iter().map(|e| below.expr(e)).collect::<Result<_, _>>()?;
                Ok(Self { schema, columns, rows: below.rows })
            }
            LogicalPlan::Filter(node) => {
                let below = Self::numbered(&node.input, tables)?;
                let rows = format!("{} where {}", below.rows, below.conditions(&node.predicate)?);
                Ok(Self { schema, columns: below.columns, rows })
            }
            LogicalPlan::Join(node) => {
                let (left, right) =
                    (Self::numbered(&node.left, tables)?, Self::numbered(&node.right, tables)?);
                let columns: Vec<String> = left.columns.iter().chain(&right.columns).cloned().collect();
                let rows = format!("({} {} {}", left.rows, node.join_type, right.rows);
                let mut all = Self { schema, columns, rows };
                let mut on = Vec::new();
                for (l, r) in &node.on {
                    on.push(format!("{} = {}", all.expr(l)?, all.expr(r)?));
                }
                if let Some(filter) = &node.filter {
                    on.push(all.conditions(filter)?);
                }
                on.sort();
                all.rows.push_str(&format!(" on {})", on.join(" and ")));
                Ok(all)
            }
            _ => Err(words::shape()),
        }
    }

    /// Conditions that all must hold, in order.
    fn conditions(&self, predicate: &Expr) -> Result<String, QueryError> {
        let all = split_conjunction(predicate).into_iter().map(|e| self.expr(e));
        let mut all = all.collect::<Result<Vec<_>, _>>()?;
        all.sort();
        all.dedup();
        Ok(all.join(" and "))
    }

    /// An expression over the plan.
    ///
    /// # Errors
    /// When it names a column that is not there.
    pub(super) fn expr(&self, expr: &Expr) -> Result<String, QueryError> {
        let named = expr.clone().transform_up(|part| match part {
            Expr::Alias(alias) => Ok(Transformed::yes(*alias.expr)),
            Expr::Column(column) => {
                let place = self.schema.maybe_index_of_column(&column);
                let name = place.and_then(|place| self.columns.get(place)).ok_or_else(faults::broken)?;
                Ok(Transformed::yes(Expr::Column(datafusion::common::Column::from_name(name))))
            }
            other => Ok(Transformed::no(other)),
        });
        named.map(|named| named.data.to_string()).map_err(|e| faults::planning(&e))
    }
}
