//! Which statements may say the same: by the pairs of characters they share. It suggests; a moderator decides.

use std::collections::HashSet;

/// From how much in common on a pair is suggested.
const LIKENESS: f64 = 0.45;
/// Suggestions shown at most.
const MOST: usize = 50;

/// Two statements that may say the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Likeness {
    /// The number of the later one.
    pub later: u64,
    /// The number of the earlier one.
    pub earlier: u64,
    /// What they have in common: 0 to 1.
    pub share: f64,
}

/// Pairs of statements that look alike, the most alike first.
pub(crate) fn alike(statements: &[(u64, &str)]) -> Vec<Likeness> {
    let shingles: Vec<(u64, HashSet<u64>)> =
        statements.iter().map(|(number, words)| (*number, pairs(words))).collect();
    let mut found = Vec::new();
    for (i, (later, of_later)) in shingles.iter().enumerate() {
        for (earlier, of_earlier) in shingles.iter().take(i) {
            let (few, many) = match of_later.len() < of_earlier.len() {
                true => (of_later, of_earlier),
                false => (of_earlier, of_later),
            };
            // The share cannot exceed the ratio of the sizes.
            if many.is_empty() || ratio(few.len(), many.len()) < LIKENESS {
                continue;
            }
            let common = few.iter().filter(|pair| many.contains(pair)).count();
            let share = ratio(common, few.len() + many.len() - common);
            if share >= LIKENESS {
                found.push(Likeness { later: *later, earlier: *earlier, share });
            }
        }
    }
    found.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.later.cmp(&b.later)));
    found.truncate(MOST);
    found
}

#[allow(clippy::cast_precision_loss, reason = "a statement has fewer characters than 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Pairs of neighbouring letters and digits, without case, space and punctuation.
fn pairs(words: &str) -> HashSet<u64> {
    let letters: Vec<char> =
        words.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    letters
        .iter()
        .zip(letters.iter().skip(1))
        .map(|(a, b)| (u64::from(u32::from(*a)) << 32) | u64::from(u32::from(*b)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_other_words_is_found_and_the_opposite_of_nothing_is_not() {
        let statements = [
            (0, "Every refusal should name the clause."),
            (1, "每一次拒绝都应当写明条款。"),
            (2, "Every refusal must name its clause!"),
            (3, "每次拒绝都应当写明条款"),
            (4, "Ten persons are too few for a statistic."),
        ];
        let found = alike(&statements);
        let found: Vec<_> = found.iter().map(|l| (l.later, l.earlier)).collect();
        assert!(found.contains(&(2, 0)) && found.contains(&(3, 1)), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(alike(&[(0, "!"), (1, "?")]).is_empty());
    }
}
