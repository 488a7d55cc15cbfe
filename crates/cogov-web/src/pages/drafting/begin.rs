//! `/drafts`: the drafts there are, and beginning one.

use super::{state, title};
use crate::{
    form::{Posted, Problem},
    pages::{Answered, shown, status_of},
    ui::Ui,
    uploaded::Uploaded,
    view::Tag,
    visit::Visit,
};
use askama::Template;
use axum::response::{IntoResponse, Redirect};
use cogov_app::DraftCard;
use cogov_model::Role;

struct Card {
    id: String,
    title: String,
    state: Tag,
    kind: String,
    proposer: String,
    begun: String,
    summary: String,
}

#[derive(Template)]
#[template(path = "drafts.html")]
struct DraftsPage {
    ui: Ui,
    errors: Vec<Problem>,
    cards: Vec<Card>,
    drafts: bool,
    title: String,
    text: String,
}

/// `GET /drafts`
pub async fn show(visit: Visit) -> Answered {
    page(&visit, "", "", Vec::new()).await
}

/// `POST /drafts/branch`: a draft of the rulebook in force.
pub async fn branch(visit: Visit, Posted(_): Posted) -> Answered {
    let id = visit.app.branch_rulebook(visit.actor()?).await?;
    Ok(Redirect::to(&format!("/drafts/{id}/edit")).into_response())
}

/// `POST /drafts/text`: another text, pasted or uploaded.
pub async fn text(visit: Visit, form: Uploaded) -> Answered {
    let (fields, problems) = form.words(&visit.ui, &[("file", "text")]).await;
    let (name, text) = (fields.get("title"), fields.get("text"));
    if !problems.is_empty() {
        return page(&visit, name, text, problems).await;
    }
    match visit.app.begin_text(visit.actor()?, name, text).await {
        Ok(id) => Ok(Redirect::to(&format!("/drafts/{id}/edit")).into_response()),
        Err(error) => page(&visit, name, text, vec![Problem::from_app(&visit.ui, error)?]).await,
    }
}

async fn page(visit: &Visit, name: &str, text: &str, errors: Vec<Problem>) -> Answered {
    let ui = visit.ui();
    let cards = visit.app.drafts(visit.viewer()).await?;
    let page = DraftsPage {
        cards: cards.iter().map(|found| card(&ui, found)).collect(),
        drafts: visit.viewer().is_some_and(|actor| actor.is(Role::Drafter)),
        title: name.to_owned(),
        text: text.to_owned(),
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

fn card(ui: &Ui, found: &DraftCard) -> Card {
    let draft = &found.draft;
    Card {
        id: draft.id.to_string(),
        title: title(ui, &draft.title, &draft.id),
        state: state(ui, found),
        kind: ui.word("draft-kind", draft.kind.code()),
        proposer: ui.text(&found.proposer.name).to_owned(),
        begun: ui.day(draft.made_at),
        summary: ui.text(&draft.summary).to_owned(),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let card = Card {
        id: "d-1".into(),
        title: "Changes".into(),
        state: Tag::new("waiting", ui.word("draft-state", "published")),
        kind: ui.word("draft-kind", "rulebook"),
        proposer: "Data Authority".into(),
        begun: "2026-11-24".into(),
        summary: "Twenty instead of ten.".into(),
    };
    let errors = vec![Problem::new("file", ui.with("file-broken", "name", "a.docx"))];
    let page = DraftsPage {
        errors,
        cards: vec![card],
        drafts: true,
        title: "T".into(),
        text: "Article 1".into(),
        ui,
    };
    vec![("drafts", page.render().unwrap_or_default())]
}
