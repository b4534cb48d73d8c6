//! The two things that a holder proves with the card: who it is, and that it signs.

use super::{CertificateName, KeyName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vmyna_sim::pin::PinName;

/// What the card proves something with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// 利用者証明用: four digits, three tries
    #[default]
    UserAuthentication,
    /// 署名用: 6 to 16 letters and digits, five tries; its certificate is read after the PIN only
    DigitalSignature,
}

impl Credential {
    /// Its name in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserAuthentication => "user_authentication",
            Self::DigitalSignature => "digital_signature",
        }
    }

    /// Its PIN.
    #[must_use]
    pub const fn pin(self) -> PinName {
        match self {
            Self::UserAuthentication => PinName::UserAuthentication,
            Self::DigitalSignature => PinName::DigitalSignature,
        }
    }

    /// Its private key.
    #[must_use]
    pub const fn key(self) -> KeyName {
        match self {
            Self::UserAuthentication => KeyName::UserAuthentication,
            Self::DigitalSignature => KeyName::DigitalSignature,
        }
    }

    /// Its certificate.
    #[must_use]
    pub const fn certificate(self) -> CertificateName {
        match self {
            Self::UserAuthentication => CertificateName::UserAuthentication,
            Self::DigitalSignature => CertificateName::DigitalSignature,
        }
    }
}
