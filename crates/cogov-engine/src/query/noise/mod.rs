//! Statistics under differential privacy: bounded rows of each unit below, noise of the right scale above.
//!
//! An aggregate over a table that is under noise becomes a [`Question`]: what it computes, what it costs, and a
//! fingerprint that tells the same question again. The governed plan reads its answer from a slot, which the
//! application fills: from its records when the question was answered before, else by [`Question::draw`], after the
//! cost was taken off the budget. Everything above works on released figures and costs nothing.
//!
//! `docs/noise.md` states the neighbours, the mechanisms and how losses add up.

mod below;
mod draw;
mod drawn;
mod figure;
mod margins;
mod measure;
#[cfg(test)]
mod neighbours;
mod print;
mod public;
mod quantise;
mod question;
mod ranges;
mod spread;
mod terms;
mod words;

pub use question::Question;
pub use terms::NoiseTerms;

pub(super) use margins::append as with_margins;
pub(super) use public::is_public;
pub(super) use spread::Spread;

use super::facts::Facts;
use super::govern::{Governor, Node};
use super::governed::GovernedTable;
use super::world::GrantWorld;
use super::{allowed, faults};
use crate::error::QueryError;
use below::{Below, is_noisy, noise_clauses};
use cogov_model::{Epsilon, Form, Text, Treatment};
use datafusion::logical_expr::{Aggregate, LogicalPlan};
use measure::Measures;
use question::Draft;
use std::cell::RefCell;
use std::sync::Arc;

/// The questions of a statement, as its plan is walked.
#[derive(Default)]
pub(super) struct Noise {
    terms: NoiseTerms,
    drafts: RefCell<Vec<Draft>>,
}

impl Noise {
    /// For a statement of a world.
    pub(super) fn new(world: &GrantWorld) -> Self {
        Self { terms: world.noise().clone(), drafts: RefCell::default() }
    }

    /// The questions, each with its part of the statement's ε.
    ///
    /// # Errors
    /// When the ε is beyond a month's, or too little to answer with.
    pub(super) fn questions(self, world: &Arc<GrantWorld>) -> Result<Vec<Arc<Question>>, QueryError> {
        question::priced(self.drafts.into_inner(), &self.terms, world)
    }
}

/// What noise promises, in words.
pub(super) fn promised(epsilon: Epsilon) -> Text {
    Text::new(
        format!("with noise: differential privacy with an epsilon of {epsilon}"),
        format!("加入噪声：epsilon 为 {epsilon} 的差分隐私"),
    )
}

/// Refuses rows of a table that is answered from under noise: in statistics every one with a column under noise.
///
/// # Errors
/// When it is such a table.
pub(super) fn check_scan(table: &GovernedTable, form: Form) -> Result<(), QueryError> {
    let noisy = |c: &super::governed::Visible| matches!(c.ruling.treatment, Treatment::Noise { .. });
    let all = table.columns.iter().all(noisy);
    if is_noisy(table) && (form == Form::Aggregate || all) {
        return Err(words::only_statistics(noise_clauses(table)));
    }
    Ok(())
}

/// Refuses what holds stored values of a column under noise. Each reference to a column brings that fact with it, and
/// nothing but noise itself takes it away: what else was released beside it does not matter.
///
/// # Errors
/// When there are such values.
pub(super) fn check(facts: &Facts) -> Result<(), QueryError> {
    match &facts.bare {
        Some(clauses) => Err(words::only_statistics(clauses.clone())),
        None => Ok(()),
    }
}

/// Whether an aggregate over this plan is one over tables under noise.
pub(super) fn concerns(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => allowed::governed(scan).is_ok_and(|table| is_noisy(&table)),
        // What stands below another aggregate is released already.
        LogicalPlan::Aggregate(_) => false,
        other => other.inputs().into_iter().any(concerns),
    }
}

impl Governor {
    /// An aggregate over tables under noise: a question in its place, and a scan of its answer.
    ///
    /// # Errors
    /// When noise cannot answer it.
    pub(super) fn noisy(&self, node: &Aggregate) -> Result<Node, QueryError> {
        let below = Below::walk(&node.input, &self.noise.terms)?;
        let rules = below.rules()?;
        let measures = Measures::read(&node.aggr_expr, &below, &rules.clauses)?;
        let number = self.noise.drafts.borrow().len();
        let mut facts: Vec<Facts> =
            node.group_expr.iter().chain(&node.aggr_expr).map(|e| below.facts(e)).collect();
        let keys = Facts::join_all(facts.iter().take(node.group_expr.len()));
        let rows = below.rows.clone().join(&keys);
        let released = |f: Facts| f.join(&below.rows).released_with_noise(Some("noise"), rules.k);
        facts = facts.into_iter().map(released).collect();
        let draft = Draft::new(node, below, measures, rules.clone(), Arc::clone(&self.engine.inner.planner))?;
        let plan = drawn::scan(&draft, node, number).map_err(|e| faults::planning(&e))?;
        self.noise.drafts.borrow_mut().push(draft);
        let facts = facts.into_iter().map(Arc::new).collect();
        Node::new(plan, facts, rows.released_with_noise(None, rules.k))
    }
}
