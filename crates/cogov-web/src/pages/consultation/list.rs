//! `/consultations`: what is open to opinions, what will be, and what was.

use super::Answered;
use super::{html, page_of, state_tag, when};
use crate::{
    ui::Ui,
    view::{Pager, Tag, with_query},
    visit::Visit,
};
use askama::Template;
use axum::extract::Query;
use cogov_app::ConsultationCard;
use cogov_model::{PartyClass, Role};
use std::collections::HashMap;

pub(super) struct Card {
    id: String,
    title: String,
    state: Tag,
    summary: String,
    host: String,
    when: String,
    participants: String,
    contributions: String,
    votes: String,
}

#[derive(Template)]
#[template(path = "consultation/list.html")]
struct ListPage {
    ui: Ui,
    may_open: bool,
    cards: Vec<Card>,
    pager: Pager,
}

/// `GET /consultations`
pub async fn show(visit: Visit, Query(query): Query<HashMap<String, String>>) -> Answered {
    let ui = visit.ui();
    let found = visit.app.consultations(&page_of(&query)).await?;
    let may_open = visit.viewer().is_some_and(|actor| {
        actor.party.class == PartyClass::Government && actor.is_any(&[Role::Head, Role::Admin])
    });
    let next = found.next.map(|next| with_query("/consultations", &[("after", &next.to_string())]));
    let previous = query.contains_key("after").then(|| "/consultations".to_owned());
    let page = ListPage {
        may_open,
        cards: found.items.iter().map(|found| card(&ui, found)).collect(),
        pager: Pager { previous, next, words: String::new() },
        ui,
    };
    html(&page)
}

fn card(ui: &Ui, found: &ConsultationCard) -> Card {
    Card {
        id: found.consultation.id.to_string(),
        title: ui.text(&found.consultation.title).to_owned(),
        state: state_tag(ui, found.state),
        summary: ui.text(&found.consultation.summary).to_owned(),
        host: ui.text(&found.host.name).to_owned(),
        when: when(ui, found),
        participants: ui.n("consultation-participants", found.counts.participants),
        contributions: ui.n("consultation-contributions", found.counts.contributions),
        votes: ui.n("consultation-votes", found.counts.votes),
    }
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let card = Card {
        id: "c-1".into(),
        title: "Ten or twenty?".into(),
        state: state_tag(&ui, cogov_model::ConsultationState::Open),
        summary: "About statistics.".into(),
        host: "Authority".into(),
        when: ui.with("consultation-open-until", "at", "2026-12-01"),
        participants: ui.n("consultation-participants", 3_u64),
        contributions: ui.n("consultation-contributions", 1_u64),
        votes: ui.n("consultation-votes", 9_u64),
    };
    let pager = Pager { previous: None, next: Some("/consultations?after=1".into()), words: String::new() };
    let page = ListPage { may_open: true, cards: vec![card], pager, ui };
    vec![("consultations", page.render().unwrap_or_default())]
}
