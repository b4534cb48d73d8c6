//! Steps on the card as a whole and on files: power, ATR, SELECT, READ BINARY, GET CHALLENGE, and
//! any command in bytes.

use super::bytes_pattern::BytesPattern;
use super::capture::CaptureName;
use super::expect::Expect;
use super::source::Placed;
use super::status_pattern::StatusExpectation;
use super::step::{Action, lower};
use super::template::Template;
use super::words::say;
use crate::language::Language;
use crate::wire;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::apdu::Status;
use vmyna_sim::exchange::ShownCommand;
use vmyna_sim::hex::Bytes;

/// `power: cycle`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtrStep {
    /// the whole answer to reset
    pub expect: Placed<BytesPattern>,
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectMap {
    application: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "super::schema::hex")]
    aid: Option<Bytes>,
    #[serde(default)]
    #[schemars(schema_with = "super::schema::hex")]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransmitStep {
    /// the command
    pub apdu: Template,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// Instructions whose data field may be a PIN: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER and
/// their kin with odd codes, and CHANGE KEY.
pub(super) const WITH_A_PIN: [u8; 7] = [0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D, 0x32];

impl Action for PowerStep {
    fn brief(&self) -> String {
        format!("power {}", lower(self))
    }

    fn has_data(&self) -> bool {
        false
    }

    fn in_words(&self, language: Language) -> String {
        let (ja, en) = match self {
            Self::Cycle => ("電源を切って入れ直す", "switch the power off and on"),
            Self::Off => ("電源を切る", "switch the power off"),
            Self::On => ("電源を入れる", "switch the power on"),
            Self::WarmReset => ("電源を入れたままリセットする", "reset the card with its power on"),
        };
        say(language, ja, en).to_owned()
    }
}

impl Action for AtrStep {
    fn brief(&self) -> String {
        "atr".to_owned()
    }

    fn in_words(&self, language: Language) -> String {
        match language {
            Language::Ja => format!("リセット応答(ATR)を読む。期待: {}", self.expect.value),
            Language::En => format!("read the answer to reset; expected: {}", self.expect.value),
        }
    }
}

impl Action for SelectStep {
    fn brief(&self) -> String {
        match &self.target {
            SelectTarget::Application { name, .. } => format!("select {name}"),
            SelectTarget::Aid(aid) => format!("select aid {aid}"),
            SelectTarget::File(id) => format!("select file {id:04X}"),
        }
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        match (&self.target, language) {
            (SelectTarget::Application { name, .. }, Language::Ja) => {
                format!("アプリケーション {name} を選択する(SELECT)")
            }
            (SelectTarget::Application { name, .. }, Language::En) => {
                format!("select the application {name}")
            }
            (SelectTarget::Aid(aid), Language::Ja) => format!("AID {aid} を選択する(SELECT)"),
            (SelectTarget::Aid(aid), Language::En) => format!("select the AID {aid}"),
            (SelectTarget::File(id), Language::Ja) => format!("EF {id:04X} を選択する(SELECT)"),
            (SelectTarget::File(id), Language::En) => format!("select EF {id:04X}"),
        }
    }
}

impl Action for ReadBinaryStep {
    fn brief(&self) -> String {
        format!("read_binary {} from {}", self.le, self.offset)
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let Self { le, offset, .. } = self;
        let sfi = self.sfi.map_or_else(String::new, |sfi| match language {
            Language::Ja => format!("短縮 EF 識別子 {sfi:02X} の "),
            Language::En => format!(" of the EF with the short identifier {sfi:02X}"),
        });
        match language {
            Language::Ja => format!("{sfi}{offset} バイト目から {le} バイトまで読む(READ BINARY)"),
            Language::En => format!("read up to {le} bytes from {offset} on{sfi} (READ BINARY)"),
        }
    }

    fn mistake(&self) -> Option<String> {
        let problem = match self.sfi {
            _ if self.offset > 0x7FFF => "an offset has 15 bits: 0 to 32767",
            Some(32..) => "a short EF identifier is 0 to 31",
            Some(_) if self.offset > 255 => "an offset beside a short EF identifier has 8 bits: 0 to 255",
            _ if self.le == 0 || self.le > 65_536 => "le is 1 to 65536",
            _ => return None,
        };
        Some(problem.to_owned())
    }
}

impl Action for ChallengeStep {
    fn brief(&self) -> String {
        format!("challenge of {} bytes", self.length)
    }

    fn expects(&self) -> Option<&Expect> {
        self.expect.as_ref()
    }

    fn in_words(&self, language: Language) -> String {
        let length = self.length;
        match (language, self.twice) {
            (Language::Ja, false) => format!("{length} バイトの乱数を得る(GET CHALLENGE)"),
            (Language::Ja, true) => format!("{length} バイトの乱数を二度得る。値は異なる(GET CHALLENGE)"),
            (Language::En, false) => format!("get a challenge of {length} bytes (GET CHALLENGE)"),
            (Language::En, true) => {
                format!("get a challenge of {length} bytes twice, and other bytes each time (GET CHALLENGE)")
            }
        }
    }
}

impl Action for TransmitStep {
    fn brief(&self) -> String {
        "transmit".to_owned()
    }

    fn touches_a_pin(&self) -> bool {
        let is_empty_verify = self.apdu.as_written().is_some_and(|bytes| bytes.len() <= 5);
        !is_empty_verify && self.apdu.beginning().get(1).is_some_and(|ins| WITH_A_PIN.contains(ins))
    }

    fn needs(&self) -> Vec<&CaptureName> {
        self.apdu.names().chain(self.expect.captured()).collect()
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let shown = match self.apdu.as_written() {
            Some(bytes) => wire::command(&ShownCommand::new(bytes), language),
            None if self.touches_a_pin() => {
                wire::command(&ShownCommand::new(self.apdu.beginning()), language)
            }
            None => self.apdu.to_string(),
        };
        match language {
            Language::Ja => format!("送信: {shown}"),
            Language::En => format!("send {shown}"),
        }
    }

    fn mistake(&self) -> Option<String> {
        let written = self.apdu.beginning().len();
        (written < 4).then(|| match self.apdu.as_written() {
            Some(_) => "a command has at least the four bytes CLA INS P1 P2".to_owned(),
            None => "CLA INS P1 P2 are written out; a captured value comes after them".to_owned(),
        })
    }
}
