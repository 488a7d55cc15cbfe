//! What a page shows when its use case did not happen: the reason, the clauses, the ledger entry.

use crate::{
    ui::Ui,
    view::{ClauseLink, clause_links, with_query},
    visit::Visit,
};
use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use cogov_app::AppError;
use cogov_model::{ClauseId, Clauses, Text};

/// Why a page was not shown. Travels to the visit's layer, which renders it in the visitor's language.
#[derive(Debug, Clone)]
pub struct Failure(Box<Shown>);

#[derive(Debug, Clone)]
struct Shown {
    status: StatusCode,
    title: &'static str,
    words: Words,
    clauses: Clauses,
    decision: Option<u64>,
    retry_after: Option<u64>,
    /// Where to go back to after signing in.
    sign_in: Option<String>,
    /// What was written in a form and not taken.
    unsent: Vec<String>,
}

#[derive(Debug, Clone)]
enum Words {
    Message(&'static str),
    Text(Text),
}

impl Failure {
    fn new(status: StatusCode, title: &'static str, words: Words) -> Self {
        let clauses = Clauses::new();
        Self(Box::new(Shown {
            status,
            title,
            words,
            clauses,
            decision: None,
            retry_after: None,
            sign_in: None,
            unsent: Vec::new(),
        }))
    }

    /// There is no such page.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "error-not-found", Words::Message("error-not-found-text"))
    }

    /// A form without its session's token.
    pub fn forged() -> Self {
        Self::new(StatusCode::FORBIDDEN, "error-forged", Words::Message("error-forged-text"))
    }

    /// A fault of ours; the words go to the log only.
    pub fn broken(why: impl std::fmt::Display) -> Self {
        tracing::error!(%why, "a page could not be shown");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "error-broken", Words::Message("error-broken-text"))
    }

    /// Nobody is signed in: leads to the sign-in page and back.
    pub fn sign_in(back: &str) -> Self {
        let mut failure =
            Self::new(StatusCode::UNAUTHORIZED, "sign-in-title", Words::Message("home-sign-in-text"));
        failure.0.sign_in = Some(back.to_owned());
        failure
    }

    /// The same, showing what was written in a form on a page, so that it can be copied and sent again.
    pub fn keeping(mut self, unsent: Vec<String>, page: &str) -> Self {
        if self.0.sign_in.is_some() {
            self.0.sign_in = Some(page.to_owned());
            if !unsent.is_empty() {
                self.0.title = "error-session-over";
                self.0.words = Words::Message("error-session-over-text");
            }
        }
        self.0.unsent = unsent;
        self
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let status = StatusCode::from_u16(error.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let title = match &error {
            AppError::NotSignedIn => return Failure::sign_in("/"),
            AppError::Forbidden(_) => "error-forbidden",
            AppError::NotFound(_) => "error-not-found",
            AppError::Refused { .. } => "error-refused",
            AppError::TooMany { .. } => "error-too-many",
            AppError::Conflict(_) => "error-conflict",
            AppError::Unavailable(_) => "error-unavailable",
            AppError::Query { .. } | AppError::Invalid { .. } => "error-invalid",
        };
        let mut failure = Self::new(status, title, Words::Text(error.reason()));
        failure.0.clauses = error.clauses();
        failure.0.decision = error.decision();
        if let AppError::TooMany { retry_after_seconds } = error {
            failure.0.retry_after = Some(retry_after_seconds);
        }
        failure
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The router's fallback.
pub async fn nothing_here() -> Failure {
    Failure::not_found()
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    ui: Ui,
    title: String,
    words: String,
    clauses: Vec<ClauseLink>,
    decision: Option<u64>,
    /// Where to sign in again.
    sign_in: Option<String>,
    unsent: Vec<String>,
}

/// A failure as a page.
pub fn page(visit: &Visit, failure: Failure) -> Response {
    let (ui, failure) = (visit.ui(), failure.0);
    let sign_in = failure.sign_in.as_ref().map(|back| with_query("/sign-in", &[("next", back)]));
    if let Some(to) = sign_in.as_ref().filter(|_| failure.unsent.is_empty()) {
        return Redirect::to(to).into_response();
    }
    let rulebook = visit.app.rulebook();
    let title = |id: &str| {
        let id = ClauseId::new(id).ok()?;
        rulebook.clause(&id).map(|clause| clause.title.get(ui.locale).to_owned())
    };
    let page = ErrorPage {
        title: ui.t(failure.title),
        words: match &failure.words {
            Words::Message(key) => ui.t(key),
            Words::Text(text) => ui.text(text).to_owned(),
        },
        clauses: clause_links(&failure.clauses, title),
        decision: failure.decision,
        sign_in,
        unsent: failure.unsent,
        ui,
    };
    let mut response = match page.render() {
        Ok(html) => (failure.status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the error page could not be rendered");
            failure.status.into_response()
        }
    };
    if let Some(seconds) = failure.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let clauses = vec![ClauseLink { id: "art-9".into(), title: "Sensitive data".into() }];
    let page = ErrorPage {
        title: ui.t("error-refused"),
        words: "Why".into(),
        clauses,
        decision: Some(7),
        sign_in: Some("/sign-in?next=/".into()),
        unsent: vec!["<script>alert(1)</script> Ten are few.".into(), "Because.".into()],
        ui,
    };
    vec![("error", page.render().unwrap_or_default())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_is_over_keeps_the_words_and_the_way_back() {
        let kept = Failure::sign_in("/").keeping(vec!["Ten are few.".into()], "/consultations/c-1");
        assert_eq!(kept.0.sign_in.as_deref(), Some("/consultations/c-1"));
        assert_eq!((kept.0.title, kept.0.unsent.len()), ("error-session-over", 1));
        let nothing = Failure::sign_in("/").keeping(Vec::new(), "/consultations/c-1");
        assert_eq!(nothing.0.title, "sign-in-title", "the sign-in page follows at once");
        let forged = Failure::forged().keeping(vec!["Ten are few.".into()], "/consultations/c-1");
        assert_eq!((forged.0.title, forged.0.sign_in.is_none()), ("error-forged", true));
        for (name, html) in samples(crate::ui::sample(cogov_model::Locale::En)) {
            assert!(html.contains("Because.") && !html.contains("<script>alert"), "{name}");
        }
    }
}
