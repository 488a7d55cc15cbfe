//! Statements whose literals are given as parameters.

use cogov_engine::Param;

/// Signs after which a literal is compared with a column, whose type its parameter takes.
const BEFORE: [&str; 6] = ["= ", "<> ", "< ", "> ", "<= ", ">= "];

/// The statement with `$1`, `$2`, … for whole numbers and texts that are compared with something, and their values.
/// None when it has no such literal, or is one of EXPLAIN.
pub fn parametrised(sql: &str) -> Option<(String, Vec<Param>)> {
    if sql.starts_with("explain") {
        return None;
    }
    let (mut out, mut params, mut rest) = (String::new(), Vec::new(), sql);
    while let Some(next) = rest.chars().next() {
        let compared = BEFORE.iter().any(|sign| out.ends_with(sign));
        let literal = if compared { literal(rest) } else { None };
        match literal {
            Some((param, length)) => {
                params.push(param);
                out.push_str(&format!("${}", params.len()));
                rest = &rest[length..];
            }
            None if next == '\'' => {
                let length = quoted(rest).unwrap_or(rest.len());
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
            None => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    (!params.is_empty()).then_some((out, params))
}

/// A literal at the start of a text, and its length there.
fn literal(text: &str) -> Option<(Param, usize)> {
    if text.starts_with('\'') {
        let length = quoted(text)?;
        return Some((Param::Text(text[1..length - 1].replace("''", "'")), length));
    }
    let length = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    // A number that goes on is none of these: 1.5, 1e3, or the start of a sum.
    let goes_on = text[length..].trim_start().starts_with(['.', 'e', '+', '-', '*', '/', '%', '|', ':']);
    let value = text[..length].parse().ok().filter(|_| !goes_on)?;
    Some((Param::Int(value), length))
}

/// The length of a quoted text with its quotes.
fn quoted(text: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        at += text.get(at..)?.find('\'')? + 1;
        if !text[at..].starts_with('\'') {
            return Some(at);
        }
        at += 1;
    }
}
