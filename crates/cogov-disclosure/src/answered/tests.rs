//! What follows from what was answered, against brute force and against those who aim at it.

use super::*;
use proptest::prelude::*;

fn memory(persons: u32, k: u64) -> Answered {
    let mut memory = Answered::new(People { count: u64::from(persons), ..People::default() });
    assert!(memory.raise(k));
    memory
}

fn set(rows: impl IntoIterator<Item = u32>) -> QuerySet {
    QuerySet::new(rows.into_iter().collect()).unwrap()
}

/// Asks as the engine does: small groups first of all, then the memory. True when the figure is shown.
fn ask(memory: &mut Answered, rows: impl IntoIterator<Item = u32>) -> bool {
    let set = set(rows);
    if set.rows().len() < memory.groups() {
        return false;
    }
    match memory.weigh(&set, &Story::default()) {
        Verdict::Tight => match memory.searched_anew(&set, &Story::default()) {
            Some(anew) => {
                *memory = anew;
                true
            }
            None => false,
        },
        Verdict::Known => true,
        Verdict::New(extension) => {
            memory.take(extension);
            true
        }
        Verdict::Hidden | Verdict::Full => false,
    }
}

#[test]
fn differences_of_few_persons_are_hidden() {
    let mut m = memory(1000, 10);
    assert!(ask(&mut m, 0..500));
    assert!(!ask(&mut m, (0..500).filter(|row| *row != 5)), "one person less");
    assert!(!ask(&mut m, 0..509), "nine persons more");
    assert!(ask(&mut m, 0..510), "ten persons more");
    assert!(ask(&mut m, 10..510), "ten persons less");
    assert!(ask(&mut m, 0..500), "the same again");
    assert!(ask(&mut m, 0..10) && ask(&mut m, 500..510), "what follows from two answers");
    assert!(ask(&mut m, 100..300));
    assert!(!ask(&mut m, (0..100).chain(301..500)), "three together tell of one");
    assert!(!ask(&mut m, (0..101).chain(300..500)), "so do these");
    assert!(ask(&mut m, (0..100).chain(300..500)));
}

#[test]
fn a_person_with_many_rows_is_one_person() {
    let of_row = (0..100).map(|row| row / 10).collect();
    let mut m = Answered::new(People { count: 10, of_row, ..People::default() });
    assert!(m.raise(5));
    assert!(ask(&mut m, 0..100));
    assert!(!ask(&mut m, 0..70), "thirty rows of three persons less");
    assert!(ask(&mut m, 0..50));
}

#[test]
fn repeated_rows_count_as_often_as_they_stand() {
    let mut m = memory(100, 10);
    assert!(ask(&mut m, 0..50));
    assert!(!ask(&mut m, (0..50).chain([7])), "person 7 twice");
    assert!(ask(&mut m, (0..50).chain(0..50)), "everybody twice is no news");
}

#[test]
fn a_dependence_modulo_a_known_prime_is_none() {
    // With S(i + 1) = F(i) − 2^e·S(i) eleven figures lead from one person to ± 2⁶⁰ of it; twice that and once more is
    // 2⁶¹ − 1 times the person, which is nothing modulo that prime, and everything otherwise.
    let block = |i: u32| if i == 0 { 0..1 } else { (i * 10 - 9)..(i * 10 + 1) };
    let times = |rows: std::ops::Range<u32>, n: u32| (0..n).flat_map(move |_| rows.clone());
    let mut m = memory(1000, 10);
    for i in 0..11 {
        let often = if i < 9 { 64 } else { 8 };
        assert!(ask(&mut m, times(block(i), often).chain(block(i + 1))), "{i}");
    }
    assert!(!ask(&mut m, times(block(11), 2).chain(block(0))));
}

#[test]
fn rows_cannot_be_chosen_for_their_weights() {
    // Found for weights that were public once: theirs add up to nothing modulo 2⁶¹ − 1.
    let few = [1359, 2331, 3717, 4210, 7075, 8337, 10179, 11185];
    let mut m = memory(12_000, 10);
    assert!(ask(&mut m, 0..12_000));
    assert!(!ask(&mut m, (0..12_000).filter(|row| !few.contains(row))));
}

#[test]
fn tables_and_their_totals_go_together() {
    let mut m = memory(10_000, 10);
    for column in [7, 11, 13] {
        for value in 0..column {
            assert!(ask(
                &mut m,
                (0..10_000).filter(|row| row * row % column == value || row % column == value)
            ));
        }
    }
    assert!(ask(&mut m, 0..10_000));
    let before = m.figures().len();
    assert!(ask(&mut m, 0..10_000));
    assert_eq!(m.figures().len(), before);
    assert!(m.raise(20), "a greater minimum group is found afterwards");
}

/// The rank of rows modulo the prime.
fn rank(mut rows: Vec<Vec<Residue>>) -> usize {
    let (mut rank, width) = (0, rows.first().map_or(0, Vec::len));
    for column in 0..width {
        let Some(found) = (rank..rows.len()).find(|r| !rows[*r][column].is_zero()) else { continue };
        rows.swap(rank, found);
        let pivot = rows[rank].clone();
        for row in rows.iter_mut().skip(rank + 1) {
            let multiple = row[column].times(pivot[column].inverse());
            for (value, pivot) in row.iter_mut().zip(&pivot) {
                *value = value.minus(multiple.times(*pivot));
            }
        }
        rank += 1;
    }
    rank
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    /// Against brute force over all sets D of persons: the independent answers about D alone are at most |D| / k.
    #[test]
    fn no_set_of_persons_is_told_too_much(
        k in 2..5_u64,
        asked in proptest::collection::vec(proptest::collection::vec(0..12_u32, 3..14), 1..12),
    ) {
        let mut m = memory(12, k);
        for rows in asked {
            ask(&mut m, rows);
        }
        let rows = |outside: u32| -> Vec<Vec<Residue>> {
            let of = |figure: &Figure| (0..12).filter(|e| outside >> e & 1 == 1).map(|e| figure.set.times(e)).collect();
            m.figures().iter().map(of).collect()
        };
        let all = rank(rows(0xfff));
        prop_assert_eq!(all, m.figures().len());
        for inside in 0..1_u32 << 12 {
            let about = all - rank(rows(!inside & 0xfff));
            prop_assert!(about as u64 * k <= u64::from(inside.count_ones()), "{about} about {inside:b}");
        }
    }
}
