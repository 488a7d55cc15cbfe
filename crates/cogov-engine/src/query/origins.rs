//! The granted columns behind the names of a statement, beneath a statistic.

use super::governed::GovernedTable;
use super::{allowed, faults, statistic, units};
use crate::error::QueryError;
use arrow::row::{RowConverter, SortField};
use cogov_disclosure::Digest;
use cogov_model::{Clauses, Form, Grade, Mask, Text, Treatment};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// A table beneath a statistic, or a statistic that was released before with all that it was asked of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    name: String,
    /// Whether its people are counted: it is a protected table.
    pub(super) counted: bool,
}

/// What a column is of.
#[derive(Clone)]
struct Origin {
    of: BTreeSet<Relation>,
    name: String,
    sensitive: bool,
    /// Whether it is, or is computed from, the column that tells persons apart.
    unit: Option<Clauses>,
    /// Whether different stored values are different here.
    exact: bool,
}

/// An expression in terms of granted columns.
pub(super) struct Told {
    /// Two expressions with one text are the same.
    pub(super) text: String,
    /// The tables whose columns it names.
    pub(super) of: BTreeSet<Relation>,
    /// Its columns.
    pub(super) columns: BTreeSet<String>,
    pub(super) plain: bool,
    /// Whether it is a column in which different stored values are different.
    exact: bool,
    pub(super) sensitive: bool,
    /// The name of a column in it that tells persons apart.
    pub(super) unit: Option<(String, Clauses)>,
}

impl Told {
    /// The protected table whose people the column tells apart.
    pub(super) fn only_people(&self) -> Option<Relation> {
        let mut of = self.of.iter();
        of.next()
            .filter(|one| self.exact && self.unit.is_some() && one.counted && of.next().is_none())
            .cloned()
    }

    /// That two expressions are equal, whichever was written first.
    pub(super) fn equal(self, other: Self) -> Self {
        let (first, second) = if self.text <= other.text { (self, other) } else { (other, self) };
        Self {
            text: format!("({} = {})", first.text, second.text),
            of: first.of.into_iter().chain(second.of).collect(),
            columns: first.columns.into_iter().chain(second.columns).collect(),
            plain: false,
            exact: false,
            sensitive: first.sensitive || second.sensitive,
            unit: first.unit.or(second.unit),
        }
    }
}

/// Reads names beneath a statistic of a grant of some form.
pub(super) struct Names {
    form: Form,
    /// What was found already, by node of the plan: a column that is computed of two that are computed of two is read once.
    known: RefCell<HashMap<(usize, Column), Option<Origin>>>,
}

impl Names {
    pub(super) fn new(form: Form) -> Self {
        Self { form, known: RefCell::default() }
    }

    /// An expression of a condition or a group.
    ///
    /// # Errors
    /// When it is about the column that tells persons apart.
    pub(super) fn told(&self, plan: &LogicalPlan, expr: &Expr) -> Result<Told, QueryError> {
        let mut told = self.side(plan, expr)?;
        match told.unit.take() {
            Some((column, clauses)) => Err(single_persons(&column, clauses)),
            None => Ok(told),
        }
    }

    /// An expression that may be about the column that tells persons apart: a side of a join.
    ///
    /// # Errors
    /// Never for a plan that was checked.
    pub(super) fn side(&self, plan: &LogicalPlan, expr: &Expr) -> Result<Told, QueryError> {
        let expr = expr.clone().unalias();
        let plain = matches!(expr, Expr::Column(_));
        let (of, columns, sensitive, unit) = (BTreeSet::new(), BTreeSet::new(), false, None);
        let mut told = Told { text: String::new(), of, columns, plain, exact: plain, sensitive, unit };
        let named = expr.transform_up(|part| {
            let text = match part {
                Expr::Column(column) => {
                    let origin = self.origin(plan, &column).ok_or_else(faults::broken)?;
                    told.sensitive |= origin.sensitive;
                    told.exact &= origin.exact;
                    told.of.extend(origin.of);
                    told.unit = told.unit.take().or(origin.unit.map(|clauses| (column.name, clauses)));
                    told.columns.insert(origin.name.clone());
                    origin.name
                }
                Expr::Alias(alias) => return Ok(Transformed::yes(*alias.expr)),
                Expr::Literal(value, _) => literal(&value).ok_or_else(faults::broken)?,
                Expr::ScalarFunction(function)
                    if function.func.signature().volatility != Volatility::Immutable =>
                {
                    return Err(faults::carry(changing(function.name())));
                }
                // What lies in it is a name by now. Without brackets (NOT a) OR b would read as NOT (a OR b).
                other => format!("({other})"),
            };
            Ok(Transformed::yes(Expr::Column(Column::new_unqualified(text))))
        });
        match named.map_err(|e| faults::planning(&e))?.data {
            Expr::Column(text) => told.text = text.name,
            _ => return Err(QueryError::internal()),
        }
        Ok(told)
    }

    /// A figure.
    ///
    /// # Errors
    /// When it is another one each time.
    pub(super) fn figure(&self, plan: &LogicalPlan, value: &Expr) -> Result<String, QueryError> {
        self.side(plan, value).map(|told| told.text)
    }

    /// Whether the people of a table are counted.
    fn counts(&self, table: &GovernedTable) -> bool {
        units::are_counted(table, self.form)
    }

    /// Whether a column of a plan beneath a statistic tells persons apart, each from every other.
    pub(super) fn is_unit(&self, plan: &LogicalPlan, column: &Column) -> bool {
        self.origin(plan, column).is_some_and(|origin| origin.unit.is_some() && origin.exact)
    }

    /// The granted column behind a column of a plan.
    fn origin(&self, plan: &LogicalPlan, column: &Column) -> Option<Origin> {
        let place = (std::ptr::from_ref(plan).addr(), column.clone());
        if let Some(known) = self.known.borrow().get(&place) {
            return known.clone();
        }
        let found = self.find(plan, column);
        self.known.borrow_mut().insert(place, found.clone());
        found
    }

    fn find(&self, plan: &LogicalPlan, column: &Column) -> Option<Origin> {
        let position = |plan: &LogicalPlan| plan.schema().maybe_index_of_column(column);
        match plan {
            LogicalPlan::TableScan(scan) => Some(match allowed::governed(scan) {
                Ok(table) => self.of_table(&table, column.name()),
                // A statistic that was released already.
                Err(_) => {
                    let of = Relation { name: statistic::name(scan), counted: false };
                    let name = format!("{}.{}", of.name, column.name());
                    Origin { of: BTreeSet::from([of]), name, sensitive: false, unit: None, exact: false }
                }
            }),
            LogicalPlan::SubqueryAlias(node) => {
                let inner = node.input.schema().columns().get(position(plan)?)?.clone();
                self.origin(&node.input, &inner)
            }
            LogicalPlan::Projection(node) => match node.expr.get(position(plan)?)?.clone().unalias() {
                Expr::Column(inner) => self.origin(&node.input, &inner),
                computed => {
                    let Told { text, of, sensitive, unit, .. } = self.side(&node.input, &computed).ok()?;
                    // As long as any other name, however often it is computed with.
                    let name = format!("computed {}", Digest::of_text(&text));
                    Some(Origin { of, name, sensitive, unit: unit.map(|(_, clauses)| clauses), exact: false })
                }
            },
            LogicalPlan::Filter(node) => self.origin(&node.input, column),
            LogicalPlan::Join(node) => position(&node.left)
                .map(|_| self.origin(&node.left, column))
                .unwrap_or_else(|| self.origin(&node.right, column)),
            _ => None,
        }
    }

    /// A table as a relation.
    pub(super) fn relation(&self, table: &GovernedTable) -> Relation {
        Relation { name: format!("{}.{}", table.dataset, table.name), counted: self.counts(table) }
    }

    fn of_table(&self, table: &GovernedTable, column: &str) -> Origin {
        let visible = table.visible(column);
        let relation = self.relation(table);
        let name = &relation.name;
        let is_unit = relation.counted && table.unit.as_ref().is_some_and(|unit| unit.as_str() == column);
        // Another grant of the party may mask it otherwise.
        let mask = match visible.map(|visible| visible.ruling.treatment) {
            Some(Treatment::Mask(mask)) => format!(" {mask}"),
            _ => String::new(),
        };
        Origin {
            name: format!("\"{name}.{column}{mask}\""),
            of: BTreeSet::from([relation]),
            sensitive: visible.is_some_and(|visible| {
                // In the form of statistics rows are protected, whatever may be seen of a column.
                let protected = match visible.ruling.treatment {
                    Treatment::Aggregate(_) => true,
                    Treatment::Clear => self.form == Form::Aggregate,
                    _ => false,
                };
                protected && visible.column.label.grade >= Grade::General3
            }),
            unit: is_unit.then(|| visible.map(|visible| visible.ruling.clauses.clone()).unwrap_or_default()),
            exact: visible.is_some_and(|visible| match visible.ruling.treatment {
                Treatment::Clear | Treatment::Aggregate(_) | Treatment::Mask(Mask::KeyedHash) => true,
                Treatment::Mask(_) | Treatment::Noise { .. } | Treatment::Withhold => false,
            }),
        }
    }
}

/// A literal to the last bit: not all that DataFusion writes of one tells it from others (dates that no calendar has).
fn literal(value: &ScalarValue) -> Option<String> {
    let array = value.to_array().ok()?;
    let converter = RowConverter::new(vec![SortField::new(value.data_type())]).ok()?;
    let rows = converter.convert_columns(&[array]).ok()?;
    let row = rows.iter().next()?;
    Some(format!("{} {}", value.data_type(), hex::encode(row.as_ref())))
}

/// Compared with protected values it would be another condition at every asking, which reads the same.
fn changing(function: &str) -> QueryError {
    QueryError::not_governed(
        &format!(
            "{function} beneath a statistic of protected values, which is another value each time; write the value"
        ),
        &format!("受保护数值统计之下的 {function}，其值每次不同；请直接写出其值"),
    )
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
