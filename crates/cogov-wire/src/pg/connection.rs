//! One connection from its first byte to its last.

use super::{Shared, extended::Extended, fault, interrupt::Hangup, simple::Simple, startup::Startup};
use futures::{SinkExt, StreamExt};
use pgwire::api::cancel::DefaultCancelHandler;
use pgwire::api::{ClientInfo, NoopHandler, PgWireConnectionState};
use pgwire::error::{ErrorInfo, PgWireError};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use pgwire::tokio::server::{
    MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_error, process_message,
};
use std::{io, sync::Arc};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::codec::Framed;

type Socket = Framed<MaybeTls, PgWireMessageServerCodec<super::statement::Statement>>;

struct Handlers {
    startup: Arc<Startup>,
    simple: Arc<Simple>,
    extended: Arc<Extended>,
    cancel: Arc<DefaultCancelHandler>,
}

pub(super) async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    full: bool,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let deadline = Instant::now() + shared.limits.startup;
    let (stream, hangup) = Hangup::watch(stream)?;
    let negotiated = tokio::time::timeout_at(deadline, negotiate_tls(stream, shared.tls.clone())).await;
    let Ok(Some(mut socket)) = negotiated.unwrap_or(Ok(None)) else { return Ok(()) };
    socket.session_extensions().insert(hangup);
    let handlers = Handlers {
        startup: Arc::new(Startup::new(shared.clone(), full)),
        simple: Arc::new(Simple::new(shared.limits)),
        extended: Arc::new(Extended::new(shared.limits)),
        cancel: Arc::new(DefaultCancelHandler::new(shared.connections.clone())),
    };
    while let Some(message) = next(&shared, &mut socket, deadline, shutdown.clone()).await? {
        let extended = message.is_extended_query();
        if let Err(error) = handle(&handlers, &mut socket, message).await {
            process_error(&mut socket, error, extended).await?;
        }
    }
    socket.close().await
}

/// The client's next message; none when the connection is over.
async fn next(
    shared: &Shared,
    socket: &mut Socket,
    deadline: Instant,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<Option<PgWireFrontendMessage>> {
    let starting = matches!(
        socket.state(),
        PgWireConnectionState::AwaitingStartup | PgWireConnectionState::AuthenticationInProgress
    );
    let until = if starting { deadline } else { Instant::now() + shared.limits.idle };
    let farewell = tokio::select! {
        message = socket.next() => return match message {
            Some(Ok(PgWireFrontendMessage::Terminate(_))) | None => Ok(None),
            Some(Ok(message)) => Ok(Some(message)),
            // Broken framing cannot be read on from: say so and end.
            Some(Err(error)) => {
                let mut info = ErrorInfo::from(error);
                info.severity = "FATAL".to_owned();
                say(socket, info).await.map(|()| None)
            }
        },
        () = tokio::time::sleep_until(until) => {
            let code = if starting { "08P01" } else { "57P05" };
            fault::fatal(code, "the connection was idle for too long; connect again")
        }
        () = super::ending(&mut shutdown) => fault::fatal("57P01", "the server is ending; connect again later"),
    };
    say(socket, farewell).await.map(|()| None)
}

async fn say(socket: &mut Socket, info: ErrorInfo) -> io::Result<()> {
    socket.send(PgWireBackendMessage::ErrorResponse(info.into())).await
}

async fn handle(
    handlers: &Handlers,
    socket: &mut Socket,
    message: PgWireFrontendMessage,
) -> Result<(), PgWireError> {
    process_message(
        message,
        socket,
        handlers.startup.clone(),
        handlers.simple.clone(),
        handlers.extended.clone(),
        Arc::new(NoopHandler),
        handlers.cancel.clone(),
    )
    .await
}
