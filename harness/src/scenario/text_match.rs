//! What a text must be, as scenarios write it: the text itself, something that it contains or
//! matches, a captured value, or a day that is counted in birthdays.

use super::capture::CaptureName;
use super::length::LengthRange;
use crate::language::{Language, quoted};
use regex::Regex;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// this
    Exactly(String),
    /// something that has this in it
    Contains(String),
    /// something that matches
    Like {
        /// as a whole
        pattern: TextPattern,
        /// and has as many characters as this captured value
        as_long_as: Option<CaptureName>,
    },
    /// a captured value
    Captured {
        /// its name
        name: CaptureName,
        /// what stands before it
        after: Option<TextPattern>,
    },
    /// a day
    Birthday(BirthdayMatch),
    /// a number with its check digit
    Number(NumberMatch),
}

/// A number whose check digit is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberMatch {
    /// 個人番号: twelve digits, the last of which checks the others
    Individual,
}

impl TextMatch {
    /// The captured values that it is about.
    pub fn captured(&self) -> impl Iterator<Item = &CaptureName> {
        let names = match self {
            Self::Exactly(_) | Self::Contains(_) | Self::Number(_) => [None, None, None],
            Self::Like { as_long_as, .. } => [as_long_as.as_ref(), None, None],
            Self::Captured { name, .. } => [Some(name), None, None],
            Self::Birthday(BirthdayMatch { of, after, at_latest, .. }) => {
                [Some(of), Some(after), at_latest.as_ref()]
            }
        };
        names.into_iter().flatten()
    }
}

impl TextMatch {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let ja = language == Language::Ja;
        match self {
            Self::Exactly(text) => quoted(text, language),
            Self::Contains(text) if ja => format!("{}を含むもの", quoted(text, language)),
            Self::Contains(text) => format!("something with {} in it", quoted(text, language)),
            Self::Like { pattern, as_long_as: None } if ja => format!("{pattern} に一致するもの"),
            Self::Like { pattern, as_long_as: None } => format!("like {pattern}"),
            Self::Like { pattern, as_long_as: Some(name) } if ja => {
                format!("{pattern} に一致し、控えておいた {name} と同じ文字数のもの")
            }
            Self::Like { pattern, as_long_as: Some(name) } => {
                format!("like {pattern}, as long as the captured {name}")
            }
            Self::Captured { name, after: None } if ja => format!("控えておいた {name}"),
            Self::Captured { name, after: None } => format!("the captured {name}"),
            Self::Captured { name, after: Some(pattern) } if ja => {
                format!("{pattern} に続けて、控えておいた {name}")
            }
            Self::Captured { name, after: Some(pattern) } => format!("the captured {name} after {pattern}"),
            Self::Birthday(birthday) => birthday.in_words(language),
            Self::Number(NumberMatch::Individual) if ja => "検査用数字の正しい 12 桁の個人番号".to_owned(),
            Self::Number(NumberMatch::Individual) => {
                "an individual number of twelve digits with the right check digit".to_owned()
            }
        }
    }
}

/// A regular expression that a whole text must match, as the crate `regex` reads it.
#[derive(Debug, Clone)]
pub struct TextPattern {
    written: String,
    whole: Regex,
    beginning: Regex,
}

impl TextPattern {
    /// Reads a regular expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        let read = |pattern: String| Regex::new(&pattern).map_err(|error| error.to_string());
        // by itself first, so that the error shows what was written and no more
        read(written.to_owned())?;
        let (whole, beginning) = (read(format!(r"\A(?:{written})\z"))?, read(format!(r"\A(?:{written})"))?);
        Ok(Self { written: written.to_owned(), whole, beginning })
    }

    /// Whether all of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// What of `text` follows a beginning that matches; `None` where none does.
    #[must_use]
    pub fn rest<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.get(self.beginning.find(text)?.end()..)
    }
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for TextPattern {}

impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.written)
    }
}

impl<'de> Deserialize<'de> for TextPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A day counted in birthdays, in Japan. Days are written `YYYYMMDD` or as instants
/// (`2026-11-24T14:59:59Z`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BirthdayMatch {
    /// how many birthdays there are after `after`, the day itself included
    pub number: LengthRange,
    /// the captured date of birth
    pub of: CaptureName,
    /// the captured day from which they are counted; a birthday on that day does not count
    pub after: CaptureName,
    /// a captured day that takes the birthday's place where it comes before it
    pub at_latest: Option<CaptureName>,
}

impl BirthdayMatch {
    fn in_words(&self, language: Language) -> String {
        let Self { number: LengthRange { at_least, at_most }, of, after, at_latest } = self;
        if language == Language::Ja {
            let count = match (at_least, at_most) {
                (least, most) if least == most => format!("{least} 回目"),
                (least, &usize::MAX) => format!("{least} 回目以降"),
                (least, most) => format!("{least} から {most} 回目"),
            };
            let day = format!("控えておいた {after} より後、{count}の誕生日 (生年月日は控えておいた {of})");
            return match at_latest {
                Some(name) => format!("{day}、控えておいた {name} が先ならその日"),
                None => day,
            };
        }
        let birthday = match (at_least, at_most) {
            (least, most) if least == most => format!("birthday {least}"),
            (least, &usize::MAX) => format!("birthday {least} or later"),
            (least, most) => format!("one of birthdays {least} to {most}"),
        };
        let day = format!("{birthday} of the captured {of} after the captured {after}");
        match at_latest {
            Some(name) => format!("{day}, or the captured {name} where that comes first"),
            None => day,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextMap {
    /// what must be in it
    contains: Option<String>,
    /// a regular expression that all of it matches
    matches: Option<TextPattern>,
    /// beside `matches`: the name of a captured value that has as many characters
    as_long_as: Option<CaptureName>,
    /// the name of a captured value
    captured: Option<CaptureName>,
    /// beside `captured`: a regular expression for what stands before it
    after: Option<TextPattern>,
    /// a day counted in birthdays
    birthday: Option<BirthdayMatch>,
    /// a number with its check digit
    number: Option<NumberMatch>,
}

impl TextMap {
    fn text(self) -> Result<TextMatch, &'static str> {
        let Self { contains, matches, as_long_as, captured, after, birthday, number } = self;
        let alone = as_long_as.is_none() && after.is_none();
        match (contains, matches, captured, birthday, number) {
            (Some(text), None, None, None, None) if alone => Ok(TextMatch::Contains(text)),
            (None, Some(pattern), None, None, None) if after.is_none() => {
                Ok(TextMatch::Like { pattern, as_long_as })
            }
            (None, None, Some(name), None, None) if as_long_as.is_none() => {
                Ok(TextMatch::Captured { name, after })
            }
            (None, None, None, Some(birthday), None) if alone => Ok(TextMatch::Birthday(birthday)),
            (None, None, None, None, Some(number)) if alone => Ok(TextMatch::Number(number)),
            _ => Err(
                "a text is matched by one of contains, matches (with as_long_as), captured (with after), birthday and number",
            ),
        }
    }
}

impl<'de> Deserialize<'de> for TextMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrMap;
        impl<'de> Visitor<'de> for TextOrMap {
            type Value = TextMatch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a text, or a map such as {contains: \"…\"}, {matches: \"…\"} or {captured: NAME}",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextMatch, E> {
                Ok(TextMatch::Exactly(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextMatch, A::Error> {
                TextMap::deserialize(MapAccessDeserializer::new(map))?.text().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(TextOrMap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<TextMatch, String> {
        vmyna_sim::document::parse("test.yaml", yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pattern_matches_whole_texts_only() {
        let pattern = TextPattern::parse("[1-5]|1[0-9]").unwrap();
        assert!(pattern.matches("5") && pattern.matches("19"));
        assert!(!pattern.matches("15x") && !pattern.matches("x5") && !pattern.matches(""));
        assert_eq!(pattern.rest("319800217"), Some("19800217"));
        assert_eq!(pattern.rest("919800217"), None);
    }

    #[test]
    fn texts_are_read_as_they_are_shown() {
        for (yaml, shown) in [
            ("C=JP", "\"C=JP\""),
            ("{contains: C=JP}", "something with \"C=JP\" in it"),
            ("{matches: \"[01]+\", as_long_as: name}", "like /[01]+/, as long as the captured name"),
            ("{captured: birth, after: \"[1-5]\"}", "the captured birth after /[1-5]/"),
            (
                "{birthday: {number: 5, of: birth, after: issued, at_latest: expiry}}",
                "birthday 5 of the captured birth after the captured issued, or the captured expiry where that comes first",
            ),
            (
                "{birthday: {number: {at_least: 1, at_most: 10}, of: birth, after: issued}}",
                "one of birthdays 1 to 10 of the captured birth after the captured issued",
            ),
            ("{number: individual}", "an individual number of twelve digits with the right check digit"),
        ] {
            assert_eq!(read(yaml).unwrap().in_words(Language::En), shown);
            let japanese = read(yaml).unwrap().in_words(Language::Ja);
            assert!(!japanese.contains("captured") && !japanese.contains("birthday"), "{japanese}");
        }
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        for (yaml, message) in [
            ("{matches: \"[1\"}", "unclosed character class"),
            ("{contains: a, captured: b}", "one of contains, matches"),
            ("{contains: a, as_long_as: b}", "one of contains, matches"),
            ("{birthday: {number: 5, of: birth}}", "after"),
            ("{number: individual, after: a}", "one of contains, matches"),
            ("{number: passport}", "individual"),
            ("{like: a}", "unknown field"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(message), "{yaml}: {error}");
        }
    }

    #[test]
    fn every_captured_value_is_told() {
        let text = read("{birthday: {number: 5, of: birth, after: issued, at_latest: expiry}}").unwrap();
        assert_eq!(
            text.captured().map(ToString::to_string).collect::<Vec<_>>(),
            ["birth", "issued", "expiry"]
        );
    }
}
