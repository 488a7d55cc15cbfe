//! A table of what holds on real conversations: predictions, agreement with published groups, what shuffling changes, and how
//! often votes without structure are given groups.
//!
//! `cargo run --release -p cogov-opinion --example real_conversations [DIR…]`; each `DIR` holds an export of Polis (`votes.csv`,
//! `comments.csv`, `participants-votes.csv`).
#![allow(clippy::print_stdout, reason = "an example prints its table")]

use cogov_opinion::export::{read_comments, read_groups, read_votes};
use cogov_opinion::heldout::{Errors, held_out};
use cogov_opinion::map::cluster::rand_index;
use cogov_opinion::polis::{Matrix, Report};
use cogov_opinion::{Cast, Conversation, Participant, Picture, Statement, StatementId, Verdict, Vote, Votes};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    for dir in std::env::args().skip(1) {
        report(Path::new(&dir))?;
    }
    structureless();
    Ok(())
}

fn report(dir: &Path) -> Result<(), Box<dyn Error>> {
    let casts: Vec<Cast> = read_votes(File::open(dir.join("votes.csv"))?)?.iter().map(|t| t.cast).collect();
    let hidden: Vec<StatementId> = read_comments(File::open(dir.join("comments.csv"))?)?
        .iter()
        .filter(|comment| comment.moderated < 0)
        .map(|comment| comment.id)
        .collect();
    let published: BTreeMap<Participant, u8> =
        read_groups(File::open(dir.join("participants-votes.csv"))?)?.into_iter().collect();
    let statements: Vec<Statement> = Votes::new([], &casts)
        .statements()
        .iter()
        .map(|id| Statement { moderated_out: hidden.contains(id), ..Statement::new(*id) })
        .collect();
    let conversation = Conversation::new(statements.iter().copied(), &casts, []);
    println!("\n{}", dir.display());
    predictions(&conversation);
    groups(&conversation, &published);
    shuffles(&statements, &casts);
    Ok(())
}

fn predictions(conversation: &Conversation) {
    println!("  held-out votes (10 %), RMSE / signs   item mean      Polis' PCA     ours");
    let show = |errors: &Errors| format!("{:.4} / {:.4}", errors.rmse, errors.signs);
    let mut best = (0, 0);
    for seed in 0..5 {
        let held = held_out(conversation, 0.1, seed);
        println!(
            "    seed {seed} ({:>5} votes)              {} {} {}",
            held.votes,
            show(&held.item_mean),
            show(&held.polis),
            show(&held.factors)
        );
        let (peer, own) = ([held.item_mean, held.polis], held.factors);
        best.0 += u8::from(peer.iter().all(|p| own.rmse < p.rmse));
        best.1 += u8::from(peer.iter().all(|p| own.signs >= p.signs));
    }
    println!("    ours best: RMSE in {} of 5, signs in {} of 5", best.0, best.1);
}

fn groups(conversation: &Conversation, published: &BTreeMap<Participant, u8>) {
    let picture = Picture::of(conversation);
    let tried: Vec<String> =
        picture.grouping.tried.iter().map(|(k, agreement)| format!("{k}: {agreement:.3}")).collect();
    println!(
        "  groups: {:?}; agreement between halves {} (needed {:.3}), separation {:.2}",
        picture.grouping.verdict,
        tried.join(", "),
        picture.grouping.needed,
        picture.grouping.separation
    );
    if let Some(groups) = &picture.groups {
        println!("  sizes {:?}", groups.iter().map(|group| group.size).collect::<Vec<_>>());
    }
    let (own, theirs): (Vec<u8>, Vec<u8>) =
        picture.positions.iter().filter_map(|p| p.group.zip(published.get(&p.participant).copied())).unzip();
    if !own.is_empty() {
        println!("  ARI with the published groups: {:.3} ({} people)", rand_index(&own, &theirs), own.len());
    }
    println!("  bridging {:?}", picture.bridging.iter().take(5).map(|id| id.0).collect::<Vec<_>>());
}

/// Rows in twenty other orders: participants get other numbers.
fn shuffles(statements: &[Statement], casts: &[Cast]) {
    let labels = |seed: u64| -> Vec<Option<u8>> {
        let name = |participant: Participant| Participant(scramble(seed, participant.0));
        let renamed: Vec<Cast> =
            casts.iter().map(|cast| Cast { participant: name(cast.participant), ..*cast }).collect();
        let picture = Picture::of(&Conversation::new(statements.iter().copied(), &renamed, []));
        let votes = Votes::new([], casts);
        votes
            .participants()
            .iter()
            .map(|participant| picture.position(name(*participant)).and_then(|position| position.group))
            .collect()
    };
    let all: Vec<Vec<u8>> = (1..=20).map(|seed| labels(seed).into_iter().flatten().collect()).collect();
    let mut least: f64 = 1.0;
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            least = if one.len() == other.len() { least.min(rand_index(one, other)) } else { f64::NAN };
        }
    }
    println!("  rows shuffled 20 times: least pairwise ARI {least}");
    polis_shuffles(statements, casts);
}

/// The same for Polis' mathematics: participants come in twenty other orders.
fn polis_shuffles(statements: &[Statement], casts: &[Cast]) {
    let votes = Votes::new([], casts);
    let labels = |seed: u64| -> Vec<u8> {
        let moved: Vec<Cast> =
            votes.casts().map(|cast| Cast { sequence: scramble(seed, cast.participant.0), ..cast }).collect();
        let conversation = Conversation::new(statements.iter().copied(), &moved, []);
        let matrix = Matrix::new(&conversation);
        let report = Report::of(&conversation);
        let mut labelled: Vec<(Participant, u8)> = report
            .rows
            .iter()
            .zip(&report.labels)
            .filter_map(|(row, label)| Some((*matrix.participants.get(*row)?, *label as u8)))
            .collect();
        labelled.sort_unstable();
        labelled.into_iter().map(|(_, label)| label).collect()
    };
    let all: Vec<Vec<u8>> = (1..=20).map(labels).collect();
    let mut pairs: Vec<f64> = all
        .iter()
        .enumerate()
        .flat_map(|(at, one)| all.iter().skip(at + 1).map(move |other| rand_index(one, other)))
        .collect();
    pairs.sort_by(f64::total_cmp);
    let middle = pairs.get(pairs.len() / 2).copied().unwrap_or(f64::NAN);
    println!(
        "    Polis' mathematics: median pairwise ARI {middle:.3}, least {:.3}",
        pairs.first().unwrap_or(&f64::NAN)
    );
}

/// A hundred conversations without structure in each of several shapes.
fn structureless() {
    println!("\nvotes without structure: conversations of 100 that were given groups");
    for (participants, statements, percent) in
        [(30, 15, 90), (50, 20, 80), (100, 30, 60), (200, 50, 50), (500, 100, 20), (2000, 100, 10)]
    {
        let claimed = (0..100)
            .filter(|seed| {
                let picture = Picture::of(&Conversation::new(
                    [],
                    &random(participants, statements, percent, *seed),
                    [],
                ));
                picture.grouping.verdict == Verdict::Stable
            })
            .count();
        println!("  {participants:>5} × {statements:<4} {percent:>3} % seen: {claimed}");
    }
}

fn random(participants: u64, statements: u64, percent: u64, seed: u64) -> Vec<Cast> {
    let mut casts = Vec::new();
    for participant in 0..participants {
        for statement in 0..statements {
            let draw = scramble(seed + 1, participant * 100_003 + statement);
            if draw % 100 < percent {
                let vote = Vote::of_number((draw / 100 % 3) as i8 - 1);
                let (participant, statement) = (Participant(participant), StatementId(statement));
                casts.push(Cast { participant, statement, sequence: 0, vote });
            }
        }
    }
    casts
}

/// A number that looks random, another one for each seed and number.
fn scramble(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_mul(0xa076_1d64_78bd_642f) ^ number.wrapping_mul(0xe703_7ed1_a0b4_28db);
    for _ in 0..3 {
        z = (z ^ (z >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
    }
    z >> 1
}
