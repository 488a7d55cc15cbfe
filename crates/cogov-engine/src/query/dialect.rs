//! PostgreSQL's dialect, as sqlparser has it, with what it gets wrong put right.
//!
//! sqlparser reads `a IS DISTINCT FROM b AND c` as `a IS DISTINCT FROM (b AND c)`; PostgreSQL's grammar gives the right
//! side the precedence of `IS` (PostgreSQL 17, table 4.2). And `SELECT FROM t`, rows without columns, is no query here.

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use std::any::TypeId;

/// The dialect of a grant's queries.
#[derive(Debug)]
pub(super) struct Dialected;

const BASE: PostgreSqlDialect = PostgreSqlDialect {};

/// Passes questions of yes or no on to PostgreSQL's dialect.
macro_rules! as_postgresql {
    ($($question:ident)*) => {
        $(fn $question(&self) -> bool {
            BASE.$question()
        })*
    };
}

impl Dialect for Dialected {
    fn dialect(&self) -> TypeId {
        BASE.dialect()
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let is = self.prec_value(Precedence::Is);
        let left = || Box::new(expr.clone());
        if parser.parse_keywords(&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]) {
            let right = parser.parse_subexpr(is);
            return Some(right.map(|right| Expr::IsDistinctFrom(left(), Box::new(right))));
        }
        if parser.parse_keywords(&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]) {
            let right = parser.parse_subexpr(is);
            return Some(right.map(|right| Expr::IsNotDistinctFrom(left(), Box::new(right))));
        }
        BASE.parse_infix(parser, expr, precedence)
    }

    fn supports_empty_projections(&self) -> bool {
        false
    }

    /// Functions here have no named arguments. Looking for one by an expression reads each argument twice, and one in n
    /// functions 2ⁿ times.
    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        false
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        BASE.identifier_quote_style(identifier)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        BASE.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        BASE.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        BASE.is_identifier_part(ch)
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        BASE.is_reserved_for_identifier(keyword)
    }

    fn is_custom_operator_part(&self, ch: char) -> bool {
        BASE.is_custom_operator_part(ch)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        BASE.get_next_precedence(parser)
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        BASE.prec_value(precedence)
    }

    as_postgresql! {
        supports_unicode_string_literal
        supports_filter_during_aggregation
        supports_group_by_expr
        allow_extract_custom
        allow_extract_single_quotes
        supports_explain_with_utility_options
        supports_listen_notify
        supports_factorial_operator
        supports_bitwise_shift_operators
        supports_comment_on
        supports_load_extension
        supports_named_fn_args_with_colon_operator
        supports_nested_comments
        supports_string_escape_constant
        supports_numeric_literal_underscores
        supports_array_typedef_with_brackets
        supports_geometric_types
        supports_set_names
        supports_notnull_operator
        supports_interval_options
        supports_select_wildcard_with_alias
        supports_comma_separated_trim
        supports_xml_expressions
        supports_comment_optimizer_hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expression with every operator's operands in parentheses, as PostgreSQL would read it.
    fn read(sql: &str) -> String {
        fn show(expr: &Expr) -> String {
            match expr {
                Expr::BinaryOp { left, op, right } => format!("({} {op} {})", show(left), show(right)),
                Expr::IsDistinctFrom(a, b) => format!("({} IDF {})", show(a), show(b)),
                Expr::IsNotDistinctFrom(a, b) => format!("({} INDF {})", show(a), show(b)),
                other => other.to_string(),
            }
        }
        let mut parser = Parser::new(&Dialected).try_with_sql(sql).unwrap();
        show(&parser.parse_expr().unwrap())
    }

    #[test]
    fn is_distinct_from_binds_as_in_postgresql() {
        assert_eq!(read("a IS DISTINCT FROM b AND c"), "((a IDF b) AND c)");
        assert_eq!(read("x AND a IS NOT DISTINCT FROM b OR c"), "((x AND (a INDF b)) OR c)");
        assert_eq!(read("a IS DISTINCT FROM b + 1 OR d"), "((a IDF (b + 1)) OR d)");
        assert_eq!(read("a IS DISTINCT FROM b = c"), "(a IDF (b = c))");
        assert_eq!(read("a IS NULL AND b"), "(a IS NULL AND b)");
    }

    #[test]
    fn rows_without_columns_are_no_query() {
        let parsed = Parser::parse_sql(&Dialected, "SELECT FROM t");
        assert!(parsed.is_err(), "{parsed:?}");
        assert!(Parser::parse_sql(&Dialected, "SELECT E'a\\n', \"b\" FROM t /* /* */ */").is_ok());
    }
}
