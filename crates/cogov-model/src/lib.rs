//! The words of cogov as types: grades and labels, parties, datasets, grants, treatments, working days.
//!
//! No I/O, no async, no SQL: every other room speaks in these types. Identifiers, grades, times and
//! amounts of privacy are types, so that a wrong state does not compile or does not parse.

mod aggregation;
mod calendar;
mod category;
mod consultation;
mod contribution;
mod dataset;
mod decision;
mod draft;
mod entry;
mod form;
mod grade;
mod grant;
mod id;
mod label;
mod loss;
mod party;
mod privacy;
mod profile;
mod scope;
mod text;
mod time;
mod treatment;
mod verification;

pub use aggregation::{Aggregation, Dominance, Percent};
pub use calendar::{Calendar, CalendarError};
pub use category::{Category, Scheme, SchemeError, VolumeRule};
pub use consultation::{
    Conclusion, Consultation, ConsultationEvent, ConsultationState, ConsultedClause, ParticipantClass,
};
pub use contribution::{
    Answer, AnswerOutcome, Contribution, ContributionKind, HideReason, Moderation, Participant, Standing,
    Tally, Vote,
};
pub use dataset::{Column, DataType, Dataset, DatasetState, SharingAttribute, Table, TableVersion, Version};
pub use decision::{Clauses, Outcome, Reason};
pub use draft::{Adoption, Differences, Draft, DraftKind, DraftState, DraftText, Effect, Publication};
pub use entry::{Entry, EntryKind};
pub use form::{Form, Lane, Purpose};
pub use grade::{Grade, ParseGradeError};
pub use grant::{Application, ApplicationState, Approval, ColumnRef, Grant, GrantState, Term};
pub use id::{
    AccountName, ApplicationId, CategoryCode, ClauseId, ColumnName, ConsultationId, DatasetId, DraftId,
    DraftRef, GrantId, IdError, ParticipantKey, PartyId, PredicateId, PurposeCode, RegionCode,
    RulebookVersion, TableName,
};
pub use label::Label;
pub use loss::{CONVERSION_DELTA, Delta, Loss, Month, Rho};
pub use party::{Party, PartyClass, Role, Tier};
pub use privacy::{Bound, Bounds, DatasetPrivacy, MOST_KEYS, MOST_ROWS_PER_UNIT, PublicKeys, TablePrivacy};
pub use profile::{ColumnProfile, Evidence, Finding, LabelProposal, TableProfile};
pub use scope::{CompareOp, Condition, Linked, RowScope, Scalar};
pub use text::{Locale, Text};
pub use time::{Clock, SystemClock, Timestamp};
pub use treatment::{Epsilon, Mask, MinGroup, Treatment};
pub use verification::{Predicate, Verification, VerifyAnswer};
