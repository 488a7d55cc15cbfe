//! The shape of a value without the value: what a profile may show.

/// Most characters of a shape.
const LONGEST: usize = 24;

/// Letters become `A` or `a`, digits `9`, Chinese characters `字`; punctuation stays; long texts are cut.
///
/// ```
/// assert_eq!(cogov_engine::grading::mask_shape("Tom-7 张伟"), "Aaa-9 字字");
/// ```
#[must_use]
pub fn mask_shape(text: &str) -> String {
    let mut shape: String = text.chars().take(LONGEST).map(masked).collect();
    if text.chars().nth(LONGEST).is_some() {
        shape.push('…');
    }
    shape
}

fn masked(c: char) -> char {
    match c {
        _ if c.is_ascii_punctuation() || c == ' ' => c,
        _ if c.is_numeric() => '9',
        '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' => '字',
        _ if c.is_uppercase() => 'A',
        _ if c.is_alphabetic() => 'a',
        '。' | '、' | '—' | '·' | '\u{FF08}' | '\u{FF09}' | '\u{FF0C}' | '\u{FF1A}' | '\u{FF1B}' => c,
        _ => '?',
    }
}
