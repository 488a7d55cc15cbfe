//! Consultations: opened by a public body, open and closed by the clock, and every voice on the ledger.
//!
//! What people do is appended to the ledger first; the records that pages read are made from the ledger
//! (`projector`), so that a crash loses and doubles nothing. The content of an entry is sealed beside its leaf
//! and published with its salt as open data, so that anyone can recompute what was counted.

mod answer;
mod diff;
mod export;
mod limits;
mod maps;
mod moderate;
mod open;
mod opinion;
mod participate;
mod projector;
mod pseudonym;
mod read;
mod receipt;
mod similar;
mod split;

pub(crate) use limits::Limited;

pub use answer::{AnswerPage, NewAnswer};
pub use diff::{DiffKind, DiffPart, diff};
pub use export::OpenData;
pub use open::NewConsultation;
pub use opinion::{
    ClassOpinion, Confidence, GroupOpinion, OpinionMap, Position, Represents, StatementOpinion,
};
pub use participate::{NewContribution, Receipt, Turn};
pub use read::{
    Author, ClausePage, ConsultationCard, ConsultationPage, ConsultationRights, ContributionView, MyPart,
};
pub use receipt::{ReceiptCheck, ReceiptPage};
pub use similar::Likeness;
pub use split::split_clauses;

use crate::{App, AppError, app::OpenError, error::Result, record::Act};
use cogov_model::{
    Consultation, ConsultationEvent, ConsultationId, ConsultationState, EntryKind, Outcome, ParticipantKey,
    PartyId, Role, Timestamp,
};
use cogov_store::{Setting, Store};
use limits::Limits;
use projector::Projector;
use pseudonym::PseudonymKey;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, RwLock};

/// Who may open a consultation of a public body and conclude it.
pub(crate) const OPENERS: [Role; 2] = [Role::Head, Role::Admin];
/// Who may moderate and answer for the body that consults.
pub(crate) const MODERATORS: [Role; 3] = [Role::Head, Role::Approver, Role::Admin];

/// What consultations need beside records and ledger.
pub(crate) struct Deliberation {
    pub(crate) projector: Projector,
    pub(crate) limits: Limits,
    maps: maps::Maps,
    /// Whoever joins writes alone: a crowd of writers would starve one another.
    joining: Mutex<()>,
    /// Acts stand side by side; a conclusion, which looks at all of them, stands alone.
    acts: Arc<RwLock<()>>,
    /// Acts of the bodies that consult come one after another: each looks at what those before it did.
    hosting: Arc<Mutex<()>>,
    /// Held by each event on its way to the records, also when who asked for it has gone away.
    writing: Arc<RwLock<()>>,
    pseudonyms: PseudonymKey,
}

impl Deliberation {
    /// Reads the key of the pseudonyms, or makes it once.
    pub(crate) async fn open(store: &Store) -> Result<Self, OpenError> {
        let mut new = [0_u8; 32];
        getrandom::fill(&mut new)
            .map_err(|error| OpenError::Document(format!("the system gives no random bytes: {error}")))?;
        let key = store.setting_or(Setting::PseudonymKey, &hex::encode(new)).await?;
        let pseudonyms = PseudonymKey::from_hex(&key).ok_or_else(|| {
            OpenError::Document(
                "the key of the pseudonyms in the records is damaged: restore it from a backup".to_owned(),
            )
        })?;
        Ok(Self {
            projector: Projector::new(store.consultations_until().await?),
            limits: Limits::default(),
            maps: maps::Maps::default(),
            joining: Mutex::default(),
            acts: Arc::default(),
            hosting: Arc::default(),
            writing: Arc::default(),
            pseudonyms,
        })
    }
}

/// The turn of one act of a body that consults: beside what people do, alone among acts of its kind.
pub(crate) struct HostTurn {
    _beside: OwnedRwLockReadGuard<()>,
    _alone: OwnedMutexGuard<()>,
}

impl App {
    /// Waits for the turn to moderate or to answer. The records hold the whole ledger by then, so that nothing is judged
    /// by records that are behind.
    pub(crate) async fn host_turn(&self) -> Result<HostTurn> {
        let beside = Arc::clone(&self.deliberation.acts).read_owned().await;
        let alone = Arc::clone(&self.deliberation.hosting).lock_owned().await;
        self.records_hold_ledger().await?;
        Ok(HostTurn { _beside: beside, _alone: alone })
    }

    /// Waits until every event that was begun is written, and the records hold all that is.
    pub(crate) async fn nothing_on_its_way(&self) -> Result<()> {
        drop(self.deliberation.writing.write().await);
        self.records_hold_ledger().await
    }

    async fn records_hold_ledger(&self) -> Result<()> {
        let Some(last) = self.ledger.size().checked_sub(1) else { return Ok(()) };
        self.projected(last).await.map_err(|_| {
            AppError::unavailable(
                "The records are behind the ledger at the moment, so nothing was done. Try again shortly.",
                "记录目前滞后于账本，因此未执行任何操作。请稍后重试。",
            )
        })
    }

    pub(crate) async fn consultation_record(&self, id: &ConsultationId) -> Result<Consultation> {
        Ok(self.counted_consultation(id).await?.consultation)
    }

    pub(crate) async fn counted_consultation(
        &self,
        id: &ConsultationId,
    ) -> Result<cogov_store::CountedConsultation> {
        crate::error::found(self.store.consultation(id).await)?.ok_or_else(|| {
            AppError::not_found(format!("There is no consultation {id}."), format!("没有征求意见 {id}。"))
        })
    }

    /// Writes what happened in a consultation to the ledger, waits until the records hold it, and returns its index.
    pub(crate) async fn record_event(
        &self,
        kind: EntryKind,
        about: &About<'_>,
        event: &ConsultationEvent,
        facts: &[(&str, String)],
    ) -> Result<u64> {
        self.record_in_turn((), kind, about, event, facts).await
    }

    /// The same for an act that has a turn, which is kept until the records hold it.
    pub(crate) async fn record_in_turn(
        &self,
        turn: impl Send + 'static,
        kind: EntryKind,
        about: &About<'_>,
        event: &ConsultationEvent,
        facts: &[(&str, String)],
    ) -> Result<u64> {
        let content = serde_json::to_string(event).map_err(|error| {
            tracing::error!(%error, "an event could not be written as JSON");
            AppError::unavailable(
                "It could not be written, so nothing was done.",
                "无法写入，因此未执行任何操作。",
            )
        })?;
        let mut act = Act::new(kind, Outcome::Done)
            .at(about.at)
            .party(about.host)
            .fact("consultation", about.consultation)
            .sealed("content", content);
        if let Some(participant) = about.participant {
            act = act.fact("participant", participant);
        }
        for (name, value) in facts {
            act = act.fact(name, value);
        }
        self.carry_through(turn, act).await
    }

    /// Writes an act in a task of its own: it goes on, and its turn is kept, when who asked for it goes away.
    async fn carry_through(&self, turn: impl Send + 'static, act: Act) -> Result<u64> {
        let writing = Arc::clone(&self.deliberation.writing).read_owned().await;
        let app = self.clone();
        let work = tokio::spawn(async move {
            let _kept = (turn, writing);
            let index = app.record(act).await?;
            app.projected(index).await?;
            Ok::<u64, AppError>(index)
        });
        work.await.map_err(|error| {
            tracing::error!(%error, "an act in a consultation was cut off");
            AppError::unavailable("It was cut off: look at the consultation again.", "操作中断：请重新查看。")
        })?
    }
}

/// What an event is about.
pub(crate) struct About<'a> {
    pub(crate) consultation: &'a ConsultationId,
    pub(crate) host: &'a PartyId,
    pub(crate) participant: Option<&'a ParticipantKey>,
    /// The moment at which it was judged to be allowed.
    pub(crate) at: Timestamp,
}

impl<'a> About<'a> {
    /// An act of the body that consults.
    pub(crate) fn of_host(consultation: &'a Consultation, at: Timestamp) -> Self {
        Self { consultation: &consultation.id, host: &consultation.host, participant: None, at }
    }
}

/// Refuses when a consultation is not open at a moment, and says since or until when.
pub(crate) fn require_open(consultation: &Consultation, now: Timestamp) -> Result<()> {
    let day = |at: Timestamp| at.rfc3339().replace('T', " ").chars().take(16).collect::<String>();
    match consultation.state_at(now) {
        ConsultationState::Open => Ok(()),
        ConsultationState::Announced => Err(AppError::conflict(
            format!("This consultation opens at {} UTC.", day(consultation.opens)),
            format!("本次征求意见将于 {} UTC 开始。", day(consultation.opens)),
        )),
        ConsultationState::Answering | ConsultationState::Concluded => Err(AppError::conflict(
            format!(
                "This consultation closed at {} UTC: opinions are no longer taken.",
                day(consultation.closes)
            ),
            format!("本次征求意见已于 {} UTC 截止，不再接收意见。", day(consultation.closes)),
        )),
    }
}

/// Words of a person: without control characters and marks that turn the direction of the text, trimmed.
pub(crate) fn clean(words: &str) -> String {
    let keep = |c: &char| {
        let turns = matches!(u32::from(*c), 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069);
        !turns && (!c.is_control() || matches!(c, '\n' | '\t'))
    };
    words.replace("\r\n", "\n").chars().filter(keep).collect::<String>().trim().to_owned()
}

/// Checks a text of a person and returns it clean.
pub(crate) fn said(words: &str, field: &'static str, most: usize) -> Result<String> {
    let words = clean(words);
    if words.is_empty() {
        return Err(AppError::invalid(field, "Write something first.", "请先填写内容。"));
    }
    if words.chars().count() > most {
        return Err(AppError::invalid(
            field,
            format!("Keep it under {most} characters."),
            format!("请控制在 {most} 字以内。"),
        ));
    }
    Ok(words)
}
