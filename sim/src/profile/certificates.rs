//! Of what kind the certificates of a card are.

use crate::key::Algorithm;
use serde::{Deserialize, Deserializer, de};

/// A certificate ends on this birthday after its issue.
const YEARS: i16 = 5;

/// Of what kind a card's certificates are: those of today's cards by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificates {
    /// the algorithm of the holder's keys and of the authorities'
    pub algorithm: Algorithm,
    /// how many birthdays after their issue they end: 5 to 10
    #[serde(deserialize_with = "years")]
    pub years: i16,
}

impl Default for Certificates {
    fn default() -> Self {
        Self { algorithm: Algorithm::Rsa2048, years: YEARS }
    }
}

fn years<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i16, D::Error> {
    match i16::deserialize(deserializer)? {
        years @ YEARS..=10 => Ok(years),
        years => Err(de::Error::custom(format!("certificates are valid for 5 to 10 years, not {years}"))),
    }
}
