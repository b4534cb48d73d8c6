//! What a step expects of the card's answer.

use super::bytes_pattern::BytesPattern;
use super::capture::{CaptureName, Captured, Captures};
use super::length::LengthRange;
use super::source::{Mark, Placed};
use super::status_pattern::{StatusExpectation, StatusPattern, StatusPatterns};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::apdu::{ResponseApdu, Status};
use vmyna_sim::undocumented::Situation;

/// What must come back. Where no status is given it is `9000`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expect {
    /// the status
    pub status: StatusExpectation,
    /// the data field
    pub data: Option<DataExpectation>,
    /// bytes in the data field
    pub length: Option<LengthRange>,
    /// why that is expected, shown when it does not come
    pub why: Option<String>,
    /// where it is written; `None` for what a step expects unless told otherwise
    pub mark: Option<Mark>,
}

/// What a data field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataExpectation {
    /// bytes that fit a pattern
    Pattern(BytesPattern),
    /// a value that was captured before
    Captured(CaptureName),
}

impl DataExpectation {
    /// Whether `data` is that.
    #[must_use]
    pub fn is_met(&self, data: &[u8], captures: &Captures) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(data),
            Self::Captured(name) => captures.get(name) == data,
        }
    }
}

impl fmt::Display for DataExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => pattern.fmt(f),
            Self::Captured(name) => write!(f, "the captured {name}"),
        }
    }
}

impl<'de> Deserialize<'de> for DataExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PatternOrCaptured;
        impl<'de> Visitor<'de> for PatternOrCaptured {
            type Value = DataExpectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes in quotes such as \"30 82 ?? ...\", or {captured: NAME}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DataExpectation, E> {
                BytesPattern::parse(text).map(DataExpectation::Pattern).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DataExpectation, A::Error> {
                let Captured { captured } = Captured::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DataExpectation::Captured(captured.value))
            }
        }
        deserializer.deserialize_any(PatternOrCaptured)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectMap {
    sw: Option<StatusPatterns>,
    tries_left: Option<u8>,
    undocumented: Option<String>,
    data: Option<DataExpectation>,
    text: Option<String>,
    length: Option<LengthRange>,
    why: Option<String>,
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Placed { value: Written(expect), mark } = Placed::deserialize(deserializer)?;
        Ok(Self { mark: Some(mark), ..expect })
    }
}

struct Written(Expect);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrMap).map(Self)
    }
}

struct WordOrMap;

impl<'de> Visitor<'de> for WordOrMap {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`ok`, `blocked`, the name of a status, or a map with sw, tries_left, undocumented, data, text, \
             length or why",
        )
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Expect, E> {
        match word {
            "valid" => Err(E::custom("only a signature is `valid`; other answers are `ok`")),
            word => {
                let status = StatusExpectation::by_name(word).map_err(E::custom)?;
                Ok(Expect { status, ..Expect::default() })
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expect, A::Error> {
        expect(ExpectMap::deserialize(MapAccessDeserializer::new(map))?).map_err(de::Error::custom)
    }
}

/// What must come back from COMPUTE DIGITAL SIGNATURE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SignExpect {
    /// a signature that verifies
    #[default]
    Valid,
    /// an answer as for any other command
    Answer(Expect),
}

impl SignExpect {
    /// The captured values that it is about.
    pub(super) fn captured(&self) -> Vec<&CaptureName> {
        match self {
            Self::Valid => Vec::new(),
            Self::Answer(expect) => expect.captured().collect(),
        }
    }
}

impl<'de> Deserialize<'de> for SignExpect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValidOrAnswer;
        impl<'de> Visitor<'de> for ValidOrAnswer {
            type Value = SignExpect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`valid`, or ")?;
                WordOrMap.expecting(f)
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SignExpect, E> {
                match word {
                    "valid" => Ok(SignExpect::Valid),
                    _ => WordOrMap.visit_str(word).map(SignExpect::Answer),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SignExpect, A::Error> {
                WordOrMap.visit_map(map).map(SignExpect::Answer)
            }
        }
        struct Written(SignExpect);
        impl<'de> Deserialize<'de> for Written {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(ValidOrAnswer).map(Self)
            }
        }
        let Placed { value: Written(expect), mark } = Placed::deserialize(deserializer)?;
        Ok(match expect {
            Self::Answer(expect) => Self::Answer(Expect { mark: Some(mark), ..expect }),
            Self::Valid => Self::Valid,
        })
    }
}

fn expect(map: ExpectMap) -> Result<Expect, String> {
    let status = match (map.sw, map.tries_left, map.undocumented) {
        (None, None, None) => StatusExpectation::default(),
        (Some(StatusPatterns(patterns)), None, None) => StatusExpectation::AnyOf(patterns),
        (None, Some(tries @ 0..=15), None) => {
            StatusExpectation::AnyOf(vec![StatusPattern::exactly(Status::TriesLeft(tries))])
        }
        (None, Some(tries), None) => return Err(format!("63Cx can say 0 to 15 tries, not {tries}")),
        (None, None, Some(name)) => {
            let situation = Situation::ALL.iter().find(|situation| situation.name() == name);
            StatusExpectation::Undocumented(*situation.ok_or_else(|| {
                format!("`{name}` is no undocumented situation; they are listed in vectors/requirements/undocumented.yaml")
            })?)
        }
        _ => return Err("only one of sw, tries_left and undocumented says what the status is".to_owned()),
    };
    let data = match (map.data, map.text) {
        (data, None) => data,
        (None, Some(text)) => Some(DataExpectation::Pattern(BytesPattern::exactly(text.as_bytes()))),
        (Some(_), Some(_)) => return Err("data and text say the same thing twice".to_owned()),
    };
    Ok(Expect { status, data, length: map.length, why: map.why, mark: None })
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(data) = &self.data {
            write!(f, ", data {data}")?;
        }
        if let Some(length) = self.length {
            write!(f, ", {length}")?;
        }
        Ok(())
    }
}

impl Expect {
    /// Exactly this status.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { status: StatusExpectation::AnyOf(vec![StatusPattern::exactly(status)]), ..Self::default() }
    }

    /// The captured values that it is about.
    pub fn captured(&self) -> impl Iterator<Item = &CaptureName> {
        self.data.iter().filter_map(|data| match data {
            DataExpectation::Captured(name) => Some(name),
            DataExpectation::Pattern(_) => None,
        })
    }

    /// Whether `response` is what was expected.
    #[must_use]
    pub fn is_met(&self, response: &ResponseApdu<'_>, captures: &Captures) -> bool {
        self.status.is_met(response.status)
            && self.data.as_ref().is_none_or(|data| data.is_met(response.data, captures))
            && self.length.is_none_or(|length| length.contains(response.data.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(yaml: &str) -> Result<Expect, String> {
        vmyna_sim::document::parse("test.yaml", yaml).map_err(|error| error.to_string())
    }

    fn is_met(expect: &Expect, status: u16, data: &[u8]) -> bool {
        expect.is_met(&ResponseApdu { data, status: status.into() }, &Captures::default())
    }

    #[test]
    fn a_question_mark_stands_for_any_digit() {
        let expect = expectation("{sw: \"63C?\"}").unwrap();
        assert!(is_met(&expect, 0x63C0, &[]) && is_met(&expect, 0x63CF, &[]));
        assert!(!is_met(&expect, 0x6300, &[]));
        let expect = expectation("{sw: [\"!9000\"]}").unwrap();
        assert!(is_met(&expect, 0x6A82, &[]) && !is_met(&expect, 0x9000, &[]));
    }

    #[test]
    fn words_stand_for_the_common_cases() {
        assert!(is_met(&expectation("ok").unwrap(), 0x9000, &[]));
        assert!(is_met(&expectation("blocked").unwrap(), 0x6984, &[]));
        assert!(!is_met(&expectation("blocked").unwrap(), 0x63C0, &[]));
        assert!(is_met(&expectation("file_not_found").unwrap(), 0x6A82, &[]));
        let expect = expectation("{sw: [file_not_found, \"!wrong_length\"]}").unwrap();
        assert!(is_met(&expect, 0x6A82, &[]) && !is_met(&expect, 0x6700, &[]));
    }

    #[test]
    fn text_and_captured_values_are_data() {
        assert!(is_met(&expectation("{text: 氏名}").unwrap(), 0x9000, "氏名".as_bytes()));
        let expect = expectation("{data: {captured: nonce}}").unwrap();
        let mut captures = Captures::default();
        captures.keep(CaptureName::parse("nonce").unwrap(), vec![1, 2]);
        let response = |data| ResponseApdu { data, status: Status::Success };
        assert!(expect.is_met(&response(&[1, 2]), &captures) && !expect.is_met(&response(&[1]), &captures));
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        for (yaml, message) in [
            ("{sw: \"6A8\"}", "a status is four hex digits"),
            ("{sw: []}", "an empty list"),
            ("okay", "`okay` is no expectation"),
            ("{sw: \"9000\", tries_left: 1}", "only one of"),
            ("{data: \"30 8\"}", "3 hex digits do not make whole bytes"),
            ("{undocumented: nothing}", "is no undocumented situation"),
            ("{tries_left: 16}", "0 to 15 tries"),
        ] {
            let error = expectation(yaml).unwrap_err();
            assert!(error.contains(message), "{yaml}: {error}");
        }
    }
}
