//! Revocation lists, as `vmyna pki` writes them into a folder: read anew for each certificate, so
//! that what was revoked a moment ago is.

use super::{StatusSource, StatusUnavailable};
use crate::verify::Certificate;
use der::{Decode, Encode};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use vmyna_sim::document;
use vmyna_sim::pki::{CertificateStatus, Reason, Revocation};
use x509_cert::crl::CertificateList;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::time::Time;

/// A list of some hundred thousand certificates.
const MOST: u64 = 16 << 20;

/// The whole lists in one folder; those of municipalities are parts of them.
pub struct Crls(PathBuf);

impl Crls {
    /// The lists `*.crl` in `folder`.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The list that `issuer` signed; generations share a name, so the key decides.
    fn list_of(&self, issuer: &Certificate) -> Result<CertificateList, StatusUnavailable> {
        let unavailable =
            |error: &dyn std::fmt::Display| StatusUnavailable(format!("{}: {error}", self.0.display()));
        for entry in std::fs::read_dir(&self.0).map_err(|error| unavailable(&error))? {
            let path = entry.map_err(|error| unavailable(&error))?.path();
            if path.extension().is_some_and(|extension| extension == "crl") {
                let list = read(&path).map_err(|error| unavailable(&error))?;
                if is_signed_by(&list, issuer) {
                    return Ok(list);
                }
            }
        }
        Err(unavailable(&"there is no list of the certificate's issuer"))
    }
}

fn read(path: &Path) -> Result<CertificateList, String> {
    let bytes = document::read_bytes(path, MOST).map_err(|error| error.reason().to_owned())?;
    CertificateList::from_der(&bytes).map_err(|error| error.to_string())
}

fn is_signed_by(list: &CertificateList, issuer: &Certificate) -> bool {
    let names_fit =
        list.tbs_cert_list.issuer.to_der().ok() == issuer.parsed().tbs_certificate().subject().to_der().ok();
    let (Ok(signed), Ok(key)) = (list.tbs_cert_list.to_der(), issuer.public_key()) else { return false };
    names_fit && super::is_sha256_signature(&key, &signed, list.signature.raw_bytes())
}

fn timestamp(time: Time) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
}

impl StatusSource for Crls {
    fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<CertificateStatus, StatusUnavailable> {
        let list = self.list_of(issuer)?.tbs_cert_list;
        if list.next_update.and_then(timestamp).is_none_or(|next| next < now) {
            let told = "the list has run out; `vmyna pki write` makes one of today";
            return Err(StatusUnavailable(format!("{}: {told}", self.0.display())));
        }
        let serial = certificate.parsed().tbs_certificate().serial_number();
        let entries = list.revoked_certificates.iter().flatten();
        let entry = entries.into_iter().find(|entry| entry.serial_number == *serial);
        Ok(entry.map_or(CertificateStatus::Good, |entry| {
            let extensions = entry.crl_entry_extensions.iter().flatten();
            let reason = extensions
                .filter(|extension| extension.extn_id == <CrlReason as der::oid::AssociatedOid>::OID)
                .find_map(|extension| CrlReason::from_der(extension.extn_value.as_bytes()).ok());
            CertificateStatus::Revoked(Revocation {
                since: timestamp(entry.revocation_date).unwrap_or(now),
                reason: super::reason(reason).unwrap_or(Reason::Unspecified),
            })
        }))
    }
}
