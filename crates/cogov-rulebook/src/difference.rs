//! How two texts differ, word by word: Chinese by characters, other scripts by words.

use crate::{Change, Clause, Rulebook};
use cogov_model::{ClauseId, Locale};
use similar::{Algorithm, DiffTag};
use std::time::{Duration, Instant};

/// Time after which a comparison of one clause is coarser than it could be.
const PATIENCE: Duration = Duration::from_millis(200);

/// What happened to some words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// They stand in both.
    Kept,
    /// Only the older text has them.
    Removed,
    /// Only the newer text has them.
    Added,
}

/// Some words and what happened to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What happened.
    pub fate: Fate,
    /// The words.
    pub text: String,
}

/// How one clause differs from the same clause of another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseDifference {
    /// The clause.
    pub anchor: ClauseId,
    /// How it differs.
    pub change: Change,
    /// Its title.
    pub title: Vec<Piece>,
    /// Its words, as Markdown.
    pub words: Vec<Piece>,
    /// Its rules and settings.
    pub rules: Vec<Piece>,
}

impl Rulebook {
    /// What changed from this version to a newer one, clause by clause, with the words of one language.
    #[must_use]
    pub fn differences(&self, newer: &Rulebook, locale: Locale) -> Vec<ClauseDifference> {
        let of = |change: crate::ClauseChange| {
            let (old, new) = (self.clause(&change.anchor), newer.clause(&change.anchor));
            let text = |pick: fn(&Clause, Locale) -> String| {
                let side = |clause: Option<&Clause>| clause.map(|c| pick(c, locale)).unwrap_or_default();
                compare_words(&side(old), &side(new))
            };
            ClauseDifference {
                title: text(|clause, locale| clause.title.get(locale).to_owned()),
                words: text(|clause, locale| clause.markdown.get(locale).to_owned()),
                rules: text(|clause, _| {
                    clause.rules.iter().chain(&clause.settings).cloned().collect::<Vec<_>>().join("\n\n")
                }),
                anchor: change.anchor,
                change: change.change,
            }
        };
        self.compare(newer).into_iter().map(of).collect()
    }
}

/// Compares two texts. Joining what was kept and removed gives the older one, what was kept and added the
/// newer one.
#[must_use]
pub fn compare_words(old: &str, new: &str) -> Vec<Piece> {
    let (a, b) = (tokens(old), tokens(new));
    let deadline = Instant::now().checked_add(PATIENCE);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |fate: Fate, words: &[&str]| {
        let text = words.concat();
        match pieces.last_mut() {
            Some(last) if last.fate == fate => last.text.push_str(&text),
            _ if text.is_empty() => {}
            _ => pieces.push(Piece { fate, text }),
        }
    };
    for step in similar::capture_diff_slices_deadline(Algorithm::Patience, &a, &b, deadline) {
        let (tag, old, new) = step.as_tag_tuple();
        let before = a.get(old).unwrap_or_default();
        let after = b.get(new).unwrap_or_default();
        match tag {
            DiffTag::Equal => push(Fate::Kept, before),
            DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                push(Fate::Removed, before);
                push(Fate::Added, after);
            }
        }
    }
    pieces
}

/// Words, runs of spaces, and single other characters; nothing is lost.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_whitespace() => 1,
        // Scripts without spaces between words are compared by characters.
        '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => 0,
        c if c.is_alphanumeric() || c == '_' => 2,
        _ => 0,
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last = 0;
    for (at, c) in text.char_indices() {
        let now = kind(c);
        if at > start && (now == 0 || now != last) {
            tokens.extend(text.get(start..at));
            start = at;
        }
        last = now;
    }
    tokens.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_can_be_read_from_the_pieces() {
        for (old, new) in [
            ("Public bodies read each other's data.", "Public bodies may read their own data."),
            ("公共机构读取数据。", "公共机构可以读取本地区的数据。"),
            ("", "new"),
            ("old", ""),
            ("same", "same"),
            ("a\n\nb c", "a b\n\nc"),
        ] {
            let pieces = compare_words(old, new);
            let side = |gone: Fate| -> String {
                pieces.iter().filter(|p| p.fate != gone).map(|p| p.text.as_str()).collect()
            };
            assert_eq!((side(Fate::Added).as_str(), side(Fate::Removed).as_str()), (old, new));
        }
        let pieces = compare_words("at least ten rows", "at least twenty rows");
        assert!(pieces.contains(&Piece { fate: Fate::Removed, text: "ten".into() }), "{pieces:?}");
        let pieces = compare_words("不少于十条记录", "不少于二十条记录");
        assert_eq!(pieces.iter().filter(|p| p.fate == Fate::Added).count(), 1, "{pieces:?}");
    }
}
