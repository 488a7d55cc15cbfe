//! `/sign-in`: name and password, with its own token since there is no session yet; `/sign-out`.

use super::{Answered, shown, status_of};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem, same},
    ui::Ui,
    view::with_query,
    visit::{BEFORE_SESSION, SESSION, Visit},
};
use askama::Template;
use axum::{
    body::Bytes,
    extract::Query,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use cogov_app::{AppError, SignedIn};
use std::collections::HashMap;

/// Days that the session's cookie is kept; the session itself ends when the application says.
const COOKIE_DAYS: u32 = 30;

struct Person {
    account: String,
    password: String,
    name: String,
    party: String,
    roles: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    ui: Ui,
    errors: Vec<Problem>,
    pre: String,
    next: String,
    account: String,
    people: Vec<Person>,
    /// Where somebody without an account goes.
    register: String,
}

/// `GET /sign-in`
pub async fn show(visit: Visit, Query(query): Query<HashMap<String, String>>) -> Answered {
    let next = query.get("next").map(String::as_str).unwrap_or_default();
    form(&visit, next, "", Vec::new())
}

/// `POST /sign-in`
pub async fn submit(visit: Visit, body: Bytes) -> Answered {
    let fields = Fields::parse(&body);
    check_before(&visit, &fields)?;
    let (account, next) = (fields.get("account"), fields.get("next"));
    match visit.app.sign_in(account, fields.get("password"), visit.from).await {
        Ok(signed) => open_session(&visit, &signed, next),
        Err(error @ AppError::NotSignedIn) => {
            let problem = Problem::new("account", visit.ui.text(&error.reason()));
            form(&visit, next, account, vec![problem])
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            form(&visit, next, account, vec![problem])
        }
    }
}

/// `POST /sign-out`
pub async fn sign_out(visit: Visit, _: Posted) -> Answered {
    if let Some(signed) = &visit.signed {
        visit.app.sign_out(&signed.session).await?;
    }
    let mut response = Redirect::to("/").into_response();
    set_cookie(&mut response, &visit.cookie(SESSION, "", 0))?;
    Ok(response)
}

fn form(visit: &Visit, next: &str, account: &str, errors: Vec<Problem>) -> Answered {
    let ui = visit.ui();
    let people = visit.web.site.people.iter().map(|person| Person {
        account: person.account.clone(),
        password: person.password.clone(),
        name: ui.text(&person.name).to_owned(),
        party: ui.text(&person.party).to_owned(),
        roles: person.roles.iter().map(|role| ui.word("role", role.code())).collect::<Vec<_>>().join(" · "),
    });
    let page = SignInPage {
        people: if ui.demo { people.collect() } else { Vec::new() },
        pre: before_token(visit)?,
        next: inside(next).to_owned(),
        account: account.to_owned(),
        register: with_query("/register", &[("next", inside(next))]),
        errors,
        ui,
    };
    let response = shown(status_of(&page.errors), &page)?;
    with_before(visit, response, &page.pre)
}

/// The token of a form that is sent before there is a session.
pub(super) fn before_token(visit: &Visit) -> Result<String, Failure> {
    match &visit.before {
        Some(before) => Ok(before.clone()),
        None => random(),
    }
}

/// Refuses such a form when its token is not the cookie's.
pub(super) fn check_before(visit: &Visit, fields: &Fields) -> Result<(), Failure> {
    let before = visit.before.as_deref().unwrap_or_default();
    if same(before, fields.get("pre")) { Ok(()) } else { Err(Failure::forged()) }
}

/// Hands the token's cookie out with a form that carries it.
pub(super) fn with_before(visit: &Visit, mut response: Response, token: &str) -> Answered {
    if visit.before.is_none() {
        set_cookie(&mut response, &visit.cookie(BEFORE_SESSION, token, 1))?;
    }
    Ok(response)
}

/// Hands a session's cookie out and goes on.
pub(super) fn open_session(visit: &Visit, signed: &SignedIn, next: &str) -> Answered {
    let mut response = Redirect::to(inside(next)).into_response();
    set_cookie(&mut response, &visit.cookie(SESSION, &signed.session, COOKIE_DAYS))?;
    set_cookie(&mut response, &visit.cookie(BEFORE_SESSION, "", 0))?;
    Ok(response)
}

/// A path on this node; anything else leads home, so that nobody is sent elsewhere after signing in.
pub(super) fn inside(next: &str) -> &str {
    let second = next.chars().nth(1);
    let is_path = next.starts_with('/') && second != Some('/') && second != Some('\\');
    if is_path && !next.contains(char::is_control) { next } else { "/" }
}

fn random() -> Result<String, Failure> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(Failure::broken)?;
    Ok(hex::encode(bytes))
}

fn set_cookie(response: &mut Response, cookie: &str) -> Result<(), Failure> {
    let value = HeaderValue::from_str(cookie).map_err(Failure::broken)?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(())
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let person = Person {
        account: "lin".into(),
        password: "demo".into(),
        name: "Lin Chen".into(),
        party: "Revenue".into(),
        roles: ui.t("role-steward"),
    };
    let ui = Ui { viewer: None, csrf: String::new(), ..ui };
    let errors = vec![Problem::new("account", "Sign in first")];
    let page = SignInPage {
        ui,
        errors,
        pre: "p".into(),
        next: "/".into(),
        account: String::new(),
        people: vec![person],
        register: "/register".into(),
    };
    vec![("sign-in", page.render().unwrap_or_default())]
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody_is_sent_elsewhere() {
        for bad in ["https://evil.example", "//evil.example", "/\\evil.example", "", "evil"] {
            assert_eq!(super::inside(bad), "/", "{bad}");
        }
        assert_eq!(super::inside("/apply/revenue?x=1"), "/apply/revenue?x=1");
    }
}
