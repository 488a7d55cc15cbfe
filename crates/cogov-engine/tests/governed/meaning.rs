//! Statements that DataFusion 55 answers otherwise than PostgreSQL does, and we as PostgreSQL does; or not at all.
//!
//! Every expectation was checked against PostgreSQL 15.

use crate::common::{TestTable, Tester, col, tester};
use arrow::array::{
    BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use cogov_model::{Form, Treatment};

async fn tables() -> Tester {
    let clear = || Treatment::Clear;
    let day = 86_400_000_000_i64;
    let t = vec![
        col("id", Int64Array::from(vec![0, 1, 2, 3]), clear()),
        col("a", Int64Array::from(vec![Some(1), Some(2), Some(5), None]), clear()),
        col("k", Int64Array::from(vec![1, 1, 2, 3]), clear()),
        col("x", Float64Array::from(vec![Some(0.0), Some(-0.0), Some(2.0), None]), clear()),
        col(
            "m",
            Decimal128Array::from(vec![Some(150), Some(240), Some(100), None])
                .with_precision_and_scale(10, 2)
                .unwrap(),
            clear(),
        ),
        col("s", StringArray::from(vec![Some("a\\b"), Some("ab"), Some("x%"), None]), clear()),
        col("f", BooleanArray::from(vec![Some(true), Some(false), None, None]), clear()),
        col("d", TimestampMicrosecondArray::from(vec![Some(0), Some(day), Some(2 * day), None]), clear()),
    ];
    let u = vec![
        col("k", Int64Array::from(vec![1, 1, 2, 7]), clear()),
        col("b", Int64Array::from(vec![Some(1), None, Some(2), Some(9)]), clear()),
        col("c", Int64Array::from(vec![3, 2, 2, 1]), clear()),
        col("w", StringArray::from(vec!["1", "01", "2", "7"]), clear()),
    ];
    let table = |name, columns| TestTable { name, columns, unit: None, granted: true };
    tester(vec![table("data.t", t), table("data.u", u)], "", Form::Rows).await
}

/// Each statement, and the rows it gives.
async fn give(cases: &[(&str, &[&str])]) {
    tables().await.gives(cases).await;
}

/// Each statement is refused with words that contain these.
async fn refused(cases: &[(&str, &str)]) {
    let t = tables().await;
    let mut wrong = Vec::new();
    for (sql, words) in cases {
        match t.rows(sql).await {
            Err(error) if error.sqlstate() == "0A000" && error.reason().en.contains(words) => (),
            other => wrong.push(format!("{sql}\n  {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_unknown_stays_unknown() {
    give(&[
        ("select id from t where a not in (1, 2) or a not in (3, 4) order by id", &["0", "1", "2"]),
        ("select id from t where a in (1, 2) and a not in (2, null) order by id", &[]),
        ("select id from t where a not in (1, null) or a not in (1, 2) order by id", &["2"]),
        ("select id from t where not (a in (1, 2) and a in (3, 4)) order by id", &["0", "1", "2"]),
        ("select id from t where not ((a = 1 or a = 2) and (a = 3 or a = 4)) order by id", &["0", "1", "2"]),
        ("select (a # a) is null from t order by id", &["false", "false", "false", "true"]),
        ("select id from t where not (s ~ '.*') order by id", &[]),
        ("select id from t where (a > 1 or a is null) and not (a > 1 and a < 3) order by id", &["2"]),
        ("select id from t where not (a > 1 or f) order by id", &[]),
        ("select id, not (a > 1 and f) from t order by id", &["0|true", "1|true", "2|∅", "3|∅"]),
    ])
    .await;
}

#[tokio::test]
async fn numbers_are_what_they_equal() {
    give(&[
        ("select id from t where x in (0, 1, 2, 3) order by id", &["0", "1", "2"]),
        ("select id from t where x not in (0, 1, 3, 4) order by id", &["2"]),
        ("select id from t where x = 0 or x = 1 or x = 2 or x = 3 order by id", &["0", "1", "2"]),
        ("select id from t where x = -0.0 and x <> 0.0", &[]),
        ("select id from t where x in (-0.0, 5) and x in (0.0, 7) order by id", &["0", "1"]),
        ("select id from t where cast(m as int) = 2 order by id", &["0", "1"]),
        ("select id from t where cast(m as int) <> 2 order by id", &["2"]),
        ("select id from t where cast(m as decimal(9,0)) = 2 order by id", &["0", "1"]),
        ("select id from t where cast(m as int) in (2, 7) order by id", &["0", "1"]),
        ("select coalesce(m, 0) % 1 from t order by id", &["0.50", "0.40", "0.00", "0.00"]),
        (
            "select rank() over (order by k) - rank() over (order by id) from t order by id",
            &["0", "-1", "0", "0"],
        ),
        (
            "select rank() over (order by k) / 2, row_number() over (order by id) % 2 from t order by id",
            &["0|1", "0|0", "1|1", "2|0"],
        ),
        (
            "select dense_rank() over (order by 12) as r, count(*) as n from t group by k order by 1, 2",
            &["1|1", "1|1", "1|2"],
        ),
        ("select -ntile(2) over (order by id) from t order by id", &["-1", "-1", "-2", "-2"]),
        ("select id from t where s ~ 'a\\\\b' order by id", &["0"]),
        ("select id from t where s ~ '\\\\' order by id", &["0"]),
        (
            "select id from t where extract(year from cast(d as timestamp)) <= 9999 order by id",
            &["0", "1", "2"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn conditions_stay_above_totals() {
    give(&[
        (
            "select t.id, s.c from t left join (select count(*) as c from u) s on false order by 1",
            &["0|∅", "1|∅", "2|∅", "3|∅"],
        ),
        (
            "select t.id, s.c from t left join (select count(*) as c from u) s on 1 = 2 order by 1",
            &["0|∅", "1|∅", "2|∅", "3|∅"],
        ),
        ("select count(*) from t having (select max(b) from u) > 1000", &[]),
        ("select count(*) from t having (select max(b) from u) > 1", &["4"]),
        (
            "select s.c from (select count(*) as c from t having (select max(b) from u) > 1000) s where s.c >= 0",
            &[],
        ),
        ("select k, count(*) from t group by rollup (k) having (select max(b) from u) > 1000", &[]),
    ])
    .await;
}

#[tokio::test]
async fn joins_keep_their_own_nulls() {
    give(&[
        (
            "select (select count(*) from t join t v on t.a is not distinct from v.a join t w on t.id = w.id)",
            &["4"],
        ),
        (
            "select t.id, v.id, w.id from t join t v on t.a is not distinct from v.a join t w on t.id = w.id order by 1",
            &["0|0|0", "1|1|1", "2|2|2", "3|3|3"],
        ),
        (
            "select t.id, w.id, v.id from t join t w on t.a = w.a join t v on t.a is not distinct from v.a order by 1",
            &["0|0|0", "1|1|1", "2|2|2"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_one_key_decides_is_not_taken_for_more() {
    let grouped = "select s.k, u.c from (select k, count(*) as n from t group by k) s join u on s.k = u.k group by s.k, u.c";
    give(&[
        (&format!("{grouped} order by s.k, u.c"), &["1|2", "1|3", "2|2"]),
        (&format!("{grouped} order by s.k desc, u.c desc limit 2"), &["2|2", "1|3"]),
        (&format!("select distinct q.k from ({grouped}) q order by 1"), &["1", "2"]),
    ])
    .await;
}

#[tokio::test]
async fn subqueries_within_conditions() {
    give(&[
        ("select id from t where a not in (select b from u) or id = 0 order by id", &["0"]),
        (
            "select id from t where a not in (select b from u where b is not null) or id = 3 order by id",
            &["2", "3"],
        ),
        ("select id from t where a in (select b from u) or id = 3 order by id", &["0", "1", "3"]),
        ("select id from t where not (a in (select b from u) and id >= 0) order by id", &[]),
        ("select id from t where a not in (select b from u where u.c < t.k) order by id", &["0", "1", "2"]),
        (
            "select id from t where a not in (select b from u where u.k = t.k and b is not null) order by id",
            &["1", "2", "3"],
        ),
        (
            "select t.id, (select count(*) from u where cast(u.k as decimal(12,2)) = t.m) from t order by 1",
            &["0|0", "1|0", "2|2", "3|0"],
        ),
        ("select id from t where coalesce(f, 1 / (a - 1) > 0) order by id", &["0"]),
        ("select sum(m + 1), sum(m + cast(0.5 as decimal(2,1))) from t", &["7.90|6.40"]),
    ])
    .await;
    refused(&[
        ("select id, a in (select b from u) from t", "IN (SELECT"),
        ("select id from t where (a in (select b from u)) is null", "IN (SELECT"),
        (
            "select id from t where case when a not in (select b from u) then true else false end",
            "IN (SELECT",
        ),
        ("select t.id from t where exists (select count(*) from u where u.k = t.k)", "always one row"),
        ("select t.id from t where t.a in (select count(*) from u where u.k = t.k)", "always one row"),
        (
            "select t.id from t where exists (select 1 from u where u.k = t.k having count(*) < 2)",
            "always one row",
        ),
        ("select t.id, (select max(b) from u where u.k = t.id having count(*) < 2) from t", "HAVING"),
        ("select t.id from t where exists (select 1 from u where u.k = t.k offset 1)", "OFFSET"),
        ("select t.id, (select count(*) from u where cast(u.w as bigint) = t.id) from t", "cast"),
        (
            "select id from t where exists ((select k from u where u.k = t.k limit 1) except all select 1)",
            "EXCEPT ALL",
        ),
        (
            "select id from t where exists (select b from u where u.k = t.k intersect all select 9)",
            "INTERSECT ALL",
        ),
    ])
    .await;
}

/// What a plan would hold many copies of is refused before it does.
#[tokio::test]
async fn copies_are_counted() {
    let t = tables().await;
    let mut inner = "select k from t".to_owned();
    for _ in 0..12 {
        inner = format!("select k from t where k not in ({inner}) or k = 0");
    }
    assert_eq!(t.state(&inner).await, "54001");
    let mut value = "k".to_owned();
    for _ in 0..30 {
        value = format!("coalesce({value}, 1)");
    }
    assert_eq!(t.state(&format!("select {value} from t")).await, "54001");
    let chain = vec!["k"; 900].join(" % ");
    assert_eq!(t.ok(&format!("select ({chain}) is null from t limit 1")).await, ["false"]);
}

#[tokio::test]
async fn set_operations_count_rows() {
    give(&[
        ("select k from t except all select k from u order by 1", &["3"]),
        ("select k from u except all select k from t order by 1", &["7"]),
        ("select k from u except all select 1 order by 1", &["1", "2", "7"]),
        ("select k from u intersect all select k from t order by 1", &["1", "1", "2"]),
        ("select k from u intersect all select 1 order by 1", &["1"]),
        ("select k, b from u except all select 1, null order by 1, 2", &["1|1", "2|2", "7|9"]),
        ("select b from u intersect all select a from t order by 1", &["1", "2", "∅"]),
        ("select 1 as n from t except all (select 1 from u where k = 1) order by 1", &["1", "1"]),
        ("select k from t except select k from u order by 1", &["3"]),
        ("(select k from u except all select 1) except all select 2 order by 1", &["1", "7"]),
        (
            "select k from u union all (select k from u except all select 1) order by 1",
            &["1", "1", "1", "2", "2", "7", "7"],
        ),
        ("select count(*) from (select distinct k from u intersect all select k from t) q", &["2"]),
        ("select id from t where k in (select k from u except all select 1) order by id", &["0", "1", "2"]),
        ("select cast(k as int) from u except all select b from u order by 1", &["1", "7"]),
        ("select count(*) from (select x from t except all select cast(0 as double precision)) q", &["3"]),
        ("select count(*) from (select x from t intersect all select x * -1 from t where id < 2) q", &["2"]),
        (
            "select count(*) from (select n from (values (9007199254740992), (9007199254740993)) q(n) except all select cast(9007199254740992 as double precision)) r",
            &["1"],
        ),
    ])
    .await;
}

/// What DataFusion's rules contradict themselves over, or leave out, above what is distinct or empty.
#[tokio::test]
async fn columns_and_sorts_are_kept() {
    give(&[
        (
            "select q.x, t.a from t right join (select distinct k as x from u order by 1 limit 3) q on t.k = q.x group by q.x, t.a order by 1, 2 desc",
            &["1|2", "1|1", "2|5", "7|∅"],
        ),
        (
            "select q.k, t.id from t join (select k from u union select 9) q on t.k = q.k group by q.k, t.id order by 1, 2 desc",
            &["1|1", "1|0", "2|2"],
        ),
        (
            "select q.n as c, count(*) as d from (select k as n from u) q group by q.n union all select id, a from t where false order by 1",
            &["1|2", "2|1", "7|1"],
        ),
        (
            "select q.f as c, q.f is distinct from (q.f <> q.f) as d from (select bool_or(f) as f from t having count(*) > 1) q union all select false, a > a from t where s = 'x' and false order by 1",
            &["true|true"],
        ),
        (
            "select count(*) from (select count(*) as n from t where null::bigint >= a order by 1 limit 5) q having count(*) filter (where false) >= 0",
            &["1"],
        ),
    ])
    .await;
}
