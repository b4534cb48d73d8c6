//! Japanese and English, side by side.

use schemars::JsonSchema;
pub use vmyna_sim::bilingual::Bilingual;

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

    /// What `text` says in this language.
    #[must_use]
    pub fn of(self, text: &Bilingual) -> &str {
        match self {
            Self::Ja => &text.ja,
            Self::En => &text.en,
        }
    }
}

/// What `words` says in each language.
pub(crate) fn in_both(words: impl Fn(Language) -> String) -> Bilingual {
    Bilingual::new(words(Language::Ja), words(Language::En))
}

/// A sentence in both languages.
#[derive(JsonSchema)]
#[schemars(rename = "Bilingual", deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
// The card knows no JSON schemas: fields of the type name this one with `schemars(with)`.
pub(crate) struct BilingualSchema {
    /// Japanese
    ja: String,
    /// English
    en: String,
}
