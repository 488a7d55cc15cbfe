//! A contribution as a row of a list: words, author, what became of it. Words are text, never markup.

use super::differences::{self, Change, Stretch};
use crate::{failure::Failure, ui::Ui, view::Tag};
use cogov_app::{Author, ContributionView};
use cogov_model::{ContributionKind, ParticipantClass, Standing, Text};
use std::net::IpAddr;

/// A contribution as a row.
pub struct Row {
    /// Its number.
    pub number: u64,
    /// Its kind in words.
    pub kind: Tag,
    /// The clause's anchor; empty for statements.
    pub clause: String,
    /// The words; empty when they are withheld.
    pub words: String,
    /// The proposed words against the clause's own.
    pub change: Change,
    /// Who wrote it.
    pub author: String,
    /// Whether the author shows their own name.
    pub own_name: bool,
    /// The declared class, and whether it is verified.
    pub class: String,
    /// When.
    pub at: String,
    /// Its ledger entry.
    pub entry: u64,
    /// What a moderator did with it; empty when nothing.
    pub standing: String,
    /// The answer that it got.
    pub answer: Option<u64>,
    /// The votes in words; empty for what is not voted on.
    pub tally: String,
    /// Whether it can be voted on.
    pub votable: bool,
    /// Whether it is shown.
    pub is_shown: bool,
    /// Whether the viewer wrote it.
    pub mine: bool,
}

/// The words of a class, with the mark that it is only declared.
pub fn class_words(ui: &Ui, class: ParticipantClass, verified: bool) -> String {
    let word = ui.word("participant-class", class.code());
    match (class.asks_for_proof(), verified) {
        (false, _) => word,
        (true, true) => ui.with("participant-verified", "class", word),
        (true, false) => ui.with("participant-unverified", "class", word),
    }
}

impl Row {
    /// From what was said to a clause, whose words amendments change. Texts that were not compared before are compared
    /// apart from the threads that answer others, for one visitor after the other.
    pub async fn on_clause(
        ui: &Ui,
        views: Vec<ContributionView>,
        clause: &Text,
        from: IpAddr,
    ) -> Result<Vec<Self>, Failure> {
        let known: Option<Vec<Change>> =
            views.iter().map(|view| differences::known(&view.contribution, clause)).collect();
        let (views, changes) = match known {
            Some(changes) => (views, changes),
            None => {
                let (place, clause) = (differences::place(from).await?, clause.clone());
                let work = tokio::task::spawn_blocking(move || {
                    // Kept to the end also when who asked has gone away.
                    let _place = place;
                    let change = |view: &ContributionView| differences::of(&view.contribution, &clause);
                    let changes: Vec<Change> = views.iter().map(change).collect();
                    (views, changes)
                });
                work.await.map_err(Failure::broken)?
            }
        };
        Ok(views.iter().zip(changes).map(|(view, change)| Self::new(ui, view, Some(change))).collect())
    }

    /// From a contribution, with what it changes in its clause; without that, an amendment is its own words.
    pub fn new(ui: &Ui, view: &ContributionView, change: Option<Change>) -> Self {
        let contribution = &view.contribution;
        let is_statement = contribution.kind == ContributionKind::Statement;
        Self {
            number: contribution.number,
            kind: kind(ui, contribution.kind),
            clause: contribution.clause.as_ref().map(ToString::to_string).unwrap_or_default(),
            words: contribution.words.clone(),
            change: change.unwrap_or_else(|| {
                let whole = |text: &String| Stretch { removed: false, added: true, text: text.clone() };
                contribution.proposed.iter().map(whole).collect()
            }),
            author: author(ui, &view.author),
            own_name: view.author.own_name,
            class: class_words(ui, view.author.class, view.author.verified),
            at: ui.moment(contribution.at),
            entry: contribution.entry,
            standing: standing(ui, &contribution.standing),
            answer: contribution.answer,
            tally: if is_statement { tally(ui, contribution.tally) } else { String::new() },
            votable: is_statement && contribution.standing == Standing::Shown,
            is_shown: contribution.standing == Standing::Shown,
            mine: view.mine,
        }
    }
}

fn kind(ui: &Ui, kind: ContributionKind) -> Tag {
    Tag::new("plain", ui.word("contribution-kind", kind.code()))
}

/// The name that others read.
pub fn author(ui: &Ui, author: &Author) -> String {
    ui.text(&author.name).to_owned()
}

/// Votes in words.
pub fn tally(ui: &Ui, tally: cogov_model::Tally) -> String {
    [ui.n("tally-agree", tally.agree), ui.n("tally-disagree", tally.disagree), ui.n("tally-pass", tally.pass)]
        .join(" · ")
}

fn standing(ui: &Ui, standing: &Standing) -> String {
    match standing {
        Standing::Shown => String::new(),
        Standing::Hidden { because, reason, .. } => {
            format!(
                "{} {reason}",
                ui.with("contribution-hidden", "because", ui.word("hide-because", because.code()))
            )
        }
        Standing::Merged { into, reason, .. } => {
            format!("{} {reason}", ui.with("contribution-merged", "into", into))
        }
    }
}

#[cfg(test)]
pub(super) fn sample(ui: &Ui, number: u64) -> Row {
    Row {
        number,
        kind: kind(ui, ContributionKind::Amendment),
        clause: "art-9".into(),
        words: "<script>alert(1)</script> Ten are too few.".into(),
        change: differences::change(&Text::new("over ten persons", "十人以上"), "over twenty persons").into(),
        author: "Amber Heron 0042".into(),
        own_name: false,
        class: class_words(ui, ParticipantClass::Scholar, false),
        at: "2026-11-24 10:00:00 UTC".into(),
        entry: 7,
        standing: standing(ui, &Standing::Merged { into: 3, reason: "The same.".into(), entry: 8 }),
        answer: Some(1),
        tally: tally(ui, cogov_model::Tally { agree: 3, disagree: 1, pass: 0 }),
        votable: true,
        is_shown: true,
        mine: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(number: u64, proposed: Option<&str>) -> ContributionView {
        ContributionView {
            contribution: cogov_model::Contribution {
                consultation: "c-1".parse().unwrap(),
                number,
                kind: ContributionKind::Amendment,
                clause: Some("art-1".parse().unwrap()),
                words: "Why".into(),
                proposed: proposed.map(str::to_owned),
                participant: 0,
                at: cogov_model::Timestamp::from_millis(0),
                entry: number + 10,
                standing: Standing::Shown,
                answer: None,
                tally: cogov_model::Tally { agree: 0, disagree: 0, pass: 0 },
            },
            author: Author {
                number: 0,
                name: Text::same("Amber Heron 0042"),
                own_name: false,
                class: ParticipantClass::Public,
                verified: false,
            },
            mine: false,
            readable: true,
        }
    }

    #[tokio::test]
    async fn rows_of_a_clause_keep_their_order_and_are_compared() {
        let ui = crate::ui::sample(cogov_model::Locale::En);
        let clause = Text::new("Over at least ten persons.", "至少十人。");
        let views = vec![said(2, Some("Over at least twenty persons.")), said(1, None)];
        let rows = Row::on_clause(&ui, views, &clause, std::net::Ipv4Addr::LOCALHOST.into()).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1]);
        assert!(rows[0].change.iter().any(|part| part.removed && part.text == "ten"));
        assert!(rows[1].change.is_empty());
    }

    #[test]
    fn an_amendment_is_compared_with_the_language_it_is_written_in() {
        let clause = Text::new("Over at least ten persons.", "至少十人。");
        let told = |proposed: &str| -> String {
            differences::change(&clause, proposed)
                .iter()
                .filter(|part| part.removed)
                .map(|part| part.text.as_str())
                .collect()
        };
        assert_eq!(told("Over at least twenty persons."), "ten");
        assert_eq!(told("至少五人。"), "十");
    }
}
