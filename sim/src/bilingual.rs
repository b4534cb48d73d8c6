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
