//! Steps in secure messaging: opening a session, and commands inside it.

use super::expect::Expect;
use super::step::{Action, lower};
use super::words;
use crate::language::Language;
use crate::terminal::PinChoice;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::hex::Bytes;
use vmyna_sim::pin::PinName;

/// `secure_session: open`
#[derive(Debug, Clone)]
pub struct SecureSessionStep {
    /// what must come back from SET SESSION KEY
    pub expect: Expect,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecureSessionMap {
    #[serde(default)]
    expect: Expect,
}

impl<'de> Deserialize<'de> for SecureSessionStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrMap;
        impl<'de> Visitor<'de> for WordOrMap {
            type Value = SecureSessionStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`open`, or a map with expect")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SecureSessionStep, E> {
                match word {
                    "open" => Ok(SecureSessionStep { expect: Expect::default() }),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecureSessionStep, A::Error> {
                let map = SecureSessionMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SecureSessionStep { expect: map.expect })
            }
        }
        deserializer.deserialize_any(WordOrMap)
    }
}

/// `secure: {select: "0001"}`, `secure: {verify: text_code_a, value: right}`,
/// `secure: {read_binary: {offset: 0, length: 17}}`
#[derive(Debug, Clone)]
pub struct SecureStep {
    /// what travels encrypted
    pub command: SecureCommand,
    /// under which key
    pub session: SecureSessionChoice,
    /// another padding indicator than 01 before the encrypted data
    pub indicator: Option<u8>,
    /// what must come back, with its data decrypted
    pub expect: Expect,
}

/// Which session of the scenario a command belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecureSessionChoice {
    /// the one opened last
    #[default]
    Current,
    /// the one before it, whose key the card should no longer take
    Previous,
}

/// A command that secure messaging can carry.
#[derive(Debug, Clone, Copy)]
pub enum SecureCommand {
    /// SELECT of an EF
    Select(u16),
    /// VERIFY of a PIN by its short identifier
    Verify(PinName, PinChoice),
    /// READ BINARY
    ReadBinary(SecureRead),
}

/// What READ BINARY reads inside a session.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecureRead {
    /// short EF identifier, 0 to 31; the current EF where it is missing
    pub sfi: Option<u8>,
    /// first byte, 0 to 32,767; 0 to 255 by short identifier
    #[serde(default)]
    pub offset: u16,
    /// how many bytes; 0 for all that there are
    #[serde(default)]
    pub length: u16,
    /// read on to the end of the EF, `length` bytes at a time
    #[serde(default)]
    pub to_the_end: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecureMap {
    /// SELECT of the EF with this identifier
    #[serde(default)]
    #[schemars(schema_with = "super::schema::hex")]
    select: Option<Bytes>,
    /// VERIFY of this PIN
    #[serde(default)]
    #[schemars(schema_with = "super::schema::pin_name")]
    verify: Option<PinName>,
    /// which value of the PIN
    value: Option<PinChoice>,
    /// READ BINARY
    read_binary: Option<SecureRead>,
    /// the session that it belongs to
    #[serde(default)]
    session: SecureSessionChoice,
    /// another padding indicator than 01 before the encrypted data, which no card should take
    indicator: Option<u8>,
    #[serde(default)]
    expect: Expect,
}

impl<'de> Deserialize<'de> for SecureStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = SecureMap::deserialize(deserializer)?;
        let command = match (map.select, map.verify, map.value, map.read_binary) {
            (Some(file), None, None, None) => match *file {
                [high, low] => SecureCommand::Select(u16::from_be_bytes([high, low])),
                _ => {
                    return Err(de::Error::custom("a file identifier is two bytes, such as \"0001\""));
                }
            },
            (None, Some(pin), Some(value), None) => SecureCommand::Verify(pin, value),
            (None, None, None, Some(read)) => SecureCommand::ReadBinary(read),
            _ => {
                return Err(de::Error::custom(
                    "secure carries one of select, verify with its value, and read_binary",
                ));
            }
        };
        Ok(Self { command, session: map.session, indicator: map.indicator, expect: map.expect })
    }
}

impl Action for SecureSessionStep {
    fn brief(&self) -> String {
        "secure_session open".to_owned()
    }

    fn has_data(&self) -> bool {
        false
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        words::say(
            language,
            "EF 0006 の公開鍵で暗号化した鍵を渡し、セキュアメッセージングのセッションを開く(SET SESSION KEY)",
            "open a session of secure messaging with a key encrypted to EF 0006 (SET SESSION KEY)",
        )
        .to_owned()
    }
}

impl Action for SecureStep {
    fn brief(&self) -> String {
        match self.command {
            SecureCommand::Select(id) => format!("secure select file {id:04X}"),
            SecureCommand::Verify(pin, value) => format!("secure verify {pin} ({})", lower(&value)),
            SecureCommand::ReadBinary(SecureRead { offset, length, to_the_end: false, .. }) => {
                format!("secure read_binary {length} from {offset}")
            }
            SecureCommand::ReadBinary(SecureRead { offset, length, .. }) => {
                format!("secure read_binary from {offset} to the end, {length} at a time")
            }
        }
    }

    fn touches_a_pin(&self) -> bool {
        matches!(self.command, SecureCommand::Verify(..))
    }

    fn has_data(&self) -> bool {
        matches!(self.command, SecureCommand::ReadBinary(_))
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let inner = match (self.command, language) {
            (SecureCommand::Select(id), Language::Ja) => format!("EF {id:04X} を選択する(SELECT)"),
            (SecureCommand::Select(id), Language::En) => format!("select EF {id:04X}"),
            (SecureCommand::Verify(pin, value), Language::Ja) => {
                let (pin, value) = (words::pin(pin, language), words::choice(value, language));
                format!("{pin}として{value}を照合する(VERIFY)")
            }
            (SecureCommand::Verify(pin, value), Language::En) => {
                let (pin, value) = (words::pin(pin, language), words::choice(value, language));
                format!("present {value} of {pin} (VERIFY)")
            }
            (SecureCommand::ReadBinary(read), _) => read.in_words(language),
        };
        match (self.session, language) {
            (SecureSessionChoice::Current, Language::Ja) => format!("セッションの中で、{inner}"),
            (SecureSessionChoice::Current, Language::En) => format!("inside the session, {inner}"),
            (SecureSessionChoice::Previous, Language::Ja) => format!("前のセッションの鍵で、{inner}"),
            (SecureSessionChoice::Previous, Language::En) => {
                format!("under the key of the session before, {inner}")
            }
        }
    }

    fn mistake(&self) -> Option<String> {
        match self.command {
            SecureCommand::Verify(pin, PinChoice::LowerCase) => Some(format!("{pin} has no letters")),
            SecureCommand::ReadBinary(_) if self.indicator.is_some() => Some(
                "READ BINARY carries no encrypted data: an indicator goes with select and verify".to_owned(),
            ),
            SecureCommand::ReadBinary(read) => read.mistake().map(str::to_owned),
            _ => None,
        }
    }
}

impl SecureRead {
    fn in_words(self, language: Language) -> String {
        let file = self.sfi.map_or_else(String::new, |sfi| match language {
            Language::Ja => format!("短縮 EF 識別子 {sfi:02X} の "),
            Language::En => format!(" of the EF with the short identifier {sfi:02X}"),
        });
        let Self { offset, length, .. } = self;
        match (language, length) {
            (Language::Ja, _) if self.to_the_end => {
                format!("{file}{offset} バイト目から {length} バイトずつ終わりまで読む(READ BINARY)")
            }
            (Language::En, _) if self.to_the_end => {
                format!("read from {offset} to the end{file}, {length} bytes at a time (READ BINARY)")
            }
            (Language::Ja, 0) => format!("{file}{offset} バイト目から終わりまで読む(READ BINARY)"),
            (Language::Ja, _) => format!("{file}{offset} バイト目から {length} バイトまで読む(READ BINARY)"),
            (Language::En, 0) => format!("read everything from {offset} on{file} (READ BINARY)"),
            (Language::En, _) => format!("read up to {length} bytes from {offset} on{file} (READ BINARY)"),
        }
    }

    const fn mistake(self) -> Option<&'static str> {
        match self.sfi {
            _ if self.to_the_end && self.length == 0 => {
                Some("to_the_end needs a length: how many bytes are read at a time")
            }
            _ if self.to_the_end && self.sfi.is_some() => {
                Some("to_the_end reads the current EF: a short EF identifier reaches 256 bytes")
            }
            _ if self.offset > 0x7FFF => Some("an offset has 15 bits: 0 to 32767"),
            Some(32..) => Some("a short EF identifier is 0 to 31"),
            Some(_) if self.offset > 255 => {
                Some("an offset beside a short EF identifier has 8 bits: 0 to 255")
            }
            _ => None,
        }
    }
}
