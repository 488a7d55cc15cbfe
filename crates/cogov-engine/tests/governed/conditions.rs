//! AND and OR of two conditions give the rows of both and of either, whichever two conditions of one column they are.
//!
//! Optimisers look for conditions of which one follows from the other. Each condition here is asked alone first, so that
//! what its rows are needs no second opinion.

use crate::common::{TestTable, Tester, col, tester};
use arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
};
use cogov_model::{Form, Treatment};
use std::collections::BTreeSet;

/// A column, and texts of literals to compare it with: equal ones written differently, such as are folded only later,
/// neighbours, and values of other types.
const COLUMNS: [(&str, &[&str]); 7] = [
    (
        "i",
        &["3", "cast('3' as bigint)", "4", "(2 + 1)", "3.5", "cast(null as bigint)", "9223372036854775807"],
    ),
    ("n", &["3", "cast(3 as int)", "4", "3.0", "3000000000", "cast('3' as int)"]),
    (
        "x",
        &[
            "cast('0' as double)",
            "cast('-0' as double)",
            "0",
            "-0.0",
            "cast('NaN' as double)",
            "1.5",
            "cast('-Infinity' as double)",
        ],
    ),
    ("t", &["'a'", "cast('a' as varchar)", "'b'", "''", "('a' || '')", "'A'"]),
    (
        "d",
        &[
            "date '2000-01-01'",
            "cast('2000-01-01' as date)",
            "'2000-01-01'",
            "date '2000-01-02'",
            "date '1970-01-01'",
        ],
    ),
    ("m", &["1", "1.00", "cast(1.50 as decimal(10,2))", "1.005", "cast('1' as decimal(10,2))", "-1"]),
    ("b", &["true", "false", "cast('true' as boolean)", "cast(null as boolean)"]),
];

const SIGNS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

async fn values() -> Tester {
    let (clear, none) = (Treatment::Clear, None::<i64>);
    let i = [none, Some(2), Some(3), Some(3), Some(4), Some(i64::MIN), Some(i64::MAX), Some(0)];
    let n = i.map(|i| i.map(|i| i32::try_from(i).unwrap_or(7)));
    let x =
        [None, Some(0.0), Some(-0.0), Some(f64::NAN), Some(1.5), Some(-1.0), Some(f64::INFINITY), Some(2.0)];
    let t = [None, Some("a"), Some("b"), Some(""), Some("a "), Some("A"), Some("ab"), Some("0")];
    let d = [None, Some(10_957), Some(10_958), Some(0), Some(-1), Some(10_956), Some(20_000), Some(1)];
    let m = [None, Some(100), Some(150), Some(-100), Some(0), Some(101), Some(99), Some(1)];
    let b = [None, Some(true), Some(false), Some(true), Some(false), None, Some(true), Some(false)];
    let columns = vec![
        col("id", Int64Array::from_iter_values(0..8), clear),
        col("i", Int64Array::from_iter(i), clear),
        col("n", Int32Array::from_iter(n), clear),
        col("x", Float64Array::from_iter(x), clear),
        col("t", StringArray::from_iter(t), clear),
        col("d", Date32Array::from_iter(d), clear),
        col("m", Decimal128Array::from_iter(m).with_precision_and_scale(10, 2).unwrap(), clear),
        col("b", BooleanArray::from_iter(b), clear),
    ];
    tester(vec![TestTable { name: "data.values", columns, unit: None, granted: true }], "", Form::Rows).await
}

/// Every condition of a column: comparisons either way round, ranges, lists, null tests, and what denies them.
fn conditions(column: &str, literals: &[&str]) -> Vec<String> {
    let mut all = vec![format!("{column} is null"), format!("{column} is not null")];
    for (at, literal) in literals.iter().enumerate() {
        let other = literals[(at + 1) % literals.len()];
        for sign in SIGNS {
            all.push(format!("{column} {sign} {literal}"));
        }
        let sign = SIGNS[at % SIGNS.len()];
        all.push(format!("{literal} {sign} {column}"));
        all.push(format!("not ({column} {sign} {literal})"));
        all.push(format!("{column} in ({literal}, {other})"));
        all.push(format!("{column} not in ({literal}, {other})"));
        all.push(format!("{column} between {literal} and {other}"));
        all.push(format!("{column} is distinct from {literal}"));
    }
    all
}

async fn rows(t: &Tester, condition: &str) -> BTreeSet<String> {
    t.ok(&format!("select id from data.values where {condition}")).await.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_conditions_are_both_kept() {
    let t = values().await;
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (column, literals) in COLUMNS {
        let mut alone = Vec::new();
        for condition in conditions(column, literals) {
            let rows = rows(&t, &condition).await;
            alone.push((condition, rows));
        }
        // A third of all pairs, other ones from column to column.
        for (at, (one, ours)) in alone.iter().enumerate() {
            for (other, theirs) in alone.iter().skip(at % PART).step_by(PART) {
                for (word, expected) in [("and", ours & theirs), ("or", ours | theirs)] {
                    let condition = format!("{one} {word} {other}");
                    asked += 1;
                    let rows = rows(&t, &condition).await;
                    if rows != expected {
                        wrong.push(format!("{condition}: {rows:?}, not {expected:?}"));
                    }
                }
            }
        }
    }
    println!("{asked} asked");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Of how many pairs one is asked.
const PART: usize = 3;
