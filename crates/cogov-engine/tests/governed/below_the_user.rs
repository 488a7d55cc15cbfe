//! Nothing of the asker's runs on what the grant withholds: the experiment of the design notes, as tests.
//!
//! Organisation A may see its own rows, with the name cut to one letter and no secret. The rows of B hold
//! values that make predicates raise; no result, error or name may tell of them.

use crate::common::{Col, TestTable, Tester, col, mask, tester};
use arrow::array::{Date32Array, Float64Array, Int64Array, StringArray};
use cogov_engine::ErrorKind;
use cogov_model::{Form, Treatment};

const HIDDEN: &str = "HIDDEN";

/// 4,000 rows, alternately of A and B. B's `amount` is 5, its `code` no number, its `name` begins HIDDEN.
fn columns() -> Vec<Col> {
    let rows = 0..4000_i64;
    let of_a = |i: i64| i % 2 == 0;
    let texts = |f: &dyn Fn(i64) -> String| rows.clone().map(|i| Some(f(i))).collect::<StringArray>();
    vec![
        col("id", Int64Array::from_iter_values(rows.clone()), Treatment::Clear),
        col("org", texts(&|i| if of_a(i) { "A".into() } else { "B".into() }), Treatment::Clear),
        col(
            "amount",
            Int64Array::from_iter_values(rows.clone().map(|i| if of_a(i) { 100 + i } else { 5 })),
            Treatment::Clear,
        ),
        col(
            "code",
            texts(&|i| if of_a(i) { i.to_string() } else { format!("{HIDDEN}-CODE-{i}") }),
            Treatment::Clear,
        ),
        col(
            "name",
            texts(&|i| if of_a(i) { format!("Ann-{i}") } else { format!("{HIDDEN}-NAME-{i}") }),
            mask("prefix:1"),
        ),
        col(
            "born",
            Date32Array::from_iter_values(rows.clone().map(|i| i32::try_from(i).unwrap())),
            mask("year"),
        ),
        col("pay", Float64Array::from_iter_values(rows.clone().map(|i| i as f64)), mask("band:1000")),
        col("secret", texts(&|i| format!("{HIDDEN}-SECRET-{i}")), Treatment::Withhold),
    ]
}

async fn world() -> Tester {
    let table = TestTable { name: "data.people", columns: columns(), unit: Some("id"), granted: true };
    tester(vec![table], r#"{"data.people":[{"column":"org","op":"=","value":"A"}]}"#, Form::Rows).await
}

#[tokio::test]
async fn predicates_that_raise_on_hidden_rows_do_not_meet_them() {
    let t = world().await;
    for predicate in [
        "1 / (amount - 5) >= 0",
        "cast(code as int) >= 0",
        "code::bigint >= 0",
        "1 / (amount - 5) >= 0 and org = 'A'",
        "org = 'A' and cast(code as int) >= 0",
        "case when name like 'H%' then 1/0 else 1 end = 1",
        "case when org = 'B' then 1 / (id - id) else 1 end = 1",
        "id in (select id from people where cast(code as bigint) >= 0)",
        "exists (select 1 from people p where p.id = people.id and cast(p.code as int) >= 0)",
        "cast(code as int) = id",
    ] {
        let sql = format!("select count(*) from people where {predicate}");
        assert_eq!(t.ok(&sql).await, ["2000"], "{predicate}");
    }
    for sql in [
        "select sum(cast(code as int)) from people",
        "select cast(code as int) from people order by 1 limit 3",
        "select max(1 / (amount - 5)) from people",
        "select a.id from people a join people b on cast(a.code as int) = cast(b.code as int) limit 1",
        "select id, row_number() over (order by cast(code as int)) from people limit 1",
        "select distinct cast(code as int) from people limit 1",
    ] {
        t.ok(sql).await;
    }
}

#[tokio::test]
async fn errors_name_no_value() {
    let t = world().await;
    // These raise on rows of A, which may be seen; even so no value is printed, of A or of B.
    for sql in [
        "select cast(name as int) from people",
        "select 1 / (amount - 100) from people",
        "select cast(code || 'Ann' as int) from people where id > 10",
        "select to_date(name) from people",
    ] {
        let error = t.fails(sql).await;
        let words = format!("{error} {:?}", error);
        assert_eq!(error.kind(), ErrorKind::Data, "{sql}: {words}");
        for value in [HIDDEN, "Ann", "A…", "100"] {
            assert!(!words.contains(value), "{sql}: {words}");
        }
    }
}

#[tokio::test]
async fn hidden_rows_are_in_no_statistic() {
    let t = world().await;
    assert_eq!(
        t.ok("select count(*), min(amount), max(amount), min(id), max(id) from people").await,
        ["2000|100|4098|0|3998"]
    );
    assert_eq!(t.ok("select count(*) from people where org = 'B'").await, ["0"]);
    assert_eq!(t.ok("select count(*) from people where amount = 5").await, ["0"]);
    assert_eq!(t.ok("select org, count(*) from people group by org").await, ["A|2000"]);
    assert_eq!(t.ok("select count(id) from people where id = 3").await, ["0"]);
    assert_eq!(t.ok("select id from people where id between 3 and 6 order by id").await, ["4", "6"]);
    assert_eq!(t.ok("select id from people where id in (3, 4, 5) or id is null").await, ["4"]);
    assert_eq!(t.ok("select max(code) from people where code like 'HID%'").await, ["∅"]);
    assert_eq!(t.ok("select id from people order by id desc limit 1").await, ["3998"]);
    assert_eq!(t.ok("select count(*) from (select * from people limit 4000)").await, ["2000"]);
}

#[tokio::test]
async fn masks_lie_under_predicates_groups_and_joins() {
    let t = world().await;
    assert_eq!(t.ok("select count(*) from people where name like 'Ann%'").await, ["0"]);
    assert_eq!(t.ok("select name, count(*) from people group by name").await, ["A…|2000"]);
    assert_eq!(t.ok("select count(*) from people where name = 'Ann-4'").await, ["0"]);
    assert_eq!(t.ok("select min(name), max(name) from people").await, ["A…|A…"]);
    assert_eq!(
        t.ok("select distinct pay from people order by pay").await,
        ["0.0", "1000.0", "2000.0", "3000.0"]
    );
    assert_eq!(t.ok("select count(*) from people where pay = 4").await, ["0"]);
    assert_eq!(t.ok("select born, count(*) from people where born = 1970 group by born").await, ["1970|183"]);
    assert_eq!(t.ok("select length(name), upper(name) from people limit 1").await, ["2|A…"]);
    assert_eq!(t.ok("select string_agg(distinct name, ',') from people").await, ["A…"]);
}

#[tokio::test]
async fn withheld_things_do_not_exist() {
    let t = world().await;
    for sql in [
        "select secret from people",
        "select people.secret from people",
        "select * from people where secret is null",
        "select sekret from people",
        "select nothing from people",
    ] {
        let error = t.fails(sql).await;
        assert_eq!(error.sqlstate(), "42703", "{sql}");
        let mut words = format!("{error} {}", error.reason().zh);
        for own in ["secret", "sekret", "nothing"] {
            words = words.replace(own, "x");
        }
        assert_eq!(words, "column \"x\" does not exist 列“x”不存在", "{sql}");
    }
    let columns = t.prepare("select * from people").await.unwrap();
    let names: Vec<_> = columns.columns().iter().map(|c| c.name.clone()).collect();
    assert_eq!(names, ["id", "org", "amount", "code", "name", "born", "pay"]);
    assert_eq!(t.state("select * from secrets").await, "42P01");
    assert_eq!(t.state("select * from other.people").await, "42P01");
    assert_eq!(t.state("select * from information_schema.tables").await, "42P01");
    assert_eq!(t.ok("select count(*) from data.people").await, ["2000"]);
    assert_eq!(t.ok("select count(*) from \"test-grant\".data.people").await, ["2000"]);
    assert_eq!(t.ok("SELECT Count(ID) FROM People").await, ["2000"]);
    let shown = t.engine.catalogue(&t.world).await.unwrap();
    assert_eq!(shown.len(), 1);
    assert!(shown[0].columns.iter().all(|c| c.name.as_str() != "secret"));
}

#[tokio::test]
async fn what_tells_more_than_rows_is_refused() {
    let t = world().await;
    for sql in [
        "explain select max(amount) from people",
        "explain analyze select * from people",
        "explain verbose select * from people",
        "show all",
        "show tables",
        "describe people",
        "set datafusion.execution.batch_size = 1",
        "create table x as select * from people",
        "create view v as select * from people",
        "create external table x stored as csv location '/etc/passwd'",
        "copy people to '/tmp/x.csv'",
        "copy (select 1) to '/tmp/x.csv'",
        "insert into people values (1)",
        "delete from people",
        "update people set amount = 1",
        "drop table people",
        "prepare p as select 1",
        "select * into x from people",
        "with recursive r as (select 1 as n union all select n + 1 from r) select * from r",
        "select * from generate_series(1, 10)",
        "select * from '/etc/passwd'",
        "select version()",
        "select random()",
        "select input_file_name() from people",
        "select arrow_typeof(id) from people",
        "select array_agg(name) from people",
        "select unnest(make_array(1, 2))",
        "select @@version",
        "select named_struct('a', id) from people",
        "select [1, 2]",
        "select __cogov_unit from people",
    ] {
        let error = t.fails(sql).await;
        let state = error.sqlstate();
        assert!(
            ["0A000", "42601", "42883", "42P01", "42703", "42804"].contains(&state),
            "{sql}: {state} {error}"
        );
        assert!(!error.to_string().contains(HIDDEN), "{sql}: {error}");
    }
}

#[tokio::test]
async fn linked_scopes_hold_below_too() {
    let people = TestTable { name: "data.people", columns: columns(), unit: None, granted: true };
    let benefits = TestTable {
        name: "welfare.benefits",
        columns: vec![
            col("person", Int64Array::from_iter_values(0..100), Treatment::Clear),
            col("snap", Int64Array::from_iter_values((0..100).map(|i| i % 10)), Treatment::Clear),
        ],
        unit: None,
        granted: false,
    };
    let scope = r#"{"data.people":[{"any":[{"linked":{"column":"id","dataset":"welfare","table":"benefits","key":"person",
        "any":[{"column":"snap","op":">","value":7}]}},{"column":"id","op":"=","value":5}]}]}"#;
    let t = tester(vec![people, benefits], scope, Form::Rows).await;
    assert_eq!(
        t.ok("select id from people where id < 30 order by id").await,
        ["5", "8", "9", "18", "19", "28", "29"]
    );
    assert_eq!(t.ok("select count(*) from people").await, ["21"]);
    assert_eq!(t.state("select * from benefits").await, "42P01");
}

#[tokio::test]
async fn a_scope_that_cannot_be_enforced_releases_nothing() {
    for scope in [
        r#"{"data.people":[{"column":"nothing","op":"=","value":1}]}"#,
        r#"{"data.people":[{"column":"org","op":"=","value":1}]}"#,
        r#"{"data.people":[{"linked":{"column":"id","dataset":"gone","table":"away","key":"id"}}]}"#,
        r#"{"data.people":[{"any":[]}]}"#,
    ] {
        let people = TestTable { name: "data.people", columns: columns(), unit: None, granted: true };
        let t = tester(vec![people], scope, Form::Rows).await;
        let error = t.fails("select count(*) from people").await;
        assert_eq!(error.sqlstate(), "42501", "{scope}");
        assert!(t.engine.catalogue(&t.world).await.is_err());
    }
}

/// The extremes that a file keeps of a row group leave NaN out, and NaN is greater than any number: whether a visible one
/// passes must not depend on the withheld number beside it.
#[tokio::test]
async fn a_number_beside_a_visible_nan_is_not_told() {
    for withheld in [1.0, 1e6] {
        let columns = vec![
            col("org", StringArray::from(vec!["A", "B"]), Treatment::Clear),
            col("pay", Float64Array::from(vec![f64::NAN, withheld]), Treatment::Clear),
        ];
        let table = TestTable { name: "data.people", columns, unit: None, granted: true };
        let t = tester(vec![table], r#"{"data.people":[{"column":"org","op":"=","value":"A"}]}"#, Form::Rows)
            .await;
        assert_eq!(t.ok("select count(*) from people where pay > 500").await, ["1"], "{withheld}");
        assert_eq!(
            t.ok("select count(*) from people where pay > 500 and org = 'A'").await,
            ["1"],
            "{withheld}"
        );
    }
}

/// The same of a table that a scope links to.
#[tokio::test]
async fn a_number_beside_a_linked_nan_is_not_told() {
    for beside in [1.0, 1e6] {
        let people = TestTable {
            name: "data.people",
            columns: vec![col("id", arrow::array::Int64Array::from(vec![1, 2]), Treatment::Clear)],
            unit: None,
            granted: true,
        };
        let columns = vec![
            col("key", arrow::array::Int64Array::from(vec![1, 3]), Treatment::Clear),
            col("level", Float64Array::from(vec![f64::NAN, beside]), Treatment::Clear),
        ];
        let links = TestTable { name: "aux.links", columns, unit: None, granted: false };
        let scope = r#"{"data.people":[{"linked":{"column":"id","dataset":"aux","table":"links","key":"key",
            "any":[{"column":"level","op":">","value":500.5}]}}]}"#;
        let t = tester(vec![people, links], scope, Form::Rows).await;
        assert_eq!(t.ok("select id from people").await, ["1"], "{beside}");
    }
}
