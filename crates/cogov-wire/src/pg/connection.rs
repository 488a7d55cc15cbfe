//! One connection from its first byte to its last.

use super::{
    Shared, extended::Extended, fault, interrupt::Hangup, receive, simple::Simple, startup::Startup,
};
use futures::SinkExt;
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

/// A connection with its framing.
pub(super) type Socket = Framed<MaybeTls, PgWireMessageServerCodec<super::statement::Statement>>;

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
    // What came in clear before the handshake is nobody's: it would be read as if it had been encrypted (CVE-2021-23214).
    if socket.is_secure() && !socket.read_buffer().is_empty() {
        return Ok(());
    }
    socket.session_extensions().insert(hangup);
    let handlers = Handlers {
        startup: Arc::new(Startup::new(shared.clone(), full)),
        simple: Arc::new(Simple::new(shared.limits)),
        extended: Arc::new(Extended::new(shared.limits)),
        cancel: Arc::new(DefaultCancelHandler::new(shared.connections.clone())),
    };
    let mut why = None;
    while let Some(message) = next(&shared, &mut socket, deadline, shutdown.clone()).await? {
        let (extended, entering) = (message.is_extended_query(), starting(&socket));
        let Err(error) = handle(&handlers, &mut socket, message).await else { continue };
        let mut info = ErrorInfo::from(error);
        // Nobody goes on after a fatal error, nor without having signed in: the place is needed.
        if entering || info.is_fatal() {
            info.severity = "FATAL".to_owned();
            why = Some(info);
            break;
        }
        process_error(&mut socket, PgWireError::UserError(Box::new(info)), extended).await?;
    }
    let last = async {
        if let Some(info) = why {
            say(&mut socket, info).await?;
        }
        socket.close().await
    };
    // A client that takes nothing any more is not waited for.
    tokio::time::timeout(shared.limits.farewell, last).await.unwrap_or(Ok(()))
}

/// Whether nobody has signed in yet.
pub(super) fn starting(socket: &Socket) -> bool {
    matches!(
        socket.state(),
        PgWireConnectionState::AwaitingStartup | PgWireConnectionState::AuthenticationInProgress
    )
}

/// The client's next message; none when the connection is over.
async fn next(
    shared: &Shared,
    socket: &mut Socket,
    deadline: Instant,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<Option<PgWireFrontendMessage>> {
    let entering = starting(socket);
    let until = if entering { deadline } else { Instant::now() + shared.limits.idle };
    let farewell = tokio::select! {
        message = receive::message(socket) => return match message {
            Ok(Some(PgWireFrontendMessage::Terminate(_)) | None) => Ok(None),
            Ok(Some(message)) => Ok(Some(message)),
            // Broken framing cannot be read on from: say so and end.
            Err(error) => {
                let mut info = ErrorInfo::from(error);
                info.severity = "FATAL".to_owned();
                say(socket, info).await.map(|()| None)
            }
        },
        () = tokio::time::sleep_until(until) => {
            let code = if entering { "08P01" } else { "57P05" };
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
