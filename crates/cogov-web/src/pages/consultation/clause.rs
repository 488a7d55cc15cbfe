//! `/consultations/{id}/clauses/{anchor}`: one clause, what was said to it, and saying something to it.

use super::{
    Answered, Head, Way, anchored, before_taking_part, head, named, page_of, rows::Row, shown, status_of,
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
use cogov_app::NewContribution;
use cogov_model::{ClauseId, ConsultationId, ConsultationState, ContributionKind};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "consultation/clause.html")]
struct ClausePage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    anchor: String,
    title: String,
    html: String,
    place: String,
    previous: Option<(String, String)>,
    next: Option<(String, String)>,
    receipt: Option<u64>,
    first: Option<Way>,
    may_write: bool,
    /// What was written and cannot be sent any more.
    unsent: Vec<String>,
    words: String,
    proposed: String,
    reasons: String,
    opens_amendment: bool,
    count: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /consultations/{id}/clauses/{anchor}`
pub async fn show(
    visit: Visit,
    Path((id, anchor)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    page(&visit, &named(&id)?, &anchored(&anchor)?, &query, &Fields::default(), Vec::new()).await
}

/// `POST /consultations/{id}/clauses/{anchor}`
pub async fn submit(
    visit: Visit,
    Path((id, anchor)): Path<(String, String)>,
    Posted(fields): Posted,
) -> Answered {
    let (id, anchor) = (named(&id)?, anchored(&anchor)?);
    let is_amendment = fields.get("kind") == ContributionKind::Amendment.code();
    let new = NewContribution {
        kind: if is_amendment { ContributionKind::Amendment } else { ContributionKind::Comment },
        clause: Some(anchor.clone()),
        words: fields.get(if is_amendment { "reasons" } else { "words" }).to_owned(),
        proposed: is_amendment.then(|| fields.get("proposed").to_owned()),
    };
    match visit.app.contribute_from(visit.actor()?, &id, new, visit.from).await {
        Ok(receipt) => {
            let to = format!("/consultations/{id}/clauses/{anchor}?receipt={}", receipt.entry);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => {
            let mut problem = Problem::from_app(&visit.ui, error)?;
            if is_amendment && problem.field == "words" {
                problem.field = "reasons".to_owned();
            }
            page(&visit, &id, &anchor, &HashMap::new(), &fields, vec![problem]).await
        }
    }
}

async fn page(
    visit: &Visit,
    id: &ConsultationId,
    anchor: &ClauseId,
    query: &HashMap<String, String>,
    fields: &Fields,
    errors: Vec<Problem>,
) -> Answered {
    let ui = visit.ui();
    let found = visit.app.consultation_clause(visit.viewer(), id, anchor, &page_of(query)).await?;
    let here = format!("/consultations/{id}/clauses/{anchor}");
    let link = |clause: &cogov_model::ConsultedClause| {
        (format!("/consultations/{id}/clauses/{}", clause.anchor), ui.text(&clause.title).to_owned())
    };
    let first = before_taking_part(visit, &found.page);
    let number = found.page.contents.iter().position(|clause| clause.clause.anchor == *anchor);
    let place =
        number.map(|n| ui.share("consultation-clause-place", n as u64 + 1, found.page.contents.len() as u64));
    let own_words = ui.text(&found.clause.words);
    let may_write = found.page.card.state == ConsultationState::Open && first.is_none();
    let rows = Row::on_clause(&ui, found.contributions.items, &found.clause.words, visit.from).await?;
    let page = ClausePage {
        head: head(&ui, &found.page, "text"),
        anchor: anchor.to_string(),
        title: match ui.text(&found.clause.title) {
            "" => ui.t("consultation-untitled"),
            title => title.to_owned(),
        },
        html: cogov_rulebook::words_html(own_words),
        place: place.unwrap_or_default(),
        previous: found.previous.as_ref().map(link),
        next: found.next.as_ref().map(link),
        receipt: query.get("receipt").and_then(|entry| entry.parse().ok()),
        may_write,
        unsent: if may_write { Vec::new() } else { fields.texts(&["words", "proposed", "reasons"]) },
        first,
        words: fields.get("words").to_owned(),
        proposed: fields.given("proposed").unwrap_or(own_words).to_owned(),
        reasons: fields.get("reasons").to_owned(),
        opens_amendment: !errors.is_empty() && fields.get("kind") == ContributionKind::Amendment.code(),
        count: ui.n("consultation-said", found.count),
        rows,
        pager: Pager {
            previous: query.contains_key("after").then(|| here.clone()),
            next: found.contributions.next.map(|next| with_query(&here, &[("after", &next.to_string())])),
            words: String::new(),
        },
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = ClausePage {
        errors: vec![Problem::new("proposed", "Change something")],
        head: super::sample_head(&ui),
        anchor: "art-9".into(),
        title: "Sensitive data".into(),
        html: "<p>Words</p>".into(),
        place: ui.share("consultation-clause-place", 1, 3),
        previous: Some(("/consultations/c-1/clauses/art-8".into(), "Before".into())),
        next: Some(("/consultations/c-1/clauses/art-10".into(), "After".into())),
        receipt: Some(7),
        first: None,
        may_write: true,
        unsent: vec!["What I <b>wrote</b>".into()],
        words: String::new(),
        proposed: "Words".into(),
        reasons: String::new(),
        opens_amendment: true,
        count: ui.n("consultation-said", 2_u64),
        rows: vec![super::rows::sample(&ui, 1), super::rows::sample(&ui, 2)],
        pager: Pager::default(),
        ui,
    };
    vec![("consultation-clause", page.render().unwrap_or_default())]
}
