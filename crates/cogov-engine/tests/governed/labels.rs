//! Laws of labels on generated statements, with and without statistics: adding columns, groups, predicates or joins
//! never lowers one, and only certified transforms do. The rules are those of `docs/labels.md`.

use crate::common::{Col, TestTable, Tester, aggregate, col, mask, tester};
use arrow::array::{Int64Array, StringArray};
use cogov_model::{Form, Grade, Label, Treatment};

const CLEAR: [(&str, Grade); 4] = [
    ("one", Grade::General1),
    ("two", Grade::General2),
    ("three", Grade::General3),
    ("four", Grade::General4),
];

fn numbers(name: &'static str, grade: Grade, treatment: Treatment) -> Col {
    Col { grade, ..col(name, Int64Array::from_iter_values((0..60).map(|n| n % 7)), treatment) }
}

fn table(name: &'static str) -> TestTable {
    let mut columns: Vec<Col> = CLEAR.iter().map(|(n, g)| numbers(n, *g, Treatment::Clear)).collect();
    columns.push(col("key", Int64Array::from_iter_values(0..60), Treatment::Clear));
    columns.push(Col {
        grade: Grade::General4,
        ..col("name", StringArray::from_iter_values((0..60).map(|n| n.to_string())), mask("prefix:1"))
    });
    columns.push(numbers("held", Grade::General4, aggregate(10)));
    columns.push(numbers("few", Grade::General4, aggregate(3)));
    columns.push(numbers("core", Grade::Core, aggregate(10)));
    TestTable { name, columns, unit: Some("key"), granted: true }
}

async fn world() -> Tester {
    tester(vec![table("data.people"), table("data.homes")], "", Form::Rows).await
}

/// A statement in parts.
#[derive(Debug, Clone, Default)]
struct Statement {
    columns: Vec<String>,
    joined: Vec<String>,
    conditions: Vec<String>,
    groups: Vec<String>,
}

impl Statement {
    fn sql(&self) -> String {
        let conditions = match self.conditions.is_empty() {
            true => String::new(),
            false => format!(" where {}", self.conditions.join(" and ")),
        };
        let columns: Vec<String> =
            self.columns.iter().enumerate().map(|(n, column)| format!("{column} as c{n}")).collect();
        let groups = match self.groups.is_empty() {
            true => String::new(),
            false => format!(" group by {}", self.groups.join(", ")),
        };
        format!("select {} from people p{}{conditions}{groups}", columns.join(", "), self.joined.concat())
    }

    /// The least grade of a figure: of every clear or masked column that it is made of, or that its rows depend on.
    fn least(&self, figure: usize) -> Grade {
        let mut words = vec![self.columns[figure].clone()];
        words.extend(self.conditions.iter().chain(&self.joined).chain(&self.groups).cloned());
        let words = words.concat();
        let named = CLEAR.iter().copied().chain([("name", Grade::General3), ("key", Grade::General3)]);
        let named = named.filter(|(name, _)| words.contains(&format!(".{name}")));
        named.map(|(_, grade)| grade).max().unwrap_or(Grade::General1)
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn column(&mut self, of: &str) -> String {
        format!("{of}.{}", CLEAR[self.below(4)].0)
    }

    fn expression(&mut self) -> String {
        let (a, b) = (self.column("p"), self.column("p"));
        match self.below(9) {
            0 => a,
            1 => format!("{a} + {b}"),
            2 => format!("case when {a} > 3 then {b} else 0 end"),
            3 => format!("coalesce(nullif({a}, 2), {b})"),
            4 => format!("sum({a}) over (partition by {b})"),
            5 => format!("(select max(q.{}) from homes q)", CLEAR[self.below(4)].0),
            6 => format!("upper(p.name) || cast({a} as text)"),
            7 => format!("row_number() over (order by {a})"),
            _ => "1".to_owned(),
        }
    }

    fn condition(&mut self) -> String {
        let (a, b) = (self.column("p"), self.column("p"));
        match self.below(5) {
            0 => format!("{a} > 2"),
            1 => format!("{a} = {b}"),
            2 => format!("p.key in (select q.key from homes q where q.{} > 1)", CLEAR[self.below(4)].0),
            3 => format!(
                "exists (select 1 from homes q where q.key = p.key and q.{} < 5)",
                CLEAR[self.below(4)].0
            ),
            _ => format!("p.name like '{}%'", self.below(9)),
        }
    }
}

/// Parts of statements with statistics.
impl Dice {
    fn figure(&mut self) -> String {
        let clear = self.column("p");
        match self.below(9) {
            0 => format!("sum({clear})"),
            1 => format!("count({clear})"),
            2 => format!("avg({clear} + p.held)"),
            3 => "avg(p.held)".to_owned(),
            4 => "sum(p.few)".to_owned(),
            5 => "stddev(p.core)".to_owned(),
            6 => format!("max({clear})"),
            7 => "(select avg(q.held) from homes q)".to_owned(),
            _ => "count(*)".to_owned(),
        }
    }

    /// Something more in one of the clauses.
    fn grown(&mut self, statement: &Statement) -> Statement {
        let mut more = statement.clone();
        let (clear, other) = (self.column("p"), self.column("h"));
        match self.below(9) {
            0..3 => more.columns.push(self.figure()),
            3 => more.conditions.push(format!("{clear} > 1")),
            4 => more
                .conditions
                .push(["p.held > 1", "p.few < 6", "p.name like '1%'"][self.below(3)].to_owned()),
            5 => more.groups.push(clear),
            6 => more.groups.push(["p.held / 3", "p.few", "p.name"][self.below(3)].to_owned()),
            7 => more.joined.push(" join homes h on h.key = p.key".to_owned()),
            _ => more.columns.push(format!("sum({other})")),
        }
        more
    }
}

#[tokio::test]
async fn adding_to_a_statistic_never_lowers_a_label() {
    let mut dice = Dice(3);
    for form in [Form::Rows, Form::Aggregate] {
        let t = tester(vec![table("data.people"), table("data.homes")], "", form).await;
        let (mut steps, mut beside) = (0, 0);
        for _ in 0..250 {
            let mut statement = Statement { columns: vec![dice.figure()], ..Statement::default() };
            let Ok(first) = t.prepare(&statement.sql()).await else { continue };
            let mut before: Vec<Label> = first.columns().iter().map(|c| c.label.clone()).collect();
            for _ in 0..6 {
                // What is refused is no answer that could be graded too low.
                let more = dice.grown(&statement);
                let Ok(prepared) = t.prepare(&more.sql()).await else { continue };
                let after: Vec<Label> = prepared.columns().iter().map(|c| c.label.clone()).collect();
                never_lower(&before, &after, &more.sql());
                (statement, before) = (more, after);
                steps += 1;
                if form == Form::Rows {
                    beside += i32::from(prepared.has_protected_statistics());
                    for (place, label) in before.iter().enumerate() {
                        assert!(label.grade >= statement.least(place), "{} of {}", place, statement.sql());
                    }
                }
            }
        }
        assert!(steps > 400, "{form:?}: {steps} steps");
        assert!(form != Form::Rows || beside > 200, "{beside} beside protected statistics");
    }
}

#[tokio::test]
async fn a_protected_statistic_lowers_what_it_protects_only() {
    let t = world().await;
    let grades = async |t: &Tester, sql: &str| -> Vec<Grade> {
        labels(t, sql).await.iter().map(|label| label.grade).collect()
    };
    use Grade::{Core, General2, General3, General4};
    assert_eq!(grades(&t, "select sum(four), sum(held) from people").await, [General4, General2]);
    assert_eq!(grades(&t, "select four, sum(held) from people group by four").await, [General4, General4]);
    assert_eq!(grades(&t, "select sum(held) from people where four > 1").await, [General4]);
    assert_eq!(grades(&t, "select avg(four + held) from people").await, [General4]);
    assert_eq!(grades(&t, "select name, avg(held) from people group by name").await, [General3, General3]);
    assert_eq!(
        grades(&t, "select sum(few), sum(held), sum(core) from people").await,
        [General3, General2, Core]
    );
    // In the form of statistics nothing leaves but in groups, which protects every column.
    let t = tester(vec![table("data.people")], "", Form::Aggregate).await;
    assert_eq!(
        grades(&t, "select sum(four), sum(few), count(*) from people").await,
        [General2, General2, Grade::General1]
    );
}

#[tokio::test]
async fn what_is_taken_as_it_stands_holds_constants_only() {
    let t = world().await;
    for (sql, clause) in [
        ("values ((select max(four) from people))", "VALUES"),
        ("values ((select held from people limit 1))", "VALUES"),
        ("select b from (values (1, (select max(four) from people))) v(a, b)", "VALUES"),
        ("select one from people where exists (values ((select held from people limit 1)))", "VALUES"),
        ("select one from people p where one in (values ((select max(four) from people)))", "VALUES"),
        ("select one from people limit (select max(four) from people)", "LIMIT"),
        ("select one from people offset (select max(held) from people)", "LIMIT"),
    ] {
        let error = t.prepare(sql).await.err().unwrap_or_else(|| panic!("{sql} was planned"));
        assert_eq!(error.sqlstate(), "0A000", "{sql}: {error}");
        assert!(error.to_string().contains(clause), "{sql}: {error}");
    }
    assert!(t.prepare("select (select x from (values (p.held)) v(x)) from people p").await.is_err());
    assert_eq!(t.ok("select a + 1 from (values (1), (2)) v(a) order by 1 limit 1 + 0 offset 1").await, ["3"]);
}

async fn labels(t: &Tester, sql: &str) -> Vec<Label> {
    let prepared = t.prepare(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e:?}"));
    prepared.columns().iter().map(|column| column.label.clone()).collect()
}

fn never_lower(before: &[Label], after: &[Label], sql: &str) {
    assert!(before.len() <= after.len());
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before.clone().join(after), *after, "{sql}: {before:?} fell to {after:?}");
    }
}

#[tokio::test]
async fn adding_columns_predicates_and_joins_never_lowers_a_label() {
    let t = world().await;
    let mut dice = Dice(1);
    for _ in 0..400 {
        let mut statement = Statement::default();
        for _ in 0..=dice.below(3) {
            statement.columns.push(dice.expression());
        }
        let mut before = labels(&t, &statement.sql()).await;
        for _ in 0..3 {
            match dice.below(3) {
                0 => statement.columns.push(dice.expression()),
                1 => statement.conditions.push(dice.condition()),
                _ => {
                    let n = statement.joined.len();
                    let on = format!("h{n}.{} = {}", CLEAR[dice.below(4)].0, dice.column("p"));
                    let kind = ["join", "left join"][dice.below(2)];
                    statement.joined.push(format!(" {kind} homes h{n} on {on}"));
                }
            }
            let after = labels(&t, &statement.sql()).await;
            never_lower(&before, &after, &statement.sql());
            before = after;
        }
    }
}

/// A result's grade is at least that of every column named in the statement: nothing here is certified to lower.
#[tokio::test]
async fn no_function_lowers() {
    let t = world().await;
    let mut dice = Dice(2);
    for _ in 0..400 {
        let mut sql = Statement { columns: vec![dice.expression()], ..Statement::default() };
        if dice.below(2) == 0 {
            sql.conditions.push(dice.condition());
        }
        let named = |(name, _): &&(&str, Grade)| sql.sql().contains(&format!(".{name}"));
        let greatest = CLEAR.iter().filter(named).map(|(_, grade)| *grade).max();
        let grades = labels(&t, &sql.sql()).await;
        assert!(grades[0].grade >= greatest.unwrap_or(Grade::General1), "{}", sql.sql());
    }
}

#[tokio::test]
async fn only_certified_transforms_lower() {
    let t = world().await;
    let grade = async |sql: &str| labels(&t, sql).await[0].grade;
    assert_eq!(grade("select name from people").await, Grade::General3, "a mask: one grade");
    assert_eq!(grade("select avg(held) from people").await, Grade::General2, "a statistic over ten");
    assert_eq!(grade("select count(*) from people where held > 2").await, Grade::General2);
    assert_eq!(grade("select sum(core) from people").await, Grade::Core, "core data never falls");
    assert_eq!(grade("select sum(four) from people").await, Grade::General4, "a sum of clear values is none");
    assert_eq!(grade("select one from people intersect select two from people").await, Grade::General2);
    assert_eq!(grade("select one from people except select four from homes").await, Grade::General4);
    assert_eq!(
        grade("select one from people where two > 1 union all select three from people").await,
        Grade::General3
    );
    assert_eq!(
        t.ok("select key from people where key < 3 intersect select key from homes order by 1").await,
        ["0", "1", "2"]
    );
    assert_eq!(
        t.ok("select key from people where key < 3 except select key from homes where key > 0").await,
        ["0"]
    );
    assert_eq!(t.state("select held from people intersect select one from people").await, "42501");
}

/// Where `people.two` may be taken for `data.people.two`, the label is of the column that execution takes.
#[tokio::test]
async fn of_two_columns_that_a_name_could_mean_the_label_is_of_the_one_that_is_shown() {
    let mut columns: Vec<Col> = CLEAR.iter().map(|(n, g)| numbers(n, *g, Treatment::Clear)).collect();
    columns.push(col("key", Int64Array::from_iter_values(0..60), Treatment::Clear));
    let table = TestTable { name: "data.people", columns, unit: None, granted: true };
    let t = tester(vec![table], "", Form::Rows).await;
    let sql =
        "select data.people.* from (select four as two from data.people) as people cross join data.people";
    let columns = "select data.people.one, data.people.two from (select four as two, key as other from data.people) \
                   as people join data.people on data.people.key = people.other";
    for sql in [sql, columns] {
        let prepared = t.prepare(sql).await.unwrap();
        let two = prepared.columns().iter().find(|column| column.name == "two").unwrap();
        assert_eq!(two.label.grade, Grade::General4, "{sql}");
    }
}

#[tokio::test]
async fn refusals_name_the_column_the_clause_and_the_nearest_form() {
    let t = world().await;
    let refused = t.fails("select held, name from people").await;
    let words = refused.reason();
    assert!(
        words.en.starts_with("held (open): shown only in statistics over groups of at least 10"),
        "{words:?}"
    );
    assert!(words.en.contains("avg(held)") && words.en.contains("GROUP BY held / 5 * 5"), "{words:?}");
    assert!(words.zh.contains("avg(held)"), "{words:?}");
    let prepared = t.prepare("select avg(held) from people").await.unwrap();
    assert_eq!(
        prepared.columns()[0].chain()[0].en,
        "held is general 4 (data.people) → average over at least 10 → general 2 (open)"
    );
    assert_eq!(
        t.ok("select held / 5 * 5 band, count(*) from people group by 1 order by 1").await,
        ["0|44", "5|16"]
    );
}

/// A count for each row becomes a join, which may be null where the statement cannot.
#[tokio::test]
async fn counts_for_each_row_stand_in_unions() {
    let columns = vec![
        col("id", Int64Array::from(vec![1, 2, 3]), Treatment::Clear),
        col("n", Int64Array::from(vec![1, 1, 2]), Treatment::Clear),
    ];
    let table = TestTable { name: "data.visits", columns, unit: None, granted: true };
    let t = tester(vec![table], "", Form::Rows).await;
    let sql =
        "select (select count(*) from visits b where b.n = a.n) from visits a union select 7 order by 1";
    assert_eq!(t.ok(sql).await, ["1", "2", "7"]);
}
