//! `/consultations/{id}/vote`: one statement at a time; agree, disagree or pass; a vote can be changed.

use super::{Answered, Head, Way, before_taking_part, head, named, rows::Row, shown, status_of};
use crate::{
    failure::Failure,
    form::{Posted, Problem},
    ui::Ui,
    view::Choice,
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect},
};
use cogov_app::Turn;
use cogov_model::{ConsultationId, ConsultationState, Vote};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "consultation/vote.html")]
struct VotePage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    first: Option<Way>,
    receipt: Option<u64>,
    is_open: bool,
    progress: String,
    statement: Option<Row>,
    votes: Vec<Choice>,
    current: String,
}

/// `GET /consultations/{id}/vote`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    page(&visit, &named(&id)?, number("statement"), number("receipt"), Vec::new()).await
}

/// `POST /consultations/{id}/vote`
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = named(&id)?;
    let statement: u64 = fields.get("statement").parse().map_err(|_| Failure::not_found())?;
    let vote = Vote::ALL.into_iter().find(|vote| vote.code() == fields.get("vote"));
    let vote = vote.ok_or_else(Failure::not_found)?;
    match visit.app.vote(visit.actor()?, &id, statement, vote).await {
        Ok(receipt) => {
            Ok(Redirect::to(&format!("/consultations/{id}/vote?receipt={}", receipt.entry)).into_response())
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            page(&visit, &id, None, None, vec![problem]).await
        }
    }
}

async fn page(
    visit: &Visit,
    id: &ConsultationId,
    wanted: Option<u64>,
    receipt: Option<u64>,
    errors: Vec<Problem>,
) -> Answered {
    let ui = visit.ui();
    let found = visit.app.consultation(visit.viewer(), id).await?;
    let first = before_taking_part(visit, &found);
    let joined = found.me.is_some() && found.card.state == ConsultationState::Open;
    let turn = match visit.viewer() {
        Some(actor) if joined => visit.app.next_statement(actor, id).await?,
        _ => Turn { statement: None, voted: 0, statements: 0 },
    };
    let number = wanted.filter(|_| joined).or(turn.statement);
    let statement = match number {
        Some(number) => Some(visit.app.contribution(visit.viewer(), id, number).await?),
        None => None,
    };
    let current = match (visit.viewer(), wanted) {
        (Some(actor), Some(wanted)) if joined => visit.app.my_vote(actor, id, wanted).await?,
        _ => None,
    };
    let page = VotePage {
        head: head(&ui, &found, "statements"),
        first,
        receipt,
        is_open: found.card.state == ConsultationState::Open,
        progress: ui.share("vote-progress", turn.voted as u64, turn.statements as u64),
        statement: statement.map(|view| Row::new(&ui, &view, None)).filter(|row| row.votable),
        votes: Vote::ALL.map(|vote| Choice::new(vote.code(), ui.word("vote-word", vote.code()), "")).into(),
        current: current
            .map(|vote| ui.with("vote-current", "vote", ui.word("vote-word", vote.code())))
            .unwrap_or_default(),
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = VotePage {
        errors: Vec::new(),
        head: super::sample_head(&ui),
        first: None,
        receipt: Some(9),
        is_open: true,
        progress: ui.share("vote-progress", 3, 12),
        statement: Some(super::rows::sample(&ui, 4)),
        votes: Vote::ALL.map(|vote| Choice::new(vote.code(), ui.word("vote-word", vote.code()), "")).into(),
        current: ui.with("vote-current", "vote", ui.word("vote-word", "agree")),
        ui,
    };
    vec![("consultation-vote", page.render().unwrap_or_default())]
}
