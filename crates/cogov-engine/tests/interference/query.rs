//! Random statements over what a grant shows, and some over what it does not.

use super::cell::Kind;
use super::dice::Dice;
use super::expression::{Named, column, expression, kind, literal, predicate};
use super::statement::{Order, Select, Statement};

/// A granted table as the asker knows it.
#[derive(Debug, Clone)]
pub struct Granted {
    pub name: &'static str,
    /// Shown row by row.
    pub columns: Vec<(&'static str, Kind)>,
    /// Shown in statistics.
    pub protected: Vec<(&'static str, Kind)>,
    pub withheld: Vec<&'static str>,
}

/// What statements are made over.
#[derive(Debug, Clone)]
pub struct Shop {
    pub tables: Vec<Granted>,
    /// Whether the grant gives statistics only.
    pub statistics: bool,
    /// Whether a table lies in one group of rows, so that its rows come in one batch, in their order.
    pub whole: bool,
}

struct Maker<'a> {
    shop: &'a Shop,
    dice: &'a mut Dice,
    aliases: usize,
    with: Vec<(String, String, Vec<Kind>)>,
    /// Whether everything so far is a filter and a projection over one table.
    plain: bool,
}

/// A random statement.
pub fn statement(shop: &Shop, dice: &mut Dice) -> Statement {
    let mut maker = Maker { shop, dice, aliases: 0, with: Vec::new(), plain: true };
    let held = shop.tables.iter().any(|table| !table.protected.is_empty());
    if maker.dice.percent(4) {
        maker.forbidden()
    } else if shop.statistics || (held && maker.dice.percent(25)) {
        maker.statistic()
    } else {
        maker.general()
    }
}

impl Maker<'_> {
    fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }

    fn table(&mut self) -> &Granted {
        let at = self.dice.below(self.shop.tables.len());
        &self.shop.tables[at]
    }

    fn scan(&mut self) -> (String, Vec<Named>) {
        let alias = self.alias('t');
        let table = self.table();
        let named = |(name, kind): &(&str, Kind)| Named { name: format!("{alias}.{name}"), kind: *kind };
        let columns = table.columns.iter().map(named).collect();
        (format!("{} {alias}", table.name), columns)
    }

    /// Something to select from.
    fn source(&mut self, depth: usize) -> (String, Vec<Named>) {
        if depth == 0 || self.dice.percent(80) {
            return self.scan();
        }
        self.plain = false;
        let alias = self.alias('q');
        let columns = |kinds: &[Kind]| {
            let named = |(n, kind): (usize, &Kind)| Named { name: format!("{alias}.c{n}"), kind: *kind };
            kinds.iter().enumerate().map(named).collect()
        };
        if !self.with.is_empty() && self.dice.percent(60) {
            let (name, _, kinds) = self.dice.one(&self.with);
            return (format!("{name} {alias}"), columns(&kinds));
        }
        let (sql, kinds) = self.inner(depth - 1);
        (format!("({sql}) {alias}"), columns(&kinds))
    }

    /// A query inside another. A limit stands only over a total order.
    fn inner(&mut self, depth: usize) -> (String, Vec<Kind>) {
        let (select, kinds) = self.select(depth);
        let mut statement = Statement::of(select);
        if self.dice.percent(25) {
            statement.order = Order::Total;
            statement.limit = Some((1 + self.dice.below(6), 0));
        }
        (statement.sql(), kinds)
    }

    fn general(&mut self) -> Statement {
        while self.dice.percent(12) && self.with.len() < 2 {
            let (sql, kinds) = self.inner(1);
            self.with.push((format!("w{}", self.with.len()), sql, kinds));
            self.plain = false;
        }
        let (first, kinds) = self.select(2);
        let mut statement = Statement::of(first);
        statement.with = self.with.iter().map(|(name, sql, _)| format!("{name} as ({sql})")).collect();
        if self.dice.percent(12) {
            self.plain = false;
            let other = self.select_of(&kinds);
            let words =
                ["union", "union all", "union all", "intersect", "except", "intersect all", "except all"];
            let word = self.dice.one(&words);
            statement.others.push((word, other));
        }
        self.finish(statement)
    }

    fn finish(&mut self, mut statement: Statement) -> Statement {
        if self.dice.percent(55) {
            statement.order = Order::Total;
            let all = ["asc", "desc", "asc nulls first", "desc nulls last"];
            statement.directions = (0..3).map(|_| self.dice.one(&all)).collect();
        } else if self.plain && self.shop.whole && statement.first.groups.is_empty() {
            statement.order = Order::Stored;
        }
        if statement.order != Order::Free && statement.others.is_empty() && self.dice.percent(40) {
            let offset = if self.dice.percent(15) { self.dice.below(3) } else { 0 };
            statement.limit = Some((self.dice.below(24).div_ceil(4), offset));
        }
        // Follows from the text, so that what the dice say next stays the same.
        let length = statement.sql().len();
        if statement.order == Order::Total && !statement.others.is_empty() && length.is_multiple_of(2) {
            statement.limit = Some((length % 7, length % 3));
        }
        statement
    }

    /// A SELECT and the kinds of its columns.
    fn select(&mut self, depth: usize) -> (Select, Vec<Kind>) {
        let (mut select, columns) = self.from(depth);
        match self.dice.below(100) {
            0..28 => self.grouped(select, &columns),
            28..38 => {
                self.plain = false;
                let (item, of) = self.window(&columns);
                select.items = vec![item];
                let mut kinds = vec![of];
                self.items(&mut select, &mut kinds, &columns);
                (select, kinds)
            }
            other => {
                select.distinct = other > 92;
                self.plain &= !select.distinct;
                let mut kinds = Vec::new();
                self.items(&mut select, &mut kinds, &columns);
                (select, kinds)
            }
        }
    }

    fn items(&mut self, select: &mut Select, kinds: &mut Vec<Kind>, columns: &[Named]) {
        for _ in 0..=self.dice.below(3) {
            if self.dice.percent(5) {
                self.plain = false;
                select.items.push(self.scalar(columns));
                kinds.push(Kind::Int);
                continue;
            }
            let of = kind(columns, self.dice);
            select.items.push(expression(of, columns, 2, self.dice));
            kinds.push(of);
        }
    }

    /// A SELECT whose columns have these kinds.
    fn select_of(&mut self, kinds: &[Kind]) -> Select {
        let (mut select, columns) = self.from(0);
        select.items = kinds.iter().map(|kind| expression(*kind, &columns, 1, self.dice)).collect();
        select
    }

    /// FROM, JOIN and WHERE.
    fn from(&mut self, depth: usize) -> (Select, Vec<Named>) {
        let (from, mut columns) = self.source(depth);
        let mut select = Select { from, ..Select::default() };
        while self.dice.percent(22) && select.joins.len() < 2 {
            self.plain = false;
            let (source, others) = self.source(depth.min(1));
            let on = self.on(&columns, &others);
            let word = self.dice.pick(&["join", "left join", "left join", "right join", "full join"]);
            select.joins.push(format!(" {word} {source} on {on}"));
            columns.extend(others);
        }
        let conditions = [0, 0, 0, 0, 0, 0, 0, 1, 1, 2];
        for _ in 0..self.dice.one(&conditions) {
            let condition = self.condition(&columns, depth);
            select.wheres.push(condition);
        }
        (select, columns)
    }

    fn on(&mut self, left: &[Named], right: &[Named]) -> String {
        let of = kind(right, self.dice);
        let pair = (column(of, left, self.dice), column(of, right, self.dice));
        let mut on = match pair {
            _ if self.dice.percent(3) => self.dice.pick(&["false", "1 = 2", "true"]).to_owned(),
            (Some(l), Some(r)) if self.dice.percent(15) => format!("(({l}) is not distinct from ({r}))"),
            (Some(l), Some(r)) => format!("{l} = {r}"),
            _ => {
                let (l, r) =
                    (expression(Kind::Int, left, 1, self.dice), expression(Kind::Int, right, 1, self.dice));
                format!("{l} = {r}")
            }
        };
        if self.dice.percent(20) {
            let both: Vec<Named> = left.iter().chain(right).cloned().collect();
            on = format!("{on} and {}", predicate(&both, 1, self.dice));
        }
        on
    }

    fn condition(&mut self, columns: &[Named], depth: usize) -> String {
        if depth == 0 || self.dice.percent(75) {
            return predicate(columns, 2, self.dice);
        }
        self.plain = false;
        let within = self.of_subquery(columns);
        let beside = |dice: &mut Dice| predicate(columns, 1, dice);
        match self.dice.below(10) {
            0 | 1 => format!("({within} or {})", beside(self.dice)),
            2 => format!("not ({within} and {})", beside(self.dice)),
            3 => format!("not ({within})"),
            _ => within,
        }
    }

    /// A condition that rests on a subquery.
    fn of_subquery(&mut self, columns: &[Named]) -> String {
        let (source, inner) = self.scan();
        let (of, other) = (kind(&inner, self.dice), kind(&inner, self.dice));
        let find = |of: Kind, columns: &[Named], dice: &mut Dice| {
            column(of, columns, dice).unwrap_or_else(|| literal(of, dice))
        };
        let (mine, theirs) = (find(of, columns, self.dice), find(of, &inner, self.dice));
        let (my_other, their_other) = (find(other, columns, self.dice), find(other, &inner, self.dice));
        let inside = predicate(&inner, 1, self.dice);
        match self.dice.below(10) {
            0 => format!("exists (select 1 from {source} where {theirs} = {mine} and {inside})"),
            1 => format!("not exists (select 1 from {source} where {theirs} = {mine})"),
            2 => format!("{mine} in (select {theirs} from {source} where {inside})"),
            3 => format!("{mine} not in (select {theirs} from {source} where {inside})"),
            4 => format!("{mine} in (select {theirs} from {source} where {their_other} = {my_other})"),
            5 => format!("{mine} = (select max({theirs}) from {source} where {their_other} = {my_other})"),
            6 => format!("{mine} not in (select {theirs} from {source} where {their_other} = {my_other})"),
            7 => format!("{mine} not in (select {theirs} from {source} where {their_other} < {my_other})"),
            8 => format!("exists (select count(*) from {source} where {theirs} = {mine})"),
            _ => format!(
                "{} > (select count(*) from {source} where {inside})",
                find(Kind::Int, columns, self.dice)
            ),
        }
    }

    fn scalar(&mut self, columns: &[Named]) -> String {
        let (source, inner) = self.scan();
        let of = kind(&inner, self.dice);
        match (column(of, columns, self.dice), column(of, &inner, self.dice)) {
            (Some(mine), Some(theirs)) if self.dice.percent(50) => {
                format!("(select count(*) from {source} where {theirs} = {mine})")
            }
            _ => {
                let value = expression(Kind::Int, &inner, 1, self.dice);
                format!("(select max({value}) from {source})")
            }
        }
    }

    fn grouped(&mut self, mut select: Select, columns: &[Named]) -> (Select, Vec<Kind>) {
        self.plain = false;
        let mut kinds = Vec::new();
        for _ in 0..self.dice.below(3) {
            let of = kind(columns, self.dice);
            let Some(name) = column(of, columns, self.dice) else { continue };
            let group = match of {
                Kind::Text if self.dice.percent(30) => format!("upper({name})"),
                Kind::Int if self.dice.percent(30) => format!("{name} % 3"),
                _ => name,
            };
            if !select.groups.contains(&group) {
                select.groups.push(group.clone());
                select.items.push(group);
                kinds.push(of);
            }
        }
        for _ in 0..=self.dice.below(2) {
            let (item, of) = self.aggregate(columns);
            select.items.push(item);
            kinds.push(of);
        }
        if self.dice.percent(25) {
            let (item, of) = self.aggregate(columns);
            select.having.push(format!("{item} >= {}", literal(of, self.dice)));
        }
        sets(&mut select);
        (select, kinds)
    }

    /// An aggregate whose result does not depend on the order of rows. Sums of computed reals, variances and
    /// approximations do, in any one world: the threads of a query add in the order in which they come.
    fn aggregate(&mut self, columns: &[Named]) -> (String, Kind) {
        let of = kind(columns, self.dice);
        let value = expression(of, columns, 1, self.dice);
        let int = expression(Kind::Int, columns, 2, self.dice);
        match self.dice.below(12) {
            0 | 1 => ("count(*)".into(), Kind::Int),
            2 => (format!("count({value})"), Kind::Int),
            3 => (format!("count(distinct {value})"), Kind::Int),
            4 | 5 => (format!("sum({int})"), Kind::Int),
            6 => (format!("min({value})"), of),
            7 => (format!("max({value})"), of),
            8 => match column(Kind::Real, columns, self.dice) {
                Some(real) => (format!("{}({real})", self.dice.pick(&["sum", "avg"])), Kind::Real),
                None => ("count(*)".into(), Kind::Int),
            },
            9 => {
                let text = expression(Kind::Text, columns, 1, self.dice);
                (format!("string_agg({text}, ',' order by {text})"), Kind::Text)
            }
            10 => {
                let condition = predicate(columns, 1, self.dice);
                (format!("count(*) filter (where {condition})"), Kind::Int)
            }
            _ => (format!("bool_or({})", predicate(columns, 1, self.dice)), Kind::Bool),
        }
    }

    /// A window function whose result is the same for rows that tie.
    fn window(&mut self, columns: &[Named]) -> (String, Kind) {
        let (of, by) = (kind(columns, self.dice), kind(columns, self.dice));
        let parts = match column(by, columns, self.dice) {
            Some(by) if self.dice.percent(60) => format!("partition by {by} "),
            _ => String::new(),
        };
        let value = expression(of, columns, 1, self.dice);
        let all: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let total = all.join(", ");
        let int = expression(Kind::Int, columns, 1, self.dice);
        match self.dice.below(8) {
            0 => (format!("rank() over ({parts}order by {value})"), Kind::Int),
            1 => (format!("dense_rank() over ({parts}order by {value} desc)"), Kind::Int),
            2 => (format!("count(*) over ({parts}order by {value})"), Kind::Int),
            3 => (format!("sum({int}) over ({parts}order by {value})"), Kind::Int),
            4 => (format!("max({int}) over ({parts}order by {value})"), Kind::Int),
            5 if !all.is_empty() => (format!("row_number() over ({parts}order by {total})"), Kind::Int),
            6 if !all.is_empty() => (format!("lag({int}) over ({parts}order by {total})"), Kind::Int),
            _ => (format!("first_value({int}) over ({parts}order by {int})"), Kind::Int),
        }
    }

    /// A protected statistic, at times with something done to it.
    fn statistic(&mut self) -> Statement {
        self.plain = false;
        let (mut select, columns, values) = self.counted();
        for _ in 0..self.dice.one(&[0, 0, 1, 1, 2]) {
            let of = kind(&columns, self.dice);
            if let Some(group) = column(of, &columns, self.dice)
                && !select.groups.contains(&group)
            {
                select.groups.push(group.clone());
                select.items.push(group);
            }
        }
        let numbers = [&columns[..], &values[..]].concat();
        for _ in 0..=self.dice.below(2) {
            let of = self.dice.one(&[Kind::Int, Kind::Real, Kind::Dec]);
            let item = match column(of, &numbers, self.dice) {
                Some(value) => format!("{}({value})", self.dice.pick(&["sum", "avg", "count"])),
                None => "count(*)".into(),
            };
            select.items.push(item);
        }
        if self.dice.percent(25) {
            let all = if self.dice.percent(60) { &numbers } else { &columns };
            select.wheres.push(predicate(all, 2, self.dice));
        }
        // A cast that some values would end, did it not give null for them.
        let of = self.dice.one(&[Kind::Int, Kind::Text]);
        if let Some(value) = column(of, &values, self.dice)
            && self.dice.percent(25)
        {
            let condition = ["is null", ">= 2", "is not null"][self.dice.below(3)];
            select.wheres.push(format!("cast({value} as int) {condition}"));
        }
        let mut statement = Statement::of(select);
        if self.dice.percent(25) {
            let inner = statement.first.sql();
            let last = statement.first.items.len() - 1;
            let outer = Select {
                items: vec![format!("q.c{last}"), "1".into()],
                from: format!("({inner}) q"),
                wheres: vec![format!(
                    "q.c{last} {}",
                    self.dice.pick(&["is not null", "is not null", "is null", "> 1"])
                )],
                ..Select::default()
            };
            statement = Statement::of(outer);
        }
        self.finish(statement)
    }

    /// One table, or two joined on equal columns, with its shown and its protected columns.
    fn counted(&mut self) -> (Select, Vec<Named>, Vec<Named>) {
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        let mut select = Select::default();
        let mut ids: Vec<String> = Vec::new();
        let first = self.dice.below(self.shop.tables.len());
        let known = |table: &Granted| table.columns.iter().any(|(name, _)| *name == "id");
        let joined = self.shop.tables.iter().all(known) && self.dice.percent(20);
        for at in 0..=usize::from(joined) {
            let alias = self.alias('t');
            let table = &self.shop.tables[(first + at) % self.shop.tables.len()];
            let named = |(name, kind): &(&str, Kind)| Named { name: format!("{alias}.{name}"), kind: *kind };
            columns.extend(table.columns.iter().map(named));
            values.extend(table.protected.iter().map(named));
            ids.push(format!("{alias}.id"));
            match at {
                0 => select.from = format!("{} {alias}", table.name),
                _ => select.joins.push(format!(" join {} {alias} on {}", table.name, ids.join(" = "))),
            }
        }
        (select, columns, values)
    }

    /// A statement that names what is not there, or that is none.
    fn forbidden(&mut self) -> Statement {
        self.plain = false;
        let alias = self.alias('t');
        let table = self.table().clone();
        let hidden = match table.withheld.is_empty() {
            true => format!("{alias}.nothing"),
            false => format!("{alias}.{}", self.dice.pick(&table.withheld)),
        };
        let (name, mut select) = (table.name, Select::default());
        select.from = format!("{name} {alias}");
        select.items = vec!["1".into()];
        match self.dice.below(9) {
            0 => select.items.push(hidden),
            1 => select.wheres.push(format!("{hidden} is null")),
            2 => select.items.push(format!("(select max({hidden}) from {name} {alias})")),
            3 => select.wheres.push(format!("exists (select 1 from {name} s where {hidden} = {hidden})")),
            4 => select.groups.push(hidden),
            5 => select.items = vec!["*".into()],
            6 => select.items.push(format!("count(*) over (order by {hidden})")),
            7 => select.from = "aux.links l".into(),
            _ => {
                let mut statement = self.general();
                statement.prefix = ["explain ", "explain analyze ", "explain verbose "][self.dice.below(3)];
                return statement;
            }
        }
        Statement::of(select)
    }
}

/// Some groups as grouping sets. Which ones follows from the text, so that what the dice say next stays the same.
fn sets(select: &mut Select) {
    let all = select.groups.join(", ");
    let Some(first) = select.groups.first() else { return };
    let set = match select.items.concat().len() % 9 {
        0 => format!("rollup({all})"),
        1 => format!("cube({all})"),
        2 => format!("grouping sets (({all}), ({first}), ())"),
        _ => return,
    };
    select.groups = vec![set];
}
