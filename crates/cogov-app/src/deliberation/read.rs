//! Consultations as pages and doors show them: lists that are cut, authors by pseudonym, hidden words withheld.

use super::{Turn, moderate};
use crate::{Actor, App, AppError, error::Result};
use cogov_model::{
    ClauseId, Consultation, ConsultationId, ConsultationState, ConsultedClause, Contribution,
    ContributionKind, Participant, ParticipantClass, Party, Standing, Text,
};
use cogov_store::{
    CastVote, ConsultationCounts, ContributionFilter, CountedClause, CountedConsultation, Page, Paged,
    SaltedContribution,
};
use std::collections::{BTreeMap, BTreeSet};

/// A consultation in a list.
#[derive(Debug, Clone)]
pub struct ConsultationCard {
    /// The consultation.
    pub consultation: Consultation,
    /// Where it stands now.
    pub state: ConsultationState,
    /// The body that consults.
    pub host: Party,
    /// How much is in it.
    pub counts: ConsultationCounts,
}

/// What somebody may do in a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsultationRights {
    /// Contribute and vote, once joined.
    pub take_part: bool,
    /// Hide, merge, restore and answer.
    pub moderate: bool,
    /// Conclude it, when nothing waits for an answer.
    pub conclude: bool,
}

/// The viewer's own part in a consultation.
#[derive(Debug, Clone)]
pub struct MyPart {
    /// The participant.
    pub participant: Participant,
    /// The name that others read.
    pub name: Text,
}

/// A consultation's page.
#[derive(Debug, Clone)]
pub struct ConsultationPage {
    /// As in a list.
    pub card: ConsultationCard,
    /// Its clauses, without their words.
    pub contents: Vec<CountedClause>,
    /// Clauses that the draft it is on got since.
    pub added: Vec<(ClauseId, Text)>,
    /// The viewer's part; none when they have not joined.
    pub me: Option<MyPart>,
    /// What the viewer may do.
    pub may: ConsultationRights,
}

/// Who wrote a contribution, as others read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The participant's number.
    pub number: u64,
    /// The pseudonym, or the name that they chose to be shown under.
    pub name: Text,
    /// Whether that is their own name.
    pub own_name: bool,
    /// The declared class.
    pub class: ParticipantClass,
    /// Whether the account's party shows it.
    pub verified: bool,
}

/// A contribution as somebody may see it: the words of a hidden one are empty, unless it is theirs or theirs to moderate.
#[derive(Debug, Clone)]
pub struct ContributionView {
    /// The contribution.
    pub contribution: Contribution,
    /// Who wrote it.
    pub author: Author,
    /// Whether the viewer did.
    pub mine: bool,
    /// Whether its words are here.
    pub readable: bool,
}

/// A clause's page.
#[derive(Debug, Clone)]
pub struct ClausePage {
    /// The consultation.
    pub page: ConsultationPage,
    /// The clause.
    pub clause: ConsultedClause,
    /// The clause before.
    pub previous: Option<ConsultedClause>,
    /// The clause after.
    pub next: Option<ConsultedClause>,
    /// What was said to it.
    pub contributions: Paged<ContributionView>,
    /// How much was said to it.
    pub count: u64,
}

impl App {
    /// Consultations, newest first.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn consultations(&self, page: &Page) -> Result<Paged<ConsultationCard>> {
        let parties = self.party_map().await?;
        let now = self.clock.now();
        let found = self.store.consultations(page).await?;
        Ok(found.map(|found| {
            let host = parties.get(&found.consultation.host).cloned();
            ConsultationCard {
                state: found.consultation.state_at(now),
                host: host.unwrap_or_else(|| crate::catalogue::unknown_party(&found.consultation.host)),
                counts: found.counts,
                consultation: found.consultation,
            }
        }))
    }

    /// A consultation's page.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn consultation(
        &self,
        viewer: Option<&Actor>,
        id: &ConsultationId,
    ) -> Result<ConsultationPage> {
        let found = self.counted_consultation(id).await?;
        let state = found.consultation.state_at(self.clock.now());
        let me = match viewer {
            Some(actor) => self.part_of(actor, id).await?,
            None => None,
        };
        Ok(ConsultationPage {
            may: rights(viewer, &found.consultation, state),
            contents: self.store.consultation_contents(id).await?,
            me: me.map(|participant| MyPart { name: Self::shown_name(&participant), participant }),
            added: self.added_clauses(id).await?,
            card: self.consultation_card(found).await?,
        })
    }

    pub(crate) async fn consultation_card(&self, found: CountedConsultation) -> Result<ConsultationCard> {
        Ok(ConsultationCard {
            host: self.party_or_unknown(&found.consultation.host).await?,
            state: found.consultation.state_at(self.clock.now()),
            counts: found.counts,
            consultation: found.consultation,
        })
    }

    /// Clauses that the draft got since it was consulted on: answers may name them.
    async fn added_clauses(&self, id: &ConsultationId) -> Result<Vec<(ClauseId, Text)>> {
        let contents = self.store.consultation_contents(id).await?;
        let known: BTreeSet<&ClauseId> = contents.iter().map(|counted| &counted.clause.anchor).collect();
        let clauses = self.clauses_of_draft(id).await?.into_iter();
        let added = clauses.filter(|clause| !known.contains(&clause.anchor));
        Ok(added.map(|clause| (clause.anchor, clause.title)).collect())
    }

    /// The whole text of a consultation.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn consultation_text(&self, id: &ConsultationId) -> Result<Vec<CountedClause>> {
        self.consultation_record(id).await?;
        Ok(self.store.consultation_text(id).await?)
    }

    /// A clause of a consultation with what was said to it, newest first.
    ///
    /// # Errors
    /// `NotFound` when there is no such clause.
    pub async fn consultation_clause(
        &self,
        viewer: Option<&Actor>,
        id: &ConsultationId,
        anchor: &ClauseId,
        list: &Page,
    ) -> Result<ClausePage> {
        let page = self.consultation(viewer, id).await?;
        let place = page.contents.iter().position(|clause| clause.clause.anchor == *anchor);
        let place = place.ok_or_else(|| {
            AppError::not_found(
                format!("The text has no clause {anchor}."),
                format!("文本中没有条款 {anchor}。"),
            )
        })?;
        let at = |place: Option<usize>| {
            place.and_then(|place| page.contents.get(place)).map(|found| found.clause.clone())
        };
        let filter = ContributionFilter {
            clause: Some(anchor.clone()),
            newest: true,
            ..ContributionFilter::default()
        };
        let clause = self.store.consultation_clause(id, anchor).await?;
        Ok(ClausePage {
            previous: at(place.checked_sub(1)),
            next: at(place.checked_add(1)),
            contributions: self.contributions(viewer, id, &filter, list).await?,
            count: clause.contributions,
            clause: clause.clause,
            page,
        })
    }

    /// Contributions that a filter finds.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn contributions(
        &self,
        viewer: Option<&Actor>,
        id: &ConsultationId,
        filter: &ContributionFilter,
        page: &Page,
    ) -> Result<Paged<ContributionView>> {
        let consultation = self.consultation_record(id).await?;
        let found = self.store.contributions(id, filter, page).await?;
        let items = self.viewed(viewer, &consultation, found.items).await?;
        Ok(Paged { items, next: found.next })
    }

    /// One contribution.
    ///
    /// # Errors
    /// `NotFound` when there is none of this number.
    pub async fn contribution(
        &self,
        viewer: Option<&Actor>,
        id: &ConsultationId,
        number: u64,
    ) -> Result<ContributionView> {
        let consultation = self.consultation_record(id).await?;
        let contribution = self.contribution_or_missing(id, number).await?;
        let salted = SaltedContribution { contribution, salt: String::new() };
        let mut views = self.viewed(viewer, &consultation, vec![salted]).await?;
        views.pop().ok_or_else(|| AppError::not_found("There is no such contribution.", "没有这条意见。"))
    }

    /// What the viewer contributed and how they voted, each with its ledger entry; the last vote on a statement holds.
    ///
    /// # Errors
    /// `NotFound` when they have not joined.
    pub async fn my_part(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        page: &Page,
    ) -> Result<(MyPart, Paged<ContributionView>, Vec<CastVote>)> {
        let participant = self.part_of(actor, id).await?.ok_or_else(|| {
            AppError::not_found("You have not joined this consultation.", "您尚未参与本次征求意见。")
        })?;
        let filter = ContributionFilter {
            participant: Some(participant.number),
            newest: true,
            ..ContributionFilter::default()
        };
        let contributions = self.contributions(Some(actor), id, &filter, page).await?;
        let cast = self.store.votes_of(id, participant.number).await?;
        let last: BTreeMap<u64, CastVote> = cast.into_iter().map(|vote| (vote.statement, vote)).collect();
        let me = MyPart { name: Self::shown_name(&participant), participant };
        Ok((me, contributions, last.into_values().collect()))
    }

    async fn viewed(
        &self,
        viewer: Option<&Actor>,
        consultation: &Consultation,
        found: Vec<SaltedContribution>,
    ) -> Result<Vec<ContributionView>> {
        let id = &consultation.id;
        let numbers: BTreeSet<u64> = found.iter().map(|found| found.contribution.participant).collect();
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let people = self.store.participants_of(id, &numbers).await?;
        let people: BTreeMap<u64, Participant> = people.into_iter().map(|p| (p.number, p)).collect();
        let moderates = viewer.is_some_and(|actor| moderate::require_moderator(actor, consultation).is_ok());
        let view = |found: SaltedContribution| {
            let mut contribution = found.contribution;
            let writer = people.get(&contribution.participant)?;
            let mine = viewer.is_some_and(|actor| actor.account == writer.account);
            let readable = mine || moderates || !matches!(contribution.standing, Standing::Hidden { .. });
            if !readable {
                contribution.words.clear();
                contribution.proposed = None;
            }
            Some(ContributionView { author: author(writer), contribution, mine, readable })
        };
        Ok(found.into_iter().filter_map(view).collect())
    }

    /// The numbers of the statements that are shown.
    pub(crate) async fn shown_statements(&self, id: &ConsultationId) -> Result<Vec<Contribution>> {
        let filter = ContributionFilter {
            kind: Some(ContributionKind::Statement),
            shown: true,
            ..ContributionFilter::default()
        };
        let mut statements = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.contributions(id, &filter, &page).await?;
            statements.extend(found.items.into_iter().map(|found| found.contribution));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(statements),
            }
        }
    }

    /// The next statement for somebody who joined: drawn at random, those that tell the most more often.
    ///
    /// # Errors
    /// `NotFound` when they have not joined.
    pub async fn next_statement(&self, actor: &Actor, id: &ConsultationId) -> Result<Turn> {
        let participant = self.part_of(actor, id).await?.ok_or_else(|| {
            AppError::not_found("You have not joined this consultation.", "您尚未参与本次征求意见。")
        })?;
        let voted: BTreeSet<u64> = self
            .store
            .stances_of(id, participant.number)
            .await?
            .into_iter()
            .map(|stance| stance.statement)
            .collect();
        let weights = self.routing(id).await?;
        let open: Vec<(u64, f64)> =
            weights.iter().filter(|(number, _)| !voted.contains(number)).copied().collect();
        Ok(Turn {
            voted: weights.len() - open.len(),
            statements: weights.len(),
            statement: drawn(&open, u64::from_le_bytes(self.entropy::<8>()?)),
        })
    }
}

/// Draws one by weight.
fn drawn(weights: &[(u64, f64)], random: u64) -> Option<u64> {
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    #[allow(clippy::cast_precision_loss, reason = "a share between 0 and 1")]
    let mut left = total * (random >> 11) as f64 / (1_u64 << 53) as f64;
    for (number, weight) in weights {
        left -= weight;
        if left < 0.0 {
            return Some(*number);
        }
    }
    weights.last().map(|(number, _)| *number)
}

fn author(participant: &Participant) -> Author {
    Author {
        number: participant.number,
        name: App::shown_name(participant),
        own_name: participant.name.is_some(),
        class: participant.class,
        verified: participant.verified,
    }
}

fn rights(
    viewer: Option<&Actor>,
    consultation: &Consultation,
    state: ConsultationState,
) -> ConsultationRights {
    let Some(actor) = viewer else { return ConsultationRights::default() };
    let moderates = moderate::require_moderator(actor, consultation).is_ok();
    let concludes = moderates && actor.is_any(&super::OPENERS);
    ConsultationRights {
        take_part: state == ConsultationState::Open,
        moderate: moderates && state != ConsultationState::Concluded,
        conclude: concludes && state == ConsultationState::Answering,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_drawn_by_their_share() {
        let weights = [(7, 1.0), (8, 0.0), (9, 3.0)];
        assert_eq!(drawn(&weights, 0), Some(7));
        assert_eq!(drawn(&weights, u64::MAX), Some(9));
        assert_eq!(drawn(&weights, u64::MAX / 5), Some(7));
        assert_eq!(drawn(&weights, u64::MAX / 3), Some(9));
        assert_eq!(drawn(&[], 5), None);
        assert_eq!(drawn(&[(1, 0.0)], 5), Some(1), "weightless ones are shown too when nothing else is left");
    }
}
