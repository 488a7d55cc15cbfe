//! Contributions, answers and votes of consultations, as lists that never read more than they show.

use crate::{
    Cursor, Page, Paged, Store, StoreError,
    sql::{Statement, from_code, from_json, int, key, maybe_int, maybe_text, signed, text, unsigned},
};
use cogov_model::{
    Answer, ClauseId, ConsultationId, Contribution, ContributionKind, HideReason, Standing, Tally, Timestamp,
    Vote,
};
use sqlx::any::AnyRow;

const WHAT: &str = "contribution";

/// Which contributions are wanted; everything when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContributionFilter {
    /// On this clause.
    pub clause: Option<ClauseId>,
    /// Of this kind.
    pub kind: Option<ContributionKind>,
    /// By this participant.
    pub participant: Option<u64>,
    /// With this answer.
    pub answer: Option<u64>,
    /// Those that still need an answer.
    pub unanswered: bool,
    /// Those that are shown: neither hidden nor merged.
    pub shown: bool,
    /// Newest first; oldest first otherwise.
    pub newest: bool,
}

/// A contribution with the salt of its ledger entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedContribution {
    /// The contribution.
    pub contribution: Contribution,
    /// The salt of the entry's hash, hex.
    pub salt: String,
}

/// A vote as it was cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CastVote {
    /// Its ledger entry.
    pub entry: u64,
    /// The statement's number.
    pub statement: u64,
    /// The participant's number.
    pub participant: u64,
    /// The vote.
    pub vote: Vote,
    /// When.
    pub at: Timestamp,
    /// The salt of the entry's hash, hex.
    pub salt: String,
}

/// What holds now of one participant on one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stance {
    /// The statement's number.
    pub statement: u64,
    /// The participant's number.
    pub participant: u64,
    /// The vote.
    pub vote: Vote,
}

/// An entry of a consultation that is neither a contribution nor a vote nor a joining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsultationAct {
    /// Its ledger entry.
    pub entry: u64,
    /// When.
    pub at: Timestamp,
    /// The salt of the entry's hash, hex.
    pub salt: String,
    /// The content that the hash commits to.
    pub content: String,
}

const COLUMNS: &str = "SELECT consultation, number, entry, kind, clause, participant, at, standing, root, \
     unanswered, answer, agree, disagree, pass, salt, words, proposed, reason FROM consultation_contributions \
     WHERE consultation = ";
const VOTES: &str = "SELECT entry, statement, participant, vote, at, salt FROM consultation_votes \
     WHERE consultation = ";

/// An answer, and how many contributions have it now.
const ANSWERS: &str = "SELECT a.body AS body, (SELECT COUNT(*) FROM consultation_contributions c \
     WHERE c.consultation = a.consultation AND c.answer = a.number) AS contributions \
     FROM consultation_answers a WHERE a.consultation = ";

impl Store {
    /// Contributions of a consultation.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn contributions(
        &self,
        id: &ConsultationId,
        filter: &ContributionFilter,
        page: &Page,
    ) -> Result<Paged<SaltedContribution>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = select(id, filter, page)?
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let found: Result<Vec<_>, _> = rows.iter().map(decode).collect();
        Ok(Paged::cut(found?, page, |found| Cursor::at_number(found.contribution.number)))
    }

    /// One contribution.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn contribution(
        &self,
        id: &ConsultationId,
        number: u64,
    ) -> Result<SaltedContribution, StoreError> {
        self.contribution_where(id, " AND number = ", number, &format!("{id} {number}")).await
    }

    /// The contribution of a ledger entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the entry is none.
    pub async fn contribution_at(
        &self,
        id: &ConsultationId,
        entry: u64,
    ) -> Result<SaltedContribution, StoreError> {
        self.contribution_where(id, " AND entry = ", entry, &format!("{id} at {entry}")).await
    }

    /// The contribution that one more condition picks; `name` is what an error calls it.
    async fn contribution_where(
        &self,
        id: &ConsultationId,
        condition: &'static str,
        value: u64,
        name: &str,
    ) -> Result<SaltedContribution, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::new(COLUMNS)
            .bind(id.as_str())
            .push(condition)
            .bind(key(WHAT, name, value)?)
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| StoreError::of(WHAT, name, error))?;
        decode(&row)
    }

    /// The vote of a ledger entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the entry is none.
    pub async fn vote_at(&self, id: &ConsultationId, entry: u64) -> Result<CastVote, StoreError> {
        let name = format!("{id} at {entry}");
        let mut connection = self.connection().await?;
        let row = Statement::new(VOTES)
            .bind(id.as_str())
            .push(" AND entry = ")
            .bind(key("vote", &name, entry)?)
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| StoreError::of("vote", &name, error))?;
        decode_vote(&row)
    }

    /// Votes as they were cast, in the order of the ledger.
    ///
    /// # Errors
    /// When the database fails or the cursor is of another list.
    pub async fn cast_votes(&self, id: &ConsultationId, page: &Page) -> Result<Paged<CastVote>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::new(VOTES)
            .bind(id.as_str())
            .when(" AND entry > ", page.after.as_ref().map(Cursor::number).transpose()?)
            .push(" ORDER BY entry LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of("vote", "list", error))?;
        let found: Result<Vec<_>, _> = rows.iter().map(decode_vote).collect();
        Ok(Paged::cut(found?, page, |vote| Cursor::at_number(vote.entry)))
    }

    /// Every vote that one participant cast, by statement, the last one of each last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn votes_of(&self, id: &ConsultationId, participant: u64) -> Result<Vec<CastVote>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::new(VOTES)
            .bind(id.as_str())
            .push(" AND participant = ")
            .bind(signed("vote", id.as_str(), participant)?)
            .push(" ORDER BY statement, entry")
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of("vote", "list", error))?;
        rows.iter().map(decode_vote).collect()
    }

    /// What holds of one participant, by statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stances_of(&self, id: &ConsultationId, participant: u64) -> Result<Vec<Stance>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT statement, participant, vote FROM consultation_stances \
             WHERE consultation = $1 AND participant = $2 ORDER BY statement",
            [id.as_str().into(), signed("vote", id.as_str(), participant)?.into()],
        )
        .all(&mut connection)
        .await
        .map_err(|error| StoreError::of("vote", "list", error))?;
        rows.iter().map(decode_stance).collect()
    }

    /// Everything that holds in a consultation, by statement and participant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stances(&self, id: &ConsultationId) -> Result<Vec<Stance>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT statement, participant, vote FROM consultation_stances WHERE consultation = $1 \
             ORDER BY statement, participant",
            [id.as_str().into()],
        )
        .all(&mut connection)
        .await
        .map_err(|error| StoreError::of("vote", "list", error))?;
        rows.iter().map(decode_stance).collect()
    }

    /// Answers by number.
    ///
    /// # Errors
    /// When the database fails or the cursor is of another list.
    pub async fn answers(&self, id: &ConsultationId, page: &Page) -> Result<Paged<Answer>, StoreError> {
        let wrong = |error| StoreError::of("answer", id.as_str(), error);
        let mut connection = self.connection().await?;
        let rows = Statement::new(ANSWERS)
            .bind(id.as_str())
            .when(" AND number > ", page.after.as_ref().map(Cursor::number).transpose()?)
            .push(" ORDER BY number LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(wrong)?;
        let found: Result<Vec<Answer>, StoreError> = rows.iter().map(decode_answer).collect();
        Ok(Paged::cut(found?, page, |answer| Cursor::at_number(answer.number)))
    }

    /// One answer.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn answer(&self, id: &ConsultationId, number: u64) -> Result<Answer, StoreError> {
        let name = format!("{id} {number}");
        let mut connection = self.connection().await?;
        let row = Statement::new(ANSWERS)
            .bind(id.as_str())
            .push(" AND number = ")
            .bind(key("answer", &name, number)?)
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| StoreError::of("answer", &name, error))?;
        decode_answer(&row)
    }

    /// The answer of a ledger entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the entry is none, or when a later one replaced it.
    pub async fn answer_at(&self, id: &ConsultationId, entry: u64) -> Result<Answer, StoreError> {
        let name = format!("{id} at {entry}");
        let mut connection = self.connection().await?;
        let row = Statement::new(ANSWERS)
            .bind(id.as_str())
            .push(" AND entry = ")
            .bind(key("answer", &name, entry)?)
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| StoreError::of("answer", &name, error))?;
        decode_answer(&row)
    }

    /// The last ledger entry of a consultation that the records hold: a contribution, a vote or an act.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_entry(&self, id: &ConsultationId) -> Result<u64, StoreError> {
        let mut last = 0;
        let mut connection = self.connection().await?;
        for text in [
            "SELECT entry FROM consultation_contributions WHERE consultation = $1 ORDER BY entry DESC LIMIT 1",
            "SELECT entry FROM consultation_votes WHERE consultation = $1 ORDER BY entry DESC LIMIT 1",
            "SELECT entry FROM consultation_acts WHERE consultation = $1 ORDER BY entry DESC LIMIT 1",
        ] {
            let row = Statement::with(text, [id.as_str().into()])
                .optional(&mut connection)
                .await
                .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
            if let Some(row) = row {
                let entry = int(&row, "entry").map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
                last = last.max(unsigned(WHAT, id.as_str(), entry)?);
            }
        }
        Ok(last)
    }

    /// Whether other statements were merged into one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_merged_into(&self, id: &ConsultationId, number: u64) -> Result<bool, StoreError> {
        let number = signed(WHAT, id.as_str(), number)?;
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT number FROM consultation_contributions \
             WHERE consultation = $1 AND root = $2 AND number <> $2 LIMIT 1",
            [id.as_str().into(), number.into()],
        )
        .optional(&mut connection)
        .await
        .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
        Ok(row.is_some())
    }

    /// The other entries of a consultation, in the order of the ledger.
    ///
    /// # Errors
    /// When the database fails or the cursor is of another list.
    pub async fn consultation_acts(
        &self,
        id: &ConsultationId,
        page: &Page,
    ) -> Result<Paged<ConsultationAct>, StoreError> {
        let wrong = |error| StoreError::of("act", id.as_str(), error);
        let mut connection = self.connection().await?;
        let rows =
            Statement::new("SELECT entry, at, salt, body FROM consultation_acts WHERE consultation = ")
                .bind(id.as_str())
                .when(" AND entry > ", page.after.as_ref().map(Cursor::number).transpose()?)
                .push(" ORDER BY entry LIMIT ")
                .bind(page.fetch())
                .all(&mut connection)
                .await
                .map_err(wrong)?;
        let read = |row: &AnyRow| {
            Ok(ConsultationAct {
                entry: unsigned("act", id.as_str(), int(row, "entry").map_err(wrong)?)?,
                at: Timestamp::from_millis(int(row, "at").map_err(wrong)?),
                salt: text(row, "salt").map_err(wrong)?,
                content: text(row, "body").map_err(wrong)?,
            })
        };
        let found: Result<Vec<_>, StoreError> = rows.iter().map(read).collect();
        Ok(Paged::cut(found?, page, |act| Cursor::at_number(act.entry)))
    }
}

pub(crate) fn select(
    id: &ConsultationId,
    filter: &ContributionFilter,
    page: &Page,
) -> Result<Statement, StoreError> {
    let number = |number: Option<u64>| number.map(|n| signed(WHAT, "filter", n)).transpose();
    let after = page.after.as_ref().map(Cursor::number).transpose()?;
    let (beyond, order) = match filter.newest {
        true => (" AND number < ", " ORDER BY number DESC LIMIT "),
        false => (" AND number > ", " ORDER BY number LIMIT "),
    };
    let statement = Statement::new(COLUMNS)
        .bind(id.as_str())
        .when(" AND clause = ", filter.clause.as_ref().map(ClauseId::as_str))
        .when(" AND kind = ", filter.kind.map(ContributionKind::code))
        .when(" AND participant = ", number(filter.participant)?)
        .when(" AND answer = ", number(filter.answer)?)
        .when(" AND unanswered = ", filter.unanswered.then_some(1_i64))
        .when(" AND standing = ", filter.shown.then_some("shown"))
        .when(beyond, after);
    Ok(statement.push(order).bind(page.fetch()))
}

fn decode(row: &AnyRow) -> Result<SaltedContribution, StoreError> {
    let number = int(row, "number").map_err(|error| StoreError::of(WHAT, "?", error))?;
    let id = number.to_string();
    let wrong = |error| StoreError::of(WHAT, &id, error);
    let count = |column: &str| unsigned(WHAT, &id, int(row, column).map_err(wrong)?);
    let clause = maybe_text(row, "clause").map_err(wrong)?;
    let answer = maybe_int(row, "answer").map_err(wrong)?;
    let contribution = Contribution {
        consultation: from_code(WHAT, &id, text(row, "consultation").map_err(wrong)?)?,
        number: unsigned(WHAT, &id, number)?,
        kind: from_code(WHAT, &id, text(row, "kind").map_err(wrong)?)?,
        clause: clause.map(|clause| from_code(WHAT, &id, clause)).transpose()?,
        words: text(row, "words").map_err(wrong)?,
        proposed: maybe_text(row, "proposed").map_err(wrong)?,
        participant: count("participant")?,
        at: Timestamp::from_millis(int(row, "at").map_err(wrong)?),
        entry: count("entry")?,
        standing: decode_standing(&id, row, count("root")?)?,
        answer: answer.map(|answer| unsigned(WHAT, &id, answer)).transpose()?,
        tally: Tally { agree: count("agree")?, disagree: count("disagree")?, pass: count("pass")? },
    };
    Ok(SaltedContribution { contribution, salt: text(row, "salt").map_err(wrong)? })
}

/// The reason's column holds code, entry and words of a moderator's last act.
fn decode_standing(id: &str, row: &AnyRow, root: u64) -> Result<Standing, StoreError> {
    let wrong = |error| StoreError::of(WHAT, id, error);
    let standing = text(row, "standing").map_err(wrong)?;
    if standing == "shown" {
        return Ok(Standing::Shown);
    }
    let act: StandingAct = from_json(WHAT, id, &text(row, "reason").map_err(wrong)?)?;
    Ok(match act.because {
        Some(because) if standing == "hidden" => {
            Standing::Hidden { because, reason: act.reason, entry: act.entry }
        }
        _ => Standing::Merged { into: root, reason: act.reason, entry: act.entry },
    })
}

/// What a moderator's last act says, as its column holds it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct StandingAct {
    pub because: Option<HideReason>,
    pub reason: String,
    pub entry: u64,
}

fn decode_answer(row: &AnyRow) -> Result<Answer, StoreError> {
    let wrong = |error| StoreError::of("answer", "?", error);
    let answer: Answer = from_json("answer", "?", &text(row, "body").map_err(wrong)?)?;
    let contributions = unsigned("answer", "?", int(row, "contributions").map_err(wrong)?)?;
    Ok(Answer { contributions, ..answer })
}

pub(crate) fn decode_vote(row: &AnyRow) -> Result<CastVote, StoreError> {
    let wrong = |error| StoreError::of("vote", "?", error);
    let number = |column: &str| unsigned("vote", "?", int(row, column).map_err(wrong)?);
    Ok(CastVote {
        entry: number("entry")?,
        statement: number("statement")?,
        participant: number("participant")?,
        vote: from_code("vote", "?", text(row, "vote").map_err(wrong)?)?,
        at: Timestamp::from_millis(int(row, "at").map_err(wrong)?),
        salt: text(row, "salt").map_err(wrong)?,
    })
}

fn decode_stance(row: &AnyRow) -> Result<Stance, StoreError> {
    let wrong = |error| StoreError::of("vote", "?", error);
    let number = |column: &str| unsigned("vote", "?", int(row, column).map_err(wrong)?);
    Ok(Stance {
        statement: number("statement")?,
        participant: number("participant")?,
        vote: from_code("vote", "?", text(row, "vote").map_err(wrong)?)?,
    })
}
