//! Random expressions of a kind over the columns at hand. Many of them raise on some values: that is what they are for.

use super::cell::Kind;
use super::dice::Dice;

/// A column that a statement may name, as it is named.
#[derive(Debug, Clone)]
pub struct Named {
    pub name: String,
    pub kind: Kind,
}

const LIST: [&str; 9] = ["'a'", "'ab'", "'12'", "'12x'", "'A'", "'B'", "''", "'李…'", "'a…'"];

/// A literal of a kind, from the values that stand in the tables and some that do not.
pub fn literal(kind: Kind, dice: &mut Dice) -> String {
    match kind {
        Kind::Int | Kind::Short => dice.between(-2, 12).to_string(),
        Kind::Real => format!("cast({} as double)", dice.between(-8, 20) as f64 / 4.0),
        Kind::Text => dice.pick(&LIST).to_owned(),
        Kind::Day => {
            format!("date '{}'", dice.pick(&["1999-01-01", "1999-12-31", "2000-02-29", "2001-01-01"]))
        }
        Kind::Dec => format!("cast({}.50 as decimal(10,2))", dice.between(-3, 6)),
        Kind::Bool => dice.pick(&["true", "false"]).to_owned(),
    }
}

/// A literal to compare with: also as optimisers do not expect it, folded only later or written otherwise than what equals it.
fn bound(kind: Kind, dice: &mut Dice) -> String {
    let plain = literal(kind, dice);
    match (kind, dice.below(10)) {
        (Kind::Real, 0 | 1) => "cast('-0' as double)".to_owned(),
        (Kind::Real, 2) => "cast('NaN' as double)".to_owned(),
        (Kind::Real, 3) => "cast(0 as double)".to_owned(),
        (Kind::Int, 0) => format!("cast('{}' as bigint)", dice.between(-2, 12)),
        (Kind::Int, 1) => format!("({plain} + 1)"),
        (Kind::Short, 0) => format!("cast({plain} as int)"),
        (Kind::Short, 1) => format!("{}.5", dice.between(-2, 12)),
        (Kind::Text, 0) => format!("({plain} || '')"),
        (Kind::Text, 1) => format!("cast({plain} as varchar)"),
        (Kind::Day, 0) => "cast('1999-12-31' as date)".to_owned(),
        (Kind::Dec, 0) => dice.between(-1, 3).to_string(),
        _ => plain,
    }
}

/// A column of a kind, where there is one.
pub fn column(kind: Kind, columns: &[Named], dice: &mut Dice) -> Option<String> {
    let same =
        |a: Kind| a == kind || matches!((a, kind), (Kind::Int, Kind::Short) | (Kind::Short, Kind::Int));
    let of: Vec<&Named> = columns.iter().filter(|column| same(column.kind)).collect();
    (!of.is_empty()).then(|| of[dice.below(of.len())].name.clone())
}

/// A kind that the columns have.
pub fn kind(columns: &[Named], dice: &mut Dice) -> Kind {
    if columns.is_empty() || dice.percent(10) {
        return dice.one(&[Kind::Int, Kind::Text, Kind::Real, Kind::Bool]);
    }
    columns[dice.below(columns.len())].kind
}

/// An expression.
pub fn expression(kind: Kind, columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let leaf = column(kind, columns, dice);
    if depth == 0 || dice.percent(45) {
        return match leaf {
            Some(leaf) if dice.percent(85) => leaf,
            _ => literal(kind, dice),
        };
    }
    if dice.percent(12) {
        return any_kind(kind, columns, depth, dice);
    }
    match kind {
        Kind::Int | Kind::Short => int(columns, depth, dice),
        Kind::Real => real(columns, depth, dice),
        Kind::Text => text(columns, depth, dice),
        Kind::Day => day(columns, depth, dice),
        Kind::Dec => dec(columns, depth, dice),
        Kind::Bool => predicate(columns, depth, dice),
    }
}

fn any_kind(kind: Kind, columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let e = |dice: &mut Dice| expression(kind, columns, depth - 1, dice);
    let (a, b) = (e(dice), e(dice));
    match dice.below(4) {
        0 => format!("coalesce({a}, {b})"),
        1 => format!("nullif({a}, {b})"),
        2 => {
            let when = predicate(columns, depth - 1, dice);
            format!("case when {when} then {a} else {b} end")
        }
        _ => format!("case when {} then {a} end", predicate(columns, depth - 1, dice)),
    }
}

fn int(columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let e = |kind: Kind, dice: &mut Dice| expression(kind, columns, depth - 1, dice);
    match dice.below(20) {
        0..=3 => format!("({} + {})", e(Kind::Int, dice), e(Kind::Int, dice)),
        4 => format!("({} - {})", e(Kind::Int, dice), e(Kind::Int, dice)),
        5 => format!("({} * {})", e(Kind::Int, dice), dice.between(-2, 3)),
        // Divisors that may be zero on some rows.
        6 => format!("({} / ({} - {}))", literal(Kind::Int, dice), e(Kind::Int, dice), dice.between(-3, 12)),
        7 => format!("({} % {})", e(Kind::Int, dice), dice.pick(&["2", "3", "5"])),
        8 => format!("({} / {})", e(Kind::Int, dice), dice.pick(&["2", "3", "-4"])),
        9 => format!("abs({})", e(Kind::Int, dice)),
        10 | 11 => format!("character_length({})", e(Kind::Text, dice)),
        12 => format!("cast({} as bigint)", e(Kind::Text, dice)),
        // Plain DataFusion cuts, and rounds halves away from zero: of these PostgreSQL is the judge.
        13 => format!("cast({} as int8)", e(Kind::Real, dice)),
        14 => format!("cast({} as int)", e(Kind::Int, dice)),
        15 => format!(
            "cast(date_part('{}', {}) as bigint)",
            dice.pick(&["year", "month", "day"]),
            e(Kind::Day, dice)
        ),
        16 => format!("strpos({}, {})", e(Kind::Text, dice), literal(Kind::Text, dice)),
        17 => format!("ascii({})", e(Kind::Text, dice)),
        18 => format!("try_cast({} as bigint)", e(Kind::Text, dice)),
        _ => format!("greatest({}, {})", e(Kind::Int, dice), e(Kind::Int, dice)),
    }
}

fn real(columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let e = |kind: Kind, dice: &mut Dice| expression(kind, columns, depth - 1, dice);
    match dice.below(10) {
        0 | 1 => format!("({} + {})", e(Kind::Real, dice), e(Kind::Real, dice)),
        2 => format!("({} * 2)", e(Kind::Real, dice)),
        // Never 0 / 0: with NaN, min and max depend on the order of rows, which the threads of a query decide.
        3 => format!("({} / {})", e(Kind::Real, dice), dice.pick(&["4", "-2", "0.5"])),
        4 => format!("round({})", e(Kind::Real, dice)),
        5 => format!("sqrt({})", e(Kind::Real, dice)),
        6 => format!("cast({} as double)", e(Kind::Int, dice)),
        7 => format!("cast({} as double)", e(Kind::Text, dice)),
        8 => format!("floor({})", e(Kind::Real, dice)),
        _ => format!("abs({})", e(Kind::Real, dice)),
    }
}

fn text(columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let e = |kind: Kind, dice: &mut Dice| expression(kind, columns, depth - 1, dice);
    match dice.below(15) {
        0 | 1 => format!("({} || {})", e(Kind::Text, dice), e(Kind::Text, dice)),
        2 => format!("upper({})", e(Kind::Text, dice)),
        3 => format!("lower({})", e(Kind::Text, dice)),
        4 => format!("left({}, {})", e(Kind::Text, dice), dice.between(0, 3)),
        5 => format!("substr({}, {})", e(Kind::Text, dice), dice.between(1, 3)),
        6 => format!("replace({}, 'a', 'bb')", e(Kind::Text, dice)),
        7 => format!("cast({} as varchar)", e(Kind::Int, dice)),
        8 => format!("cast({} as varchar)", e(Kind::Day, dice)),
        9 => format!("reverse({})", e(Kind::Text, dice)),
        10 => format!("btrim({})", e(Kind::Text, dice)),
        11 => format!("split_part({}, '-', {})", e(Kind::Text, dice), dice.between(1, 2)),
        12 => format!("translate({}, 'ab1', 'xyz')", e(Kind::Text, dice)),
        13 => format!("regexp_replace({}, '[0-9]+', 'n')", e(Kind::Text, dice)),
        _ => format!("concat({}, {})", e(Kind::Text, dice), e(Kind::Int, dice)),
    }
}

fn day(columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let e = |kind: Kind, dice: &mut Dice| expression(kind, columns, depth - 1, dice);
    match dice.below(5) {
        0 => format!("({} + interval '1 month')::date", e(Kind::Day, dice)),
        1 => format!("cast({} as date)", e(Kind::Text, dice)),
        2 => format!("to_date({})", e(Kind::Text, dice)),
        3 => format!("make_date(2000, cast({} as int), 1)", e(Kind::Short, dice)),
        _ => format!("date_trunc('{}', {})::date", dice.pick(&["year", "month"]), e(Kind::Day, dice)),
    }
}

fn dec(columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let e = |kind: Kind, dice: &mut Dice| expression(kind, columns, depth - 1, dice);
    match dice.below(5) {
        0 => format!("cast({} + {} as decimal(10,2))", e(Kind::Dec, dice), e(Kind::Dec, dice)),
        1 => format!("cast({} as decimal(10,2))", e(Kind::Text, dice)),
        2 => format!("cast({} as decimal(10,2))", e(Kind::Int, dice)),
        3 => format!("cast({} / {} as decimal(10,2))", e(Kind::Dec, dice), e(Kind::Dec, dice)),
        _ => format!("abs({})", e(Kind::Dec, dice)),
    }
}

/// A condition.
pub fn predicate(columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let below = depth.saturating_sub(1);
    let of = kind(columns, dice);
    match dice.below(22) {
        0..=6 => comparison(of, columns, below, dice),
        7 | 8 => {
            let column = column(of, columns, dice).unwrap_or_else(|| literal(of, dice));
            beside(&column, of, dice)
        }
        // Two of one column, of which one may follow from the other.
        9 if dice.percent(40) => {
            let column = column(of, columns, dice).unwrap_or_else(|| literal(of, dice));
            let (a, b) = (beside(&column, of, dice), beside(&column, of, dice));
            format!("({a} {} {b})", dice.pick(&["and", "and", "or"]))
        }
        9 | 10 if depth > 0 => {
            let (a, b) = (predicate(columns, below, dice), predicate(columns, below, dice));
            format!("({a} {} {b})", dice.pick(&["or", "and", "or"]))
        }
        11 if depth > 0 => format!("not ({})", predicate(columns, below, dice)),
        12 => {
            let of = kind(columns, dice);
            format!("{} is {}null", expression(of, columns, below, dice), dice.pick(&["", "not ", "not "]))
        }
        13 => {
            let value = expression(of, columns, below, dice);
            within(&value, of, columns, dice)
        }
        19 => {
            let column = column(of, columns, dice).unwrap_or_else(|| literal(of, dice));
            let (a, b) = (within(&column, of, columns, dice), within(&column, of, columns, dice));
            format!("{}({a} {} {b})", dice.pick(&["", "", "not "]), dice.pick(&["and", "or"]))
        }
        20 => {
            let value = expression(Kind::Dec, columns, below, dice);
            let sign = dice.pick(&["=", "<>", "<", ">="]);
            format!(
                "(cast({value} as {}) {sign} {})",
                dice.pick(&["int4", "decimal(9,0)"]),
                dice.between(-1, 3)
            )
        }
        14 => {
            let value = expression(Kind::Int, columns, below, dice);
            format!("{value} between {} and {}", dice.between(-2, 3), dice.between(4, 12))
        }
        15 => {
            let pattern = dice.pick(&["'a%'", "'%1%'", "'_'", "'A…'", "'%x'"]);
            format!(
                "{} {} {pattern}",
                expression(Kind::Text, columns, below, dice),
                dice.pick(&["like", "ilike", "not like", "not like"])
            )
        }
        16 => format!(
            "starts_with({}, {})",
            expression(Kind::Text, columns, below, dice),
            literal(Kind::Text, dice)
        ),
        17 => format!("regexp_like({}, '^[0-9]+$')", expression(Kind::Text, columns, below, dice)),
        18 => {
            let (a, b) = (expression(of, columns, below, dice), expression(of, columns, below, dice));
            // In parentheses: sqlparser reads what follows into either side, and the dialect of the engine does not.
            format!("(({a}) is {}distinct from ({b}))", dice.pick(&["", "not "]))
        }
        _ => expression(Kind::Bool, columns, 0, dice),
    }
}

/// A value in a list or not.
fn within(value: &str, kind: Kind, columns: &[Named], dice: &mut Dice) -> String {
    let mut list: Vec<String> = (0..2 + dice.below(4)).map(|_| bound(kind, dice)).collect();
    if dice.percent(20) {
        list.push(expression(kind, columns, 0, dice));
    }
    if dice.percent(12) {
        list.push("null".into());
    }
    format!("{value} {}in ({})", dice.pick(&["", "not "]), list.join(", "))
}

/// A column beside a literal, on either side of it.
fn beside(column: &str, kind: Kind, dice: &mut Dice) -> String {
    let (sign, bound) = (dice.pick(&["=", "<", "<=", ">=", ">", "<>", "<>"]), bound(kind, dice));
    if dice.percent(30) { format!("{bound} {sign} {column}") } else { format!("{column} {sign} {bound}") }
}

fn comparison(kind: Kind, columns: &[Named], depth: usize, dice: &mut Dice) -> String {
    let sign = dice.pick(&["=", "<", "<=", ">", ">=", "<>", "<>", ">="]);
    format!("{} {sign} {}", expression(kind, columns, depth, dice), expression(kind, columns, depth, dice))
}
