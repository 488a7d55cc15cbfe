//! `/drafts`: the drafts there are, and beginning one.

use super::{state, title};
use crate::{
    failure::Failure,
    form::{Posted, Problem, check_token},
    pages::{Answered, shown, status_of},
    ui::Ui,
    view::Tag,
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Multipart,
    response::{IntoResponse, Redirect},
};
use cogov_app::DraftCard;
use cogov_model::Role;
use cogov_rulebook::{MOST_FILE, read_docx};

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
pub async fn text(visit: Visit, mut form: Multipart) -> Answered {
    let (mut token, mut name, mut pasted) = (String::new(), String::new(), String::new());
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(|_| Failure::forged())? {
        let part = field.name().unwrap_or_default().to_owned();
        match part.as_str() {
            "csrf" => token = field.text().await.map_err(|_| Failure::forged())?,
            "title" => name = field.text().await.map_err(|_| Failure::forged())?.trim().to_owned(),
            "text" => pasted = field.text().await.map_err(|_| Failure::forged())?,
            "file" if !field.file_name().unwrap_or_default().is_empty() => {
                check_token(&visit, &token)?;
                let docx = field.file_name().is_some_and(|name| name.to_lowercase().ends_with(".docx"));
                file = Some((docx, field.bytes().await.map_err(|_| too_large())?));
            }
            _ => {}
        }
    }
    check_token(&visit, &token)?;
    let text = match file {
        Some((docx, bytes)) => words_of(&visit.ui, docx, &bytes),
        None => Ok(pasted.clone()),
    };
    let begun = match text {
        Ok(text) => visit
            .app
            .begin_text(visit.actor()?, &name, &text)
            .await
            .map_err(|error| Problem::from_app(&visit.ui, error)),
        Err(problem) => Err(Ok(problem)),
    };
    match begun {
        Ok(id) => Ok(Redirect::to(&format!("/drafts/{id}/edit")).into_response()),
        Err(problem) => page(&visit, &name, &pasted, vec![problem?]).await,
    }
}

fn too_large() -> Failure {
    Failure::from(cogov_app::AppError::invalid(
        "file",
        "The file is too large: send the text alone.",
        "文件过大：请只上传文本。",
    ))
}

/// The words of an uploaded file.
fn words_of(ui: &Ui, docx: bool, bytes: &[u8]) -> Result<String, Problem> {
    if docx || bytes.starts_with(b"PK\x03\x04") {
        return read_docx(bytes).map_err(|error| {
            let why = match error {
                cogov_rulebook::DocxError::TooLarge | cogov_rulebook::DocxError::Bomb => {
                    "drafting-docx-large"
                }
                cogov_rulebook::DocxError::Empty => "drafting-docx-empty",
                cogov_rulebook::DocxError::Hostile => "drafting-docx-hostile",
                _ => "drafting-docx-broken",
            };
            Problem::new("file", ui.t(why))
        });
    }
    if bytes.len() > MOST_FILE {
        return Err(Problem::new("file", ui.t("drafting-docx-large")));
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::new("file", ui.t("drafting-not-text")))
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
    let errors = vec![Problem::new("file", ui.t("drafting-docx-broken"))];
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
