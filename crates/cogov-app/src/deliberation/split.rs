//! A pasted text, split into clauses by its own Markdown headings.

use crate::{AppError, error::Result};
use cogov_model::{ClauseId, ConsultedClause, Text};
use std::collections::BTreeSet;

/// The anchor of words that stand before the first heading.
const PREAMBLE: &str = "preamble";

#[derive(Debug, Default)]
struct Piece {
    anchor: Option<String>,
    title: String,
    words: String,
}

/// Splits a text in one or both languages. A heading with words under it is a clause; `{#anchor}` at its end
/// is its anchor, otherwise its place is. The second language is matched by anchor where both have one, else
/// by place.
///
/// # Errors
/// `Invalid` when there are no words, when an anchor stands twice or cannot be one.
pub fn split_clauses(en: &str, zh: &str) -> Result<Vec<ConsultedClause>> {
    let (english, chinese) = (pieces(en), pieces(zh));
    let (first, second, is_english) =
        if english.is_empty() { (chinese, english, false) } else { (english, chinese, true) };
    let mut clauses = Vec::with_capacity(first.len());
    let mut seen = BTreeSet::new();
    for (place, piece) in first.iter().enumerate() {
        let twin = match &piece.anchor {
            Some(anchor) => second
                .iter()
                .find(|other| other.anchor.as_ref() == Some(anchor))
                .or_else(|| second.get(place).filter(|other| other.anchor.is_none())),
            None => second.get(place),
        };
        let anchor = piece.anchor.clone().unwrap_or_else(|| format!("s-{}", place + 1));
        let anchor = ClauseId::new(anchor).map_err(|error| {
            let words = format!("The anchor of “{}” cannot be used: {error}.", piece.title);
            AppError::invalid("text", words, format!("“{}”的锚点无法使用。", piece.title))
        })?;
        if !seen.insert(anchor.clone()) {
            return Err(AppError::invalid(
                "text",
                format!("The anchor {anchor} stands twice: give every clause its own."),
                format!("锚点 {anchor} 重复：请为每一条使用不同的锚点。"),
            ));
        }
        let pair = |one: &str, two: Option<&str>| match is_english {
            true => Text::new(one, two.unwrap_or_default()),
            false => Text::new(two.unwrap_or_default(), one),
        };
        clauses.push(ConsultedClause {
            anchor,
            title: pair(&piece.title, twin.map(|twin| twin.title.as_str())),
            words: pair(&piece.words, twin.map(|twin| twin.words.as_str())),
        });
    }
    if clauses.is_empty() {
        return Err(AppError::invalid(
            "text",
            "Paste the text, with a heading (a line that begins with #) over each clause.",
            "请粘贴文本，每一条以标题行（# 开头）开始。",
        ));
    }
    Ok(clauses)
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open = Piece { anchor: Some(PREAMBLE.to_owned()), ..Piece::default() };
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let start = line.trim_start();
        match fence {
            Some(mark) if start.starts_with(mark) => fence = None,
            Some(_) => {}
            None if start.starts_with("```") => fence = Some("```"),
            None if start.starts_with("~~~") => fence = Some("~~~"),
            None => {
                if let Some(heading) = heading(start) {
                    close(&mut pieces, std::mem::replace(&mut open, heading));
                    continue;
                }
            }
        }
        open.words.push_str(line);
        open.words.push('\n');
    }
    close(&mut pieces, open);
    pieces
}

/// A heading alone, such as the title of a part, is no clause.
fn close(pieces: &mut Vec<Piece>, mut piece: Piece) {
    piece.words = piece.words.trim().to_owned();
    if !piece.words.is_empty() {
        pieces.push(piece);
    }
}

/// `## Title {#anchor}`
fn heading(line: &str) -> Option<Piece> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    if level == 0 || level > 6 || !(title.is_empty() || title.starts_with(char::is_whitespace)) {
        return None;
    }
    let title = title.trim().trim_end_matches('#').trim();
    let (title, anchor) = match title.rsplit_once("{#") {
        Some((title, anchor)) if anchor.ends_with('}') => {
            (title.trim(), Some(anchor.trim_end_matches('}').trim().to_owned()))
        }
        _ => (title, None),
    };
    Some(Piece { anchor, title: title.to_owned(), words: String::new() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn headings_make_clauses_and_languages_meet() {
        let en = "Before.\n\n# Part\n\n## One {#art-1}\nFirst words.\n\n```text\n# no heading\n```\n## Two\nSecond.\n";
        let zh = "前言。\n\n# 第一部分\n\n## 一 {#art-1}\n第一条。\n## 二\n第二条。";
        let clauses = split_clauses(en, zh).unwrap();
        let anchors: Vec<_> = clauses.iter().map(|c| c.anchor.as_str()).collect();
        assert_eq!(anchors, ["preamble", "art-1", "s-3"]);
        assert_eq!(clauses[1].title, Text::new("One", "一"));
        assert!(clauses[1].words.en.contains("# no heading"));
        assert_eq!(clauses[2].words, Text::new("Second.", "第二条。"));
        let only = split_clauses("", zh).unwrap();
        assert_eq!(only[1].title, Text::new("", "一"));
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        for text in ["", "# Only a title", "## A {#x}\na\n## B {#x}\nb", "## A {#X Y}\na"] {
            assert!(matches!(split_clauses(text, ""), Err(AppError::Invalid { .. })), "{text}");
        }
    }
}
