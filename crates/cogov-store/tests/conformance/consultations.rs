//! What holds for consultations: they are what the ledger's entries make them, in every database alike.

use crate::fixtures::*;
use cogov_model::*;
use cogov_store::*;

fn id() -> ConsultationId {
    "c-1".parse().unwrap()
}

fn key(n: u64) -> ParticipantKey {
    format!("{n:064x}").parse().unwrap()
}

fn record(index: u64, who: Option<u64>, event: ConsultationEvent) -> ConsultationRecord {
    ConsultationRecord {
        index,
        at: at(1_000 + i64::try_from(index).unwrap()),
        consultation: id(),
        host: "authority".parse().unwrap(),
        participant: who.map(key),
        salt: "00".repeat(16),
        content: serde_json::to_string(&event).unwrap(),
        event,
    }
}

fn opened(index: u64) -> ConsultationRecord {
    let clause = |anchor: &str| ConsultedClause {
        anchor: anchor.parse().unwrap(),
        title: Text::new("One", "一"),
        words: Text::new("Words of \"one\"", "第一条"),
    };
    record(
        index,
        None,
        ConsultationEvent::Opened {
            title: Text::new("Ten or twenty?", "十还是二十？"),
            summary: Text::same("s"),
            draft: Some("d-1@2".parse().unwrap()),
            questions: vec![Text::same("q")],
            invited: vec![ParticipantClass::Public],
            opens: at(0),
            closes: at(10_000),
            clauses: vec![clause("art-1"), clause("art-2")],
        },
    )
}

fn said(index: u64, who: u64, clause: Option<&str>, words: &str) -> ConsultationRecord {
    let kind = if clause.is_some() { ContributionKind::Comment } else { ContributionKind::Statement };
    let clause = clause.map(|clause| clause.parse().unwrap());
    record(
        index,
        Some(who),
        ConsultationEvent::Contributed { kind, clause, words: words.into(), proposed: None },
    )
}

fn voted(index: u64, who: u64, statement: u64, vote: Vote) -> ConsultationRecord {
    record(index, Some(who), ConsultationEvent::Voted { statement, vote })
}

fn moderated(index: u64, contribution: u64, moderation: Moderation) -> ConsultationRecord {
    record(
        index,
        None,
        ConsultationEvent::Moderated { contribution, moderation, reason: "因为 it is".into() },
    )
}

/// A consultation with three participants and two statements.
async fn begun(store: &Store) {
    with_parties(store, &["authority"]).await;
    for name in ["ann", "bob", "cid"] {
        store.add_account(&account(name, "authority")).await.unwrap();
    }
    store.apply_consultations(&[opened(5)], 6).await.unwrap();
    for (n, name) in (0..).zip(["ann", "bob", "cid"]) {
        let joined = store.add_participant(&id(), &participant(n, name)).await.unwrap();
        assert_eq!((joined.number, joined.entry), (n, None));
    }
    let words = [said(9, 0, None, "First"), said(10, 1, None, "第二 \u{1f9fe}")];
    store.apply_consultations(&words, 11).await.unwrap();
}

fn participant(n: u64, name: &str) -> Participant {
    Participant {
        number: 0,
        key: key(n),
        account: name.parse().unwrap(),
        class: ParticipantClass::Scholar,
        verified: n == 1,
        name: (n == 1).then(|| "Bob".to_owned()),
        joined_at: at(7),
        entry: None,
    }
}

async fn tally(store: &Store, number: u64) -> Tally {
    store.contribution(&id(), number).await.unwrap().contribution.tally
}

pub async fn consultations_are_made_from_the_ledger(store: Store) {
    begun(&store).await;
    assert_eq!(store.consultations_until().await.unwrap(), 11);
    let found = store.consultation(&id()).await.unwrap();
    assert_eq!((found.consultation.entry, found.counts.participants), (5, 3));
    assert_eq!((found.counts.contributions, found.counts.unanswered), (2, 2));
    let text = store.consultation_text(&id()).await.unwrap();
    assert_eq!(text[1].clause.words, Text::new("Words of \"one\"", "第一条"));
    assert!(store.consultation_contents(&id()).await.unwrap()[0].clause.words.is_empty());
    let again = store.add_participant(&id(), &participant(9, "ann")).await.unwrap();
    assert_eq!((again.number, again.key), (0, key(0)), "one account is one participant");
    store.note_joining(&id(), 1, 7).await.unwrap();
    store.note_joining(&id(), 1, 8).await.unwrap();
    let people = store.participants(&id(), &Page::new(None, 2)).await.unwrap();
    assert_eq!((people.items[1].entry, people.items[1].name.as_deref()), (Some(7), Some("Bob")));
    let more = store.participants(&id(), &Page::new(people.next, 2)).await.unwrap();
    assert_eq!((more.items.len(), more.next), (1, None));
    let some = store.participants_of(&id(), &[2, 0, 7]).await.unwrap();
    assert_eq!(some.len(), 2);
    let listed = store.consultations(&Page::first(5)).await.unwrap();
    assert_eq!(listed.items, [found]);
    assert_eq!(store.consultations_on(&"d-1".parse().unwrap()).await.unwrap(), listed.items);
    assert!(store.consultations_on(&"d-2".parse().unwrap()).await.unwrap().is_empty());
    let other = "c-2".parse().unwrap();
    assert!(matches!(store.consultation(&other).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(
        store.add_participant(&other, &participant(1, "ann")).await,
        Err(StoreError::NotFound { .. })
    ));
}

pub async fn votes_count_once_and_merging_loses_no_supporter(store: Store) {
    begun(&store).await;
    let votes = [
        voted(11, 0, 0, Vote::Agree),
        voted(12, 0, 0, Vote::Disagree),
        voted(13, 0, 0, Vote::Agree),
        voted(14, 1, 0, Vote::Pass),
        voted(15, 1, 1, Vote::Agree),
        voted(16, 2, 1, Vote::Agree),
        voted(17, 2, 99, Vote::Agree),
        voted(18, 7, 0, Vote::Agree),
    ];
    store.apply_consultations(&votes, 19).await.unwrap();
    let counts = |agree, disagree, pass| Tally { agree, disagree, pass };
    assert_eq!(tally(&store, 0).await, counts(1, 0, 1));
    assert_eq!(tally(&store, 1).await, counts(2, 0, 0));
    assert_eq!(store.consultation(&id()).await.unwrap().counts.votes, 4);
    assert_eq!(store.cast_votes(&id(), &Page::first(50)).await.unwrap().items.len(), 6);
    assert_eq!(store.vote_at(&id(), 12).await.unwrap().vote, Vote::Disagree);
    let merge = moderated(19, 1, Moderation::Merge { into: 0 });
    store.apply_consultations(&[merge], 20).await.unwrap();
    assert_eq!(tally(&store, 0).await, counts(3, 0, 0), "bob passed one and agreed with the other");
    assert_eq!(tally(&store, 1).await, counts(0, 0, 0));
    assert!(store.is_merged_into(&id(), 0).await.unwrap());
    let standing = store.contribution(&id(), 1).await.unwrap().contribution.standing;
    assert_eq!(standing, Standing::Merged { into: 0, reason: "因为 it is".into(), entry: 19 });
    assert_eq!(store.consultation(&id()).await.unwrap().counts.votes, 3);
    store.apply_consultations(&[voted(20, 2, 0, Vote::Disagree)], 21).await.unwrap();
    assert_eq!(tally(&store, 0).await, counts(2, 1, 0), "who disagrees with the words that stay is heard");
    let restore = moderated(21, 1, Moderation::Restore);
    store.apply_consultations(&[restore], 22).await.unwrap();
    assert_eq!((tally(&store, 0).await, tally(&store, 1).await), (counts(1, 1, 1), counts(2, 0, 0)));
    let stances = store.stances(&id()).await.unwrap();
    assert_eq!(stances.len(), 5);
    assert_eq!(store.stances_of(&id(), 2).await.unwrap().len(), 2);
    assert_eq!(store.votes_of(&id(), 0).await.unwrap().len(), 3);
}

pub async fn numbers_that_no_record_can_have_are_no_records(store: Store) {
    begun(&store).await;
    for number in [u64::MAX, i64::MAX.unsigned_abs() + 1, i64::MAX.unsigned_abs()] {
        let found = [
            store.contribution(&id(), number).await.map(|_| ()),
            store.contribution_at(&id(), number).await.map(|_| ()),
            store.vote_at(&id(), number).await.map(|_| ()),
            store.answer(&id(), number).await.map(|_| ()),
            store.answer_at(&id(), number).await.map(|_| ()),
        ];
        let missing = found.iter().all(|found| matches!(found, Err(StoreError::NotFound { .. })));
        assert!(missing, "{number}: {found:?}");
    }
}

pub async fn contributions_are_hidden_answered_and_counted(store: Store) {
    begun(&store).await;
    let comments =
        [said(11, 0, Some("art-1"), "a"), said(12, 1, Some("art-1"), "b"), said(13, 2, Some("art-2"), "c")];
    store.apply_consultations(&comments, 14).await.unwrap();
    let on = |clause: &str| ContributionFilter {
        clause: Some(clause.parse().unwrap()),
        ..ContributionFilter::default()
    };
    let listed = store.contributions(&id(), &on("art-1"), &Page::first(1)).await.unwrap();
    assert_eq!((listed.items[0].contribution.number, listed.next.is_some()), (2, true));
    let newest = ContributionFilter { newest: true, ..on("art-1") };
    assert_eq!(
        store.contributions(&id(), &newest, &Page::first(1)).await.unwrap().items[0].contribution.number,
        3
    );
    let hide = Moderation::Hide { because: HideReason::Spam };
    store.apply_consultations(&[moderated(14, 2, hide)], 15).await.unwrap();
    let clause = store.consultation_clause(&id(), &"art-1".parse().unwrap()).await.unwrap();
    let counts = store.consultation(&id()).await.unwrap().counts;
    assert_eq!((clause.contributions, counts.unanswered), (1, 4));
    let answer = |number: Option<u64>, contributions: Vec<u64>| ConsultationEvent::Answered {
        answer: number,
        title: "t".into(),
        words: "w".into(),
        outcome: AnswerOutcome::NoChange { reason: "r".into() },
        contributions,
    };
    let first = [record(15, None, answer(None, vec![0, 3])), record(16, None, answer(None, vec![1]))];
    store.apply_consultations(&first, 17).await.unwrap();
    assert_eq!(store.consultation(&id()).await.unwrap().counts.unanswered, 1);
    store.apply_consultations(&[record(17, None, answer(Some(1), vec![3, 4]))], 18).await.unwrap();
    let waiting = ContributionFilter { unanswered: true, ..ContributionFilter::default() };
    let waiting = store.contributions(&id(), &waiting, &Page::first(9)).await.unwrap();
    assert_eq!(waiting.items.len(), 1);
    assert_eq!(
        waiting.items[0].contribution.number, 0,
        "an answer that is replaced lets go what it leaves out"
    );
    let answers = store.answers(&id(), &Page::first(9)).await.unwrap().items;
    assert_eq!(answers.iter().map(|a| (a.number, a.contributions)).collect::<Vec<_>>(), [(1, 2), (2, 1)]);
    assert_eq!(store.answer_at(&id(), 17).await.unwrap().number, 1);
    store.apply_consultations(&[moderated(18, 2, Moderation::Restore)], 19).await.unwrap();
    assert_eq!(store.consultation(&id()).await.unwrap().counts.unanswered, 2);
    let concluded = ConsultationEvent::Concluded { words: Text::same("done") };
    store.apply_consultations(&[record(19, None, concluded)], 20).await.unwrap();
    assert_eq!(store.consultation(&id()).await.unwrap().consultation.conclusion.unwrap().entry, 19);
    assert_eq!(store.consultation_acts(&id(), &Page::first(9)).await.unwrap().items.len(), 7);
    assert_eq!(store.last_entry(&id()).await.unwrap(), 19);
}
