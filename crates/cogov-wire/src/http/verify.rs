//! `POST /api/v1/grants/{id}/verify`: a declared question about one person.

use super::auth::Caller;
use super::extract::{Body, Id};
use super::{Problem, json};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cogov_app::{App, Door, Subject};
use cogov_model::{GrantId, PredicateId};
use serde::Deserialize;
use serde_json::json;
use std::time::Instant;

/// A question about a person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    predicate: PredicateId,
    subject: Subject,
}

pub(super) async fn ask(
    State(app): State<App>,
    caller: Caller,
    Id(grant): Id<GrantId>,
    Body(ask): Body<Ask>,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let verified = app.verify(&caller.actor, &grant, &ask.predicate, ask.subject, Door::Http).await;
    let verified = verified.map_err(|error| {
        crate::metrics::query(Door::Http, error.code(), None);
        caller.failed(error)
    })?;
    crate::metrics::query(Door::Http, "permit", Some(started.elapsed()));
    let why: Vec<&str> = verified.chain.iter().map(|step| step.get(caller.locale)).collect();
    let body = json(json!({
        "answer": verified.answer,
        "question": verified.words.get(caller.locale),
        "decision": verified.decision,
        "grade": verified.grade,
        "why": why,
        "clauses": verified.clauses,
        "rulebook": verified.rulebook,
        "receipt": verified.receipt,
        "subject_salt": verified.subject_salt,
    }));
    let headers = [
        ("cogov-decision", verified.decision.to_string()),
        ("cogov-grade", verified.grade.code().to_owned()),
    ];
    Ok((headers, body).into_response())
}
