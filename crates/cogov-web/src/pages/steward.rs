//! `/steward`: the datasets of my party, and the form that imports a file.

use super::{Answered, shown, status_of};
use crate::{failure::Failure, form::Problem, ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use axum::response::Response;
use cogov_model::{Dataset, DatasetState};

struct Line {
    id: String,
    title: String,
    state: Tag,
    grade: Tag,
    version: u64,
    tables: usize,
    changed: String,
}

#[derive(Template)]
#[template(path = "steward.html")]
struct StewardPage {
    ui: Ui,
    errors: Vec<Problem>,
    datasets: Vec<Line>,
    dataset: String,
    table: String,
}

/// `GET /steward`
pub async fn show(visit: Visit) -> Answered {
    page(&visit, "", "", Vec::new()).await
}

/// The page with what was typed and what to put right.
///
/// # Errors
/// When nobody is signed in or the records cannot be read.
pub async fn page(
    visit: &Visit,
    dataset: &str,
    table: &str,
    errors: Vec<Problem>,
) -> Result<Response, Failure> {
    let ui = visit.ui();
    let datasets = visit.app.my_datasets(visit.actor()?).await?;
    let page = StewardPage {
        datasets: datasets.iter().map(|dataset| line(&ui, dataset)).collect(),
        dataset: dataset.to_owned(),
        table: table.to_owned(),
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

/// A dataset's state as a code.
pub fn state_code(state: DatasetState) -> &'static str {
    match state {
        DatasetState::Draft => "draft",
        DatasetState::Published => "published",
        DatasetState::Withdrawn => "withdrawn",
    }
}

/// A dataset's name; its id while it has none.
pub fn title(ui: &Ui, dataset: &Dataset) -> String {
    let title = ui.text(&dataset.title);
    if title.is_empty() { dataset.id.to_string() } else { title.to_owned() }
}

fn line(ui: &Ui, dataset: &Dataset) -> Line {
    Line {
        id: dataset.id.to_string(),
        title: title(ui, dataset),
        state: Tag::state(ui, state_code(dataset.state)),
        grade: Tag::grade(ui, dataset.label().grade),
        version: dataset.version,
        tables: dataset.tables.len(),
        changed: ui.day(dataset.changed_at),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let line = Line {
        id: "revenue".into(),
        title: "Income".into(),
        state: Tag::state(&ui, "draft"),
        grade: Tag::grade(&ui, cogov_model::Grade::General2),
        version: 1,
        tables: 1,
        changed: "2026-11-01".into(),
    };
    let errors = vec![Problem::new("file", ui.t("steward-no-file"))];
    let page =
        StewardPage { errors, datasets: vec![line], dataset: "revenue".into(), table: "units".into(), ui };
    vec![("steward", page.render().unwrap_or_default())]
}
