//! The two certificates of a holder, extension for extension and in the order of a real test card.

use super::{Addresses, CertifiedKey, IssueWindow, basic_data};
use crate::holder::Holder;
use crate::key::{Algorithm, KeyError, KeyName, Signer, elliptic_holder_key};
use crate::pki::{
    CertificationAuthority, DistinguishedName, JAPAN, Partition, PkiError, Record, Request, derived,
    extension, serial_number, start_of_day,
};
use const_oid::ObjectIdentifier;
use std::sync::Arc;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::KeyUsages;
use x509_cert::name::Name;

/// Policy of 利用者証明用 in the arc for tests (production: …5.1.1.30).
const USER_AUTHENTICATION_POLICY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.1.0.30");
/// Policy of 署名用 in the arc for tests (production: …5.1.1.20).
const DIGITAL_SIGNATURE_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.1.0.20");
/// What every measured common name ends with.
const COMMON_NAME_SUFFIX: &str = "003A";

/// 利用者証明用: says nothing about the holder, for it can be read without a PIN. It names the OCSP
/// responder; the measured 署名用 certificate names none.
pub(super) fn user_authentication(
    holder: &Holder,
    window: &IssueWindow,
    authority: &CertificationAuthority,
    addresses: &Addresses,
) -> Result<CertifiedKey, PkiError> {
    let key = holders_key(holder, authority, holder.keys.user_authentication)?;
    let subject = DistinguishedName::japan().common_name(&opaque_name(holder, window)).name()?;
    let extensions = vec![
        extension::key_usage(KeyUsages::DigitalSignature)?,
        extension::client_authentication()?,
        extension::policy(USER_AUTHENTICATION_POLICY)?,
        extension::issuer_directory_name(authority.authority().japanese_name()?)?,
        crl_distribution_point(holder, authority)?,
        extension::ocsp(addresses.ocsp.as_str())?,
        authority.key_identifier_extension()?,
        extension::subject_key_identifier(key.public_key())?,
    ];
    certify(holder, window, authority, key, subject, extensions)
}

/// 署名用: carries the four basic data, and can be read with its PIN only.
pub(super) fn digital_signature(
    holder: &Holder,
    window: &IssueWindow,
    authority: &CertificationAuthority,
) -> Result<CertifiedKey, PkiError> {
    let key = holders_key(holder, authority, holder.keys.digital_signature)?;
    let subject = DistinguishedName::japan()
        .locality(&holder.municipality.prefecture)
        .locality(&holder.municipality.city)
        .common_name(&dated_name(holder, window))
        .name()?;
    let extensions = vec![
        extension::key_usage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation)?,
        basic_data::subject_alt_name(&holder.person)?,
        extension::policy(DIGITAL_SIGNATURE_POLICY)?,
        extension::issuer_directory_name(authority.authority().japanese_name()?)?,
        crl_distribution_point(holder, authority)?,
        authority.key_identifier_extension()?,
        extension::subject_key_identifier(key.public_key())?,
    ];
    certify(holder, window, authority, key, subject, extensions)
}

/// The holder's key for what `authority` certifies, of the same algorithm: the one `named`, where that
/// is RSA.
fn holders_key(
    holder: &Holder,
    authority: &CertificationAuthority,
    named: KeyName,
) -> Result<Arc<dyn Signer>, KeyError> {
    match authority.key().algorithm() {
        Algorithm::Rsa2048 => Ok(named.key()?),
        curve => Ok(elliptic_holder_key(curve, holder.id(), authority.authority().purpose())?),
    }
}

fn certify(
    holder: &Holder,
    window: &IssueWindow,
    authority: &CertificationAuthority,
    key: Arc<dyn Signer>,
    subject: Name,
    extensions: Vec<Extension>,
) -> Result<CertifiedKey, PkiError> {
    let purpose = authority.authority().purpose();
    let serial_number = serial_number(&["certificate", purpose, holder.id(), &moment(window)])?;
    let certificate = authority.certify(Request {
        serial_number: serial_number.clone(),
        validity: window.validity,
        subject,
        public_key: key.public_key(),
        extensions,
    })?;
    let record = Record {
        holder: holder.id().to_owned(),
        authority: authority.authority(),
        generation: authority.generation(),
        serial_number,
        validity: window.validity,
        municipality: partition(holder),
        revoked: None,
    };
    Ok(CertifiedKey { certificate, key, record })
}

/// Where the holder's certificates would be listed if they were revoked.
fn partition(holder: &Holder) -> Partition {
    let municipality = &holder.municipality;
    Partition { prefecture: municipality.prefecture.clone(), city: municipality.city.clone() }
}

/// What tells this issue from others to the same holder: the day, or the instant where it was not
/// the beginning of a day.
fn moment(window: &IssueWindow) -> String {
    let not_before = window.validity.not_before;
    if start_of_day(window.issued_on) == Some(not_before) {
        window.issued_on.to_string()
    } else {
        not_before.to_string()
    }
}

/// One distribution point for each municipality, in the authority's directory.
fn crl_distribution_point(holder: &Holder, authority: &CertificationAuthority) -> der::Result<Extension> {
    extension::crl_distribution_point(partition(holder).name(authority.authority())?)
}

/// The common name of 利用者証明用, of the form measured (`997794E9AGCIEG13221003A`): eight
/// hexadecimal digits, six letters, the municipality, the suffix.
fn opaque_name(holder: &Holder, window: &IssueWindow) -> String {
    let hash = derived(&["common name", holder.id(), &moment(window)]);
    let digits: String = hash[..4].iter().map(|byte| format!("{byte:02X}")).collect();
    let letters: String = hash[4..10].iter().map(|byte| char::from(b'A' + byte % 10)).collect();
    format!("{digits}{letters}{}{COMMON_NAME_SUFFIX}", holder.municipality.code)
}

/// The common name of 署名用, of the form measured (`202510161726000013413221003A`): twelve digits
/// of date and time, seven digits, the municipality, the suffix.
fn dated_name(holder: &Holder, window: &IssueWindow) -> String {
    let hash = derived(&["number", holder.id(), &moment(window)]);
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % 10_000_000;
    let issued_at = JAPAN.to_datetime(window.validity.not_before).strftime("%Y%m%d%H%M");
    format!("{issued_at}{number:07}{}{COMMON_NAME_SUFFIX}", holder.municipality.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_have_the_measured_lengths() {
        let holder = Holder::built_in("hanako").unwrap();
        let window = IssueWindow::at(holder.person.birth, "2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        let opaque = opaque_name(&holder, &window);
        assert_eq!(opaque.len(), "997794E9AGCIEG13221003A".len());
        assert!(opaque.ends_with("13101003A"), "{opaque}");
        let dated = dated_name(&holder, &window);
        assert_eq!(dated.len(), "202510161726000013413221003A".len());
        assert!(dated.starts_with("202506150000") && dated.ends_with("13101003A"), "{dated}");
    }
}
