//! Bytes that a scenario names without knowing them: written out, captured, or made of such by a
//! digest, by a DigestInfo, or by putting them one after another.

use super::capture::{CaptureName, Captures};
use super::words::say;
use crate::language::{Language, quoted};
use crate::terminal::Digest;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::hex::Bytes;

/// Bytes, as a scenario names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Octets {
    /// these
    Bytes(Bytes),
    /// a text, in UTF-8
    Text(String),
    /// a captured value
    Captured(CaptureName),
    /// several, one after another
    Sequence(Vec<Self>),
    /// the digest of others
    Digest {
        /// of which kind
        digest: Digest,
        /// of what
        of: Box<Self>,
    },
    /// a DigestInfo (RFC 8017, 9.2) over the digest of others
    DigestInfo {
        /// of which kind
        digest: Digest,
        /// of what
        of: Box<Self>,
    },
    /// a DigestInfo that holds others as they are in place of a digest
    DigestInfoAround {
        /// which kind it names
        digest: Digest,
        /// what it holds
        value: Box<Self>,
    },
}

impl Octets {
    /// The bytes, given what has been captured.
    #[must_use]
    pub fn bytes(&self, captures: &Captures) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.0.clone(),
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Captured(name) => captures.get(name).to_vec(),
            Self::Sequence(parts) => parts.iter().flat_map(|part| part.bytes(captures)).collect(),
            Self::Digest { digest, of } => digest.of(&of.bytes(captures)),
            Self::DigestInfo { digest, of } => digest.digest_info(&digest.of(&of.bytes(captures))),
            Self::DigestInfoAround { digest, value } => digest.digest_info(&value.bytes(captures)),
        }
    }

    /// The captured values that they are made of.
    #[must_use]
    pub fn captured(&self) -> Vec<&CaptureName> {
        match self {
            Self::Bytes(_) | Self::Text(_) => Vec::new(),
            Self::Captured(name) => vec![name],
            Self::Sequence(parts) => parts.iter().flat_map(Self::captured).collect(),
            Self::Digest { of: value, .. }
            | Self::DigestInfo { of: value, .. }
            | Self::DigestInfoAround { value, .. } => value.captured(),
        }
    }

    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let ja = language == Language::Ja;
        match self {
            Self::Bytes(bytes) if ja => format!("{} バイトのデータ", bytes.len()),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::Text(text) => quoted(text, language),
            Self::Captured(name) if ja => format!("控えておいた {name}"),
            Self::Captured(name) => format!("the captured {name}"),
            Self::Sequence(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.in_words(language)).collect();
                parts.join(say(language, " ‖ ", " ‖ "))
            }
            Self::Digest { digest, of } if ja => {
                format!("{}の {}", of.in_brackets(language), digest.name())
            }
            Self::Digest { digest, of } => {
                format!("the {} digest of {}", digest.name(), of.in_brackets(language))
            }
            Self::DigestInfo { digest, of } if ja => {
                format!("{}の {} の DigestInfo", of.in_brackets(language), digest.name())
            }
            Self::DigestInfo { digest, of } => {
                format!("the DigestInfo of the {} digest of {}", digest.name(), of.in_brackets(language))
            }
            Self::DigestInfoAround { digest, value } if ja => {
                format!("{}をそのまま収めた {} の DigestInfo", value.in_brackets(language), digest.name())
            }
            Self::DigestInfoAround { digest, value } => {
                format!("a {} DigestInfo around {}", digest.name(), value.in_brackets(language))
            }
        }
    }

    fn in_brackets(&self, language: Language) -> String {
        match self {
            Self::Sequence(_) => format!("({})", self.in_words(language)),
            _ => self.in_words(language),
        }
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(Language::En))
    }
}

/// Bytes: one of hex, text, captured, digest and digest_info.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OctetsMap {
    /// these bytes, in hex
    #[serde(default)]
    #[schemars(schema_with = "super::schema::hex")]
    hex: Option<Bytes>,
    /// this text, in UTF-8
    text: Option<String>,
    /// the name of a captured value
    captured: Option<CaptureName>,
    /// the digest of what `of` says
    digest: Option<Digest>,
    /// the DigestInfo over the digest of what `of` says
    digest_info: Option<Digest>,
    /// what the digest is taken of: a text, or bytes
    of: Option<Digested>,
    /// in place of `of`: what the DigestInfo holds as it is
    around: Option<Digested>,
}

/// What a digest is taken of: a text, or bytes.
pub(super) struct Digested(Octets);

const FORMS: &str = "bytes such as {hex: \"…\"}, {text: \"…\"}, {captured: NAME}, {digest: sha256, of: …}, \
                     {digest_info: sha256, of: …} or a list of these";

impl OctetsMap {
    fn octets(self) -> Result<Octets, String> {
        let Self { hex, text, captured, digest, digest_info, of, around } = self;
        if digest.is_some() && around.is_some() {
            return Err("`around` goes with digest_info; a digest is taken `of` something".to_owned());
        }
        let bytes = hex.map(Octets::Bytes);
        let plain = [bytes, text.map(Octets::Text), captured.map(Octets::Captured)];
        let of = of.map(|Digested(octets)| Box::new(octets));
        let around = around.map(|Digested(octets)| Box::new(octets));
        let made = match (digest, digest_info, of, around) {
            (None, None, None, None) => None,
            (Some(digest), None, Some(of), None) => Some(Octets::Digest { digest, of }),
            (None, Some(digest), Some(of), None) => Some(Octets::DigestInfo { digest, of }),
            (None, Some(digest), None, Some(value)) => Some(Octets::DigestInfoAround { digest, value }),
            _ => return Err(wanted()),
        };
        let mut said = plain.into_iter().chain([made]).flatten();
        match (said.next(), said.next()) {
            (Some(octets), None) => Ok(octets),
            _ => Err(wanted()),
        }
    }
}

fn wanted() -> String {
    format!("what is wanted here are {FORMS}")
}

struct OctetsVisitor {
    /// whether a bare text may stand
    takes_text: bool,
}

impl<'de> Visitor<'de> for OctetsVisitor {
    type Value = Octets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.takes_text {
            f.write_str("a text, or ")?;
        }
        f.write_str(FORMS)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Octets, E> {
        match self.takes_text {
            true => Ok(Octets::Text(text.to_owned())),
            false => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Octets, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        match parts.is_empty() {
            true => Err(de::Error::custom("an empty list has no bytes")),
            false => Ok(Octets::Sequence(parts)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Octets, A::Error> {
        OctetsMap::deserialize(MapAccessDeserializer::new(map))?.octets().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OctetsVisitor { takes_text: false })
    }
}

impl<'de> Deserialize<'de> for Digested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OctetsVisitor { takes_text: true }).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    fn octets(yaml: &str) -> Result<Octets, String> {
        vmyna_sim::document::parse("test.yaml", yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn digests_are_taken_of_texts_bytes_captured_values_and_lists() {
        let mut captures = Captures::default();
        captures.keep(CaptureName::parse("c").unwrap(), b"c".to_vec());
        let of = |yaml: &str| octets(yaml).unwrap().bytes(&captures);
        let abc = hex!("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
        assert_eq!(of("{digest: sha256, of: abc}"), abc);
        assert_eq!(of("{digest: sha256, of: [{text: a}, {hex: \"62\"}, {captured: c}]}"), abc);
        assert_eq!(of("[{text: a}, {captured: c}]"), b"ac");
        let info = [&hex!("3031300D060960864801650304020105000420")[..], &abc].concat();
        assert_eq!(of("{digest_info: sha256, of: {text: abc}}"), info);
        let around = of(
            "{digest_info: sha256, around: [{digest: sha256, of: a}, {digest: sha256, of: b}, {digest: sha256, of: {captured: c}}]}",
        );
        assert_eq!(around[..19], hex!("3071300D060960864801650304020105000460"));
        assert_eq!(around.len(), 115);
    }

    #[test]
    fn every_digest_has_the_length_and_the_prefix_of_rfc_8017() {
        for (digest, prefix, length) in [
            (Digest::Sha1, &hex!("3021300906052B0E03021A05000414")[..], 20),
            (Digest::Sha384, &hex!("3041300D060960864801650304020205000430"), 48),
            (Digest::Sha512, &hex!("3051300D060960864801650304020305000440"), 64),
        ] {
            let info = digest.digest_info(&digest.of(b"a"));
            assert_eq!((&info[..prefix.len()], info.len()), (prefix, prefix.len() + length));
        }
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        for (yaml, message) in [
            ("{hex: \"00\", text: a}", "what is wanted here are bytes such as"),
            ("{digest: sha256}", "what is wanted here are bytes such as"),
            ("{digest: sha256, around: a}", "`around` goes with digest_info"),
            ("[]", "an empty list has no bytes"),
            ("abc", "{captured: NAME}"),
        ] {
            let error = octets(yaml).unwrap_err();
            assert!(error.contains(message), "{yaml}: {error}");
        }
    }

    #[test]
    fn they_are_told_in_both_languages() {
        let octets = octets("{digest_info: sha256, of: [{text: a}, {captured: c}]}").unwrap();
        assert_eq!(octets.in_words(Language::Ja), "(「a」 ‖ 控えておいた c)の SHA-256 の DigestInfo");
        assert_eq!(octets.to_string(), "the DigestInfo of the SHA-256 digest of (\"a\" ‖ the captured c)");
    }
}
