//! Statistics resist combination: what a party was answered is remembered, whatever grant, statement or version of
//! the data it asks.

use crate::common::{Col, TestTable, Tester, aggregate, col, remembered};
use arrow::array::{Float64Array, Int64Array, StringArray};
use cogov_engine::{Engine, EngineConfig, VolatileMemory};
use cogov_model::{Form, Grade, Treatment};
use std::sync::Arc;

pub fn memory(name: &str) -> Arc<VolatileMemory> {
    Arc::new(VolatileMemory::new(name))
}

/// 400 persons; `serial` tells them apart as a combination of harmless columns would.
pub fn people(persons: &[i64], treatment: Treatment) -> TestTable {
    let all = || persons.iter().copied();
    let harmless = |column: Col| Col { grade: Grade::General2, ..column };
    TestTable {
        name: "data.people",
        columns: vec![
            col("person", Int64Array::from_iter_values(all()), treatment),
            harmless(col("serial", Int64Array::from_iter_values(all()), treatment)),
            harmless(col(
                "region",
                StringArray::from_iter_values(all().map(|p| format!("r{}", p % 4))),
                treatment,
            )),
            harmless(col("age", Int64Array::from_iter_values(all().map(|p| 20 + p % 7)), treatment)),
            col(
                "income",
                Float64Array::from_iter_values(all().map(|p| 1000.0 + (p * 37 % 101) as f64)),
                treatment,
            ),
        ],
        unit: Some("person"),
        granted: true,
    }
}

pub fn everybody() -> Vec<i64> {
    (0..400).collect()
}

pub fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

pub async fn lab(name: &str) -> (Tester, Arc<VolatileMemory>) {
    let memory = memory(name);
    (remembered(vec![people(&everybody(), aggregate(10))], Form::Aggregate, &memory).await, memory)
}

#[tokio::test]
async fn two_answers_never_differ_by_few() {
    let (t, _) = lab("differ").await;
    let whole = t.ok("select sum(income) from people").await;
    assert_eq!(t.ok("select sum(income) from people where serial <> 5").await, ["∅"], "one person less");
    assert_eq!(t.ok("select count(*) from people where serial > 8").await, ["∅"], "nine less");
    assert_eq!(t.ok("select count(*) from people where serial > 9").await, ["390"], "ten less");
    assert_eq!(t.ok("select sum(income) from people").await, whole, "the same again");
    assert_eq!(t.ok("select sum(income) from people where serial <> 5").await, ["∅"], "hidden again");
}

#[tokio::test]
async fn rows_keep_their_numbers_where_parts_of_the_file_are_not_read() {
    let memory = memory("parts");
    // More rows than are read without looking for pages that may be left out.
    let everybody: Vec<i64> = (0..40_000).collect();
    let t = remembered(vec![people(&everybody, aggregate(10))], Form::Aggregate, &memory).await;
    let count = |condition: &str| format!("select count(*) from people where {condition}");
    for (condition, shown) in [
        ("serial < 2500", "2500"),
        ("serial < 2505", "∅"),
        ("serial >= 1200 and serial < 2500", "1300"),
        ("serial >= 1203 and serial < 2500", "∅"),
        ("serial >= 3300 and serial < 3400", "100"),
        ("serial >= 3300 and serial < 3395", "∅"),
        ("serial >= 300 and serial < 400", "100"),
        ("serial >= 300 and serial < 395", "∅"),
        ("serial >= 5300 and serial < 5405", "105"),
        ("serial >= 20000", "20000"),
        ("serial >= 20005", "∅"),
        ("serial < 20005", "20005"),
        ("serial >= 3300 and serial < 3400", "100"),
    ] {
        assert_eq!(t.ok(&count(condition)).await, [shown], "{condition}");
    }
    assert_eq!(t.ok(&count("serial >= 3310 and serial < 3400")).await, ["90"], "ten less of another page");
}

#[tokio::test]
async fn inside_one_statement_too() {
    let (t, _) = lab("inside").await;
    let sql = "select a.s - b.s from (select sum(income) s from people) a, (select sum(income) s from people where serial <> 5) b";
    assert_eq!(t.ok(sql).await, ["∅"]);
    let (t, _) = lab("union").await;
    let sql = "select count(*) n from people union all select count(*) from people where serial <> 5";
    assert_eq!(sorted(t.ok(sql).await), ["400", "∅"]);
    let sql = "select count(*) n from people where serial <> 7 union all select count(*) from people";
    assert_eq!(sorted(t.ok(sql).await), ["400", "∅"]);
}

#[tokio::test]
async fn trackers_of_three_and_more_are_seen() {
    let (t, _) = lab("tracker").await;
    assert_eq!(t.ok("select sum(income) from people where serial < 200").await.len(), 1);
    assert_eq!(t.ok("select sum(income) from people where serial between 100 and 299").await.len(), 1);
    assert_ne!(t.ok("select sum(income) from people where serial between 100 and 199").await, ["∅"]);
    let wide = "select sum(income) from people where serial < 300 and serial <> 250";
    assert_eq!(t.ok(wide).await, ["∅"], "first + second − third − this is one person");
}

#[tokio::test]
async fn complementary_cells_are_hidden_and_useful_ones_remain() {
    let (t, _) = lab("complement").await;
    let sql = "select age, count(*) from people where serial < 64 group by age order by age";
    assert_eq!(t.ok(sql).await, ["20|10"], "nine of the other ages");
    let sql = "select region, count(*) from people where serial >= 3 or region = 'r0' group by region order by region";
    assert_eq!(t.ok(sql).await, ["r0|100", "r1|99", "r2|99", "r3|100"]);
    let sql = "select region, count(*) from people group by region order by region";
    assert_eq!(t.ok(sql).await, [""; 0], "other conditions over the same people tell more");
    let sql = "select region, count(*) from people where serial >= 3 or region = 'r0' group by region order by region";
    assert_eq!(t.ok(sql).await, ["r0|100", "r1|99", "r2|99", "r3|100"], "what was answered stays answered");
}

#[tokio::test]
async fn tables_over_columns_and_their_totals_all_answer() {
    let (t, _) = lab("tables").await;
    assert_eq!(t.ok("select region, avg(income) from people group by region order by 1").await.len(), 4);
    let ages = t.ok("select age, avg(income), count(*) from people group by age order by 1").await;
    assert!(ages.len() == 7 && ages.iter().all(|row| !row.contains('∅')), "{ages:?}");
    assert_eq!(t.ok("select count(*) from people").await, ["400"]);
    let both = t.ok("select region, age, count(*) from people group by region, age order by 1, 2").await;
    assert_eq!(both.len(), 28);
    assert!(both.iter().filter(|row| !row.contains('∅')).count() > 20, "{both:?}");
}

#[tokio::test]
async fn two_grants_of_one_party_are_one_memory() {
    let (_, memory) = lab("grants").await;
    let one = remembered(vec![people(&everybody(), aggregate(10))], Form::Aggregate, &memory).await;
    let other = remembered(vec![people(&everybody(), aggregate(10))], Form::Rows, &memory).await;
    assert_eq!(one.ok("select sum(income) from people").await.len(), 1);
    assert_eq!(other.ok("select sum(income) from people where serial <> 5").await, ["∅"]);
}

#[tokio::test]
async fn a_new_version_is_compared_with_the_old_one() {
    let memory = memory("versions");
    let old = remembered(vec![people(&everybody(), aggregate(10))], Form::Aggregate, &memory).await;
    assert_eq!(old.ok("select count(*) from people").await, ["400"]);
    for (persons, answer) in
        [((0..401).collect::<Vec<i64>>(), "∅"), ((0..399).collect(), "∅"), ((0..450).collect(), "450")]
    {
        let memory = Arc::clone(&memory);
        let new = old.next_version(vec![people(&persons, aggregate(10))], &memory).await;
        assert_eq!(new.ok("select count(*) from people").await, [answer], "{} persons", persons.len());
    }
}

/// The same store and party seen by another process.
fn elsewhere(t: &Tester) -> Tester {
    let spill = tempfile::tempdir().unwrap();
    let engine = Engine::new(EngineConfig::new(spill.path()), Arc::clone(&t.store)).unwrap();
    let sources = t.sources.clone();
    Tester { engine, world: Arc::clone(&t.world), sources, store: Arc::clone(&t.store), spill }
}

#[tokio::test]
async fn rows_that_are_gone_keep_their_numbers_whoever_reads_them_when() {
    let memory = memory("gone");
    let version = |from: i64, to: i64| vec![people(&(from..to).collect::<Vec<i64>>(), aggregate(10))];
    let first = remembered(version(0, 400), Form::Aggregate, &memory).await;
    assert_eq!(first.ok("select count(*) from people where serial < 100").await, ["100"]);
    let second = first.next_version(version(100, 500), &memory).await;
    let third = second.next_version(version(200, 600), &memory).await;
    assert_eq!(third.ok("select count(*) from people").await, ["400"]);
    // Another process still answers from the second version, about persons whom the third does not have either.
    let late = elsewhere(&second);
    assert_eq!(late.ok("select count(*) from people where serial < 200").await, ["100"]);
    assert_eq!(late.ok("select count(*) from people where serial < 199").await, ["∅"]);
    for t in [&third, &elsewhere(&third)] {
        assert_eq!(t.ok("select count(*) from people where serial < 300").await, ["100"]);
        assert_eq!(t.ok("select count(*) from people where serial < 299").await, ["∅"], "one person less");
        assert_eq!(t.ok("select count(*) from people").await, ["400"]);
    }
}

#[tokio::test]
async fn a_certificate_on_rows_that_are_gone_is_read_by_the_next_version() {
    let memory = memory("seats");
    let version = |from: i64, to: i64, k| vec![people(&(from..to).collect::<Vec<i64>>(), aggregate(k))];
    let first = remembered(version(0, 400, 10), Form::Aggregate, &memory).await;
    assert_eq!(first.ok("select count(*) from people where serial < 150").await, ["150"]);
    // A greater k asks for more seats, of those who are gone too.
    let second = first.next_version(version(150, 550, 20), &memory).await;
    assert_eq!(second.ok("select count(*) from people").await, ["400"]);
    for t in [elsewhere(&second), second.next_version(version(160, 600, 20), &memory).await] {
        let t = elsewhere(&t);
        assert_eq!(t.ok("select count(*) from people where serial >= 400").await.len(), 1);
        assert_eq!(t.ok("select count(*) from people where serial >= 401").await, ["∅"], "one person less");
    }
    assert_eq!(second.ok("select count(*) from people").await, ["400"]);
}

#[tokio::test]
async fn persons_with_many_rows_and_rows_without_persons() {
    let rows = |unit| TestTable {
        name: "data.visits",
        columns: vec![
            col("person", Int64Array::from_iter_values((0..600).map(|row| row / 3)), aggregate(10)),
            col("visit", Int64Array::from_iter_values(0..600), aggregate(10)),
            col("cost", Int64Array::from_iter_values((0..600).map(|row| row % 13)), aggregate(10)),
        ],
        unit,
        granted: true,
    };
    let t = remembered(vec![rows(Some("person"))], Form::Aggregate, &memory("many rows")).await;
    assert_eq!(t.ok("select count(*), sum(cost) from visits").await, ["600|3589"]);
    assert_eq!(t.ok("select count(*) from visits where visit <> 7").await, ["∅"], "one row of a person");
    assert_eq!(t.ok("select count(*) from visits where visit >= 27").await, ["∅"], "all rows of nine");
    assert_eq!(t.ok("select count(*) from visits where visit >= 30").await, ["570"]);
    let t = remembered(vec![rows(None)], Form::Aggregate, &memory("rows")).await;
    assert_eq!(t.ok("select count(*) from visits").await, ["600"]);
    assert_eq!(t.ok("select count(*) from visits where visit >= 9").await, ["∅"], "nine rows");
    assert_eq!(t.ok("select count(*) from visits where visit >= 10").await, ["590"]);
}

#[tokio::test]
async fn a_full_memory_refuses_and_says_what_helps() {
    let memory = memory("full");
    let crowd: Vec<i64> = (0..4000).collect();
    let t = remembered(vec![people(&crowd, aggregate(10))], Form::Aggregate, &memory).await;
    let ask = |n: i64| {
        format!("select count(*) from people where (serial * {n} + serial * serial * 7) % {} < 50", 101 + n)
    };
    let first = t.ok(&ask(0)).await;
    let mut refused = None;
    for n in 1..150 {
        if let Err(error) = t.rows(&ask(n)).await {
            refused = Some((n, error));
            break;
        }
    }
    let (n, error) = refused.expect("one figure for every forty persons, and sixty-four at least");
    assert!(n >= 64 && error.sqlstate() == "42501", "{n}: {error:?}");
    assert!(error.to_string().contains("coarser groups"), "{error}");
    assert_eq!(t.ok(&ask(0)).await, first, "what was answered stays answered");
    assert_ne!(first, ["∅"]);
    for few in [0, 1, 9] {
        let small = format!("select count(*) from people where serial < {few}");
        assert_eq!(t.state(&small).await, "42501", "a small group is refused as a new one is");
    }
}

#[tokio::test]
async fn many_at_once_are_answered_as_if_one_after_the_other() {
    let (t, _) = lab("at once").await;
    let t = Arc::new(t);
    let ask = |cut: i64| {
        let t = Arc::clone(&t);
        tokio::spawn(async move { t.ok(&format!("select count(*) from people where serial >= {cut}")).await })
    };
    let mut shown = Vec::new();
    for (cut, task) in (0..40).map(|cut| (cut, ask(cut))).collect::<Vec<_>>() {
        if task.await.unwrap() != ["∅"] {
            shown.push(cut);
        }
    }
    assert!(!shown.is_empty());
    assert!(shown.windows(2).all(|two| two[1] - two[0] >= 10), "{shown:?}");
}
