//! The extended protocol: prepared statements, parameters, portals with row limits.

use super::interrupt::Interrupt;
use super::session::Session;
use super::simple::{complete, reply, send_rows, tell};
use super::statement::Statement;
use super::{Limits, fault, params};
use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::portal::{Format, Portal, PortalExecutionState};
use pgwire::api::query::{ExtendedQueryHandler, send_describe_response, send_ready_for_query};
use pgwire::api::results::{DescribePortalResponse, FieldInfo, Response, Tag};
use pgwire::api::stmt::{QueryParser, StoredStatement};
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Describe, Execute, PortalSuspended, Sync as PgSync, TARGET_TYPE_BYTE_PORTAL,
};
use pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};
use std::{fmt::Debug, sync::Arc};

/// The handler of the extended protocol.
pub(super) struct Extended {
    limits: Limits,
    parser: Arc<Parser>,
}

impl Extended {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, parser: Arc::new(Parser) }
    }

    async fn execute<C>(&self, client: &mut C, portal: &Portal<Statement>, most: usize) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        if let Statement::Local(local) = &portal.statement.statement {
            return reply(client, &session, local, false).await;
        }
        if let Statement::Declare(declare) = &portal.statement.statement {
            let given = params::read(portal, &declare.query.parameters())?;
            tell(client, declare.run(&session, given).await?).await?;
            return complete(client, Tag::new("DECLARE CURSOR")).await;
        }
        let known = portal.state();
        let mut state = known.lock().await;
        if matches!(*state, PortalExecutionState::Suspended(_)) {
            session.resumable().check(&known, &session).await?;
        }
        if matches!(*state, PortalExecutionState::Initial) {
            // Only what was asked for in portions may come to be resumed.
            if most > 0 {
                let standing = portal.statement.statement.standing(&session).await?;
                session.resumable().keep(&known, standing);
            }
            let rows = Statement::bound_rows(&session, portal).await?;
            tell(client, rows.facts).await?;
            *state = PortalExecutionState::Suspended(rows.response);
        }
        let PortalExecutionState::Suspended(response) = &mut *state else {
            return complete(client, Tag::new("SELECT").with_rows(0)).await;
        };
        let tag = Tag::new(response.command_tag());
        let sent = send_rows(client, response, most, self.limits.stall).await;
        if !matches!(sent, Ok((_, false))) {
            // Ended or failed: the query behind it is let go at once.
            *state = PortalExecutionState::Finished;
        }
        match sent? {
            (rows, true) => complete(client, tag.with_rows(rows)).await,
            (_, false) => {
                Ok(client.feed(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?)
            }
        }
    }
}

#[async_trait]
impl ExtendedQueryHandler for Extended {
    type Statement = Statement;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Parser> {
        self.parser.clone()
    }

    /// As PostgreSQL, refuses a bind whose numbers of parameters or formats do not fit.
    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        let name = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
        match client.portal_store().get_statement(statement) {
            Some(Entry::Value(statement)) => {
                fits(&message, &statement)?;
                client.portal_store().put_portal(Arc::new(Portal::try_new(&message, statement)?));
            }
            Some(Entry::Empty) if message.parameters.is_empty() => {
                client.portal_store().put_empty_portal(name)
            }
            Some(Entry::Empty) => return Err(wrong_number(message.parameters.len(), 0)),
            None => return Err(PgWireError::StatementNotFound(statement.to_owned())),
        }
        Ok(client.send(PgWireBackendMessage::BindComplete(BindComplete::new())).await?)
    }

    /// Streams rows as they come, where the default would hold a whole result in memory.
    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal)) => portal,
            Some(Entry::Empty) => {
                return Ok(client
                    .feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new()))
                    .await?);
            }
            None => return Err(PgWireError::PortalNotFound(name.to_owned())),
        };
        client.set_state(PgWireConnectionState::QueryInProgress);
        // A negative limit means none, as in PostgreSQL.
        let most = usize::try_from(message.max_rows).unwrap_or(0);
        let interrupt = Interrupt::arm(client).await;
        if let Err(error) = interrupt.or(self.execute(client, &portal, most)).await {
            // Interrupted rows are not fetched any further: the query behind them is let go.
            *portal.state().lock().await = PortalExecutionState::Finished;
            return Err(error);
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    /// A cursor is a portal too, as its name in a describe says.
    async fn on_describe<C>(&self, client: &mut C, message: Describe) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let Some(name) = message.name.as_deref()
            && message.target_type == TARGET_TYPE_BYTE_PORTAL
            && client.portal_store().get_portal(name).is_none()
            && let Some(cursor) = Session::of(client)?.cursors().get(name)
        {
            let fields = cursor.fields(&Format::UnifiedText)?;
            return send_describe_response(client, &DescribePortalResponse::new(fields)).await;
        }
        self._on_describe(client, message).await
    }

    /// Portals live as long as their transaction; outside of one, until the next sync.
    async fn on_sync<C>(&self, client: &mut C, _: PgSync) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let status = client.transaction_status();
        match status {
            TransactionStatus::Idle => client.portal_store().clear_portals(),
            _ => client.portal_store().rm_portal(DEFAULT_NAME),
        }
        send_ready_for_query(client, status).await
    }

    /// Every execution goes through `on_execute`; this is for callers that bypass it, of which there are none.
    async fn do_query<C>(&self, _: &mut C, _: &Portal<Statement>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        Err(PgWireError::NotReadyForQuery)
    }
}

fn fits(message: &Bind, statement: &StoredStatement<Statement>) -> PgWireResult<()> {
    let given = message.parameters.len();
    let wanted = statement.statement.parameters().len();
    if given != wanted {
        return Err(wrong_number(given, wanted));
    }
    let columns = statement.statement.fields(&Format::UnifiedText)?.len();
    let formats = |codes: &[i16], number: usize| codes.len() <= 1 || codes.len() == number;
    if formats(&message.parameter_format_codes, given)
        && formats(&message.result_column_format_codes, columns)
    {
        return Ok(());
    }
    Err(fault::error(
        "08P01",
        "bind message has another number of formats than the statement has parameters or columns",
    ))
}

fn wrong_number(given: usize, wanted: usize) -> PgWireError {
    fault::error(
        "08P01",
        format!("bind message supplies {given} parameters, but prepared statement requires {wanted}"),
    )
}

/// Texts → statements, planned when they are parsed.
pub(super) struct Parser;

#[async_trait]
impl QueryParser for Parser {
    type Statement = Statement;

    async fn parse_sql<C>(&self, client: &C, sql: &str, _: &[Option<Type>]) -> PgWireResult<Option<Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let Some(sql) = Statement::only(sql)? else { return Ok(None) };
        let session = Session::of(client)?;
        let interrupt = Interrupt::arm(client).await;
        interrupt.or(Statement::read(&session, sql, client.transaction_status())).await.map(Some)
    }

    fn get_parameter_types(&self, statement: &Statement) -> PgWireResult<Vec<Type>> {
        Ok(statement.parameters())
    }

    fn get_result_schema(
        &self,
        statement: &Statement,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        statement.fields(format.unwrap_or(&Format::UnifiedText))
    }
}
