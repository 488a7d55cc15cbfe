//! Names behind codes: parties, categories, clauses, purposes.

use crate::{
    failure::Failure,
    view::{self, ClauseLink},
    visit::Visit,
};
use cogov_model::{ClauseId, Clauses, Label, Locale, PurposeCode};
use cogov_rulebook::Rulebook;
use std::{collections::HashMap, sync::Arc};

/// Names in the page's language.
pub struct Names {
    locale: Locale,
    parties: HashMap<String, String>,
    rulebook: Arc<Rulebook>,
}

impl Names {
    /// Reads the parties' names and the rulebook in force.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn of(visit: &Visit) -> Result<Self, Failure> {
        let locale = visit.ui.locale;
        let parties = visit.app.parties().await?;
        let parties =
            parties.into_iter().map(|party| (party.id.to_string(), party.name.get(locale).to_owned()));
        Ok(Self { locale, parties: parties.collect(), rulebook: visit.app.rulebook() })
    }

    /// A party's name, or its id when it has none.
    pub fn party(&self, id: &str) -> String {
        self.parties.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// Links to clauses of the rulebook in force.
    pub fn clauses(&self, clauses: &Clauses) -> Vec<ClauseLink> {
        clauses_of(&self.rulebook, self.locale, clauses)
    }
}

/// Links to clauses of a rulebook.
pub fn clauses_of(rulebook: &Rulebook, locale: Locale, clauses: &Clauses) -> Vec<ClauseLink> {
    view::clause_links(clauses, |id| {
        let id = ClauseId::new(id).ok()?;
        rulebook.clause(&id).map(|clause| clause.title.get(locale).to_owned())
    })
}

/// The names of a label's categories.
pub fn categories(visit: &Visit, label: &Label) -> String {
    view::categories(label, |code| visit.app.category_name(code).get(visit.ui.locale).to_owned())
}

/// A purpose's name.
pub fn purpose(visit: &Visit, code: &PurposeCode) -> String {
    let found = visit.app.purposes().iter().find(|(known, _)| known == code);
    found.map_or_else(|| code.to_string(), |(_, name)| name.get(visit.ui.locale).to_owned())
}
