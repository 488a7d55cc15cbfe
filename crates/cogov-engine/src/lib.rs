//! The only room with DataFusion: import and grading of raw files, and the governed query over what they became.
//!
//! [`Engine::prepare`] plans, labels and governs a statement for a [`GrantWorld`]; [`Prepared::execute`] runs it,
//! to be called once the decision is durable. No row leaves without a `Permit` of the rulebook.
//!
//! Invariants: row filters and masks lie in a leaf of the physical plan (`query/barrier.rs`) that no operator of
//! the asker's reaches into; what is not on the lists of `query/allowed.rs` and `query/functions.rs` does not
//! run; errors of a running query never carry DataFusion's words.

/// As tests outside name it, whose helpers tests inside share.
#[cfg(test)]
extern crate self as cogov_engine;

pub mod catalogue;
mod error;
pub mod extract;
pub mod grading;
pub mod import;
pub mod noise;
mod query;

pub use cogov_disclosure::{Addition, AnswerMemory, MemoryKey, MemoryUnavailable, VolatileMemory};
pub use error::{ErrorKind, QueryError};
#[cfg(feature = "planted-faults")]
pub use query::planted;
pub use query::{
    Engine, EngineConfig, FactQuestion, GrantWorld, GrantedColumn, GrantedTable, MaskKey, NoiseTerms, Param,
    Prepared, Question, ResultColumn, RowStream, Source, Verdict, means_are_exact, sound_optimiser,
    sound_rules, zero_without_sign,
};
