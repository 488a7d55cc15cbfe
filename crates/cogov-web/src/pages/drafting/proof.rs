//! `/drafts/{id}/proof`: a claim about the draft, proved for all facts or refuted by some.

use super::{draft_as, page::PUBLISHED, read, title};
use crate::{
    pages::{Answered, html},
    ui::Ui,
    view::{Choice, Tag, Treated},
    visit::Visit,
};
use askama::Template;
use axum::extract::{Path, Query};
use cogov_model::{CategoryCode, Form, PartyClass};
use cogov_rulebook::{Claim, Counterexample, Facts, NotAsked, Opinion, Proof, Ruling};
use std::collections::HashMap;

struct Side {
    who: String,
    treatment: Treated,
    reason: String,
}

struct Answer {
    tag: Tag,
    /// Where the solver contradicts.
    alarm: Option<Tag>,
    claim: String,
    words: String,
    /// The solver's.
    opinion: String,
    facts: Vec<(String, String)>,
    sides: Vec<Side>,
}

#[derive(Template)]
#[template(path = "draft_proof.html")]
struct ProofPage {
    ui: Ui,
    id: String,
    title: String,
    classes: Vec<Choice>,
    forms: Vec<Choice>,
    categories: Vec<Choice>,
    of_others: bool,
    answer: Option<Answer>,
    /// Whether it is of a text that is not published while another is.
    unpublished: bool,
    /// Whether the published text was asked for.
    as_published: bool,
}

/// `GET /drafts/{id}/proof`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let id = read(id)?;
    let ui = visit.ui();
    let as_published = query.get("view").is_some_and(|view| view == PUBLISHED);
    let found = draft_as(&visit, &id, as_published).await?;
    let answer = match claim(&query) {
        Some(claim) => {
            let proven = visit.app.prove_shown(&found, claim.clone()).await?;
            Some(answer(&visit, &claim, &proven.proof, &proven.opinion))
        }
        None => None,
    };
    let now = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    html(&ProofPage {
        id: id.to_string(),
        title: title(&ui, &found.text.title, &id),
        unpublished: !found.is_published && found.card.draft.published().is_some(),
        as_published,
        classes: choices(
            ui.t("proof-everybody"),
            PartyClass::ALL.map(|class| (class.code().to_owned(), ui.word("class", class.code()))),
            now("class"),
        ),
        forms: choices(
            ui.t("proof-any-form"),
            Form::ALL.map(|form| (form.code().to_owned(), ui.word("form", form.code()))),
            now("form"),
        ),
        categories: choices(
            ui.t("proof-any-category"),
            visit.app.scheme().categories.iter().map(|category| {
                (category.code.to_string(), format!("{} ({})", ui.text(&category.name), category.code))
            }),
            now("category"),
        ),
        of_others: now("claim").is_empty() || now("others") == "yes",
        answer,
        ui,
    })
}

fn choices(any: String, all: impl IntoIterator<Item = (String, String)>, now: &str) -> Vec<Choice> {
    let first = Choice::new("", any, now);
    std::iter::once(first).chain(all.into_iter().map(|(code, words)| Choice::new(code, words, now))).collect()
}

/// The claim that the address asks about.
fn claim(query: &HashMap<String, String>) -> Option<Claim> {
    let now = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    match now("claim")? {
        "nothing-new" => Some(Claim::NothingNew),
        "nothing-looser" => Some(Claim::NothingLooser),
        "nobody" => Some(Claim::Nobody {
            class: now("class")
                .and_then(|code| PartyClass::ALL.into_iter().find(|class| class.code() == code)),
            category: now("category").and_then(|code| CategoryCode::new(code).ok()),
            forms: now("form")
                .and_then(|code| Form::ALL.into_iter().find(|form| form.code() == code))
                .into_iter()
                .collect(),
            of_others: now("others") == Some("yes"),
        }),
        _ => None,
    }
}

/// The claim in a sentence.
fn claim_words(visit: &Visit, claim: &Claim) -> String {
    let ui = &visit.ui;
    match claim {
        Claim::NothingNew => ui.t("proof-nothing-new"),
        Claim::NothingLooser => ui.t("proof-nothing-looser"),
        Claim::Nobody { class, category, forms, of_others } => {
            let class = class.map_or_else(|| ui.t("proof-everybody"), |class| ui.word("class", class.code()));
            let form =
                forms.first().map_or_else(|| ui.t("proof-any-form"), |form| ui.word("form", form.code()));
            let category = category.as_ref().map_or_else(
                || ui.t("proof-any-category"),
                |code| format!("{} ({code})", ui.text(&visit.app.category_name(code))),
            );
            let whose = if *of_others { ui.t("proof-of-others") } else { ui.t("proof-of-anyone") };
            ui.with("proof-nobody-words", "what", [class, form, category, whose].join(" · "))
        }
    }
}

/// What the solver says, in a sentence.
fn opinion_words(ui: &Ui, opinion: &Opinion) -> String {
    match opinion {
        Opinion::Confirmed { version } => ui.with("proof-opinion-confirmed", "version", version),
        Opinion::Contradicted { version } => ui.with("proof-opinion-contradicted", "version", version),
        Opinion::Alone { version, holds: true } => ui.with("proof-opinion-holds", "version", version),
        Opinion::Alone { version, holds: false } => ui.with("proof-opinion-fails", "version", version),
        Opinion::TimedOut { after } => ui.with("proof-opinion-slow", "seconds", after.as_secs()),
        Opinion::NotAsked(NotAsked::NotUnderstood) => ui.t("proof-opinion-not-understood"),
        Opinion::NotAsked(NotAsked::TooManyTreatments) => ui.t("proof-opinion-treatments"),
        Opinion::NotAsked(NotAsked::Busy) => ui.t("proof-opinion-busy"),
        Opinion::Missing => ui.t("proof-opinion-missing"),
        Opinion::TooOld { version } => ui.with("proof-opinion-old", "version", version),
        // What happened is for the operator: it is in the log.
        Opinion::Failed { .. } => ui.t("proof-opinion-failed"),
    }
}

fn answer(visit: &Visit, claim: &Claim, proof: &Proof, opinion: &Opinion) -> Answer {
    let ui = &visit.ui;
    let said = |tag: Tag, words: String| Answer {
        tag,
        alarm: opinion.contradicts().then(|| Tag::new("deny", ui.t("proof-contradicted"))),
        claim: claim_words(visit, claim),
        words,
        opinion: opinion_words(ui, opinion),
        facts: Vec::new(),
        sides: Vec::new(),
    };
    match proof {
        Proof::Proved { steps } => {
            said(Tag::new("permit", ui.t("proof-proved")), ui.n("proof-proved-words", *steps))
        }
        Proof::GaveUp { steps } => said(Tag::new("quiet", ui.t("proof-open")), ui.n("proof-gave-up", *steps)),
        Proof::NotUnderstood { clause, line, what } => said(
            Tag::new("quiet", ui.t("proof-open")),
            ui.with("proof-not-understood", "what", format!("{clause}, {line}: {what}")),
        ),
        Proof::Refuted(example) => Answer {
            facts: fact_rows(ui, &example.facts),
            sides: sides(ui, example),
            ..said(Tag::new("deny", ui.t("proof-refuted")), ui.t("proof-refuted-words"))
        },
    }
}

fn sides(ui: &Ui, example: &Counterexample) -> Vec<Side> {
    let side = |key: &str, ruling: &Ruling| Side {
        who: ui.t(key),
        treatment: Treated::new(ui, ruling.treatment),
        reason: ui.text(&ruling.reason).to_owned(),
    };
    let there = example.there.iter().map(|ruling| side("proof-today", ruling));
    there.chain([side("proof-draft", &example.here)]).collect()
}

fn fact_rows(ui: &Ui, facts: &Facts) -> Vec<(String, String)> {
    let yes = |flag: bool| if flag { ui.t("proof-yes") } else { ui.t("proof-no") };
    let tier = |tier: &Option<cogov_model::Tier>| {
        tier.map_or_else(|| "–".to_owned(), |tier| ui.word("tier", tier.code()))
    };
    let categories: Vec<&str> = facts.label.categories.iter().map(AsRef::as_ref).collect();
    vec![
        (ui.t("proof-fact-class"), ui.word("class", facts.class.code())),
        (ui.t("proof-fact-tier"), tier(&facts.tier)),
        (ui.t("proof-fact-provider-tier"), tier(&facts.provider_tier)),
        (ui.t("proof-fact-form"), ui.word("form", facts.form.code())),
        (ui.t("proof-fact-lane"), ui.word("lane", facts.lane.code())),
        (ui.t("proof-fact-purpose"), facts.purpose.to_string()),
        (ui.t("proof-fact-basis"), yes(facts.legal_basis)),
        (ui.t("proof-fact-grade"), ui.grade(facts.label.grade)),
        (
            ui.t("proof-fact-categories"),
            if categories.is_empty() { "–".to_owned() } else { categories.join(", ") },
        ),
        (ui.t("proof-fact-sharing"), ui.word("sharing", facts.sharing.code())),
        (ui.t("proof-fact-same-party"), yes(facts.same_party())),
        (ui.t("proof-fact-own-rows"), yes(facts.own_region_rows)),
        (ui.t("proof-fact-days"), facts.days_left.to_string()),
    ]
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let choice = || vec![Choice::new("", ui.t("proof-everybody"), "")];
    let answer = Answer {
        tag: Tag::new("deny", ui.t("proof-refuted")),
        claim: ui.t("proof-nothing-new"),
        words: ui.t("proof-refuted-words"),
        alarm: Some(Tag::new("deny", ui.t("proof-contradicted"))),
        opinion: opinion_words(&ui, &Opinion::Contradicted { version: "1.3.1".into() }),
        facts: vec![(ui.t("proof-fact-grade"), "General 2".into())],
        sides: vec![Side {
            who: ui.t("proof-draft"),
            treatment: Treated::new(&ui, cogov_model::Treatment::Clear),
            reason: "Shown".into(),
        }],
    };
    let page = ProofPage {
        id: "d-1".into(),
        title: "Changes".into(),
        unpublished: true,
        as_published: true,
        classes: choice(),
        forms: choice(),
        categories: choice(),
        of_others: true,
        answer: Some(answer),
        ui: ui.clone(),
    };
    vec![("draft-proof", page.render().unwrap_or_default())]
}
