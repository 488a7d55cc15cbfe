//! Story 4: a counter verifies a fact without seeing the record, and holds a receipt for it.

use crate::common::{Node, node, node_at};
use cogov_app::{
    Actor, AppError, ApplicationAct, ApplicationDraft, Door, EntryFilter, Page, Receipt, Subject, Verified,
    subject_text,
};
use cogov_model::{Clock, Form, GrantId, Outcome, Scalar, Timestamp, Verification, VerifyAnswer};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

fn verification() -> Verification {
    serde_json::from_value(json!({"dataset": "tax", "table": "units", "subject": ["name"], "predicates": [
        {"id": "earns-little", "words": {"en": "Below 1100?", "zh": "低于1100?"},
         "all": [{"column": "wage", "op": "<", "value": 1100}]}]}))
    .unwrap()
}

fn draft(node: &Node) -> ApplicationDraft {
    ApplicationDraft { form: Form::Verify, verification: Some(verification()), ..node.draft() }
}

async fn verify_grant(node: &Node) -> GrantId {
    let app = &node.app;
    let id = app.apply(&node.actor("north-requester").await, draft(node)).await.unwrap();
    let agree = |words: &str| ApplicationAct::ApproveAsHead { words: words.into() };
    app.act(&node.actor("north-head").await, &id, agree("yes")).await.unwrap();
    let whole = ApplicationAct::Agree { columns: None, conditions: Vec::new(), words: "fine".into() };
    app.act(&node.actor("tax-approver").await, &id, whole).await.unwrap();
    app.act(&node.actor("tax-head").await, &id, agree("yes")).await.unwrap().grant.unwrap()
}

fn person(name: &str) -> Subject {
    [("name".parse().unwrap(), Scalar::Text(name.to_owned()))].into()
}

async fn ask(node: &Node, actor: &Actor, grant: &GrantId, name: &str) -> Result<Verified, AppError> {
    node.app.verify(actor, grant, &"earns-little".parse().unwrap(), person(name), Door::Counter).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_learns_yes_no_or_unknown_and_nothing_else() {
    let node = node().await;
    node.publish().await;
    let grant = verify_grant(&node).await;
    let analyst = node.actor("north-analyst").await;
    for (name, expected) in [
        ("Person 20", VerifyAnswer::Yes),
        ("Person 180", VerifyAnswer::No),
        ("Person 21", VerifyAnswer::Unknown),
        ("Nobody", VerifyAnswer::Unknown),
    ] {
        let verified = ask(&node, &analyst, &grant, name).await.unwrap();
        assert_eq!(verified.answer, expected, "{name}");
        // Hashes and salts are long words, in which four digits stand by chance.
        let shown = format!("{verified:?}");
        let words = shown.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() < 20);
        let shown: String = words.collect::<Vec<_>>().join(" ");
        for secret in ["1020", "1180", "Person"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(verified.clauses.contains("verify"));
    }
    let refused = node.app.query(&analyst, &grant, "SELECT wage FROM units", &[], Door::Pg).await;
    let Err(error) = refused else { panic!("a verify grant answered a statement") };
    assert_eq!(error.sqlstate(), "42501");
    assert!(error.reason().en.contains("/verify"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_is_of_the_entry_and_about_the_person() {
    let node = node().await;
    node.publish().await;
    let grant = verify_grant(&node).await;
    let verified = ask(&node, &node.actor("north-analyst").await, &grant, " Person 20 ").await.unwrap();
    let receipt = Receipt::check(&verified.receipt, node.app.ledger_key()).unwrap();
    assert_eq!((receipt.decision, receipt.answer), (verified.decision, VerifyAnswer::Yes));
    assert!(receipt.is_about(&subject_text(&person("Person 20")), &verified.subject_salt));
    assert!(!receipt.is_about(&subject_text(&person("Person 21")), &verified.subject_salt));
    let checked = node.app.check_receipt(None, &verified.receipt).await.unwrap().unwrap();
    assert!(checked.entry_fits);
    let forged = verified.receipt.replace("answer yes", "answer no");
    assert!(node.app.check_receipt(None, &forged).await.unwrap().is_err());

    // What anyone may read holds neither person nor answer; the parties may read both.
    let entry = node.app.entry(None, verified.decision).await.unwrap();
    let leaf = String::from_utf8(entry.leaf.clone()).unwrap();
    assert!(!leaf.contains("Person") && !leaf.contains("yes") && entry.sealed.is_none(), "{leaf}");
    assert_eq!(entry.entry.facts.get("predicate").map(String::as_str), Some("earns-little"));
    let approver = node.actor("tax-approver").await;
    let sealed = node.app.entry(Some(&approver), verified.decision).await.unwrap().sealed.unwrap();
    assert_eq!(sealed.get("answer").unwrap().text, "yes");
    assert_eq!(sealed.get("subject").unwrap().text, r#"{"name":"Person 20"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_leaves_when_the_ledger_cannot_be_written() {
    let node = node().await;
    node.publish().await;
    let grant = verify_grant(&node).await;
    let analyst = node.actor("north-analyst").await;
    ask(&node, &analyst, &grant, "Person 20").await.unwrap();
    node.media.stop();
    match ask(&node, &analyst, &grant, "Person 20").await {
        Err(AppError::Unavailable(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_exist_cannot_be_searched_for() {
    let node = node().await;
    node.publish().await;
    let grant = verify_grant(&node).await;
    let analyst = node.actor("north-analyst").await;
    let most = node.app.rulebook().workflow().verify_unknown_a_day.as_ref().unwrap().value;
    for n in 0..most {
        assert_eq!(
            ask(&node, &analyst, &grant, &format!("x{n}")).await.unwrap().answer,
            VerifyAnswer::Unknown
        );
    }
    for name in ["x", "Person 20"] {
        match ask(&node, &analyst, &grant, name).await {
            Err(AppError::Refused { clauses, decision: Some(index), reason }) => {
                assert!(clauses.contains("verify") && reason.en.contains("used up its day"), "{reason:?}");
                let entry = node.app.entry(None, index).await.unwrap().entry;
                assert_eq!(entry.outcome, Outcome::Deny);
            }
            other => panic!("{other:?}"),
        }
    }
    let left = node.app.verification_left(&analyst, &grant).await.unwrap().unwrap();
    assert_eq!(left.used.asked, u64::from(most));
    // A draft is tried on these decisions too, and deciding them again says what the ledger says.
    let replay = node.app.replay_of(node.app.rulebook()).await.unwrap();
    assert_eq!((replay.replayed(), replay.changed(), replay.disagreeing), (replay.decisions, 0, 0));
}

const DAY: i64 = 86_400_000;

/// A clock that goes on by a step whenever somebody looks at it.
struct Steps {
    at: AtomicI64,
    step: AtomicI64,
}

impl Steps {
    fn set(&self, at: i64, step: i64) {
        self.at.store(at, Ordering::SeqCst);
        self.step.store(step, Ordering::SeqCst);
    }
}

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.at.fetch_add(self.step.load(Ordering::SeqCst), Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_midnight_counts_on_the_day_of_its_question() {
    let begin = 20_775 * DAY;
    let clock = Arc::new(Steps { at: AtomicI64::new(begin), step: AtomicI64::new(1) });
    let node = node_at(clock.clone()).await;
    node.publish().await;
    let grant = node.grant_of(ApplicationDraft { days: 300, ..draft(&node) }).await;
    let analyst = node.actor("north-analyst").await;
    clock.set(begin + DAY / 2, DAY);
    let verified = ask(&node, &analyst, &grant, "Person 20").await.unwrap();
    assert_eq!(verified.answer, VerifyAnswer::Yes);
    let (mut asked, mut unknown) = (0, 0);
    for day in 0..60 {
        clock.set(begin + day * DAY, 1);
        let used = node.app.verification_left(&analyst, &grant).await.unwrap().unwrap().used;
        asked += used.asked;
        unknown += used.unknown;
    }
    assert_eq!((asked, unknown), (1, 0), "it was answered, on whatever day");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions_persons_and_parties_are_told_apart() {
    let node = node().await;
    node.publish().await;
    let grant = verify_grant(&node).await;
    let analyst = node.actor("north-analyst").await;
    let app = &node.app;
    let other = app.verify(&analyst, &grant, &"other".parse().unwrap(), person("x"), Door::Http).await;
    assert!(matches!(other, Err(AppError::NotFound(_))));
    let id = "earns-little".parse().unwrap();
    for subject in [Subject::new(), person(" "), [("wage".parse().unwrap(), Scalar::Int(1))].into()] {
        let asked = app.verify(&analyst, &grant, &id, subject, Door::Http).await;
        assert!(matches!(asked, Err(AppError::Invalid { field: Some("subject"), .. })), "{asked:?}");
    }
    let stranger = app.verify(&node.actor("tax-analyst").await, &grant, &id, person("x"), Door::Http).await;
    assert!(matches!(stranger, Err(AppError::NotFound(_))));
    let used = app.verification_left(&analyst, &grant).await.unwrap().unwrap().used;
    assert_eq!(used.asked, 0, "what was never looked up is not counted");
    let rows = node.grant().await;
    let asked = app.verify(&analyst, &rows, &id, person("x"), Door::Http).await;
    assert!(matches!(asked, Err(AppError::Conflict(_))), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_declared_with_the_application_or_it_is_not_made() {
    let node = node().await;
    node.publish().await;
    let requester = node.actor("north-requester").await;
    let app = &node.app;
    let mut cases = vec![
        ApplicationDraft { verification: None, ..draft(&node) },
        ApplicationDraft { form: Form::Rows, ..draft(&node) },
    ];
    let mut without_wage = draft(&node);
    without_wage.columns.retain(|column| column.column.as_str() != "wage");
    cases.push(without_wage);
    let change = |change: fn(&mut Verification)| {
        let mut draft = draft(&node);
        draft.verification.iter_mut().for_each(change);
        draft
    };
    cases.push(change(|v| v.predicates.clear()));
    cases.push(change(|v| v.subject.clear()));
    cases.push(change(|v| v.predicates.iter_mut().for_each(|p| p.words.zh.clear())));
    cases.push(change(|v| v.predicates.iter_mut().for_each(|p| p.all.clear())));
    cases.push(change(|v| v.predicates.extend(v.predicates.clone())));
    cases.push(change(|v| v.table = "other".parse().unwrap()));
    for (n, draft) in cases.into_iter().enumerate() {
        let made = app.apply(&requester, draft).await;
        assert!(matches!(made, Err(AppError::Invalid { .. })), "case {n}: {made:?}");
    }
    let id = app.apply(&requester, draft(&node)).await.unwrap();
    let agree = ApplicationAct::ApproveAsHead { words: "yes".into() };
    app.act(&node.actor("north-head").await, &id, agree).await.unwrap();
    let part = draft(&node).columns.into_iter().filter(|c| c.column.as_str() != "wage").collect();
    let part = ApplicationAct::Agree { columns: Some(part), conditions: Vec::new(), words: "less".into() };
    let agreed = app.act(&node.actor("tax-approver").await, &id, part).await;
    assert!(matches!(agreed, Err(AppError::Invalid { field: Some("columns"), .. })), "{agreed:?}");
    let entries = app.entries(None, &EntryFilter::default(), &Page::first(50)).await.unwrap();
    assert!(!entries.items.is_empty());
}
