//! `POST /api/v1/grants/{id}/query` and `…/explain`: the one way of a query, over HTTP.

use super::auth::Caller;
use super::extract::{Body, Id};
use super::format::{Format, Writer};
use super::{Problem, json};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use cogov_app::{Answer, App, AppError, Door, GrantSession, NoiseAsk, NoiseReport, ReleasedRows};
use cogov_engine::{Param, ResultColumn};
use cogov_model::{GrantId, Locale};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io;
use std::time::{Duration, Instant};

/// A query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    sql: String,
    #[serde(default)]
    params: Vec<Value>,
    /// The privacy loss that a question under noise may take.
    #[serde(default)]
    epsilon: Option<Value>,
    /// Whether columns with margins of error stand beside noisy figures.
    #[serde(default)]
    margins: Option<bool>,
}

pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Id(grant): Id<GrantId>,
    headers: HeaderMap,
    Body(ask): Body<Ask>,
) -> Result<Response, Problem> {
    let format = Format::accepted(&headers).ok_or_else(|| not_acceptable(caller.locale))?;
    let params = params(&ask.params, caller.locale)?;
    let started = Instant::now();
    let failed = |error: AppError| {
        crate::metrics::query(Door::Http, error.code(), None);
        caller.failed(error)
    };
    let mut answer =
        app.query_in(&ask.session(&caller, grant)?, &ask.sql, &params, Door::Http).await.map_err(failed)?;
    // The first rows are waited for, so that a query that fails early fails with a status.
    let first = answer.rows.next().await.transpose().map_err(failed)?;
    let head = head(&answer, caller.locale);
    let (writer, opening) =
        Writer::begin(format, answer.rows.schema(), &head).map_err(|error| unwritten(&error))?;
    let response = Response::builder()
        .header(header::CONTENT_TYPE, format.content_type())
        .header("cogov-decision", answer.decision)
        .header("cogov-grade", answer.grade.code())
        .header("cogov-rulebook", answer.rulebook.as_str())
        .header("cogov-clauses", clauses(&answer))
        .header(header::VARY, "Accept, Authorization");
    let response = answer.noise.iter().fold(response, |response, noise| {
        response
            .header("cogov-epsilon", noise.cost.unwrap_or_default().to_string())
            .header("cogov-epsilon-left", noise.left.epsilon.to_string())
    });
    let body = HttpBody::from_stream(bytes(writer, opening, first, answer.rows, started));
    response.body(body).map_err(|_| Problem::internal())
}

pub(super) async fn explain(
    State(app): State<App>,
    caller: Caller,
    Id(grant): Id<GrantId>,
    Body(ask): Body<Ask>,
) -> Result<Response, Problem> {
    let explained = app.explain_in(&ask.session(&caller, grant)?, &ask.sql, Door::Http).await;
    let explained = explained.map_err(|error| caller.failed(error))?;
    let columns: Vec<Value> =
        explained.columns.iter().map(|column| shown(column, None, caller.locale)).collect();
    Ok(json(json!({
        "grade": explained.grade,
        "clauses": explained.clauses,
        "rulebook": explained.rulebook,
        "columns": columns,
        "noise": explained.noise.as_ref().map(|noise| noisy(noise, caller.locale)),
    })))
}

impl Ask {
    /// The grant as it is asked here.
    fn session(&self, caller: &Caller, grant: GrantId) -> Result<GrantSession, Problem> {
        let epsilon = match &self.epsilon {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let epsilon = epsilon.map(|text| text.parse()).transpose().map_err(|_: String| {
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "unreadable-body",
                "epsilon is a number above 0 with at most six decimals.",
                "epsilon 须为大于 0 且最多六位小数的数。",
            );
            problem.in_language(caller.locale)
        })?;
        let noise = NoiseAsk { epsilon, without_margins: self.margins == Some(false) };
        Ok(GrantSession { actor: caller.actor.clone(), grant, noise })
    }
}

/// What an answer under noise costs.
fn noisy(noise: &NoiseReport, locale: Locale) -> Value {
    json!({
        "cost": noise.cost.unwrap_or_default().to_string(),
        "epsilon": noise.epsilon.to_string(),
        "mechanism": noise.mechanism,
        "confidence": 0.95,
        "month": noise.left.of.to_string(),
        "left": noise.left.epsilon.to_string(),
        "refills": noise.left.refills.to_string(),
        "words": noise.words().get(locale),
    })
}

fn clauses(answer: &Answer) -> HeaderValue {
    let names: Vec<&str> = answer.clauses.iter().map(|clause| clause.as_str()).collect();
    // Clause anchors are plain letters, digits and signs.
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

/// What stands before the rows of a JSON answer.
fn head(answer: &Answer, locale: Locale) -> Value {
    let schema = answer.rows.schema();
    let columns: Vec<Value> = answer
        .columns
        .iter()
        .enumerate()
        .map(|(place, column)| shown(column, type_of(&schema, place), locale))
        .collect();
    let mut head = json!({
        "decision": answer.decision,
        "grade": answer.grade,
        "rulebook": answer.rulebook,
        "clauses": answer.clauses,
        "columns": columns,
    });
    if let (Some(noise), Some(map)) = (&answer.noise, head.as_object_mut()) {
        map.insert("noise".to_owned(), noisy(noise, locale));
    }
    if let (Some(words), Some(map)) = (&answer.may_miss, head.as_object_mut()) {
        map.insert("may_miss".to_owned(), words.get(locale).into());
    }
    head
}

fn type_of(schema: &Schema, place: usize) -> Option<String> {
    schema.fields().get(place).map(|field| field.data_type().to_string())
}

fn shown(column: &ResultColumn, data_type: Option<String>, locale: Locale) -> Value {
    let chain = column.chain();
    let why: Vec<&str> = chain.iter().map(|step| step.get(locale)).collect();
    let mut shown = json!({
        "name": column.name,
        "grade": column.label.grade,
        "categories": column.label.categories,
        "treatments": column.treatments,
        "why": why,
    });
    if let (Some(data_type), Some(map)) = (data_type, shown.as_object_mut()) {
        map.insert("type".to_owned(), data_type.into());
    }
    shown
}

fn params(given: &[Value], locale: Locale) -> Result<Vec<Param>, Problem> {
    let param = |value: &Value| {
        Some(match value {
            Value::Null => Param::Null,
            Value::Bool(truth) => Param::Bool(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Param::Int(whole),
                None => Param::Real(number.as_f64()?),
            },
            Value::String(text) => Param::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => return None,
        })
    };
    let wrong = || {
        let problem = Problem::new(
            StatusCode::BAD_REQUEST,
            "unreadable-body",
            "Parameters are texts, numbers, true, false or null.",
            "参数只能是文本、数字、true、false 或 null。",
        );
        problem.in_language(locale)
    };
    given.iter().map(|value| param(value).ok_or_else(wrong)).collect()
}

fn not_acceptable(locale: Locale) -> Problem {
    let problem = Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "not-acceptable",
        "Rows come as application/json, text/csv or application/vnd.apache.arrow.stream: accept one of them.",
        "数据行可用格式为 application/json、text/csv 或 application/vnd.apache.arrow.stream：请接受其中之一。",
    );
    problem.in_language(locale)
}

fn unwritten(error: &arrow::error::ArrowError) -> Problem {
    tracing::error!(%error, "rows could not be written");
    Problem::internal()
}

/// Bytes that are handed over at once.
const PART: usize = 64 << 10;

/// How long they wait for the reader.
const STALL: Duration = Duration::from_secs(60);

/// The bytes of an answer. A failure after the first byte breaks the body off, so that no client takes a
/// part for the whole.
fn bytes(
    writer: Writer,
    opening: Vec<u8>,
    first: Option<RecordBatch>,
    rows: ReleasedRows,
    started: Instant,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let rest = stream::try_unfold((Some(writer), first, rows), move |(writer, first, mut rows)| async move {
        let Some(mut writer) = writer else { return Ok(None) };
        let batch = match first {
            Some(batch) => Some(batch),
            None => rows.next().await.transpose().map_err(|error| broken(&error))?,
        };
        match batch {
            Some(batch) => {
                let bytes = writer.batch(&batch).map_err(|error| broken(&error))?;
                Ok(Some((Bytes::from(bytes), (Some(writer), None, rows))))
            }
            None => {
                let bytes = writer.end().map_err(|error| broken(&error))?;
                crate::metrics::query(Door::Http, "permit", Some(started.elapsed()));
                Ok(Some((Bytes::from(bytes), (None, None, rows))))
            }
        }
    });
    read_in_time(stream::once(async move { Ok(Bytes::from(opening)) }).chain(rest))
}

/// The beginning of a piece, so short that a slow reader takes it in time, and the rest.
fn split(piece: io::Result<Bytes>) -> (io::Result<Bytes>, Option<io::Result<Bytes>>) {
    match piece {
        Ok(mut bytes) if bytes.len() > PART => {
            let part = bytes.split_to(PART);
            (Ok(part), Some(Ok(bytes)))
        }
        short => (short, None),
    }
}

/// The pieces of a body, made in a task of their own: one whose reader stalls is broken off, and holds no memory any more.
fn read_in_time(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    let work = tokio::spawn(async move {
        let mut pieces = std::pin::pin!(pieces);
        loop {
            let piece = tokio::select! {
                () = sender.closed() => return true,
                piece = pieces.next() => match piece {
                    Some(piece) => piece,
                    None => break,
                },
            };
            let mut left = Some(piece);
            while let Some(piece) = left.take() {
                let (part, rest) = split(piece);
                left = rest;
                match tokio::time::timeout(STALL, sender.send(part)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return true,
                    Err(_) => return false,
                }
            }
        }
        true
    });
    stream::unfold((receiver, Some(work)), |(mut receiver, work)| async move {
        if let Some(piece) = receiver.recv().await {
            return Some((piece, (receiver, work)));
        }
        // It ended: whether it was whole is known by then.
        match work?.await {
            Ok(true) => None,
            _ => Some((Err(broken(&"its reader stalled")), (receiver, None))),
        }
    })
}

fn broken(error: &dyn std::fmt::Display) -> io::Error {
    tracing::warn!(%error, "an answer was broken off");
    io::Error::other("the answer was broken off")
}
