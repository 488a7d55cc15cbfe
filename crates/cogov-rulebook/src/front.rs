//! The front matter of a rulebook: what it is, where it comes from, how it stands.

use cogov_model::Locale;
use serde::Deserialize;

/// How a rulebook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Written, not adopted.
    #[default]
    Draft,
    /// Adopted.
    InForce,
    /// Replaced by a later one.
    Superseded,
}

impl Status {
    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::InForce => "in-force",
            Status::Superseded => "superseded",
        }
    }
}

/// The front matter of one text, TOML between `+++` lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Front {
    /// Identifier; the same in both texts.
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub locale: Option<Locale>,
    #[serde(default)]
    pub jurisdiction: String,
    /// Where the rules come from.
    #[serde(default)]
    pub source: String,
    /// From when the source holds, `YYYY-MM-DD`.
    #[serde(default)]
    pub date: String,
    #[serde(default)]
    pub status: Status,
}

/// Reads a front matter.
pub(crate) fn read(toml_text: &str) -> Result<Front, String> {
    if toml_text.trim().is_empty() {
        return Err(
            "the text has no front matter: begin it with +++, then id = \"…\" and title = \"…\", then +++"
                .into(),
        );
    }
    let front: Front = toml::from_str(toml_text)
        .map_err(|error| format!("the front matter cannot be read: {}", error.message()))?;
    let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if front.id.is_empty() || front.id.len() > 60 || !front.id.chars().all(slug) {
        return Err("the id must be 1 to 60 characters of a–z, 0–9 and -".into());
    }
    if front.title.trim().is_empty() {
        return Err("the title is empty: write what the rulebook is called".into());
    }
    Ok(front)
}
