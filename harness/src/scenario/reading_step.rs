//! Steps that read more than a block: a whole file as a client reads it, a record, a data object of
//! the card manager.

use super::expect::Expect;
use super::pin_step::By;
use super::step::Action;
use super::words;
use crate::language::Language;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use vmyna_sim::hex::Bytes;

/// `read_file: {file: "0003"}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadFileStep {
    /// its identifier: two bytes
    #[serde(deserialize_with = "two_bytes")]
    #[schemars(schema_with = "super::schema::two_bytes")]
    pub file: u16,
    /// how it is addressed
    #[serde(default)]
    pub by: By,
    /// to the end of the file, with what stands behind its data object; otherwise that object, as long as
    /// it says that it is
    #[serde(default)]
    pub filler: bool,
    /// at once, with extended length fields; otherwise in blocks of 256 bytes
    #[serde(default)]
    pub extended: bool,
    /// what the first READ BINARY must answer, and what the file must hold
    #[serde(default)]
    pub expect: Expect,
}

/// `read_record: {record: 1, sfi: 0x01}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadRecordStep {
    /// its number, 1 for the first
    pub record: u8,
    /// short EF identifier, 1 to 30; the current EF otherwise
    pub sfi: Option<u8>,
    /// Ne, 1 to 256
    #[serde(default = "whole_short")]
    pub le: u32,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// `get_data: {tag: "00F8", extended: true}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDataStep {
    /// the tag of the data object: two bytes
    #[serde(deserialize_with = "two_bytes")]
    #[schemars(schema_with = "super::schema::two_bytes")]
    pub tag: u16,
    /// Ne; 256, or 65,536 with extended length fields, unless told otherwise
    pub le: Option<u32>,
    /// extended length fields, as a large object needs them
    #[serde(default)]
    pub extended: bool,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

impl GetDataStep {
    /// How many bytes are asked for.
    #[must_use]
    pub fn ne(&self) -> u32 {
        self.le.unwrap_or(if self.extended { 65_536 } else { 256 })
    }
}

const fn whole_short() -> u32 {
    256
}

fn two_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let bytes = Bytes::deserialize(deserializer)?;
    match *bytes {
        [high, low] => Ok(u16::from_be_bytes([high, low])),
        _ => Err(de::Error::custom(format!("two bytes in hex, such as \"000A\", not {bytes}"))),
    }
}

impl Action for ReadFileStep {
    fn brief(&self) -> String {
        format!("read_file {:04X}", self.file)
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let (file, by) = (self.file, words::by(self.by, language));
        match (language, self.filler, self.extended) {
            (Language::Ja, false, false) => {
                format!("EF {file:04X} のデータオブジェクトを、256 バイトずつ全部読む{by}")
            }
            (Language::Ja, false, true) => {
                format!("EF {file:04X} のデータオブジェクトを、拡張 Le で一度に全部読む{by}")
            }
            (Language::Ja, true, false) => format!("EF {file:04X} を、終わりまで 256 バイトずつ全部読む{by}"),
            (Language::Ja, true, true) => format!("EF {file:04X} を、終わりまで拡張 Le で一度に全部読む{by}"),
            (Language::En, false, false) => {
                format!("read the whole data object of EF {file:04X}{by}, in blocks of 256 bytes")
            }
            (Language::En, false, true) => {
                format!("read the whole data object of EF {file:04X}{by}, at once with extended Le")
            }
            (Language::En, true, false) => {
                format!("read EF {file:04X}{by} to its end, in blocks of 256 bytes")
            }
            (Language::En, true, true) => {
                format!("read EF {file:04X}{by} to its end, at once with extended Le")
            }
        }
    }

    fn mistake(&self) -> Option<String> {
        let has_none = self.by == By::Sfi && !(0x0001..=0x001E).contains(&self.file);
        has_none.then(|| format!("EF {:04X} has no short identifier: those of 0001 to 001E have", self.file))
    }
}

impl Action for ReadRecordStep {
    fn brief(&self) -> String {
        format!("read_record {}", self.record)
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let record = self.record;
        match (language, self.sfi) {
            (Language::Ja, Some(sfi)) => {
                format!("短縮 EF 識別子 {sfi:02X} のレコード {record} を読む(READ RECORD)")
            }
            (Language::Ja, None) => format!("カレント EF のレコード {record} を読む(READ RECORD)"),
            (Language::En, Some(sfi)) => {
                format!("read record {record} of the EF with the short identifier {sfi:02X} (READ RECORD)")
            }
            (Language::En, None) => format!("read record {record} of the current EF (READ RECORD)"),
        }
    }

    fn mistake(&self) -> Option<String> {
        let problem = match self.sfi {
            Some(0 | 31..) => "a short EF identifier is 1 to 30",
            _ if !(1..=256).contains(&self.le) => "le is 1 to 256",
            _ => return None,
        };
        Some(problem.to_owned())
    }
}

impl Action for GetDataStep {
    fn brief(&self) -> String {
        format!("get_data {:04X}", self.tag)
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let tag = self.tag;
        match (language, self.extended) {
            (Language::Ja, false) => format!("データオブジェクト {tag:04X} を得る(GET DATA)"),
            (Language::Ja, true) => format!("データオブジェクト {tag:04X} を拡張 Le で得る(GET DATA)"),
            (Language::En, false) => format!("get the data object {tag:04X} (GET DATA)"),
            (Language::En, true) => format!("get the data object {tag:04X} with extended Le (GET DATA)"),
        }
    }

    fn mistake(&self) -> Option<String> {
        let problem = match (self.ne(), self.extended) {
            (0 | 65_537.., _) => "le is 1 to 65536",
            (257.., false) => "a le over 256 needs `extended: true`",
            _ => return None,
        };
        Some(problem.to_owned())
    }
}
