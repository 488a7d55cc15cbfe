//! The facts of one use as a decision leaves them behind: enough to decide it again, exactly, under another rulebook.

use crate::{Ask, Facts, Idle, Rulebook, Ruling, decide};
use cogov_model::{
    Clauses, ColumnRef, DatasetId, Form, Lane, PartyClass, PartyId, PurposeCode, RegionCode, Treatment,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What a use of a grant depends on but the moment: who uses it, and the facts of its columns. Columns
/// with equal facts and the same condition stand together. The same grant gives the same facts until it,
/// a label, a party or a dataset changes, so that many decisions share one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseFacts {
    /// Who uses the grant.
    pub party: PartyId,
    /// Its class.
    pub class: PartyClass,
    /// Its region.
    #[serde(default)]
    pub region: Option<RegionCode>,
    /// The form of use.
    pub form: Form,
    /// The lane.
    pub lane: Lane,
    /// The purpose.
    pub purpose: PurposeCode,
    /// The datasets that the grant reaches.
    pub datasets: Vec<DatasetId>,
    /// Whether the grant is another party's: then nothing of it may be used.
    #[serde(default)]
    pub foreign: bool,
    /// The columns, by facts and condition.
    pub groups: Vec<FactGroup>,
}

/// Columns about which a decision is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactGroup {
    /// Their facts. `days_left` is 0 here: it belongs to the moment.
    pub facts: Facts,
    /// The treatment that the grant's approver set on top.
    #[serde(default)]
    pub condition: Option<Treatment>,
    /// The columns.
    pub columns: BTreeSet<ColumnRef>,
}

/// The moment of a use, as far as a decision depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Whole days until the grant ends.
    pub days_left: i64,
    /// Why the grant as a whole cannot be used then.
    pub idle: Option<Idle>,
}

impl Moment {
    /// The moment of an ask.
    #[must_use]
    pub fn of(ask: &Ask<'_>) -> Self {
        Self { days_left: decide::days_left(ask.grant, ask.now), idle: Idle::of(ask.grant, ask.now) }
    }
}

/// A decision taken again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The clauses that refuse the use as a whole; none when it may be used.
    pub refused: Option<Clauses>,
    /// What happens to each group's columns and by which clauses, in the order of the groups.
    pub groups: Vec<(Treatment, Clauses)>,
}

/// Rulings by facts that a rulebook gave before: replays ask many times about few facts.
pub type Rulings = HashMap<Facts, Arc<Ruling>>;

impl UseFacts {
    /// The facts of an ask.
    #[must_use]
    pub fn of(ask: &Ask<'_>) -> Self {
        let (grant, party) = (ask.grant, ask.party);
        let granted: BTreeSet<&ColumnRef> = grant.columns.iter().collect();
        let mut groups: Vec<FactGroup> = Vec::new();
        let mut places: HashMap<(Facts, Option<Treatment>), usize> = HashMap::new();
        for asked in ask.columns.iter().filter(|asked| granted.contains(asked.column)) {
            let facts = Facts { days_left: 0, ..decide::facts(ask, asked) };
            let conditions = grant.conditions.iter().filter(|(column, _)| column == asked.column);
            let condition = conditions.map(|(_, treatment)| *treatment).reduce(Treatment::stricter);
            let place = *places.entry((facts.clone(), condition)).or_insert_with(|| {
                groups.push(FactGroup { facts, condition, columns: BTreeSet::new() });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.columns.insert(asked.column.clone());
            }
        }
        groups.sort_by(|a, b| a.columns.first().cmp(&b.columns.first()));
        Self {
            party: party.id.clone(),
            class: party.class,
            region: party.region.clone(),
            form: grant.form,
            lane: grant.lane,
            purpose: grant.purpose.code.clone(),
            datasets: grant.datasets(),
            foreign: grant.party != party.id,
            groups,
        }
    }

    /// The groups whose columns are among these.
    #[must_use]
    pub fn groups_of(&self, columns: &BTreeSet<ColumnRef>) -> BTreeSet<usize> {
        let touched = self.groups.iter().enumerate().filter(|(_, group)| !group.columns.is_disjoint(columns));
        touched.map(|(place, _)| place).collect()
    }
}

impl Rulebook {
    /// Decides a recorded use again. Says what [`Rulebook::decide`] says of the ask that the facts are
    /// of, column by column; mints no permit.
    #[must_use]
    pub fn verdict(&self, facts: &UseFacts, moment: Moment, known: &mut Rulings) -> Verdict {
        let days_left = self.seen(moment).days_left;
        let mut groups = Vec::with_capacity(facts.groups.len());
        for group in &facts.groups {
            let asked = Facts { days_left, ..group.facts.clone() };
            let ruling = match known.get(&asked) {
                Some(ruling) => Arc::clone(ruling),
                None => {
                    let ruling = Arc::new(self.rule(&asked));
                    known.insert(asked, Arc::clone(&ruling));
                    ruling
                }
            };
            let treatment = match group.condition {
                Some(condition) => ruling.treatment.stricter(condition),
                None => ruling.treatment,
            };
            groups.push((treatment, ruling.clauses.clone()));
        }
        Verdict { refused: self.refused(facts, moment, &groups), groups }
    }

    /// A moment as far as a verdict depends on it: moments that are then equal have the same one.
    pub(crate) fn seen(&self, moment: Moment) -> Moment {
        if self.rules.uses_days { moment } else { Moment { days_left: 0, ..moment } }
    }

    fn refused(&self, facts: &UseFacts, moment: Moment, groups: &[(Treatment, Clauses)]) -> Option<Clauses> {
        if let Some(idle) = moment.idle {
            return Some(Clauses::from([self.workflow().stops(idle).clone()]));
        }
        if facts.foreign {
            return Some(Clauses::from([self.workflow().silence().clone()]));
        }
        if !groups.iter().all(|(treatment, _)| *treatment == Treatment::Withhold) {
            return None;
        }
        let mut clauses: Clauses = groups.iter().flat_map(|(_, clauses)| clauses.iter().cloned()).collect();
        if clauses.is_empty() {
            clauses.insert(self.workflow().silence().clone());
        }
        Some(clauses)
    }
}
