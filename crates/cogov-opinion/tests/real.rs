//! Real conversations: predictions of held-out votes, groups that do not depend on order, exports.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_opinion::heldout::{HeldOut, held_out};
use cogov_opinion::map::cluster::rand_index;
use cogov_opinion::{Cast, Conversation, Participant, Picture, Statement, StatementId, Verdict};
use common::{casts, chance, conversation, published, shuffled, statements};

fn ours_is_best(held: &HeldOut) -> bool {
    held.factors.rmse < held.polis.rmse && held.factors.rmse < held.item_mean.rmse
}

#[test]
fn held_out_votes_are_predicted_best() {
    for name in ["brexit", "vtaiwan"] {
        let conversation = conversation(name);
        let held: Vec<HeldOut> = (0..5).map(|seed| held_out(&conversation, 0.1, seed)).collect();
        let best = held.iter().filter(|held| ours_is_best(held)).count();
        assert!(best >= 4, "{name}: best in {best} of 5: {held:#?}");
        let signs = |of: fn(&HeldOut) -> f64| held.iter().map(of).sum::<f64>();
        assert!(signs(|h| h.factors.signs) > signs(|h| h.polis.signs), "{name}: {held:#?}");
    }
}

/// Where a tenth is some sixty votes, one seed says little: the mean of forty does.
#[test]
fn votes_of_small_conversations_are_predicted_best_on_average() {
    for name in ["london", "pandemics", "polis-software", "transport"] {
        let conversation = Conversation::new([], &casts(name), []);
        let held: Vec<HeldOut> = (0..40).map(|seed| held_out(&conversation, 0.1, seed)).collect();
        let mean = |of: fn(&HeldOut) -> f64| held.iter().map(of).sum::<f64>() / held.len() as f64;
        let (ours, polis, item) =
            (mean(|h| h.factors.rmse), mean(|h| h.polis.rmse), mean(|h| h.item_mean.rmse));
        assert!(ours < polis && ours < item, "{name}: {ours} beside {polis} and {item}");
    }
}

/// Groups by participant.
fn groups(picture: &Picture) -> Vec<(u64, u8)> {
    picture.positions.iter().filter_map(|p| p.group.map(|group| (p.participant.0, group))).collect()
}

#[test]
fn groups_do_not_depend_on_the_order_of_rows() {
    for name in ["brexit", "vtaiwan"] {
        let original = groups(&Picture::of(&conversation(name)));
        for seed in 0..20 {
            let casts = shuffled(&casts(name), seed);
            let other = groups(&Picture::of(&Conversation::new(statements(name), &casts, [])));
            assert_eq!(original, other, "{name}");
        }
    }
}

/// Participants get other numbers, so that rows are in another order: the groups are the same people.
#[test]
fn groups_do_not_depend_on_the_numbers_of_participants() {
    for (name, times) in [("brexit", 20), ("vtaiwan", 5)] {
        let original: Vec<(u64, u8)> = groups(&Picture::of(&conversation(name)));
        for seed in 0..times {
            let other = |id: u64| (chance(&[seed, id]) * 1e15) as u64;
            let renamed: Vec<Cast> = casts(name)
                .iter()
                .map(|cast| Cast { participant: Participant(other(cast.participant.0)), ..*cast })
                .collect();
            let picture = Picture::of(&Conversation::new(statements(name), &renamed, []));
            let (a, b): (Vec<u8>, Vec<u8>) = original
                .iter()
                .map(|(id, group)| {
                    (*group, picture.position(Participant(other(*id))).unwrap().group.unwrap())
                })
                .unzip();
            assert_eq!(rand_index(&a, &b), 1.0, "{name}, seed {seed}");
        }
    }
}

#[test]
fn groups_are_like_the_published_ones() {
    for (name, least) in [("brexit", 0.8), ("vtaiwan", 0.45)] {
        let picture = Picture::of(&conversation(name));
        assert_eq!(picture.grouping.verdict, Verdict::Stable, "{name}");
        let theirs = published(name);
        let (a, b): (Vec<u8>, Vec<u8>) = groups(&picture)
            .iter()
            .filter_map(|(id, group)| theirs.get(id).map(|other| (*group, *other)))
            .unzip();
        assert!(a.len() > 150);
        let index = rand_index(&a, &b);
        assert!(index > least, "{name}: {index}");
    }
}

/// Twenty-four people are too few to say that they fall into groups, whatever may be drawn.
#[test]
fn a_small_conversation_has_no_stable_groups() {
    let picture = Picture::of(&conversation("london"));
    assert_eq!(picture.grouping.verdict, Verdict::NotStable, "{:?}", picture.grouping);
    assert!(picture.groups.is_none());
    assert!(!picture.bridging.is_empty());
}

#[test]
fn exports_are_read_back() {
    use cogov_opinion::export::{
        Comment, Summary, TimedCast, comment_groups, comments, participants_votes, read_comments,
        read_groups, read_votes, results, summary, votes,
    };
    let conversation = conversation("brexit");
    let picture = Picture::of(&conversation);
    let words = |statement: &Statement| Comment {
        id: statement.id,
        author: Participant(statement.id.0 % 7),
        created: 1_500_000_000_000 + statement.id.0 as i64,
        moderated: 1,
        body: format!("\"Yes\", said {},\nand no", statement.id.0),
    };
    let written: Vec<Comment> = conversation.statements().map(words).collect();
    let timed: Vec<TimedCast> = casts("brexit")
        .into_iter()
        .map(|cast| TimedCast { cast, at: 1_500_000_000_000 + cast.sequence as i64 })
        .collect();

    let mut file = Vec::new();
    comments(&mut file, &written, &picture).unwrap();
    assert_eq!(read_comments(&file[..]).unwrap(), written);
    let mut file = Vec::new();
    votes(&mut file, &timed).unwrap();
    let again: Vec<Cast> = read_votes(&file[..]).unwrap().iter().map(|timed| timed.cast).collect();
    assert_eq!(Picture::of(&Conversation::new(statements("brexit"), &again, [])), picture);
    let mut file = Vec::new();
    participants_votes(&mut file, &conversation, &written, &picture).unwrap();
    let read: Vec<(u64, u8)> = read_groups(&file[..]).unwrap().iter().map(|(p, g)| (p.0, *g)).collect();
    assert_eq!(read, groups(&picture));
    let text = String::from_utf8(file).unwrap();
    let columns = 6 + conversation.votes().statements().len();
    assert!(text.lines().all(|line| line.split(',').count() == columns));
    assert!(text.starts_with("participant,group-id,n-comments,n-votes,n-agree,n-disagree,0,1,2"));

    let mut file = Vec::new();
    let about = Summary { topic: "What, \"exactly\"?".into(), voters: 204, groups: 2, ..Summary::default() };
    summary(&mut file, &about).unwrap();
    let text = String::from_utf8(file).unwrap();
    assert!(text.starts_with("topic,\"What, \"\"exactly\"\"?\"\nurl,\nviews,0\nvoters,204\n"), "{text}");
    let mut file = Vec::new();
    comment_groups(&mut file, &written, &picture).unwrap();
    assert!(String::from_utf8(file).unwrap().starts_with(
        "comment-id,comment,total-votes,total-agrees,total-disagrees,total-passes,group-a-votes,group-a-agrees"
    ));
    let mut file = Vec::new();
    results(&mut file, &picture).unwrap();
    assert_eq!(String::from_utf8(file).unwrap().lines().count(), 51);
}

#[test]
fn files_that_are_not_exports_are_refused_clearly() {
    use cogov_opinion::export::read_votes;
    let error = |text: &str| read_votes(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(error("a,b\n1,2\n"), "the column \"timestamp\" is missing");
    let heading = "timestamp,datetime,comment-id,voter-id,vote\n";
    assert_eq!(error(&format!("{heading}1,x,2,three,1\n")), "line 2: \"three\" is not a voter-id");
}

/// Votes on statements of which nothing is known are counted too.
#[test]
fn a_statement_that_only_votes_name_is_shown() {
    let conversation = conversation("london");
    let picture = Picture::of(&conversation);
    assert_eq!(picture.statements.len(), conversation.votes().statements().len());
    assert!(picture.statement(StatementId(1)).is_some());
}

#[test]
fn routing_draws_by_weight_and_never_what_was_seen() {
    use cogov_opinion::Routing;
    let conversation = conversation("brexit");
    let picture = Picture::of(&conversation);
    let routing = Routing::of(&picture);
    let seen = |id: StatementId| id.0.is_multiple_of(2);
    let open: f64 = picture.statements.iter().filter(|v| !seen(v.id)).map(|v| v.priority).sum();
    let mut drawn = std::collections::BTreeMap::new();
    for draw in 0..20_000 {
        let id = routing.next(seen, f64::from(draw) / 20_000.0).unwrap();
        *drawn.entry(id).or_insert(0.0) += 1.0 / 20_000.0;
    }
    for view in &picture.statements {
        let expected = if seen(view.id) { 0.0 } else { view.priority / open };
        let share = drawn.get(&view.id).copied().unwrap_or(0.0);
        assert!((share - expected).abs() < 1e-3, "{:?}: {share} is not {expected}", view.id);
    }
    assert_eq!(routing.next(|_| true, 0.5), None);
}
