//! The value of a PIN: compared in constant time, wiped from memory when dropped, and never shown.

use std::fmt;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// The bytes of a PIN as they travel in VERIFY: ASCII digits or ASCII upper-case letters and digits.
///
/// `Debug` and `Display` show neither the value nor its length.
#[derive(Clone)]
pub struct PinValue(Zeroizing<Vec<u8>>);

/// A PIN that breaks the rule for its kind. It names the rule and never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PinFormError {
    /// 利用者証明用 and every other four-digit PIN.
    #[error("this PIN has 4 digits (0 to 9)")]
    FourDigits,
    /// 署名用.
    #[error("this password has 6 to 16 characters out of A to Z (upper case) and 0 to 9")]
    Password,
}

impl PinValue {
    /// Bytes as they came, of any form.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// A PIN of four digits, the form of 利用者証明用電子証明書の暗証番号.
    ///
    /// # Errors
    /// [`PinFormError::FourDigits`] for any other form.
    pub fn four_digits(text: &str) -> Result<Self, PinFormError> {
        let fits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if fits { Ok(Self::new(text)) } else { Err(PinFormError::FourDigits) }
    }

    /// A password of 6 to 16 upper-case letters and digits, the form of 署名用電子証明書の暗証番号.
    /// That the counter at the town hall also asks for one letter and one digit at least is a rule
    /// of issuing, not of the card, and is not asked here.
    ///
    /// # Errors
    /// [`PinFormError::Password`] for any other form.
    pub fn password(text: &str) -> Result<Self, PinFormError> {
        let fits = (6..=16).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if fits { Ok(Self::new(text)) } else { Err(PinFormError::Password) }
    }

    /// The bytes, for sending to a card or for storing; never for showing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `presented` is this PIN, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.0.ct_eq(presented).into()
    }
}

impl PartialEq for PinValue {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for PinValue {}

impl fmt::Debug for PinValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinValue(****)")
    }
}

impl fmt::Display for PinValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_match() {
        let pin = PinValue::four_digits("1234").unwrap();
        assert!(pin.matches(b"1234"));
        for other in [&b""[..], b"123", b"12345", b"1235", b"0234"] {
            assert!(!pin.matches(other), "{other:?}");
        }
    }

    #[test]
    fn the_value_is_never_shown() {
        let pin = PinValue::password("ABC123").unwrap();
        assert_eq!(format!("{pin:?} {pin}"), "PinValue(****) ****");
    }

    #[test]
    fn forms_are_checked_at_their_edges() {
        for text in ["", "123", "12345", "12a4", "１２３４"] {
            assert_eq!(PinValue::four_digits(text), Err(PinFormError::FourDigits), "{text}");
        }
        for text in ["", "ABC12", "ABC123ABC123ABC12", "abc123", "ABC 123", "ABC-123"] {
            assert_eq!(PinValue::password(text), Err(PinFormError::Password), "{text}");
        }
        assert!(PinValue::password("ABC123").is_ok() && PinValue::password("ABC123ABC123ABC1").is_ok());
    }
}
