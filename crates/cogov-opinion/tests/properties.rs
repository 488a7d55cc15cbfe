//! What must hold whatever the votes are: no order, no thread, no repetition and no history changes a picture.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_opinion::{
    Cast, Class, Conversation, Counts, Map, Participant, Picture, Statement, StatementId, Verdict, Vote,
    Votes,
};
use common::{camps, chance, shuffled};
use proptest::prelude::*;

/// Classes that participants declare, some of them.
fn classes(participants: u64) -> Vec<(Participant, Class)> {
    (0..participants).step_by(3).map(|p| (Participant(p), Class::ALL[(p % 5) as usize])).collect()
}

fn picture(casts: &[Cast]) -> Picture {
    Picture::of(&Conversation::new([], casts, classes(200)))
}

/// Casts of a few people on a few statements, with revotes and casts of the same moment.
fn some_casts() -> impl Strategy<Value = Vec<Cast>> {
    let cast = (0..30_u64, 0..12_u64, 0..1000_u64, -1..=1_i8).prop_map(|(p, s, sequence, vote)| Cast {
        participant: Participant(p * 977),
        statement: StatementId(s * 31),
        sequence,
        vote: Vote::of_number(vote),
    });
    proptest::collection::vec(cast, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_casts_does_not_matter(casts in some_casts(), seed: u64) {
        prop_assert_eq!(picture(&casts), picture(&shuffled(&casts, seed)));
    }

    #[test]
    fn casts_taken_twice_change_nothing(casts in some_casts()) {
        let twice: Vec<Cast> = casts.iter().chain(&casts).copied().collect();
        prop_assert_eq!(picture(&casts), picture(&twice));
        let mut map = Map::new(Conversation::new([], &casts, []));
        for cast in &casts {
            prop_assert!(!map.cast(*cast));
        }
    }

    #[test]
    fn taking_votes_one_by_one_gives_what_starting_over_gives(casts in some_casts(), stop in 0..400_usize) {
        let mut map = Map::new(Conversation::new([], &[], classes(200)));
        for (at, cast) in casts.iter().enumerate() {
            map.cast(*cast);
            if at % 97 == stop % 97 {
                map.picture();
            }
            if at % 31 == stop % 31 {
                let totals: Vec<_> = map.glance().statements.iter().map(|view| view.total).collect();
                let anew = picture(&casts[..=at]);
                prop_assert_eq!(totals, anew.statements.iter().map(|view| view.total).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(map.picture(), &picture(&casts));
        let mut votes = Votes::default();
        for cast in &casts {
            votes.cast(*cast);
        }
        prop_assert_eq!(&votes, &Votes::new([], &casts));
    }

    #[test]
    fn numbers_in_a_picture_are_what_they_say(casts in some_casts()) {
        let picture = picture(&casts);
        for view in &picture.statements {
            for share in [view.across_groups, view.across_classes, view.bridging.0, view.rejected.0] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
            prop_assert!(view.priority.is_finite() && view.priority >= 0.0 && view.spread.is_finite());
        }
        for position in &picture.positions {
            prop_assert!(position.at.iter().chain(&position.unsure).all(|x| x.is_finite()));
        }
    }
}

#[test]
fn an_empty_conversation_has_an_empty_picture() {
    assert_eq!(Votes::default(), Votes::new([], &[]));
    let picture = picture(&[]);
    assert_eq!((picture.participants, picture.votes, picture.statements.len()), (0, 0, 0));
    assert_eq!(picture.grouping.verdict, Verdict::TooFew);
    let silent = Picture::of(&Conversation::new([Statement::new(StatementId(1))], &[], []));
    assert!(silent.statements[0].priority > 0.0 && silent.bridging.is_empty());
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let casts = camps(1500, 60, 3, 0.4, 5);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| picture(&casts))
    };
    let one = with(1);
    assert_eq!(one.groups.as_ref().map(Vec::len), Some(3));
    for threads in [2, 5, 16] {
        assert_eq!(with(threads), one, "{threads} threads");
    }
}

#[test]
fn beyond_the_sample_one_more_vote_gives_what_starting_over_gives() {
    let casts = camps(8_400, 30, 2, 0.3, 6);
    let mut map = Map::new(Conversation::new([], &casts, []));
    let before = map.picture().clone();
    assert_eq!(before.groups.as_ref().map(Vec::len), Some(2));
    let mut all = casts;
    for number in 0..6_u64 {
        // Some of these people are in the sample, some are not, one is new.
        let participant = if number == 5 { 100_000 } else { number * 1_399 };
        let cast = Cast {
            participant: Participant(participant),
            statement: StatementId(number * 5),
            sequence: u64::MAX - 10 + number,
            vote: Vote::of_number((number % 3) as i8 - 1),
        };
        map.cast(cast);
        all.push(cast);
        assert_eq!(map.picture(), &Picture::of(&Conversation::new([], &all, [])), "vote {number}");
    }
}

/// What each group says of each statement, counted one by one from where people are said to stand.
fn recounted(glance: &Picture, casts: &Votes, groups: usize) -> Vec<Vec<Counts>> {
    let mut counts = vec![vec![Counts::default(); groups]; casts.statements().len()];
    for cast in casts.casts() {
        let column = casts.column(cast.statement).unwrap();
        if let Some(group) = glance.position(cast.participant).unwrap().group {
            let count = &mut counts[column][usize::from(group)];
            match cast.vote {
                Vote::Agree => count.agree += 1,
                Vote::Disagree => count.disagree += 1,
                Vote::Pass => count.pass += 1,
            }
        }
    }
    counts
}

#[test]
fn a_glance_counts_every_vote_and_places_who_cast_it() {
    let mut all = camps(3_000, 30, 2, 0.5, 6);
    let mut map = Map::new(Conversation::new([], &all, classes(2_000)));
    assert_eq!(map.picture().groups.as_ref().map(Vec::len), Some(2));
    let friend = map.picture().positions[1].group;
    // One new person says all that participant 1 says, others change their minds.
    let said: Vec<Cast> = all.iter().filter(|cast| cast.participant.0 == 1).copied().collect();
    let new = said.iter().map(|cast| Cast { participant: Participant(90_000), ..*cast });
    let turned = (0..40_u64).map(|number| Cast {
        participant: Participant(number * 71),
        statement: StatementId(number % 30),
        sequence: 0,
        vote: Vote::of_number((number % 3) as i8 - 1),
    });
    for (at, cast) in new.chain(turned).enumerate() {
        let cast = Cast { sequence: u64::MAX - 1_000 + at as u64, ..cast };
        let changed = map.cast(cast);
        all.push(cast);
        let votes = Votes::new([], &all);
        let glance = map.glance().clone();
        let groups = glance.groups.as_ref().unwrap();
        assert!(!map.is_settled() || !changed);
        assert_eq!((glance.participants, glance.votes), (votes.participants().len(), votes.len()));
        let by_group: Vec<Vec<Counts>> = glance.statements.iter().map(|view| view.groups.clone()).collect();
        assert_eq!(by_group, recounted(&glance, &votes, groups.len()), "vote {at}");
        if at % 10 == 0 {
            let anew = Picture::of(&Conversation::new([], &all, classes(2_000)));
            for (view, other) in glance.statements.iter().zip(&anew.statements) {
                assert_eq!((view.total, view.classes), (other.total, other.classes));
            }
        }
        for (number, group) in groups.iter().enumerate() {
            let members = glance.positions.iter().filter(|p| p.group == Some(number as u8)).count();
            assert_eq!((group.size, group.classes.iter().sum()), (members, members));
        }
    }
    assert_eq!(map.glance().position(Participant(90_000)).unwrap().group, friend);
    // A statement that is new is counted too, whether it is announced or only voted on.
    map.state(Statement::new(StatementId(500)));
    for statement in [500, 501] {
        let cast = Cast { statement: StatementId(statement), sequence: u64::MAX, ..said[0] };
        assert!(map.cast(cast));
        all.push(cast);
        let view = map.glance().statement(StatementId(statement)).unwrap().clone();
        assert_eq!((view.total.seen(), view.priority > 0.0), (1, true));
    }
    assert!(!map.is_settled());
    let settled = Picture::of(&Conversation::new([], &all, classes(2_000)));
    assert_eq!(map.unmade().picture(), &settled);
    assert_eq!(map.picture(), &settled);
    assert!(map.is_settled());
}

#[test]
fn groups_that_are_there_are_found() {
    for (groups, seed) in [(2_u64, 1), (2, 2), (3, 3), (3, 4), (4, 5)] {
        let picture = picture(&camps(400, 60, groups, 0.5, seed));
        let found = picture.groups.as_ref().unwrap_or_else(|| panic!("{:?}", picture.grouping));
        assert_eq!(found.len() as u64, groups, "{:?}", picture.grouping);
        let (own, true_ones): (Vec<u8>, Vec<u8>) = picture
            .positions
            .iter()
            .filter_map(|p| p.group.map(|group| (group, (p.participant.0 % groups) as u8)))
            .unzip();
        let index = cogov_opinion::map::cluster::rand_index(&own, &true_ones);
        assert!(index > 0.95, "{groups} groups, seed {seed}: {index}");
        assert!(found.iter().all(|group| !group.representative.is_empty()));
    }
}

#[test]
fn so_many_statements_that_each_has_few_votes_do_not_hide_groups() {
    let found = picture(&camps(9_000, 3_000, 3, 0.006, 7));
    assert_eq!(found.groups.as_ref().map(Vec::len), Some(3), "{:?}", found.grouping);
    let noise = picture(&common::noise(9_000, 3_000, 0.006, 8));
    assert_eq!(noise.grouping.verdict, Verdict::NotStable, "{:?}", noise.grouping);
}

#[test]
fn votes_without_structure_have_no_groups() {
    for (participants, statements, fill) in [(40, 20, 0.8), (150, 40, 0.5), (600, 80, 0.2)] {
        for seed in 0..10 {
            let picture = picture(&common::noise(participants, statements, fill, seed));
            assert!(
                picture.groups.is_none(),
                "{participants} × {statements}, seed {seed}: {:?}",
                picture.grouping
            );
            assert_eq!(picture.grouping.verdict, Verdict::NotStable);
        }
    }
}

/// Everybody likes statement 0; the one official rejects statement 1, which the public likes.
fn with_officials() -> (Vec<Cast>, Vec<(Participant, Class)>) {
    let officials = [1000, 1001, 1002];
    let mut casts = Vec::new();
    for participant in (0..300).chain(officials) {
        for statement in 0..10 {
            let vote = match statement {
                0 => Vote::Agree,
                1 if participant >= 1000 => Vote::Disagree,
                1 => Vote::Agree,
                _ if chance(&[participant, statement]) < 0.5 => Vote::Agree,
                _ => Vote::Disagree,
            };
            let (participant, statement) = (Participant(participant), StatementId(statement));
            casts.push(Cast { participant, statement, sequence: 1, vote });
        }
    }
    (casts, officials.map(|p| (Participant(p), Class::Official)).to_vec())
}

#[test]
fn a_small_class_counts_as_much_as_a_big_one() {
    let (casts, classes) = with_officials();
    let picture = Picture::of(&Conversation::new([], &casts, classes.clone()));
    assert!(picture.bridging.contains(&StatementId(0)));
    assert!(!picture.bridging.contains(&StatementId(1)), "three officials are not pooled away by 300 people");
    // Without classes they would be.
    assert!(Picture::of(&Conversation::new([], &casts, [])).bridging.contains(&StatementId(1)));

    // A crowd of the public changes what the public says, and nothing of what officials say.
    let crowd = (5_000..8_000).map(|p| Cast {
        participant: Participant(p),
        statement: StatementId(1),
        sequence: 1,
        vote: Vote::Agree,
    });
    let stuffed: Vec<Cast> = casts.iter().copied().chain(crowd).collect();
    let after = Picture::of(&Conversation::new([], &stuffed, classes));
    let (before, after) =
        (picture.statement(StatementId(1)).unwrap(), after.statement(StatementId(1)).unwrap());
    assert_eq!(before.classes[Class::Official.index()], after.classes[Class::Official.index()]);
    assert_eq!(before.across_classes, after.across_classes);
}

#[test]
fn hidden_statements_say_nothing_and_are_kept() {
    let casts = camps(120, 20, 2, 0.9, 9);
    let hidden = Statement { moderated_out: true, ..Statement::new(StatementId(3)) };
    let picture = Picture::of(&Conversation::new([hidden], &casts, []));
    let without: Vec<Cast> = casts.iter().filter(|c| c.statement != StatementId(3)).copied().collect();
    let other = Picture::of(&Conversation::new([], &without, []));
    let view = picture.statement(StatementId(3)).unwrap();
    assert!(view.total.seen() > 90 && view.priority == 0.0 && view.spread == 0.0);
    assert_eq!(picture.votes, other.votes);
    let groups = |picture: &Picture| picture.positions.iter().map(|p| p.group).collect::<Vec<_>>();
    assert_eq!(groups(&picture), groups(&other));
    let meta = Statement { meta: true, ..Statement::new(StatementId(4)) };
    let picture = Picture::of(&Conversation::new([meta], &casts, []));
    let listed = picture.bridging.iter().chain(&picture.rejected).chain(&picture.divisive);
    assert!(!listed.copied().any(|id| id == StatementId(4)));
    assert_eq!(picture.statement(StatementId(4)).unwrap().priority, 49.0);
}
