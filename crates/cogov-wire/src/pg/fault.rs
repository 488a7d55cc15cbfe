//! Errors as PostgreSQL's clients read them.

use cogov_app::AppError;
use cogov_engine::QueryError;
use cogov_model::{Locale, Text};
use pgwire::error::{ErrorInfo, PgWireError};

/// An error of the statement.
pub(super) fn error(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

/// An error of the statement, in the asker's language.
pub(super) fn told(code: &str, words: &Text, locale: Locale) -> PgWireError {
    error(code, words.get(locale))
}

/// An error that ends the connection.
pub(super) fn fatal(code: &str, message: impl Into<String>) -> ErrorInfo {
    ErrorInfo::new("FATAL".to_owned(), code.to_owned(), message.into())
}

/// A use case that did not happen: the reason as message, the clauses as detail, the ledger entry as hint.
pub(super) fn of_app(failed: &AppError, locale: Locale) -> ErrorInfo {
    let mut info = ErrorInfo::new(
        "ERROR".to_owned(),
        failed.sqlstate().to_owned(),
        failed.reason().get(locale).to_owned(),
    );
    let clauses: Vec<String> = failed.clauses().iter().map(ToString::to_string).collect();
    if !clauses.is_empty() {
        let words = Text::new("Clauses of the rulebook", "依据规则条款");
        info.detail = Some(format!("{}: {}", words.get(locale), clauses.join(", ")));
    }
    if let Some(decision) = failed.decision() {
        let words = Text::new(
            format!("The refusal is entry {decision} of the ledger."),
            format!("该拒绝已记入账本第 {decision} 条。"),
        );
        info.hint = Some(words.get(locale).to_owned());
    }
    info
}

/// As [`of_app`], for the statement.
pub(super) fn statement(failed: &AppError, locale: Locale) -> PgWireError {
    PgWireError::UserError(Box::new(of_app(failed, locale)))
}

/// A catalogue statement that cannot be answered.
pub(super) fn catalogue(failed: &QueryError, locale: Locale) -> PgWireError {
    error(failed.sqlstate(), failed.reason().get(locale))
}
