//! Steps on PINs: asking for the tries left, VERIFY, CHANGE REFERENCE DATA.

use super::expect::Expect;
use super::step::{Action, lower};
use super::words;
use crate::language::Language;
use crate::terminal::PinChoice;
use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::pin::PinName;

/// How a PIN, key or file is addressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// SELECT by file identifier, then the command on the current EF
    #[default]
    Select,
    /// the short EF identifier in the command
    Sfi,
    /// the command on the current EF, whatever that is
    Current,
}

/// `tries_left: {of: user_authentication, expect: 3}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TriesLeftStep {
    /// which PIN
    #[schemars(schema_with = "super::schema::pin_name")]
    pub of: PinName,
    /// how it is addressed
    #[serde(default)]
    pub by: By,
    /// how many
    pub expect: TriesExpectation,
}

/// How many tries must be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriesExpectation {
    /// so many
    Count(u8),
    /// all that the card gives the PIN
    Full,
    /// whatever number
    Any,
    /// as many as the last time the scenario asked
    Same,
}

impl<'de> Deserialize<'de> for TriesExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = TriesExpectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of tries from 0 to 15, `full`, `any` or `same`")
            }

            fn visit_u64<E: de::Error>(self, tries: u64) -> Result<TriesExpectation, E> {
                match u8::try_from(tries) {
                    Ok(tries @ 0..=15) => Ok(TriesExpectation::Count(tries)),
                    _ => Err(E::custom(format!("63Cx can say 0 to 15 tries, not {tries}"))),
                }
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<TriesExpectation, E> {
                match word {
                    "full" => Ok(TriesExpectation::Full),
                    "any" => Ok(TriesExpectation::Any),
                    "same" => Ok(TriesExpectation::Same),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

/// `verify: {pin: user_authentication, value: right}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyStep {
    /// which PIN
    #[schemars(schema_with = "super::schema::pin_name")]
    pub pin: PinName,
    /// what is presented
    pub value: PinChoice,
    /// how the PIN is addressed
    #[serde(default)]
    pub by: By,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// `change_pin: {pin: user_authentication, to: new}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePinStep {
    /// which PIN
    #[schemars(schema_with = "super::schema::pin_name")]
    pub pin: PinName,
    /// what it becomes: `right` (back to the holder's own) or `new`
    pub to: PinChoice,
    /// how the PIN is addressed
    #[serde(default)]
    pub by: By,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

impl Action for TriesLeftStep {
    fn brief(&self) -> String {
        format!("tries_left of {}", self.of)
    }

    fn has_data(&self) -> bool {
        false
    }

    fn in_words(&self, language: Language) -> String {
        let (pin, by) = (words::pin(self.of, language), words::by(self.by, language));
        let expected = match (self.expect, language) {
            (TriesExpectation::Count(count), Language::Ja) => format!("期待: {count} 回"),
            (TriesExpectation::Count(count), Language::En) => format!("expected: {count}"),
            (TriesExpectation::Full, Language::Ja) => "期待: 上限の回数".to_owned(),
            (TriesExpectation::Full, Language::En) => "expected: all of them".to_owned(),
            (TriesExpectation::Any, Language::Ja) => "何回でもよい".to_owned(),
            (TriesExpectation::Any, Language::En) => "any number".to_owned(),
            (TriesExpectation::Same, Language::Ja) => "期待: 前回と同じ回数".to_owned(),
            (TriesExpectation::Same, Language::En) => "expected: as many as last time".to_owned(),
        };
        match language {
            Language::Ja => format!("{pin}の残り試行回数を尋ねる{by}。{expected}"),
            Language::En => format!("ask how many tries {pin} has left{by}; {expected}"),
        }
    }
}

impl Action for VerifyStep {
    fn brief(&self) -> String {
        format!("verify {} ({})", self.pin, lower(&self.value))
    }

    fn touches_a_pin(&self) -> bool {
        true
    }

    fn has_data(&self) -> bool {
        false
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let (pin, by) = (words::pin(self.pin, language), words::by(self.by, language));
        let value = words::choice(self.value, language);
        match language {
            Language::Ja => format!("{pin}として{value}を照合する{by}(VERIFY)"),
            Language::En => format!("present {value} of {pin}{by} (VERIFY)"),
        }
    }

    fn mistake(&self) -> Option<String> {
        (self.value == PinChoice::LowerCase && self.pin != PinName::DigitalSignature)
            .then(|| format!("{} has no letters", self.pin))
    }
}

impl Action for ChangePinStep {
    fn brief(&self) -> String {
        format!("change_pin {} to {}", self.pin, lower(&self.to))
    }

    fn touches_a_pin(&self) -> bool {
        true
    }

    fn has_data(&self) -> bool {
        false
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let (pin, by) = (words::pin(self.pin, language), words::by(self.by, language));
        let back = self.to == PinChoice::Right;
        match (language, back) {
            (Language::Ja, false) => format!("{pin}を新しい値に変更する{by}(CHANGE REFERENCE DATA)"),
            (Language::Ja, true) => format!("{pin}を元の値に戻す{by}(CHANGE REFERENCE DATA)"),
            (Language::En, false) => format!("change {pin} to a new value{by} (CHANGE REFERENCE DATA)"),
            (Language::En, true) => {
                format!("change {pin} back to the holder's own value{by} (CHANGE REFERENCE DATA)")
            }
        }
    }

    fn mistake(&self) -> Option<String> {
        (!matches!(self.to, PinChoice::New | PinChoice::Right))
            .then(|| "a PIN is changed to `new`, or back to `right`".to_owned())
    }
}
