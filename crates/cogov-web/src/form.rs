//! Posted forms: fields by name, several values a name, the session's token checked before anything is read.

use crate::{failure::Failure, ui::Ui, visit::Visit};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use cogov_app::AppError;

/// The fields of a form.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses `application/x-www-form-urlencoded`.
    pub fn parse(body: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(body)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// Fields that did not come from outside: what a form shows first.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// One more value of a field.
    pub fn push(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    /// The one value of a field, in place of those it had.
    pub fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(key, _)| key != name);
        self.push(name.to_owned(), value);
    }

    /// The first value of a field, trimmed; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).unwrap_or_default()
    }

    /// The first value when it is not empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Every value of a field, trimmed.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }
}

/// A form of the signed-in person whose token is right.
pub struct Posted(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let fields = Fields::parse(&body.map_err(|_| Failure::forged())?);
        check_token(&visit, fields.get("csrf"))?;
        Ok(Self(fields))
    }
}

/// Whether a form carries its session's token.
///
/// # Errors
/// The sign-in page when nobody is signed in, a refusal when the token is another one.
pub fn check_token(visit: &Visit, token: &str) -> Result<(), Failure> {
    let Some(signed) = &visit.signed else { return Err(Failure::sign_in("/")) };
    if same(&signed.csrf, token) { Ok(()) } else { Err(Failure::forged()) }
}

/// Compares two secrets in a time that depends on their lengths only.
pub fn same(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |sum, (x, y)| sum | (x ^ y));
    a.len() == b.len() && !a.is_empty() && differ == 0
}

/// One line of the error summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The id of the field it links to; empty when it is about no field.
    pub field: String,
    /// What to do.
    pub words: String,
}

impl Problem {
    /// About a field, in words that are a message.
    pub fn new(field: &str, words: impl Into<String>) -> Self {
        Self { field: field.to_owned(), words: words.into() }
    }

    /// An application error that the form can show; anything else stays a failure.
    ///
    /// # Errors
    /// The error as a page of its own.
    pub fn from_app(ui: &Ui, error: AppError) -> Result<Self, Failure> {
        match &error {
            AppError::Invalid { field, advice } => Ok(Self::new(field.unwrap_or_default(), ui.text(advice))),
            AppError::Conflict(words) => Ok(Self::new("", ui.text(words))),
            AppError::TooMany { .. } => Ok(Self::new("", ui.text(&error.reason()))),
            _ => Err(Failure::from(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_several_values_and_secrets_compare_whole() {
        let fields = Fields::parse("columns=a&columns=b&words=+%E7%A8%8E+".as_bytes());
        assert_eq!(fields.all("columns").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.get("words"), "税");
        assert_eq!(fields.given("none"), None);
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("", "") && !same("abc", "ab"));
    }

    #[test]
    fn who_is_too_fast_keeps_the_form_and_who_may_not_does_not() {
        let ui = crate::ui::sample(cogov_model::Locale::En);
        let problem = Problem::from_app(&ui, AppError::TooMany { retry_after_seconds: 29 }).unwrap();
        assert!(problem.field.is_empty() && problem.words.contains("29 seconds"), "{problem:?}");
        assert!(Problem::from_app(&ui, AppError::forbidden("no", "否")).is_err());
    }
}
