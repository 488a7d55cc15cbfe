//! Why a question is not answered under noise, and what to do.

use crate::error::{ErrorKind, QueryError};
use cogov_model::{Clauses, Text};

/// A table that misses a declaration.
pub(super) fn undeclared(table: &str, what: (&str, &str), clauses: Clauses) -> QueryError {
    let (en, zh) = what;
    let reason = Text::new(
        format!(
            "{table} may be used under differential privacy only, and its provider has not declared {en}; ask its steward to declare it on the dataset's page"
        ),
        format!("{table} 仅可在差分隐私下使用，而提供方尚未声明{zh}；请联系数据管理员在数据集页面作出声明"),
    );
    QueryError::refused(reason, clauses)
}

/// Rows of a table that is answered from under noise only.
pub(in crate::query) fn only_statistics(clauses: Clauses) -> QueryError {
    let reason = Text::new(
        "this table answers under differential privacy only: ask for count, sum, avg, var, stddev, median or percentile_cont, with GROUP BY if you like, in place of rows",
        "该数据表仅在差分隐私下作答：请使用 count、sum、avg、var、stddev、median 或 percentile_cont（可配合 GROUP BY），而非查询数据行",
    );
    QueryError::refused(reason, clauses)
}

/// A function that noise cannot answer.
pub(super) fn function(name: &str) -> QueryError {
    QueryError::not_governed(
        &format!(
            "{name} under differential privacy; use count, sum, avg, var, stddev, median or percentile_cont (for extremes a percentile near 0 or 1)"
        ),
        &format!(
            "差分隐私下的 {name}；请使用 count、sum、avg、var、stddev、median 或 percentile_cont（极值可用接近 0 或 1 的分位数）"
        ),
    )
}

/// count(distinct …) of something else than the unit.
pub(super) fn distinct() -> QueryError {
    QueryError::not_governed(
        "DISTINCT under differential privacy, other than count(DISTINCT unit) of the column that identifies a person or unit; group by the column instead",
        "差分隐私下的 DISTINCT（对主体标识列的 count(DISTINCT …) 除外）；请改用按该列分组",
    )
}

/// A value without bounds.
pub(super) fn unbounded(expr: &str, clauses: Clauses) -> QueryError {
    let reason = Text::new(
        format!(
            "no bounds are declared for {expr}, so that one person could move its sum without limit; ask the dataset's steward to declare a lower and an upper bound, and use sums, differences and multiples of such columns only"
        ),
        format!(
            "{expr} 未声明上下界，单个主体可能无限影响其总和；请联系数据管理员声明上下界，并仅使用此类列的和、差与倍数"
        ),
    );
    QueryError::refused(reason, clauses)
}

/// A plan below a noisy statistic whose rows per unit cannot be bounded.
pub(super) fn shape() -> QueryError {
    QueryError::not_governed(
        "this beneath a statistic under differential privacy, where only WHERE, computed columns and JOIN … ON the unit or a public table may stand",
        "差分隐私统计之下的这种写法；其下仅可使用 WHERE、计算列，以及按主体列或公共表的 JOIN … ON",
    )
}

/// A join of protected tables on something else than the unit.
pub(super) fn join() -> QueryError {
    QueryError::not_governed(
        "a join under differential privacy that is not on the columns that identify the unit in both tables; add them to ON, so that one person meets only their own rows",
        "差分隐私下未按双方主体列进行的连接；请在 ON 中加入主体列，使每个主体只与自己的记录相连",
    )
}

/// More cells than an answer may have.
pub(super) fn too_many_groups(most: usize) -> QueryError {
    QueryError::new(
        ErrorKind::TooComplex,
        format!("the public keys of this grouping make more than {most} groups; group by fewer of them"),
        format!("该分组的公开键组合超过 {most} 组；请减少分组键"),
    )
}

/// More rows of one unit than an answer may have.
pub(super) fn too_many_rows() -> QueryError {
    QueryError::new(
        ErrorKind::TooComplex,
        "the rows of one unit are joined to so many that noise would drown the answer; join on a key that stands in the public table once, or fewer tables",
        "单个主体的记录经连接后过多，噪声会淹没结果；请按公共表中唯一的键连接，或减少连接的表",
    )
}

/// So little ε that no noise is enough.
pub(super) fn too_little() -> QueryError {
    QueryError::new(
        ErrorKind::Parameters,
        "so small an epsilon answers nothing; offer more, or ask for fewer figures at once",
        "epsilon 过小，无法作答；请提高 epsilon，或减少一次查询的统计项",
    )
}

/// More ε than the rulebook gives in a whole month.
pub(super) fn beyond_month(
    asked: cogov_model::Epsilon,
    month: cogov_model::Epsilon,
    clauses: Clauses,
) -> QueryError {
    let reason = Text::new(
        format!(
            "the rulebook gives this grant an epsilon of {month} a month, and this question asks for {asked}; ask with less"
        ),
        format!("规则每月给予该授权的 epsilon 为 {month}，而本次查询要求 {asked}；请降低 epsilon"),
    );
    QueryError::refused(reason, clauses)
}
