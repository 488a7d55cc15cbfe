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
    /// Whether it is of a table about persons.
    personal: bool,
    clauses: Clauses,
}

/// An expression in terms of granted columns.
struct Told {
    text: String,
    /// The tables whose columns it names.
    of: BTreeSet<String>,
    /// Those of them that are not about persons.
    others: BTreeSet<String>,
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
    /// Conditions and groups to the letter, whatever names the statement uses.
    pub(super) words: BTreeSet<String>,
}

/// Reads the conditions beneath a statistic and its groups.
///
/// # Errors
/// When one of them is about the column that tells persons apart.
pub(super) fn read(plan: &LogicalPlan, groups: &[Expr]) -> Result<Asked, QueryError> {
    let mut asked = Asked::default();
    let mut conditions = Vec::new();
    collect(plan, &mut asked.story, &mut conditions);
    let compared = asked.conditions(&conditions)?;
    for (position, group) in groups.iter().enumerate() {
        let told = told(plan, group)?;
        if told.others.iter().any(|table| compared.contains(table)) {
            return Err(group_of_numbers());
        }
        asked.words.insert(format!("by {}", told.text));
        let name = text_hash(&told.text);
        if told.sensitive && !asked.story.keys.contains_key(&name) {
            asked.sensitive_groups.push(position);
        }
        let key = Key { sensitive: told.sensitive, computed: !told.plain };
        asked.story.keys.entry(name).or_insert(key);
    }
    Ok(asked)
}

/// The conditions of a plan; the scopes of its tables are some to begin with, and so is a join on a sensitive column.
fn collect<'a>(plan: &'a LogicalPlan, story: &mut Story, conditions: &mut Vec<(&'a LogicalPlan, Expr)>) {
    match plan {
        LogicalPlan::Filter(filter) => {
            let all = split_conjunction(&filter.predicate).into_iter();
            conditions.extend(all.map(|condition| (&*filter.input, condition.clone())));
        }
        LogicalPlan::Join(join) => {
            let filters = join.filter.as_ref().map(split_conjunction).unwrap_or_default();
            let filters = filters.into_iter().filter_map(|filter| match filter {
                Expr::BinaryExpr(both) => Some((&*both.left, &*both.right)),
                _ => None,
            });
            let pairs = join.on.iter().map(|(left, right)| (left, right)).chain(filters);
            conditions.extend(
                pairs.filter_map(|(a, b)| on_sensitive(plan, a, b)).map(|condition| (plan, condition)),
            );
        }
        LogicalPlan::TableScan(scan) => {
            let scope = allowed::governed(scan).ok().and_then(|table| table.scope_words());
            story.conditions.extend(scope.map(|scope| text_hash(&scope)));
        }
        _ => {}
    }
    plan.inputs().into_iter().for_each(|input| collect(input, story, conditions));
}

impl Asked {
    /// Takes the conditions in, and returns the tables that are not about persons and whose values are compared with.
    fn conditions(&mut self, conditions: &[(&LogicalPlan, Expr)]) -> Result<BTreeSet<String>, QueryError> {
        let mut chosen = BTreeSet::new();
        for (plan, condition) in conditions {
            let whole = told(plan, condition)?;
            self.words.insert(whole.text.clone());
            let Some(column) = fixed(condition) else { continue };
            let column = told(plan, column)?;
            let key = Key { sensitive: column.sensitive, computed: false };
            self.story.keys.insert(text_hash(&column.text), key);
            if !column.others.is_empty() {
                chosen.insert(whole.text);
            }
        }
        let chosen = chosen.into_iter().collect::<Vec<_>>().join(" AND ");
        let mut compared = BTreeSet::new();
        for (plan, condition) in conditions.iter().filter(|(_, condition)| fixed(condition).is_none()) {
            let mut told = told(plan, condition)?;
            // What another table holds is a number to compare with, which the row that is chosen of it sets.
            if told.of.len() > 1 {
                compared.extend(told.others);
                told.text = format!("{} where {chosen}", told.text);
            }
            self.story.conditions.insert(text_hash(&told.text));
        }
        Ok(compared)
    }
}

/// The condition of a join on two columns of which one is sensitive, and none tells persons apart; whichever was written first.
fn on_sensitive(join: &LogicalPlan, a: &Expr, b: &Expr) -> Option<Expr> {
    let (Expr::Column(first), Expr::Column(second)) = (a, b) else { return None };
    let (first, second) = (origin(join, first)?, origin(join, second)?);
    let applies = (first.sensitive || second.sensitive) && !first.unit && !second.unit;
    let (a, b) = if first.name <= second.name { (a, b) } else { (b, a) };
    applies.then(|| a.clone().eq(b.clone()))
}

/// A figure in terms of granted columns.
pub(super) fn figure(plan: &LogicalPlan, value: &Expr) -> String {
    told(plan, value).map_or_else(|_| value.to_string(), |told| told.text)
}

fn group_of_numbers() -> QueryError {
    QueryError::not_governed(
        "groups by a column of a table whose values conditions compare protected ones with; choose one row of it in WHERE, and ask for each",
        "按某表的列分组，而条件又以该表的值与受保护数值比较；请在 WHERE 中选定该表的一行，逐一查询",
    )
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
    let (of, others) = (BTreeSet::new(), BTreeSet::new());
    let mut told = Told { text: String::new(), of, others, plain, sensitive: false, unit: None };
    let named = expr.transform(|part| {
        let column = match part {
            Expr::Column(column) => column,
            // A text that could be taken for the end of itself.
            Expr::Literal(value, _) if value.data_type().is_string() && value.to_string().contains('"') => {
                let text = hex::encode(value.to_string());
                return Ok(Transformed::yes(Expr::Column(Column::new_unqualified(format!("text {text}")))));
            }
            other => return Ok(Transformed::no(other)),
        };
        let origin = origin(plan, &column).ok_or_else(faults::broken)?;
        told.sensitive |= origin.sensitive;
        if !origin.personal {
            told.others.insert(origin.of.clone());
        }
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
            Err(_) => {
                let of = statistic::words(scan);
                Origin {
                    name: format!("{of}.{}", column.name()),
                    of,
                    sensitive: false,
                    unit: false,
                    exact: false,
                    personal: false,
                    clauses: Clauses::new(),
                }
            }
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
                let personal = told.others.is_empty();
                Some(Origin {
                    of,
                    name,
                    sensitive,
                    unit: false,
                    exact: false,
                    personal,
                    clauses: Clauses::new(),
                })
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
        personal: table.unit.is_some(),
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
