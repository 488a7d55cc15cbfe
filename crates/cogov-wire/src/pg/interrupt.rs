//! What ends a statement before its end: a cancel request, a client that went away, its own time limit.

use super::{fault, session::Session};
use futures::channel::oneshot;
use pgwire::api::{ClientInfo, ConnectionHandle};
use pgwire::error::{PgWireError, PgWireResult};
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// How often a connection is looked at while its statement runs.
const LOOK: Duration = Duration::from_millis(250);

/// A second view of a connection's socket, to see that the client closed it while nobody reads.
pub(super) struct Hangup(TcpStream);

impl Hangup {
    /// Splits off the second view.
    pub(super) fn watch(stream: TcpStream) -> io::Result<(TcpStream, Arc<Hangup>)> {
        let stream = stream.into_std()?;
        let view = TcpStream::from_std(stream.try_clone()?)?;
        Ok((TcpStream::from_std(stream)?, Arc::new(Self(view))))
    }

    /// Waits until the client closed its end.
    async fn wait(&self) {
        loop {
            match self.0.ready(Interest::READABLE).await {
                Ok(ready) if ready.is_read_closed() => return,
                Ok(_) => tokio::time::sleep(LOOK).await,
                Err(_) => return,
            }
        }
    }
}

/// Everything that may end one statement.
pub(super) struct Interrupt {
    cancel: Option<oneshot::Receiver<()>>,
    hangup: Option<Arc<Hangup>>,
    limit: Option<Duration>,
}

impl Interrupt {
    /// Arms it for the statement that begins now.
    pub(super) async fn arm<C: ClientInfo + Sync>(client: &C) -> Self {
        let extensions = client.session_extensions();
        let limit = extensions.get::<Session>().and_then(|session| session.settings().statement_timeout());
        let hangup = extensions.get::<Arc<Hangup>>().map(|hangup| (*hangup).clone());
        let cancel = match extensions.get::<Arc<ConnectionHandle>>() {
            Some(handle) => Some(handle.start_query().await),
            None => None,
        };
        Self { cancel, hangup, limit }
    }

    /// Does the work unless something ends it. The work is dropped then, and with it its query.
    pub(super) async fn or<T>(self, work: impl Future<Output = PgWireResult<T>>) -> PgWireResult<T> {
        tokio::select! {
            done = work => done,
            error = self.ended() => Err(error),
        }
    }

    async fn ended(self) -> PgWireError {
        let cancelled = async {
            match self.cancel {
                Some(cancel) => drop(cancel.await),
                None => std::future::pending().await,
            }
        };
        let gone = async {
            match &self.hangup {
                Some(hangup) => hangup.wait().await,
                None => std::future::pending().await,
            }
        };
        let late = async {
            match self.limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cancelled => PgWireError::QueryCanceled,
            () = gone => PgWireError::IoError(io::Error::from(io::ErrorKind::ConnectionAborted)),
            () = late => fault::error("57014", "canceling statement due to statement timeout"),
        }
    }
}
