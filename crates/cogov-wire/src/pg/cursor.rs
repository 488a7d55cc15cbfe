//! Cursors: `DECLARE`, `FETCH`, `CLOSE`. How drivers read long results in portions over one connection.

use super::session::Session;
use super::split::{Token, after, tokens};
use super::standing::Standing;
use super::statement::{Rows, Statement, answered};
use super::{encode, fault};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use cogov_app::ReleasedRows;
use cogov_engine::Param;
use cogov_model::Text;
use futures::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldInfo, QueryResponse};
use pgwire::error::PgWireResult;
use pgwire::messages::data::DataRow;
use pgwire::messages::response::TransactionStatus;
use std::{collections::HashMap, sync::Arc};

/// The most cursors of one connection.
const MOST: usize = 64;

/// `DECLARE name CURSOR FOR query`.
#[derive(Clone)]
pub(super) struct Declare {
    name: String,
    /// Whether it outlives its transaction.
    hold: bool,
    /// The query.
    pub query: Box<Statement>,
}

/// `FETCH n FROM name`.
#[derive(Clone)]
pub(super) struct Fetch {
    cursor: Arc<Cursor>,
    /// At most so many rows; all when absent.
    most: Option<usize>,
}

/// An open cursor.
pub(super) struct Cursor {
    hold: bool,
    schema: SchemaRef,
    /// What every portion of its rows rests on.
    standing: Arc<Standing>,
    rows: Arc<tokio::sync::Mutex<Taking>>,
}

#[derive(Default)]
struct Taking {
    source: Option<ReleasedRows>,
    /// Rows that came in a batch and were not yet asked for.
    left: Option<RecordBatch>,
}

/// The cursors of one connection.
#[derive(Default)]
pub(super) struct Cursors(Mutex<HashMap<String, Arc<Cursor>>>);

impl Cursors {
    /// A cursor by name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Cursor>> {
        self.0.lock().get(name).cloned()
    }

    /// Closes one cursor; all for `None`.
    pub(super) fn close(&self, name: Option<&str>) -> PgWireResult<()> {
        let mut open = self.0.lock();
        match name {
            None => open.clear(),
            Some(name) => drop(open.remove(name).ok_or_else(|| missing(name))?),
        }
        Ok(())
    }

    /// Closes a cursor whose rows may not go on, for fetches that were prepared too: its query is let go.
    async fn end(&self, cursor: &Arc<Cursor>) {
        self.0.lock().retain(|_, open| !Arc::ptr_eq(open, cursor));
        *cursor.rows.lock().await = Taking::default();
    }

    /// Closes what ends with its transaction.
    pub(super) fn end_transaction(&self) {
        self.0.lock().retain(|_, cursor| cursor.hold);
    }
}

fn missing(name: &str) -> pgwire::error::PgWireError {
    fault::error("34000", format!("cursor {name:?} does not exist"))
}

/// Reads a statement about cursors; `None` when it is about something else.
pub(super) async fn read(
    session: &Session,
    sql: &str,
    status: TransactionStatus,
) -> Option<PgWireResult<Statement>> {
    let begin = tokens(sql, 32);
    let (first, rest) = begin.split_first()?;
    if first.is("fetch") {
        return Some(fetch(session, rest).map(Statement::Fetch));
    }
    if !first.is("declare") {
        return None;
    }
    let name = rest.first()?.text();
    let query = after(sql, "for")?;
    // One within the other would be read one within the other: as deep as the text is long.
    if tokens(query, 1).first().is_some_and(|word| word.is("declare")) {
        let words = Text::new(
            "a cursor is declared for a SELECT, not for another DECLARE: declare each in a statement of its own",
            "游标只能为 SELECT 声明，不能为另一个 DECLARE 声明：请用各自的语句分别声明",
        );
        return Some(Err(fault::told("42601", &words, session.locale())));
    }
    let hold = rest.windows(2).any(|pair| matches!(pair, [with, hold] if with.is("with") && hold.is("hold")));
    if status == TransactionStatus::Idle && !hold {
        return Some(Err(fault::error("25P01", "DECLARE CURSOR can only be used in transaction blocks")));
    }
    let query = Box::pin(Statement::read(session, query, status)).await;
    Some(query.map(|query| Statement::Declare(Declare { name, hold, query: Box::new(query) })))
}

/// `FETCH [NEXT | FORWARD] [n | ALL] [FROM | IN] name`: cursors only go forward.
fn fetch(session: &Session, rest: &[Token]) -> PgWireResult<Fetch> {
    let (name, how) =
        rest.split_last().ok_or_else(|| fault::error("42601", "FETCH needs the name of a cursor"))?;
    let mut most = Some(1);
    for token in how {
        match token {
            token if ["from", "in", "next", "forward"].iter().any(|word| token.is(word)) => {}
            token if token.is("all") => most = None,
            Token::Word(number) if number.chars().all(|c| c.is_ascii_digit()) => {
                most = Some(number.parse().map_err(|_| fault::error("22003", "that is too many rows"))?);
            }
            _ => return Err(fault::error("55000", "cursor can only scan forward")),
        }
    }
    let name = name.text();
    let cursor = session.cursors().get(&name).ok_or_else(|| missing(&name))?;
    Ok(Fetch { cursor, most })
}

impl Declare {
    /// Decides the query and keeps its rows for later.
    pub(super) async fn run(
        &self,
        session: &Session,
        given: Vec<Param>,
    ) -> PgWireResult<Vec<(&'static str, String)>> {
        let standing = self.query.standing(session).await?;
        let (schema, source, left, facts) = match &*self.query {
            Statement::Data(query) => {
                let (answer, facts) = answered(session, (**query).clone(), &given).await?;
                (answer.rows.schema(), Some(answer.rows), None, facts)
            }
            Statement::Catalogue(query) => {
                let given: Vec<Option<String>> = given.into_iter().map(super::params::as_text).collect();
                let batch =
                    query.run(&given).await.map_err(|error| fault::catalogue(&error, session.locale()))?;
                (batch.schema(), None, Some(batch), Vec::new())
            }
            _ => return Err(fault::error("42601", "a cursor is declared for a SELECT")),
        };
        let rows = Arc::new(tokio::sync::Mutex::new(Taking { source, left }));
        let cursor = Arc::new(Cursor { hold: self.hold, schema, standing, rows });
        let mut open = session.cursors().0.lock();
        if open.contains_key(&self.name) {
            return Err(fault::error("42P03", format!("cursor {:?} already exists", self.name)));
        }
        if open.len() >= MOST {
            return Err(fault::error("53400", "too many open cursors: close some first"));
        }
        open.insert(self.name.clone(), cursor);
        Ok(facts)
    }
}

impl Fetch {
    /// The columns of its rows.
    pub(super) fn fields(&self, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
        self.cursor.fields(format)
    }

    /// What its rows rest on: the same as when the cursor was opened.
    pub(super) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.cursor.standing)
    }

    /// Its rows.
    ///
    /// # Errors
    /// When what the cursor was opened under does not hold any more; the cursor is closed then.
    pub(super) async fn rows(&self, session: &Session, format: &Format) -> PgWireResult<Rows> {
        if let Err(error) = self.cursor.standing.check(session).await {
            session.cursors().end(&self.cursor).await;
            return Err(error);
        }
        let fields = Arc::new(self.fields(format)?);
        let batches = batches(self.cursor.rows.clone(), self.most, session.locale());
        let rows = encoded(batches, fields.clone());
        let mut response = QueryResponse::new(fields, rows);
        response.set_command_tag("FETCH");
        Ok(Rows { response, facts: Vec::new() })
    }
}

impl Cursor {
    /// The columns of its rows.
    pub(super) fn fields(&self, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
        encode::fields(&self.schema, format)
    }
}

/// The next rows of a cursor, as batches that hold at most `most` rows together.
fn batches(
    rows: Arc<tokio::sync::Mutex<Taking>>,
    most: Option<usize>,
    locale: cogov_model::Locale,
) -> impl Stream<Item = PgWireResult<RecordBatch>> + Send {
    stream::try_unfold((rows, most), move |(rows, most)| async move {
        if most == Some(0) {
            return Ok(None);
        }
        let mut taking = rows.clone().lock_owned().await;
        let batch = match taking.left.take() {
            Some(batch) => batch,
            None => match taking.source.as_mut() {
                Some(source) => match source.next().await {
                    Some(Ok(batch)) => batch,
                    Some(Err(error)) => return Err(fault::statement(&error, locale)),
                    None => return Ok(None),
                },
                None => return Ok(None),
            },
        };
        let taken = most.unwrap_or(usize::MAX).min(batch.num_rows());
        if taken < batch.num_rows() {
            taking.left = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        let rest = most.map(|most| most - taken);
        Ok(Some((batch.slice(0, taken), (rows, rest))))
    })
}

fn encoded(
    batches: impl Stream<Item = PgWireResult<RecordBatch>> + Send,
    fields: Arc<Vec<FieldInfo>>,
) -> impl Stream<Item = PgWireResult<DataRow>> + Send {
    batches.flat_map(move |batch| match batch {
        Ok(batch) => encode::batch(batch, fields.clone()).left_stream(),
        Err(error) => stream::iter([Err(error)]).right_stream(),
    })
}
