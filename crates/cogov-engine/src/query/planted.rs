//! Faults that are planted on purpose, to show that the test of non-interference can fail (`tests/planted.rs`).
//!
//! Without the feature `planted-faults`, which nothing but that test enables, [`planted`] is a constant `false` and
//! nothing of this is left in the binary.

/// A fault, where it lies, and what it lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Scans forget the row scope.
    ScopeForgotten = 1,
    /// Scans that take a predicate of the asker's forget the row scope.
    ScopeForgottenWithPredicate,
    /// Scans beneath protected statistics forget the row scope.
    ScopeForgottenInStatistics,
    /// A linked scope takes any row of the other table.
    LinkedConditionForgotten,
    /// Masks are not applied.
    MaskForgotten,
    /// Predicates on masked columns meet what lies under the mask.
    PredicateBelowMask,
    /// Predicates that may raise run beside the row scope.
    AnyPredicateBelow,
    /// Nothing stands between the asker's operators and the governed scan.
    BarrierOpen,
    /// Counts are taken from the metadata of the object.
    CountFromMetadata,
    /// LIMIT is applied before the row scope.
    LimitBelowScope,
    /// Rows come in the order of masked values.
    SortedByHidden,
    /// Errors from below a barrier keep their words.
    ErrorTextKept,
    /// A withheld column exists.
    WithheldShown,
    /// The year mask tells a text that is no date from null.
    UnreadableYearTold,
    /// The prefix mask tells whether more follows.
    PrefixTellsLength,
    /// The band mask rounds.
    BandRounds,
    /// Keyed hashes are made without the key.
    HashWithoutKey,
    /// Figures over too few are not hidden.
    SmallFiguresShown,
    /// Conditions on protected values may raise.
    ProtectedMayRaise,
}

#[cfg(feature = "planted-faults")]
mod switch {
    use super::Fault;
    use std::sync::atomic::{AtomicU8, Ordering};

    static PLANTED: AtomicU8 = AtomicU8::new(0);

    /// Plants one fault in every engine of the process, or none.
    pub fn plant(fault: Option<Fault>) {
        PLANTED.store(fault.map_or(0, |fault| fault as u8), Ordering::SeqCst);
    }

    /// Whether a fault is planted.
    pub(crate) fn planted(fault: Fault) -> bool {
        PLANTED.load(Ordering::SeqCst) == fault as u8
    }
}

#[cfg(feature = "planted-faults")]
pub use switch::plant;
#[cfg(feature = "planted-faults")]
pub(super) use switch::planted;

/// No fault is planted.
#[cfg(not(feature = "planted-faults"))]
pub(super) const fn planted(_: Fault) -> bool {
    false
}
