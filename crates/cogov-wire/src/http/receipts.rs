//! `POST /api/v1/receipts/check`: is a receipt of a verification genuine? For anybody.

use super::auth::Caller;
use super::extract::Body;
use super::{Problem, json, problem::preferred};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cogov_app::{App, Subject, subject_text};
use serde::Deserialize;
use serde_json::json;

/// A receipt, and the person it may be about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    receipt: String,
    #[serde(default)]
    subject: Option<Subject>,
    #[serde(default)]
    subject_salt: Option<String>,
}

pub(super) async fn check(
    State(app): State<App>,
    caller: Option<Caller>,
    headers: HeaderMap,
    Body(given): Body<Given>,
) -> Result<Response, Problem> {
    let locale = caller.as_ref().map_or_else(|| preferred(&headers), |caller| caller.locale);
    let viewer = caller.as_ref().map(|caller| &caller.actor);
    let checked = app.check_receipt(viewer, &given.receipt).await;
    let checked = checked.map_err(|error| Problem::from(error).in_language(locale))?.map_err(|error| {
        let problem = Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not-genuine",
            format!("This is no receipt of this ledger: {error}."),
            "这不是本账本出具的回执，或者签名后被改动过。",
        );
        problem.in_language(locale)
    })?;
    let receipt = &checked.receipt;
    let about = given.subject.as_ref().zip(given.subject_salt.as_ref());
    Ok(json(json!({
        "genuine": true,
        "entry_fits": checked.entry_fits,
        "about_subject": about.map(|(subject, salt)| receipt.is_about(&subject_text(subject), salt)),
        "ledger": receipt.ledger,
        "decision": receipt.decision,
        "leaf": receipt.leaf,
        "grant": receipt.grant,
        "predicate": receipt.predicate,
        "subject": receipt.subject,
        "answer": receipt.answer,
        "at": receipt.at,
        "rulebook": receipt.rulebook,
        "grade": receipt.grade,
    })))
}
