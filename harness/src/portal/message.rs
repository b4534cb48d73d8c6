//! What a holder is told: what happened, and what to do about it, in Japanese and English.

use crate::language::Bilingual;

/// Two sentences in two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// what happened
    pub title: Bilingual,
    /// what the holder should do
    pub advice: Bilingual,
}

impl Message {
    pub(super) fn new(
        title_ja: impl Into<String>,
        advice_ja: impl Into<String>,
        title_en: impl Into<String>,
        advice_en: impl Into<String>,
    ) -> Self {
        Self {
            title: Bilingual { ja: title_ja.into(), en: title_en.into() },
            advice: Bilingual { ja: advice_ja.into(), en: advice_en.into() },
        }
    }
}
