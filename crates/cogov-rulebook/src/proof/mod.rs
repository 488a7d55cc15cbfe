//! Proofs about rules: a claim holds for all facts, or here are facts for which it does not.
//!
//! The proofs are about rulings ([`Rulebook::rule`]): for every party, column, purpose, form, lane, scope and day
//! that there is or could be, under any scheme of categories, purposes and regions. They are exact over
//! the finite universe of facts that the rules can tell apart, which is searched to its end; every counterexample is
//! decided by both rulebooks before it is shown. They say nothing about what people do, and rely on the labels
//! being right. Where cvc5 is installed it is asked the same, through Cedar's symbolic compiler ([`Rulebook::second_opinion`]).

mod condition;
mod formula;
mod opinion;
mod review;
mod solve;
mod solver;
mod universe;

use crate::{Facts, Rulebook, Ruling};
use cogov_model::{CategoryCode, ClauseId, Form, PartyClass, Treatment};
use condition::{Condition, FlagOf, Test, TextOf};
use solve::{Found, Rule, Says, Search, Wanted};
use universe::{Names, Universe};

pub use opinion::{NotAsked, Opinion};
pub use review::{IdleRule, Idleness};
pub use solver::Solver;

/// What is claimed of a rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody of a class (or nobody at all) can use data of a category (or any) in one of these forms
    /// (or any).
    Nobody {
        /// The class; everybody when absent.
        class: Option<PartyClass>,
        /// The category; every column when absent.
        category: Option<CategoryCode>,
        /// The forms; every form when empty.
        forms: Vec<Form>,
        /// Whether only the data of others is meant.
        of_others: bool,
    },
    /// Whatever is withheld by the other rulebook stays withheld.
    NothingNew,
    /// Whatever the other rulebook does to a column, this one does at least as strictly.
    NothingLooser,
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It holds for all facts.
    Proved {
        /// Cases that were looked at.
        steps: u64,
    },
    /// It does not hold for these facts.
    Refuted(Box<Counterexample>),
    /// There were too many cases to look at all of them.
    GaveUp {
        /// Cases that were looked at.
        steps: u64,
    },
    /// A rule has a condition that the proofs do not understand.
    NotUnderstood {
        /// The clause.
        clause: ClauseId,
        /// The line of the rule.
        line: usize,
        /// What it is.
        what: String,
    },
}

/// Facts for which a claim does not hold, and what is said about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// The facts.
    pub facts: Facts,
    /// What this rulebook says.
    pub here: Ruling,
    /// What the other one says, for claims about two.
    pub there: Option<Ruling>,
}

/// A rule that was read for the proofs.
#[derive(Debug, Clone)]
struct Read {
    clause: ClauseId,
    line: usize,
    condition: Condition,
    says: Says,
}

impl Rulebook {
    /// Proves a claim or refutes it. Claims that compare are against `other`; without one they are about
    /// what an empty rulebook would withhold, which is everything.
    #[must_use]
    pub fn prove(&self, claim: &Claim, other: Option<&Rulebook>) -> Proof {
        let (here, there) = match (read(self), other.map(read).transpose()) {
            (Ok(here), Ok(there)) => (here, there.unwrap_or_default()),
            (Err(proof), _) | (_, Err(proof)) => return proof,
        };
        let (asked, wanted) = asked(claim);
        let (found, steps, universe) = search(&here, &there, &asked, wanted);
        match found {
            Found::Nothing => Proof::Proved { steps },
            Found::GaveUp => Proof::GaveUp { steps },
            Found::Example(domains) => match universe.facts(&domains) {
                Some(facts) => {
                    let here = self.rule(&facts);
                    let there = match claim {
                        Claim::Nobody { .. } => None,
                        _ => other.map(|other| other.rule(&facts)),
                    };
                    Proof::Refuted(Box::new(Counterexample { facts, here, there }))
                }
                None => Proof::GaveUp { steps },
            },
        }
    }
}

/// The condition on facts that a claim is about, and what would refute it.
fn asked(claim: &Claim) -> (Condition, Wanted) {
    match claim {
        Claim::NothingNew => (Condition::Constant(true), Wanted::AllowedOnlyHere),
        Claim::NothingLooser => (Condition::Constant(true), Wanted::LessStrictHere),
        Claim::Nobody { class, category, forms, of_others } => {
            let mut all = Vec::new();
            if let Some(class) = class {
                all.push(Condition::Test(Test::Text(TextOf::Class, vec![class.code().to_owned()])));
            }
            if let Some(category) = category {
                all.push(Condition::Test(Test::Category(vec![category.to_string()])));
            }
            if !forms.is_empty() {
                let codes = forms.iter().map(|form| form.code().to_owned()).collect();
                all.push(Condition::Test(Test::Text(TextOf::Form, codes)));
            }
            if *of_others {
                all.push(Condition::Not(Box::new(Condition::Test(Test::Flag(FlagOf::SameParty)))));
            }
            (Condition::All(all), Wanted::Allowed)
        }
    }
}

fn search(here: &[Read], there: &[Read], asked: &Condition, wanted: Wanted) -> (Found, u64, Universe) {
    let mut names = Names::default();
    names.gather(asked);
    here.iter().chain(there).for_each(|rule| names.gather(&rule.condition));
    let universe = Universe::new(names);
    let rules = |read: &[Read]| -> Vec<Rule> {
        let rule = |read: &Read| Rule { formula: universe.formula(&read.condition), says: read.says };
        read.iter().map(rule).collect()
    };
    let (first, second) = (rules(here), rules(there));
    let mut laws = universe.laws();
    laws.push(universe.formula(asked));
    let mut search =
        Search { domains: &universe.domains, laws: &laws, first: &first, second: &second, wanted, steps: 0 };
    let found = search.run();
    let steps = search.steps;
    (found, steps, universe)
}

/// Every rule, in the order of the text.
fn read(rulebook: &Rulebook) -> Result<Vec<Read>, Proof> {
    let (understood, mut others) = read_each(rulebook);
    match others.is_empty() {
        true => Ok(understood),
        false => {
            let (clause, line, what) = others.swap_remove(0);
            Err(Proof::NotUnderstood { clause, line, what })
        }
    }
}

/// A rule that the proofs do not understand: its clause, its line, and what it is that they do not.
type NotUnderstood = (ClauseId, usize, String);

/// Every rule in the order of the text: those that are understood, and those that are not.
fn read_each(rulebook: &Rulebook) -> (Vec<Read>, Vec<NotUnderstood>) {
    let (mut understood, mut others) = (Vec::new(), Vec::new());
    for policy in rulebook.rules.policies.policies() {
        let Some(rule) = rulebook.rules.by_id.get(policy.id()) else { continue };
        let says = match (rule.treatment, rule.limit) {
            (None | Some(Treatment::Withhold), _) => Says::Forbid,
            (Some(treatment), true) => Says::Limit(treatment),
            (Some(treatment), false) => Says::Permit(treatment),
        };
        let (clause, line) = (rule.clause.clone(), rule.line);
        match condition::read(policy) {
            Ok(condition) => understood.push(Read { clause, line, condition, says }),
            Err(what) => others.push((clause, line, what)),
        }
    }
    understood.sort_by(|a, b| (a.line, &a.clause).cmp(&(b.line, &b.clause)));
    others.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    (understood, others)
}
