//! What one decision costs: 250 columns with 10 distinct labels, and a wide one with all labels distinct.
//! `cargo run --release -p cogov-rulebook --example decide_cost`

use cogov_model::{
    ColumnRef, Form, Grade, Grant, GrantState, Label, Lane, Party, PartyClass, Purpose, RowScope,
    SharingAttribute, Term, Text, Tier, Timestamp,
};
use cogov_rulebook::{Ask, AskColumn, Rulebook};
use std::error::Error;
use std::time::Instant;

fn party(id: &str, tier: Tier) -> Result<Party, Box<dyn Error>> {
    let name = Text::same(id);
    Ok(Party { id: id.parse()?, name, class: PartyClass::Government, tier: Some(tier), region: None })
}

fn grant(columns: Vec<ColumnRef>) -> Result<Grant, Box<dyn Error>> {
    let words = Text::same("cost");
    Ok(Grant {
        id: "cost".parse()?,
        name: words.clone(),
        party: "asker".parse()?,
        providers: vec!["provider".parse()?],
        columns,
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

/// Microseconds of a decision by a rulebook that never saw the facts, and by one that did; medians.
fn micros(rulebook: &Rulebook, columns: usize, labels: usize) -> Result<(u128, u128), Box<dyn Error>> {
    let all: Vec<Label> = (0..labels)
        .map(|n| Ok(Label::new([format!("person.finance.c{n}").parse()?], Grade::General3)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let names: Vec<ColumnRef> = (0..columns)
        .map(|n| {
            Ok(ColumnRef { dataset: "d".parse()?, table: "t".parse()?, column: format!("c{n}").parse()? })
        })
        .collect::<Result<_, Box<dyn Error>>>()?;
    let grant = grant(names)?;
    let (asker, provider) = (party("asker", Tier::Region)?, party("provider", Tier::State)?);
    let sharing = SharingAttribute::Conditional { conditions: Text::same("any") };
    let columns = grant.columns.iter().zip(all.iter().cycle());
    let columns = columns
        .map(|(column, label)| AskColumn { column, label, sharing: &sharing, provider: &provider })
        .collect();
    let ask = Ask { grant: &grant, party: &asker, columns, now: Timestamp::from_millis(1) };
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..51 {
        // A copy of a rulebook remembers no rulings.
        let fresh = rulebook.clone();
        for times in [&mut first, &mut again] {
            let start = Instant::now();
            let permit = fresh.decide(&ask)?;
            times.push(start.elapsed().as_micros());
            drop(permit);
        }
    }
    first.sort_unstable();
    again.sort_unstable();
    Ok((first.get(25).copied().unwrap_or_default(), again.get(25).copied().unwrap_or_default()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let source = include_str!("../../../rulebooks/decree-809.md");
    let start = Instant::now();
    let rulebook = Rulebook::parse(source, None).map_err(|problems| format!("{problems:?}"))?;
    println!("parse and validate: {} ms", start.elapsed().as_millis());
    for (columns, labels) in [(12, 4), (250, 10), (250, 250)] {
        let (first, again) = micros(&rulebook, columns, labels)?;
        println!("decide, {columns} columns, {labels} labels: first {first} µs, again {again} µs");
    }
    Ok(())
}
