//! Verification: yes, no or unknown about one person, and nothing of anybody else.

use crate::common::{TestTable, Tester, aggregate, col, mask, tester};
use VerifyAnswer::{No, Unknown, Yes};
use arrow::array::{Int64Array, StringArray};
use cogov_engine::{FactQuestion as Question, QueryError};
use cogov_model::{Form, Grade, Scalar, Treatment, VerifyAnswer};
use serde_json::json;

/// Region 6 is granted. Ann is helped, Ben is not, Cem's value is missing, Dee has no row of benefits, Eve's benefits
/// are in another region, Fay lives elsewhere. Two persons share the number `dup`.
async fn world() -> Tester {
    world_with(mask("keyed-hash"), mask("keyed-hash")).await
}

async fn world_with(number: Treatment, benefit: Treatment) -> Tester {
    let hashed = || mask("keyed-hash");
    let numbers = ["ann", "ben", "cem", "dee", "eve", "fay", "dup", "dup"];
    let persons = TestTable {
        name: "registry.persons",
        columns: vec![
            col("recid", Int64Array::from_iter_values(1..=8), hashed()),
            col("fips", Int64Array::from(vec![6, 6, 6, 6, 6, 36, 6, 6]), hashed()),
            col("number", StringArray::from(numbers.to_vec()), number),
            col(
                "born",
                arrow::array::Date32Array::from(vec![
                    Some(0),
                    Some(1),
                    None,
                    Some(3),
                    Some(4),
                    Some(5),
                    Some(6),
                    Some(7),
                ]),
                hashed(),
            ),
        ],
        unit: Some("recid"),
        granted: true,
    };
    let benefits = TestTable {
        name: "welfare.benefits",
        columns: vec![
            col("recid", Int64Array::from(vec![1, 1, 2, 3, 5, 6, 7, 8]), hashed()),
            col("fips", Int64Array::from(vec![6, 6, 6, 6, 36, 36, 6, 6]), hashed()),
            col(
                "snap",
                Int64Array::from(vec![Some(0), Some(9), Some(0), None, Some(9), Some(9), Some(9), Some(9)]),
                benefit,
            ),
        ],
        unit: Some("recid"),
        granted: true,
    };
    let scope = r#"{"registry.persons":[{"column":"fips","op":"=","value":6}],
                    "welfare.benefits":[{"column":"fips","op":"=","value":6}]}"#;
    tester(vec![persons, benefits], scope, Form::Verify).await
}

fn helped() -> serde_json::Value {
    json!([{"linked": {"column": "recid", "dataset": "welfare", "table": "benefits", "key": "recid",
        "any": [{"column": "snap", "op": ">", "value": 0}]}}])
}

fn question(all: serde_json::Value, number: &str, absent_means_no: bool) -> Question {
    let verification = json!({"dataset": "registry", "table": "persons", "subject": ["number"], "predicates": [
        {"id": "q", "words": {}, "all": all, "absent_means_no": absent_means_no}]});
    let verification: cogov_model::Verification = serde_json::from_value(verification).unwrap();
    Question {
        predicate: verification.predicates.first().unwrap().clone(),
        verification,
        subject: [("number".parse().unwrap(), Scalar::Text(number.to_owned()))].into(),
    }
}

async fn ask(world: &Tester, question: Question) -> Result<VerifyAnswer, QueryError> {
    world.engine.verify(&world.world, question).await.map(|verdict| verdict.answer)
}

async fn answer(world: &Tester, all: serde_json::Value, number: &str) -> VerifyAnswer {
    ask(world, question(all, number, false)).await.unwrap()
}

#[tokio::test]
async fn yes_no_and_unknown() {
    let world = world().await;
    for (number, expected) in [
        ("ann", Yes),
        ("ben", No),
        ("cem", Unknown),
        ("dee", Unknown),
        ("eve", Unknown),
        ("fay", Unknown),
        ("nobody", Unknown),
        ("dup", Unknown),
        ("ANN", Unknown),
        ("ann' OR '1'='1", Unknown),
    ] {
        assert_eq!(answer(&world, helped(), number).await, expected, "{number}");
    }
}

#[tokio::test]
async fn absence_means_no_only_where_it_is_declared_and_never_for_who_is_not_found() {
    let world = world().await;
    for (number, expected) in [
        ("ann", Yes),
        ("ben", No),
        ("cem", Unknown),
        ("dee", No),
        ("eve", No),
        ("fay", Unknown),
        ("x", Unknown),
    ] {
        assert_eq!(ask(&world, question(helped(), number, true)).await.unwrap(), expected, "{number}");
    }
    let present =
        json!([{"linked": {"column": "recid", "dataset": "welfare", "table": "benefits", "key": "recid"}}]);
    assert_eq!(answer(&world, present.clone(), "cem").await, Yes, "the row's presence is the question");
    assert_eq!(answer(&world, present, "eve").await, Unknown, "a row out of scope is not there");
}

#[tokio::test]
async fn who_is_out_of_scope_is_as_if_not_there() {
    let world = world().await;
    let everything = json!([{"any": [{"column": "fips", "op": "<", "value": 100}, {"column": "fips", "op": ">=", "value": 100}]}]);
    let whole = |number: &str| {
        let (world, question) = (&world, question(everything.clone(), number, true));
        async move { format!("{:?}", world.engine.verify(&world.world, question).await.unwrap()) }
    };
    assert_eq!(whole("fay").await, whole("nobody").await, "not a byte differs");
    assert_ne!(whole("ann").await, whole("nobody").await);
}

#[tokio::test]
async fn conditions_are_three_valued() {
    let world = world().await;
    let born = |op: &str, day: &str| json!({"column": "born", "op": op, "value": day});
    let fips = json!({"column": "fips", "op": "=", "value": 6});
    assert_eq!(answer(&world, json!([born("<", "1970-01-02")]), "ann").await, Yes);
    assert_eq!(answer(&world, json!([born("<", "1970-01-02")]), "ben").await, No);
    assert_eq!(answer(&world, json!([born("<", "1970-01-02")]), "cem").await, Unknown);
    assert_eq!(answer(&world, json!([{"any": [born("<", "1970-01-02"), fips]}]), "cem").await, Yes);
    let not = json!({"column": "fips", "op": "<>", "value": 6});
    assert_eq!(answer(&world, json!([born("<", "1970-01-02"), not]), "cem").await, No);
    let one_of = json!({"column": "fips", "values": [5, 6]});
    assert_eq!(answer(&world, json!([one_of]), "ben").await, Yes);
}

#[tokio::test]
async fn what_the_rulebook_withholds_is_not_compared() {
    let question = || question(helped(), "ann", false);
    for (number, benefit) in [
        (Treatment::Withhold, mask("keyed-hash")),
        (mask("keyed-hash"), Treatment::Withhold),
        (mask("keyed-hash"), aggregate(10)),
    ] {
        let world = world_with(number, benefit).await;
        let error = ask(&world, question()).await.unwrap_err();
        assert_eq!(error.sqlstate(), "42501");
        assert!(!error.to_string().contains("ann") && !error.to_string().contains('9'), "{error}");
    }
}

#[tokio::test]
async fn columns_that_are_not_granted_and_values_that_do_not_fit_are_refused() {
    let world = world().await;
    let other = json!([{"column": "secret", "op": "=", "value": 1}]);
    assert_eq!(ask(&world, question(other, "ann", false)).await.unwrap_err().sqlstate(), "42501");
    let mismatch = json!([{"column": "born", "op": "=", "value": 1}]);
    assert_eq!(ask(&world, question(mismatch, "ann", false)).await.unwrap_err().sqlstate(), "42501");
    let mut nobody = question(helped(), "ann", false);
    nobody.subject.clear();
    assert_eq!(ask(&world, nobody).await.unwrap_err().sqlstate(), "08P01");
}

#[tokio::test]
async fn the_answer_carries_the_label_of_what_it_looked_at() {
    let world = world().await;
    let verdict = world.engine.verify(&world.world, question(helped(), "ann", false)).await.unwrap();
    assert_eq!(
        verdict.label.grade,
        Grade::General3,
        "as stored: the mask that the rulebook names hides nothing from a comparison"
    );
    assert_eq!(verdict.chain.len(), 4);
    assert!(!verdict.clauses.is_empty());
    assert!(verdict.chain.iter().all(|step| !step.en.contains("ann")));
}

#[tokio::test]
async fn no_statement_runs_under_a_verify_grant() {
    let world = world().await;
    for sql in ["SELECT count(*) FROM registry.persons", "SELECT number FROM registry.persons", "SELECT 1"] {
        let error = world.fails(sql).await;
        assert_eq!(error.sqlstate(), "42501");
        assert!(error.to_string().contains("/verify"), "{error}");
    }
}
