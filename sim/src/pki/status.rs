//! What has become of a certificate: good, on hold, or revoked for one of the reasons that relying
//! parties of the real service are told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use x509_cert::ext::pkix::crl::CrlReason;

/// Why a certificate is revoked (CRLReason, RFC 5280, 5.3.1), with what each stands for in JPKI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 交付前破棄: the card was destroyed before it was handed over. Neither lists nor answers carry
    /// this one, as RFC 5280 wishes: there is then no reason in them.
    Unspecified,
    /// the private key is in other hands
    KeyCompromise,
    /// the authority's key is in other hands
    CaCompromise,
    /// 記載変更: name, address, sex or birth have changed; a move revokes 署名用 by itself
    AffiliationChanged,
    /// 更新: another certificate was issued in its place
    Superseded,
    /// the certificate is no longer used
    CessationOfOperation,
    /// 一時保留: for a time only, such as while a card is lost
    CertificateHold,
}

impl Reason {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
    ];

    /// Its name, such as `key_compromise`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key_compromise",
            Self::CaCompromise => "ca_compromise",
            Self::AffiliationChanged => "affiliation_changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation_of_operation",
            Self::CertificateHold => "certificate_hold",
        }
    }

    /// How lists and answers code it; `None` when they leave it out.
    pub(crate) fn code(self) -> Option<CrlReason> {
        match self {
            Self::Unspecified => None,
            Self::KeyCompromise => Some(CrlReason::KeyCompromise),
            Self::CaCompromise => Some(CrlReason::CaCompromise),
            Self::AffiliationChanged => Some(CrlReason::AffiliationChanged),
            Self::Superseded => Some(CrlReason::Superseded),
            Self::CessationOfOperation => Some(CrlReason::CessationOfOperation),
            Self::CertificateHold => Some(CrlReason::CertificateHold),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected one of {}, found {found:?}", Reason::ALL.map(Reason::as_str).join(", "))]
pub struct UnknownReason {
    /// what was found
    pub found: String,
}

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        let named = Self::ALL.into_iter().find(|reason| reason.as_str() == text);
        named.ok_or_else(|| UnknownReason { found: text.to_owned() })
    }
}

/// Since when a certificate is revoked, and why. A hold is one that can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// from this instant on
    pub since: Timestamp,
    /// why
    pub reason: Reason,
}

/// What an authority says of a serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStatus {
    /// issued, and not revoked
    Good,
    /// revoked, or on hold
    Revoked(Revocation),
    /// not known to have been issued
    Unknown,
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Unknown => f.write_str("unknown"),
            Self::Revoked(Revocation { since, reason: Reason::CertificateHold }) => {
                write!(f, "on hold since {since}")
            }
            Self::Revoked(Revocation { since, reason }) => write!(f, "revoked ({reason}) since {since}"),
        }
    }
}

/// Why a status did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StatusError {
    /// what is revoked for good stays as it is
    #[error("it has been revoked ({}) since {}, and that is for good", .0.reason, .0.since)]
    Revoked(Revocation),
    /// a second hold
    #[error("it has been on hold since {0} already")]
    OnHold(Timestamp),
    /// only a hold can be released
    #[error("it is good; only what is on hold can be released")]
    NotOnHold,
    /// nothing is known of it
    #[error("it is not in the register")]
    Unknown,
}

/// Puts a certificate that is `now` in the state `current` on hold or, with another reason, revokes
/// it. Revoked while on hold, it counts as revoked since the hold began, so that no time in between
/// becomes good afterwards.
pub(super) fn revoked(
    current: Option<Revocation>,
    reason: Reason,
    now: Timestamp,
) -> Result<Revocation, StatusError> {
    match current {
        None => Ok(Revocation { since: now, reason }),
        Some(Revocation { since, reason: Reason::CertificateHold }) if reason == Reason::CertificateHold => {
            Err(StatusError::OnHold(since))
        }
        Some(Revocation { since, reason: Reason::CertificateHold }) => Ok(Revocation { since, reason }),
        Some(revocation) => Err(StatusError::Revoked(revocation)),
    }
}

/// Whether a certificate in the state `current` can be good again.
pub(super) fn releasable(current: Option<Revocation>) -> Result<(), StatusError> {
    match current {
        Some(Revocation { reason: Reason::CertificateHold, .. }) => Ok(()),
        Some(revocation) => Err(StatusError::Revoked(revocation)),
        None => Err(StatusError::NotOnHold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_by_the_names_they_are_written_with() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        let error = "stolen".parse::<Reason>().unwrap_err().to_string();
        assert!(error.contains("key_compromise") && error.ends_with("found \"stolen\""), "{error}");
    }
}
