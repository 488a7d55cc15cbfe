//! Conditions on one column are all kept, however they are written, and a row scope among them.

use crate::common::{TestTable, Tester, col, tester};
use arrow::array::{Float64Array, Int64Array};
use cogov_model::{Form, Treatment};

/// The numbers below 2000 with their distance from 4, and the even ones among them.
async fn numbers(scope: &str) -> Tester {
    let table = |name, step| {
        let ids = || (0..2000).step_by(step);
        TestTable {
            name,
            columns: vec![
                col("id", Int64Array::from_iter_values(ids()), Treatment::Clear),
                col("x", Float64Array::from_iter_values(ids().map(|id| id as f64 - 4.0)), Treatment::Clear),
            ],
            unit: None,
            granted: true,
        }
    };
    tester(vec![table("data.every", 1), table("data.even", 2)], scope, Form::Rows).await
}

#[tokio::test]
async fn whichever_side_the_literal_is_on() {
    let t = numbers("").await;
    for condition in ["cast('12' as bigint) = a.id", "a.id = cast('12' as bigint)"] {
        let from = format!("data.every a left join data.even b on a.id = b.id and {condition}");
        assert_eq!(t.ok(&format!("select b.id from {from} where b.id is not null")).await, ["12"], "{from}");
        assert_eq!(t.ok(&format!("select count(b.id) from {from}")).await, ["1"], "{from}");
    }
    let named = "(select id, x, 12 as z, cast(null as bigint) as n, cast('12' as bigint) = id as f from data.every) s";
    for (from, conditions, count) in [
        ("data.every", "id = cast('12' as bigint) and cast('12' as bigint) = id", "1"),
        ("data.every", "id >= cast('12' as bigint) and cast('12' as bigint) < id", "1987"),
        ("data.every", "cast('12' as bigint) > id and id <= cast('12' as bigint)", "12"),
        (named, "s.id = 12 and s.z = s.id", "1"),
        (named, "s.id >= 12 and s.z < s.id", "1987"),
        (named, "s.z < s.id and s.id >= 12", "1987"),
        (named, "s.f and s.id = 12", "1"),
        (named, "s.id > 1990 and s.n < s.id", "0"),
        ("data.every", "id > 5 and id > 10 and id <= 20 and id < 30 and id >= 0", "10"),
    ] {
        let sql = format!("select count(*) from {from} where {conditions}");
        assert_eq!(t.ok(&sql).await, [count], "{conditions}");
    }
    let union = "(select id, 1 as z from data.every union all select id, 2 from data.every) s";
    let sql = format!("select count(*) from {union} where s.id = 1 and s.z = s.id");
    assert_eq!(t.ok(&sql).await, ["1"]);
}

#[tokio::test]
async fn zero_is_zero() {
    let t = numbers("").await;
    for (conditions, count) in [
        ("x <= -0.0 and x < 0.0", "4"),
        ("x < 0.0 and x <= -0.0", "4"),
        ("x >= 0.0 and x > -0.0", "1995"),
        ("x = 0.0 and x = -0.0", "1"),
    ] {
        let sql = format!("select count(*) from data.every where {conditions}");
        assert_eq!(t.ok(&sql).await, [count], "{conditions}");
    }
}

/// A comparison with zero, and what meets it.
type Scope = (&'static str, fn(f64) -> bool);

/// Nothing that is asked takes a condition of the scope away, whether it is planned by hand or, with a link, by an optimiser.
#[tokio::test]
async fn a_condition_of_the_asker_takes_no_scope_away() {
    let linked = r#",{"linked":{"column":"id","dataset":"data","table":"even","key":"id"}}"#;
    let asked = [
        "true",
        "x <= -0.0",
        "x >= -0.0",
        "x = -0.0",
        "x in (-0.0, 1.0)",
        "x <= 0.0",
        "x < 4",
        "x <> -0.0",
        "x = 0.0",
    ];
    let scopes: [Scope; 3] = [("<", |x| x < 0.0), (">", |x| x > 0.0), ("<>", |x| x != 0.0)];
    for link in ["", linked] {
        for (op, meets) in scopes {
            for zero in ["0.0", "-0.0", "0"] {
                let scope =
                    format!(r#"{{"data.every":[{{"column":"x","op":"{op}","value":{zero}}}{link}]}}"#);
                let t = numbers(&scope).await;
                for conditions in asked {
                    let sql = format!("select x from data.every where {conditions}");
                    let all = t.ok(&sql).await;
                    let out = all.iter().find(|x| !meets(x.parse().unwrap()));
                    assert!(out.is_none(), "{scope} {conditions}: {out:?}");
                    assert!(conditions != "true" || all.len() > 1, "{scope}: nothing is in it");
                }
            }
        }
    }
}
