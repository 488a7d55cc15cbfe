//! `/grants/{id}/budget` and `/datasets/{id}/budget`: what was spent of privacy this month, and on which answers.

use super::{Answered, html};
use crate::{
    failure::Failure,
    ui::Ui,
    view::{Bar, Bars, with_query},
    visit::Visit,
};
use askama::Template;
use axum::extract::{Path, Query};
use cogov_app::{BudgetLeft, BudgetPage as Found, Cursor, NoiseRecord, Page};
use cogov_model::{DatasetId, GrantId};
use std::collections::HashMap;

/// Answers that a page shows.
const ANSWERS: u32 = 50;

struct AnswerLine {
    at: String,
    grant: String,
    epsilon: String,
    mechanism: String,
    state: String,
    entry: Option<u64>,
}

#[derive(Template)]
#[template(path = "budget.html")]
struct BudgetPage {
    ui: Ui,
    title: String,
    above: String,
    above_href: String,
    facts: Vec<(String, String)>,
    chart: Option<Bars>,
    answers: Vec<AnswerLine>,
    more: Option<String>,
}

/// The fields of the address.
type Asked = HashMap<String, String>;

fn list(asked: &Asked) -> Page {
    Page::new(asked.get("after").map(|text| Cursor::from_text(text)), ANSWERS)
}

/// `GET /grants/{id}/budget`
pub async fn of_grant(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answered {
    let id = GrantId::new(id).map_err(|_| Failure::not_found())?;
    let found = visit.app.grant_budget(&id, &list(&asked)).await?;
    let card = visit.app.grant_page(&id).await?.card;
    let ui = visit.ui();
    let (title, above) = (ui.t("budget-grant"), ui.text(&card.grant.name).to_owned());
    html(&page(ui, title, above, format!("/grants/{id}"), &found))
}

/// `GET /datasets/{id}/budget`
pub async fn of_dataset(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answered {
    let id = DatasetId::new(id).map_err(|_| Failure::not_found())?;
    let found = visit.app.dataset_budget(&id, &list(&asked)).await?;
    let dataset = visit.app.dataset(&id).await?.dataset;
    let ui = visit.ui();
    let (title, above) = (ui.t("budget-dataset"), ui.text(&dataset.title).to_owned());
    html(&page(ui, title, above, format!("/datasets/{id}"), &found))
}

fn page(ui: Ui, title: String, above: String, above_href: String, found: &Found) -> BudgetPage {
    let next = found.answers.next.as_ref().map(ToString::to_string);
    let more = next.map(|after| with_query(&format!("{above_href}/budget"), &[("after", &after)]));
    BudgetPage {
        facts: facts(&ui, found),
        chart: found.left.as_ref().map(|left| chart(&ui, found, left)),
        answers: found.answers.items.iter().map(|record| line(&ui, record)).collect(),
        more,
        title,
        above,
        above_href,
        ui,
    }
}

fn facts(ui: &Ui, found: &Found) -> Vec<(String, String)> {
    let mut facts = vec![(ui.t("budget-month"), found.month.to_string())];
    match &found.left {
        None => facts.push((ui.t("budget-left"), ui.t("budget-none"))),
        Some(left) => facts.extend([
            (ui.t("budget-of"), left.of.to_string()),
            (ui.t("budget-spent"), percent(left.spent)),
            (ui.t("budget-left"), left.epsilon.to_string()),
            (ui.t("budget-refills"), format!("{}-01", left.refills)),
        ]),
    }
    facts
}

/// Hundredths of a percent as a percentage.
fn percent(hundredths: u64) -> String {
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn chart(ui: &Ui, found: &Found, left: &BudgetLeft) -> Bars {
    let spent = left.spent.min(10_000);
    #[allow(clippy::cast_precision_loss, reason = "the length of a bar")]
    let bar = |key: &str, hundredths: u64| Bar {
        label: ui.t(key),
        value: hundredths as f64,
        words: percent(hundredths),
    };
    Bars {
        title: ui.with("budget-chart", "month", found.month),
        description: ui.t("budget-chart-text"),
        bars: vec![bar("budget-share-spent", spent), bar("budget-share-left", 10_000 - spent)],
    }
}

fn line(ui: &Ui, record: &NoiseRecord) -> AnswerLine {
    AnswerLine {
        at: ui.moment(record.at),
        grant: record.grant.to_string(),
        epsilon: record.facts.epsilon.to_string(),
        mechanism: mechanism(ui, &record.facts.mechanism),
        state: ui.t(if record.answered { "budget-kept" } else { "budget-broken" }),
        entry: record.entry,
    }
}

/// The mechanism's name; the code itself when a later version wrote another.
fn mechanism(ui: &Ui, code: &str) -> String {
    match code {
        "discrete-laplace" => ui.t("mechanism-discrete-laplace"),
        "discrete-laplace+threshold" => ui.t("mechanism-discrete-laplace-threshold"),
        "discrete-gaussian" => ui.t("mechanism-discrete-gaussian"),
        "discrete-gaussian+threshold" => ui.t("mechanism-discrete-gaussian-threshold"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let line = |entry| AnswerLine {
        at: ui.moment(cogov_model::Timestamp::from_millis(0)),
        grant: "g-operator-noise".into(),
        epsilon: "0.5".into(),
        mechanism: mechanism(&ui, "discrete-gaussian"),
        state: ui.t("budget-kept"),
        entry,
    };
    let left = |spent| BudgetLeft {
        of: "4".parse().unwrap_or_default(),
        epsilon: "3.5".parse().unwrap_or_default(),
        spent,
        refills: cogov_model::Month::of(cogov_model::Timestamp::from_millis(0)).next(),
    };
    let found = |left| Found {
        month: cogov_model::Month::of(cogov_model::Timestamp::from_millis(0)),
        left,
        answers: cogov_app::Paged { items: Vec::new(), next: None },
    };
    let page = |found: Found, answers: Vec<AnswerLine>| BudgetPage {
        answers,
        more: Some("/grants/g/budget?after=x".into()),
        ..page(ui.clone(), ui.t("budget-grant"), "North".into(), "/grants/g".into(), &found)
    };
    let pages =
        [page(found(Some(left(120))), vec![line(Some(7)), line(None)]), page(found(None), Vec::new())];
    pages.map(|page| ("budget", page.render().unwrap_or_default())).into()
}
