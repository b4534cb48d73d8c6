//! The step that reads a certificate as a client would, and checks it.

use super::expect::Expect;
use super::step::Action;
use super::words;
use crate::language::Language;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;

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

/// How clients read a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadStyle {
    /// 4-byte header, then blocks from 0, the last one exact
    #[default]
    Header4,
    /// 4-byte header, then blocks from 4
    Header4Continue,
    /// 7-byte header, then blocks from 0
    Header7,
    /// 7-byte header, then blocks from 7
    Header7Continue,
    /// whole blocks until the EF ends
    Blocks,
    /// 8-byte header, then 255-byte blocks from 0
    Header8Ff,
    /// 4-byte header, then the rest with extended Le
    Extended,
    /// 4-byte header, then all from 0 with extended Le
    ExtendedFromStart,
    /// by short identifier: 4-byte header, then the rest with extended Le
    Sfi,
}

/// What a certificate is checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateCheck {
    /// signed by its issuer
    Path,
    /// usages fit
    Usage,
    /// valid now
    Validity,
    /// RSA 2048, e = 65537
    Key,
    /// names, extensions and their order
    Shape,
}

/// `certificate: {of: user_authentication, check: [path]}`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateStep {
    /// which
    pub of: CertificateName,
    /// how it is read
    #[serde(default)]
    pub style: ReadStyle,
    /// what it is checked for
    #[serde(default)]
    pub check: Vec<CertificateCheck>,
    /// what the first READ BINARY must answer
    #[serde(default)]
    pub expect: Expect,
}

impl Action for CertificateStep {
    fn brief(&self) -> String {
        format!("certificate {}", self.of)
    }

    fn expects(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    fn in_words(&self, language: Language) -> String {
        let (name, style) = (words::certificate(self.of, language), words::style(self.style, language));
        let checks: Vec<_> = self.check.iter().map(|check| words::check(*check, language)).collect();
        match (language, checks.is_empty()) {
            (Language::Ja, true) => format!("{name}を読む({style})"),
            (Language::Ja, false) => format!("{name}を読み({style})、{}を確かめる", checks.join("、")),
            (Language::En, true) => format!("read {name} ({style})"),
            (Language::En, false) => format!("read {name} ({style}), and check {}", checks.join(", ")),
        }
    }
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
