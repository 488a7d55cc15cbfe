//! `/grants`, every grant in public, and `/my-grants`, those of the signed-in person's party.

use super::{Answered, html, names};
use crate::{ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use cogov_app::GrantCard;
use cogov_model::{Form, Role};

/// A grant as a line of a list.
#[derive(Debug, Clone)]
pub struct GrantLine {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub state: Tag,
    /// Who may use it.
    pub party: String,
    /// Who provides the data.
    pub providers: String,
    /// How.
    pub form: String,
    /// What for.
    pub purpose: String,
    /// Until when.
    pub until: String,
    /// Whether it answers questions at a counter, and is no database.
    pub verifies: bool,
}

impl GrantLine {
    /// From a card.
    pub fn new(visit: &Visit, card: &GrantCard) -> Self {
        let (ui, grant) = (&visit.ui, &card.grant);
        let providers: Vec<&str> = card.providers.iter().map(|party| ui.text(&party.name)).collect();
        Self {
            id: grant.id.to_string(),
            name: ui.text(&grant.name).to_owned(),
            state: Tag::state(ui, card.state),
            party: ui.text(&card.party.name).to_owned(),
            providers: providers.join(", "),
            form: ui.word("form", grant.form.code()),
            purpose: names::purpose(visit, &grant.purpose.code),
            until: ui.with("until-day", "day", ui.day(grant.term.until)),
            verifies: grant.form == Form::Verify,
        }
    }
}

#[derive(Template)]
#[template(path = "my_grants.html")]
struct GrantsPage {
    ui: Ui,
    heading: String,
    lead: String,
    grants: Vec<GrantLine>,
    /// Whether the lines lead to the workbench.
    workbench: bool,
}

/// `GET /grants`
pub async fn show_public(visit: Visit) -> Answered {
    let found = visit.app.public_grants().await?;
    html(&page(&visit, &found, false))
}

/// `GET /my-grants`
pub async fn show_mine(visit: Visit) -> Answered {
    let found = visit.app.grants(visit.actor()?).await?;
    html(&page(&visit, &found, visit.ui.is(Role::Analyst)))
}

fn page(visit: &Visit, found: &[GrantCard], workbench: bool) -> GrantsPage {
    let ui = visit.ui();
    let mine = ui.path.starts_with("/my-grants");
    GrantsPage {
        heading: if mine { ui.t("my-grants-title") } else { ui.t("grants-title") },
        lead: if mine { ui.t("my-grants-lead") } else { ui.t("grants-lead") },
        grants: found.iter().map(|card| GrantLine::new(visit, card)).collect(),
        workbench,
        ui,
    }
}

#[cfg(test)]
pub(crate) fn sample(ui: &Ui) -> GrantLine {
    GrantLine {
        id: "north-revenue".into(),
        name: "North reads revenue".into(),
        state: Tag::state(ui, "active"),
        party: "North".into(),
        providers: "Revenue".into(),
        form: ui.word("form", "rows"),
        purpose: "Benefits".into(),
        until: ui.with("until-day", "day", "2027-01-01"),
        verifies: false,
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = GrantsPage {
        heading: ui.t("grants-title"),
        lead: ui.t("grants-lead"),
        grants: vec![sample(&ui)],
        workbench: true,
        ui,
    };
    vec![("grants", page.render().unwrap_or_default())]
}
