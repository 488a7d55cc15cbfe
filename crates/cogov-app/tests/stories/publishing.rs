//! What is published, approved and adopted is what was read.

use super::drafting::{
    Hands, REQUESTS, adopt_at_once, approve, ask, consult, draft, node, node_text, stricter, text_of,
};
use crate::common::Node;
use cogov_app::{AdoptionRequest, AppError, DraftMay, DraftWords, Hindrance, VersionState};
use cogov_model::{Clock, DraftId, Text};
use cogov_rulebook::{Claim, Flip, Proof};

/// Saves a draft's title and reasons, and leaves its texts as they are.
async fn rename(node: &Node, id: &DraftId, title: &str, summary: &str) {
    let drafter = node.actor("authority-drafter").await;
    let page = node.app.policy_draft(Some(&drafter), id).await.unwrap();
    let words = DraftWords {
        title: Text::same(title),
        summary: Text::same(summary),
        original: page.text.original,
        translation: page.text.translation,
    };
    node.app.save_draft(&drafter, id, page.revision, words).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn title_and_reasons_are_published_with_the_text_and_approved_as_they_were_read() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let (app, drafter) = (&node.app, node.actor("authority-drafter").await);
    let (admin, head) = (node.actor("authority-admin").await, node.actor("authority-head").await);
    let id = draft(&node, stricter).await;
    rename(&node, &id, "Wages stay home", "They tell too much.").await;
    let first_entry = app.publish_draft(&drafter, &id).await.unwrap();
    let first = text_of(&node, &id).await;
    app.approve_draft(&admin, &id, first, "as I read it").await.unwrap();

    // What its drafter writes afterwards, nobody else reads: neither the reasons nor the title, in no list.
    rename(&node, &id, "A harmless change", "Nothing to see.").await;
    let read = app.policy_draft(None, &id).await.unwrap();
    assert_eq!((&read.text.title, read.text.number), (&Text::same("Wages stay home"), first));
    assert!(read.is_published);
    assert_eq!((&read.card.draft.title, &read.text.summary), (&read.text.title, &read.card.draft.summary));
    assert_eq!(read.card.draft.approvals.len(), 1, "nothing else was published");
    assert!(app.drafts(None).await.unwrap().iter().all(|card| card.draft.title == read.text.title));
    let asked = app.draft_for_consultation(&drafter, &id).await.unwrap();
    assert_eq!((asked.title, asked.summary), (read.text.title.clone(), read.text.summary.clone()));
    let written = app.policy_draft(Some(&drafter), &id).await.unwrap();
    assert_eq!((&written.text.title, written.is_published), (&Text::same("A harmless change"), false));
    assert!(written.may.contains(&DraftMay::Publish));
    let as_read = app.published_draft(Some(&drafter), &id).await.unwrap();
    assert!(as_read.is_published && as_read.text == read.text, "its drafter can read what others read");
    let unread = app.approve_draft(&head, &id, written.text.number, "").await;
    assert!(matches!(unread, Err(AppError::Conflict(_))), "it is not published: {unread:?}");
    app.approve_draft(&head, &id, first, "as I read it").await.unwrap();

    // Published, it is another publication: the approvals of the first one fall away.
    let second_entry = app.publish_draft(&drafter, &id).await.unwrap();
    let read = app.policy_draft(None, &id).await.unwrap();
    assert_eq!(read.card.draft.title, Text::same("A harmless change"));
    assert!(read.card.draft.approvals.is_empty() && read.text.number > first);
    let [before, after] = &read.card.draft.publications[..] else { panic!("two publications") };
    assert_eq!(before.version, after.version, "the rules are the same");
    let stale = app.approve_draft(&admin, &id, first, "").await;
    assert!(matches!(stale, Err(AppError::Conflict(_))), "{stale:?}");
    let facts = [
        app.entry(None, first_entry).await.unwrap().entry.facts,
        app.entry(None, second_entry).await.unwrap().entry.facts,
    ];
    let both = |name: &str| facts.each_ref().map(|facts| facts[name].clone());
    assert_eq!(both("title"), ["Wages stay home", "A harmless change"]);
    let (texts, reasons) = (both("sha256"), both("summary_sha256"));
    assert!(texts[0] == texts[1] && reasons[0] != reasons[1], "{texts:?} {reasons:?}");

    // The same words again are nothing new.
    rename(&node, &id, "A harmless change", "Nothing to see.").await;
    assert!(matches!(app.publish_draft(&drafter, &id).await, Err(AppError::Conflict(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_wait_does_not_bring_what_it_is_built_on_into_force_early() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let (drafter, admin) = (node.actor("authority-drafter").await, node.actor("authority-admin").await);
    let id = draft(&node, stricter).await;
    node.app.publish_draft(&drafter, &id).await.unwrap();
    approve(&node, &id, &["admin", "head"]).await;
    consult(&node, &clock, &id).await;
    clock.forward(31);
    let comes = node.app.adopt_draft(&admin, &id, AdoptionRequest::default()).await.unwrap();

    // A small change of the rulebook that is coming, which branches from it.
    let urgent = draft(&node, |text| text.replace("Anyone may complain", "All may complain")).await;
    node.app.publish_draft(&drafter, &urgent).await.unwrap();
    approve(&node, &urgent, &["admin", "head", "approver"]).await;
    let before = node.app.rulebook().version().clone();
    let asked =
        |effect| AdoptionRequest { effect, urgent: true, reasons: "Complaints get lost.".into(), text: None };
    for early in [None, Some(clock.now().date()), Some(comes.plus_days(-1).date())] {
        match node.app.adopt_draft(&admin, &urgent, asked(early)).await {
            Err(AppError::Invalid { field: Some("effect"), advice }) => {
                let day = comes.date().to_string();
                assert!(advice.en.contains(&day) && advice.zh.contains(&day), "{advice:?}");
            }
            other => panic!("{early:?}: {other:?}"),
        }
    }
    assert_eq!(*node.app.rulebook().version(), before, "nothing came into force");
    let versions = node.app.rulebook_versions().await.unwrap();
    let states: Vec<_> = versions.iter().map(|found| found.state).collect();
    assert_eq!(states, [VersionState::Coming, VersionState::InForce]);

    // From the day on which that holds it may hold too.
    let effect = node.app.adopt_draft(&admin, &urgent, asked(Some(comes.date()))).await.unwrap();
    assert_eq!(effect, comes);
    assert_eq!(*node.app.rulebook().version(), before, "not before");
    clock.forward(31);
    assert_ne!(*node.app.rulebook().version(), before);
    let late = draft(&node, |text| text.replace("All may complain", "Everybody may complain")).await;
    node.app.publish_draft(&drafter, &late).await.unwrap();
    approve(&node, &late, &["admin", "head", "approver"]).await;
    assert!(node.app.adopt_draft(&admin, &late, asked(None)).await.unwrap() <= clock.now(), "at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebased_draft_is_published_again_before_it_is_approved_and_adopted() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let (app, drafter) = (&node.app, node.actor("authority-drafter").await);
    let (admin, head) = (node.actor("authority-admin").await, node.actor("authority-head").await);
    let id = draft(&node, stricter).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    let first = text_of(&node, &id).await;
    approve(&node, &id, &["admin", "head", "approver"]).await;
    let shipped = app.rulebook().version().clone();

    // What cannot wait comes between; the words of the draft take it back.
    let other = draft(&node, |text| text.replace("Anyone may complain", "All may complain")).await;
    adopt_at_once(&node, &other).await;
    let amended = app.rulebook().version().clone();
    let at_once = || AdoptionRequest {
        urgent: true,
        reasons: "Wages tell too much.".into(),
        ..AdoptionRequest::default()
    };
    let outdated = app.adopt_draft(&admin, &id, at_once()).await;
    assert!(matches!(outdated, Err(AppError::Conflict(_))), "{outdated:?}");
    app.rebase_draft(&drafter, &id).await.unwrap();

    // Everybody else still reads the published text, on the base that it had; nobody approves or adopts it.
    let read = app.policy_draft(Some(&admin), &id).await.unwrap();
    assert!(read.is_published && read.card.draft.is_rebased() && read.is_overtaken());
    assert_eq!((read.text.number, read.base.as_ref().unwrap().version()), (first, &shipped));
    assert!(read.card.draft.approvals.is_empty());
    assert!(!read.may.contains(&DraftMay::Approve) && !read.may.contains(&DraftMay::Adopt));
    for refused in [
        app.approve_draft(&head, &id, first, "").await,
        app.adopt_draft(&admin, &id, at_once()).await.map(|_| ()),
    ] {
        let Err(AppError::Conflict(words)) = &refused else { panic!("{refused:?}") };
        assert!(words.en.contains("published it again") && words.zh.contains("重新公布"), "{words:?}");
    }
    let written = app.policy_draft(Some(&drafter), &id).await.unwrap();
    assert_eq!((written.text.number, written.base.as_ref().unwrap().version()), (first + 1, &amended));
    assert_eq!((&written.text.original, &written.text.title), (&read.text.original, &read.text.title));
    assert!(written.may.contains(&DraftMay::Publish) && !written.may.contains(&DraftMay::Rebase));
    let [known, shown] = [&read, &written].map(|page| page.differences(cogov_model::Locale::En).len());
    assert!(shown > known, "it shows what it takes back: {shown} {known}");

    // Published again it is another text: whoever read the first one has not read it.
    let entry = app.publish_text(&drafter, &id, first + 1).await.unwrap();
    assert_eq!(app.entry(None, entry).await.unwrap().entry.facts["base"], amended.to_string());
    let stale = app.approve_draft(&admin, &id, first, "as I read it").await;
    assert!(matches!(stale, Err(AppError::Conflict(_))), "{stale:?}");
    let early = app.adopt_draft(&admin, &id, at_once()).await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "no approval counts any more: {early:?}");
    approve(&node, &id, &["admin", "head", "approver"]).await;
    // Taking the base that it has changes nothing.
    app.rebase_draft(&drafter, &id).await.unwrap();
    let draft = app.policy_draft(None, &id).await.unwrap().card.draft;
    assert_eq!((draft.text, draft.approvals.len(), draft.is_rebased()), (first + 1, 3, false));
    let bases: Vec<_> = draft.publications.iter().map(|published| published.base.clone()).collect();
    assert_eq!(bases, [Some(shipped), Some(amended)]);
    app.adopt_draft(&admin, &id, at_once()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_and_adopted_is_the_text_that_was_read() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let (app, drafter) = (&node.app, node.actor("authority-drafter").await);
    let (admin, head) = (node.actor("authority-admin").await, node.actor("authority-head").await);
    let id = draft(&node, stricter).await;
    let read = app.policy_draft(Some(&drafter), &id).await.unwrap().text.number;

    // Another drafter saves meanwhile: nothing is published, and nothing of either text is lost.
    rename(&node, &id, "Wages stay home", "They tell too much.").await;
    let unread = app.publish_text(&drafter, &id, read).await;
    assert!(matches!(unread, Err(AppError::Conflict(_))), "{unread:?}");
    assert!(matches!(app.policy_draft(None, &id).await, Err(AppError::NotFound(_))), "still nobody's");
    let written = app.policy_draft(Some(&drafter), &id).await.unwrap();
    assert_eq!((written.text.number, &written.text.summary), (read + 1, &Text::same("They tell too much.")));
    assert!(matches!(app.publish_text(&drafter, &id, read + 2).await, Err(AppError::Conflict(_))));
    app.publish_text(&drafter, &id, read + 1).await.unwrap();
    assert_eq!(text_of(&node, &id).await, read + 1);

    // The text that its adopter read is overtaken by another publication, approved by all.
    rename(&node, &id, "Wages stay home", "They tell far too much.").await;
    app.publish_text(&drafter, &id, read + 2).await.unwrap();
    approve(&node, &id, &["admin", "head", "approver"]).await;
    let before = app.policy_draft(None, &id).await.unwrap().card.draft;
    let at_once =
        |text| AdoptionRequest { effect: None, urgent: true, reasons: "Wages tell too much.".into(), text };
    for unread in [read + 1, read + 3] {
        let refused = app.adopt_draft(&head, &id, at_once(Some(unread))).await;
        let Err(AppError::Conflict(words)) = &refused else { panic!("{refused:?}") };
        assert!(words.en.contains("read it before you adopt it"), "{words:?}");
    }
    let after = app.policy_draft(None, &id).await.unwrap().card.draft;
    assert_eq!(after, before, "approvals and all");
    app.adopt_draft(&admin, &id, at_once(Some(read + 2))).await.unwrap();
    let adopted = app.policy_draft(None, &id).await.unwrap().card.draft;
    assert_eq!(adopted.published().unwrap().version.as_ref(), Some(app.rulebook().version()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_text_is_replayed_and_proved_beside_a_newer_one() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let grant = node.grant().await;
    ask(&node, &grant, REQUESTS[3]).await.unwrap();
    let (app, drafter) = (&node.app, node.actor("authority-drafter").await);
    // Published, it withholds the wages; the newer text, which nobody else reads, leaves them and opens another door.
    let id = draft(&node, stricter).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    let page = app.policy_draft(Some(&drafter), &id).await.unwrap();
    let (shut, open) = (
        "unless { context.same_party || resource in Category::\"person\" };",
        "unless { context.same_party };",
    );
    let shipped = node_text(&node, &id).await;
    assert!(shipped.contains(shut));
    let words = DraftWords {
        title: page.text.title.clone(),
        summary: page.text.summary.clone(),
        original: shipped.replace(shut, open),
        translation: page.text.translation.clone(),
    };
    app.save_draft(&drafter, &id, page.revision, words).await.unwrap();

    let (newest, published) = (
        app.policy_draft(Some(&drafter), &id).await.unwrap(),
        app.published_draft(Some(&drafter), &id).await.unwrap(),
    );
    assert!(!newest.is_published && published.is_published);
    // In either order, so that what is remembered of one is never shown of the other.
    for _ in 0..2 {
        let (of_newest, grants) = app.replay_shown(&newest).await.unwrap();
        assert_eq!((of_newest.changed(), grants.changes.len()), (0, 0), "{of_newest:#?}");
        let (of_published, grants) = app.replay_shown(&published).await.unwrap();
        assert_eq!(of_published.counts.get(&Flip::PermitToDeny), Some(&1), "{of_published:#?}");
        assert_eq!(grants.changes.len(), 1);
        assert_eq!(grants.draft, *published.checked.book.as_ref().unwrap().version());
    }
    let everybody = app.replay_draft(None, &id).await.unwrap();
    assert_eq!(everybody.0.counts.get(&Flip::PermitToDeny), Some(&1), "as everybody reads it");

    for _ in 0..2 {
        let proven = app.prove_shown(&newest, Claim::NothingNew).await.unwrap();
        assert!(matches!(proven.proof, Proof::Refuted(_)), "{proven:?}");
        let proven = app.prove_shown(&published, Claim::NothingNew).await.unwrap();
        assert!(matches!(proven.proof, Proof::Proved { .. }), "{proven:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_remembered_until_the_ledger_holds_another_decision() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let grant = node.grant().await;
    let id = draft(&node, stricter).await;
    let drafter = node.actor("authority-drafter").await;
    let (none, _) = node.app.replay_draft(Some(&drafter), &id).await.unwrap();
    assert_eq!((none.decisions, none.replayed()), (0, 0));
    for decisions in 1..4 {
        ask(&node, &grant, REQUESTS[3]).await.unwrap();
        // Many look at once: each is told the same, whoever was first.
        let looks = (0..12).map(|_| node.app.replay_draft(Some(&drafter), &id));
        for (replay, _) in futures::future::try_join_all(looks).await.unwrap() {
            assert_eq!((replay.decisions, replay.changed()), (decisions, decisions), "{replay:#?}");
        }
    }
    // What is no decision leaves it as it is.
    node.app.publish_draft(&drafter, &id).await.unwrap();
    let (replay, _) = node.app.replay_draft(None, &id).await.unwrap();
    assert_eq!((replay.decisions, replay.changed()), (3, 3));
}

/// Words that were consulted on take back, on another base, what nobody was asked about.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_rulebook_changed_meanwhile_is_not_taken_back_unasked() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let (app, drafter) = (&node.app, node.actor("authority-drafter").await);
    let id = draft(&node, stricter).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    consult(&node, &clock, &id).await;
    let unexplained = async || {
        let all = app.adoption(None, &id).await.unwrap().hindrances;
        all.into_iter().find_map(|one| match one {
            Hindrance::Unexplained(clauses) => Some(clauses),
            _ => None,
        })
    };
    assert_eq!(unexplained().await, None);
    let meanwhile = |text: String| text.replace("Anyone may complain", "All may complain");
    let other = draft(&node, meanwhile).await;
    adopt_at_once(&node, &other).await;

    app.rebase_draft(&drafter, &id).await.unwrap();
    app.publish_draft(&drafter, &id).await.unwrap();
    let taken_back = unexplained().await.unwrap();
    assert_eq!(taken_back.len(), 1, "{taken_back:?}");

    // With what the other changed it changes what was consulted on, and nothing else.
    let page = app.policy_draft(Some(&drafter), &id).await.unwrap();
    let words = DraftWords {
        title: page.text.title.clone(),
        summary: page.text.summary.clone(),
        original: meanwhile(page.text.original),
        translation: page.text.translation,
    };
    app.save_draft(&drafter, &id, page.revision, words).await.unwrap();
    app.publish_draft(&drafter, &id).await.unwrap();
    assert_eq!(unexplained().await, None);
}
