//! A consultation on a small node, with a clock that the test moves.
#![allow(dead_code, reason = "helpers of tests; not every test uses every one")]

use crate::common::{HOME, Node, PASSWORD, account, node_at};
use cogov_app::{
    Actor, App, ContributionFilter, NewConsultation, NewContribution, OpenData, Page, split_clauses,
};
use cogov_model::*;
use futures::TryStreamExt;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// A clock that runs from now on, and can be set forward.
#[derive(Default)]
pub struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct Forum {
    pub node: Node,
    pub id: ConsultationId,
    pub clock: Arc<Moved>,
}

/// A node whose body `tax` consults on a text of two clauses, open for a week.
pub async fn forum() -> Forum {
    let clock = Arc::new(Moved::default());
    let node = node_at(clock.clone()).await;
    let head = node.actor("tax-head").await;
    let id = node.app.open_consultation(&head, new_consultation()).await.unwrap();
    Forum { node, id, clock }
}

pub fn new_consultation() -> NewConsultation {
    let now = SystemClock.now();
    let text = "## Who {#art-1}\nEvery body.\n\n## How many {#art-2}\nAt least ten persons.\n";
    NewConsultation {
        title: Text::new("Ten or twenty?", "十人还是二十人？"),
        summary: Text::same("About statistics."),
        clauses: split_clauses(text, "").unwrap(),
        draft: None,
        opens: now.plus_millis(-1),
        closes: now.plus_days(7),
        questions: vec![Text::same("How many?")],
        invited: vec![ParticipantClass::Public, ParticipantClass::Official],
    }
}

impl Forum {
    pub fn app(&self) -> &App {
        &self.node.app
    }

    pub fn fresh(&self) -> NewConsultation {
        new_consultation()
    }

    /// Lets its last day pass.
    pub fn close(&self) {
        self.clock.0.fetch_add(8 * 86_400_000, Ordering::SeqCst);
    }

    /// Somebody of no public body who joined in a class.
    pub async fn person(&self, name: &str, class: ParticipantClass) -> Actor {
        let society = Party {
            id: "crowd".parse().unwrap(),
            name: Text::same("Crowd"),
            class: PartyClass::Individual,
            tier: None,
            region: None,
        };
        self.app().put_party(&society).await.unwrap();
        account(self.app(), name, "crowd", vec![Role::Citizen]).await;
        let actor = self.app().authenticate(name, PASSWORD, HOME).await.unwrap();
        self.app().join_consultation(&actor, &self.id, class, false).await.unwrap();
        actor
    }

    /// Writes a statement and returns its number.
    pub async fn statement(&self, actor: &Actor, words: &str) -> u64 {
        let new = NewContribution {
            kind: ContributionKind::Statement,
            clause: None,
            words: words.into(),
            proposed: None,
        };
        let receipt = self.app().contribute(actor, &self.id, new).await.unwrap();
        let filter = ContributionFilter { newest: true, ..ContributionFilter::default() };
        let found = self.app().contributions(None, &self.id, &filter, &Page::first(50)).await.unwrap();
        let found = found.items.iter().find(|view| view.contribution.entry == receipt.entry);
        found.unwrap().contribution.number
    }

    /// The results as they are now.
    pub async fn exact_map(&self) -> serde_json::Value {
        serde_json::from_str(&file(self.app(), &self.id, OpenData::Results).await).unwrap()
    }
}

/// A file of open data, whole.
pub async fn file(app: &App, id: &ConsultationId, file: OpenData) -> String {
    let pieces: Vec<_> = app.open_data(id, file).await.unwrap().try_collect().await.unwrap();
    String::from_utf8(pieces.concat()).unwrap()
}
