//! The consultations of the demo world: one open on a text, one open on a draft of the rulebook, one concluded, with people
//! who speak and vote.

use super::world::DemoAccount;
use anyhow::{Context, Result, anyhow};
use cogov_app::{
    Actor, App, AppError, ContributionFilter, DraftWords, NewAnswer, NewConsultation, NewContribution, Page,
    split_clauses,
};
use cogov_model::{
    AccountName, AnswerOutcome, ClauseId, ConsultationId, ConsultationState, ContributionKind, DraftId,
    ParticipantClass, PartyClass, Role, Text, Timestamp, Vote,
};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

#[derive(Deserialize)]
struct Manifest {
    consultation: Vec<Demo>,
}

#[derive(Deserialize)]
struct Demo {
    title: Text,
    summary: Text,
    questions: Vec<Text>,
    invited: Vec<ParticipantClass>,
    opens_days: i64,
    #[serde(default)]
    closes_days: i64,
    #[serde(default)]
    closes_seconds: i64,
    #[serde(default)]
    text_en: String,
    #[serde(default)]
    text_zh: String,
    /// A draft of the rulebook that it is on, instead of a text of its own.
    #[serde(default)]
    draft: Option<DemoDraft>,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    statement: Vec<DemoStatement>,
    #[serde(default)]
    comment: Vec<DemoComment>,
    #[serde(default)]
    amendment: Vec<DemoComment>,
    #[serde(default)]
    answer: Vec<DemoAnswer>,
}

/// The rulebook in force with some words replaced.
#[derive(Deserialize)]
struct DemoDraft {
    by: AccountName,
    replace: Vec<Replacement>,
}

/// Words of the text in one of its languages and what stands there instead.
#[derive(Deserialize)]
struct Replacement {
    was: String,
    becomes: String,
}

#[derive(Deserialize)]
struct DemoStatement {
    by: AccountName,
    words: String,
    lean: Lean,
}

/// How many of ten agree, in each camp.
#[derive(Deserialize, Clone, Copy)]
struct Lean {
    careful: u64,
    using: u64,
}

#[derive(Deserialize)]
struct DemoComment {
    by: AccountName,
    clause: ClauseId,
    words: String,
    proposed: Option<String>,
}

#[derive(Deserialize)]
struct DemoAnswer {
    title: String,
    words: String,
    contributions: Vec<u64>,
    changed: Option<ClauseId>,
    because: String,
}

/// Loads the consultations; those that are there already stay.
pub struct Consultations {
    demos: Vec<Demo>,
    people: BTreeMap<AccountName, Actor>,
    host: Actor,
}

impl Consultations {
    /// Reads the manifest and finds the people.
    pub async fn read(app: &App, folder: &Path, accounts: &[DemoAccount]) -> Result<Self> {
        let path = folder.join("consultations.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let manifest: Manifest =
            toml::from_str(&text).context("consultations.toml is not as it should be")?;
        let mut people = BTreeMap::new();
        for account in accounts {
            let role = account.roles.first().copied().unwrap_or(Role::Citizen);
            let actor = app.local_actor(Some(account.name.as_str()), role).await.map_err(words)?;
            people.insert(account.name.clone(), actor);
        }
        let heads =
            people.values().find(|actor| actor.party.id.as_str() == "authority" && actor.is(Role::Head));
        let host = heads.cloned().context("the authority has no head")?;
        Ok(Self { demos: manifest.consultation, people, host })
    }

    /// Opens them and lets people speak and vote.
    pub async fn open(&self, app: &App) -> Result<()> {
        for demo in &self.demos {
            if self.find(app, demo).await?.is_none() {
                self.open_one(app, demo).await.with_context(|| demo.title.en.clone())?;
            }
        }
        Ok(())
    }

    /// Answers and concludes those that have ended.
    pub async fn conclude(&self, app: &App) -> Result<()> {
        for demo in self.demos.iter().filter(|demo| demo.conclusion.is_some()) {
            let Some((id, state)) = self.find(app, demo).await? else { continue };
            if state == ConsultationState::Concluded {
                continue;
            }
            self.conclude_one(app, demo, &id).await.with_context(|| demo.title.en.clone())?;
        }
        Ok(())
    }

    async fn find(&self, app: &App, demo: &Demo) -> Result<Option<(ConsultationId, ConsultationState)>> {
        let all = app.consultations(&Page::first(Page::MOST)).await.map_err(words)?.items;
        let found = all.into_iter().find(|card| card.consultation.title == demo.title);
        Ok(found.map(|card| (card.consultation.id, card.state)))
    }

    async fn open_one(&self, app: &App, demo: &Demo) -> Result<()> {
        let now = Timestamp::from_millis(chrono::Utc::now().timestamp_millis());
        let draft = match &demo.draft {
            Some(draft) => Some(self.draft(app, demo, draft).await?),
            None => None,
        };
        let clauses = match draft {
            Some(_) => Vec::new(),
            None => split_clauses(&demo.text_en, &demo.text_zh).map_err(words)?,
        };
        let new = NewConsultation {
            title: demo.title.clone(),
            summary: demo.summary.clone(),
            clauses,
            draft,
            opens: now.plus_days(demo.opens_days),
            closes: now.plus_days(demo.closes_days).plus_millis(demo.closes_seconds.saturating_mul(1_000)),
            questions: demo.questions.clone(),
            invited: demo.invited.clone(),
        };
        let id = app.open_consultation(&self.host, new).await.map_err(words)?;
        for actor in self.people.values() {
            let class = class(actor, &demo.invited);
            app.join_consultation(actor, &id, class, class == ParticipantClass::Official)
                .await
                .map_err(words)?;
        }
        for (by, new) in contributions(demo) {
            app.contribute(self.person(&by)?, &id, new).await.map_err(words)?;
        }
        self.vote(app, demo, &id).await
    }

    /// Branches the rulebook in force, replaces words in it and publishes it; goes on with a draft that was begun.
    async fn draft(&self, app: &App, demo: &Demo, draft: &DemoDraft) -> Result<DraftId> {
        let drafter = self.person(&draft.by)?;
        let known = app.drafts(Some(drafter)).await.map_err(words)?;
        let id = match known.into_iter().find(|card| card.draft.title == demo.title) {
            Some(card) if card.draft.published().is_some() => return Ok(card.draft.id),
            Some(card) => card.draft.id,
            None => app.branch_rulebook(drafter).await.map_err(words)?,
        };
        let page = app.policy_draft(Some(drafter), &id).await.map_err(words)?;
        let (mut original, mut translation) = (page.text.original, page.text.translation);
        for Replacement { was, becomes } in &draft.replace {
            let text = match (original.contains(was), translation.contains(was)) {
                (true, _) => &mut original,
                (_, true) => &mut translation,
                // A load that broke off after this draft was saved goes on.
                _ if original.contains(becomes) || translation.contains(becomes) => continue,
                _ => anyhow::bail!("the rulebook does not say {was:?}"),
            };
            *text = text.replacen(was, becomes, 1);
        }
        let new =
            DraftWords { title: demo.title.clone(), summary: demo.summary.clone(), original, translation };
        app.save_draft(drafter, &id, page.revision, new).await.map_err(words)?;
        app.publish_draft(drafter, &id).await.map_err(words)?;
        Ok(id)
    }

    fn person(&self, name: &AccountName) -> Result<&Actor> {
        self.people.get(name).with_context(|| format!("no account {name}"))
    }

    /// Everybody votes at once: the ledger writes them together.
    async fn vote(&self, app: &App, demo: &Demo, id: &ConsultationId) -> Result<()> {
        let mut votes = tokio::task::JoinSet::new();
        for (person, actor) in (0_u64..).zip(self.people.values()) {
            for (number, statement) in (0_u64..).zip(&demo.statement) {
                let Some(vote) = vote_of(person, number, camp(actor, statement.lean)) else { continue };
                let (app, id, actor) = (app.clone(), id.clone(), actor.clone());
                votes.spawn(async move { app.vote(&actor, &id, number, vote).await });
            }
        }
        while let Some(done) = votes.join_next().await {
            done?.map_err(words)?;
        }
        Ok(())
    }

    async fn conclude_one(&self, app: &App, demo: &Demo, id: &ConsultationId) -> Result<()> {
        while app.consultation(None, id).await.map_err(words)?.card.state == ConsultationState::Open {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let waiting = ContributionFilter { unanswered: true, ..ContributionFilter::default() };
        for answer in &demo.answer {
            let waits =
                app.contributions(None, id, &waiting, &Page::first(Page::MOST)).await.map_err(words)?;
            let waits = |number: &u64| waits.items.iter().any(|view| view.contribution.number == *number);
            let contributions: Vec<u64> = answer.contributions.iter().copied().filter(waits).collect();
            if contributions.is_empty() {
                continue;
            }
            let outcome = match &answer.changed {
                Some(clause) => {
                    AnswerOutcome::Change { clause: clause.clone(), words: answer.because.clone() }
                }
                None => AnswerOutcome::NoChange { reason: answer.because.clone() },
            };
            let new = NewAnswer {
                replaces: None,
                title: answer.title.clone(),
                words: answer.words.clone(),
                outcome,
                contributions,
                all_on: None,
                seen: None,
            };
            app.answer_contributions(&self.host, id, new).await.map_err(words)?;
        }
        let conclusion = demo.conclusion.as_deref().unwrap_or_default();
        app.conclude_consultation(&self.host, id, conclusion).await.map_err(words)?;
        Ok(())
    }
}

/// Statements first, so that their numbers are their places.
fn contributions(demo: &Demo) -> Vec<(AccountName, NewContribution)> {
    let statement = |statement: &DemoStatement| {
        let new = NewContribution {
            kind: ContributionKind::Statement,
            clause: None,
            words: statement.words.clone(),
            proposed: None,
        };
        (statement.by.clone(), new)
    };
    let comment = |comment: &DemoComment| {
        let kind = match comment.proposed {
            Some(_) => ContributionKind::Amendment,
            None => ContributionKind::Comment,
        };
        let new = NewContribution {
            kind,
            clause: Some(comment.clause.clone()),
            words: comment.words.clone(),
            proposed: comment.proposed.clone(),
        };
        (comment.by.clone(), new)
    };
    let comments = demo.comment.iter().chain(&demo.amendment).map(comment);
    demo.statement.iter().map(statement).chain(comments).collect()
}

/// The class that somebody's party shows; one citizen declares a class that nothing shows.
fn class(actor: &Actor, invited: &[ParticipantClass]) -> ParticipantClass {
    let class = match actor.party.class {
        PartyClass::Government => ParticipantClass::Official,
        PartyClass::University => ParticipantClass::Scholar,
        PartyClass::Operator => ParticipantClass::Practitioner,
        PartyClass::Enterprise => ParticipantClass::RegulatedEntity,
        PartyClass::Social => ParticipantClass::Public,
        PartyClass::Individual if actor.account.as_str() == "wren" => ParticipantClass::Scholar,
        PartyClass::Individual => ParticipantClass::Public,
    };
    if invited.contains(&class) { class } else { ParticipantClass::Public }
}

/// Those who use data lean one way, those who look after people the other.
fn camp(actor: &Actor, lean: Lean) -> u64 {
    let uses =
        matches!(actor.party.class, PartyClass::Operator | PartyClass::Enterprise | PartyClass::University)
            || actor.is_any(&[Role::Analyst, Role::Requester]) && actor.account.as_str() != "wren";
    if uses { lean.using } else { lean.careful }
}

/// The vote of a person whose camp agrees so many times in ten: the same at every start, and now and then none.
fn vote_of(person: u64, statement: u64, of_ten: u64) -> Option<Vote> {
    let mixed = (person.wrapping_mul(0x9e37_79b9).wrapping_add(statement.wrapping_mul(0x85eb_ca6b))) ^ 0x5bd1;
    let roll = mixed.wrapping_mul(0xc2b2_ae3d_27d4_eb4f) >> 33;
    match roll % 12 {
        11 => None,
        10 => Some(Vote::Pass),
        roll if roll < of_ten => Some(Vote::Agree),
        _ => Some(Vote::Disagree),
    }
}

fn words(error: AppError) -> anyhow::Error {
    anyhow!("{} ({})", error.reason().en, error.code())
}
