//! The records of consultations, made from the ledger entry by entry: once each, in its order, and the place
//! reached kept in the same change. After a crash the rest is made again, so that no vote is lost or doubled.

use crate::{
    Setting, Store, StoreError,
    consultation::{self, WHAT},
    contribution::StandingAct,
    open::commit,
    setting,
    sql::{Statement, from_code, int, maybe_int, signed, text, to_json, unsigned},
};
use cogov_model::{
    Answer, Conclusion, Consultation, ConsultationEvent, ConsultationId, ConsultedClause, ContributionKind,
    DraftRef, Moderation, ParticipantKey, PartyId, Timestamp, Vote,
};
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// One ledger entry of a consultation, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsultationRecord {
    /// Its place in the ledger.
    pub index: u64,
    /// When.
    pub at: Timestamp,
    /// Which consultation.
    pub consultation: ConsultationId,
    /// The body that consults.
    pub host: PartyId,
    /// The participant who acted; none for acts of the body.
    pub participant: Option<ParticipantKey>,
    /// The salt of the content's hash, hex.
    pub salt: String,
    /// The content that the hash commits to.
    pub content: String,
    /// The same, read.
    pub event: ConsultationEvent,
}

impl Store {
    /// The index of the first ledger entry that the records of consultations do not hold yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consultations_until(&self) -> Result<u64, StoreError> {
        let until = self.setting(Setting::Consultations).await?;
        Ok(until.and_then(|until| until.parse().ok()).unwrap_or_default())
    }

    /// Brings the records up to `until`: entries below it that are not among `records` concern no consultation.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn apply_consultations(
        &self,
        records: &[ConsultationRecord],
        until: u64,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for record in records {
            Applier { on: &mut change, record, id: record.consultation.as_str() }.apply().await?;
        }
        setting::put(&mut change, Setting::Consultations, &until.to_string()).await?;
        commit(change).await
    }
}

struct Applier<'a> {
    on: &'a mut AnyConnection,
    record: &'a ConsultationRecord,
    id: &'a str,
}

impl Applier<'_> {
    async fn apply(&mut self) -> Result<(), StoreError> {
        match &self.record.event {
            ConsultationEvent::Opened { clauses, .. } => self.opened(clauses).await,
            ConsultationEvent::Contributed { .. } => self.contributed().await,
            ConsultationEvent::Voted { statement, vote } => self.voted(*statement, *vote).await,
            ConsultationEvent::Moderated { contribution, moderation, reason } => {
                self.moderated(*contribution, *moderation, reason).await?;
                self.note_act().await
            }
            ConsultationEvent::Answered { .. } => {
                self.answered().await?;
                self.note_act().await
            }
            ConsultationEvent::Concluded { words } => {
                let conclusion =
                    Conclusion { at: self.record.at, words: words.clone(), entry: self.record.index };
                self.concluded(conclusion).await?;
                self.note_act().await
            }
        }
    }

    fn number(&self, number: u64) -> Result<i64, StoreError> {
        signed(WHAT, self.id, number)
    }

    async fn run(&mut self, statement: Statement) -> Result<u64, StoreError> {
        statement.execute(self.on).await.map_err(|error| StoreError::of(WHAT, self.id, error))
    }

    async fn note_act(&mut self) -> Result<(), StoreError> {
        let (entry, at) = (self.number(self.record.index)?, self.record.at.millis());
        let statement = Statement::with(
            "INSERT INTO consultation_acts (consultation, entry, at, salt, body) VALUES ($1, $2, $3, $4, $5)",
            [
                self.id.into(),
                entry.into(),
                at.into(),
                self.record.salt.as_str().into(),
                self.record.content.as_str().into(),
            ],
        );
        self.run(statement).await.map(|_| ())
    }

    async fn opened(&mut self, clauses: &[ConsultedClause]) -> Result<(), StoreError> {
        let ConsultationEvent::Opened { title, summary, draft, questions, invited, opens, closes, .. } =
            self.record.event.clone()
        else {
            return Ok(());
        };
        let consultation = Consultation {
            id: self.record.consultation.clone(),
            title,
            summary,
            host: self.record.host.clone(),
            draft,
            questions,
            invited,
            opens,
            closes,
            opened_at: self.record.at,
            entry: self.record.index,
            conclusion: None,
        };
        let statement = Statement::with(
            "INSERT INTO consultations (id, host, opened_at, entry, participants, contributions, votes, \
             unanswered, answers, body, draft) VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, $5, $6)",
            [
                self.id.into(),
                self.record.host.as_str().into(),
                self.record.at.millis().into(),
                self.number(self.record.index)?.into(),
                to_json(WHAT, &consultation)?.into(),
                consultation.draft.as_ref().and_then(DraftRef::parts).map(|(id, _)| id.to_string()).into(),
            ],
        );
        self.run(statement).await?;
        for (ordinal, clause) in (0_i64..).zip(clauses) {
            let statement = Statement::with(
                "INSERT INTO consultation_clauses (consultation, ordinal, anchor, title, words, contributions) \
                 VALUES ($1, $2, $3, $4, $5, 0)",
                [
                    self.id.into(),
                    ordinal.into(),
                    clause.anchor.as_str().into(),
                    to_json(WHAT, &clause.title)?.into(),
                    to_json(WHAT, &clause.words)?.into(),
                ],
            );
            self.run(statement).await?;
        }
        self.note_act().await
    }

    /// The number of the participant who acted; none when nobody of this key joined.
    async fn participant(&mut self) -> Result<Option<i64>, StoreError> {
        match &self.record.participant {
            Some(key) => consultation::number_of(self.on, &self.record.consultation, key).await,
            None => Ok(None),
        }
    }

    async fn contributed(&mut self) -> Result<(), StoreError> {
        let ConsultationEvent::Contributed { kind, clause, words, proposed } = &self.record.event else {
            return Ok(());
        };
        let Some(participant) = self.participant().await? else { return Ok(()) };
        let counts = consultation::read(self.on, &self.record.consultation).await?.counts;
        let clause = clause.as_ref().map(ToString::to_string);
        let number = self.number(counts.contributions)?;
        let statement = Statement::with(
            "INSERT INTO consultation_contributions (consultation, number, entry, kind, clause, participant, \
             at, standing, root, unanswered, answer, agree, disagree, pass, salt, words, proposed, reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'shown', $2, 1, NULL, 0, 0, 0, $8, $9, $10, '')",
            [
                self.id.into(),
                number.into(),
                self.number(self.record.index)?.into(),
                kind.code().into(),
                clause.clone().into(),
                participant.into(),
                self.record.at.millis().into(),
                self.record.salt.as_str().into(),
                words.as_str().into(),
                proposed.clone().into(),
            ],
        );
        self.run(statement).await?;
        self.run(Statement::with(
            "UPDATE consultations SET contributions = contributions + 1, unanswered = unanswered + 1 \
             WHERE id = $1",
            [self.id.into()],
        ))
        .await?;
        self.count_on_clause(clause, 1).await
    }

    async fn count_on_clause(&mut self, clause: Option<String>, by: i64) -> Result<(), StoreError> {
        let Some(clause) = clause else { return Ok(()) };
        let statement = Statement::with(
            "UPDATE consultation_clauses SET contributions = contributions + $3 \
             WHERE consultation = $1 AND anchor = $2",
            [self.id.into(), clause.into(), by.into()],
        );
        self.run(statement).await.map(|_| ())
    }

    /// The statement that a contribution's votes count for; none when it is no statement.
    async fn root(&mut self, number: i64) -> Result<Option<i64>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, self.id, error);
        let row = Statement::with(
            "SELECT root FROM consultation_contributions \
             WHERE consultation = $1 AND number = $2 AND kind = $3",
            [self.id.into(), number.into(), ContributionKind::Statement.code().into()],
        )
        .optional(self.on)
        .await
        .map_err(wrong)?;
        row.map(|row| int(&row, "root").map_err(wrong)).transpose()
    }

    async fn voted(&mut self, statement: u64, vote: Vote) -> Result<(), StoreError> {
        let statement = self.number(statement)?;
        let Some(root) = self.root(statement).await? else { return Ok(()) };
        let Some(participant) = self.participant().await? else { return Ok(()) };
        let cast = Statement::with(
            "INSERT INTO consultation_votes (consultation, entry, statement, participant, vote, at, salt) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                self.id.into(),
                self.number(self.record.index)?.into(),
                statement.into(),
                participant.into(),
                vote.code().into(),
                self.record.at.millis().into(),
                self.record.salt.as_str().into(),
            ],
        );
        self.run(cast).await?;
        let now = self.merged(root, Some(participant)).await?.remove(&participant);
        let before = self.stance(root, participant).await?;
        if let Some(now) = now.filter(|now| before != Some(*now)) {
            self.set_stance(root, participant, now).await?;
            self.count(root, before, now).await?;
        }
        Ok(())
    }

    async fn stance(&mut self, root: i64, participant: i64) -> Result<Option<Vote>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, self.id, error);
        let row = Statement::with(
            "SELECT vote FROM consultation_stances \
             WHERE consultation = $1 AND statement = $2 AND participant = $3",
            [self.id.into(), root.into(), participant.into()],
        )
        .optional(self.on)
        .await
        .map_err(wrong)?;
        row.map(|row| from_code("vote", self.id, text(&row, "vote").map_err(wrong)?)).transpose()
    }

    async fn set_stance(&mut self, root: i64, participant: i64, vote: Vote) -> Result<(), StoreError> {
        let statement = Statement::with(
            "INSERT INTO consultation_stances (consultation, statement, participant, vote) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (consultation, statement, participant) \
             DO UPDATE SET vote = $4",
            [self.id.into(), root.into(), participant.into(), vote.code().into()],
        );
        self.run(statement).await.map(|_| ())
    }

    /// Counts a stance that changed from one vote to another.
    async fn count(&mut self, root: i64, before: Option<Vote>, now: Vote) -> Result<(), StoreError> {
        let by = |vote: Vote| i64::from(now == vote) - i64::from(before == Some(vote));
        let statement = Statement::with(
            "UPDATE consultation_contributions \
             SET agree = agree + $3, disagree = disagree + $4, pass = pass + $5 \
             WHERE consultation = $1 AND number = $2",
            [
                self.id.into(),
                root.into(),
                by(Vote::Agree).into(),
                by(Vote::Disagree).into(),
                by(Vote::Pass).into(),
            ],
        );
        self.run(statement).await?;
        if before.is_none() {
            self.count_votes(1).await?;
        }
        Ok(())
    }

    async fn count_votes(&mut self, by: i64) -> Result<(), StoreError> {
        let statement = Statement::with(
            "UPDATE consultations SET votes = votes + $2 WHERE id = $1",
            [self.id.into(), by.into()],
        );
        self.run(statement).await.map(|_| ())
    }

    /// What holds on a statement and those merged into it, of one participant or of all.
    async fn merged(
        &mut self,
        root: i64,
        participant: Option<i64>,
    ) -> Result<BTreeMap<i64, Vote>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, self.id, error);
        // Put in order here: asked for its order, the database would walk every vote there is.
        let rows = Statement::new(
            "SELECT entry, statement, participant, vote FROM consultation_votes WHERE consultation = ",
        )
        .bind(self.id)
        .when(" AND participant = ", participant)
        .push(" AND statement IN (SELECT number FROM consultation_contributions WHERE consultation = ")
        .bind(self.id)
        .push(" AND root = ")
        .bind(root)
        .push(")")
        .all(self.on)
        .await
        .map_err(wrong)?;
        let mut last: BTreeMap<i64, BTreeMap<i64, (i64, Vote)>> = BTreeMap::new();
        for row in &rows {
            let vote: Vote = from_code("vote", self.id, text(row, "vote").map_err(wrong)?)?;
            let entry = int(row, "entry").map_err(wrong)?;
            let of = last.entry(int(row, "participant").map_err(wrong)?).or_default();
            let held = of.entry(int(row, "statement").map_err(wrong)?).or_insert((entry, vote));
            if entry > held.0 {
                *held = (entry, vote);
            }
        }
        let hold = last.into_iter().filter_map(|(participant, mut votes)| {
            let own = votes.remove(&root).map(|(_, vote)| vote);
            let others = votes.into_values().map(|(_, vote)| vote);
            Vote::merged(own, others).map(|vote| (participant, vote))
        });
        Ok(hold.collect())
    }

    /// Makes the stances and counts of a statement again from the votes as they were cast.
    async fn recount(&mut self, root: i64) -> Result<(), StoreError> {
        let of_root = |text: &'static str, id: &str| Statement::with(text, [id.into(), root.into()]);
        let removed = self
            .run(of_root(
                "DELETE FROM consultation_stances WHERE consultation = $1 AND statement = $2",
                self.id,
            ))
            .await?;
        self.run(of_root(
            "UPDATE consultation_contributions SET agree = 0, disagree = 0, pass = 0 \
             WHERE consultation = $1 AND number = $2",
            self.id,
        ))
        .await?;
        self.count_votes(-self.number(removed)?).await?;
        if self.root(root).await? != Some(root) {
            return Ok(());
        }
        for (participant, vote) in self.merged(root, None).await? {
            self.set_stance(root, participant, vote).await?;
            self.count(root, None, vote).await?;
        }
        Ok(())
    }

    async fn moderated(
        &mut self,
        contribution: u64,
        moderation: Moderation,
        reason: &str,
    ) -> Result<(), StoreError> {
        let wrong = |error| StoreError::of(WHAT, self.id, error);
        let number = self.number(contribution)?;
        let row = Statement::with(
            "SELECT standing, clause, root, answer FROM consultation_contributions \
             WHERE consultation = $1 AND number = $2",
            [self.id.into(), number.into()],
        )
        .optional(self.on)
        .await
        .map_err(wrong)?;
        let Some(row) = row else { return Ok(()) };
        let was_shown = text(&row, "standing").map_err(wrong)? == "shown";
        let clause = crate::sql::maybe_text(&row, "clause").map_err(wrong)?;
        let old_root = int(&row, "root").map_err(wrong)?;
        let is_answered = maybe_int(&row, "answer").map_err(wrong)?.is_some();
        let (standing, because, root) = match moderation {
            Moderation::Hide { because } => ("hidden", Some(because), old_root),
            Moderation::Merge { into } => ("merged", None, self.number(into)?),
            Moderation::Restore => ("shown", None, number),
        };
        let is_shown = standing == "shown";
        let act = StandingAct { because, reason: reason.to_owned(), entry: self.record.index };
        let statement = Statement::with(
            "UPDATE consultation_contributions SET standing = $3, root = $4, unanswered = $5, reason = $6 \
             WHERE consultation = $1 AND number = $2",
            [
                self.id.into(),
                number.into(),
                standing.into(),
                root.into(),
                i64::from(is_shown && !is_answered).into(),
                to_json(WHAT, &act)?.into(),
            ],
        );
        self.run(statement).await?;
        self.count_on_clause(clause, i64::from(is_shown) - i64::from(was_shown)).await?;
        if root != old_root {
            self.move_root(number, old_root, root).await?;
        }
        self.count_unanswered().await
    }

    /// What was merged into a statement goes with it when it is merged into another.
    async fn move_root(&mut self, number: i64, old: i64, new: i64) -> Result<(), StoreError> {
        if new != number {
            self.run(Statement::with(
                "UPDATE consultation_contributions SET root = $3 WHERE consultation = $1 AND root = $2",
                [self.id.into(), number.into(), new.into()],
            ))
            .await?;
        }
        for root in [old, number, new] {
            self.recount(root).await?;
        }
        Ok(())
    }

    async fn count_unanswered(&mut self) -> Result<(), StoreError> {
        let statement = Statement::with(
            "UPDATE consultations SET unanswered = (SELECT COUNT(*) FROM consultation_contributions c \
             WHERE c.consultation = consultations.id AND c.unanswered = 1) WHERE id = $1",
            [self.id.into()],
        );
        self.run(statement).await.map(|_| ())
    }

    async fn answered(&mut self) -> Result<(), StoreError> {
        let ConsultationEvent::Answered { answer, title, words, outcome, contributions } =
            self.record.event.clone()
        else {
            return Ok(());
        };
        let counts = consultation::read(self.on, &self.record.consultation).await?.counts;
        let number = answer.unwrap_or(counts.answers + 1);
        let count = u64::try_from(contributions.len()).unwrap_or(u64::MAX);
        let body = Answer {
            number,
            title,
            words,
            outcome,
            contributions: count,
            at: self.record.at,
            entry: self.record.index,
        };
        let signed_number = self.number(number)?;
        let statement = Statement::with(
            "INSERT INTO consultation_answers (consultation, number, entry, body) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (consultation, number) DO UPDATE SET entry = $3, body = $4",
            [
                self.id.into(),
                signed_number.into(),
                self.number(self.record.index)?.into(),
                to_json("answer", &body)?.into(),
            ],
        );
        self.run(statement).await?;
        self.run(Statement::with(
            "UPDATE consultation_contributions SET answer = NULL, \
             unanswered = CASE standing WHEN 'shown' THEN 1 ELSE 0 END \
             WHERE consultation = $1 AND answer = $2",
            [self.id.into(), signed_number.into()],
        ))
        .await?;
        for contribution in contributions {
            let contribution = self.number(contribution)?;
            self.run(Statement::with(
                "UPDATE consultation_contributions SET answer = $3, unanswered = 0 \
                 WHERE consultation = $1 AND number = $2",
                [self.id.into(), contribution.into(), signed_number.into()],
            ))
            .await?;
        }
        let answers = self.number(unsigned(WHAT, self.id, signed_number)?.max(counts.answers))?;
        self.run(Statement::with(
            "UPDATE consultations SET answers = $2 WHERE id = $1",
            [self.id.into(), answers.into()],
        ))
        .await?;
        self.count_unanswered().await
    }

    async fn concluded(&mut self, conclusion: Conclusion) -> Result<(), StoreError> {
        let mut consultation = consultation::read(self.on, &self.record.consultation).await?.consultation;
        consultation.conclusion = Some(conclusion);
        let statement = Statement::with(
            "UPDATE consultations SET body = $2 WHERE id = $1",
            [self.id.into(), to_json(WHAT, &consultation)?.into()],
        );
        self.run(statement).await.map(|_| ())
    }
}
