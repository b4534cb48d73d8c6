//! PINs: their names, their form, and the object on the card with its retry counter. The 照合番号 and
//! the date of birth are PINs too: the card tells them from the others by no more than their form.

mod value;

pub use value::{PinFormError, PinValue};

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
    /// 券面事項入力補助用の暗証番号, 券面事項入力補助 0011
    TextInput,
    /// 照合番号A of 券面事項入力補助, 0014
    TextCodeA,
    /// 照合番号B of 券面事項入力補助, 0015
    TextCodeB,
    /// 照合番号A of 券面事項確認, 0013
    VisualCodeA,
    /// 照合番号B of 券面事項確認, 0012
    VisualCodeB,
    /// 生年月日 of 券面事項確認, 0011
    BirthDate,
    /// 住民基本台帳用の暗証番号, 住民基本台帳 001C
    ResidentRegister,
    /// the PIN of 共通カード, 001C; holders are told that it and the one before are one
    CommonCard,
}

/// The command that changes a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeCommand {
    /// `00 24 01`
    ChangeReferenceData,
    /// `80 32 00`
    ChangeKey,
}

/// The value of a PIN as a command presents it. `Debug` shows neither the value nor its length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Presented<'a>(pub &'a [u8]);

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(***)")
    }
}

impl PinName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::UserAuthentication,
        Self::DigitalSignature,
        Self::TextInput,
        Self::TextCodeA,
        Self::TextCodeB,
        Self::VisualCodeA,
        Self::VisualCodeB,
        Self::BirthDate,
        Self::ResidentRegister,
        Self::CommonCard,
    ];

    /// The two of the JPKI application.
    pub const JPKI: [Self; 2] = [Self::UserAuthentication, Self::DigitalSignature];

    /// The command that is known to change it; `None` for what stays as it was issued.
    #[must_use]
    pub const fn changed_with(self) -> Option<ChangeCommand> {
        match self {
            Self::UserAuthentication | Self::DigitalSignature | Self::TextInput => {
                Some(ChangeCommand::ChangeReferenceData)
            }
            Self::ResidentRegister | Self::CommonCard => Some(ChangeCommand::ChangeKey),
            Self::TextCodeA | Self::TextCodeB | Self::VisualCodeA | Self::VisualCodeB | Self::BirthDate => {
                None
            }
        }
    }

    /// Whether `value` has the form of this PIN: so many digits, or 6 to 16 upper-case letters and
    /// digits.
    #[must_use]
    pub fn allows(self, value: &[u8]) -> bool {
        let digits = |count| value.len() == count && value.iter().all(u8::is_ascii_digit);
        match self {
            Self::UserAuthentication | Self::TextInput | Self::ResidentRegister | Self::CommonCard => {
                digits(4)
            }
            Self::BirthDate => digits(6),
            Self::TextCodeA | Self::VisualCodeA => digits(12),
            Self::TextCodeB | Self::VisualCodeB => digits(14),
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
            Self::TextInput => "text_input",
            Self::TextCodeA => "text_code_a",
            Self::TextCodeB => "text_code_b",
            Self::VisualCodeA => "visual_code_a",
            Self::VisualCodeB => "visual_code_b",
            Self::BirthDate => "birth_date",
            Self::ResidentRegister => "resident_register",
            Self::CommonCard => "common_card",
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
        for (pin, length) in [
            (PinName::BirthDate, 6),
            (PinName::TextCodeA, 12),
            (PinName::VisualCodeB, 14),
            (PinName::CommonCard, 4),
        ] {
            assert!(pin.allows(&vec![b'7'; length]) && !pin.allows(&vec![b'7'; length + 1]), "{pin}");
        }
    }

    #[test]
    fn every_pin_stands_where_its_number_says() {
        for (index, pin) in PinName::ALL.into_iter().enumerate() {
            assert_eq!(pin as usize, index);
            assert_eq!(serde_json::to_value(pin).unwrap(), pin.to_string());
        }
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
