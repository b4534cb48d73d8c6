//! What the keys and the certificates of a card are called.

use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;

/// The private keys of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyName {
    /// JPKI 0017
    UserAuthentication,
    /// JPKI 001A
    DigitalSignature,
    /// 券面事項入力補助 0013
    Text,
    /// 券面事項確認 001A
    Visual,
    /// 共通カード 0019
    Common,
}

impl KeyName {
    /// The certificate with the public key, of a key that has one.
    #[must_use]
    pub const fn certificate(self) -> Option<CertificateName> {
        match self {
            Self::UserAuthentication => Some(CertificateName::UserAuthentication),
            Self::DigitalSignature => Some(CertificateName::DigitalSignature),
            Self::Text | Self::Visual | Self::Common => None,
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserAuthentication => "user_authentication",
            Self::DigitalSignature => "digital_signature",
            Self::Text => "text",
            Self::Visual => "visual",
            Self::Common => "common",
        })
    }
}

/// The certificates of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateName {
    /// 利用者証明用電子証明書, EF 000A
    UserAuthentication,
    /// its issuer's, EF 000B
    UserAuthenticationCa,
    /// 署名用電子証明書, EF 0001
    DigitalSignature,
    /// its issuer's, EF 0002
    DigitalSignatureCa,
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserAuthentication => "user_authentication",
            Self::UserAuthenticationCa => "user_authentication_ca",
            Self::DigitalSignature => "digital_signature",
            Self::DigitalSignatureCa => "digital_signature_ca",
        })
    }
}
