//! `/steward/imports/{job}`: how far an import is; leads to the draft when it is done.

use super::{Answered, html};
use crate::{ui::Ui, view::with_query, visit::Visit};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Redirect},
};
use cogov_app::{JobState, Progress};

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    ui: Ui,
    running: bool,
    progress: String,
    percent: Option<u64>,
}

/// `GET /steward/imports/{job}`
pub async fn show(visit: Visit, Path(job): Path<String>) -> Answered {
    let ui = visit.ui();
    let page = match visit.app.import_job(visit.actor()?, &job)? {
        JobState::Done(account) => {
            let version = account.version.to_string();
            let href = with_query(&format!("/steward/{}", account.dataset), &[("imported", &version)]);
            return Ok(Redirect::to(&href).into_response());
        }
        JobState::Failed(words) => {
            ImportPage { running: false, progress: ui.text(&words).to_owned(), percent: None, ui }
        }
        JobState::Running(progress) => running(ui, progress),
    };
    html(&page)
}

fn running(ui: Ui, progress: Option<Progress>) -> ImportPage {
    let rows = progress.map_or(0, |progress| progress.rows);
    let percent = progress.and_then(|progress| {
        let total = progress.total.filter(|total| *total > 0)?;
        Some((progress.bytes.saturating_mul(100) / total).min(100))
    });
    ImportPage { running: true, progress: ui.with("import-running", "rows", ui.num(rows)), percent, ui }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let failed = ImportPage { ui: ui.clone(), running: false, progress: "No".into(), percent: None };
    let pages = [running(ui, None), failed];
    pages.iter().map(|page| ("import", page.render().unwrap_or_default())).collect()
}
