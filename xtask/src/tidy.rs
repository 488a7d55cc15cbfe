//! House rules as a check: layers, lengths, words that must not be committed. Prints every break of them.

use crate::shell::{cargo, program, root};
use anyhow::{Context, Result, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// No source file is longer.
const FILE_LINES: usize = 600;
/// The median source file is no longer.
const MEDIAN_LINES: usize = 150;
/// Functions longer than this need a reason above them.
const FUNCTION_LINES: usize = 70;

/// Checks the house rules.
pub fn run() -> Result<()> {
    println!("▸ checking the house rules");
    let files = tracked()?;
    let mut problems = Vec::new();
    lengths(&files, &mut problems)?;
    words(&files, &mut problems)?;
    layers(&mut problems)?;
    paths(&mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        eprintln!("  {problem}");
    }
    bail!("{} house rules are broken", problems.len())
}

fn tracked() -> Result<Vec<String>> {
    let output =
        program("git", &["ls-files"]).current_dir(root()).output().context("git could not be started")?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn lengths(files: &[String], problems: &mut Vec<String>) -> Result<()> {
    let mut counts = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        let lines = text.lines().count();
        if lines > FILE_LINES {
            problems.push(format!(
                "{file} has {lines} lines, more than {FILE_LINES}: split it by what it is about"
            ));
        }
        if file.contains("/src/") {
            counts.push(lines);
            long_functions(file, &text, problems);
        }
    }
    counts.sort_unstable();
    if let Some(median) = counts.get(counts.len() / 2)
        && *median > MEDIAN_LINES
    {
        problems.push(format!("the median source file has {median} lines, more than {MEDIAN_LINES}"));
    }
    Ok(())
}

/// Finds functions by their indentation, which `cargo fmt` keeps.
fn long_functions(file: &str, text: &str, problems: &mut Vec<String>) {
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_function =
            ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(crate) fn ", "pub(crate) async fn "]
                .iter()
                .any(|prefix| trimmed.starts_with(prefix));
        if !is_function {
            continue;
        }
        let declared_only =
            lines.iter().skip(start).find(|l| l.ends_with(['{', ';'])).is_some_and(|l| l.ends_with(';'));
        if declared_only {
            continue;
        }
        let indent = " ".repeat(line.len() - trimmed.len());
        let end = lines.iter().skip(start).position(|l| *l == format!("{indent}}}")).unwrap_or(0);
        if end > FUNCTION_LINES {
            problems.push(format!(
                "{file}:{} is a function of {end} lines, more than {FUNCTION_LINES}",
                start + 1
            ));
        }
    }
}

/// Words that say something is not done, and paths of a machine.
fn words(files: &[String], problems: &mut Vec<String>) -> Result<()> {
    // Put together here, so that this file does not find itself.
    let unfinished =
        [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimplemented", "!("]].map(|parts| parts.concat());
    for file in files.iter().filter(|file| file.ends_with(".rs") || file.ends_with(".js")) {
        let text = fs::read_to_string(root().join(file)).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            if unfinished.iter().any(|word| line.contains(word.as_str())) {
                problems.push(format!("{file}:{} says that something is not done", number + 1));
            }
        }
    }
    Ok(())
}

/// The layers that ARCHITECTURE.md states are those that `cargo metadata` shows.
fn layers(problems: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).context("ARCHITECTURE.md is missing")?;
    let stated = stated_layers(&text);
    let actual = actual_layers()?;
    for (room, actual) in &actual {
        match stated.get(room) {
            None => problems.push(format!("ARCHITECTURE.md does not name the room {room} in its layers")),
            Some(stated) if stated != actual => problems.push(format!(
                "ARCHITECTURE.md says that {room} uses {stated:?}, but Cargo.toml says {actual:?}"
            )),
            Some(_) => {}
        }
    }
    for room in stated.keys().filter(|room| !actual.contains_key(*room)) {
        problems.push(format!("ARCHITECTURE.md names the room {room}, which is not there"));
    }
    Ok(())
}

/// Lines `room → room, room` in the block after the word `layers`.
fn stated_layers(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let block = text.split("```layers").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let line = |line: &str| {
        let (room, uses) = line.split_once('→')?;
        let uses = uses.split(',').map(|u| u.trim().to_owned()).filter(|u| !u.is_empty() && u != "nothing");
        Some((room.trim().to_owned(), uses.collect()))
    };
    block.lines().filter_map(line).collect()
}

fn actual_layers() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let output = cargo(&[
        "tree",
        "--workspace",
        "--edges",
        "normal",
        "--depth",
        "1",
        "--prefix",
        "depth",
        "--no-dedupe",
    ])
    .current_dir(root())
    .output()
    .context("cargo tree could not be started")?;
    let mut layers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut room = String::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let Some(name) = line.get(1..).and_then(|rest| rest.split(' ').next()) else { continue };
        match line.get(..1) {
            Some("0") => {
                room = name.to_owned();
                layers.entry(room.clone()).or_default();
            }
            Some("1") if name.starts_with("cogov") => {
                layers.entry(room.clone()).or_default().insert(name.to_owned());
            }
            _ => {}
        }
    }
    layers.remove("xtask");
    Ok(layers)
}

/// Every path that ARCHITECTURE.md and README.md name exists.
fn paths(problems: &mut Vec<String>) -> Result<()> {
    for page in ["ARCHITECTURE.md", "README.md"] {
        let text = fs::read_to_string(root().join(page)).with_context(|| format!("{page} is missing"))?;
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = ["crates/", "rulebooks/", "web/", "demo/", "xtask/", "docs/"]
                .iter()
                .any(|p| word.starts_with(p));
            if is_path && !word.contains(['*', ' ', '{']) && !crate::test::exists(word) {
                problems.push(format!("{page} names {word}, which is not there"));
            }
        }
    }
    Ok(())
}
