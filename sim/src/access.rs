//! Access conditions, as data: which PINs open a file or a key.

use crate::pin::{PinName, PinSet};
use crate::profile::{CertificateAccess, Profile};

/// What must have been verified before a file is read or a key used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// anybody
    Free,
    /// nobody
    Never,
    /// whoever has verified one of these PINs
    AnyOf(&'static [PinName]),
    /// as the profile says of the certificate for authentication
    UserAuthenticationCertificate,
}

impl Access {
    /// The condition on a card of this `profile`.
    #[must_use]
    pub const fn on(self, profile: &Profile) -> Self {
        match (self, profile.user_authentication_certificate) {
            (Self::UserAuthenticationCertificate, CertificateAccess::Free) => Self::Free,
            (Self::UserAuthenticationCertificate, CertificateAccess::WithPin) => {
                Self::AnyOf(&[PinName::UserAuthentication])
            }
            (other, _) => other,
        }
    }

    /// Whether the condition is met when `verified` holds the PINs verified so far. What depends on
    /// the profile is not met until [`on`](Self::on) has settled it.
    #[must_use]
    pub fn is_met(self, verified: PinSet) -> bool {
        match self {
            Self::Free => true,
            Self::Never | Self::UserAuthenticationCertificate => false,
            Self::AnyOf(pins) => pins.iter().any(|pin| verified.contains(*pin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_met_by_any_of_its_pins_and_by_no_other() {
        let mut verified = PinSet::default();
        verified.insert(PinName::UserAuthentication);
        assert!(Access::AnyOf(&[PinName::DigitalSignature, PinName::UserAuthentication]).is_met(verified));
        assert!(!Access::AnyOf(&[PinName::DigitalSignature]).is_met(verified));
        assert!(!Access::Never.is_met(verified));
        assert!(Access::Free.is_met(PinSet::default()));
    }
}
