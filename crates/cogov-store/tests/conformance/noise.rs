//! What holds for budgets of privacy: exact under concurrency, each question paid for once, its answer kept for ever.

use crate::fixtures::*;
use cogov_model::*;
use cogov_store::*;

async fn with_grants(store: &Store) {
    with_parties(store, &["tax", "welfare"]).await;
    store.add_dataset(&dataset("tax", "tax")).await.unwrap();
    for id in ["g1", "g2"] {
        store.add_grant(&grant(id, "welfare", &["tax"], &["tax"], 1), &key(1)).await.unwrap();
    }
}

/// ε in millionths that adds up as it is, and δ.
fn loss(pure: u64, delta: u64) -> Loss {
    Loss { pure: Epsilon::from_micros(pure), rho: Rho::default(), delta: Delta::from_units(delta) }
}

fn charge(grant: &str, question: &str, cost: Loss, of_grant: u64, of_dataset: u64) -> NoiseCharge {
    let grant: GrantId = grant.parse().unwrap();
    let tax: DatasetId = "tax".parse().unwrap();
    NoiseCharge {
        grant: grant.clone(),
        fingerprint: question.to_owned(),
        facts: NoiseFacts {
            epsilon: "0.5".parse().unwrap(),
            loss: cost,
            mechanism: "discrete-gaussian".into(),
            datasets: vec![tax.clone()],
        },
        accounts: vec![
            (BudgetOf::Grant(grant), Epsilon::from_micros(of_grant)),
            (BudgetOf::Dataset(tax), Epsilon::from_micros(of_dataset)),
        ],
    }
}

async fn spent(store: &Store, of: BudgetOf, when: i64) -> u64 {
    store.noise_spent(&of, Month::of(at(when))).await.unwrap().pure.micros()
}

fn of_grant(id: &str) -> BudgetOf {
    BudgetOf::Grant(id.parse().unwrap())
}

fn of_tax() -> BudgetOf {
    BudgetOf::Dataset("tax".parse().unwrap())
}

fn paid(payment: Payment) -> Vec<Paid> {
    match payment {
        Payment::Paid(paid) => paid,
        other => panic!("{other:?}"),
    }
}

pub async fn a_question_is_paid_for_once_and_its_first_answer_stays(store: Store) {
    with_grants(&store).await;
    let first = charge("g1", "q1", loss(40, 1), 100, 1000);
    let now = paid(store.pay_noise(std::slice::from_ref(&first), at(5)).await.unwrap());
    assert_eq!(now, [Paid { now: true, answer: None }]);
    // Broken off before the answer was kept: paid for, and not answered.
    let again = paid(store.pay_noise(std::slice::from_ref(&first), at(6)).await.unwrap());
    assert_eq!(again, [Paid { now: false, answer: None }]);
    assert_eq!(store.keep_noise(&first.grant, "q1", "one").await.unwrap(), "one");
    assert_eq!(store.keep_noise(&first.grant, "q1", "two").await.unwrap(), "one");
    let later = paid(store.pay_noise(std::slice::from_ref(&first), at(7)).await.unwrap());
    assert_eq!(later, [Paid { now: false, answer: Some("one".into()) }]);
    assert_eq!((spent(&store, of_grant("g1"), 5).await, spent(&store, of_tax(), 5).await), (40, 40));
    let lost = store.keep_noise(&first.grant, "q9", "x").await;
    assert!(matches!(lost, Err(StoreError::NotFound { .. })));
    store.note_noise(&first.grant, "q1", 17).await.unwrap();
    store.note_noise(&first.grant, "q1", 18).await.unwrap();
    for of in [of_grant("g1"), of_tax()] {
        let list = store.noise_answers(&of, &Page::first(10)).await.unwrap().items;
        let [one] = list.as_slice() else { panic!("{list:?}") };
        assert_eq!((one.entry, one.answered, &one.facts), (Some(17), true, &first.facts));
    }
}

pub async fn an_exhausted_account_refuses_and_takes_nothing(store: Store) {
    with_grants(&store).await;
    let both = [charge("g1", "a", loss(40, 0), 100, 90), charge("g1", "b", loss(40, 0), 100, 90)];
    assert_eq!(paid(store.pay_noise(&both, at(5)).await.unwrap()).len(), 2);
    // The grant has enough left, the dataset has not: neither is touched, and the question is not written down.
    let third = charge("g1", "c", loss(20, 0), 100, 90);
    let refused = store.pay_noise(std::slice::from_ref(&third), at(6)).await.unwrap();
    assert_eq!(
        refused,
        Payment::Exhausted { of: of_tax(), spent: loss(80, 0), limit: Epsilon::from_micros(90) }
    );
    assert_eq!((spent(&store, of_grant("g1"), 5).await, spent(&store, of_tax(), 5).await), (80, 80));
    assert_eq!(store.noise_answers(&of_grant("g1"), &Page::first(10)).await.unwrap().items.len(), 2);
    let keys = charge("g2", "d", loss(1, Delta::PER_MONTH.units() + 1), 100, 90);
    let refused = store.pay_noise(&[keys], at(6)).await.unwrap();
    assert!(matches!(refused, Payment::Exhausted { .. }), "δ is a budget too: {refused:?}");
    // Losses of both kinds stand in one account: those that add up as ρ count by the ε that they imply together.
    let whole: Epsilon = "1".parse().unwrap();
    let concentrated = |question: &str| {
        let loss = Loss { rho: Rho::within("0.3".parse().unwrap()), ..Loss::default() };
        charge("g2", question, loss, whole.micros(), u64::MAX / 4)
    };
    let mut count = 0;
    while let Payment::Paid(_) = store.pay_noise(&[concentrated(&format!("c{count}"))], at(6)).await.unwrap()
    {
        count += 1;
    }
    assert!((9..=12).contains(&count), "{count} questions of ε 0.3 in a budget of 1");
    // What was answered stays answered, and the next month is whole.
    assert!(paid(store.pay_noise(&both, at(7)).await.unwrap()).iter().all(|paid| !paid.now));
    let next_month = at(40 * 86_400_000);
    assert!(paid(store.pay_noise(&[third], next_month).await.unwrap()).iter().all(|paid| paid.now));
    assert_eq!(spent(&store, of_tax(), 40 * 86_400_000).await, 20);
}

/// 64 clients ask 64 questions each twice, of two grants that share a dataset whose budget holds 40 of them.
pub async fn many_clients_never_spend_more_than_there_is(store: Store) {
    with_grants(&store).await;
    let clients: Vec<_> = (0..64).map(|client| tokio::spawn(client_pays(store.clone(), client))).collect();
    let mut granted = 0;
    for client in clients {
        granted += client.await.unwrap();
    }
    assert_eq!(granted, 40, "exactly as many as the dataset's budget holds");
    assert_eq!(spent(&store, of_tax(), 5).await, 40 * 7);
    let each = [spent(&store, of_grant("g1"), 5).await, spent(&store, of_grant("g2"), 5).await];
    assert_eq!(each.iter().sum::<u64>(), 40 * 7);
}

async fn client_pays(store: Store, client: usize) -> usize {
    let mut granted = 0;
    for round in 0..2 {
        // Every question is asked by two clients, of the same grant.
        let question = format!("q{}", client / 2);
        let grant = if (client / 2).is_multiple_of(2) { "g1" } else { "g2" };
        let one = charge(grant, &format!("{question}-{}", client % 2 * round), loss(7, 0), 1000, 40 * 7);
        if let Payment::Paid(paid) = store.pay_noise(&[one], at(5)).await.unwrap() {
            granted += paid.iter().filter(|paid| paid.now).count();
        }
    }
    granted
}
