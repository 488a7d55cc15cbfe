//! The system catalogue of a grant, as PostgreSQL's clients ask for it: `pg_catalog`, `information_schema`
//! and session functions, over names and types only.
//!
//! A second, small way of a query that no data can flow through: its tables are made from the names, types
//! and descriptions that the grant holds anyway, a statement that names any other table fails, and the
//! functions that may be called are listed. So a client can ask what it likes (`\d`, reflection) without
//! a decision, and a statement that mixes catalogue and data is refused.

mod empty;
mod functions;
mod information;
mod names;
mod relation;
mod rewrite;
mod system;
mod types;

use crate::error::{ErrorKind, QueryError};
use crate::query::{OPERATORS, nests};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Tokenizer;
use std::{sync::Arc, time::Duration};

/// The longest catalogue statement, in bytes. The longest that known clients send is about 4 KB.
const MAX_BYTES: usize = 64 * 1024;
/// The deepest nesting of a catalogue statement.
const MAX_DEPTH: usize = 40;
/// Operators a catalogue statement may have to be answered; the most of known clients is about 40. Fewer than the engine
/// takes: it is copied, planned and dropped recursively where doors are served, on stacks that are small.
const MAX_OPERATORS: usize = 200;
/// How long a catalogue statement may run.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How much memory a catalogue statement may use, in bytes.
const MAX_MEMORY: usize = 32 << 20;
/// How many rows a catalogue statement may give: more than any catalogue has.
const MAX_ROWS: usize = 200_000;

/// A column as the catalogue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueColumn {
    /// Its name.
    pub name: String,
    /// Its type as released.
    pub data_type: DataType,
    /// Words about it; shown by `\d+` and `col_description`.
    pub comment: String,
}

/// A table as the catalogue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueTable {
    /// The dataset; the schema in SQL.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Words about it.
    pub comment: String,
    /// Its columns.
    pub columns: Vec<CatalogueColumn>,
}

/// The system catalogue of one grant for one account.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<names::Names>);

/// A catalogue statement that was understood.
#[derive(Debug, Clone)]
pub struct CatalogueQuery {
    names: Arc<names::Names>,
    statement: Statement,
    schema: SchemaRef,
    parameters: usize,
}

/// Whether a statement asks for the system catalogue or the session rather than for data. A statement
/// that does not parse, or nests deeper than the engine takes, does not: the governed way then says what is
/// wrong with it.
#[must_use]
pub fn concerns(sql: &str) -> bool {
    sql.len() <= MAX_BYTES && parse(sql, OPERATORS).is_ok_and(|statement| rewrite::is_system(&statement))
}

impl Catalogue {
    /// A catalogue of these tables, for a database (the grant) and a user (the account).
    #[must_use]
    pub fn new(database: &str, user: &str, server_version: &str, tables: Vec<CatalogueTable>) -> Self {
        Self(Arc::new(names::Names::new(database, user, server_version, tables)))
    }

    /// The schemas in which a bare table name is looked for, first one first.
    #[must_use]
    pub fn search_path(&self) -> &[String] {
        self.0.schemas()
    }

    /// Understands a statement without running it.
    ///
    /// # Errors
    /// `Syntax` when it is no SQL, `TooComplex` when it has too many operators, `NoTable` when it names anything
    /// outside the catalogue, `NotSupported` when the catalogue cannot answer it.
    pub async fn prepare(&self, sql: &str) -> Result<CatalogueQuery, QueryError> {
        if sql.len() > MAX_BYTES {
            return Err(unsupported());
        }
        let statement = parse(sql, MAX_OPERATORS)?;
        let mut query = CatalogueQuery {
            names: self.0.clone(),
            parameters: rewrite::parameters(&statement),
            statement,
            schema: Arc::new(Schema::empty()),
        };
        let nulls = vec![None; query.parameters];
        query.schema = match query.plan(&nulls).await? {
            Planned::Nothing(columns) => relation::texts(&columns),
            Planned::Rows { plan, columns, .. } => relation::renamed(plan.schema().as_arrow(), &columns),
        };
        Ok(query)
    }
}

#[expect(clippy::large_enum_variant, reason = "one lives at a time, for the length of one call")]
enum Planned {
    /// No row can come out: the columns' names.
    Nothing(Vec<String>),
    /// A plan, with the names that its columns have outside.
    Rows { context: SessionContext, plan: LogicalPlan, columns: Vec<Option<String>> },
}

impl CatalogueQuery {
    /// The columns of the result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// How many parameters it has; all of them are texts.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        self.parameters
    }

    /// Answers it, with the parameters as texts.
    ///
    /// # Errors
    /// `Parameters` when their number is wrong, `NotSupported` when the catalogue cannot answer it, `Timeout`
    /// and `OutOfMemory` when it asks too much.
    pub async fn run(&self, parameters: &[Option<String>]) -> Result<RecordBatch, QueryError> {
        if parameters.len() != self.parameters {
            return Err(QueryError::new(
                ErrorKind::Parameters,
                format!("the statement has {} parameters, {} were given", self.parameters, parameters.len()),
                format!("语句有 {} 个参数，却给出了 {} 个", self.parameters, parameters.len()),
            ));
        }
        let (context, plan) = match self.plan(parameters).await? {
            Planned::Nothing(_) => return Ok(RecordBatch::new_empty(self.schema.clone())),
            Planned::Rows { context, plan, .. } => (context, plan),
        };
        let rows = async {
            let frame = context.execute_logical_plan(plan).await?.limit(0, Some(MAX_ROWS))?;
            let tasks = frame.task_ctx();
            let plan = interruptible(frame.create_physical_plan().await?)?;
            collect(plan, Arc::new(tasks)).await
        };
        let batches = tokio::time::timeout(MAX_TIME, rows).await.map_err(|_| too_much())?;
        relation::together(&self.schema, &batches.map_err(|error| failed(&error))?)
    }

    async fn plan(&self, parameters: &[Option<String>]) -> Result<Planned, QueryError> {
        let mut statement = self.statement.clone();
        rewrite::bind(&mut statement, parameters);
        if let Some(columns) = empty::columns_of_nothing(&statement) {
            return Ok(Planned::Nothing(columns));
        }
        let columns = rewrite::to_plan(&mut statement)?;
        let context = context()?;
        functions::register(&context, &self.names);
        system::register(&context, &self.names, &statement).map_err(|error| failed(&error))?;
        let plan = context.state().statement_to_plan(DfStatement::Statement(Box::new(statement))).await;
        let plan = plan.map_err(|error| failed(&error))?;
        Ok(Planned::Rows { context, plan, columns })
    }
}

/// Lets joins give way after some batches: a product of small tables is large, and a loop that never gives
/// way cannot be ended.
fn interruptible(plan: Arc<dyn ExecutionPlan>) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
    let changed = plan.transform_up(|node| {
        Ok(if node.children().len() > 1 {
            Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>)
        } else {
            Transformed::no(node)
        })
    })?;
    Ok(changed.data)
}

fn context() -> Result<SessionContext, QueryError> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(MAX_MEMORY)))
        .build_arc()
        .map_err(|_| QueryError::internal())?;
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(1024)
        .with_create_default_catalog_and_schema(true)
        .with_default_catalog_and_schema("cogov", "pg_catalog")
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
        .set_bool("datafusion.sql_parser.enable_ident_normalization", true);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_optimizer_rules(crate::sound_rules())
        .with_physical_optimizer_rules(crate::sound_optimiser());
    Ok(SessionContext::new_with_state(state.build()))
}

/// Parses one query of at most so many operators. Chains of them nest without parentheses: they are counted among
/// the tokens, before anything is built that is walked and dropped recursively.
fn parse(sql: &str, most: usize) -> Result<Statement, QueryError> {
    let syntax = || {
        QueryError::new(
            ErrorKind::Syntax,
            "the catalogue does not understand this statement",
            "目录无法理解该语句",
        )
    };
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|_| syntax())?;
    if tokens.iter().filter(|token| nests(&token.token)).count() > most {
        return Err(too_complex(most));
    }
    let mut statements = Parser::new(&dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|_| syntax())?
        .into_iter();
    match (statements.next(), statements.next()) {
        (Some(query @ Statement::Query(_)), None) => Ok(query),
        _ => Err(syntax()),
    }
}

fn too_complex(most: usize) -> QueryError {
    QueryError::new(
        ErrorKind::TooComplex,
        format!("the catalogue statement has more than {most} operators; make it simpler"),
        format!("目录语句中的运算符超过 {most} 个；请简化"),
    )
}

fn unsupported() -> QueryError {
    QueryError::new(
        ErrorKind::NotSupported,
        "the catalogue of a grant cannot answer this; ask information_schema.columns for its tables and columns",
        "授权的目录无法回答该语句；请查询 information_schema.columns 了解其中的表和列",
    )
}

fn too_much() -> QueryError {
    QueryError::new(
        ErrorKind::Timeout,
        "the catalogue statement ran too long; ask for less at once",
        "目录语句运行时间过长；请缩小一次查询的范围",
    )
}

/// Errors here can quote nothing but names of the catalogue, still DataFusion's words stay inside.
fn failed(error: &datafusion::error::DataFusionError) -> QueryError {
    tracing::debug!(%error, "a catalogue statement was not answered");
    match error.find_root() {
        datafusion::error::DataFusionError::ResourcesExhausted(_) => QueryError::new(
            ErrorKind::OutOfMemory,
            "the catalogue statement needs too much memory; ask for less at once",
            "目录语句占用内存过多；请缩小一次查询的范围",
        ),
        datafusion::error::DataFusionError::Plan(words) if words.contains("not found") => QueryError::new(
            ErrorKind::NoTable,
            "the catalogue has no such table; catalogue and data cannot be asked in one statement",
            "目录中没有这张表；目录与数据不能在同一语句中查询",
        ),
        _ => unsupported(),
    }
}

#[cfg(test)]
mod tests;
