//! Random grants over small tables: what is shown of each column, and which rows are in scope.

use super::cell::{Cell, Kind, Shown, civil, random};
use super::dice::Dice;
use cogov_model::Form;

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub shown: Shown,
}

/// Which rows are granted.
#[derive(Debug, Clone)]
pub enum Scope {
    Compare(usize, &'static str, Cell),
    In(usize, Vec<Cell>),
    Any(Box<Scope>, Box<Scope>),
    /// The column's value stands as a key in the table of links, in a row whose level is above this.
    Linked(usize, i64),
}

/// A table and what is granted of it.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: &'static str,
    pub fields: Vec<Field>,
    /// All of these hold of a row that is granted.
    pub scope: Vec<Scope>,
    pub unit: Option<&'static str>,
}

/// A grant.
#[derive(Debug, Clone)]
pub struct Grant {
    pub form: Form,
    pub tables: Vec<Table>,
}

/// A row of the table of links, which is not granted itself: a key and a level.
pub type Link = (Cell, Cell);

/// The table that linked scopes look into.
pub const LINKS: &str = "aux.links";

const TABLES: [&str; 3] = ["data.people", "data.visits", "other.places"];

const FIELDS: [(&str, Kind); 11] = [
    ("a", Kind::Int),
    ("b", Kind::Int),
    ("n", Kind::Short),
    ("x", Kind::Real),
    ("y", Kind::Real),
    ("t", Kind::Text),
    ("u", Kind::Text),
    ("w", Kind::Text),
    ("day", Kind::Day),
    ("money", Kind::Dec),
    ("flag", Kind::Bool),
];

/// A random grant.
pub fn grant(dice: &mut Dice) -> Grant {
    let form = if dice.percent(12) { Form::Aggregate } else { Form::Rows };
    let statistics = form == Form::Aggregate || dice.percent(20);
    let count = 2 + dice.below(2);
    let tables = (0..count).map(|i| table(TABLES[i], statistics, dice)).collect();
    Grant { form, tables }
}

fn table(name: &'static str, statistics: bool, dice: &mut Dice) -> Table {
    let mut fields = vec![
        Field {
            name: "id",
            kind: Kind::Int,
            shown: if dice.percent(80) { Shown::Clear } else { Shown::Withheld },
        },
        Field {
            name: "org",
            kind: Kind::Text,
            shown: if dice.percent(70) { Shown::Clear } else { Shown::Withheld },
        },
    ];
    for (name, kind) in FIELDS {
        if dice.percent(55) {
            fields.push(Field { name, kind, shown: shown(kind, statistics, dice) });
        }
    }
    if fields.iter().all(|field| field.shown == Shown::Withheld) {
        fields[0].shown = Shown::Clear;
    }
    // Otherwise statistics would count at least ten, and nearly all of these tables are smaller.
    if statistics && fields.len() > 2 && dice.percent(70) {
        let last = fields.len() - 1;
        fields[last].shown = Shown::Statistic(dice.one(&[2, 2, 3, 20]));
    }
    let conditions = dice.one(&[0, 1, 1, 1, 1, 1, 2]);
    let scope = (0..conditions).map(|_| scope(&fields, 0, dice)).collect();
    let unit = dice.percent(60).then_some("id");
    Table { name, fields, scope, unit }
}

fn shown(kind: Kind, statistics: bool, dice: &mut Dice) -> Shown {
    match dice.below(100) {
        0..20 => Shown::Withheld,
        20..60 => mask(kind, dice),
        60..75 if statistics => Shown::Statistic(dice.one(&[2, 2, 3, 20])),
        _ => Shown::Clear,
    }
}

fn mask(kind: Kind, dice: &mut Dice) -> Shown {
    match kind {
        Kind::Int | Kind::Short => dice.one(&[Shown::Band(2), Shown::Band(5), Shown::Band(10), Shown::Hash]),
        Kind::Real => dice.one(&[Shown::Band(1), Shown::Band(5)]),
        Kind::Text => dice.one(&[
            Shown::Prefix(0),
            Shown::Prefix(1),
            Shown::Prefix(1),
            Shown::Prefix(2),
            Shown::Year,
            Shown::Hash,
        ]),
        Kind::Day => dice.one(&[Shown::Year, Shown::Year, Shown::Hash]),
        Kind::Bool => Shown::Hash,
        // No mask fits a decimal.
        Kind::Dec => Shown::Clear,
    }
}

fn scope(fields: &[Field], depth: usize, dice: &mut Dice) -> Scope {
    match dice.below(13) {
        0 | 1 if depth == 0 => Scope::Any(Box::new(scope(fields, 1, dice)), Box::new(scope(fields, 1, dice))),
        2 | 3 => Scope::Linked(0, dice.between(0, 3)),
        4 => Scope::In(0, (0..3).map(|_| Cell::Int(dice.between(-3, 12))).collect()),
        5 => Scope::Compare(0, dice.pick(&["<", ">=", "<>"]), Cell::Int(dice.between(0, 9))),
        6..=8 => of_any_column(fields, dice),
        _ => Scope::Compare(1, dice.pick(&["=", "=", "<>"]), Cell::Text(dice.pick(&["A", "B"]).to_owned())),
    }
}

/// A comparison of any column, shown or not, that leaves most rows in; often with an end of what statements compare with.
fn of_any_column(fields: &[Field], dice: &mut Dice) -> Scope {
    let real = fields.iter().position(|field| field.kind == Kind::Real && field.shown == Shown::Clear);
    let at = real.filter(|_| dice.percent(50)).unwrap_or_else(|| dice.below(fields.len()));
    let sign = dice.pick(&["<>", ">=", "<=", "<", ">", "<>"]);
    match fields[at].kind {
        Kind::Real => Scope::Compare(at, sign, Cell::Real(dice.one(&[0.0, -0.0, 0.25, 2.0, 5.0]))),
        // A column of whole numbers is compared as a real one then.
        Kind::Int | Kind::Short if dice.percent(30) => Scope::Compare(at, sign, Cell::Real(2.5)),
        Kind::Int | Kind::Short => Scope::Compare(at, sign, Cell::Int(dice.between(0, 6))),
        Kind::Text => {
            Scope::Compare(at, sign, Cell::Text(dice.pick(&["", "a", "12", "A", "李明"]).to_owned()))
        }
        Kind::Day => Scope::Compare(at, sign, Cell::Day(dice.one(&[10_592, 10_957, 11_016, 11_323]))),
        Kind::Bool => Scope::Compare(at, dice.pick(&["=", "<>"]), Cell::Bool(dice.percent(50))),
        Kind::Dec => Scope::Compare(at, sign, Cell::Int(dice.between(0, 3))),
    }
}

impl Scope {
    /// Whether it looks at a column.
    fn looks_at(&self, column: usize) -> bool {
        match self {
            Scope::Compare(at, ..) | Scope::In(at, _) | Scope::Linked(at, _) => *at == column,
            Scope::Any(one, other) => one.looks_at(column) || other.looks_at(column),
        }
    }

    /// Whether a row is granted. A comparison with null grants nothing.
    pub fn holds(&self, row: &[Cell], links: &[Link]) -> bool {
        match self {
            Scope::Compare(at, op, value) => compare(&row[*at], op, value),
            Scope::In(at, values) => values.iter().any(|value| compare(&row[*at], "=", value)),
            Scope::Any(one, other) => one.holds(row, links) || other.holds(row, links),
            Scope::Linked(at, level) => links
                .iter()
                .any(|(key, of)| compare(&row[*at], "=", key) && compare(of, ">", &Cell::Int(*level))),
        }
    }

    /// As the model writes it.
    pub fn json(&self, fields: &[Field]) -> String {
        let name = |at: &usize| fields[*at].name;
        match self {
            Scope::Compare(at, op, value) => {
                format!(r#"{{"column":"{}","op":"{op}","value":{}}}"#, name(at), literal(value))
            }
            Scope::In(at, values) => {
                let values: Vec<String> = values.iter().map(literal).collect();
                format!(r#"{{"column":"{}","values":[{}]}}"#, name(at), values.join(","))
            }
            Scope::Any(one, other) => format!(r#"{{"any":[{},{}]}}"#, one.json(fields), other.json(fields)),
            Scope::Linked(at, level) => format!(
                r#"{{"linked":{{"column":"{}","dataset":"aux","table":"links","key":"key","any":[{{"column":"level","op":">","value":{level}}}]}}}}"#,
                name(at)
            ),
        }
    }
}

fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Int(value) => value.to_string(),
        Cell::Real(value) => format!("{value:?}"),
        Cell::Bool(value) => value.to_string(),
        Cell::Text(text) => format!("\"{text}\""),
        Cell::Day(day) => {
            let (year, month, day) = civil(*day);
            format!("\"{year:04}-{month:02}-{day:02}\"")
        }
        other => panic!("no literal of a scope: {other:?}"),
    }
}

fn compare(left: &Cell, op: &str, right: &Cell) -> bool {
    let order = match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Real(left), Cell::Real(right)) => left.partial_cmp(right).unwrap(),
        (Cell::Int(left), Cell::Real(right)) => (*left as f64).partial_cmp(right).unwrap(),
        (Cell::Dec(left), Cell::Int(right)) => left.cmp(&(i128::from(*right) * 100)),
        (Cell::Day(left), Cell::Day(right)) => left.cmp(right),
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(right),
        _ => return false,
    };
    match op {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        other => panic!("no operator {other}"),
    }
}

impl Table {
    /// The row scope as the model writes it.
    pub fn scope_json(&self) -> Option<String> {
        let all: Vec<String> = self.scope.iter().map(|scope| scope.json(&self.fields)).collect();
        (!all.is_empty()).then(|| format!(r#""{}":[{}]"#, self.name, all.join(",")))
    }

    /// A row of random values; identifiers and organisations from small sets, so that scopes part them.
    pub fn row(&self, dice: &mut Dice) -> Vec<Cell> {
        let cell = |(at, field): (usize, &Field)| match at {
            0 if !dice.percent(6) => Cell::Int(dice.between(-3, 12)),
            1 if !dice.percent(8) => Cell::Text(dice.pick(&["A", "B", "C"]).to_owned()),
            _ => random(field.kind, dice),
        };
        self.fields.iter().enumerate().map(cell).collect()
    }

    /// Whether a row is granted.
    pub fn grants(&self, row: &[Cell], links: &[Link]) -> bool {
        self.scope.iter().all(|scope| scope.holds(row, links))
    }

    /// Whether its scope looks at a column.
    pub fn is_scoped_by(&self, column: usize) -> bool {
        self.scope.iter().any(|scope| scope.looks_at(column))
    }

    /// The threshold of its statistics; none when none of its columns asks for one.
    pub fn threshold(&self) -> Option<u64> {
        let asked = self.fields.iter().filter_map(|field| match field.shown {
            Shown::Statistic(k) => Some(k),
            _ => None,
        });
        asked.max()
    }
}
