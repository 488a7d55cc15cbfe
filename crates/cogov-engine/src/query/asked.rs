//! How a statistic is asked: its conditions and groups in terms of granted columns, whatever names the statement uses.
//!
//! A condition that compares a protected table with another one says something else for every row that is chosen of
//! that other: the *number* it sets may come from a join, a condition or the statistic that it is. So such a condition is told
//! with everything beneath the statistic that could choose it, and no group may be one of its rows.

use super::origins::{Names, Relation, Told};
use super::{allowed, statistic};
use crate::error::QueryError;
use cogov_disclosure::{Digest, Key, Story};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, TableScan};
use std::collections::BTreeSet;

/// How a statistic is asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) story: Story,
    /// Groups by a protected column of general 3 or above that WHERE does not fix, by position.
    pub(super) sensitive_groups: Vec<usize>,
    /// What lies beneath it, to the letter, whatever names the statement uses.
    pub(super) words: BTreeSet<String>,
    /// Its groups likewise, by position.
    pub(super) groups: Vec<String>,
}

/// A condition beneath a statistic.
struct Condition {
    told: Told,
    /// The column, where the condition sets one to one value.
    fixed: Option<Told>,
}

/// What lies beneath a statistic.
#[derive(Default)]
struct Beneath {
    conditions: Vec<Condition>,
    /// Row scopes.
    scopes: Vec<String>,
    /// Tables.
    tables: Vec<String>,
    /// What joins are on.
    joins: BTreeSet<String>,
}

/// Reads the conditions beneath a statistic and its groups.
///
/// # Errors
/// When one of them is about the column that tells persons apart, or a group is a number that is compared with.
pub(super) fn read(plan: &LogicalPlan, groups: &[Expr], names: Names) -> Result<Asked, QueryError> {
    let mut beneath = Beneath::default();
    beneath.read(plan, names)?;
    let comparing = Comparing::new(&beneath)?;
    let mut asked = Asked::default();
    asked.story.conditions.extend(beneath.scopes.iter().map(|scope| Digest::of_text(scope)));
    asked.words = beneath.words(|_| true);
    for Condition { told, fixed } in &beneath.conditions {
        if let Some(column) = fixed {
            let key = Key { sensitive: column.sensitive, computed: false };
            asked.story.keys.insert(Digest::of_text(&column.text), key);
        } else {
            asked.story.conditions.insert(Digest::of_text(&comparing.whole(told)));
        }
    }
    for (position, group) in groups.iter().enumerate() {
        let told = names.told(plan, group)?;
        if !comparing.allows(&told) {
            return Err(group_of_numbers());
        }
        let name = Digest::of_text(&told.text);
        asked.groups.push(told.text);
        if told.sensitive && !asked.story.keys.contains_key(&name) {
            asked.sensitive_groups.push(position);
        }
        let key = Key { sensitive: told.sensitive, computed: !told.plain };
        asked.story.keys.entry(name).or_insert(key);
    }
    Ok(asked)
}

impl Beneath {
    fn read(&mut self, plan: &LogicalPlan, names: Names) -> Result<(), QueryError> {
        match plan {
            LogicalPlan::Filter(filter) => {
                for condition in split_conjunction(&filter.predicate) {
                    let whole = names.told(&filter.input, condition)?;
                    let fixed =
                        fixed(condition).map(|column| names.told(&filter.input, column)).transpose()?;
                    self.conditions.push(Condition { told: whole, fixed });
                }
            }
            LogicalPlan::Join(join) => {
                let filters = join.filter.as_ref().map(split_conjunction).unwrap_or_default();
                let filters = filters.into_iter().map(|filter| match filter {
                    Expr::BinaryExpr(both) => Ok((&*both.left, &*both.right)),
                    _ => Err(QueryError::internal()),
                });
                for pair in join.on.iter().map(|(a, b)| Ok((a, b))).chain(filters) {
                    let (a, b) = pair?;
                    self.pair(plan, (a, b), names)?;
                }
                self.joins.insert(format!("{:?}", join.null_equality));
            }
            LogicalPlan::TableScan(scan) => self.scan(scan, names),
            _ => {}
        }
        plan.inputs().into_iter().try_for_each(|input| self.read(input, names))
    }

    /// A join of two columns. It is a condition where one of them is sensitive and does not tell persons apart.
    fn pair(&mut self, join: &LogicalPlan, (a, b): (&Expr, &Expr), names: Names) -> Result<(), QueryError> {
        let (first, second) = (names.side(join, a)?, names.side(join, b)?);
        let applies = [&first, &second].into_iter().any(|side| side.sensitive && side.unit.is_none());
        let both = first.equal(second);
        self.joins.insert(both.text.clone());
        if applies {
            self.conditions.push(Condition { told: both, fixed: None });
        }
        Ok(())
    }

    /// A table beneath. What is compared with may be another in each version of its data.
    fn scan(&mut self, scan: &TableScan, names: Names) {
        let Ok(table) = allowed::governed(scan) else {
            self.tables.push(statistic::words(scan));
            return;
        };
        let scope = table.scope_words();
        let version = if names.counts(&table) { "" } else { table.raw().path() };
        let scoped = scope.as_deref().unwrap_or_default();
        self.tables.push(format!("{}.{} {version} {scoped}", table.dataset, table.name));
        self.scopes.extend(scope);
    }

    /// All of it, to the letter; of the conditions those that are wanted.
    fn words(&self, wanted: impl Fn(&Condition) -> bool) -> BTreeSet<String> {
        let tables = self.tables.iter().map(|table| format!("from {table}"));
        let conditions = self.conditions.iter().filter(|condition| wanted(condition));
        let conditions = conditions.map(|condition| condition.told.text.clone());
        tables.chain(self.joins.iter().cloned()).chain(conditions).collect()
    }
}

/// Which relations are compared with one another beneath a statistic.
struct Comparing {
    /// Those whose values are numbers to protected ones.
    numbers: BTreeSet<Relation>,
    /// Those whose values are compared with numbers only, and set none.
    compared: BTreeSet<Relation>,
    /// All that could choose a number.
    choosing: String,
}

impl Comparing {
    fn new(beneath: &Beneath) -> Result<Self, QueryError> {
        let (mut numbers, mut compared) = (BTreeSet::new(), BTreeSet::new());
        for Condition { told, .. } in beneath.conditions.iter().filter(|condition| condition.fixed.is_none())
        {
            for one in &told.of {
                if told.of.iter().any(|other| other != one && other.counted) {
                    numbers.insert(one.clone());
                } else if told.of.len() > 1 && one.counted {
                    compared.insert(one.clone());
                }
            }
        }
        compared.retain(|relation| !numbers.contains(relation));
        let mut tables = BTreeSet::new();
        if !numbers.is_empty() && !beneath.tables.iter().all(|table| tables.insert(table)) {
            return Err(twice());
        }
        let chooses = |condition: &Condition| {
            condition.fixed.as_ref().is_none_or(|column| !column.of.is_subset(&compared))
        };
        let choosing = format!("{:?}", beneath.words(chooses));
        Ok(Self { numbers, compared, choosing })
    }

    /// A condition with what chooses the number that it compares with.
    fn whole(&self, condition: &Told) -> String {
        match condition.of.is_disjoint(&self.numbers) || condition.of.len() < 2 {
            true => condition.text.clone(),
            false => format!("{} where {}", condition.text, self.choosing),
        }
    }

    /// Whether groups may be made by this: each is of the people who are compared, not of what they are compared with.
    fn allows(&self, group: &Told) -> bool {
        let alone = !group.sensitive || group.of.len() < 2;
        alone && (self.numbers.is_empty() || group.of.is_subset(&self.compared))
    }
}

fn group_of_numbers() -> QueryError {
    QueryError::not_governed(
        "groups by columns of another table while protected values are compared with its columns; choose one row of it in WHERE, and ask for each",
        "按另一表的列分组，而受保护数值又与该表的列相比较；请在 WHERE 中选定该表的一行，逐一查询",
    )
}

fn twice() -> QueryError {
    QueryError::not_governed(
        "the same table twice beneath a statistic that compares protected values with another table; ask for two statistics and join them",
        "在将受保护数值与另一表相比较的统计之下两次使用同一表；请分别统计后再连接",
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
