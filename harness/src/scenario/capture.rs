//! Captured values: what a step's answer held, kept under a name for later steps.

use super::source::{Mark, Placed};
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// which
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
        /// the first
        from: usize,
        /// how many
        length: usize,
    },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data => f.write_str("data field"),
            Self::Bytes { from, length } => write!(f, "{length} bytes from {from} on"),
        }
    }
}

/// What a scenario has captured so far.
#[derive(Debug, Clone, Default)]
pub struct Captures(BTreeMap<CaptureName, Vec<u8>>);

impl Captures {
    /// The value under `name`. Loading a scenario makes sure that there is one.
    #[must_use]
    pub fn get(&self, name: &CaptureName) -> &[u8] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Keeps `value` under `name`.
    pub fn keep(&mut self, name: CaptureName, value: Vec<u8>) {
        self.0.insert(name, value);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptureMap {
    #[serde(rename = "as")]
    name: Placed<CaptureName>,
    from: Option<usize>,
    length: Option<usize>,
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
                let CaptureMap { name, from, length } =
                    CaptureMap::deserialize(MapAccessDeserializer::new(map))?;
                let part = match (from, length) {
                    (None, None) => Part::Data,
                    (from, Some(length)) => Part::Bytes { from: from.unwrap_or_default(), length },
                    (Some(_), None) => return Err(de::Error::custom("from goes with a length")),
                };
                Ok(OneOrMany(vec![Capture { name, part }]))
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}
