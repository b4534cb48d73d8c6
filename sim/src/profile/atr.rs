//! The answer to reset, as a profile writes it: over the air a reader makes it up, and some put into
//! it what the card drew at random when it was activated.

use crate::hex;
use rand_core::Rng;
use serde::{Deserialize, Deserializer, de};

/// Longest answer to reset (ISO/IEC 7816-3).
const LONGEST: usize = 33;

/// Bytes, of which some are random at each activation (`??`) and the last may follow from the others
/// (`TCK`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerToReset {
    /// `None` for a random byte
    bytes: Vec<Option<u8>>,
    /// whether the check byte is to be worked out and appended
    check: bool,
}

impl AnswerToReset {
    /// Reads hexadecimal digits, `??` and, at the end, `TCK`.
    ///
    /// # Errors
    /// A sentence, when it is anything else, of another length than its own T0 and TDi announce, or has a
    /// wrong check byte.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (fixed, check) = match text.trim_end().strip_suffix("TCK") {
            Some(fixed) => (fixed, true),
            None => (text, false),
        };
        let digits: Vec<char> = fixed.chars().filter(|digit| !digit.is_whitespace()).collect();
        let byte = |pair: &[char]| match pair {
            ['?', '?'] => Ok(None),
            pair => hex::decode(&pair.iter().collect::<String>())
                .map(|bytes| bytes.first().copied())
                .map_err(|error| format!("an answer to reset is hexadecimal bytes, ?? and TCK: {error}")),
        };
        let bytes = digits.chunks(2).map(byte).collect::<Result<Vec<_>, _>>()?;
        match bytes.len() + usize::from(check) {
            2..=LONGEST => {
                check_structure(&bytes, check)?;
                Ok(Self { bytes, check })
            }
            length => Err(format!("an answer to reset has 2 to {LONGEST} bytes, not {length}")),
        }
    }

    /// The bytes at one activation.
    pub fn draw(&self, randomness: &mut dyn Rng) -> Vec<u8> {
        let mut random = || {
            let mut byte = [0];
            randomness.fill_bytes(&mut byte);
            byte[0]
        };
        let mut drawn: Vec<u8> = self.bytes.iter().map(|byte| byte.unwrap_or_else(&mut random)).collect();
        if self.check {
            // TCK: all bytes from T0 on, itself included, give zero (ISO/IEC 7816-3, 8.2.5)
            drawn.push(drawn.iter().skip(1).fold(0, |check, byte| check ^ byte));
        }
        drawn
    }

    /// Whether every activation gives the same bytes.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.bytes.iter().all(Option::is_some)
    }
}

/// Interface bytes are there as T0 and each TDi say, historical bytes as T0 says, and TCK wherever a
/// protocol but T=0 is offered (ISO/IEC 7816-3, 8.2). Behind a random TDi nothing is known.
fn check_structure(bytes: &[Option<u8>], check: bool) -> Result<(), String> {
    let length = bytes.len() + usize::from(check);
    let Some(t0) = bytes[1] else { return Ok(()) };
    let (mut announced, mut interface) = (2, t0 >> 4);
    let mut has_check = false;
    loop {
        announced += (interface & 0x07).count_ones() as usize;
        if interface & 0x08 == 0 {
            break;
        }
        match bytes.get(announced) {
            Some(Some(td)) => {
                has_check |= td & 0x0F != 0;
                interface = td >> 4;
            }
            Some(None) => return Ok(()),
            None => interface = 0,
        }
        announced += 1;
    }
    announced += usize::from(t0 & 0x0F) + usize::from(has_check);
    if announced != length {
        return Err(format!("this answer to reset has {length} bytes; its T0 and TDi announce {announced}"));
    }
    if has_check && !check {
        let before = bytes[1..length - 1].iter().copied().collect::<Option<Vec<u8>>>();
        let right = before.map(|before| before.iter().fold(0, |check, byte| check ^ byte));
        let last = bytes[length - 1];
        if right.is_none() || right != last {
            let last = last.map_or("random".to_owned(), |last| format!("{last:02X}"));
            let right =
                right.map_or("one that follows from the others".to_owned(), |right| format!("{right:02X}"));
            return Err(format!(
                "the last byte is {last}, but has to be the check byte {right}: write TCK for it"
            ));
        }
    }
    Ok(())
}

impl<'de> Deserialize<'de> for AnswerToReset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::seeded;
    use hex_literal::hex;

    #[test]
    fn the_check_byte_of_measured_answers_follows_from_the_rest() {
        for (text, whole) in [
            ("3B E0 00 FF 81 31 FE 45 TCK", &hex!("3BE000FF8131FE4514")[..]),
            ("3B 88 80 01 00 00 05 E0 B3 81 A1 00 TCK", &hex!("3B888001000005E0B381A1007F")),
            ("3B 88 80 01 00 4B 51 FF B3 81 D1 00 TCK", &hex!("3B888001004B51FFB381D1000F")),
        ] {
            assert_eq!(AnswerToReset::parse(text).unwrap().draw(&mut seeded(0)), whole);
        }
    }

    #[test]
    fn random_bytes_differ_between_activations_and_fixed_ones_do_not() {
        let answer = AnswerToReset::parse("3B 88 80 01 ?? ?? ?? ?? B3 81 A1 00 TCK").unwrap();
        let mut randomness = seeded(0);
        let (one, other) = (answer.draw(&mut randomness), answer.draw(&mut randomness));
        assert_ne!(one, other);
        assert_eq!((&one[..4], &one[8..12]), (&other[..4], &other[8..12]));
        assert!(!answer.is_fixed());
    }

    #[test]
    fn what_is_no_answer_to_reset_is_told() {
        for (text, expected) in [
            ("3B E", "do not make whole bytes"),
            ("3B XY", "is no hexadecimal digit"),
            ("3B", "2 to 33 bytes, not 1"),
            ("3B E0 00 FF 81 31 FE 45 15", "the last byte is 15, but has to be the check byte 14"),
            ("3B E0 00 FF 81 31 FE 45", "has 8 bytes; its T0 and TDi announce 9"),
            ("3B E0 00 FF 81 31 FE 45 14 00", "has 10 bytes; its T0 and TDi announce 9"),
            ("3B E0", "has 2 bytes; its T0 and TDi announce 5"),
            ("3B 02 41 42 TCK", "has 5 bytes; its T0 and TDi announce 4"),
            ("3B 88 80 01 ?? 00 05 E0 B3 81 A1 00 7F", "check byte one that follows from the others"),
        ] {
            let told = AnswerToReset::parse(text).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
    }
}
