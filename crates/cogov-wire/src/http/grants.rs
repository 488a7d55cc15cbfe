//! The grants of the caller's party, and the database that each one is.

use super::auth::Caller;
use super::extract::Id;
use super::{Problem, json};
use axum::extract::State;
use axum::response::Response;
use cogov_app::{App, GrantCard};
use cogov_engine::GrantedTable;
use cogov_model::{GrantId, Locale, Role};
use serde_json::{Value, json};

pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    let cards = app.grants(&caller.actor).await.map_err(|error| caller.failed(error))?;
    let items: Vec<Value> = cards.iter().map(shown).collect();
    Ok(json(json!({ "items": items })))
}

pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<GrantId>,
) -> Result<Response, Problem> {
    let cards = app.grants(&caller.actor).await.map_err(|error| caller.failed(error))?;
    let missing = || Problem::missing().in_language(caller.locale);
    let card = cards.into_iter().find(|card| card.grant.id == id).ok_or_else(missing)?;
    let mut body = shown(&card);
    // A grant that cannot be used now is shown, but it is no database.
    if card.state == "active" && caller.actor.is(Role::Analyst) {
        let session = app.grant_session(&caller.actor, &id).await.map_err(|error| caller.failed(error))?;
        let tables = app.grant_catalogue(&session).await.map_err(|error| caller.failed(error))?;
        let tables: Vec<Value> = tables.iter().map(|granted| table(granted, caller.locale)).collect();
        if let Some(map) = body.as_object_mut() {
            map.insert("tables".to_owned(), tables.into());
        }
    }
    Ok(json(body))
}

fn shown(card: &GrantCard) -> Value {
    let grant = &card.grant;
    json!({
        "id": grant.id,
        "name": grant.name,
        "state": card.state,
        "party": card.party,
        "providers": card.providers,
        "datasets": grant.datasets(),
        "columns": grant.columns,
        "scope": grant.scope,
        "purpose": grant.purpose,
        "form": grant.form,
        "lane": grant.lane,
        "from": grant.term.from.rfc3339(),
        "until": grant.term.until.rfc3339(),
        "made_at": grant.made_at.rfc3339(),
        "application": grant.application,
        "verification": grant.verification,
    })
}

fn table(granted: &GrantedTable, locale: Locale) -> Value {
    let columns: Vec<Value> = granted
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.data_type.to_string(),
                "title": column.title.get(locale),
                "description": column.description.get(locale),
                "treatment": column.treatment,
                "grade": column.label.grade,
                "categories": column.label.categories,
                "reason": column.reason.get(locale),
                "clauses": column.clauses,
            })
        })
        .collect();
    json!({
        "dataset": granted.dataset,
        "table": granted.table,
        "title": granted.title.get(locale),
        "columns": columns,
    })
}
