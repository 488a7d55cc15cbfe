//! Consultations on one node: opening, taking part, receipts, moderation, answers, the end, and what is refused.

use crate::common::HOME;
use crate::deliberation::{file, forum};
use cogov_app::{
    AppError, ContributionFilter, NewAnswer, NewContribution, OpenData, Page, ReceiptCheck, Registration,
};
use cogov_model::*;
use std::time::Duration;

fn words(kind: ContributionKind, clause: Option<&str>, words: &str) -> NewContribution {
    NewContribution {
        kind,
        clause: clause.map(|clause| clause.parse().unwrap()),
        words: words.into(),
        proposed: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_opens_and_closes_without_a_click() {
    let forum = forum().await;
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let statement = forum.statement(&ann, "Ten is enough.").await;
    forum.app().vote(&ann, &forum.id, statement, Vote::Agree).await.unwrap();
    forum.close();
    let late = forum.app().vote(&ann, &forum.id, statement, Vote::Disagree).await;
    match late {
        Err(AppError::Conflict(words)) => assert!(words.en.contains("closed"), "{}", words.en),
        other => panic!("a vote after closing: {other:?}"),
    }
    let comment = words(ContributionKind::Comment, Some("art-1"), "Too late");
    assert!(matches!(forum.app().contribute(&ann, &forum.id, comment).await, Err(AppError::Conflict(_))));
    let page = forum.app().consultation(None, &forum.id).await.unwrap();
    assert_eq!(page.card.state, ConsultationState::Answering);
    assert_eq!((page.card.counts.votes, page.card.counts.unanswered), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_open_does_not_and_what_is_wrong_is_named() {
    let forum = forum().await;
    let app = forum.app();
    let steward = forum.node.actor("tax-steward").await;
    assert!(matches!(app.open_consultation(&steward, forum.fresh()).await, Err(AppError::Forbidden(_))));
    let head = forum.node.actor("tax-head").await;
    let mut past = forum.fresh();
    past.closes = past.opens;
    assert!(matches!(
        app.open_consultation(&head, past).await,
        Err(AppError::Invalid { field: Some("closes"), .. })
    ));
    let mut empty = forum.fresh();
    empty.clauses.clear();
    assert!(matches!(
        app.open_consultation(&head, empty).await,
        Err(AppError::Invalid { field: Some("text"), .. })
    ));
    let other = forum.node.actor("north-head").await;
    let not_theirs = app.conclude_consultation(&other, &forum.id, "Done").await;
    assert!(matches!(not_theirs, Err(AppError::Forbidden(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_was_open_before_it_was_published() {
    let forum = forum().await;
    let app = forum.app();
    let head = forum.node.actor("tax-head").await;
    let mut past = forum.fresh();
    past.opens = past.opens.plus_days(-30);
    let id = app.open_consultation(&head, past.clone()).await.unwrap();
    let opened = app.consultation(None, &id).await.unwrap().card;
    assert_eq!(opened.state, ConsultationState::Open);
    assert_eq!(opened.consultation.opens, opened.consultation.opened_at);
    past.closes = past.opens.plus_days(1);
    let over = app.open_consultation(&head, past).await;
    assert!(matches!(over, Err(AppError::Invalid { field: Some("closes"), .. })), "{over:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_has_a_receipt_that_holds() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let statement = forum.statement(&ann, "Ten is enough.").await;
    let first = app.vote(&ann, &forum.id, statement, Vote::Agree).await.unwrap();
    let second = app.vote(&ann, &forum.id, statement, Vote::Pass).await.unwrap();
    let part = app.consultation(Some(&ann), &forum.id).await.unwrap().me.unwrap();
    let opening = app.consultation(None, &forum.id).await.unwrap().card.consultation.entry;
    for entry in [opening, part.participant.entry.unwrap(), first.entry, second.entry] {
        let page = app.receipt(None, &forum.id, entry).await.unwrap();
        assert!(page.checks.iter().all(|(_, holds)| *holds), "{entry}: {:?}", page.checks);
        assert!(page.checks.iter().any(|(check, _)| *check == ReceiptCheck::InLedger));
        let names = format!("{:?}", page.entry.entry);
        assert!(!names.contains("ann"), "the account is in no public entry: {names}");
    }
    let replaced = app.receipt(None, &forum.id, first.entry).await.unwrap();
    assert_eq!(replaced.replaced_by, Some(second.entry));
    let (content, _) = replaced.content.unwrap();
    assert_eq!(content, r#"{"act":"voted","statement":0,"vote":"agree"}"#);
    assert!(matches!(app.receipt(None, &forum.id, 0).await, Err(AppError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_has_one_vote_and_one_pseudonym_a_consultation() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let again = app.join_consultation(&ann, &forum.id, ParticipantClass::Public, true).await.unwrap();
    assert_eq!((again.number, again.name), (0, None), "joining twice changes nothing");
    let statement = forum.statement(&ann, "Ten is enough.").await;
    for vote in [Vote::Agree, Vote::Disagree, Vote::Agree, Vote::Agree] {
        app.vote(&ann, &forum.id, statement, vote).await.unwrap();
    }
    let found = app.contribution(None, &forum.id, statement).await.unwrap();
    assert_eq!(found.contribution.tally, Tally { agree: 1, disagree: 0, pass: 0 });
    let head = forum.node.actor("tax-head").await;
    let other = app.open_consultation(&head, forum.fresh()).await.unwrap();
    let there = app.join_consultation(&ann, &other, ParticipantClass::Public, false).await.unwrap();
    let here = app.consultation(Some(&ann), &forum.id).await.unwrap().me.unwrap();
    assert_ne!(here.participant.key, there.key);
    let stranger = forum.node.actor("north-analyst").await;
    let unjoined = app.vote(&stranger, &forum.id, statement, Vote::Agree).await;
    assert!(matches!(unjoined, Err(AppError::Conflict(_))));
    assert!(matches!(app.vote(&ann, &forum.id, 99, Vote::Agree).await, Err(AppError::Conflict(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_class_counts_only_when_the_party_shows_it() {
    let forum = forum().await;
    let app = forum.app();
    let official = forum.node.actor("north-analyst").await;
    let joined =
        app.join_consultation(&official, &forum.id, ParticipantClass::Official, false).await.unwrap();
    assert!(joined.verified);
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let statement = forum.statement(&ann, "Ten is enough.").await;
    app.vote(&official, &forum.id, statement, Vote::Disagree).await.unwrap();
    app.vote(&ann, &forum.id, statement, Vote::Agree).await.unwrap();
    let before = forum.exact_map().await;
    for n in 0..20 {
        let fake = forum.person(&format!("fake-{n}"), ParticipantClass::Official).await;
        app.vote(&fake, &forum.id, statement, Vote::Agree).await.unwrap();
    }
    let after = forum.exact_map().await;
    assert_eq!(
        before["statements"][0]["by_class"], after["statements"][0]["by_class"],
        "stuffing moves no class"
    );
    assert_eq!(before["statements"][0]["across_classes"], after["statements"][0]["across_classes"]);
    assert_eq!(after["statements"][0]["tally"]["agree"], 21, "but it is in the total");
    let declared = after["classes"].as_array().unwrap().iter().find(|c| c["class"] == "official").unwrap();
    assert_eq!((declared["voters"].clone(), declared["declared_only"].clone()), (1.into(), 20.into()));
    let scholar = app.join_consultation(&ann, &forum.id, ParticipantClass::Scholar, false).await;
    assert!(matches!(scholar, Err(AppError::Invalid { field: Some("class"), .. })), "scholars are not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_is_not_deleted_and_merging_loses_no_supporter() {
    let forum = forum().await;
    let app = forum.app();
    let people = [
        forum.person("ann", ParticipantClass::Public).await,
        forum.person("bo", ParticipantClass::Public).await,
        forum.person("cy", ParticipantClass::Public).await,
        forum.person("di", ParticipantClass::Public).await,
    ];
    let first = forum.statement(&people[0], "Every refusal should name the clause.").await;
    let second = forum.statement(&people[1], "Every refusal must name its clause!").await;
    // ann agrees with both, bo with the second only, cy disagrees with the first and agrees with the second,
    // di passes the first and agrees with the second.
    for (person, statement, vote) in [
        (0, first, Vote::Agree),
        (0, second, Vote::Agree),
        (1, second, Vote::Agree),
        (2, first, Vote::Disagree),
        (2, second, Vote::Agree),
        (3, first, Vote::Pass),
        (3, second, Vote::Agree),
    ] {
        app.vote(&people[person], &forum.id, statement, vote).await.unwrap();
    }
    let moderator = forum.node.actor("tax-approver").await;
    let stranger = forum.node.actor("north-approver").await;
    let merge = Moderation::Merge { into: first };
    let forbidden = app.moderate(&stranger, &forum.id, second, merge, "same").await;
    assert!(matches!(forbidden, Err(AppError::Forbidden(_))));
    let likely = app.likenesses(&moderator, &forum.id).await.unwrap();
    assert_eq!((likely[0].later, likely[0].earlier), (second, first));
    assert!(matches!(
        app.moderate(&moderator, &forum.id, second, merge, " ").await,
        Err(AppError::Invalid { .. })
    ));
    app.moderate(&moderator, &forum.id, second, merge, "They say the same.").await.unwrap();
    let tally = |view: cogov_app::ContributionView| view.contribution.tally;
    let merged = tally(app.contribution(None, &forum.id, first).await.unwrap());
    assert_eq!(merged, Tally { agree: 3, disagree: 1, pass: 0 });
    let elsewhere = app.vote(&people[3], &forum.id, second, Vote::Agree).await;
    assert!(matches!(elsewhere, Err(AppError::Conflict(_))), "one votes on the one that stays");
    let hide = Moderation::Hide { because: HideReason::Spam };
    assert!(matches!(
        app.moderate(&moderator, &forum.id, first, hide, "spam").await,
        Err(AppError::Conflict(_))
    ));
    app.moderate(&moderator, &forum.id, second, Moderation::Restore, "Not quite the same.").await.unwrap();
    assert_eq!(
        tally(app.contribution(None, &forum.id, first).await.unwrap()),
        Tally { agree: 1, disagree: 1, pass: 1 }
    );
    assert_eq!(
        tally(app.contribution(None, &forum.id, second).await.unwrap()),
        Tally { agree: 4, disagree: 0, pass: 0 }
    );
    let private = HideReason::PersonalData;
    app.moderate(&moderator, &forum.id, second, Moderation::Hide { because: private }, "A phone number.")
        .await
        .unwrap();
    let seen = app.contribution(None, &forum.id, second).await.unwrap();
    assert!(!seen.readable && seen.contribution.words.is_empty());
    assert!(
        app.contribution(Some(&people[1]), &forum.id, second).await.unwrap().readable,
        "its author reads it"
    );
    let record = file(app, &forum.id, OpenData::Record).await;
    assert!(!record.contains("must name its clause"), "its words are nowhere in the open data");
    assert!(record.contains("A phone number."), "the reason is public");
    let receipt = app.receipt(None, &forum.id, seen.contribution.entry).await.unwrap();
    assert!(receipt.content.is_none() && receipt.checks.iter().all(|(_, holds)| *holds));
    app.moderate(&moderator, &forum.id, second, Moderation::Restore, "Settled.").await.unwrap();
    assert!(app.contribution(None, &forum.id, second).await.unwrap().readable);
}

#[tokio::test(flavor = "multi_thread")]
async fn moderators_at_once_do_not_undo_one_another() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let first = forum.statement(&ann, "Ten is enough.").await;
    let second = forum.statement(&ann, "Ten persons are enough.").await;
    app.vote(&ann, &forum.id, first, Vote::Agree).await.unwrap();
    let moderators = [forum.node.actor("tax-approver").await, forum.node.actor("tax-head").await];
    let hide = Moderation::Hide { because: HideReason::Spam };
    for round in 0..6 {
        // Merged against each other, both would vanish; so would what is merged into one that is hidden.
        let other = if round % 2 == 0 { Moderation::Merge { into: first } } else { hide };
        let acts = [(first, Moderation::Merge { into: second }), (second, other)];
        let mut at_once = tokio::task::JoinSet::new();
        for (moderator, (number, act)) in moderators.iter().cloned().zip(acts) {
            let (app, id) = (app.clone(), forum.id.clone());
            at_once.spawn(async move { app.moderate(&moderator, &id, number, act, "the same").await });
        }
        let done = at_once.join_all().await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "round {round}: {done:?}");
        let mut shown = 0;
        for number in [first, second] {
            let found = app.contribution(Some(&moderators[0]), &forum.id, number).await.unwrap();
            if found.contribution.standing == Standing::Shown {
                shown += 1;
            } else {
                let restore = Moderation::Restore;
                app.moderate(&moderators[0], &forum.id, number, restore, "once more").await.unwrap();
            }
        }
        assert_eq!(shown, 1, "round {round}: one stays");
    }
    let tally = app.contribution(None, &forum.id, first).await.unwrap().contribution.tally;
    assert_eq!(tally, Tally { agree: 1, disagree: 0, pass: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_takes_nothing_from_another_and_nothing_unread() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    for n in 0..8 {
        let comment = words(ContributionKind::Comment, Some("art-1"), &format!("Comment {n}"));
        app.contribute(&ann, &forum.id, comment).await.unwrap();
    }
    let head = forum.node.actor("tax-head").await;
    let answer = |replaces: Option<u64>, contributions: &[u64]| NewAnswer {
        replaces,
        title: "On bodies".into(),
        words: "We read them.".into(),
        outcome: AnswerOutcome::NoChange { reason: "The law asks for it.".into() },
        contributions: contributions.to_vec(),
        all_on: None,
        seen: None,
    };
    let first = app.answer_contributions(&head, &forum.id, answer(None, &[0, 1])).await.unwrap();
    let second = app.answer_contributions(&head, &forum.id, answer(None, &[2])).await.unwrap();
    match app.answer_contributions(&head, &forum.id, answer(None, &[1, 2, 3])).await {
        Err(AppError::Conflict(words)) => {
            let named = format!("1 (answer {first}), 2 (answer {second})");
            assert!(words.en.contains(&named) && words.zh.contains("1（答复"), "{words:?}");
        }
        other => panic!("taken from another answer: {other:?}"),
    }
    let taken = app.answer_contributions(&head, &forum.id, answer(Some(second), &[1, 2])).await;
    assert!(matches!(taken, Err(AppError::Conflict(_))), "{taken:?}");
    let again = app.answer_contributions(&head, &forum.id, answer(Some(first), &[0, 1, 3])).await;
    assert_eq!(again.unwrap(), first, "an answer keeps its own");

    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (app, head, id, new) = (app.clone(), head.clone(), forum.id.clone(), answer(None, &[4]));
        at_once.spawn(async move { app.answer_contributions(&head, &id, new).await });
    }
    let done = at_once.join_all().await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "one answers: {done:?}");

    let seen = NewAnswer { all_on: Some("art-1".parse().unwrap()), seen: Some(6), ..answer(None, &[]) };
    let all = NewAnswer { seen: None, ..seen.clone() };
    for (new, expected) in [(seen, vec![5]), (all, vec![6, 7])] {
        let number = app.answer_contributions(&head, &forum.id, new).await.unwrap();
        let page = app.consultation_answer(None, &forum.id, number, &Page::first(10)).await.unwrap();
        let found: Vec<u64> = page.contributions.items.iter().map(|view| view.contribution.number).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_by_somebody_who_went_away_is_counted() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let head = forum.node.actor("tax-head").await;
    forum.node.media.slow_sync(Duration::from_millis(1_200));
    let (speaking, id) = (app.clone(), forum.id.clone());
    let comment = words(ContributionKind::Comment, Some("art-1"), "I have to go.");
    let said = tokio::spawn(async move { speaking.contribute(&ann, &id, comment).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    // It is on its way to the ledger, and nobody waits for it any more.
    said.abort();
    forum.close();
    let concluded = app.conclude_consultation(&head, &forum.id, "Nobody said anything.").await;
    forum.node.media.slow_sync(Duration::ZERO);
    let counts = app.consultation(None, &forum.id).await.unwrap().card.counts;
    assert_eq!(concluded.is_err(), counts.unanswered > 0, "{concluded:?} {counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_only_when_everything_is_answered() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    forum.statement(&ann, "Ten is enough.").await;
    for n in 0..5 {
        let comment = words(ContributionKind::Comment, Some("art-1"), &format!("Comment {n}"));
        app.contribute(&ann, &forum.id, comment).await.unwrap();
    }
    let amendment = NewContribution {
        proposed: Some("At least twenty persons.".into()),
        ..words(ContributionKind::Amendment, Some("art-2"), "Ten can be guessed.")
    };
    app.contribute(&ann, &forum.id, amendment).await.unwrap();
    let head = forum.node.actor("tax-head").await;
    let early = app.conclude_consultation(&head, &forum.id, "Done").await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "it is still open");
    forum.close();
    let unanswered = app.conclude_consultation(&head, &forum.id, "Done").await;
    match unanswered {
        Err(AppError::Conflict(words)) => assert!(words.en.contains('7'), "{}", words.en),
        other => panic!("concluded with open contributions: {other:?}"),
    }
    let answer = |contributions: Vec<u64>, all_on: Option<&str>, outcome| NewAnswer {
        replaces: None,
        title: "On groups".into(),
        words: "We read them.".into(),
        outcome,
        contributions,
        all_on: all_on.map(|clause| clause.parse().unwrap()),
        seen: None,
    };
    let change = AnswerOutcome::Change { clause: "art-2".parse().unwrap(), words: "twenty".into() };
    let first = app.answer_contributions(&head, &forum.id, answer(vec![0, 6], None, change)).await.unwrap();
    let no = AnswerOutcome::NoChange { reason: "The law asks for it.".into() };
    app.answer_contributions(&head, &forum.id, answer(vec![], Some("art-1"), no)).await.unwrap();
    let page = app.consultation_answer(None, &forum.id, first, &Page::first(10)).await.unwrap();
    assert_eq!((page.answer.contributions, page.contributions.items.len()), (2, 2));
    let mut at_once = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (app, head, id) = (app.clone(), head.clone(), forum.id.clone());
        at_once.spawn(async move { app.conclude_consultation(&head, &id, "Article 2 says twenty.").await });
    }
    let concluded = at_once.join_all().await;
    assert_eq!(concluded.iter().filter(|done| done.is_ok()).count(), 1, "one conclusion: {concluded:?}");
    let record = file(app, &forum.id, OpenData::Record).await;
    assert_eq!(record.matches("concluded").count(), 1, "and one entry: {record}");
    let done = app.consultation(None, &forum.id).await.unwrap();
    assert_eq!(done.card.state, ConsultationState::Concluded);
    let coverage = file(app, &forum.id, OpenData::Coverage).await;
    assert!(coverage.contains("6,") && coverage.contains(",answer,1,change,art-2"), "{coverage}");
    assert!(!coverage.contains("nothing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_stay_words_and_floods_are_slowed() {
    let forum = forum().await;
    let app = forum.app();
    let ann = forum.person("ann", ParticipantClass::Public).await;
    let script = "<script>alert(1)</script> [x](javascript:alert(1)) \u{202e}reversed\u{0} =cmd()";
    let comment = words(ContributionKind::Comment, Some("art-1"), script);
    app.contribute(&ann, &forum.id, comment).await.unwrap();
    let filter = ContributionFilter::default();
    let found = app.contributions(None, &forum.id, &filter, &Page::first(5)).await.unwrap();
    let kept = &found.items[0].contribution.words;
    assert!(kept.contains("<script>") && !kept.contains(['\u{202e}', '\u{0}']), "{kept:?}");
    for (kind, clause, length) in [
        (ContributionKind::Statement, None, 281),
        (ContributionKind::Comment, Some("art-1"), 5_001),
        (ContributionKind::Comment, Some("no-such-clause"), 10),
        (ContributionKind::Comment, None, 10),
        (ContributionKind::Statement, None, 0),
    ] {
        let bad = app.contribute(&ann, &forum.id, words(kind, clause, &"x".repeat(length))).await;
        assert!(matches!(bad, Err(AppError::Invalid { .. })), "{kind:?} {clause:?} {length}: {bad:?}");
    }
    let mut refused = 0;
    for n in 0..40 {
        let comment = words(ContributionKind::Comment, Some("art-1"), &format!("flood {n}"));
        match app.contribute(&ann, &forum.id, comment).await {
            Ok(_) => {}
            Err(AppError::TooMany { .. }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused >= 20, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_makes_an_account_and_nobody_takes_another_over() {
    let forum = forum().await;
    let new = |account: &'static str, password: &'static str| Registration {
        account,
        name: "Mei Lin",
        password,
        locale: Locale::ZhHans,
    };
    let app = forum.app();
    let signed = app.register(new("mei.lin", "a-long-password"), HOME).await.unwrap();
    assert_eq!(
        (signed.actor.roles.clone(), signed.actor.party.class),
        (vec![Role::Citizen], PartyClass::Individual)
    );
    assert!(app.session(&signed.session).await.unwrap().is_some());
    assert!(matches!(
        app.register(new("mei.lin", "another-password"), HOME).await,
        Err(AppError::Conflict(_))
    ));
    assert!(matches!(
        app.register(new("tax-head", "another-password"), HOME).await,
        Err(AppError::Conflict(_))
    ));
    for (account, password) in [("M", "a-long-password"), ("-x-y", "a-long-password"), ("mei2", "short")] {
        let refused = app.register(new(account, password), HOME).await;
        assert!(matches!(refused, Err(AppError::Invalid { .. })), "{account}");
    }
}
