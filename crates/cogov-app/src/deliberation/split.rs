//! A text, split into clauses by its own Markdown headings or, where it names no anchors, by its own numbers.

use crate::{AppError, error::Result};
use cogov_model::{ClauseId, ConsultedClause, Text};
use std::collections::BTreeSet;

/// The anchor of words that stand before the first heading, where no clause has it.
const PREAMBLE: &str = "preamble";

#[derive(Debug, Default)]
struct Piece {
    /// As the text names it.
    anchor: Option<String>,
    /// Whether these are words before the first heading.
    opening: bool,
    title: String,
    words: String,
}

/// Splits a text in one or both languages. A heading with words under it is a clause; `{#anchor}` at its end
/// is its anchor, otherwise its place is. A text that names no anchors and has no headings over several clauses, as word
/// processors give it, is split by its numbers (Article 3, 第三条) as drafts are. The second language is matched by anchor
/// where both have one, else by place.
///
/// # Errors
/// `Invalid` when there are no words, when an anchor stands twice or cannot be one.
pub fn split_clauses(en: &str, zh: &str) -> Result<Vec<ConsultedClause>> {
    let (english, chinese) = divided(en, zh);
    let (first, second, is_english) =
        if english.is_empty() { (chinese, english, false) } else { (english, chinese, true) };
    let named: BTreeSet<&str> = first.iter().filter_map(|piece| piece.anchor.as_deref()).collect();
    let mut clauses = Vec::with_capacity(first.len());
    let mut seen = BTreeSet::new();
    for (place, piece) in first.iter().enumerate() {
        let twin = twin(&first, place, &second);
        let anchor = ClauseId::new(anchor(piece, place, &named)).map_err(|error| {
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
            "Paste the text or choose a file, with a heading (a line that begins with #) over each clause.",
            "请粘贴文本或选择文件，每一条以标题行（# 开头）开始。",
        ));
    }
    Ok(clauses)
}

/// The anchor that a piece has, or one that no clause of the text has.
fn anchor(piece: &Piece, place: usize, named: &BTreeSet<&str>) -> String {
    if let Some(anchor) = &piece.anchor {
        return anchor.clone();
    }
    if piece.opening && !named.contains(PREAMBLE) {
        return PREAMBLE.to_owned();
    }
    let mut anchor = format!("s-{}", place + 1);
    while named.contains(anchor.as_str()) {
        anchor.push_str("-x");
    }
    anchor
}

/// The same clause in the other language.
fn twin<'a>(first: &[Piece], place: usize, second: &'a [Piece]) -> Option<&'a Piece> {
    let piece = first.get(place)?;
    if piece.opening {
        return second.iter().find(|other| other.opening);
    }
    let opened = first.iter().take(place).filter(|piece| piece.opening).count();
    let there = second.iter().filter(|other| !other.opening).nth(place - opened);
    match &piece.anchor {
        Some(anchor) => {
            let same = second.iter().find(|other| other.anchor.as_ref() == Some(anchor));
            same.or_else(|| there.filter(|other| other.anchor.is_none()))
        }
        None => there,
    }
}

/// Both texts by their headings; or by their numbers, when neither names anchors or has headings over several clauses.
fn divided(en: &str, zh: &str) -> (Vec<Piece>, Vec<Piece>) {
    let headings = (pieces(en), pieces(zh));
    let plain = |pieces: &[Piece]| {
        let mut clauses = pieces.iter().filter(|piece| !piece.opening);
        clauses.clone().all(|piece| piece.anchor.is_none()) && clauses.nth(1).is_none()
    };
    if !plain(&headings.0) || !plain(&headings.1) {
        return headings;
    }
    let numbers = |text| cogov_rulebook::split(text).map(|text| pieces(&text)).unwrap_or_default();
    let numbered = (numbers(en), numbers(zh));
    let more = numbered.0.len() > headings.0.len() || numbered.1.len() > headings.1.len();
    if more { numbered } else { headings }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open = Piece { opening: true, ..Piece::default() };
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
    Some(Piece { anchor, title: title.to_owned(), ..Piece::default() })
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
    fn a_text_without_anchors_is_also_split_by_its_numbers() {
        let en =
            "# On openness\n\nArticle 1 Purpose\n\nData serves people.\n\nArticle 2 Scope\n\nAll bodies.\n";
        let clauses =
            split_clauses(en, "# 公开\n\n第一条 目的\n\n数据为民。\n\n第二条 范围\n\n所有机构。").unwrap();
        let anchors: Vec<_> = clauses.iter().map(|c| c.anchor.as_str()).collect();
        assert_eq!(anchors, ["art-1", "art-2"]);
        assert_eq!(clauses[1].words, Text::new("All bodies.", "所有机构。"));
        // Words of a clause that begin with a number stay words where the clauses have anchors or headings.
        let own =
            split_clauses("## One {#one}\nSee below.\n\nArticle 3 of the decree\n\nholds.", "").unwrap();
        assert_eq!(own.len(), 1);
        let plain = "## Purpose\nThis law implements\nArticle 3 of the decree on data.\n## Scope\nAll.";
        assert_eq!(split_clauses(plain, "").unwrap().len(), 2);
        // An anchor that a number makes is not given to another clause.
        let sections = split_clauses("# Law\n\nIntro.\n\n§ 1 Purpose\n\nWords.", "").unwrap();
        let anchors: Vec<_> = sections.iter().map(|c| c.anchor.as_str()).collect();
        assert_eq!(anchors, ["s-1-x", "s-1"]);
    }

    #[test]
    fn words_before_the_first_heading_meet_only_their_like() {
        let clauses = split_clauses("## One\na\n## Two\nb", "前言。\n## 一\n甲\n## 二\n乙").unwrap();
        assert_eq!(clauses[0].words, Text::new("a", "甲"));
        assert_eq!(clauses[1].words, Text::new("b", "乙"));
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        for text in ["", "# Only a title", "## A {#x}\na\n## B {#x}\nb", "## A {#X Y}\na"] {
            assert!(matches!(split_clauses(text, ""), Err(AppError::Invalid { .. })), "{text}");
        }
    }
}
