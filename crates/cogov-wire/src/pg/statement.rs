//! Where a statement goes: to the connection itself, to the catalogue, or the one way of a query.

use super::cursor::{self, Declare, Fetch};
use super::local::{self, Local};
use super::session::Session;
use super::simple::NOTICE;
use super::standing::Standing;
use super::{encode, fault, params, split};
use cogov_app::{Answer, Door, PreparedQuery};
use cogov_engine::Param;
use cogov_engine::catalogue::{self, CatalogueQuery};
use cogov_model::{Locale, Text};
use futures::StreamExt;
use pgwire::api::Type;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::results::{FieldInfo, QueryResponse};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::response::TransactionStatus;
use std::{sync::Arc, time::Instant};

/// The longest statement, in bytes: what the engine takes, asked before anything else looks into the text.
const LONGEST: usize = 256 << 10;

/// A statement that was understood.
#[derive(Clone)]
pub(super) enum Statement {
    /// About the connection.
    Local(Local),
    /// About names and types.
    Catalogue(Box<CatalogueQuery>),
    /// About data: planned, not yet decided.
    Data(Box<PreparedQuery>),
    /// A cursor is to be opened.
    Declare(Declare),
    /// Rows of an open cursor.
    Fetch(Fetch),
}

/// Rows on their way, with what the client is told before them.
pub(super) struct Rows {
    /// Columns and rows.
    pub response: QueryResponse,
    /// Facts about the answer, told as parameter status.
    pub facts: Vec<(&'static str, String)>,
}

impl Statement {
    /// Understands the text of one statement.
    ///
    /// # Errors
    /// 54001 when the text is too long; 25P02 in a failed transaction; whatever the app or the catalogue says.
    pub(super) async fn read(session: &Session, sql: &str, status: TransactionStatus) -> PgWireResult<Self> {
        short_enough(sql, session.locale())?;
        let local = local::read(sql).transpose()?;
        if status == TransactionStatus::Error && !local.as_ref().is_some_and(Local::ends_failure) {
            return Err(fault::error(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        if let Some(local) = local {
            return Ok(Statement::Local(local));
        }
        if let Some(statement) = cursor::read(session, sql, status).await {
            return statement;
        }
        if catalogue::concerns(sql) {
            let known = session.catalogue().await?;
            let query =
                known.prepare(sql).await.map_err(|error| fault::catalogue(&error, session.locale()))?;
            return Ok(Statement::Catalogue(Box::new(query)));
        }
        let prepared = session.app().prepare(&session.asking(), sql, Door::Pg).await;
        match prepared {
            Ok(query) => Ok(Statement::Data(Box::new(query))),
            Err(error) => {
                crate::metrics::query(Door::Pg, error.code(), None);
                Err(session.failed(&error))
            }
        }
    }

    /// The only statement of a text, for the extended protocol.
    pub(super) fn only(sql: &str) -> PgWireResult<Option<&str>> {
        let statements = split::statements(sql);
        if statements.len() > 1 {
            return Err(fault::error("42601", "cannot insert multiple commands into a prepared statement"));
        }
        Ok(statements.first().copied())
    }

    /// The types of its parameters.
    pub(super) fn parameters(&self) -> Vec<Type> {
        match self {
            Statement::Local(_) | Statement::Fetch(_) => Vec::new(),
            Statement::Declare(declare) => declare.query.parameters(),
            Statement::Catalogue(query) => vec![Type::TEXT; query.parameters()],
            Statement::Data(query) => {
                query.plan().parameter_types().iter().map(|known| encode::parameter(known.as_ref())).collect()
            }
        }
    }

    /// The columns of its result; none when it gives no rows.
    pub(super) fn fields(&self, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
        match self {
            Statement::Local(local) => local.fields(format),
            Statement::Declare(_) => Ok(Vec::new()),
            Statement::Fetch(fetch) => fetch.fields(format),
            Statement::Catalogue(query) => encode::fields(&query.schema(), format),
            Statement::Data(query) => encode::fields(&query.plan().schema(), format),
        }
    }

    /// What its rows rest on while they come in portions.
    ///
    /// # Errors
    /// When the grant may not be used now.
    pub(super) async fn standing(&self, session: &Session) -> PgWireResult<Arc<Standing>> {
        match self {
            Statement::Data(_) => Standing::of_data(session).await.map(Arc::new),
            Statement::Fetch(fetch) => Ok(fetch.standing()),
            Statement::Catalogue(_) | Statement::Local(_) | Statement::Declare(_) => {
                Ok(Arc::new(Standing::of_names()))
            }
        }
    }

    /// The rows of a statement without parameters, in text form.
    pub(super) async fn rows(&self, session: &Session) -> PgWireResult<Rows> {
        if !self.parameters().is_empty() {
            return Err(fault::error(
                "42P02",
                "there is no parameter $1: send the statement as a prepared one",
            ));
        }
        match self {
            Statement::Data(query) => released(session, (**query).clone(), &[], &Format::UnifiedText).await,
            Statement::Catalogue(query) => listed(session, query, &[], &Format::UnifiedText).await,
            Statement::Fetch(fetch) => fetch.rows(session, &Format::UnifiedText).await,
            Statement::Local(_) | Statement::Declare(_) => Err(no_rows()),
        }
    }

    /// The rows of a bound statement.
    pub(super) async fn bound_rows(session: &Session, portal: &Portal<Statement>) -> PgWireResult<Rows> {
        let statement = &portal.statement.statement;
        let given = params::read(portal, &statement.parameters())?;
        let format = &portal.result_column_format;
        match statement {
            Statement::Data(query) => released(session, (**query).clone(), &given, format).await,
            Statement::Fetch(fetch) => fetch.rows(session, format).await,
            Statement::Catalogue(query) => {
                let texts: Vec<Option<String>> = given.into_iter().map(params::as_text).collect();
                listed(session, query, &texts, format).await
            }
            Statement::Local(_) | Statement::Declare(_) => Err(no_rows()),
        }
    }
}

fn short_enough(sql: &str, locale: Locale) -> PgWireResult<()> {
    if sql.len() <= LONGEST {
        return Ok(());
    }
    let words = Text::new(
        format!("the statement is longer than {LONGEST} bytes; make it simpler"),
        format!("语句超过 {LONGEST} 字节；请简化"),
    );
    Err(fault::told("54001", &words, locale))
}

fn no_rows() -> PgWireError {
    fault::error("XX000", "this statement gives no rows")
}

/// Decides and runs a query: the rows flow only after the decision is on the ledger. Gives the answer, and
/// what the client is told of it.
pub(super) async fn answered(
    session: &Session,
    query: PreparedQuery,
    given: &[Param],
) -> PgWireResult<(Answer, Vec<(&'static str, String)>)> {
    let query = match given {
        [] => query,
        given => session.app().bind(&query, given).await.map_err(|error| session.failed(&error))?,
    };
    let answer = session.app().run(query).await.map_err(|error| {
        crate::metrics::query(Door::Pg, error.code(), None);
        session.failed(&error)
    })?;
    let mut facts =
        vec![("cogov.decision", answer.decision.to_string()), ("cogov.grade", answer.grade.to_string())];
    if let Some(noise) = &answer.noise {
        facts.push((NOTICE, noise.words().get(session.locale()).to_owned()));
    }
    if let Some(words) = &answer.may_miss {
        facts.push((NOTICE, words.get(session.locale()).to_owned()));
    }
    Ok((answer, facts))
}

async fn released(
    session: &Session,
    query: PreparedQuery,
    given: &[Param],
    format: &Format,
) -> PgWireResult<Rows> {
    let started = Instant::now();
    let (answer, facts) = answered(session, query, given).await?;
    let fields = Arc::new(encode::fields(&answer.rows.schema(), format)?);
    let rows = encode::released(answer.rows, fields.clone(), session.locale());
    let timed = rows.chain(futures::stream::poll_fn(move |_| {
        crate::metrics::query(Door::Pg, "permit", Some(started.elapsed()));
        std::task::Poll::Ready(None)
    }));
    Ok(Rows { response: QueryResponse::new(fields, timed), facts })
}

async fn listed(
    session: &Session,
    query: &CatalogueQuery,
    given: &[Option<String>],
    format: &Format,
) -> PgWireResult<Rows> {
    let batch = query.run(given).await.map_err(|error| fault::catalogue(&error, session.locale()))?;
    let fields = Arc::new(encode::fields(&batch.schema(), format)?);
    let rows = encode::batch(batch, fields.clone());
    Ok(Rows { response: QueryResponse::new(fields, rows), facts: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_as_long_as_the_engine_takes_it() {
        assert_eq!(LONGEST, cogov_engine::EngineConfig::new("").max_sql_bytes);
        assert!(short_enough(&"x".repeat(LONGEST), Locale::En).is_ok());
        assert!(short_enough(&"x".repeat(LONGEST + 1), Locale::ZhHans).is_err());
    }
}
