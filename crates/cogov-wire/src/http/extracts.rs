//! `POST /api/v1/grants/{id}/extract`: a marked file; `GET /api/v1/extracts/{decision}`: what the ledger says about it.

use super::auth::Caller;
use super::extract::{Body, Id};
use super::{Problem, json, problem::preferred};
use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use cogov_app::{App, Door, EntryView, FileFormat};
use cogov_model::GrantId;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the file is to hold, and as what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    sql: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Parquet,
    Csv,
}

pub(super) async fn file(
    State(app): State<App>,
    caller: Caller,
    Id(grant): Id<GrantId>,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let format = match wanted.format {
        Format::Parquet => FileFormat::Parquet,
        Format::Csv => FileFormat::Csv,
    };
    let file = app.extract(&caller.actor, &grant, wanted.sql.as_deref(), format).await;
    let file = file.map_err(|error| {
        crate::metrics::query(Door::Extract, error.code(), None);
        caller.failed(error)
    })?;
    crate::metrics::query(Door::Extract, "permit", None);
    let clauses: Vec<&str> = file.clauses.iter().map(|clause| clause.as_str()).collect();
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    Response::builder()
        .header(header::CONTENT_TYPE, format.media_type())
        .header(header::CONTENT_DISPOSITION, disposition)
        .header("cogov-decision", file.decision)
        .header("cogov-grade", file.grade.code())
        .header("cogov-rulebook", file.rulebook.as_str())
        .header(
            "cogov-clauses",
            HeaderValue::from_str(&clauses.join(", ")).unwrap_or(HeaderValue::from_static("")),
        )
        .header(header::LINK, format!("</api/v1/extracts/{}>; rel=\"describedby\"", file.decision))
        .body(HttpBody::from_stream(file.bytes))
        .map_err(|_| Problem::internal())
}

pub(super) async fn record(
    State(app): State<App>,
    caller: Option<Caller>,
    headers: HeaderMap,
    Id(decision): Id<u64>,
) -> Result<Response, Problem> {
    let locale = caller.as_ref().map_or_else(|| preferred(&headers), |caller| caller.locale);
    let viewer = caller.as_ref().map(|caller| &caller.actor);
    let record = app.extract_record(viewer, decision).await;
    let record = record.map_err(|error| Problem::from(error).in_language(locale))?;
    let fact = |view: &EntryView, name: &str| view.entry.facts.get(name).cloned();
    let release = record.release.as_ref().map(|release| {
        json!({
            "index": release.index,
            "at": release.entry.at.rfc3339(),
            "format": fact(release, "file"),
            "mark": fact(release, "mark"),
            "sha256": fact(release, "sha256"),
            "rows": number(fact(release, "rows")),
            "bytes": number(fact(release, "bytes")),
            "ended": fact(release, "ended"),
        })
    });
    let entry = &record.decision.entry;
    Ok(json(json!({
        "decision": decision,
        "at": entry.at.rfc3339(),
        "grant": entry.grant,
        "parties": entry.parties,
        "datasets": entry.datasets,
        "rulebook": entry.rulebook,
        "clauses": entry.clauses,
        "grade": fact(&record.decision, "grade"),
        "release": release,
    })))
}

fn number(text: Option<String>) -> Option<Value> {
    text.and_then(|text| text.parse::<u64>().ok()).map(Value::from)
}
