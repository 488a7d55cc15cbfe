//! Values, and what each mask shows of them: written anew here, so that it can judge the engine's.

use super::dice::Dice;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    StringViewArray,
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::Arc;

/// The key of every grant here.
pub const KEY: [u8; 32] = [9; 32];

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    /// A whole number of 32 bits.
    Short,
    Real,
    Text,
    Day,
    Dec,
    Bool,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    /// Days after 1970-01-01.
    Day(i32),
    /// Hundredths.
    Dec(i128),
    Bool(bool),
}

/// What a grant shows of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Clear,
    Year,
    Band(u32),
    Prefix(u8),
    Hash,
    /// In statistics over at least so many.
    Statistic(u64),
    Withheld,
}

const TEXTS: [&str; 18] = [
    "",
    "a",
    "ab",
    "abc",
    "12",
    "12x",
    "7",
    "x",
    "李明",
    "李小明",
    "2001-02-03",
    "19990101",
    "A",
    "B",
    "-1",
    "3.5",
    "1999/12/31",
    "Ab c",
];

/// Days of 1999 to 2001, and one before the epoch.
const DAYS: [i32; 9] = [10_592, 10_593, 10_900, 10_957, 11_000, 11_016, 11_322, 11_323, -200];

/// A value of a kind. The pools are small, so that values meet in joins and groups, and full of what raises:
/// zeros, texts that are no numbers, ends of ranges.
pub fn random(kind: Kind, dice: &mut Dice) -> Cell {
    if dice.percent(12) {
        return Cell::Null;
    }
    match kind {
        Kind::Int if dice.percent(2) => Cell::Int(dice.one(&[i64::MAX, i64::MIN + 1, 3_000_000_000])),
        Kind::Int | Kind::Short => Cell::Int(dice.between(-3, 12)),
        // Quarters add up to the same in any order; other reals do not, and the threads of a query add in the
        // order in which they come.
        Kind::Real => match dice.below(100) {
            0..4 => Cell::Real(-0.0),
            4..12 => Cell::Real(0.0),
            _ => Cell::Real(dice.between(-12, 40) as f64 / 4.0),
        },
        Kind::Text => Cell::Text(dice.pick(&TEXTS).to_owned()),
        Kind::Day => Cell::Day(dice.one(&DAYS)),
        Kind::Dec => Cell::Dec(i128::from(dice.between(-6, 12)) * 50),
        Kind::Bool => Cell::Bool(dice.percent(50)),
    }
}

/// What is shown of a value.
pub fn image(cell: &Cell, shown: Shown) -> Cell {
    match (shown, cell) {
        (Shown::Withheld, _) | (_, Cell::Null) => Cell::Null,
        (Shown::Year, Cell::Day(day)) => Cell::Int(year_of_day(*day)),
        (Shown::Year, Cell::Text(text)) => year_of_text(text).map_or(Cell::Null, Cell::Int),
        (Shown::Band(width), Cell::Int(value)) => {
            let width = i128::from(width);
            let low = i128::from(*value).div_euclid(width) * width;
            i64::try_from(low).map_or(Cell::Null, Cell::Int)
        }
        (Shown::Band(width), Cell::Real(value)) => {
            let width = f64::from(width);
            Cell::Real((value / width).floor() * width + 0.0)
        }
        (Shown::Prefix(keep), Cell::Text(text)) => {
            let kept: String = text.chars().take(usize::from(keep)).collect();
            Cell::Text(kept + "…")
        }
        (Shown::Hash, cell) => Cell::Text(keyed(cell)),
        (_, cell) => cell.clone(),
    }
}

/// The kind of what is shown of a kind.
pub fn image_kind(kind: Kind, shown: Shown) -> Kind {
    match (shown, kind) {
        (Shown::Year, _) => Kind::Short,
        (Shown::Band(_), Kind::Short) => Kind::Int,
        (Shown::Hash, _) => Kind::Text,
        _ => kind,
    }
}

fn keyed(cell: &Cell) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(words(cell).as_bytes());
    mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn words(cell: &Cell) -> String {
    match cell {
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Bool(value) => value.to_string(),
        Cell::Day(day) => {
            let (year, month, day) = civil(*day);
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => panic!("no keyed hash of {other:?}"),
    }
}

/// Year, month and day of a day number, by Howard Hinnant's arithmetic of civil calendars.
pub fn civil(day: i32) -> (i64, i64, i64) {
    let z = i64::from(day) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

fn year_of_day(day: i32) -> i64 {
    civil(day).0
}

fn year_of_text(text: &str) -> Option<i64> {
    let digits: String = match text.len() {
        8 => text.to_owned(),
        10 => {
            let separated = ["-", "/"].iter().any(|s| text.get(4..5) == Some(s) && text.get(7..8) == Some(s));
            separated.then(|| text.replace(['-', '/'], ""))?
        }
        _ => return None,
    };
    let all = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit());
    all.then(|| digits[..4].parse().unwrap())
}

/// Another value of which the same is shown.
pub fn twin(cell: &Cell, kind: Kind, shown: Shown, dice: &mut Dice) -> Cell {
    match (shown, cell) {
        (Shown::Withheld, _) => random(kind, dice),
        (Shown::Year, Cell::Day(_)) => among(cell, shown, &DAYS.map(Cell::Day), dice),
        // A text that is no date shows as null does.
        (Shown::Year, _) if kind == Kind::Text => {
            let texts = TEXTS.iter().chain(&["2001-12-31", "2001/01/01", "20010909", "1999-04-05"]);
            let mut all: Vec<Cell> = texts.map(|text| Cell::Text((*text).to_owned())).collect();
            all.push(Cell::Null);
            among(cell, shown, &all, dice)
        }
        (Shown::Band(width), Cell::Int(value)) => {
            let low = i128::from(*value).div_euclid(i128::from(width)) * i128::from(width);
            let other = low + i128::from(dice.between(0, i64::from(width) - 1));
            i64::try_from(other).map_or(cell.clone(), Cell::Int)
        }
        (Shown::Band(width), Cell::Real(value)) => {
            let low = (value / f64::from(width)).floor() * f64::from(width);
            Cell::Real(low + dice.between(0, i64::from(width) * 4 - 1) as f64 / 4.0)
        }
        (Shown::Prefix(keep), Cell::Text(text)) if text.chars().count() >= usize::from(keep) => {
            let kept: String = text.chars().take(usize::from(keep)).collect();
            Cell::Text(kept + dice.pick(&["", "", "1", "zz", "李", "2x", " and a long tail of it"]))
        }
        _ => cell.clone(),
    }
}

fn among(cell: &Cell, shown: Shown, all: &[Cell], dice: &mut Dice) -> Cell {
    let image_of = image(cell, shown);
    let same: Vec<Cell> = all.iter().filter(|other| image(other, shown) == image_of).cloned().collect();
    if same.is_empty() { cell.clone() } else { dice.one(&same) }
}

/// A column of cells as it is stored, or with texts as views, as the engine reads them.
pub fn array(kind: Kind, cells: &[Cell], views: bool) -> ArrayRef {
    let int = |cell: &Cell| if let Cell::Int(value) = cell { Some(*value) } else { None };
    let real = |cell: &Cell| if let Cell::Real(value) = cell { Some(*value) } else { None };
    let text = |cell: &Cell| if let Cell::Text(text) = cell { Some(text.clone()) } else { None };
    let day = |cell: &Cell| if let Cell::Day(day) = cell { Some(*day) } else { None };
    let dec = |cell: &Cell| if let Cell::Dec(value) = cell { Some(*value) } else { None };
    let bool = |cell: &Cell| if let Cell::Bool(value) = cell { Some(*value) } else { None };
    match kind {
        Kind::Int => Arc::new(cells.iter().map(int).collect::<Int64Array>()),
        Kind::Short => {
            let short = |value: i64| i32::try_from(value).unwrap();
            Arc::new(cells.iter().map(|cell| int(cell).map(short)).collect::<Int32Array>())
        }
        Kind::Real => Arc::new(cells.iter().map(real).collect::<Float64Array>()),
        Kind::Text if views => Arc::new(cells.iter().map(text).collect::<StringViewArray>()),
        Kind::Text => Arc::new(cells.iter().map(text).collect::<StringArray>()),
        Kind::Day => Arc::new(cells.iter().map(day).collect::<Date32Array>()),
        Kind::Dec => {
            let array = cells.iter().map(dec).collect::<Decimal128Array>();
            Arc::new(array.with_precision_and_scale(10, 2).unwrap())
        }
        Kind::Bool => Arc::new(cells.iter().map(bool).collect::<BooleanArray>()),
    }
}
