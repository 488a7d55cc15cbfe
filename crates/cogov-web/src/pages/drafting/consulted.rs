//! A draft's consultations on its page: what was asked, what waits for an answer, and what that means for its adoption.

use crate::{
    pages::consultation::{VoiceView, state_tag, when},
    ui::Ui,
    view::Tag,
};
use cogov_app::{AdoptionPage, Consulted, DraftConsultation, DraftMay, PolicyDraftPage, Voice};
use cogov_model::ClauseId;

/// A consultation as a row.
pub struct ConsultationRow {
    /// Its identifier.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: Tag,
    /// Its dates as its state makes them matter.
    pub when: String,
    /// The text that it is on.
    pub text: String,
    /// How much is in it.
    pub counts: Vec<String>,
    /// Contributions without an answer, in words.
    pub open: String,
}

/// The part of the page.
pub struct Consulting {
    /// Whether this person may open one now.
    pub may: bool,
    /// The consultations, oldest first.
    pub rows: Vec<ConsultationRow>,
    /// What is to be done before the draft may be adopted.
    pub hindrances: Vec<String>,
}

impl Consulting {
    /// From what the use case found.
    pub fn new(ui: &Ui, page: &PolicyDraftPage, found: &Consulted, adoption: Option<&AdoptionPage>) -> Self {
        let words = adoption.iter().flat_map(|page| &page.hindrances).map(cogov_app::Hindrance::words);
        Self {
            may: page.may.contains(&DraftMay::Consult),
            rows: found.consultations.iter().map(|found| row(ui, found)).collect(),
            hindrances: words.map(|words| ui.text(&words).to_owned()).collect(),
        }
    }
}

fn row(ui: &Ui, found: &DraftConsultation) -> ConsultationRow {
    let (card, counts) = (&found.card, &found.card.counts);
    ConsultationRow {
        id: card.consultation.id.to_string(),
        title: ui.text(&card.consultation.title).to_owned(),
        state: state_tag(ui, card.state),
        when: when(ui, card),
        text: ui.with("consultation-draft-text", "text", found.text),
        counts: vec![
            ui.n("consultation-participants", counts.participants),
            ui.n("consultation-contributions", counts.contributions),
            ui.n("consultation-votes", counts.votes),
        ],
        open: ui.n("answers-open", counts.unanswered),
    }
}

/// The answers behind a clause.
pub fn voices(ui: &Ui, found: &Consulted, clause: &ClauseId) -> Vec<VoiceView> {
    let voices: &[Voice] = found.voices.get(clause).map(Vec::as_slice).unwrap_or_default();
    voices.iter().map(|voice| VoiceView::new(ui, voice)).collect()
}

#[cfg(test)]
pub fn sample(ui: &Ui) -> Consulting {
    let row = ConsultationRow {
        id: "c-1".into(),
        title: "Ten or twenty?".into(),
        state: Tag::new("permit", ui.word("consultation-state", "open")),
        when: ui.with("consultation-open-until", "at", "2026-12-01"),
        text: ui.with("consultation-draft-text", "text", 2),
        counts: vec![ui.n("consultation-participants", 3_u64)],
        open: ui.n("answers-open", 2_u64),
    };
    let hindrance = cogov_app::Hindrance::UnderWay(cogov_model::Text::same("Ten or twenty?"));
    Consulting { may: true, rows: vec![row], hindrances: vec![ui.text(&hindrance.words()).to_owned()] }
}
