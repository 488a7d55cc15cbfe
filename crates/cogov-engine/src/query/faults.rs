//! DataFusion's errors → ours. Planning may quote the asker's own SQL; running never quotes anything.

use super::planted::{Fault, planted};
use crate::error::{ErrorKind, QueryError};
use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

/// An object that cannot be read.
pub(super) fn unreadable() -> QueryError {
    QueryError::new(
        ErrorKind::Unavailable,
        "the data of this grant cannot be read now; try again later, and tell the provider if it stays so",
        "目前无法读取该授权的数据；请稍后重试，如持续发生请告知提供方",
    )
}

/// A plan that is not what the engine built: never expected, always fatal for the query.
pub(super) fn broken() -> DataFusionError {
    carry(QueryError::internal())
}

/// Our error inside one of DataFusion's.
pub(super) fn carry(error: QueryError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// An error from below a barrier: what it says stays below.
pub(super) fn below(error: DataFusionError) -> DataFusionError {
    if planted(Fault::ErrorTextKept) {
        return carry(QueryError::new(ErrorKind::Unavailable, error.to_string(), error.to_string()));
    }
    carry(running(&error))
}

/// An error while a query runs. Its own text may hold values, so only its kind is kept.
pub(super) fn running(error: &DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<QueryError>() {
            Some(own) => own.clone(),
            None => QueryError::internal(),
        },
        DataFusionError::ResourcesExhausted(_) => out_of_memory(),
        DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) | DataFusionError::ParquetError(_) => {
            unreadable()
        }
        DataFusionError::ArrowError(error, _) => arrow(error),
        DataFusionError::Execution(_) | DataFusionError::Plan(_) => data(),
        _ => QueryError::internal(),
    }
}

fn arrow(error: &ArrowError) -> QueryError {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => running(inner),
            None => QueryError::internal(),
        },
        ArrowError::IoError(..) | ArrowError::ParquetError(_) | ArrowError::IpcError(_) => unreadable(),
        ArrowError::MemoryError(_) => out_of_memory(),
        _ => data(),
    }
}

fn data() -> QueryError {
    QueryError::new(
        ErrorKind::Data,
        "a value could not be computed with, such as a division by zero, an overflow or a text that is no number; guard it with NULLIF, COALESCE or TRY_CAST",
        "某个值无法参与计算，例如除以零、溢出或文本不是数字；请用 NULLIF、COALESCE 或 TRY_CAST 加以保护",
    )
}

/// More memory or spill than a query may have.
pub(super) fn out_of_memory() -> QueryError {
    QueryError::new(
        ErrorKind::OutOfMemory,
        "the query needs more memory or disk than one query may have; select fewer columns, filter earlier, or group by fewer distinct values",
        "该查询所需内存或磁盘超过单个查询的上限；请减少列、提前过滤或减少分组",
    )
}

/// A text function whose result would be very long.
pub(super) fn too_long() -> QueryError {
    QueryError::new(
        ErrorKind::OutOfMemory,
        "a text function would make more than 64 MB of one batch of rows; replace with shorter texts, or cut the text with left() first",
        "某文本函数会使一批行的结果超过 64 MB；请使用更短的替换文本，或先用 left() 截取",
    )
}

/// The time is over.
pub(super) fn timeout(seconds: u64) -> QueryError {
    QueryError::new(
        ErrorKind::Timeout,
        format!("the query ran longer than {seconds} seconds and was ended; filter earlier or ask for less"),
        format!("查询运行超过 {seconds} 秒，已终止；请提前过滤或减少请求内容"),
    )
}

/// Nobody read on.
pub(super) fn unread(seconds: u64) -> QueryError {
    QueryError::new(
        ErrorKind::Timeout,
        format!(
            "the query was ended, since its rows waited longer than {seconds} seconds to be read; ask again and read on"
        ),
        format!("结果超过 {seconds} 秒未被读取，查询已终止；请重新查询并及时读取"),
    )
}

/// An error while the asker's statement is planned over visible tables and columns only.
pub(super) fn planning(error: &DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<QueryError>() {
            Some(own) => own.clone(),
            None => QueryError::internal(),
        },
        DataFusionError::SchemaError(error, _) => schema(error),
        DataFusionError::SQL(error, _) => syntax(&error.to_string()),
        DataFusionError::NotImplemented(words) => {
            let words = first_line(words);
            QueryError::not_governed(&format!("this: {words}"), &format!("：{words}"))
        }
        DataFusionError::Plan(words) => plan(first_line(words)),
        DataFusionError::ArrowError(error, _) => arrow(error),
        DataFusionError::Execution(_) => data(),
        DataFusionError::ResourcesExhausted(_) => out_of_memory(),
        _ => QueryError::internal(),
    }
}

/// A statement that does not parse. The parser's words quote only the statement.
pub(super) fn syntax(words: &str) -> QueryError {
    let words = first_line(words).trim_start_matches("sql parser error: ");
    QueryError::new(ErrorKind::Syntax, format!("syntax error: {words}"), format!("语法错误：{words}"))
}

fn plan(words: &str) -> QueryError {
    if let Some(rest) = words.strip_prefix("Invalid function ") {
        let name = rest.trim_matches(['\'', '.']);
        return QueryError::new(
            ErrorKind::NoFunction,
            format!("function {name} does not exist or may not be used here"),
            format!("函数 {name} 不存在或不可在此使用"),
        );
    }
    if let Some((_, rest)) = words.split_once(" require unique expression names but the expression \"")
        && let Some((name, _)) = rest.split_once('"')
        && name.contains('(')
    {
        return one_name(name);
    }
    QueryError::new(ErrorKind::WrongType, words.to_owned(), format!("语句不成立：{words}"))
}

/// Two expressions that are one to the planner, whose names leave casts out. AS does not reach inside a grouping.
fn one_name(name: &str) -> QueryError {
    QueryError::new(
        ErrorKind::AmbiguousColumn,
        format!(
            "two expressions of the statement, which may differ in a cast only, are both called \"{name}\"; write one of them in another way, for example sum(x + 0) for sum(x), or ask for them in two subqueries"
        ),
        format!(
            "语句中有两个表达式（可能仅类型转换不同）同名“{name}”；请将其中一个改写，例如用 sum(x + 0) 代替 sum(x)，或分成两个子查询"
        ),
    )
}

fn schema(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, .. } => {
            let name = field.name();
            QueryError::new(
                ErrorKind::NoColumn,
                format!("column \"{name}\" does not exist"),
                format!("列“{name}”不存在"),
            )
        }
        SchemaError::AmbiguousReference { field } => {
            let name = field.name();
            QueryError::new(
                ErrorKind::AmbiguousColumn,
                format!("column reference \"{name}\" is ambiguous; write table.{name}"),
                format!("列“{name}”指代不明；请写成 表名.{name}"),
            )
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name }
            if name.contains('(') =>
        {
            one_name(name)
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => QueryError::new(
            ErrorKind::AmbiguousColumn,
            format!("two columns of the result would be called \"{name}\"; give one another name with AS"),
            format!("结果中会有两列同名“{name}”；请用 AS 改名"),
        ),
    }
}

fn first_line(words: &str) -> &str {
    let line = words.lines().next().unwrap_or_default();
    line.char_indices().nth(300).map_or(line, |(end, _)| line.get(..end).unwrap_or(line))
}
