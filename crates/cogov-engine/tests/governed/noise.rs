//! Statistics under differential privacy: right within their margins, bounded per person, refused where undeclared.

use crate::common::{Col, TestTable, Tester, aggregate, col, tester};
use arrow::array::{AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float64Type};
use cogov_engine::noise::SystemRandomness;
use cogov_engine::{NoiseTerms, Prepared, QueryError};
use cogov_model::{Bounds, Form, Grade, MinGroup, PublicKeys, TablePrivacy, Treatment};
use futures::StreamExt;
use std::collections::BTreeMap;
use std::sync::Arc;

fn noise(epsilon: &str) -> Treatment {
    Treatment::Noise { min_group: MinGroup::new(10).unwrap(), epsilon_per_month: epsilon.parse().unwrap() }
}

/// Persons in three regions (600, 300 and 3 of them), with incomes of 0 to 999; some miss a bonus.
fn people(epsilon: &str) -> TestTable {
    let rows = 0..903_i64;
    let region = |row: i64| {
        if row < 600 {
            "a"
        } else if row < 900 {
            "b"
        } else {
            "c"
        }
    };
    TestTable {
        name: "data.people",
        columns: vec![
            col("person", Int64Array::from_iter_values(rows.clone()), noise(epsilon)),
            col("region", StringArray::from_iter_values(rows.clone().map(region)), noise(epsilon)),
            col("code", Int64Array::from_iter_values(rows.clone().map(|r| r % 7)), noise(epsilon)),
            col(
                "income",
                Float64Array::from_iter_values(rows.clone().map(|r| (r * 37 % 1000) as f64)),
                noise(epsilon),
            ),
            col(
                "bonus",
                rows.map(|r| (r % 3 > 0).then_some(r % 100)).collect::<Int64Array>(),
                noise(epsilon),
            ),
        ],
        unit: Some("person"),
        granted: true,
    }
}

fn declared(rows: u32) -> TablePrivacy {
    let bounds = |lower: i64, upper: i64, complete| Bounds {
        lower: lower.to_string().parse().unwrap(),
        upper: upper.to_string().parse().unwrap(),
        complete,
    };
    TablePrivacy {
        rows_per_unit: rows,
        bounds: BTreeMap::from([
            ("income".parse().unwrap(), bounds(0, 1000, true)),
            ("bonus".parse().unwrap(), bounds(0, 100, false)),
        ]),
        keys: BTreeMap::from([(
            "region".parse().unwrap(),
            PublicKeys::Values(["a", "b", "c", "z"].map(String::from).to_vec()),
        )]),
    }
}

async fn world(tables: Vec<TestTable>, declared: Vec<(&str, TablePrivacy)>, epsilon: Option<&str>) -> Tester {
    scoped(tables, declared, epsilon, "").await
}

async fn scoped(
    tables: Vec<TestTable>,
    declared: Vec<(&str, TablePrivacy)>,
    epsilon: Option<&str>,
    scope: &str,
) -> Tester {
    let mut t = tester(tables, scope, Form::Aggregate).await;
    let declared = declared.into_iter().map(|(name, privacy)| {
        let (dataset, table) = name.split_once('.').unwrap();
        ((dataset.parse().unwrap(), table.parse().unwrap()), privacy)
    });
    let terms = NoiseTerms {
        declared: declared.collect(),
        epsilon: epsilon.map(|e| e.parse().unwrap()),
        without_margins: false,
    };
    let plain = Arc::try_unwrap(t.world).expect("nobody else holds the world");
    t.world = Arc::new(plain.with_noise(terms));
    t
}

/// A world in which a question may take so much that noise is small.
async fn loud(epsilon: &str) -> Tester {
    world(vec![people(epsilon)], vec![("data.people", declared(1))], Some(epsilon)).await
}

async fn draw(t: &Tester, prepared: &Prepared) -> Result<RecordBatch, QueryError> {
    for question in prepared.questions() {
        let answer = question.draw(&t.engine, Arc::new(SystemRandomness)).await?;
        question.fill(&answer)?;
    }
    let mut rows = prepared.execute()?;
    let schema = rows.schema();
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    Ok(arrow::compute::concat_batches(&schema, &batches).unwrap())
}

async fn ask(t: &Tester, sql: &str) -> RecordBatch {
    let prepared = t.prepare(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e:?}"));
    draw(t, &prepared).await.unwrap_or_else(|e| panic!("{sql}\n{e:?}"))
}

fn reals(batch: &RecordBatch, name: &str) -> Vec<f64> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no {name}: {:?}", batch.schema()));
    let column = arrow::compute::cast(column, &DataType::Float64).unwrap();
    column.as_primitive::<Float64Type>().values().to_vec()
}

fn near(batch: &RecordBatch, name: &str, wanted: &[f64]) {
    let (values, margins) = (reals(batch, name), reals(batch, &format!("{name}_margin")));
    assert_eq!(values.len(), wanted.len(), "{name}: {values:?}");
    for ((value, margin), wanted) in values.iter().zip(&margins).zip(wanted) {
        // Three times the margin is left by noise once in two hundred million draws.
        assert!((value - wanted).abs() <= 3.0 * margin + 0.6, "{name}: {value} ± {margin}, not {wanted}");
        assert!(*margin > 0.0, "{name}");
    }
}

async fn refused(t: &Tester, sql: &str, words: &str) {
    let error = match t.prepare(sql).await {
        Ok(_) => panic!("{sql} was planned"),
        Err(error) => error,
    };
    assert!(["42501", "0A000"].contains(&error.sqlstate()), "{sql}: {error:?}");
    assert!(error.to_string().contains(words), "{sql}: {error}");
}

/// What the figures are without noise.
fn income(rows: std::ops::Range<i64>) -> Vec<f64> {
    rows.map(|r| (r * 37 % 1000) as f64).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[tokio::test]
async fn figures_are_right_within_their_margins() {
    let t = loud("60").await;
    let sql = "select region, count(*) as n, sum(income) as s, avg(income) as m, stddev(income) as d, \
               median(income) as q, count(bonus) as b, avg(bonus) as mb, count(distinct person) as p \
               from people group by region order by region";
    let batch = ask(&t, sql).await;
    assert_eq!(
        crate::common::texts(&batch.project(&[0]).unwrap()),
        ["a", "b"],
        "three persons are too few, z is empty"
    );
    let (a, b) = (income(0..600), income(600..900));
    near(&batch, "n", &[600.0, 300.0]);
    near(&batch, "p", &[600.0, 300.0]);
    near(&batch, "s", &[a.iter().sum(), b.iter().sum()]);
    near(&batch, "m", &[mean(&a), mean(&b)]);
    let deviation =
        |v: &[f64]| (v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>() / (v.len() as f64 - 1.0)).sqrt();
    near(&batch, "d", &[deviation(&a), deviation(&b)]);
    near(&batch, "q", &[500.0, 500.0]);
    near(&batch, "b", &[400.0, 200.0]);
    let bonus = |rows: std::ops::Range<i64>| -> Vec<f64> {
        rows.filter(|r| r % 3 > 0).map(|r| (r % 100) as f64).collect()
    };
    near(&batch, "mb", &[mean(&bonus(0..600)), mean(&bonus(600..900))]);
}

#[tokio::test]
async fn expressions_conditions_and_what_stands_above() {
    let t = loud("60").await;
    let batch = ask(
        &t,
        "with f as (select region as r, count(*) as n, sum(income) as s from people where income >= 500 group by region) \
         select r, s / 1000 as thousands, n from f where n > 100 order by n desc limit 5",
    )
    .await;
    let high = |rows| income(rows).into_iter().filter(|i| *i >= 500.0).collect::<Vec<_>>();
    near(
        &batch,
        "thousands",
        &[high(0..600).iter().sum::<f64>() / 1000.0, high(600..900).iter().sum::<f64>() / 1000.0],
    );
    let batch = ask(
        &t,
        "select count(*) filter (where income < 500) as low, sum(case when income < 500 then income else 0 end) as s, \
         percentile_cont(0.9) within group (order by income) as p from people",
    )
    .await;
    let low: Vec<f64> = income(0..903).into_iter().filter(|i| *i < 500.0).collect();
    near(&batch, "low", &[low.len() as f64]);
    near(&batch, "s", &[low.iter().sum()]);
    near(&batch, "p", &[900.0]);
}

#[tokio::test]
async fn keys_that_are_not_public_are_shown_from_a_threshold_only() {
    let t = loud("60").await;
    let prepared =
        t.prepare("select code, count(*) as n from people group by code order by code").await.unwrap();
    let question = &prepared.questions()[0];
    assert!(question.loss().delta.units() > 0 && question.mechanism().contains("threshold"));
    let batch = draw(&t, &prepared).await.unwrap();
    near(&batch, "n", &[129.0; 7]);
    let alone = ask(&t, "select person, count(*) as n from people group by person").await;
    assert_eq!(alone.num_rows(), 0, "a person alone is shown");
    let few =
        ask(&t, "select region, code, count(*) as n from people where region = 'c' group by region, code")
            .await;
    assert_eq!(few.num_rows(), 0);
}

/// `people` and one more person with a thousand rows of a huge income each.
fn crowd(extra: i64) -> TestTable {
    let all = 600 + extra;
    let person = |row: i64| row.min(600);
    TestTable {
        name: "data.people",
        columns: vec![
            col("person", Int64Array::from_iter_values((0..all).map(person)), noise("60")),
            col(
                "income",
                Float64Array::from_iter_values((0..all).map(|r| if r < 600 { 500.0 } else { 1e12 })),
                noise("60"),
            ),
        ],
        unit: Some("person"),
        granted: true,
    }
}

#[tokio::test]
async fn one_person_with_a_thousand_rows_moves_an_answer_by_no_more_than_declared() {
    let mut declared = declared(2);
    declared.keys.clear();
    let sql = "select count(*) as n, sum(income) as s from people";
    let mut sums = Vec::new();
    for extra in [0, 1000] {
        let t = world(vec![crowd(extra)], vec![("data.people", declared.clone())], Some("60")).await;
        let batch = ask(&t, sql).await;
        let margin = reals(&batch, "s_margin")[0];
        sums.push((reals(&batch, "s")[0], margin, reals(&batch, "n")[0]));
    }
    let moved = sums[1].0 - sums[0].0;
    let reach = 3.0 * (sums[0].1 + sums[1].1);
    assert!(moved > 2000.0 - reach && moved < 2000.0 + reach, "two rows of at most 1000: {moved} ± {reach}");
    assert!(sums[1].2 - sums[0].2 < 2.0 + 10.0, "{sums:?}");
}

#[tokio::test]
async fn joins_bring_a_person_their_own_rows_only() {
    let homes = TestTable {
        name: "data.homes",
        columns: vec![
            col("person", Int64Array::from_iter_values((0..903).chain(0..300)), noise("60")),
            col("rooms", Int64Array::from_iter_values((0..1203).map(|r| r % 5)), noise("60")),
        ],
        unit: Some("person"),
        granted: true,
    };
    let public = |name, values: StringArray| Col {
        grade: Grade::General1,
        ..col(name, values, crate::common::aggregate(10))
    };
    let names = TestTable {
        name: "data.names",
        columns: vec![
            public("region", StringArray::from(vec!["a", "b", "c"])),
            public("title", StringArray::from(vec!["Alpha", "Beta", "Gamma"])),
        ],
        unit: None,
        granted: true,
    };
    let two = TablePrivacy { rows_per_unit: 2, bounds: BTreeMap::new(), keys: BTreeMap::new() };
    let t = world(
        vec![people("60"), homes, names],
        vec![("data.people", declared(1)), ("data.homes", two)],
        Some("60"),
    )
    .await;
    let batch = ask(&t, "select p.region as r, count(*) as n from people p join homes h on p.person = h.person group by p.region order by r").await;
    near(&batch, "n", &[900.0, 300.0]);
    let batch = ask(&t, "select n.title as r, avg(p.income) as m from people p join names n on p.region = n.region group by n.title order by r").await;
    assert_eq!(crate::common::texts(&batch.project(&[0]).unwrap()), ["Alpha", "Beta"]);
    near(&batch, "m", &[mean(&income(0..600)), mean(&income(600..900))]);
    refused(&t, "select count(*) from people p join homes h on p.code = h.rooms", "identify the unit").await;
    refused(&t, "select count(*) from people p cross join homes h", "identify the unit").await;
}

/// Titles of regions, in a language each.
fn names(rows: &[(&str, &str)], treatment: Treatment) -> TestTable {
    let column = |name, values: Vec<&str>| Col {
        grade: Grade::General1,
        ..col(name, StringArray::from(values), crate::common::aggregate(10))
    };
    let owner = StringArray::from_iter_values(rows.iter().enumerate().map(|(n, _)| format!("owner {n}")));
    TestTable {
        name: "data.names",
        columns: vec![
            column("region", rows.iter().map(|row| row.0).collect()),
            column("language", rows.iter().map(|row| row.1).collect()),
            Col { grade: Grade::General1, ..col("owner", owner, treatment) },
        ],
        unit: None,
        granted: true,
    }
}

#[tokio::test]
async fn a_table_is_public_by_all_of_its_columns_and_read_on_the_rows_of_the_grant() {
    let sql = "select n.region as r, count(*) as n from people p join names n on p.region = n.region group by n.region order by r";
    let rows = [("a", "en"), ("b", "en"), ("c", "en")];
    let declared = || vec![("data.people", declared(1))];
    // A steward forgot the unit, and the column that tells persons apart is not granted.
    let mut hidden = names(&rows, Treatment::Withhold);
    let t = world(vec![people("60"), names(&rows, Treatment::Withhold)], declared(), Some("60")).await;
    near(&ask(&t, sql).await, "n", &[600.0, 300.0]);
    hidden.columns[2].grade = Grade::General3;
    let t = world(vec![people("60"), hidden], declared(), Some("60")).await;
    refused(&t, sql, "identifies a person").await;
    // Rows that the grant does not hold neither count nor make noise greater.
    let scope = r#"{"data.names":[{"column":"language","op":"=","value":"en"}]}"#;
    let mut many = rows.to_vec();
    many.extend([("a", "xx"); 400]);
    let many = || names(&many, Treatment::Withhold);
    let t = scoped(vec![people("60"), many()], declared(), Some("60"), scope).await;
    let batch = ask(&t, sql).await;
    near(&batch, "n", &[600.0, 300.0]);
    assert!(reals(&batch, "n_margin")[0] < 5.0, "{batch:?}");
    let t = scoped(vec![people("60"), many()], declared(), Some("60"), scope).await;
    let crossed = ask(&t, "select count(*) as n from people p cross join names n").await;
    near(&crossed, "n", &[2709.0]);
    assert!(reals(&crossed, "n_margin")[0] < 10.0, "{crossed:?}");
}

#[tokio::test]
async fn keys_in_a_table_are_read_on_the_rows_of_the_grant_and_of_public_tables_only() {
    let mut by_names = declared(1);
    let column = cogov_model::ColumnRef {
        dataset: "data".parse().unwrap(),
        table: "names".parse().unwrap(),
        column: "region".parse().unwrap(),
    };
    by_names.keys.insert("region".parse().unwrap(), PublicKeys::Column(column));
    let declared = || vec![("data.people", by_names.clone())];
    let rows = [("a", "en"), ("b", "xx")];
    let scope = r#"{"data.names":[{"column":"language","op":"=","value":"en"}]}"#;
    let sql = "select region, count(*) as n from people group by region order by region";
    let open = names(&rows, Treatment::Withhold);
    let t = scoped(vec![people("60"), open], declared(), Some("60"), scope).await;
    let batch = ask(&t, sql).await;
    assert_eq!(crate::common::texts(&batch.project(&[0]).unwrap()), ["a"]);
    let mut held = names(&rows, Treatment::Withhold);
    held.columns[2].grade = Grade::General3;
    let t = scoped(vec![people("60"), held], declared(), Some("60"), scope).await;
    refused(&t, sql, "not every column of it is public").await;
}

#[tokio::test]
async fn what_can_never_be_drawn_is_refused_before_it_is_paid_for() {
    let failed = async |t: &Tester, sql: &str, words: &str| {
        let error = t.prepare(sql).await.err().unwrap_or_else(|| panic!("{sql} was planned"));
        assert!(error.to_string().contains(words), "{sql}: {error}");
    };
    let t = world(vec![people("4")], vec![("data.people", declared(1))], Some("0.000001")).await;
    failed(&t, "select sum(income) from people", "so small an epsilon").await;
    let mut wide = declared(1);
    let values = |from: i64| PublicKeys::Values((from..from + 400).map(|n| n.to_string()).collect());
    wide.keys.insert("region".parse().unwrap(), values(0));
    wide.keys.insert("code".parse().unwrap(), values(0));
    let t = world(vec![people("4")], vec![("data.people", wide)], Some("1")).await;
    failed(&t, "select region, code, count(*) from people group by region, code", "groups").await;
    assert!(t.prepare("select region, count(*) from people group by region").await.is_ok());
    let many: Vec<(&str, &str)> = std::iter::repeat_n(("a", "en"), 1001).collect();
    let names = names(&many, Treatment::Withhold);
    let t = world(vec![people("4"), names], vec![("data.people", declared(1000))], Some("1")).await;
    failed(&t, "select count(*) from people p join names n on p.region = n.region", "drown").await;
}

#[tokio::test]
async fn what_is_not_declared_or_cannot_be_bounded_is_refused() {
    let t = world(vec![people("4")], vec![], None).await;
    refused(&t, "select count(*) from people", "has not declared").await;
    let unit_missing = TestTable { unit: None, ..people("4") };
    let t = world(vec![unit_missing], vec![("data.people", declared(1))], None).await;
    refused(&t, "select count(*) from people", "identifies a person").await;
    let t = world(vec![people("4")], vec![("data.people", declared(1))], None).await;
    for (sql, words) in [
        ("select income from people", "differential privacy only"),
        ("select distinct region from people", "differential privacy only"),
        ("select sum(code) from people", "no bounds are declared for code"),
        ("select sum(income * income / bonus) from people", "no bounds"),
        ("select max(income) from people", "max"),
        ("select count(distinct region) from people", "DISTINCT"),
        ("select region, count(*) from people group by rollup (region)", "beneath"),
        ("select count(*) from (select * from people order by income limit 10) x", "beneath"),
        ("select count(*) from (select person from people union all select person from people) x", "beneath"),
        ("select person, row_number() over (order by income) from people", "differential privacy only"),
        ("select count(*) from people where income > (select avg(income) from people)", "subquery"),
    ] {
        refused(&t, sql, words).await;
    }
    let t = world(vec![people("4")], vec![("data.people", declared(1))], Some("5")).await;
    refused(&t, "select count(*) from people", "4 a month").await;
}

#[tokio::test]
async fn the_same_question_is_known_again_and_another_is_not() {
    let t = world(vec![people("4")], vec![("data.people", declared(1))], Some("0.5")).await;
    let print = async |sql: &str| -> Vec<String> {
        t.prepare(sql).await.unwrap().questions().iter().map(|q| q.fingerprint().to_owned()).collect()
    };
    let first = print("select region, avg(income) from people where income > 10 group by region").await;
    for same in [
        "SELECT region,\n avg( income ) AS a FROM data.people WHERE income > 5+5 GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        "select a / 2 from (select region, avg(income) as a from people where income > 10 group by region) x",
        "select region as r, avg(income), region from people where income > 10 group by region, region",
    ] {
        assert_eq!(print(same).await, first, "{same}");
    }
    let mut all = vec![first.clone()];
    for other in [
        "select region, avg(income) from people where income > 11 group by region",
        "select region, sum(income) from people where income > 10 group by region",
        "select code, avg(income) from people where income > 10 group by code",
        "select region, stddev(income) from people where income > 10 group by region",
        "select region, var(income) from people where income > 10 group by region",
        "select region, avg(income), count(*) from people where income > 10 group by region",
        "select region, count(*), avg(income) from people where income > 10 group by region",
    ] {
        let fresh = print(other).await;
        assert!(!all.contains(&fresh), "{other}");
        all.push(fresh);
    }
    let by_code = TestTable { unit: Some("code"), ..people("4") };
    let other = world(vec![by_code], vec![("data.people", declared(1))], Some("0.5")).await;
    let sql = "select region, avg(income) from people where income > 10 group by region";
    let other = other.prepare(sql).await.unwrap();
    assert_ne!([other.questions()[0].fingerprint().to_owned()].as_slice(), first, "another unit");
    let two = print("select (select avg(income) from people), (select count(*) from people)").await;
    assert_eq!(two.len(), 2);
}

#[tokio::test]
async fn margins_hold_as_often_as_they_say() {
    let t = loud("8").await;
    let sql = "select count(*) as n, sum(income) as s, avg(income) as m, stddev_pop(income) as d from people";
    let prepared = t.prepare(sql).await.unwrap();
    let all = income(0..903);
    let deviation = (all.iter().map(|x| (x - mean(&all)).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    let truth = [("n", 903.0), ("s", all.iter().sum()), ("m", mean(&all)), ("d", deviation)];
    let rounds = 300;
    let mut held = [0; 4];
    for _ in 0..rounds {
        let batch = draw(&t, &prepared).await.unwrap();
        for (place, (name, truth)) in truth.iter().enumerate() {
            let (value, margin) = (reals(&batch, name)[0], reals(&batch, &format!("{name}_margin"))[0]);
            // Counts are whole, so half a person is added to their margin.
            held[place] += i32::from((value - truth).abs() <= margin + 0.5);
        }
    }
    // Of 300 draws that hold with 95 %, fewer than 268 hold less than once in a hundred thousand.
    assert!(held.iter().all(|held| (268..=rounds).contains(held)), "{held:?} of {rounds}");
}

#[tokio::test]
async fn neighbouring_worlds_are_told_apart_no_better_than_epsilon_allows() {
    // The same statistic of two worlds that differ in one person, asked anew many times.
    let (epsilon, rounds) = (1.0_f64, 1500);
    let mut seen = Vec::new();
    for extra in [0, 1] {
        let t = world(vec![crowd(extra)], vec![("data.people", declared(1))], Some("1")).await;
        let prepared = t.prepare("select sum(income) as s from people").await.unwrap();
        let mut all = Vec::new();
        for _ in 0..rounds {
            all.extend(reals(&draw(&t, &prepared).await.unwrap(), "s"));
        }
        all.sort_by(f64::total_cmp);
        seen.push(all);
    }
    let share = |all: &[f64], cut: f64| 1.0 - all.partition_point(|x| *x < cut) as f64 / f64::from(rounds);
    for cut in (285_000..316_000).step_by(1000) {
        let (a, b) = (share(&seen[0], f64::from(cut)), share(&seen[1], f64::from(cut)));
        let error = 5.0 * (a.max(b).max(1e-3) / f64::from(rounds)).sqrt() * (1.0 + epsilon.exp());
        assert!(a <= epsilon.exp() * b + error && b <= epsilon.exp() * a + error, "{cut}: {a} and {b}");
    }
}

/// Each draw is another number: compared with protected values it would be another condition that reads the same.
#[tokio::test]
async fn protected_values_are_not_compared_with_answers_under_noise() {
    let wages = TestTable {
        name: "data.wages",
        columns: vec![
            col("person", Int64Array::from_iter_values(0..400), aggregate(10)),
            col("region", StringArray::from_iter_values((0..400).map(|p| ["a", "b"][p % 2])), aggregate(10)),
            col("wage", Int64Array::from_iter_values(0..400), aggregate(10)),
        ],
        unit: Some("person"),
        granted: true,
    };
    let t = world(vec![people("8"), wages], vec![("data.people", declared(1))], Some("1")).await;
    let above = "select count(*) from wages w join (select region, count(*) as a from people group by region) s on w.region = s.region where w.wage > s.a";
    let error = t.fails(above).await;
    assert!(error.sqlstate() == "0A000" && error.to_string().contains("under noise"), "{error:?}");
}
