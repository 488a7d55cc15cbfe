//! The calls of Flight SQL, each handed on to the application.

use super::caller::{Caller, handshake};
use super::rows::{self, Messages};
use super::statements::Statements;
use super::{names, params};
use crate::http::TrustedProxies;
use arrow::datatypes::Schema;
use arrow::ipc::writer::IpcWriteOptions;
use arrow::record_batch::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any, Command,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult, ProstMessageExt,
    SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightDescriptor,
    FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, SchemaAsIpc, Ticket,
};
use bytes::Bytes;
use cogov_app::{App, AppError, PreparedQuery};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use std::pin::Pin;
use std::sync::Arc;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

/// The door.
#[derive(Clone)]
pub(super) struct Door(Arc<Parts>);

struct Parts {
    app: App,
    /// The proxies before the door that say truly whom they speak for.
    proxies: TrustedProxies,
    statements: Statements,
}

/// `CANCEL_RESULT_CANCELLED` of the protocol; its name is not public in the library.
const CANCELLED: i32 = 1;
/// The action of Flight that ends a query.
const CANCEL_FLIGHT_INFO: &str = "CancelFlightInfo";

type Actions = Pin<Box<dyn Stream<Item = Result<arrow_flight::Result, Status>> + Send>>;
type HandshakeStream = Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>;

impl Door {
    pub(super) fn new(app: App, proxies: TrustedProxies) -> Self {
        Self(Arc::new(Parts { app, proxies, statements: Statements::default() }))
    }

    async fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        Caller::of(&self.0.app, &self.0.proxies, request).await
    }

    /// Plans a statement at the caller's grant. Nothing of it runs.
    async fn prepare(&self, caller: &Caller, sql: &str) -> Result<PreparedQuery, Status> {
        let session = caller.session(&self.0.app).await?;
        let prepared = self.0.app.prepare(&session, sql, cogov_app::Door::Flight).await;
        prepared.map_err(|error| refused(caller, &error))
    }

    /// Runs what waits behind a handle.
    async fn run(&self, caller: &Caller, handle: &[u8]) -> Result<Response<Messages>, Status> {
        let (query, running) = self.0.statements.runnable(&caller.actor, handle)?;
        let answer = self.0.app.run(query).await.map_err(|error| refused(caller, &error))?;
        Ok(rows::response(answer, running, caller.locale))
    }

    /// Ends what a ticket stands for. Whether there was anything.
    fn cancel(&self, caller: &Caller, info: &FlightInfo) -> bool {
        let tickets = info.endpoint.iter().filter_map(|endpoint| endpoint.ticket.as_ref());
        let handles = tickets.filter_map(|ticket| {
            let any = Any::decode(&*ticket.ticket).ok()?;
            match Command::try_from(any).ok()? {
                Command::TicketStatementQuery(ticket) => Some(ticket.statement_handle),
                Command::CommandPreparedStatementQuery(query) => Some(query.prepared_statement_handle),
                _ => None,
            }
        });
        handles.filter(|handle| self.0.statements.end(&caller.actor, handle)).count() > 0
    }
}

fn refused(caller: &Caller, error: &AppError) -> Status {
    crate::metrics::query(cogov_app::Door::Flight, error.code(), None);
    caller.failed(error)
}

/// Where and with which ticket the rows of a command are fetched.
fn info(
    schema: &Schema,
    ticket: &impl ProstMessageExt,
    descriptor: FlightDescriptor,
) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket.as_any().encode_to_vec()));
    let info = FlightInfo::new().try_with_schema(schema).map_err(|error| names::arrow(&error))?;
    Ok(Response::new(info.with_endpoint(endpoint).with_descriptor(descriptor)))
}

/// One batch of names as a stream.
fn one(batch: RecordBatch) -> Response<Messages> {
    let schema = batch.schema();
    let batches = stream::iter([Ok::<_, FlightError>(batch)]);
    let messages = FlightDataEncoderBuilder::new().with_schema(schema).build(batches).map_err(Status::from);
    Response::new(Box::pin(messages))
}

/// A schema as its message.
fn encoded(schema: &Schema) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let message = IpcMessage::try_from(SchemaAsIpc::new(schema, &options));
    message.map(|IpcMessage(bytes)| bytes).map_err(|error| names::arrow(&error))
}

#[tonic::async_trait]
impl FlightSqlService for Door {
    type FlightService = Door;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<HandshakeStream>, Status> {
        let token = handshake(&self.0.app, &self.0.proxies, &request).await?;
        let said = HandshakeResponse { protocol_version: 0, payload: token.clone().into_bytes().into() };
        let answers: HandshakeStream = Box::pin(stream::iter([Ok(said)]));
        let mut response = Response::new(answers);
        let header = MetadataValue::try_from(format!("Bearer {token}"));
        let header = header.map_err(|_| Status::internal("the token is no header"))?;
        response.metadata_mut().insert("authorization", header);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = self.caller(&request).await?;
        let prepared = self.prepare(&caller, &query.query).await?;
        if !prepared.plan().parameter_types().is_empty() {
            return Err(Status::invalid_argument("a statement with parameters must be prepared first"));
        }
        let schema = prepared.plan().schema();
        let handle = self.0.statements.hold(&caller.actor, prepared)?;
        info(&schema, &TicketStatementQuery { statement_handle: handle.into() }, request.into_inner())
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        let caller = self.caller(&request).await?;
        self.run(&caller, &ticket.statement_handle).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let caller = self.caller(&request).await?;
        let prepared = self.prepare(&caller, &query.query).await?;
        let dataset_schema = encoded(&prepared.plan().schema())?;
        let parameter_schema = encoded(&params::schema(prepared.plan().parameter_types()))?;
        let handle = self.0.statements.hold(&caller.actor, prepared)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.into(),
            dataset_schema,
            parameter_schema,
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let caller = self.caller(&request).await?;
        let prepared = self.0.statements.planned(&caller.actor, &query.prepared_statement_handle)?;
        let messages = request.into_inner().map_err(FlightError::from);
        // One row is all that is bound: what a client sends beyond a second batch is not waited for.
        let batches: Vec<RecordBatch> = FlightRecordBatchStream::new_from_flight_data(messages)
            .try_filter(|batch| std::future::ready(batch.num_rows() > 0))
            .take(2)
            .try_collect()
            .await
            .map_err(|_| Status::invalid_argument("the parameters do not read as one batch of Arrow"))?;
        let bound = self.0.app.bind(&prepared, &params::read(&batches)?).await;
        let bound = bound.map_err(|error| caller.failed(&error))?;
        self.0.statements.bind(&caller.actor, &query.prepared_statement_handle, bound);
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(query.prepared_statement_handle) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = self.caller(&request).await?;
        let prepared = self.0.statements.planned(&caller.actor, &query.prepared_statement_handle)?;
        info(&prepared.plan().schema(), &query, request.into_inner())
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        let caller = self.caller(&request).await?;
        self.run(&caller, &query.prepared_statement_handle).await
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        let caller = self.caller(&request).await?;
        self.0.statements.forget(&caller.actor, &query.prepared_statement_handle);
        Ok(())
    }

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        request: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let caller = self.caller(&request).await?;
        let info = FlightInfo::decode(&*query.info);
        let info = info.map_err(|_| Status::invalid_argument("the query to cancel does not read"))?;
        match self.cancel(&caller, &info) {
            true => Ok(ActionCancelQueryResult { result: CANCELLED }),
            false => Err(Status::not_found("there is no such query, or it is over")),
        }
    }

    /// The newer way to cancel, by Flight itself.
    async fn do_action_fallback(&self, request: Request<Action>) -> Result<Response<Actions>, Status> {
        let caller = self.caller(&request).await?;
        let action = request.into_inner();
        if action.r#type != CANCEL_FLIGHT_INFO {
            return Err(Status::invalid_argument(format!("there is no action {:?}", action.r#type)));
        }
        let wanted = CancelFlightInfoRequest::decode(&*action.body);
        let wanted = wanted.ok().and_then(|request| request.info);
        let wanted = wanted.ok_or_else(|| Status::invalid_argument("the query to cancel does not read"))?;
        let ended = if self.cancel(&caller, &wanted) {
            CancelStatus::Cancelled
        } else {
            CancelStatus::NotCancellable
        };
        let body = CancelFlightInfoResult::new(ended).encode_to_vec().into();
        let actions: Actions = Box::pin(stream::iter([Ok(arrow_flight::Result { body })]));
        Ok(Response::new(actions))
    }

    async fn list_custom_actions(&self) -> Option<Vec<Result<ActionType, Status>>> {
        let description = "Ends a query and forgets it.".to_owned();
        Some(vec![Ok(ActionType { r#type: CANCEL_FLIGHT_INFO.to_owned(), description })])
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.caller(&request).await?;
        info(&query.into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        let caller = self.caller(&request).await?;
        Ok(one(names::catalogs(&self.0.app, &caller, query).await?))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.caller(&request).await?;
        info(&query.clone().into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        let caller = self.caller(&request).await?;
        Ok(one(names::schemas(&self.0.app, &caller, query).await?))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.caller(&request).await?;
        info(&query.clone().into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_tables(
        &self,
        query: CommandGetTables,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        let caller = self.caller(&request).await?;
        Ok(one(names::tables(&self.0.app, &caller, query).await?))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.caller(&request).await?;
        info(&query.into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        self.caller(&request).await?;
        Ok(one(names::table_types(query)?))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.caller(&request).await?;
        info(&query.clone().into_builder(names::info()?).schema(), &query, request.into_inner())
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<Ticket>,
    ) -> Result<Response<Messages>, Status> {
        self.caller(&request).await?;
        Ok(one(query.into_builder(names::info()?).build().map_err(Status::from)?))
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
