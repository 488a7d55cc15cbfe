//! What is constant on the side that an outer join pads with nulls, in a branch of a union, or beneath grouping sets, is not
//! constant in the result.

use crate::common::{TestTable, Tester, col, tester};
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use cogov_model::{Form, Treatment};
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// The numbers below 2000, and the even ones among them.
async fn numbers() -> Tester {
    let table = |name, step| TestTable {
        name,
        columns: vec![col("id", Int64Array::from_iter_values((0..2000).step_by(step)), Treatment::Clear)],
        unit: None,
        granted: true,
    };
    tester(vec![table("data.every", 1), table("data.even", 2)], "", Form::Rows).await
}

#[tokio::test]
async fn rows_are_sorted_by_it() {
    let t = numbers().await;
    for join in [
        "data.every e left join (select id, 1 as c from data.even) q on q.id = e.id",
        "(select id, 1 as c from data.even) q right join data.every e on q.id = e.id",
        "data.every e full join (select id, 1 as c from data.even) q on q.id = e.id",
        "data.every e left join (select id, 1 as c from data.even) q on q.id > e.id + 1990",
    ] {
        let all = t.ok(&format!("select q.c from {join} order by q.c desc nulls last")).await;
        let constants = all.iter().filter(|c| *c == "1").count();
        assert!(constants > 0 && constants < all.len(), "{join}: both kinds of rows are there");
        assert!(all.iter().take(constants).all(|c| c == "1"), "{join}: the constants come first");
    }
}

#[tokio::test]
async fn groups_by_it_are_whole() {
    let t = numbers().await;
    for join in [
        "data.every e left join (select id, 'k' as c from data.even) q on q.id = e.id",
        "(select id, 'k' as c from data.even) q right join data.every e on q.id = e.id",
        "(select id, 'k' as c from data.even) q full join data.every e on q.id = e.id",
    ] {
        let all = t.ok(&format!("select q.c, count(*) from {join} group by q.c order by 1")).await;
        assert_eq!(all, ["k|1000", "∅|1000"], "{join}");
    }
}

#[tokio::test]
async fn unions_are_sorted_by_the_literals_of_their_branches() {
    let t = numbers().await;
    let branch = |c| format!("select {c} as c, id from data.even where id < 20");
    let all = t.ok(&format!("select c from ({} union all {}) u order by c desc", branch(1), branch(2))).await;
    assert_eq!(all, [["2"; 10], ["1"; 10]].concat());
    let first = t.ok(&format!("{} union all {} order by 1 desc limit 3", branch(1), branch(2))).await;
    assert!(first.len() == 3 && first.iter().all(|row| row.starts_with("2|")), "{first:?}");
}

#[tokio::test]
async fn grouping_sets_are_sorted_by_keys_that_were_constant_and_keep_their_totals() {
    let t = numbers().await;
    let from = "from (select id, 'k' as c from data.every) q";
    let sql = format!(
        "select c, id % 7, count(*) {from} group by rollup (c, id % 7) order by c nulls first, 2 nulls first"
    );
    let all = t.ok(&sql).await;
    assert_eq!(all.len(), 9, "{all:?}");
    assert_eq!(all.first().map(String::as_str), Some("∅|∅|2000"));
    assert_eq!(all.get(1).map(String::as_str), Some("k|∅|2000"));
    let totals = format!("select count(*) from (select c, id, count(*) {from} group by rollup (c, id)) r");
    assert_eq!(t.ok(&totals).await, ["2002"], "each number, their total, and the grand total once");
}

/// When this fails DataFusion sorts by itself: `query/forgetting.rs` is not needed any more.
#[tokio::test]
async fn datafusion_alone_leaves_the_sort_out() {
    let plain = SessionContext::new();
    for table in ["every", "even"] {
        let ids = Arc::new(Int64Array::from_iter_values(0..10)) as ArrayRef;
        plain.register_batch(table, RecordBatch::try_from_iter([("id", ids)]).unwrap()).unwrap();
    }
    let sql = "select q.c from every e full join (select id, 1 as c from even) q on q.id = e.id order by q.c";
    let plan = plain.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains("HashJoinExec") && !shown.contains("SortExec"), "{shown}");
}

/// A filter over columns of one name, one of each side, is of both sides.
#[tokio::test]
async fn filters_over_both_sides_stay_above_the_join() {
    let t = numbers().await;
    let count = |join: &str| {
        format!(
            "select count(*) from data.every a {join} join data.even b on a.id = b.id / 2
             where coalesce(b.id - a.id, 7) >= 10 and character_length(cast(b.id as text)) < 3
               and character_length(cast(a.id as text)) < 3"
        )
    };
    // Of the even ones from 20 to 98 each is at least ten above its half.
    for join in ["inner", "left", "right", "full"] {
        assert_eq!(t.ok(&count(join)).await, ["40"], "{join}");
    }
}
