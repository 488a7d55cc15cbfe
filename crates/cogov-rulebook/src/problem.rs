//! What is wrong with a rulebook's text: where it is, and what to do about it.

use cogov_model::ClauseId;
use std::fmt;

/// Which of the two texts of a rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// The text with the rules.
    Original,
    /// The words of the same clauses in the other language.
    Translation,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Document::Original => "rulebook",
            Document::Translation => "translation",
        })
    }
}

/// One fault of a rulebook's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{document} line {line}{}: {advice}", clause.as_ref().map(|c| format!(", clause {c}")).unwrap_or_default())]
pub struct Problem {
    /// In which text.
    pub document: Document,
    /// The line, counted from 1.
    pub line: usize,
    /// The clause, where the fault lies in one.
    pub clause: Option<ClauseId>,
    /// What is wrong and what to do.
    pub advice: String,
}

impl Problem {
    pub(crate) fn new(
        document: Document,
        line: usize,
        clause: Option<&ClauseId>,
        advice: impl Into<String>,
    ) -> Self {
        Self { document, line, clause: clause.cloned(), advice: advice.into() }
    }

    /// A fault in a clause of the original text.
    pub(crate) fn in_clause(line: usize, clause: &ClauseId, advice: impl Into<String>) -> Self {
        Self::new(Document::Original, line, Some(clause), advice)
    }
}
