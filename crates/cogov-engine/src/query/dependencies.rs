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
    Aggregate, ColumnarValue, Distinct, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
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
    let (mut again, mut cast) = (false, false);
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node {
            cast |= decides_by_a_cast(aggregate);
            again |= decides_a_key(aggregate) && aggregate.input.exists(|below| Ok(is_misread(below)))?;
        }
        Ok(if again || cast { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match walked {
        Ok(_) if cast => Err(grouped_by_cast()),
        Ok(_) if again => Err(grouped_again()),
        Ok(_) => Ok(()),
        Err(_) => Err(QueryError::internal()),
    }
}

fn grouped_by_cast() -> QueryError {
    QueryError::not_governed(
        "grouping by a cast of a column by which a subquery was grouped; give the cast a name in a subquery in between, as in SELECT day, … FROM (SELECT cast(k AS date) AS day, … FROM …) q GROUP BY day",
        "按子查询分组列的类型转换（cast）再分组；请在中间的子查询中为转换结果命名，例如 SELECT day, … FROM (SELECT cast(k AS date) AS day, … FROM …) q GROUP BY day",
    )
}

fn grouped_again() -> QueryError {
    QueryError::not_governed(
        "grouping by a column of a join of grouped tables that was itself grouped by it and another one; give the column a new name in between by an expression, such as k + 0 AS key",
        "对已分组表的连接再次按同一列分组；请在中间用表达式为该列另取名称，例如 k + 0 AS key",
    )
}

/// The place in the input of the column whose name a key has. DataFusion tells keys by names, which leave casts out.
fn place(key: &Expr, names: &[String]) -> Option<usize> {
    let name = key.schema_name().to_string();
    names.iter().position(|known| *known == name)
}

/// Whether one of the keys is said to be decided by others of them.
fn decides_a_key(aggregate: &Aggregate) -> bool {
    let schema = aggregate.input.schema();
    let names = schema.field_names();
    let keys: Vec<usize> = aggregate.group_expr.iter().filter_map(|key| place(key, &names)).collect();
    schema.functional_dependencies().iter().any(|known| {
        let decided = |key: &usize| known.target_indices.contains(key) && !known.source_indices.contains(key);
        known.source_indices.iter().all(|place| keys.contains(place)) && keys.iter().any(decided)
    })
}

/// Whether a key is a cast of what decides other keys, and bears its name.
fn decides_by_a_cast(aggregate: &Aggregate) -> bool {
    let names = aggregate.input.schema().field_names();
    let casts = aggregate.group_expr.iter().filter(|key| !matches!(key, Expr::Column(_)));
    let casts: Vec<usize> = casts.filter_map(|key| place(key, &names)).collect();
    let known = aggregate.input.schema().functional_dependencies();
    known.iter().any(|known| known.source_indices.iter().any(|source| casts.contains(source)))
}

/// A governed plan whose groups are taken for what they are. DISTINCT becomes a grouping, as it would later: what that
/// decides is mistaken above it just so.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn told_apart(plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<LogicalPlan> {
    let mut distinct = false;
    plan.apply_with_subqueries(|node| {
        distinct |= matches!(node, LogicalPlan::Distinct(_));
        Ok(if distinct { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    let grouping = ReplaceDistinctWithAggregate::new();
    let done = plan.transform_up_with_subqueries(|node| {
        // What is decided is told by schemas, which say it anew where something became a grouping below.
        let node = if distinct { node.recompute_schema()? } else { node };
        // One row needs no grouping, and as a subquery must be seen to be one.
        let several = |input: &LogicalPlan| input.max_rows().is_none_or(|rows| rows > 1);
        let node = match node {
            LogicalPlan::Distinct(Distinct::All(input)) if several(&input) => {
                grouping.rewrite(LogicalPlan::Distinct(Distinct::All(input)), config)?.data
            }
            other => other,
        };
        match node {
            LogicalPlan::Aggregate(aggregate) if misread(&aggregate) => {
                through(aggregate).map(Transformed::yes)
            }
            other => Ok(Transformed::new_transformed(other, distinct)),
        }
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
    let names = schema.field_names();
    let keys: Vec<Option<usize>> = aggregate.group_expr.iter().map(|key| place(key, &names)).collect();
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
