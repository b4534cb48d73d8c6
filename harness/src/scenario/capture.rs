//! Captured values: what a step's answer held, kept under a name for later steps.

use super::certificate_match::CertificateField;
use super::content::DataObject;
use super::source::{Mark, Placed};
use super::tlv::{BerPath, SimpleTag};
use crate::language::Language;
use crate::terminal::CertificateName;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// The name of a captured value: a lower-case word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureName(String);

impl CaptureName {
    /// Reads a name.
    ///
    /// # Errors
    /// A sentence saying what a name looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("a captured value is named by a lower-case word such as `nonce`, not {text:?}"))
    }
}

impl fmt::Display for CaptureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CaptureName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// `{captured: NAME}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// the name of a captured value
    pub captured: Placed<CaptureName>,
}

/// `capture: NAME`, beside a verb: which part of the answer is kept, and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// the name
    pub name: Placed<CaptureName>,
    /// which part
    pub part: Part,
}

/// A part of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Part {
    /// the data field; of a step that reads several times, all that it read
    #[default]
    Data,
    /// some of the bytes
    Bytes {
        /// of the value of this data object; of the whole answer otherwise
        of: Option<DataObject>,
        /// the first
        from: usize,
        /// how many
        length: usize,
    },
    /// the value of a data object
    Object(DataObject),
    /// a data object with its tag and its length, as it stands
    Whole(BerPath),
    /// a field of the certificate that the data is
    Certificate(CertificateField),
}

impl Part {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let ja = language == Language::Ja;
        match self {
            Self::Data => language.say("データフィールド", "the data field").to_owned(),
            Self::Bytes { of, from, length } => {
                let of = of.as_ref().map(|object| object.in_words(language));
                match of {
                    Some(object) if ja => format!("{object}の {from} バイト目から {length} バイト"),
                    None if ja => format!("{from} バイト目から {length} バイト"),
                    Some(object) => format!("{length} bytes from {from} on of {object}"),
                    None => format!("{length} bytes from {from} on"),
                }
            }
            Self::Object(object) => object.in_words(language),
            Self::Whole(path) if ja => format!("データオブジェクト {path} の全体"),
            Self::Whole(path) => format!("the whole data object {path}"),
            Self::Certificate(field) if ja => format!("証明書の{}", field.name(language)),
            Self::Certificate(field) => format!("the {} of a certificate", field.name(language)),
        }
    }
}

/// What a scenario has learnt so far: captured values, and the certificates that it has read.
#[derive(Clone, Default)]
pub struct Captures {
    values: BTreeMap<CaptureName, Vec<u8>>,
    certificates: BTreeMap<CertificateName, Vec<u8>>,
}

/// Names and lengths: an answer may tell what is a PIN elsewhere, such as the individual number (照合番号A).
impl fmt::Debug for Captures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.iter().map(|(name, value)| (name, value.len()));
        f.debug_map().entries(values).finish_non_exhaustive()
    }
}

impl Captures {
    /// The value under `name`. Loading a scenario makes sure that there is one.
    #[must_use]
    pub fn get(&self, name: &CaptureName) -> &[u8] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Keeps `value` under `name`.
    pub fn keep(&mut self, name: CaptureName, value: Vec<u8>) {
        self.values.insert(name, value);
    }

    /// The certificate `name` in DER, if it has been read.
    #[must_use]
    pub fn certificate(&self, name: CertificateName) -> Option<&[u8]> {
        self.certificates.get(&name).map(Vec::as_slice)
    }

    /// Keeps the certificate `name`.
    pub fn keep_certificate(&mut self, name: CertificateName, der: Vec<u8>) {
        self.certificates.insert(name, der);
    }
}

/// Part of an answer, and the name under which it is kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureMap {
    /// the name
    #[serde(rename = "as")]
    name: Placed<CaptureName>,
    /// the first byte of those that are kept
    from: Option<usize>,
    /// how many bytes are kept
    length: Option<usize>,
    /// the data object whose value is kept, by the tags that lead to it
    tlv: Option<BerPath>,
    /// the data object that is kept with its tag and length, by the tags that lead to it
    object: Option<BerPath>,
    /// the data object of simple TLV that is kept
    simple_tlv: Option<SimpleTag>,
    /// the field that is kept of the certificate that the data is
    certificate: Option<CertificateField>,
}

impl CaptureMap {
    fn part(self) -> Result<Part, String> {
        let object = DataObject::of(self.tlv, self.simple_tlv)?;
        match (self.from, self.length, object, self.object, self.certificate) {
            (None, None, None, None, None) => Ok(Part::Data),
            (from, Some(length), of, None, None) => {
                Ok(Part::Bytes { of, from: from.unwrap_or_default(), length })
            }
            (Some(_), None, _, None, None) => Err("from goes with a length".to_owned()),
            (None, None, Some(object), None, None) => Ok(Part::Object(object)),
            (None, None, None, Some(path), None) => Ok(Part::Whole(path)),
            (None, None, None, None, Some(field)) => Ok(Part::Certificate(field)),
            _ => {
                Err("what is captured is one of tlv, simple_tlv (with from and length, some of its bytes), \
                      object, certificate, and from with length"
                    .to_owned())
            }
        }
    }
}

/// The captures of a step: one, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureList(pub Vec<Capture>);

impl<'de> Deserialize<'de> for CaptureList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Placed { value: OneOrMany(mut captures), mark } = Placed::deserialize(deserializer)?;
        // A bare name stands where the whole value stands.
        for capture in captures.iter_mut().filter(|capture| capture.name.mark == Mark::default()) {
            capture.name.mark = mark;
        }
        Ok(Self(captures))
    }
}

struct OneOrMany(Vec<Capture>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;
        impl<'de> Visitor<'de> for NameOrMap {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, a map such as {as: nonce, from: 4, length: 8}, or a list of these")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(CaptureList(captures)) = seq.next_element()? {
                    all.extend(captures);
                }
                Ok(OneOrMany(all))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<OneOrMany, E> {
                let value = CaptureName::parse(name).map_err(E::custom)?;
                let name = Placed { value, mark: Mark::default() };
                Ok(OneOrMany(vec![Capture { name, part: Part::Data }]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany, A::Error> {
                let map = CaptureMap::deserialize(MapAccessDeserializer::new(map))?;
                let name = map.name.clone();
                let part = map.part().map_err(de::Error::custom)?;
                Ok(OneOrMany(vec![Capture { name, part }]))
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}
