//! Reasons in both languages. They name clauses and treatments, never a value.

use crate::{Idle, Rulebook};
use cogov_model::{Aggregation, Clauses, Locale, Mask, Text, Treatment};

/// Why a column is treated as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Permitted,
    Forbidden,
    Silent,
    Failed,
}

/// The reason of a ruling.
pub(crate) fn ruling(rulebook: &Rulebook, why: Why, treatment: Treatment, clauses: &Clauses) -> Text {
    let (en, zh) = cited(rulebook, clauses);
    let done = treatment_words(treatment);
    match why {
        Why::Permitted => Text::new(format!("{} under {en}.", done.en), format!("依据{zh},{}。", done.zh)),
        Why::Forbidden => Text::new(format!("Withheld: forbidden by {en}."), format!("依据{zh},不予提供。")),
        Why::Silent => Text::new(
            format!("Withheld: no clause allows this use ({en})."),
            format!("无条款允许此项使用,不予提供({zh})。"),
        ),
        Why::Failed => Text::new(
            format!("Withheld: a rule could not be applied, so nothing is released ({en})."),
            format!("规则无法适用,不予提供({zh})。"),
        ),
    }
}

/// The reason after a condition of the grant made a treatment stricter.
pub(crate) fn with_condition(reason: &Text, treatment: Treatment) -> Text {
    let done = treatment_words(treatment);
    Text::new(
        format!("{} The grant's own condition is stricter: {}.", reason.en, lower(&done.en)),
        format!("{}授权另附更严格的条件:{}。", reason.zh, done.zh),
    )
}

/// The reason of a refusal because the grant as a whole is not in use.
pub(crate) fn idle(rulebook: &Rulebook, idle: Idle, clauses: &Clauses) -> Text {
    let (en, zh) = cited(rulebook, clauses);
    let (en_state, zh_state) = match idle {
        Idle::NotYet => ("The grant's term has not begun", "授权期限尚未开始"),
        Idle::Expired => ("The grant's term is over", "授权期限已届满"),
        Idle::Revoked => ("The grant was ended before its term", "授权已被提前终止"),
        Idle::Refused => ("The application was refused", "申请未获同意"),
    };
    Text::new(format!("{en_state}: {en}."), format!("{zh_state}:{zh}。"))
}

/// The reason of a refusal because the grant belongs to another party.
pub(crate) fn other_party(rulebook: &Rulebook, clauses: &Clauses) -> Text {
    let (en, zh) = cited(rulebook, clauses);
    Text::new(format!("The grant belongs to another party: {en}."), format!("该授权属于其他主体:{zh}。"))
}

/// The reason of a refusal because nothing of the grant is left.
pub(crate) fn nothing_left(rulebook: &Rulebook, clauses: &Clauses) -> Text {
    let (en, zh) = cited(rulebook, clauses);
    Text::new(
        format!("The rulebook in force allows nothing of what the grant holds: {en}."),
        format!("现行规则不允许使用该授权的任何内容:{zh}。"),
    )
}

/// What is done to a column, in words.
#[must_use]
pub fn treatment_words(treatment: Treatment) -> Text {
    match treatment {
        Treatment::Clear => Text::new("Shown as it is", "原样提供"),
        Treatment::Mask(Mask::Year) => Text::new("Shown as the year only", "仅提供年份"),
        Treatment::Mask(Mask::Band(width)) => {
            Text::new(format!("Shown in bands of {width}"), format!("按宽度{width}分段提供"))
        }
        Treatment::Mask(Mask::Prefix(keep)) => Text::new(
            format!("Only the first {keep} {} shown", if keep == 1 { "character" } else { "characters" }),
            format!("仅显示前{keep}个字符"),
        ),
        Treatment::Mask(Mask::KeyedHash) => {
            Text::new("Replaced by a keyed hash of this grant", "以本授权专用的密钥散列替代")
        }
        Treatment::Aggregate(obliged) => aggregation_words(obliged),
        Treatment::Noise { min_group, epsilon_per_month } => Text::new(
            format!(
                "Only in statistics with differential privacy, over at least {} rows, ε {epsilon_per_month} a month",
                min_group.get()
            ),
            format!("仅可用于差分隐私统计,不少于{}条记录,每月 ε 为 {epsilon_per_month}", min_group.get()),
        ),
        Treatment::Withhold => Text::new("Withheld", "不予提供"),
    }
}

/// What a protected statistic obliges, in words.
fn aggregation_words(obliged: Aggregation) -> Text {
    let k = obliged.get();
    let mut words = Text::new(
        format!("Only in statistics over at least {k} rows"),
        format!("仅可用于不少于{k}条记录的统计"),
    );
    if let Some(rule) = obliged.dominance {
        let (n, percent) = (rule.largest, rule.percent.get());
        words.en.push_str(&format!(
            ", no sum of which the {n} greatest contributors make up {percent} % or more"
        ));
        words.zh.push_str(&format!(",前{n}大贡献者合计占比达{percent}%的合计不予提供"));
    }
    if let Some(percent) = obliged.p_percent {
        let p = percent.get();
        words.en.push_str(&format!(", no sum from which the greatest can be estimated within {p} %"));
        words.zh.push_str(&format!(",可在{p}%以内推算最大贡献者的合计不予提供"));
    }
    if let Some(base) = obliged.round {
        words.en.push_str(&format!(", counts rounded to multiples of {base}"));
        words.zh.push_str(&format!(",计数按{base}的倍数取整"));
    }
    words
}

/// The clauses by title and anchor, as `“Title” (art-9)` and `《标题》(art-9)`.
fn cited(rulebook: &Rulebook, clauses: &Clauses) -> (String, String) {
    let titles = |locale| {
        clauses.iter().map(move |anchor| {
            let title = rulebook.clause(anchor).map_or(anchor.as_str(), |clause| clause.title.get(locale));
            (title.to_owned(), anchor)
        })
    };
    let en: Vec<_> = titles(Locale::En).map(|(title, anchor)| format!("“{title}” ({anchor})")).collect();
    let zh: Vec<_> = titles(Locale::ZhHans).map(|(title, anchor)| format!("《{title}》({anchor})")).collect();
    (en.join(", "), zh.join("、"))
}

fn lower(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
