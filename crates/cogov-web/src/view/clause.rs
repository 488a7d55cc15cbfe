//! Links to the clauses of the rulebook that decided.

use cogov_model::Clauses;

/// A clause that a decision cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseLink {
    /// Its anchor on the rulebook's page.
    pub id: String,
    /// Its title; the anchor where the rulebook in force has no such clause any more.
    pub title: String,
}

/// Links for a set of clauses; `title` gives a clause's words.
pub fn clause_links(clauses: &Clauses, title: impl Fn(&str) -> Option<String>) -> Vec<ClauseLink> {
    clauses
        .iter()
        .map(|id| ClauseLink {
            id: id.to_string(),
            title: title(id.as_str()).unwrap_or_else(|| id.to_string()),
        })
        .collect()
}
