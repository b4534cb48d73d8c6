//! A line in Japanese and in English: titles of holders and profiles here, and whatever the harness says in
//! both languages.

use serde::{Deserialize, Serialize};

/// A line in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Japanese
    pub ja: String,
    /// English
    pub en: String,
}

impl Bilingual {
    /// `ja` in Japanese, `en` in English.
    #[must_use]
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// What reads alike in both: what a system reports, or what a user wrote.
    #[must_use]
    pub fn alike(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { ja: text.clone(), en: text }
    }
}
