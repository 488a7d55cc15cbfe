//! Answers under noise through the whole way: paid once, kept, repeated for nothing, refused when there is nothing left.

use crate::common::{Node, account, node};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use cogov_app::{
    Actor, Answer, AppError, Description, Door, GrantSession, ImportRequest, ImportSource, LabelChoice,
    NoiseAsk, Page, SetupGrant,
};
use cogov_model::*;
use futures::StreamExt;
use std::collections::BTreeMap;

/// A node with an authorised operator that holds a grant under noise over 2,000 households.
async fn noisy_node() -> (Node, Actor, GrantId) {
    let node = node().await;
    let operator = Party {
        id: "shores".parse().unwrap(),
        name: Text::new("Shores", "四岸"),
        class: PartyClass::Operator,
        tier: None,
        region: None,
    };
    node.app.put_party(&operator).await.unwrap();
    account(&node.app, "shores-analyst", "shores", vec![Role::Analyst]).await;
    publish(&node).await;
    let id: GrantId = "g-noise".parse().unwrap();
    let now = Timestamp::from_millis(chrono_now());
    let column = |name: &str| ColumnRef {
        dataset: "tax".parse().unwrap(),
        table: "units".parse().unwrap(),
        column: name.parse().unwrap(),
    };
    let grant = Grant {
        id: id.clone(),
        name: Text::same("noise"),
        party: operator.id,
        providers: vec!["tax".parse().unwrap()],
        columns: ["id", "region", "wage"].map(column).to_vec(),
        conditions: vec![],
        scope: RowScope::default(),
        purpose: Purpose {
            code: "economy.product".parse().unwrap(),
            words: Text::same("index"),
            legal_basis: Text::same("agreement 1"),
            scenario: Text::same("index"),
        },
        form: Form::Aggregate,
        lane: Lane::Operate,
        term: Term { from: now.plus_days(-1), until: now.plus_days(100) },
        state: GrantState::Active,
        made_at: now,
        application: None,
        verification: None,
    };
    node.app
        .put_grant(SetupGrant { grant, reasons: Text::same("r"), clauses: Clauses::new() })
        .await
        .unwrap();
    let analyst = node.actor("shores-analyst").await;
    (node, analyst, id)
}

fn chrono_now() -> i64 {
    SystemClock.now().millis()
}

async fn publish(node: &Node) {
    let steward = node.actor("tax-steward").await;
    let rows = (0..2000).map(|n| format!("{n},{},{}\n", n % 2 + 1, n % 1000 * 10));
    let csv: String = std::iter::once("id,region,wage\n".to_owned()).chain(rows).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), csv).unwrap();
    let (dataset, table): (DatasetId, TableName) = ("tax".parse().unwrap(), "units".parse().unwrap());
    let request = ImportRequest {
        dataset: dataset.clone(),
        table: table.clone(),
        source: ImportSource::Path(file.path().to_path_buf()),
    };
    node.app.import(&steward, request, |_| {}).await.unwrap();
    let label = |code: &str, grade| LabelChoice::Override {
        categories: vec![code.parse().unwrap()],
        grade,
        reason: Text::same("for the test"),
    };
    let labels = vec![
        ("id".parse().unwrap(), label("technical.key", Grade::General2)),
        ("region".parse().unwrap(), label("region", Grade::General1)),
        ("wage".parse().unwrap(), label("person.finance", Grade::General3)),
    ];
    node.app.decide_labels(&steward, &dataset, &table, labels).await.unwrap();
    let description = Description {
        title: Text::same("Tax"),
        description: Text::same("Units"),
        keywords: vec![],
        update_frequency: Text::same("yearly"),
        lanes: vec![Lane::Operate],
        sharing: SharingAttribute::Conditional { conditions: Text::same("as statistics") },
        regions: vec![],
        tables: BTreeMap::new(),
        units: BTreeMap::from([(table, Some("id".parse().unwrap()))]),
        columns: BTreeMap::new(),
    };
    node.app.describe(&steward, &dataset, description).await.unwrap();
    node.app.publish(&steward, &dataset).await.unwrap();
}

fn privacy(epsilon: &str) -> DatasetPrivacy {
    let keys = PublicKeys::Values(vec!["1".into(), "2".into()]);
    let bounds = Bounds { lower: "0".parse().unwrap(), upper: "10000".parse().unwrap(), complete: true };
    let table = TablePrivacy {
        rows_per_unit: 1,
        bounds: BTreeMap::from([("wage".parse().unwrap(), bounds)]),
        keys: BTreeMap::from([("region".parse().unwrap(), keys)]),
    };
    DatasetPrivacy {
        epsilon_per_month: Some(epsilon.parse().unwrap()),
        tables: BTreeMap::from([("units".parse().unwrap(), table)]),
    }
}

async fn declare(node: &Node, epsilon: &str) {
    let steward = node.actor("tax-steward").await;
    node.app.declare_privacy(&steward, &"tax".parse().unwrap(), privacy(epsilon)).await.unwrap();
}

fn session(actor: &Actor, grant: &GrantId, epsilon: &str) -> GrantSession {
    let noise = NoiseAsk { epsilon: Some(epsilon.parse().unwrap()), without_margins: false };
    GrantSession { actor: actor.clone(), grant: grant.clone(), noise }
}

async fn texts(answer: Answer) -> Vec<String> {
    let mut rows = answer.rows;
    let mut all = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch.unwrap();
        let options = FormatOptions::default();
        let columns: Vec<_> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            all.push(columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    all
}

const SQL: &str = "SELECT region, count(*) AS n, avg(wage) AS m FROM units GROUP BY region ORDER BY region";

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_once_and_repeated_for_nothing() {
    let (node, analyst, grant) = noisy_node().await;
    let asked = session(&analyst, &grant, "0.5");
    let undeclared = node.app.query_in(&asked, SQL, &[], Door::Http).await.err().unwrap();
    assert_eq!((undeclared.sqlstate(), undeclared.http()), ("42501", 403));
    assert!(undeclared.reason().en.contains("has not declared"), "{undeclared}");
    declare(&node, "20").await;
    let first = node.app.query_in(&asked, SQL, &[], Door::Http).await.unwrap();
    let noise = first.noise.clone().unwrap();
    assert!(noise.cost.is_some() && noise.cost <= Some("0.5".parse().unwrap()), "{noise:?}");
    assert_eq!(first.columns.len(), 5, "two margins stand beside the figures");
    let decision = first.decision;
    let entry = node.app.entry(Some(&analyst), decision).await.unwrap().entry;
    assert_eq!(entry.facts.get("mechanism").map(String::as_str), Some("discrete-laplace"));
    assert!(entry.facts.contains_key("epsilon"));
    let words = texts(first).await;
    assert_eq!(words.len(), 2, "{words:?}");
    for sql in [SQL, "select region, count(*) n, avg(wage) m from tax.units group by 1 order by 1"] {
        let again = node.app.query_in(&asked, sql, &[], Door::Pg).await.unwrap();
        assert_eq!(again.noise.clone().unwrap().cost, None, "{sql}");
        assert_eq!(texts(again).await, words, "{sql}");
    }
    let page = node.app.grant_budget(&grant, &Page::first(10)).await.unwrap();
    assert_eq!((page.answers.items.len(), page.answers.items[0].entry), (1, Some(decision)));
    assert!(page.left.unwrap().spent > 0);
    let page = node.app.dataset_budget(&"tax".parse().unwrap(), &Page::first(10)).await.unwrap();
    assert_eq!(page.answers.items.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_budget_refuses_and_old_answers_stay() {
    let (node, analyst, grant) = noisy_node().await;
    declare(&node, "20").await;
    let whole = session(&analyst, &grant, "4");
    let first = texts(node.app.query_in(&whole, SQL, &[], Door::Http).await.unwrap()).await;
    let other = "SELECT sum(wage) FROM units";
    for ask in [&whole, &session(&analyst, &grant, "0.01")] {
        let refused = node.app.query_in(ask, other, &[], Door::Http).await.err().unwrap();
        assert!(matches!(refused, AppError::Refused { decision: Some(_), .. }), "{refused}");
        assert!(refused.reason().en.contains("whole again on"), "{refused}");
        assert!(refused.clauses().iter().any(|clause| clause.as_str() == "operator-noise"));
    }
    assert_eq!(texts(node.app.query_in(&whole, SQL, &[], Door::Http).await.unwrap()).await, first);
    // More than a month's budget is refused before anything else.
    let more = session(&analyst, &grant, "4.1");
    assert_eq!(node.app.query_in(&more, other, &[], Door::Http).await.err().unwrap().sqlstate(), "42501");
    // A draft is tried on these decisions too, and deciding them again says what the ledger says.
    let replay = node.app.replay_of(node.app.rulebook()).await.unwrap();
    assert_eq!((replay.replayed(), replay.changed(), replay.disagreeing), (replay.decisions, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_spend_exactly_what_there_is() {
    let (node, analyst, grant) = noisy_node().await;
    // The dataset's budget holds seven of these questions, the grant's ten.
    declare(&node, "3").await;
    let holds = 7;
    let clients: Vec<_> = (0..64)
        .map(|client| {
            let (app, asked) = (node.app.clone(), session(&analyst, &grant, "0.4"));
            tokio::spawn(async move {
                // Every question is asked by two clients at the same time.
                let sql = format!("SELECT count(*) FROM units WHERE wage < {}", 1000 + client / 2);
                match app.query_in(&asked, &sql, &[], Door::Http).await {
                    Ok(answer) => {
                        let cost = answer.noise.clone().unwrap().cost.is_some();
                        Some((client / 2, cost, texts(answer).await))
                    }
                    Err(error) => {
                        assert_eq!(error.sqlstate(), "42501", "{error}");
                        None
                    }
                }
            })
        })
        .collect();
    let mut answers: BTreeMap<usize, Vec<Vec<String>>> = BTreeMap::new();
    let mut paid = 0;
    for client in clients {
        if let Some((question, cost, rows)) = client.await.unwrap() {
            paid += u64::from(cost);
            answers.entry(question).or_default().push(rows);
        }
    }
    assert_eq!(paid, holds, "each question that fits is paid for once");
    assert!(answers.values().all(|rows| rows.iter().all(|r| *r == rows[0])), "one question, two answers");
    let page = node.app.dataset_budget(&"tax".parse().unwrap(), &Page::first(100)).await.unwrap();
    assert_eq!(page.answers.items.len() as u64, holds);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_has_paid_and_finds_the_answer_later() {
    let (node, analyst, grant) = noisy_node().await;
    declare(&node, "20").await;
    let mut met = 0;
    for (number, micros) in (0..40).map(|n| (n, n * 400)) {
        let asked = session(&analyst, &grant, "0.1");
        let sql = format!("SELECT avg(wage) FROM units WHERE id <> {number}");
        let cut = std::time::Duration::from_micros(micros);
        met += u64::from(
            tokio::time::timeout(cut, node.app.query_in(&asked, &sql, &[], Door::Pg)).await.is_err(),
        );
        let answer = node.app.query_in(&asked, &sql, &[], Door::Pg).await.unwrap();
        let rows = texts(answer).await;
        let again = node.app.query_in(&asked, &sql, &[], Door::Pg).await.unwrap();
        assert_eq!((again.noise.clone().unwrap().cost, texts(again).await), (None, rows));
    }
    assert!(met > 3, "only {met} were cut off");
    let page = node.app.grant_budget(&grant, &Page::first(100)).await.unwrap();
    assert_eq!(page.answers.items.len(), 40, "each question once");
    assert!(page.answers.items.iter().all(|record| record.answered));
    assert_eq!(
        (page.left.unwrap().spent, page.left.unwrap().epsilon),
        (10_000, Epsilon::default()),
        "4 by 0.1"
    );
}
