//! What is known of a column of a plan: its label, its protection, and the way it came.

use super::governed::{GovernedTable, Visible};
use cogov_model::{Aggregation, Clauses, ColumnRef, Grade, Label, MinGroup, Text, Treatment};
use std::collections::BTreeMap;

/// Facts of one column, or of which rows there are. They join: labels upwards, thresholds to the greater.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) label: Label,
    /// What a statistic in which it may be shown obliges; none when it may be shown row by row.
    pub(super) protection: Option<Aggregation>,
    /// The granted columns it is computed from.
    pub(super) sources: BTreeMap<ColumnRef, Origin>,
    /// The protected statistics it went through: threshold, grade before and after.
    pub(super) statistics: Vec<(MinGroup, Grade, Grade)>,
}

/// A granted column as a source.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) treatment: Treatment,
    pub(super) clauses: Clauses,
    /// The grade as stored and as it leaves the scan.
    pub(super) grades: (Grade, Grade),
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
        Self { label: Label::bottom(), protection: None, sources: BTreeMap::new(), statistics: Vec::new() }
    }
}

impl Facts {
    /// The facts of a granted column at its scan.
    pub(super) fn of_column(table: &GovernedTable, visible: &Visible, protection: Option<Aggregation>) -> Self {
        let label = super::certified::at_scan(&visible.column.label, &visible.ruling.treatment);
        let reference = ColumnRef {
            dataset: table.dataset.clone(),
            table: table.name.clone(),
            column: visible.column.name.clone(),
        };
        let origin = Origin {
            treatment: visible.ruling.treatment,
            clauses: visible.ruling.clauses.clone(),
            grades: (visible.column.label.grade, label.grade),
        };
        Self { label, protection, sources: BTreeMap::from([(reference, origin)]), statistics: Vec::new() }
    }

    /// Both together.
    pub(super) fn join(mut self, other: &Self) -> Self {
        self.label = self.label.join(&other.label);
        self.protection = stricter(self.protection, other.protection);
        self.sources.extend(other.sources.iter().map(|(k, v)| (k.clone(), v.clone())));
        for statistic in &other.statistics {
            if !self.statistics.contains(statistic) {
                self.statistics.push(*statistic);
            }
        }
        self
    }

    /// Many together; nothing when there are none.
    pub(super) fn join_all<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), Self::join)
    }

    /// The facts after a protected statistic over at least `k`.
    pub(super) fn released(mut self, k: MinGroup) -> Self {
        let before = self.label.grade;
        self.label = super::certified::of_statistic(&self.label, k);
        self.protection = None;
        let step = (k, before, self.label.grade);
        if !self.statistics.contains(&step) {
            self.statistics.push(step);
        }
        self
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

    /// Why a result column has its label, in words. `rows` are the facts of which rows there are.
    pub(super) fn chain(&self, rows: &Self) -> Vec<Text> {
        let mut chain: Vec<Text> = self.sources.iter().map(|(c, o)| source_words(c, o)).collect();
        let only_rows = rows.sources.iter().filter(|(column, _)| !self.sources.contains_key(*column));
        chain.extend(only_rows.map(|(column, origin)| {
            let (from, _) = origin.grades;
            Text::new(
                format!("which rows there are depends on {column} ({from})"),
                format!("哪些行出现取决于 {column}（{}）", from.zh()),
            )
        }));
        for (k, before, after) in self.clone().join(rows).statistics {
            chain.push(statistic_words(k, before, after));
        }
        if chain.is_empty() {
            chain.push(Text::new("computed from no column of the data", "不来自任何数据列"));
        }
        chain
    }
}

fn source_words(column: &ColumnRef, origin: &Origin) -> Text {
    let (from, to) = origin.grades;
    let treatment = cogov_rulebook::treatment_words(origin.treatment);
    let mut words = Text::new(
        format!("from {column} ({from}): {}", treatment.en),
        format!("来自 {column}（{}）：{}", from.zh(), treatment.zh),
    );
    if from != to {
        words.en.push_str(&format!(", which lowers it to {to}"));
        words.zh.push_str(&format!("，级别降为{}", to.zh()));
    }
    words
}

fn statistic_words(k: MinGroup, before: Grade, after: Grade) -> Text {
    let k = k.get();
    let mut words =
        Text::new(format!("a statistic over groups of at least {k}"), format!("每组不少于 {k} 的统计结果"));
    if before != after {
        words.en.push_str(&format!(", which lowers {before} to {after}"));
        words.zh.push_str(&format!("，由{}降为{}", before.zh(), after.zh()));
    }
    words
}
