//! The attacks. Each says of every target what it believes the secret to be: what it computed, or the best constant
//! guess where it could not.

use super::sample::{Person, people};
use super::solve::least_squares;
use super::{Oracle, Outcome, Question};

/// A wage is got right within 500 dollars.
const NEAR: f64 = 500.0;

/// A small generator with a fixed seed, so that every run attacks alike. (SplitMix64.)
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The constant that is right for most, and for how many.
fn best_guess(secrets: &[f64], near: f64) -> (f64, f64) {
    let right = |guess: f64| secrets.iter().filter(|s| (**s - guess).abs() <= near).count();
    let best = secrets.iter().map(|s| (right(*s), *s)).max_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let (count, guess) = best.unwrap();
    (guess, count as f64)
}

fn percent(right: f64, of: usize) -> f64 {
    100.0 * right / of as f64
}

/// The share of believed values that are right.
fn right(believed: &[f64], secrets: &[f64], near: f64) -> f64 {
    let right = believed.iter().zip(secrets).filter(|(b, s)| (**b - **s).abs() <= near).count();
    percent(right as f64, secrets.len())
}

fn question(
    figure: &'static str,
    condition: String,
    people: &[Person],
    picks: impl Fn(&Person) -> bool,
) -> Question {
    let picks = people.iter().enumerate().filter(|(_, p)| picks(p)).map(|(at, _)| at).collect();
    Question { figure, condition, picks }
}

/// Two sums, with and without the target.
async fn differencing(oracle: &Oracle, people: &[Person], target: &Person) -> Option<f64> {
    let all = oracle.ask(&question("sum(wages)", "serial >= 0".into(), people, |_| true)).await?;
    let id = target.serial;
    let without = question("sum(wages)", format!("serial <> {id}"), people, |p| p.serial != id);
    Some(all - oracle.ask(&without).await?)
}

/// The general tracker (Denning and Schlörer 1983): the target joined to a half and to the other half of everybody.
async fn tracker(oracle: &Oracle, people: &[Person], target: &Person) -> Option<f64> {
    let id = target.serial;
    let half = |p: &Person| p.fips < 25;
    let ask = async |condition: String, picks: &dyn Fn(&Person) -> bool| {
        oracle.ask(&question("sum(wages)", condition, people, picks)).await
    };
    let with = ask(format!("fips < 25 or serial = {id}"), &|p| half(p) || p.serial == id).await?;
    let other = ask(format!("fips >= 25 or serial = {id}"), &|p| !half(p) || p.serial == id).await?;
    let halves = ask("fips < 25".into(), &half).await? + ask("fips >= 25".into(), &|p| !half(p)).await?;
    Some(with + other - halves)
}

/// Averages and counts of the same persons under conditions that are worded anew each time, with and without the target.
async fn averaging(oracle: &Oracle, people: &[Person], target: &Person) -> Option<f64> {
    let (id, mut found) = (target.serial, Vec::new());
    for turn in 1..=5 {
        let total = async |extra: String, picks: &dyn Fn(&Person) -> bool| {
            let condition = format!("serial + {turn} > {}{extra}", turn - 1);
            let average = oracle.ask(&question("avg(wages)", condition.clone(), people, picks)).await?;
            Some(average * oracle.ask(&question("count(*)", condition, people, picks)).await?)
        };
        let without = total(format!(" and serial <> {id}"), &|p| p.serial != id).await;
        found.extend(total(String::new(), &|_| true).await.zip(without).map(|(all, rest)| all - rest));
    }
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// Attacks single targets for their wages. Each target is a new attacker, so that the memory helps as little as it can.
async fn on_wages(
    attack: &'static str,
    people: &[Person],
    targets: &[Person],
    with: impl AsyncFn(&Oracle, &[Person], &Person) -> Option<f64>,
) -> Outcome {
    let secrets: Vec<f64> = targets.iter().map(|p| p.wages as f64).collect();
    let (guess, guessed) = best_guess(&secrets, NEAR);
    let mut believed = [Vec::new(), Vec::new()];
    for target in targets {
        let threshold = Oracle::threshold(people);
        believed[0].push(with(&threshold, people, target).await.unwrap_or(guess));
        let ours = Oracle::ours(people, &format!("{attack} {}", target.serial)).await;
        believed[1].push(with(&ours, people, target).await.unwrap_or(guess));
    }
    let [threshold, ours] = believed.map(|b| right(&b, &secrets, NEAR));
    Outcome { attack, targets: targets.len(), threshold, ours, guess: percent(guessed, targets.len()) }
}

/// Groups that the attacker knows, all of whose members earn on the same side of the median: by the counts of the
/// group and of its members on either side.
async fn homogeneity(people: &[Person]) -> Outcome {
    let secrets: Vec<f64> = people.iter().map(|p| p.above as f64).collect();
    let (guess, guessed) = best_guess(&secrets, 0.0);
    let mut shares = Vec::new();
    for oracle in [Oracle::threshold(people), Oracle::ours(people, "homogeneity").await] {
        let mut believed = vec![guess; people.len()];
        for band in 0..=20 {
            for fips in 1..=56 {
                let members = |p: &Person| p.band == band && p.fips == fips;
                if people.iter().filter(|p| members(p)).count() < 10 {
                    continue;
                }
                let place = format!("band = {band} and fips = {fips}");
                let group = oracle.ask(&question("count(*)", place.clone(), people, members)).await;
                for value in [0, 1] {
                    let same = question("count(*)", format!("{place} and above = {value}"), people, |p| {
                        members(p) && p.above == value
                    });
                    if group.is_some() && oracle.ask(&same).await == group {
                        let all = people.iter().zip(&mut believed).filter(|(p, _)| members(p));
                        all.for_each(|(_, believed)| *believed = value as f64);
                    }
                }
            }
        }
        shares.push(right(&believed, &secrets, 0.0));
    }
    let guess = percent(guessed, people.len());
    Outcome {
        attack: "homogeneity: the side of a whole group",
        targets: people.len(),
        threshold: shares[0],
        ours: shares[1],
        guess,
    }
}

/// Random halves of everybody, and what least squares makes of the answers (Dinur and Nissim 2003).
async fn reconstruction(
    attack: &'static str,
    people: &[Person],
    figure: &'static str,
    secret: fn(&Person) -> f64,
    near: f64,
) -> Outcome {
    let secrets: Vec<f64> = people.iter().map(secret).collect();
    let (_, guessed) = best_guess(&secrets, near);
    let mean = secrets.iter().sum::<f64>() / secrets.len() as f64;
    let mut shares = Vec::new();
    for oracle in [Oracle::threshold(people), Oracle::ours(people, attack).await] {
        let mut dice = Dice(7);
        let (mut sets, mut sums) = (Vec::new(), Vec::new());
        for _ in 0..people.len() * 6 / 5 {
            let picks: Vec<usize> = (0..people.len()).filter(|_| dice.roll() & 1 == 1).collect();
            let list: Vec<String> = picks.iter().map(|at| people[*at].serial.to_string()).collect();
            let asked = Question { figure, condition: format!("serial in ({})", list.join(",")), picks };
            if let Some(sum) = oracle.ask(&asked).await {
                sets.push(asked.picks);
                sums.push(sum);
            }
        }
        let solved = least_squares(&sets, &sums, mean, people.len());
        // Where nearly everything is known the attacker believes it; otherwise it is no better than it looks.
        let believed: Vec<f64> = match near == 0.0 {
            true => solved.iter().map(|value| if *value > 0.5 { 1.0 } else { 0.0 }).collect(),
            false => solved,
        };
        shares.push(right(&believed, &secrets, near));
    }
    let guess = percent(guessed, people.len());
    Outcome { attack, targets: people.len(), threshold: shares[0], ours: shares[1], guess }
}

/// Every attack.
pub async fn all() -> Vec<Outcome> {
    let crowd = people(1500, 180);
    let targets: Vec<Person> = crowd.iter().step_by(75).cloned().collect();
    let few = people(300, 900);
    let whole = people(4000, 70);
    vec![
        on_wages("differencing: all, and all but one", &crowd, &targets, differencing).await,
        on_wages("general tracker", &crowd, &targets, tracker).await,
        on_wages("averages and counts, reworded", &crowd, &targets, averaging).await,
        homogeneity(&whole).await,
        reconstruction("random sums and least squares: wages", &few, "sum(wages)", |p| p.wages as f64, NEAR)
            .await,
        reconstruction(
            "random sums and least squares: cover",
            &few,
            "sum(covered)",
            |p| p.covered as f64,
            0.0,
        )
        .await,
    ]
}
