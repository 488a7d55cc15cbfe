//! A grant's row scope as a predicate over a raw table. What cannot be written down exactly is refused.

use super::objects::RawTable;
use super::planted::{Fault, planted};
use super::raw_provider::RawProvider;
use crate::error::{ErrorKind, QueryError};
use arrow::datatypes::DataType;
use cogov_model::{ColumnName, CompareOp, Condition, DatasetId, Linked, Scalar, TableName};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{
    Expr, LogicalPlanBuilder, Operator, binary_expr, cast, in_list, in_subquery, lit,
};
use std::{collections::BTreeMap, sync::Arc};

/// The raw tables of a world, by dataset and table.
pub(super) type Opened = BTreeMap<(DatasetId, TableName), Arc<RawTable>>;

/// The predicate of a table's conditions; none when every row is granted.
///
/// # Errors
/// When a condition names what is not there or compares what cannot be compared.
pub(super) fn predicate(
    conditions: &[Condition],
    table: &RawTable,
    name: &str,
    opened: &Opened,
) -> Result<Option<Expr>, QueryError> {
    let context = Scope { table, name, depth: 0, opened };
    let all: Vec<Expr> = conditions.iter().map(|c| context.condition(c)).collect::<Result<_, _>>()?;
    Ok(all.into_iter().reduce(Expr::and))
}

/// How deep scopes may link from table to table.
pub(super) const DEPTH: usize = 4;

struct Scope<'a> {
    table: &'a RawTable,
    name: &'a str,
    depth: usize,
    opened: &'a Opened,
}

impl Scope<'_> {
    fn condition(&self, condition: &Condition) -> Result<Expr, QueryError> {
        match condition {
            Condition::Compare { column, op, value } => {
                let (column, data_type) = self.column(column)?;
                compare(column, &data_type, operator(*op), value)
            }
            Condition::In { column, values } => {
                let (column, data_type) = self.column(column)?;
                let exact: Option<Vec<Expr>> =
                    values.iter().map(|value| literal(value, &data_type).map(lit)).collect();
                // Lists of real numbers compare bits.
                if let Some(exact) = exact.filter(|all| !all.is_empty() && !data_type.is_floating()) {
                    return Ok(in_list(column, exact, false));
                }
                let any = values.iter().map(|v| compare(column.clone(), &data_type, Operator::Eq, v));
                either(any.collect::<Result<_, _>>()?)
            }
            Condition::Linked { linked } => self.linked(linked),
            Condition::Any { any } => self.any(any),
        }
    }

    fn any(&self, any: &[Condition]) -> Result<Expr, QueryError> {
        either(any.iter().map(|c| self.condition(c)).collect::<Result<_, _>>()?)
    }

    fn linked(&self, linked: &Linked) -> Result<Expr, QueryError> {
        if self.depth >= DEPTH {
            return Err(unenforceable());
        }
        let (column, _) = self.column(&linked.column)?;
        let key = (linked.dataset.clone(), linked.table.clone());
        let table = self.opened.get(&key).ok_or_else(unenforceable)?;
        let name = format!("{}_linked", self.name);
        let there = Scope { table, name: &name, depth: self.depth + 1, opened: self.opened };
        let (key, _) = there.column(&linked.key)?;
        let source = provider_as_source(Arc::new(RawProvider::all(table)));
        let mut plan = LogicalPlanBuilder::scan(name.as_str(), source, None).map_err(|_| unenforceable())?;
        if !linked.any.is_empty() && !planted(Fault::LinkedConditionForgotten) {
            plan = plan.filter(there.any(&linked.any)?).map_err(|_| unenforceable())?;
        }
        let keys = plan.project([key]).and_then(LogicalPlanBuilder::build).map_err(|_| unenforceable())?;
        Ok(in_subquery(column, Arc::new(keys)))
    }

    fn column(&self, name: &ColumnName) -> Result<(Expr, DataType), QueryError> {
        let schema = self.table.schema();
        let field = schema.field_with_name(name.as_str()).map_err(|_| unenforceable())?;
        let column = Column::new(Some(self.name), name.as_str());
        Ok((Expr::Column(column), field.data_type().clone()))
    }
}

fn either(any: Vec<Expr>) -> Result<Expr, QueryError> {
    any.into_iter().reduce(Expr::or).ok_or_else(unenforceable)
}

pub(super) const fn operator(op: CompareOp) -> Operator {
    match op {
        CompareOp::Eq => Operator::Eq,
        CompareOp::NotEq => Operator::NotEq,
        CompareOp::Less => Operator::Lt,
        CompareOp::LessEq => Operator::LtEq,
        CompareOp::Greater => Operator::Gt,
        CompareOp::GreaterEq => Operator::GtEq,
    }
}

/// A comparison in the column's own type, so that Parquet can prune by it and nothing can raise.
pub(super) fn compare(
    column: Expr,
    data_type: &DataType,
    op: Operator,
    value: &Scalar,
) -> Result<Expr, QueryError> {
    if let Some(exact) = literal(value, data_type) {
        return Ok(binary_expr(column, op, lit(exact)));
    }
    match value {
        Scalar::Real(real) if data_type.is_integer() => {
            Ok(binary_expr(cast(column, DataType::Float64), op, lit(*real)))
        }
        _ => Err(unenforceable()),
    }
}

/// A scope's literal in a column's type; none when it has no exact counterpart there.
pub(super) fn literal(value: &Scalar, data_type: &DataType) -> Option<ScalarValue> {
    let value = match value {
        Scalar::Bool(value) if *data_type == DataType::Boolean => ScalarValue::Boolean(Some(*value)),
        Scalar::Int(value) if data_type.is_numeric() => ScalarValue::Int64(Some(*value)),
        Scalar::Real(value) if data_type.is_floating() => ScalarValue::Float64(Some(*value)),
        Scalar::Real(value) if data_type.is_integer() && value.fract() == 0.0 && value.abs() < 9e15 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, as just checked")]
            ScalarValue::Int64(Some(*value as i64))
        }
        Scalar::Text(value) if text_like(data_type) => ScalarValue::Utf8(Some(value.clone())),
        _ => return None,
    };
    let exact = value.cast_to(data_type).ok().filter(|exact| !exact.is_null())?;
    // A whole number that no real number equals would stand for another one.
    let whole = matches!(value, ScalarValue::Int64(_));
    let same = || exact.cast_to(&value.data_type()).is_ok_and(|back| back == value);
    (!whole || same()).then_some(exact)
}

const fn text_like(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8View | DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

pub(super) fn unenforceable() -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        "the row scope of this grant cannot be enforced on the present data, so nothing is released; ask the provider to correct the grant",
        "该授权的数据行范围无法在现有数据上执行，因此不予释放；请提供方更正授权",
    )
}
