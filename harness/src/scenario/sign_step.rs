//! The step that signs, and has the signature verified.

use super::capture::CaptureName;
use super::expect::{Expect, SignExpect};
use super::octets::Octets;
use super::pin_step::By;
use super::signature_match::Verifier;
use super::step::Action;
use super::words;
use crate::language::Language;
use crate::terminal::{Digest, KeyName};
use crate::verify::SignatureScheme;
use schemars::JsonSchema;
use serde::Deserialize;

/// How a key is addressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyBy {
    /// SELECT by file identifier, then the command on the current EF
    #[default]
    Select,
    /// the short EF identifier in the command
    Sfi,
    /// the command on the current EF, whatever that is
    Current,
    /// P2 00: the key that the application has for it, without a SELECT
    DefaultKey,
}

impl KeyBy {
    /// The same as for any file, where a file is addressed.
    #[must_use]
    pub const fn file(self) -> Option<By> {
        match self {
            Self::Select => Some(By::Select),
            Self::Sfi => Some(By::Sfi),
            Self::Current => Some(By::Current),
            Self::DefaultKey => None,
        }
    }
}

/// What the card makes of the data, by P1 (measured: myna-card 3.3.4). With `sha256` it hashes them
/// itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignMode {
    /// 00: PKCS#1 v1.5 pads the data as they are
    #[default]
    Verbatim,
    /// 01: and their bare hash
    Sha256,
    /// 02: and the DigestInfo around the data, which are a hash
    DigestInfo,
    /// 03: and the DigestInfo around their hash
    Sha256DigestInfo,
    /// 04: RSASSA-PSS of the data, which are a hash
    Pss,
    /// 05: and of their hash
    Sha256Pss,
}

impl SignMode {
    /// P1.
    #[must_use]
    pub const fn p1(self) -> u8 {
        self as u8
    }

    /// What the signature of `data` must be verified as: over which bytes, by which scheme.
    #[must_use]
    pub fn verified_as(self, data: &[u8]) -> (SignatureScheme, Vec<u8>) {
        let hash = |data| Digest::Sha256.of(data);
        match self {
            Self::Verbatim => (SignatureScheme::Plain, data.to_vec()),
            Self::Sha256 => (SignatureScheme::Plain, hash(data)),
            Self::DigestInfo => (SignatureScheme::Plain, Digest::Sha256.digest_info(data)),
            Self::Sha256DigestInfo => (SignatureScheme::Plain, Digest::Sha256.digest_info(&hash(data))),
            Self::Pss => (SignatureScheme::Pss, data.to_vec()),
            Self::Sha256Pss => (SignatureScheme::Pss, hash(data)),
        }
    }
}

/// `sign: {key: user_authentication, data: {digest_info: sha256, of: "text"}}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignStep {
    /// which key
    pub key: KeyName,
    /// what is handed over
    pub data: Octets,
    /// what the card makes of it before it signs
    #[serde(default)]
    pub mode: SignMode,
    /// how the key is addressed
    #[serde(default)]
    pub by: KeyBy,
    /// whose key verifies the signature; that of the key's certificate, where it has one
    pub verified_by: Option<Verifier>,
    /// what must come back
    #[serde(default)]
    pub expect: SignExpect,
}

impl SignStep {
    /// Whose key verifies the signature.
    #[must_use]
    pub fn verifier(&self) -> Option<Verifier> {
        self.verified_by.clone().or_else(|| self.key.certificate().map(Verifier::Read))
    }
}

impl Action for SignStep {
    fn brief(&self) -> String {
        format!("sign with {}", self.key)
    }

    fn needs(&self) -> Vec<&CaptureName> {
        let mut names = self.data.captured();
        names.extend(self.verified_by.iter().filter_map(Verifier::captured));
        names.extend(self.expect.captured());
        names
    }

    fn expects(&self) -> Option<&Expect> {
        self.expect.answer()
    }

    fn in_words(&self, language: Language) -> String {
        let (key, by) = (words::key(self.key, language), words::key_by(self.by, language));
        let (mut input, mode) = (self.data.in_words(language), words::mode(self.mode, language));
        if language == Language::Ja && input.ends_with(|letter: char| letter.is_ascii_alphanumeric()) {
            input.push(' ');
        }
        let verifier = match &self.verified_by {
            Some(verifier) => verifier.in_words(language),
            None => words::say(language, "証明書", "the certificate").to_owned(),
        };
        match (language, self.expect == SignExpect::Valid) {
            (Language::Ja, true) => {
                format!("{key}で{input}に署名し{by}{mode}、{verifier}で検証する(COMPUTE DIGITAL SIGNATURE)")
            }
            (Language::Ja, false) => {
                format!("{key}で{input}に署名を求める{by}{mode}(COMPUTE DIGITAL SIGNATURE)")
            }
            (Language::En, true) => {
                format!(
                    "sign {input} with {key}{by}{mode}, and verify with {verifier} (COMPUTE DIGITAL SIGNATURE)"
                )
            }
            (Language::En, false) => {
                format!("ask for {input} to be signed with {key}{by}{mode} (COMPUTE DIGITAL SIGNATURE)")
            }
        }
    }

    fn mistake(&self) -> Option<String> {
        (self.expect == SignExpect::Valid && self.verifier().is_none()).then(|| {
            format!(
                "the key {} has no certificate; `verified_by: {{public_key: NAME}}` says with which captured key \
                 the signature is verified",
                self.key
            )
        })
    }
}
