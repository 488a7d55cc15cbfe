//! A statement in parts, so that one that fails can be made smaller.

/// How far the order of the rows of a statement is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By every column: rows that tie are alike.
    Total,
    /// As stored: nothing but a filter and a projection over one table.
    Stored,
    /// Any: rows are compared as a multiset.
    Free,
}

/// One SELECT.
#[derive(Debug, Clone, Default)]
pub struct Select {
    pub distinct: bool,
    /// Without their names, which follow from their places.
    pub items: Vec<String>,
    pub from: String,
    pub joins: Vec<String>,
    pub wheres: Vec<String>,
    pub groups: Vec<String>,
    pub having: Vec<String>,
}

/// A statement.
#[derive(Debug, Clone)]
pub struct Statement {
    pub prefix: &'static str,
    pub with: Vec<String>,
    pub first: Select,
    pub others: Vec<(&'static str, Select)>,
    pub order: Order,
    /// Directions of the order by every column, used in turn.
    pub directions: Vec<&'static str>,
    pub limit: Option<(usize, usize)>,
}

impl Select {
    pub fn sql(&self) -> String {
        let items: Vec<String> = self.items.iter().enumerate().map(|(n, item)| named(item, n)).collect();
        let mut sql = format!(
            "select {}{} from {}{}",
            if self.distinct { "distinct " } else { "" },
            items.join(", "),
            self.from,
            self.joins.concat()
        );
        clause(&mut sql, " where ", &self.wheres, " and ");
        clause(&mut sql, " group by ", &self.groups, ", ");
        clause(&mut sql, " having ", &self.having, " and ");
        sql
    }
}

fn named(item: &str, n: usize) -> String {
    if item == "*" { item.to_owned() } else { format!("{item} as c{n}") }
}

fn clause(sql: &mut String, word: &str, parts: &[String], between: &str) {
    if !parts.is_empty() {
        sql.push_str(word);
        sql.push_str(&parts.join(between));
    }
}

impl Statement {
    pub fn of(first: Select) -> Self {
        Self {
            prefix: "",
            with: Vec::new(),
            first,
            others: Vec::new(),
            order: Order::Free,
            directions: vec!["asc"],
            limit: None,
        }
    }

    pub fn sql(&self) -> String {
        let mut sql = self.prefix.to_owned();
        clause(&mut sql, "with ", &self.with, ", ");
        if !self.with.is_empty() {
            sql.push(' ');
        }
        sql.push_str(&self.first.sql());
        for (word, select) in &self.others {
            sql.push_str(&format!(" {word} {}", select.sql()));
        }
        if self.order == Order::Total {
            let by: Vec<String> = (0..self.first.items.len())
                .map(|n| format!("{} {}", n + 1, self.directions[n % self.directions.len()]))
                .collect();
            clause(&mut sql, " order by ", &by, ", ");
        }
        if let Some((limit, offset)) = self.limit {
            sql.push_str(&format!(" limit {limit}"));
            if offset > 0 {
                sql.push_str(&format!(" offset {offset}"));
            }
        }
        sql
    }

    /// Statements with one part less.
    pub fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut without = |change: &dyn Fn(&mut Self)| {
            let mut other = self.clone();
            change(&mut other);
            if other.sql() != self.sql() {
                all.push(other);
            }
        };
        without(&|s| s.others.clear());
        without(&|s| s.limit = None);
        without(&|s| s.first.distinct = false);
        for at in 0..self.with.len() {
            without(&|s| drop(s.with.remove(at)));
        }
        for at in 0..self.first.joins.len() {
            without(&|s| drop(s.first.joins.remove(at)));
        }
        for at in 0..self.first.wheres.len() {
            without(&|s| drop(s.first.wheres.remove(at)));
        }
        for at in 0..self.first.having.len() {
            without(&|s| drop(s.first.having.remove(at)));
        }
        if self.others.is_empty() && self.first.items.len() > 1 {
            for at in 0..self.first.items.len() {
                without(&|s| drop(s.first.items.remove(at)));
            }
        }
        all
    }
}
