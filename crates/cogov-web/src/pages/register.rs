//! `/register`: an account for a member of the public.

use super::{
    Answered, shown,
    sign_in::{before_token, check_before, inside, open_session, with_before},
    status_of,
};
use crate::{
    form::{Fields, Problem},
    ui::Ui,
    visit::Visit,
};
use askama::Template;
use axum::{body::Bytes, extract::Query};
use cogov_app::{AppError, Registration};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    ui: Ui,
    errors: Vec<Problem>,
    pre: String,
    next: String,
    account: String,
    name: String,
}

/// `GET /register`
pub async fn show(visit: Visit, Query(query): Query<HashMap<String, String>>) -> Answered {
    let next = query.get("next").cloned().unwrap_or_default();
    form(&visit, &Fields::from_pairs(vec![("next".into(), next)]), Vec::new())
}

/// `POST /register`
pub async fn submit(visit: Visit, body: Bytes) -> Answered {
    let fields = Fields::parse(&body);
    check_before(&visit, &fields)?;
    let registration = Registration {
        account: fields.get("account"),
        name: fields.get("name"),
        password: fields.get("password"),
        locale: visit.ui.locale,
    };
    match visit.app.register(registration, visit.from).await {
        Ok(signed) => open_session(&visit, &signed, fields.get("next")),
        Err(AppError::Conflict(words)) => {
            form(&visit, &fields, vec![Problem::new("account", visit.ui.text(&words))])
        }
        Err(error) => form(&visit, &fields, vec![Problem::from_app(&visit.ui, error)?]),
    }
}

fn form(visit: &Visit, fields: &Fields, errors: Vec<Problem>) -> Answered {
    let page = RegisterPage {
        pre: before_token(visit)?,
        next: inside(fields.get("next")).to_owned(),
        account: fields.get("account").to_owned(),
        name: fields.get("name").to_owned(),
        errors,
        ui: visit.ui(),
    };
    let response = shown(status_of(&page.errors), &page)?;
    with_before(visit, response, &page.pre)
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = RegisterPage {
        errors: vec![Problem::new("password", "Longer")],
        pre: "p".into(),
        next: "/".into(),
        account: "mei".into(),
        name: "Mei".into(),
        ui: Ui { viewer: None, csrf: String::new(), ..ui },
    };
    vec![("register", page.render().unwrap_or_default())]
}
