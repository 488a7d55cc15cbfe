//! The records of cogov, in SQLite or in PostgreSQL: the only room with SQL for them.
//!
//! One implementation serves both databases: every statement is written once, with `$1` placeholders and
//! only texts and whole numbers as types. Records that people may change at the same time carry a revision,
//! and a change is a compare-and-set on it: two stewards never overwrite each other.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use cogov_store::{Page, Store};
//! let store = Store::open("sqlite::memory:").await?;
//! assert!(store.parties(&Page::first(20)).await?.items.is_empty());
//! # Ok::<(), cogov_store::StoreError>(()) }).unwrap();
//! ```

mod account;
mod answer;
mod application;
mod consultation;
mod consultation_record;
mod contribution;
mod dataset;
mod draft;
mod error;
mod facts;
mod grant;
mod ledger;
mod noise;
mod open;
mod page;
mod party;
#[cfg(test)]
mod plans;
mod revised;
mod rulebook;
mod secret;
mod setting;
mod sign_in;
mod sql;
mod verification;
mod version;

pub use account::Account;
pub use answer::KeptAnswer;
pub use application::ApplicationFilter;
pub use consultation::{ConsultationCounts, CountedClause, CountedConsultation};
pub use consultation_record::ConsultationRecord;
pub use contribution::{CastVote, ConsultationAct, ContributionFilter, SaltedContribution, Stance};
pub use dataset::DatasetFilter;
pub use error::StoreError;
pub use grant::GrantFilter;
pub use ledger::{EntryFilter, IndexedEntry};
pub use noise::{BudgetOf, NoiseCharge, NoiseFacts, NoiseRecord, Paid, Payment};
pub use open::{Store, sqlite_url};
pub use page::{Cursor, Page, Paged};
pub use revised::Revised;
pub use rulebook::RulebookText;
pub use secret::{MaskKey, TokenHash};
pub use setting::Setting;
pub use sign_in::{Token, WebSession};
pub use verification::{VerificationLimit, VerificationUse};
pub use version::{LabelChoice, LabelDecision};
