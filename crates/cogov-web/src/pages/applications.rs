//! `/applications`, what my party asked for, and `/inbox`, what waits for an answer of mine.

use super::{Answered, html};
use crate::{ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use axum::extract::Query;
use cogov_app::InboxItem;
use cogov_model::{Application, Party};
use std::collections::{BTreeSet, HashMap};

struct Item {
    id: String,
    title: String,
    state: Tag,
    mine: bool,
    overdue: bool,
    words: String,
    parties: String,
    columns: String,
    form: String,
    deadline: String,
}

#[derive(Template)]
#[template(path = "applications.html")]
struct ApplicationsPage {
    ui: Ui,
    heading: String,
    lead: String,
    receipt: String,
    items: Vec<Item>,
}

/// `GET /applications`
pub async fn show_mine(visit: Visit, Query(query): Query<HashMap<String, String>>) -> Answered {
    let actor = visit.actor()?;
    let found = visit.app.inbox(actor).await?;
    let ui = visit.ui();
    let mine = found.iter().filter(|item| item.requester.id == actor.party.id);
    let page = ApplicationsPage {
        heading: ui.t("applications-title"),
        lead: ui.t("applications-lead"),
        receipt: query.get("receipt").map(|id| ui.with("applications-receipt", "id", id)).unwrap_or_default(),
        items: mine.map(|item| view(&ui, item)).collect(),
        ui,
    };
    html(&page)
}

/// `GET /inbox`
pub async fn show_inbox(visit: Visit) -> Answered {
    let actor = visit.actor()?;
    let found = visit.app.inbox(actor).await?;
    let ui = visit.ui();
    let to_us = found.iter().filter(|item| item.provider.id == actor.party.id || item.waits_for_me);
    let page = ApplicationsPage {
        heading: ui.t("inbox-title"),
        lead: ui.t("inbox-lead"),
        receipt: String::new(),
        items: to_us.map(|item| view(&ui, item)).collect(),
        ui,
    };
    html(&page)
}

/// Working days left until an answer is due, in words.
pub fn deadline(ui: &Ui, closed: bool, working_days_left: i64) -> String {
    if closed {
        ui.t("inbox-closed")
    } else if working_days_left < 0 {
        ui.n("inbox-late", working_days_left.unsigned_abs())
    } else {
        ui.n("inbox-left", working_days_left)
    }
}

/// What an application is called: who asks, for which datasets.
pub fn title(ui: &Ui, application: &Application, requester: &Party) -> String {
    let datasets: BTreeSet<&str> = application.columns.iter().map(|column| column.dataset.as_str()).collect();
    format!("{} → {}", ui.text(&requester.name), datasets.into_iter().collect::<Vec<_>>().join(", "))
}

fn view(ui: &Ui, item: &InboxItem) -> Item {
    let application = &item.application;
    let closed = application.state.is_final();
    Item {
        id: application.id.to_string(),
        title: title(ui, application, &item.requester),
        state: Tag::state(ui, application.state.code()),
        mine: item.waits_for_me,
        overdue: !closed && item.working_days_left < 0,
        words: ui.text(&application.purpose.words).to_owned(),
        parties: format!("{} → {}", ui.text(&item.requester.name), ui.text(&item.provider.name)),
        columns: ui.n("catalogue-columns", application.columns.len()),
        form: ui.word("form", application.form.code()),
        deadline: deadline(ui, closed, item.working_days_left),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let item = Item {
        id: "a-1".into(),
        title: "North → revenue".into(),
        state: Tag::state(&ui, "submitted"),
        mine: true,
        overdue: true,
        words: "Benefits".into(),
        parties: "North → Revenue".into(),
        columns: ui.n("catalogue-columns", 3_u64),
        form: ui.word("form", "rows"),
        deadline: deadline(&ui, false, -2),
    };
    let receipt = ui.with("applications-receipt", "id", "a-1");
    let page = ApplicationsPage {
        heading: ui.t("inbox-title"),
        lead: ui.t("inbox-lead"),
        receipt,
        items: vec![item],
        ui,
    };
    vec![("applications", page.render().unwrap_or_default())]
}
