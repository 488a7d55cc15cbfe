//! `/audit`: every decision with its sealed words, for auditors; the export writes itself on the ledger.

use super::{Answered, html, ledger};
use crate::{failure::Failure, form::Posted, visit::Visit};
use axum::{
    extract::Query,
    http::header,
    response::{IntoResponse, Redirect},
};
use cogov_model::{Role, Text};

/// `GET /audit`
pub async fn show(visit: Visit, Query(asked): Query<ledger::Asked>) -> Answered {
    if !visit.actor()?.is(Role::Auditor) {
        let words = Text::new(
            "Only auditors read the sealed words of every party.",
            "只有审计人员可以阅读各主体的加封内容。",
        );
        return Err(Failure::from(cogov_app::AppError::Forbidden(words)));
    }
    html(&ledger::page(&visit, &asked, true).await?)
}

/// `POST /audit/export`
pub async fn export(visit: Visit, Posted(fields): Posted) -> Answered {
    let names = ["party", "kind", "outcome", "dataset", "grant", "account", "from", "to"];
    let asked = names.iter().map(|name| ((*name).to_owned(), fields.get(name).to_owned())).collect();
    let mut errors = Vec::new();
    let filter = ledger::filter(&asked, true, &mut errors);
    if !errors.is_empty() {
        // What the filter page would show as a problem must not silently widen an export.
        return Ok(Redirect::to("/audit").into_response());
    }
    let csv = visit.app.export_entries(visit.actor()?, &filter).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"ledger.csv\""),
    ];
    Ok((headers, csv).into_response())
}
