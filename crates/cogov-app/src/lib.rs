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
mod draft_check;
mod drafting;
mod error;
mod figures;
mod grants;
mod identity;
mod imports;
mod in_force;
mod indexer;
mod journal;
mod limiter;
mod query;
mod record;
mod recorded;
mod replay;
mod requests;
mod setup;
mod stewardship;

pub use adoption::{AdoptionPage, AdoptionRequest, EffectPage, SeatView};
pub use app::{App, AppConfig, Documents, OpenError};
pub use applications::{
    ApplicationAct, ApplicationDraft, ApplicationPage, InboxItem, May, PreviewPage, PreviewRow,
};
pub use catalogue::{CatalogueQuery, CatalogueResult, DatasetCard, DatasetPage, Facet, FacetValue, Sample};
pub use cogov_engine::import::{ImportSource, Progress, Stage};
pub use cogov_store::{Cursor, EntryFilter, Page, Paged};
pub use draft_check::Checked;
pub use drafting::{DraftCard, DraftMay, DraftSnapshot, DraftWords, PolicyDraftPage};
pub use error::{AppError, Result};
pub use figures::{Figures, Usage};
pub use grants::{GrantCard, GrantPage};
pub use identity::{Actor, NewAccount, SignedIn, TokenInfo};
pub use imports::{JobId, JobState};
pub use in_force::{VersionState, VersionView};
pub use journal::{EntryView, Proof};
pub use query::{Answer, Door, Explanation, GrantSession, PreparedQuery, ReleasedRows};
pub use record::Sealed;
pub use replay::{GrantChange, GrantReplay};
pub use setup::SetupGrant;
pub use stewardship::{
    Description, DraftPage, DraftTable, ImportAccount, ImportRequest, LabelChoice, LabelState,
};
