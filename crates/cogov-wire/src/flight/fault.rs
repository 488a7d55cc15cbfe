//! Application errors → gRPC: a code, the reason with its clauses, and both once more as headers.

use cogov_app::AppError;
use cogov_model::Locale;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// The gRPC code.
fn code(error: &AppError) -> Code {
    match error {
        AppError::NotSignedIn => Code::Unauthenticated,
        AppError::Forbidden(_) | AppError::Refused { .. } => Code::PermissionDenied,
        AppError::NotFound(_) => Code::NotFound,
        AppError::Invalid { .. } => Code::InvalidArgument,
        AppError::Conflict(_) => Code::FailedPrecondition,
        AppError::TooMany { .. } => Code::ResourceExhausted,
        AppError::Unavailable(_) => Code::Unavailable,
        AppError::Query { error, .. } => match error.sqlstate() {
            "42501" => Code::PermissionDenied,
            "0A000" => Code::Unimplemented,
            "53200" => Code::ResourceExhausted,
            "57014" => Code::DeadlineExceeded,
            "58030" => Code::Unavailable,
            "XX000" => Code::Internal,
            _ => Code::InvalidArgument,
        },
    }
}

/// An error as a status: the reason, the clauses in brackets, and headers `cogov-clauses`, `cogov-decision` and
/// `cogov-sqlstate` for programs.
pub(super) fn status(error: &AppError, locale: Locale) -> Status {
    let reason = error.reason();
    let clauses: Vec<String> = error.clauses().iter().map(ToString::to_string).collect();
    let mut words = reason.get(locale).to_owned();
    // A reason of the rulebook cites its clauses as `“Title” (anchor)`.
    let cited = clauses.iter().all(|clause| words.contains(&format!("({clause})")));
    let clauses = clauses.join(", ");
    if !cited {
        words.push_str(&format!(" [{clauses}]"));
    }
    let mut headers = MetadataMap::new();
    let decision = error.decision().map(|index| index.to_string()).unwrap_or_default();
    for (name, value) in [
        ("cogov-clauses", clauses.as_str()),
        ("cogov-decision", &decision),
        ("cogov-sqlstate", error.sqlstate()),
    ] {
        if let Ok(value) = MetadataValue::try_from(value)
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
    Status::with_metadata(code(error), words, headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cogov_model::{Clauses, Text};

    #[test]
    fn a_refusal_is_permission_denied_with_its_clauses() {
        let error = AppError::Refused {
            reason: Text::new("No.", "否。"),
            clauses: Clauses::from(["art-9".parse().unwrap()]),
            decision: Some(7),
        };
        let status = status(&error, Locale::En);
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(status.message(), "No. [art-9]");
        assert_eq!(status.metadata().get("cogov-decision").unwrap(), "7");
        assert_eq!(super::status(&error, Locale::ZhHans).message(), "否。 [art-9]");
        assert_eq!(super::status(&AppError::NotSignedIn, Locale::En).code(), Code::Unauthenticated);
    }
}
