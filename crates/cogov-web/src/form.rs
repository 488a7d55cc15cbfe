//! Posted forms: fields by name, several values a name, the session's token checked before anything is read.

use crate::{
    failure::Failure,
    ui::Ui,
    visit::{SESSION, Visit, cookie},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, Uri, header},
};
use chrono::{Datelike, NaiveDate};
use cogov_app::AppError;

/// Fields of a form that are looked at for what was written.
pub const FIELDS: usize = 100;
/// Texts that are shown again at most, and their bytes together: as many as the largest form has.
const MOST_SHOWN: (usize, usize) = (20, 1 << 20);
/// What the names of fields have in them that are never shown again.
const SECRET: [&str; 4] = ["csrf", "password", "secret", "token"];
/// Parts of the names of fields in which somebody writes: what is in them was written, be it a single word.
const WRITTEN: [&str; 16] = [
    "amendment",
    "basis",
    "conclusion",
    "conditions",
    "description",
    "keywords",
    "original",
    "proposed",
    "reason",
    "reasons",
    "scenario",
    "summary",
    "text",
    "title",
    "translation",
    "words",
];

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

    /// What is in the fields of these names, where there is something.
    pub fn texts(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter_map(|name| self.given(name)).map(str::to_owned).collect()
    }

    /// What somebody wrote: what is in the fields for words, and sentences in any other; no codes, numbers or secrets; no
    /// more than a form of ours has.
    pub fn sentences(&self) -> Vec<String> {
        let secret = |name: &str| SECRET.iter().any(|part| name.contains(*part));
        let (most, mut room) = MOST_SHOWN;
        let shown = self.0.iter().take(FIELDS).filter(|(name, _)| !secret(name.as_str()));
        let shown = shown.map(|(name, value)| (name, value.trim()));
        let shown = shown.filter(|(name, value)| is_written(name, value)).map(|(_, value)| value).take(most);
        let fits = shown.take_while(|value| {
            let left = room.checked_sub(value.len());
            room = left.unwrap_or(0);
            left.is_some()
        });
        fits.map(str::to_owned).collect()
    }

    /// Every value of a field, trimmed.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }
}

/// Whether somebody wrote what is in a field: codes have neither spaces nor letters of other scripts, and the fields for
/// words hold numbers only where a page names one of its texts.
fn is_written(name: &str, value: &str) -> bool {
    let for_words = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| WRITTEN.contains(&part));
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    (for_words && !is_number) || value.contains(|c: char| c.is_whitespace() || !c.is_ascii())
}

/// A form of the signed-in person whose token is right.
pub struct Posted(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        let sent = Sent::of(&parts.headers);
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let fields = Fields::parse(&body.map_err(|_| Failure::forged())?);
        check_token(&visit, fields.get("csrf")).map_err(|failure| sent.kept(failure, &fields))?;
        Ok(Self(fields))
    }
}

/// How a form was sent, as the browser says.
pub struct Sent {
    /// Whether a page of this node sent it; nobody else's words are shown as somebody's own.
    pub from_here: bool,
    /// Whether it came with a session that may have ended; without one nobody lost words by its end.
    in_session: bool,
    /// The page that it was on.
    page: String,
}

impl Sent {
    /// Reads it from a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        let is_ours = |origin: &str| origin.split_once("://").is_some_and(|(_, name)| name == host);
        let from_here = match text(HeaderName::from_static("sec-fetch-site")) {
            Some(site) => site == "same-origin",
            None => text(header::ORIGIN).is_none_or(is_ours),
        };
        let page = text(header::REFERER).and_then(|page| page.parse::<Uri>().ok());
        let page =
            page.filter(|page| from_here && page.authority().is_some_and(|name| name.as_str() == host));
        let page = page.as_ref().and_then(Uri::path_and_query).map(|page| page.as_str().to_owned());
        let in_session = cookie(headers, SESSION).is_some();
        Self { from_here, in_session, page: page.unwrap_or_else(|| "/".to_owned()) }
    }

    /// Whether its words are worth reading though it is not taken.
    pub fn keeps(&self) -> bool {
        self.from_here && self.in_session
    }

    /// A failure to take a form, with the words that would be lost by it.
    pub fn kept(&self, failure: Failure, fields: &Fields) -> Failure {
        if self.keeps() { failure.keeping(fields.sentences(), &self.page) } else { failure }
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

/// A day as forms write it, such as 2027-01-31; none when it does not read.
pub fn day(text: &str) -> Option<NaiveDate> {
    text.parse::<NaiveDate>().ok().filter(|day| has_plain_year(*day))
}

/// Whether a day's year has four digits at most. Behind them days neither sort nor read back as texts, and nobody means
/// one.
pub fn has_plain_year(day: NaiveDate) -> bool {
    (1..=9_999).contains(&day.year())
}

/// One line of the error summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The id of the field it links to; empty when it is about no field.
    pub field: String,
    /// What to do.
    pub words: String,
    /// The seconds after which the same can be sent again, where it was too much at once.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// About a field, in words that are a message.
    pub fn new(field: &str, words: impl Into<String>) -> Self {
        Self { field: field.to_owned(), words: words.into(), retry_after: None }
    }

    /// An application error that the form can show; anything else stays a failure.
    ///
    /// # Errors
    /// The error as a page of its own.
    pub fn from_app(ui: &Ui, error: AppError) -> Result<Self, Failure> {
        match &error {
            AppError::Invalid { field, advice } => Ok(Self::new(field.unwrap_or_default(), ui.text(advice))),
            AppError::Conflict(words) => Ok(Self::new("", ui.text(words))),
            AppError::TooMany { retry_after_seconds } => {
                let retry_after = Some(*retry_after_seconds);
                Ok(Self { retry_after, ..Self::new("", ui.text(&error.reason())) })
            }
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
    fn what_was_written_is_told_from_codes_and_secrets() {
        let fields = Fields::parse(
            "csrf=a+b&password=c+d&kind=comment&contribution=7&words=Ten+are+few&title=%E7%A8%8E".as_bytes(),
        );
        assert_eq!(fields.sentences(), ["Ten are few", "税"]);
        assert_eq!(fields.texts(&["words", "kind", "none"]), ["Ten are few", "comment"]);
    }

    #[test]
    fn single_words_are_kept_of_fields_for_words_and_secrets_of_none() {
        let fields = Fields::parse(
            "title=Wages&reasons=Agreed&text=3&summary=&kind=comment&title_en=Names&password=Words&words_token=abc"
                .as_bytes(),
        );
        assert_eq!(fields.sentences(), ["Wages", "Agreed", "Names"]);
    }

    #[test]
    fn only_pages_of_this_node_send_words_that_are_shown_again() {
        let sent = |headers: &[(HeaderName, &'static str)]| {
            let mut map = HeaderMap::new();
            map.insert(header::HOST, "node.example:8080".parse().unwrap());
            for (name, value) in headers {
                map.insert(name, value.parse().unwrap());
            }
            let sent = Sent::of(&map);
            (sent.from_here, sent.page)
        };
        let site = HeaderName::from_static("sec-fetch-site");
        let page = (header::REFERER, "http://node.example:8080/consultations/c-1?a=b");
        let away = (header::REFERER, "http://evil.example/x");
        let ours = (header::ORIGIN, "http://node.example:8080");
        assert_eq!(sent(&[ours, page.clone()]), (true, "/consultations/c-1?a=b".to_owned()));
        assert_eq!(sent(&[]), (true, "/".to_owned()), "a program");
        assert_eq!(sent(std::slice::from_ref(&away)), (true, "/".to_owned()));
        assert!(!sent(&[(header::ORIGIN, "http://evil.example")]).0);
        assert!(!sent(&[(header::ORIGIN, "null")]).0);
        assert!(!sent(&[(site.clone(), "cross-site"), page.clone()]).0);
        let renamed = [(site, "same-origin"), (header::ORIGIN, "https://public.example")];
        assert!(sent(&renamed).0, "behind a proxy that calls the node otherwise");
    }

    #[test]
    fn days_have_years_of_four_digits() {
        assert_eq!(day("2027-01-31"), NaiveDate::from_ymd_opt(2027, 1, 31));
        assert!(day("9999-12-31").is_some());
        for text in ["", "31.1.2027", "2027-02-30", "+12345-01-01", "-0001-01-01"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn who_is_too_fast_keeps_the_form_and_who_may_not_does_not() {
        let ui = crate::ui::sample(cogov_model::Locale::En);
        let problem = Problem::from_app(&ui, AppError::TooMany { retry_after_seconds: 29 }).unwrap();
        assert!(problem.field.is_empty() && problem.words.contains("29 seconds"), "{problem:?}");
        assert_eq!(problem.retry_after, Some(29));
        assert!(Problem::from_app(&ui, AppError::forbidden("no", "否")).is_err());
    }
}
