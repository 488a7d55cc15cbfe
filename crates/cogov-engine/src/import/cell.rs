//! What types one value may have without losing anything of how it is written.

/// Types that a value may have, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Kinds = Kinds(0);
    pub(super) const BOOLEAN: Kinds = Kinds(1);
    pub(super) const INTEGER: Kinds = Kinds(2);
    pub(super) const REAL: Kinds = Kinds(4);
    pub(super) const DATE: Kinds = Kinds(8);
    pub(super) const TIMESTAMP: Kinds = Kinds(16);
    pub(super) const ALL: Kinds = Kinds(31);

    pub(super) const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    pub(super) const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }
}

/// Words that mean "not available" in a column whose other values are numbers, dates or booleans. In
/// a column of text they stay text.
pub(super) const MISSING: [&str; 20] = [
    "", "NA", "N/A", "n/a", "na", "#N/A", "NaN", "nan", "NULL", "null", "Null", "None", "none", "nil", "\\N",
    "-", "--", ".", "无", "空",
];

/// Whether a value is a word for nothing.
pub(super) fn missing(text: &str) -> bool {
    text.len() <= 4 && MISSING.contains(&text)
}

/// The types of a value.
///
/// Leading zeros, plus signs, exponents without a sign (codes such as `1e5`), whole numbers beyond 64
/// bits and numbers of more than 17 digits are text: a number would not be written the same again.
pub(super) fn kinds(text: &str) -> Kinds {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'0'..=b'9') => match digits(bytes) {
            n if n == bytes.len() => number(text),
            4 if matches!(bytes.get(4), Some(b'-' | b'/' | 0xe5)) => super::time::kinds(text),
            _ => number(text),
        },
        Some(b'-' | b'.') => number(text),
        Some(b't' | b'T' | b'f' | b'F') if boolean(text).is_some() => Kinds::BOOLEAN,
        _ => Kinds::NONE,
    }
}

/// A boolean, in the three ways that programs write it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn number(text: &str) -> Kinds {
    let negative = text.starts_with('-');
    let plain = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let whole = digits(plain);
    let zero_led = whole > 1 && plain.first() == Some(&b'0');
    if zero_led || plain.is_empty() {
        return Kinds::NONE;
    }
    if whole == plain.len() {
        let small = whole <= 18 || text.parse::<i64>().is_ok();
        let exact = whole <= 15 || text.parse::<i64>().is_ok_and(|n| n.unsigned_abs() <= 1 << 53);
        return match (small, negative && plain == b"0") {
            (true, false) if exact => Kinds::INTEGER.or(Kinds::REAL),
            (true, false) => Kinds::INTEGER,
            _ => Kinds::NONE,
        };
    }
    if real(plain, whole) { Kinds::REAL } else { Kinds::NONE }
}

/// Digits, a point, digits, and an exponent that has a sign; at most 17 significant digits.
fn real(plain: &[u8], whole: usize) -> bool {
    let rest = plain.get(whole..).unwrap_or_default();
    let (fraction, rest) = match rest.split_first() {
        Some((b'.', tail)) => {
            let n = digits(tail);
            (n, tail.get(n..).unwrap_or_default())
        }
        _ => (0, rest),
    };
    let exponent = match rest {
        [] => true,
        [b'e' | b'E', b'-' | b'+', power @ ..] => {
            (1..=3).contains(&power.len()) && digits(power) == power.len()
        }
        _ => false,
    };
    let significant = plain
        .iter()
        .take_while(|b| !matches!(b, b'e' | b'E'))
        .filter(|b| b.is_ascii_digit())
        .skip_while(|b| **b == b'0')
        .count();
    exponent && whole + fraction > 0 && (fraction > 0 || !rest.is_empty()) && significant <= 17
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_number_would_lose_is_a_number() {
        for text in [
            "007",
            "+86",
            "1e5",
            "1E10",
            "-0",
            "9223372036854775808",
            "1.",
            "0x1F",
            "1_000",
            "12 ",
            "-",
            "1.2.3",
            "١",
        ] {
            assert_eq!(kinds(text), Kinds::NONE, "{text}");
        }
        for text in ["0", "-1", "1234567"] {
            assert_eq!(kinds(text), Kinds::INTEGER.or(Kinds::REAL), "{text}");
        }
        assert_eq!(kinds("9007199254740993"), Kinds::INTEGER);
        for text in ["0.5", "-12.25", ".5", "1e-05", "1.5e+20", "0.1000000000000001"] {
            assert_eq!(kinds(text), Kinds::REAL, "{text}");
        }
        assert_eq!(kinds("0.12345678901234567890"), Kinds::NONE);
        assert_eq!(kinds("True"), Kinds::BOOLEAN);
    }
}
