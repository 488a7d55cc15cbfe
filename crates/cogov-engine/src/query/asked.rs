//! How a statistic is asked: its conditions and groups in terms of granted columns, whatever names the statement uses.

use super::governed::GovernedTable;
use super::{allowed, faults, statistic};
use crate::error::QueryError;
use cogov_disclosure::{Key, Story, text_hash};
use cogov_model::{Clauses, Grade, Mask, Text, Treatment};
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use std::collections::BTreeSet;

/// A granted column behind a name of the statement.
struct Origin {
    /// The table, or the statistic that was released with all that it was asked of.
    of: String,
    name: String,
    sensitive: bool,
    /// Whether it is the column that tells persons apart.
    unit: bool,
    /// Whether different stored values are different here.
    exact: bool,
    clauses: Clauses,
}

/// An expression in terms of granted columns.
struct Told {
    text: String,
    /// The tables whose columns it names.
    of: BTreeSet<String>,
    plain: bool,
    sensitive: bool,
    unit: Option<(String, Clauses)>,
}

/// How a statistic is asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) story: Story,
    /// Groups by a protected column of general 3 or above that WHERE does not fix, by position.
    pub(super) sensitive_groups: Vec<usize>,
}

/// Reads the conditions beneath a statistic and its groups.
///
/// # Errors
/// When one of them is about the column that tells persons apart.
pub(super) fn read(plan: &LogicalPlan, groups: &[Expr]) -> Result<Asked, QueryError> {
    let mut asked = Asked::default();
    let mut conditions = Vec::new();
    collect(plan, &mut asked.story, &mut conditions);
    asked.conditions(&conditions)?;
    for (position, group) in groups.iter().enumerate() {
        let told = told(plan, group)?;
        let name = text_hash(&told.text);
        if told.sensitive && !asked.story.keys.contains_key(&name) {
            asked.sensitive_groups.push(position);
        }
        let key = Key { sensitive: told.sensitive, computed: !told.plain };
        asked.story.keys.entry(name).or_insert(key);
    }
    Ok(asked)
}

/// A condition, and the plan whose columns it names.
type Condition<'a> = (&'a LogicalPlan, &'a Expr);

/// The conditions of a plan; the scopes of its tables are some to begin with.
fn collect<'a>(plan: &'a LogicalPlan, story: &mut Story, conditions: &mut Vec<Condition<'a>>) {
    if let LogicalPlan::Filter(filter) = plan {
        conditions.extend(split_conjunction(&filter.predicate).into_iter().map(|c| (&*filter.input, c)));
    }
    if let LogicalPlan::TableScan(scan) = plan
        && let Ok(table) = allowed::governed(scan)
        && let Some(scope) = table.scope_words()
    {
        story.conditions.insert(text_hash(&scope));
    }
    plan.inputs().into_iter().for_each(|input| collect(input, story, conditions));
}

impl Asked {
    fn conditions(&mut self, conditions: &[Condition<'_>]) -> Result<(), QueryError> {
        let mut set = BTreeSet::new();
        for (plan, condition) in conditions {
            let Some(column) = fixed(condition) else { continue };
            let column = told(plan, column)?;
            let key = Key { sensitive: column.sensitive, computed: false };
            self.story.keys.insert(text_hash(&column.text), key);
            set.insert(told(plan, condition)?.text);
        }
        let set = set.into_iter().collect::<Vec<_>>().join(" AND ");
        for (plan, condition) in conditions.iter().filter(|(_, condition)| fixed(condition).is_none()) {
            let mut told = told(plan, condition)?;
            // What another table holds is a number to compare with, which the row that is chosen of it sets.
            if told.of.len() > 1 {
                told.text = format!("{} where {set}", told.text);
            }
            self.story.conditions.insert(text_hash(&told.text));
        }
        Ok(())
    }
}

/// The column that a condition sets to one value.
fn fixed(condition: &Expr) -> Option<&Expr> {
    let Expr::BinaryExpr(both) = condition else { return None };
    match (both.op, both.left.as_ref(), both.right.as_ref()) {
        (Operator::Eq, column @ Expr::Column(_), Expr::Literal(..))
        | (Operator::Eq, Expr::Literal(..), column @ Expr::Column(_)) => Some(column),
        _ => None,
    }
}

fn told(plan: &LogicalPlan, expr: &Expr) -> Result<Told, QueryError> {
    let expr = expr.clone().unalias();
    let plain = matches!(expr, Expr::Column(_));
    let mut told = Told { text: String::new(), of: BTreeSet::new(), plain, sensitive: false, unit: None };
    let named = expr.transform(|part| {
        let Expr::Column(column) = part else { return Ok(Transformed::no(part)) };
        let origin = origin(plan, &column).ok_or_else(faults::broken)?;
        told.sensitive |= origin.sensitive;
        told.of.insert(origin.of);
        if origin.unit {
            told.unit = Some((column.name.clone(), origin.clauses));
        }
        Ok(Transformed::yes(Expr::Column(Column::new_unqualified(origin.name))))
    });
    told.text = named.map_err(|e| faults::planning(&e))?.data.to_string();
    match told.unit.take() {
        Some((column, clauses)) => Err(single_persons(&column, clauses)),
        None => Ok(told),
    }
}

/// Whether a column of a plan beneath a statistic tells persons apart, each from every other.
pub(super) fn is_unit(plan: &LogicalPlan, column: &Column) -> bool {
    origin(plan, column).is_some_and(|origin| origin.unit && origin.exact)
}

/// The granted column behind a column of a plan beneath a statistic.
fn origin(plan: &LogicalPlan, column: &Column) -> Option<Origin> {
    let position = |plan: &LogicalPlan| plan.schema().maybe_index_of_column(column);
    match plan {
        LogicalPlan::TableScan(scan) => Some(match allowed::governed(scan) {
            Ok(table) => of_table(&table, column.name()),
            // A statistic that was released already.
            Err(_) => Origin {
                of: statistic::words(scan),
                name: format!("{}.{}", statistic::words(scan), column.name()),
                sensitive: false,
                unit: false,
                exact: false,
                clauses: Clauses::new(),
            },
        }),
        LogicalPlan::SubqueryAlias(node) => {
            let inner = node.input.schema().columns().get(position(plan)?)?.clone();
            origin(&node.input, &inner)
        }
        LogicalPlan::Projection(node) => match node.expr.get(position(plan)?)?.clone().unalias() {
            Expr::Column(inner) => origin(&node.input, &inner),
            computed => {
                let told = told(&node.input, &computed).ok()?;
                let of = told.of.into_iter().collect::<Vec<_>>().join(", ");
                let (name, sensitive) = (told.text, told.sensitive);
                Some(Origin { of, name, sensitive, unit: false, exact: false, clauses: Clauses::new() })
            }
        },
        LogicalPlan::Filter(node) => origin(&node.input, column),
        LogicalPlan::Join(node) => position(&node.left)
            .map(|_| origin(&node.left, column))
            .unwrap_or_else(|| origin(&node.right, column)),
        _ => None,
    }
}

fn of_table(table: &GovernedTable, column: &str) -> Origin {
    let visible = table.visible(column);
    Origin {
        of: format!("{}.{}", table.dataset, table.name),
        name: format!("{}.{}.{column}", table.dataset, table.name),
        sensitive: visible.is_some_and(|visible| {
            matches!(visible.ruling.treatment, Treatment::Aggregate(_))
                && visible.column.label.grade >= Grade::General3
        }),
        unit: table.unit.as_ref().is_some_and(|unit| unit.as_str() == column),
        exact: visible.is_some_and(|visible| match visible.ruling.treatment {
            Treatment::Clear | Treatment::Aggregate(_) | Treatment::Mask(Mask::KeyedHash) => true,
            Treatment::Mask(_) | Treatment::Noise { .. } | Treatment::Withhold => false,
        }),
        clauses: visible.map(|visible| visible.ruling.clauses.clone()).unwrap_or_default(),
    }
}

fn single_persons(column: &str, clauses: Clauses) -> QueryError {
    let reason = Text::new(
        format!(
            "a condition or group on {column} picks single persons out of a statistic; describe the group by other columns, such as region or age in bands ({column} may stand in JOIN … ON and, where each has one row, in count(distinct {column}))"
        ),
        format!(
            "以 {column} 作条件或分组会从统计中挑出个别主体；请改用其他列描述人群，例如地区或年龄段（{column} 可用于 JOIN … ON；每个主体仅有一行时，也可用于 count(distinct {column})）"
        ),
    );
    QueryError::refused(reason, clauses)
}
