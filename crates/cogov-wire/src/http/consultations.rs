//! Consultations: reading them, joining, contributing, voting; open data as files.

use super::auth::Caller;
use super::extract::{Body, Id, Search};
use super::{Problem, json};
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cogov_app::{
    App, AppError, ContributionFilter, ContributionReceipt, ContributionView, Cursor, MyPart,
    NewContribution, OpenData, Page,
};
use cogov_model::{ClauseId, ConsultationId, ContributionKind, ParticipantClass, Vote};
use serde::Deserialize;
use serde_json::{Value, json};

/// The most items of one answer.
const MOST: u32 = 200;
/// Items of one answer when the caller does not say.
const USUAL: u32 = 50;

/// A page of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    after: Option<String>,
    limit: Option<u32>,
}

/// A page of contributions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    clause: Option<ClauseId>,
    kind: Option<ContributionKind>,
    #[serde(default)]
    unanswered: bool,
    #[serde(default)]
    newest: bool,
    after: Option<String>,
    limit: Option<u32>,
}

/// Joining.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Joining {
    class: ParticipantClass,
    #[serde(default)]
    own_name: bool,
}

/// A contribution.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Writing {
    kind: ContributionKind,
    clause: Option<ClauseId>,
    words: String,
    proposed: Option<String>,
}

/// A vote.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Voting {
    statement: u64,
    vote: Vote,
}

fn paged(after: Option<&str>, limit: Option<u32>) -> Page {
    Page::new(after.map(Cursor::from_text), limit.unwrap_or(USUAL).min(MOST))
}

pub(super) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Search(paging): Search<Paging>,
) -> Result<Response, Problem> {
    let failed = |error: AppError| Problem::from(error).for_request(&headers);
    let found = app.consultations(&paged(paging.after.as_deref(), paging.limit)).await.map_err(failed)?;
    let items: Vec<Value> = found
        .items
        .iter()
        .map(|card| {
            json!({
                "consultation": card.consultation, "state": card.state, "host": card.host,
                "participants": card.counts.participants, "contributions": card.counts.contributions,
                "votes": card.counts.votes, "unanswered": card.counts.unanswered,
            })
        })
        .collect();
    Ok(json(json!({ "items": items, "next": found.next.map(|next| next.to_string()) })))
}

pub(super) async fn show(
    State(app): State<App>,
    caller: Option<Caller>,
    headers: HeaderMap,
    Id(id): Id<ConsultationId>,
) -> Result<Response, Problem> {
    let failed = |error: AppError| Problem::from(error).for_request(&headers);
    let viewer = caller.as_ref().map(|caller| &caller.actor);
    let page = app.consultation(viewer, &id).await.map_err(failed)?;
    let text = app.consultation_text(&id).await.map_err(failed)?;
    let clauses: Vec<Value> = text
        .iter()
        .map(|counted| {
            json!({
                "anchor": counted.clause.anchor, "title": counted.clause.title,
                "words": counted.clause.words, "contributions": counted.contributions,
            })
        })
        .collect();
    Ok(json(json!({
        "consultation": page.card.consultation,
        "state": page.card.state,
        "host": page.card.host,
        "participants": page.card.counts.participants,
        "contributions": page.card.counts.contributions,
        "votes": page.card.counts.votes,
        "answers": page.card.counts.answers,
        "unanswered": page.card.counts.unanswered,
        "clauses": clauses,
        "me": page.me.as_ref().map(part),
    })))
}

fn part(me: &MyPart) -> Value {
    json!({
        "number": me.participant.number, "participant": me.participant.key, "class": me.participant.class,
        "verified": me.participant.verified, "name": me.name, "entry": me.participant.entry,
    })
}

pub(super) async fn join(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ConsultationId>,
    Body(joining): Body<Joining>,
) -> Result<Response, Problem> {
    let joined = app.join_consultation(&caller.actor, &id, joining.class, joining.own_name).await;
    joined.map_err(|error| caller.failed(error))?;
    let page = app.consultation(Some(&caller.actor), &id).await.map_err(|error| caller.failed(error))?;
    Ok(json(json!({ "me": page.me.as_ref().map(part) })))
}

pub(super) async fn contributions(
    State(app): State<App>,
    caller: Option<Caller>,
    headers: HeaderMap,
    Id(id): Id<ConsultationId>,
    Search(wanted): Search<Wanted>,
) -> Result<Response, Problem> {
    let filter = ContributionFilter {
        clause: wanted.clause,
        kind: wanted.kind,
        unanswered: wanted.unanswered,
        newest: wanted.newest,
        ..ContributionFilter::default()
    };
    let page = paged(wanted.after.as_deref(), wanted.limit);
    let viewer = caller.as_ref().map(|caller| &caller.actor);
    let found = app.contributions(viewer, &id, &filter, &page).await;
    let found = found.map_err(|error| Problem::from(error).for_request(&headers))?;
    let items: Vec<Value> = found.items.iter().map(contribution).collect();
    Ok(json(json!({ "items": items, "next": found.next.map(|next| next.to_string()) })))
}

fn contribution(view: &ContributionView) -> Value {
    let found = &view.contribution;
    json!({
        "number": found.number, "kind": found.kind, "clause": found.clause,
        "words": view.readable.then_some(&found.words), "proposed": found.proposed,
        "author": {
            "number": view.author.number, "name": view.author.name, "own_name": view.author.own_name,
            "class": view.author.class, "verified": view.author.verified,
        },
        "at": found.at.rfc3339(), "entry": found.entry, "standing": found.standing, "answer": found.answer,
        "tally": (found.kind == ContributionKind::Statement).then_some(found.tally), "mine": view.mine,
    })
}

pub(super) async fn contribute(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ConsultationId>,
    Body(new): Body<Writing>,
) -> Result<Response, Problem> {
    let Writing { kind, clause, words, proposed } = new;
    let new = NewContribution { kind, clause, words, proposed };
    let receipt = app.contribute_from(&caller.actor, &id, new, caller.from).await;
    let receipt = receipt.map_err(|error| caller.failed(error))?;
    Ok((StatusCode::CREATED, json(receipted(&receipt))).into_response())
}

pub(super) async fn vote(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ConsultationId>,
    Body(voting): Body<Voting>,
) -> Result<Response, Problem> {
    let receipt = app.vote(&caller.actor, &id, voting.statement, voting.vote).await;
    let receipt = receipt.map_err(|error| caller.failed(error))?;
    Ok((StatusCode::CREATED, json(receipted(&receipt))).into_response())
}

fn receipted(receipt: &ContributionReceipt) -> Value {
    json!({
        "entry": receipt.entry,
        "receipt": format!("/consultations/{}/receipts/{}", receipt.consultation, receipt.entry),
        "ledger": format!("/api/v1/ledger/entries/{}", receipt.entry),
    })
}

pub(super) async fn next(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ConsultationId>,
) -> Result<Response, Problem> {
    let failed = |error: AppError| caller.failed(error);
    let turn = app.next_statement(&caller.actor, &id).await.map_err(failed)?;
    let statement = match turn.statement {
        Some(number) => Some(app.contribution(Some(&caller.actor), &id, number).await.map_err(failed)?),
        None => None,
    };
    Ok(json(json!({
        "statement": statement.as_ref().map(contribution),
        "voted": turn.voted, "statements": turn.statements,
    })))
}

pub(super) async fn data(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = || Problem::missing().for_request(&headers);
    let id: ConsultationId = id.parse().map_err(|_| missing())?;
    let file = OpenData::ALL.into_iter().find(|known| known.name() == file).ok_or_else(missing)?;
    let pieces = app.open_data(&id, file).await;
    let pieces = pieces.map_err(|error| Problem::from(error).for_request(&headers))?;
    let head = [
        (header::CONTENT_TYPE, file.mime().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name())),
    ];
    Ok((head, HttpBody::from_stream(pieces)).into_response())
}
