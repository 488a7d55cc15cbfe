//! What protected values are compared with: whoever may choose the number, by whatever way, asks another question.

use super::remembered_statistics::{everybody, memory, sorted};
use crate::common::{TestTable, Tester, aggregate, col, mask, remembered};
use arrow::array::{Float64Array, Int64Array, StringArray};
use cogov_engine::VolatileMemory;
use cogov_model::{Form, Grade, Treatment};
use std::sync::Arc;

/// Protected, and not of the grade from which on conditions stand alone.
fn plain(mut table: TestTable) -> TestTable {
    table.columns.iter_mut().for_each(|column| column.grade = Grade::General2);
    table
}

fn people(persons: &[i64], treatment: Treatment) -> TestTable {
    plain(super::remembered_statistics::people(persons, treatment))
}

async fn lab(name: &str) -> (Tester, Arc<VolatileMemory>) {
    let memory = memory(name);
    (remembered(vec![people(&everybody(), aggregate(10))], Form::Aggregate, &memory).await, memory)
}

/// The value of another relation is a number to compare with: another number is another condition.
#[tokio::test]
async fn thresholds_of_other_relations_are_conditions() {
    let (t, _) = lab("thresholds").await;
    let inside = |number: &str| {
        format!(
            "select count(*) from people p join (select region, avg(income + {number}) as a from people group by region) s on p.region = s.region where p.income > s.a"
        )
    };
    let first = t.ok(&inside("0")).await;
    assert!(first.len() == 1 && first != ["∅"], "{first:?}");
    assert_eq!(t.ok(&inside("0.001")).await, ["∅"], "the same people by another number");
    assert_eq!(t.ok(&inside("0")).await, first, "what was answered stays answered");
    let renamed = inside("0").replace("as a from", "as b from").replace("p.income > s.a", "p.income > s.b");
    assert_eq!(t.ok(&renamed).await, first, "names are nothing");
    let by = |group: &str| {
        let sql =
            inside("0").replace("count(*) from people p ", &format!("{group}, count(*) from people p "));
        format!("{sql} group by {group}")
    };
    assert_eq!(t.state(&by("s.region")).await, "0A000", "each row of it is another number");
    let cells = sorted(t.ok(&by("p.region")).await);
    assert_eq!(cells.len(), 4);
    let one = t.ok(&format!("{} and p.region = 'r1'", inside("0"))).await.join(",");
    assert!(cells.contains(&format!("r1|{one}")), "{cells:?} {one}");
    let computed = inside("0")
        .replace("p.income > s.a", "p.income > s.b")
        .replace("as a from", "as a, avg(income) + 0.001 as b from");
    assert_eq!(t.ok(&computed).await, ["∅"], "and by one that is computed");
}

/// A join on a protected column is a condition: the table that is joined says on which of its values.
#[tokio::test]
async fn a_join_on_a_protected_column_is_a_condition() {
    let mut people = people(&everybody(), Treatment::Clear);
    let ill = Int64Array::from_iter_values((0..400).map(|p| i64::from(p % 4 == 1 || p % 8 == 2)));
    people.columns.push(col("ill", ill, aggregate(10)));
    let numbers = TestTable {
        name: "data.numbers",
        columns: vec![
            col("id", Int64Array::from_iter_values(0..3), Treatment::Clear),
            col("v", Int64Array::from_iter_values([0, 1, 1]), Treatment::Clear),
        ],
        unit: None,
        granted: true,
    };
    let t = remembered(vec![people, numbers], Form::Rows, &memory("joined")).await;
    let all = |region: &str| {
        format!("select count(*) from people p where p.ill is not null and p.region = '{region}'")
    };
    let those = |id: i64, region: &str| {
        format!(
            "select count(*) from people p join numbers n on p.ill = n.v where n.id = {id} and p.region = '{region}'"
        )
    };
    assert_eq!(t.ok(&those(1, "r2")).await, ["50"]);
    assert_eq!(t.ok(&those(1, "r2").replace("p.ill = n.v", "n.v = p.ill")).await, ["50"], "in other words");
    assert_eq!(
        t.ok(&those(2, "r2")).await,
        ["∅"],
        "another row of it is another question, of the same people"
    );
    assert_eq!(t.ok(&all("r1")).await, ["100"]);
    assert_eq!(t.ok(&those(1, "r1")).await, ["∅"], "all of them");
    let by = "select n.id, count(*) from people p join numbers n on p.ill = n.v group by n.id";
    assert_eq!(t.state(by).await, "0A000", "each row of it is another number");
    let open =
        "select p.region, n.id, count(p.ill) from people p join numbers n on p.age = n.v + 20 group by 1, 2";
    assert_eq!(t.state(open).await, "0A000", "computed in ON");
    let open = "select n.id, count(p.ill) from people p join numbers n on p.serial = n.id group by n.id";
    assert_eq!(t.ok(open).await, Vec::<String>::new(), "one person each");
}

/// 400 persons of whom all but the wage is seen.
fn earners() -> TestTable {
    let mut people = people(&everybody(), Treatment::Clear);
    let wages = (0..400).map(|p| 1000.0 + f64::from(p * 37 % 101));
    people.columns.push(col("wage", Float64Array::from_iter_values(wages), aggregate(10)));
    plain(people)
}

/// Numbers of which no two part the wages otherwise: 1050.1 to 1050.6, by two columns with the same regions in other rows.
fn numbers(name: &'static str, unit: Option<&'static str>, more: f64) -> TestTable {
    let regions = |by: usize| (0..4).map(move |row| format!("r{}", (row * by) % 4));
    let clear = Treatment::Clear;
    TestTable {
        name,
        columns: vec![
            col("id", Int64Array::from_iter_values(0..4), clear),
            col("kind", StringArray::from_iter_values(["a", "b", "c", "d"]), clear),
            col("region", StringArray::from_iter_values(regions(1)), clear),
            col("other", StringArray::from_iter_values(regions(3)), clear),
            col(
                "x",
                Float64Array::from_iter_values((0..4).map(|i| 1050.1 + f64::from(i) / 10.0 + more)),
                clear,
            ),
        ],
        unit,
        granted: true,
    }
}

async fn earning(name: &str, unit: Option<&'static str>) -> (Tester, Arc<VolatileMemory>) {
    let memory = memory(name);
    let tables = vec![earners(), numbers("data.numbers", unit, 0.0), numbers("data.more", unit, 0.05)];
    (remembered(tables, Form::Rows, &memory).await, memory)
}

/// Asks pairs of questions about the same people: the second is refused or hidden, the first stays answered.
async fn only_the_first(t: &Tester, pairs: &[(&str, &str)]) {
    for (first, second) in pairs {
        let answer = t.ok(first).await;
        assert!(!answer.is_empty() && answer.iter().all(|row| !row.contains('∅')), "{first}: {answer:?}");
        match t.rows(second).await {
            Ok(rows) => assert!(rows.iter().all(|row| row.contains('∅')), "{second}: {rows:?}"),
            Err(error) => assert_eq!(error.sqlstate(), "0A000", "{second}: {error:?}"),
        }
        assert_eq!(t.ok(first).await, answer, "{first}");
    }
}

#[tokio::test]
async fn whatever_chooses_the_row_of_the_other_table_is_part_of_the_question() {
    let above = "select count(*) from people p join numbers n on p.region = n.region where p.wage > n.x";
    let (t, _) = earning("join", None).await;
    let other = above.replace("n.region", "n.other");
    only_the_first(&t, &[(above, &other)]).await;
    for unit in [None, Some("region")] {
        let (t, _) = earning(&format!("kind {unit:?}"), unit).await;
        let kind = |kind: &str| {
            format!(
                "select count(*) from people p join more m on p.region = m.region join numbers n on m.kind = n.kind where m.kind = '{kind}' and p.wage > n.x"
            )
        };
        assert_ne!(t.ok(&kind("a")).await, ["∅"]);
        let by =
            kind("a").replace("m.kind = 'a' and", "").replace("select count(*)", "select m.id, count(*)")
                + " group by m.id";
        assert_eq!(t.state(&by).await, "0A000", "the one table chooses of the other");
        let by = by.replace("m.id", "n.id");
        assert_eq!(t.state(&by).await, "0A000", "also where it has a unit");
    }
}

#[tokio::test]
async fn a_table_between_chooses_too() {
    // Everybody meets every row of the table between, which leads to one number.
    let mut all = earners();
    all.columns.push(col("one", Int64Array::from_iter_values((0..400).map(|_| 1)), Treatment::Clear));
    let between = TestTable {
        name: "data.between",
        columns: vec![
            col("id", Int64Array::from_iter_values([1, 2, 3]), Treatment::Clear),
            col("one", Int64Array::from_iter_values([1, 1, 1]), Treatment::Clear),
            col("number", Int64Array::from_iter_values([1, 2, 3]), Treatment::Clear),
        ],
        unit: None,
        granted: true,
    };
    let tables = vec![all, between, numbers("data.numbers", None, 0.0)];
    let t = remembered(tables, Form::Rows, &memory("between")).await;
    let by = |id: i64| {
        format!(
            "select count(*) from people p join between b on p.one = b.one join numbers n on b.number = n.id where b.id = {id} and p.wage > n.x"
        )
    };
    let sum = by(1).replace("count(*)", "sum(p.wage)").replace("b.id = 1", "b.id = 3");
    only_the_first(&t, &[(&by(1), &by(2)), (&by(1), &sum)]).await;
    let twice = "select count(*) from people p join between a on p.one = a.one join between b on p.one = b.one join numbers n on b.number = n.id where a.id = 1 and b.id = 2 and p.wage > n.x";
    assert_eq!(t.state(twice).await, "0A000", "which of two of one name chooses is not told apart");
}

#[tokio::test]
async fn groups_are_of_people_and_not_of_numbers() {
    let (t, _) = earning("groups", None).await;
    let by = |group: &str, rest: &str| {
        format!(
            "select {group}, count(*) from people p join numbers n on p.region = n.region {rest} group by {group}"
        )
    };
    assert_eq!(t.state(&by("n.kind", "where p.wage > n.x")).await, "0A000");
    assert_eq!(
        t.ok(&by("p.region", "where p.wage > n.x")).await.len(),
        4,
        "groups of those who are compared"
    );
    assert_eq!(t.ok(&by("n.kind", "")).await.len(), 4, "groups by another table where nothing is compared");
}

#[tokio::test]
async fn a_join_of_a_protected_column_with_a_unit_is_a_condition() {
    let ill = || {
        let mut people = people(&everybody(), Treatment::Clear);
        let ill = (0..400).map(|p| i64::from(p % 4 == 1 || p % 8 == 2));
        people.columns.push(col("ill", Int64Array::from_iter_values(ill), aggregate(10)));
        people
    };
    let codes = || TestTable {
        name: "data.codes",
        columns: vec![
            col("code", Int64Array::from_iter_values([0, 1, 2]), Treatment::Clear),
            col("kind", StringArray::from_iter_values(["well", "ill", "ill"]), Treatment::Clear),
            col("sort", StringArray::from_iter_values(["x", "y", "z"]), Treatment::Clear),
        ],
        unit: Some("code"),
        granted: true,
    };
    let t = remembered(vec![ill(), codes()], Form::Rows, &memory("unit of codes")).await;
    let those =
        |rest: &str| format!("select count(*) from people p join codes c on p.ill = c.code where {rest}");
    only_the_first(&t, &[(&those("c.kind = 'ill'"), &those("c.sort = 'y'"))]).await;
    let by = "select c.sort, count(*) from people p join codes c on p.ill = c.code group by c.sort";
    assert_eq!(t.state(by).await, "0A000");
    let t = remembered(vec![ill(), codes()], Form::Rows, &memory("half of codes")).await;
    let computed = "select count(*) from people p join (select code % 2 as half, sort from codes) c on p.ill = c.half where c.sort = 'y'";
    only_the_first(&t, &[(computed, &computed.replace("'y'", "'x'").replace("code % 2", "(code + 1) % 2"))])
        .await;
}

/// A statistic that was released is told apart by all that it was asked of.
#[tokio::test]
async fn numbers_of_released_statistics_are_told_apart() {
    let group = |name: &'static str, each: i64| TestTable {
        name,
        columns: vec![
            col("id", Int64Array::from_iter_values(0..each * 4), aggregate(10)),
            col(
                "region",
                StringArray::from_iter_values((0..each * 4).map(|p| format!("r{}", p % 4))),
                aggregate(10),
            ),
        ],
        unit: Some("id"),
        granted: true,
    };
    let tables =
        || vec![people(&everybody(), aggregate(10)), group("data.one", 1050), group("data.two", 1051)];
    let t = remembered(tables(), Form::Aggregate, &memory("released")).await;
    let above = |table: &str, by: &str| {
        format!(
            "select count(*) from people p join (select {by} as r, count(*) + 0.2 as n from {table} group by {by}) s on p.region = s.r where p.income > s.n"
        )
    };
    assert_eq!(t.ok("select region, count(*) from one group by region").await.len(), 4);
    only_the_first(&t, &[(&above("one", "region"), &above("two", "region").replace("0.2", "-0.8"))]).await;
}

#[tokio::test]
async fn the_next_version_of_a_table_has_other_numbers() {
    let (old, memory) = earning("next numbers", None).await;
    let above = "select count(*) from people p join numbers n on p.region = n.region where p.wage > n.x";
    let answer = old.ok(above).await;
    let tables = |more| vec![earners(), numbers("data.numbers", None, more)];
    let same = old.next_version_as(tables(0.0), Form::Rows, &memory).await;
    assert_eq!(same.ok(above).await, answer);
    let new = old.next_version_as(tables(0.01), Form::Rows, &memory).await;
    assert_eq!(new.ok(above).await, ["∅"], "who writes the numbers could search with them");
}

#[tokio::test]
async fn not_is_not_read_as_another_condition() {
    let (t, _) = earning("not", None).await;
    let count = |condition: &str| format!("select count(*) from people p where {condition}");
    let not = |a: &str, b: &str| count(&format!("(not (p.wage > {a})) or p.wage * p.age < {b}"));
    let whole = |a: &str, b: &str| count(&format!("not (p.wage > {a} or p.wage * p.age < {b})"));
    only_the_first(&t, &[(&not("1050", "0"), &whole("1050", "0"))]).await;
}

/// Whoever chooses when to ask would choose the number.
#[tokio::test]
async fn the_clock_is_no_number_to_compare_with() {
    let (t, _) = earning("clock", None).await;
    let above = |table: &str| {
        format!(
            "select count(*) from people p join (select region, x * 0.0 + 1050.5 + extract(epoch from now()) * 1e-14 as x from {table} o) n on p.region = n.region where p.wage > n.x"
        )
    };
    assert_ne!(t.ok(&above("numbers")).await, ["∅"]);
    assert_eq!(t.ok(&above("numbers")).await, ["∅"], "a moment later it is another number");
    let released = above("(select region, count(*) * 0.0 + 1050.5 as x from people group by region)");
    assert_eq!(t.state(&released).await, "0A000");
}

/// Dates that no calendar has are written alike, and are not the same.
#[tokio::test]
async fn literals_are_told_apart_to_the_last_bit() {
    let (t, _) = earning("literals", None).await;
    let dates = |number: i64| {
        format!(
            "select count(*) from people where cast(cast(wage as bigint) + 500000000 as date) > cast({number} as date)"
        )
    };
    let floats =
        |number: &str| format!("select count(*) from people where wage > 1060.5 and wage <> {number}");
    only_the_first(
        &t,
        &[(&dates(500_000_000), &dates(499_999_999)), (&floats("0.1"), &floats("0.10000000000000002"))],
    )
    .await;
}

/// A comparison of no consequence does not make of a table that chooses one that is compared.
#[tokio::test]
async fn each_comparison_is_told_with_what_chooses_its_number() {
    let rows = |of: fn(i64) -> i64| Int64Array::from_iter_values((0..1600).map(of));
    let months = TestTable {
        name: "data.months",
        columns: vec![
            col("month", Int64Array::from_iter_values(0..4), Treatment::Clear),
            col(
                "x",
                Float64Array::from_iter_values((0..4).map(|i| 1050.1 + f64::from(i) / 10.0)),
                Treatment::Clear,
            ),
        ],
        unit: None,
        granted: true,
    };
    let paid = TestTable {
        name: "data.paid",
        columns: vec![
            col("person", rows(|row| row / 4), Treatment::Clear),
            col("month", rows(|row| row % 4), Treatment::Clear),
            col("amount", rows(|row| row % 13), aggregate(10)),
        ],
        unit: Some("person"),
        granted: true,
    };
    let t = remembered(vec![earners(), months, plain(paid)], Form::Rows, &memory("months")).await;
    let beneath = "from people p join paid q on p.person = q.person join months m on q.month = m.month where p.wage > m.x and q.amount > m.x - 1e9";
    assert_eq!(
        t.state(&format!("select q.month, count(*) {beneath} group by q.month")).await,
        "42501",
        "several rows"
    );
    let month = |month: i64| format!("select count(*) {beneath} and q.month = {month}");
    let first = t.rows(&month(1)).await;
    assert!(first.is_err() || t.ok(&month(2)).await == ["∅"], "{first:?}");
}

/// Departments keep what is of the same people apart; compared with each other it is of each alone.
#[tokio::test]
async fn tables_of_the_same_people_may_be_compared() {
    let taxes = |each: i64| TestTable {
        name: "data.taxes",
        columns: vec![
            col("person", Int64Array::from_iter_values((0..400 * each).map(|row| row / each)), aggregate(10)),
            col(
                "income",
                Float64Array::from_iter_values((0..400 * each).map(|row| 1000.0 + (row * 53 % 97) as f64)),
                aggregate(10),
            ),
        ],
        unit: Some("person"),
        granted: true,
    };
    let by = "select p.region, count(*) from people p join taxes t on p.person = t.person where p.income > t.income group by p.region";
    let t =
        remembered(vec![people(&everybody(), aggregate(10)), taxes(1)], Form::Aggregate, &memory("taxes"))
            .await;
    let cells = t.ok(by).await;
    assert_eq!(cells.len(), 4, "{cells:?}");
    assert!(cells.iter().all(|cell| !cell.contains('∅')), "{cells:?}");
    let total = "select count(*) from people p join taxes t on p.person = t.person where p.income > t.income";
    let sum: i64 = cells.iter().filter_map(|cell| cell.split('|').nth(1)?.parse::<i64>().ok()).sum();
    assert_eq!(t.ok(total).await, [sum.to_string()]);
    let t = remembered(
        vec![people(&everybody(), aggregate(10)), taxes(2)],
        Form::Aggregate,
        &memory("taxes twice"),
    )
    .await;
    assert_eq!(t.state(by).await, "42501", "one of two rows chooses");
    let group =
        "select p.income > t.income, count(*) from people p join taxes t on p.person = t.person group by 1";
    assert_eq!(t.state(group).await, "42501", "as a group too");
}

/// Who publishes the one table could search in the other.
#[tokio::test]
async fn the_next_version_of_a_table_of_the_same_people_has_other_numbers() {
    let limits = |more: f64| TestTable {
        name: "data.limits",
        columns: vec![
            col("person", Int64Array::from_iter_values(0..400), aggregate(10)),
            col("most", Float64Array::from_iter_values((0..400).map(|_| 1050.1 + more)), aggregate(10)),
        ],
        unit: Some("person"),
        granted: true,
    };
    for sql in [
        "select count(*) from people p join limits l on p.person = l.person where p.income > l.most",
        "select p.income > l.most, count(*) from people p join limits l on p.person = l.person group by 1 order by 1",
    ] {
        let memory = memory(sql);
        let tables = |more| vec![people(&everybody(), aggregate(10)), limits(more)];
        let old = remembered(tables(0.0), Form::Aggregate, &memory).await;
        let answer = old.ok(sql).await;
        assert!(answer.iter().all(|row| !row.contains('∅')), "{answer:?}");
        assert_eq!(old.ok(sql).await, answer);
        let new = old.next_version(tables(0.1), &memory).await;
        assert!(new.ok(sql).await.iter().all(|row| row.contains('∅')), "{sql}");
    }
}

/// A band of numbers is many people.
#[tokio::test]
async fn masked_units_do_not_make_the_same_people() {
    let banded = |mut table: TestTable| {
        table.columns[0].treatment = mask("band:10");
        table
    };
    let limits = TestTable {
        name: "data.limits",
        columns: vec![
            col("person", Int64Array::from_iter_values(0..400), Treatment::Clear),
            col("kind", StringArray::from_iter_values((0..400).map(|p| ["a", "b"][p % 2])), Treatment::Clear),
            col(
                "most",
                Float64Array::from_iter_values((0..400).map(|p| 1050.1 + f64::from(p % 2) / 10.0)),
                aggregate(10),
            ),
        ],
        unit: Some("person"),
        granted: true,
    };
    let t = remembered(vec![banded(earners()), banded(limits)], Form::Rows, &memory("bands")).await;
    let kind = |kind: &str| {
        format!(
            "select count(*) from people p join limits l on p.person = l.person where p.wage > l.most and l.kind = '{kind}'"
        )
    };
    let first = t.rows(&kind("a")).await;
    assert!(first.is_err() || t.ok(&kind("b")).await == ["∅"], "{first:?}");
    let by =
        kind("a").replace(" and l.kind = 'a'", " group by l.kind").replace("count(*)", "l.kind, count(*)");
    assert!(["0A000", "42501"].contains(&t.state(&by).await));
}

/// `m` is also `data.m`: which is meant decides what is protected.
#[tokio::test]
async fn two_tables_of_one_name_do_not_stand_beneath() {
    let lists = TestTable {
        name: "data.m",
        columns: vec![
            col("kind", StringArray::from_iter_values(["a", "b", "b"]), Treatment::Clear),
            col("v", Float64Array::from_iter_values([1037.0, 1037.0, 1037.5]), Treatment::Clear),
        ],
        unit: None,
        granted: true,
    };
    let t = remembered(vec![earners(), lists], Form::Rows, &memory("one name")).await;
    let sql = "select count(*) from data.m join (select region, wage as v from people) as m using (v) where data.m.kind = 'a' and m.region = 'r1'";
    assert_eq!(t.state(sql).await, "0A000");
}

/// What is computed of what is computed, thirty times over, is read once each.
#[tokio::test]
async fn columns_that_double_are_read_in_no_time() {
    let (t, _) = earning("doubling", None).await;
    let mut with = String::from("with a0 as (select region, x * 0.5 as x from numbers)");
    for level in 1..30 {
        with += &format!(", a{level} as (select region, x - x * 0.5 as x from a{})", level - 1);
    }
    let sql = format!(
        "{with} select count(*) from people p join a29 on p.region = a29.region where p.wage > a29.x + 1000"
    );
    let begun = std::time::Instant::now();
    match t.rows(&sql).await {
        Ok(rows) => assert_eq!(rows.len(), 1),
        Err(error) => assert!(["0A000", "54001", "53200"].contains(&error.sqlstate()), "{error:?}"),
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let mut with = String::from("with s0 as (select region, avg(wage) as a from people group by region)");
    for level in 1..9 {
        with += &format!(
            ", s{level} as (select p.region, avg(p.wage) as a from people p join s{0} on p.region = s{0}.region where p.wage > s{0}.a - 1000 group by p.region)",
            level - 1
        );
    }
    let sql = format!("{with} select count(*) from s8");
    let begun = std::time::Instant::now();
    assert!(t.rows(&sql).await.is_ok_and(|rows| rows.len() == 1) || t.state(&sql).await != "XX000");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
