//! Columns that may be shown only in statistics: small groups vanish, single rows never show, errors tell nothing.

use crate::common::{TestTable, Tester, aggregate, col, mask, tester};
use arrow::array::{Float64Array, Int64Array, StringArray};
use cogov_model::{Form, Grade, Treatment};

/// 100 persons with two rows each. Region r0 has 50 persons, r1 40, r2 9, r3 one. `bonus` is null but for
/// three persons of r0. `code` raises when cast, of one person only.
fn people(treatment: Treatment, others: Treatment, unit: Option<&'static str>) -> TestTable {
    let rows = 0..200_i64;
    let person = |row: i64| row / 2;
    let region = |row: i64| match person(row) {
        0..50 => "r0",
        50..90 => "r1",
        90..99 => "r2",
        _ => "r3",
    };
    TestTable {
        name: "data.people",
        columns: vec![
            col("person", Int64Array::from_iter_values(rows.clone().map(person)), others),
            col("region", StringArray::from_iter_values(rows.clone().map(region)), others),
            col(
                "income",
                Float64Array::from_iter_values(rows.clone().map(|r| 10.0 * person(r) as f64)),
                treatment,
            ),
            col("age", Int64Array::from_iter_values(rows.clone().map(|r| 20 + person(r) % 3)), treatment),
            col(
                "bonus",
                rows.clone().map(|r| (person(r) < 3).then_some(7)).collect::<Int64Array>(),
                treatment,
            ),
            col(
                "code",
                StringArray::from_iter_values(
                    rows.map(|r| if r == 7 { "secret".into() } else { r.to_string() }),
                ),
                treatment,
            ),
        ],
        unit,
        granted: true,
    }
}

async fn rows_form() -> Tester {
    tester(vec![people(aggregate(10), Treatment::Clear, Some("person"))], "", Form::Rows).await
}

async fn statistics_form() -> Tester {
    tester(vec![people(aggregate(10), aggregate(10), Some("person"))], "", Form::Aggregate).await
}

#[tokio::test]
async fn small_groups_are_no_rows() {
    for t in [rows_form().await, statistics_form().await] {
        let sql =
            "select region, avg(income), sum(age), count(income) from people group by region order by region";
        assert_eq!(t.ok(sql).await, ["r0|245.0|2098|100", "r1|695.0|1682|80"]);
        assert_eq!(t.ok("select avg(income) from people where region = 'r3'").await, ["∅"]);
        assert_eq!(t.state("select sum(income) from people where person = 7").await, "42501");
        assert_eq!(t.ok("select count(*), sum(income) from people where income > 900").await, ["∅|∅"]);
        assert_eq!(t.ok("select avg(income) from people").await, ["495.0"]);
        assert_eq!(
            t.ok("select age, count(*) from people group by age order by age").await,
            ["20|68", "21|66", "22|66"]
        );
        assert_eq!(t.state("select person, sum(income) from people group by person").await, "42501");
    }
}

#[tokio::test]
async fn persons_are_counted_not_rows() {
    let counted = statistics_form().await;
    assert_eq!(
        counted.ok("select count(*) from people where region = 'r2'").await,
        ["∅"],
        "18 rows, 9 persons"
    );
    let rows = tester(vec![people(aggregate(10), aggregate(10), None)], "", Form::Aggregate).await;
    assert_eq!(rows.ok("select count(*) from people where region = 'r2'").await, ["18"]);
    let hidden =
        tester(vec![people(aggregate(10), Treatment::Withhold, Some("person"))], "", Form::Rows).await;
    assert_eq!(
        hidden.ok("select count(income) from people where income > 900").await,
        ["∅"],
        "18 rows, 9 persons"
    );
    assert_eq!(hidden.ok("select count(income) from people where income >= 900").await, ["20"]);
}

#[tokio::test]
async fn few_contributors_give_null() {
    let t = statistics_form().await;
    assert_eq!(
        t.ok("select count(*), sum(bonus), count(bonus), avg(bonus) from people").await,
        ["200|∅|∅|∅"]
    );
    assert_eq!(t.ok("select sum(income + bonus) from people").await, ["∅"]);
}

#[tokio::test]
async fn one_row_cannot_be_picked_out_inside_a_statistic() {
    let t = statistics_form().await;
    for sql in [
        "select count(case when person = 7 then 1 end) from people",
        "select count(nullif(person, 7)) from people",
        "select sum(w) from (select case when person = 7 then income else 0 end w from people) s",
        "with s as (select income * cast(person = 7 as int) w from people) select sum(w) from s",
        "select sum(income / 500) from people",
        "select sum(cast(income * 0.001 as bigint)) from people",
        "select sum(cast(income * 0.001 as decimal(20, 0))) from people",
        "select avg(cast(cast(income as bigint) as double precision)) from people",
        "select sum(cast(cast(person - 7 as boolean) as int)) from people",
        "select count(distinct case when person = 7 and income > 5 then 1 else 0 end) from people",
    ] {
        let error = t.prepare(sql).await.err().map(|error| error.sqlstate());
        assert_eq!(error, Some("0A000"), "{sql}");
    }
}

#[tokio::test]
async fn single_rows_are_refused() {
    for t in [rows_form().await, statistics_form().await] {
        for sql in [
            "select income from people",
            "select * from people",
            "select income + 1 from people limit 1",
            "select distinct income from people",
            "select person from people where income > 5",
            "select person from people order by income",
            "select person, rank() over (order by income) from people",
            "select sum(income) over (partition by region) from people",
            "select person from people where person in (select person from people where income > 5)",
            "select 1 where exists (select 1 from people where income > 990)",
            "select (select income from people limit 1)",
            "select income from people union all select income from people",
            "select a.person from people a join people b on a.income = b.income",
            "select a.person from people a left join people b on a.person = b.person where b.income = 3",
        ] {
            let error = t.fails(sql).await;
            assert!(["42501", "0A000"].contains(&error.sqlstate()), "{sql}: {error}");
            assert!(!error.reason().zh.is_empty());
        }
        let refused = t.fails("select income from people").await;
        assert_eq!(refused.sqlstate(), "42501");
    }
    let t = statistics_form().await;
    for sql in [
        "select 1 from people",
        "select region from people",
        "select count(*) from (select * from people limit 20)",
    ] {
        assert!(["42501", "0A000"].contains(&t.state(sql).await), "{sql}");
    }
    let t = rows_form().await;
    assert_eq!(
        t.ok("select region, count(*) from people group by region order by region").await,
        ["r0|100", "r1|80", "r2|18", "r3|2"]
    );
    assert_eq!(
        t.ok("select region as a, region as b, count(*) from people group by 1, 2 order by 1 limit 1").await,
        ["r0|r0|100"]
    );
    assert_eq!(t.ok("select person from people where region = 'r3' limit 1").await, ["99"]);
}

#[tokio::test]
async fn statistics_that_show_or_pick_single_rows_are_refused() {
    let t = statistics_form().await;
    for sql in [
        "select min(income) from people",
        "select max(income) from people",
        "select median(income) from people",
        "select first_value(income) from people",
        "select last_value(income order by income) from people",
        "select nth_value(income, 1) from people",
        "select string_agg(code, ',') from people",
        "select approx_distinct(income) from people",
        "select approx_median(income) from people",
        "select percentile_cont(0.5) within group (order by income) from people",
        "select bool_or(income > 5) from people",
        "select bit_xor(age) from people",
        "select corr(income, age) from people",
        "select sum(distinct income) from people",
        "select sum(income) filter (where person = 7) from people",
        "select sum(case when person = 7 then income else 0 end) from people",
        "select sum(income * (case when person = 7 then 1 else 0 end)) from people",
        "select sum(income * age) from people",
        "select sum(income * (person = 7)::int) from people",
        "select avg(coalesce(bonus, 0)) from people",
        "select sum(power(income, 9)) from people",
        "select region, sum(income) from people group by rollup (region)",
        "select region, sum(income) from people group by cube (region)",
        "select region, sum(income) from people group by grouping sets ((region), ())",
        "select sum(p.income) from people p join (values (7, 1)) v(id, w) on p.person = v.id",
        "select sum(p.income) from people p, (values (1), (2)) v(n) where v.n = 1 or p.person = 7",
        "select sum(income) from people where person in (select 7)",
        "select sum(income) from (select * from people order by person limit 11) s",
        "select sum(income) from (select distinct person, income from people) s",
        "select (select sum(b.income) from people b where b.person = a.age) from (select 1 as age) a",
    ] {
        let error = t.fails(sql).await;
        assert!(
            ["42501", "0A000", "42601", "42883"].contains(&error.sqlstate()),
            "{sql}: {} {error}",
            error.sqlstate()
        );
    }
}

#[tokio::test]
async fn no_error_depends_on_a_protected_value() {
    let t = statistics_form().await;
    for sql in [
        "select count(*) from people where 1 / (age - 20) > 0",
        "select count(*) from people where 1 / 0 = 1",
        "select count(*) from people where case when person = 7 then 1 / 0 else 1 end = 1",
        "select count(*) from people where sqrt(income) > 1",
        "select count(*) from people where cast('x' as int) = age",
        "select count(*) from people where case when person = 7 then cast('x' as int) else 1 end = 1",
        "select sum(age / (age - 20)) from people",
        "select to_date(code), count(*) from people group by 1",
        "select a / 0 from (select age as a, count(*) from people group by age) s",
    ] {
        let error = t.prepare(sql).await.err();
        if let Some(error) = error {
            assert!(["0A000", "22000"].contains(&error.sqlstate()), "{sql}: {error}");
        }
    }
    // A cast that would raise on one person gives null for that person instead.
    assert_eq!(t.ok("select count(*) from people where cast(code as int) >= 0").await, ["199"]);
    // What stands above meets released groups only: 40 persons of r1, 50 of r0.
    let sql = "select region, 1 / (n - 18) from (select region, count(*) n from people group by region) s order by 1";
    assert_eq!(t.ok(sql).await, ["r0|0", "r1|0"]);
    let sql = "select region from (select region, count(*) n from people group by region) s where 1 / (n - 18) >= 0 and 1 / (n - 2) >= 0 order by 1";
    assert_eq!(t.ok(sql).await, ["r0", "r1"]);
    let sql = "select region from people group by region having case when region = 'r3' then 1 / (count(*) - 2) else 1 end = 1 order by 1";
    assert_eq!(t.ok(sql).await, ["r0", "r1"]);
}

#[tokio::test]
async fn released_statistics_are_ordinary_rows() {
    let t = statistics_form().await;
    assert_eq!(
        t.ok("select max(a) from (select region, avg(income) a from people group by region) s").await,
        ["695.0"]
    );
    assert_eq!(t.ok("select region, avg(income) a from people group by region having avg(income) > 300 order by a desc limit 1").await, ["r1|695.0"]);
    assert_eq!(t.ok("with s as (select region, count(*) n from people group by region) select sum(n) over () from s limit 1").await, ["180"]);
    assert_eq!(t.ok("select a.region from (select region, count(*) n from people group by region) a join (select region, count(*) n from people group by region) b on a.n = b.n order by 1").await, ["r0", "r1"]);
    assert_eq!(t.ok("select upper(region), avg(income) / 5 from people where age between 20 and 22 group by upper(region) order by 1").await, ["R0|49.0", "R1|139.0"]);
    assert_eq!(t.ok("select case when age > 20 then 'old' else 'young' end g, count(*) from people group by 1 order by 1").await, ["old|132", "young|68"]);
}

#[tokio::test]
async fn joins_count_the_persons_of_each_side() {
    let homes = |unit| TestTable {
        name: "housing.homes",
        columns: vec![
            col("person", Int64Array::from_iter_values((0..100).chain(0..100)), aggregate(10)),
            col("rooms", Int64Array::from_iter_values((0..200).map(|i| i % 5)), aggregate(10)),
        ],
        unit,
        granted: true,
    };
    let t = tester(
        vec![people(aggregate(10), aggregate(10), Some("person")), homes(Some("person"))],
        "",
        Form::Aggregate,
    )
    .await;
    let sql = "select p.region, count(*), sum(h.rooms) from people p join homes h on p.person = h.person group by p.region order by 1";
    assert_eq!(t.ok(sql).await, ["r0|200|400", "r1|160|320"]);
    assert_eq!(
        t.ok("select count(*) from people join homes using (person) where region = 'r2'").await,
        ["∅"]
    );
    assert_eq!(
        t.state("select count(*) from people p left join homes h on p.person = h.person").await,
        "0A000"
    );
    assert_eq!(t.state("select count(*) from people p join homes h on p.person < h.person").await, "0A000");
    let t =
        tester(vec![people(aggregate(10), aggregate(10), Some("person")), homes(None)], "", Form::Aggregate)
            .await;
    assert_eq!(t.state("select count(*) from people p join homes h on p.person = h.person").await, "0A000");
}

#[tokio::test]
async fn noise_and_verification_are_refused_and_say_so() {
    let noise = Treatment::Noise {
        min_group: cogov_model::MinGroup::new(10).unwrap(),
        epsilon_per_month: "1".parse().unwrap(),
    };
    let t = tester(vec![people(noise, Treatment::Clear, None)], "", Form::Rows).await;
    let error = t.fails("select sum(income) from people").await;
    assert_eq!(error.sqlstate(), "42501");
    assert!(error.to_string().contains("differential privacy"));
    assert_eq!(t.ok("select count(region) from people where region = 'r3'").await, ["2"]);
    let t = tester(vec![people(noise, noise, None)], "", Form::Aggregate).await;
    assert_eq!(t.state("select count(*) from people").await, "42501");
    let t = tester(vec![people(Treatment::Clear, Treatment::Clear, None)], "", Form::Verify).await;
    assert_eq!(t.state("select 1").await, "42501");
}

#[tokio::test]
async fn a_column_under_noise_is_shown_nowhere_whatever_was_released_beside_it() {
    let noise = Treatment::Noise {
        min_group: cogov_model::MinGroup::new(10).unwrap(),
        epsilon_per_month: "1".parse().unwrap(),
    };
    for form in [Form::Rows, Form::Extract] {
        let mut table = people(aggregate(10), Treatment::Clear, Some("person"));
        table.columns[2].treatment = noise;
        let t = tester(vec![table], "", form).await;
        for sql in [
            "select income + 0 * (select avg(age) from people) from people",
            "select income from people, (select avg(age) a from people) s where s.a > 0",
            "select region from people where income > (select avg(age) from people)",
            "select region from people where income + 0 * (select avg(age) from people) = 70",
            "select region from people where exists (select avg(q.age) from people q where q.income > 5)",
            "select (select p.income + avg(q.age) from people q) from people p",
            "select (select avg(age) from people where income > 5)",
            "select avg(age) from people where income = 70",
            "select avg(age), max(income) from people",
            "select avg(age) from people group by income",
            "select s.a from people p join (select avg(age) a from people) s on p.income > s.a",
            "select region from people order by income + (select avg(age) from people) limit 1",
            "select max(income) over (), (select avg(age) from people) from people",
            "select income from people union all select avg(age) from people",
            "select avg(age) from people intersect select income from people",
            "select avg(age) from people except select income from people",
            "select distinct income from people",
            "select p.* from people p",
            "select coalesce(a, income) from (select avg(age) a from people) s full join people p on true",
        ] {
            let error = t.prepare(sql).await.err().unwrap_or_else(|| panic!("{form:?}: {sql} was planned"));
            assert!(["42501", "0A000"].contains(&error.sqlstate()), "{sql}: {error}");
        }
        assert_eq!(t.ok("select count(region) from people where region = 'r3'").await, ["2"]);
        assert_eq!(t.ok("select count(*) from people").await, ["200"]);
        assert_eq!(
            t.ok("select region, sum(age) from people where region = 'r0' group by region").await.len(),
            1
        );
        assert_eq!(t.ok("select region from people where person = 99 limit 1").await, ["r3"]);
    }
}

#[tokio::test]
async fn different_values_are_counted_where_that_is_a_sum_only() {
    let t = statistics_form().await;
    for sql in [
        "select count(distinct income) from people",
        "select count(distinct region) from people",
        "select region, count(distinct age) from people group by region",
        "select count(distinct q.person) from people p join people q on p.person = q.person",
    ] {
        assert_eq!(t.state(sql).await, "0A000", "{sql}");
    }
    let refused = t.fails("select count(distinct income) from people").await;
    assert!(refused.to_string().contains("SELECT count(*) FROM (SELECT x, count(*)"), "{refused}");
    assert_eq!(t.state("select count(distinct person) from people").await, "42501", "two rows each");
    let sql = "select count(*) from (select region, count(*) from people group by region) s";
    assert_eq!(t.ok(sql).await, ["2"], "groups that are shown");
    let homes = |treatment| TestTable {
        name: "housing.homes",
        columns: vec![
            col("person", Int64Array::from_iter_values(0..100), treatment),
            col("rooms", Int64Array::from_iter_values((0..100).map(|i| i % 5)), aggregate(10)),
        ],
        unit: Some("person"),
        granted: true,
    };
    for treatment in [aggregate(10), mask("keyed-hash")] {
        let t = tester(vec![homes(treatment)], "", Form::Aggregate).await;
        assert_eq!(
            t.ok("select count(distinct person), count(*) from homes where rooms < 2").await,
            ["40|40"]
        );
        assert_eq!(
            t.ok("select count(distinct h.person) from (select person, rooms from homes) h").await,
            ["100"]
        );
        assert_eq!(t.state("select count(distinct rooms) from homes").await, "0A000");
    }
    let both = vec![homes(aggregate(10)), people(aggregate(10), aggregate(10), Some("person"))];
    let t = tester(both, "", Form::Aggregate).await;
    let joined = "select count(distinct h.person) from homes h join people p on h.person = p.person";
    assert_eq!(t.state(joined).await, "0A000", "a join repeats rows");
    let own = tester(vec![people(aggregate(1), aggregate(1), Some("person"))], "", Form::Aggregate).await;
    assert_eq!(
        own.ok("select count(distinct income), count(distinct person) from people").await,
        ["100|100"]
    );
    let nobody = "select count(*), count(income), sum(income) from people where region = 'nowhere'";
    assert_eq!(own.ok(nobody).await, ["0|0|∅"], "nothing is hidden of one's own");
}

#[tokio::test]
async fn labels_follow_what_a_result_depends_on() {
    let mut table = people(aggregate(10), Treatment::Clear, Some("person"));
    table.columns[1].grade = Grade::General1;
    table.columns.push(crate::common::Col {
        grade: Grade::General4,
        ..col("name", StringArray::from_iter_values((0..200).map(|i| i.to_string())), mask("prefix:1"))
    });
    let t = tester(vec![table], "", Form::Rows).await;
    let grades = async |sql: &str| -> Vec<Grade> {
        t.prepare(sql).await.unwrap().columns().iter().map(|c| c.label.grade).collect()
    };
    use Grade::{General1, General2, General3};
    assert_eq!(
        grades("select region, person, name, 1 from people").await,
        [General1, General3, General3, General1]
    );
    assert_eq!(
        grades("select region from people where person > 5").await,
        [General3],
        "which rows there are tells of person"
    );
    assert_eq!(
        grades("select region from people where exists (select 1 from people where person = 3)").await,
        [General3]
    );
    assert_eq!(grades("select region from people order by person limit 1").await, [General3]);
    assert_eq!(
        grades("select a.region from people a join people b on a.person = b.person").await,
        [General3]
    );
    assert_eq!(grades("select avg(income) from people").await, [General2], "a statistic over ten");
    assert_eq!(grades("select count(*) from people").await, [General1]);
    let prepared =
        t.prepare("select name, avg(income) from people where age > 1 group by name").await.unwrap();
    assert_eq!(prepared.grade(), General3, "a mask by its one grade, a statistic only what it protects");
    assert!(prepared.clauses().iter().any(|c| c.as_str() == "open"), "{:?}", prepared.clauses());
    let chain: Vec<_> = prepared.columns()[0].chain().iter().map(|t| t.en.clone()).collect();
    assert!(
        chain[0].starts_with("name is general 4 (data.people) → only the first 1 character shown → general 3 → group over at least 10 → general 3 (open)"),
        "{chain:?}"
    );
    assert!(chain.iter().any(|c| c.contains("depends on it: age is general 3 (data.people)")), "{chain:?}");
    assert!(chain.iter().any(|c| c.contains("over at least 10 → general 2")), "{chain:?}");
}

/// What a figure is computed of cannot leave the range of its type for some rows only: it would be a step, whose mean tells
/// who lies above it.
#[tokio::test]
async fn what_is_computed_is_no_step() {
    let t = statistics_form().await;
    let step = |at: i64| format!("922337203 * 1000000000 * 10 + 6 * 1000000000 + {}", 854_775_808 - at);
    for sql in [
        format!("select avg(age + {}) from people", step(21)),
        format!("select sum(age + ({})) from people", step(21)),
        "select avg(age * 536870912 * 536870912 * 32) from people".into(),
        "select avg((age + 1000000000) + 1) from people".into(),
        "select sum((income + 1e9) * 2 - 2e9) from people".into(),
        "select sum(age::numeric(1)) from people".into(),
        "select avg(age::smallint) from people".into(),
        "select var(age + income) from people".into(),
        "select stddev(2 * age - income) from people".into(),
    ] {
        assert_eq!(t.state(&sql).await, "0A000", "{sql}");
    }
    assert_eq!(t.ok("select sum(age * 2), avg(age + 1) from people").await, ["8396|21.99"]);
    assert_eq!(t.ok("select sum((age + 5) - 5), sum(age) from people").await, ["4198|4198"]);
    assert_eq!(t.ok("select sum(2 * income - income + age) from people").await, ["103198.0"]);
    assert_eq!(
        t.ok("select sum(age::numeric(30, 2)), sum(age + 1), avg(1 - age) from people").await,
        ["4198.00|4398|-19.99"]
    );
    let spread = "select abs(var(income * 1e-9 + 1e9) / (var(income) * 1e-18) - 1) < 1e-9, stddev(-2 * income) = 2 * stddev(income) from people";
    assert_eq!(t.ok(spread).await, ["true|true"], "rows are not rounded beside a large number");
}

/// A number that is added hides no shares.
#[tokio::test]
async fn shares_are_those_of_the_columns() {
    let rows = 0..20_i64;
    let columns = vec![
        col("person", Int64Array::from_iter_values(rows.clone()), Treatment::Clear),
        col(
            "x",
            Float64Array::from_iter_values(rows.clone().map(|r| if r == 3 { 1e6 } else { 1.0 })),
            dominated(5),
        ),
        col("same", Int64Array::from_iter_values(rows.clone().map(|_| 7)), aggregate(5)),
        col("y", Int64Array::from_iter_values(rows), aggregate(5)),
    ];
    let table = TestTable { name: "data.few", columns, unit: Some("person"), granted: true };
    let t = tester(vec![table], "", Form::Rows).await;
    for sql in [
        "select avg(x) from few",
        "select avg(x + 1000000000) from few",
        "select avg(x * 3 - 1000000) from few",
        "select avg(x + y) from few",
        "select avg(same) from few",
        "select avg(same + 5) from few",
        "select avg(same + y) from few",
    ] {
        assert_eq!(t.ok(sql).await, ["∅"], "{sql}");
    }
    assert_eq!(t.ok("select avg(y), avg(2 * y + 1) from few").await, ["9.5|20.0"]);
}

/// Two persons may not make up 85 % of a figure.
fn dominated(k: u64) -> Treatment {
    let rules = format!(r#"{{"min_group":{k},"dominance":{{"largest":2,"percent":85}}}}"#);
    Treatment::Aggregate(serde_json::from_str(&rules).unwrap())
}
