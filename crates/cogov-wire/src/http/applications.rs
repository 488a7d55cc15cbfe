//! Applications: list, preview, make, see, act.

use super::auth::Caller;
use super::extract::{Body, Id};
use super::{Problem, json};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cogov_app::{App, ApplicationAct, ApplicationDraft, May, PreviewPage};
use cogov_model::{
    ApplicationId, ColumnRef, Form, Lane, PartyId, Purpose, RowScope, Treatment, Verification,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// A request for data.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    provider: PartyId,
    columns: Vec<ColumnRef>,
    #[serde(default)]
    scope: RowScope,
    purpose: Purpose,
    form: Form,
    lane: Lane,
    days: u32,
    #[serde(default)]
    verification: Option<Verification>,
}

impl From<Draft> for ApplicationDraft {
    fn from(draft: Draft) -> Self {
        let Draft { provider, columns, scope, purpose, form, lane, days, verification } = draft;
        Self { provider, columns, scope, purpose, form, lane, days, verification }
    }
}

/// A treatment of one column.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Treated {
    column: ColumnRef,
    treatment: Treatment,
}

/// An act on an application, named by `act`.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Act {
    ApproveAsHead {
        #[serde(default)]
        words: String,
    },
    Agree {
        #[serde(default)]
        columns: Option<Vec<ColumnRef>>,
        #[serde(default)]
        conditions: Vec<Treated>,
        #[serde(default)]
        words: String,
    },
    AskForMore {
        words: String,
    },
    Supply {
        words: String,
    },
    Refuse {
        reasons: String,
    },
    Withdraw {},
    Extend {
        reasons: String,
    },
}

impl From<Act> for ApplicationAct {
    fn from(act: Act) -> Self {
        match act {
            Act::ApproveAsHead { words } => ApplicationAct::ApproveAsHead { words },
            Act::Agree { columns, conditions, words } => {
                let conditions = conditions.into_iter().map(|c| (c.column, c.treatment)).collect();
                ApplicationAct::Agree { columns, conditions, words }
            }
            Act::AskForMore { words } => ApplicationAct::AskForMore { words },
            Act::Supply { words } => ApplicationAct::Supply { words },
            Act::Refuse { reasons } => ApplicationAct::Refuse { reasons },
            Act::Withdraw {} => ApplicationAct::Withdraw,
            Act::Extend { reasons } => ApplicationAct::Extend { reasons },
        }
    }
}

pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let inbox = app.inbox(&caller.actor).await.map_err(|error| caller.failed(error))?;
    let items: Vec<Value> = inbox
        .iter()
        .map(|item| {
            json!({
                "application": item.application,
                "requester": item.requester,
                "provider": item.provider,
                "working_days_left": item.working_days_left,
                "waits_for_me": item.waits_for_me,
            })
        })
        .collect();
    Ok(json(json!({ "items": items })))
}

pub(super) async fn preview(
    State(app): State<App>,
    caller: Caller,
    Body(draft): Body<Draft>,
) -> Result<Response, Problem> {
    let page = app.preview(&caller.actor, &draft.into()).await.map_err(|error| caller.failed(error))?;
    Ok(json(previewed(&page)))
}

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(draft): Body<Draft>,
) -> Result<Response, Problem> {
    let id = app.apply(&caller.actor, draft.into()).await.map_err(|error| caller.failed(error))?;
    let mut response = (StatusCode::CREATED, json(json!({ "id": id }))).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/applications/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ApplicationId>,
) -> Result<Response, Problem> {
    let page = app.application(&caller.actor, &id).await.map_err(|error| caller.failed(error))?;
    let history: Vec<Value> =
        page.history.iter().map(|view| json!({"index": view.index, "entry": view.entry})).collect();
    Ok(json(json!({
        "application": page.application,
        "requester": page.requester,
        "provider": page.provider,
        "preview": previewed(&page.preview),
        "may": page.may.iter().map(may).collect::<Vec<_>>(),
        "history": history,
        "due_date": page.due_date,
        "working_days_left": page.working_days_left,
    })))
}

pub(super) async fn act(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ApplicationId>,
    Body(act): Body<Act>,
) -> Result<Response, Problem> {
    let application = app.act(&caller.actor, &id, act.into()).await.map_err(|error| caller.failed(error))?;
    Ok(json(json!({ "application": application })))
}

/// The name of what may be done, as `act` names it.
const fn may(may: &May) -> &'static str {
    match may {
        May::ApproveAsRequesterHead | May::ApproveAsProviderHead => "approve-as-head",
        May::Agree => "agree",
        May::AskForMore => "ask-for-more",
        May::Supply => "supply",
        May::Refuse => "refuse",
        May::Withdraw => "withdraw",
        May::Extend => "extend",
    }
}

fn previewed(page: &PreviewPage) -> Value {
    let columns: Vec<Value> = page
        .rows
        .iter()
        .map(|row| {
            json!({
                "column": row.reference,
                "label": row.column.label,
                "treatment": row.ruling.treatment,
                "clauses": row.ruling.clauses,
                "reason": row.ruling.reason,
            })
        })
        .collect();
    json!({
        "columns": columns,
        "refusal": page.refusal,
        "requester_head": page.requester_head,
        "provider_head": page.provider_head,
        "answer_days": page.answer_days,
    })
}
