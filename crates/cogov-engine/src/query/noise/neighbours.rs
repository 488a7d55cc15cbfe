//! Random questions in neighbouring worlds: whatever is asked, one unit moves its sums by no more than their noise is made for.
//!
//! The worlds differ in every row of one unit, which has more rows than declared and values beyond their bounds. Exact sums
//! are compared, before noise; what their distance is worth under the noise that a question draws must not be more than the
//! question's loss. Sums that fit exactly show that a greater distance would be found.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/interference/dice.rs"]
mod dice;

use super::draw::{self, Group, Sums};
use super::question::Question;
use super::terms::NoiseTerms;
use crate::noise::{BINS, Scale};
use arrow::array::{Float64Array, Int64Array, StringArray};
use cogov_model::{Bounds, Form, Grade, MinGroup, PublicKeys, Rho, TablePrivacy, Treatment};
use common::{Col, TestTable, Tester, col, tester};
use dice::{Dice, setting};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The unit that one of the worlds lacks.
const GONE: i64 = 7;

/// Statements for one pair of worlds.
const STATEMENTS: u64 = 20;

#[derive(Debug, Clone)]
struct Person {
    unit: Option<i64>,
    region: Option<&'static str>,
    code: Option<i64>,
    income: Option<f64>,
    bonus: Option<i64>,
}

/// What is in a world, and what is declared about it.
#[derive(Debug, Clone)]
struct Contents {
    people: Vec<Person>,
    /// Unit, rooms, size.
    homes: Vec<(Option<i64>, i64, f64)>,
    /// Region, weight.
    names: Vec<(&'static str, i64)>,
    rows: [u32; 2],
    complete: bool,
    public_regions: bool,
    epsilon: &'static str,
}

const REGIONS: [&str; 5] = ["a", "b", "c", "7", "ab"];

impl Contents {
    fn random(dice: &mut Dice) -> Self {
        let heavy = dice.between(1, 12);
        let units = |dice: &mut Dice| {
            let mut units: Vec<Option<i64>> = Vec::new();
            for unit in 0..dice.between(GONE + 1, 30) {
                let rows = if unit == GONE { heavy } else { dice.between(0, 3) };
                units.extend(std::iter::repeat_n((!dice.percent(3)).then_some(unit), rows as usize));
            }
            for place in (1..units.len()).rev() {
                units.swap(place, dice.below(place + 1));
            }
            units
        };
        let people = units(dice).into_iter().map(|unit| Person::random(unit, dice)).collect();
        let homes = units(dice).into_iter().map(|unit| {
            let size = dice.one(&[0.0, 12.5, 80.0, -4.0, 1e300, f64::NAN]);
            (unit, dice.between(0, 6), size)
        });
        let homes = homes.collect();
        let names = (0..dice.between(1, 7)).map(|_| (dice.one(&REGIONS), dice.between(0, 9)));
        Self {
            people,
            homes,
            names: names.collect(),
            rows: [dice.between(1, 4) as u32, dice.between(1, 3) as u32],
            complete: dice.percent(40),
            public_regions: dice.percent(50),
            epsilon: dice.pick(&["0.5", "3", "50"]),
        }
    }

    /// The same without the unit.
    fn without(&self) -> Self {
        let mut other = self.clone();
        other.people.retain(|row| row.unit != Some(GONE));
        other.homes.retain(|row| row.0 != Some(GONE));
        other
    }

    fn declared(&self) -> NoiseTerms {
        let bounds = |lower: i64, upper: i64| Bounds {
            lower: lower.to_string().parse().unwrap(),
            upper: upper.to_string().parse().unwrap(),
            complete: self.complete,
        };
        let keys = PublicKeys::Values(REGIONS.map(String::from).to_vec());
        let of = |rows, bounds: BTreeMap<_, _>, keys| TablePrivacy { rows_per_unit: rows, bounds, keys };
        let keys = if self.public_regions {
            BTreeMap::from([("region".parse().unwrap(), keys)])
        } else {
            BTreeMap::new()
        };
        let people = BTreeMap::from([
            ("income".parse().unwrap(), bounds(0, 1000)),
            ("bonus".parse().unwrap(), bounds(-5, 20)),
            ("code".parse().unwrap(), bounds(0, 5)),
        ]);
        let homes = BTreeMap::from([
            ("rooms".parse().unwrap(), bounds(0, 5)),
            ("size".parse().unwrap(), bounds(-10, 100)),
        ]);
        let name = |table: &str| ("data".parse().unwrap(), table.parse().unwrap());
        NoiseTerms {
            declared: [
                (name("people"), of(self.rows[0], people, keys)),
                (name("homes"), of(self.rows[1], homes, BTreeMap::new())),
            ]
            .into_iter()
            .collect(),
            epsilon: Some(self.epsilon.parse().unwrap()),
            without_margins: false,
        }
    }

    async fn world(&self) -> Tester {
        let noise = Treatment::Noise {
            min_group: MinGroup::new(10).unwrap(),
            epsilon_per_month: "60".parse().unwrap(),
        };
        let (people, homes, names) = (&self.people, &self.homes, &self.names);
        let public = |name, values: arrow::array::ArrayRef| Col {
            name,
            values,
            grade: Grade::General1,
            treatment: common::aggregate(10),
        };
        let people = vec![
            col("person", people.iter().map(|r| r.unit).collect::<Int64Array>(), noise),
            col("region", people.iter().map(|r| r.region).collect::<StringArray>(), noise),
            col("code", people.iter().map(|r| r.code).collect::<Int64Array>(), noise),
            col("income", people.iter().map(|r| r.income).collect::<Float64Array>(), noise),
            col("bonus", people.iter().map(|r| r.bonus).collect::<Int64Array>(), noise),
        ];
        let homes = vec![
            col("person", homes.iter().map(|r| r.0).collect::<Int64Array>(), noise),
            col("rooms", Int64Array::from_iter_values(homes.iter().map(|r| r.1)), noise),
            col("size", Float64Array::from_iter_values(homes.iter().map(|r| r.2)), noise),
        ];
        let names = vec![
            public("region", Arc::new(StringArray::from_iter_values(names.iter().map(|r| r.0)))),
            public("weight", Arc::new(Int64Array::from_iter_values(names.iter().map(|r| r.1)))),
        ];
        let table = |name, columns, unit| TestTable { name, columns, unit, granted: true };
        let tables = vec![
            table("data.people", people, Some("person")),
            table("data.homes", homes, Some("person")),
            table("data.names", names, None),
        ];
        let mut t = tester(tables, "", Form::Aggregate).await;
        let plain = Arc::try_unwrap(t.world).expect("nobody else holds the world");
        t.world = Arc::new(plain.with_noise(self.declared()));
        t
    }
}

impl Person {
    fn random(unit: Option<i64>, dice: &mut Dice) -> Self {
        let wild = [f64::NAN, f64::INFINITY, -1e300, 1e12, -0.0, 1000.5];
        let income = if dice.percent(20) { dice.one(&wild) } else { dice.between(0, 1000) as f64 };
        let bonus =
            if dice.percent(15) { dice.one(&[i64::MAX, i64::MIN, -6, 21]) } else { dice.between(-5, 20) };
        Self {
            unit,
            region: (!dice.percent(8)).then(|| dice.pick(&REGIONS)),
            code: (!dice.percent(8)).then(|| dice.between(0, 5)),
            income: (!dice.percent(10)).then_some(income),
            bonus: (!dice.percent(10)).then_some(bonus),
        }
    }
}

/// Random statistics: a source, conditions, keys, figures.
struct Asking {
    from: String,
    columns: Vec<&'static str>,
    texts: Vec<&'static str>,
}

impl Asking {
    fn random(dice: &mut Dice) -> Self {
        let mut columns = vec!["p.income", "p.bonus", "p.code"];
        let mut texts = vec!["p.region"];
        let mut from = dice
            .pick(&[
                "people p",
                "people p",
                "(select person, region, income / 2 as income, bonus, code from people where income / bonus < 3) p",
                "(select person, region, case when code > 2 then income else 1 end as income, bonus + code as bonus, code from people) p",
            ])
            .to_owned();
        let join = dice.pick(&["join", "left join"]);
        match dice.below(8) {
            0 | 1 => {
                let more = dice.pick(&["", " and h.size / p.code > 0", " and p.income > h.size"]);
                from.push_str(&format!(" {join} homes h on p.person = h.person{more}"));
                columns.extend(["h.rooms", "h.size"]);
            }
            2 => {
                let more = dice.pick(&["", " and q.code = p.code", " and q.region <> p.region"]);
                from.push_str(&format!(" {join} people q on q.person = p.person{more}"));
                columns.push("q.income");
                texts.push("q.region");
            }
            3 | 4 => {
                let more = dice.pick(&["", " and n.weight > p.code", " and n.weight = p.code"]);
                from.push_str(&format!(" {join} names n on n.region = p.region{more}"));
                texts.push("n.region");
            }
            5 => from.push_str(" cross join names n"),
            _ => {}
        }
        Self { from, columns, texts }
    }

    fn value(&self, dice: &mut Dice) -> String {
        let (a, b) = (dice.pick(&self.columns), dice.pick(&self.columns));
        match dice.below(12) {
            0 => format!("{a} + {b}"),
            1 => format!("{a} * {b}"),
            2 => format!("{a} / 4"),
            3 => format!("-{a}"),
            4 => format!("case when {} then {a} else {b} end", self.condition(dice)),
            5 => format!("case when {} then {a} end", self.condition(dice)),
            6 => format!("cast({a} as bigint)"),
            7 => format!("{a} - 3"),
            _ => (*a).to_owned(),
        }
    }

    fn condition(&self, dice: &mut Dice) -> String {
        let (a, b, text) = (dice.pick(&self.columns), dice.pick(&self.columns), dice.pick(&self.texts));
        match dice.below(12) {
            0 => format!("p.income / {b} > 2"),
            1 => format!("{a} * 9223372036854775807 > 1"),
            2 => format!("cast({text} as int) = 7"),
            3 => format!("{text} in ('a', 'b')"),
            4 => format!("{a} is null or {b} > 3"),
            5 => "p.person % 2 = 1".into(),
            6 => format!("not ({a} < {b})"),
            7 => "p.person = 7".into(),
            _ => format!("{a} > {}", dice.between(-1, 6)),
        }
    }

    fn figure(&self, dice: &mut Dice) -> String {
        let value = self.value(dice);
        let plain = match dice.below(12) {
            0 | 1 => "count(*)".to_owned(),
            2 => "count(distinct p.person)".into(),
            3 => format!("count({value})"),
            4 | 5 => format!("sum({value})"),
            6 | 7 => format!("avg({value})"),
            8 => format!("var_pop({value})"),
            9 => format!("stddev({value})"),
            10 => format!("median({value})"),
            _ => format!("percentile_cont(0.3) within group (order by {value})"),
        };
        match dice.percent(20) {
            true => format!("{plain} filter (where {})", self.condition(dice)),
            false => plain,
        }
    }

    fn key(&self, dice: &mut Dice) -> String {
        match dice.below(7) {
            0 => "p.code % 2".into(),
            1 => "p.code".into(),
            2 => "p.person".into(),
            3 => format!("case when {} then 1 else 0 end", self.condition(dice)),
            4 => format!("upper({})", dice.pick(&self.texts)),
            _ => dice.pick(&self.texts).to_owned(),
        }
    }

    fn sql(&self, dice: &mut Dice) -> String {
        let keys: Vec<String> = (0..dice.below(3)).map(|_| self.key(dice)).collect();
        let many = if dice.percent(12) { 30 } else { dice.between(1, 3) };
        let figures = (0..many).map(|_| self.figure(dice));
        let items: Vec<String> =
            keys.iter().cloned().chain(figures).enumerate().map(|(n, e)| format!("{e} as c{n}")).collect();
        let mut sql = format!("select {} from {}", items.join(", "), self.from);
        if dice.percent(50) {
            sql.push_str(&format!(" where {}", self.condition(dice)));
        }
        if !keys.is_empty() {
            sql.push_str(&format!(" group by {}", keys.join(", ")));
        }
        sql
    }
}

/// Exact sums of a question with the noise that it draws.
struct Exact {
    groups: HashMap<Group, Sums>,
    scales: Vec<Scale>,
    rows: u32,
    /// Whether rows were left out.
    bounded: bool,
}

async fn exact(t: &Tester, question: &Question) -> Result<Exact, crate::QueryError> {
    let rows = draw::rows_of_unit(question, &t.engine).await?;
    let scales = draw::scales(question, rows)?;
    let public = super::public::groups(question, &t.engine).await?;
    let bounded = draw::must_be_bounded(question, &t.engine).await?;
    let groups = draw::exact(question, &t.engine, bounded, public).await?;
    Ok(Exact { groups, scales, rows, bounded })
}

/// What the distance of two vectors is worth under noise: ε of Laplace noise, ρ of Gaussian.
fn worth(scale: Scale, pairs: &[(i64, i64)]) -> f64 {
    let moved = pairs.iter().map(|(a, b)| match scale {
        Scale::Laplace { .. } => (i128::from(*a) - i128::from(*b)).unsigned_abs() as f64,
        Scale::Gaussian { step, .. } => {
            let on = |sum: i64| (i128::from(sum) + step / 2).div_euclid(step);
            ((on(*a) - on(*b)) as f64).powi(2)
        }
    });
    let moved: f64 = moved.sum();
    match scale {
        Scale::Laplace { scale } => moved * 256.0 / scale as f64,
        Scale::Gaussian { variance, .. } => moved * 256.0 / (2.0 * variance as f64),
    }
}

/// The worth of all that a question draws.
fn worth_of_all(one: &Exact, other: &Exact) -> f64 {
    let groups: HashSet<&Group> = one.groups.keys().chain(other.groups.keys()).collect();
    let none = Sums::default();
    let both =
        |group: &Group| (one.groups.get(group).unwrap_or(&none), other.groups.get(group).unwrap_or(&none));
    let mut all = 0.0;
    for (place, scale) in one.scales.iter().enumerate() {
        let sum = |sums: &Sums| sums.sums.get(place).copied().unwrap_or(0);
        let pairs: Vec<_> = groups.iter().map(|g| both(g)).map(|(a, b)| (sum(a), sum(b))).collect();
        all += worth(*scale, &pairs);
        if !groups
            .iter()
            .map(|g| both(g))
            .any(|(a, b)| [a, b].iter().any(|sums| sums.bins.contains_key(&place)))
        {
            continue;
        }
        // Fine bins, and coarse ones of 32 each.
        for width in [1, 32] {
            let count = |sums: &Sums| -> Vec<i64> {
                let bins = sums.bins.get(&place).cloned().unwrap_or_else(|| vec![0; BINS]);
                bins.chunks(width).map(|bins| bins.iter().sum()).collect()
            };
            let pairs = groups.iter().map(|g| both(g)).flat_map(|(a, b)| count(a).into_iter().zip(count(b)));
            all += worth(*scale, &pairs.collect::<Vec<_>>());
        }
    }
    all
}

/// What was seen of many questions.
#[derive(Debug, Default)]
struct Tally {
    refused: u64,
    questions: u64,
    bounded: u64,
    /// The greatest share of its loss that a question's distance was worth, by mechanism.
    laplace: f64,
    gaussian: f64,
}

async fn ask(worlds: &[Tester; 2], sql: &str, tally: &mut Tally) {
    let [one, other] = worlds;
    let (a, b) = match (one.prepare(sql).await, other.prepare(sql).await) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(a), Err(b)) => {
            assert_eq!(format!("{a:?}"), format!("{b:?}"), "{sql}");
            assert!(a.kind() != crate::ErrorKind::Internal, "{sql}: {a:?}");
            tally.refused += 1;
            return;
        }
        (a, b) => panic!("{sql}\nis answered in one world only: {:?} {:?}", a.err(), b.err()),
    };
    assert_eq!(format!("{:?}", a.columns()), format!("{:?}", b.columns()), "{sql}");
    assert_eq!(a.questions().len(), b.questions().len(), "{sql}");
    for (a, b) in a.questions().iter().zip(b.questions()) {
        assert_eq!(a.loss(), b.loss(), "{sql}");
        let (x, y) = (exact(one, a).await, exact(other, b).await);
        let (x, y) = match (x, y) {
            (Ok(x), Ok(y)) => (x, y),
            (x, y) => panic!("{sql}\ncannot be drawn: {:?} {:?}", x.err(), y.err()),
        };
        assert_eq!((&x.scales, x.rows), (&y.scales, y.rows), "{sql}");
        tally.questions += 1;
        tally.bounded += u64::from(x.bounded);
        let rows = |exact: &Exact, key: &Group| exact.groups.get(key).map_or(0, |sums| sums.sums[0]);
        assert!(y.groups.keys().all(|key| x.groups.contains_key(key)), "{sql}");
        // Groups of this unit alone are shown with a probability below δ: so many as it has rows, at most.
        let alone = x.groups.keys().filter(|key| !y.groups.contains_key(*key)).count();
        assert!(alone <= x.rows as usize && (alone == 0 || a.plan.secret_keys()), "{sql}: {alone} groups");
        let moved: i64 = x.groups.keys().map(|key| rows(&x, key) - rows(&y, key)).sum();
        assert!((0..=i64::from(x.rows)).contains(&moved), "{sql}: {moved} rows of one unit");
        let (moved, loss) = (worth_of_all(&x, &y), a.loss());
        let (most, greatest) = match loss.pure.micros() > 0 {
            true => (loss.pure.micros() as f64 / 1e6, &mut tally.laplace),
            false => (loss.rho.units() as f64 / Rho::ONE as f64, &mut tally.gaussian),
        };
        assert!(moved <= most * (1.0 + 1e-9), "{sql}\none unit is worth {moved}, not {most}");
        *greatest = greatest.max(moved / most);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_unit_moves_no_answer_by_more_than_its_noise_is_made_for() {
    let (seed, cases) = (setting("COGOV_FUZZ_SEED", 1), setting("COGOV_FUZZ_CASES", 400));
    let mut tally = Tally::default();
    for pair in 0..cases.div_ceil(STATEMENTS) {
        let mut dice = Dice::of(seed, pair);
        let contents = Contents::random(&mut dice);
        let worlds = [contents.world().await, contents.without().world().await];
        for _ in 0..STATEMENTS {
            let asking = Asking::random(&mut dice);
            ask(&worlds, &asking.sql(&mut dice), &mut tally).await;
        }
    }
    println!("{tally:?}");
    assert!(tally.questions * 3 >= cases && (cases < 400 || tally.bounded > 0), "{tally:?}");
    // A unit that may move a sum by all it does leaves no room for a mistake.
    assert!(cases < 400 || (tally.laplace > 0.9 && tally.gaussian > 0.5), "{tally:?}");
}
