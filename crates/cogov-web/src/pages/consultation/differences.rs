//! Differences of amendments: anybody may ask, and long texts take a core and memory for a while. Each is made once as
//! long as it is remembered, in few places, and no visitor has them all.

use crate::failure::Failure;
use cogov_app::{DiffKind, Network, diff};
use cogov_model::{ConsultationId, Contribution, Text};
use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Clauses whose amendments are compared at once.
static PLACES: Semaphore = Semaphore::const_new(2);
/// Lanes to the places, with room for one each: a visitor always comes in the same one, so that what others ask comes
/// between two things that one asks.
static LANES: [Semaphore; 64] = [const { Semaphore::const_new(1) }; 64];
/// Bits of an address that are one visitor, as far as an address of IPv6 goes: what one customer has at least.
const VISITOR: u8 = 64;

/// Differences that are remembered, and their bytes together, about; beyond them the oldest are made again.
const MOST: (usize, usize) = (2_000, 16 << 20);

/// Hashes that nobody can choose from outside.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);

/// A stretch of a difference: the element that marks it and its words.
pub struct Stretch {
    /// Whether it was removed.
    pub removed: bool,
    /// Whether it was added.
    pub added: bool,
    /// The words.
    pub text: String,
}

/// A difference, stretch by stretch.
pub type Change = Arc<[Stretch]>;

/// A place at comparing, and the lane to it.
pub struct Place {
    _place: SemaphorePermit<'static>,
    _lane: SemaphorePermit<'static>,
}

/// Waits for a place, after what the same visitor asked before.
pub async fn place(from: IpAddr) -> Result<Place, Failure> {
    let lane = LANES.get(lane_of(from)).ok_or_else(|| Failure::broken("there is no such lane"))?;
    let lane = lane.acquire().await.map_err(Failure::broken)?;
    let place = PLACES.acquire().await.map_err(Failure::broken)?;
    Ok(Place { _place: place, _lane: lane })
}

fn lane_of(from: IpAddr) -> usize {
    let hash = HASHES.hash_one(Network::around(from, VISITOR));
    usize::try_from(hash % LANES.len() as u64).unwrap_or_default()
}

/// The difference that a contribution proposes, where it is at hand; what proposes none has an empty one.
pub fn known(contribution: &Contribution, clause: &Text) -> Option<Change> {
    match &contribution.proposed {
        Some(proposed) => made().by.get(&key(contribution, clause, proposed)).cloned(),
        None => Some(Change::default()),
    }
}

/// The difference that a contribution proposes, made where nobody made it before.
pub fn of(contribution: &Contribution, clause: &Text) -> Change {
    if let Some(known) = known(contribution, clause) {
        return known;
    }
    let proposed = contribution.proposed.as_deref().unwrap_or_default();
    let change: Change = change(clause, proposed).into();
    made().keep(key(contribution, clause, proposed), &change, MOST);
    change
}

/// The consultation, the contribution's number, and a hash of both texts.
type Key = (ConsultationId, u64, u64);

fn key(contribution: &Contribution, clause: &Text, proposed: &str) -> Key {
    let texts = HASHES.hash_one((&clause.en, &clause.zh, proposed));
    (contribution.consultation.clone(), contribution.number, texts)
}

/// What was made, the oldest first.
#[derive(Default)]
struct Made {
    by: HashMap<Key, Change>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Made {
    fn keep(&mut self, key: Key, change: &Change, (most, room): (usize, usize)) {
        if self.by.insert(key.clone(), Arc::clone(change)).is_some() {
            // Two made the same at once.
            return;
        }
        self.bytes += bytes(change);
        self.order.push_back(key);
        while (self.order.len() > most || self.bytes > room)
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(gone) = self.by.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(bytes(&gone));
            }
        }
    }
}

fn bytes(change: &Change) -> usize {
    change.iter().map(|stretch| size_of::<Stretch>() + stretch.text.capacity()).sum()
}

fn made() -> MutexGuard<'static, Made> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An amendment against the version of the clause that it is closest to: people write in either language.
pub fn change(clause: &Text, proposed: &str) -> Vec<Stretch> {
    let against = |old: &str| {
        let parts = diff(old, proposed);
        let same: usize =
            parts.iter().filter(|part| part.kind == DiffKind::Same).map(|part| part.text.len()).sum();
        (same, parts)
    };
    let candidates = [&clause.en, &clause.zh].into_iter().filter(|words| !words.is_empty());
    let best = candidates.map(|words| against(words)).max_by_key(|(same, _)| *same);
    let parts = best.map(|(_, parts)| parts).unwrap_or_default();
    parts
        .into_iter()
        .map(|part| Stretch {
            removed: part.kind == DiffKind::Removed,
            added: part.kind == DiffKind::Added,
            text: part.text,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cogov_model::{ContributionKind, Standing, Tally, Timestamp};
    use futures::FutureExt;

    fn amendment(number: u64, proposed: &str) -> Contribution {
        Contribution {
            consultation: "c-differences".parse().unwrap(),
            number,
            kind: ContributionKind::Amendment,
            clause: Some("art-1".parse().unwrap()),
            words: "Why".into(),
            proposed: Some(proposed.into()),
            participant: 0,
            at: Timestamp::from_millis(0),
            entry: number + 10,
            standing: Standing::Shown,
            answer: None,
            tally: Tally { agree: 0, disagree: 0, pass: 0 },
        }
    }

    #[test]
    fn a_difference_is_made_once_for_the_same_texts() {
        let clause = Text::new("Over at least ten persons.", "至少十人。");
        let twenty = amendment(1, "Over at least twenty persons.");
        assert!(known(&twenty, &clause).is_none());
        let first = of(&twenty, &clause);
        assert!(first.iter().any(|part| part.added && part.text == "twenty"));
        assert!(Arc::ptr_eq(&first, &of(&twenty, &clause)));
        let other = Text::new("Over at least five persons.", "至少五人。");
        assert!(known(&twenty, &other).is_none(), "another clause");
        assert!(known(&amendment(2, "Over at least twenty persons."), &clause).is_none(), "another one");
        assert!(known(&amendment(1, "Over at least thirty persons."), &clause).is_none(), "other words");
    }

    #[test]
    fn the_oldest_give_way() {
        let change = |text: &str| -> Change {
            vec![Stretch { removed: false, added: true, text: text.to_owned() }].into()
        };
        let key = |number: u64| -> Key { ("c-differences".parse().unwrap(), number, 0) };
        let mut made = Made::default();
        for number in 0..5 {
            made.keep(key(number), &change("a"), (3, 1 << 20));
            made.keep(key(number), &change("a"), (3, 1 << 20));
        }
        let kept = |made: &Made| -> Vec<u64> {
            (0..6).filter(|number| made.by.contains_key(&key(*number))).collect()
        };
        assert_eq!((kept(&made), made.order.len()), (vec![2, 3, 4], 3));
        let one = bytes(&change("a"));
        assert_eq!(made.bytes, 3 * one);
        made.keep(key(5), &change("a"), (3, 2 * one));
        assert_eq!((kept(&made), made.bytes), (vec![4, 5], 2 * one));
        // What is larger than the room is not kept.
        made.keep(key(6), &change(&"a".repeat(4 * one)), (3, 2 * one));
        assert_eq!((made.by.len(), made.order.len(), made.bytes), (0, 0, 0));
    }

    #[tokio::test]
    async fn one_visitor_has_one_place() {
        let one: IpAddr = "2001:db8:1:2::1".parse().unwrap();
        let same: IpAddr = "2001:db8:1:2::ffff".parse().unwrap();
        let other = (1..=255).map(|n| IpAddr::from([192, 0, 2, n])).find(|ip| lane_of(*ip) != lane_of(one));
        let held = place(one).await.unwrap();
        assert!(place(same).now_or_never().is_none(), "it waits for what it asked before");
        drop(place(other.unwrap()).await.unwrap());
        drop(held);
        drop(place(same).await.unwrap());
    }
}
