//! Replays: what was recorded decides as it decided, and counting cases is deciding one by one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Entry, EntryKind, Outcome, Timestamp, Treatment};
use cogov_rulebook::{
    Against, Books, Cases, Counts, Flip, Known, Moment, Replay, Rulebook, Rulings, UseFacts, Verdict, replay,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Changes of the shipped rulebook: what stands there, and what stands there instead.
const GRADES: (&str, &str) =
    ("resource.grade <= 2 && context.lane == \"share\"", "resource.grade <= 1 && context.lane == \"share\"");
const GROUPS: (&str, &str) = ("@min_group(\"10\")", "@min_group(\"25\")");
const PURPOSES: (&str, &str) = (
    "\"administration.verification\", \"administration.registry\", \"administration.service\"",
    "\"administration.verification\", \"administration.registry\", \"administration.eligibility\"",
);

/// The shipped rulebook with some changes.
fn changed(changes: &[(&str, &str)]) -> Rulebook {
    let source = common::file("rulebooks/decree-809.md");
    let source = changes.iter().fold(source, |source, (old, new)| {
        assert!(source.contains(old), "{old}");
        source.replace(old, new)
    });
    Rulebook::parse(&source, None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn draft() -> Rulebook {
    changed(&[GRADES, GROUPS, PURPOSES])
}

fn entry(facts: &str, moment: Moment, rulebook: &Rulebook, outcome: Outcome) -> Entry {
    let mut named = BTreeMap::from([
        ("facts".to_owned(), facts.to_owned()),
        ("days_left".to_owned(), moment.days_left.to_string()),
    ]);
    if let Some(idle) = moment.idle {
        named.insert("idle".to_owned(), idle.code().to_owned());
    }
    Entry {
        kind: EntryKind::Decision,
        at: Timestamp::from_millis(0),
        parties: Vec::new(),
        datasets: Vec::new(),
        grant: None,
        rulebook: Some(rulebook.version().clone()),
        clauses: cogov_model::Clauses::new(),
        outcome,
        follows: None,
        facts: named,
        sealed: BTreeMap::new(),
    }
}

#[test]
fn recorded_facts_decide_as_the_use_did() {
    let world = common::world();
    let draft = draft();
    let mut known = Rulings::new();
    for book in [&world.rulebook, &draft] {
        known.clear();
        for id in world.grants.keys() {
            for party in ["north", world.grants[id].party.as_str()] {
                for days in [-400, -1, 0, 3, 200, 400] {
                    let ask = world.ask(id, party, days);
                    let preview = book.preview(&ask);
                    // Through the record: what is read back is what was written.
                    let facts: UseFacts =
                        serde_json::from_str(&serde_json::to_string(&UseFacts::of(&ask)).unwrap()).unwrap();
                    let verdict = book.verdict(&facts, Moment::of(&ask), &mut known);
                    assert_eq!(verdict.refused, preview.refusal.map(|r| r.clauses), "{id} {party} {days}");
                    let mut columns = 0;
                    for (group, (treatment, clauses)) in facts.groups.iter().zip(&verdict.groups) {
                        for column in &group.columns {
                            let ruling = &preview.rulings[column];
                            assert_eq!(
                                (ruling.treatment, &ruling.clauses),
                                (*treatment, clauses),
                                "{id} {column}"
                            );
                            columns += 1;
                        }
                    }
                    assert_eq!(columns, preview.rulings.len());
                }
            }
        }
    }
}

/// How one decision differs, said once more without looking at the code under test.
fn differs(before: &Verdict, after: &Verdict) -> Flip {
    let all = before.groups.iter().zip(&after.groups);
    let pairs: Vec<(Treatment, Treatment)> =
        all.map(|((a, _), (b, _))| (*a, *b)).filter(|(a, b)| a != b).collect();
    match (&before.refused, &after.refused) {
        (Some(_), Some(_)) => Flip::Same,
        (Some(_), None) => Flip::DenyToPermit,
        (None, Some(_)) => Flip::PermitToDeny,
        (None, None) if pairs.is_empty() => Flip::Same,
        (None, None) if pairs.iter().any(|(_, b)| *b == Treatment::Withhold) => Flip::PermitToDeny,
        (None, None) if pairs.iter().all(|(a, b)| a.stricter(*b) == *b) => Flip::Stricter,
        (None, None) if pairs.iter().all(|(a, b)| a.stricter(*b) == *a) => Flip::Looser,
        (None, None) => Flip::Mixed,
    }
}

#[test]
fn counting_cases_is_deciding_one_by_one() {
    let world = common::world();
    let (draft, today) = (draft(), Arc::new(world.rulebook.clone()));
    let mut ids: Vec<_> = world.grants.keys().cloned().collect();
    ids.sort();
    let (mut cases, mut facts) = (Cases::default(), HashMap::new());
    let mut counts = Counts::new();
    for n in 0..1500_u64 {
        let id = &ids[(n % ids.len() as u64) as usize];
        let ask = world.ask(id, world.grants[id].party.as_str(), (n % 37) as i64 * 20 - 100);
        let (used, moment) = (UseFacts::of(&ask), Moment::of(&ask));
        // Each by itself: nothing is remembered from one decision to the next.
        let before = today.verdict(&used, moment, &mut Rulings::new());
        let after = draft.verdict(&used, moment, &mut Rulings::new());
        *counts.entry(differs(&before, &after)).or_default() += 1;
        let outcome = if before.refused.is_some() { Outcome::Deny } else { Outcome::Permit };
        facts.entry(id.clone()).or_insert_with(|| Arc::new(used));
        cases.add(n, &entry(id, moment, &today, outcome), None);
    }
    let books = Books::from([(today.version().clone(), Arc::clone(&today))]);
    let found = replay(&cases, Known { facts: &facts, books: &books }, Against::Draft(&draft));
    assert_eq!((found.replayed(), found.skipped, found.disagreeing), (1500, 0, 0));
    assert_eq!(found.counts, counts);
    assert!(found.changed() > 0 && counts.len() >= 3, "the draft changes several things: {counts:?}");
    for by in [
        found.by_class.values().flat_map(|c| c.values()).sum::<u64>(),
        found.by_region.values().flat_map(|c| c.values()).sum(),
    ] {
        assert_eq!(by, 1500, "every decision has one class and one region");
    }
    for example in &found.examples {
        assert_ne!(example.flip, Flip::Same);
        assert!(!example.clauses.is_empty());
    }
    // Beside the rulebook that decided, a draft changes what it changes beside the record.
    let against = Against::Base { base: &today, draft: &draft };
    let beside = replay(&cases, Known { facts: &facts, books: &books }, against);
    assert_eq!(beside.amended.as_ref().unwrap().counts, Counts::from([(Flip::Same, 1500)]));
    assert_eq!(Replay { amended: None, ..beside }, found);
    // Backwards: what today's rules would have said of decisions by the draft.
    let back = replay(&cases, Known { facts: &facts, books: &books }, Against::Earlier(&draft));
    assert_eq!(back.changed(), found.changed());
}

#[test]
fn only_the_columns_that_a_query_used_count_and_refusals_of_the_engine_are_left_open() {
    let world = common::world();
    let (draft, today) = (draft(), Arc::new(world.rulebook.clone()));
    let books = Books::from([(today.version().clone(), Arc::clone(&today))]);
    let mut some = 0;
    for (id, grant) in &world.grants {
        let ask = world.ask(id, grant.party.as_str(), 0);
        let (used, moment) = (UseFacts::of(&ask), Moment::of(&ask));
        let before = today.verdict(&used, moment, &mut Rulings::new());
        let after = draft.verdict(&used, moment, &mut Rulings::new());
        if before.refused.is_some() || after.refused.is_some() {
            continue;
        }
        let facts = HashMap::from([(id.clone(), Arc::new(used.clone()))]);
        let flip = |places: Option<&str>, engine: bool| {
            let mut cases = Cases::default();
            let outcome = if engine { Outcome::Deny } else { Outcome::Permit };
            let mut entry = entry(id, moment, &today, outcome);
            if engine {
                entry.facts.insert("refused_by".to_owned(), "engine".to_owned());
            }
            cases.add(0, &entry, places);
            let found = replay(&cases, Known { facts: &facts, books: &books }, Against::Draft(&draft));
            assert_eq!(found.disagreeing, 0);
            *found.counts.keys().next().unwrap()
        };
        assert_eq!(flip(Some(""), false), Flip::Same, "a query that uses no column");
        for place in 0..used.groups.len() {
            let same = before.groups[place].0 == after.groups[place].0;
            assert_eq!(flip(Some(&place.to_string()), false) == Flip::Same, same, "{id} {place}");
            some += usize::from(!same);
        }
        let all_same = before.groups.iter().zip(&after.groups).all(|(a, b)| a.0 == b.0);
        assert_eq!(flip(None, true), if all_same { Flip::Same } else { Flip::AskAgain });
    }
    assert!(some > 0);
}

/// Somebody asks for one group of a grant's columns on some day.
struct Request {
    grant: String,
    facts: Arc<UseFacts>,
    moment: Moment,
    place: usize,
}

impl Request {
    fn verdict(&self, book: &Rulebook) -> Verdict {
        // Each by itself: nothing is remembered from one decision to the next.
        book.verdict(&self.facts, self.moment, &mut Rulings::new())
    }

    fn withheld(&self, verdict: &Verdict) -> bool {
        verdict.groups[self.place].0 == Treatment::Withhold
    }

    /// Decides and records it, with the place that it used where that is known. False where the columns do not
    /// exist: then there is no decision.
    fn record(&self, book: &Rulebook, index: u64, cases: &mut Cases) -> bool {
        let verdict = self.verdict(book);
        let refused = verdict.refused.is_some();
        if !refused && self.withheld(&verdict) {
            return false;
        }
        let outcome = if refused { Outcome::Deny } else { Outcome::Permit };
        let used = (!refused).then(|| self.place.to_string());
        cases.add(index, &entry(&self.grant, self.moment, book, outcome), used.as_deref());
        true
    }

    /// How it differs, said once more: when the place that it used is known, and when it is not.
    fn differs(&self, known: bool, before: &Verdict, after: &Verdict) -> Flip {
        if !known {
            let treatments = |verdict: &Verdict| -> Vec<Treatment> {
                verdict.groups.iter().map(|(treatment, _)| *treatment).collect()
            };
            return match (&before.refused, &after.refused) {
                (Some(_), Some(_)) => Flip::Same,
                (Some(_), None) => Flip::DenyToPermit,
                (None, Some(_)) => Flip::PermitToDeny,
                (None, None) if treatments(before) == treatments(after) => Flip::Same,
                (None, None) => Flip::AskAgain,
            };
        }
        let of = |verdict: &Verdict| match verdict.refused {
            Some(_) => Treatment::Withhold,
            None => verdict.groups[self.place].0,
        };
        match (of(before), of(after)) {
            (a, b) if a == b => Flip::Same,
            (Treatment::Withhold, _) => Flip::DenyToPermit,
            (_, Treatment::Withhold) => Flip::PermitToDeny,
            (a, b) if a.stricter(b) == b => Flip::Stricter,
            (a, b) if b.stricter(a) == a => Flip::Looser,
            _ => Flip::Mixed,
        }
    }
}

/// Requests of every grant, over days before, in and after its term, for each of its groups.
fn requests(world: &common::World) -> Vec<Request> {
    let mut ids: Vec<_> = world.grants.keys().cloned().collect();
    ids.sort();
    let request = |n: usize| {
        let id = &ids[n % ids.len()];
        let ask = world.ask(id, world.grants[id].party.as_str(), (n % 37) as i64 * 20 - 100);
        let facts = Arc::new(UseFacts::of(&ask));
        let place = n / ids.len() % facts.groups.len();
        Request { grant: id.clone(), moment: Moment::of(&ask), facts, place }
    };
    (0..1500).map(request).collect()
}

fn facts_of(requests: &[Request]) -> HashMap<String, Arc<UseFacts>> {
    requests.iter().map(|request| (request.grant.clone(), Arc::clone(&request.facts))).collect()
}

/// The shipped rulebook, an amendment of it, and a draft on that which takes it back and changes something else.
fn three() -> (Arc<Rulebook>, Arc<Rulebook>, Arc<Rulebook>, Books) {
    let old = Arc::new(common::rulebook());
    let (base, draft) = (Arc::new(changed(&[GROUPS])), Arc::new(changed(&[GRADES])));
    let all = [&old, &base, &draft].map(|book| (book.version().clone(), Arc::clone(book)));
    (old, base, draft, Books::from(all))
}

#[test]
fn beside_its_base_counting_cases_is_deciding_one_by_one() {
    let (old, base, draft, books) = three();
    let requests = requests(&common::world());
    let (mut cases, mut recorded) = (Cases::default(), 0);
    let (mut counts, mut amended) = (Counts::new(), Counts::new());
    for (n, request) in requests.iter().enumerate() {
        // Two of three were decided before the amendment, one after it.
        let decided = if n % 3 == 0 { &base } else { &old };
        if !request.record(decided, n as u64, &mut cases) {
            continue;
        }
        recorded += 1;
        let [then, before, after] = [decided, &base, &draft].map(|book| request.verdict(book));
        let known = then.refused.is_none();
        *counts.entry(request.differs(known, &before, &after)).or_default() += 1;
        *amended.entry(request.differs(known, &then, &before)).or_default() += 1;
    }
    let facts = facts_of(&requests);
    let known = Known { facts: &facts, books: &books };
    let found = replay(&cases, known, Against::Base { base: &base, draft: &draft });
    assert_eq!((found.replayed(), found.skipped, found.disagreeing), (recorded, 0, 0));
    assert_eq!(found.counts, counts);
    let apart = found.amended.as_ref().unwrap();
    assert_eq!((&apart.base, &apart.counts), (base.version(), &amended));
    assert!(apart.changed() > 0 && found.changed() > 0, "{amended:?} {counts:?}");
    // What the amendment changed and the draft takes back is nothing beside the record.
    let beside_the_record = replay(&cases, known, Against::Draft(&draft));
    assert!(found.counts[&Flip::Looser] > beside_the_record.counts.get(&Flip::Looser).copied().unwrap_or(0));
    assert_eq!(beside_the_record.amended, None);
}

#[test]
fn what_is_predicted_beside_the_base_is_what_the_draft_changes_once_it_holds() {
    let (old, base, draft, books) = three();
    let requests = requests(&common::world());
    let (mut recorded, mut later) = (Cases::default(), Cases::default());
    for (n, request) in requests.iter().enumerate() {
        let [then, before, after] = [&old, &base, &draft].map(|book| request.verdict(book));
        let refused = [&then, &before, &after].map(|verdict| verdict.refused.is_some());
        let gone = request.withheld(&before);
        let left_open = match refused {
            // Refused as a whole, nobody recorded what it wanted: only asking again tells how it is treated.
            [true, false, false] => true,
            // The columns do not exist under the base: what is refused later does not say that it wanted them.
            [false, false, true] => gone,
            _ => false,
        };
        // Where its columns do not exist a request is no decision, before or after.
        let exists = |verdict: &Verdict| verdict.refused.is_some() || !request.withheld(verdict);
        if left_open || !exists(&then) || !exists(&after) {
            continue;
        }
        assert!(
            request.record(&old, n as u64, &mut recorded) && request.record(&draft, n as u64, &mut later)
        );
    }
    let facts = facts_of(&requests);
    let known = Known { facts: &facts, books: &books };
    let predicted = replay(&recorded, known, Against::Base { base: &base, draft: &draft });
    let real = replay(&later, known, Against::Earlier(&base));
    assert_eq!((predicted.disagreeing, real.disagreeing), (0, 0));
    assert_eq!(predicted.counts, real.counts);
    assert_eq!(predicted.by_class, real.by_class);
    assert_eq!(predicted.by_region, real.by_region);
    assert_eq!(predicted.by_dataset, real.by_dataset);
    assert!(predicted.changed() > 0 && predicted.amended.as_ref().unwrap().changed() > 0);
    let beside_the_record = replay(&recorded, known, Against::Draft(&draft));
    assert_ne!(beside_the_record.counts, real.counts, "the record is another baseline");
}

#[test]
fn what_the_engine_refused_holds_where_the_treatments_are_those_that_it_saw() {
    let world = common::world();
    let (old, base) = (Arc::new(common::rulebook()), Arc::new(draft()));
    let books = Books::from([(old.version().clone(), Arc::clone(&old))]);
    let mut some = 0;
    for (id, grant) in &world.grants {
        let ask = world.ask(id, grant.party.as_str(), 0);
        let (used, moment) = (UseFacts::of(&ask), Moment::of(&ask));
        let [then, before] = [&old, &base].map(|book| book.verdict(&used, moment, &mut Rulings::new()));
        let same = then.groups.iter().zip(&before.groups).all(|(a, b)| a.0 == b.0);
        if then.refused.is_some() || before.refused.is_some() || same {
            continue;
        }
        let mut cases = Cases::default();
        let mut entry = entry(id, moment, &old, Outcome::Deny);
        entry.facts.insert("refused_by".to_owned(), "engine".to_owned());
        cases.add(0, &entry, None);
        let facts = HashMap::from([(id.clone(), Arc::new(used))]);
        let flip = |base: &Rulebook, draft: &Rulebook| {
            let found = replay(&cases, Known { facts: &facts, books: &books }, Against::Base { base, draft });
            *found.counts.keys().next().unwrap()
        };
        assert_eq!(flip(&old, &old), Flip::Same, "{id}");
        assert_eq!(flip(&old, &base), Flip::AskAgain, "{id}");
        assert_eq!(flip(&base, &old), Flip::AskAgain, "{id}");
        assert_eq!(flip(&base, &base), Flip::Same, "{id}: nobody knows, and it is the same");
        some += 1;
    }
    assert!(some > 0);
}
