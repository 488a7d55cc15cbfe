//! The rulebook's loop on one node: branch, check, replay, approve, adopt, in force by the clock, predicted and real.

use crate::common::{Node, account, node_at};
use cogov_app::{
    AdoptionRequest, AppError, Door, DraftMay, DraftWords, EntryFilter, GrantSession, NewConsultation, Page,
    VersionState,
};
use cogov_model::{
    Clock, DraftId, DraftKind, EntryKind, GrantId, Outcome, ParticipantClass, Party, PartyClass, Role, Text,
    Tier, Timestamp,
};
use cogov_rulebook::{Claim, Flip, Proof};
use futures::TryStreamExt;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// A clock that the test turns.
#[derive(Debug)]
pub struct Hands(AtomicI64);

impl Hands {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_795_000_000_000)))
    }

    pub fn forward(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

pub async fn node(clock: &Arc<Hands>) -> Node {
    let node = node_at(clock.clone()).await;
    let authority = Party {
        id: "authority".parse().unwrap(),
        name: Text::same("authority"),
        class: PartyClass::Government,
        tier: Some(Tier::State),
        region: None,
    };
    node.app.put_party(&authority).await.unwrap();
    for role in [Role::Drafter, Role::Admin, Role::Head, Role::Approver] {
        account(&node.app, &format!("authority-{}", role.code()), "authority", vec![role]).await;
    }
    node.publish().await;
    node
}

/// Wages of general 4 are withheld from rows where today they are shown to a region of its own rows.
const OLD: &str = "  resource.grade <= 4\n};";
const NEW: &str = "  resource.grade <= 3\n};";

pub async fn draft(node: &Node, change: impl Fn(String) -> String) -> DraftId {
    let drafter = node.actor("authority-drafter").await;
    let id = node.app.branch_rulebook(&drafter).await.unwrap();
    let page = node.app.policy_draft(Some(&drafter), &id).await.unwrap();
    assert!(page.checked.faults.is_empty() && page.differences(cogov_model::Locale::En).is_empty());
    let words = DraftWords {
        title: Text::same("Wages stay home"),
        summary: Text::default(),
        original: change(page.text.original),
        translation: page.text.translation,
    };
    node.app.save_draft(&drafter, &id, page.revision, words).await.unwrap();
    id
}

pub fn stricter(text: String) -> String {
    assert!(text.contains(OLD));
    // The other way to the same column needs a legal basis and conditional sharing: close it too.
    text.replace(OLD, NEW).replace(
        "(resource.grade <= 4 && context.form == \"rows\")",
        "(resource.grade <= 3 && context.form == \"rows\")",
    )
}

pub async fn approve(node: &Node, id: &DraftId, roles: &[&str]) {
    for role in roles {
        let actor = node.actor(&format!("authority-{role}")).await;
        node.app.approve_draft(&actor, id, text_of(node, id).await, "agreed").await.unwrap();
    }
}

/// The number of the published text.
pub async fn text_of(node: &Node, id: &DraftId) -> u64 {
    node.app.policy_draft(None, id).await.unwrap().card.draft.published().unwrap().text
}

/// Consults on the published text for a week, in which nobody says anything, and concludes.
pub async fn consult(node: &Node, clock: &Hands, id: &DraftId) {
    let (drafter, head) = (node.actor("authority-drafter").await, node.actor("authority-head").await);
    let now = clock.now();
    let new = NewConsultation {
        title: Text::same("Wages"),
        summary: Text::same("Should wages stay home?"),
        clauses: Vec::new(),
        draft: Some(id.clone()),
        opens: now,
        closes: now.plus_days(7),
        questions: Vec::new(),
        invited: vec![ParticipantClass::Public],
    };
    let consultation = node.app.open_consultation(&drafter, new).await.unwrap();
    clock.forward(8);
    node.app.conclude_consultation(&head, &consultation, "Nobody said anything.").await.unwrap();
}

pub async fn ask(node: &Node, grant: &GrantId, sql: &str) -> Result<u64, AppError> {
    let analyst = node.actor("north-analyst").await;
    let answer = node.app.query(&analyst, grant, sql, &[], Door::Http).await?;
    let decision = answer.decision;
    let _: Vec<_> = answer.rows.try_collect().await?;
    Ok(decision)
}

pub const REQUESTS: [&str; 4] = [
    "SELECT count(*) FROM units",
    "SELECT id, region FROM units",
    "SELECT name FROM units",
    "SELECT wage FROM units",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_replayed_approved_adopted_and_then_decides() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let mut asked = node.draft();
    asked.days = 300;
    let grant = grant(&node, asked).await;
    for sql in REQUESTS {
        ask(&node, &grant, sql).await.unwrap();
    }
    let id = draft(&node, stricter).await;
    let drafter = node.actor("authority-drafter").await;
    let (replay, grants) = node.app.replay_draft(Some(&drafter), &id).await.unwrap();
    assert_eq!((replay.decisions, replay.replayed(), replay.disagreeing), (4, 4, 0));
    // One of the four used the wages.
    assert_eq!(replay.counts.get(&Flip::PermitToDeny), Some(&1), "{replay:#?}");
    assert_eq!(replay.changed(), 1);
    assert!(replay.by_region.contains_key(&Some("06".parse().unwrap())));
    assert_eq!(replay.examples[0].columns[0].0.column.as_str(), "wage");
    assert_eq!(grants.changes.len(), 1);
    let proven = node.app.prove_claim(Some(&drafter), &id, Claim::NothingNew).await.unwrap();
    assert!(matches!(proven.proof, Proof::Proved { .. }), "{proven:?}");
    assert!(!proven.opinion.contradicts(), "{proven:?}");

    assert!(
        matches!(node.app.policy_draft(None, &id).await, Err(AppError::NotFound(_))),
        "nobody sees it yet"
    );
    node.app.publish_draft(&drafter, &id).await.unwrap();
    assert!(node.app.policy_draft(None, &id).await.unwrap().may.is_empty());
    let admin = node.actor("authority-admin").await;
    let adopt = |effect| AdoptionRequest { effect, ..AdoptionRequest::default() };
    let early = node.app.adopt_draft(&admin, &id, adopt(None)).await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "without approvals");
    let stranger = node.actor("tax-head").await;
    assert!(matches!(node.app.approve_draft(&stranger, &id, 2, "").await, Err(AppError::Forbidden(_))));
    approve(&node, &id, &["admin", "head"]).await;
    assert!(
        matches!(node.app.approve_draft(&admin, &id, 2, "").await, Err(AppError::Forbidden(_))),
        "one each"
    );
    let early = node.app.adopt_draft(&admin, &id, adopt(None)).await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "nobody was consulted");
    consult(&node, &clock, &id).await;
    let early = node.app.adopt_draft(&admin, &id, adopt(None)).await;
    assert!(matches!(early, Err(AppError::Conflict(_))), "thirty days of publication");
    clock.forward(23);
    let soon = Some(clock.now().plus_days(5).date());
    assert!(matches!(node.app.adopt_draft(&admin, &id, adopt(soon)).await, Err(AppError::Invalid { .. })));
    assert!(matches!(node.app.adopt_draft(&stranger, &id, adopt(None)).await, Err(AppError::Forbidden(_))));
    let before = node.app.rulebook().version().clone();
    let effect = node.app.adopt_draft(&admin, &id, adopt(None)).await.unwrap();
    assert_eq!(*node.app.rulebook().version(), before, "not yet");
    let versions = node.app.rulebook_versions().await.unwrap();
    assert_eq!((versions[0].state, versions[0].draft.as_ref()), (VersionState::Coming, Some(&id)));

    // A live session, with a statement prepared under the rules that go.
    let analyst = node.actor("north-analyst").await;
    let session: GrantSession = node.app.grant_session(&analyst, &grant).await.unwrap();
    let prepared = node.app.prepare(&session, REQUESTS[3], Door::Pg).await.unwrap();
    clock.forward(31);
    assert!(clock.now() > effect);
    assert_ne!(*node.app.rulebook().version(), before, "the date passed by the clock");
    assert!(node.app.run(prepared).await.is_err(), "the wages are gone for the live session too");
    for sql in &REQUESTS[..3] {
        ask(&node, &grant, sql).await.unwrap();
    }
    // Predicted over four decisions: one refused. Real: the wages do not exist any more, so that query is no
    // decision; the three others are as they were.
    let effects = node.app.effect(None, &id).await.unwrap().unwrap();
    assert_eq!(effects.predicted.counts["permit-to-deny"], 1);
    let real = effects.real.unwrap();
    assert_eq!((real.replayed, real.counts.get("same")), (3, Some(&3)));
    let kinds = kinds(&node).await;
    let has = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!((has(EntryKind::DraftPublished), has(EntryKind::DraftApproved)), (1, 2));
    assert_eq!((has(EntryKind::RulebookAdopted), has(EntryKind::RulebookInForce)), (1, 2));
}

/// Waits until the background announces what came into force, and lists the ledger's kinds.
async fn kinds(node: &Node) -> Vec<EntryKind> {
    for _ in 0..60 {
        let found = node.app.entries(None, &EntryFilter::default(), &Page::first(500)).await.unwrap();
        let kinds: Vec<_> = found.items.iter().map(|view| view.entry.kind).collect();
        if kinds.iter().filter(|kind| **kind == EntryKind::RulebookInForce).count() > 1 {
            return kinds;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the coming into force was not announced");
}

pub async fn grant(node: &Node, asked: cogov_app::ApplicationDraft) -> GrantId {
    use cogov_app::ApplicationAct;
    let id = node.app.apply(&node.actor("north-requester").await, asked).await.unwrap();
    let agree = || ApplicationAct::ApproveAsHead { words: "yes".into() };
    node.app.act(&node.actor("north-head").await, &id, agree()).await.unwrap();
    let whole = ApplicationAct::Agree { columns: None, conditions: Vec::new(), words: "fine".into() };
    node.app.act(&node.actor("tax-approver").await, &id, whole).await.unwrap();
    let done = node.app.act(&node.actor("tax-head").await, &id, agree()).await.unwrap();
    done.grant.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prediction_is_the_reality_on_the_same_requests() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let grant = node.grant().await;
    // Names and numbers are treated otherwise: no column goes, so that every request is a decision again.
    let id = draft(&node, |text| {
        text.replace(
            "@limit @treatment(\"mask\") @mask(\"prefix:1\")",
            "@limit @treatment(\"mask\") @mask(\"keyed-hash\")",
        )
    })
    .await;
    let requests: Vec<&str> = REQUESTS.iter().copied().cycle().take(12).collect();
    for sql in &requests {
        ask(&node, &grant, sql).await.unwrap();
    }
    let drafter = node.actor("authority-drafter").await;
    node.app.publish_draft(&drafter, &id).await.unwrap();
    approve(&node, &id, &["admin", "head", "approver"]).await;
    let admin = node.actor("authority-admin").await;
    let urgent =
        |reasons: &str| AdoptionRequest { effect: None, urgent: true, reasons: reasons.into(), text: None };
    assert!(matches!(node.app.adopt_draft(&admin, &id, urgent("")).await, Err(AppError::Invalid { .. })));
    node.app.adopt_draft(&admin, &id, urgent("Names leak by their first characters.")).await.unwrap();
    for sql in &requests {
        ask(&node, &grant, sql).await.unwrap();
    }
    let effects = node.app.effect(None, &id).await.unwrap().unwrap();
    let real = effects.real.unwrap();
    assert_eq!((effects.predicted.replayed, real.replayed), (12, 12));
    assert_eq!(effects.predicted.counts, real.counts, "predicted and real");
    assert_eq!(effects.predicted.by_class, real.by_class);
    assert_eq!(effects.predicted.by_dataset, real.by_dataset);
    assert_eq!(real.counts["stricter"], 3);
}

/// Publishes a draft, has it approved by all and adopts it at once.
pub async fn adopt_at_once(node: &Node, id: &DraftId) {
    node.app.publish_draft(&node.actor("authority-drafter").await, id).await.unwrap();
    approve(node, id, &["admin", "head", "approver"]).await;
    let reasons = "Names leak by their first characters.".into();
    let urgent = AdoptionRequest { effect: None, urgent: true, reasons, text: None };
    node.app.adopt_draft(&node.actor("authority-admin").await, id, urgent).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_between_does_not_part_prediction_and_reality() {
    const SHIPPED: &str = "@limit @treatment(\"mask\") @mask(\"prefix:1\")";
    const HASHED: &str = "@limit @treatment(\"mask\") @mask(\"keyed-hash\")";
    let clock = Hands::new();
    let node = node(&clock).await;
    let grant = node.grant().await;
    let requests: Vec<&str> = REQUESTS.iter().copied().cycle().take(12).collect();
    for sql in &requests {
        ask(&node, &grant, sql).await.unwrap();
    }
    // Names become stricter; nobody asks while that is in force. Then they are shown as they were decided.
    let first = draft(&node, |text| text.replace(SHIPPED, HASHED)).await;
    adopt_at_once(&node, &first).await;
    let amended = node.app.rulebook().version().clone();
    let second = draft(&node, |text| {
        assert!(text.contains(HASHED));
        text.replacen(HASHED, SHIPPED, 1).replace("Anyone may complain", "All may complain")
    })
    .await;
    let drafter = node.actor("authority-drafter").await;
    let (replay, _) = node.app.replay_draft(Some(&drafter), &second).await.unwrap();
    assert_eq!((replay.replayed(), replay.changed(), replay.disagreeing), (12, 3, 0));
    assert_eq!(replay.counts.get(&Flip::Looser), Some(&3), "{replay:#?}");
    let apart = replay.amended.unwrap();
    assert_eq!((apart.base, apart.counts.get(&Flip::Stricter)), (amended, Some(&3)));
    adopt_at_once(&node, &second).await;
    for sql in &requests {
        ask(&node, &grant, sql).await.unwrap();
    }
    let effects = node.app.effect(None, &second).await.unwrap().unwrap();
    let (predicted, real) = (effects.predicted, effects.real.unwrap());
    assert_eq!((predicted.replayed, real.replayed), (12, 12));
    assert_eq!(predicted.counts, real.counts, "predicted and real");
    assert_eq!((&predicted.by_class, &predicted.by_dataset), (&real.by_class, &real.by_dataset));
    // Beside the record the prediction would have been that nothing changes.
    let apart = predicted.amended.unwrap();
    assert_eq!((apart.get("stricter"), apart.get("same")), (Some(&3), Some(&9)));
    assert_eq!(real.amended, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coming_rulebook_survives_a_restart_and_old_drafts_are_outdated() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let (id, other) = (
        draft(&node, stricter).await,
        draft(&node, |text| text.replace("Anyone may complain", "All may complain")).await,
    );
    let drafter = node.actor("authority-drafter").await;
    for id in [&id, &other] {
        node.app.publish_draft(&drafter, id).await.unwrap();
        approve(&node, id, &["admin", "head"]).await;
        consult(&node, &clock, id).await;
    }
    clock.forward(31);
    let admin = node.actor("authority-admin").await;
    node.app.adopt_draft(&admin, &id, AdoptionRequest::default()).await.unwrap();
    let late = node.app.adopt_draft(&admin, &other, AdoptionRequest::default()).await;
    assert!(matches!(late, Err(AppError::Conflict(_))), "another rulebook is coming");
    assert!(node.app.policy_draft(Some(&drafter), &other).await.unwrap().may.contains(&DraftMay::Rebase));
    let before = node.app.rulebook().version().clone();
    let node = node.restarted(clock.clone()).await;
    assert_eq!(*node.app.rulebook().version(), before);
    clock.forward(31);
    assert_ne!(*node.app.rulebook().version(), before, "the date was kept");
    let node = node.restarted(clock.clone()).await;
    assert_ne!(*node.app.rulebook().version(), before);
    let kinds = kinds(&node).await;
    assert_eq!(kinds.iter().filter(|k| **k == EntryKind::RulebookInForce).count(), 2, "announced once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_replayed_with_their_reasons_and_engine_refusals_stay_open() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let mut asked = node.draft();
    asked.days = 10;
    let grant = grant(&node, asked).await;
    let refused = ask(&node, &grant, "EXPLAIN SELECT wage FROM units").await;
    assert!(refused.is_err(), "the engine refuses");
    clock.forward(20);
    let over = ask(&node, &grant, REQUESTS[0]).await;
    assert!(matches!(over, Err(AppError::Refused { .. })), "the term is over");
    let id = draft(&node, stricter).await;
    let drafter = node.actor("authority-drafter").await;
    let (replay, _) = node.app.replay_draft(Some(&drafter), &id).await.unwrap();
    assert_eq!((replay.replayed(), replay.disagreeing), (2, 0), "{replay:#?}");
    assert_eq!(replay.counts.get(&Flip::AskAgain), Some(&1));
    assert_eq!(replay.counts.get(&Flip::Same), Some(&1), "a grant that is over stays over");
    let entries = node
        .app
        .entries(
            None,
            &EntryFilter { outcome: Some(Outcome::Deny), ..EntryFilter::default() },
            &Page::first(5),
        )
        .await
        .unwrap();
    assert!(entries.items.iter().all(|view| view.entry.facts.contains_key("facts")));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_hinder_publication_and_saving_is_compare_and_set() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let drafter = node.actor("authority-drafter").await;
    let id = draft(&node, |text| text.replace("{#art-24}", "")).await;
    assert!(matches!(node.app.publish_draft(&drafter, &id).await, Err(AppError::Invalid { .. })));
    let page = node.app.policy_draft(Some(&drafter), &id).await.unwrap();
    assert!(page.checked.faults.iter().any(|p| p.advice.contains("no anchor")), "{:?}", page.checked.faults);
    let words = |title: &str| DraftWords {
        title: Text::same(title),
        original: page.text.original.clone(),
        translation: String::new(),
        ..DraftWords::default()
    };
    node.app.save_draft(&drafter, &id, page.revision, words("first")).await.unwrap();
    let second = node.app.save_draft(&drafter, &id, page.revision, words("second")).await;
    assert!(matches!(second, Err(AppError::Conflict(_))));
    let checked = node
        .app
        .check_texts(
            DraftKind::Rulebook,
            cogov_model::Locale::En,
            &node_text(&node, &id).await.replace("Category::\"person.text\"", "Category::\"person.poem\""),
            "",
        )
        .await;
    assert!(checked.faults.iter().any(|p| p.advice.contains("person.poem")), "{:?}", checked.faults);
    assert!(checked.faults.iter().any(|p| p.advice.contains("translation is missing")));
    let outsider = node.actor("tax-head").await;
    assert!(matches!(node.app.branch_rulebook(&outsider).await, Err(AppError::Forbidden(_))));
    assert!(matches!(node.app.policy_draft(Some(&outsider), &id).await, Err(AppError::NotFound(_))));
}

pub async fn node_text(node: &Node, _: &DraftId) -> String {
    let drafter = node.actor("authority-drafter").await;
    let id = node.app.branch_rulebook(&drafter).await.unwrap();
    node.app.policy_draft(Some(&drafter), &id).await.unwrap().text.original
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_without_rules_is_split_published_and_handed_to_a_consultation() {
    let clock = Hands::new();
    let node = node(&clock).await;
    let drafter = node.actor("authority-drafter").await;
    let text = "数据开放办法\n\n第一条 为了开放数据，制定本办法。\n\n第二条 适用于所有机构。\n";
    let id = node.app.begin_text(&drafter, "数据开放办法", text).await.unwrap();
    assert!(node.app.draft_for_consultation(&drafter, &id).await.is_err(), "published first");
    node.app.publish_draft(&drafter, &id).await.unwrap();
    let snapshot = node.app.draft_for_consultation(&drafter, &id).await.unwrap();
    let anchors: Vec<_> = snapshot.clauses.iter().map(|clause| clause.anchor.to_string()).collect();
    assert_eq!(anchors, ["art-1", "art-2"]);
    assert!(snapshot.clauses[0].html.zh.contains("为了开放数据") && snapshot.version.is_none());
    let admin = node.actor("authority-admin").await;
    assert!(matches!(node.app.approve_draft(&admin, &id, 1, "").await, Err(AppError::Conflict(_))));
    node.app.withdraw_draft(&drafter, &id).await.unwrap();
    assert_eq!(node.app.policy_draft(None, &id).await.unwrap().card.state, "withdrawn", "stays readable");
}
