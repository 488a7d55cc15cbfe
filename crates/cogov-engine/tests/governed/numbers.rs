//! Numbers as PostgreSQL has them: casts to whole numbers round, whole numbers that leave their range raise; and neither
//! tells a protected value.

use crate::common::{TestTable, Tester, aggregate, col, tester};
use arrow::array::{Decimal128Array, Float64Array, Int64Array};
use cogov_model::{Form, Treatment};

async fn numbers() -> Tester {
    let reals = Float64Array::from(vec![Some(0.5), Some(1.5), Some(2.5), Some(-2.5), Some(2.6), None]);
    let cents = Decimal128Array::from(vec![Some(50), Some(150), Some(250), Some(-250), Some(249), None]);
    let columns = vec![
        col("id", Int64Array::from_iter_values(0..6), Treatment::Clear),
        col("x", reals, Treatment::Clear),
        col("m", cents.with_precision_and_scale(10, 2).unwrap(), Treatment::Clear),
        col("n", Int64Array::from(vec![1, 2, i64::MAX, i64::MIN, 5, 6]), Treatment::Clear),
    ];
    tester(vec![TestTable { name: "data.t", columns, unit: None, granted: true }], "", Form::Rows).await
}

#[tokio::test]
async fn casts_to_whole_numbers_round() {
    let t = numbers().await;
    assert_eq!(t.ok("select cast(x as bigint) from t order by id").await, ["0", "2", "2", "-2", "3", "∅"]);
    assert_eq!(t.ok("select m::int from t order by id").await, ["1", "2", "3", "-3", "2", "∅"]);
    assert_eq!(t.ok("select try_cast(x as bigint) from t where x::int = 3").await, ["3"]);
    assert_eq!(t.ok("select x::int, count(*) from t group by x::int order by 1").await[1], "0|1");
    assert_eq!(
        t.ok("select cast(2.5::decimal(2,1) as bigint), cast(3.5::double precision as bigint)").await,
        ["3|4"]
    );
    assert_eq!(t.ok("select cast(9999999.99::decimal(9,2) as bigint)").await, ["10000000"]);
    assert_eq!(t.ok("select cast(n as double precision)::int from t where id = 4").await, ["5"]);
    assert_eq!(
        t.ok("select round(x), round(x * 2 / 2)::int from t where id < 3 order by id").await,
        ["0.0|0", "2.0|2", "2.0|2"]
    );
    assert_eq!(t.state("select cast(1e30::double precision as bigint)").await, "22000");
}

/// DataFusion leaves casts out of the names by which it tells expressions apart.
#[tokio::test]
async fn figures_that_differ_in_a_cast_only_are_written_in_two_ways() {
    let t = numbers().await;
    let error = t.fails("select sum(x), sum(cast(x as bigint)) from t").await;
    assert!(error.reason().en.contains("sum(x + 0)"), "{error}");
    assert_eq!(error.sqlstate(), "42702");
    assert_eq!(t.ok("select sum(x + 0), sum(cast(x as bigint)) from t").await, ["4.6|5"]);
}

#[tokio::test]
async fn whole_numbers_do_not_wrap_around() {
    let t = numbers().await;
    for sql in [
        "select n + 1 from t",
        "select n - 1 from t",
        "select n * 2 from t",
        "select id from t where n + 1 > 0",
        "select sum(n * 2) from t group by n * 2",
        "select 9223372036854775807 + 1",
        "select id from t order by n + n",
        "select sum(n) from t where id in (0, 2)",
        "select -n from t",
        "select id % 2, sum(n) from t where id <> 3 group by id % 2",
        "select sum(n) over (order by id) from t where id <> 3",
    ] {
        assert_eq!(t.state(sql).await, "22000", "{sql}");
    }
    let guarded = "select case when n between -9 and 9 then n + 1 end from t order by id";
    assert_eq!(t.ok(guarded).await, ["2", "3", "∅", "∅", "6", "7"]);
    assert_eq!(t.ok("select n + 1 from t where id < 2").await, ["2", "3"]);
    assert_eq!(
        t.ok("select sum(n), sum(id), sum(distinct n) from t where id not in (2, 3)").await,
        ["14|10|14"]
    );
    assert_eq!(t.ok("select sum(n) from t where id in (2, 3)").await, ["-1"], "only the end counts");
    let windows =
        "select sum(id) over (order by id rows between 1 preceding and current row) from t order by 1";
    assert_eq!(t.ok(windows).await, ["0", "1", "3", "5", "7", "9"]);
    assert_eq!(t.ok("select sum(n) filter (where id < 2) + 1 as s from t having sum(id) > 3").await, ["4"]);
    assert_eq!(t.ok("select sum(n) from t where id > 99").await, ["∅"]);
    assert_eq!(t.ok("select -id, - n from t where id = 1").await, ["-1|-2"]);
    let beside = "select sum(n), count(distinct id % 2) from t where id in (2, 3, 4)";
    assert_eq!(t.ok(beside).await, ["4|2"]);
    let sets = "select id % 2 + 1, x::int, count(*) from t where id < 4 group by rollup(id % 2 + 1, x::int) order by 1, 2";
    assert_eq!(t.ok(sets).await, ["1|0|1", "1|2|1", "1|∅|2", "2|-2|1", "2|2|1", "2|∅|2", "∅|∅|4"]);
}

/// As PostgreSQL's `numeric`, but for the last digit.
#[tokio::test]
async fn means_of_whole_numbers_are_exact() {
    let t = numbers().await;
    for (sql, mean) in [
        ("select avg(n) from t where id in (2, 3)", "-0.5"),
        ("select avg(n) from t where id in (2, 3, 4)", "1.3333333333333333"),
        ("select avg(n) filter (where id > 1 and id < 4) from t", "-0.5"),
        ("select avg(distinct n) from t where id in (2, 3)", "-0.5"),
        ("select avg(distinct n) + count(distinct x) + sum(id) from t where id in (2, 3)", "6.5"),
        ("select avg(n) from (select n from t union all select n from t) u where n not in (1, 2)", "2.5"),
        ("select avg(n) from t where id > 99", "∅"),
        ("select avg(m) from t where id < 2", "1.000000"),
        ("select avg(id::int) from t", "2.5"),
    ] {
        assert_eq!(t.ok(sql).await, [mean], "{sql}");
    }
    let sql = "select avg(n) over (order by id rows between 1 preceding and current row) from t order by id";
    let of_two = ["1.0", "1.5", "4.611686018427388e18", "-0.5", "-4.611686018427388e18", "5.5"];
    assert_eq!(t.ok(sql).await, of_two);
    let sql = "select id % 2, avg(n) from t where id not in (2, 3) group by id % 2 order by 1";
    assert_eq!(t.ok(sql).await, ["0|3.0", "1|4.0"]);
}

#[tokio::test]
async fn a_constant_that_is_not_in_a_subquery_with_nulls_is_refused_not_answered() {
    let t = numbers().await;
    for sql in [
        "select id from t where 7.5 not in (select x from t)",
        "select 1 from t where not (7.5 in (select x from t))",
    ] {
        assert_eq!(t.state(sql).await, "0A000", "{sql}");
    }
    assert_eq!(t.ok("select id from t where 2.5 in (select x from t) and id = 1").await, ["1"]);
    assert_eq!(
        t.ok("select count(*) from t where id + 0.5 not in (select x from t)").await,
        ["0"],
        "x has a null"
    );
}

/// Rows whose `a` is 5 have the wage that is given; a statement that raises on them alone, above a condition on wages.
async fn wages(of_five: i64) -> Tester {
    let columns = vec![
        col("id", Int64Array::from_iter_values(0..200), Treatment::Clear),
        col("a", Int64Array::from_iter_values((0..200).map(|i| i % 10)), Treatment::Clear),
        col(
            "wage",
            Int64Array::from_iter_values((0..200).map(|i| if i % 10 == 5 { of_five } else { 100 + i })),
            aggregate(10),
        ),
    ];
    let table = TestTable { name: "data.t", columns, unit: Some("id"), granted: true };
    tester(vec![table], "", Form::Rows).await
}

#[tokio::test]
async fn whether_a_statement_raises_does_not_tell_who_passed_a_protected_condition() {
    let (low, high) = (wages(1).await, wages(1000).await);
    for of in
        ["10 / (a - 5)", "9223372036854775807 + a - 4", "cast(left('12345x', cast(a as int) + 1) as bigint)"]
    {
        for sql in [
            format!("select count(y) from (select wage, {of} as y from t) q where wage > 50"),
            format!(
                "select sum(wage) from (select wage, {of} as y from t) q where wage > 50 and y is not null"
            ),
            format!(
                "with q as (select wage, id, {of} as y from t) select count(*) from q where wage > 50 and y < 0"
            ),
            format!("select sum(wage) from t where wage > 50 and {of} > 0"),
            format!("select sum(wage) from (select * from t where {of} <> 77) q where wage > 50"),
            format!("select count(*) from (select * from t where wage > 50) q where {of} > 0"),
            format!("select {of}, count(wage) from t where wage > 50 group by 1"),
        ] {
            let (one, other) = (low.rows(&sql).await, high.rows(&sql).await);
            let ended = |rows: &Result<Vec<String>, cogov_engine::QueryError>| {
                rows.as_ref().err().map(|error| error.to_string())
            };
            assert_eq!(ended(&one), ended(&other), "{sql}");
        }
    }
    let beneath = "select sum(wage) from (select * from t where 10 / (a - 5) <> 77) q where wage > 50";
    assert_eq!(low.state(beneath).await, "0A000", "what may raise is refused");
}

#[tokio::test]
async fn a_mean_that_does_not_fit_its_type_tells_nothing() {
    let t = wages(1000).await;
    for digits in ["38,34", "38,30", "35,0"] {
        let sql = format!("select avg(cast(wage as decimal({digits}))) from t where a = 3");
        assert_eq!(t.state(&sql).await, "0A000", "{sql}");
    }
    assert_eq!(t.ok("select avg(cast(wage as decimal(34,2))) from t where a = 3").await, ["198.000000"]);
}
