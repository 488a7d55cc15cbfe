//! Check digits of the four identifiers that carry them. Pure functions over ASCII text without separators.

use chrono::NaiveDate;

/// First two digits of the administrative division codes of GB/T 2260, with 81–83 for residence
/// permits of people from Hong Kong, Macao and Taiwan. 99 belongs to no place: invented numbers carry it,
/// such as those of the demo, and are found like real ones.
const PROVINCES: [u8; 36] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54,
    61, 62, 63, 64, 65, 71, 81, 82, 83, 99,
];

/// Weights of GB 11643-1999 (ISO 7064 MOD 11-2: 2^(17-i) mod 11).
const RESIDENT_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The 31 characters of GB 32100-2015, in order of value: no I, O, S, V, Z.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Weights of GB 32100-2015 (3^i mod 31).
const CREDIT_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// Weights of the organisation code inside a credit code (GB 11714-1997).
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// Country codes and lengths of the IBAN registry (ISO 13616, SWIFT registry release 99).
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Whether a text has the shape of an identifier, and whether its check digit agrees too.
///
/// The difference matters for columns of ordinary numbers: some of them pass a check digit by chance,
/// and only the share among the candidates tells them from identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not this kind of identifier at all.
    No,
    /// The right shape, but the check digit is wrong.
    Candidate,
    /// The right shape and the right check digit.
    Valid,
}

impl Verdict {
    fn of(shape: bool, check: impl FnOnce() -> bool) -> Self {
        match shape {
            false => Verdict::No,
            true if check() => Verdict::Valid,
            true => Verdict::Candidate,
        }
    }
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |sum, b| sum.checked_mul(10)?.checked_add(digit(*b)?))
}

fn province(bytes: &[u8]) -> bool {
    bytes.get(..2).and_then(number).is_some_and(|code| PROVINCES.iter().any(|p| u32::from(*p) == code))
}

fn date(bytes: &[u8], century: u32) -> Option<NaiveDate> {
    let (year, rest) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    let (month, day) = rest.split_at_checked(2)?;
    let year = i32::try_from(century + number(year)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?)
}

/// A resident identity number of GB 11643: 18 characters, the last of which may be `X`.
///
/// The shape is: a division code of a known province, a day that exists between 1880 and 2099, a
/// serial number, and a check character.
#[must_use]
pub fn resident_id_verdict(text: &[u8]) -> Verdict {
    let Some((body, [last])) = text.split_at_checked(17) else { return Verdict::No };
    let plausible = province(body)
        && body.iter().all(u8::is_ascii_digit)
        && (last.is_ascii_digit() || matches!(last, b'X' | b'x'))
        && body.get(6..14).and_then(|d| date(d, 0)).is_some_and(|d| {
            use chrono::Datelike;
            (1880..2100).contains(&d.year())
        });
    Verdict::of(plausible, || resident_check(body) == Some(last.to_ascii_uppercase()))
}

/// The check character of the first 17 digits of a resident identity number (ISO 7064 MOD 11-2).
#[must_use]
pub fn resident_check(body: &[u8]) -> Option<u8> {
    let sum: u32 = weighted(body, &RESIDENT_WEIGHTS, digit)?;
    b"10X98765432".get(usize::try_from(sum % 11).ok()?).copied()
}

fn weighted(body: &[u8], weights: &[u32], value: impl Fn(u8) -> Option<u32>) -> Option<u32> {
    (body.len() == weights.len()).then_some(())?;
    body.iter().zip(weights).try_fold(0, |sum, (b, w)| Some(sum + value(*b)? * w))
}

/// Whether a text is a valid 18-character resident identity number.
#[must_use]
pub fn resident_id(text: &str) -> bool {
    resident_id_verdict(text.as_bytes()) == Verdict::Valid
}

/// Whether a text has the shape of the 15-digit resident identity number issued before 1999. It has
/// no check digit, so only a whole column of them says anything.
#[must_use]
pub fn old_resident_id(text: &[u8]) -> bool {
    text.len() == 15
        && text.iter().all(u8::is_ascii_digit)
        && province(text)
        && text.get(6..12).and_then(|d| date(d, 1900)).is_some()
}

fn credit_value(byte: u8) -> Option<u32> {
    let position = CREDIT_ALPHABET.iter().position(|c| *c == byte.to_ascii_uppercase())?;
    u32::try_from(position).ok()
}

/// The check character of the first 17 characters of a unified social credit code (GB 32100-2015).
#[must_use]
pub fn credit_check(body: &[u8]) -> Option<u8> {
    let sum = weighted(body, &CREDIT_WEIGHTS, credit_value)?;
    CREDIT_ALPHABET.get(usize::try_from((31 - sum % 31) % 31).ok()?).copied()
}

/// The check character of the eight characters of an organisation code (GB 11714-1997).
#[must_use]
pub fn organisation_check(body: &[u8]) -> Option<u8> {
    let alphanumeric = |b: u8| match b {
        b'0'..=b'9' => Some(u32::from(b - b'0')),
        b'A'..=b'Z' => Some(u32::from(b - b'A') + 10),
        _ => None,
    };
    match 11 - weighted(body, &ORGANISATION_WEIGHTS, alphanumeric)? % 11 {
        10 => Some(b'X'),
        11 => Some(b'0'),
        n => u8::try_from(n).ok().map(|n| b'0' + n),
    }
}

/// A unified social credit code of GB 32100: 18 characters, the last of which is a check character mod 31.
///
/// The shape is: a registering department and kind that the standard knows, six digits of a division in
/// a known province (10 stands for the national level), nine characters, a check character. A code of
/// digits only must also carry a right organisation check digit (GB 11714), since every thirty-first
/// number of the shape would pass otherwise.
#[must_use]
pub fn credit_code_verdict(text: &[u8]) -> Verdict {
    let upper = text.to_ascii_uppercase();
    let Some((body, [last])) = upper.split_at_checked(17) else { return Verdict::No };
    let (Some((kind, rest)), true) = (body.split_at_checked(2), credit_value(*last).is_some()) else {
        return Verdict::No;
    };
    let Some((division, organisation)) = rest.split_at_checked(6) else { return Verdict::No };
    let known = matches!(
        kind,
        [b'1', b'1' | b'2' | b'3' | b'9']
            | [b'5', b'1' | b'2' | b'3' | b'9']
            | [b'9', b'1' | b'2' | b'3']
            | [b'2' | b'3' | b'4' | b'6' | b'7' | b'8' | b'A' | b'N' | b'Y', b'1'..=b'5' | b'9']
    );
    let shape = known
        && division.iter().all(u8::is_ascii_digit)
        && (province(division) || division.starts_with(b"10"))
        && organisation.iter().all(|b| credit_value(*b).is_some());
    Verdict::of(shape, || {
        let letters = upper.iter().any(u8::is_ascii_alphabetic);
        credit_check(body) == Some(*last) && (letters || organisation_agrees(organisation))
    })
}

fn organisation_agrees(code: &[u8]) -> bool {
    matches!(code.split_at_checked(8), Some((body, [last])) if organisation_check(body) == Some(*last))
}

/// Whether a text is a valid unified social credit code.
#[must_use]
pub fn credit_code(text: &str) -> bool {
    credit_code_verdict(text.as_bytes()) == Verdict::Valid
}

/// Whether digits pass the Luhn check (ISO/IEC 7812-1 annex B).
#[must_use]
pub fn luhn(digits: &[u8]) -> bool {
    let mut sum = 0;
    for (i, byte) in digits.iter().rev().enumerate() {
        let Some(value) = digit(*byte) else { return false };
        sum += match (i % 2, value) {
            (0, v) => v,
            (_, v) if v > 4 => v * 2 - 9,
            (_, v) => v * 2,
        };
    }
    !digits.is_empty() && sum % 10 == 0
}

/// Whether the first digits and the length are those of a card network (ISO/IEC 7812 issuer ranges as
/// the networks publish them).
fn issued(digits: &[u8]) -> bool {
    let Some(first) = digits.get(..4).and_then(number) else { return false };
    matches!(
        (first, digits.len()),
        (4000..=4999, 13 | 16 | 19)
            | (5100..=5599 | 2221..=2720, 16)
            | (3400..=3499 | 3700..=3799, 15)
            | (6200..=6299 | 8100..=8171, 16..=19)
            | (6011 | 6440..=6499 | 6500..=6599 | 3528..=3589, 16..=19)
            | (3000..=3059 | 3095 | 3600..=3699 | 3800..=3999, 14..=19)
            | (5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763, 13..=19)
            | (2200..=2204, 16..=19)
            | (6000..=6099, 16)
    )
}

/// A bank card number: 13–19 digits of a known issuer range, with a Luhn check digit.
#[must_use]
pub fn bank_card_verdict(text: &[u8]) -> Verdict {
    let shape = (13..=19).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) && issued(text);
    Verdict::of(shape, || luhn(text))
}

/// Whether a text of digits is a valid bank card number.
#[must_use]
pub fn bank_card(text: &str) -> bool {
    bank_card_verdict(text.as_bytes()) == Verdict::Valid
}

/// An IBAN without spaces: country, two check digits, the country's length (ISO 13616), mod 97.
#[must_use]
pub fn iban_verdict(text: &[u8]) -> Verdict {
    let (Some(country), Some(check)) = (text.get(..2), text.get(2..4)) else { return Verdict::No };
    let country = country.to_ascii_uppercase();
    let shape = check.iter().all(u8::is_ascii_digit)
        && text.iter().all(u8::is_ascii_alphanumeric)
        && IBAN_LENGTHS.iter().any(|(code, length)| **code == *country && *length == text.len());
    Verdict::of(shape, || iban_remainder(text) == Some(1))
}

/// The remainder mod 97 of an IBAN whose first four characters stand at the end; 1 when it is valid.
#[must_use]
pub fn iban_remainder(text: &[u8]) -> Option<u32> {
    let (head, tail) = text.split_at_checked(4)?;
    tail.iter().chain(head).try_fold(0_u32, |rest, byte| match byte.to_ascii_uppercase() {
        b @ b'0'..=b'9' => Some((rest * 10 + u32::from(b - b'0')) % 97),
        b @ b'A'..=b'Z' => Some((rest * 100 + u32::from(b - b'A') + 10) % 97),
        _ => None,
    })
}

/// Whether a text is a valid IBAN.
#[must_use]
pub fn iban(text: &str) -> bool {
    iban_verdict(text.as_bytes()) == Verdict::Valid
}
