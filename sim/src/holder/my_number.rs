//! The individual number (個人番号, My Number): eleven digits and the check digit that the 2014
//! ordinance prescribes.

use std::fmt;
use thiserror::Error;

/// A My Number: twelve digits whose last one is the right check digit.
///
/// `Debug` does not show the digits, for a user may have put a real number into a holder's file.
#[derive(Clone, PartialEq, Eq)]
pub struct MyNumber([u8; 12]);

/// Why a text is no My Number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MyNumberError {
    /// Not twelve ASCII digits.
    #[error("a My Number has 12 digits")]
    Form,
    /// Twelve digits, the last of which does not follow from the others.
    #[error("the check digit of a My Number that begins so is {expected}, not {found}")]
    CheckDigit {
        /// the digit that follows from the first eleven
        expected: char,
        /// the digit that was written
        found: char,
    },
}

impl MyNumber {
    /// Reads twelve ASCII digits.
    ///
    /// # Errors
    /// [`MyNumberError`] when there are not twelve digits or the check digit is wrong.
    pub fn parse(text: &str) -> Result<Self, MyNumberError> {
        let digits: [u8; 12] = text.as_bytes().try_into().map_err(|_| MyNumberError::Form)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(MyNumberError::Form);
        }
        let [body @ .., found] = digits;
        let expected = check_digit(&body.map(|digit| digit - b'0'));
        if found != b'0' + expected {
            let (expected, found) = (char::from(b'0' + expected), char::from(found));
            return Err(MyNumberError::CheckDigit { expected, found });
        }
        Ok(Self(digits))
    }

    /// The twelve ASCII digits, as the card's 入力補助 application stores them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Debug for MyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MyNumber(************)")
    }
}

/// The check digit (0 to 9) of eleven digits (each 0 to 9), first digit first.
///
/// With P(n) the nth digit from the right and Q(n) = n + 1 for n ≤ 6, n − 5 for n ≥ 7, it is
/// 11 − (Σ P(n)·Q(n) mod 11), and 0 where that remainder is 0 or 1 (the public rule of the 2014
/// ordinance).
#[must_use]
pub fn check_digit(body: &[u8; 11]) -> u8 {
    let weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u16 = body.iter().zip(weights).map(|(digit, weight)| u16::from(*digit) * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        remainder => 11 - u8::try_from(remainder).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sample_number_has_check_digit_8() {
        assert!(MyNumber::parse("123456789018").is_ok());
        assert_eq!(
            MyNumber::parse("123456789012"),
            Err(MyNumberError::CheckDigit { expected: '8', found: '2' })
        );
    }

    #[test]
    fn remainders_0_and_1_both_give_0() {
        assert_eq!(check_digit(&[0; 11]), 0);
        assert_eq!(check_digit(&[0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0]), 0); // 3 × 4 = 12, remainder 1
    }

    #[test]
    fn eleven_digits_letters_and_wide_digits_are_refused() {
        for text in ["", "12345678901", "1234567890188", "12345678901X", "１２３４"] {
            assert_eq!(MyNumber::parse(text), Err(MyNumberError::Form), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let shown = format!("{:?}", MyNumber::parse("123456789018").unwrap());
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
    }

    proptest! {
        /// The rule as the ordinance words it, from the right, against the table of weights.
        #[test]
        fn exactly_one_last_digit_is_right(body in proptest::array::uniform11(0u8..10)) {
            let sum: u32 = body.iter().rev().zip(1u32..).map(|(&p, n)| u32::from(p) * if n <= 6 { n + 1 } else { n - 5 }).sum();
            let expected = if sum % 11 <= 1 { 0 } else { 11 - sum % 11 };
            let right: Vec<u32> = (0..10).filter(|last| {
                let text: String = body.iter().map(|d| char::from(b'0' + d)).chain(char::from_digit(*last, 10)).collect();
                MyNumber::parse(&text).is_ok()
            }).collect();
            prop_assert_eq!(right, vec![expected]);
        }
    }
}
