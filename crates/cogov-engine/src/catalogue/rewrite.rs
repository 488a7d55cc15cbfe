//! PostgreSQL's own SQL → SQL that the evaluator understands, with the same meaning over the catalogue.

use super::empty::{columns_of, has_total, is_empty, last, natural_name, schema_of};
use super::functions;
use super::system::ALWAYS_EMPTY;
use super::unsupported;
use crate::error::QueryError;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, Ident, ObjectName, ObjectNamePart, Query, SelectItem, SetExpr, Statement,
    TableFactor, UnaryOperator, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::{collections::BTreeSet, ops::ControlFlow};

/// System tables that may be named without their schema.
const WITH_ROWS: &[&str] = &[
    "pg_namespace",
    "pg_class",
    "pg_attribute",
    "pg_type",
    "pg_description",
    "pg_database",
    "pg_roles",
    "pg_authid",
    "pg_user",
    "pg_am",
    "pg_settings",
    "pg_tables",
];

/// Whether a statement names a system table, or no table at all and a function of the session.
pub(super) fn is_system(statement: &Statement) -> bool {
    #[derive(Default)]
    struct Names {
        system: bool,
        other: bool,
        session: bool,
        own: BTreeSet<String>,
    }
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
            self.own.extend(ctes.map(|cte| cte.alias.name.value.to_ascii_lowercase()));
            ControlFlow::Continue(())
        }
        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
            let table = last(name);
            match schema_of(name).as_deref() {
                Some("pg_catalog" | "information_schema") => self.system = true,
                None if self.own.contains(&table) => {}
                None if WITH_ROWS.contains(&table.as_str()) || ALWAYS_EMPTY.contains(&table.as_str()) => {
                    self.system = true;
                }
                _ => self.other = true,
            }
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) => self.session |= functions::is_session(&last(&function.name)),
                Expr::Identifier(ident) => self.session |= ident.value.eq_ignore_ascii_case("current_schema"),
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names::default();
    let _ = statement.visit(&mut names);
    names.system || (names.session && !names.other)
}

/// How many parameters a statement has: the highest `$n`.
pub(super) fn parameters(statement: &Statement) -> usize {
    struct Highest(usize);
    impl Visitor for Highest {
        type Break = ();
        fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
            self.0 = self.0.max(number(value).unwrap_or(0));
            ControlFlow::Continue(())
        }
    }
    let mut highest = Highest(0);
    let _ = statement.visit(&mut highest);
    // The protocol counts parameters in 16 bits.
    highest.0.min(usize::from(u16::MAX))
}

fn number(value: &ValueWithSpan) -> Option<usize> {
    match &value.value {
        Value::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
        _ => None,
    }
}

/// Puts texts in the place of `$1` and so on.
pub(super) fn bind(statement: &mut Statement, parameters: &[Option<String>]) {
    struct Bind<'a>(&'a [Option<String>]);
    impl VisitorMut for Bind<'_> {
        type Break = ();
        fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
            if let Some(number) = number(value) {
                let given = number.checked_sub(1).and_then(|place| self.0.get(place));
                value.value = match given.cloned().flatten() {
                    Some(text) => Value::SingleQuotedString(text),
                    None => Value::Null,
                };
            }
            ControlFlow::Continue(())
        }
    }
    let _ = statement.visit(&mut Bind(parameters));
}

/// Makes a statement plannable, and gives the names that its columns have outside, where they differ.
///
/// # Errors
/// When it calls a function that is not listed.
pub(super) fn to_plan(statement: &mut Statement) -> Result<Vec<Option<String>>, QueryError> {
    if let ControlFlow::Break(error) = statement.visit(&mut Rewrite) {
        return Err(error);
    }
    let Statement::Query(query) = statement else { return Err(unsupported()) };
    if query.with.as_ref().is_some_and(|with| with.recursive) {
        return Err(unsupported());
    }
    Ok(name_columns(query))
}

/// Gives every unnamed column a name of its own, since the evaluator wants them to differ.
fn name_columns(query: &mut Query) -> Vec<Option<String>> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Vec::new() };
    let wild =
        |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    if select.projection.iter().any(wild) {
        return Vec::new();
    }
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(select.projection.len());
    for (place, item) in select.projection.iter_mut().enumerate() {
        let (expr, name) = match &*item {
            SelectItem::UnnamedExpr(expr) => (expr.clone(), natural_name(expr)),
            SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), alias.value.clone()),
            _ => return Vec::new(),
        };
        if !taken.insert(name.clone()) || name == "?column?" {
            *item =
                SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', format!("column {place}")) };
        } else if matches!(item, SelectItem::UnnamedExpr(_)) {
            *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name.clone()) };
        }
        names.push(Some(name));
    }
    names
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = QueryError;

    /// A derived table without rows becomes one without its contents. Table functions do not exist.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<QueryError> {
        let plain = matches!(
            factor,
            TableFactor::Table { args: None, .. }
                | TableFactor::Derived { .. }
                | TableFactor::NestedJoin { .. }
        );
        if !plain {
            return ControlFlow::Break(unsupported());
        }
        if let TableFactor::Derived { subquery, .. } = factor
            && is_empty(subquery)
        {
            let columns: Vec<String> = columns_of(subquery)
                .iter()
                .map(|name| format!("CAST(NULL AS TEXT) AS \"{}\"", name.replace('"', "\"\"")))
                .collect();
            let sql = format!("SELECT {} WHERE false", columns.join(", "));
            match Parser::parse_sql(&PostgreSqlDialect {}, &sql).map(|mut parsed| parsed.pop()) {
                Ok(Some(Statement::Query(query))) => *subquery = query,
                _ => return ControlFlow::Break(unsupported()),
            }
        }
        ControlFlow::Continue(())
    }

    /// A subquery without rows becomes its value before anybody looks inside.
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        match expr {
            Expr::Subquery(query) if is_empty(query) => *expr = literal(Value::Null),
            Expr::Subquery(query) => one_row(query),
            Expr::Exists { subquery, negated } if is_empty(subquery) => {
                *expr = literal(Value::Boolean(*negated))
            }
            Expr::InSubquery { subquery, negated, .. } if is_empty(subquery) => {
                *expr = literal(Value::Boolean(*negated));
            }
            Expr::Function(Function { name, args: FunctionArguments::Subquery(query), .. })
                if last(name) == "array" && is_empty(query) =>
            {
                *expr = literal(Value::SingleQuotedString("{}".to_owned()));
            }
            Expr::AnyOp { compare_op: BinaryOperator::Eq, left, right, .. } => {
                if let Some(list) = listed(right) {
                    *expr = Expr::InList { expr: left.clone(), list, negated: false };
                }
            }
            Expr::AllOp { compare_op: BinaryOperator::NotEq, left, right } => {
                if let Some(list) = listed(right) {
                    *expr = Expr::InList { expr: left.clone(), list, negated: true };
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        match expr {
            Expr::Like { negated, expr: inner, pattern, escape_char: Some(escape), .. } => {
                let args = vec![(**inner).clone(), (**pattern).clone(), Expr::Value(escape.clone())];
                let like = Expr::Function(function("like_escaped", args));
                *expr = match *negated {
                    true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(like) },
                    false => like,
                };
            }
            Expr::Collate { expr: inner, .. } => *expr = (**inner).clone(),
            Expr::Cast { expr: inner, data_type, .. } => {
                if let Some(changed) = cast(inner, data_type) {
                    *expr = changed;
                }
            }
            Expr::BinaryOp { op, .. } => operator(op),
            Expr::Function(function) => return call(function),
            Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("current_schema") => {
                *expr = Expr::Function(function("current_schema", Vec::new()));
            }
            Expr::Value(value) => {
                if let Value::EscapedStringLiteral(text) = &value.value {
                    value.value = Value::SingleQuotedString(text.clone());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A subquery that stands for one value has at most one row here, since it looks something up by its oid.
/// The evaluator wants to see that: the greatest of one value is that value.
fn one_row(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    if grouped || has_total(select) {
        return;
    }
    if let [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] =
        select.projection.as_mut_slice()
    {
        *expr = Expr::Function(function("max", vec![expr.clone()]));
        query.limit_clause = None;
        query.order_by = None;
    }
}

fn literal(value: Value) -> Expr {
    Expr::Value(value.into())
}

/// The elements of `ARRAY[…]` or `'{…}'`.
fn listed(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => listed(inner),
        Expr::Array(array) => Some(array.elem.clone()),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => {
                let inner = text.strip_prefix('{')?.strip_suffix('}')?;
                Some(
                    inner
                        .split(',')
                        .map(|part| literal(Value::SingleQuotedString(part.to_owned())))
                        .collect(),
                )
            }
            _ => None,
        },
        _ => None,
    }
}

/// `OPERATOR(pg_catalog.~)` is `~`.
fn operator(op: &mut BinaryOperator) {
    let BinaryOperator::PGCustomBinaryOperator(parts) = op else { return };
    let plain = match parts.last().map(String::as_str) {
        Some("~") => BinaryOperator::PGRegexMatch,
        Some("~*") => BinaryOperator::PGRegexIMatch,
        Some("!~") => BinaryOperator::PGRegexNotMatch,
        Some("!~*") => BinaryOperator::PGRegexNotIMatch,
        Some("~~") => BinaryOperator::PGLikeMatch,
        Some("!~~") => BinaryOperator::PGNotLikeMatch,
        Some("=") => BinaryOperator::Eq,
        Some("<>") => BinaryOperator::NotEq,
        Some("<") => BinaryOperator::Lt,
        Some(">") => BinaryOperator::Gt,
        _ => return,
    };
    *op = plain;
}

/// Casts to types that only PostgreSQL has.
fn cast(inner: &Expr, data_type: &mut DataType) -> Option<Expr> {
    let name = data_type.to_string().to_ascii_lowercase().replace('"', "");
    let name = name.trim_start_matches("pg_catalog.").trim_start_matches("information_schema.");
    let name = name.split('(').next().unwrap_or(name).trim();
    let text =
        matches!(inner, Expr::Value(v) if matches!(v.value, Value::SingleQuotedString(_) | Value::Null));
    let call = |name: &str| Some(Expr::Function(function(name, vec![inner.clone()])));
    match name {
        "regclass" if text => call("to_regclass"),
        "regclass" => call("regclass_name"),
        "regtype" if text => call("to_regtype"),
        "regtype" => call("regtype_name"),
        "regrole" | "regnamespace" | "regproc" => call("regother_name"),
        "oid" | "xid" => {
            *data_type = DataType::Int(None);
            None
        }
        "text" | "name" | "char" | "character" | "varchar" | "character varying" | "bpchar"
        | "sql_identifier" | "character_data" | "yes_or_no" => {
            *data_type = DataType::Text;
            None
        }
        _ => None,
    }
}

fn function(name: &str, args: Vec<Expr>) -> Function {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

/// A function by its bare name, if it is listed.
fn call(function: &mut Function) -> ControlFlow<QueryError> {
    let name = last(&function.name);
    if !functions::is_listed(&name) {
        return ControlFlow::Break(unsupported());
    }
    function.name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]);
    if matches!(function.args, FunctionArguments::None) {
        function.args = FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: Vec::new(),
            clauses: Vec::new(),
        });
    }
    ControlFlow::Continue(())
}
