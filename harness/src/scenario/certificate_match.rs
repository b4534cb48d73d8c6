//! What a certificate must say of itself.

use super::capture::CaptureName;
use super::certificate_names::{self as names, FieldName, list};
use super::expect::DataExpectation;
use super::text_match::TextMatch;
use crate::language::Language;
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

impl OtherNameMatch {
    fn in_words(&self, language: Language) -> String {
        match &self.text {
            Some(text) => format!("{} {}", self.oid, text.in_words(language)),
            None => self.oid.clone(),
        }
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

impl SerialMatch {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        match self {
            Self::Positive => language.say("正の数", "positive").to_owned(),
            Self::Bytes(bytes) => bytes.in_words(language),
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

impl CertificateField {
    pub(super) const fn name(self, language: Language) -> &'static str {
        let (ja, en) = match self {
            Self::Serial => names::SERIAL,
            Self::Subject => names::SUBJECT,
            Self::Issuer => names::ISSUER,
            Self::NotBefore => names::NOT_BEFORE,
            Self::NotAfter => names::NOT_AFTER,
            Self::Modulus => ("法", "modulus"),
            Self::SubjectKeyIdentifier => names::SUBJECT_KEY_IDENTIFIER,
        };
        language.say(ja, en)
    }
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

impl CertificateMatch {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let field = |(ja, en): FieldName, wanted: Option<String>| {
            wanted.map(|wanted| format!("{} {wanted}", language.say(ja, en)))
        };
        let text = |wanted: &Option<TextMatch>| wanted.as_ref().map(|wanted| wanted.in_words(language));
        let bytes =
            |wanted: &Option<DataExpectation>| wanted.as_ref().map(|wanted| wanted.in_words(language));
        let words = |wanted: &Option<Vec<String>>| wanted.as_ref().map(|wanted| list(wanted, language));
        let texts = |wanted: &Option<Vec<TextMatch>>| {
            let told = |wanted: &Vec<TextMatch>| wanted.iter().map(|one| one.in_words(language)).collect();
            wanted.as_ref().map(told).map(|told: Vec<_>| list(&told, language))
        };
        let others = self.other_names.as_ref().map(|wanted| {
            let told: Vec<_> = wanted.iter().map(|name| name.in_words(language)).collect();
            list(&told, language)
        });
        let parts = [
            field(names::SUBJECT, text(&self.subject)),
            field(names::ISSUER, text(&self.issuer)),
            field(names::NOT_BEFORE, text(&self.not_before)),
            field(names::NOT_AFTER, text(&self.not_after)),
            field(names::SUBJECT_PARTS, texts(&self.subject_parts)),
            field(names::KEY_USAGE, words(&self.key_usage)),
            field(names::EXTENDED_KEY_USAGE, words(&self.extended_key_usage)),
            field(names::POLICIES, words(&self.policies)),
            field(names::EXTENSIONS, words(&self.extensions)),
            field(names::OTHER_NAMES, others),
            field(names::CRL_POINTS, texts(&self.crl_points)),
            field(names::SUBJECT_KEY_IDENTIFIER, bytes(&self.subject_key_identifier)),
            field(names::AUTHORITY_KEY_IDENTIFIER, bytes(&self.authority_key_identifier)),
            field(names::SERIAL, self.serial.as_ref().map(|serial| serial.in_words(language))),
            self.key_bits.map(|bits| names::key(bits, language)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(language.say("、", "; "))
    }
}
