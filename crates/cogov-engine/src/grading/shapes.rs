//! What a value looks like when no check digit can tell: phone, e-mail, name, address and the like.
//! Each shape is a hint; only the share over a whole column makes a finding.

use super::{checkdigit::old_resident_id, people};

/// A shape that a value may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Shape {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// A person's name.
    PersonName,
    /// A postal address.
    Address,
    /// An organisation's name.
    Organisation,
    /// A word for a sex.
    Sex,
    /// A pair of coordinates.
    Coordinates,
    /// A URL or an IP address.
    Network,
    /// A Chinese vehicle licence plate.
    Plate,
    /// A resident identity number of the old form, without check digit.
    OldResidentId,
    /// A sentence or more.
    FreeText,
    /// A person's name, or two to five words of letters with capitals as a name would be.
    NameLike,
}

impl Shape {
    /// Every shape, in the order of its bit.
    pub const ALL: [Shape; 12] = [
        Shape::Phone,
        Shape::Email,
        Shape::PersonName,
        Shape::Address,
        Shape::Organisation,
        Shape::Sex,
        Shape::Coordinates,
        Shape::Network,
        Shape::Plate,
        Shape::OldResidentId,
        Shape::FreeText,
        Shape::NameLike,
    ];
}

/// A set of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shapes(u16);

impl Shapes {
    fn add(&mut self, shape: Shape, is: bool) {
        self.0 |= u16::from(is) << (shape as u8);
    }

    /// Whether the set holds a shape.
    #[must_use]
    pub const fn has(self, shape: Shape) -> bool {
        self.0 >> (shape as u8) & 1 == 1
    }
}

/// The shapes of one value.
#[must_use]
pub fn shapes(text: &str) -> Shapes {
    let text = text.trim();
    let mut found = Shapes::default();
    if text.is_empty() {
        return found;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let ascii = text.is_ascii();
    found.add(Shape::Phone, digits >= 7 && phone(text));
    found.add(Shape::OldResidentId, digits == 15 && old_resident_id(text.as_bytes()));
    found.add(Shape::Email, ascii && email(text));
    found.add(Shape::Coordinates, digits >= 4 && coordinates(text));
    found.add(Shape::Network, ascii && network(text));
    found.add(Shape::Sex, digits == 0 && sex(text));
    found.add(Shape::Plate, !ascii && plate(text));
    if digits == text.len() {
        return found;
    }
    let name = digits == 0 && people::person_name(text);
    found.add(Shape::PersonName, name);
    found.add(Shape::NameLike, name || digits == 0 && people::name_like(text));
    found.add(Shape::Organisation, people::organisation(text));
    let address = people::address(text);
    found.add(Shape::Address, address);
    found.add(Shape::FreeText, !address && free_text(text));
    found
}

/// Chinese mobile and landline numbers, numbers in international form, and North American ones with separators.
fn phone(text: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_digit()
            || matches!(c, ' ' | '-' | '(' | ')' | '.' | '+' | '/' | 'x' | '\u{FF08}' | '\u{FF09}')
    };
    if text.len() > 30 || !text.chars().all(allowed) {
        return false;
    }
    let plus = text.starts_with('+');
    let (main, _extension) = text.split_once('x').unwrap_or((text, ""));
    let digits: String = main.chars().filter(char::is_ascii_digit).collect();
    let separated = main.len() > digits.len();
    let national = digits
        .strip_prefix("0086")
        .or_else(|| digits.strip_prefix("86").filter(|rest| plus || rest.len() == 11))
        .unwrap_or(&digits);
    mobile(national)
        || plus && (8..=15).contains(&digits.len())
        || landline(national, separated)
        || separated && north_american(main)
}

/// Eleven digits that start with 13 to 19.
pub(super) fn mobile(digits: &str) -> bool {
    digits.len() == 11
        && digits.bytes().all(|b| b.is_ascii_digit())
        && digits.strip_prefix('1').is_some_and(|rest| rest.starts_with(|c: char| ('3'..='9').contains(&c)))
}

/// An area code with its 0, then seven or eight digits; a separator is needed unless there are eleven or twelve digits.
fn landline(digits: &str, separated: bool) -> bool {
    digits.starts_with('0')
        && !digits.starts_with("00")
        && (10..=12).contains(&digits.len())
        && (separated || digits.len() >= 11)
}

/// Three, three and four digits, with an optional 1 before; area code and exchange start with 2 to 9.
fn north_american(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).collect();
    let groups = match groups.as_slice() {
        ["1", rest @ ..] => rest,
        all => all,
    };
    let code = |g: &str| g.len() == 3 && g.starts_with(|c: char| ('2'..='9').contains(&c));
    matches!(groups, [area, exchange, line] if code(area) && code(exchange) && line.len() == 4)
}

/// A local part, one `@`, and a domain with a dot and a top level of letters (the form of RFC 5321 that people use).
pub(super) fn email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_char = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
    };
    (1..=64).contains(&local.len())
        && local.bytes().all(local_char)
        && domain.len() <= 253
        && domain.split('.').all(label)
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, top)| top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// Two numbers with decimals, one within ±90 and one within ±180, between optional brackets.
fn coordinates(text: &str) -> bool {
    let inner =
        text.trim_start_matches("POINT").trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']' | ' '));
    let parts: Vec<&str> = inner.split([',', ' ', ';', '\u{FF0C}']).filter(|p| !p.is_empty()).collect();
    let [a, b] = parts.as_slice() else { return false };
    let decimal =
        |p: &str| p.split_once('.').filter(|(_, f)| f.len() >= 2).and_then(|_| p.parse::<f64>().ok());
    matches!((decimal(a), decimal(b)), (Some(a), Some(b))
        if a.abs() <= 180.0 && b.abs() <= 180.0 && (a.abs() <= 90.0 || b.abs() <= 90.0))
}

fn network(text: &str) -> bool {
    ["http://", "https://", "ftp://", "www."].iter().any(|scheme| text.starts_with(scheme))
        || text.parse::<std::net::IpAddr>().is_ok()
}

fn sex(text: &str) -> bool {
    matches!(text, "男" | "女" | "男性" | "女性" | "未说明的性别" | "未知的性别")
        || ["m", "f", "male", "female", "man", "woman"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A province sign, a letter, and five or six letters or digits (GA 36).
fn plate(text: &str) -> bool {
    const SIGNS: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
    let compact: String = text.chars().filter(|c| !matches!(c, '·' | ' ' | '-')).collect();
    let mut chars = compact.chars();
    let head = chars.next().is_some_and(|c| SIGNS.contains(c))
        && chars.next().is_some_and(|c| c.is_ascii_uppercase());
    let rest = chars.as_str();
    head && (5..=6).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// Eight words or more, or twenty Chinese characters or more.
fn free_text(text: &str) -> bool {
    text.len() >= 30 && (text.split_whitespace().count() >= 8 || people::han_count(text) >= 20)
}

/// Whether a longer text holds a phone number, and whether it holds an e-mail address.
#[must_use]
pub fn embedded_contacts(text: &str) -> [bool; 2] {
    let edge = |c: char| {
        !c.is_ascii() || c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | ':' | '"')
    };
    let mail =
        text.contains('@') && text.split(edge).any(|word| email(word.trim_end_matches(['.', '!', '?'])));
    let national = |digits: &str| mobile(digits) || digits.strip_prefix("86").is_some_and(mobile);
    let number =
        text.split(|c: char| !c.is_ascii_digit()).any(national) || text.split('+').skip(1).any(international);
    [number, mail]
}

/// Whether a text starts with eight to fifteen digits, single spaces and hyphens between them, as after a `+`.
fn international(rest: &str) -> bool {
    let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '-')).unwrap_or(rest.len());
    let number = rest.get(..end).unwrap_or_default().trim_end();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits) && number.starts_with(|c: char| c.is_ascii_digit())
}
