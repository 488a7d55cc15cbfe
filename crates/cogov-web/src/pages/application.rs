//! `/applications/{id}`: what is asked, what the rulebook says to it, what I may do, what happened so far.

use super::{
    Answered, applications, grant, names,
    names::Names,
    preview::{Fragment, Preview},
    shown, status_of,
};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::{Choice, EntryRow, Tag},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use cogov_app::{ApplicationAct, ApplicationPage as Found, May};
use cogov_model::{Aggregation, Application, ApplicationId, ColumnRef, Mask, MinGroup, Treatment};
use std::collections::HashMap;

struct ActView {
    code: &'static str,
    title: String,
    hint: String,
    words: String,
    takes_words: bool,
    needs_words: bool,
    picks_columns: bool,
    grave: bool,
}

#[derive(Template)]
#[template(path = "application.html")]
struct ApplicationPage {
    ui: Ui,
    errors: Vec<Problem>,
    back: &'static str,
    back_words: String,
    id: String,
    title: String,
    state: Tag,
    overdue: bool,
    notice: String,
    grant: Option<String>,
    facts: Vec<(String, String)>,
    preview: Fragment,
    acts: Vec<ActView>,
    columns: Vec<Choice>,
    treatments: Vec<Choice>,
    history: Vec<EntryRow>,
}

/// `GET /applications/{id}`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let notice = if query.contains_key("done") { visit.ui.t("act-done") } else { String::new() };
    page(&visit, &read(id)?, notice, Vec::new()).await
}

/// `POST /applications/{id}`
pub async fn act(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = read(id)?;
    let found = visit.app.application(visit.actor()?, &id).await?;
    let act = act_of(&fields, &found.application).ok_or_else(Failure::not_found)?;
    match visit.app.act(visit.actor()?, &id, act).await {
        Ok(_) => Ok(Redirect::to(&format!("/applications/{id}?done=1")).into_response()),
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            let field = format!("{}-words", fields.get("act"));
            page(&visit, &id, String::new(), vec![Problem { field, ..problem }]).await
        }
    }
}

fn read(id: String) -> Result<ApplicationId, Failure> {
    ApplicationId::new(id).map_err(|_| Failure::not_found())
}

const fn code(may: May) -> &'static str {
    match may {
        May::ApproveAsRequesterHead => "approve-as-requester-head",
        May::Agree => "agree",
        May::ApproveAsProviderHead => "approve-as-provider-head",
        May::AskForMore => "ask-for-more",
        May::Supply => "supply",
        May::Refuse => "refuse",
        May::Withdraw => "withdraw",
        May::Extend => "extend",
    }
}

fn act_of(fields: &Fields, application: &Application) -> Option<ApplicationAct> {
    let words = fields.get("words").to_owned();
    Some(match fields.get("act") {
        "approve-as-requester-head" | "approve-as-provider-head" => ApplicationAct::ApproveAsHead { words },
        "agree" => ApplicationAct::Agree {
            columns: agreed(fields, application),
            conditions: conditions(fields, application),
            words,
        },
        "ask-for-more" => ApplicationAct::AskForMore { words },
        "supply" => ApplicationAct::Supply { words },
        "refuse" => ApplicationAct::Refuse { reasons: words },
        "withdraw" => ApplicationAct::Withdraw,
        "extend" => ApplicationAct::Extend { reasons: words },
        _ => return None,
    })
}

/// The columns that stay checked; none when that is all of them.
fn agreed(fields: &Fields, application: &Application) -> Option<Vec<ColumnRef>> {
    let kept = |column: &&ColumnRef| fields.all("columns").any(|text| text == column.to_string());
    let columns: Vec<ColumnRef> = application.columns.iter().filter(kept).cloned().collect();
    (columns.len() < application.columns.len()).then_some(columns)
}

/// What an approver may set on top of the rulebook's treatment.
fn stricter() -> [Treatment; 8] {
    let group =
        |k| MinGroup::new(k).map_or(Treatment::Withhold, |k| Treatment::Aggregate(Aggregation::over(k)));
    [
        Treatment::Mask(Mask::Year),
        Treatment::Mask(Mask::Band(10)),
        Treatment::Mask(Mask::Band(1000)),
        Treatment::Mask(Mask::Prefix(1)),
        Treatment::Mask(Mask::Prefix(3)),
        Treatment::Mask(Mask::KeyedHash),
        group(10),
        group(20),
    ]
}

/// The treatments chosen, one list a column.
fn conditions(fields: &Fields, application: &Application) -> Vec<(ColumnRef, Treatment)> {
    let chosen = |column: &ColumnRef| {
        let value = fields.get(&format!("treatment:{column}"));
        let treatment = stricter().into_iter().find(|t| t.to_string() == value)?;
        Some((column.clone(), treatment))
    };
    application.columns.iter().filter_map(chosen).collect()
}

fn treatments(ui: &Ui) -> Vec<Choice> {
    let words = |treatment| ui.text(&cogov_rulebook::treatment_words(treatment)).to_owned();
    let stricter = stricter().into_iter().map(|t| Choice::new(t.to_string(), words(t), ""));
    std::iter::once(Choice::new("", ui.t("application-as-ruled"), "")).chain(stricter).collect()
}

fn act_view(ui: &Ui, may: May) -> ActView {
    let code = code(may);
    let hint_key = match may {
        May::Agree => Some("act-agree-hint"),
        May::AskForMore => Some("act-ask-for-more-hint"),
        May::Refuse => Some("act-refuse-hint"),
        May::Extend => Some("act-extend-hint"),
        _ => None,
    };
    let words_key = match may {
        May::AskForMore => "act-list",
        May::Supply => "act-answer",
        May::Refuse | May::Extend => "act-reasons",
        _ => "act-words",
    };
    ActView {
        code,
        title: ui.word("act", code),
        hint: hint_key.map(|key| ui.t(key)).unwrap_or_default(),
        words: ui.t(words_key),
        takes_words: may != May::Withdraw,
        needs_words: matches!(may, May::AskForMore | May::Supply | May::Refuse | May::Extend),
        picks_columns: may == May::Agree,
        grave: matches!(may, May::Refuse | May::Withdraw),
    }
}

async fn page(
    visit: &Visit,
    id: &ApplicationId,
    notice: String,
    errors: Vec<Problem>,
) -> Result<Response, Failure> {
    let (ui, actor, names) = (visit.ui(), visit.actor()?, Names::of(visit).await?);
    let found = visit.app.application(actor, id).await?;
    let application = &found.application;
    let asks = application.requester == actor.party.id;
    let history =
        found.history.iter().map(|view| EntryRow::new(&ui, view.index, &view.entry, |id| names.party(id)));
    let page = ApplicationPage {
        back: if asks { "/applications" } else { "/inbox" },
        back_words: if asks { ui.t("applications-title") } else { ui.t("inbox-title") },
        id: id.to_string(),
        title: ui.with("application-title", "what", applications::title(&ui, application, &found.requester)),
        state: Tag::state(&ui, application.state.code()),
        overdue: !application.state.is_final() && found.working_days_left < 0,
        notice,
        grant: application.grant.as_ref().map(ToString::to_string),
        facts: facts(visit, &found),
        preview: Fragment::new(&Preview::new(visit, &found.preview))?,
        acts: found.may.iter().map(|may| act_view(&ui, *may)).collect(),
        columns: application.columns.iter().map(checked).collect(),
        treatments: treatments(&ui),
        history: history.collect(),
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

fn checked(column: &ColumnRef) -> Choice {
    Choice { value: column.to_string(), words: column.to_string(), chosen: true }
}

fn facts(visit: &Visit, found: &Found) -> Vec<(String, String)> {
    let (ui, application) = (&visit.ui, &found.application);
    let both = |a: &str, b: &str| format!("{a} → {b}");
    let optional =
        |text: &Option<cogov_model::Text>| text.as_ref().map(|t| ui.text(t).to_owned()).unwrap_or_default();
    let columns: Vec<String> = application.columns.iter().map(ToString::to_string).collect();
    let approvals = application.approvals.iter().map(|approval| {
        format!(
            "{} ({}, {}) {}",
            approval.account,
            ui.word("role", approval.role.code()),
            ui.day(approval.at),
            ui.text(&approval.words)
        )
    });
    let left = applications::deadline(ui, application.state.is_final(), found.working_days_left);
    let days = (application.term.until.millis() - application.term.from.millis()) / 86_400_000;
    let mut facts = vec![
        (ui.t("application-id"), application.id.to_string()),
        (ui.t("application-parties"), both(ui.text(&found.requester.name), ui.text(&found.provider.name))),
        (ui.t("application-purpose"), names::purpose(visit, &application.purpose.code)),
        (ui.t("application-words"), ui.text(&application.purpose.words).to_owned()),
        (ui.t("application-basis"), ui.text(&application.purpose.legal_basis).to_owned()),
        (ui.t("application-scenario"), ui.text(&application.purpose.scenario).to_owned()),
        (ui.t("application-asked-columns"), columns.join(", ")),
        (ui.t("application-rows"), grant::scope_words(ui, &application.scope)),
        (ui.t("application-form"), ui.word("form", application.form.code())),
        (ui.t("verify-questions"), grant::question_words(ui, application.verification.as_ref())),
        (ui.t("application-lane"), ui.word("lane", application.lane.code())),
        (ui.t("application-term"), ui.n("application-days", days)),
        (ui.t("application-due"), format!("{} ({left})", found.due_date)),
        (ui.t("application-approvals"), approvals.collect::<Vec<_>>().join("; ")),
        (ui.t("application-asked"), optional(&application.asked)),
        (ui.t("application-supplied"), optional(&application.supplied)),
        (ui.t("application-reasons"), optional(&application.reasons)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let all = [
        May::ApproveAsRequesterHead,
        May::Agree,
        May::ApproveAsProviderHead,
        May::AskForMore,
        May::Supply,
        May::Refuse,
        May::Withdraw,
        May::Extend,
    ];
    let page = ApplicationPage {
        errors: vec![Problem::new("refuse-words", "Say why")],
        back: "/inbox",
        back_words: ui.t("inbox-title"),
        id: "a-1".into(),
        title: ui.with("application-title", "what", "North → revenue"),
        state: Tag::state(&ui, "submitted"),
        overdue: true,
        notice: ui.t("act-done"),
        grant: Some("g-1".into()),
        facts: vec![(ui.t("application-due"), "2026-12-01".into())],
        preview: super::preview::sample(&ui),
        acts: all.map(|may| act_view(&ui, may)).into(),
        columns: vec![Choice {
            value: "revenue.units.wages".into(),
            words: "revenue.units.wages".into(),
            chosen: true,
        }],
        treatments: treatments(&ui),
        history: vec![crate::view::sample_entry(&ui)],
        ui,
    };
    vec![("application", page.render().unwrap_or_default())]
}
