//! An invented sample: rows that have the shape of a table and none of its values. Made from types and
//! categories alone, so nothing can leak.

use cogov_model::{Column, DataType, Table};

const FAMILY: [&str; 6] = ["甲", "乙", "丙", "丁", "戊", "己"];
const STREETS: [&str; 4] = ["示例路", "样本街", "虚构大道", "例子巷"];

/// SplitMix64: small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(place).copied().unwrap_or_default()
    }
}

/// Invented rows for a table: one text a column, in column order. The same seed gives the same rows.
///
/// Identity numbers carry a division that does not exist, phone numbers and domains are of the ranges
/// that are reserved for examples, so that none can be anybody's.
#[must_use]
pub fn invented_sample(table: &Table, rows: usize, seed: u64) -> Vec<Vec<String>> {
    let mut dice = Dice(seed);
    (0..rows).map(|row| table.columns.iter().map(|column| value(column, row, &mut dice)).collect()).collect()
}

fn value(column: &Column, row: usize, dice: &mut Dice) -> String {
    match column.data_type {
        DataType::Boolean => ["true", "false"].get(row % 2).copied().unwrap_or_default().to_owned(),
        DataType::Integer => integer(column, row, dice),
        DataType::Real => format!("{}.{:02}", dice.below(1000), dice.below(100)),
        DataType::Date => {
            format!("{}-{:02}-{:02}", 1960 + dice.below(50), 1 + dice.below(12), 1 + dice.below(28))
        }
        DataType::Timestamp => {
            format!("2000-{:02}-{:02}T{:02}:00:00", 1 + dice.below(12), 1 + dice.below(28), dice.below(24))
        }
        DataType::Text => text(column, row, dice),
    }
}

fn is(column: &Column, code: &str) -> bool {
    column.label.categories.iter().any(|category| category.is_within(code))
}

fn integer(column: &Column, row: usize, dice: &mut Dice) -> String {
    if is(column, "person.key") || is(column, "technical.key") || is(column, "technical.code") {
        return (row + 1).to_string();
    }
    let end = if is(column, "person.finance") {
        100_000
    } else if is(column, "person.birth") {
        90
    } else {
        10
    };
    dice.below(end).to_string()
}

fn text(column: &Column, row: usize, dice: &mut Dice) -> String {
    let n = dice.below(10_000);
    match () {
        () if is(column, "person.identity") => format!("000000{}0101{:03}0", 1950 + n % 50, n % 1000),
        () if is(column, "person.finance.account") || is(column, "enterprise.finance.account") => {
            format!("0000 0000 0000 {n:04}")
        }
        () if is(column, "person.name") => format!("{}某{}", dice.pick(&FAMILY), row + 1),
        () if is(column, "person.sex") => dice.pick(&["男", "女"]).to_owned(),
        () if is(column, "person.contact.phone") => format!("+1 555 555 01{:02}", n % 100),
        () if is(column, "person.contact.email") => format!("person{n}@example.org"),
        () if is(column, "person.location.address") => {
            format!("示例市{}{}号", dice.pick(&STREETS), 1 + n % 200)
        }
        () if is(column, "person.location.coordinates") => format!("0.{n:04}, 0.{n:04}"),
        () if is(column, "person.birth") => format!("{}-01-01", 1950 + n % 60),
        () if is(column, "enterprise.registration") => format!("示例{}有限公司", 1 + n % 100),
        () if is(column, "person.key") || is(column, "technical") => format!("KEY-{:06}", row + 1),
        () if is(column, "region") => format!("99{n:04}"),
        () if is(column, "person.text") => "这里是一段虚构的文字。An invented sentence.".to_owned(),
        () => format!("{}-{}", dice.pick(&["sample", "example", "invented"]), 1 + n % 9),
    }
}
