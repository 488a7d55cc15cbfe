//! Consultations, their clauses and who takes part. All but the participants is a projection of the ledger:
//! see [`crate::ConsultationRecord`].

use crate::{
    Cursor, Page, Paged, Store, StoreError,
    open::commit,
    sql::{Statement, from_code, from_json, int, maybe_int, maybe_text, signed, text, unsigned},
};
use cogov_model::{
    AccountName, ClauseId, Consultation, ConsultationId, ConsultedClause, DraftId, Participant,
    ParticipantKey, Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

pub(crate) const WHAT: &str = "consultation";
const PARTICIPANT: &str = "participant";

/// How much there is in a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsultationCounts {
    /// Accounts that joined.
    pub participants: u64,
    /// Statements, comments and amendments, hidden and merged ones too.
    pub contributions: u64,
    /// Votes that hold.
    pub votes: u64,
    /// Contributions that still need an answer.
    pub unanswered: u64,
    /// Answers.
    pub answers: u64,
}

/// A consultation with its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedConsultation {
    /// The consultation.
    pub consultation: Consultation,
    /// How much is in it.
    pub counts: ConsultationCounts,
}

/// A clause with the number of contributions on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedClause {
    /// Its place, from 0.
    pub ordinal: u64,
    /// The clause; its words are empty in lists.
    pub clause: ConsultedClause,
    /// Comments and amendments on it.
    pub contributions: u64,
}

const COLUMNS: &str =
    "SELECT id, participants, contributions, votes, unanswered, answers, body FROM consultations";
const PEOPLE: &str = "SELECT number, participant, account, class, verified, name, joined_at, entry \
     FROM consultation_participants";

impl Store {
    /// A consultation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn consultation(&self, id: &ConsultationId) -> Result<CountedConsultation, StoreError> {
        let mut connection = self.connection().await?;
        read(&mut connection, id).await
    }

    /// Consultations, newest first.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn consultations(&self, page: &Page) -> Result<Paged<CountedConsultation>, StoreError> {
        let mut select = Statement::new(COLUMNS).push(" WHERE 1 = 1");
        if let Some(after) = &page.after {
            let (at, id) = after.moment()?;
            select = select.push(" AND (opened_at, id) < (").bind(at).push(", ").bind(id).push(")");
        }
        let mut connection = self.connection().await?;
        let rows = select
            .push(" ORDER BY opened_at DESC, id DESC LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let found: Result<Vec<_>, _> = rows.iter().map(decode).collect();
        Ok(Paged::cut(found?, page, |c| {
            Cursor::at_moment(c.consultation.opened_at, c.consultation.id.as_str())
        }))
    }

    /// The consultations on a draft, oldest first.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn consultations_on(&self, draft: &DraftId) -> Result<Vec<CountedConsultation>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::new(COLUMNS)
            .push(" WHERE draft = ")
            .bind(draft.as_str())
            .push(" ORDER BY entry")
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, draft.as_str(), error))?;
        rows.iter().map(decode).collect()
    }

    /// The clauses of a consultation in their order, without their words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consultation_contents(&self, id: &ConsultationId) -> Result<Vec<CountedClause>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT ordinal, anchor, title, '{}' AS words, contributions FROM consultation_clauses \
             WHERE consultation = $1 ORDER BY ordinal",
            [id.as_str().into()],
        )
        .all(&mut connection)
        .await
        .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
        rows.iter().map(|row| decode_clause(id, row)).collect()
    }

    /// Every clause of a consultation with its words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consultation_text(&self, id: &ConsultationId) -> Result<Vec<CountedClause>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT ordinal, anchor, title, words, contributions FROM consultation_clauses \
             WHERE consultation = $1 ORDER BY ordinal",
            [id.as_str().into()],
        )
        .all(&mut connection)
        .await
        .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
        rows.iter().map(|row| decode_clause(id, row)).collect()
    }

    /// One clause of a consultation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it has no such clause.
    pub async fn consultation_clause(
        &self,
        id: &ConsultationId,
        anchor: &ClauseId,
    ) -> Result<CountedClause, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT ordinal, anchor, title, words, contributions FROM consultation_clauses \
             WHERE consultation = $1 AND anchor = $2",
            [id.as_str().into(), anchor.as_str().into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of("clause", anchor.as_str(), error))?;
        decode_clause(id, &row)
    }

    /// Takes an account in as the next participant. One account is one participant: a second call changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such consultation.
    pub async fn add_participant(
        &self,
        id: &ConsultationId,
        new: &Participant,
    ) -> Result<Participant, StoreError> {
        let wrong = |error| StoreError::of(PARTICIPANT, id.as_str(), error);
        let mut change = self.change().await?;
        if let Some(found) = by_account(&mut change, id, &new.account).await? {
            return Ok(found);
        }
        // The consultation's row is locked by its change, so that no number is given twice.
        let changed = Statement::with(
            "UPDATE consultations SET participants = participants + 1 WHERE id = $1",
            [id.as_str().into()],
        )
        .execute(&mut change)
        .await
        .map_err(wrong)?;
        if changed == 0 {
            return Err(StoreError::NotFound { what: WHAT, id: id.to_string() });
        }
        let number = read(&mut change, id).await?.counts.participants.saturating_sub(1);
        Statement::with(
            "INSERT INTO consultation_participants \
             (consultation, number, participant, account, class, verified, name, joined_at, entry) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
            [
                id.as_str().into(),
                signed(PARTICIPANT, id.as_str(), number)?.into(),
                new.key.as_str().into(),
                new.account.as_str().into(),
                new.class.code().into(),
                i64::from(new.verified).into(),
                new.name.clone().into(),
                new.joined_at.millis().into(),
            ],
        )
        .execute(&mut change)
        .await
        .map_err(wrong)?;
        commit(change).await?;
        Ok(Participant { number, entry: None, ..new.clone() })
    }

    /// Notes the ledger entry of a participant's joining.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_joining(&self, id: &ConsultationId, number: u64, entry: u64) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with(
            "UPDATE consultation_participants SET entry = $3 \
             WHERE consultation = $1 AND number = $2 AND entry IS NULL",
            [
                id.as_str().into(),
                signed(PARTICIPANT, id.as_str(), number)?.into(),
                signed(PARTICIPANT, id.as_str(), entry)?.into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(PARTICIPANT, id.as_str(), error))
    }

    /// The participant behind an account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has not joined.
    pub async fn participant(
        &self,
        id: &ConsultationId,
        account: &AccountName,
    ) -> Result<Participant, StoreError> {
        let mut connection = self.connection().await?;
        by_account(&mut connection, id, account)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: PARTICIPANT, id: id.to_string() })
    }

    /// The participants of some numbers, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn participants_of(
        &self,
        id: &ConsultationId,
        numbers: &[u64],
    ) -> Result<Vec<Participant>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let mut select =
            Statement::new(PEOPLE).push(" WHERE consultation = ").bind(id.as_str()).push(" AND number IN (");
        for (place, number) in numbers.iter().enumerate() {
            let number = signed(PARTICIPANT, id.as_str(), *number)?;
            select = if place == 0 { select.bind(number) } else { select.push(", ").bind(number) };
        }
        let mut connection = self.connection().await?;
        let rows = select
            .push(")")
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(PARTICIPANT, id.as_str(), error))?;
        rows.iter().map(decode_participant).collect()
    }

    /// Participants by number.
    ///
    /// # Errors
    /// When the database fails or the cursor is of another list.
    pub async fn participants(
        &self,
        id: &ConsultationId,
        page: &Page,
    ) -> Result<Paged<Participant>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::new(PEOPLE)
            .push(" WHERE consultation = ")
            .bind(id.as_str())
            .when(" AND number > ", page.after.as_ref().map(Cursor::number).transpose()?)
            .push(" ORDER BY number LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(PARTICIPANT, id.as_str(), error))?;
        let found: Result<Vec<_>, _> = rows.iter().map(decode_participant).collect();
        Ok(Paged::cut(found?, page, |participant| Cursor::at_number(participant.number)))
    }
}

pub(crate) async fn read(
    on: &mut AnyConnection,
    id: &ConsultationId,
) -> Result<CountedConsultation, StoreError> {
    let row = Statement::new(COLUMNS)
        .push(" WHERE id = ")
        .bind(id.as_str())
        .optional(on)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
    decode(&row)
}

async fn by_account(
    on: &mut AnyConnection,
    id: &ConsultationId,
    account: &AccountName,
) -> Result<Option<Participant>, StoreError> {
    let row = Statement::new(PEOPLE)
        .push(" WHERE consultation = ")
        .bind(id.as_str())
        .push(" AND account = ")
        .bind(account.as_str())
        .optional(on)
        .await
        .map_err(|error| StoreError::of(PARTICIPANT, id.as_str(), error))?;
    row.as_ref().map(decode_participant).transpose()
}

/// The number of the participant of a key.
pub(crate) async fn number_of(
    on: &mut AnyConnection,
    id: &ConsultationId,
    key: &ParticipantKey,
) -> Result<Option<i64>, StoreError> {
    let wrong = |error| StoreError::of(PARTICIPANT, id.as_str(), error);
    let row = Statement::with(
        "SELECT number FROM consultation_participants WHERE consultation = $1 AND participant = $2",
        [id.as_str().into(), key.as_str().into()],
    )
    .optional(on)
    .await
    .map_err(wrong)?;
    row.map(|row| int(&row, "number").map_err(wrong)).transpose()
}

fn decode(row: &AnyRow) -> Result<CountedConsultation, StoreError> {
    let id = text(row, "id").map_err(|error| StoreError::of(WHAT, "?", error))?;
    let wrong = |error| StoreError::of(WHAT, &id, error);
    let count = |column: &str| unsigned(WHAT, &id, int(row, column).map_err(wrong)?);
    Ok(CountedConsultation {
        consultation: from_json(WHAT, &id, &text(row, "body").map_err(wrong)?)?,
        counts: ConsultationCounts {
            participants: count("participants")?,
            contributions: count("contributions")?,
            votes: count("votes")?,
            unanswered: count("unanswered")?,
            answers: count("answers")?,
        },
    })
}

fn decode_clause(id: &ConsultationId, row: &AnyRow) -> Result<CountedClause, StoreError> {
    let wrong = |error| StoreError::of("clause", id.as_str(), error);
    Ok(CountedClause {
        ordinal: unsigned("clause", id.as_str(), int(row, "ordinal").map_err(wrong)?)?,
        clause: ConsultedClause {
            anchor: from_code("clause", id.as_str(), text(row, "anchor").map_err(wrong)?)?,
            title: from_json("clause", id.as_str(), &text(row, "title").map_err(wrong)?)?,
            words: from_json("clause", id.as_str(), &text(row, "words").map_err(wrong)?)?,
        },
        contributions: unsigned("clause", id.as_str(), int(row, "contributions").map_err(wrong)?)?,
    })
}

fn decode_participant(row: &AnyRow) -> Result<Participant, StoreError> {
    let wrong = |error| StoreError::of(PARTICIPANT, "?", error);
    let number = unsigned(PARTICIPANT, "?", int(row, "number").map_err(wrong)?)?;
    let id = number.to_string();
    let entry = maybe_int(row, "entry").map_err(wrong)?;
    Ok(Participant {
        number,
        key: from_code(PARTICIPANT, &id, text(row, "participant").map_err(wrong)?)?,
        account: from_code(PARTICIPANT, &id, text(row, "account").map_err(wrong)?)?,
        class: from_code(PARTICIPANT, &id, text(row, "class").map_err(wrong)?)?,
        verified: int(row, "verified").map_err(wrong)? != 0,
        name: maybe_text(row, "name").map_err(wrong)?,
        joined_at: Timestamp::from_millis(int(row, "joined_at").map_err(wrong)?),
        entry: entry.map(|entry| unsigned(PARTICIPANT, &id, entry)).transpose()?,
    })
}
