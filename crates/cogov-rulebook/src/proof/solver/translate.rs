//! Claims about rulings as questions about policies: does everything that one set of policies allows pass another?
//!
//! Cedar knows allowing and forbidding and no treatments. A permit that withholds is a forbid. A limit
//! allows nothing and is left out. What remains allows exactly what the rulebook does not withhold.
//!
//! Treatments come in by levels. Let the permits and limits of a rulebook whose treatment is not within a level *m* be
//! forbids: what remains allows exactly what the rulebook treats at most as strictly as *m*, for the ruling is the
//! strictest of what holds, and that is within *m* when each of them is. A rulebook treats nothing less
//! strictly than another, if and only if for every level *m* that its own rules combine to, what it
//! treats within *m* the other treats within *m*.

use super::{
    Trouble,
    laws::{self, Codes},
};
use crate::{Rulebook, proof::Claim, words::Code};
use cedar_policy::{Policy, PolicyId, PolicySet};
use cogov_model::Treatment;
use serde_json::Value;
use std::collections::HashSet;

/// Levels beyond which a claim about treatments is not asked.
const MOST_LEVELS: usize = 64;

/// Whether everything that `here` allows passes `there`.
pub(super) struct Question {
    pub here: PolicySet,
    pub there: PolicySet,
}

/// The questions that a claim comes to: it holds if the answer to all of them is yes.
pub(super) fn questions(
    here: &Rulebook,
    there: Option<&Rulebook>,
    claim: &Claim,
) -> Result<Vec<Question>, Trouble> {
    let mut bounds = laws::laws(&codes(here, there, claim));
    bounds.extend(laws::asked(claim));
    let bounds = bounds.iter().enumerate().map(bound).collect::<Result<Vec<_>, _>>()?;
    let question = |level: Option<Treatment>| {
        let own = policies(here, level)?.into_iter().chain(bounds.iter().cloned());
        let other = match (claim, there) {
            (Claim::Nobody { .. }, _) | (_, None) => Vec::new(),
            (_, Some(there)) => policies(there, level)?,
        };
        Ok(Question { here: set(own)?, there: set(other)? })
    };
    match claim {
        Claim::Nobody { .. } | Claim::NothingNew => Ok(vec![question(None)?]),
        Claim::NothingLooser => {
            let others = there.map(treatments).unwrap_or_default();
            let levels = levels(&treatments(here), &others).ok_or(Trouble::TooManyTreatments)?;
            levels.into_iter().map(|level| question(Some(level))).collect()
        }
    }
}

/// The codes that rules of either rulebook and a claim name.
fn codes(here: &Rulebook, there: Option<&Rulebook>, claim: &Claim) -> Codes {
    let mut codes = Codes::default();
    for (code, ..) in std::iter::once(here).chain(there).flat_map(|book| &book.rules.named) {
        match code {
            Code::Category(code) => codes.categories.insert(code.to_string()),
            Code::Purpose(code) => codes.purposes.insert(code.to_string()),
        };
    }
    if let Claim::Nobody { category: Some(code), .. } = claim {
        codes.categories.insert(code.to_string());
    }
    codes
}

/// What does not meet a law, or is not what the claim is about, is forbidden.
fn bound((number, condition): (usize, &String)) -> Result<Policy, Trouble> {
    let text = format!("forbid (principal, action, resource) unless {{ {condition} }};");
    Policy::parse(Some(PolicyId::new(format!("law-{number}"))), text).map_err(Trouble::broken)
}

/// The rules of a rulebook as policies that allow what it treats within a level, or does not withhold.
fn policies(book: &Rulebook, level: Option<Treatment>) -> Result<Vec<Policy>, Trouble> {
    let mut policies = Vec::new();
    for policy in book.rules.policies.policies() {
        let Some(rule) = book.rules.by_id.get(policy.id()) else { continue };
        let bars = match rule.treatment {
            None | Some(Treatment::Withhold) => true,
            Some(treatment) => level.is_some_and(|level| !within(treatment, level)),
        };
        match (bars, rule.limit) {
            (true, _) => policies.push(forbid(policy)?),
            (false, true) => {}
            (false, false) => policies.push(policy.clone()),
        }
    }
    Ok(policies)
}

/// The policy's conditions, forbidding.
fn forbid(policy: &Policy) -> Result<Policy, Trouble> {
    let mut json = policy.to_json().map_err(Trouble::broken)?;
    if let Some(effect) = json.get_mut("effect") {
        *effect = Value::from("forbid");
    }
    Policy::from_json(Some(policy.id().clone()), json).map_err(Trouble::broken)
}

fn set(policies: impl IntoIterator<Item = Policy>) -> Result<PolicySet, Trouble> {
    PolicySet::from_policies(policies).map_err(Trouble::broken)
}

fn treatments(book: &Rulebook) -> Vec<Treatment> {
    let all: HashSet<Treatment> = book.rules.by_id.values().filter_map(|rule| rule.treatment).collect();
    all.into_iter().filter(|treatment| *treatment != Treatment::Withhold).collect()
}

fn within(treatment: Treatment, level: Treatment) -> bool {
    treatment.stricter(level) == level
}

/// Everything that treatments combine to, without what another level answers already: one above it that forbids
/// the same of the other rulebook. None when there are too many.
fn levels(own: &[Treatment], others: &[Treatment]) -> Option<Vec<Treatment>> {
    let mut all: Vec<Treatment> = Vec::new();
    for treatment in own {
        let joined: Vec<_> = all.iter().map(|level| level.stricter(*treatment)).collect();
        for level in joined.into_iter().chain([*treatment]) {
            if !all.contains(&level) {
                all.push(level);
            }
        }
        if all.len() > MOST_LEVELS {
            return None;
        }
    }
    let same = |a: Treatment, b: Treatment| others.iter().all(|other| within(*other, a) == within(*other, b));
    let above = |level: &Treatment| {
        all.iter().any(|other| other != level && within(*level, *other) && same(*level, *other))
    };
    Some(all.iter().filter(|level| !above(level)).copied().collect())
}
