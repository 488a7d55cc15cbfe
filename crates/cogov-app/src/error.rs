//! The one error of every use case: what a door translates into a status, a SQLSTATE and a problem document.

use cogov_engine::QueryError;
use cogov_ledger::LedgerError;
use cogov_model::{Clauses, Text};
use cogov_store::StoreError;

/// Why a use case did not happen. Its words name clauses and never a withheld value.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nobody is signed in, or the name and secret do not fit.
    #[error("sign in first: the name or the secret is not right")]
    NotSignedIn,
    /// Signed in, but not in a role or party that may do this.
    #[error("{}", .0.en)]
    Forbidden(Text),
    /// There is no such thing, or nothing that this person may know of.
    #[error("{}", .0.en)]
    NotFound(Text),
    /// A form or file that cannot be used as it is.
    #[error("{}", advice.en)]
    Invalid {
        /// The field it is about.
        field: Option<&'static str>,
        /// What to do.
        advice: Text,
    },
    /// Somebody else was faster, or the thing is in another state.
    #[error("{}", .0.en)]
    Conflict(Text),
    /// The rulebook refuses.
    #[error("{}", reason.en)]
    Refused {
        /// Why.
        reason: Text,
        /// The clauses that say so.
        clauses: Clauses,
        /// The ledger entry of the refusal, once written.
        decision: Option<u64>,
    },
    /// The query cannot be answered.
    #[error("{error}")]
    Query {
        /// What the engine says.
        error: QueryError,
        /// The ledger entry of the refusal, when it is one.
        decision: Option<u64>,
    },
    /// Too many attempts.
    #[error("too many attempts: try again in {retry_after_seconds} seconds")]
    TooMany {
        /// How long to wait.
        retry_after_seconds: u64,
    },
    /// Records or ledger cannot be read or written: nothing is released.
    #[error("{}", .0.en)]
    Unavailable(Text),
}

/// Result of a use case.
pub type Result<T, E = AppError> = std::result::Result<T, E>;

impl AppError {
    /// A field that cannot be used, with what to do.
    pub fn invalid(field: &'static str, en: impl Into<String>, zh: impl Into<String>) -> Self {
        AppError::Invalid { field: Some(field), advice: Text::new(en, zh) }
    }

    /// Not allowed for this person.
    pub fn forbidden(en: impl Into<String>, zh: impl Into<String>) -> Self {
        AppError::Forbidden(Text::new(en, zh))
    }

    /// Not there.
    pub fn not_found(en: impl Into<String>, zh: impl Into<String>) -> Self {
        AppError::NotFound(Text::new(en, zh))
    }

    /// In another state than the act needs.
    pub fn conflict(en: impl Into<String>, zh: impl Into<String>) -> Self {
        AppError::Conflict(Text::new(en, zh))
    }

    /// Cannot be written or read now.
    pub fn unavailable(en: impl Into<String>, zh: impl Into<String>) -> Self {
        AppError::Unavailable(Text::new(en, zh))
    }

    /// A word for programs, also the `type` of the problem document.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            AppError::NotSignedIn => "not-signed-in",
            AppError::Forbidden(_) => "forbidden",
            AppError::NotFound(_) => "not-found",
            AppError::Invalid { .. } => "invalid",
            AppError::Conflict(_) => "conflict",
            AppError::Refused { .. } => "refused",
            AppError::Query { error, .. } if error.sqlstate() == "42501" => "refused",
            AppError::Query { .. } => "query",
            AppError::TooMany { .. } => "too-many-attempts",
            AppError::Unavailable(_) => "unavailable",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn http(&self) -> u16 {
        match self {
            AppError::NotSignedIn => 401,
            AppError::Forbidden(_) | AppError::Refused { .. } => 403,
            AppError::NotFound(_) => 404,
            AppError::Invalid { .. } => 422,
            AppError::Conflict(_) => 409,
            AppError::Query { error, .. } => error.http_status(),
            AppError::TooMany { .. } => 429,
            AppError::Unavailable(_) => 503,
        }
    }

    /// The SQLSTATE.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            AppError::NotSignedIn => "28P01",
            AppError::Forbidden(_) | AppError::Refused { .. } => "42501",
            AppError::NotFound(_) => "3D000",
            AppError::Invalid { .. } => "22023",
            AppError::Conflict(_) => "55000",
            AppError::Query { error, .. } => error.sqlstate(),
            AppError::TooMany { .. } => "53300",
            AppError::Unavailable(_) => "57P03",
        }
    }

    /// The words to show, in both languages.
    #[must_use]
    pub fn reason(&self) -> Text {
        match self {
            AppError::NotSignedIn => Text::new(
                "Sign in first: the name or the secret is not right.",
                "请先登录：账号或口令不正确。",
            ),
            AppError::Forbidden(text)
            | AppError::NotFound(text)
            | AppError::Conflict(text)
            | AppError::Unavailable(text)
            | AppError::Invalid { advice: text, .. }
            | AppError::Refused { reason: text, .. } => text.clone(),
            AppError::Query { error, .. } => error.reason().clone(),
            AppError::TooMany { retry_after_seconds: s } => Text::new(
                format!("Too many attempts: try again in {s} seconds."),
                format!("尝试次数过多：请在 {s} 秒后重试。"),
            ),
        }
    }

    /// The clauses that decided; empty when no rule did.
    #[must_use]
    pub fn clauses(&self) -> Clauses {
        match self {
            AppError::Refused { clauses, .. } => clauses.clone(),
            AppError::Query { error, .. } => error.clauses().clone(),
            _ => Clauses::new(),
        }
    }

    /// The ledger entry of the refusal.
    #[must_use]
    pub fn decision(&self) -> Option<u64> {
        match self {
            AppError::Refused { decision, .. } | AppError::Query { decision, .. } => *decision,
            _ => None,
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => AppError::not_found("There is no such record.", "没有这条记录。"),
            StoreError::Conflict { .. } => AppError::conflict(
                "Somebody changed this in the meantime: reload and try again.",
                "该记录刚被他人修改：请刷新后重试。",
            ),
            StoreError::Exists { .. } => {
                AppError::conflict("This name is taken already: choose another.", "该名称已被使用，请另选。")
            }
            StoreError::BadCursor => AppError::invalid(
                "after",
                "This page position is not one of ours: start from the first page.",
                "该翻页位置无效：请从第一页开始。",
            ),
            other => {
                tracing::error!(error = %other, "the records cannot be used");
                AppError::unavailable(
                    "The records cannot be read or written at the moment. Nothing was changed; try again shortly.",
                    "目前无法读写记录。未作任何更改，请稍后重试。",
                )
            }
        }
    }
}

/// Turns "there is no such record" into `None`.
pub(crate) fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>> {
    match result {
        Ok(record) => Ok(Some(record)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl From<LedgerError> for AppError {
    fn from(error: LedgerError) -> Self {
        tracing::error!(%error, "the ledger cannot be used");
        AppError::unavailable(
            "The ledger cannot be written at the moment, so nothing is released. Try again shortly.",
            "目前无法写入账本，因此不放行任何数据。请稍后重试。",
        )
    }
}
