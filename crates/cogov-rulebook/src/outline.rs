//! Texts without rules as clauses, and texts of any origin split into clauses by their own headings and numbers.

use crate::markdown::{self, BlockKind};
use crate::{Clause, Document, Enforcement, Problem};
use cogov_model::{ClauseId, Locale, Text};
use std::collections::HashSet;
use std::fmt::Write as _;

/// Bytes of a text that is taken at most.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Clauses of a text at most.
const MOST_CLAUSES: usize = 3000;
/// Characters of a title at most; what follows a number and is longer is words.
const TITLE: usize = 90;

/// The clauses of a text without front matter, and of its translation. Rules are shown, not enforced.
#[must_use]
pub fn outline(original: &str, translation: &str, locale: Locale) -> (Vec<Clause>, Vec<Problem>) {
    let first = markdown::read(original, Document::Original);
    let mut other = markdown::read(translation, Document::Translation);
    let mut problems = first.problems;
    problems.append(&mut other.problems);
    let both = |a: &str, b: &str| match locale {
        Locale::En => Text::new(a, b),
        Locale::ZhHans => Text::new(b, a),
    };
    let clauses = first.clauses.iter().map(|clause| {
        let twin = other.clauses.iter().find(|twin| twin.anchor == clause.anchor);
        if twin.is_none() && !translation.trim().is_empty() {
            let advice = "the translation lacks this clause: add its words there under the same anchor";
            problems.push(Problem::in_clause(clause.line, &clause.anchor, advice));
        }
        let text = |pick: fn(&markdown::RawClause) -> &str| both(pick(clause), twin.map_or("", pick));
        let blocks = |kind| clause.blocks.iter().filter(move |b| b.kind == kind).map(|b| b.text.clone());
        Clause {
            anchor: clause.anchor.clone(),
            title: text(|c| &c.title),
            part: text(|c| &c.part),
            markdown: text(|c| &c.markdown),
            html: text(|c| &c.html),
            rules: blocks(BlockKind::Cedar).collect(),
            settings: blocks(BlockKind::Workflow).collect(),
            enforcement: Enforcement::People,
        }
    });
    let clauses = clauses.collect();
    problems.sort();
    (clauses, problems)
}

/// Why a text cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// It is too long.
    #[error("the text is longer than {} KB: split it into several drafts", MOST_BYTES / 1024)]
    TooLong,
    /// It has too many clauses.
    #[error("the text has more than {MOST_CLAUSES} clauses: split it into several drafts")]
    TooMany,
    /// It has no words.
    #[error("the text has no words")]
    Empty,
}

/// What a line begins.
enum Line<'t> {
    /// A part, under which clauses stand.
    Part(&'t str),
    /// A clause: the stem of its anchor, its title, and words on the same line.
    Clause(String, String, &'t str),
    Words,
}

/// Splits a text into clauses with anchors, as literate Markdown: by Markdown headings, and by lines that begin
/// with 第…条, Article N, § N or 1.2; chapters (第…章, Chapter N, Part N) become parts. Words before the
/// first clause stay before it. A text that has none of these becomes one clause.
///
/// # Errors
/// When it is empty, too long or has too many clauses.
pub fn split(text: &str) -> Result<String, SplitError> {
    if text.len() > MOST_BYTES {
        return Err(SplitError::TooLong);
    }
    if text.trim().is_empty() {
        return Err(SplitError::Empty);
    }
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut taken = HashSet::new();
    let mut out = String::with_capacity(text.len() + 1024);
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let kind = if fenced { Line::Words } else { kind(line) };
        match kind {
            Line::Part(title) => _ = write!(out, "\n# {title}\n\n"),
            Line::Clause(stem, title, rest) => {
                if taken.len() >= MOST_CLAUSES {
                    return Err(SplitError::TooMany);
                }
                let anchor = free(&stem, &mut taken);
                _ = write!(out, "\n## {title} {{#{anchor}}}\n\n");
                if !rest.is_empty() {
                    out.push_str(rest);
                    out.push('\n');
                }
            }
            Line::Words => {
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
    }
    if taken.is_empty() {
        return Ok(format!("## {} {{#text}}\n\n{}\n", first_words(&text), text.trim()));
    }
    Ok(tidy(&out))
}

/// Not more than one empty line in a row.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines() {
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn first_words(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Text");
    line.trim_start_matches('#').trim().chars().take(TITLE).filter(|c| !"{}".contains(*c)).collect()
}

/// An anchor that no other clause has.
fn free(stem: &str, taken: &mut HashSet<String>) -> String {
    let stem = if ClauseId::new(stem).is_ok() { stem } else { "clause" };
    let short: String = stem.chars().take(56).collect();
    let mut anchor = short.clone();
    let mut n = 2;
    while !taken.insert(anchor.clone()) {
        anchor = format!("{short}-{n}");
        n += 1;
    }
    anchor
}

fn kind(line: &str) -> Line<'_> {
    let trimmed = line.trim();
    let hashes = trimmed.chars().take_while(|c| *c == '#').count();
    if (1..=6).contains(&hashes)
        && let Some(title) = trimmed.get(hashes..).filter(|rest| rest.starts_with([' ', '\t']))
    {
        return heading(hashes, title.trim());
    }
    // Bold numbers, as word processors and web pages write them.
    let plain = trimmed.trim_start_matches("**").trim_start_matches("__");
    numbered(plain).unwrap_or(Line::Words)
}

fn heading(level: usize, title: &str) -> Line<'_> {
    let (words, anchor) = match title.rsplit_once("{#") {
        Some((words, anchor)) if anchor.ends_with('}') => (words.trim(), anchor.trim_end_matches('}')),
        _ => (title, ""),
    };
    if let Some(Line::Clause(stem, title, rest)) = numbered(words) {
        let stem = if anchor.is_empty() { stem } else { anchor.to_owned() };
        return if rest.is_empty() {
            Line::Clause(stem, title, rest)
        } else {
            Line::Clause(stem, words.to_owned(), "")
        };
    }
    if anchor.is_empty() && (level == 1 || matches!(numbered(words), Some(Line::Part(_)))) {
        return Line::Part(words);
    }
    let stem = if anchor.is_empty() { slug(words) } else { anchor.to_owned() };
    Line::Clause(stem, words.to_owned(), "")
}

/// `Words and more` → `words-and-more`; what has no Latin letters becomes `clause`.
fn slug(words: &str) -> String {
    let mut out = String::new();
    for c in words.chars().take(60) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let out = out.trim_matches('-');
    if out.is_empty() { "clause".to_owned() } else { out.to_owned() }
}

fn numbered(line: &str) -> Option<Line<'_>> {
    if let Some(found) = chinese(line) {
        return Some(found);
    }
    let (word, rest) = line.split_once([' ', '\u{a0}', '\t'])?;
    match word.to_ascii_lowercase().as_str() {
        "article" | "art." | "section" | "sec." => clause_number(word, rest, "art"),
        "§" => clause_number(word, rest, "s"),
        "chapter" | "part" | "title" => {
            let short =
                line.chars().count() <= TITLE && rest.starts_with(|c: char| c.is_ascii_alphanumeric());
            (short && !line.ends_with(['.', ';', ','])).then_some(Line::Part(line))
        }
        _ if word.starts_with('§') && word.len() > '§'.len_utf8() => {
            clause_number("§", line.trim_start_matches('§'), "s")
        }
        _ => decimal(word, rest),
    }
}

/// `Article 12`, `Article 12 Title`, `Article 12. Words.`
fn clause_number<'t>(word: &str, rest: &'t str, stem: &str) -> Option<Line<'t>> {
    let rest = rest.trim();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
    let (number, after) = (rest.get(..end)?, rest.get(end..)?);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.len() > 8 {
        return None;
    }
    let after = after.trim_start_matches(['.', ':', ')', '*', '_']).trim();
    let anchor = format!("{stem}-{}", number.to_ascii_lowercase());
    Some(titled(anchor, format!("{word} {number}"), after))
}

/// A short remainder belongs to the title, a long one or a sentence is words.
fn titled(anchor: String, number: String, after: &str) -> Line<'_> {
    let after = after.trim_end_matches("**").trim();
    let is_title = after.chars().count() <= TITLE && !after.ends_with(['.', '。', ';', '；', ':', '：']);
    match after {
        "" => Line::Clause(anchor, number, ""),
        after if is_title => Line::Clause(anchor, format!("{number} {}", after.replace(['{', '}'], "")), ""),
        after => Line::Clause(anchor, number, after),
    }
}

/// `1.2 Words`, `1.2.3. Words`: at least two levels, since `1.` begins an item of a list.
fn decimal<'t>(word: &str, rest: &'t str) -> Option<Line<'t>> {
    let number = word.trim_end_matches('.');
    let levels: Vec<&str> = number.split('.').collect();
    let fits = |part: &&str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    if levels.len() < 2 || levels.len() > 5 || !levels.iter().all(fits) {
        return None;
    }
    Some(titled(format!("n-{}", levels.join("-")), number.to_owned(), rest.trim()))
}

/// `第十二条 …`, `第三章 …`.
fn chinese(line: &str) -> Option<Line<'_>> {
    let rest = line.strip_prefix('第')?;
    let end = rest.find(['条', '章', '节', '編', '编'])?;
    let number = numeral(rest.get(..end)?)?;
    let mark = rest.get(end..)?.chars().next()?;
    let mut after = rest.get(end + mark.len_utf8()..)?;
    if mark != '条' {
        return Some(Line::Part(line));
    }
    let mut anchor = format!("art-{number}");
    let mut title = format!("第{}条", rest.get(..end)?);
    if let Some(of) = after.strip_prefix('之') {
        let end = of.find(|c: char| digit(c).is_none()).unwrap_or(of.len());
        if let Some(sub) = of.get(..end).and_then(numeral) {
            anchor = format!("{anchor}-{sub}");
            _ = write!(title, "之{}", of.get(..end)?);
            after = of.get(end..)?;
        }
    }
    // A citation in running text goes on without a gap: 第三条规定的…
    if !after.is_empty()
        && !after.starts_with([' ', '\u{3000}', '\u{a0}', '\t', ':', '：', '*', '【', '（', '('])
    {
        return None;
    }
    let after = after.trim_start_matches(['*', ':', '：']).trim();
    Some(titled(anchor, title, after))
}

fn digit(c: char) -> Option<u32> {
    match c {
        '〇' | '零' => Some(0),
        '一' => Some(1),
        '二' | '两' => Some(2),
        '三' => Some(3),
        '四' => Some(4),
        '五' => Some(5),
        '六' => Some(6),
        '七' => Some(7),
        '八' => Some(8),
        '九' => Some(9),
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1000),
        c => c.to_digit(10),
    }
}

/// `十二` → 12, `一百零三` → 103, `21` → 21.
fn numeral(text: &str) -> Option<u32> {
    if text.is_empty() || text.chars().count() > 9 {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (mut sum, mut now) = (0, 0);
    for c in text.chars() {
        match digit(c)? {
            unit @ (10 | 100 | 1000) => {
                sum += unit * now.max(1);
                now = 0;
            }
            digit => now = digit,
        }
    }
    Some(sum + now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(text: &str) -> Vec<(String, String)> {
        let source = split(text).unwrap();
        let (clauses, problems) = outline(&source, "", Locale::En);
        assert!(problems.iter().all(|p| p.advice.contains("no words")), "{problems:?}\n{source}");
        clauses.iter().map(|c| (c.anchor.to_string(), c.title.en.clone())).collect()
    }

    fn pair(a: &str, b: &str) -> (String, String) {
        (a.to_owned(), b.to_owned())
    }

    #[test]
    fn texts_are_split_by_their_own_numbers() {
        let decree = "政务数据共享条例\n\n第一章 总 则\n\n第一条 为了推进政务数据安全有序高效共享利用,制定本条例。\n\n\
                      第二条 依照第一条规定的数据,适用本条例。\n第十二条之一　其他事项。\n第一百零三条\n施行。";
        let found = anchors(decree);
        assert_eq!(
            found,
            [
                pair("art-1", "第一条"),
                pair("art-2", "第二条"),
                pair("art-12-1", "第十二条之一"),
                pair("art-103", "第一百零三条")
            ]
        );
        let act = "Data Act\n\nChapter I General\n\nArticle 1 Purpose\n\nThis act regulates sharing.\n\nArticle 2. It applies to all bodies.\n\
                   Article 2 says so.\n\n§ 5 Terms\n\nWords.\n\n1.2 Access\n\nWords.\n\n1. a list item\n";
        let found = anchors(act);
        assert_eq!(found[0], pair("art-1", "Article 1 Purpose"));
        assert_eq!(found[1], pair("art-2", "Article 2"));
        assert!(found.contains(&pair("s-5", "§ 5 Terms")) && found.contains(&pair("n-1-2", "1.2 Access")));
        let md = anchors(
            "# Policy\n\n## Access for all {#access}\n\nWords.\n\n## Access for all\n\nWords.\n\n### 第三条 使用\n\n字。",
        );
        assert_eq!(
            md,
            [
                pair("access", "Access for all"),
                pair("access-for-all", "Access for all"),
                pair("art-3", "第三条 使用")
            ]
        );
        assert_eq!(anchors("just words\n\nand more"), [pair("text", "just words")]);
    }

    #[test]
    fn what_cannot_be_split_is_told() {
        assert_eq!(split("  \n"), Err(SplitError::Empty));
        assert_eq!(split(&"x".repeat(MOST_BYTES + 1)), Err(SplitError::TooLong));
        let many: String = (0..=MOST_CLAUSES).map(|n| format!("Article {n}\n\n")).collect();
        assert_eq!(split(&many), Err(SplitError::TooMany));
        assert_eq!(numeral("二十"), Some(20));
        assert_eq!(numeral("abc"), None);
    }
}
