//! Imports in the background: a page starts one, looks at its progress, and finds its account.

use crate::{Actor, App, AppError, ImportAccount, ImportRequest, error::Result};
use cogov_engine::import::Progress;
use cogov_model::{AccountName, Text};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// Finished imports that are remembered.
const REMEMBERED: usize = 200;

/// An import under way.
pub type JobId = String;

/// Where an import stands.
#[derive(Debug, Clone)]
pub enum JobState {
    /// Reading.
    Running(Option<Progress>),
    /// Done.
    Done(Box<ImportAccount>),
    /// Failed; nothing was kept.
    Failed(Text),
}

struct Job {
    account: AccountName,
    state: JobState,
}

/// The imports of this process. A restart forgets those under way; nothing of them was kept.
#[derive(Default)]
pub(crate) struct Jobs(Arc<Mutex<BTreeMap<JobId, Job>>>);

impl App {
    /// Starts an import in the background.
    ///
    /// # Errors
    /// When the job cannot be named.
    pub fn start_import(&self, actor: &Actor, request: ImportRequest) -> Result<JobId> {
        actor.require(&[cogov_model::Role::Steward])?;
        let id = self.new_id("i")?;
        let jobs = self.jobs.0.clone();
        {
            let mut jobs = jobs.lock();
            let finished = |job: &Job| !matches!(job.state, JobState::Running(_));
            if jobs.len() >= REMEMBERED {
                jobs.retain(|_, job| !finished(job));
            }
            jobs.insert(id.clone(), Job { account: actor.account.clone(), state: JobState::Running(None) });
        }
        let (app, actor, name) = (self.clone(), actor.clone(), id.clone());
        tokio::spawn(async move {
            let (watched, watched_name) = (jobs.clone(), name.clone());
            let report = move |progress: Progress| {
                set(&watched, &watched_name, JobState::Running(Some(progress)));
            };
            let state = match app.import(&actor, request, report).await {
                Ok(account) => JobState::Done(Box::new(account)),
                Err(error) => JobState::Failed(error.reason()),
            };
            set(&jobs, &name, state);
        });
        Ok(id)
    }

    /// Where an import of this person stands.
    ///
    /// # Errors
    /// `NotFound` when it is somebody else's or was forgotten by a restart.
    pub fn import_job(&self, actor: &Actor, id: &str) -> Result<JobState> {
        let jobs = self.jobs.0.lock();
        let job = jobs.get(id).filter(|job| job.account == actor.account);
        job.map(|job| job.state.clone()).ok_or_else(|| {
            AppError::not_found(
                "This import is not known. If the server was restarted meanwhile, import the file again.",
                "没有该导入任务。如服务器曾重启，请重新导入文件。",
            )
        })
    }
}

fn set(jobs: &Mutex<BTreeMap<JobId, Job>>, id: &str, state: JobState) {
    let mut jobs = jobs.lock();
    if let Some(job) = jobs.get_mut(id) {
        // Progress that arrives late never hides the end.
        if matches!(job.state, JobState::Running(_)) {
            job.state = state;
        }
    }
}
