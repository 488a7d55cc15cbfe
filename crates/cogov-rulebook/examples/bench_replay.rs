//! A million recorded decisions taken again under a draft, and beside a base that took none of them; deciding each by
//! itself; proofs at 1,000 rules,
//! ours and the opinion of cvc5 where `CVC5` names it.
//! `cargo run --release -p cogov-rulebook --example bench_replay`

use cogov_model::{
    ColumnRef, Entry, EntryKind, Form, Grade, Label, Lane, Outcome, PartyClass, Tier, Timestamp,
};
use cogov_rulebook::{
    Against, Amended, Books, Cases, Claim, FactGroup, Facts, Flip, Known, Moment, Proof, Rulebook, Rulings,
    Sharing, Solver, UseFacts, replay,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

const DECISIONS: u64 = 1_000_000;
const GRANTS: u64 = 2_000;
/// Decided each by itself, to compare results and time.
const ONE_BY_ONE: u64 = 20_000;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Facts of a grant: eight kinds of columns, spread over classes, forms, lanes, grades and regions.
fn facts(n: u64) -> Fallible<UseFacts> {
    let pick = |list: u64, shift: u32| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) % list;
    let class = *PartyClass::ALL.get(pick(6, 8) as usize).ok_or("class")?;
    let form = *Form::ALL.get(pick(4, 16) as usize).ok_or("form")?;
    let lane = *Lane::ALL.get(pick(3, 24) as usize).ok_or("lane")?;
    let purposes = ["research", "statistics", "administration.eligibility", "administration.service"];
    let purpose = purposes.get(pick(4, 32) as usize).ok_or("purpose")?.parse()?;
    let codes = [
        "person.finance",
        "person.health",
        "person.name",
        "region",
        "technical.key",
        "person.contact.phone",
        "person.birth",
        "person.identity",
    ];
    let mut groups = Vec::new();
    for (place, code) in codes.iter().enumerate() {
        let grade = *Grade::ALL.get((pick(5, 40) as usize + place) % 6).ok_or("grade")?;
        let dataset: cogov_model::DatasetId = format!("set-{}", pick(40, 48)).parse()?;
        groups.push(FactGroup {
            columns: BTreeSet::from([ColumnRef {
                dataset: dataset.clone(),
                table: "t".parse()?,
                column: format!("c{place}").parse()?,
            }]),
            condition: None,
            facts: Facts {
                party: format!("party-{}", pick(300, 4)).parse()?,
                class,
                tier: (class == PartyClass::Government).then_some(Tier::Region),
                region: (class == PartyClass::Government).then(|| "06".parse()).transpose()?,
                form,
                lane,
                purpose: cogov_model::PurposeCode::clone(&purpose),
                legal_basis: pick(2, 12) == 1,
                days_left: 0,
                label: Label::new([code.parse()?], grade),
                dataset,
                sharing: Sharing::Conditional,
                provider: "provider".parse()?,
                provider_tier: Some(Tier::State),
                same_region: false,
                own_region_rows: pick(2, 20) == 1,
            },
        });
    }
    let first = groups.first().ok_or("groups")?.facts.clone();
    Ok(UseFacts {
        party: first.party,
        class,
        region: first.region,
        form,
        lane,
        purpose,
        datasets: vec![first.dataset],
        foreign: false,
        groups,
    })
}

/// A leaf as the ledger holds it.
fn leaf(n: u64, book: &Rulebook, facts: &UseFacts) -> Fallible<Vec<u8>> {
    let moment = moment(n);
    let refused = book.verdict(facts, moment, &mut Rulings::new()).refused.is_some();
    let named = [
        ("facts", format!("{:064x}", n % GRANTS)),
        ("days_left", moment.days_left.to_string()),
        ("form", facts.form.code().to_owned()),
        ("door", "pg".to_owned()),
    ];
    Ok(serde_json::to_vec(&Entry {
        kind: EntryKind::Decision,
        at: Timestamp::from_millis(1_790_000_000_000),
        parties: vec![facts.party.clone()],
        datasets: facts.datasets.clone(),
        grant: Some(format!("g-{}", n % GRANTS).parse()?),
        rulebook: Some(book.version().clone()),
        clauses: cogov_model::Clauses::new(),
        outcome: if refused { Outcome::Deny } else { Outcome::Permit },
        follows: None,
        facts: named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        sealed: BTreeMap::from([("sql".to_owned(), "00".repeat(32))]),
    })?)
}

fn moment(n: u64) -> Moment {
    Moment { days_left: (n / GRANTS % 30) as i64, idle: None }
}

fn fold(leaves: &[Vec<u8>], count: u64) -> Fallible<Cases> {
    let mut cases = Cases::default();
    for index in 0..count {
        let bytes = leaves.get((index % leaves.len() as u64) as usize).ok_or("leaf")?;
        let entry: Entry = serde_json::from_slice(bytes)?;
        cases.add(index, &entry, Some("0,1,2,3"));
    }
    Ok(cases)
}

fn main() -> Fallible<()> {
    let source = std::fs::read_to_string("rulebooks/decree-809.md")?;
    let parse = |text: &str| Rulebook::parse(text, None).map_err(|problems| format!("{problems:?}"));
    let today = Arc::new(parse(&source)?);
    let draft = parse(&source.replace("@min_group(\"10\")", "@min_group(\"20\")").replace(
        "resource.grade <= 2 && context.lane == \"share\"",
        "resource.grade <= 1 && context.lane == \"share\"",
    ))?;
    let used: Vec<UseFacts> = (0..GRANTS).map(facts).collect::<Fallible<_>>()?;
    // Each grant on each of thirty days: 60,000 different leaves, read again and again.
    let at = |n: u64| used.get((n % GRANTS) as usize).ok_or("facts");
    let leaves = (0..GRANTS * 30).map(|n| leaf(n, &today, at(n)?)).collect::<Fallible<Vec<_>>>()?;
    let known: HashMap<String, Arc<UseFacts>> =
        used.iter().enumerate().map(|(n, facts)| (format!("{n:064x}"), Arc::new(facts.clone()))).collect();
    let books = Books::from([(today.version().clone(), Arc::clone(&today))]);
    let started = Instant::now();
    let cases = fold(&leaves, DECISIONS)?;
    let folded = started.elapsed();
    let found = replay(&cases, Known { facts: &known, books: &books }, Against::Draft(&draft));
    let whole = started.elapsed();
    println!("{:<44} {:>10}", "decisions", found.replayed());
    println!("{:<44} {:>10}", "that would differ", found.changed());
    println!("{:<44} {:>7.2} s", "reading leaves and folding them into cases", folded.as_secs_f64());
    println!("{:<44} {:>7.2} s", "replay, with reading", whole.as_secs_f64());
    println!("{:<44} {:>7.2} s", "replay of what is folded already", (whole - folded).as_secs_f64());
    // The dearest way: an amendment lies after every decision, so that each is taken under three rulebooks.
    let base = parse(&source.replace("@min_group(\"50\")", "@min_group(\"60\")"))?;
    let started = Instant::now();
    let against = Against::Base { base: &base, draft: &draft };
    let beside = replay(&cases, Known { facts: &known, books: &books }, against);
    let (seconds, amended) = (started.elapsed().as_secs_f64(), beside.amended.as_ref());
    println!("{:<44} {seconds:>7.2} s", "the same beside an amendment since");
    println!("{:<44} {:>10}", "that would differ from it", beside.changed());
    println!("{:<44} {:>10}", "that the amendment changed", amended.map_or(0, Amended::changed));
    one_by_one(&used, &leaves, &today, &draft, whole.as_secs_f64())?;
    proofs()
}

/// Decides some one by one, remembering nothing, and compares results and time.
fn one_by_one(
    used: &[UseFacts],
    leaves: &[Vec<u8>],
    today: &Arc<Rulebook>,
    draft: &Rulebook,
    seconds: f64,
) -> Fallible<()> {
    let started = Instant::now();
    let mut changed = 0;
    for n in 0..ONE_BY_ONE {
        let facts = used.get((n % GRANTS) as usize).ok_or("facts")?;
        let before = today.verdict(facts, moment(n), &mut Rulings::new());
        let after = draft.verdict(facts, moment(n), &mut Rulings::new());
        let both_refused = before.refused.is_some() && after.refused.is_some();
        let same = before.refused.is_some() == after.refused.is_some()
            && before.groups.iter().zip(&after.groups).take(4).all(|(a, b)| a.0 == b.0);
        changed += u64::from(!(same || both_refused));
    }
    let each = started.elapsed().as_secs_f64() / ONE_BY_ONE as f64;
    let cases = fold(leaves, ONE_BY_ONE)?;
    let known: HashMap<String, Arc<UseFacts>> =
        used.iter().enumerate().map(|(n, facts)| (format!("{n:064x}"), Arc::new(facts.clone()))).collect();
    let books = Books::from([(today.version().clone(), Arc::clone(today))]);
    let found = replay(&cases, Known { facts: &known, books: &books }, Against::Draft(draft));
    if (found.changed(), found.disagreeing) != (changed, 0) {
        return Err(format!("replay says {} differ, one by one says {changed}", found.changed()).into());
    }
    println!("{:<44} {:>7.0} s", "one by one, from 20,000 of them", each * DECISIONS as f64);
    println!("{:<44} {:>7.0} ×", "ratio", each * DECISIONS as f64 / seconds);
    println!("{:<44} {:>10}", "equal on those 20,000", Flip::Same.code());
    Ok(())
}

/// A rulebook of 1,000 rules, half of them new kinds, and what proving about it takes.
fn proofs() -> Fallible<()> {
    let source = std::fs::read_to_string("rulebooks/decree-809.md")?;
    let mut text = source.clone();
    for n in 0..950 {
        let (effect, grade) = if n % 3 == 0 {
            ("forbid", ">= 5")
        } else {
            ("@treatment(\"aggregate\") @min_group(\"10\") permit", "<= 4")
        };
        let _ = write!(
            text,
            "\n## Rule {n} {{#rule-{n}}}\n\nWords.\n\n```cedar\n{effect} (principal, action == Action::\"use\", resource in Category::\"kind.c{}\")\nwhen {{ context.purposes.contains(\"use.p{}\") && resource.grade {grade} && context.form == \"aggregate\" }}\nunless {{ context.same_party || principal in Class::\"individual\" }};\n```\n",
            n % 200,
            n % 120
        );
    }
    let parse = |text: &str| Rulebook::parse(text, None).map_err(|problems| format!("{problems:?}"));
    let (today, large) = (parse(&source)?, parse(&text)?);
    let looser = parse(&text.replacen(
        "resource.grade >= 5 && context.form == \"aggregate\"",
        "resource.grade >= 6 && context.form == \"aggregate\"",
        3,
    ))?;
    let nobody = Claim::Nobody {
        class: Some(PartyClass::Enterprise),
        category: Some("person.health".parse()?),
        forms: vec![Form::Rows],
        of_others: true,
    };
    // Longer than the app gives it, to see what it would take.
    let solver = Solver::from_environment().within(Duration::from_secs(120));
    for (what, book, claim, other) in [
        ("nobody, shipped rules", &today, &nobody, &today),
        ("nothing new, shipped rules beside 1,000", &today, &Claim::NothingNew, &large),
        ("nobody, 1,000 rules", &large, &nobody, &large),
        ("nothing new, 1,000 rules beside the same", &large, &Claim::NothingNew, &large),
        ("nothing looser, 1,000 beside the same", &large, &Claim::NothingLooser, &large),
        ("nothing new, 1,000 with 3 changed", &looser, &Claim::NothingNew, &large),
        ("nothing new, 1,000 beside shipped rules", &large, &Claim::NothingNew, &today),
    ] {
        let started = Instant::now();
        let proof = book.prove(claim, Some(other));
        let word = match &proof {
            Proof::Proved { steps } => format!("proved, {steps} cases"),
            Proof::Refuted(_) => "refuted".to_owned(),
            Proof::GaveUp { steps } => format!("gave up after {steps} cases"),
            Proof::NotUnderstood { what, .. } => format!("not understood: {what}"),
        };
        println!("{what:<44} {:>7.0} ms  {word}", started.elapsed().as_secs_f64() * 1000.0);
        let started = Instant::now();
        let opinion = book.second_opinion(claim, Some(other), &proof, &solver);
        println!("{:<44} {:>7.0} ms  {opinion}", "", started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(())
}
