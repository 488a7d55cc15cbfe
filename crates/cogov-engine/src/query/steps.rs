//! The way of a label in words: a column with its grade, what happens to it, and the grade that is left.

use super::facts::{Facts, Origin};
use cogov_model::{Clauses, ColumnRef, Grade, MinGroup, Text, Treatment};

/// A protected statistic on the way of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The aggregate's name; none for a group.
    pub(super) function: Option<String>,
    pub(super) least: MinGroup,
}

/// A grade as words: `general 3`.
fn en(grade: Grade) -> String {
    grade.to_string().replace('-', " ")
}

fn cited(clauses: &Clauses) -> Text {
    let names: Vec<&str> = clauses.iter().map(|clause| clause.as_str()).collect();
    Text::new(names.join(", "), names.join("、"))
}

/// Why a result column has its label: a line for each granted column that it, or the presence of its rows,
/// depends on.
pub(super) fn chain(column: &Facts, rows: &Facts) -> Vec<Text> {
    let mut lines: Vec<Text> = column.sources.iter().map(|(c, o)| line(c, o, &column.statistics)).collect();
    for (source, origin) in rows.sources.iter().filter(|(c, _)| !column.sources.contains_key(*c)) {
        let of = line(source, origin, &rows.statistics);
        lines.push(Text::new(
            format!("which rows there are depends on it: {}", of.en),
            format!("哪些行出现取决于该列：{}", of.zh),
        ));
    }
    if lines.is_empty() {
        lines.push(Text::new("computed from no column of the data", "不来自任何数据列"));
    }
    lines
}

/// `wages is general 3 (revenue.tax_units) → average over at least 10 → general 2 (research)`.
fn line(column: &ColumnRef, origin: &Origin, steps: &[Step]) -> Text {
    let (stored, grade, left) = origin.grades;
    let place = format!("{}.{}", column.dataset, column.table);
    let mut words = Text::new(
        format!("{} is {} ({place})", column.column, en(stored)),
        format!("{} 为{}（{place}）", column.column, stored.zh()),
    );
    if let Treatment::Mask(_) = origin.treatment {
        let mask = cogov_rulebook::treatment_words(origin.treatment);
        words.en.push_str(&format!(" → {} → {}", lower(&mask.en), en(grade)));
        words.zh.push_str(&format!(" → {} → {}", mask.zh, grade.zh()));
    }
    for step in steps {
        let (function, k) = (function(step.function.as_deref()), step.least.get());
        words.en.push_str(&format!(" → {} over at least {k} → {}", function.en, en(left)));
        words.zh.push_str(&format!(" → 不少于{k}的{} → {}", function.zh, left.zh()));
    }
    let clauses = cited(&origin.clauses);
    words.en.push_str(&format!(" ({})", clauses.en));
    words.zh.push_str(&format!("（{}）", clauses.zh));
    words
}

fn function(name: Option<&str>) -> Text {
    let (en, zh) = match name {
        None => ("group", "分组"),
        Some("avg") => ("average", "平均值"),
        Some("sum") => ("sum", "合计"),
        Some("count") => ("count", "计数"),
        Some("var" | "var_pop") => ("variance", "方差"),
        Some("stddev" | "stddev_pop") => ("standard deviation", "标准差"),
        Some("noise") => ("noisy statistic", "加噪统计"),
        Some(_) => ("statistic", "统计"),
    };
    Text::new(en, zh)
}

fn lower(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// What may be asked in place of what would show protected columns: named by column.
pub(super) fn nearest(facts: &Facts) -> Text {
    let protected = facts.sources.iter().filter(|(_, o)| matches!(o.treatment, Treatment::Aggregate(_)));
    let mut names: Vec<(&str, bool)> =
        protected.map(|(column, origin)| (column.column.as_str(), origin.numeric)).collect();
    names.truncate(3);
    let number = names.iter().find(|(_, numeric)| *numeric).map(|(name, _)| *name);
    let word = names.iter().find(|(_, numeric)| !*numeric).map(|(name, _)| *name);
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    if let Some(name) = number {
        en.push(format!("ask for avg({name}), or group {name} into bands: GROUP BY {name} / 5 * 5"));
        zh.push(format!("请查询 avg({name})，或将 {name} 分段：GROUP BY {name} / 5 * 5"));
    }
    if let Some(name) = word {
        en.push(format!("ask for counts instead of rows: SELECT {name}, count(*) … GROUP BY {name}"));
        zh.push(format!("请查询计数而非逐行：SELECT {name}, count(*) … GROUP BY {name}"));
    }
    if en.is_empty() {
        en.push("ask for counts instead of rows: SELECT count(*)".to_owned());
        zh.push("请查询计数而非逐行：SELECT count(*)".to_owned());
    }
    Text::new(en.join("; or "), zh.join("；或"))
}

/// The protected columns of facts and the clauses that say so, as `income, age (art-9)`.
pub(super) fn protected(facts: &Facts) -> Text {
    let of = facts.sources.iter().filter(|(_, o)| matches!(o.treatment, Treatment::Aggregate(_)));
    let (mut names, mut clauses) = (Vec::new(), Clauses::new());
    for (column, origin) in of {
        names.push(column.column.as_str());
        clauses.extend(origin.clauses.iter().cloned());
    }
    if names.is_empty() {
        return Text::new("the rows of this grant", "该授权的行");
    }
    let clauses = cited(&clauses);
    Text::new(
        format!("{} ({})", names.join(", "), clauses.en),
        format!("{}（{}）", names.join("、"), clauses.zh),
    )
}
