//! A second opinion on a proof: what an SMT solver says of the same claim.

use std::{fmt, time::Duration};

/// How a solver stands to what our own search says of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    /// It says the same.
    Confirmed {
        /// The solver's version.
        version: String,
    },
    /// It says the opposite. One of the two is wrong: a fault to be reported, and no proof to rely on.
    Contradicted {
        /// The solver's version.
        version: String,
    },
    /// Our own search did not get to the end; the solver did.
    Alone {
        /// The solver's version.
        version: String,
        /// Whether the claim holds. Where it does not, there are no facts that the rulebooks were asked about.
        holds: bool,
    },
    /// The time was over before it had an answer.
    TimedOut {
        /// The time that it had.
        after: Duration,
    },
    /// It was not asked.
    NotAsked(NotAsked),
    /// There is none on this machine.
    Missing,
    /// The one that there is cannot be used.
    TooOld {
        /// Its version.
        version: String,
    },
    /// It ended without an answer.
    Failed {
        /// What happened.
        what: String,
    },
}

/// Why a solver was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAsked {
    /// A rule has a condition that the proofs do not understand: it might fail while it is evaluated, and
    /// what the solver takes for a rule that does not hold withholds in truth.
    NotUnderstood,
    /// The rules combine to more treatments than it is asked about.
    TooManyTreatments,
    /// Others are asking it.
    Busy,
}

impl Opinion {
    /// Whether the solver says the opposite of our own search.
    #[must_use]
    pub fn contradicts(&self) -> bool {
        matches!(self, Opinion::Contradicted { .. })
    }

    /// Whether asking again later may bring something else: a solver that was missing, out of time, in use or
    /// broken is no answer to the claim.
    #[must_use]
    pub fn may_change(&self) -> bool {
        match self {
            Opinion::Confirmed { .. } | Opinion::Contradicted { .. } | Opinion::Alone { .. } => false,
            Opinion::NotAsked(why) => matches!(why, NotAsked::Busy),
            Opinion::TimedOut { .. } | Opinion::Missing | Opinion::TooOld { .. } | Opinion::Failed { .. } => {
                true
            }
        }
    }
}

/// In English, for the command line and logs.
impl fmt::Display for Opinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const OWN: &str = "proof by our own search only";
        match self {
            Opinion::Confirmed { version } => write!(f, "confirmed by cvc5 {version}"),
            Opinion::Contradicted { version } => write!(
                f,
                "CONTRADICTED by cvc5 {version}: cogov or the solver has a fault. Do not rely on this proof, report it"
            ),
            Opinion::Alone { version, holds: true } => {
                write!(f, "cvc5 {version} got to the end: the claim holds")
            }
            Opinion::Alone { version, holds: false } => {
                write!(
                    f,
                    "cvc5 {version} got to the end: the claim does not hold; it gives no facts to look at"
                )
            }
            Opinion::TimedOut { after } => {
                write!(f, "cvc5 had no answer after {} s: {OWN}", after.as_secs())
            }
            Opinion::NotAsked(NotAsked::NotUnderstood) => {
                f.write_str("cvc5 was not asked: a rule has a condition that the proofs do not understand")
            }
            Opinion::NotAsked(NotAsked::TooManyTreatments) => {
                write!(f, "cvc5 was not asked, the rules combine to too many treatments: {OWN}")
            }
            Opinion::NotAsked(NotAsked::Busy) => {
                write!(f, "cvc5 was not asked, others are asking it: {OWN}")
            }
            Opinion::Missing => write!(f, "cvc5 was not found: {OWN} (set CVC5)"),
            Opinion::TooOld { version } => {
                write!(f, "cvc5 {version} is too old, 1.3 or later is needed: {OWN}")
            }
            Opinion::Failed { what } => write!(f, "cvc5 gave no answer ({what}): {OWN}"),
        }
    }
}
