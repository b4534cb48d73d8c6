//! What a certificate must say of itself.

use super::capture::CaptureName;
use super::expect::DataExpectation;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// Fields of a certificate, each compared as a whole. Names are as in RFC 4514, such as
/// `OU=…,O=…,C=JP`; instants as `2026-11-24T00:00:00Z`; usages, policies and extensions are
/// complete and in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateMatch {
    /// the holder's name
    pub subject: Option<TextMatch>,
    /// the issuer's name
    pub issuer: Option<TextMatch>,
    /// the bytes of the serial number
    pub serial: Option<DataExpectation>,
    /// first instant
    pub not_before: Option<TextMatch>,
    /// last instant
    pub not_after: Option<TextMatch>,
    /// key usages by name, such as `digital_signature`, in the order of their bits
    pub key_usage: Option<Vec<String>>,
    /// extended key usages, as OIDs
    pub extended_key_usage: Option<Vec<String>>,
    /// certificate policies, as OIDs
    pub policies: Option<Vec<String>>,
    /// all extensions in their order: an OID, followed by ` critical` where it is
    pub extensions: Option<Vec<String>>,
    /// bits of the RSA modulus
    pub key_bits: Option<u64>,
}

/// A field of a certificate, to be captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateField {
    /// the bytes of the serial number
    Serial,
    /// the holder's name, as text
    Subject,
    /// the issuer's name, as text
    Issuer,
    /// first instant, as text
    NotBefore,
    /// last instant, as text
    NotAfter,
    /// the modulus of the key
    Modulus,
}

impl CertificateMatch {
    /// The captured values that it is about.
    pub fn captured(&self) -> impl Iterator<Item = &CaptureName> {
        let texts = [&self.subject, &self.issuer, &self.not_before, &self.not_after];
        let texts = texts.into_iter().flatten().filter_map(|text| match text {
            TextMatch::Captured(name) => Some(name),
            TextMatch::Exactly(_) | TextMatch::Contains(_) => None,
        });
        texts.chain(self.serial.iter().flat_map(DataExpectation::captured))
    }
}

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// this
    Exactly(String),
    /// something that has this in it
    Contains(String),
    /// a captured value
    Captured(CaptureName),
}

impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(text) => write!(f, "{text:?}"),
            Self::Contains(text) => write!(f, "something with {text:?} in it"),
            Self::Captured(name) => write!(f, "the captured {name}"),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Containing {
    /// what must be in it
    contains: Option<String>,
    /// the name of a captured value
    captured: Option<CaptureName>,
}

impl<'de> Deserialize<'de> for TextMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrMap;
        impl<'de> Visitor<'de> for TextOrMap {
            type Value = TextMatch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, {contains: \"…\"} or {captured: NAME}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextMatch, E> {
                Ok(TextMatch::Exactly(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextMatch, A::Error> {
                match Containing::deserialize(MapAccessDeserializer::new(map))? {
                    Containing { contains: Some(text), captured: None } => Ok(TextMatch::Contains(text)),
                    Containing { contains: None, captured: Some(name) } => Ok(TextMatch::Captured(name)),
                    _ => Err(de::Error::custom("a text is matched by one of contains and captured")),
                }
            }
        }
        deserializer.deserialize_any(TextOrMap)
    }
}
