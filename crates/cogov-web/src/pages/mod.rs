//! The pages: one file a page, with its view, the translation from the use case's result, and its handler.

mod account;
mod application;
mod applications;
mod apply;
mod apply_form;
mod apply_verify;
mod audit;
mod budget;
mod catalogue;
mod consultation;
mod dataset;
mod describe;
mod download;
mod draft;
mod drafting;
mod entry;
mod figures;
mod grant;
mod grants;
mod help;
mod home;
mod import;
mod ledger;
mod names;
mod parties;
mod preview;
mod privacy;
mod receipts;
mod register;
mod result;
mod rulebook;
mod sign_in;
mod steward;
mod upload;
mod verify;
mod workbench;

use crate::{Web, failure::Failure};
use askama::Template;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};

/// What a handler answers.
type Answered = Result<Response, Failure>;

/// A page as a response.
fn html(page: &impl Template) -> Answered {
    shown(StatusCode::OK, page)
}

/// How a page is answered, and after how many seconds the same may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    code: StatusCode,
    retry_after: Option<u64>,
}

impl From<StatusCode> for Status {
    fn from(code: StatusCode) -> Self {
        Self { code, retry_after: None }
    }
}

/// A page as a response with a status, such as that of a form with problems.
fn shown(status: impl Into<Status>, page: &impl Template) -> Answered {
    let html = page.render().map_err(Failure::broken)?;
    let Status { code, retry_after } = status.into();
    let mut response = (code, Html(html)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// 429 when it was too much at once, 422 when there are other problems, else 200.
fn status_of(problems: &[crate::form::Problem]) -> Status {
    let retry_after = problems.iter().filter_map(|problem| problem.retry_after).max();
    let code = match (retry_after, problems.is_empty()) {
        (Some(_), _) => StatusCode::TOO_MANY_REQUESTS,
        (None, false) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, true) => StatusCode::OK,
    };
    Status { code, retry_after }
}

/// Every page's route.
pub fn routes() -> Router<Web> {
    public().merge(signed_in()).merge(stewards()).merge(consultation::routes()).merge(drafting::routes())
}

fn public() -> Router<Web> {
    Router::new()
        .route("/", get(home::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/register", get(register::show).post(register::submit))
        .route("/catalogue", get(catalogue::show))
        .route("/datasets/{id}", get(dataset::show))
        .route("/rulebook", get(rulebook::show))
        .route("/rulebook/versions/{version}", get(rulebook::show_version))
        .route("/grants", get(grants::show_public))
        .route("/grants/{id}", get(grant::show))
        .route("/grants/{id}/budget", get(budget::of_grant))
        .route("/datasets/{id}/budget", get(budget::of_dataset))
        .route("/ledger", get(ledger::show))
        .route("/ledger/entries/{index}", get(entry::show))
        .route("/figures", get(figures::show))
        .route("/parties", get(parties::show))
        .route("/help", get(help::show))
        .route("/receipts", get(receipts::show).post(receipts::check))
}

fn signed_in() -> Router<Web> {
    Router::new()
        .route("/account", get(account::show))
        .route("/account/tokens", post(account::make_token))
        .route("/account/tokens/revoke", post(account::revoke_token))
        .route("/apply/{dataset}", get(apply::show).post(apply::submit))
        .route("/apply/{dataset}/preview", post(apply::fragment))
        .route("/applications", get(applications::show_mine))
        .route("/inbox", get(applications::show_inbox))
        .route("/applications/{id}", get(application::show).post(application::act))
        .route("/my-grants", get(grants::show_mine))
        .route("/grants/{id}/revoke", post(grant::revoke))
        .route("/grants/{id}/workbench", get(workbench::show).post(workbench::submit))
        .route("/grants/{id}/verify", get(verify::show).post(verify::submit))
        .route("/audit", get(audit::show))
        .route("/audit/export", post(audit::export))
}

fn stewards() -> Router<Web> {
    // An upload streams into the import and is as large as the file.
    let upload =
        Router::new().route("/steward/import", post(upload::receive)).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/steward", get(steward::show))
        .route("/steward/imports/{job}", get(import::show))
        .route("/steward/{id}", get(draft::show))
        .route("/steward/{id}/describe", get(describe::show).post(describe::submit))
        .route("/steward/{id}/{table}/accept-all", post(draft::accept_all))
        .route("/steward/{id}/{table}/label", post(draft::label))
        .route("/steward/{id}/{table}/rejects", get(draft::rejects))
        .merge(upload)
}

#[cfg(test)]
mod tests {
    use crate::{failure, form::Problem, ui};
    use axum::http::{StatusCode, header};
    use cogov_app::AppError;
    use cogov_model::Locale;

    #[derive(askama::Template)]
    #[template(source = "{{ words }}", ext = "txt")]
    struct Said {
        words: &'static str,
    }

    /// Every page with sample data, in a language.
    fn all(locale: Locale) -> Vec<(&'static str, String)> {
        let ui = ui::sample(locale);
        let samples = [
            failure::samples,
            super::account::samples,
            super::application::samples,
            super::applications::samples,
            super::apply::samples,
            super::budget::samples,
            super::catalogue::samples,
            super::consultation::samples,
            super::dataset::samples,
            super::describe::samples,
            super::draft::samples,
            super::drafting::begin_samples,
            super::drafting::edit_samples,
            super::drafting::page_samples,
            super::drafting::proof_samples,
            super::drafting::replay_samples,
            super::entry::samples,
            super::figures::samples,
            super::grant::samples,
            super::grants::samples,
            super::help::samples,
            super::home::samples,
            super::import::samples,
            super::ledger::samples,
            super::parties::samples,
            super::receipts::samples,
            super::register::samples,
            super::rulebook::samples,
            super::sign_in::samples,
            super::steward::samples,
            super::verify::samples,
            super::workbench::samples,
        ];
        samples.iter().flat_map(|sample| sample(ui.clone())).collect()
    }

    #[test]
    fn too_much_at_once_says_when_to_send_again() {
        let ui = ui::sample(Locale::En);
        let fast = Problem::from_app(&ui, AppError::TooMany { retry_after_seconds: 7 }).unwrap();
        let status = super::status_of(&[Problem::new("words", "Write"), fast]);
        let response = super::shown(status, &Said { words: "form" }).unwrap();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert_eq!(super::status_of(&[Problem::new("", "No")]).code, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(super::status_of(&[]).code, StatusCode::OK);
    }

    #[test]
    fn every_page_renders_in_both_languages() {
        for locale in Locale::ALL {
            for (name, html) in all(locale) {
                assert!(html.contains(&format!("<html lang=\"{}\">", locale.tag())), "{name} {locale}");
                assert_eq!(html.matches("<h1").count(), 1, "{name}: one heading");
                assert!(!html.contains(" style=") && !html.contains("<script>"), "{name}: nothing inline");
                assert!(!html.contains("{ $") && !html.contains("{$"), "{name}: an argument is missing");
                keep(locale, name, &html);
            }
        }
    }

    /// Leaves the page in the folder `COGOV_PAGES`, to be looked at without a server.
    fn keep(locale: Locale, name: &str, html: &str) {
        let Some(folder) = std::env::var_os("COGOV_PAGES") else { return };
        let folder = std::path::Path::new(&folder);
        let taken = |i: usize| folder.join(format!("{name}-{locale}-{i}.html"));
        let free = (0..).map(taken).find(|path| !path.exists());
        assert!(free.is_some_and(|path| std::fs::write(path, html).is_ok()), "{name} is kept");
    }

    #[test]
    fn ids_are_unique_and_labels_point_to_fields() {
        for (name, html) in all(Locale::En) {
            let ids: Vec<&str> =
                html.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
            for id in &ids {
                assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{name}: {id} stands twice");
            }
            for target in html.split(" for=\"").skip(1).filter_map(|part| part.split('"').next()) {
                assert!(ids.contains(&target), "{name}: a label for {target}, which is not there");
            }
        }
    }
}
