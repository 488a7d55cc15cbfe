//! `/drafts/{id}/edit`: both texts side by side, with checks by a button or while one types.

use super::{Finding, findings, read, title};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    pages::{Answered, html, shown, status_of},
    ui::Ui,
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Redirect},
};
use cogov_app::{Checked, DraftMay, DraftWords, PolicyDraftPage};
use cogov_model::{Draft, DraftKind, Locale, Text};

/// What was found, as a part of the page.
#[derive(Template)]
#[template(path = "draft_findings.html")]
pub(super) struct Findings {
    pub(super) ui: Ui,
    pub(super) findings: Vec<Finding>,
    /// Whether it can be published as it is.
    pub(super) sound: bool,
    pub(super) share: String,
}

#[derive(Template)]
#[template(path = "draft_edit.html")]
struct EditPage {
    ui: Ui,
    errors: Vec<Problem>,
    id: String,
    name: String,
    revision: String,
    title_en: String,
    title_zh: String,
    summary_en: String,
    summary_zh: String,
    original: String,
    translation: String,
    original_words: String,
    translation_words: String,
    original_lang: &'static str,
    translation_lang: &'static str,
    saved: bool,
    found: Findings,
}

/// `GET /drafts/{id}/edit`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    let (page, draft) = writable(&visit, id).await?;
    let words = DraftWords {
        title: page.text.title.clone(),
        summary: page.text.summary.clone(),
        original: page.text.original.clone(),
        translation: page.text.translation.clone(),
    };
    html(&edit_page(&visit, &draft, page.revision.to_string(), words, &page.checked, Vec::new(), false))
}

/// `POST /drafts/{id}/edit`: `check` reads the texts, `save` keeps them.
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let (_, draft) = writable(&visit, id).await?;
    let (words, revision) = (words(&fields), fields.get("revision").to_owned());
    let mut errors = Vec::new();
    if fields.get("then") != "check" {
        let number = revision.parse().unwrap_or(0);
        match visit.app.save_draft(visit.actor()?, &draft.id, number, words.clone()).await {
            Ok(_) if fields.get("then") == "close" => {
                return Ok(Redirect::to(&format!("/drafts/{}", draft.id)).into_response());
            }
            Ok(revision) => {
                let checked = check(&visit, &draft, &words).await;
                let page = edit_page(&visit, &draft, revision.to_string(), words, &checked, errors, true);
                return html(&page);
            }
            Err(error) => errors.push(Problem::from_app(&visit.ui, error)?),
        }
    }
    let checked = check(&visit, &draft, &words).await;
    let page = edit_page(&visit, &draft, revision, words, &checked, errors, false);
    shown(status_of(&page.errors), &page)
}

/// `POST /drafts/{id}/check`: the findings alone, for the script.
pub async fn fragment(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let (_, draft) = writable(&visit, id).await?;
    let checked = check(&visit, &draft, &words(&fields)).await;
    html(&found(&visit.ui, &checked))
}

async fn writable(visit: &Visit, id: String) -> Result<(PolicyDraftPage, Draft), Failure> {
    let id = read(id)?;
    let page = visit.app.policy_draft(Some(visit.actor()?), &id).await?;
    if !page.may.contains(&DraftMay::Edit) {
        return Err(Failure::not_found());
    }
    let draft = page.card.draft.clone();
    Ok((page, draft))
}

async fn check(visit: &Visit, draft: &Draft, words: &DraftWords) -> Checked {
    visit.app.check_texts(draft.kind, draft.locale, &words.original, &words.translation).await
}

pub(super) fn found(ui: &Ui, checked: &Checked) -> Findings {
    Findings {
        findings: findings(ui, checked),
        sound: checked.faults.is_empty() && !checked.clauses.is_empty(),
        share: checked
            .share
            .map(|share| ui.n("drafting-share", share.percent_enforced()))
            .unwrap_or_default(),
        ui: ui.clone(),
    }
}

/// Browsers send lines with carriage returns, and fields come trimmed: texts end with one line end.
fn text(fields: &Fields, name: &str) -> String {
    let text = fields.get(name).replace("\r\n", "\n");
    if text.is_empty() { text } else { format!("{text}\n") }
}

fn words(fields: &Fields) -> DraftWords {
    let both = |name: &str| {
        Text::new(fields.get(&format!("{name}_en")), fields.get(&format!("{name}_zh")).replace("\r\n", "\n"))
    };
    DraftWords {
        title: both("title"),
        summary: both("summary"),
        original: text(fields, "original"),
        translation: text(fields, "translation"),
    }
}

fn edit_page(
    visit: &Visit,
    draft: &Draft,
    revision: String,
    words: DraftWords,
    checked: &Checked,
    errors: Vec<Problem>,
    saved: bool,
) -> EditPage {
    let ui = visit.ui();
    let (other, key) = match draft.locale {
        Locale::En => (Locale::ZhHans, ("drafting-text-en", "drafting-text-zh")),
        Locale::ZhHans => (Locale::En, ("drafting-text-zh", "drafting-text-en")),
    };
    let rules = if draft.kind == DraftKind::Rulebook { ui.t("drafting-with-rules") } else { String::new() };
    EditPage {
        id: draft.id.to_string(),
        name: title(&ui, &words.title, &draft.id),
        revision,
        title_en: words.title.en,
        title_zh: words.title.zh,
        summary_en: words.summary.en,
        summary_zh: words.summary.zh,
        original: words.original,
        translation: words.translation,
        original_words: format!("{}{rules}", ui.t(key.0)),
        translation_words: ui.t(key.1),
        original_lang: draft.locale.tag(),
        translation_lang: other.tag(),
        saved,
        found: found(&ui, checked),
        errors,
        ui,
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let found = Findings {
        ui: ui.clone(),
        findings: vec![super::sample_finding(&ui)],
        sound: false,
        share: ui.n("drafting-share", 60_u64),
    };
    let page = EditPage {
        errors: vec![Problem::new("title_en", "Name it")],
        id: "d-1".into(),
        name: "Changes".into(),
        revision: "3".into(),
        title_en: "Changes".into(),
        title_zh: "修改".into(),
        summary_en: "Why".into(),
        summary_zh: String::new(),
        original: "## A {#a}".into(),
        translation: "## 甲 {#a}".into(),
        original_words: ui.t("drafting-text-en"),
        translation_words: ui.t("drafting-text-zh"),
        original_lang: "en",
        translation_lang: "zh-Hans",
        saved: true,
        found,
        ui,
    };
    vec![("draft-edit", page.render().unwrap_or_default())]
}
