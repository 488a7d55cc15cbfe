//! Open data of a consultation: the files that Polis exports, the whole record to be checked against the
//! ledger, and which contribution was answered how.

use super::{OpinionMap, maps::Wanted};
use crate::{App, error::Result};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use cogov_model::{
    Consultation, ConsultationEvent, ConsultationId, Contribution, ContributionKind, Participant, Standing,
    Timestamp,
};
use cogov_store::{CastVote, ConsultationAct, ContributionFilter, Page, SaltedContribution};
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

/// A file of open data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenData {
    /// Polis: every vote as it was cast.
    Votes,
    /// Polis: every statement.
    Comments,
    /// Polis: the matrix of participants and statements.
    ParticipantsVotes,
    /// Polis: the figures.
    Summary,
    /// Which contribution was answered how.
    Coverage,
    /// Every ledger entry with its salt and content, one JSON object a line.
    Record,
    /// The results as JSON.
    Results,
}

impl OpenData {
    /// Every file.
    pub const ALL: [OpenData; 7] = [
        OpenData::Votes,
        OpenData::Comments,
        OpenData::ParticipantsVotes,
        OpenData::Summary,
        OpenData::Coverage,
        OpenData::Record,
        OpenData::Results,
    ];

    /// The file's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OpenData::Votes => "votes.csv",
            OpenData::Comments => "comments.csv",
            OpenData::ParticipantsVotes => "participants-votes.csv",
            OpenData::Summary => "summary.csv",
            OpenData::Coverage => "coverage.csv",
            OpenData::Record => "record.jsonl",
            OpenData::Results => "results.json",
        }
    }

    /// The code used in pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            OpenData::Votes => "votes",
            OpenData::Comments => "comments",
            OpenData::ParticipantsVotes => "participants-votes",
            OpenData::Summary => "summary",
            OpenData::Coverage => "coverage",
            OpenData::Record => "record",
            OpenData::Results => "results",
        }
    }

    /// The file's media type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            OpenData::Record => "application/jsonl; charset=utf-8",
            OpenData::Results => "application/json",
            _ => "text/csv; charset=utf-8",
        }
    }
}

/// A list that is written page by page.
#[derive(Clone, Copy)]
enum Part {
    Participants,
    Contributions,
    Votes,
    Acts,
}

type Pieces = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl App {
    /// A file of open data, piece by piece.
    ///
    /// # Errors
    /// `NotFound` when there is no such consultation.
    pub async fn open_data(&self, id: &ConsultationId, file: OpenData) -> Result<Pieces> {
        let consultation = self.consultation_record(id).await?;
        let whole = |text: String| -> Pieces { Box::pin(stream::once(async move { Ok(Bytes::from(text)) })) };
        Ok(match file {
            OpenData::Votes => {
                let head = "timestamp,datetime,comment-id,voter-id,vote\r\n";
                self.parts(id, head.to_owned(), &[Part::Votes], file)
            }
            OpenData::Record => {
                let parts = [Part::Participants, Part::Contributions, Part::Votes, Part::Acts];
                self.parts(id, String::new(), &parts, file)
            }
            OpenData::Comments => {
                let head =
                    "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body\r\n";
                self.parts(id, head.to_owned(), &[Part::Contributions], file)
            }
            OpenData::Coverage => whole(self.coverage_csv(id).await?),
            OpenData::ParticipantsVotes => whole(self.matrix_csv(id).await?),
            OpenData::Summary => whole(self.summary_csv(&consultation).await?),
            OpenData::Results => {
                let map = self.opinion_map_of(id, Wanted::Settled).await?;
                whole(format!("{:#}\n", results(&consultation, &map)))
            }
        })
    }

    /// Lists of the consultation one after the other, a page at a time.
    fn parts(&self, id: &ConsultationId, head: String, parts: &[Part], file: OpenData) -> Pieces {
        let head = stream::once(async move { Ok(Bytes::from(head)) });
        let mut all: Pieces = Box::pin(head);
        for part in parts.iter().copied() {
            let (app, id) = (self.clone(), id.clone());
            let pages = stream::unfold(Some(Page::first(Page::MOST)), move |page| {
                let (app, id) = (app.clone(), id.clone());
                async move {
                    let page = page?;
                    match app.piece(&id, part, &page, file).await {
                        Ok((text, next)) => {
                            let next = next.map(|next| Page::new(Some(next), Page::MOST));
                            Some((Ok(Bytes::from(text)), next))
                        }
                        Err(error) => Some((Err(error), None)),
                    }
                }
            });
            all = Box::pin(all.chain(pages));
        }
        all
    }

    /// One page of a list as the lines of a file.
    async fn piece(
        &self,
        id: &ConsultationId,
        part: Part,
        page: &Page,
        file: OpenData,
    ) -> Result<(String, Option<cogov_store::Cursor>)> {
        Ok(match part {
            Part::Participants => {
                let found = self.store.participants(id, page).await?;
                (found.items.iter().map(participant_line).collect(), found.next)
            }
            Part::Contributions => {
                let is_polis = file == OpenData::Comments;
                let kind = is_polis.then_some(ContributionKind::Statement);
                let filter = ContributionFilter { kind, ..ContributionFilter::default() };
                let found = self.store.contributions(id, &filter, page).await?;
                let line = |item: &SaltedContribution| match is_polis {
                    true => comment_line(&item.contribution),
                    false => line(&contribution_json(item)),
                };
                (found.items.iter().map(line).collect(), found.next)
            }
            Part::Votes => {
                let found = self.store.cast_votes(id, page).await?;
                let line = if file == OpenData::Votes { vote_row } else { vote_line };
                (found.items.iter().map(line).collect(), found.next)
            }
            Part::Acts => {
                let found = self.store.consultation_acts(id, page).await?;
                (found.items.iter().map(act_line).collect(), found.next)
            }
        })
    }

    async fn every_contribution(&self, id: &ConsultationId) -> Result<Vec<Contribution>> {
        let (mut all, mut page) = (Vec::new(), Page::first(Page::MOST));
        loop {
            let found = self.store.contributions(id, &ContributionFilter::default(), &page).await?;
            all.extend(found.items.into_iter().map(|found| found.contribution));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(all),
            }
        }
    }

    async fn coverage_csv(&self, id: &ConsultationId) -> Result<String> {
        let contributions = self.every_contribution(id).await?;
        let by_number: BTreeMap<u64, &Contribution> = contributions.iter().map(|c| (c.number, c)).collect();
        let mut outcomes = BTreeMap::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.answers(id, &page).await?;
            outcomes.extend(found.items.into_iter().map(|answer| (answer.number, answer.outcome)));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => break,
            }
        }
        let mut csv = String::from(
            "contribution,entry,kind,clause,standing,covered-by,answer,outcome,change-clause\r\n",
        );
        for contribution in &contributions {
            let (covered, answer) = covered(contribution, &by_number);
            let outcome = answer.and_then(|answer| outcomes.get(&answer));
            let clause = match outcome {
                Some(cogov_model::AnswerOutcome::Change { clause, .. }) => clause.as_str(),
                _ => "",
            };
            let _ = write!(
                csv,
                "{},{},{},{},{},{covered},{},{},{clause}\r\n",
                contribution.number,
                contribution.entry,
                contribution.kind.code(),
                contribution.clause.as_ref().map_or("", cogov_model::ClauseId::as_str),
                contribution.standing.code(),
                answer.map(|answer| answer.to_string()).unwrap_or_default(),
                outcome.map(cogov_model::AnswerOutcome::code).unwrap_or_default(),
            );
        }
        Ok(csv)
    }

    async fn matrix_csv(&self, id: &ConsultationId) -> Result<String> {
        let map = self.opinion_map_of(id, Wanted::Settled).await?;
        let statements: Vec<u64> = map.statements.iter().map(|statement| statement.number).collect();
        let mut written: BTreeMap<u64, u64> = BTreeMap::new();
        for contribution in self.every_contribution(id).await? {
            if contribution.kind == ContributionKind::Statement {
                *written.entry(contribution.participant).or_default() += 1;
            }
        }
        let mut rows: BTreeMap<u64, BTreeMap<u64, i8>> = BTreeMap::new();
        for stance in self.store.stances(id).await? {
            rows.entry(stance.participant).or_default().insert(stance.statement, stance.vote.number());
        }
        let mut csv = String::from("participant,group-id,n-comments,n-votes,n-agree,n-disagree");
        for statement in &statements {
            let _ = write!(csv, ",{statement}");
        }
        csv.push_str("\r\n");
        for (participant, votes) in &rows {
            let group = map.group_of(*participant).map(|group| group.to_string()).unwrap_or_default();
            let count = |vote: i8| votes.values().filter(|value| **value == vote).count();
            let comments = written.get(participant).copied().unwrap_or_default();
            let _ =
                write!(csv, "{participant},{group},{comments},{},{},{}", votes.len(), count(1), count(-1));
            for statement in &statements {
                csv.push(',');
                if let Some(vote) = votes.get(statement) {
                    let _ = write!(csv, "{vote}");
                }
            }
            csv.push_str("\r\n");
        }
        Ok(csv)
    }

    async fn summary_csv(&self, consultation: &Consultation) -> Result<String> {
        let map = self.opinion_map_of(&consultation.id, Wanted::Settled).await?;
        let counts = self.counted_consultation(&consultation.id).await?.counts;
        let statements: Vec<Contribution> = self
            .every_contribution(&consultation.id)
            .await?
            .into_iter()
            .filter(|contribution| contribution.kind == ContributionKind::Statement)
            .collect();
        let commenters: std::collections::BTreeSet<u64> =
            statements.iter().map(|contribution| contribution.participant).collect();
        let lines = [
            ("topic", consultation.title.get(cogov_model::Locale::En).to_owned()),
            ("url", format!("/consultations/{}", consultation.id)),
            ("views", counts.participants.to_string()),
            ("voters", map.voters.to_string()),
            ("voters-in-conv", map.positions.len().to_string()),
            ("commenters", commenters.len().to_string()),
            ("comments", statements.len().to_string()),
            ("groups", map.groups.len().to_string()),
            ("conversation-description", consultation.summary.get(cogov_model::Locale::En).to_owned()),
        ];
        Ok(lines.iter().map(|(name, value)| format!("{name},{}\r\n", field(value))).collect())
    }
}

/// What takes care of a contribution, and the answer where it is one.
fn covered(
    contribution: &Contribution,
    by_number: &BTreeMap<u64, &Contribution>,
) -> (&'static str, Option<u64>) {
    match &contribution.standing {
        Standing::Hidden { .. } => ("moderation", None),
        Standing::Merged { into, .. } => match by_number.get(into).and_then(|root| root.answer) {
            Some(answer) => ("answer-of-merged", Some(answer)),
            None => ("nothing", None),
        },
        Standing::Shown => match contribution.answer {
            Some(answer) => ("answer", Some(answer)),
            None => ("nothing", None),
        },
    }
}

/// A statement as Polis' `comments.csv` has it: 1 shown, −1 moderated out, which keeps its line without its words.
fn comment_line(statement: &Contribution) -> String {
    let (moderated, words) = match &statement.standing {
        Standing::Shown => (1, statement.words.as_str()),
        Standing::Merged { .. } => (-1, statement.words.as_str()),
        Standing::Hidden { .. } => (-1, ""),
    };
    format!(
        "{},{},{},{},{},{},{moderated},{}\r\n",
        statement.at.millis(),
        moment(statement.at),
        statement.number,
        statement.participant,
        statement.tally.agree,
        statement.tally.disagree,
        field(words)
    )
}

/// A contribution of the record; salt and content of a hidden one are withheld, so that its hash tells nothing.
fn contribution_json(item: &SaltedContribution) -> Value {
    let contribution = &item.contribution;
    let event = ConsultationEvent::Contributed {
        kind: contribution.kind,
        clause: contribution.clause.clone(),
        words: contribution.words.clone(),
        proposed: contribution.proposed.clone(),
    };
    let known = match contribution.standing {
        Standing::Hidden { .. } => json!({}),
        _ => json!({ "salt": item.salt, "content": content(&event) }),
    };
    let told = json!({
        "kind": "contribution", "entry": contribution.entry, "number": contribution.number,
        "participant": contribution.participant, "standing": contribution.standing,
    });
    [told, known].into_iter().filter_map(into_object).flatten().collect::<serde_json::Map<_, _>>().into()
}

fn into_object(value: Value) -> Option<serde_json::Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// The results as JSON.
fn results(consultation: &Consultation, map: &Arc<OpinionMap>) -> Value {
    json!({
        "consultation": consultation.id, "title": consultation.title, "closes": consultation.closes.rfc3339(),
        "voters": map.voters, "votes": map.votes, "all_agree": map.all_agree,
        "all_disagree": map.all_disagree, "divisive": map.divisive, "statements": map.statements, "groups": map.groups, "classes": map.classes,
        "confidence": map.confidence,
    })
}

fn content(event: &ConsultationEvent) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// One JSON object a line.
fn line(value: &Value) -> String {
    format!("{value}\n")
}

fn participant_line(person: &Participant) -> String {
    line(&json!({
        "kind": "participation", "entry": person.entry, "number": person.number,
        "participant": person.key, "class": person.class, "verified": person.verified,
        "name": App::shown_name(person),
    }))
}

fn vote_line(cast: &CastVote) -> String {
    let event = ConsultationEvent::Voted { statement: cast.statement, vote: cast.vote };
    line(&json!({
        "kind": "vote", "entry": cast.entry, "participant": cast.participant,
        "salt": cast.salt, "content": content(&event),
    }))
}

/// A vote as Polis' `votes.csv` has it.
fn vote_row(cast: &CastVote) -> String {
    let (at, moment) = (cast.at.millis(), moment(cast.at));
    format!("{at},{moment},{},{},{}\r\n", cast.statement, cast.participant, cast.vote.number())
}

fn act_line(act: &ConsultationAct) -> String {
    line(&json!({"kind": "act", "entry": act.entry, "salt": act.salt, "content": act.content}))
}

/// As Polis writes moments, in UTC.
fn moment(at: Timestamp) -> String {
    let moment = DateTime::<Utc>::from_timestamp_millis(at.millis()).unwrap_or_default();
    moment.format("%a %b %d %H:%M:%S UTC %Y").to_string()
}

/// RFC 4180, with a leading apostrophe where a spreadsheet would take the field for a formula.
fn field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_moments_are_those_of_polis() {
        assert_eq!(field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(moment(Timestamp::from_millis(1_500_282_615_559)), "Mon Jul 17 09:10:15 UTC 2017");
    }
}
