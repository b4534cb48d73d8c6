//! The step that signs, and has the signature verified.

use super::capture::CaptureName;
use super::certificate_step::CertificateName;
use super::expect::{Expect, SignExpect};
use super::pin_step::By;
use super::step::Action;
use super::words;
use crate::language::Language;
use schemars::JsonSchema;
use serde::de;
use serde::{Deserialize, Deserializer};
use vmyna_sim::hex::Bytes;

/// The private keys of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyName {
    /// JPKI 0017
    UserAuthentication,
    /// JPKI 001A
    DigitalSignature,
}

impl KeyName {
    /// The certificate with the public key.
    #[must_use]
    pub const fn certificate(self) -> CertificateName {
        match self {
            Self::UserAuthentication => CertificateName::UserAuthentication,
            Self::DigitalSignature => CertificateName::DigitalSignature,
        }
    }
}

/// `sign: {key: user_authentication, data: {digest_info: sha256, of: "text"}}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignStep {
    /// which key
    pub key: KeyName,
    /// what is signed
    pub data: SignInput,
    /// how the key is addressed
    #[serde(default)]
    pub by: By,
    /// what must come back
    #[serde(default)]
    pub expect: SignExpect,
}

/// What is handed to COMPUTE DIGITAL SIGNATURE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInput {
    /// a DigestInfo over the digest of a text
    DigestInfo {
        /// of which kind
        digest: Digest,
        /// of which text
        of: String,
    },
    /// these bytes
    Bytes(Bytes),
    /// a captured value
    Captured(CaptureName),
}

/// Digests with a DigestInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInputMap {
    digest_info: Option<Digest>,
    of: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "super::schema::hex")]
    hex: Option<Bytes>,
    captured: Option<CaptureName>,
}

impl<'de> Deserialize<'de> for SignInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match SignInputMap::deserialize(deserializer)? {
            SignInputMap { digest_info: Some(digest), of: Some(of), hex: None, captured: None } => {
                Ok(Self::DigestInfo { digest, of })
            }
            SignInputMap { digest_info: None, of: None, hex: Some(bytes), captured: None } => {
                Ok(Self::Bytes(bytes))
            }
            SignInputMap { digest_info: None, of: None, hex: None, captured: Some(name) } => {
                Ok(Self::Captured(name))
            }
            _ => Err(de::Error::custom(
                "data is {digest_info: sha256, of: \"text\"}, {hex: \"…\"} or {captured: NAME}",
            )),
        }
    }
}

impl Action for SignStep {
    fn brief(&self) -> String {
        format!("sign with {}", self.key.certificate())
    }

    fn touches_a_pin(&self) -> bool {
        false
    }

    fn has_data(&self) -> bool {
        true
    }

    fn needs(&self) -> Vec<&CaptureName> {
        let SignInput::Captured(name) = &self.data else { return self.expect.captured() };
        [vec![name], self.expect.captured()].concat()
    }

    fn expects(&self) -> Option<&Expect> {
        match &self.expect {
            SignExpect::Valid => None,
            SignExpect::Answer(expect) => Some(expect),
        }
    }

    fn in_words(&self, language: Language) -> String {
        let (key, by) = (words::key(self.key, language), words::by(self.by, language));
        let input = words::input(&self.data, language);
        let valid = self.expect == SignExpect::Valid;
        match (language, valid) {
            (Language::Ja, true) => {
                format!("{key}で{input}に署名し{by}、証明書で検証する(COMPUTE DIGITAL SIGNATURE)")
            }
            (Language::Ja, false) => format!("{key}で{input}に署名を求める{by}(COMPUTE DIGITAL SIGNATURE)"),
            (Language::En, true) => {
                format!(
                    "sign {input} with {key}{by}, and verify with the certificate (COMPUTE DIGITAL SIGNATURE)"
                )
            }
            (Language::En, false) => {
                format!("ask for {input} to be signed with {key}{by} (COMPUTE DIGITAL SIGNATURE)")
            }
        }
    }
}
