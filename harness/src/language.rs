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

/// A text that came from outside or stands in a scenario, in quotes. What would not show, or would move the
/// cursor, is escaped.
pub(crate) fn quoted(text: &str, language: Language) -> String {
    match language {
        Language::Ja => format!("「{}」", readable(text)),
        Language::En => format!("\"{}\"", readable(text)),
    }
}

/// Likewise, without the quotes.
pub(crate) fn readable(text: &str) -> String {
    let shown = |letter: char| match letter {
        // the space of Japanese names, and quotes, show as they are
        '\u{3000}' | '"' | '\'' => letter.to_string(),
        _ => letter.escape_debug().to_string(),
    };
    text.chars().map(shown).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_so_that_it_can_be_read_and_does_nothing() {
        let name = "番号　花子";
        assert_eq!(quoted(name, Language::Ja), "「番号　花子」");
        assert_eq!(quoted(name, Language::En), "\"番号　花子\"");
        assert_eq!(readable("\u{1b}[2Ja\u{202e}\n"), "\\u{1b}[2Ja\\u{202e}\\n");
    }
}
