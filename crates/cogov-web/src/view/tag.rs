//! Tags: a code's word on a coloured ground. The word always says what the colour says.

use crate::ui::Ui;
use askama::{FastWritable, filters::HtmlSafe};
use cogov_model::{Grade, Label, Mask, Treatment};
use std::fmt;

/// A word on a coloured ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The class that colours it, such as `general-3`.
    pub css: &'static str,
    /// The word.
    pub word: String,
}

impl Tag {
    /// A tag of a class and a word.
    pub fn new(css: &'static str, word: impl Into<String>) -> Self {
        Self { css, word: word.into() }
    }

    /// A grade.
    pub fn grade(ui: &Ui, grade: Grade) -> Self {
        Self::new(grade.code(), ui.grade(grade))
    }

    /// The outcome of a decision: `permit`, `deny` or `done`.
    pub fn outcome(ui: &Ui, code: &'static str) -> Self {
        Self::new(code, ui.word("outcome", code))
    }

    /// The state of a grant, an application or a dataset.
    pub fn state(ui: &Ui, code: &str) -> Self {
        let css = match code {
            "active" | "granted" | "published" => "permit",
            "refused" | "revoked" => "deny",
            "expired" | "withdrawn" | "not-yet" => "quiet",
            _ => "waiting",
        };
        Self::new(css, ui.word("state", code))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<strong class=\"tag tag--{}\">{}</strong>", self.css, escape(&self.word))
    }
}

/// What the engine does to a column: the kind as a tag, the parameters in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Treated {
    /// The kind.
    pub tag: Tag,
    /// The parameters, such as “year” or “over at least 10”; empty for clear and withheld.
    pub how: String,
}

impl Treated {
    /// From the model's treatment.
    pub fn new(ui: &Ui, treatment: Treatment) -> Self {
        let how = match treatment {
            Treatment::Clear | Treatment::Withhold => String::new(),
            Treatment::Mask(Mask::Year) => ui.t("mask-year"),
            Treatment::Mask(Mask::KeyedHash) => ui.t("mask-keyed-hash"),
            Treatment::Mask(Mask::Band(width)) => ui.n("mask-band", width),
            Treatment::Mask(Mask::Prefix(keep)) => ui.n("mask-prefix", u32::from(keep)),
            Treatment::Aggregate(k) => ui.n("treatment-over-at-least", k.get()),
            Treatment::Noise { min_group, epsilon_per_month } => {
                let epsilon = ui.with("treatment-epsilon", "epsilon", epsilon_per_month);
                format!("{epsilon}{}", ui.n("treatment-and-over-at-least", min_group.get()))
            }
        };
        Self { tag: Tag::new(treatment.kind(), ui.word("treatment", treatment.kind())), how }
    }
}

impl fmt::Display for Treated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag.fmt(f)?;
        if self.how.is_empty() {
            Ok(())
        } else {
            write!(f, " <span class=\"treated__how\">{}</span>", escape(&self.how))
        }
    }
}

/// The categories of a label, in words: their names where the scheme has them.
pub fn categories(label: &Label, name: impl Fn(&cogov_model::CategoryCode) -> String) -> String {
    label.categories.iter().map(name).collect::<Vec<_>>().join(" · ")
}

/// Text as HTML shows it.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

macro_rules! html_safe {
    ($($name:ty),*) => {$(
        impl HtmlSafe for $name {}
        impl FastWritable for $name {
            fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
                Ok(write!(dest, "{self}")?)
            }
        }
    )*};
}
pub(crate) use html_safe;
html_safe!(Tag, Treated);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::ui::sample;
    use cogov_model::{Locale, MinGroup};

    #[test]
    fn words_say_what_colours_say_and_are_escaped() {
        assert_eq!(Tag::new("deny", "<b>").to_string(), "<strong class=\"tag tag--deny\">&lt;b&gt;</strong>");
        let ui = sample(Locale::En);
        let treated = Treated::new(&ui, Treatment::Aggregate(MinGroup::new(10).unwrap().into()));
        assert!(treated.how.contains("10"), "{treated}");
        assert_eq!(Treated::new(&ui, Treatment::Clear).how, "");
    }
}
