//! The step that reads a certificate as a client would, and checks it.

use super::expect::Expect;
use super::step::Action;
use super::words;
use crate::language::Language;
use crate::terminal::{CertificateName, ReadStyle};
use schemars::JsonSchema;
use serde::Deserialize;

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
