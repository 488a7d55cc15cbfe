//! A consultation with a crowd in it: many voting at once, thousands of comments under a long text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#[path = "../../cogov-app/tests/common/mod.rs"]
mod common;

use axum::{body::Body, http::Request};
use cogov_app::{Actor, App, NewConsultation, NewContribution, Page, split_clauses};
use cogov_model::*;
use cogov_store::{Account, Store, sqlite_url};
use common::{Node, node};
use std::{collections::BTreeSet, time::Instant};
use tower::ServiceExt;

const VOTERS: usize = 10_000;
const COMMENTS: usize = 5_000;
const CLAUSES: usize = 200;
/// What a page may weigh: pages list a part of thousands, never all. Its time is printed, not asserted, since
/// machines are noisy; 200 ms is the goal.
const PAGE_BYTES: usize = 400_000;

/// People with accounts, put straight into the records: hashing ten thousand passwords would take minutes.
async fn people(node: &Node, count: usize) -> Vec<Actor> {
    let party = Party {
        id: "crowd".parse().unwrap(),
        name: Text::same("Crowd"),
        class: PartyClass::Individual,
        tier: None,
        region: None,
    };
    node.app.put_party(&party).await.unwrap();
    let store = Store::open(&sqlite_url(&node.home().join("records.sqlite"))).await.unwrap();
    let mut people = Vec::with_capacity(count);
    for n in 0..count {
        let name: AccountName = format!("p-{n}").parse().unwrap();
        let account = Account {
            name: name.clone(),
            display_name: format!("Person {n}"),
            party: party.id.clone(),
            roles: BTreeSet::from([Role::Citizen]),
            locale: Locale::En,
            password_hash: "none".into(),
            disabled: false,
            created_at: Timestamp::from_millis(0),
        };
        store.add_account(&account).await.unwrap();
        people.push(Actor {
            account: name,
            name: account.display_name,
            party: party.clone(),
            roles: vec![Role::Citizen],
            locale: Locale::En,
        });
    }
    store.close().await;
    people
}

async fn opened(node: &Node, clauses: usize) -> ConsultationId {
    let text: String = (0..clauses)
        .map(|n| {
            format!(
                "## Clause {n} {{#art-{n}}}\n{}\n\n",
                "Words of the clause, as long as usual. ".repeat(12)
            )
        })
        .collect();
    let now = SystemClock.now();
    let new = NewConsultation {
        title: Text::same("A long text"),
        summary: Text::same("For a crowd."),
        clauses: split_clauses(&text, "").unwrap(),
        draft: None,
        opens: now.plus_millis(-1),
        closes: now.plus_days(1),
        questions: vec![],
        invited: vec![ParticipantClass::Public],
    };
    node.app.open_consultation(&node.actor("tax-head").await, new).await.unwrap()
}

async fn join(app: &App, id: &ConsultationId, people: &[Actor]) {
    let mut joining = tokio::task::JoinSet::new();
    for actor in people {
        let (app, id, actor) = (app.clone(), id.clone(), actor.clone());
        joining
            .spawn(async move { app.join_consultation(&actor, &id, ParticipantClass::Public, false).await });
    }
    while let Some(done) = joining.join_next().await {
        done.unwrap().unwrap();
    }
}

fn contribution(kind: ContributionKind, clause: Option<String>, words: String) -> NewContribution {
    NewContribution { kind, clause: clause.map(|clause| clause.parse().unwrap()), words, proposed: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_vote_at_once_and_none_is_lost_or_doubled() {
    let node = node().await;
    let people = people(&node, VOTERS).await;
    let id = opened(&node, 2).await;
    let started = Instant::now();
    join(&node.app, &id, &people).await;
    println!("{VOTERS} joined in {:.1} s", started.elapsed().as_secs_f64());
    let statement = contribution(ContributionKind::Statement, None, "Ten is enough.".into());
    node.app.contribute(&people[0], &id, statement).await.unwrap();
    let started = Instant::now();
    let mut voting = tokio::task::JoinSet::new();
    for (n, actor) in people.iter().enumerate() {
        let (app, id, actor) = (node.app.clone(), id.clone(), actor.clone());
        let vote = if n % 3 == 0 { Vote::Disagree } else { Vote::Agree };
        voting.spawn(async move { app.vote(&actor, &id, 0, vote).await });
    }
    let mut entries = BTreeSet::new();
    while let Some(done) = voting.join_next().await {
        assert!(entries.insert(done.unwrap().unwrap().entry), "two votes have one receipt");
    }
    let took = started.elapsed().as_secs_f64();
    println!(
        "{VOTERS} voted in {took:.1} s: {:.0} votes a second, each durable and counted",
        VOTERS as f64 / took
    );
    let counted = node.app.contribution(None, &id, 0).await.unwrap().contribution.tally;
    let against = VOTERS.div_ceil(3) as u64;
    assert_eq!(counted, Tally { agree: VOTERS as u64 - against, disagree: against, pass: 0 });
    assert_eq!(node.app.consultation(None, &id).await.unwrap().card.counts.votes, VOTERS as u64);
    let started = Instant::now();
    let map = node.app.opinion_map(&id).await.unwrap();
    println!("the map of {} voters in {:.2} s", map.voters, started.elapsed().as_secs_f64());
    assert_eq!(map.voters, VOTERS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_thousands_of_comments_shows_a_part_of_them() {
    let node = node().await;
    // An account may say twenty things at once.
    let people = people(&node, COMMENTS / 20).await;
    let id = opened(&node, CLAUSES).await;
    join(&node.app, &id, &people).await;
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..COMMENTS {
        let (app, id, actor) = (node.app.clone(), id.clone(), people[n % people.len()].clone());
        // Four thousand on one clause, the others all over the text.
        let clause = if n % 5 == 0 { format!("art-{}", n % CLAUSES) } else { "art-7".to_owned() };
        let words = format!("Comment {n}: {}", "words that somebody wrote. ".repeat(8));
        let new = contribution(ContributionKind::Comment, Some(clause), words);
        writing.spawn(async move { app.contribute(&actor, &id, new).await });
    }
    while let Some(done) = writing.join_next().await {
        done.unwrap().unwrap();
    }
    let filter = cogov_app::ContributionFilter::default();
    let all = node.app.contributions(None, &id, &filter, &Page::first(1)).await.unwrap();
    assert_eq!(all.items.len(), 1);
    for path in ["", "/text", "/clauses/art-7", "/statements", "/answers"] {
        let mut times = Vec::new();
        for _ in 0..7 {
            let pages = cogov_web::router(node.app.clone(), cogov_web::Site::default());
            let request = Request::get(format!("/consultations/{id}{path}")).body(Body::empty()).unwrap();
            let started = Instant::now();
            let response = pages.oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            times.push((started.elapsed(), bytes.len()));
        }
        times.sort();
        let (median, bytes) = times[times.len() / 2];
        println!("/consultations/…{path}: {:.0} ms, {bytes} bytes", median.as_secs_f64() * 1000.0);
        assert!(bytes < PAGE_BYTES, "{path} weighs {bytes} bytes");
    }
}
