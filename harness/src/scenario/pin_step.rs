//! Steps on PINs: asking for the tries left, VERIFY, CHANGE REFERENCE DATA.

use super::capture::CaptureName;
use super::expect::Expect;
use super::step::{Action, lower};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::pin::PinName;

/// How a PIN, key or file is addressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriesLeftStep {
    /// which PIN
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
                f.write_str("a number of tries from 0 to 15, `any` or `same`")
            }

            fn visit_u64<E: de::Error>(self, tries: u64) -> Result<TriesExpectation, E> {
                match u8::try_from(tries) {
                    Ok(tries @ 0..=15) => Ok(TriesExpectation::Count(tries)),
                    _ => Err(E::custom(format!("63Cx can say 0 to 15 tries, not {tries}"))),
                }
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<TriesExpectation, E> {
                match word {
                    "any" => Ok(TriesExpectation::Any),
                    "same" => Ok(TriesExpectation::Same),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

/// A value of a PIN, by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinChoice {
    /// the holder's own
    Right,
    /// of the same form, and another
    Wrong,
    /// a third value of the same form
    New,
    /// the holder's own with its letters in lower case, which is another value
    LowerCase,
}

/// `verify: {pin: user_authentication, value: right}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyStep {
    /// which PIN
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePinStep {
    /// which PIN
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

    fn touches_a_pin(&self) -> bool {
        false
    }

    fn has_data(&self) -> bool {
        false
    }

    fn needs(&self) -> Vec<&CaptureName> {
        Vec::new()
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

    fn needs(&self) -> Vec<&CaptureName> {
        self.expect.captured().collect()
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

    fn needs(&self) -> Vec<&CaptureName> {
        self.expect.captured().collect()
    }

    fn mistake(&self) -> Option<String> {
        (!matches!(self.to, PinChoice::New | PinChoice::Right))
            .then(|| "a PIN is changed to `new`, or back to `right`".to_owned())
    }
}
