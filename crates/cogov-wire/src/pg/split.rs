//! The text of a simple query → its statements and tokens, by PostgreSQL's lexical rules.

/// A token of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// An unquoted word or number.
    Word(String),
    /// A quoted identifier, without its quotes.
    Name(String),
    /// A text literal, without its quotes.
    Text(String),
    /// Any other sign.
    Sign(char),
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// The text of a word, name or literal.
    pub(super) fn text(&self) -> String {
        match self {
            Token::Word(text) | Token::Name(text) | Token::Text(text) => text.clone(),
            Token::Sign(sign) => sign.to_string(),
        }
    }
}

/// The statements of a text, without the empty ones.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut at, mut filled) = (0, 0, false);
    while at < sql.len() {
        let (end, kind) = lexeme(sql, at);
        if kind == Kind::Semicolon {
            if filled {
                found.extend(sql.get(start..at));
            }
            (start, filled) = (end, false);
        } else {
            filled |= kind != Kind::Blank;
        }
        at = end;
    }
    if filled {
        found.extend(sql.get(start..));
    }
    found.into_iter().map(str::trim).collect()
}

/// The first tokens of a statement, at most `most`.
pub(super) fn tokens(sql: &str, most: usize) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < sql.len() && found.len() < most {
        let (end, kind) = lexeme(sql, at);
        let text = sql.get(at..end).unwrap_or_default();
        match kind {
            Kind::Blank | Kind::Semicolon => {}
            Kind::Word => found.push(Token::Word(text.to_owned())),
            Kind::Name => found.push(Token::Name(unquoted(text, '"'))),
            Kind::Text => found.push(Token::Text(unquoted(text.trim_start_matches(['e', 'E']), '\''))),
            Kind::Dollar => found.push(Token::Text(undollared(text))),
            Kind::Sign => found.extend(text.chars().map(Token::Sign)),
        }
        at = end;
    }
    found
}

/// What stands after the first occurrence of a keyword outside of quotes and comments.
pub(super) fn after<'a>(sql: &'a str, keyword: &str) -> Option<&'a str> {
    let mut at = 0;
    while at < sql.len() {
        let (end, kind) = lexeme(sql, at);
        if kind == Kind::Word && sql.get(at..end).is_some_and(|word| word.eq_ignore_ascii_case(keyword)) {
            return sql.get(end..);
        }
        at = end;
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Word,
    Name,
    Text,
    Dollar,
    Sign,
    Semicolon,
}

/// The end and kind of what begins at `at`. Always moves on by at least one character.
fn lexeme(sql: &str, at: usize) -> (usize, Kind) {
    let rest = sql.get(at..).unwrap_or_default();
    let mut chars = rest.chars();
    let Some(first) = chars.next() else { return (sql.len(), Kind::Blank) };
    let second = chars.next();
    let (length, kind) = match (first, second) {
        (c, _) if c.is_whitespace() => (c.len_utf8(), Kind::Blank),
        (';', _) => (1, Kind::Semicolon),
        ('-', Some('-')) => (rest.find('\n').unwrap_or(rest.len()), Kind::Blank),
        ('/', Some('*')) => (comment(rest), Kind::Blank),
        ('\'', _) => (quoted(rest, '\'', false), Kind::Text),
        ('e' | 'E', Some('\'')) => (1 + quoted(rest.get(1..).unwrap_or_default(), '\'', true), Kind::Text),
        ('"', _) => (quoted(rest, '"', false), Kind::Name),
        ('$', _) => match dollar(rest) {
            Some(length) => (length, Kind::Dollar),
            None => (1, Kind::Sign),
        },
        (c, _) if c.is_alphanumeric() || c == '_' => {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            (end, Kind::Word)
        }
        (c, _) => (c.len_utf8(), Kind::Sign),
    };
    (at + length.max(first.len_utf8()), kind)
}

/// The length of a comment that nests.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(here) = rest.get(at..) {
        if here.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            match here.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => break,
            }
        }
    }
    rest.len()
}

/// The length of what stands in quotes; a doubled quote does not end it.
fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    rest.len()
}

/// The length of a `$tag$ … $tag$`, if one begins here.
fn dollar(rest: &str) -> Option<usize> {
    let tag_end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..tag_end)?;
    let name = tag.trim_matches('$');
    if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let body = rest.get(tag_end..)?;
    Some(body.find(tag).map_or(rest.len(), |end| tag_end + end + tag.len()))
}

fn unquoted(text: &str, quote: char) -> String {
    let inner = text.strip_prefix(quote).unwrap_or(text);
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

fn undollared(text: &str) -> String {
    let tag = text.get(1..).and_then(|rest| rest.find('$')).map_or(0, |end| end + 2);
    text.get(tag..text.len().saturating_sub(tag)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn statements_end_at_semicolons_outside_quotes_and_comments() {
        let text = "SELECT ';' ; -- one; more\n/* ; /* ; */ ; */ SELECT \"a;b\", $x$;$x$, E'\\';' , $1;;  ; select 'it''s;'";
        let found = statements(text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "SELECT ';'");
        assert!(found[1].ends_with(", $1"), "{found:?}");
        assert_eq!(found[2], "select 'it''s;'");
        assert!(statements(" ;; -- nothing\n /* at all */ ").is_empty());
    }

    #[test]
    fn tokens_lose_their_quotes() {
        let found = tokens("SET \"My Name\" = 'it''s' -- why\n, x", 9);
        let expected = [
            Token::Word("SET".into()),
            Token::Name("My Name".into()),
            Token::Sign('='),
            Token::Text("it's".into()),
            Token::Sign(','),
            Token::Word("x".into()),
        ];
        assert_eq!(found, expected);
    }

    proptest! {
        /// No text makes it stop, panic or lose anything but blanks and semicolons.
        #[test]
        fn any_text_is_cut_without_loss(text in "[a-zé'\"$;/* \\\\-]{0,60}") {
            let joined: String = statements(&text).join(";");
            let plain = |t: &str| t.chars().filter(|c| c.is_alphabetic()).count();
            prop_assert!(plain(&joined) <= plain(&text));
            let again = statements(&joined);
            prop_assert_eq!(again.len(), statements(&text).len());
            let _ = tokens(&text, 100);
        }
    }
}
