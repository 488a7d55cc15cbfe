//! One option of a select, radio or checkbox.

/// An option with its words and whether it is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub words: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// An option that is chosen when its value is `now`.
    pub fn new(value: impl Into<String>, words: impl Into<String>, now: &str) -> Self {
        let value = value.into();
        let chosen = value == now;
        Self { value, words: words.into(), chosen }
    }
}
