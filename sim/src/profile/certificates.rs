//! Of what kind the certificates of a card are.

use crate::key::Algorithm;

/// A certificate ends on this birthday after its issue.
const YEARS: i16 = 5;

/// Of what kind a card's certificates are: those of today's cards by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificates {
    /// the algorithm of the holder's keys and of the authorities'
    pub algorithm: Algorithm,
    /// how many birthdays after their issue they end: 5 to 10
    pub years: i16,
}

impl Default for Certificates {
    fn default() -> Self {
        Self { algorithm: Algorithm::Rsa2048, years: YEARS }
    }
}
