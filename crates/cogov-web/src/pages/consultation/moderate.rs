//! `/consultations/{id}/moderate`: hiding with a public reason, merging what says the same, showing again.

use super::{Answered, Head, head, named, page_of, rows::Row, shown, status_of};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
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
    /// The reason that stands in its form.
    reason: String,
}

/// A contribution with its form.
struct Item {
    row: Row,
    /// Whether this form was sent and came back.
    is_back: bool,
    reason: String,
    reasons: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "consultation/moderate.html")]
struct ModeratePage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    receipt: Option<u64>,
    /// What was written for a contribution that is not on the page.
    unsent: Vec<String>,
    pairs: Vec<Pair>,
    items: Vec<Item>,
    /// The page of the list, so that a form that comes back finds its contribution again.
    after: String,
    pager: Pager,
}

/// `GET /consultations/{id}/moderate`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    page(&visit, &named(&id)?, &query, &Fields::default(), Vec::new()).await
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
            let field = match (problem.field.as_str(), fields.given("into")) {
                ("", _) => String::new(),
                (_, Some(into)) => format!("merge-{number}-{into}"),
                (_, None) => format!("reason-{number}"),
            };
            let query = fields.given("after").map(|after| ("after".to_owned(), after.to_owned()));
            let problems = vec![Problem { field, ..problem }];
            page(&visit, &id, &query.into_iter().collect(), &fields, problems).await
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
    let (ui, actor) = (visit.ui(), visit.actor()?);
    let found = visit.app.consultation(Some(actor), id).await?;
    let likenesses = visit.app.likenesses(actor, id).await?;
    let filter = ContributionFilter { newest: true, ..ContributionFilter::default() };
    let list = visit.app.contributions(Some(actor), id, &filter, &page_of(query)).await?;
    let mut pairs = Vec::new();
    for likeness in likenesses {
        let later = visit.app.contribution(Some(actor), id, likeness.later).await?;
        let earlier = visit.app.contribution(Some(actor), id, likeness.earlier).await?;
        let is_back = is_back(fields, likeness.later, Some(likeness.earlier));
        pairs.push(Pair {
            later: Row::new(&ui, &later, None),
            earlier: Row::new(&ui, &earlier, None),
            share: ui.with("moderate-alike", "percent", format!("{:.0}", likeness.share * 100.0)),
            reason: if is_back { fields.get("reason").to_owned() } else { ui.t("moderate-same") },
        });
    }
    let items: Vec<Item> =
        list.items.iter().map(|view| item(&ui, Row::new(&ui, view, None), fields)).collect();
    let here = format!("/consultations/{id}/moderate");
    let page = ModeratePage {
        head: head(&ui, &found, "moderate"),
        receipt: query.get("receipt").and_then(|entry| entry.parse().ok()),
        unsent: unsent(fields, &pairs, &items),
        pairs,
        items,
        after: query.get("after").cloned().unwrap_or_default(),
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

/// Whether the form of a contribution, or of merging it into another, is the one that was sent.
fn is_back(fields: &Fields, contribution: u64, into: Option<u64>) -> bool {
    let words = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    fields.get("contribution") == words(Some(contribution)) && fields.get("into") == words(into)
}

fn item(ui: &Ui, row: Row, fields: &Fields) -> Item {
    let is_back = is_back(fields, row.number, None);
    Item {
        reason: if is_back { fields.get("reason").to_owned() } else { String::new() },
        reasons: reasons(ui, fields.given("because").filter(|_| is_back).unwrap_or("spam")),
        is_back,
        row,
    }
}

/// What was written in a form that is not on the page that comes back.
fn unsent(fields: &Fields, pairs: &[Pair], items: &[Item]) -> Vec<String> {
    let merging = |pair: &Pair| is_back(fields, pair.later.number, Some(pair.earlier.number));
    let is_shown = items.iter().any(|item| item.is_back) || pairs.iter().any(merging);
    if is_shown { Vec::new() } else { fields.texts(&["reason"]) }
}

fn reasons(ui: &Ui, chosen: &str) -> Vec<Choice> {
    HideReason::ALL
        .map(|reason| Choice::new(reason.code(), ui.word("hide-because", reason.code()), chosen))
        .into()
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let sent = [("contribution", "1"), ("reason", "Says <b>nothing</b>"), ("because", "off-topic")];
    let sent = Fields::from_pairs(sent.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
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
            reason: ui.t("moderate-same"),
        }],
        unsent: vec!["Of another page".into()],
        items: vec![item(&ui, shown, &sent), item(&ui, hidden, &sent)],
        after: "17".into(),
        pager: Pager::default(),
        ui,
    };
    vec![("consultation-moderate", page.render().unwrap_or_default())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&str, &str)]) -> Fields {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Fields::from_pairs(pairs.collect())
    }

    #[test]
    fn a_form_that_comes_back_keeps_its_reason_and_no_other_gets_it() {
        let ui = crate::ui::sample(cogov_model::Locale::En);
        let row = |number| super::super::rows::sample(&ui, number);
        let because = HideReason::ALL[1].code();
        let hiding = sent(&[("contribution", "1"), ("reason", "Why"), ("because", because)]);
        let items = [item(&ui, row(1), &hiding), item(&ui, row(2), &hiding)];
        assert_eq!((items[0].reason.as_str(), items[0].is_back), ("Why", true));
        assert!(items[0].reasons[1].chosen && !items[0].reasons[0].chosen);
        assert_eq!((items[1].reason.as_str(), items[1].is_back), ("", false));
        assert!(unsent(&hiding, &[], &items).is_empty());
        assert_eq!(unsent(&hiding, &[], &items[1..]), ["Why"], "a contribution of another page");
        let merging = sent(&[("contribution", "2"), ("into", "1"), ("reason", "Same")]);
        assert!(!item(&ui, row(2), &merging).is_back);
        assert!(is_back(&merging, 2, Some(1)) && !is_back(&merging, 2, Some(3)));
        assert!(unsent(&Fields::default(), &[], &[]).is_empty());
    }
}
