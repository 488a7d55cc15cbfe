//! The search: is there a fact for which two sets of rules differ in the way that is asked for? Splits cases,
//! propagates what follows, and prunes where no case below can be one. It looks at every case or says that
//! it did not get to the end; it never guesses.

use super::formula::{Formula, Set};
use cogov_model::Treatment;
use std::collections::HashSet;
use std::sync::Arc;

/// Cases after which a search gives up.
const MOST_STEPS: u64 = 400_000;

/// A rule as the search sees it.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub formula: Arc<Formula>,
    pub says: Says,
}

/// What a rule says when it holds. A permit that withholds is no different from a forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Forbid,
    Permit(Treatment),
    Limit(Treatment),
}

impl Says {
    fn treatment(self) -> Option<Treatment> {
        match self {
            Says::Forbid => None,
            Says::Permit(treatment) | Says::Limit(treatment) => Some(treatment),
        }
    }
}

/// What the search looks for, among facts that the first rules allow to be used in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Any such facts.
    Allowed,
    /// That the second rules withhold.
    AllowedOnlyHere,
    /// That the second rules withhold or treat more strictly.
    LessStrictHere,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum Found {
    /// The values that are left to each variable: any choice of them is an example.
    Example(Vec<Set>),
    /// There are no such facts.
    Nothing,
    /// Too many cases.
    GaveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Holds,
    Fails,
    Open,
}

/// What is known of the second rules.
#[derive(Clone)]
struct Case {
    domains: Vec<Set>,
    constraints: Vec<Arc<Formula>>,
    /// Of the first rules' permits and limits, and of the second rules.
    first: Vec<(Arc<Formula>, Status)>,
    second: Vec<(Arc<Formula>, Status)>,
}

/// A rule whose status is to be decided next.
enum Next {
    Never,
    Always,
    First(usize),
    Second(usize),
}

pub(super) struct Search<'a> {
    pub domains: &'a [Set],
    /// What holds of all facts, and what is asked about.
    pub laws: &'a [Arc<Formula>],
    pub first: &'a [Rule],
    pub second: &'a [Rule],
    pub wanted: Wanted,
    pub steps: u64,
}

impl Search<'_> {
    /// Looks at every permit of the first rules in turn.
    pub fn run(&mut self) -> Found {
        let permits = self.first.iter().filter(|rule| matches!(rule.says, Says::Permit(_)));
        let permits: Vec<Arc<Formula>> = permits.map(|rule| Arc::clone(&rule.formula)).collect();
        for permit in permits {
            match self.with(&permit) {
                Found::Nothing => {}
                other => return other,
            }
        }
        Found::Nothing
    }

    /// Whether some facts satisfy formulas, rules aside.
    pub fn satisfy(&mut self, formulas: &[Arc<Formula>]) -> Found {
        let mut constraints = self.laws.to_vec();
        constraints.extend(formulas.iter().cloned());
        let case =
            Case { domains: self.domains.to_vec(), constraints, first: Vec::new(), second: Vec::new() };
        self.down(case, &[], &[])
    }

    fn with(&mut self, permit: &Arc<Formula>) -> Found {
        let forbids = self.first.iter().filter(|rule| rule.says == Says::Forbid);
        let barred: HashSet<Arc<Formula>> = forbids.map(|rule| Arc::clone(&rule.formula)).collect();
        let mut constraints = self.laws.to_vec();
        constraints.push(Arc::clone(permit));
        let mut denied: Vec<_> = barred.iter().collect();
        denied.sort_unstable();
        constraints.extend(denied.into_iter().map(|formula| formula.negated(self.domains)));
        // A rule that stands in both is known in both as soon as it is known in one.
        let known = |formula: &Arc<Formula>| match formula {
            formula if formula == permit => Status::Holds,
            formula if barred.contains(formula) => Status::Fails,
            _ => Status::Open,
        };
        let first: Vec<&Rule> = self.first.iter().filter(|rule| rule.says != Says::Forbid).collect();
        let second: Vec<&Rule> = match self.wanted {
            Wanted::Allowed => Vec::new(),
            _ => self.second.iter().collect(),
        };
        let statuses = |rules: &[&Rule]| -> Vec<_> {
            rules.iter().map(|rule| (Arc::clone(&rule.formula), known(&rule.formula))).collect()
        };
        let (a, b) = (statuses(&first), statuses(&second));
        let case = Case { domains: self.domains.to_vec(), constraints, first: a, second: b };
        self.down(case, &first, &second)
    }

    /// Every case below this one.
    fn down(&mut self, mut case: Case, first: &[&Rule], second: &[&Rule]) -> Found {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Found::GaveUp;
        }
        if !case.propagate() {
            return Found::Nothing;
        }
        let rule = match self.next(&case, first, second) {
            Next::Never => return Found::Nothing,
            Next::Always => return self.values(case, first, second),
            Next::First(place) => case.first.get(place),
            Next::Second(place) => case.second.get(place),
        };
        let Some((formula, _)) = rule.cloned() else { return Found::Nothing };
        for holds in [true, false] {
            let mut below = case.clone();
            below.assume(&formula, holds, self.domains);
            match self.down(below, first, second) {
                Found::Nothing => {}
                other => return other,
            }
        }
        Found::Nothing
    }

    /// The rules are decided: are there values that meet what was assumed?
    fn values(&mut self, case: Case, first: &[&Rule], second: &[&Rule]) -> Found {
        let lightest = case.constraints.iter().min_by_key(|constraint| constraint.weight(16));
        let Some((var, set)) = lightest.and_then(|constraint| constraint.some_test()) else {
            return Found::Example(case.domains);
        };
        let Some(now) = case.domains.get(var) else { return Found::Nothing };
        for part in [now.and(set), now.without(set)] {
            let mut below = case.clone();
            if let Some(domain) = below.domains.get_mut(var) {
                *domain = part;
            }
            match self.down(below, first, second) {
                Found::Nothing => {}
                other => return other,
            }
        }
        Found::Nothing
    }

    fn next(&self, case: &Case, first: &[&Rule], second: &[&Rule]) -> Next {
        if self.wanted == Wanted::Allowed || first.is_empty() {
            return Next::Always;
        }
        let rules = || second.iter().zip(&case.second).map(|(rule, (_, status))| (rule.says, *status));
        let place = |wanted: fn(Says) -> bool| {
            rules().position(|(says, status)| wanted(says) && status == Status::Open).map(Next::Second)
        };
        let forbid: fn(Says) -> bool = |says| says == Says::Forbid;
        let permit: fn(Says) -> bool = |says| matches!(says, Says::Permit(_));
        let holds =
            |wanted: fn(Says) -> bool| rules().any(|(says, status)| wanted(says) && status == Status::Holds);
        if holds(forbid) {
            return Next::Always;
        }
        if !rules().any(|(says, status)| permit(says) && status != Status::Fails) {
            return Next::Always;
        }
        let open = || if holds(permit) { None } else { place(permit) };
        match place(forbid).or_else(open) {
            // Whether the second rules allow it is not known yet.
            Some(next) => next,
            None if self.wanted == Wanted::AllowedOnlyHere => Next::Never,
            None => less_strict(case, first, second),
        }
    }
}

/// Both allow it: is the first treatment less strict than the second?
fn less_strict(case: &Case, first: &[&Rule], second: &[&Rule]) -> Next {
    let here =
        || first.iter().zip(&case.first).map(|(rule, (formula, status))| (rule.says, formula, *status));
    let joined = |most: bool| {
        let counted =
            here().filter(|(_, _, status)| *status == Status::Holds || (most && *status == Status::Open));
        counted.filter_map(|(says, ..)| says.treatment()).reduce(Treatment::stricter)
    };
    let (least, most) = (joined(false), joined(true));
    let reaches = |a: Option<Treatment>, b: Treatment| a.is_some_and(|a| a.stricter(b) == a);
    for (place, (rule, (formula, status))) in second.iter().zip(&case.second).enumerate() {
        let Some(treatment) = rule.says.treatment().filter(|_| *status != Status::Fails) else { continue };
        let shared = || {
            here().any(|(says, other, s)| {
                s != Status::Fails && other == formula && reaches(says.treatment(), treatment)
            })
        };
        if reaches(least, treatment) || shared() {
            continue;
        }
        if *status == Status::Open {
            return Next::Second(place);
        }
        if !reaches(most, treatment) {
            return Next::Always;
        }
        return match here().position(|(_, _, status)| status == Status::Open) {
            Some(place) => Next::First(place),
            None => Next::Always,
        };
    }
    Next::Never
}

impl Case {
    /// Takes a rule's formula to hold, or not to, wherever it stands.
    fn assume(&mut self, formula: &Arc<Formula>, holds: bool, domains: &[Set]) {
        let status = if holds { Status::Holds } else { Status::Fails };
        for (other, known) in self.first.iter_mut().chain(&mut self.second) {
            if *known == Status::Open && other == formula {
                *known = status;
            }
        }
        let constraint = if holds { Arc::clone(formula) } else { formula.negated(domains) };
        self.constraints.push(constraint);
    }

    /// Draws what follows until nothing more does. False when nothing is possible.
    fn propagate(&mut self) -> bool {
        loop {
            let mut changed = false;
            let mut left = Vec::with_capacity(self.constraints.len());
            for constraint in std::mem::take(&mut self.constraints) {
                let rest = constraint.under(&self.domains);
                match &*rest {
                    Formula::Constant(true) => {}
                    Formula::Constant(false) => return false,
                    Formula::And(parts) => {
                        left.extend(parts.iter().cloned());
                        changed = true;
                    }
                    Formula::Is(var, set) => {
                        let Some(domain) = self.domains.get_mut(*var) else { return false };
                        *domain = domain.and(set);
                        if domain.is_empty() {
                            return false;
                        }
                        changed = true;
                    }
                    Formula::Or(_) => left.push(rest),
                }
            }
            self.constraints = left;
            if !changed {
                break;
            }
        }
        for (formula, status) in self.first.iter_mut().chain(&mut self.second) {
            if *status == Status::Open {
                match formula.under(&self.domains).constant() {
                    Some(true) => *status = Status::Holds,
                    Some(false) => *status = Status::Fails,
                    None => {}
                }
            }
        }
        true
    }
}
