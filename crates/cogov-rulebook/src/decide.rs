//! Decisions: one use of one grant under the rulebook in force. The only place that makes a `Permit`.

use crate::scope::own_region_rows;
use crate::{Facts, Idle, Rulebook, Ruling, Sharing, reason};
use cogov_model::{
    Clauses, ColumnRef, Form, Grant, GrantId, Label, Lane, Party, PartyId, Reason, RulebookVersion,
    SharingAttribute, Text, Timestamp, Treatment,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A column that a decision is about.
#[derive(Debug, Clone, Copy)]
pub struct AskColumn<'a> {
    /// The column.
    pub column: &'a ColumnRef,
    /// Its label.
    pub label: &'a Label,
    /// The sharing attribute of its dataset.
    pub sharing: &'a SharingAttribute,
    /// Who provides it.
    pub provider: &'a Party,
}

/// What a decision is about: a grant, who uses it, its columns, and the moment.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// The party that uses it; must be the grant's.
    pub party: &'a Party,
    /// The columns of the grant, and others that its row scope names: scopes are understood through
    /// labels. A column that the grant does not hold gets no ruling.
    pub columns: Vec<AskColumn<'a>>,
    /// The moment of use.
    pub now: Timestamp,
}

/// The rulebook's permission for one use of one grant. Only [`Rulebook::decide`] makes one; the
/// engine releases nothing without it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    grant: GrantId,
    party: PartyId,
    form: Form,
    lane: Lane,
    rulebook: RulebookVersion,
    rulings: BTreeMap<ColumnRef, Ruling>,
    decided_at: Timestamp,
}

impl Permit {
    /// The grant that may be used.
    #[must_use]
    pub fn grant(&self) -> &GrantId {
        &self.grant
    }

    /// Who may use it.
    #[must_use]
    pub fn party(&self) -> &PartyId {
        &self.party
    }

    /// In which form. A column's treatment holds within the form: what may only be verified or
    /// counted is never shown as rows.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// By which lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether another permit allows the same by the same rulebook, whenever it was decided.
    #[must_use]
    pub fn allows_the_same(&self, other: &Self) -> bool {
        let Self { grant, party, form, lane, rulebook, rulings, decided_at: _ } = self;
        *grant == other.grant
            && *party == other.party
            && *form == other.form
            && *lane == other.lane
            && *rulebook == other.rulebook
            && *rulings == other.rulings
    }

    /// The rulebook that decided.
    #[must_use]
    pub fn rulebook(&self) -> &RulebookVersion {
        &self.rulebook
    }

    /// When it was decided.
    #[must_use]
    pub fn decided_at(&self) -> Timestamp {
        self.decided_at
    }

    /// Every column of the grant that was asked about with its ruling, withheld ones too, in order.
    pub fn rulings(&self) -> impl Iterator<Item = (&ColumnRef, &Ruling)> {
        self.rulings.iter()
    }

    /// The ruling on one column; none when the decision was not about it.
    #[must_use]
    pub fn ruling(&self, column: &ColumnRef) -> Option<&Ruling> {
        self.rulings.get(column)
    }

    /// What the engine must do with a column; what the decision was not about is withheld.
    #[must_use]
    pub fn treatment(&self, column: &ColumnRef) -> Treatment {
        self.rulings.get(column).map_or(Treatment::Withhold, |ruling| ruling.treatment)
    }

    /// The clauses that decided, over all columns.
    #[must_use]
    pub fn clauses(&self) -> Clauses {
        all_clauses(self.rulings.values())
    }
}

/// Why a grant may not be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", reason.en)]
pub struct Refusal {
    /// The clauses that say so; never empty.
    pub clauses: Clauses,
    /// Why, in words that name clauses and never a value.
    pub reason: Text,
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Reason {
        Reason { words: refusal.reason, clauses: refusal.clauses }
    }
}

/// What the rulebook would say, column by column; no permission to use anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Every column with its ruling, withheld ones too, in order.
    pub rulings: BTreeMap<ColumnRef, Ruling>,
    /// Why the grant as a whole could not be used, if so.
    pub refusal: Option<Refusal>,
}

impl Preview {
    /// The clauses that would decide, over all columns.
    #[must_use]
    pub fn clauses(&self) -> Clauses {
        all_clauses(self.rulings.values())
    }
}

fn all_clauses<'r>(rulings: impl Iterator<Item = &'r Ruling>) -> Clauses {
    rulings.flat_map(|ruling| &ruling.clauses).cloned().collect()
}

impl Rulebook {
    /// Decides one use of one grant. Asks the rules once per distinct label and table, not per column.
    ///
    /// # Errors
    /// When the grant is not in use now, is another party's, or nothing of it may be used.
    pub fn decide(&self, ask: &Ask<'_>) -> Result<Permit, Refusal> {
        let preview = self.preview(ask);
        match preview.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(Permit {
                grant: ask.grant.id.clone(),
                party: ask.party.id.clone(),
                form: ask.grant.form,
                lane: ask.grant.lane,
                rulebook: self.version.clone(),
                rulings: preview.rulings,
                decided_at: ask.now,
            }),
        }
    }

    /// What [`Rulebook::decide`] would say, with every column's ruling even where it would refuse.
    #[must_use]
    pub fn preview(&self, ask: &Ask<'_>) -> Preview {
        let mut known: HashMap<_, Ruling> = HashMap::new();
        let mut rulings: BTreeMap<ColumnRef, Ruling> = BTreeMap::new();
        let granted: HashSet<_> = ask.grant.columns.iter().collect();
        for asked in ask.columns.iter().filter(|asked| granted.contains(asked.column)) {
            let (column, label) = (asked.column, asked.label);
            let kind =
                (&column.dataset, &column.table, Sharing::from(asked.sharing), &asked.provider.id, label);
            let ruling = known
                .entry(kind)
                .or_insert_with(|| self.memo.get(facts(ask, asked), |facts| self.rule(facts)));
            rulings.insert(column.clone(), ruling.clone());
        }
        for (column, condition) in &ask.grant.conditions {
            if let Some(ruling) = rulings.remove(column) {
                rulings.insert(column.clone(), ruling.under(*condition));
            }
        }
        let refusal = self.refusal(ask, &rulings);
        Preview { rulings, refusal }
    }

    fn refusal(&self, ask: &Ask<'_>, rulings: &BTreeMap<ColumnRef, Ruling>) -> Option<Refusal> {
        if let Some(idle) = Idle::of(ask.grant, ask.now) {
            let clauses = Clauses::from([self.workflow().stops(idle).clone()]);
            return Some(Refusal { reason: reason::idle(self, idle, &clauses), clauses });
        }
        if ask.grant.party != ask.party.id {
            let clauses = Clauses::from([self.workflow().silence().clone()]);
            return Some(Refusal { reason: reason::other_party(self, &clauses), clauses });
        }
        if rulings.values().all(Ruling::is_withheld) {
            let mut clauses = all_clauses(rulings.values());
            if clauses.is_empty() {
                clauses.insert(self.workflow().silence().clone());
            }
            return Some(Refusal { reason: reason::nothing_left(self, &clauses), clauses });
        }
        None
    }
}

/// Whole days until a grant ends, negative after its end.
pub(crate) fn days_left(grant: &Grant, now: Timestamp) -> i64 {
    grant.term.until.millis().saturating_sub(now.millis()).div_euclid(86_400_000)
}

/// The facts of one column of an ask.
pub(crate) fn facts(ask: &Ask<'_>, asked: &AskColumn<'_>) -> Facts {
    let (grant, party, provider) = (ask.grant, ask.party, asked.provider);
    Facts {
        party: party.id.clone(),
        class: party.class,
        tier: party.tier,
        region: party.region.clone(),
        form: grant.form,
        lane: grant.lane,
        purpose: grant.purpose.code.clone(),
        legal_basis: !grant.purpose.legal_basis.is_empty(),
        days_left: days_left(grant, ask.now),
        label: asked.label.clone(),
        dataset: asked.column.dataset.clone(),
        sharing: asked.sharing.into(),
        provider: provider.id.clone(),
        provider_tier: provider.tier,
        same_region: party.region.is_some() && party.region == provider.region,
        own_region_rows: own_region_rows(ask, asked.column),
    }
}
