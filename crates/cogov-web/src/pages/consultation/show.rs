//! `/consultations/{id}`: what is asked, of whom, until when; the contents; how to take part. `/text`: all of it.

use super::{Answered, Head, Way, before_taking_part, head, html, named};
use crate::{failure::Failure, ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use axum::extract::Path;
use cogov_app::{AppError, ConsultationPage, CountedClause, OpenData};
use cogov_model::{ConsultationState, DraftKind};

struct Content {
    anchor: String,
    title: String,
    count: String,
    html: String,
}

/// The draft that the text is of.
struct OfDraft {
    id: String,
    title: String,
    state: Tag,
    text: String,
    /// That another text was published since.
    later: bool,
    has_rules: bool,
}

struct Download {
    href: String,
    name: &'static str,
    words: String,
}

#[derive(Template)]
#[template(path = "consultation/show.html")]
struct ShowPage {
    ui: Ui,
    head: Head,
    host: String,
    summary: String,
    questions: Vec<String>,
    invited: Vec<String>,
    draft: Option<OfDraft>,
    is_open: bool,
    first: Option<Way>,
    me: Option<String>,
    figures: Vec<(String, String)>,
    contents: Vec<Content>,
    conclusion: Option<String>,
    entry: u64,
    downloads: Vec<Download>,
}

#[derive(Template)]
#[template(path = "consultation/text.html")]
struct TextPage {
    ui: Ui,
    head: Head,
    contents: Vec<Content>,
}

/// `GET /consultations/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    let ui = visit.ui();
    let found = visit.app.consultation(visit.viewer(), &named(&id)?).await?;
    let consultation = &found.card.consultation;
    let draft = of_draft(&visit, &found).await?;
    let page = ShowPage {
        draft,
        head: head(&ui, &found, ""),
        host: ui.text(&found.card.host.name).to_owned(),
        summary: ui.text(&consultation.summary).to_owned(),
        questions: consultation.questions.iter().map(|text| ui.text(text).to_owned()).collect(),
        invited: consultation
            .invited
            .iter()
            .map(|class| ui.word("participant-class", class.code()))
            .collect(),
        is_open: found.card.state == ConsultationState::Open,
        first: before_taking_part(&visit, &found),
        me: found.me.as_ref().map(|me| ui.text(&me.name).to_owned()),
        figures: figures(&ui, &found),
        contents: found.contents.iter().map(|clause| content(&ui, clause, false)).collect(),
        conclusion: consultation.conclusion.as_ref().map(|done| ui.text(&done.words).to_owned()),
        entry: consultation.entry,
        downloads: downloads(&ui, consultation.id.as_str()),
        ui,
    };
    html(&page)
}

async fn of_draft(visit: &Visit, found: &ConsultationPage) -> Result<Option<OfDraft>, Failure> {
    let Some((id, text)) = found.card.consultation.draft.as_ref().and_then(|reference| reference.parts())
    else {
        return Ok(None);
    };
    let card = match visit.app.draft_card_of(visit.viewer(), &id).await {
        Ok(card) => card,
        Err(AppError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let ui = &visit.ui;
    Ok(Some(OfDraft {
        title: crate::pages::drafting::title(ui, &card.draft.title, &id),
        state: crate::pages::drafting::state(ui, &card),
        text: ui.num(text),
        later: card.draft.published().is_some_and(|published| published.text != text),
        has_rules: card.draft.kind == DraftKind::Rulebook,
        id: id.to_string(),
    }))
}

/// `GET /consultations/{id}/text`
pub async fn text(visit: Visit, Path(id): Path<String>) -> Answered {
    let (ui, id) = (visit.ui(), named(&id)?);
    let found = visit.app.consultation(visit.viewer(), &id).await?;
    let text = visit.app.consultation_text(&id).await?;
    let page = TextPage {
        head: head(&ui, &found, "text"),
        contents: text.iter().map(|clause| content(&ui, clause, true)).collect(),
        ui,
    };
    html(&page)
}

fn content(ui: &Ui, clause: &CountedClause, with_words: bool) -> Content {
    let title = ui.text(&clause.clause.title);
    let html = match with_words {
        true => cogov_rulebook::words_html(ui.text(&clause.clause.words)),
        false => String::new(),
    };
    Content {
        anchor: clause.clause.anchor.to_string(),
        title: if title.is_empty() { ui.t("consultation-untitled") } else { title.to_owned() },
        count: ui.n("consultation-said", clause.contributions),
        html,
    }
}

fn figures(ui: &Ui, found: &ConsultationPage) -> Vec<(String, String)> {
    let counts = &found.card.counts;
    [
        (counts.participants, "consultation-figure-participants"),
        (counts.contributions, "consultation-figure-contributions"),
        (counts.votes, "consultation-figure-votes"),
        (counts.answers, "consultation-figure-answers"),
        (counts.unanswered, "consultation-figure-unanswered"),
    ]
    .map(|(count, key)| (ui.num(count), ui.t(key)))
    .into()
}

fn downloads(ui: &Ui, id: &str) -> Vec<Download> {
    let download = |file: OpenData| Download {
        href: format!("/api/v1/consultations/{id}/{}", file.name()),
        name: file.name(),
        words: ui.word("open-data", file.code()),
    };
    OpenData::ALL.map(download).into()
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let content = |html: &str| Content {
        anchor: "art-9".into(),
        title: "Sensitive data".into(),
        count: ui.n("consultation-said", 2_u64),
        html: html.into(),
    };
    let show = ShowPage {
        head: super::sample_head(&ui),
        host: "Authority".into(),
        summary: "About statistics.".into(),
        questions: vec!["Ten or twenty?".into()],
        invited: vec![ui.word("participant-class", "public")],
        draft: Some(OfDraft {
            id: "d-1".into(),
            title: "Twenty instead of ten".into(),
            state: Tag::new("waiting", ui.word("draft-state", "published")),
            text: "2".into(),
            later: true,
            has_rules: true,
        }),
        is_open: true,
        first: Some(Way { words: "First".into(), links: vec![("/sign-in".into(), "Sign in".into())] }),
        me: Some("Amber Heron 0042".into()),
        figures: vec![("3".into(), ui.t("consultation-figure-participants"))],
        contents: vec![content("")],
        conclusion: Some("Done".into()),
        entry: 4,
        downloads: downloads(&ui, "c-1"),
        ui: ui.clone(),
    };
    let text = TextPage { head: super::sample_head(&ui), contents: vec![content("<p>Words</p>")], ui };
    vec![
        ("consultation", show.render().unwrap_or_default()),
        ("consultation-text", text.render().unwrap_or_default()),
    ]
}
