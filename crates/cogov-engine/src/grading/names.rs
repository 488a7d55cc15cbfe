//! What a column's name says: a dictionary in both languages, shipped as a data file.

use super::people::han;
use cogov_model::CategoryCode;
use serde::Deserialize;
use std::sync::LazyLock;

/// What a name says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Cue {
    /// The category it speaks for.
    pub category: CategoryCode,
    words: Vec<String>,
    /// Whether such a column helps to single a person out.
    #[serde(default)]
    pub quasi: bool,
    /// Whether the content has to agree before the name counts.
    #[serde(default)]
    pub weak: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Dictionary {
    name: Vec<Cue>,
}

/// The dictionary that ships with the program. A test holds that it parses and is not empty.
static DICTIONARY: LazyLock<Dictionary> =
    LazyLock::new(|| toml::from_str(include_str!("names.toml")).unwrap_or_default());

/// What the header of a column says, if anything: the cue with the longest phrase in it.
#[must_use]
pub fn cue(header: &str) -> Option<&'static Cue> {
    let spaced = format!(" {} ", normal(header));
    DICTIONARY
        .name
        .iter()
        .flat_map(|cue| cue.words.iter().map(move |word| (cue, word)))
        .filter(|(_, word)| contains(&spaced, word))
        .max_by_key(|(cue, word)| (word.chars().count(), word.len(), !cue.weak))
        .map(|(cue, _)| cue)
}

fn contains(spaced: &str, word: &str) -> bool {
    // A single Chinese character is part of too many words: it has to stand alone.
    let anywhere = !word.is_ascii() && word.chars().any(han) && word.chars().count() > 1;
    spaced.match_indices(word).any(|(at, _)| {
        let before = spaced.get(..at).is_some_and(|head| head.ends_with(' '));
        let after = spaced.get(at + word.len()..).is_some_and(|tail| tail.starts_with(' '));
        anywhere || before && after
    })
}

/// Lower case, with one space between words: `homeAddress_2` becomes `home address 2`.
fn normal(header: &str) -> String {
    let mut out = String::with_capacity(header.len() + 8);
    let mut lower_before = false;
    for c in header.chars() {
        if !c.is_alphanumeric() {
            out.push(' ');
            lower_before = false;
            continue;
        }
        if lower_before && c.is_uppercase() {
            out.push(' ');
        }
        lower_before = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_lowercase());
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(header: &str) -> Option<&'static str> {
        cue(header).map(|c| c.category.as_str())
    }

    #[test]
    fn headers_of_both_languages_and_every_style_are_read() {
        assert!(DICTIONARY.name.len() > 30, "names.toml has to parse");
        assert_eq!(said("ID_Number"), Some("person.identity"));
        assert_eq!(said("公民身份号码"), Some("person.identity"));
        assert_eq!(said("homeAddress"), Some("person.location.address"));
        assert_eq!(said("Company Name"), Some("enterprise.registration"));
        assert_eq!(said("age_head"), Some("person.birth"));
        assert_eq!(said("mileage"), None);
        assert_eq!(said("e00200"), None);
        assert_eq!(said("统一社会信用代码"), Some("enterprise.registration"));
    }

    #[test]
    fn every_category_stands_in_the_scheme_that_ships() {
        let scheme = include_str!("../../../../rulebooks/scheme.toml");
        let scheme: cogov_model::Scheme = toml::from_str(scheme).unwrap_or_else(|e| unreachable!("{e}"));
        for cue in &DICTIONARY.name {
            assert!(scheme.get(&cue.category).is_some(), "{}", cue.category);
        }
    }
}
