//! `/grants/{id}`: what was granted to whom, and what was decided under it.

use super::{Answered, html, names, names::Names};
use crate::{
    failure::Failure,
    form::{Posted, Problem},
    ui::Ui,
    view::{EntryRow, Tag},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Redirect},
};
use cogov_app::{EntryFilter, GrantCard, GrantPage as Found, Page};
use cogov_model::{Form, Grant, GrantId, Role, RowScope, Verification};

/// Entries that the page shows.
const ENTRIES: u32 = 12;

#[derive(Template)]
#[template(path = "grant.html")]
struct GrantPage {
    ui: Ui,
    errors: Vec<Problem>,
    id: String,
    name: String,
    state: Tag,
    workbench: bool,
    verifies: bool,
    budget: bool,
    may_revoke: bool,
    facts: Vec<(String, String)>,
    columns: Vec<String>,
    usage: String,
    entries: Vec<EntryRow>,
}

/// `GET /grants/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    html(&page(&visit, &read(id)?, Vec::new()).await?)
}

/// `POST /grants/{id}/revoke`
pub async fn revoke(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = read(id)?;
    match visit.app.revoke(visit.actor()?, &id, fields.get("reasons")).await {
        Ok(()) => Ok(Redirect::to(&format!("/grants/{id}")).into_response()),
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            let page = page(&visit, &id, vec![problem]).await?;
            super::shown(super::status_of(&page.errors), &page)
        }
    }
}

fn read(id: String) -> Result<GrantId, Failure> {
    GrantId::new(id).map_err(|_| Failure::not_found())
}

async fn page(visit: &Visit, id: &GrantId, errors: Vec<Problem>) -> Result<GrantPage, Failure> {
    let (ui, names) = (visit.ui(), Names::of(visit).await?);
    let found = visit.app.grant_page(id).await?;
    let filter = EntryFilter { grant: Some(id.clone()), ..EntryFilter::default() };
    let entries = visit.app.entries(visit.viewer(), &filter, &Page::first(ENTRIES)).await?;
    let entries =
        entries.items.iter().map(|view| EntryRow::new(&ui, view.index, &view.entry, |id| names.party(id)));
    let Found { card, decisions } = &found;
    Ok(GrantPage {
        id: id.to_string(),
        name: ui.text(&card.grant.name).to_owned(),
        state: Tag::state(&ui, card.state),
        budget: visit.app.noise_limit(&card.grant).await?.is_some(),
        workbench: is_holder(visit, &card.grant) && ui.is(Role::Analyst),
        verifies: card.grant.form == Form::Verify,
        may_revoke: card.state == "active" && may_revoke(visit, &card.grant),
        facts: facts(visit, card),
        columns: card.grant.columns.iter().map(ToString::to_string).collect(),
        usage: ui.n("dataset-usage-decisions", *decisions),
        entries: entries.collect(),
        errors,
        ui,
    })
}

/// Whether a link to the workbench helps; the application decides at the door.
fn is_holder(visit: &Visit, grant: &Grant) -> bool {
    visit.viewer().is_some_and(|actor| actor.party.id == grant.party)
}

/// Whether the form to end it helps; the application decides when it is sent.
fn may_revoke(visit: &Visit, grant: &Grant) -> bool {
    let provides = visit.viewer().is_some_and(|actor| grant.providers.contains(&actor.party.id));
    provides && (visit.ui.is(Role::Approver) || visit.ui.is(Role::Head))
}

fn facts(visit: &Visit, card: &GrantCard) -> Vec<(String, String)> {
    let (ui, grant) = (&visit.ui, &card.grant);
    let providers: Vec<&str> = card.providers.iter().map(|party| ui.text(&party.name)).collect();
    let datasets: Vec<String> = grant.datasets().iter().map(ToString::to_string).collect();
    let mut facts = vec![
        (ui.t("grant-party"), ui.text(&card.party.name).to_owned()),
        (ui.t("grant-providers"), providers.join(", ")),
        (ui.t("grant-datasets"), datasets.join(", ")),
        (ui.t("application-purpose"), names::purpose(visit, &grant.purpose.code)),
        (ui.t("application-words"), ui.text(&grant.purpose.words).to_owned()),
        (ui.t("application-basis"), ui.text(&grant.purpose.legal_basis).to_owned()),
        (ui.t("application-scenario"), ui.text(&grant.purpose.scenario).to_owned()),
        (ui.t("application-rows"), scope_words(ui, &grant.scope)),
        (ui.t("application-form"), ui.word("form", grant.form.code())),
        (ui.t("verify-questions"), question_words(ui, grant.verification.as_ref())),
        (ui.t("application-lane"), ui.word("lane", grant.lane.code())),
        (ui.t("application-term"), format!("{} – {}", ui.day(grant.term.from), ui.day(grant.term.until))),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// The rows of a scope, in words.
pub fn scope_words(ui: &Ui, scope: &RowScope) -> String {
    if scope.is_everything() {
        return ui.t("application-all-rows");
    }
    let tables =
        scope.0.iter().filter(|(_, conditions)| !conditions.is_empty()).map(|(table, conditions)| {
            let words: Vec<String> = conditions.iter().map(ToString::to_string).collect();
            format!("{table}: {}", words.join(" ∧ "))
        });
    tables.collect::<Vec<_>>().join("; ")
}

/// The questions of a verify grant, each in words and as its conditions.
pub fn question_words(ui: &Ui, verification: Option<&Verification>) -> String {
    let predicates = verification.iter().flat_map(|verification| &verification.predicates);
    let words = predicates.map(|predicate| {
        let conditions: Vec<String> = predicate.all.iter().map(ToString::to_string).collect();
        format!("{}: {} ({})", predicate.id, ui.text(&predicate.words), conditions.join(" ∧ "))
    });
    words.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = GrantPage {
        errors: vec![Problem::new("reasons", "Say why")],
        id: "north-revenue".into(),
        name: "North reads revenue".into(),
        state: Tag::state(&ui, "active"),
        workbench: true,
        verifies: false,
        budget: true,
        may_revoke: true,
        facts: vec![(ui.t("application-rows"), scope_words(&ui, &RowScope::default()))],
        columns: vec!["revenue.units.e00200".into()],
        usage: ui.n("dataset-usage-decisions", 0_u64),
        entries: vec![crate::view::sample_entry(&ui)],
        ui,
    };
    vec![("grant", page.render().unwrap_or_default())]
}
