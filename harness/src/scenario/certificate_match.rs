//! What a certificate must say of itself.

use super::capture::CaptureName;
use super::expect::DataExpectation;
use super::text_match::TextMatch;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// Fields of a certificate, each compared as a whole. Names are as in RFC 4514, such as
/// `OU=…,O=…,C=JP`; instants as `2026-11-24T00:00:00Z`; usages, policies, names and extensions are
/// complete and in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateMatch {
    /// the holder's name
    pub subject: Option<TextMatch>,
    /// the parts of the holder's name in the order in which they are encoded, such as `C=JP`
    pub subject_parts: Option<Vec<TextMatch>>,
    /// the issuer's name
    pub issuer: Option<TextMatch>,
    /// the bytes of the serial number
    pub serial: Option<SerialMatch>,
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
    /// the other names in the subject's alternative name
    pub other_names: Option<Vec<OtherNameMatch>>,
    /// where revocation lists are found: names in a directory as in RFC 4514, of others the kind
    /// before a colon, such as `URI:http://…`
    pub crl_points: Option<Vec<TextMatch>>,
    /// the identifier of the certificate's own key
    pub subject_key_identifier: Option<DataExpectation>,
    /// the identifier of the issuer's key
    pub authority_key_identifier: Option<DataExpectation>,
    /// bits of the RSA modulus
    pub key_bits: Option<u64>,
}

/// An other name (otherName of RFC 5280) that holds a UTF8String.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherNameMatch {
    /// its OID
    pub oid: String,
    /// its text
    pub text: Option<TextMatch>,
}

impl fmt::Display for OtherNameMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.oid)?;
        self.text.iter().try_for_each(|text| write!(f, " {text}"))
    }
}

/// What a serial number must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialMatch {
    /// greater than nought, as RFC 5280 wants it
    Positive,
    /// these bytes
    Bytes(DataExpectation),
}

impl fmt::Display for SerialMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Positive => f.write_str("positive"),
            Self::Bytes(bytes) => bytes.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for SerialMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrBytes;
        impl<'de> Visitor<'de> for WordOrBytes {
            type Value = SerialMatch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`positive`, bytes in quotes such as \"01 ?? ...\", or {captured: NAME}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SerialMatch, E> {
                if text == "positive" {
                    return Ok(SerialMatch::Positive);
                }
                let bytes = de::value::StrDeserializer::<E>::new(text);
                DataExpectation::deserialize(bytes).map(SerialMatch::Bytes)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SerialMatch, A::Error> {
                DataExpectation::deserialize(MapAccessDeserializer::new(map)).map(SerialMatch::Bytes)
            }
        }
        deserializer.deserialize_any(WordOrBytes)
    }
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
    /// the identifier of its own key
    SubjectKeyIdentifier,
}

impl CertificateMatch {
    /// The captured values that it is about.
    pub fn captured(&self) -> impl Iterator<Item = &CaptureName> {
        let texts = [&self.subject, &self.issuer, &self.not_before, &self.not_after].into_iter().flatten();
        let parts = self.subject_parts.iter().chain(&self.crl_points).flatten();
        let others = self.other_names.iter().flatten().filter_map(|name| name.text.as_ref());
        let serial = self.serial.iter().filter_map(|serial| match serial {
            SerialMatch::Bytes(bytes) => Some(bytes),
            SerialMatch::Positive => None,
        });
        let bytes = serial.chain(&self.subject_key_identifier).chain(&self.authority_key_identifier);
        let texts = texts.chain(parts).chain(others).flat_map(TextMatch::captured);
        texts.chain(bytes.flat_map(DataExpectation::captured))
    }
}

impl fmt::Display for CertificateMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = |name: &str, wanted: Option<String>| Some(format!("{name} {}", wanted?));
        let parts = [
            field("subject", self.subject.as_ref().map(ToString::to_string)),
            field("issuer", self.issuer.as_ref().map(ToString::to_string)),
            field("not before", self.not_before.as_ref().map(ToString::to_string)),
            field("not after", self.not_after.as_ref().map(ToString::to_string)),
            field("subject parts", self.subject_parts.as_deref().map(list)),
            field("key usage", self.key_usage.as_deref().map(list)),
            field("extended key usage", self.extended_key_usage.as_deref().map(list)),
            field("policies", self.policies.as_deref().map(list)),
            field("extensions", self.extensions.as_deref().map(list)),
            field("other names", self.other_names.as_deref().map(list)),
            field("CRL points", self.crl_points.as_deref().map(list)),
            field("subject key identifier", self.subject_key_identifier.as_ref().map(ToString::to_string)),
            field(
                "authority key identifier",
                self.authority_key_identifier.as_ref().map(ToString::to_string),
            ),
            field("serial", self.serial.as_ref().map(ToString::to_string)),
            self.key_bits.map(|bits| format!("a key of {bits} bits")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

/// All of `items`, or that there must be none.
pub(crate) fn list<T: fmt::Display>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        items => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
