//! Formulas over finitely many variables with finitely many values: what conditions of rules become.

use std::sync::Arc;

/// A variable of a universe, by its place.
pub(super) type Var = usize;

/// A set of values of one variable, a bit each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Set(Vec<u64>);

impl Set {
    /// The values below `size` for which a test holds.
    pub fn of(size: usize, holds: impl Fn(usize) -> bool) -> Self {
        let mut words = vec![0; size.div_ceil(64).max(1)];
        for value in (0..size).filter(|value| holds(*value)) {
            if let Some(word) = words.get_mut(value / 64) {
                *word |= 1 << (value % 64);
            }
        }
        Self(words)
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub fn is_within(&self, other: &Set) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    pub fn misses(&self, other: &Set) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & b == 0)
    }

    pub fn and(&self, other: &Set) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    pub fn without(&self, other: &Set) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    /// The least value in the set.
    pub fn first(&self) -> Option<usize> {
        let (place, word) = self.0.iter().enumerate().find(|(_, word)| **word != 0)?;
        Some(place * 64 + word.trailing_zeros() as usize)
    }
}

/// A formula without negation: the complement of a set of values says the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Formula {
    Constant(bool),
    /// The variable's value is one of these.
    Is(Var, Set),
    And(Vec<Arc<Formula>>),
    Or(Vec<Arc<Formula>>),
}

impl Formula {
    pub fn and(parts: impl IntoIterator<Item = Arc<Formula>>) -> Arc<Self> {
        Arc::new(Formula::And(parts.into_iter().collect()))
    }

    pub fn or(parts: impl IntoIterator<Item = Arc<Formula>>) -> Arc<Self> {
        Arc::new(Formula::Or(parts.into_iter().collect()))
    }

    /// That it does not hold; `domains` are all values of each variable.
    pub fn negated(&self, domains: &[Set]) -> Arc<Formula> {
        let all = |parts: &[Arc<Formula>]| parts.iter().map(|part| part.negated(domains)).collect();
        Arc::new(match self {
            Formula::Constant(value) => Formula::Constant(!value),
            Formula::Is(var, set) => match domains.get(*var) {
                Some(domain) => Formula::Is(*var, domain.without(set)),
                None => Formula::Constant(false),
            },
            Formula::And(parts) => Formula::Or(all(parts)),
            Formula::Or(parts) => Formula::And(all(parts)),
        })
    }

    /// What is left of it when variables only have the values of `now`.
    pub fn under(self: &Arc<Self>, now: &[Set]) -> Arc<Formula> {
        match &**self {
            Formula::Constant(_) => Arc::clone(self),
            Formula::Is(var, set) => match now.get(*var) {
                Some(values) if values.is_within(set) => Arc::new(Formula::Constant(true)),
                Some(values) if values.misses(set) => Arc::new(Formula::Constant(false)),
                _ => Arc::clone(self),
            },
            Formula::And(parts) => joined(self, parts, now, false),
            Formula::Or(parts) => joined(self, parts, now, true),
        }
    }

    pub fn constant(&self) -> Option<bool> {
        match self {
            Formula::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// Tests in it, counted up to `most`.
    pub fn weight(&self, most: usize) -> usize {
        match self {
            Formula::Constant(_) => 0,
            Formula::Is(..) => 1,
            Formula::And(parts) | Formula::Or(parts) => parts
                .iter()
                .fold(0, |sum, part| if sum >= most { sum } else { sum + part.weight(most - sum) }),
        }
    }

    /// A test to decide next.
    pub fn some_test(&self) -> Option<(Var, &Set)> {
        match self {
            Formula::Constant(_) => None,
            Formula::Is(var, set) => Some((*var, set)),
            Formula::And(parts) | Formula::Or(parts) => {
                let lightest = parts.iter().filter(|part| part.constant().is_none());
                lightest.min_by_key(|part| part.weight(8)).and_then(|part| part.some_test())
            }
        }
    }
}

/// A conjunction or disjunction under `now`; `absorbing` is the value that decides it alone.
fn joined(whole: &Arc<Formula>, parts: &[Arc<Formula>], now: &[Set], absorbing: bool) -> Arc<Formula> {
    let mut left: Vec<Arc<Formula>> = Vec::with_capacity(parts.len());
    let mut same = true;
    for part in parts {
        let rest = part.under(now);
        match rest.constant() {
            Some(value) if value == absorbing => return rest,
            Some(_) => same = false,
            None => {
                same &= Arc::ptr_eq(&rest, part);
                left.push(rest);
            }
        }
    }
    match (left.len(), left.pop()) {
        (0, _) | (_, None) => Arc::new(Formula::Constant(!absorbing)),
        (1, Some(only)) => only,
        (_, Some(last)) => {
            if same {
                return Arc::clone(whole);
            }
            left.push(last);
            Arc::new(if absorbing { Formula::Or(left) } else { Formula::And(left) })
        }
    }
}
