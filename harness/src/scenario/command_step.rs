//! Steps on the card as a whole and on files: power, ATR, SELECT, READ BINARY, GET CHALLENGE, and
//! any command in bytes.

use super::expect::{BytesPattern, Expect, StatusExpectation};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::apdu::Status;
use vmyna_sim::hex::Bytes;

/// `power: cycle`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerStep {
    /// off, then on
    Cycle,
    /// off
    Off,
    /// on
    On,
    /// the reset line, power stays
    WarmReset,
}

/// `atr: {expect: "3B …"}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtrStep {
    /// the whole answer to reset
    pub expect: BytesPattern,
}

/// `select: jpki`, `select: {file: "0018"}`
#[derive(Debug, Clone)]
pub struct SelectStep {
    /// what is selected
    pub target: SelectTarget,
    /// what must come back
    pub expect: Expect,
}

impl SelectStep {
    /// Whether what is selected must be there.
    #[must_use]
    pub fn expects_success(&self) -> bool {
        match &self.expect.status {
            StatusExpectation::AnyOf(patterns) => {
                patterns.iter().any(|pattern| pattern.matches(Status::Success))
            }
            StatusExpectation::Blocked | StatusExpectation::Undocumented(_) => false,
        }
    }
}

/// What SELECT names.
#[derive(Debug, Clone)]
pub enum SelectTarget {
    /// an application by its whole name (AID)
    Application {
        /// the name people know it by
        name: &'static str,
        /// its AID
        aid: &'static [u8],
    },
    /// an application by any AID
    Aid(Bytes),
    /// an EF by its identifier
    File(u16),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectMap {
    application: Option<String>,
    aid: Option<Bytes>,
    file: Option<Bytes>,
    #[serde(default)]
    expect: Expect,
}

fn application(name: &str) -> Result<SelectTarget, String> {
    let all = vmyna_sim::application::ALL;
    let found = all.iter().find(|application| application.name == name).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|application| application.name).collect();
        format!("`{name}` is no application; known are {}", known.join(", "))
    })?;
    Ok(SelectTarget::Application { name: found.name, aid: found.aid })
}

impl<'de> Deserialize<'de> for SelectStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;
        impl<'de> Visitor<'de> for NameOrMap {
            type Value = SelectStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an application, or a map with application, aid or file")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<SelectStep, E> {
                Ok(SelectStep { target: application(name).map_err(E::custom)?, expect: Expect::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SelectStep, A::Error> {
                let map = SelectMap::deserialize(MapAccessDeserializer::new(map))?;
                let target = match (map.application, map.aid, map.file) {
                    (Some(name), None, None) => application(&name).map_err(de::Error::custom)?,
                    (None, Some(aid), None) if aid.len() <= 16 => SelectTarget::Aid(aid),
                    (None, Some(_), None) => return Err(de::Error::custom("an AID has at most 16 bytes")),
                    (None, None, Some(file)) => match *file {
                        [high, low] => SelectTarget::File(u16::from_be_bytes([high, low])),
                        _ => {
                            return Err(de::Error::custom(
                                "a file identifier is two bytes, such as \"000A\"",
                            ));
                        }
                    },
                    _ => return Err(de::Error::custom("select names one of application, aid and file")),
                };
                Ok(SelectStep { target, expect: map.expect })
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}

/// `read_binary: {offset: 0, le: 4}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBinaryStep {
    /// first byte, 0 to 32,767; 0 to 255 by short identifier
    #[serde(default)]
    pub offset: u16,
    /// Ne: 1 to 256, or to 65,536 with extended length fields
    pub le: u32,
    /// short EF identifier, 0 to 31
    pub sfi: Option<u8>,
    /// extended length fields
    #[serde(default)]
    pub extended: bool,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// `challenge: {length: 8}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChallengeStep {
    /// how many bytes, 1 to 256
    #[serde(deserialize_with = "challenge_length")]
    pub length: u16,
    /// asks a second time, and must get other bytes
    #[serde(default)]
    pub twice: bool,
    /// what must come back; that many bytes unless it says otherwise
    pub expect: Option<Expect>,
}

fn challenge_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match u16::deserialize(deserializer)? {
        length @ 1..=256 => Ok(length),
        length => Err(de::Error::custom(format!("a challenge has 1 to 256 bytes, not {length}"))),
    }
}

/// `transmit: {apdu: "00 A4 00 00", expect: {sw: "6A86"}}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmitStep {
    /// the command
    pub apdu: Bytes,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}
