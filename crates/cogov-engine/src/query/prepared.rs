//! A statement that was planned, labelled and governed, ready to run once its decision is written down.

use super::barrier::Barrier;
use super::engine::Engine;
use super::facts::Facts;
use super::govern::Governor;
use super::names::Names;
use super::nesting::{self, IN_A_PLAN};
use super::noise::{self, Noise, Question};
use super::params::{self, Param};
use super::run::{self, Job, RowStream, Stage};
use super::world::GrantWorld;
use super::{
    allowed, dependencies, exact, exact_mean, faults, nearest, parse, ranks, set_operations, short_circuit,
    steps, subqueries, zeros,
};
use crate::error::QueryError;
use arrow::datatypes::{DataType, SchemaRef};
use cogov_model::{Clauses, ColumnRef, Epsilon, Form, Grade, Label, RulebookVersion, Text, Treatment};
use datafusion::common::ParamValues;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use parking_lot::Mutex;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A column of a result, with its label and the way it came by it.
#[derive(Debug, Clone)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its label: of every column that it, or the presence of its rows, depends on.
    pub label: Label,
    /// The treatments met on the way, each once.
    pub treatments: Vec<Treatment>,
    way: Way,
}

/// The way of a label, put into words when somebody asks.
#[derive(Debug, Clone)]
struct Way {
    column: Arc<Facts>,
    rows: Arc<Facts>,
    /// The greatest privacy loss of what is asked under noise, where the column came through noise.
    noise: Option<Epsilon>,
}

impl ResultColumn {
    fn new(name: &str, column: &Arc<Facts>, rows: &Arc<Facts>, noise: Option<Epsilon>) -> Self {
        let (label, treatments) = match rows.sources.is_empty() {
            true => (column.label.clone().join(&rows.label), column.treatments()),
            false => {
                let all = column.as_ref().clone().join(rows);
                let treatments = all.treatments();
                (all.label, treatments)
            }
        };
        let noise = noise.filter(|_| treatments.iter().any(|t| matches!(t, Treatment::Noise { .. })));
        let way = Way { column: Arc::clone(column), rows: Arc::clone(rows), noise };
        Self { name: name.to_owned(), label, treatments, way }
    }

    /// Why it has this label, step by step.
    #[must_use]
    pub fn chain(&self) -> Vec<Text> {
        let mut chain = steps::chain(&self.way.column, &self.way.rows);
        chain.extend(self.way.noise.map(noise::promised));
        chain
    }
}

/// A governed statement. Cheap to clone.
#[derive(Clone)]
pub struct Prepared {
    engine: Engine,
    world: Arc<GrantWorld>,
    inner: Arc<Plan>,
}

/// A statement that was planned, apart from who asks.
pub(super) struct Plan {
    /// As asked, with parameters open.
    asked: LogicalPlan,
    /// Optimised when no parameter is open.
    governed: LogicalPlan,
    /// Planned already when no parameter is open.
    physical: Physical,
    state: SessionState,
    schema: SchemaRef,
    columns: Vec<ResultColumn>,
    label: Label,
    clauses: Clauses,
    /// The granted columns that the result, or the presence of its rows, depends on.
    sources: BTreeSet<ColumnRef>,
    parameters: Vec<Option<DataType>>,
    shape: String,
    questions: Vec<Arc<Question>>,
    protected: bool,
    /// The greatest least group of its protected statistics.
    least: u64,
    governing: Duration,
}

/// An executable plan.
enum Physical {
    /// None: parameters are open.
    Open,
    /// Taken by the first execution.
    Once(Mutex<Option<Arc<dyn ExecutionPlan>>>),
    /// Every execution runs it with fresh state.
    Again(Arc<dyn ExecutionPlan>),
}

impl Physical {
    fn new(plan: Arc<dyn ExecutionPlan>, kept: bool) -> Result<Self, QueryError> {
        let mut once = !kept;
        let walked = plan.apply(|node| {
            // Its expressions share the place of their results between executions.
            once |= node.downcast_ref::<ScalarSubqueryExec>().is_some();
            once |= node.downcast_ref::<Barrier>().is_some_and(|barrier| !barrier.runs_again());
            Ok(if once { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        });
        walked.map_err(|e| faults::planning(&e))?;
        Ok(if once { Self::Once(Mutex::new(Some(plan))) } else { Self::Again(plan) })
    }
}

impl Plan {
    /// Whether the plan stays right: it holds no answer, and nothing in it depends on the time.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.protected && self.questions.is_empty() && timeless(&self.asked)
    }

    fn stage(&self) -> Result<Stage, QueryError> {
        Ok(match &self.physical {
            Physical::Open => Stage::Governed(self.governed.clone()),
            Physical::Again(plan) => {
                let fresh = reset_plan_states(Arc::clone(plan)).map_err(|e| faults::running(&e))?;
                Stage::Physical(fresh)
            }
            Physical::Once(plan) => match plan.lock().take() {
                Some(plan) => Stage::Physical(plan),
                None => Stage::Optimised(self.governed.clone()),
            },
        })
    }
}

/// Whether a statement means the same whenever it is run.
fn timeless(plan: &LogicalPlan) -> bool {
    let mut timeless = true;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|top| {
            top.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr {
                    timeless &= call.func.signature().volatility == Volatility::Immutable;
                }
                Ok(if timeless { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            })
        })
    });
    timeless && walked.is_ok()
}

impl Prepared {
    /// The statement, when it was planned before under an equal decision over the same objects.
    pub(super) fn again(engine: &Engine, world: &Arc<GrantWorld>, sql: &str) -> Option<Self> {
        let inner = engine.inner.plans.find(world, sql)?;
        Some(Self { engine: engine.clone(), world: Arc::clone(world), inner })
    }

    /// What labelling and governing took when the statement was planned: opening the governed tables, and the walk over
    /// the plan (the walk alone, where parameters were bound). Without parsing, and without the planning that any engine does.
    #[must_use]
    pub fn governing(&self) -> Duration {
        self.inner.governing
    }

    /// The schema of the result. Texts are `Utf8`, never views or dictionaries.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    /// The columns of the result with their labels.
    #[must_use]
    pub fn columns(&self) -> &[ResultColumn] {
        &self.inner.columns
    }

    /// The label of the whole result: the join of its columns'.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.inner.label
    }

    /// The grade of the whole result.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.inner.label.grade
    }

    /// The clauses that rule the columns it uses; those of the permit when it uses none.
    #[must_use]
    pub fn clauses(&self) -> &Clauses {
        &self.inner.clauses
    }

    /// The granted columns that the result, or the presence of its rows, depends on.
    #[must_use]
    pub fn sources(&self) -> &BTreeSet<ColumnRef> {
        &self.inner.sources
    }

    /// The rulebook that decided.
    #[must_use]
    pub fn rulebook(&self) -> &RulebookVersion {
        self.world.permit().rulebook()
    }

    /// The world it was prepared for.
    #[must_use]
    pub fn world(&self) -> &Arc<GrantWorld> {
        &self.world
    }

    /// The types of `$1`, `$2`, …; none where the statement does not tell (take a text).
    #[must_use]
    pub fn parameter_types(&self) -> &[Option<DataType>] {
        &self.inner.parameters
    }

    /// The statement with every literal as `?`.
    #[must_use]
    pub fn shape(&self) -> &str {
        &self.inner.shape
    }

    /// What it asks under noise. Each must be filled with its answer before the statement is executed.
    #[must_use]
    pub fn questions(&self) -> &[Arc<Question>] {
        &self.inner.questions
    }

    /// Whether it holds protected statistics, which are settled before the first row leaves and may be refused then.
    #[must_use]
    pub fn has_protected_statistics(&self) -> bool {
        self.inner.protected
    }

    /// What may be missing of the result, and that nobody is told why; none where all of it may be shown.
    #[must_use]
    pub fn may_miss(&self) -> Option<Text> {
        let k = self.inner.least;
        let words = || {
            Text::new(
                format!(
                    "Groups of fewer than {k}, and those from which with earlier answers something about fewer than {k} could be computed, are left out; single figures of which that is so are null."
                ),
                format!(
                    "少于 {k} 个主体的分组，以及可与此前答复一并推算出少于 {k} 个主体信息的分组不予列出；同样情形的单个数字显示为空。"
                ),
            )
        };
        (k > 1).then(words)
    }

    /// The statement with its parameters set, governed again.
    ///
    /// # Errors
    /// When the values do not fit, or the statement is refused with them.
    pub async fn bind(&self, params: &[Param]) -> Result<Self, QueryError> {
        let values = params::values(params, &self.inner.parameters)?;
        if values.is_empty() {
            return Ok(self.clone());
        }
        let me = self.clone();
        let work = async move {
            let asked = me.inner.asked.clone();
            let asked = asked.replace_params_with_values(&ParamValues::from(values));
            let asked = asked.map_err(|e| faults::planning(&e))?;
            finish(me.engine, me.world, asked, me.inner.shape.clone(), Duration::ZERO).await
        };
        self.engine.on_threads(work).await
    }

    /// Starts the query. To be called only after its decision is durable. Dropping the stream ends the query.
    ///
    /// # Errors
    /// When parameters are still open.
    pub fn execute(&self) -> Result<RowStream, QueryError> {
        if !self.inner.parameters.is_empty() {
            params::values(&[], &self.inner.parameters)?;
        }
        let runtime = self.engine.query_runtime()?;
        run::start(
            &self.engine,
            Job {
                plan: self.inner.stage()?,
                state: self.inner.state.clone(),
                schema: Arc::clone(&self.inner.schema),
                runtime,
            },
        )
    }
}

/// Text → plan → governed plan.
pub(super) async fn prepare(
    engine: Engine,
    world: Arc<GrantWorld>,
    sql: &str,
) -> Result<Prepared, QueryError> {
    if world.permit().form() == Form::Verify {
        return Err(verification(world.permit().clauses()));
    }
    let config = &engine.inner.config;
    let statement = parse::parse(sql, config.max_sql_bytes, config.max_depth)?;
    let shape = parse::shape(&statement);
    let begun = Instant::now();
    let tables = engine.known_tables(&world).await?;
    let opening = begun.elapsed();
    let grant = world.permit().grant().to_string();
    let options = engine.inner.outer.config_options();
    let names = Names { grant: &grant, tables: &tables, functions: &engine.inner.functions, options };
    let asked = SqlToRel::new_with_options(&names, parser_options())
        .sql_statement_to_plan(ranks::signed(statement))
        .map_err(|e| faults::planning(&e))?;
    let asked = set_operations::counted(asked)?;
    let prepared = finish(engine, world, asked, shape, opening).await?;
    prepared.engine.inner.plans.keep(&prepared.world, sql, &prepared.inner);
    Ok(prepared)
}

/// As PostgreSQL: names fold to lower case, nulls sort as the greatest.
fn parser_options() -> ParserOptions {
    ParserOptions::new().with_default_null_ordering(NullOrdering::NullsMax)
}

async fn finish(
    engine: Engine,
    world: Arc<GrantWorld>,
    asked: LogicalPlan,
    shape: String,
    opening: Duration,
) -> Result<Prepared, QueryError> {
    allowed::check(&asked)?;
    dependencies::check(&asked)?;
    let mut state = engine.inner.outer.clone();
    state.mark_start_execution();
    let parameters = params::types(&asked)?;
    let analyzed = state
        .analyzer()
        .execute_and_check(asked.clone(), state.config_options(), |_, _| {})
        .map_err(|e| faults::planning(&e))?;
    let analyzed = nearest::casts_round(subqueries::meant(analyzed)?).map_err(|e| faults::planning(&e))?;
    let begun = Instant::now();
    let governor = Governor {
        form: world.permit().form(),
        engine: engine.clone(),
        world: Arc::clone(&world),
        statistics: Cell::new(0),
        least: Cell::new(0),
        noise: Noise::new(&world),
    };
    let mut node = governor.statement(&analyzed)?;
    let questions = governor.noise.questions(&world)?;
    for question in &questions {
        question.check(&engine).await?;
    }
    if !questions.is_empty() && !world.noise().without_margins {
        node = noise::with_margins(node)?;
    }
    let schema = run::plain_schema(node.plan.schema().as_arrow());
    let noise = questions.iter().map(|question| question.epsilon()).max();
    let rows = Arc::new(node.rows);
    let described = schema.fields().iter().zip(&node.columns);
    let columns: Vec<ResultColumn> =
        described.map(|(field, facts)| ResultColumn::new(field.name(), facts, &rows, noise)).collect();
    let protected = governor.statistics.get() > 0;
    let facts = Facts::join_all(&node.columns).join(&rows);
    let used = facts.clauses();
    let governing = opening + begun.elapsed();
    let (governed, physical) = match parameters.is_empty() {
        true => planned(&state, &node.plan, !protected && questions.is_empty()).await?,
        false => (node.plan, Physical::Open),
    };
    let plan = Plan {
        label: Label::join_all(columns.iter().map(|c| &c.label)),
        clauses: if used.is_empty() { world.permit().clauses() } else { used },
        sources: facts.sources.into_keys().map(Arc::unwrap_or_clone).collect(),
        asked,
        governed,
        physical,
        state,
        schema,
        columns,
        parameters,
        shape,
        questions,
        protected,
        least: governor.least.get(),
        governing,
    };
    Ok(Prepared { engine, world, inner: Arc::new(plan) })
}

/// A governed plan, optimised and ready to run. `kept` when what is ready may run more than once.
async fn planned(
    state: &SessionState,
    governed: &LogicalPlan,
    kept: bool,
) -> Result<(LogicalPlan, Physical), QueryError> {
    let exact = exact::overflow_raises(governed.clone()).and_then(exact_mean::means_are_exact);
    let exact = exact.and_then(zeros::zero_without_sign);
    let exact = exact.and_then(|plan| dependencies::told_apart(plan, state));
    let exact = exact.and_then(short_circuit::in_order).map_err(|e| faults::planning(&e))?;
    let optimised = state.optimize(&exact).and_then(short_circuit::in_turn);
    let optimised = optimised.map_err(|e| faults::planning(&e))?;
    if nesting::depth(&optimised) > IN_A_PLAN {
        return Err(parse::too_complex(
            &format!("CASE stands more than {IN_A_PLAN} deep in CASE, in subqueries counted together"),
            &format!("CASE 相互嵌套超过 {IN_A_PLAN} 层（含子查询）"),
        ));
    }
    let physical = state.query_planner().create_physical_plan(&optimised, state).await;
    let physical = physical.map_err(|e| faults::planning(&e))?;
    Ok((optimised, Physical::new(physical, kept)?))
}

fn verification(clauses: Clauses) -> QueryError {
    let reason = Text::new(
        "this grant answers its declared questions only (yes, no or unknown about one person): ask them on the grant's counter page or by POST /api/v1/grants/{id}/verify",
        "该授权仅回答已声明的核验问题（对某一主体回答是、否或不详）：请在该授权的核验窗口页面提出，或使用 POST /api/v1/grants/{id}/verify",
    );
    QueryError::refused(reason, clauses)
}
