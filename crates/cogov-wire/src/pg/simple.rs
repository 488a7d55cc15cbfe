//! The simple protocol: a text of statements, answered one after the other.

use super::interrupt::Interrupt;
use super::local::{Local, Reply};
use super::session::Session;
use super::statement::Statement;
use super::{Limits, fault, split};
use async_trait::async_trait;
use futures::{Sink, SinkExt, StreamExt};
use pgwire::api::portal::Format;
use pgwire::api::query::{SimpleQueryHandler, send_ready_for_query};
use pgwire::api::results::{DataRowEncoder, FieldInfo, QueryResponse, Response, Tag};
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, PgWireConnectionState};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::RowDescription;
use pgwire::messages::response::EmptyQueryResponse;
use pgwire::messages::simplequery::Query;
use pgwire::messages::startup::ParameterStatus;
use std::{fmt::Debug, sync::Arc, time::Duration};

/// The handler of simple queries.
pub(super) struct Simple {
    limits: Limits,
}

impl Simple {
    pub(super) const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    async fn answer<C>(&self, client: &mut C, session: &Session, sql: &str) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = Statement::read(session, sql, client.transaction_status()).await?;
        let mut rows = match &statement {
            Statement::Local(local) => return reply(client, session, local, true).await,
            Statement::Declare(declare) => {
                if !statement.parameters().is_empty() {
                    return Err(fault::error(
                        "42P02",
                        "there is no parameter $1: send the statement as a prepared one",
                    ));
                }
                tell(client, declare.run(session, Vec::new()).await?).await?;
                return complete(client, Tag::new("DECLARE CURSOR")).await;
            }
            _ => statement.rows(session).await?,
        };
        tell(client, std::mem::take(&mut rows.facts)).await?;
        describe(client, &rows.response.row_schema()).await?;
        let (sent, _) = send_rows(client, &mut rows.response, 0, self.limits.stall).await?;
        complete(client, Tag::new(rows.response.command_tag()).with_rows(sent)).await
    }
}

#[async_trait]
impl SimpleQueryHandler for Simple {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let session = Session::of(client)?;
        let statements = split::statements(&query.query);
        if statements.is_empty() {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for sql in statements {
            let interrupt = Interrupt::arm(client).await;
            interrupt.or(self.answer(client, &session, sql)).await?;
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        let status = client.transaction_status();
        send_ready_for_query(client, status).await
    }

    /// Every text goes through `on_query`; this is for callers that bypass it, of which there are none.
    async fn do_query<C>(&self, _: &mut C, _: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        Err(PgWireError::NotReadyForQuery)
    }
}

/// Answers a statement about the connection.
pub(super) async fn reply<C>(
    client: &mut C,
    session: &Session,
    local: &Local,
    describes: bool,
) -> PgWireResult<()>
where
    C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::PortalStore: PortalStore,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    match local.run(client, session)? {
        Reply::Done(tag) => {
            if matches!(local, Local::Commit | Local::Rollback) {
                client.portal_store().clear_portals();
            }
            complete(client, tag).await
        }
        Reply::Forget(name, tag) => {
            match name {
                Some(name) => client.portal_store().rm_statement(&name),
                None => client.portal_store().clear_portals(),
            }
            complete(client, tag).await
        }
        Reply::Text(text) => {
            let fields = Arc::new(local.fields(&Format::UnifiedText)?);
            if describes {
                describe(client, &fields).await?;
            }
            let mut row = DataRowEncoder::new(fields);
            row.encode_field(&text)?;
            client.feed(PgWireBackendMessage::DataRow(row.take_row())).await?;
            complete(client, Tag::new("SHOW")).await
        }
    }
}

/// The name of a fact that is told as a notice, which clients show to people.
pub(super) const NOTICE: &str = "notice";

/// Tells what is known about an answer before its rows.
pub(super) async fn tell<C>(client: &mut C, facts: Vec<(&'static str, String)>) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    for (name, value) in facts {
        if name == NOTICE {
            let notice = ErrorInfo::new("NOTICE".to_owned(), "00000".to_owned(), value);
            client.feed(PgWireBackendMessage::NoticeResponse(notice.into())).await?;
            continue;
        }
        let status = ParameterStatus::new(name.to_owned(), value);
        client.feed(PgWireBackendMessage::ParameterStatus(status)).await?;
    }
    Ok(())
}

async fn describe<C>(client: &mut C, fields: &[FieldInfo]) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let description = RowDescription::new(fields.iter().map(Into::into).collect());
    Ok(client.feed(PgWireBackendMessage::RowDescription(description)).await?)
}

pub(super) async fn complete<C>(client: &mut C, tag: Tag) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    Ok(client.feed(PgWireBackendMessage::CommandComplete(tag.into())).await?)
}

/// Sends rows at the client's pace, `most` of them or all for 0. Says how many were sent, and whether the
/// rows ended.
pub(super) async fn send_rows<C>(
    client: &mut C,
    response: &mut QueryResponse,
    most: usize,
    stall: Duration,
) -> PgWireResult<(usize, bool)>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let mut sent = 0;
    while most == 0 || sent < most {
        let Some(row) = response.data_rows().next().await else { return Ok((sent, true)) };
        let taken = tokio::time::timeout(stall, client.feed(PgWireBackendMessage::DataRow(row?))).await;
        taken.map_err(|_| {
            PgWireError::UserError(Box::new(fault::fatal("57014", "the client took no rows for too long")))
        })??;
        sent += 1;
    }
    Ok((sent, false))
}
