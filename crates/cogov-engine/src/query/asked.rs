//! How a statistic is asked: its conditions and groups in terms of granted columns, whatever names the statement uses.
//!
//! A condition that compares a protected table with another one says something else for every row that is chosen of
//! that other: the *number* it sets may come from a join, a condition or the statistic that it is. So such a condition is told
//! with everything beneath the statistic that could choose it, and no group may be one of its rows.

use super::alone;
use super::origins::{Names, Relation, Told};
use super::{allowed, statistic};
use crate::error::QueryError;
use cogov_disclosure::{Digest, Key, Story};
use datafusion::common::NullEquality;
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
    /// Whether values of two tables of the same people are compared: right only where each has one row.
    pub(super) single: bool,
    /// Whether protected values are compared with those of another table or statistic.
    pub(super) compares: bool,
}

/// A condition beneath a statistic.
pub(super) struct Condition {
    pub(super) told: Told,
    /// The column, where the condition sets one to one value.
    fixed: Option<Told>,
    /// Whether it does nothing but compare two columns.
    pub(super) compares: bool,
    /// Whether it is what two tables are joined on.
    pub(super) joins: bool,
}

/// What lies beneath a statistic.
#[derive(Default)]
pub(super) struct Beneath {
    pub(super) conditions: Vec<Condition>,
    /// Row scopes.
    scopes: Vec<String>,
    tables: Vec<Table>,
    /// What joins are on.
    joins: BTreeSet<String>,
    /// The tables that each of them links.
    pub(super) links: Vec<BTreeSet<Relation>>,
    /// Protected tables that are joined by what tells their people apart.
    same: Vec<(Relation, Relation)>,
}

/// A table beneath a statistic.
struct Table {
    words: String,
    /// Nothing for a statistic that was released.
    relation: Option<Relation>,
    /// The version of its data: another one holds other values to compare with.
    version: String,
}

/// Reads the conditions beneath a statistic and its groups.
///
/// `protects` says whether groups must be of several persons.
///
/// # Errors
/// When one of them is about the column that tells persons apart, or could leave a single person in doubt, or a group is a
/// number that is compared with.
pub(super) fn read(
    plan: &LogicalPlan,
    groups: &[Expr],
    names: &Names,
    protects: bool,
) -> Result<Asked, QueryError> {
    let mut beneath = Beneath::default();
    beneath.read(plan, names)?;
    let comparing = Comparing::new(&beneath)?;
    if protects {
        alone::conditions(&beneath, &comparing.peoples)?;
    }
    let mut asked = Asked::default();
    asked.story.conditions.extend(beneath.scopes.iter().map(|scope| Digest::of_text(scope)));
    asked.words = beneath.words(None);
    asked.single = comparing.single;
    asked.compares = comparing.grouped.is_some();
    for Condition { told, fixed, .. } in &beneath.conditions {
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
        if protects {
            alone::group(&told, group, &comparing.peoples)?;
        }
        asked.single |= told.of.iter().filter(|one| one.counted).count() > 1;
        let text = comparing.whole(&told);
        let name = Digest::of_text(&text);
        asked.groups.push(text);
        if told.sensitive && !asked.story.keys.contains_key(&name) {
            asked.sensitive_groups.push(position);
        }
        let key = Key { sensitive: told.sensitive, computed: !told.plain };
        asked.story.keys.entry(name).or_insert(key);
    }
    Ok(asked)
}

impl Beneath {
    fn read(&mut self, plan: &LogicalPlan, names: &Names) -> Result<(), QueryError> {
        match plan {
            LogicalPlan::Filter(filter) => {
                for condition in split_conjunction(&filter.predicate) {
                    let whole = names.told(&filter.input, condition)?;
                    let fixed =
                        fixed(condition).map(|column| names.told(&filter.input, column)).transpose()?;
                    let compares = alone::compares(condition);
                    self.conditions.push(Condition { told: whole, fixed, compares, joins: false });
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
    fn pair(&mut self, join: &LogicalPlan, (a, b): (&Expr, &Expr), names: &Names) -> Result<(), QueryError> {
        let (first, second) = (names.side(join, a)?, names.side(join, b)?);
        let applies = [&first, &second].into_iter().any(|side| side.sensitive && side.unit.is_none());
        if let (Some(one), Some(other)) = (first.only_people(), second.only_people())
            && matches!(join, LogicalPlan::Join(join) if join.null_equality == NullEquality::NullEqualsNothing)
        {
            self.same.push((one, other));
        }
        let both = first.equal(second);
        self.joins.insert(both.text.clone());
        self.links.push(both.of.clone());
        if applies {
            self.conditions.push(Condition { told: both, fixed: None, compares: true, joins: true });
        }
        Ok(())
    }

    /// The protected tables, those of the same people together.
    fn peoples(&self) -> Vec<People> {
        let counted = self.tables.iter().filter_map(|table| table.relation.clone()).filter(|one| one.counted);
        let mut peoples: Vec<People> = counted.map(|one| People::from([one])).collect();
        for (one, other) in &self.same {
            let (joined, mut rest): (Vec<People>, Vec<People>) =
                peoples.into_iter().partition(|people| people.contains(one) || people.contains(other));
            rest.push(joined.into_iter().flatten().collect());
            peoples = rest;
        }
        peoples
    }

    fn scan(&mut self, scan: &TableScan, names: &Names) {
        let Ok(table) = allowed::governed(scan) else {
            self.tables.push(Table { words: statistic::name(scan), relation: None, version: String::new() });
            return;
        };
        let scope = table.scope_words();
        let scoped = scope.as_deref().unwrap_or_default();
        let words = format!("{}.{} {scoped}", table.dataset, table.name);
        let relation = Some(names.relation(&table));
        self.tables.push(Table { words, relation, version: table.raw().path().to_owned() });
        self.scopes.extend(scope);
    }

    /// All of it, to the letter, without what only says of which people it is.
    fn words(&self, people: Option<&People>) -> BTreeSet<String> {
        let of_people = |of: &BTreeSet<Relation>| people.is_some_and(|people| of.is_subset(people));
        let tables = self.tables.iter().map(|table| {
            // Of several tables of the same people another version of one may hold other numbers for the other.
            let alone = people.filter(|people| people.len() == 1);
            let theirs =
                table.relation.as_ref().is_some_and(|one| alone.is_some_and(|people| people.contains(one)));
            format!("from {} {}", table.words, if theirs { "" } else { &table.version })
        });
        let chooses =
            |condition: &&Condition| condition.fixed.as_ref().is_none_or(|fixed| !of_people(&fixed.of));
        let conditions = self.conditions.iter().filter(chooses).map(|condition| condition.told.text.clone());
        tables.chain(self.joins.iter().cloned()).chain(conditions).collect()
    }
}

impl Beneath {
    /// The versions of these tables.
    fn versions(&self, of: &BTreeSet<Relation>) -> BTreeSet<&str> {
        let theirs = |table: &&Table| table.relation.as_ref().is_some_and(|one| of.contains(one));
        self.tables.iter().filter(theirs).map(|table| table.version.as_str()).collect()
    }
}

/// Tables of the same people: protected ones that are joined by what tells them apart.
pub(super) type People = BTreeSet<Relation>;

/// Who is compared with what beneath a statistic.
struct Comparing<'a> {
    beneath: &'a Beneath,
    /// The protected tables, those of the same people together.
    peoples: Vec<People>,
    /// The people whom groups may be of, where protected values are compared with another table: none but those whose values
    /// all of them are.
    grouped: Option<People>,
    /// Whether values of two tables of the same people are compared.
    single: bool,
}

impl<'a> Comparing<'a> {
    fn new(beneath: &'a Beneath) -> Result<Self, QueryError> {
        let mut comparing = Self { beneath, peoples: beneath.peoples(), grouped: None, single: false };
        for told in beneath.conditions.iter().filter(|condition| condition.fixed.is_none()).map(|c| &c.told) {
            if !comparing.is_number(told) {
                comparing.single |= told.of.len() > 1 && told.of.iter().any(|one| one.counted);
                continue;
            }
            let people = comparing.people(told).cloned().unwrap_or_default();
            comparing.single |= people.len() > 1;
            comparing.grouped = Some(match comparing.grouped.take() {
                Some(others) if others != people => People::new(),
                _ => people,
            });
        }
        let mut words = BTreeSet::new();
        if comparing.grouped.is_some() && !beneath.tables.iter().all(|table| words.insert(&table.words)) {
            return Err(twice());
        }
        Ok(comparing)
    }

    /// Whether a condition compares protected values with those of something else.
    fn is_number(&self, told: &Told) -> bool {
        let alone = self.peoples.iter().any(|people| told.of.is_subset(people));
        told.of.len() > 1 && told.of.iter().any(|one| one.counted) && !alone
    }

    /// The only people of a condition.
    fn people(&self, told: &Told) -> Option<&People> {
        let mut of = self.peoples.iter().filter(|people| !people.is_disjoint(&told.of));
        of.next().filter(|_| of.next().is_none())
    }

    /// A condition, with what chooses the number that it compares with.
    fn whole(&self, told: &Told) -> String {
        if self.is_number(told) {
            return format!("{} where {:?}", told.text, self.beneath.words(self.people(told)));
        }
        match told.of.len() > 1 {
            true => format!("{} of {:?}", told.text, self.beneath.versions(&told.of)),
            false => told.text.clone(),
        }
    }

    /// Whether groups may be made by this: each is of the people who are compared, not of what they are compared with.
    fn allows(&self, group: &Told) -> bool {
        let one = !group.sensitive || !self.is_number(group);
        one && self.grouped.as_ref().is_none_or(|people| group.of.is_subset(people))
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
