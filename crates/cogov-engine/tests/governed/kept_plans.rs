//! Plans that were kept serve the world that they were made for, and no other: one engine, one grant, one statement, and
//! every part of a world changed in turn.

use crate::common::{TestTable, Tester, col, mask, permit, tester};
use arrow::array::{Int64Array, StringArray};
use cogov_engine::{GrantWorld, MaskKey};
use cogov_model::{Form, RowScope, Treatment};
use std::sync::Arc;

const ROWS: i64 = 4000;

fn people(name: Treatment) -> Vec<TestTable> {
    let texts = |f: &dyn Fn(i64) -> String| (0..ROWS).map(|i| Some(f(i))).collect::<StringArray>();
    let columns = vec![
        col("id", Int64Array::from_iter_values(0..ROWS), Treatment::Clear),
        col("org", texts(&|i| if i % 4 == 0 { "A".into() } else { "B".into() }), Treatment::Clear),
        col("name", texts(&|i| format!("Ann-{i}")), name),
    ];
    vec![TestTable { name: "data.people", columns, unit: Some("id"), granted: true }]
}

fn of(org: &str) -> String {
    format!(r#"{{"data.people":[{{"column":"org","op":"=","value":"{org}"}}]}}"#)
}

/// The same engine under another decision, scope or key.
fn beside(t: &Tester, tables: &[TestTable], scope: &str, key: u8) -> Tester {
    let sources = t.sources.clone();
    let scope: RowScope = serde_json::from_str(scope).unwrap();
    let world =
        GrantWorld::new(permit(tables, &scope, Form::Rows), scope, sources.clone(), MaskKey::new([key; 32]));
    let (engine, store) = (t.engine.clone(), Arc::clone(&t.store));
    Tester { engine, world: Arc::new(world), sources, store, spill: tempfile::tempdir().unwrap() }
}

#[tokio::test]
async fn a_changed_world_is_planned_anew() {
    let hashed = people(mask("keyed-hash"));
    let t = tester(people(mask("keyed-hash")), &of("A"), Form::Rows).await;
    let sql = "select count(*), min(name), max(id) from people";
    let first = t.ok(sql).await;
    assert_eq!(t.ok(sql).await, first, "asked again");
    let equal = beside(&t, &hashed, &of("A"), 9);
    assert_eq!(equal.ok(sql).await, first, "an equal world");

    let other_rows = beside(&t, &hashed, &of("B"), 9).ok(sql).await;
    assert!(other_rows[0].starts_with("3000|") && other_rows[0].ends_with("|3999"), "{other_rows:?}");
    let other_key = beside(&t, &hashed, &of("A"), 8).ok(sql).await;
    assert!(other_key[0].starts_with("1000|") && other_key != first, "{other_key:?}");
    let other_mask = beside(&t, &people(mask("prefix:1")), &of("A"), 9).ok(sql).await;
    assert_eq!(other_mask, ["1000|A…|3996"]);
    let withheld = beside(&t, &people(Treatment::Withhold), &of("A"), 9);
    assert_eq!(withheld.state(sql).await, "42703");
    assert_eq!(t.ok(sql).await, first, "and back");
}

/// Many at once, with joins, sorts and subqueries, whose operators keep what they gathered.
#[tokio::test(flavor = "multi_thread")]
async fn executions_of_one_plan_do_not_meet() {
    let t = Arc::new(tester(people(Treatment::Clear), &of("A"), Form::Rows).await);
    for sql in [
        "select a.id, b.name from people a join people b on a.id = b.id where b.id < 400 order by 1 desc limit 50",
        "select a.id from people a left join people b on a.id < b.id and b.id < 20 order by 1 limit 20",
        "select id from people where id > (select avg(id) from people) order by id limit 30",
        "select org, count(*), max(name) from people group by org having count(*) > (select 10) order by 1",
        "select id, row_number() over (order by id desc) from people where id in (select id from people where id % 3 = 0) order by 1 limit 10",
        "select id from people union select id + 1 from people order by 1 limit 40",
    ] {
        let expected = t.ok(sql).await;
        let ask = |_| {
            let t = Arc::clone(&t);
            tokio::spawn(async move { t.ok(sql).await })
        };
        let many: Vec<_> = (0..16).map(ask).collect();
        for one in many {
            assert_eq!(one.await.unwrap(), expected, "{sql}");
        }
        // One that is left early leaves nothing behind.
        drop(t.prepare(sql).await.unwrap().execute().unwrap());
        let prepared = t.prepare(sql).await.unwrap();
        let (one, other) = (prepared.execute().unwrap(), prepared.execute().unwrap());
        drop(one);
        let rows: usize =
            futures::StreamExt::fold(other, 0, |n, b| async move { n + b.unwrap().num_rows() }).await;
        assert_eq!(rows, expected.len(), "{sql}");
    }
}
