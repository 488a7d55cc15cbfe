//! `/account`: who I am here, and tokens for machines.

use super::{Answered, shown, status_of};
use crate::{
    failure::Failure,
    form::{Posted, Problem},
    ui::Ui,
    visit::Visit,
};
use askama::Template;
use axum::response::{IntoResponse, Redirect};

struct Token {
    id: String,
    name: String,
    made: String,
    ends: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    ui: Ui,
    errors: Vec<Problem>,
    name: String,
    account: String,
    party: String,
    roles: String,
    /// A token made just now: shown once.
    fresh: String,
    tokens: Vec<Token>,
}

/// `GET /account`
pub async fn show(visit: Visit) -> Answered {
    page(&visit, String::new(), Vec::new()).await
}

/// `POST /account/tokens`
pub async fn make_token(visit: Visit, Posted(fields): Posted) -> Answered {
    let actor = visit.actor()?;
    let days = fields.get("days").parse().unwrap_or(0);
    match visit.app.new_token(actor, fields.get("name"), days).await {
        Ok(token) => page(&visit, token, Vec::new()).await,
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            page(&visit, String::new(), vec![problem]).await
        }
    }
}

/// `POST /account/tokens/revoke`
pub async fn revoke_token(visit: Visit, Posted(fields): Posted) -> Answered {
    visit.app.revoke_token(visit.actor()?, fields.get("id")).await?;
    Ok(Redirect::to("/account").into_response())
}

async fn page(
    visit: &Visit,
    fresh: String,
    errors: Vec<Problem>,
) -> Result<axum::response::Response, Failure> {
    let (ui, actor) = (visit.ui(), visit.actor()?);
    let tokens = visit.app.tokens(actor).await?;
    let tokens = tokens.into_iter().map(|token| Token {
        id: token.id,
        name: token.name,
        made: ui.day(token.created_at),
        ends: token.expires_at.map(|at| ui.day(at)).unwrap_or_default(),
    });
    let page = AccountPage {
        tokens: tokens.collect(),
        name: actor.name.clone(),
        account: actor.account.to_string(),
        party: ui.text(&actor.party.name).to_owned(),
        roles: actor.roles.iter().map(|role| ui.word("role", role.code())).collect::<Vec<_>>().join(" · "),
        fresh,
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let token =
        Token { id: "t".into(), name: "laptop".into(), made: "2026-11-01".into(), ends: "2027-01-30".into() };
    let page = AccountPage {
        errors: vec![Problem::new("name", "Name it")],
        name: "Lin".into(),
        account: "lin".into(),
        party: "Revenue".into(),
        roles: ui.t("role-steward"),
        fresh: "cogov_x".into(),
        tokens: vec![token],
        ui,
    };
    vec![("account", page.render().unwrap_or_default())]
}
