//! The loop whole: a draft is published and consulted on, people speak, answers change a clause, the changed text is
//! published, approved and adopted, the engine decides by it, and the adopted clause leads back to who caused it.

use crate::common::{HOME, Node, PASSWORD, account, node_at};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use cogov_app::{
    Actor, AdoptionRequest, AppError, Consulted, Door, DraftMay, DraftWords, EntryFilter, Hindrance,
    NewAnswer, NewConsultation, NewContribution, Page,
};
use cogov_model::{
    AnswerOutcome, ClauseId, Clock, ConsultationId, ConsultationState, ContributionKind, DraftId, EntryKind,
    Locale, ParticipantClass, Party, PartyClass, Role, Text, Tier, Timestamp,
};
use futures::TryStreamExt;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// A clock that the test turns.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Hands {
    fn forward(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

async fn node() -> (Node, Arc<Hands>) {
    let clock = Arc::new(Hands(AtomicI64::new(1_795_000_000_000)));
    let node = node_at(clock.clone()).await;
    let body = |id: &str, class, tier| Party {
        id: id.parse().unwrap(),
        name: Text::same(id),
        class,
        tier,
        region: None,
    };
    node.app.put_party(&body("authority", PartyClass::Government, Some(Tier::State))).await.unwrap();
    node.app.put_party(&body("crowd", PartyClass::Individual, None)).await.unwrap();
    for role in [Role::Drafter, Role::Admin, Role::Head, Role::Approver] {
        account(&node.app, &format!("authority-{}", role.code()), "authority", vec![role]).await;
    }
    for name in ["ann", "bo"] {
        account(&node.app, name, "crowd", vec![Role::Citizen]).await;
    }
    node.publish().await;
    (node, clock)
}

/// Names are shown by their first character; the draft hashes them.
const OLD: &str = "@limit @treatment(\"mask\") @mask(\"prefix:1\")";
const NEW: &str = "@limit @treatment(\"mask\") @mask(\"keyed-hash\")";

async fn write(node: &Node, id: &DraftId, change: impl Fn(String) -> String) {
    let drafter = node.actor("authority-drafter").await;
    let page = node.app.policy_draft(Some(&drafter), id).await.unwrap();
    let words = DraftWords {
        title: Text::same("Names leak less"),
        summary: Text::same("By their first characters."),
        original: change(page.text.original),
        translation: page.text.translation,
    };
    node.app.save_draft(&drafter, id, page.revision, words).await.unwrap();
}

fn asking(now: Timestamp, draft: Option<DraftId>) -> NewConsultation {
    NewConsultation {
        title: Text::same("How are names shown?"),
        summary: Text::same("Names and numbers."),
        // Whatever a form carries beside a draft is not looked at.
        clauses: cogov_app::split_clauses("## Harmless {#harmless}\nNothing changes.", "").unwrap(),
        draft,
        opens: now,
        closes: now.plus_days(7),
        questions: vec![Text::same("How many characters?")],
        invited: vec![ParticipantClass::Public],
    }
}

async fn consulted(node: &Node, id: &DraftId) -> Consulted {
    node.app.draft_consulted(None, id).await.unwrap()
}

async fn hindrances(node: &Node, id: &DraftId) -> Vec<Hindrance> {
    node.app.adoption(None, id).await.unwrap().hindrances
}

async fn approve(node: &Node, id: &DraftId, roles: &[&str]) {
    let text = node.app.policy_draft(None, id).await.unwrap().card.draft.published().unwrap().text;
    for role in roles {
        let actor = node.actor(&format!("authority-{role}")).await;
        node.app.approve_draft(&actor, id, text, "agreed").await.unwrap();
    }
}

async fn say(node: &Node, who: &Actor, id: &ConsultationId, clause: &str, proposed: Option<&str>) {
    let new = NewContribution {
        kind: if proposed.is_some() { ContributionKind::Amendment } else { ContributionKind::Comment },
        clause: Some(clause.parse().unwrap()),
        words: "One character tells too much.".into(),
        proposed: proposed.map(str::to_owned),
    };
    node.app.contribute(who, id, new).await.unwrap();
}

/// The clause of the rulebook whose rule the draft changes.
async fn changed_clause(node: &Node, id: &DraftId) -> ClauseId {
    let drafter = node.actor("authority-drafter").await;
    let page = node.app.policy_draft(Some(&drafter), id).await.unwrap();
    let differences = page.differences(Locale::En);
    assert_eq!(differences.len(), 1, "{differences:?}");
    differences[0].anchor.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_changes_because_people_spoke_and_leads_back_to_them() {
    let (node, clock) = node().await;
    let (app, drafter) = (&node.app, node.actor("authority-drafter").await);
    let (head, admin) = (node.actor("authority-head").await, node.actor("authority-admin").await);
    let mut asked = node.draft();
    asked.days = 300;
    let grant = node.grant_of(asked).await;
    let id = app.branch_rulebook(&drafter).await.unwrap();
    // The first text changes another clause: what people say about names is what changes the names.
    write(&node, &id, |text| text.replace("Anyone may complain", "All may complain")).await;
    let closed = app.open_consultation(&drafter, asking(clock.now(), Some(id.clone()))).await;
    assert!(matches!(closed, Err(AppError::Conflict(_))), "published first: {closed:?}");
    app.publish_draft(&drafter, &id).await.unwrap();
    assert!(matches!(hindrances(&node, &id).await[..], [Hindrance::NotConsulted(_)]));

    // Who may not open one is told so before a form is filled in.
    for stranger in ["tax-head", "authority-approver", "ann"] {
        let stranger = node.actor(stranger).await;
        let refused = app.consultation_form(&stranger, Some(&id)).await;
        assert!(matches!(refused, Err(AppError::Forbidden(_))), "{refused:?}");
        assert!(app.open_consultation(&stranger, asking(clock.now(), Some(id.clone()))).await.is_err());
    }
    assert!(
        matches!(app.consultation_form(&drafter, None).await, Err(AppError::Forbidden(_))),
        "another text"
    );
    assert!(app.policy_draft(Some(&drafter), &id).await.unwrap().may.contains(&DraftMay::Consult));
    let consultation = app.open_consultation(&drafter, asking(clock.now(), Some(id.clone()))).await.unwrap();
    assert!(!app.policy_draft(Some(&drafter), &id).await.unwrap().may.contains(&DraftMay::Consult));
    let twice = app.open_consultation(&head, asking(clock.now(), Some(id.clone()))).await;
    assert!(matches!(twice, Err(AppError::Conflict(_))), "one at a time: {twice:?}");

    // It is on exactly the published text, rules and all, whatever the form carried.
    let snapshot = app.draft_for_consultation(&drafter, &id).await.unwrap();
    let text: Vec<_> =
        app.consultation_text(&consultation).await.unwrap().into_iter().map(|c| c.clause).collect();
    assert_eq!(text, snapshot.consulted());
    assert!(text.iter().any(|clause| clause.title.en.contains("All may complain")));
    assert!(text.iter().any(|clause| clause.words.en.contains("```cedar") && clause.words.en.contains(OLD)));
    let page = app.consultation(None, &consultation).await.unwrap();
    assert_eq!(page.card.consultation.draft.as_ref().unwrap().parts().unwrap(), (id.clone(), snapshot.text));

    let clause = {
        write(&node, &id, |text| text.replacen(OLD, NEW, 1)).await;
        let drafter = node.actor("authority-drafter").await;
        let page = app.policy_draft(Some(&drafter), &id).await.unwrap();
        let differ = page.differences(Locale::En);
        let named = differ.iter().find(|d| d.rules.iter().any(|piece| piece.text.contains("keyed-hash")));
        named.unwrap_or_else(|| panic!("{differ:?}")).anchor.clone()
    };
    let people = [node.actor("ann").await, node.actor("bo").await];
    for person in &people {
        app.join_consultation(person, &consultation, ParticipantClass::Public, false).await.unwrap();
    }
    say(&node, &people[0], &consultation, clause.as_str(), None).await;
    say(&node, &people[1], &consultation, clause.as_str(), Some("Names are hashed.")).await;

    // It cannot be adopted while it is open, nor while contributions wait, not even at once.
    approve(&node, &id, &["admin", "head", "approver"]).await;
    let urgent =
        AdoptionRequest { effect: None, urgent: true, reasons: "Names leak by the hour.".into(), text: None };
    for days in [0, 8] {
        clock.forward(days);
        assert!(matches!(hindrances(&node, &id).await[..], [Hindrance::UnderWay(_)]));
        let early = app.adopt_draft(&admin, &id, urgent.clone()).await;
        match early {
            Err(AppError::Conflict(words)) => {
                assert!(words.en.contains("How are names shown?"), "{}", words.en)
            }
            other => panic!("adopted with a consultation under way: {other:?}"),
        }
    }
    assert_eq!(consulted(&node, &id).await.consultations[0].card.counts.unanswered, 2);
    let answer = NewAnswer {
        replaces: None,
        title: "Names".into(),
        words: "We agree.".into(),
        outcome: AnswerOutcome::Change { clause: clause.clone(), words: "Names are hashed now.".into() },
        contributions: vec![0, 1],
        all_on: None,
        seen: None,
    };
    app.answer_contributions(&head, &consultation, answer).await.unwrap();
    app.conclude_consultation(&head, &consultation, "Names are hashed.").await.unwrap();

    // The answer promises a change that the published text does not have yet; then one too many.
    assert_eq!(hindrances(&node, &id).await, [Hindrance::Unkept(vec![clause.clone()])]);
    let text = app.policy_draft(None, &id).await.unwrap().card.draft.published().unwrap().text;
    write(&node, &id, |text| text.replace("All may complain", "Nobody may complain")).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    let [Hindrance::Unexplained(unexplained)] = &hindrances(&node, &id).await[..] else { panic!() };
    assert_eq!(unexplained.len(), 1);
    let fallen = app.policy_draft(None, &id).await.unwrap().card.draft.approvals;
    assert!(fallen.is_empty(), "approvals of an earlier text fall away");
    let unread = app.approve_draft(&admin, &id, text, "as I read it").await;
    assert!(matches!(unread, Err(AppError::Conflict(_))), "it is not the text that was read: {unread:?}");
    write(&node, &id, |text| text.replace("Nobody may complain", "All may complain")).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    assert!(hindrances(&node, &id).await.is_empty());

    // The days are counted from the publication of the text that is adopted.
    approve(&node, &id, &["admin", "head"]).await;
    clock.forward(29);
    let early = app.adopt_draft(&admin, &id, AdoptionRequest::default()).await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "thirty days of this text: {early:?}");
    clock.forward(2);
    app.adopt_draft(&admin, &id, AdoptionRequest::default()).await.unwrap();
    clock.forward(31);

    // The engine decides by it.
    assert_eq!(names(&node, &grant).await.iter().filter(|name| name.chars().count() > 8).count(), 10);
    // And the adopted clause leads back to the contributions behind it.
    let version = app.rulebook().version().clone();
    let origins = app.clause_origins(&version).await.unwrap();
    let origin = &origins[&clause][0];
    assert_eq!((&origin.draft, origin.voices.len()), (&id, 1));
    let voice = &origin.voices[0];
    assert_eq!(
        (&voice.consultation, voice.answer.contributions, voice.contributions.len()),
        (&consultation, 2, 2)
    );
    for said in &voice.contributions {
        let receipt = app.receipt(None, &consultation, said.contribution.entry).await.unwrap();
        assert!(receipt.checks.iter().all(|(_, holds)| *holds));
    }
    assert!(
        origins.len() == 2 && origins.values().any(|all| all[0].voices.is_empty()),
        "nobody spoke of the other"
    );
    let found = consulted(&node, &id).await;
    assert_eq!(found.consultations[0].card.state, ConsultationState::Concluded);
    assert_eq!(found.voices[&clause].len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_outlives_the_next_consultation() {
    let (node, clock) = node().await;
    let app = &node.app;
    let [drafter, _, head, _] = actors(&node).await;
    let id = app.branch_rulebook(&drafter).await.unwrap();
    write(&node, &id, |text| text.replace("Anyone may complain", "All may complain")).await;
    let clause = changed_clause(&node, &id).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    let consultation = app.open_consultation(&drafter, asking(clock.now(), Some(id.clone()))).await.unwrap();
    let ann = node.actor("ann").await;
    app.join_consultation(&ann, &consultation, ParticipantClass::Public, false).await.unwrap();
    say(&node, &ann, &consultation, clause.as_str(), None).await;
    clock.forward(8);
    let answer = NewAnswer {
        replaces: None,
        title: "Complaints".into(),
        words: "We agree.".into(),
        outcome: AnswerOutcome::Change { clause: clause.clone(), words: "It says it otherwise.".into() },
        contributions: vec![0],
        all_on: None,
        seen: None,
    };
    app.answer_contributions(&head, &consultation, answer).await.unwrap();
    app.conclude_consultation(&head, &consultation, "It will be said otherwise.").await.unwrap();
    assert_eq!(consulted(&node, &id).await.unkept, std::slice::from_ref(&clause));

    // The clause is asked about again as it was, and nobody says anything.
    let next = app.open_consultation(&drafter, asking(clock.now(), Some(id.clone()))).await.unwrap();
    clock.forward(8);
    app.conclude_consultation(&head, &next, "Nobody said anything.").await.unwrap();
    let found = consulted(&node, &id).await;
    assert_eq!((found.consultations.len(), found.unkept), (2, vec![clause.clone()]));
    assert!(hindrances(&node, &id).await.contains(&Hindrance::Unkept(vec![clause])));
    write(&node, &id, |text| text.replace("All may complain", "Nobody may complain")).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    assert!(consulted(&node, &id).await.unkept.is_empty());
}

/// Adopts a rulebook, at once, that prescribes thirty days for consultations.
async fn prescribe_days(node: &Node) {
    let [drafter, admin, ..] = actors(node).await;
    let id = node.app.branch_rulebook(&drafter).await.unwrap();
    write(node, &id, |text| {
        let was = "change_consulted = true\n";
        assert!(text.contains(was));
        text.replace(was, "change_consulted = true\nchange_consulted_days = 30\n")
    })
    .await;
    node.app.publish_draft(&drafter, &id).await.unwrap();
    approve(node, &id, &["admin", "head", "approver"]).await;
    let urgent =
        AdoptionRequest { effect: None, urgent: true, reasons: "A minute is too short.".into(), text: None };
    node.app.adopt_draft(&admin, &id, urgent).await.unwrap();
    assert_eq!(node.app.rulebook().workflow().consultation_days().unwrap().value, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consultation_that_is_too_short_is_refused_before_it_opens_and_never_counts() {
    let (node, clock) = node().await;
    let (app, [drafter, admin, head, _]) = (&node.app, actors(&node).await);
    // Seven days, while nothing says how many.
    let old = app.branch_rulebook(&drafter).await.unwrap();
    write(&node, &old, |text| text.replace("Anyone may complain", "Nobody may complain")).await;
    app.publish_draft(&drafter, &old).await.unwrap();
    assert!(app.draft_for_consultation(&drafter, &old).await.unwrap().open_days.is_none());
    let short = app.open_consultation(&drafter, asking(clock.now(), Some(old.clone()))).await.unwrap();
    assert!(matches!(hindrances(&node, &old).await[..], [Hindrance::UnderWay(_)]));
    prescribe_days(&node).await;

    // Nobody has to wait for its end to see that it does not count.
    for days in [0, 8] {
        clock.forward(days);
        if days > 0 {
            app.conclude_consultation(&head, &short, "Nobody said anything.").await.unwrap();
        }
        let found = hindrances(&node, &old).await;
        let too_short = found.last().unwrap();
        let Hindrance::TooShort { days: prescribed, .. } = too_short else { panic!("{found:?}") };
        assert_eq!((prescribed.value, prescribed.clause.as_str()), (30, "change"));
        let words = too_short.words();
        assert!(words.en.contains("30 days (clause change)"), "{}", words.en);
        assert!(words.zh.contains("30 日（条款 change）"), "{}", words.zh);
        assert!(!too_short.holds(true), "what cannot wait is not consulted on");
    }
    app.rebase_draft(&drafter, &old).await.unwrap();
    app.publish_draft(&drafter, &old).await.unwrap();
    approve(&node, &old, &["admin", "head"]).await;
    clock.forward(31);
    match app.adopt_draft(&admin, &old, AdoptionRequest::default()).await {
        Err(AppError::Conflict(words)) => assert!(words.en.contains("fewer than 30 days"), "{}", words.en),
        other => panic!("adopted after a consultation that was too short: {other:?}"),
    }

    // The form refuses what would not count, however early it says that it opened.
    let id = app.branch_rulebook(&drafter).await.unwrap();
    write(&node, &id, |text| text.replace("Anyone may complain", "All may complain")).await;
    app.publish_draft(&drafter, &id).await.unwrap();
    let form = app.consultation_form(&drafter, Some(&id)).await.unwrap().unwrap();
    assert_eq!(form.open_days.map(|days| days.value), Some(30));
    for opens in [clock.now(), clock.now().plus_days(-60)] {
        let new = NewConsultation { opens, ..asking(clock.now(), Some(id.clone())) };
        match app.open_consultation(&drafter, new).await {
            Err(AppError::Invalid { field: Some("closes"), advice }) => {
                assert!(advice.en.contains("30 days (clause change)"), "{}", advice.en);
                assert!(advice.zh.contains("30 日（条款 change）"), "{}", advice.zh);
            }
            other => panic!("opened for too few days: {other:?}"),
        }
    }
    let now = clock.now();
    let long = NewConsultation { closes: now.plus_days(31), ..asking(now, Some(id.clone())) };
    let long = app.open_consultation(&drafter, long).await.unwrap();
    assert!(matches!(hindrances(&node, &id).await[..], [Hindrance::UnderWay(_)]));
    clock.forward(32);
    app.conclude_consultation(&head, &long, "Nobody said anything.").await.unwrap();
    assert!(hindrances(&node, &id).await.is_empty());
    approve(&node, &id, &["admin", "head"]).await;
    app.adopt_draft(&admin, &id, AdoptionRequest::default()).await.unwrap();

    // The days are those of changes of the rules: another text is asked about for as long as its body wants.
    let words = "On openness\n\nArticle 1 Purpose\n\nData serves people.\n\nArticle 2 Scope\n\nAll bodies.\n";
    let text = app.begin_text(&drafter, "On openness", words).await.unwrap();
    app.publish_draft(&drafter, &text).await.unwrap();
    app.open_consultation(&drafter, asking(clock.now(), Some(text))).await.unwrap();
}

/// The names that a grant shows now.
async fn names(node: &Node, grant: &cogov_model::GrantId) -> Vec<String> {
    let analyst = node.actor("north-analyst").await;
    let answer = node.app.query(&analyst, grant, "SELECT name FROM units", &[], Door::Http).await.unwrap();
    let batches: Vec<_> = answer.rows.try_collect().await.unwrap();
    let name = |batch: &arrow::array::RecordBatch| -> Vec<String> {
        let column = ArrayFormatter::try_new(batch.column(0), &FormatOptions::default()).unwrap();
        (0..batch.num_rows()).map(|row| column.value(row).to_string()).collect()
    };
    batches.iter().flat_map(name).collect()
}

async fn actors(node: &Node) -> [Actor; 4] {
    [
        node.actor("authority-drafter").await,
        node.actor("authority-admin").await,
        node.actor("authority-head").await,
        node.actor("authority-approver").await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_not_done() {
    let (node, _) = node().await;
    let [drafter, admin, head, _] = actors(&node).await;
    let urgent =
        AdoptionRequest { effect: None, urgent: true, reasons: "Names leak by the hour.".into(), text: None };
    let (new, other) = (
        node.app.branch_rulebook(&drafter).await.unwrap(),
        node.app.branch_rulebook(&drafter).await.unwrap(),
    );
    node.app.publish_draft(&drafter, &other).await.unwrap();
    let id = node.app.branch_rulebook(&drafter).await.unwrap();
    write(&node, &id, |text| text.replacen(OLD, NEW, 1)).await;
    changed_clause(&node, &id).await;
    node.app.publish_draft(&drafter, &id).await.unwrap();
    approve(&node, &id, &["admin", "head", "approver"]).await;
    let before = node.app.policy_draft(None, &id).await.unwrap().card.draft;
    node.media.stop();
    let refused = [
        node.app.publish_draft(&drafter, &new).await.map(|_| ()),
        node.app.approve_draft(&admin, &other, 1, "").await,
        node.app.withdraw_draft(&drafter, &id).await,
        node.app.adopt_draft(&admin, &id, urgent).await.map(|_| ()),
    ];
    assert!(refused.iter().all(|r| matches!(r, Err(AppError::Unavailable(_)))), "{refused:?}");
    assert_eq!(node.app.policy_draft(None, &id).await.unwrap().card.draft, before, "nothing was done");
    assert!(node.app.policy_draft(None, &new).await.is_err(), "and nothing is public");
    let opened =
        node.app.open_consultation(&head, asking(before.made_at.plus_days(1), Some(id.clone()))).await;
    assert!(opened.is_err());
    assert!(consulted(&node, &id).await.consultations.is_empty());
    let version = node.app.rulebook().version().clone();
    assert_eq!(node.app.rulebook_versions().await.unwrap().len(), 1, "no rulebook comes");
    assert_eq!(*node.app.rulebook().version(), version);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_done_when_the_node_opens() {
    let (node, clock) = node().await;
    let [drafter, admin, ..] = actors(&node).await;
    let urgent =
        AdoptionRequest { effect: None, urgent: true, reasons: "Names leak by the hour.".into(), text: None };
    let id = node.app.branch_rulebook(&drafter).await.unwrap();
    write(&node, &id, |text| text.replacen(OLD, NEW, 1)).await;
    let kept = tempfile::tempdir().unwrap();
    let mut node = node;
    for act in ["publish", "approve", "adopt"] {
        // The records as they were before the act are put back after it, as if the node had stopped between the ledger
        // and the records.
        node = node.restarted_after(clock.clone(), |home| copy_records(home, kept.path())).await;
        match act {
            "publish" => node.app.publish_draft(&drafter, &id).await.map(|_| ()).unwrap(),
            "approve" => approve(&node, &id, &["admin", "head", "approver"]).await,
            _ => node.app.adopt_draft(&admin, &id, urgent.clone()).await.map(|_| ()).unwrap(),
        }
        let wanted = node.app.policy_draft(None, &id).await.unwrap().card.draft;
        let version = node.app.rulebook().version().clone();
        node = node.restarted_after(clock.clone(), |home| copy_records(kept.path(), home)).await;
        for _ in 0..2 {
            let found = node.app.policy_draft(None, &id).await.unwrap().card.draft;
            assert_eq!(found, wanted, "{act}");
            assert_eq!(*node.app.rulebook().version(), version, "{act}");
            node = node.restarted(clock.clone()).await;
        }
    }
    let filter = EntryFilter { kind: Some(EntryKind::RulebookAdopted), ..EntryFilter::default() };
    assert_eq!(node.app.entries(None, &filter, &Page::first(10)).await.unwrap().items.len(), 1);
    assert!(node.app.authenticate("ann", PASSWORD, HOME).await.is_ok());
}

/// The files of the records.
const RECORDS: [&str; 3] = ["records.sqlite", "records.sqlite-wal", "records.sqlite-shm"];

/// Copies the records of a stopped node from one folder to another.
fn copy_records(from: &Path, to: &Path) {
    for name in RECORDS {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}
