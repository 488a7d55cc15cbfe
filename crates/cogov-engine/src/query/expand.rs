//! How large a statement is once every named subquery stands where it is used.
//!
//! A plan holds a copy of a WITH query for each use, so that a chain of them, each joining the one before with
//! itself, doubles at every step: a short text would fill the memory before anything is run. The size is
//! counted on the text, before anything is planned.

use super::simplify::CHOICES;
use datafusion::sql::sqlparser::ast::{Expr, ObjectName, Query, Statement, Visit, Visitor};
use std::{collections::HashMap, ops::ControlFlow};

/// Tables that a statement reads, each use counted, WITH queries in full at each of their uses.
pub(super) fn relations(statement: &Statement) -> u64 {
    let mut counter = Counter { frames: vec![Frame::default()], named: HashMap::new() };
    let _: ControlFlow<()> = statement.visit(&mut counter);
    counter.frames.first().map_or(0, |frame| frame.count)
}

/// How deep functions and conditions stand in each other that are written out with an argument twice: `coalesce` becomes
/// CASE, BETWEEN two comparisons. CASE too: for each that stands in another, DataFusion keeps both as they are and over the
/// columns that they name.
pub(super) fn doublings(statement: &Statement) -> usize {
    let mut depth = Depth::default();
    let _: ControlFlow<()> = statement.visit(&mut depth);
    depth.most
}

#[derive(Default)]
struct Depth {
    now: usize,
    most: usize,
}

fn doubles(expr: &Expr) -> bool {
    match expr {
        Expr::Between { .. } | Expr::InList { .. } | Expr::Case { .. } => true,
        Expr::Function(call) => {
            let name = call.name.to_string().trim_matches('"').to_lowercase();
            CHOICES.contains(&name.as_str())
        }
        _ => false,
    }
}

impl Visitor for Depth {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.now += usize::from(doubles(expr));
        self.most = self.most.max(self.now);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.now -= usize::from(doubles(expr));
        ControlFlow::Continue(())
    }
}

/// A query under way: what it reads so far, and the sizes of its WITH queries.
#[derive(Default)]
struct Frame {
    count: u64,
    sizes: HashMap<String, u64>,
}

struct Counter {
    frames: Vec<Frame>,
    /// WITH queries that are still to come, by their place in memory.
    named: HashMap<*const Query, String>,
}

impl Visitor for Counter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.named.insert(&raw const *cte.query, cte.alias.name.value.to_lowercase());
        }
        self.frames.push(Frame::default());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let count = self.frames.pop().map_or(0, |frame| frame.count);
        let name = self.named.remove(&(&raw const *query));
        if let Some(around) = self.frames.last_mut() {
            match name {
                Some(name) => {
                    around.sizes.insert(name, count.max(1));
                }
                None => around.count = around.count.saturating_add(count),
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let name = name.to_string().trim_matches('"').to_lowercase();
        let size = self.frames.iter().rev().find_map(|frame| frame.sizes.get(&name)).copied();
        if let Some(frame) = self.frames.last_mut() {
            frame.count = frame.count.saturating_add(size.unwrap_or(1));
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::dialect::Dialected;
    use datafusion::sql::sqlparser::parser::Parser;

    fn count(sql: &str) -> u64 {
        let mut parsed = Parser::parse_sql(&Dialected, sql).unwrap();
        relations(&parsed.remove(0))
    }

    #[test]
    fn with_queries_count_at_each_use() {
        assert_eq!(count("select 1"), 0);
        assert_eq!(count("select * from t a join t b on a.x = b.x where a.y in (select y from u)"), 3);
        assert_eq!(count("with a as (select * from t, u) select * from a x, a y"), 4);
        assert_eq!(count("with a as (select 1), a2 as (select * from a) select * from a2"), 1);
        let steps: Vec<String> =
            (1..40).map(|i| format!("c{i} as (select * from c{} x, c{} y)", i - 1, i - 1)).collect();
        let sql = format!("with c0 as (select * from t), {} select * from c39", steps.join(", "));
        assert_eq!(count(&sql), 1 << 39);
    }

    #[test]
    fn an_inner_name_hides_an_outer_one() {
        let sql = "with a as (select * from t, t t2, t t3)
                   select * from (with a as (select * from t) select * from a) x, a";
        assert_eq!(count(sql), 4);
    }
}
