//! What decides what: nothing that is not so.
//!
//! DataFusion 55 takes the keys of a GROUP BY for decided by those of them that were the keys of a grouped table before it
//! was joined, and leaves sorts, DISTINCT and keys out by that. Where it would, a key goes through a function that changes
//! nothing, so that it is another column.

use crate::error::QueryError;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Dependency, Result, exec_err};
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::{Arc, LazyLock};

static ITSELF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Itself { signature: Signature::any(1, Volatility::Immutable) }))
});

/// Checks that no table is grouped by what a mistaken key is said to decide: the planner adds that to the keys, and then
/// nobody can tell which of them were asked for.
///
/// # Errors
/// When one is.
pub(super) fn check(plan: &LogicalPlan) -> std::result::Result<(), QueryError> {
    let is_misread = |node: &LogicalPlan| matches!(node, LogicalPlan::Aggregate(of) if misread(of));
    let mut again = false;
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node
            && decides_a_key(aggregate)
        {
            again |= aggregate.input.exists(|below| Ok(is_misread(below)))?;
        }
        Ok(if again { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match walked {
        Ok(_) if again => Err(grouped_again()),
        Ok(_) => Ok(()),
        Err(_) => Err(QueryError::internal()),
    }
}

fn grouped_again() -> QueryError {
    QueryError::not_governed(
        "grouping by a column of a join of grouped tables that was itself grouped by it and another one; give the column a new name in between by an expression, such as k + 0 AS key",
        "对已分组表的连接再次按同一列分组；请在中间用表达式为该列另取名称，例如 k + 0 AS key",
    )
}

/// Whether one of the keys is said to be decided by others of them.
fn decides_a_key(aggregate: &Aggregate) -> bool {
    let schema = aggregate.input.schema();
    let place = |key: &Expr| match key {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        _ => None,
    };
    let keys: Vec<usize> = aggregate.group_expr.iter().filter_map(place).collect();
    schema.functional_dependencies().iter().any(|known| {
        let decided = |key: &usize| known.target_indices.contains(key) && !known.source_indices.contains(key);
        known.source_indices.iter().all(|place| keys.contains(place)) && keys.iter().any(decided)
    })
}

/// A governed plan whose groups are taken for what they are.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn told_apart(plan: LogicalPlan) -> Result<LogicalPlan> {
    let done = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Aggregate(aggregate) if misread(&aggregate) => through(aggregate).map(Transformed::yes),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(done.data)
}

/// The same groups by other columns, with a projection that gives them their names back.
fn through(aggregate: Aggregate) -> Result<LogicalPlan> {
    let names = aggregate.schema.columns();
    let Aggregate { input, group_expr, aggr_expr, .. } = aggregate;
    let keys = group_expr.into_iter().enumerate().map(|(place, key)| match key {
        Expr::Column(_) => ITSELF.call(vec![key]).alias(format!("cogov key {place}")),
        other => other,
    });
    let grouped = LogicalPlan::Aggregate(Aggregate::try_new(input, keys.collect(), aggr_expr)?);
    let now = grouped.schema().columns();
    let back = now.into_iter().zip(names).map(|(now, name)| match now == name {
        true => Expr::Column(now),
        false => Expr::Column(now).alias_qualified(name.relation, name.name),
    });
    LogicalPlanBuilder::from(grouped).project(back.collect::<Vec<_>>())?.build()
}

/// Whether some of the keys decide others of the input, but not all of the keys.
fn misread(aggregate: &Aggregate) -> bool {
    let schema = aggregate.input.schema();
    let place = |key: &Expr| match key {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        _ => None,
    };
    let keys: Vec<Option<usize>> = aggregate.group_expr.iter().map(place).collect();
    let holds = |place: &usize| keys.contains(&Some(*place));
    schema.functional_dependencies().iter().any(|known| {
        let decided = |key: &Option<usize>| {
            key.is_some_and(|key| known.target_indices.contains(&key) || known.source_indices.contains(&key))
        };
        let single = known.mode == Dependency::Single && keys.iter().all(decided);
        known.source_indices.iter().all(holds) && !single
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Itself {
    signature: Signature,
}

impl ScalarUDFImpl for Itself {
    fn name(&self) -> &'static str {
        "itself"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().map_or_else(|| exec_err!("one argument"), Ok)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        args.arg_fields.first().cloned().map_or_else(|| exec_err!("one argument"), Ok)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.into_iter().next().map_or_else(|| exec_err!("one argument"), Ok)
    }
}
