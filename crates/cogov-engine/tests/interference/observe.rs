//! Everything that an asker sees of a statement, as one text.
//!
//! Left out: rows that left before an error. How many did is a race between the threads of a query, in one world too.

use super::common::texts;
use super::statement::Order;
use super::worlds::World;
use cogov_engine::{ErrorKind, Param, Prepared, QueryError};
use futures::StreamExt;
use std::fmt::Write;

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Rows,
    /// Answered, with no row.
    Empty,
    /// Not planned: refused, wrong, or not governed.
    Refused,
    /// Ended by an error while it ran.
    Failed,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    pub text: String,
    pub outcome: Outcome,
    /// In an order that may be compared.
    pub rows: Vec<String>,
    /// Whether protected statistics are in it.
    pub protected: bool,
    /// An error that never is right.
    pub fault: bool,
}

impl Seen {
    pub fn answered(&self) -> bool {
        matches!(self.outcome, Outcome::Rows | Outcome::Empty)
    }
}

/// Puts a statement to a world.
pub async fn observe(world: &World, sql: &str, order: Order) -> Seen {
    observe_bound(world, sql, &[], order).await
}

/// Puts a statement with parameters to a world.
pub async fn observe_bound(world: &World, sql: &str, params: &[Param], order: Order) -> Seen {
    let mut prepared = world.engine.prepare(&world.grant, sql).await;
    if let (Ok(open), false) = (&prepared, params.is_empty()) {
        prepared = open.bind(params).await;
    }
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return seen(error_text(&error), Outcome::Refused, Vec::new(), false, &Some(error)),
    };
    let mut text = described(&prepared);
    let protected = prepared.has_protected_statistics();
    match rows(&prepared, order).await {
        Ok(rows) => {
            let _ = writeln!(text, "{} rows\n{}", rows.len(), rows.join("\n"));
            let outcome = if rows.is_empty() { Outcome::Empty } else { Outcome::Rows };
            seen(text, outcome, rows, protected, &None)
        }
        Err(error) => {
            text.push_str(&error_text(&error));
            seen(text, Outcome::Failed, Vec::new(), protected, &Some(error))
        }
    }
}

fn seen(
    text: String,
    outcome: Outcome,
    rows: Vec<String>,
    protected: bool,
    error: &Option<QueryError>,
) -> Seen {
    let fault = error.as_ref().is_some_and(|e| e.kind() == ErrorKind::Internal);
    Seen { text, outcome, rows, protected, fault }
}

async fn rows(prepared: &Prepared, order: Order) -> Result<Vec<String>, QueryError> {
    let mut stream = prepared.execute()?;
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        rows.extend(texts(&batch?));
    }
    match order {
        Order::Free => rows.sort(),
        // Rows that tie differ in the sign of zeros at most.
        Order::Total => {
            rows.chunk_by_mut(|one, next| unsigned(one) == unsigned(next)).for_each(<[String]>::sort);
        }
        Order::Stored => (),
    }
    Ok(rows)
}

/// A row in which zero has no sign.
pub fn unsigned(row: &str) -> String {
    let field = |field| if field == "-0.0" { "0.0" } else { field };
    row.split('|').map(field).collect::<Vec<_>>().join("|")
}

fn error_text(error: &QueryError) -> String {
    let (reason, clauses) = (error.reason(), error.clauses());
    format!("{} {:?}: {} / {} {clauses:?} {error}\n", error.sqlstate(), error.kind(), reason.en, reason.zh)
}

/// The header: names, types, labels and their reasons, clauses, sources, shape.
fn described(prepared: &Prepared) -> String {
    let mut text = String::new();
    for field in prepared.schema().fields() {
        let _ = writeln!(text, "{} {} {}", field.name(), field.data_type(), field.is_nullable());
    }
    for column in prepared.columns() {
        let _ = writeln!(text, "{column:?}");
    }
    let _ = writeln!(
        text,
        "{:?} {:?} {:?} {:?} {:?} {} {}",
        prepared.label(),
        prepared.grade(),
        prepared.clauses(),
        prepared.sources(),
        prepared.parameter_types(),
        prepared.shape(),
        prepared.has_protected_statistics()
    );
    text
}
