//! Recorded decisions taken again under a draft: what flips, for whom, by which clause, and what becomes visible.
//!
//! What a draft changes is counted beside the rulebook that it is built on, as its real effect will be. Where an
//! amendment lies between a recorded decision and that rulebook, what the amendment changed is counted apart.

use crate::flip::{self, Flip, RecordedUse};
use crate::{Case, Cases, Ending, Moment, Rulebook, Rulings, Tally, UseFacts, Verdict};
use cogov_model::{
    Clauses, ColumnRef, DatasetId, Form, PartyClass, PartyId, RegionCode, RulebookVersion, Treatment,
};
use std::collections::{BTreeMap, HashMap};
use std::{rc::Rc, sync::Arc};

/// Examples kept of each kind of change.
const EXAMPLES: usize = 5;

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

/// What the rulebook that a draft is built on itself decides otherwise than was recorded: what amendments that lie
/// between changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// The rulebook that the draft is built on.
    pub base: RulebookVersion,
    /// Recorded decisions by how they differ under it.
    pub counts: Counts,
}

impl Amended {
    /// Recorded decisions that it decides otherwise.
    #[must_use]
    pub fn changed(&self) -> u64 {
        differing(&self.counts)
    }
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
    /// Beside a base: how the same decisions differ under it from what was recorded. Not part of `counts`; both one
    /// after the other lead from what was recorded to the draft.
    pub amended: Option<Amended>,
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
        differing(&self.counts)
    }
}

fn differing(counts: &Counts) -> u64 {
    counts.iter().filter(|(flip, _)| **flip != Flip::Same).map(|(_, n)| n).sum()
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

/// Which rulebooks are compared.
#[derive(Debug, Clone, Copy)]
pub enum Against<'a> {
    /// What a draft would have said: the recorded decision is *before*, the draft *after*.
    Draft(&'a Rulebook),
    /// What a draft changes in the rulebook that it is built on: every use is decided by both, the base is *before*,
    /// the draft *after*. What the base says otherwise than was recorded is counted apart.
    Base {
        /// The rulebook that the draft is built on.
        base: &'a Rulebook,
        /// The draft.
        draft: &'a Rulebook,
    },
    /// What an earlier rulebook would have said: it is *before*, the recorded decision *after*. So the real
    /// effect of a rulebook is counted like the one that was predicted beside its base.
    Earlier(&'a Rulebook),
}

/// Takes every case again, each once, whatever its count.
#[must_use]
pub fn replay(cases: &Cases, known: Known<'_>, against: Against<'_>) -> Replay {
    let amended = match against {
        Against::Base { base, .. } => Some(Amended { base: base.version().clone(), counts: Counts::new() }),
        Against::Draft(_) | Against::Earlier(_) => None,
    };
    let start =
        Replay { decisions: cases.decisions(), skipped: cases.unrecorded(), amended, ..Replay::default() };
    let mut work = Work { replay: start, asked: BTreeMap::new(), against };
    let mut at_hand = None;
    for (case, tally) in cases.sorted() {
        if at_hand.replace(&case.facts) != Some(&case.facts) {
            work.asked.values_mut().for_each(Asked::forget);
        }
        match (known.facts.get(&case.facts), known.books.get(&case.rulebook)) {
            (Some(facts), Some(book)) => work.case(case, tally, facts, book),
            _ => work.replay.skipped += tally.count,
        }
    }
    work.replay
}

/// A rulebook as it is asked: what it said of facts, and of the use at hand.
struct Asked<'a> {
    book: &'a Rulebook,
    rulings: Rulings,
    /// By the moment, as far as the rulebook looks at it: most look at no days, so that the decisions of months on
    /// the same facts are one verdict.
    verdicts: HashMap<Moment, Rc<Verdict>>,
}

impl<'a> Asked<'a> {
    fn new(book: &'a Rulebook) -> Self {
        Self { book, rulings: Rulings::new(), verdicts: HashMap::new() }
    }

    fn verdict(&mut self, facts: &UseFacts, moment: Moment) -> Rc<Verdict> {
        let seen = self.book.seen(moment);
        let known = self.verdicts.entry(seen);
        Rc::clone(known.or_insert_with(|| Rc::new(self.book.verdict(facts, moment, &mut self.rulings))))
    }

    /// Other facts are at hand.
    fn forget(&mut self) {
        self.verdicts.clear();
    }
}

struct Work<'a> {
    replay: Replay,
    /// Each rulebook once: where the base decided, it is not asked twice.
    asked: BTreeMap<&'a RulebookVersion, Asked<'a>>,
    against: Against<'a>,
}

impl<'a> Work<'a> {
    fn case(&mut self, case: &Case, tally: &Tally, facts: &UseFacts, book: &'a Rulebook) {
        let recorded = self.ask(book, facts, case.moment);
        if recorded.refused.is_some() != (case.outcome == Ending::Deny) {
            self.replay.disagreeing += tally.count;
        }
        let against = self.against;
        let (before, after) = match against {
            Against::Draft(draft) => (Rc::clone(&recorded), self.ask(draft, facts, case.moment)),
            Against::Base { base, draft } => {
                (self.ask(base, facts, case.moment), self.ask(draft, facts, case.moment))
            }
            Against::Earlier(earlier) => (self.ask(earlier, facts, case.moment), Rc::clone(&recorded)),
        };
        let used = RecordedUse::of(case, facts, &recorded);
        if let Some(amended) = &mut self.replay.amended {
            *amended.counts.entry(used.flip(&recorded, &before)).or_default() += tally.count;
        }
        let flip = used.flip(&before, &after);
        self.count(tally.count, flip, facts, &after, &used.changed(&before, &after));
        if flip != Flip::Same {
            self.example(tally, flip, facts, &before, &after);
        }
        self.see(facts, &before, &after);
    }

    fn ask(&mut self, book: &'a Rulebook, facts: &UseFacts, moment: Moment) -> Rc<Verdict> {
        self.asked.entry(book.version()).or_insert_with(|| Asked::new(book)).verdict(facts, moment)
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
        let changed = flip::changed(before, after, 0..facts.groups.len());
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

/// The clauses that decide what is changed: of the changed groups, or of the refusal.
fn clauses(after: &Verdict, changed: &[usize]) -> Clauses {
    let of_groups = changed.iter().filter_map(|place| after.groups.get(*place));
    let mut all: Clauses = of_groups.flat_map(|(_, clauses)| clauses.iter().cloned()).collect();
    if let Some(refused) = &after.refused {
        all.extend(refused.iter().cloned());
    }
    all
}
