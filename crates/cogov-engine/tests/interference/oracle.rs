//! The same statements over tables prepared beforehand: filtered, masked, without what is withheld. Run by plain
//! DataFusion, with masks and scopes of this test's own. What an error ends here is not compared: which rows meet an
//! expression that raises is a matter of the plan, and the engine's plans have leaves of their own.

use super::cell::{Cell, Shown, array, image, image_kind};
use super::common::texts;
use super::grant::{Grant, Table};
use super::observe::unsigned;
use super::statement::Order;
use super::worlds::Contents;
use arrow::array::RecordBatch;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::config::ConfigOptions;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::AnalyzerRule;
use datafusion::prelude::{SessionConfig, SessionContext};
use std::sync::Arc;

/// Settings under which plain DataFusion is asked: the first always, the others when the engine disagrees with it.
///
/// DataFusion 55 has faults of its own: it takes for constant what is none above unions and outer joins, which its
/// optimiser is kept from here too, and some plans of RIGHT and FULL JOIN give other rows than others of the same
/// statement. Where it disagrees with itself, it decides nothing.
const WAYS: [&[(&str, &str)]; 5] = [
    &[("datafusion.execution.target_partitions", "1")],
    &[("datafusion.execution.target_partitions", "2"), ("datafusion.execution.batch_size", "3")],
    &[("datafusion.execution.target_partitions", "2"), ("datafusion.optimizer.prefer_hash_join", "false")],
    &[("datafusion.execution.target_partitions", "1"), ("datafusion.optimizer.max_passes", "0")],
    &[("datafusion.execution.target_partitions", "1"), ("datafusion.optimizer.join_reordering", "false")],
];

/// The other ways.
pub const OTHERS: std::ops::Range<usize> = 1..WAYS.len();

/// Plain DataFusion over prepared tables.
pub fn oracle(grant: &Grant, contents: &Contents, way: usize) -> SessionContext {
    // As PostgreSQL: nulls sort as the greatest.
    let mut config = SessionConfig::new()
        .set_str("datafusion.sql_parser.dialect", "postgresql")
        .set_str("datafusion.sql_parser.default_null_ordering", "nulls_max");
    for (name, value) in WAYS[way] {
        config = config.set_str(name, value);
    }
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_optimizer_rules(cogov_engine::sound_rules())
        .with_analyzer_rule(Arc::new(Agreed))
        .with_physical_optimizer_rules(cogov_engine::sound_optimiser())
        .build();
    let context = SessionContext::new_with_state(state);
    let catalog = context.catalog("datafusion").unwrap();
    for (table, rows) in grant.tables.iter().zip(&contents.tables) {
        let (schema, name) = table.name.split_once('.').unwrap();
        if catalog.schema(schema).is_none() {
            catalog.register_schema(schema, Arc::new(MemorySchemaProvider::new())).unwrap();
        }
        let batch = prepared(table, rows, contents);
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        catalog.schema(schema).unwrap().register_table(name.to_owned(), Arc::new(table)).unwrap();
    }
    context
}

/// Plain DataFusion takes -0.0 and 0.0 for two values here and for one there, and means of great whole numbers depend on
/// the order of rows there: PostgreSQL judges of both.
#[derive(Debug)]
struct Agreed;

impl AnalyzerRule for Agreed {
    fn name(&self) -> &str {
        "agreed"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> datafusion::common::Result<LogicalPlan> {
        cogov_engine::means_are_exact(plan).and_then(cogov_engine::zero_without_sign)
    }
}

/// A table as the grant shows it: rows in scope, masked, without what is withheld.
pub fn prepared(table: &Table, rows: &[Vec<Cell>], contents: &Contents) -> RecordBatch {
    let granted: Vec<&Vec<Cell>> = rows.iter().filter(|row| table.grants(row, &contents.links)).collect();
    let shown = table.fields.iter().enumerate().filter(|(_, field)| field.shown != Shown::Withheld);
    let columns = shown.map(|(at, field)| {
        let cells: Vec<Cell> = granted.iter().map(|row| image(&row[at], field.shown)).collect();
        (field.name, array(image_kind(field.kind, field.shown), &cells, true), true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Whether plain DataFusion rounds otherwise than PostgreSQL does, and we, forgets that NOT IN may be unknown, or does not count
/// rows of EXCEPT ALL: what it gives is no measure then, and PostgreSQL alone is the judge.
pub fn differs(sql: &str) -> bool {
    let rounds = [" as int8)", " as int4)", "round("].iter().any(|word| sql.contains(word));
    let denied = sql.contains("not in (select") || (sql.contains(" in (select") && sql.contains("not ("));
    // Ranks have no sign there, which changes what is computed with them.
    let ranked = sql.contains("rank() over") || sql.contains("row_number() over");
    let computed = [" / ", " % ", " - ", " * "].iter().any(|sign| sql.contains(sign));
    let counted = sql.contains("except all") || sql.contains("intersect all");
    rounds || denied || (ranked && computed) || counted
}

/// The rows of a statement; none when it ends in an error.
pub async fn rows(context: &SessionContext, sql: &str, order: Order) -> Option<Vec<String>> {
    let frame = context.sql(sql).await.ok()?;
    let batches = frame.collect().await.ok()?;
    Some(plain(batches.iter().flat_map(texts), order))
}

/// Rows to be compared: which of two zeros stands for both, and which comes first, is left open.
pub fn plain(rows: impl IntoIterator<Item = String>, order: Order) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| unsigned(&row)).collect();
    if order == Order::Free {
        rows.sort();
    }
    rows
}
