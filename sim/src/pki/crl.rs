//! Certificate revocation lists: for each generation of each authority a whole one, and one for each
//! municipality, which the certificates of its holders point at.

use super::{
    CertificateStatus, CertificationAuthority, Partition, PkiError, Record, Register, Revocation, extension,
    time,
};
use const_oid::db::rfc5912::SHA_256_WITH_RSA_ENCRYPTION;
use der::asn1::{Any, BitString};
use der::{Encode, Sequence};
use jiff::{SignedDuration, Timestamp};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

/// From thisUpdate to nextUpdate. The real lists are issued every day; ours lie in a folder, and
/// should not run out before the week does.
pub const VALID_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Version ::= INTEGER { v1(0), v2(1), v3(2) }
const V2: u8 = 1;

/// TBSCertList (RFC 5280, 5.1), all of whose optional fields are here but an empty list:
///
/// ```text
/// TBSCertList ::= SEQUENCE {
///     version              Version OPTIONAL,
///     signature            AlgorithmIdentifier,
///     issuer               Name,
///     thisUpdate           Time,
///     nextUpdate           Time OPTIONAL,
///     revokedCertificates  SEQUENCE OF SEQUENCE { … } OPTIONAL,
///     crlExtensions    [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct TbsCertList {
    version: u8,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    this_update: Any,
    next_update: Any,
    revoked_certificates: Option<Vec<RevokedCertificate>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    crl_extensions: Vec<Extension>,
}

/// An element of revokedCertificates:
///
/// ```text
/// SEQUENCE {
///     userCertificate     CertificateSerialNumber,
///     revocationDate      Time,
///     crlEntryExtensions  Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct RevokedCertificate {
    user_certificate: SerialNumber,
    revocation_date: Any,
    crl_entry_extensions: Option<Vec<Extension>>,
}

/// CertificateList (RFC 5280, 5.1):
///
/// ```text
/// CertificateList ::= SEQUENCE {
///     tbsCertList         TBSCertList,
///     signatureAlgorithm  AlgorithmIdentifier,
///     signatureValue      BIT STRING }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct CertificateList {
    tbs_cert_list: TbsCertList,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature_value: BitString,
}

/// What a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'p> {
    /// everything that this generation of the authority issued
    Whole,
    /// what it issued to holders of one municipality; issuingDistributionPoint says which
    Municipality(&'p Partition),
}

impl Scope<'_> {
    fn includes(self, record: &Record) -> bool {
        match self {
            Self::Whole => true,
            Self::Municipality(municipality) => record.municipality == *municipality,
        }
    }
}

/// The list of what is revoked at `now`, certificates on hold included, DER. Entries are in the
/// order of serial numbers, so that the same register and clock give the same bytes.
///
/// # Errors
/// [`PkiError`] when the authority's key does not sign, or the clock is near the end of the calendar.
pub fn sign(
    ca: &CertificationAuthority,
    register: &Register,
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<Vec<u8>, PkiError> {
    let mut revoked_certificates = register
        .issued_by(ca.authority(), ca.generation())
        .filter(|record| scope.includes(record))
        .filter_map(|record| match record.status(now) {
            CertificateStatus::Revoked(revocation) => Some(entry(record, revocation)),
            CertificateStatus::Good | CertificateStatus::Unknown => None,
        })
        .collect::<der::Result<Vec<_>>>()?;
    revoked_certificates.sort_by(|one, other| one.user_certificate.cmp(&other.user_certificate));

    let mut crl_extensions =
        vec![ca.key_identifier_extension()?, extension::crl_number(number(register, now))?];
    if let Scope::Municipality(municipality) = scope {
        crl_extensions.push(extension::issuing_distribution_point(municipality.name(ca.authority())?)?);
    }
    let algorithm =
        AlgorithmIdentifierOwned { oid: SHA_256_WITH_RSA_ENCRYPTION, parameters: Some(Any::null()) };
    let tbs_cert_list = TbsCertList {
        version: V2,
        signature: algorithm.clone(),
        issuer: ca.authority().name()?,
        this_update: time(now)?,
        next_update: time(now.saturating_add(VALID_FOR).unwrap_or(Timestamp::MAX))?,
        // an empty list is left out (RFC 5280, 5.1.2.6)
        revoked_certificates: (!revoked_certificates.is_empty()).then_some(revoked_certificates),
        crl_extensions,
    };
    let signature = ca.key().sign_message(&tbs_cert_list.to_der()?)?;
    let signature_value = BitString::from_bytes(&signature)?;
    Ok(CertificateList { tbs_cert_list, signature_algorithm: algorithm, signature_value }.to_der()?)
}

fn entry(record: &Record, revocation: Revocation) -> der::Result<RevokedCertificate> {
    let reason = revocation.reason.code().map(extension::reason_code).transpose()?;
    Ok(RevokedCertificate {
        user_certificate: record.serial_number.clone(),
        revocation_date: time(revocation.since)?,
        crl_entry_extensions: reason.map(|reason| vec![reason]),
    })
}

/// cRLNumber: the seconds since the year 0, plus the changes of the register. Neither ever becomes
/// less, so a list that is later or says something else always has a greater number.
fn number(register: &Register, now: Timestamp) -> u64 {
    const YEAR_0: i64 = -62_167_219_200;
    let seconds = u64::try_from(now.as_second().saturating_sub(YEAR_0)).unwrap_or(0);
    seconds.saturating_add(register.edition())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_the_year_0_and_grow_with_the_clock() {
        let at = |text: &str| number(&Register::new(), text.parse().unwrap());
        assert_eq!(at("0000-01-01T00:00:00Z"), 0);
        assert_eq!(at("-000001-01-01T00:00:00Z"), 0);
        assert_eq!(at("2026-01-01T00:00:01Z"), at("2026-01-01T00:00:00Z") + 1);
    }
}
