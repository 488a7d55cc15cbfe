//! The asker's text → one statement that reads, or an error that quotes nothing but the text.

use super::dialect::Dialected;
use super::nesting::IN_THE_TEXT;
use super::{expand, faults};
use crate::error::{ErrorKind, QueryError};
use datafusion::sql::sqlparser::ast::{Expr, Statement, Value, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::ops::ControlFlow;

/// Operators a statement may have. Chains of them nest without parentheses, and what nests is walked
/// and dropped recursively.
pub(crate) const OPERATORS: usize = 1000;

/// Tables a statement may read once its WITH queries are written out. A plan copies them at each use.
pub(super) const RELATIONS: u64 = 256;

/// Parses a statement within limits: bytes and depth.
///
/// # Errors
/// When the text is too long, too deep, no SQL, or anything but one query.
pub(super) fn parse(sql: &str, max_bytes: usize, max_depth: usize) -> Result<Statement, QueryError> {
    if sql.len() > max_bytes {
        return Err(too_complex(
            &format!("the statement is longer than {max_bytes} bytes"),
            &format!("语句超过 {max_bytes} 字节"),
        ));
    }
    let dialect = Dialected;
    let tokens =
        Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|e| faults::syntax(&e.to_string()))?;
    if tokens.iter().filter(|token| nests(&token.token)).count() > OPERATORS {
        return Err(too_complex(
            &format!("the statement has more than {OPERATORS} operators"),
            &format!("语句中的运算符超过 {OPERATORS} 个"),
        ));
    }
    let mut parser = Parser::new(&dialect).with_recursion_limit(max_depth).with_tokens_with_locations(tokens);
    let statements = parser.parse_statements().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => too_complex("the statement nests too deep", "语句嵌套过深"),
        other => faults::syntax(&other.to_string()),
    })?;
    let query = one_query(statements)?;
    if expand::doublings(&query) > IN_THE_TEXT {
        return Err(too_complex(
            &format!("CASE, coalesce, BETWEEN and lists stand more than {IN_THE_TEXT} deep in each other"),
            &format!("CASE、coalesce、BETWEEN 与列表相互嵌套超过 {IN_THE_TEXT} 层"),
        ));
    }
    if expand::relations(&query) > RELATIONS {
        return Err(too_complex(
            &format!(
                "the statement reads more than {RELATIONS} tables, with each WITH query counted at each of its uses"
            ),
            &format!("语句读取的表超过 {RELATIONS} 个（每个 WITH 查询按每次使用计数）"),
        ));
    }
    Ok(query)
}

fn one_query(statements: Vec<Statement>) -> Result<Statement, QueryError> {
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(query @ Statement::Query(_)), None) => Ok(query),
        (None, _) => Err(faults::syntax("the statement is empty")),
        (Some(_), Some(_)) => Err(QueryError::not_governed(
            "several statements in one; send them one by one",
            "一次多条语句；请逐条发送",
        )),
        (Some(_), None) => Err(QueryError::not_governed(
            "this statement; a grant answers SELECT only (EXPLAIN, SHOW, SET, PREPARE, COPY and changes of data would tell more than the grant holds, or change it)",
            "该语句；授权只回答 SELECT（EXPLAIN、SHOW、SET、PREPARE、COPY 与修改数据的语句会泄露或改变授权之外的内容）",
        )),
    }
}

/// Whether a token can deepen the tree without a parenthesis.
pub(crate) fn nests(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::IN
                | Keyword::BETWEEN
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::JOIN
                | Keyword::CASE
                | Keyword::AT
                | Keyword::COLLATE
        ),
        Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::EOF
        | Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Placeholder(_) => false,
        _ => true,
    }
}

pub(super) fn too_complex(en: &str, zh: &str) -> QueryError {
    QueryError::new(ErrorKind::TooComplex, format!("{en}; make it simpler"), format!("{zh}；请简化"))
}

/// The statement with every literal as `?`: what it asks, without what it asks about.
pub(super) fn shape(statement: &Statement) -> String {
    struct Blank;
    impl VisitorMut for Blank {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Value(value) = expr
                && !matches!(value.value, Value::Placeholder(_))
            {
                value.value = Value::Placeholder("?".into());
            }
            ControlFlow::Continue(())
        }
    }
    let mut copy = statement.clone();
    let _: ControlFlow<()> = VisitMut::visit(&mut copy, &mut Blank);
    copy.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn kind(sql: &str) -> ErrorKind {
        parse(sql, 1 << 20, 50).unwrap_err().kind()
    }

    #[test]
    fn only_one_query_passes() {
        assert!(parse("select a from t where b = $1;", 1000, 50).is_ok());
        for refused in [
            "explain select 1",
            "explain analyze select 1",
            "show tables",
            "set a = 1",
            "create table t (a int)",
            "insert into t values (1)",
            "copy t to 'x'",
            "prepare p as select 1",
            "select 1; select 2",
            "describe t",
            "delete from t",
            "truncate t",
            "begin",
            "execute p",
            "vacuum",
        ] {
            let kind = kind(refused);
            assert!(matches!(kind, ErrorKind::NotSupported | ErrorKind::Syntax), "{refused}: {kind:?}");
        }
        assert_eq!(kind("selec 1"), ErrorKind::Syntax);
        assert_eq!(kind("select 'abc"), ErrorKind::Syntax);
        assert_eq!(kind(""), ErrorKind::Syntax);
    }

    #[test]
    fn long_and_deep_statements_end_early() {
        assert_eq!(kind(&format!("select {}1{}", "(".repeat(5000), ")".repeat(5000))), ErrorKind::TooComplex);
        assert_eq!(kind(&format!("select 1{}", "+1".repeat(400_000))), ErrorKind::TooComplex);
        assert_eq!(kind(&format!("select {}1", "- ".repeat(400_000))), ErrorKind::TooComplex);
        assert_eq!(kind(&format!("select 1 where {}true", "not ".repeat(200_000))), ErrorKind::TooComplex);
        assert_eq!(kind(&"x".repeat(2 << 20)), ErrorKind::TooComplex);
    }

    #[test]
    fn a_shape_has_no_literal() {
        let shape = |sql| shape(&parse(sql, 10_000, 50).unwrap());
        assert_eq!(
            shape("select a, 'secret' from t where b = 5 and c in ('x', 'y') limit 3"),
            "SELECT a, ? FROM t WHERE b = ? AND c IN (?, ?) LIMIT ?"
        );
    }
}
