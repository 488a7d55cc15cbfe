//! Which statements cannot have a row because they read a table that never has one. Clients send long
//! statements about indexes, constraints and policies, with SQL that only PostgreSQL has; a grant has none
//! of those, so the answer is known without evaluating them.

use super::information;
use super::system::ALWAYS_EMPTY;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, JoinOperator, ObjectName, Query, Select, SelectItem, SetExpr, SetOperator, Statement,
    TableFactor, TableWithJoins, Visit, Visitor,
};
use std::{collections::BTreeSet, ops::ControlFlow};

/// The columns of a statement that has no row; `None` when it may have rows.
pub(super) fn columns_of_nothing(statement: &Statement) -> Option<Vec<String>> {
    match statement {
        Statement::Query(query) if is_empty(query) => Some(columns_of(query)),
        _ => None,
    }
}

/// Whether a query has no row whatever the grant is.
pub(super) fn is_empty(query: &Query) -> bool {
    let mut empty_names = Vec::new();
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        if body_is_empty(&cte.query.body, &empty_names) {
            empty_names.push(cte.alias.name.value.clone());
        }
    }
    body_is_empty(&query.body, &empty_names)
}

fn body_is_empty(body: &SetExpr, names: &[String]) -> bool {
    match body {
        SetExpr::Select(select) => select_is_empty(select, names),
        SetExpr::Query(query) => query.with.is_none() && body_is_empty(&query.body, names),
        SetExpr::SetOperation { op, left, right, .. } => {
            let (left, right) = (body_is_empty(left, names), body_is_empty(right, names));
            match op {
                SetOperator::Union => left && right,
                SetOperator::Intersect => left || right,
                _ => left,
            }
        }
        _ => false,
    }
}

fn select_is_empty(select: &Select, names: &[String]) -> bool {
    // A total over nothing is one row.
    let grouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if !keys.is_empty());
    (grouped || !has_total(select)) && select.from.iter().any(|from| tables_are_empty(from, names))
}

/// Whether a query gives a total of everything it reads.
pub(super) fn has_total(select: &Select) -> bool {
    const TOTALS: &[&str] = &[
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "array_agg",
        "string_agg",
        "bool_and",
        "bool_or",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "every",
    ];
    /// Whether one was seen, and how many subqueries deep the walk is: a total inside of one is not of this query.
    struct Totals(bool, usize);
    impl Visitor for Totals {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.1 += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.1 -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expr {
                self.0 |= self.1 == 0 && TOTALS.contains(&last(&function.name).as_str());
            }
            ControlFlow::Continue(())
        }
    }
    let mut totals = Totals(false, 0);
    for item in &select.projection {
        let _ = item.visit(&mut totals);
    }
    totals.0
}

fn tables_are_empty(tables: &TableWithJoins, names: &[String]) -> bool {
    tables.joins.iter().fold(factor_is_empty(&tables.relation, names), |left, join| {
        let right = factor_is_empty(&join.relation, names);
        match &join.join_operator {
            JoinOperator::Join(_)
            | JoinOperator::Inner(_)
            | JoinOperator::CrossJoin(_)
            | JoinOperator::Semi(_)
            | JoinOperator::LeftSemi(_) => left || right,
            JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => left,
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => right,
            _ => left && right,
        }
    })
}

fn factor_is_empty(factor: &TableFactor, names: &[String]) -> bool {
    match factor {
        TableFactor::Table { name, args: None, .. } => match schema_of(name).as_deref() {
            Some("information_schema") => information::ALWAYS_EMPTY.contains(&last(name).as_str()),
            Some("pg_catalog") => ALWAYS_EMPTY.contains(&last(name).as_str()),
            Some(_) => false,
            None => ALWAYS_EMPTY.contains(&last(name).as_str()) || names.contains(&last(name)),
        },
        // No column of the catalogue holds an array with elements.
        TableFactor::Table { name, args: Some(args), .. } => {
            last(name) == "unnest" && !args.args.iter().any(|arg| arg.to_string().contains(['[', '{']))
        }
        TableFactor::UNNEST { array_exprs, .. } => {
            !array_exprs.iter().any(|expr| expr.to_string().contains(['[', '{']))
        }
        TableFactor::Derived { subquery, .. } => {
            subquery.with.is_none() && body_is_empty(&subquery.body, names) || is_empty(subquery)
        }
        TableFactor::NestedJoin { table_with_joins, .. } => tables_are_empty(table_with_joins, names),
        _ => false,
    }
}

/// The last part of a name, in lower case.
pub(super) fn last(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    ident.map(|ident| ident.value.to_ascii_lowercase()).unwrap_or_default()
}

/// The part of a name before the last, in lower case.
pub(super) fn schema_of(name: &ObjectName) -> Option<String> {
    let place = name.0.len().checked_sub(2)?;
    name.0.get(place).and_then(|part| part.as_ident()).map(|ident| ident.value.to_ascii_lowercase())
}

/// The names that the columns of a query have in PostgreSQL.
pub(super) fn columns_of(query: &Query) -> Vec<String> {
    let mut body = &*query.body;
    loop {
        match body {
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
            SetExpr::Select(select) => return select.projection.iter().map(item_name).collect(),
            _ => return vec!["?column?".to_owned()],
        }
    }
}

fn item_name(item: &SelectItem) -> String {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
        SelectItem::UnnamedExpr(expr) => natural_name(expr),
        // What `*` of an empty table holds nobody can tell from its rows.
        _ => "oid".to_owned(),
    }
}

/// The name PostgreSQL gives to a column without an alias.
pub(super) fn natural_name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| ident.value.clone()).unwrap_or_default(),
        Expr::Function(function) => last(&function.name),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => natural_name(inner),
        Expr::Cast { expr: inner, data_type, .. } => match natural_name(inner).as_str() {
            "?column?" => data_type.to_string().to_ascii_lowercase(),
            name => name.to_owned(),
        },
        Expr::Case { .. } => "case".to_owned(),
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Subquery(query) => columns_of(query).into_iter().next().unwrap_or_default(),
        _ => "?column?".to_owned(),
    }
}

/// The columns of a table that a statement names, wherever it names them.
pub(super) fn columns_named(statement: &Statement, table: &str) -> BTreeSet<String> {
    struct Named<'a> {
        table: &'a str,
        factors: usize,
        aliases: BTreeSet<String>,
        qualified: Vec<(String, String)>,
        bare: BTreeSet<String>,
    }
    impl Visitor for Named<'_> {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            self.factors += 1;
            if let TableFactor::Table { name, alias, .. } = factor
                && last(name) == self.table
            {
                let alias =
                    alias.as_ref().map_or_else(|| self.table.to_owned(), |alias| alias.name.value.clone());
                self.aliases.insert(alias);
            }
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(ident) => {
                    self.bare.insert(ident.value.to_ascii_lowercase());
                }
                Expr::CompoundIdentifier(parts) => {
                    if let [.., qualifier, column] = parts.as_slice() {
                        self.qualified.push((qualifier.value.clone(), column.value.to_ascii_lowercase()));
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut named =
        Named { table, factors: 0, aliases: BTreeSet::new(), qualified: Vec::new(), bare: BTreeSet::new() };
    let _ = statement.visit(&mut named);
    if named.aliases.is_empty() {
        return BTreeSet::new();
    }
    let Named { aliases, qualified, bare, factors, .. } = named;
    let mut columns: BTreeSet<String> = qualified
        .into_iter()
        .filter(|(alias, _)| aliases.contains(alias))
        .map(|(_, column)| column)
        .collect();
    if factors == 1 {
        columns.extend(bare);
    }
    columns
}
