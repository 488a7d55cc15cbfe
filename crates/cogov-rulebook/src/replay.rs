//! Recorded decisions taken again under a draft: what flips, for whom, by which clause, and what becomes visible.

use crate::{Case, Cases, Ending, Rulebook, Rulings, Tally, UseFacts, Verdict};
use cogov_model::{
    Clauses, ColumnRef, DatasetId, Form, PartyClass, PartyId, RegionCode, RulebookVersion, Treatment,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Examples kept of each kind of change.
const EXAMPLES: usize = 5;

/// How a decision would differ under a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flip {
    /// Not at all.
    Same,
    /// Permitted then, refused under the draft: as a whole, or because a column that it used is withheld.
    PermitToDeny,
    /// Refused then, not refused by the draft.
    DenyToPermit,
    /// Permitted by both; a column that it used is treated more strictly.
    Stricter,
    /// Permitted by both; a column that it used is treated less strictly.
    Looser,
    /// Permitted by both; one column is treated more and another one less strictly.
    Mixed,
    /// The engine refused the query, and the draft treats its columns otherwise: only asking again would tell.
    AskAgain,
}

impl Flip {
    /// Every kind but [`Flip::Same`].
    pub const CHANGES: [Flip; 6] =
        [Flip::PermitToDeny, Flip::DenyToPermit, Flip::Stricter, Flip::Looser, Flip::Mixed, Flip::AskAgain];

    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Flip::Same => "same",
            Flip::PermitToDeny => "permit-to-deny",
            Flip::DenyToPermit => "deny-to-permit",
            Flip::Stricter => "stricter",
            Flip::Looser => "looser",
            Flip::Mixed => "mixed",
            Flip::AskAgain => "ask-again",
        }
    }
}

/// Decisions by how they would differ.
pub type Counts = BTreeMap<Flip, u64>;

/// One decision that would differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its index on the ledger.
    pub index: u64,
    /// How it would differ.
    pub flip: Flip,
    /// How many decisions are the same case.
    pub decisions: u64,
    /// Who used the data.
    pub party: PartyId,
    /// The datasets.
    pub datasets: Vec<DatasetId>,
    /// The form of use.
    pub form: Form,
    /// Columns that are treated otherwise: before and after.
    pub columns: Vec<(ColumnRef, Treatment, Treatment)>,
    /// The draft's clauses.
    pub clauses: Clauses,
}

/// A column that somebody asked for in vain and would see under the draft.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visible {
    /// Who.
    pub party: PartyId,
    /// The column.
    pub column: ColumnRef,
    /// In which form.
    pub form: Form,
}

/// What a draft would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Decisions on the ledger.
    pub decisions: u64,
    /// Decisions that could not be taken again: their facts, or the rulebook that decided, are not kept.
    pub skipped: u64,
    /// How the others would differ.
    pub counts: Counts,
    /// The same by class of the party.
    pub by_class: BTreeMap<PartyClass, Counts>,
    /// By region of the party.
    pub by_region: BTreeMap<Option<RegionCode>, Counts>,
    /// By dataset; a decision about two datasets counts for both.
    pub by_dataset: BTreeMap<DatasetId, Counts>,
    /// By clause of the draft that decides what is changed; a decision may count for several.
    pub by_clause: BTreeMap<String, Counts>,
    /// Some that would differ, of each kind.
    pub examples: Vec<Example>,
    /// What would become visible, with what it was treated as before (withheld) and after.
    pub visible: BTreeMap<Visible, Treatment>,
    /// Decisions that the recorded rulebook, asked again, decides otherwise than the ledger says: always 0
    /// unless records were changed.
    pub disagreeing: u64,
}

impl Replay {
    /// Decisions that were taken again.
    #[must_use]
    pub fn replayed(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Decisions that would differ.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.replayed() - self.counts.get(&Flip::Same).copied().unwrap_or(0)
    }
}

/// Rulebooks by version, as they decided.
pub type Books = BTreeMap<RulebookVersion, Arc<Rulebook>>;

/// What a replay needs to know besides the cases.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Facts by digest.
    pub facts: &'a HashMap<String, Arc<UseFacts>>,
    /// The rulebooks that decided.
    pub books: &'a Books,
}

/// Which rulebook is compared with the one that decided.
#[derive(Debug, Clone, Copy)]
pub enum Against<'a> {
    /// What a draft would have said: the recorded decision is *before*, the draft *after*.
    Draft(&'a Rulebook),
    /// What an earlier rulebook would have said: it is *before*, the recorded decision *after*. So the real
    /// effect of a rulebook is counted like the predicted one.
    Earlier(&'a Rulebook),
}

/// Takes every case again, each once, whatever its count.
#[must_use]
pub fn replay(cases: &Cases, known: Known<'_>, against: Against<'_>) -> Replay {
    let mut work = Work {
        replay: Replay { decisions: cases.decisions(), skipped: cases.unrecorded(), ..Replay::default() },
        then: HashMap::new(),
        other: Rulings::new(),
        against,
    };
    for (case, tally) in cases.sorted() {
        match (known.facts.get(&case.facts), known.books.get(&case.rulebook)) {
            (Some(facts), Some(book)) => work.case(case, tally, facts, book),
            _ => work.replay.skipped += tally.count,
        }
    }
    work.replay
}

struct Work<'a> {
    replay: Replay,
    then: HashMap<RulebookVersion, Rulings>,
    other: Rulings,
    against: Against<'a>,
}

impl Work<'_> {
    fn case(&mut self, case: &Case, tally: &Tally, facts: &UseFacts, book: &Rulebook) {
        let known = self.then.entry(case.rulebook.clone()).or_default();
        let recorded = book.verdict(facts, case.moment, known);
        if recorded.refused.is_some() != (case.outcome == Ending::Deny) {
            self.replay.disagreeing += tally.count;
        }
        let (other, turned) = match self.against {
            Against::Draft(draft) => (draft, false),
            Against::Earlier(earlier) => (earlier, true),
        };
        let other = other.verdict(facts, case.moment, &mut self.other);
        let (before, after) = if turned { (&other, &recorded) } else { (&recorded, &other) };
        let used = used(case, facts);
        let flip = flip(case.outcome, before, after, &used);
        self.count(tally.count, flip, facts, after, &changed(before, after, &used));
        if flip != Flip::Same {
            self.example(tally, flip, facts, before, after);
        }
        self.see(facts, before, after);
    }

    fn count(&mut self, n: u64, flip: Flip, facts: &UseFacts, after: &Verdict, changed: &[usize]) {
        let replay = &mut self.replay;
        let add = |counts: &mut Counts| *counts.entry(flip).or_default() += n;
        add(&mut replay.counts);
        add(replay.by_class.entry(facts.class).or_default());
        add(replay.by_region.entry(facts.region.clone()).or_default());
        for dataset in &facts.datasets {
            add(replay.by_dataset.entry(dataset.clone()).or_default());
        }
        if flip == Flip::Same {
            return;
        }
        for clause in clauses(after, changed) {
            add(replay.by_clause.entry(clause.to_string()).or_default());
        }
    }

    fn example(&mut self, tally: &Tally, flip: Flip, facts: &UseFacts, before: &Verdict, after: &Verdict) {
        let kept = self.replay.examples.iter().filter(|example| example.flip == flip).count();
        let Some(index) = tally.examples.last().filter(|_| kept < EXAMPLES) else { return };
        let all: BTreeSet<usize> = (0..facts.groups.len()).collect();
        let changed = changed(before, after, &all);
        let columns = changed.iter().flat_map(|place| {
            let group = facts.groups.get(*place);
            let of = |verdict: &Verdict| verdict.treatment(*place);
            let (from, to) = (of(before), of(after));
            group.into_iter().flat_map(|group| &group.columns).map(move |column| (column.clone(), from, to))
        });
        self.replay.examples.push(Example {
            index: *index,
            flip,
            decisions: tally.count,
            party: facts.party.clone(),
            datasets: facts.datasets.clone(),
            form: facts.form,
            columns: columns.collect(),
            clauses: clauses(after, &changed),
        });
    }

    fn see(&mut self, facts: &UseFacts, before: &Verdict, after: &Verdict) {
        for (place, group) in facts.groups.iter().enumerate() {
            let (from, to) = (before.shown(place), after.shown(place));
            if from != Treatment::Withhold || to == Treatment::Withhold {
                continue;
            }
            for column in &group.columns {
                let visible =
                    Visible { party: facts.party.clone(), column: column.clone(), form: facts.form };
                self.replay.visible.insert(visible, to);
            }
        }
    }
}

impl Verdict {
    /// What happens to a group's columns by themselves.
    fn treatment(&self, place: usize) -> Treatment {
        self.groups.get(place).map_or(Treatment::Withhold, |(treatment, _)| *treatment)
    }

    /// What happens to a group's columns, when the use as a whole is thought of too.
    fn shown(&self, place: usize) -> Treatment {
        if self.refused.is_some() { Treatment::Withhold } else { self.treatment(place) }
    }
}

/// The groups that the query used; all of them when that is not known.
fn used(case: &Case, facts: &UseFacts) -> BTreeSet<usize> {
    match &case.used {
        Some(places) => places.split(',').filter_map(|place| place.parse().ok()).collect(),
        None => (0..facts.groups.len()).collect(),
    }
}

/// The used groups that are treated otherwise.
fn changed(before: &Verdict, after: &Verdict, used: &BTreeSet<usize>) -> Vec<usize> {
    used.iter().copied().filter(|place| before.treatment(*place) != after.treatment(*place)).collect()
}

fn flip(outcome: Ending, before: &Verdict, after: &Verdict, used: &BTreeSet<usize>) -> Flip {
    let changed = changed(before, after, used);
    match (before.refused.is_some(), after.refused.is_some()) {
        (true, true) => return Flip::Same,
        (true, false) => return Flip::DenyToPermit,
        (false, true) => return if outcome == Ending::EngineDeny { Flip::Same } else { Flip::PermitToDeny },
        (false, false) => {}
    }
    if changed.is_empty() {
        return Flip::Same;
    }
    if outcome == Ending::EngineDeny {
        return Flip::AskAgain;
    }
    if changed.iter().any(|place| after.treatment(*place) == Treatment::Withhold) {
        return Flip::PermitToDeny;
    }
    let stricter = |a: Treatment, b: Treatment| a.stricter(b) == b;
    let up = changed.iter().all(|place| stricter(before.treatment(*place), after.treatment(*place)));
    let down = changed.iter().all(|place| stricter(after.treatment(*place), before.treatment(*place)));
    match (up, down) {
        (true, _) => Flip::Stricter,
        (false, true) => Flip::Looser,
        (false, false) => Flip::Mixed,
    }
}

/// The clauses that decide what is changed: of the changed groups, or of the refusal.
fn clauses(after: &Verdict, changed: &[usize]) -> Clauses {
    let of_groups = changed.iter().filter_map(|place| after.groups.get(*place));
    let mut all: Clauses = of_groups.flat_map(|(_, clauses)| clauses.iter().cloned()).collect();
    if let Some(refused) = &after.refused {
        all.extend(refused.iter().cloned());
    }
    all
}
