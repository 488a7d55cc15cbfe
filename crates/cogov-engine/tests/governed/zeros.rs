//! Zero has no sign: -0.0 and 0.0 are one value to whatever orders, groups or compares, as PostgreSQL has it.
//!
//! Every expectation was checked against PostgreSQL 15.

use crate::common::{TestTable, Tester, aggregate, col, tester};
use arrow::array::{Float32Array, Float64Array, Int64Array};
use cogov_model::{Form, Treatment};

async fn table() -> Tester {
    let clear = || Treatment::Clear;
    let columns = vec![
        col("id", Int64Array::from(vec![0, 1, 2, 3, 4]), clear()),
        col("x", Float64Array::from(vec![Some(0.0), Some(-0.0), Some(2.0), None, Some(-1.0)]), clear()),
        col("y", Float32Array::from(vec![Some(-0.0), Some(0.0), Some(0.0), Some(1.0), None]), clear()),
    ];
    tester(vec![TestTable { name: "data.z", columns, unit: None, granted: true }], "", Form::Rows).await
}

#[tokio::test]
async fn rows_are_ordered_by_it() {
    let cases: &[(&str, &[&str])] = &[
        ("select id from data.z order by x, id desc", &["4", "1", "0", "2", "3"]),
        ("select id from data.z order by x desc, id", &["3", "2", "0", "1", "4"]),
        ("select id from data.z order by y, id", &["0", "1", "2", "3", "4"]),
        ("select id from data.z order by x, y, id desc limit 3", &["4", "1", "0"]),
        ("select id from data.z order by -x, id", &["2", "0", "1", "4", "3"]),
        (
            "select id, x + 1.0 as x from data.z order by x, id desc",
            &["4|0.0", "1|1.0", "0|1.0", "2|3.0", "3|∅"],
        ),
        (
            "select id from data.z where id < 3 union all select id from data.z where id < 2 order by id",
            &["0", "0", "1", "1", "2"],
        ),
        ("select x, count(*) from data.z group by x order by x", &["-1.0|1", "0.0|2", "2.0|1", "∅|1"]),
    ];
    table().await.gives(cases).await;
}

#[tokio::test]
async fn windows_take_it_for_one_value() {
    let cases: &[(&str, &[&str])] = &[
        ("select id, rank() over (order by x) from data.z order by id", &["0|2", "1|2", "2|4", "3|5", "4|1"]),
        (
            "select id, dense_rank() over (order by x desc) from data.z order by id",
            &["0|3", "1|3", "2|2", "3|1", "4|4"],
        ),
        (
            "select id, row_number() over (partition by x order by id desc) from data.z order by id",
            &["0|2", "1|1", "2|1", "3|1", "4|1"],
        ),
        (
            "select id, count(*) over (order by x) from data.z order by id",
            &["0|3", "1|3", "2|4", "3|5", "4|1"],
        ),
        (
            "select id, count(*) over (partition by y) from data.z order by id",
            &["0|3", "1|3", "2|3", "3|1", "4|1"],
        ),
        (
            "select id, first_value(id) over (partition by x order by y, id desc) from data.z order by id",
            &["0|1", "1|1", "2|2", "3|3", "4|4"],
        ),
        (
            "select id, sum(id) over (order by x range between 0 preceding and 0 following) from data.z order by id",
            &["0|1", "1|1", "2|2", "3|3", "4|4"],
        ),
        (
            "select id, sum(id) over w from data.z window w as (order by x) order by id",
            &["0|5", "1|5", "2|7", "3|10", "4|4"],
        ),
        ("select id from data.z order by rank() over (order by x), id desc", &["4", "1", "0", "2", "3"]),
    ];
    table().await.gives(cases).await;
}

#[tokio::test]
async fn groups_and_joins_take_it_for_one_value() {
    let cases: &[(&str, &[&str])] = &[
        ("select count(*) from data.z group by x order by 1", &["1", "1", "1", "2"]),
        ("select count(*) from data.z group by x, y order by 1", &["1", "1", "1", "2"]),
        (
            "select y + 0, count(distinct x), sum(distinct x) from data.z group by y order by y",
            &["0.0|2|2.0", "1.0|0|∅", "∅|1|-1.0"],
        ),
        ("select count(distinct x) filter (where id < 2), sum(id) from data.z", &["1|10"]),
        ("select string_agg(cast(id as text), ',' order by x, id desc) from data.z", &["4,1,0,2,3"]),
        ("select count(distinct x), count(distinct y) from data.z", &["3|2"]),
        ("select count(distinct x), sum(id) from data.z", &["3|10"]),
        (
            "select count(distinct x), max(id), min(y + 1) from data.z group by y > 0 order by 2",
            &["2|2|1.0", "0|3|2.0", "1|4|∅"],
        ),
        (
            "select count(*), sum(id) from data.z group by grouping sets ((x), (y)) order by 1, 2",
            &["1|2", "1|3", "1|3", "1|4", "1|4", "2|1", "3|3"],
        ),
        (
            "select case x when 0 then 'none' else 'some' end, count(*) from data.z group by 1 order by 1",
            &["none|2", "some|3"],
        ),
        ("select count(*) from (select distinct x from data.z) q", &["4"]),
        ("select count(*) from (select x from data.z union select 0.0) q", &["4"]),
        ("select count(*) from (select x from data.z intersect select y from data.z) q", &["2"]),
        ("select count(*) from (select x from data.z except all select y from data.z) q", &["2"]),
        ("select count(*) from data.z p join data.z q on p.x = q.x", &["6"]),
        ("select count(*) from data.z p join data.z q on p.x = q.y", &["6"]),
        ("select count(*) from data.z p join data.z q on p.x is not distinct from q.x", &["7"]),
        ("select count(*) from data.z p full join data.z q on p.x = q.y and p.y = q.x", &["10"]),
        ("select count(*) from data.z p where exists (select 1 from data.z q where q.y = p.x)", &["2"]),
        ("select count(*) from data.z where x in (select y from data.z)", &["2"]),
    ];
    table().await.gives(cases).await;
}

#[tokio::test]
async fn columns_are_compared_by_it() {
    let cases: &[(&str, &[&str])] = &[
        ("select p.id from data.z p join data.z q on p.x < q.x where q.id = 0 order by 1", &["4"]),
        ("select p.id from data.z p join data.z q on p.x >= q.x where q.id = 0 order by 1", &["0", "1", "2"]),
        ("select id from data.z where x = y order by id", &["0", "1"]),
        ("select id from data.z where x <> y order by id", &["2"]),
        ("select id from data.z where x < y order by id", &[]),
        ("select id from data.z where x > y order by id", &["2"]),
        ("select id from data.z where x between y and y order by id", &["0", "1"]),
        ("select id from data.z where x is distinct from y order by id", &["2", "3", "4"]),
        ("select id from data.z where x in (y, 5.0) order by id", &["0", "1"]),
        ("select id from data.z where x in (y, 5.0, 6.0, 7.0) order by id", &["0", "1"]),
        ("select id from data.z where x not in (y, 5.0, 6.0, 7.0) order by id", &["2"]),
        ("select id from data.z where 0 in (x, 9.0) order by id", &["0", "1"]),
        ("select id from data.z where -0.0 in (x, y) order by id", &["0", "1", "2"]),
        ("select id from data.z where 0 not in (x, 9.0) order by id", &["2", "4"]),
        ("select id from data.z where abs(x) in (y, 5.0) order by id", &["0", "1"]),
        ("select id from data.z where x in (0.0, 5.0) order by id", &["0", "1"]),
        ("select id from data.z where x in (1.0, 2.0, 3.0, 4.0, -0.0) order by id", &["0", "1", "2"]),
        (
            "select id from data.z where x not in (select y from data.z where y is not null) order by id",
            &["2", "4"],
        ),
        ("select id from data.z where nullif(x, -0.0) is null order by id", &["0", "1", "3"]),
        ("select id from data.z where case x when -0.0 then true end order by id", &["0", "1"]),
        ("select id from data.z where nullif(x, y) is null order by id", &["0", "1", "3"]),
        (
            "select id, case x when y then 'same' else 'other' end from data.z order by id",
            &["0|same", "1|same", "2|other", "3|other", "4|other"],
        ),
    ];
    table().await.gives(cases).await;
}

/// What PostgreSQL does not have.
#[tokio::test]
async fn windows_over_different_values_count_it_once() {
    let cases: &[(&str, &[&str])] = &[
        ("select distinct count(distinct x) over () from data.z", &["3"]),
        ("select distinct approx_distinct(x) over () from data.z", &["3"]),
        ("select approx_distinct(x) from data.z", &["3"]),
    ];
    table().await.gives(cases).await;
}

/// Thirty persons, of whom ten have 0.0, ten -0.0 and ten another number.
#[tokio::test]
async fn protected_statistics_count_it_once() {
    let value = |person: i64| [0.0, -0.0, 5.0][(person % 3) as usize];
    let columns = vec![
        col("person", Int64Array::from_iter_values(0..30), Treatment::Clear),
        col("x", Float64Array::from_iter_values((0..30).map(value)), aggregate(5)),
    ];
    let table = TestTable { name: "data.held", columns, unit: Some("person"), granted: true };
    let t = tester(vec![table], "", Form::Rows).await;
    t.gives(&[
        (
            "select case x when 0 then 'none' else 'some' end, count(*) from held group by 1 order by 1",
            &["none|20", "some|10"],
        ),
        ("select count(*) from held where nullif(x, 0) is null", &["20"]),
        ("select count(*) from held where 0 in (x, 9.0)", &["20"]),
        ("select count(*) from held group by x order by 1", &["10", "20"]),
    ])
    .await;
}

/// A grouping of which the first row alone is wanted, over what is no number.
#[tokio::test]
async fn what_is_no_number_is_one_group() {
    let columns = vec![
        col("id", Int64Array::from_iter_values(0..60), Treatment::Clear),
        col(
            "x",
            Float64Array::from_iter_values((0..60).map(|row| if row % 2 == 0 { f64::NAN } else { 1.0 })),
            Treatment::Clear,
        ),
    ];
    let t =
        tester(vec![TestTable { name: "data.n", columns, unit: None, granted: true }], "", Form::Rows).await;
    t.gives(&[
        ("select x, min(id) from data.n group by x order by min(id) limit 1", &["NaN|0"]),
        ("select x, max(id) from data.n group by x order by max(id) desc limit 2", &["1.0|59", "NaN|58"]),
        ("select distinct x from data.n order by x limit 2", &["1.0", "NaN"]),
        ("select count(distinct x) from data.n", &["2"]),
    ])
    .await;
}
