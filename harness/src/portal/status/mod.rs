//! What has become of a certificate, asked of whoever knows: the register in this process, the
//! revocation lists in a folder, or an OCSP responder.

mod crl;
mod ocsp;
mod register;

pub use crl::Crls;
pub use ocsp::OcspResponder;
pub use register::BuiltInRegister;

use crate::terminal::Digest;
use crate::verify::{Certificate, RsaPublicKey};
use jiff::Timestamp;
use sha2::Digest as _;
use thiserror::Error;
use vmyna_sim::pki::{CertificateStatus, CertificationAuthority, Reason, Record};
use x509_cert::ext::pkix::CrlReason;

/// The authority's word could not be had, or not be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the status of the certificate could not be learnt: {0}")]
pub struct StatusUnavailable(pub String);

/// Says what has become of certificates.
pub trait StatusSource: Send + Sync {
    /// The status at `now` of `certificate`, which `issuer` signed.
    ///
    /// # Errors
    /// [`StatusUnavailable`] when nobody says.
    fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<CertificateStatus, StatusUnavailable>;
}

/// Whether `record` is of `certificate`: a serial number means something to its issuer only.
pub(crate) fn is_of(record: &Record, certificate: &Certificate, issuer: &Certificate) -> bool {
    certificate.parsed().tbs_certificate().serial_number().as_bytes() == record.serial_number.as_bytes()
        && CertificationAuthority::of(record.authority, record.generation)
            .is_ok_and(|authority| authority.certificate() == issuer.der())
}

fn is_sha256_signature(key: &RsaPublicKey, signed: &[u8], signature: &[u8]) -> bool {
    let digest_info = Digest::Sha256.digest_info(&sha2::Sha256::digest(signed));
    key.verify(&digest_info, signature).is_ok()
}

/// What lists and answers code, in the authorities' words; without a code it is unspecified.
fn reason(code: Option<CrlReason>) -> Option<Reason> {
    Some(match code? {
        CrlReason::KeyCompromise => Reason::KeyCompromise,
        CrlReason::CaCompromise => Reason::CaCompromise,
        CrlReason::AffiliationChanged => Reason::AffiliationChanged,
        CrlReason::Superseded => Reason::Superseded,
        CrlReason::CessationOfOperation => Reason::CessationOfOperation,
        CrlReason::CertificateHold => Reason::CertificateHold,
        _ => Reason::Unspecified,
    })
}
