//! `/consultations/{id}/moderate`: hiding with a public reason, merging what says the same, showing again.

use super::{Answered, Head, head, named, page_of, rows::Row, shown, status_of};
use crate::{
    failure::Failure,
    form::{Posted, Problem},
    ui::Ui,
    view::{Choice, Pager, with_query},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect},
};
use cogov_app::ContributionFilter;
use cogov_model::{ConsultationId, HideReason, Moderation};
use std::collections::HashMap;

struct Pair {
    later: Row,
    earlier: Row,
    share: String,
}

#[derive(Template)]
#[template(path = "consultation/moderate.html")]
struct ModeratePage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    receipt: Option<u64>,
    pairs: Vec<Pair>,
    rows: Vec<Row>,
    reasons: Vec<Choice>,
    pager: Pager,
}

/// `GET /consultations/{id}/moderate`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    page(&visit, &named(&id)?, &query, Vec::new()).await
}

/// `POST /consultations/{id}/moderate`
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = named(&id)?;
    let number: u64 = fields.get("contribution").parse().map_err(|_| Failure::not_found())?;
    let moderation = match fields.get("do") {
        "hide" => {
            let because = HideReason::ALL.into_iter().find(|reason| reason.code() == fields.get("because"));
            Moderation::Hide { because: because.ok_or_else(Failure::not_found)? }
        }
        "merge" => Moderation::Merge { into: fields.get("into").parse().map_err(|_| Failure::not_found())? },
        "restore" => Moderation::Restore,
        _ => return Err(Failure::not_found()),
    };
    match visit.app.moderate(visit.actor()?, &id, number, moderation, fields.get("reason")).await {
        Ok(entry) => {
            Ok(Redirect::to(&format!("/consultations/{id}/moderate?receipt={entry}")).into_response())
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            let field = if problem.field.is_empty() { String::new() } else { format!("reason-{number}") };
            page(&visit, &id, &HashMap::new(), vec![Problem { field, ..problem }]).await
        }
    }
}

async fn page(
    visit: &Visit,
    id: &ConsultationId,
    query: &HashMap<String, String>,
    errors: Vec<Problem>,
) -> Answered {
    let (ui, actor) = (visit.ui(), visit.actor()?);
    let found = visit.app.consultation(Some(actor), id).await?;
    let likenesses = visit.app.likenesses(actor, id).await?;
    let filter = ContributionFilter { newest: true, ..ContributionFilter::default() };
    let list = visit.app.contributions(Some(actor), id, &filter, &page_of(query)).await?;
    let mut pairs = Vec::new();
    for likeness in likenesses {
        let later = visit.app.contribution(Some(actor), id, likeness.later).await?;
        let earlier = visit.app.contribution(Some(actor), id, likeness.earlier).await?;
        pairs.push(Pair {
            later: Row::new(&ui, &later, None),
            earlier: Row::new(&ui, &earlier, None),
            share: ui.with("moderate-alike", "percent", format!("{:.0}", likeness.share * 100.0)),
        });
    }
    let here = format!("/consultations/{id}/moderate");
    let page = ModeratePage {
        head: head(&ui, &found, "moderate"),
        receipt: query.get("receipt").and_then(|entry| entry.parse().ok()),
        pairs,
        rows: list.items.iter().map(|view| Row::new(&ui, view, None)).collect(),
        reasons: reasons(&ui),
        pager: Pager {
            previous: query.contains_key("after").then(|| here.clone()),
            next: list.next.map(|next| with_query(&here, &[("after", &next.to_string())])),
            words: String::new(),
        },
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

fn reasons(ui: &Ui) -> Vec<Choice> {
    HideReason::ALL
        .map(|reason| Choice::new(reason.code(), ui.word("hide-because", reason.code()), "spam"))
        .into()
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let shown = super::rows::sample(&ui, 1);
    let hidden = Row { is_shown: false, ..super::rows::sample(&ui, 2) };
    let page = ModeratePage {
        errors: vec![Problem::new("reason-1", "Say why")],
        head: super::sample_head(&ui),
        receipt: Some(5),
        pairs: vec![Pair {
            later: super::rows::sample(&ui, 4),
            earlier: super::rows::sample(&ui, 3),
            share: ui.with("moderate-alike", "percent", 80),
        }],
        rows: vec![shown, hidden],
        reasons: reasons(&ui),
        pager: Pager::default(),
        ui,
    };
    vec![("consultation-moderate", page.render().unwrap_or_default())]
}
