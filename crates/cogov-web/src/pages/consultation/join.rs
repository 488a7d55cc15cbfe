//! `/consultations/{id}/join`: in which class somebody takes part, and under which name others read them.

use super::{Answered, Head, head, named, shown, status_of};
use crate::{
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
use cogov_model::{ConsultationId, ParticipantClass};
use std::collections::HashMap;

struct ClassChoice {
    choice: Choice,
    hint: String,
}

#[derive(Template)]
#[template(path = "consultation/join.html")]
struct JoinPage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    next: String,
    own_name: String,
    classes: Vec<ClassChoice>,
}

/// `GET /consultations/{id}/join`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let next = query.get("next").map(String::as_str).unwrap_or_default();
    page(&visit, &named(&id)?, next, "", Vec::new()).await
}

/// `POST /consultations/{id}/join`
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = named(&id)?;
    let next = fields.get("next");
    let class = ParticipantClass::ALL.into_iter().find(|class| class.code() == fields.get("class"));
    let Some(class) = class else {
        let problem = Problem::new("class", visit.ui.t("consultation-choose-class"));
        return page(&visit, &id, next, "", vec![problem]).await;
    };
    match visit.app.join_consultation(visit.actor()?, &id, class, fields.get("name") == "own").await {
        Ok(_) => {
            let inside = crate::pages::sign_in::inside(next);
            let to = if inside == "/" { format!("/consultations/{id}/vote") } else { inside.to_owned() };
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            page(&visit, &id, next, class.code(), vec![problem]).await
        }
    }
}

async fn page(
    visit: &Visit,
    id: &ConsultationId,
    next: &str,
    chosen: &str,
    errors: Vec<Problem>,
) -> Answered {
    let (ui, actor) = (visit.ui(), visit.actor()?);
    let found = visit.app.consultation(Some(actor), id).await?;
    let invited = &found.card.consultation.invited;
    let offered = ParticipantClass::ALL.into_iter().filter(|c| !c.asks_for_proof() || invited.contains(c));
    let class = |class: ParticipantClass| ClassChoice {
        choice: Choice::new(class.code(), ui.word("participant-class", class.code()), chosen),
        hint: match (class.asks_for_proof(), class.is_shown_by(actor.party.class)) {
            (false, _) => ui.t("participant-hint-public"),
            (true, true) => ui.with("participant-hint-verified", "party", ui.text(&actor.party.name)),
            (true, false) => ui.t("participant-hint-declared"),
        },
    };
    let page = JoinPage {
        head: head(&ui, &found, ""),
        next: next.to_owned(),
        own_name: actor.name.clone(),
        classes: offered.map(class).collect(),
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = JoinPage {
        errors: vec![Problem::new("class", ui.t("consultation-choose-class"))],
        head: super::sample_head(&ui),
        next: "/consultations/c-1".into(),
        own_name: "Lin Chen".into(),
        classes: vec![ClassChoice {
            choice: Choice::new("public", ui.word("participant-class", "public"), "public"),
            hint: ui.t("participant-hint-public"),
        }],
        ui,
    };
    vec![("consultation-join", page.render().unwrap_or_default())]
}
