//! Verification: a declared question about one identified person → yes, no or unknown.
//!
//! Nothing of the asker's runs here but the values that identify the person, which are compared in the columns' own
//! types. The person's rows are looked up below the grant's row filter, so that a person outside it is as if they were
//! not there. The conditions are computed on these rows in three-valued logic; a link into another table is a
//! lookup of its own by the value of its key. No value leaves this module, only the answer with its label.

use super::beneath::Named;
use super::engine::Engine;
use super::faults;
use super::objects::RawTable;
use super::raw_provider::RawProvider;
use super::run::{self, Job};
use super::scope::{self, Opened};
use super::world::{GrantWorld, Source};
use crate::error::{ErrorKind, QueryError};
use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use cogov_model::{
    Clauses, ColumnName, ColumnRef, Condition, DatasetId, Label, Linked, Predicate, Scalar, TableName, Text,
    Treatment, Verification, VerifyAnswer,
};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, binary_expr, lit};
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

/// The name of the raw table inside a lookup.
const RAW: &str = "raw";

/// The most rows that one person may have in a table; more, and the columns identify nobody.
const ROWS: usize = 1000;

/// A declared question, and who it is about.
#[derive(Debug, Clone)]
pub struct Question {
    /// How persons are identified, and the question's tables.
    pub verification: Verification,
    /// The question.
    pub predicate: Predicate,
    /// The values that identify the person, one for each of the verification's subject columns.
    pub subject: BTreeMap<ColumnName, Scalar>,
}

/// An answer, with its label and what it rests on.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The answer.
    pub answer: VerifyAnswer,
    /// Its label: of every column that the question looks at, as it is stored.
    pub label: Label,
    /// Why it has this label, column by column.
    pub chain: Vec<Text>,
    /// The clauses that rule these columns.
    pub clauses: Clauses,
}

impl Engine {
    /// Answers a declared question about one person. The answer is to be released only after it is written down.
    ///
    /// # Errors
    /// When a column of the question may not be used, a value cannot identify, or the data cannot be read in time.
    pub async fn verify(&self, world: &Arc<GrantWorld>, question: Question) -> Result<Verdict, QueryError> {
        let (engine, world) = (self.clone(), Arc::clone(world));
        self.on_threads(async move {
            let mut verdict = permitted(&world, &question)?;
            let opened = engine.opened(&world).await?;
            let asking =
                Asking { engine, world, opened, absent_means_no: question.predicate.absent_means_no };
            verdict.answer = asking.subject(&question).await?;
            Ok(verdict)
        })
        .await
    }
}

/// Label and clauses of a question whose columns may all be used; the answer is still unknown.
fn permitted(world: &GrantWorld, question: &Question) -> Result<Verdict, QueryError> {
    let mut verdict = Verdict {
        answer: VerifyAnswer::Unknown,
        label: Label::bottom(),
        chain: Vec::new(),
        clauses: Clauses::new(),
    };
    for column in question.verification.columns(&question.predicate) {
        let source = world.source(&column.dataset, &column.table);
        let stored = source.and_then(|source| source.table.column(&column.column));
        let ruling = world.permit().ruling(&column);
        let (Some(stored), Some(ruling)) = (stored, ruling) else {
            return Err(QueryError::refused(outside(&column), world.permit().clauses()));
        };
        if !matches!(ruling.treatment, Treatment::Clear | Treatment::Mask(_)) {
            return Err(QueryError::refused(ruling.reason.clone(), ruling.clauses.clone()));
        }
        verdict.chain.push(Text::new(
            format!("compared with {column} ({}), never shown", stored.label.grade),
            format!("比对 {column}（{}），不予显示", stored.label.grade.zh()),
        ));
        // What is stored is compared, whatever mask the rulebook names, so nothing of the label falls.
        verdict.label = verdict.label.join(&stored.label);
        verdict.clauses.extend(ruling.clauses.iter().cloned());
    }
    Ok(verdict)
}

fn outside(column: &ColumnRef) -> Text {
    Text::new(
        format!("the question looks at {column}, which this grant does not hold"),
        format!("该问题涉及 {column}，不在本授权之内"),
    )
}

/// True, false, or neither: a null.
type Truth = Option<bool>;

fn and(all: impl IntoIterator<Item = Truth>) -> Truth {
    let mut whole = Some(true);
    for one in all {
        whole = match (whole, one) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    whole
}

fn or(any: impl IntoIterator<Item = Truth>) -> Truth {
    and(any.into_iter().map(|truth| truth.map(|t| !t))).map(|none| !none)
}

/// What must be computed of a row: leaves are boolean columns of a lookup's result.
enum Tree<'a> {
    Leaf(usize),
    All(Vec<Tree<'a>>),
    Any(Vec<Tree<'a>>),
    /// The column with the value to be looked up, and where.
    Linked(usize, &'a Linked),
}

/// A table as a lookup sees it.
struct Place<'a> {
    source: &'a Source,
    raw: &'a Arc<RawTable>,
}

impl Place<'_> {
    fn column(&self, name: &ColumnName) -> Result<(Expr, DataType), QueryError> {
        let schema = self.raw.schema();
        let field = schema.field_with_name(name.as_str()).map_err(|_| unanswerable())?;
        Ok((Expr::Column(Column::new(Some(RAW), name.as_str())), field.data_type().clone()))
    }

    /// The conditions as a tree over `outputs`, to which what they need is added.
    fn tree<'c>(&self, condition: &'c Condition, outputs: &mut Vec<Expr>) -> Result<Tree<'c>, QueryError> {
        let mut leaf = |expr: Expr| {
            outputs.push(expr.alias(format!("c{}", outputs.len())));
            outputs.len() - 1
        };
        match condition {
            Condition::Compare { column, op, value } => {
                let (column, kind) = self.column(column)?;
                let test = scope::compare(column, &kind, scope::operator(*op), value);
                Ok(Tree::Leaf(leaf(test.map_err(|_| unanswerable())?)))
            }
            Condition::In { column, values } => {
                let (column, kind) = self.column(column)?;
                let equal = |value| {
                    scope::compare(column.clone(), &kind, datafusion::logical_expr::Operator::Eq, value)
                };
                let tests = values.iter().map(equal).collect::<Result<Vec<_>, _>>();
                let tests = tests.map_err(|_| unanswerable())?;
                Ok(Tree::Any(tests.into_iter().map(|test| Tree::Leaf(leaf(test))).collect()))
            }
            Condition::Linked { linked } => {
                let (column, _) = self.column(&linked.column)?;
                Ok(Tree::Linked(leaf(column), linked))
            }
            Condition::Any { any } => {
                let any = any.iter().map(|inner| self.tree(inner, outputs)).collect::<Result<_, _>>()?;
                Ok(Tree::Any(any))
            }
        }
    }
}

struct Asking {
    engine: Engine,
    world: Arc<GrantWorld>,
    opened: Opened,
    absent_means_no: bool,
}

impl Asking {
    async fn subject(&self, question: &Question) -> Result<VerifyAnswer, QueryError> {
        let verification = &question.verification;
        let place = self.place(&verification.dataset, &verification.table)?;
        let mut filters = Vec::new();
        for name in &verification.subject {
            let (column, kind) = place.column(name)?;
            let value = question.subject.get(name).and_then(|value| scope::literal(value, &kind));
            filters.push(column.eq(lit(value.ok_or_else(|| no_value(name))?)));
        }
        let mut outputs = Vec::new();
        if let Some(unit) = &place.source.table.unit {
            outputs.push(place.column(unit)?.0.alias("unit"));
        }
        let with_unit = !outputs.is_empty();
        let mut trees = Vec::new();
        for condition in &question.predicate.all {
            trees.push(place.tree(condition, &mut outputs)?);
        }
        let batch = self.rows(&place, filters, outputs).await?;
        if with_unit && units(&batch)? > 1 {
            return Ok(VerifyAnswer::Unknown);
        }
        let tree = Tree::All(trees);
        let mut truths = Vec::new();
        for row in 0..batch.num_rows() {
            truths.push(self.truth(&tree, &batch, row, 0).await?);
        }
        Ok(match or(truths.iter().copied()) {
            _ if truths.is_empty() => VerifyAnswer::Unknown,
            Some(true) => VerifyAnswer::Yes,
            Some(false) => VerifyAnswer::No,
            None => VerifyAnswer::Unknown,
        })
    }

    fn place<'a>(&'a self, dataset: &DatasetId, table: &TableName) -> Result<Place<'a>, QueryError> {
        let source = self.world.source(dataset, table).ok_or_else(unanswerable)?;
        let raw = self.opened.get(&(dataset.clone(), table.clone())).ok_or_else(faults::unreadable)?;
        Ok(Place { source, raw })
    }

    /// The rows of a table that the grant reaches and the filters choose, as one batch of `outputs`.
    async fn rows(
        &self,
        place: &Place<'_>,
        filters: Vec<Expr>,
        outputs: Vec<Expr>,
    ) -> Result<RecordBatch, QueryError> {
        let conditions = self.world.scope().of(&place.source.dataset, &place.source.table.name);
        let granted = scope::predicate(conditions, place.raw, RAW, &self.opened)?;
        if filters.is_empty() {
            return Err(QueryError::internal());
        }
        let planner = self.engine.inner.planner.as_ref();
        let chosen = Named { planner, raw: place.raw, name: RAW }.judging(&filters);
        let source = chosen.and_then(|chosen| RawProvider::meeting(place.raw, chosen));
        let source = provider_as_source(Arc::new(source.map_err(|error| faults::running(&error))?));
        let outputs = if outputs.is_empty() { vec![lit(true).alias("found")] } else { outputs };
        let scoped = |plan: LogicalPlanBuilder| match granted {
            Some(granted) => plan.filter(granted),
            None => Ok(plan),
        };
        let plan = LogicalPlanBuilder::scan(RAW, source, None)
            .and_then(scoped)
            .and_then(|plan| plan.project(outputs))
            .and_then(|plan| plan.limit(0, Some(ROWS + 1)))
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| faults::running(&error))?;
        let schema = run::plain_schema(plan.schema().as_arrow());
        let job = Job {
            plan: run::Stage::Governed(plan),
            state: self.engine.inner.planner.as_ref().clone(),
            schema: Arc::clone(&schema),
            runtime: self.engine.query_runtime()?,
        };
        let mut stream = run::start(&self.engine, job)?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            batches.push(batch?);
        }
        let all = arrow::compute::concat_batches(&schema, &batches).map_err(|_| QueryError::internal())?;
        if all.num_rows() > ROWS { Err(nobody()) } else { Ok(all) }
    }

    fn truth<'a>(
        &'a self,
        tree: &'a Tree<'a>,
        batch: &'a RecordBatch,
        row: usize,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Result<Truth, QueryError>> + Send + 'a>> {
        Box::pin(async move {
            match tree {
                Tree::Leaf(place) => {
                    let tested = batch.columns().get(*place).ok_or_else(QueryError::internal)?;
                    let tested = tested.as_boolean_opt().ok_or_else(QueryError::internal)?;
                    Ok((!tested.is_null(row)).then(|| tested.value(row)))
                }
                Tree::All(inner) | Tree::Any(inner) => {
                    let mut truths = Vec::with_capacity(inner.len());
                    for tree in inner {
                        truths.push(self.truth(tree, batch, row, depth).await?);
                    }
                    Ok(if matches!(tree, Tree::All(_)) { and(truths) } else { or(truths) })
                }
                Tree::Linked(place, linked) => {
                    let column = batch.columns().get(*place).ok_or_else(QueryError::internal)?;
                    let value =
                        ScalarValue::try_from_array(column, row).map_err(|_| QueryError::internal())?;
                    if value.is_null() { Ok(None) } else { self.linked(linked, value, depth + 1).await }
                }
            }
        })
    }

    /// Whether a row with this key is there and, where conditions are set, meets one of them.
    async fn linked(&self, linked: &Linked, value: ScalarValue, depth: usize) -> Result<Truth, QueryError> {
        if depth > scope::DEPTH {
            return Err(unanswerable());
        }
        let place = self.place(&linked.dataset, &linked.table)?;
        let (key, kind) = place.column(&linked.key)?;
        let value = value.cast_to(&kind).ok().filter(|value| !value.is_null()).ok_or_else(unanswerable)?;
        let same = binary_expr(key, datafusion::logical_expr::Operator::Eq, lit(value));
        let mut outputs = Vec::new();
        let mut trees = Vec::new();
        for condition in &linked.any {
            trees.push(place.tree(condition, &mut outputs)?);
        }
        let batch = self.rows(&place, vec![same], outputs).await?;
        if batch.num_rows() == 0 {
            return Ok(self.absent_means_no.then_some(false));
        }
        if trees.is_empty() {
            return Ok(Some(true));
        }
        let tree = Tree::Any(trees);
        let mut truths = Vec::new();
        for row in 0..batch.num_rows() {
            truths.push(self.truth(&tree, &batch, row, depth).await?);
        }
        Ok(or(truths))
    }
}

/// How many different units the first column holds: more than one, and it is not one person.
fn units(batch: &RecordBatch) -> Result<usize, QueryError> {
    let column = batch.columns().first().ok_or_else(QueryError::internal)?;
    let mut seen = BTreeSet::new();
    for row in 0..batch.num_rows() {
        let value = ScalarValue::try_from_array(column, row).map_err(|_| QueryError::internal())?;
        seen.insert(format!("{value:?}"));
    }
    Ok(seen.len())
}

fn no_value(column: &ColumnName) -> QueryError {
    QueryError::new(
        ErrorKind::Parameters,
        format!(
            "{column} is missing or does not have the form of this column: write it as on the person's document"
        ),
        format!("{column} 缺失或不符合该列的格式：请按证件所示填写"),
    )
}

fn nobody() -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        "the columns that this grant declares for identifying a person identify nobody: too many rows have these values; ask the provider to correct the grant",
        "本授权用于识别主体的列不能识别单个主体：具有这些值的记录过多；请提供方更正授权",
    )
}

fn unanswerable() -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        "the question cannot be answered on the present data as it was declared, so nothing is released; ask the provider to correct the grant",
        "所声明的问题无法在现有数据上回答，因此不予释放；请提供方更正授权",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_valued_logic_is_that_of_sql() {
        let all = [Some(true), Some(false), None];
        for a in all {
            assert_eq!(and([a]), a);
            assert_eq!(or([a]), a);
            for b in all {
                assert_eq!(and([a, b]), and([b, a]));
                assert_eq!(or([a, b]), or([b, a]));
            }
        }
        assert_eq!(and([Some(false), None]), Some(false));
        assert_eq!(and([Some(true), None]), None);
        assert_eq!(or([Some(true), None]), Some(true));
        assert_eq!(or([Some(false), None]), None);
        assert_eq!((and([]), or([])), (Some(true), Some(false)));
    }
}
