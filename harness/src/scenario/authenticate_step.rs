//! The step in which a key of the card answers a challenge.

use super::capture::CaptureName;
use super::expect::{Expect, SignExpect};
use super::octets::Octets;
use super::pin_step::By;
use super::signature_match::Verifier;
use super::step::Action;
use super::words;
use crate::language::Language;
use crate::terminal::KeyName;
use schemars::JsonSchema;
use serde::Deserialize;

/// `authenticate: {key: common, challenge: {captured: nonce}}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthenticateStep {
    /// which key
    pub key: KeyName,
    /// what it answers: 1 to 255 bytes
    pub challenge: Octets,
    /// how the key is addressed
    #[serde(default)]
    pub by: By,
    /// whose key verifies the answer; that of `common` is published nowhere, and known of the TEST cards
    /// of this project alone
    pub verified_by: Option<Verifier>,
    /// what must come back
    #[serde(default)]
    pub expect: SignExpect,
}

impl Action for AuthenticateStep {
    fn brief(&self) -> String {
        format!("authenticate with {}", self.key)
    }

    fn needs(&self) -> Vec<&CaptureName> {
        let mut names = self.challenge.captured();
        names.extend(self.verified_by.iter().filter_map(Verifier::captured));
        names.extend(self.expect.captured());
        names
    }

    fn expects(&self) -> Option<&Expect> {
        self.expect.answer()
    }

    fn in_words(&self, language: Language) -> String {
        let (key, by) = (words::key(self.key, language), words::by(self.by, language));
        let challenge = self.challenge.in_words(language);
        match (language, self.expect == SignExpect::Valid) {
            (Language::Ja, true) => {
                format!("{key}に{challenge}を署名で答えさせ{by}、検証する(INTERNAL AUTHENTICATE)")
            }
            (Language::Ja, false) => format!("{key}に{challenge}への答えを求める{by}(INTERNAL AUTHENTICATE)"),
            (Language::En, true) => {
                format!("have {key}{by} answer {challenge}, and verify the answer (INTERNAL AUTHENTICATE)")
            }
            (Language::En, false) => {
                format!("ask {key}{by} for an answer to {challenge} (INTERNAL AUTHENTICATE)")
            }
        }
    }
}
