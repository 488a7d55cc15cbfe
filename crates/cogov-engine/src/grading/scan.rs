//! Finds check-digit identifiers anywhere in a text: alone in a cell, grouped by spaces or hyphens, or
//! inside a sentence.

use super::checkdigit::{Verdict, bank_card_verdict, credit_code_verdict, iban_verdict, resident_id_verdict};
use std::borrow::Cow;

/// A kind of identifier that carries a check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// Resident identity number (GB 11643).
    ResidentId,
    /// Unified social credit code (GB 32100).
    CreditCode,
    /// International bank account number (ISO 13616).
    Iban,
    /// Bank card number (ISO/IEC 7812).
    BankCard,
}

impl Identifier {
    /// Every kind, in the order in which a text is tried: the most demanding shape first.
    pub const ALL: [Identifier; 4] =
        [Identifier::ResidentId, Identifier::CreditCode, Identifier::Iban, Identifier::BankCard];

    /// The share of candidates that pass by chance alone, as one in so many.
    #[must_use]
    pub const fn chance(self) -> u64 {
        match self {
            Identifier::ResidentId => 11,
            Identifier::CreditCode => 31,
            Identifier::Iban => 97,
            Identifier::BankCard => 10,
        }
    }

    fn verdict(self, text: &[u8]) -> Verdict {
        match self {
            Identifier::ResidentId => resident_id_verdict(text),
            Identifier::CreditCode => credit_code_verdict(text),
            Identifier::Iban => iban_verdict(text),
            Identifier::BankCard => bank_card_verdict(text),
        }
    }
}

/// An identifier, or a text of its shape, found in a longer text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Identifier,
    /// Whether its check digit agrees; if not, it is only a candidate.
    pub valid: bool,
    /// First byte in the text.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// Fewest characters of any identifier.
const SHORTEST: usize = 13;
/// Most characters of any identifier (an IBAN of Russia), with grouping.
const LONGEST: usize = 33;

/// Every valid identifier in a text, from left to right, never overlapping.
#[must_use]
pub fn find_identifiers(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    scan(text, &mut |f| {
        if f.valid {
            found.push(f);
        }
    });
    found
}

/// Calls `see` for every identifier and every candidate in a text.
pub fn scan(text: &str, see: &mut impl FnMut(Found)) {
    if text.len() < SHORTEST || text.bytes().filter(u8::is_ascii_digit).count() < 6 && text.is_ascii() {
        return;
    }
    match narrow(text) {
        Cow::Borrowed(text) => scan_ascii(text.as_bytes(), see),
        // Positions in the narrowed text are mapped back, character by character.
        Cow::Owned(narrowed) => scan_ascii(narrowed.as_bytes(), &mut |f| {
            let at = |byte: usize| -> usize {
                let chars = narrowed.get(..byte).map_or(0, |head| head.chars().count());
                text.char_indices().nth(chars).map_or(text.len(), |(i, _)| i)
            };
            see(Found { start: at(f.start), end: at(f.end), ..f });
        }),
    }
}

/// Full-width digits and letters as ASCII, since they read the same.
fn narrow(text: &str) -> Cow<'_, str> {
    let wide = |c: char| ('\u{FF10}'..='\u{FF5A}').contains(&c);
    if text.is_ascii() || !text.contains(wide) {
        return Cow::Borrowed(text);
    }
    let narrowed = |c: char| match c {
        '\u{FF10}'..='\u{FF19}' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}' => {
            u8::try_from(u32::from(c) - 0xFEE0).map_or(c, char::from)
        }
        other => other,
    };
    Cow::Owned(text.chars().map(narrowed).collect())
}

/// A run of ASCII letters and digits.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

fn runs(text: &[u8]) -> impl Iterator<Item = Run> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.iter().position(u8::is_ascii_alphanumeric)?;
        let rest = text.get(start..)?;
        let end = start + rest.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
        at = end;
        Some(Run { start, end })
    })
}

fn scan_ascii(text: &[u8], see: &mut impl FnMut(Found)) {
    let mut pending: Vec<Run> = Vec::new();
    for run in runs(text) {
        let joined = pending.last().is_some_and(|last: &Run| {
            run.start == last.end + 1 && matches!(text.get(last.end), Some(b' ' | b'-'))
        });
        if !joined {
            settle(text, &pending, see);
            pending.clear();
        }
        pending.push(run);
    }
    settle(text, &pending, see);
}

/// Looks at a chain of runs that single spaces or hyphens join. Longer chains are tried before single
/// runs, so that a card written in groups of four is one card.
fn settle(text: &[u8], chain: &[Run], see: &mut impl FnMut(Found)) {
    let mut rest = chain;
    while let Some((first, tail)) = rest.split_first() {
        let taken = (2..=rest.len().min(9))
            .rev()
            .find(|n| rest.get(..*n).is_some_and(|group| grouped(text, group, see)));
        rest = match taken {
            Some(n) => rest.get(n..).unwrap_or_default(),
            None => {
                single(text, *first, see);
                tail
            }
        };
    }
}

/// Whether runs form one identifier written in groups of equal length, the last of which may differ.
fn grouped(text: &[u8], group: &[Run], see: &mut impl FnMut(Found)) -> bool {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return false };
    let width = first.end - first.start;
    let total: usize = group.iter().map(|r| r.end - r.start).sum();
    let even = group.iter().rev().skip(1).all(|r| r.end - r.start == width);
    let amex = group.iter().map(|r| r.end - r.start).eq([4, 6, 5]);
    let resident = group.iter().map(|r| r.end - r.start).eq([6, 8, 4]);
    if !(SHORTEST..=LONGEST).contains(&total) || !(amex || resident || even && width >= 3) {
        return false;
    }
    let joined: Vec<u8> = group.iter().filter_map(|r| text.get(r.start..r.end)).flatten().copied().collect();
    match classify(&joined) {
        Some((kind, true)) => {
            see(Found { kind, valid: true, start: first.start, end: last.end });
            true
        }
        _ => false,
    }
}

/// Looks at one run: as a whole, and, when it is too long, at the digits inside it.
fn single(text: &[u8], run: Run, see: &mut impl FnMut(Found)) {
    let Some(bytes) = text.get(run.start..run.end) else { return };
    if bytes.len() < SHORTEST {
        return;
    }
    if let Some((kind, valid)) = classify(bytes) {
        see(Found { kind, valid, start: run.start, end: run.end });
        return;
    }
    // A prefix of letters glued to the number, such as `ID110105…`.
    let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let tail = bytes.get(letters..).unwrap_or_default();
    if letters > 0
        && tail.len() >= SHORTEST
        && let Some((kind, valid)) = classify(tail)
    {
        see(Found { kind, valid, start: run.start + letters, end: run.end });
    }
}

/// The kind that the text is valid for, or else the first kind whose shape it has.
fn classify(text: &[u8]) -> Option<(Identifier, bool)> {
    let mut candidate = None;
    for kind in Identifier::ALL {
        match kind.verdict(text) {
            Verdict::Valid => return Some((kind, true)),
            Verdict::Candidate => candidate = candidate.or(Some((kind, false))),
            Verdict::No => {}
        }
    }
    candidate
}
