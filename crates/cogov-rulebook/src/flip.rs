//! How one recorded use differs between two rulebooks.

use crate::{Case, Ending, UseFacts, Verdict};
use cogov_model::Treatment;
use std::collections::BTreeSet;

/// How a decision would differ: under a draft from the rulebook before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flip {
    /// Not at all.
    Same,
    /// Permitted before, refused under the draft: as a whole, or because a column that it used is withheld.
    PermitToDeny,
    /// Refused before, not refused by the draft.
    DenyToPermit,
    /// Permitted by both; a column that it used is treated more strictly.
    Stricter,
    /// Permitted by both; a column that it used is treated less strictly.
    Looser,
    /// Permitted by both; one column is treated more and another one less strictly.
    Mixed,
    /// The engine refused the query, or nobody knows which columns it wanted, and the draft treats columns
    /// otherwise: only asking again would tell.
    AskAgain,
}

impl Flip {
    /// Every kind but [`Flip::Same`].
    pub const CHANGES: [Flip; 6] =
        [Flip::PermitToDeny, Flip::DenyToPermit, Flip::Stricter, Flip::Looser, Flip::Mixed, Flip::AskAgain];

    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Flip::Same => "same",
            Flip::PermitToDeny => "permit-to-deny",
            Flip::DenyToPermit => "deny-to-permit",
            Flip::Stricter => "stricter",
            Flip::Looser => "looser",
            Flip::Mixed => "mixed",
            Flip::AskAgain => "ask-again",
        }
    }
}

/// How a use ends under a rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Permitted,
    Refused,
    /// Nobody knows what the engine would say.
    Open,
}

/// A use as it was recorded: what tells how it would end under other rulebooks than the one that decided.
pub(crate) struct RecordedUse<'a> {
    outcome: Ending,
    recorded: &'a Verdict,
    /// The groups that the query used; all of them when that is not known.
    used: BTreeSet<usize>,
}

impl<'a> RecordedUse<'a> {
    pub fn of(case: &Case, facts: &UseFacts, recorded: &'a Verdict) -> Self {
        let used: BTreeSet<usize> = match &case.used {
            Some(places) => places.split(',').filter_map(|place| place.parse().ok()).collect(),
            None => (0..facts.groups.len()).collect(),
        };
        Self { outcome: case.outcome, recorded, used }
    }

    /// The used groups that are treated otherwise.
    pub fn changed(&self, before: &Verdict, after: &Verdict) -> Vec<usize> {
        changed(before, after, self.used.iter().copied())
    }

    /// How the use differs between two rulebooks, neither of which need be the one that decided.
    pub fn flip(&self, before: &Verdict, after: &Verdict) -> Flip {
        let changed = self.changed(before, after);
        match (self.end(before), self.end(after)) {
            (End::Refused, End::Refused) => Flip::Same,
            (End::Open, End::Open) if changed.is_empty() => Flip::Same,
            (End::Open, _) | (_, End::Open) => Flip::AskAgain,
            (End::Refused, End::Permitted) => Flip::DenyToPermit,
            (End::Permitted, End::Refused) => Flip::PermitToDeny,
            (End::Permitted, End::Permitted) if changed.is_empty() => Flip::Same,
            // It was refused as a whole, before anybody saw which columns it wanted.
            (End::Permitted, End::Permitted) if self.outcome == Ending::Deny => Flip::AskAgain,
            (End::Permitted, End::Permitted) => direction(before, after, &changed),
        }
    }

    fn end(&self, verdict: &Verdict) -> End {
        if verdict.refused.is_some() {
            return End::Refused;
        }
        let otherwise = self.changed(self.recorded, verdict);
        let withheld = |place: &usize| verdict.treatment(*place) == Treatment::Withhold;
        match self.outcome {
            // The engine says the same of the same treatments.
            Ending::EngineDeny if otherwise.is_empty() => End::Refused,
            Ending::EngineDeny => End::Open,
            // A column that the query used does not exist here.
            Ending::Permit if otherwise.iter().any(withheld) => End::Refused,
            Ending::Permit | Ending::Deny => End::Permitted,
        }
    }
}

impl Verdict {
    /// What happens to a group's columns by themselves.
    pub(crate) fn treatment(&self, place: usize) -> Treatment {
        self.groups.get(place).map_or(Treatment::Withhold, |(treatment, _)| *treatment)
    }

    /// What happens to a group's columns, when the use as a whole is thought of too.
    pub(crate) fn shown(&self, place: usize) -> Treatment {
        if self.refused.is_some() { Treatment::Withhold } else { self.treatment(place) }
    }
}

/// Those of some groups that are treated otherwise.
pub(crate) fn changed(
    before: &Verdict,
    after: &Verdict,
    places: impl IntoIterator<Item = usize>,
) -> Vec<usize> {
    let otherwise = |place: &usize| before.treatment(*place) != after.treatment(*place);
    places.into_iter().filter(otherwise).collect()
}

fn direction(before: &Verdict, after: &Verdict, changed: &[usize]) -> Flip {
    let stricter = |a: Treatment, b: Treatment| a.stricter(b) == b;
    let up = changed.iter().all(|place| stricter(before.treatment(*place), after.treatment(*place)));
    let down = changed.iter().all(|place| stricter(after.treatment(*place), before.treatment(*place)));
    match (up, down) {
        (true, _) => Flip::Stricter,
        (false, true) => Flip::Looser,
        (false, false) => Flip::Mixed,
    }
}
