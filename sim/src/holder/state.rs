//! What is special about a holder's card, as data: tries already spent, certificates that are not
//! in force, and who issued them. Everything here is relative to the clock, so that an expired
//! certificate is expired and a child a child whenever a test runs.

use crate::pin::PinName;
use std::collections::BTreeMap;

/// The state of a card; the default is an ordinary one, in force and unused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// tries that are left when the card is handed over
    pub tries_left: TriesLeft,
    /// in what state its certificates are
    pub certificates: Certificates,
    /// which generation of the authorities issued them
    pub generation: IssuingGeneration,
    /// whether they were issued within the hour, in place of others; see [`crate::issue::superseded`]
    pub renewed: bool,
}

/// Tries left, where they are not full.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriesLeft {
    /// every PIN that is not named below
    pub all: Option<u8>,
    /// single PINs
    pub of: BTreeMap<PinName, u8>,
}

impl TriesLeft {
    /// The tries that the holder's file gives `pin`; `None` where it says nothing. A card whose full
    /// counter is lower has that many.
    #[must_use]
    pub fn of(&self, pin: PinName) -> Option<u8> {
        self.of.get(&pin).copied().or(self.all)
    }
}

/// The states of both certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Certificates {
    /// 利用者証明用
    pub user_authentication: CertificateState,
    /// 署名用
    pub digital_signature: SignatureCertificate,
}

/// In what state a certificate is when the card is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CertificateState {
    /// in force
    #[default]
    Valid,
    /// its last day was the holder's last birthday before today
    Expired,
    /// its last day was that many days ago: 1 to 3650
    ExpiredDaysAgo(u16),
    /// its first day is the holder's next birthday
    NotYetValid,
    /// in its time, and revoked (失効)
    Revoked,
    /// in its time, and suspended (一時停止) because the card was reported lost
    OnHold,
}

impl CertificateState {
    /// What the authority publishes about the certificate besides its dates.
    #[must_use]
    pub const fn revocation(self) -> Option<Revocation> {
        match self {
            Self::Revoked => Some(Revocation::Revoked),
            Self::OnHold => Some(Revocation::OnHold),
            Self::Valid | Self::Expired | Self::ExpiredDaysAgo(_) | Self::NotYetValid => None,
        }
    }
}

/// Why a certificate stands in a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// for good
    Revoked,
    /// certificateHold
    OnHold,
}

/// Whether there is a signature certificate, and in what state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureCertificate {
    /// one in force from the fifteenth birthday on, as the law has it
    #[default]
    FromFifteen,
    /// none
    Absent,
    /// one, at any age
    Present(CertificateState),
}

impl SignatureCertificate {
    /// The age from which a signature certificate is issued.
    pub const AGE: i16 = 15;

    /// The certificate's state when the holder is `age` years old; `None` when there is none.
    #[must_use]
    pub const fn at_age(self, age: i16) -> Option<CertificateState> {
        match self {
            Self::FromFifteen if age < Self::AGE => None,
            Self::FromFifteen => Some(CertificateState::Valid),
            Self::Absent => None,
            Self::Present(state) => Some(state),
        }
    }
}

/// Which generation of the authorities issued the certificates. All have the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IssuingGeneration {
    /// the latest one on the holder's last birthday
    #[default]
    Current,
    /// the one before, shortly before it was replaced: still in force until the next birthday at least
    Previous,
    /// the one before that: expired
    Oldest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_pin_goes_before_all() {
        let tries = TriesLeft { all: Some(0), of: [(PinName::UserAuthentication, 2)].into() };
        assert_eq!(tries.of(PinName::UserAuthentication), Some(2));
        assert_eq!(tries.of(PinName::DigitalSignature), Some(0));
        assert_eq!(TriesLeft::default().of(PinName::DigitalSignature), None);
    }

    #[test]
    fn the_signature_certificate_comes_with_the_fifteenth_birthday() {
        assert_eq!(SignatureCertificate::FromFifteen.at_age(14), None);
        assert_eq!(SignatureCertificate::FromFifteen.at_age(15), Some(CertificateState::Valid));
        let given = SignatureCertificate::Present(CertificateState::Revoked);
        assert_eq!(given.at_age(8), Some(CertificateState::Revoked));
        assert_eq!(SignatureCertificate::Absent.at_age(40), None);
    }
}
