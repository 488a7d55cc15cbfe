//! The solver as a process: found, bounded in time and memory, and ended in any case.

use super::{Solver, Trouble, translate::Question};
use cedar_policy::{EntityTypeName, EntityUid, RequestEnv, Schema};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, err::Error, solver::LocalSolver};
use std::{io::ErrorKind, process::Stdio, str::FromStr, time::Duration};
use tokio::{process::Command, sync::Semaphore, time::Instant};

/// The first version that answers what is asked.
const OLDEST: (u32, u32) = (1, 3);

/// What one solver may have of the machine's memory, in KiB.
const MOST_MEMORY: u64 = 2 * 1024 * 1024;

/// The shell bounds its own memory and becomes the solver.
const BOUNDED: &str = "ulimit -v \"$0\" && exec \"$@\"";

/// Longer than we wait: for solvers whose parent is gone.
const GRACE: Duration = Duration::from_secs(5);

/// Solvers that run at a time, whoever asks.
static PLACES: Semaphore = Semaphore::const_new(2);

/// The solver's version, and whether the answer to every question is yes.
pub(super) async fn ask(
    solver: &Solver,
    schema: &Schema,
    questions: impl FnOnce() -> Result<Vec<Question>, Trouble>,
) -> Result<(String, bool), Trouble> {
    let end = Instant::now() + solver.limit;
    let place = tokio::time::timeout_at(end, PLACES.acquire()).await.map_err(|_| Trouble::Busy)?;
    let version = match solver.version.get() {
        Some(version) => version.clone(),
        None => tokio::time::timeout_at(end, version(solver)).await.map_err(|_| Trouble::Slow)??,
    };
    let _ = solver.version.set(version.clone());
    let questions = questions()?;
    let mut compiler = CedarSymCompiler::new(start(solver)?)?;
    let answer = tokio::time::timeout_at(end, every(&mut compiler, schema, &questions)).await;
    // Ended in any case; one that has ended by itself is no trouble.
    let _ = compiler.solver_mut().clean_up().await;
    drop(place);
    Ok((version, answer.map_err(|_| Trouble::Slow)??))
}

fn start(solver: &Solver) -> Result<LocalSolver, Trouble> {
    let limit = (solver.limit + GRACE).as_millis();
    let mut command = Command::new("sh");
    command.args(["-c", BOUNDED, &MOST_MEMORY.to_string()]);
    command.arg(&solver.program).args(["--lang", "smt", &format!("--tlimit={limit}")]).kill_on_drop(true);
    LocalSolver::from_command(&mut command).map_err(|error| Error::from(error).into())
}

/// Asks until an answer is no.
async fn every(
    compiler: &mut CedarSymCompiler<LocalSolver>,
    schema: &Schema,
    questions: &[Question],
) -> Result<bool, Trouble> {
    let name = |text: &str| EntityTypeName::from_str(text).map_err(Trouble::broken);
    let action = EntityUid::from_str("Action::\"use\"").map_err(Trouble::broken)?;
    let env = RequestEnv::new(name("Party")?, action, name("Column")?);
    for question in questions {
        let here = CompiledPolicySet::compile(&question.here, &env, schema)?;
        // Compiling does not wait for anything: here the time is looked at.
        tokio::task::yield_now().await;
        let there = CompiledPolicySet::compile(&question.there, &env, schema)?;
        tokio::task::yield_now().await;
        if !compiler.check_implies_opt(&here, &there).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Asks the solver for its version.
async fn version(solver: &Solver) -> Result<String, Trouble> {
    let mut command = Command::new(&solver.program);
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Trouble::Missing,
        _ => Trouble::Broken(format!("{}: {error}", solver.program.display())),
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let unknown = || Trouble::Broken(format!("{} does not say its version", solver.program.display()));
    let mut words = said.split_whitespace().skip_while(|word| *word != "version").skip(1);
    let word = words.next().ok_or_else(unknown)?;
    let version = word.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => Ok(version.to_owned()),
        (Some(Ok(_)), Some(Ok(_))) => Err(Trouble::TooOld(version.to_owned())),
        _ => Err(unknown()),
    }
}
