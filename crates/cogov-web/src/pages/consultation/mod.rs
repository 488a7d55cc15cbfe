//! `/consultations…`: reading a text clause by clause, speaking to it, voting, and seeing what came of it.

mod answers;
mod clause;
mod differences;
mod join;
mod list;
mod mine;
mod moderate;
mod new;
mod opinions;
mod receipt;
mod rows;
mod show;
mod statements;
mod voice;
mod vote;

pub use voice::VoiceView;
#[cfg(test)]
pub use voice::sample as sample_voice;

use super::{Answered, html, shown, status_of};
use crate::{Web, failure::Failure, ui::Ui, uploaded, view::Tag, visit::Visit};
use axum::{Router, extract::DefaultBodyLimit, routing::get};
use cogov_app::{ConsultationCard, ConsultationPage, Cursor, Page};
use cogov_model::{ClauseId, ConsultationId, ConsultationState};
use std::collections::HashMap;

/// Contributions of one page.
const ROWS: u32 = 50;

/// The routes of consultations.
pub fn routes() -> Router<Web> {
    let files = Router::new()
        .route("/consultations/new", get(new::show).post(new::submit))
        .layer(DefaultBodyLimit::max(uploaded::MOST_REQUEST));
    Router::new()
        .route("/consultations", get(list::show))
        .merge(files)
        .route("/consultations/{id}", get(show::show))
        .route("/consultations/{id}/text", get(show::text))
        .route("/consultations/{id}/clauses/{anchor}", get(clause::show).post(clause::submit))
        .route("/consultations/{id}/statements", get(statements::show).post(statements::submit))
        .route("/consultations/{id}/vote", get(vote::show).post(vote::submit))
        .route("/consultations/{id}/join", get(join::show).post(join::submit))
        .route("/consultations/{id}/opinions", get(opinions::show))
        .route("/consultations/{id}/mine", get(mine::show))
        .route("/consultations/{id}/receipts/{entry}", get(receipt::show))
        .route("/consultations/{id}/answers", get(answers::show).post(answers::submit))
        .route("/consultations/{id}/answers/{number}", get(answers::one))
        .route("/consultations/{id}/conclude", axum::routing::post(answers::conclude))
        .route("/consultations/{id}/moderate", get(moderate::show).post(moderate::submit))
}

/// A part of a consultation's pages.
pub struct Tab {
    /// Where it leads.
    pub href: String,
    /// Its words.
    pub words: String,
    /// Whether the page is in it.
    pub here: bool,
}

/// What stands above every page of a consultation.
pub struct Head {
    /// Its identifier.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: Tag,
    /// Its dates in words.
    pub when: String,
    /// Its parts.
    pub tabs: Vec<Tab>,
}

fn head(ui: &Ui, page: &ConsultationPage, here: &str) -> Head {
    let id = &page.card.consultation.id;
    let tab = |part: &str, key: &str| Tab {
        href: if part.is_empty() {
            format!("/consultations/{id}")
        } else {
            format!("/consultations/{id}/{part}")
        },
        words: ui.t(key),
        here: part == here,
    };
    let mut tabs = vec![
        tab("", "consultation-tab-overview"),
        tab("text", "consultation-tab-text"),
        tab("statements", "consultation-tab-statements"),
        tab("opinions", "consultation-tab-opinions"),
        tab("answers", "consultation-tab-answers"),
    ];
    if page.me.is_some() {
        tabs.push(tab("mine", "consultation-tab-mine"));
    }
    if page.may.moderate {
        tabs.push(tab("moderate", "consultation-tab-moderate"));
    }
    Head {
        id: id.to_string(),
        title: ui.text(&page.card.consultation.title).to_owned(),
        state: state_tag(ui, page.card.state),
        when: when(ui, &page.card),
        tabs,
    }
}

pub(super) fn state_tag(ui: &Ui, state: ConsultationState) -> Tag {
    let css = match state {
        ConsultationState::Open => "permit",
        ConsultationState::Announced | ConsultationState::Answering => "waiting",
        ConsultationState::Concluded => "quiet",
    };
    Tag::new(css, ui.word("consultation-state", state.code()))
}

/// The dates of a consultation, as its state makes them matter.
pub(super) fn when(ui: &Ui, card: &ConsultationCard) -> String {
    let consultation = &card.consultation;
    match card.state {
        ConsultationState::Announced => ui.with("consultation-opens-at", "at", ui.moment(consultation.opens)),
        ConsultationState::Open => ui.with("consultation-open-until", "at", ui.moment(consultation.closes)),
        ConsultationState::Answering => {
            ui.with("consultation-closed-at", "at", ui.moment(consultation.closes))
        }
        ConsultationState::Concluded => {
            let at = consultation.conclusion.as_ref().map_or(consultation.closes, |done| done.at);
            ui.with("consultation-concluded-at", "at", ui.moment(at))
        }
    }
}

/// The consultation that a path names.
fn named(id: &str) -> Result<ConsultationId, Failure> {
    ConsultationId::new(id).map_err(|_| Failure::not_found())
}

/// The clause that a path names.
fn anchored(anchor: &str) -> Result<ClauseId, Failure> {
    ClauseId::new(anchor).map_err(|_| Failure::not_found())
}

/// The page of a list that an address asks for.
fn page_of(query: &HashMap<String, String>) -> Page {
    Page::new(query.get("after").map(|after| Cursor::from_text(after)), ROWS)
}

/// Where somebody has to go before they can take part: to sign in or to join. None when they can.
fn before_taking_part(visit: &Visit, page: &ConsultationPage) -> Option<Way> {
    if !page.may.take_part && visit.signed.is_some() || page.card.state != ConsultationState::Open {
        return None;
    }
    let back = visit.ui.path.clone();
    let id = &page.card.consultation.id;
    if visit.signed.is_none() {
        return Some(Way {
            words: visit.ui.t("consultation-sign-in-first"),
            links: vec![
                (crate::view::with_query("/sign-in", &[("next", &back)]), visit.ui.t("shell-sign-in")),
                (crate::view::with_query("/register", &[("next", &back)]), visit.ui.t("register-title")),
            ],
        });
    }
    page.me.is_none().then(|| Way {
        words: visit.ui.t("consultation-join-first"),
        links: vec![(
            crate::view::with_query(&format!("/consultations/{id}/join"), &[("next", &back)]),
            visit.ui.t("consultation-join"),
        )],
    })
}

/// What has to be done first, with links.
#[derive(Clone)]
pub struct Way {
    /// Why.
    pub words: String,
    /// Where: address and words.
    pub links: Vec<(String, String)>,
}

/// Every page of consultations with sample data.
#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let all = [
        answers::samples,
        clause::samples,
        join::samples,
        list::samples,
        mine::samples,
        moderate::samples,
        new::samples,
        opinions::samples,
        receipt::samples,
        show::samples,
        statements::samples,
        vote::samples,
    ];
    all.iter().flat_map(|samples| samples(ui.clone())).collect()
}

#[cfg(test)]
fn sample_head(ui: &Ui) -> Head {
    Head {
        id: "c-1".into(),
        title: "Ten or twenty?".into(),
        state: state_tag(ui, ConsultationState::Open),
        when: ui.with("consultation-open-until", "at", "2026-12-01"),
        tabs: vec![Tab { href: "/consultations/c-1".into(), words: "Overview".into(), here: true }],
    }
}
