//! What is known of a column of a plan: its label, its protection, and the way it came. The lattice of `docs/labels.md`.

use super::certified;
use super::steps::Step;
use cogov_model::{Aggregation, Clauses, ColumnRef, Grade, Label, MinGroup, Treatment};
use cogov_rulebook::Ruling;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Facts of one column, or of which rows there are. They join: labels upwards, thresholds to the greater.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) label: Label,
    /// What a protected statistic leaves of the label: less only of columns that may leave in statistics only, each
    /// by its own threshold, so that what stands beside a column never makes its label smaller.
    pub(super) left: Label,
    /// The clauses of columns under noise that stand here as they are stored, which may be shown nowhere. None when
    /// there are none. Only noise takes them away.
    pub(super) bare: Option<Clauses>,
    /// What a statistic in which it may be shown obliges; none when it may be shown row by row.
    pub(super) protection: Option<Aggregation>,
    /// The granted columns it is computed from.
    pub(super) sources: BTreeMap<Arc<ColumnRef>, Arc<Origin>>,
    /// The protected statistics it went through.
    pub(super) statistics: Vec<Step>,
}

/// A granted column as a source.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) treatment: Treatment,
    pub(super) clauses: Clauses,
    /// The grade as stored, as it leaves the scan, and as a protected statistic leaves it.
    pub(super) grades: (Grade, Grade, Grade),
    /// Whether it holds numbers.
    pub(super) numeric: bool,
}

/// The stricter of two protections: none is the least.
pub(super) fn stricter(a: Option<Aggregation>, b: Option<Aggregation>) -> Option<Aggregation> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.stricter(b)),
        (a, b) => a.or(b),
    }
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            label: Label::bottom(),
            left: Label::bottom(),
            bare: None,
            protection: None,
            sources: BTreeMap::new(),
            statistics: Vec::new(),
        }
    }
}

impl Facts {
    /// The facts of a granted column at its scan. What protects it, or the rows of its table, is what makes its label
    /// smaller in a statistic.
    pub(super) fn of_column(
        reference: ColumnRef,
        label: &Label,
        ruling: &Ruling,
        numeric: bool,
        protection: Option<Aggregation>,
    ) -> Self {
        let stored = label.grade;
        let label = certified::at_scan(label, &ruling.treatment);
        let left = match protection {
            Some(obliged) => certified::of_statistic(&label, obliged.min_group),
            None => label.clone(),
        };
        let noisy = matches!(ruling.treatment, Treatment::Noise { .. });
        let origin = Origin {
            treatment: ruling.treatment,
            clauses: ruling.clauses.clone(),
            grades: (stored, label.grade, left.grade),
            numeric,
        };
        Self {
            label,
            left,
            bare: noisy.then(|| ruling.clauses.clone()),
            protection,
            sources: BTreeMap::from([(Arc::new(reference), Arc::new(origin))]),
            statistics: Vec::new(),
        }
    }

    /// Both together.
    pub(super) fn join(mut self, other: &Self) -> Self {
        // Labels of many columns are alike: most of the time nothing is added.
        if !other.label.is_below(&self.label) {
            self.label = self.label.join(&other.label);
        }
        if !other.left.is_below(&self.left) {
            self.left = self.left.join(&other.left);
        }
        if let Some(bare) = &other.bare {
            self.bare.get_or_insert_with(Clauses::new).extend(bare.iter().cloned());
        }
        self.protection = stricter(self.protection, other.protection);
        self.sources.extend(other.sources.iter().map(|(k, v)| (Arc::clone(k), Arc::clone(v))));
        for statistic in &other.statistics {
            if !self.statistics.contains(statistic) {
                self.statistics.push(statistic.clone());
            }
        }
        self
    }

    /// Many together; nothing when there are none.
    pub(super) fn join_all<'a, F: Borrow<Self> + 'a>(all: impl IntoIterator<Item = &'a F>) -> Self {
        all.into_iter().fold(Self::default(), |sum, facts| sum.join(facts.borrow()))
    }

    /// The facts after a protected statistic over at least so many: an aggregate, or a group without a name.
    pub(super) fn released(mut self, function: Option<&str>, least: MinGroup) -> Self {
        self.label.clone_from(&self.left);
        self.protection = None;
        let step = Step { function: function.map(str::to_owned), least };
        if !self.statistics.contains(&step) {
            self.statistics.push(step);
        }
        self
    }

    /// The facts after a statistic to which noise was added.
    pub(super) fn released_with_noise(mut self, function: Option<&str>, least: MinGroup) -> Self {
        self.bare = None;
        self.released(function, least)
    }

    /// The clauses of every source.
    pub(super) fn clauses(&self) -> Clauses {
        self.sources.values().flat_map(|origin| origin.clauses.iter().cloned()).collect()
    }

    /// The treatments met on the way, each once.
    pub(super) fn treatments(&self) -> Vec<Treatment> {
        let mut all: Vec<Treatment> = Vec::new();
        for origin in self.sources.values() {
            if !all.contains(&origin.treatment) {
                all.push(origin.treatment);
            }
        }
        all
    }
}
