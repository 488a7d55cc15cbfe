//! A clause as pages show it: words in both languages, rules as written, and who enforces it.

use cogov_model::{ClauseId, Text};

/// Who makes a clause hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Enforcement {
    /// The query engine, by a rule.
    Engine,
    /// The workflow, by a setting.
    Workflow,
    /// Both.
    EngineAndWorkflow,
    /// Only people: the clause is words.
    People,
}

impl Enforcement {
    /// From what a clause holds.
    pub(crate) const fn of(has_rule: bool, has_setting: bool) -> Self {
        match (has_rule, has_setting) {
            (true, true) => Enforcement::EngineAndWorkflow,
            (true, false) => Enforcement::Engine,
            (false, true) => Enforcement::Workflow,
            (false, false) => Enforcement::People,
        }
    }

    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Enforcement::Engine => "engine",
            Enforcement::Workflow => "workflow",
            Enforcement::EngineAndWorkflow => "engine-and-workflow",
            Enforcement::People => "people",
        }
    }
}

/// A clause of a rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its anchor, the citation.
    pub anchor: ClauseId,
    /// Its title.
    pub title: Text,
    /// The part of the rulebook it stands in.
    pub part: Text,
    /// Its words as Markdown.
    pub markdown: Text,
    /// Its words as HTML that a page may embed: raw HTML, images and active links are dropped.
    pub html: Text,
    /// Its rules as written, one a block, in Cedar.
    pub rules: Vec<String>,
    /// Its workflow settings as written, one a block, in TOML.
    pub settings: Vec<String>,
    /// Who makes it hold.
    pub enforcement: Enforcement,
}

/// How many clauses are enforced by whom. Every clause counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EnforcementShare {
    /// By the engine alone.
    pub engine: usize,
    /// By the workflow alone.
    pub workflow: usize,
    /// By both.
    pub both: usize,
    /// By people alone.
    pub people: usize,
}

impl EnforcementShare {
    pub(crate) fn of(clauses: &[Clause]) -> Self {
        let count = |kind| clauses.iter().filter(|clause| clause.enforcement == kind).count();
        Self {
            engine: count(Enforcement::Engine),
            workflow: count(Enforcement::Workflow),
            both: count(Enforcement::EngineAndWorkflow),
            people: count(Enforcement::People),
        }
    }

    /// All clauses.
    #[must_use]
    pub const fn total(self) -> usize {
        self.engine + self.workflow + self.both + self.people
    }

    /// Clauses that software makes hold, in whole percent, rounded down.
    #[must_use]
    pub fn percent_enforced(self) -> usize {
        ((self.total() - self.people) * 100).checked_div(self.total()).unwrap_or(0)
    }
}
