//! What has become of a certificate, asked of whoever knows: the register in this process, the
//! revocation lists in a folder, or an OCSP responder.

mod register;

pub use register::BuiltInRegister;

use crate::verify::Certificate;
use jiff::Timestamp;
use thiserror::Error;
use vmyna_sim::pki::CertificateStatus;

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
