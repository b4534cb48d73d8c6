//! Who applied, as a relying party knows it: the issuer and the serial number of the certificate. A
//! renewal gives another serial number, and with it another applicant; only the platform operators
//! of the real service can link the two.

use super::screen::Registration;
use super::token::hexadecimal;
use crate::verify::Certificate;
use base64ct::{Base64, Encoding};
use der::Encode;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;

/// Issuer (by the SHA-256 of its name in DER) and serial number (hexadecimal).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Applicant {
    issuer: String,
    serial: String,
}

impl Applicant {
    /// Whose certificate it is.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<Self> {
        let fields = certificate.parsed().tbs_certificate();
        let issuer = fields.issuer().to_der().ok()?;
        Some(Self {
            issuer: hexadecimal(&Sha256::digest(issuer)),
            serial: hexadecimal(fields.serial_number().as_bytes()),
        })
    }

    /// The serial number, hexadecimal.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// How the store knows the applicant, which [`parse`](Self::parse) reads.
    #[must_use]
    pub fn key(&self) -> String {
        self.to_string()
    }

    /// Reads what [`key`](Self::key) gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (issuer, serial) = text.split_once(':')?;
        let hexadecimal = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (issuer.len() == 64 && serial.len() <= 64 && hexadecimal(issuer) && hexadecimal(serial))
            .then(|| Self { issuer: issuer.to_owned(), serial: serial.to_owned() })
    }
}

impl fmt::Display for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.issuer, self.serial)
    }
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// whether the box of step 1 was ticked
    pub register_user: bool,
    /// when it was accepted
    pub accepted: Timestamp,
    /// how far the registration has come
    pub registration: Registration,
    /// the applicant's signature certificate, where it was put on file
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_certificate: Option<CertificateOnFile>,
}

/// A signature certificate as the portal keeps it, DER. It says who the applicant is, and where they
/// live; it is kept whole because whether it has been revoked is asked at each inquiry.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateOnFile(pub Vec<u8>);

impl fmt::Debug for CertificateOnFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateOnFile(…)")
    }
}

impl Serialize for CertificateOnFile {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Base64::encode_string(&self.0).serialize(to)
    }
}

impl<'de> Deserialize<'de> for CertificateOnFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Base64::decode_vec(&String::deserialize(from)?).map(Self).map_err(de::Error::custom)
    }
}
