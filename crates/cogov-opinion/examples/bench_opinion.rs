//! A picture of 50,000 participants × 1,000 statements with 4 million votes, beside red-dwarf (from PyPI) on the same votes.
//!
//! `cargo run --release -p cogov-opinion --example bench_opinion [--peer PYTHON] [--large]`
//!
//! Each run is a process of its own, which reads the votes from the same file, then takes the time from votes in memory
//! to the whole picture, and says how much memory it used at most. Then new votes are taken one by one: how long until a vote is
//! seen (a glance), and until the picture is the one that starting over would give. `--large` adds
//! 334,000 × 7,830 with 20 million votes, which the peer's dense matrix does not fit.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use cogov_opinion::{Cast, Conversation, Map, Participant, StatementId, Vote};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Participants, statements, votes.
const USUAL: [u64; 3] = [50_000, 1_000, 4_000_000];
const LARGE: [u64; 3] = [334_000, 7_830, 20_000_000];
/// Runs of ours; the peer runs once, between them.
const RUNS: usize = 3;
/// New votes that are taken one by one.
const NEW_VOTES: u64 = 21;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, file] = arguments.as_slice()
        && mode == "--measure"
    {
        return measure(Path::new(file));
    }
    let peer = arguments.iter().position(|a| a == "--peer").and_then(|at| arguments.get(at + 1));
    compare(USUAL, peer.map(String::as_str))?;
    if arguments.iter().any(|a| a == "--large") {
        compare(LARGE, None)?;
    }
    Ok(())
}

/// A number that looks random.
fn chance(numbers: [u64; 3]) -> f64 {
    let mut z = 0x2545_f491_4f6c_dd1d_u64;
    for number in numbers {
        z = (z ^ number).wrapping_mul(0xd6e8_feb8_6659_fd93);
        z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        z ^= z >> 29;
    }
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// What a participant of one of three camps says: each camp likes its own half of the statements.
fn vote(participant: u64, statement: u64) -> i8 {
    let camp = participant % 3;
    let liked = if chance([statement, camp, 1]) < 0.5 { 0.25 } else { 0.75 };
    match chance([participant, statement, 2]) {
        x if x < 0.12 => 0,
        _ if chance([participant, statement, 3]) < liked => 1,
        _ => -1,
    }
}

/// Writes votes: every participant has seen about as many statements, early statements more often.
fn generate([participants, statements, votes]: [u64; 3], file: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    writeln!(out, "participant,statement,vote")?;
    let each = votes / participants;
    for participant in 0..participants {
        let mut seen = std::collections::BTreeSet::new();
        let mut draw = 0;
        let target = each + u64::from(participant % participants.max(1) < votes % participants);
        while (seen.len() as u64) < target {
            let at = chance([participant, draw, 4]).powf(1.3) * statements as f64;
            seen.insert((at as u64).min(statements - 1));
            draw += 1;
        }
        for statement in seen {
            writeln!(out, "{participant},{statement},{}", vote(participant, statement))?;
        }
    }
    Ok(out.flush()?)
}

fn read(file: &Path) -> Result<Vec<Cast>> {
    let mut casts = Vec::new();
    for (sequence, line) in BufReader::new(File::open(file)?).lines().skip(1).enumerate() {
        let line = line?;
        let mut fields = line.split(',');
        let mut field = || fields.next().ok_or("a field is missing");
        casts.push(Cast {
            participant: Participant(field()?.parse()?),
            statement: StatementId(field()?.parse()?),
            vote: Vote::of_number(field()?.parse()?),
            sequence: sequence as u64,
        });
    }
    Ok(casts)
}

/// One run of ours: seconds for the picture, memory, seconds until a new vote is seen and until it is settled (median and
/// worst of each), groups.
fn measure(file: &Path) -> Result<()> {
    let casts = read(file)?;
    let begun = Instant::now();
    let mut map = Map::new(Conversation::new([], &casts, []));
    let groups = map.picture().groups.as_ref().map_or(0, Vec::len);
    let seconds = begun.elapsed().as_secs_f64();
    let memory = peak()?;
    let people = casts.iter().map(|cast| cast.participant.0).max().unwrap_or(0) + 1;
    drop(casts);
    let (mut seen, mut settled) = (Vec::new(), Vec::new());
    for number in 0..NEW_VOTES {
        let begun = Instant::now();
        map.cast(Cast {
            participant: Participant(number * 7_919 % people),
            statement: StatementId(number % 100),
            vote: Vote::of_number((number % 3) as i8 - 1),
            sequence: u64::MAX - NEW_VOTES + number,
        });
        map.glance();
        seen.push(begun.elapsed().as_secs_f64());
        map.picture();
        settled.push(begun.elapsed().as_secs_f64());
    }
    let ([seen, seen_worst], [settled, settled_worst]) = (middle_and_worst(seen), middle_and_worst(settled));
    println!("{seconds} {memory} {seen} {seen_worst} {settled} {settled_worst} {groups}");
    Ok(())
}

fn middle_and_worst(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [times.get(times.len() / 2), times.last()].map(|time| time.copied().unwrap_or(f64::NAN))
}

/// The most memory this process ever had, in bytes.
fn peak() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024.0)
}

/// Runs a command that prints numbers.
fn numbers(command: &mut Command) -> Result<Vec<f64>> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{:?} ended with {}", command.get_program(), output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}

fn compare(size: [u64; 3], peer: Option<&str>) -> Result<()> {
    let file = std::env::temp_dir().join(format!("cogov-opinion-{}.csv", std::process::id()));
    println!("{} participants × {} statements, {} votes", size[0], size[1], size[2]);
    generate(size, &file)?;
    let result = runs(&file, peer);
    std::fs::remove_file(&file)?;
    let (ours, theirs) = result?;
    table(&ours, theirs.as_deref());
    Ok(())
}

/// Numbers of each run of ours, and of the peer's.
type Runs = (Vec<Vec<f64>>, Option<Vec<f64>>);

/// The runs of ours, and the peer's one in the middle of them.
fn runs(file: &Path, peer: Option<&str>) -> Result<Runs> {
    let own = || numbers(Command::new(std::env::current_exe()?).arg("--measure").arg(file));
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/red_dwarf.py");
    let mut ours = vec![own()?];
    let theirs = peer.map(|python| numbers(Command::new(python).arg(script).arg(file))).transpose()?;
    while ours.len() < RUNS {
        ours.push(own()?);
    }
    Ok((ours, theirs))
}

fn table(ours: &[Vec<f64>], theirs: Option<&[f64]>) {
    let median = |at: usize| {
        let mut values: Vec<f64> = ours.iter().filter_map(|run| run.get(at).copied()).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let (time, memory) = (median(0), median(1));
    let mega = 1e-6;
    println!("                                        ours     red-dwarf   ratio");
    let row = |what: &str, unit: f64, own: f64, their: Option<f64>| match their {
        Some(their) => {
            println!("{what:<32} {:>11.2} {:>13.2} {:>7.1}", own * unit, their * unit, their / own)
        }
        None => println!("{what:<32} {:>11.2} {:>13} {:>7}", own * unit, "–", "–"),
    };
    row("votes → picture, seconds", 1.0, time, theirs.and_then(|t| t.first().copied()));
    row("peak memory, MB", mega, memory, theirs.and_then(|t| t.get(1).copied()));
    for (what, at) in [("seen", 2), ("settled", 4)] {
        let theirs = theirs.and_then(|t| t.first().copied());
        row(&format!("a new vote {what}, s: median"), 1.0, median(at), theirs);
        row(&format!("a new vote {what}, s: worst"), 1.0, median(at + 1), theirs);
    }
    println!(
        "groups found: ours {}, red-dwarf {}\n",
        median(6),
        theirs.and_then(|t| t.get(2)).map_or("–".to_owned(), f64::to_string)
    );
}
