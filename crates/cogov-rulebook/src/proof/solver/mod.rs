//! A second opinion by an SMT solver, cvc5, through Cedar's own symbolic compiler: the same claims, asked in another way.
//!
//! The solver shares nothing with our own search but the reading of rules that tells whether their conditions can fail
//! while they are evaluated. A rulebook withholds when one does; a solver takes such a rule not to hold. So it is
//! asked only where every condition is understood: what is understood has no arithmetic, no attribute of
//! an entity that may not be there, and cannot fail.

mod laws;
mod process;
mod translate;

use super::{Claim, NotAsked, Opinion, Proof};
use crate::Rulebook;
use cedar_policy_symcc::err::{Error, SolverError};
use std::{fmt, path::PathBuf, sync::OnceLock, thread, time::Duration};

/// What asking may take.
const LIMIT: Duration = Duration::from_secs(20);

/// The symbolic compiler walks down terms as deep as there are rules.
const STACK: usize = 256 * 1024 * 1024;

/// Where cvc5 is, and how long it may take.
#[derive(Debug, Clone)]
pub struct Solver {
    program: PathBuf,
    limit: Duration,
    version: OnceLock<String>,
}

impl Solver {
    /// The executable that the environment variable `CVC5` names, or else `cvc5` on the `PATH`.
    #[must_use]
    pub fn from_environment() -> Self {
        let named = std::env::var_os("CVC5").filter(|path| !path.is_empty());
        Self::at(named.map_or_else(|| PathBuf::from("cvc5"), PathBuf::from))
    }

    /// This executable.
    #[must_use]
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), limit: LIMIT, version: OnceLock::new() }
    }

    /// The same with another limit of time.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

/// Why there is no answer.
enum Trouble {
    Missing,
    TooOld(String),
    TooManyTreatments,
    Busy,
    Slow,
    Broken(String),
}

impl Trouble {
    fn broken(what: impl fmt::Display) -> Self {
        Self::Broken(what.to_string())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::SolverError(SolverError::Io(error)) => Self::broken(error),
            Error::PolicyNotWellTyped { errs } => {
                Self::Broken(errs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            other => Self::broken(other),
        }
    }
}

impl Rulebook {
    /// Asks a solver about a claim that [`Rulebook::prove`] answered, with the same `other`. Waits for the
    /// answer, at most as long as the solver may take: not to be called where other tasks wait.
    #[must_use]
    pub fn second_opinion(
        &self,
        claim: &Claim,
        other: Option<&Rulebook>,
        proof: &Proof,
        solver: &Solver,
    ) -> Opinion {
        let holds = match proof {
            Proof::Proved { .. } => Some(true),
            Proof::Refuted(_) => Some(false),
            Proof::GaveUp { .. } => None,
            Proof::NotUnderstood { .. } => return Opinion::NotAsked(NotAsked::NotUnderstood),
        };
        let questions = || translate::questions(self, other, claim);
        let answer = with_stack(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(Trouble::broken)?;
            runtime.block_on(process::ask(solver, &self.rules.schema, questions))
        });
        match (answer, holds) {
            (Ok((version, says)), Some(holds)) if says == holds => Opinion::Confirmed { version },
            (Ok((version, _)), Some(_)) => Opinion::Contradicted { version },
            (Ok((version, holds)), None) => Opinion::Alone { version, holds },
            (Err(Trouble::Missing), _) => Opinion::Missing,
            (Err(Trouble::TooOld(version)), _) => Opinion::TooOld { version },
            (Err(Trouble::Busy), _) => Opinion::NotAsked(NotAsked::Busy),
            (Err(Trouble::Slow), _) => Opinion::TimedOut { after: solver.limit },
            (Err(Trouble::TooManyTreatments), _) => Opinion::NotAsked(NotAsked::TooManyTreatments),
            (Err(Trouble::Broken(what)), _) => Opinion::Failed { what },
        }
    }
}

/// Runs work on a thread of its own, so that it has room and its faults end with it.
fn with_stack<T: Send>(work: impl FnOnce() -> Result<T, Trouble> + Send) -> Result<T, Trouble> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("solver".into()).stack_size(STACK);
        let running = thread.spawn_scoped(scope, work).map_err(Trouble::broken)?;
        running.join().unwrap_or_else(|_| Err(Trouble::Broken("the translation broke off".into())))
    })
}
