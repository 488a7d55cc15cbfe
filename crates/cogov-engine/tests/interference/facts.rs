//! Facts about one person: the answer depends on this person's rows and on nobody else's, and is what the conditions say.

use super::cell::{Cell, Kind, Shown};
use super::dice::Dice;
use super::grant::{self, Grant, Link, Table};
use super::worlds::{self, Contents, Layout, World};
use cogov_engine::{Engine, FactQuestion};
use cogov_model::{Form, Scalar, Verification, VerifyAnswer};
use object_store::ObjectStore;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::sync::Arc;

/// True, false, or neither.
type Truth = Option<bool>;

/// Puts questions about one person to two worlds that agree about this person alone. What was found, and how many
/// questions were answered yes or no.
pub async fn run(seed: u64, pair: u64, engine: &Engine, store: &Arc<dyn ObjectStore>) -> (Vec<String>, u64) {
    let mut dice = Dice::of(seed, pair);
    let grant = grant(&mut dice);
    let person = dice.between(-3, 12);
    let contents = contents(&grant, person, &mut dice);
    let (layout, rows) = (Layout::random(&mut dice), worlds::declared(&contents));
    let one = worlds::open(&grant, &contents[0], &rows, layout, engine, store).await;
    let other = worlds::open(&grant, &contents[1], &rows, layout, engine, store).await;
    let (mut found, mut told) = (Vec::new(), 0);
    for _ in 0..12 {
        let asked = Asked::random(&grant, &mut dice);
        let answers = [asked.put(&one, person).await, asked.put(&other, person).await];
        let expected = format!("{:?}", asked.expected(&grant, &contents[0], person));
        told += u64::from(expected != "Unknown");
        if answers.iter().any(|answer| *answer != expected) {
            let rows: Vec<_> = contents[0].tables.iter().map(|rows| of(rows, person)).collect();
            found.push(format!(
                "seed {seed} pair {pair}, {person}: {answers:?}, not {expected}\n{asked:?}\n{rows:?}"
            ));
        }
    }
    (found, told)
}

/// Two tables whose columns are compared as they are stored.
fn grant(dice: &mut Dice) -> Grant {
    let mut grant = grant::grant(dice);
    grant.form = Form::Verify;
    grant.tables.truncate(2);
    for table in &mut grant.tables {
        table.unit = None;
        table.fields.iter_mut().for_each(|field| field.shown = Shown::Clear);
    }
    grant
}

fn of(rows: &[Vec<Cell>], person: i64) -> Vec<&Vec<Cell>> {
    rows.iter().filter(|row| row[0] == Cell::Int(person)).collect()
}

/// Two worlds with the same rows of a person, in their order, among others of their own.
fn contents(grant: &Grant, person: i64, dice: &mut Dice) -> [Contents; 2] {
    let links: Vec<Link> = (0..6).map(|_| (Cell::Int(dice.between(-3, 12)), Cell::Int(9))).collect();
    let mut both = [0, 1].map(|_| Contents { tables: Vec::new(), links: links.clone() });
    for table in &grant.tables {
        let mut own = Vec::new();
        for _ in 0..dice.one(&[0, 1, 1, 1, 2, 3]) {
            let mut row = table.row(dice);
            row[0] = Cell::Int(person);
            own.push(row);
        }
        for contents in &mut both {
            let mut rows = own.clone();
            for _ in 0..dice.below(14) {
                let row = table.row(dice);
                if row[0] != Cell::Int(person) {
                    rows.insert(dice.below(rows.len() + 1), row);
                }
            }
            contents.tables.push(rows);
        }
    }
    both
}

/// A condition on a row of a table.
#[derive(Debug)]
enum Test {
    Compare(usize, &'static str, Cell),
    Any(Vec<Test>),
    /// The person has a row in the other table in which one of these holds; any row when there are none.
    Linked(Vec<Test>),
}

/// Conditions that must all hold.
#[derive(Debug)]
struct Asked {
    all: Vec<Test>,
    json: Value,
    absent_means_no: bool,
}

impl Asked {
    fn random(grant: &Grant, dice: &mut Dice) -> Self {
        let all: Vec<Test> = (0..1 + dice.below(2)).map(|_| Test::random(grant, 0, dice)).collect();
        let json = all.iter().map(|test| test.json(grant, 0)).collect();
        Self { all, json, absent_means_no: dice.percent(50) }
    }

    async fn put(&self, world: &World, person: i64) -> String {
        let verification = json!({"dataset": "data", "table": "people", "subject": ["id"], "predicates": [
            {"id": "q", "words": {}, "all": self.json, "absent_means_no": self.absent_means_no}]});
        let verification: Verification = serde_json::from_value(verification).unwrap();
        let question = FactQuestion {
            predicate: verification.predicates[0].clone(),
            verification,
            subject: [("id".parse().unwrap(), Scalar::Int(person))].into(),
        };
        match world.engine.verify(&world.grant, question).await {
            Ok(verdict) => format!("{:?}", verdict.answer),
            Err(error) => format!("{error:?}"),
        }
    }

    fn expected(&self, grant: &Grant, contents: &Contents, person: i64) -> VerifyAnswer {
        let granted = |at: usize| -> Vec<&Vec<Cell>> {
            let table = &grant.tables[at];
            let rows = of(&contents.tables[at], person).into_iter();
            rows.filter(|row| table.grants(row, &contents.links)).collect()
        };
        let (rows, linked) = (granted(0), granted(1));
        let row = |row: &&Vec<Cell>| {
            and(self.all.iter().map(|test| test.holds(row, &linked, self.absent_means_no)))
        };
        match or(rows.iter().map(row)) {
            _ if rows.is_empty() => VerifyAnswer::Unknown,
            Some(true) => VerifyAnswer::Yes,
            Some(false) => VerifyAnswer::No,
            None => VerifyAnswer::Unknown,
        }
    }
}

impl Test {
    fn random(grant: &Grant, at: usize, dice: &mut Dice) -> Self {
        match dice.below(6) {
            0 if at == 0 => {
                Test::Linked((0..dice.below(3)).map(|_| Test::compare(&grant.tables[1], dice)).collect())
            }
            1 => Test::Any((0..2).map(|_| Test::compare(&grant.tables[at], dice)).collect()),
            _ => Test::compare(&grant.tables[at], dice),
        }
    }

    fn compare(table: &Table, dice: &mut Dice) -> Self {
        let kinds = |kind| matches!(kind, Kind::Int | Kind::Short | Kind::Real | Kind::Text);
        let places: Vec<usize> = (0..table.fields.len()).filter(|at| kinds(table.fields[*at].kind)).collect();
        let at = dice.one(&places);
        let value = match table.fields[at].kind {
            Kind::Text => Cell::Text(dice.pick(&["", "A", "B", "a", "ab", "12"]).to_owned()),
            Kind::Real => Cell::Real(dice.one(&[-1.5, 0.0, 0.5, 2.5, 1e6])),
            _ => Cell::Int(dice.between(-4, 12)),
        };
        Test::Compare(at, dice.pick(&["=", "<>", "<", "<=", ">", ">="]), value)
    }

    fn json(&self, grant: &Grant, table: usize) -> Value {
        let all =
            |tests: &[Test], table| tests.iter().map(|test| test.json(grant, table)).collect::<Vec<_>>();
        match self {
            Test::Compare(at, op, value) => {
                let value = match value {
                    Cell::Int(value) => json!(value),
                    Cell::Real(value) => json!(value),
                    Cell::Text(value) => json!(value),
                    other => panic!("no literal: {other:?}"),
                };
                json!({"column": grant.tables[table].fields[*at].name, "op": op, "value": value})
            }
            Test::Any(tests) => json!({"any": all(tests, table)}),
            Test::Linked(tests) => {
                json!({"linked": {"column": "id", "dataset": "data", "table": "visits", "key": "id",
                "any": all(tests, 1)}})
            }
        }
    }

    fn holds(&self, row: &[Cell], linked: &[&Vec<Cell>], absent_means_no: bool) -> Truth {
        match self {
            Test::Compare(at, op, value) => compare(&row[*at], op, value),
            Test::Any(tests) => or(tests.iter().map(|test| test.holds(row, linked, absent_means_no))),
            Test::Linked(_) if linked.is_empty() => absent_means_no.then_some(false),
            Test::Linked(tests) if tests.is_empty() => Some(true),
            Test::Linked(tests) => or(linked
                .iter()
                .map(|row| or(tests.iter().map(|test| test.holds(row, &[], absent_means_no))))),
        }
    }
}

fn compare(left: &Cell, op: &str, right: &Cell) -> Truth {
    let order = match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        // NaN is the greatest, as in PostgreSQL.
        (Cell::Real(left), Cell::Real(right)) => left.partial_cmp(right).unwrap_or(Ordering::Greater),
        _ => return None,
    };
    Some(match op {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        other => panic!("no operator {other}"),
    })
}

fn and(all: impl IntoIterator<Item = Truth>) -> Truth {
    let all: Vec<Truth> = all.into_iter().collect();
    if all.contains(&Some(false)) {
        Some(false)
    } else {
        all.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
    }
}

fn or(any: impl IntoIterator<Item = Truth>) -> Truth {
    and(any.into_iter().map(|truth| truth.map(|t| !t))).map(|none| !none)
}
