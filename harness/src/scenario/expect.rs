//! What a step expects of the card's answer.

use super::bytes_pattern::BytesPattern;
use super::capture::{CaptureName, Captures};
use super::certificate_match::CertificateMatch;
use super::content::{Content, DataObject, not_both};
use super::length::LengthRange;
use super::octets::Octets;
use super::signature_match::SignatureMatch;
use super::source::{Mark, Placed};
use super::status_pattern::{StatusExpectation, StatusPattern, StatusPatterns};
use super::text_match::TextMatch;
use super::tlv::{BerPath, SimpleTag};
use crate::language::Language;
use crate::remark::Remark;
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::time::Duration;
use vmyna_sim::apdu::Status;
use vmyna_sim::undocumented::Situation;

/// What must come back. Where no status is given it is `9000`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expect {
    /// the status
    pub status: StatusExpectation,
    /// what the data field, or a data object in it, must hold; with why that is expected and where
    /// it is written
    pub content: Content,
    /// what other data objects must hold
    pub parts: Vec<Content>,
    /// how long the answer may take, where time is real
    pub within: Option<Duration>,
}

/// What a data field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataExpectation {
    /// bytes that fit a pattern
    Pattern(BytesPattern),
    /// these bytes, captured or made of what was captured
    Octets(Octets),
}

impl DataExpectation {
    /// The captured values that it is about.
    #[must_use]
    pub fn captured(&self) -> Vec<&CaptureName> {
        match self {
            Self::Octets(octets) => octets.captured(),
            Self::Pattern(_) => Vec::new(),
        }
    }

    /// The bytes that are wanted, where they are no pattern.
    #[must_use]
    pub fn wanted(&self, captures: &Captures) -> Option<Vec<u8>> {
        match self {
            Self::Octets(octets) => Some(octets.bytes(captures)),
            Self::Pattern(_) => None,
        }
    }

    /// Whether `data` is that.
    #[must_use]
    pub fn is_met(&self, data: &[u8], captures: &Captures) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(data),
            Self::Octets(octets) => octets.bytes(captures) == data,
        }
    }
}

impl DataExpectation {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        match self {
            Self::Pattern(pattern) => pattern.to_string(),
            Self::Octets(octets) => octets.in_words(language),
        }
    }
}

impl<'de> Deserialize<'de> for DataExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PatternOrOctets;
        impl<'de> Visitor<'de> for PatternOrOctets {
            type Value = DataExpectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "bytes in quotes such as \"30 82 ?? ...\", {captured: NAME}, {digest: sha256, of: …} or a list \
                     of these",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DataExpectation, E> {
                BytesPattern::parse(text).map(DataExpectation::Pattern).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<DataExpectation, A::Error> {
                Octets::deserialize(SeqAccessDeserializer::new(seq)).map(DataExpectation::Octets)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DataExpectation, A::Error> {
                Octets::deserialize(MapAccessDeserializer::new(map)).map(DataExpectation::Octets)
            }
        }
        deserializer.deserialize_any(PatternOrOctets)
    }
}

/// What must come back. Where no status is given it is 9000.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectMap {
    /// the status: four hex digits (`?` for any, `!` before them for anything else), a name, or a
    /// list of these
    sw: Option<StatusPatterns>,
    /// the status 63Cx with this x
    tries_left: Option<u8>,
    /// what nobody outside knows, by the name of its situation
    undocumented: Option<String>,
    /// what follows is about this data object, by the tags that lead to it: `FF40/DF41`
    tlv: Option<BerPath>,
    /// what follows is about this data object of simple TLV, by its tag: `01`
    simple_tlv: Option<SimpleTag>,
    /// the bytes
    data: Option<DataExpectation>,
    /// the bytes, as UTF-8 text
    text: Option<TextMatch>,
    /// they are other bytes than these
    differs_from: Option<Octets>,
    /// how many bytes
    length: Option<LengthRange>,
    /// they are a certificate that says this of itself
    certificate: Option<CertificateMatch>,
    /// they are a signature
    signature: Option<SignatureMatch>,
    /// other data objects of the same answer
    #[serde(default)]
    parts: Vec<Content>,
    /// most milliseconds that the answer may take; not judged on the built-in card, where time is
    /// not real
    within_ms: Option<u32>,
    /// why that is expected, shown when it does not come
    why: Option<Remark>,
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Placed { value: Written(expect), mark } = Placed::deserialize(deserializer)?;
        Ok(expect.at(mark))
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
            "`ok`, `blocked`, the name of a status, or a map such as {sw: \"9000\", data: \"30 82 ...\"}",
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
    Answer(Box<Expect>),
}

impl SignExpect {
    /// What is expected as of any other command.
    #[must_use]
    pub fn answer(&self) -> Option<&Expect> {
        match self {
            Self::Valid => None,
            Self::Answer(expect) => Some(expect),
        }
    }

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
                    _ => WordOrMap.visit_str(word).map(Box::new).map(SignExpect::Answer),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SignExpect, A::Error> {
                WordOrMap.visit_map(map).map(Box::new).map(SignExpect::Answer)
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
            Self::Answer(expect) => Self::Answer(Box::new(expect.at(mark))),
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
    not_both(map.data.as_ref(), map.text.as_ref())?;
    let content = Content {
        object: DataObject::of(map.tlv, map.simple_tlv)?,
        data: map.data,
        text: map.text,
        differs_from: map.differs_from,
        length: map.length,
        certificate: map.certificate,
        signature: map.signature,
        why: map.why.map(|Remark(why)| why),
        mark: None,
    };
    let within = map.within_ms.map(|within| Duration::from_millis(within.into()));
    Ok(Expect { status, content, parts: map.parts, within })
}

impl Expect {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let contents = self.contents().filter(|content| !content.is_empty());
        let contents = contents.map(|content| content.in_words(language));
        let within = self.within.map(|within| match language {
            Language::Ja => format!("{} ミリ秒以内", within.as_millis()),
            Language::En => format!("within {} ms", within.as_millis()),
        });
        let all: Vec<_> =
            std::iter::once(self.status.in_words(language)).chain(contents).chain(within).collect();
        all.join(language.say("、", ", "))
    }

    /// Whether mere success is expected.
    #[must_use]
    pub fn is_mere_success(&self) -> bool {
        self.content.is_empty() && *self == Self { content: self.content.clone(), ..Self::default() }
    }

    /// Exactly this status.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { status: StatusExpectation::AnyOf(vec![StatusPattern::exactly(status)]), ..Self::default() }
    }

    /// A number of bytes, with success.
    #[must_use]
    pub fn length(length: LengthRange) -> Self {
        Self { content: Content { length: Some(length), ..Content::default() }, ..Self::default() }
    }

    fn at(mut self, mark: Mark) -> Self {
        self.content.mark = Some(mark);
        self
    }

    /// Everything that is expected of the data field.
    pub fn contents(&self) -> impl Iterator<Item = &Content> {
        std::iter::once(&self.content).chain(&self.parts)
    }

    /// The captured values that it is about.
    pub fn captured(&self) -> impl Iterator<Item = &CaptureName> {
        self.contents().flat_map(Content::captured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(yaml: &str) -> Result<Expect, String> {
        vmyna_sim::document::parse("test.yaml", yaml).map_err(|error| error.to_string())
    }

    fn is_met(expect: &Expect, status: u16, data: &[u8]) -> bool {
        let content = &expect.content;
        expect.status.is_met(status.into())
            && content.data.as_ref().is_none_or(|wanted| wanted.is_met(data, &Captures::default()))
            && content.length.is_none_or(|length| length.contains(data.len()))
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
        let text = expectation("{text: 氏名}").unwrap().content;
        assert_eq!(text.text, Some(TextMatch::Exactly("氏名".to_owned())));
        assert!(expectation("{text: 氏名, data: \"00\"}").unwrap_err().contains("the same thing twice"));
        let expect = expectation("{data: {captured: nonce}}").unwrap();
        let mut captures = Captures::default();
        captures.keep(CaptureName::parse("nonce").unwrap(), vec![1, 2]);
        let data = expect.content.data.unwrap();
        assert!(data.is_met(&[1, 2], &captures) && !data.is_met(&[1], &captures));
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
