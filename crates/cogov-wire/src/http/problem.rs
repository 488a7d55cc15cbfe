//! Problem documents: RFC 9457, `application/problem+json`.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cogov_app::AppError;
use cogov_model::{Clauses, Locale, Text};
use serde_json::{Map, Value, json};

/// Something that did not happen, and why.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    status: StatusCode,
    code: &'static str,
    reason: Text,
    clauses: Clauses,
    decision: Option<u64>,
    field: Option<&'static str>,
    sqlstate: Option<&'static str>,
    retry_after: Option<u64>,
    locale: Locale,
}

impl Problem {
    /// A problem of the request itself.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self(Box::new(Details {
            status,
            code,
            reason: Text::new(en, zh),
            clauses: Clauses::new(),
            decision: None,
            field: None,
            sqlstate: None,
            retry_after: None,
            locale: Locale::En,
        }))
    }

    /// The API has no such path.
    pub(crate) fn no_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-path",
            "The API has no such path; /api/openapi.json lists them all.",
            "接口没有该路径；全部路径见 /api/openapi.json。",
        )
    }

    /// The path does not take this method.
    pub(crate) fn no_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This path does not take this method; the Allow header names those it takes.",
            "该路径不支持此方法；可用方法见 Allow 响应头。",
        )
    }

    /// There is no such thing.
    pub(crate) fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing of this identifier.",
            "没有该标识对应的内容。",
        )
    }

    /// A fault of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server made a mistake. Nothing was released by it; try again, and tell the operator if it stays so.",
            "服务器出现错误，未因此放行任何数据；请重试，如持续发生请告知运营方。",
        )
    }

    /// The same, speaking another language first.
    pub(crate) fn in_language(mut self, locale: Locale) -> Self {
        self.0.locale = locale;
        self
    }

    /// The same, speaking the language that the request prefers.
    pub(crate) fn for_request(self, headers: &HeaderMap) -> Self {
        self.in_language(preferred(headers))
    }
}

impl Details {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(format!("urn:cogov:problem:{}", self.code)));
        body.insert("title".to_owned(), json!(self.status.canonical_reason().unwrap_or("Problem")));
        body.insert("status".to_owned(), json!(self.status.as_u16()));
        body.insert("detail".to_owned(), json!(self.reason.get(self.locale)));
        body.insert("reason".to_owned(), json!(self.reason.get(self.locale)));
        body.insert(
            "reasons".to_owned(),
            json!({"en": self.reason.get(Locale::En), "zh-Hans": self.reason.get(Locale::ZhHans)}),
        );
        body.insert("clauses".to_owned(), json!(self.clauses));
        if let Some(decision) = self.decision {
            body.insert("decision".to_owned(), json!(decision));
        }
        if let Some(field) = self.field {
            body.insert("field".to_owned(), json!(field));
        }
        if let Some(sqlstate) = self.sqlstate {
            body.insert("sqlstate".to_owned(), json!(sqlstate));
        }
        Value::Object(body)
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let status = StatusCode::from_u16(error.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(Box::new(Details {
            status,
            code: error.code(),
            reason: error.reason(),
            clauses: error.clauses(),
            decision: error.decision(),
            field: if let AppError::Invalid { field, .. } = &error { *field } else { None },
            sqlstate: matches!(error, AppError::Query { .. } | AppError::Refused { .. })
                .then(|| error.sqlstate()),
            retry_after: if let AppError::TooMany { retry_after_seconds } = &error {
                Some(*retry_after_seconds)
            } else {
                None
            },
            locale: Locale::En,
        }))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, self.0.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.0.status == StatusCode::UNAUTHORIZED {
            // No browser prompt: people sign in on the pages, scripts know what to send.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cogov\""));
        }
        if let Some(decision) = self.0.decision {
            headers.insert("cogov-decision", HeaderValue::from(decision));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The first language of `Accept-Language` that cogov speaks.
pub(super) fn preferred(headers: &HeaderMap) -> Locale {
    let wish = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags = wish.split(',').filter_map(|tag| tag.split(';').next()).map(str::trim);
    tags.filter_map(|tag| tag.parse().ok()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_wins() {
        let prefers = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            preferred(&headers)
        };
        assert_eq!(prefers("fr, zh-CN;q=0.9, en;q=0.8"), Locale::ZhHans);
        assert_eq!(prefers("en-GB"), Locale::En);
        assert_eq!(prefers("de"), Locale::En);
        let body = Problem::missing().in_language(Locale::ZhHans).0.body();
        assert_eq!(body.get("detail"), body.get("reason"));
        assert_eq!(body.get("status"), Some(&json!(404)));
    }
}
