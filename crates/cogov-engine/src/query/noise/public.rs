//! Tables that are about nobody: their values may be keys of groups, and rows may be joined to them by any column.
//!
//! They are read as the grant sees them, on the rows of its scope, before anything is paid for a question.

use super::super::engine::Engine;
use super::super::governed::RAW;
use super::super::scope;
use super::below::Fan;
use super::draw::{Group, order};
use super::question::{Key, Question};
use super::{spread, words};
use crate::error::{ErrorKind, QueryError};
use arrow::array::Array;
use arrow::compute::cast;
use arrow::datatypes::Schema;
use cogov_model::{ColumnRef, Grade, PublicKeys, Table};
use datafusion::common::ScalarValue;
use futures::StreamExt;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Groups that public keys may make together.
const MOST_GROUPS: usize = 100_000;

/// Whether a table is about nobody: it has no unit, and every column that is stored, granted or not, is known, harms
/// nobody and says nothing of persons. A steward who forgot the unit seldom forgets every label.
pub(in crate::query) fn is_public(table: &Table, stored: &Schema) -> bool {
    let harmless = |name: &String| {
        table.columns.iter().find(|column| column.name.as_str() == name).is_some_and(|column| {
            let label = &column.label;
            label.grade == Grade::General1 && !label.categories.iter().any(|code| code.is_within("person"))
        })
    };
    table.unit.is_none() && stored.fields().iter().all(|field| harmless(field.name()))
}

/// How many rows of a joined public table one row meets at most.
pub(super) async fn repeats(question: &Question, engine: &Engine, fan: &Fan) -> Result<u64, QueryError> {
    let (table, planner) = (&fan.table, &question.plan.planner);
    let raw = table.raw();
    let all = raw.rows() as u64;
    let Some(key) = &fan.key else {
        let first = raw.schema_ref().fields().first().filter(|_| table.scope().is_some());
        let Some(first) = first else { return Ok(all) };
        let spread = spread::of(engine, planner, raw, first.name(), table.scope()).await?;
        return Ok(spread.map_or(all, |spread| spread.rows));
    };
    let spread = spread::of(engine, planner, raw, key, table.scope()).await?;
    Ok(spread.map_or(all, |spread| spread.most))
}

/// Every group that public keys make; none when some key is not public.
pub(super) async fn groups(question: &Question, engine: &Engine) -> Result<Option<Vec<Group>>, QueryError> {
    let Some(keys) = keys(question, engine).await? else { return Ok(None) };
    let mut groups: Vec<Group> = vec![Vec::new()];
    for values in keys {
        let longer =
            |group: &Group, value: &ScalarValue| group.iter().cloned().chain([value.clone()]).collect();
        groups =
            groups.iter().flat_map(|group| values.iter().map(move |value| longer(group, value))).collect();
    }
    Ok(Some(groups))
}

/// The public values of every key; none when some key is not public.
///
/// # Errors
/// When they make too many groups, or a table that holds them is not there or not public.
pub(super) async fn keys(
    question: &Question,
    engine: &Engine,
) -> Result<Option<Vec<Vec<ScalarValue>>>, QueryError> {
    if question.plan.secret_keys() {
        return Ok(None);
    }
    let (mut all, mut groups) = (Vec::new(), 1_usize);
    for key in &question.plan.keys {
        let values = values_of(question, engine, key).await?;
        groups = groups.saturating_mul(values.len());
        if groups > MOST_GROUPS {
            return Err(words::too_many_groups(MOST_GROUPS));
        }
        all.push(values);
    }
    Ok(Some(all))
}

/// The public values of a key in its type.
async fn values_of(question: &Question, engine: &Engine, key: &Key) -> Result<Vec<ScalarValue>, QueryError> {
    let values = match &key.public {
        None => return Err(QueryError::internal()),
        Some(PublicKeys::Values(values)) => {
            let typed =
                values.iter().map(|text| ScalarValue::Utf8(Some(text.clone())).cast_to(&key.data_type));
            typed.filter_map(Result::ok).collect()
        }
        Some(PublicKeys::Column(column)) => in_table(question, engine, key, column).await?,
    };
    let mut known = BTreeSet::new();
    let values = values.into_iter().map(unsigned);
    let fresh = values.filter(|v: &ScalarValue| !v.is_null() && known.insert(v.to_string()));
    Ok(fresh.collect())
}

/// A key as groups have it: zero has no sign.
fn unsigned(key: ScalarValue) -> ScalarValue {
    match key {
        ScalarValue::Float64(Some(key)) => ScalarValue::Float64(Some(key + 0.0)),
        ScalarValue::Float32(Some(key)) => ScalarValue::Float32(Some(key + 0.0)),
        other => other,
    }
}

async fn in_table(
    question: &Question,
    engine: &Engine,
    key: &Key,
    column: &ColumnRef,
) -> Result<Vec<ScalarValue>, QueryError> {
    let (world, planner) = (&question.world, &question.plan.planner);
    let source = world.source(&column.dataset, &column.table).ok_or_else(|| missing_keys(column))?;
    let opened = engine.opened(world).await?;
    let place = (column.dataset.clone(), column.table.clone());
    let raw = opened.get(&place).ok_or_else(|| missing_keys(column))?;
    if !is_public(&source.table, &raw.schema()) {
        return Err(missing_keys(column));
    }
    let conditions = world.scope().of(&column.dataset, &column.table);
    let scope = scope::predicate(conditions, raw, RAW, &opened)?;
    let mut rows = spread::rows_of(engine, planner, raw, column.column.as_str(), scope.as_ref()).await?;
    let mut values = BTreeSet::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let array = batch.columns().first().ok_or_else(QueryError::internal)?;
        let array = cast(array, &key.data_type).map_err(|_| missing_keys(column))?;
        for row in 0..array.len() {
            let value = ScalarValue::try_from_array(&array, row).map_err(|_| QueryError::internal())?;
            if values.len() <= MOST_GROUPS && !value.is_null() {
                values.insert(Ordered(value));
            }
        }
    }
    Ok(values.into_iter().map(|Ordered(value)| value).collect())
}

fn missing_keys(column: &ColumnRef) -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        format!(
            "the table of {column}, whose values are declared as keys, is not published now, or not every column of it is public; ask the dataset's steward"
        ),
        format!("声明为公开键来源的 {column} 所在的表目前未发布，或并非每一列均为公开；请联系数据管理员"),
    )
}

struct Ordered(ScalarValue);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        order(std::slice::from_ref(&self.0), std::slice::from_ref(&other.0))
    }
}
