//! What a step expects: patterns of statuses and of bytes.

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
    pub data: Option<BytesPattern>,
    /// bytes in the data field
    pub length: Option<usize>,
}

/// What the status must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusExpectation {
    /// one of these
    AnyOf(Vec<StatusPattern>),
    /// the answer to a blocked PIN
    Blocked,
    /// what nobody outside knows
    Undocumented(Situation),
}

impl Default for StatusExpectation {
    fn default() -> Self {
        Self::AnyOf(vec![StatusPattern::exactly(Status::Success)])
    }
}

/// Four hexadecimal digits, `?` for any; or anything but such a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPattern {
    value: u16,
    mask: u16,
    negated: bool,
}

impl StatusPattern {
    /// The pattern of one status.
    #[must_use]
    pub fn exactly(status: Status) -> Self {
        Self { value: status.into(), mask: 0xFFFF, negated: false }
    }

    /// Whether `status` fits.
    #[must_use]
    pub fn matches(self, status: Status) -> bool {
        (u16::from(status) & self.mask == self.value) != self.negated
    }

    /// Reads `63C?`, `9000`, `!9000`.
    ///
    /// # Errors
    /// A sentence saying what a status pattern looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("a status is four hex digits such as \"6A82\", `?` for any digit, not {text:?}");
        let (negated, digits) = text.strip_prefix('!').map_or((false, text), |digits| (true, digits));
        if digits.chars().count() != 4 {
            return Err(wrong());
        }
        let mut pattern = Self { value: 0, mask: 0, negated };
        for digit in digits.chars() {
            let (value, mask) = match digit {
                '?' => (0, 0),
                _ => (digit.to_digit(16).ok_or_else(wrong)? as u16, 0xF),
            };
            pattern.value = pattern.value << 4 | value;
            pattern.mask = pattern.mask << 4 | mask;
        }
        Ok(pattern)
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("anything but ")?;
        }
        for shift in [12, 8, 4, 0] {
            match self.mask >> shift & 0xF {
                0 => f.write_str("?")?,
                _ => write!(f, "{:X}", self.value >> shift & 0xF)?,
            }
        }
        Ok(())
    }
}

/// Bytes, `??` for any one; a final `...` for any rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesPattern {
    bytes: Vec<Option<u8>>,
    open_ended: bool,
}

impl BytesPattern {
    /// Whether `data` fits.
    #[must_use]
    pub fn matches(&self, data: &[u8]) -> bool {
        let length_fits =
            if self.open_ended { data.len() >= self.bytes.len() } else { data.len() == self.bytes.len() };
        length_fits
            && self.bytes.iter().zip(data).all(|(wanted, byte)| wanted.is_none_or(|wanted| wanted == *byte))
    }

    /// The pattern of exactly these bytes, or of what begins with them.
    #[must_use]
    pub fn of(bytes: &[u8], open_ended: bool) -> Self {
        Self { bytes: bytes.iter().copied().map(Some).collect(), open_ended }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (digits, open_ended) = match text.trim_end().strip_suffix("...") {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(format!("{} hex digits do not make whole bytes in {text:?}", digits.len()));
        }
        let byte = |pair: &[char; 2]| match pair {
            ['?', '?'] => Ok(None),
            [high, low] => match (high.to_digit(16), low.to_digit(16)) {
                (Some(high), Some(low)) => Ok(Some((high << 4 | low) as u8)),
                _ => Err(format!("{high}{low} is neither a byte in hex nor `??` in {text:?}")),
            },
        };
        Ok(Self { bytes: pairs.iter().map(byte).collect::<Result<_, _>>()?, open_ended })
    }
}

impl fmt::Display for BytesPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.bytes.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            match byte {
                Some(byte) => write!(f, "{space}{byte:02X}")?,
                None => write!(f, "{space}??")?,
            }
        }
        f.write_str(if self.open_ended { " ..." } else { "" })
    }
}

impl<'de> Deserialize<'de> for BytesPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for StatusPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// `"6A82"` or `["6700", "6985"]`
struct StatusPatterns(Vec<StatusPattern>);

impl<'de> Deserialize<'de> for StatusPatterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = StatusPatterns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status such as \"6A82\", or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusPatterns, E> {
                StatusPattern::parse(text).map(|pattern| StatusPatterns(vec![pattern])).map_err(E::custom)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<StatusPatterns, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = seq.next_element()? {
                    patterns.push(pattern);
                }
                if patterns.is_empty() {
                    return Err(de::Error::custom("an empty list of statuses can never be met"));
                }
                Ok(StatusPatterns(patterns))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectMap {
    sw: Option<StatusPatterns>,
    tries_left: Option<u8>,
    undocumented: Option<String>,
    data: Option<BytesPattern>,
    text: Option<String>,
    length: Option<usize>,
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrMap)
    }
}

struct WordOrMap;

impl<'de> Visitor<'de> for WordOrMap {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`ok`, `blocked`, or a map with sw, tries_left, undocumented, data, text or length")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Expect, E> {
        match word {
            "ok" => Ok(Expect::default()),
            "blocked" => Ok(Expect { status: StatusExpectation::Blocked, ..Expect::default() }),
            "valid" => Err(E::custom("only a signature is `valid`; other answers are `ok`")),
            other => {
                Err(E::custom(format!("`{other}` is no expectation; the words are ok, blocked and valid")))
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
        deserializer.deserialize_any(ValidOrAnswer)
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
        (None, Some(text)) if text.is_ascii() => Some(BytesPattern::of(text.as_bytes(), false)),
        (None, Some(_)) => return Err("text is ASCII; write other bytes as data".to_owned()),
        (Some(_), Some(_)) => return Err("data and text say the same thing twice".to_owned()),
    };
    Ok(Expect { status, data, length: map.length })
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.status {
            StatusExpectation::AnyOf(patterns) => {
                for (index, pattern) in patterns.iter().enumerate() {
                    write!(f, "{}{pattern}", if index == 0 { "" } else { " or " })?;
                }
            }
            StatusExpectation::Blocked => f.write_str("6984 or 6983 (blocked)")?,
            StatusExpectation::Undocumented(situation) => write!(
                f,
                "{} ({}: nobody outside knows)",
                situation.answer().map_or("63C?".to_owned(), |status| format!("{:04X}", u16::from(status))),
                situation.name()
            )?,
        }
        if let Some(data) = &self.data {
            write!(f, ", data {data}")?;
        }
        if let Some(length) = self.length {
            write!(f, ", {length} bytes")?;
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

    /// Whether `response` is what was expected. For a blocked PIN both published statuses will do;
    /// which of the two a card answers is a requirement of its own.
    #[must_use]
    pub fn is_met(&self, response: &ResponseApdu<'_>) -> bool {
        let status = response.status;
        let status_fits = match &self.status {
            StatusExpectation::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.matches(status)),
            StatusExpectation::Blocked => {
                matches!(status, Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked)
            }
            StatusExpectation::Undocumented(situation) => match situation.answer() {
                Some(answer) => status == answer,
                None => matches!(status, Status::TriesLeft(_)),
            },
        };
        status_fits
            && self.data.as_ref().is_none_or(|pattern| pattern.matches(response.data))
            && self.length.is_none_or(|length| length == response.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expectation(yaml: &str) -> Result<Expect, String> {
        vmyna_sim::document::parse("test.yaml", yaml).map_err(|error| error.to_string())
    }

    fn response(status: u16, data: &[u8]) -> ResponseApdu<'_> {
        ResponseApdu { data, status: status.into() }
    }

    #[test]
    fn a_question_mark_stands_for_any_digit() {
        let expect = expectation("{sw: \"63C?\"}").unwrap();
        assert!(expect.is_met(&response(0x63C0, &[])) && expect.is_met(&response(0x63CF, &[])));
        assert!(!expect.is_met(&response(0x6300, &[])));
        let expect = expectation("{sw: [\"!9000\"]}").unwrap();
        assert!(expect.is_met(&response(0x6A82, &[])) && !expect.is_met(&response(0x9000, &[])));
    }

    #[test]
    fn data_may_have_wildcards_and_an_open_end() {
        let expect = expectation("{data: \"30 82 ?? ?? ...\"}").unwrap();
        assert!(expect.is_met(&response(0x9000, &[0x30, 0x82, 1, 2, 3])));
        assert!(expect.is_met(&response(0x9000, &[0x30, 0x82, 1, 2])));
        assert!(!expect.is_met(&response(0x9000, &[0x30, 0x82, 1])));
        let expect = expectation("{data: \"8F 8F ??\"}").unwrap();
        assert!(!expect.is_met(&response(0x9000, &[0x8F, 0x8F, 0, 0])));
    }

    #[test]
    fn words_stand_for_the_common_cases() {
        assert!(expectation("ok").unwrap().is_met(&response(0x9000, &[])));
        assert!(expectation("blocked").unwrap().is_met(&response(0x6984, &[])));
        assert!(!expectation("blocked").unwrap().is_met(&response(0x63C0, &[])));
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
