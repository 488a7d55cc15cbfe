//! Rules that decide nothing: they never apply, are always forbidden, or say what others say already.

use super::formula::Formula;
use super::solve::{Found, Rule, Says, Search, Wanted};
use super::universe::{Names, Universe};
use super::{Read, read_each};
use crate::Rulebook;
use cogov_model::ClauseId;
use std::sync::Arc;

/// What is wrong with a rule though it can be read: it never decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idleness {
    /// Its conditions contradict each other: no facts meet them.
    NeverApplies,
    /// Whenever it would allow something, a rule of this clause forbids it (or rules of several clauses do).
    AlwaysForbidden(Option<ClauseId>),
    /// Whenever it holds, the ruling is the same without it, because of this clause (or of several). A forbid of
    /// what nobody allows is none of these: it is a safeguard.
    ChangesNothing(Option<ClauseId>),
}

/// A rule that decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleRule {
    /// Its clause.
    pub clause: ClauseId,
    /// Its line.
    pub line: usize,
    /// Why it decides nothing.
    pub why: Idleness,
}

/// Rules beyond which only contradictions are looked for: comparing each with all others takes long.
const MOST_COMPARED: usize = 300;

impl Rulebook {
    /// Rules that can never apply, are always forbidden, or change nothing because others say the same.
    /// A rule that the proofs do not understand is passed over, and what it may do is not counted on.
    #[must_use]
    pub fn idle_rules(&self) -> Vec<IdleRule> {
        let (rules, others) = read_each(self);
        let mut names = Names::default();
        rules.iter().for_each(|rule| names.gather(&rule.condition));
        let universe = Universe::new(names);
        let formulas: Vec<Arc<Formula>> = rules.iter().map(|r| universe.formula(&r.condition)).collect();
        let review = Review {
            rules: &rules,
            formulas: &formulas,
            laws: universe.laws(),
            universe: &universe,
            whole: others.is_empty(),
        };
        let idle = |(place, rule): (usize, &Read)| {
            let why = review.why(place, rule)?;
            Some(IdleRule { clause: rule.clause.clone(), line: rule.line, why })
        };
        rules.iter().enumerate().filter_map(idle).collect()
    }

    /// Rules that the proofs do not understand, with what it is that they do not.
    #[must_use]
    pub fn not_understood(&self) -> Vec<(ClauseId, usize, String)> {
        read_each(self).1
    }
}

struct Review<'a> {
    rules: &'a [Read],
    formulas: &'a [Arc<Formula>],
    laws: Vec<Arc<Formula>>,
    universe: &'a Universe,
    /// Whether every rule of the rulebook is understood.
    whole: bool,
}

impl Review<'_> {
    fn why(&self, place: usize, rule: &Read) -> Option<Idleness> {
        let formula = self.formulas.get(place)?;
        if self.impossible(&[Arc::clone(formula)]) {
            return Some(Idleness::NeverApplies);
        }
        if self.rules.len() > MOST_COMPARED {
            return None;
        }
        if rule.says != Says::Forbid {
            let forbids = self.others(place).filter(|(_, other)| other.says == Says::Forbid);
            let forbids: Vec<_> = forbids.map(|(place, other)| (self.not(place), other)).collect();
            let mut all = vec![Arc::clone(formula)];
            all.extend(forbids.iter().map(|(not, _)| Arc::clone(not)));
            if self.impossible(&all) {
                let alone = |not: &Arc<Formula>| self.impossible(&[Arc::clone(formula), Arc::clone(not)]);
                let one = forbids.iter().find(|(not, _)| alone(not));
                return Some(Idleness::AlwaysForbidden(one.map(|(_, other)| other.clause.clone())));
            }
        }
        // A rule that is not understood may allow what none of the others does: there a limit would matter. What
        // others forbid, allow or limit already, they do whatever it says.
        if !self.whole && matches!(rule.says, Says::Limit(_)) {
            return None;
        }
        self.changes_nothing(place, rule, formula).then(|| {
            let covers = self.others(place).find(|(other, by)| {
                covers(by.says, rule.says) && self.impossible(&[Arc::clone(formula), self.not(*other)])
            });
            Idleness::ChangesNothing(covers.map(|(_, by)| by.clause.clone()))
        })
    }

    fn others(&self, place: usize) -> impl Iterator<Item = (usize, &Read)> {
        self.rules.iter().enumerate().filter(move |(other, _)| *other != place)
    }

    fn not(&self, place: usize) -> Arc<Formula> {
        let formula = self.formulas.get(place);
        formula.map_or_else(|| Arc::new(Formula::Constant(true)), |f| f.negated(&self.universe.domains))
    }

    fn impossible(&self, formulas: &[Arc<Formula>]) -> bool {
        let domains = &self.universe.domains;
        let (laws, wanted) = (&self.laws, Wanted::Allowed);
        let mut search = Search { domains, laws, first: &[], second: &[], wanted, steps: 0 };
        matches!(search.satisfy(formulas), Found::Nothing)
    }

    /// Whether every ruling is the same without the rule.
    fn changes_nothing(&self, place: usize, rule: &Read, formula: &Arc<Formula>) -> bool {
        let all: Vec<Rule> = self.as_rules(None);
        let without: Vec<Rule> = self.as_rules(Some(place));
        let nothing = |first: &[Rule], second: &[Rule], wanted: Wanted| {
            let found = self.search_where(formula, first, second, wanted);
            matches!(found, Found::Nothing)
        };
        match rule.says {
            // A forbid of what nobody allows yet is a safeguard: only other forbids make it needless.
            Says::Forbid => {
                let forbids = self.others(place).filter(|(_, other)| other.says == Says::Forbid);
                let mut left: Vec<_> = forbids.map(|(other, _)| self.not(other)).collect();
                left.push(Arc::clone(formula));
                self.impossible(&left)
            }
            Says::Limit(_) => nothing(&without, &all, Wanted::LessStrictHere),
            Says::Permit(_) => {
                nothing(&all, &without, Wanted::AllowedOnlyHere)
                    && nothing(&without, &all, Wanted::LessStrictHere)
            }
        }
    }

    fn as_rules(&self, left_out: Option<usize>) -> Vec<Rule> {
        let kept = self.rules.iter().zip(self.formulas).enumerate();
        kept.filter(|(place, _)| Some(*place) != left_out)
            .map(|(_, (read, formula))| Rule { formula: Arc::clone(formula), says: read.says })
            .collect()
    }

    fn search_where(&self, formula: &Arc<Formula>, first: &[Rule], second: &[Rule], wanted: Wanted) -> Found {
        let mut laws = self.laws.clone();
        laws.push(Arc::clone(formula));
        let domains = &self.universe.domains;
        Search { domains, laws: &laws, first, second, wanted, steps: 0 }.run()
    }
}

/// Whether one rule alone can make another one needless.
fn covers(by: Says, rule: Says) -> bool {
    match (by, rule) {
        (Says::Forbid, Says::Forbid) => true,
        (Says::Permit(by) | Says::Limit(by), Says::Limit(rule)) | (Says::Permit(by), Says::Permit(rule)) => {
            by.stricter(rule) == by
        }
        _ => false,
    }
}
