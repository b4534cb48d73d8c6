//! What a signature must be: over which bytes, made how, and by whose key.

use super::capture::CaptureName;
use super::octets::Octets;
use super::words::{self, say};
use crate::language::Language;
use crate::terminal::CertificateName;
use crate::verify::SignatureScheme;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// `signature: {over: {digest_info: sha256, of: "text"}, by: user_authentication}`: the data is a
/// signature over these bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureMatch {
    /// what was signed: all that PKCS#1 v1.5 pads, or the hash of the other schemes
    pub over: Octets,
    /// whose key verifies it
    pub by: Verifier,
    /// how it was made
    #[serde(default)]
    pub scheme: SchemeName,
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// as the key does: RSA pads the bytes as they are (PKCS#1 v1.5 type 1), ECDSA takes them as the hash
    #[default]
    Plain,
    /// RSASSA-PSS of a SHA-256, with a salt of 32 bytes
    Pss,
}

impl From<SchemeName> for SignatureScheme {
    fn from(name: SchemeName) -> Self {
        match name {
            SchemeName::Plain => Self::Plain,
            SchemeName::Pss => Self::Pss,
        }
    }
}

/// Whose key verifies a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verifier {
    /// that of a certificate which a `certificate` step has read
    Read(CertificateName),
    /// that of a captured X.509 certificate
    Captured(CaptureName),
    /// a captured public key, as the files of the card hold it (`90` exponent, `91` modulus)
    PublicKey(CaptureName),
    /// that of the authority with a captured key identifier (16 bytes): a trust anchor of CV certificates
    Authority(CaptureName),
}

impl Verifier {
    /// The captured value that it is about.
    #[must_use]
    pub const fn captured(&self) -> Option<&CaptureName> {
        match self {
            Self::Read(_) => None,
            Self::Captured(name) | Self::PublicKey(name) | Self::Authority(name) => Some(name),
        }
    }

    /// The certificate that must have been read before.
    #[must_use]
    pub const fn certificate_needed(&self) -> Option<CertificateName> {
        match self {
            Self::Read(name) => Some(*name),
            Self::Captured(_) | Self::PublicKey(_) | Self::Authority(_) => None,
        }
    }

    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        match (self, language) {
            (Self::Read(name), Language::Ja) => words::certificate(*name, language).to_owned(),
            (Self::Read(name), Language::En) => format!("the certificate {name}"),
            (Self::Captured(name), _) => {
                format!("{} {name}", say(language, "控えておいた証明書", "the captured certificate"))
            }
            (Self::PublicKey(name), _) => {
                format!("{} {name}", say(language, "控えておいた公開鍵", "the captured public key"))
            }
            (Self::Authority(name), Language::Ja) => {
                format!("控えておいた鍵識別子 {name} の認証局の公開鍵")
            }
            (Self::Authority(name), Language::En) => {
                format!("the key of the authority with the captured key identifier {name}")
            }
        }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(Language::En))
    }
}

/// One of captured, public_key and authority.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifierMap {
    /// the name under which an X.509 certificate was captured
    captured: Option<CaptureName>,
    /// the name under which a public key was captured, as the files of the card hold it: 90 exponent,
    /// 91 modulus
    public_key: Option<CaptureName>,
    /// the name under which the key identifier of an authority was captured
    authority: Option<CaptureName>,
}

impl<'de> Deserialize<'de> for Verifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;
        impl<'de> Visitor<'de> for NameOrMap {
            type Value = Verifier;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the name of a certificate, {captured: NAME}, {public_key: NAME} or {authority: NAME}",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Verifier, E> {
                let name = de::value::StrDeserializer::<E>::new(name);
                CertificateName::deserialize(name).map(Verifier::Read)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Verifier, A::Error> {
                match VerifierMap::deserialize(MapAccessDeserializer::new(map))? {
                    VerifierMap { captured: Some(name), public_key: None, authority: None } => {
                        Ok(Verifier::Captured(name))
                    }
                    VerifierMap { captured: None, public_key: Some(name), authority: None } => {
                        Ok(Verifier::PublicKey(name))
                    }
                    VerifierMap { captured: None, public_key: None, authority: Some(name) } => {
                        Ok(Verifier::Authority(name))
                    }
                    _ => Err(de::Error::custom(
                        "whose key it is says one of captured, public_key and authority",
                    )),
                }
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}
