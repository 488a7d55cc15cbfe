//! What a draft would have changed: every decision of the ledger taken again, and every grant as it stands.

use crate::{Actor, App, AppError, PolicyDraftPage, error::Result, recorded::Compared};
use cogov_model::{Clauses, ColumnRef, DraftId, GrantId, PartyId, RulebookVersion, Treatment};
use cogov_rulebook::{Against, Ask, Cases, Claim, Known, NotAsked, Opinion, Proof, Replay, Rulebook, replay};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Proofs that are remembered; beyond it the memory starts again, which only costs time.
const PROVEN: usize = 1024;
/// How long a solver is not asked again that had no answer, in milliseconds: long enough that nobody can keep it
/// busy with one question, short enough that the page is right again soon after it was mended.
const ASK_AGAIN: i64 = 10 * 60 * 1000;

/// A column of a grant whose treatment a draft would change.
#[derive(Debug, Clone)]
pub struct GrantChange {
    /// The grant.
    pub grant: GrantId,
    /// Who holds it.
    pub party: PartyId,
    /// The column.
    pub column: ColumnRef,
    /// What the rulebook in force says.
    pub before: Treatment,
    /// What the draft says.
    pub after: Treatment,
    /// The draft's clauses.
    pub clauses: Clauses,
}

/// What a draft would change for the grants as they stand now, used or not.
#[derive(Debug, Clone)]
pub struct GrantReplay {
    /// The rulebook in force.
    pub in_force: RulebookVersion,
    /// The draft.
    pub draft: RulebookVersion,
    /// Grants decided again: all of them.
    pub grants: usize,
    /// Columns decided again.
    pub columns: usize,
    /// Those that would change, by grant and column.
    pub changes: Vec<GrantChange>,
}

/// What our own search says of a claim, and what cvc5 says to that.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Ours.
    pub proof: Proof,
    /// The solver's.
    pub opinion: Opinion,
}

/// Which decisions are taken again, and by what.
pub(crate) enum Again {
    /// All of them by a draft, beside the rulebook that it is built on, or beside what was recorded where that is not kept.
    Draft(Arc<Rulebook>, Option<Arc<Rulebook>>),
    /// Those that a rulebook of this version took, by an earlier one.
    Earlier(RulebookVersion, Arc<Rulebook>),
}

impl Again {
    /// What the outcome is remembered by.
    fn compared(&self) -> Compared {
        match self {
            Again::Draft(draft, base) => {
                (draft.version().clone(), base.as_ref().map(|base| base.version().clone()), false)
            }
            Again::Earlier(version, earlier) => (version.clone(), Some(earlier.version().clone()), true),
        }
    }

    fn replay(&self, cases: &Cases, known: Known<'_>) -> Replay {
        match self {
            Again::Draft(draft, Some(base)) => replay(cases, known, Against::Base { base, draft }),
            Again::Draft(draft, None) => replay(cases, known, Against::Draft(draft)),
            Again::Earlier(version, earlier) => {
                replay(&cases.decided_by(version), known, Against::Earlier(earlier))
            }
        }
    }
}

impl App {
    /// Takes every decision of the ledger again under a rulebook that is built on the last adopted one, and under
    /// that: what a draft that may be adopted now would change.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn replay_of(&self, draft: Arc<Rulebook>) -> Result<Replay> {
        let base = match self.store.rulebooks().await?.first() {
            Some(text) => self.book(&text.version).await?,
            None => None,
        };
        // Whoever adopts has a turn that others wait for, and waits for no readers.
        self.replay_again(Again::Draft(draft, base), &self.adopting).await
    }

    /// Takes every decision of the ledger again under a rulebook and under the one that it is built on, so that it is
    /// counted as its real effect will be; where that is not kept, beside what was recorded. Writes nothing; samples
    /// nothing.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn replay_beside(&self, draft: Arc<Rulebook>, base: Option<Arc<Rulebook>>) -> Result<Replay> {
        self.replay_again(Again::Draft(draft, base), &self.replaying).await
    }

    /// Takes decisions again, in one of few places and apart from the threads that answer others. What was said of the
    /// decisions on the ledger is remembered until it holds more of them.
    pub(crate) async fn replay_again(&self, again: Again, places: &Arc<Semaphore>) -> Result<Replay> {
        self.catch_up().await?;
        let (compared, asked) = (again.compared(), self.remembered.cases.read().decisions());
        if let Some(known) = self.remembered.replayed(&compared, asked) {
            return Ok(Arc::unwrap_or_clone(known));
        }
        let place = Arc::clone(places).acquire_owned().await.map_err(|error| cut_off(&error))?;
        // Whoever had a place before may have asked the same.
        if let Some(known) = self.remembered.replayed(&compared, asked) {
            return Ok(Arc::unwrap_or_clone(known));
        }
        let before = self.remembered.cases.read().decisions();
        let (app, books) = (self.clone(), self.books().await?);
        let work = tokio::task::spawn_blocking(move || {
            // Kept to the end also when who asked has gone away.
            let _place = place;
            let (cases, facts) = (app.remembered.cases.read().clone(), app.known_facts());
            let replay = Arc::new(again.replay(&cases, Known { facts: &facts, books: &books }));
            // A decision of the moments between may be by a rulebook of these moments, which is not among the books.
            if cases.decisions() == before {
                app.remembered.keep_replay(compared, before, &replay);
            }
            replay
        });
        work.await.map(Arc::unwrap_or_clone).map_err(|error| cut_off(&error))
    }

    /// Takes every decision of the ledger again under a draft and under the rulebook that it branches from.
    ///
    /// # Errors
    /// `Conflict` when the draft has faults or no rules.
    pub async fn replay_draft(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<(Replay, GrantReplay)> {
        self.replay_shown(&self.policy_draft(viewer, id).await?).await
    }

    /// The same of the text that a page shows.
    ///
    /// # Errors
    /// `Conflict` when it has faults or no rules.
    pub async fn replay_shown(&self, found: &PolicyDraftPage) -> Result<(Replay, GrantReplay)> {
        let book = found.checked.book.as_ref().ok_or_else(nothing_to_decide_by)?;
        let replay = self.replay_beside(Arc::clone(book), found.base.clone()).await?;
        // Every grant is decided twice, for everybody who looks.
        let _place = self.replaying.acquire().await.map_err(|error| cut_off(&error))?;
        Ok((replay, self.replay_grants(book).await?))
    }

    /// Proves a claim about a draft, beside the rulebook in force, or refutes it, and asks cvc5 the same where it is
    /// installed.
    ///
    /// # Errors
    /// `Conflict` when the draft has faults or no rules.
    pub async fn prove_claim(&self, viewer: Option<&Actor>, id: &DraftId, claim: Claim) -> Result<Proven> {
        self.prove_shown(&self.policy_draft(viewer, id).await?, claim).await
    }

    /// The same of the text that a page shows.
    ///
    /// # Errors
    /// `Conflict` when it has faults or no rules.
    pub async fn prove_shown(&self, found: &PolicyDraftPage, claim: Claim) -> Result<Proven> {
        let book = found.checked.book.as_ref().ok_or_else(nothing_to_decide_by)?;
        self.prove_of(Arc::clone(book), claim).await
    }

    /// The same of any rulebook.
    ///
    /// # Errors
    /// When the work breaks off.
    pub async fn prove_of(&self, book: Arc<Rulebook>, claim: Claim) -> Result<Proven> {
        let today = self.rulebook();
        let key = (book.version().clone(), today.version().clone(), format!("{claim:?}"));
        let known = || {
            let now = self.clock.now();
            let all = self.remembered.proven.lock();
            all.get(&key)
                .filter(|(_, until)| until.is_none_or(|until| now < until))
                .map(|(proven, _)| proven.clone())
        };
        if let Some(proven) = known() {
            return Ok(proven);
        }
        let _turn = self.proving.acquire().await.map_err(|error| cut_off(&error))?;
        // Whoever had the turn before may have asked the same.
        if let Some(proven) = known() {
            return Ok(proven);
        }
        let solver = Arc::clone(&self.solver);
        let work = tokio::task::spawn_blocking(move || {
            let proof = book.prove(&claim, Some(&today));
            let opinion = book.second_opinion(&claim, Some(&today), &proof, &solver);
            let (draft, in_force) = (book.version(), today.version());
            match &opinion {
                Opinion::Contradicted { .. } => {
                    tracing::error!(%draft, %in_force, ?claim, ?proof, "a proof is {opinion}");
                }
                Opinion::Failed { .. } => tracing::warn!(%draft, %in_force, ?claim, "{opinion}"),
                _ => {}
            }
            Proven { proof, opinion }
        });
        let proven = work.await.map_err(|error| cut_off(&error))?;
        if proven.opinion == Opinion::NotAsked(NotAsked::Busy) {
            return Ok(proven);
        }
        let until = proven.opinion.may_change().then(|| self.clock.now().plus_millis(ASK_AGAIN));
        let mut all = self.remembered.proven.lock();
        if all.len() >= PROVEN {
            all.clear();
        }
        all.insert(key, (proven.clone(), until));
        Ok(proven)
    }

    /// Decides every grant again under a draft. Writes nothing.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn replay_grants(&self, draft: &Rulebook) -> Result<GrantReplay> {
        let in_force = self.rulebook();
        let mut replay = GrantReplay {
            in_force: in_force.version().clone(),
            draft: draft.version().clone(),
            grants: 0,
            columns: 0,
            changes: Vec::new(),
        };
        for grant in self.all_grants().await? {
            let reach = self.reach(&grant).await?;
            let party = self.party_or_unknown(&grant.party).await?;
            let ask = Ask {
                grant: &grant,
                party: &party,
                columns: reach.ask_columns(&grant),
                now: self.clock.now(),
            };
            let (before, after) = (in_force.preview(&ask), draft.preview(&ask));
            replay.grants += 1;
            replay.columns += after.rulings.len();
            let changed = after.rulings.iter().filter_map(|(column, after)| {
                let before = before.rulings.get(column)?.treatment;
                (before != after.treatment).then(|| GrantChange {
                    grant: grant.id.clone(),
                    party: grant.party.clone(),
                    column: column.clone(),
                    before,
                    after: after.treatment,
                    clauses: after.clauses.clone(),
                })
            });
            replay.changes.extend(changed);
        }
        Ok(replay)
    }
}

fn nothing_to_decide_by() -> AppError {
    AppError::conflict(
        "The draft has faults, or no rules: there is nothing to decide by.",
        "该草案有错误或没有规则：无从据以裁决。",
    )
}

fn cut_off(error: &impl std::fmt::Display) -> AppError {
    tracing::error!(%error, "a replay or a proof was cut off");
    AppError::unavailable("The work was cut off. Try again.", "任务中断，请重试。")
}
