//! The extended protocol: types, parameters, portals, cancel.

use crate::served::{ROWS, code, served};
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

#[tokio::test(flavor = "multi_thread")]
async fn values_come_in_their_binary_types() {
    let served = served().await;
    let client = served.client().await;
    let sql = "SELECT id, name, wage, wage / 3.0 AS third, id > 5 AS more, DATE '2020-02-29' AS d FROM units ORDER BY id";
    let rows = client.query(sql, &[]).await.unwrap();
    assert_eq!(i64::try_from(rows.len()).unwrap(), ROWS);
    let simple = client.simple_query(sql).await.unwrap();
    let mut compared = 0;
    for (row, text) in rows.iter().zip(simple.iter().filter_map(|m| match m {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })) {
        assert_eq!(row.get::<_, i64>(0).to_string(), text.get(0).unwrap());
        assert_eq!(row.get::<_, &str>(1), text.get(1).unwrap());
        assert_eq!(row.get::<_, i64>(2).to_string(), text.get(2).unwrap());
        assert_eq!(row.get::<_, f64>(3), text.get(3).unwrap().parse::<f64>().unwrap());
        assert_eq!(if row.get::<_, bool>(4) { "t" } else { "f" }, text.get(4).unwrap());
        compared += 1;
    }
    assert_eq!(compared, ROWS);
    assert_eq!(rows[0].columns()[5].type_(), &Type::DATE);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_described_before_they_are_bound() {
    let served = served().await;
    let client = served.client().await;
    let statement =
        client.prepare("SELECT id FROM units WHERE id >= $1 AND wage < $2 ORDER BY id").await.unwrap();
    assert_eq!(statement.params(), [Type::INT8, Type::INT8]);
    assert_eq!(statement.columns()[0].type_(), &Type::INT8);
    for (from, expected) in [(0_i64, 10), (100, 5), (1000, 0)] {
        let rows = client.query(&statement, &[&from, &1_000_000_i64]).await.unwrap();
        assert_eq!(rows.len(), expected, "from {from}");
    }
    let text = client.query("SELECT count(*) FROM units WHERE name LIKE $1", &[&"P%"]).await.unwrap();
    assert_eq!(text[0].get::<_, i64>(0), ROWS);
    let injected =
        client.query("SELECT count(*) FROM units WHERE name = $1", &[&"x' OR '1'='1"]).await.unwrap();
    assert_eq!(injected[0].get::<_, i64>(0), 0);
    let null = client.query("SELECT count(*) FROM units WHERE id = $1", &[&None::<i64>]).await.unwrap();
    assert_eq!(null[0].get::<_, i64>(0), 0);
    let error = client.prepare("SELECT 1; SELECT 2").await.unwrap_err();
    assert_eq!(code(&error), "42601");
    assert_eq!(code(&client.prepare("SELECT nothing FROM units").await.unwrap_err()), "42703");
    assert!(client.query("", &[]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_give_rows_in_portions() {
    let served = served().await;
    let mut client = served.client().await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("SELECT id FROM units ORDER BY id", &[]).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let rows = transaction.query_portal(&portal, 3).await.unwrap();
        assert!(rows.len() <= 3);
        if rows.is_empty() {
            break;
        }
        seen.extend(rows.iter().map(|row| row.get::<_, i64>(0)));
    }
    assert_eq!(seen, (0..10).map(|n| n * 20).collect::<Vec<_>>());
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_request_ends_the_query_and_nothing_else() {
    let served = served().await;
    let client = served.client().await;
    let cancel = client.cancel_token();
    let slow = "SELECT count(*) FROM units a, units b, units c, units d, units e, units f, units g, units h, units i, units j";
    let started = Instant::now();
    let (answer, ()) = tokio::join!(client.query(slow, &[]), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel_query(NoTls).await.unwrap();
    });
    assert_eq!(code(&answer.unwrap_err()), "57014");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_takes_parameters_too() {
    let served = served().await;
    let client = served.client().await;
    let sql = "SELECT relname FROM pg_catalog.pg_class WHERE relname = $1::VARCHAR";
    let found = client.query(sql, &[&"units"]).await.unwrap();
    assert_eq!(found[0].get::<_, &str>(0), "units");
    let oids = client.query("SELECT oid, typname FROM pg_type WHERE typname = 'int8'", &[]).await.unwrap();
    assert_eq!(oids[0].get::<_, u32>(0), 20);
}
