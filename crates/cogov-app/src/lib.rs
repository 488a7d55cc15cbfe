//! Every use case of cogov behind one façade: authorise → act → write to the ledger.
//!
//! Doors and pages hold no policy; they call [`App`]. It owns no SQL (that is `cogov-store`), no query
//! planning (`cogov-engine`), no rules (`cogov-rulebook`), no Merkle tree (`cogov-ledger`): it puts them in order.

mod adoption;
mod app;
mod applications;
mod article13;
mod catalogue;
mod checks;
mod consulted;
mod declared;
mod deliberation;
mod draft_acts;
mod draft_base;
mod draft_check;
mod drafting;
mod error;
mod extract;
mod figures;
mod grants;
mod identity;
mod imports;
mod in_force;
mod indexer;
mod journal;
mod limiter;
mod memory;
mod network;
mod privacy;
mod query;
mod receipt;
mod record;
mod recorded;
mod registration;
mod replay;
mod requests;
mod setup;
mod stewardship;
mod verify;

pub use adoption::{AdoptionPage, AdoptionRequest, EffectPage, SeatView};
pub use app::{App, AppConfig, Documents, OpenError};
pub use applications::{
    ApplicationAct, ApplicationDraft, ApplicationPage, InboxItem, May, PreviewPage, PreviewRow,
};
pub use catalogue::{CatalogueQuery, CatalogueResult, DatasetCard, DatasetPage, Facet, FacetValue, Sample};
pub use cogov_engine::extract::FileFormat;
pub use cogov_engine::import::{ImportSource, Progress, Stage};
pub use cogov_store::{
    CastVote, ConsultationCounts, ContributionFilter, CountedClause, Cursor, EntryFilter, NoiseRecord, Page,
    Paged,
};
pub use consulted::{Consulted, DraftConsultation, DraftSnapshot, Hindrance, Origin, Origins, Voice};
pub use deliberation::{
    AnswerPage, Author, ClassOpinion, ClausePage, Confidence, ConsultationCard, ConsultationPage,
    ConsultationRights, ContributionView, DiffKind, DiffPart, GroupOpinion, Likeness, MyPart, NewAnswer,
    NewConsultation, NewContribution, OpenData, OpinionMap, Position, Receipt as ContributionReceipt,
    ReceiptCheck, ReceiptPage, Represents, StatementOpinion, Turn, diff, split_clauses,
};
pub use draft_check::Checked;
pub use drafting::{DraftCard, DraftMay, DraftWords, PolicyDraftPage};
pub use error::{AppError, Result};
pub use extract::{ExtractFile, ExtractRecord, Traced};
pub use figures::{Figures, Usage};
pub use grants::{GrantCard, GrantPage};
pub use identity::{Actor, NewAccount, SignedIn, TokenInfo};
pub use imports::{JobId, JobState};
pub use in_force::{VersionState, VersionView};
pub use journal::{EntryView, Proof};
pub use network::{Network, NetworkError};
pub use privacy::BudgetPage;
pub use query::{
    Answer, BudgetLeft, Door, Explanation, GrantSession, NoiseAsk, NoiseReport, PreparedQuery, ReleasedRows,
};
pub use receipt::{CheckedReceipt, Receipt, ReceiptError};
pub use record::Sealed;
pub use registration::Registration;
pub use replay::{GrantChange, GrantReplay, Proven};
pub use setup::SetupGrant;
pub use stewardship::{
    Description, DraftPage, DraftTable, ImportAccount, ImportRequest, LabelChoice, LabelState,
};
pub use verify::{Subject, VerificationLeft, Verified, subject_text};
