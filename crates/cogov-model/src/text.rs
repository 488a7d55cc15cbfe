//! Words in both languages.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A language that cogov speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Locale {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Chinese in simplified characters.
    #[serde(rename = "zh-Hans", alias = "zh")]
    ZhHans,
}

impl Locale {
    /// Both locales.
    pub const ALL: [Locale; 2] = [Locale::En, Locale::ZhHans];

    /// The BCP 47 tag, for `lang` attributes.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::ZhHans => "zh-Hans",
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl FromStr for Locale {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "en" | "en-gb" | "en-us" => Ok(Locale::En),
            "zh" | "zh-hans" | "zh-cn" | "zh-sg" => Ok(Locale::ZhHans),
            _ => Err(()),
        }
    }
}

/// A text in both languages. One may be empty: then the other is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Text {
    /// English.
    #[serde(default)]
    pub en: String,
    /// Chinese.
    #[serde(default)]
    pub zh: String,
}

impl Text {
    /// A text from its two versions.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// The same words for both languages: what a person typed in one form field.
    pub fn same(words: impl Into<String>) -> Self {
        let words = words.into();
        Self { en: words.clone(), zh: words }
    }

    /// The words in one language, or in the other when it has none.
    #[must_use]
    pub fn get(&self, locale: Locale) -> &str {
        let (first, second) = match locale {
            Locale::En => (&self.en, &self.zh),
            Locale::ZhHans => (&self.zh, &self.en),
        };
        if first.is_empty() { second } else { first }
    }

    /// Whether there are no words at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.en.trim().is_empty() && self.zh.trim().is_empty()
    }
}
