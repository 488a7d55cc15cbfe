//! Identifiers: one newtype a kind, checked when made, so that a grant id is never taken for a dataset id.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be 1 to {max} characters of {allowed}; got {got:?}")]
pub struct IdError {
    kind: &'static str,
    max: usize,
    allowed: &'static str,
    got: String,
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $allowed:literal, $ok:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text.
            ///
            /// # Errors
            /// When it is empty, too long or has a character outside the allowed set.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let ok: fn(char) -> bool = $ok;
                if !text.is_empty() && text.len() <= $max && text.chars().all(ok) {
                    Ok(Self(text))
                } else {
                    let got: String = text.chars().take(40).collect();
                    Err(IdError { kind: $kind, max: $max, allowed: $allowed, got })
                }
            }

            /// The text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

fn slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
}

fn dotted(c: char) -> bool {
    slug(c) || c == '.'
}

identifiers! {
    /// An organisation or a person that acts in cogov.
    PartyId, "a party id", 64, "a–z, 0–9, - and _", slug;
    /// A sign-in name; also the user of the PostgreSQL door.
    AccountName, "an account name", 64, "a–z, 0–9, ., - and _", dotted;
    /// A dataset; also the schema its tables stand in.
    DatasetId, "a dataset id", 48, "a–z, 0–9, - and _", slug;
    /// A table of a dataset.
    TableName, "a table name", 63, "a–z, 0–9, - and _", slug;
    /// A grant; also the database name of the PostgreSQL door.
    GrantId, "a grant id", 63, "a–z, 0–9, - and _", slug;
    /// An application for a grant.
    ApplicationId, "an application id", 63, "a–z, 0–9, - and _", slug;
    /// A question that a verify grant may ask.
    PredicateId, "a question's name", 48, "a–z, 0–9, - and _", slug;
    /// A code in the category tree; parents are its dotted prefixes.
    CategoryCode, "a category code", 64, "a–z, 0–9, ., - and _", dotted;
    /// A code in the purpose tree; parents are its dotted prefixes.
    PurposeCode, "a purpose code", 64, "a–z, 0–9, ., - and _", dotted;
    /// A region's code.
    RegionCode, "a region code", 16, "letters, digits and -", |c| c.is_ascii_alphanumeric() || c == '-';
    /// The anchor of a rulebook clause, such as `art-9`.
    ClauseId, "a clause anchor", 64, "a–z, 0–9, ., - and _", dotted;
    /// A rulebook's id and the first 16 hex digits of its text's SHA-256, as `id@hash`.
    RulebookVersion, "a rulebook version", 96, "a–z, 0–9, ., -, _ and @", |c| dotted(c) || c == '@';
    /// A consultation.
    ConsultationId, "a consultation id", 63, "a–z, 0–9, - and _", slug;
    /// The text of a draft that a consultation is about, as `draft@number`.
    DraftRef, "a draft's name", 96, "a–z, 0–9, ., -, _ and @", |c| dotted(c) || c == '@';
    /// Who takes part in one consultation, without saying which account: a keyed hash, hex.
    ParticipantKey, "a participant's key", 64, "lowercase hex digits", |c| matches!(c, '0'..='9' | 'a'..='f');
    /// A draft of a rulebook or of another policy text.
    DraftId, "a draft id", 63, "a–z, 0–9, - and _", slug;
    /// A column of a table. Any printable text, since files bring their own headers.
    ColumnName, "a column name", 63, "printable characters without quotes", |c| !c.is_control() && c != '"';
}

impl DraftRef {
    /// One of the texts of a draft, as `draft@number`.
    ///
    /// # Errors
    /// Never for a draft's identifier: it is shorter than this may be.
    pub fn of(draft: &DraftId, text: u64) -> Result<Self, IdError> {
        Self::new(format!("{draft}@{text}"))
    }

    /// The draft and the number of its text; none for a name that is written otherwise.
    #[must_use]
    pub fn parts(&self) -> Option<(DraftId, u64)> {
        let (draft, text) = self.as_str().rsplit_once('@')?;
        Some((DraftId::new(draft).ok()?, text.parse().ok()?))
    }
}

impl CategoryCode {
    /// The code itself and its parents, nearest first: `person.name`, `person`.
    pub fn lineage(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |code| code.rsplit_once('.').map(|(parent, _)| parent))
    }

    /// Whether this code is `ancestor` or below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &str) -> bool {
        self.lineage().any(|code| code == ancestor)
    }
}

impl GrantId {
    /// The name under which an application is weighed before it is a grant: both kinds of identifier
    /// share one alphabet and length.
    #[must_use]
    pub fn provisional(application: &ApplicationId) -> Self {
        Self(application.0.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn identifiers_are_checked_and_ordered_by_text() {
        assert!(PartyId::new("north-region").is_ok());
        assert!(PartyId::new("North Region").is_err());
        assert!(PartyId::new("").is_err());
        assert!(serde_json::from_str::<GrantId>("\"bad id\"").is_err());
    }

    #[test]
    fn lineage_walks_to_the_root() {
        let code = CategoryCode::new("person.contact.phone").unwrap();
        let all: Vec<_> = code.lineage().collect();
        assert_eq!(all, ["person.contact.phone", "person.contact", "person"]);
        assert!(code.is_within("person") && !code.is_within("per"));
    }
}
