//! What differs between cards, as data: ATR, limits, statuses, lifetimes. The built-in profiles
//! are `vectors/profiles/*.yaml`; a file of the same form makes another card.

use crate::apdu::Status;
use crate::document::{self, DocumentError};
use crate::hex::{self, Bytes};
use crate::pin::PinName;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::path::Path;

/// A kind of card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// what the profile stands for
    pub title: Title,
    /// the answer to reset
    pub atr: Bytes,
    /// first field of the token information, without padding
    pub token_label: String,
    /// wrong values that may be presented before a PIN is blocked
    pub tries: Tries,
    /// the answer to VERIFY when the PIN is blocked
    #[serde(deserialize_with = "status")]
    pub blocked_status: Status,
    /// answers to the empty VERIFY
    pub empty_verify: EmptyVerify,
    /// when verified PINs stay verified
    pub security_status: SecurityStatusLifetime,
}

/// A title in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// Japanese
    pub ja: String,
    /// English
    pub en: String,
}

/// How many tries each PIN has: 1 to 15, as many as `63Cx` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries([u8; PinName::ALL.len()]);

impl Tries {
    /// How many tries `pin` has when its counter is full.
    #[must_use]
    pub const fn of(&self, pin: PinName) -> u8 {
        self.0[pin as usize]
    }
}

impl<'de> Deserialize<'de> for Tries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Count(#[serde(deserialize_with = "tries")] u8);

        let written = BTreeMap::<PinName, Count>::deserialize(deserializer)?;
        let mut all = [0; PinName::ALL.len()];
        for pin in PinName::ALL {
            let Count(count) = written
                .get(&pin)
                .ok_or_else(|| de::Error::custom(format!("the tries of {pin} are not told here")))?;
            all[pin as usize] = *count;
        }
        Ok(Self(all))
    }
}

/// Answers to the empty VERIFY where sources differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyVerify {
    /// when the PIN is verified
    pub when_verified: EmptyVerifyAnswer,
    /// when the PIN is blocked
    pub when_blocked: EmptyVerifyAnswer,
}

/// One way of answering the empty VERIFY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyVerifyAnswer {
    /// `63Cx`
    TriesLeft,
    /// `9000`
    Success,
    /// the profile's `blocked_status`
    BlockedStatus,
}

/// When verified PINs stay verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityStatusLifetime {
    /// over a warm reset
    pub on_warm_reset: Fate,
    /// over SELECT of the application that is selected already
    pub on_selecting_the_same_application: Fate,
}

/// What becomes of the security status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// verified PINs stay verified
    Kept,
    /// no PIN is verified afterwards
    Cleared,
}

const BUILT_IN: &[(&str, &str)] = &[("card", include_str!("../vectors/profiles/card.yaml"))];

impl Profile {
    /// The names of the built-in profiles.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in profile of that name.
    ///
    /// # Panics
    /// If a profile that ships with this crate were broken; a test proves that none is.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (name, text) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name)?;
        let parsed = Self::parse(&format!("vectors/profiles/{name}.yaml"), text);
        Some(parsed.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The physical card on its contacts.
    ///
    /// # Panics
    /// As [`Profile::built_in`].
    #[must_use]
    pub fn card() -> Self {
        Self::built_in("card").expect("the profile `card` is built in")
    }

    /// Reads `text`, the contents of `file`.
    ///
    /// # Errors
    /// [`DocumentError`] with the position of the first mistake.
    pub fn parse(file: &str, text: &str) -> Result<Self, DocumentError> {
        document::parse(file, text)
    }

    /// Reads the profile at `path`.
    ///
    /// # Errors
    /// [`DocumentError`] when it cannot be read or has a mistake.
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        Self::parse(&path.display().to_string(), &document::read(path)?)
    }
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    let text = String::deserialize(deserializer)?;
    match hex::decode(&text).as_deref() {
        Ok(&[sw1, sw2]) => Ok(Status::from(u16::from_be_bytes([sw1, sw2]))),
        _ => Err(de::Error::custom(format!("a status is four hex digits, such as \"6984\", not {text:?}"))),
    }
}

fn tries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        tries @ 1..=15 => Ok(tries),
        tries => Err(de::Error::custom(format!("a PIN has 1 to 15 tries, not {tries}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::undocumented::Situation;

    #[test]
    fn every_built_in_profile_is_sound() {
        for name in Profile::built_in_names() {
            assert!(Profile::built_in(name).is_some());
        }
    }

    #[test]
    fn a_status_of_the_wrong_form_is_named() {
        let text = include_str!("../vectors/profiles/card.yaml").replace("\"6984\"", "\"698\"");
        let error = Profile::parse("mine.yaml", &text).unwrap_err().to_string();
        assert!(error.contains("mine.yaml:15:17: a status is four hex digits"), "{error}");
    }

    #[test]
    fn the_tries_of_every_pin_are_told_and_fit_into_a_status() {
        let text = include_str!("../vectors/profiles/card.yaml");
        for (wrong, expected) in [
            (text.replace("birth_date: 10,", ""), "the tries of birth_date are not told here"),
            (text.replace("birth_date: 10", "birth_date: 16"), "a PIN has 1 to 15 tries, not 16"),
        ] {
            let error = Profile::parse("mine.yaml", &wrong).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_tries_that_nobody_knows_are_those_of_the_table() {
        let tries = Profile::card().tries.of(PinName::BirthDate);
        assert_eq!(Situation::BirthDateTries.answer(), Some(Status::TriesLeft(tries)));
    }
}
