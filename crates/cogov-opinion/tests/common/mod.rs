//! Conversations of the data folder, and numbers that look random.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use cogov_opinion::{Cast, Conversation, Participant, Statement, StatementId, Vote, Votes};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file of the data folder.
pub fn data(name: &str) -> String {
    let path = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/data").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines of numbers, without their heading.
pub fn numbers(text: &str) -> Vec<Vec<i64>> {
    text.lines().skip(1).map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect()
}

/// The casts of a file: participant, statement, vote, and a time or the number of the line.
pub fn casts(name: &str) -> Vec<Cast> {
    let lines = numbers(&data(&format!("{name}.votes.csv")));
    let cast = |(line, f): (usize, &Vec<i64>)| Cast {
        participant: Participant(f[0] as u64),
        statement: StatementId(f[1] as u64),
        vote: Vote::of_number(f[2] as i8),
        sequence: f.get(3).map_or(line as u64, |time| *time as u64),
    };
    lines.iter().enumerate().map(cast).collect()
}

/// Statements, those moderated out marked.
pub fn statements(name: &str) -> Vec<Statement> {
    let hidden: Vec<i64> = numbers(&data(&format!("{name}.hidden.csv"))).concat();
    let votes = Votes::new([], &casts(name));
    let statement = |id: &StatementId| Statement {
        moderated_out: hidden.contains(&(id.0 as i64)),
        ..Statement::new(*id)
    };
    votes.statements().iter().map(statement).collect()
}

/// A real conversation.
pub fn conversation(name: &str) -> Conversation {
    Conversation::new(statements(name), &casts(name), [])
}

/// Published groups by participant.
pub fn published(name: &str) -> BTreeMap<u64, u8> {
    numbers(&data(&format!("{name}.groups.csv"))).iter().map(|f| (f[0] as u64, f[1] as u8)).collect()
}

/// A number in [0, 1) for these numbers.
pub fn chance(numbers: &[u64]) -> f64 {
    let mut state = 0x243f_6a88_85a3_08d3_u64;
    for number in numbers {
        state = (state ^ number).wrapping_mul(0xd6e8_feb8_6659_fd93);
        state ^= state >> 32;
        state = state.wrapping_mul(0xd6e8_feb8_6659_fd93);
        state ^= state >> 29;
    }
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

/// The same casts in an order that the seed decides.
pub fn shuffled(casts: &[Cast], seed: u64) -> Vec<Cast> {
    let mut keyed: Vec<(f64, Cast)> =
        casts.iter().enumerate().map(|(at, cast)| (chance(&[seed, at as u64]), *cast)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    keyed.into_iter().map(|(_, cast)| cast).collect()
}

/// Votes without any structure but statements that are liked more or less.
pub fn noise(participants: u64, statements: u64, fill: f64, seed: u64) -> Vec<Cast> {
    let mut casts = Vec::new();
    for participant in 0..participants {
        for statement in 0..statements {
            let draw = |what: u64| chance(&[seed, participant, statement, what]);
            if draw(0) < fill {
                let liked = 0.15 + 0.7 * chance(&[seed, statement, 99]);
                let vote = match draw(1) {
                    x if x < 0.1 => Vote::Pass,
                    _ if draw(2) < liked => Vote::Agree,
                    _ => Vote::Disagree,
                };
                casts.push(cast(participant, statement, vote));
            }
        }
    }
    casts
}

/// Votes of `groups` groups of the same size, each of which likes statements of its own.
pub fn camps(participants: u64, statements: u64, groups: u64, fill: f64, seed: u64) -> Vec<Cast> {
    let mut casts = Vec::new();
    for participant in 0..participants {
        let camp = participant % groups;
        for statement in 0..statements {
            let draw = |what: u64| chance(&[seed, participant, statement, what]);
            if draw(0) < fill {
                let liked = 0.1 + 0.8 * f64::from(u8::from(chance(&[seed, statement, 50 + camp]) < 0.5));
                let vote = match draw(1) {
                    x if x < 0.1 => Vote::Pass,
                    _ if draw(2) < liked => Vote::Agree,
                    _ => Vote::Disagree,
                };
                casts.push(cast(participant, statement, vote));
            }
        }
    }
    casts
}

fn cast(participant: u64, statement: u64, vote: Vote) -> Cast {
    Cast {
        participant: Participant(participant),
        statement: StatementId(statement),
        vote,
        sequence: participant * 10_000 + statement,
    }
}
