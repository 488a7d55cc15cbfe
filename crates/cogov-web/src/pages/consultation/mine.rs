//! `/consultations/{id}/mine`: what somebody said and how they voted, each with its receipt and its answer.

use super::{
    Answered, Head, head, html, named, page_of,
    rows::{Row, class_words},
};
use crate::{
    ui::Ui,
    view::{Pager, with_query},
    visit::Visit,
};
use askama::Template;
use axum::extract::{Path, Query};
use std::collections::HashMap;

struct VoteRow {
    statement: u64,
    vote: String,
    at: String,
    entry: u64,
}

#[derive(Template)]
#[template(path = "consultation/mine.html")]
struct MinePage {
    ui: Ui,
    head: Head,
    name: String,
    class: String,
    key: String,
    entry: Option<u64>,
    rows: Vec<Row>,
    votes: Vec<VoteRow>,
    pager: Pager,
}

/// `GET /consultations/{id}/mine`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let (ui, id, actor) = (visit.ui(), named(&id)?, visit.actor()?);
    let found = visit.app.consultation(Some(actor), &id).await?;
    let (me, contributions, votes) = visit.app.my_part(actor, &id, &page_of(&query)).await?;
    let here = format!("/consultations/{id}/mine");
    let page = MinePage {
        head: head(&ui, &found, "mine"),
        name: ui.text(&me.name).to_owned(),
        class: class_words(&ui, me.participant.class, me.participant.verified),
        key: me.participant.key.to_string(),
        entry: me.participant.entry,
        rows: contributions.items.iter().map(|view| Row::new(&ui, view, None)).collect(),
        votes: votes
            .iter()
            .map(|vote| VoteRow {
                statement: vote.statement,
                vote: ui.word("vote-word", vote.vote.code()),
                at: ui.moment(vote.at),
                entry: vote.entry,
            })
            .collect(),
        pager: Pager {
            previous: query.contains_key("after").then(|| here.clone()),
            next: contributions.next.map(|next| with_query(&here, &[("after", &next.to_string())])),
            words: String::new(),
        },
        ui,
    };
    html(&page)
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = MinePage {
        head: super::sample_head(&ui),
        name: "Amber Heron 0042".into(),
        class: ui.word("participant-class", "public"),
        key: "ab".repeat(32),
        entry: Some(3),
        rows: vec![super::rows::sample(&ui, 1)],
        votes: vec![VoteRow {
            statement: 1,
            vote: ui.word("vote-word", "pass"),
            at: "2026-11-24 10:00:00 UTC".into(),
            entry: 9,
        }],
        pager: Pager::default(),
        ui,
    };
    vec![("consultation-mine", page.render().unwrap_or_default())]
}
