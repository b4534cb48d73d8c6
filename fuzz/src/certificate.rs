//! Any bytes as what a card says its certificates are: nothing a card answers upsets the harness.

use std::time::SystemTime;
use vmyna::terminal;
use vmyna::terminal::CertificateName;
use vmyna::verify::{Certificate, Purpose, Trust, shape_problem};

/// One input.
pub fn check(input: &[u8]) {
    let _ = terminal::der_length(input);
    let _ = Trust::from_bytes(input);
    let Ok(certificate) = Certificate::parse(input) else { return };
    let _ = (certificate.is_ours(), certificate.public_key().is_ok());
    let _ = certificate.is_signed_by(&certificate);
    let _ = certificate.is_valid_at(SystemTime::UNIX_EPOCH);
    let _ = certificate.has_card_key();
    let _ = certificate.fits(Purpose::Issuing);
    let _ = Trust::CardItself.accepts(&certificate);
    let _ = shape_problem(CertificateName::UserAuthentication, &certificate);
}
