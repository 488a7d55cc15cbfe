//! No value of one person decides what is shown: neither by a condition that leaves only them in doubt, nor by the way in which
//! a group is missing.

use super::remembered_statistics::{everybody, memory, people};
use crate::common::{TestTable, Tester, aggregate, col, remembered};
use arrow::array::{Float64Array, Int64Array, StringArray};
use cogov_model::{Form, Treatment};

/// 400 persons of whom all but the income, 1000 to 1100, is seen; a table of codes and one of the same people.
async fn lab(name: &str) -> Tester {
    let codes = TestTable {
        name: "data.codes",
        columns: vec![
            col(
                "code",
                Float64Array::from_iter_values((0..101).map(|c| 1000.0 + f64::from(c))),
                Treatment::Clear,
            ),
            col(
                "kind",
                StringArray::from_iter_values((0..101).map(|c| ["low", "high"][c / 51])),
                Treatment::Clear,
            ),
            col(
                "region",
                StringArray::from_iter_values((0..101).map(|c| format!("r{}", c % 4))),
                Treatment::Clear,
            ),
        ],
        unit: None,
        granted: true,
    };
    let taxes = TestTable {
        name: "data.taxes",
        columns: vec![
            col("person", Int64Array::from_iter_values(0..400), aggregate(10)),
            col(
                "declared",
                Float64Array::from_iter_values((0..400).map(|p| f64::from(1000 + p % 89))),
                aggregate(10),
            ),
        ],
        unit: Some("person"),
        granted: true,
    };
    let mut people = people(&everybody(), Treatment::Clear);
    let last = people.columns.len() - 1;
    people.columns[last].treatment = aggregate(10);
    remembered(vec![people, codes, taxes], Form::Rows, &memory(name)).await
}

/// Nine who are known, or one more if their income is above a number: its answer would be that person's income.
#[tokio::test]
async fn nobody_is_left_alone_in_doubt() {
    let t = lab("doubt").await;
    let count = |rest: &str| format!("select count(*) from people p {rest}");
    for aimed in [
        "where serial < 9 or (serial = 77 and income > 1050)",
        "where case when serial = 77 then income > 1050 else serial < 9 end",
        "where not (serial >= 9 and (serial <> 77 or income <= 1050))",
        "where serial <= 77 and income > 1050 - 100 * abs(serial - 77)",
        "where income > case when serial = 77 then 1050 else 0 end and serial in (1, 2, 3, 4, 5, 6, 7, 8, 9, 77)",
        "where coalesce(nullif(serial < 9, false), income > 1050) and serial < 10",
        "join codes c on p.region = c.region where p.income > c.code",
        "join codes c on p.income = c.code and p.region = c.region where c.kind = 'high'",
        "join codes c on p.income = c.code where c.region = p.region",
        "join (select region, avg(income) as a from people group by region) s on p.region = s.region where p.income > s.a",
        "join taxes t on p.person = t.person where t.declared > 1050 or p.income > 1050",
        "join taxes t on p.person = t.person where p.income > t.declared + 0.5",
    ] {
        assert_eq!(t.state(&count(aimed)).await, "0A000", "{aimed}");
        let (joins, condition) = aimed.split_once("where ").unwrap();
        if !condition.contains(" and serial") && !condition.starts_with("c.") {
            let by = format!("select {condition} as g, count(*) from people p {joins} group by 1");
            assert_eq!(t.state(&by).await, "0A000", "{by}");
        }
    }
    let error = t.rows(&count("where serial < 9 or income > 1050")).await.unwrap_err().to_string();
    assert!(error.contains("data.people.income") && error.contains("data.people.serial"), "{error}");
    for (fair, shown) in [
        ("where serial < 200 and income > 1050 and income <> 1060", true),
        ("where income > 1080 or income < 1010 or income is null", true),
        ("join codes c on p.income = c.code where c.kind = 'high'", true),
        ("join taxes t on p.person = t.person where p.income > t.declared", true),
        ("where serial < 9 and income > 0", false),
    ] {
        assert_eq!(t.ok(&count(fair)).await != ["∅"], shown, "{fair}");
    }
}

/// Of a group of nine, and one more who may have what the nine have, it would tell whether the tenth does.
#[tokio::test]
async fn small_groups_and_hidden_ones_look_alike() {
    let income = |p: i64| 1000 + p * 37 % 101;
    for by in ["", "region"] {
        let t = lab(&format!("alike {by}")).await;
        let ask = |above: i64, one: &str| match by {
            "" => format!(
                "select count(*), avg(income) from people where income > {above} and (serial < 60 {one})"
            ),
            _ => format!(
                "select region, count(*) from people where income > {above} and (serial < 160 {one}) and region = 'r0' group by region"
            ),
        };
        let (most, step) = if by.is_empty() { (60, 1) } else { (160, 4) };
        // The greatest number above which ten are: found by asking.
        let mut cut = 1101;
        while t.ok(&ask(cut, "")).await.iter().all(|row| row.contains('∅')) {
            cut -= 1;
        }
        let above = (0..most).step_by(step).filter(|p| income(*p) > cut).count();
        assert!(above >= 10, "{above}");
        let (mut has, mut has_not) = (Vec::new(), Vec::new());
        for person in (most..400).step_by(step) {
            let rows = t.ok(&ask(cut + 1, &format!("or serial = {person}"))).await;
            if income(person) > cut + 1 { has.push(rows) } else { has_not.push(rows) }
        }
        assert!(has.len() > 5 && has_not.len() > 5);
        has.extend(has_not);
        assert!(has.windows(2).all(|two| two[0] == two[1]), "{has:?}");
    }
}
