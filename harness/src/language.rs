//! Japanese and English, side by side.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The language of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// 日本語
    Ja,
    /// English
    En,
}

impl Language {
    /// The language of the environment: Japanese where the locale says so, otherwise English.
    #[must_use]
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        if locale.is_some_and(|locale| locale.starts_with("ja")) { Self::Ja } else { Self::En }
    }
}

impl Language {
    /// One of two texts.
    #[must_use]
    pub const fn say<'a>(self, ja: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Japanese
    pub ja: String,
    /// English
    pub en: String,
}

impl Bilingual {
    /// The sentence `ja` in Japanese, `en` in English.
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

    /// The sentence in `language`.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Ja => &self.ja,
            Language::En => &self.en,
        }
    }
}
