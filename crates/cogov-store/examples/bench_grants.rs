//! What a decision reads of the store, with one grant in it and with a million: the grant and the key of its masks.
//! `cargo run --release -p cogov-store --example bench_grants`
#![allow(clippy::print_stdout, reason = "a benchmark")]

use cogov_model::{
    ColumnRef, Form, Grant, GrantId, GrantState, Lane, Party, PartyClass, Purpose, RowScope, Term, Text,
    Tier, Timestamp,
};
use cogov_store::{MaskKey, Store, sqlite_url};
use std::error::Error;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const COLUMNS: usize = 250;
const LOOKUPS: usize = 2001;

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let url = sqlite_url(&folder.path().join("store.sqlite"));
    let store = Store::open(&url).await?;
    for id in ["asker", "provider"] {
        store.put_party(&party(id)?).await?;
    }
    let wide = grant()?;
    store.add_grant(&wide, &MaskKey::new([9; 32])).await?;
    let (one, key) = lookups(&store, &wide.id).await?;
    println!("one grant of {COLUMNS} columns:   grant {one:?}, key {key:?}");
    let start = Instant::now();
    multiply(&url).await?;
    println!("(a million more grants written in {:.0?})", start.elapsed());
    let (many, key) = lookups(&store, &wide.id).await?;
    println!("among a million others:     grant {many:?}, key {key:?}");
    println!("ratio {:.2}", many.as_secs_f64() / one.as_secs_f64());
    Ok(())
}

/// Medians of reading the grant, and its key.
async fn lookups(store: &Store, id: &GrantId) -> Outcome<(Duration, Duration)> {
    let (mut grants, mut keys) = (Vec::new(), Vec::new());
    for _ in 0..LOOKUPS {
        let start = Instant::now();
        store.grant(id).await?;
        grants.push(start.elapsed());
        let start = Instant::now();
        store.mask_key(id).await?;
        keys.push(start.elapsed());
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times.get(LOOKUPS / 2).copied().unwrap_or_default()
    };
    Ok((median(grants), median(keys)))
}

/// A million small grants, written by the database itself: one at a time would take an hour of syncs.
async fn multiply(url: &str) -> Outcome<()> {
    let pool = sqlx::SqlitePool::connect(url).await?;
    let body = serde_json::to_string(&Grant { columns: vec![column(0)?], ..grant()? })?;
    let mut all = pool.begin().await?;
    sqlx::query(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n",
    )
    .execute(&mut *all)
    .await?;
    sqlx::query(
        "INSERT INTO grants (id, party, state, made_at, application, revision, body) \
         SELECT 'g' || i, 'asker', 'active', i, NULL, 1, replace($1, '\"wide\"', '\"g' || i || '\"') FROM n",
    )
    .bind(body)
    .execute(&mut *all)
    .await?;
    for sql in [
        "INSERT INTO grant_providers (provider, made_at, grant_id) SELECT 'provider', i, 'g' || i FROM n",
        "INSERT INTO grant_datasets (dataset, made_at, grant_id) SELECT 'd', i, 'g' || i FROM n",
        "INSERT INTO mask_keys (grant_id, key) SELECT 'g' || i, lower(hex(randomblob(32))) FROM n",
    ] {
        sqlx::query(sql).execute(&mut *all).await?;
    }
    all.commit().await?;
    Ok(())
}

fn party(id: &str) -> Outcome<Party> {
    let (class, tier) = (PartyClass::Government, Some(Tier::State));
    Ok(Party { id: id.parse()?, name: Text::same(id), class, tier, region: None })
}

fn column(n: usize) -> Outcome<ColumnRef> {
    Ok(ColumnRef { dataset: "d".parse()?, table: "t".parse()?, column: format!("c{n}").parse()? })
}

fn grant() -> Outcome<Grant> {
    let words = Text::same("bench");
    Ok(Grant {
        id: "wide".parse()?,
        name: words.clone(),
        party: "asker".parse()?,
        providers: vec!["provider".parse()?],
        columns: (0..COLUMNS).map(column).collect::<Outcome<_>>()?,
        conditions: Vec::new(),
        scope: RowScope::default(),
        purpose: Purpose {
            code: "administration.eligibility".parse()?,
            words: words.clone(),
            legal_basis: words.clone(),
            scenario: words,
        },
        form: Form::Rows,
        lane: Lane::Share,
        term: Term { from: Timestamp::from_millis(0), until: Timestamp::from_millis(i64::MAX) },
        state: GrantState::Active,
        made_at: Timestamp::from_millis(0),
        application: None,
        verification: None,
    })
}
