//! Bytes written as hexadecimal digits, with or without spaces between them.

use serde::{Deserialize, Deserializer, de};
use std::fmt;
use std::ops::Deref;
use thiserror::Error;

/// Text that is not hexadecimal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HexError {
    /// a character that is no digit
    #[error("{0:?} is no hexadecimal digit")]
    NotADigit(char),
    /// half a byte
    #[error("{0} hexadecimal digits do not make whole bytes")]
    OddNumber(usize),
}

/// Reads hexadecimal digits; spaces between them do not matter.
///
/// # Errors
/// [`HexError`] names the first character that does not belong, or the odd number of digits.
pub fn decode(text: &str) -> Result<Vec<u8>, HexError> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).map(|digit| digit as u8).ok_or(HexError::NotADigit(c)))
        .collect::<Result<_, _>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(HexError::OddNumber(digits.len()));
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Bytes that read and print as `3B E0 00`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Spaced(self), f)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(&String::deserialize(deserializer)?).map(Self).map_err(de::Error::custom)
    }
}

/// Prints bytes as `3B E0 00`.
#[derive(Clone, Copy)]
pub struct Spaced<'a>(pub &'a [u8]);

impl fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_do_not_matter_and_mistakes_are_named() {
        assert_eq!(decode("00 a4 040C"), Ok(vec![0x00, 0xA4, 0x04, 0x0C]));
        assert_eq!(decode("00 A"), Err(HexError::OddNumber(3)));
        assert_eq!(decode("0x"), Err(HexError::NotADigit('x')));
        assert_eq!(Bytes(vec![0x3B, 0x00]).to_string(), "3B 00");
    }
}
