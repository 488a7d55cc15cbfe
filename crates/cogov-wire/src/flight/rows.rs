//! An answer as a stream of Flight messages, at the pace of who reads.

use super::fault;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use cogov_app::{Answer, Door};
use cogov_model::Locale;
use futures::{Stream, StreamExt, TryStreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Response, Status};

/// How long a client may take no message while rows wait for it.
const STALL: Duration = Duration::from_secs(60);
/// Messages that wait for the client; beyond it the query waits.
const WAITING: usize = 2;

/// Messages of a stream, as the service hands them over.
pub(super) type Messages = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

enum Piece {
    Message(Result<Box<FlightData>, Status>),
    End,
}

/// The messages of an answer. One that stops without its end is an error: a part is never taken for the whole.
struct Receiver {
    pieces: mpsc::Receiver<Piece>,
    over: bool,
}

impl Stream for Receiver {
    type Item = Result<FlightData, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let item = match std::task::ready!(self.pieces.poll_recv(context)) {
            Some(Piece::Message(Ok(message))) => Some(Ok(*message)),
            Some(Piece::Message(Err(status))) => Some(Err(status)),
            Some(Piece::End) => None,
            None => {
                Some(Err(Status::aborted("the answer was broken off: no message was taken for a minute")))
            }
        };
        self.over = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

/// The answer as a response, with its decision in the headers. Ends when the client goes, stalls or cancels.
pub(super) fn response(answer: Answer, running: CancellationToken, locale: Locale) -> Response<Messages> {
    let headers = headers(&answer);
    let (sender, pieces) = mpsc::channel(WAITING);
    tokio::spawn(send(answer, running, sender, locale));
    let messages: Messages = Box::pin(Receiver { pieces, over: false });
    let mut response = Response::new(messages);
    *response.metadata_mut() = headers;
    response
}

async fn send(answer: Answer, running: CancellationToken, sender: mpsc::Sender<Piece>, locale: Locale) {
    let started = Instant::now();
    let schema = answer.rows.schema();
    let rows = answer.rows.map_err(move |error| FlightError::Tonic(Box::new(fault::status(&error, locale))));
    let mut messages = FlightDataEncoderBuilder::new().with_schema(schema).build(rows);
    loop {
        let piece = tokio::select! {
            () = running.cancelled() => Piece::Message(Err(Status::cancelled("the query was cancelled"))),
            message = messages.next() => match message {
                Some(Ok(message)) => Piece::Message(Ok(Box::new(message))),
                Some(Err(error)) => Piece::Message(Err(error.into())),
                None => Piece::End,
            },
        };
        let last = !matches!(piece, Piece::Message(Ok(_)));
        if matches!(piece, Piece::End) {
            crate::metrics::query(Door::Flight, "permit", Some(started.elapsed()));
        }
        // A full channel is a client that takes nothing; a closed one, a client that went away.
        let taken = timeout(STALL, sender.send(piece)).await;
        if last || !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}

fn headers(answer: &Answer) -> MetadataMap {
    let clauses: Vec<&str> = answer.clauses.iter().map(|clause| clause.as_str()).collect();
    let mut headers = MetadataMap::new();
    for (name, value) in [
        ("cogov-decision", answer.decision.to_string()),
        ("cogov-grade", answer.grade.code().to_owned()),
        ("cogov-rulebook", answer.rulebook.to_string()),
        ("cogov-clauses", clauses.join(", ")),
    ] {
        if let Ok(value) = MetadataValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}
