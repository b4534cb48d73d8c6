//! PINs: their names, their form, and the object on the card with its retry counter.

use crate::holder::PinValue;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The PINs of the card, named by what they guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinName {
    /// 利用者証明用電子証明書の暗証番号, JPKI 0018
    UserAuthentication,
    /// 署名用電子証明書の暗証番号, JPKI 001B
    DigitalSignature,
}

impl PinName {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::UserAuthentication, Self::DigitalSignature];

    /// Whether `value` has the form of this PIN: four digits, or 6 to 16 upper-case letters and
    /// digits.
    #[must_use]
    pub fn allows(self, value: &[u8]) -> bool {
        match self {
            Self::UserAuthentication => value.len() == 4 && value.iter().all(u8::is_ascii_digit),
            Self::DigitalSignature => {
                (6..=16).contains(&value.len())
                    && value.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            }
        }
    }
}

impl fmt::Display for PinName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserAuthentication => "user_authentication",
            Self::DigitalSignature => "digital_signature",
        })
    }
}

/// A set of PINs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PinSet(u16);

impl PinSet {
    /// Whether `pin` is in the set.
    #[must_use]
    pub const fn contains(self, pin: PinName) -> bool {
        self.0 & (1 << pin as u16) != 0
    }

    /// Adds `pin`.
    pub const fn insert(&mut self, pin: PinName) {
        self.0 |= 1 << pin as u16;
    }

    /// Takes `pin` out.
    pub const fn remove(&mut self, pin: PinName) {
        self.0 &= !(1 << pin as u16);
    }
}

/// What lasts of a PIN when the power is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinState {
    /// wrong values that may still be presented before the PIN is blocked
    pub tries_left: u8,
    /// the value, where the holder has changed the one the card was issued with
    pub changed_value: Option<PinValue>,
}

/// The state of every PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinStates([PinState; PinName::ALL.len()]);

impl PinStates {
    /// Each PIN in the state that `state` gives it.
    pub fn new(state: impl FnMut(PinName) -> PinState) -> Self {
        Self(PinName::ALL.map(state))
    }

    /// The state of `pin`.
    #[must_use]
    pub const fn get(&self, pin: PinName) -> &PinState {
        &self.0[pin as usize]
    }

    /// The state of `pin`, to be changed.
    pub const fn get_mut(&mut self, pin: PinName) -> &mut PinState {
        &mut self.0[pin as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pin_has_its_form() {
        assert!(PinName::UserAuthentication.allows(b"0000"));
        assert!(!PinName::UserAuthentication.allows(b"000"));
        assert!(!PinName::UserAuthentication.allows(b"00A0"));
        assert!(PinName::DigitalSignature.allows(b"ABC123"));
        assert!(!PinName::DigitalSignature.allows(b"abc123"));
        assert!(!PinName::DigitalSignature.allows(b"ABC12"));
        assert!(!PinName::DigitalSignature.allows(b"ABCDEFGHIJKLMNOPQ"));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = PinSet::default();
        set.insert(PinName::DigitalSignature);
        assert!(set.contains(PinName::DigitalSignature) && !set.contains(PinName::UserAuthentication));
        set.remove(PinName::DigitalSignature);
        assert_eq!(set, PinSet::default());
    }
}
