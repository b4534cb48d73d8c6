//! What bytes must be.

use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// Bytes in hex: `?` for any digit, `...` for any number of bytes, none included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesPattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// one byte, of which the bits of `mask` count
    Byte { value: u8, mask: u8 },
    /// any number of bytes
    Rest,
}

impl Piece {
    const fn fits(self, byte: u8) -> bool {
        match self {
            Self::Byte { value, mask } => byte & mask == value,
            Self::Rest => true,
        }
    }
}

impl BytesPattern {
    /// Whether `data` fits.
    #[must_use]
    pub fn matches(&self, data: &[u8]) -> bool {
        let pieces = &self.0;
        let (mut piece, mut byte) = (0, 0);
        // Where to go on when what follows the last `...` does not fit: one byte further.
        let mut retreat: Option<(usize, usize)> = None;
        while byte < data.len() {
            match pieces.get(piece) {
                Some(Piece::Rest) => {
                    retreat = Some((piece, byte));
                    piece += 1;
                    continue;
                }
                Some(expected) if expected.fits(data[byte]) => {
                    (piece, byte) = (piece + 1, byte + 1);
                    continue;
                }
                _ => {}
            }
            match retreat {
                Some((rest, from)) => {
                    retreat = Some((rest, from + 1));
                    (piece, byte) = (rest + 1, from + 1);
                }
                None => return false,
            }
        }
        pieces[piece..].iter().all(|piece| *piece == Piece::Rest)
    }

    /// Whether only one sequence of bytes fits.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Byte { mask: 0xFF, .. }))
    }

    /// The pattern of exactly these bytes.
    #[must_use]
    pub fn exactly(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|value| Piece::Byte { value: *value, mask: 0xFF }).collect())
    }

    /// Reads `30 82 ?? ?? ... 6?`.
    ///
    /// # Errors
    /// What is neither a byte nor a wildcard.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        for (index, run) in text.split("...").enumerate() {
            if index > 0 && pieces.last() != Some(&Piece::Rest) {
                pieces.push(Piece::Rest);
            }
            let digits: Vec<char> = run.chars().filter(|c| !c.is_whitespace()).collect();
            let (pairs, rest) = digits.as_chunks::<2>();
            if !rest.is_empty() {
                return Err(format!("{} hex digits do not make whole bytes in {text:?}", digits.len()));
            }
            for [high, low] in pairs {
                let digit = |digit: char| match digit {
                    '?' => Ok((0, 0)),
                    _ => match digit.to_digit(16) {
                        Some(value) => Ok((value as u8, 0xF)),
                        None => Err(format!(
                            "{high}{low} is neither a byte in hex nor a wildcard (`??`, `...`) in {text:?}"
                        )),
                    },
                };
                let ((high, high_mask), (low, low_mask)) = (digit(*high)?, digit(*low)?);
                pieces.push(Piece::Byte { value: high << 4 | low, mask: high_mask << 4 | low_mask });
            }
        }
        Ok(Self(pieces))
    }
}

impl fmt::Display for BytesPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("empty");
        }
        for (index, piece) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            match piece {
                Piece::Byte { value, mask } => {
                    for (digit, mask) in [(value >> 4, mask >> 4), (value & 0xF, mask & 0xF)] {
                        match mask {
                            0 => f.write_str("?")?,
                            _ => write!(f, "{digit:X}")?,
                        }
                    }
                }
                Piece::Rest => f.write_str("...")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for BytesPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, data: &[u8]) -> bool {
        BytesPattern::parse(pattern).unwrap().matches(data)
    }

    #[test]
    fn data_may_have_wildcards_and_open_ends() {
        assert!(matches("30 82 ?? ?? ...", &[0x30, 0x82, 1, 2, 3]));
        assert!(matches("30 82 ?? ?? ...", &[0x30, 0x82, 1, 2]));
        assert!(!matches("30 82 ?? ?? ...", &[0x30, 0x82, 1]));
        assert!(!matches("8F 8F ??", &[0x8F, 0x8F, 0, 0]));
        assert!(matches("3? ?4", &[0x3A, 0xB4]) && !matches("3? ?4", &[0x4A, 0xB4]));
        assert!(matches("... 01 02 ... 03", &[9, 1, 1, 2, 8, 3, 3]));
        assert!(!matches("... 01 02 ... 03", &[9, 1, 1, 2, 8, 3, 4]));
        assert!(matches("", &[]) && matches("...", &[]) && !matches("", &[0]));
    }

    #[test]
    fn many_open_ends_do_not_take_forever() {
        let pattern = "... 00 ".repeat(1000) + "01";
        assert!(!matches(&pattern, &vec![0; 60_000]));
    }

    #[test]
    fn a_pattern_prints_as_it_is_read() {
        for text in ["30 8? ?1 ?? ... 00", "...", "empty"] {
            let pattern = if text == "empty" { "" } else { text };
            assert_eq!(BytesPattern::parse(pattern).unwrap().to_string(), text);
        }
    }
}
