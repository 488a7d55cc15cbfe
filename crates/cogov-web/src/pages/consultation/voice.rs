//! Because of whom a clause changed: answers with the contributions that they answer, as the draft and the rulebook show them.

use super::rows;
use crate::{ui::Ui, view::Tag};
use cogov_app::{ContributionView, Voice};
use cogov_model::AnswerOutcome;

/// An answer that led to a change.
pub struct VoiceView {
    /// The consultation.
    pub consultation: String,
    /// The answer's number in it.
    pub number: u64,
    /// What the contributions have in common.
    pub title: String,
    /// What was changed, in the words of the answer.
    pub change: String,
    /// How many contributions it answers.
    pub count: String,
    /// The first of them.
    pub said: Vec<SaidView>,
}

/// A contribution behind a change.
pub struct SaidView {
    /// Its number.
    pub number: u64,
    /// Its kind.
    pub kind: Tag,
    /// Its words; empty when they are withheld.
    pub words: String,
    /// Who wrote it.
    pub author: String,
    /// Its class.
    pub class: String,
    /// Its ledger entry.
    pub entry: u64,
}

impl VoiceView {
    /// From an answer.
    pub fn new(ui: &Ui, voice: &Voice) -> Self {
        let answer = &voice.answer;
        Self {
            consultation: voice.consultation.to_string(),
            number: answer.number,
            title: answer.title.clone(),
            change: match &answer.outcome {
                AnswerOutcome::Change { words, .. } => words.clone(),
                AnswerOutcome::NoChange { reason } => reason.clone(),
            },
            count: ui.n("answers-replies-to", answer.contributions),
            said: voice.contributions.iter().map(|view| said(ui, view)).collect(),
        }
    }
}

fn said(ui: &Ui, view: &ContributionView) -> SaidView {
    let contribution = &view.contribution;
    SaidView {
        number: contribution.number,
        kind: Tag::new("plain", ui.word("contribution-kind", contribution.kind.code())),
        words: contribution.words.clone(),
        author: rows::author(ui, &view.author),
        class: rows::class_words(ui, view.author.class, view.author.verified),
        entry: contribution.entry,
    }
}

#[cfg(test)]
pub fn sample(ui: &Ui) -> VoiceView {
    VoiceView {
        consultation: "c-1".into(),
        number: 1,
        title: "Ten are too few".into(),
        change: "Twenty".into(),
        count: ui.n("answers-replies-to", 3_u64),
        said: vec![SaidView {
            number: 4,
            kind: Tag::new("plain", ui.word("contribution-kind", "amendment")),
            words: "<script>alert(1)</script> Ten can be guessed.".into(),
            author: "Amber Heron 0042".into(),
            class: ui.word("participant-class", "public"),
            entry: 9,
        }],
    }
}
