//! `/consultations/{id}`: what is asked, of whom, until when; the contents; how to take part. `/text`: all of it.

use super::{Answered, Head, Way, before_taking_part, head, html, named};
use crate::{failure::Failure, pages::drafting::change_tag, ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use axum::extract::Path;
use cogov_app::{AppError, ConsultationPage, CountedClause, OpenData};
use cogov_model::{ConsultationState, DraftId, DraftKind};
use cogov_rulebook::ClauseDifference;
use std::collections::HashMap;

struct Content {
    anchor: String,
    title: String,
    count: String,
    html: String,
    /// What the draft does to it.
    change: Option<Tag>,
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
    /// What it does to clauses, by their anchors.
    changes: HashMap<String, Tag>,
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
    /// Whether clauses that the draft changes are marked.
    marked: bool,
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
    let contents = found.contents.iter().map(|clause| {
        let anchor = clause.clause.anchor.as_str();
        let change = draft.as_ref().and_then(|draft| draft.changes.get(anchor)).cloned();
        Content { change, ..content(&ui, clause, false) }
    });
    let page = ShowPage {
        contents: contents.collect(),
        marked: draft.as_ref().is_some_and(|draft| !draft.changes.is_empty()),
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
    let has_rules = card.draft.kind == DraftKind::Rulebook;
    Ok(Some(OfDraft {
        changes: if has_rules { changes(visit, &id, text).await? } else { HashMap::new() },
        has_rules,
        title: crate::pages::drafting::title(ui, &card.draft.title, &id),
        state: crate::pages::drafting::state(ui, &card),
        text: ui.num(text),
        later: card.draft.published().is_some_and(|published| published.text != text),
        id: id.to_string(),
    }))
}

/// What the text that is consulted on does to the rulebook it branches from; nothing once another text is shown.
async fn changes(visit: &Visit, id: &DraftId, text: u64) -> Result<HashMap<String, Tag>, Failure> {
    let ui = &visit.ui;
    let page = visit.app.policy_draft(visit.viewer(), id).await?;
    if page.text.number != text {
        return Ok(HashMap::new());
    }
    let change = |found: &ClauseDifference| (found.anchor.to_string(), change_tag(ui, found.change));
    Ok(page.differences(ui.locale).iter().map(change).collect())
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
        change: None,
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
        change: Some(Tag::new("waiting", ui.t("drafting-both"))),
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
            changes: HashMap::new(),
        }),
        is_open: true,
        first: Some(Way { words: "First".into(), links: vec![("/sign-in".into(), "Sign in".into())] }),
        me: Some("Amber Heron 0042".into()),
        figures: vec![("3".into(), ui.t("consultation-figure-participants"))],
        contents: vec![content("")],
        marked: true,
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
