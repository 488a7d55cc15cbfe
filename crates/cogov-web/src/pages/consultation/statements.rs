//! `/consultations/{id}/statements`: every statement with its votes, and writing one.

use super::{
    Answered, Head, ROWS, Way, before_taking_part, head, named, page_of, rows::Row, shown, status_of,
};
use crate::{
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::{Pager, with_query},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect},
};
use cogov_app::{ContributionFilter, NewContribution};
use cogov_model::{ConsultationId, ConsultationState, ContributionKind};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "consultation/statements.html")]
struct StatementsPage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    receipt: Option<u64>,
    first: Option<Way>,
    may_write: bool,
    /// What was written and cannot be sent any more.
    unsent: Vec<String>,
    words: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /consultations/{id}/statements`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    page(&visit, &named(&id)?, &query, &Fields::default(), Vec::new()).await
}

/// `POST /consultations/{id}/statements`
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = named(&id)?;
    let new = NewContribution {
        kind: ContributionKind::Statement,
        clause: None,
        words: fields.get("words").to_owned(),
        proposed: None,
    };
    match visit.app.contribute_from(visit.actor()?, &id, new, visit.from).await {
        Ok(receipt) => {
            let to = format!("/consultations/{id}/statements?receipt={}", receipt.entry);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            page(&visit, &id, &HashMap::new(), &fields, vec![problem]).await
        }
    }
}

async fn page(
    visit: &Visit,
    id: &ConsultationId,
    query: &HashMap<String, String>,
    fields: &Fields,
    errors: Vec<Problem>,
) -> Answered {
    let ui = visit.ui();
    let found = visit.app.consultation(visit.viewer(), id).await?;
    let filter = ContributionFilter {
        kind: Some(ContributionKind::Statement),
        newest: true,
        ..ContributionFilter::default()
    };
    let list = visit.app.contributions(visit.viewer(), id, &filter, &page_of(query)).await?;
    let here = format!("/consultations/{id}/statements");
    let first = before_taking_part(visit, &found);
    let may_write = found.card.state == ConsultationState::Open && first.is_none();
    let page = StatementsPage {
        head: head(&ui, &found, "statements"),
        receipt: query.get("receipt").and_then(|entry| entry.parse().ok()),
        may_write,
        unsent: if may_write { Vec::new() } else { fields.texts(&["words"]) },
        first,
        words: fields.get("words").to_owned(),
        rows: list.items.iter().map(|view| Row::new(&ui, view, None)).collect(),
        pager: Pager {
            previous: query.contains_key("after").then(|| here.clone()),
            next: list.next.map(|next| with_query(&here, &[("after", &next.to_string())])),
            words: ui.n("pager-at-most", ROWS),
        },
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = StatementsPage {
        errors: vec![Problem::new("words", "Write something")],
        head: super::sample_head(&ui),
        receipt: Some(4),
        first: Some(Way { words: "First".into(), links: vec![("/sign-in".into(), "Sign in".into())] }),
        may_write: true,
        unsent: vec!["What I wrote".into()],
        words: "Words".into(),
        rows: vec![super::rows::sample(&ui, 1)],
        pager: Pager { previous: None, next: Some("?after=1".into()), words: ui.n("pager-at-most", ROWS) },
        ui,
    };
    vec![("consultation-statements", page.render().unwrap_or_default())]
}
