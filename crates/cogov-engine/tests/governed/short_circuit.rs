//! What may raise is looked at only for rows that the rest of a condition leaves open.
//!
//! Every expectation was checked against PostgreSQL 15.

use crate::common::{TestTable, Tester, col, tester};
use arrow::array::{Int64Array, StringArray};
use cogov_model::{Form, Treatment};

/// More rows than one batch has, of which each third has a divisor of zero.
async fn many() -> Tester {
    let clear = || Treatment::Clear;
    let rows = 0..30_000_i64;
    let divisor = rows.clone().map(|id| if id % 7 == 3 { None } else { Some(id % 3) });
    let text = rows.clone().map(|id| if id % 2 == 0 { id.to_string() } else { format!("n{id}") });
    let columns = vec![
        col("id", Int64Array::from_iter_values(rows.clone()), clear()),
        col("b", divisor.collect::<Int64Array>(), clear()),
        col("k", Int64Array::from_iter_values(rows.map(|id| id % 3)), clear()),
        col("s", StringArray::from_iter_values(text), clear()),
    ];
    let table = TestTable { name: "data.t", columns, unit: None, granted: true };
    tester(vec![table], "", Form::Rows).await
}

async fn give(cases: &[(&str, &[&str])]) {
    many().await.gives(cases).await;
}

#[tokio::test]
async fn conditions_are_looked_at_in_turn() {
    give(&[
        ("select count(*) from t where k <> 0 and 2 / k = 1", &["10000"]),
        ("select count(*) from t where 2 / k = 1 and k <> 0", &["10000"]),
        ("select count(*) from t where k = 0 or 2 / k = 1", &["20000"]),
        ("select count(*) from t where not (k = 0 or 2 / k = 1)", &["10000"]),
        ("select count(*) from t where not (k <> 0 and 2 / k = 1)", &["20000"]),
        ("select count(*) from t where (k <> 0 and 2 / k = 1) or (k <> 0 and 4 / k = 4)", &["20000"]),
        ("select count(*) from t where k <> 0 and 2 / k = 1 and 6 / k = 3 and 6 / (k - 1) = 6", &["10000"]),
        ("select count(*) from t where s like 'n%' or cast(s as bigint) > 20000", &["19999"]),
        ("select count(*) from t where s ~ '^[0-9]+$' and cast(s as bigint) < 10", &["5"]),
        ("select count(*) from (select * from t where k <> 0) q where 2 / k = 1", &["10000"]),
        ("select k from t group by k having 2 / sum(k) >= 0 and 2 / sum(k) < 9 and sum(k) <> 0 order by k", &["1", "2"]),
        ("select count(*) from t where 2 / k between 1 and 1 and k <> 0", &["10000"]),
        ("select k, count(*) from t group by k having k <> 0 and 2 / k = 1", &["2|10000"]),
        (
            "select count(*) from t a join t b on a.id = b.id and b.k <> 0 and a.k / b.k = 1",
            &["20000"],
        ),
        (
            "select count(*) from t a left join t b on a.id = b.id and a.k <> 0 and b.id / a.k >= 0 where b.id is null",
            &["10000"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn values_stay_what_they_are() {
    give(&[
        (
            "select id, k <> 0 and 2 / k = 1 from t where id < 3 order by id",
            &["0|false", "1|false", "2|true"],
        ),
        ("select id, k = 0 or 2 / k = 1 from t where id < 3 order by id", &["0|true", "1|false", "2|true"]),
        // Unknown on the left: where the second is false it decides, where it is true nobody knows.
        (
            "select id, b > 0 and 2 / k = 1 from t where id in (10, 17, 31, 38, 4) order by id",
            &["4|false", "10|false", "17|∅", "31|false", "38|∅"],
        ),
        (
            "select id, b is not null and k <> 0 and 2 / k = 1 from t where id in (3, 10, 17, 4) order by id",
            &["3|false", "4|false", "10|false", "17|false"],
        ),
        (
            "select id, (b > 5 or 2 / (k + 1) = 1) from t where id in (3, 10, 17, 4) order by id",
            &["3|∅", "4|true", "10|true", "17|∅"],
        ),
        ("select count(*) from t where (b > 0 and 2 / (k + 1) = 1) is null", &["1429"]),
        ("select count(*) from t where (b <> 0 and 2 / b = 1) is not true", &["21428"]),
        ("select count(*) from t where (b <> 0 and 2 / b = 1) is false", &["17142"]),
        // A subquery without a row has no value.
        (
            "select id, (select true from t where id = -1) and 2 / (k + 1) > 0 from t where id < 3 order by id",
            &["0|∅", "1|∅", "2|false"],
        ),
        (
            "select id, (select false from t where id = -1) or 2 / (k + 1) < 0 from t where id < 3 order by id",
            &["0|∅", "1|∅", "2|∅"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn aggregates_look_at_the_rows_they_take() {
    give(&[
        ("select sum(2 / k) filter (where k <> 0), count(*) from t", &["30000|30000"]),
        ("select k, max(2 / k) filter (where k <> 0) from t group by k order by k", &["0|∅", "1|2", "2|1"]),
        ("select count(distinct 2 / k) filter (where k <> 0) from t", &["2"]),
        // The same one twice, which an optimiser would compute for all rows.
        ("select sum(2 / k) filter (where k <> 0), max(2 / k) filter (where k <> 0) from t", &["30000|2"]),
        ("select sum(2 / k) filter (where k <> 0 and 2 / k = 1) from t", &["10000"]),
        ("select sum(2 / k) filter (where k <> 0) over () from t limit 1", &["30000"]),
        // What must be a literal stays one.
        (
            "select string_agg(s, chr(45) order by id) filter (where k <> 0) from t where id < 6",
            &["n1-2-4-n5"],
        ),
        ("select sum(case when k <> 0 and 2 / k = 1 then 1 else 0 end) from t", &["10000"]),
        (
            "select string_agg(s, ',' order by 2 / k desc, id) filter (where k <> 0) from t where id < 3",
            &["n1,2"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_looked_at_still_raises() {
    let t = many().await;
    for sql in [
        "select count(*) from t where 2 / k = 1",
        "select count(*) from t where id >= 0 and 2 / k = 1",
        "select count(*) from t where k = 0 and 2 / k = 1",
        "select sum(2 / k) filter (where k = 0) from t",
        "select id, k = 5 or 2 / k = 1 from t",
    ] {
        let error = t.rows(sql).await.unwrap_err();
        assert_eq!(error.sqlstate(), "22000", "{sql}");
    }
}

/// Where unknown must be told from false, conditions are written twice, and CASE in CASE is more than it looks: neither so often
/// that it fills the memory.
#[tokio::test]
async fn nested_conditions_stay_small() {
    let t = many().await;
    let begun = std::time::Instant::now();
    for (levels, guarded) in [(6, true), (30, false)] {
        let mut condition = "b <> 0 and 2 / b = 1".to_owned();
        for level in 0..levels {
            let (op, than) = if level % 2 == 0 { ("or", level) } else { ("and", level + 7) };
            condition = format!("({condition}) {op} 2 / (b + 1) > {than}");
        }
        let sql = format!("select ({condition}) is null, count(*) from t group by 1 order by 1");
        match t.rows(&sql).await {
            Ok(rows) => assert_eq!(rows.len(), 2),
            Err(error) => assert!(!guarded && error.sqlstate() == "22000", "{error:?}"),
        }
    }
    // Over columns of which each stands further right than those of the conditions within.
    let columns: Vec<String> = (1..=40).map(|n| format!("max(k + {n}) as c{n}")).collect();
    let conditions: Vec<String> = (1..=40).map(|n| format!("100 / c{n} > 0")).collect();
    let (columns, conditions) = (columns.join(", "), conditions.join(" and "));
    let sql = format!(
        "select count(*) from (select id % 9 as g, {columns} from t group by 1) q where {conditions}"
    );
    assert_eq!(t.ok(&sql).await, ["9"]);
    // A condition beside each of many arguments.
    let list: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let sums: Vec<String> = (0..150)
        .map(|n| format!("sum(2 / (k + {n} + 1)) filter (where k in ({}))", list.join(",")))
        .collect();
    let sql = format!("select {} from t", sums.join(", "));
    assert_eq!(t.ok(&sql).await.len(), 1);
    assert!(begun.elapsed().as_secs() < 60);
    // One in each of many subqueries, which are put into each other.
    let names: Vec<String> = (1..=40).map(|n| format!("k + {n} as c{n}")).collect();
    let mut chain =
        format!("with q as (select {} from t), s0 as (select *, c40 as v from q)", names.join(", "));
    for n in 1..=40 {
        let (at, before) = (41 - n, n - 1);
        let kept: Vec<String> = (1..at).map(|n| format!("c{n}")).chain(["1 as one".into()]).collect();
        chain += &format!(
            ", s{n} as (select {}, case when c{at} > 9 then v else c{at} end as v from s{before})",
            kept.join(", ")
        );
    }
    assert_eq!(t.state(&format!("{chain} select max(v) from s40")).await, "54001");
    let mut value = "k".to_owned();
    for n in 0..30 {
        value = format!("case when k > {n} then {value} else 1 end");
    }
    assert_eq!(t.state(&format!("select {value} from t")).await, "54001");
}
