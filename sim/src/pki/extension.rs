//! The certificate extensions of the hierarchy, one function each; whether an extension is critical
//! is as measured on real certificates, and not always what the library would choose.

use const_oid::db::rfc5280::{
    ID_AD_OCSP, ID_CE_ISSUING_DISTRIBUTION_POINT, ID_KP_CLIENT_AUTH, ID_KP_OCSP_SIGNING, ID_QT_CPS,
};
use const_oid::db::rfc6960::ID_PKIX_OCSP_NOCHECK;
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::{Any, Ia5String, Null, OctetString, Uint};
use der::flagset::FlagSet;
use der::{Decode, Encode, Tag};
use sha1::{Digest, Sha1};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::certpolicy::{PolicyInformation, PolicyQualifierInfo};
use x509_cert::ext::pkix::crl::dp::{DistributionPoint, IssuingDistributionPoint};
use x509_cert::ext::pkix::crl::{CrlNumber, CrlReason};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, OtherName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints,
    CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage, IssuerAltName, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

/// Where the certification practice statement would be.
const CPS: &str = "http://www.vmyna.test/cps.html";

fn extension<E: AssociatedOid + Encode>(critical: bool, value: &E) -> der::Result<Extension> {
    Ok(Extension { extn_id: E::OID, critical, extn_value: OctetString::new(value.to_der()?)? })
}

/// keyUsage, critical
pub(crate) fn key_usage(usages: impl Into<FlagSet<KeyUsages>>) -> der::Result<Extension> {
    extension(true, &KeyUsage(usages.into()))
}

/// extKeyUsage: clientAuth, not critical
pub(crate) fn client_authentication() -> der::Result<Extension> {
    extension(false, &ExtendedKeyUsage(vec![ID_KP_CLIENT_AUTH]))
}

/// extKeyUsage: OCSPSigning, not critical
pub(crate) fn ocsp_signing() -> der::Result<Extension> {
    extension(false, &ExtendedKeyUsage(vec![ID_KP_OCSP_SIGNING]))
}

/// id-pkix-ocsp-nocheck, not critical: nobody need ask whether this responder is revoked (RFC 6960,
/// 4.2.2.2.1)
pub(crate) fn ocsp_no_check() -> der::Result<Extension> {
    let extn_value = OctetString::new(Null.to_der()?)?;
    Ok(Extension { extn_id: ID_PKIX_OCSP_NOCHECK, critical: false, extn_value })
}

/// basicConstraints, critical: an authority, with no limit to the length of the path
pub(crate) fn authority() -> der::Result<Extension> {
    extension(true, &BasicConstraints { ca: true, path_len_constraint: None })
}

/// certificatePolicies, critical: one policy, with the place of its practice statement
pub(crate) fn policy(policy_identifier: ObjectIdentifier) -> der::Result<Extension> {
    let qualifier = Any::encode_from(&Ia5String::new(CPS)?)?;
    let cps = PolicyQualifierInfo { policy_qualifier_id: ID_QT_CPS, qualifier: Some(qualifier) };
    let policy = PolicyInformation { policy_identifier, policy_qualifiers: Some(vec![cps]) };
    extension(true, &CertificatePolicies(vec![policy]))
}

/// subjectAltName, not critical: a directory name
pub(crate) fn subject_directory_name(name: Name) -> der::Result<Extension> {
    extension(false, &SubjectAltName(vec![GeneralName::DirectoryName(name)]))
}

/// subjectAltName, not critical: other names, each a UTF8String, in this order
pub(crate) fn subject_other_names(names: &[(ObjectIdentifier, &str)]) -> der::Result<Extension> {
    let names = names
        .iter()
        .map(|(type_id, value)| {
            let value = Any::new(Tag::Utf8String, value.as_bytes())?;
            Ok(GeneralName::OtherName(OtherName { type_id: *type_id, value }))
        })
        .collect::<der::Result<_>>()?;
    extension(false, &SubjectAltName(names))
}

/// issuerAltName, not critical: a directory name
pub(crate) fn issuer_directory_name(name: Name) -> der::Result<Extension> {
    extension(false, &IssuerAltName(vec![GeneralName::DirectoryName(name)]))
}

/// cRLDistributionPoints, not critical: one point, in a directory
pub(crate) fn crl_distribution_point(name: Name) -> der::Result<Extension> {
    let full_name = DistributionPointName::FullName(vec![GeneralName::DirectoryName(name)]);
    let point = DistributionPoint { distribution_point: Some(full_name), reasons: None, crl_issuer: None };
    extension(false, &CrlDistributionPoints(vec![point]))
}

/// cRLNumber, not critical
pub(crate) fn crl_number(number: u64) -> der::Result<Extension> {
    extension(false, &CrlNumber(Uint::new(&number.to_be_bytes())?))
}

/// issuingDistributionPoint, critical: the list has only what certificates of holders name this
/// point for. The object identifier is set here, for the library has that of another extension.
pub(crate) fn issuing_distribution_point(name: Name) -> der::Result<Extension> {
    let point = IssuingDistributionPoint {
        distribution_point: Some(DistributionPointName::FullName(vec![GeneralName::DirectoryName(name)])),
        only_contains_user_certs: true,
        only_contains_ca_certs: false,
        only_some_reasons: None,
        indirect_crl: false,
        only_contains_attribute_certs: false,
    };
    let extn_value = OctetString::new(point.to_der()?)?;
    Ok(Extension { extn_id: ID_CE_ISSUING_DISTRIBUTION_POINT, critical: true, extn_value })
}

/// reasonCode of an entry in a revocation list, not critical
pub(crate) fn reason_code(reason: CrlReason) -> der::Result<Extension> {
    extension(false, &reason)
}

/// authorityInfoAccess, not critical: an OCSP responder
pub(crate) fn ocsp(url: &str) -> der::Result<Extension> {
    let access_location = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
    let responder = AccessDescription { access_method: ID_AD_OCSP, access_location };
    extension(false, &AuthorityInfoAccessSyntax(vec![responder]))
}

/// authorityKeyIdentifier, not critical: key, and issuer and serial number of its certificate
pub(crate) fn authority_key_identifier(
    key_identifier: &[u8],
    issuer: Name,
    serial_number: SerialNumber,
) -> der::Result<Extension> {
    let identifier = AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(key_identifier)?),
        authority_cert_issuer: Some(vec![GeneralName::DirectoryName(issuer)]),
        authority_cert_serial_number: Some(serial_number),
    };
    extension(false, &identifier)
}

/// subjectKeyIdentifier, not critical
pub(crate) fn subject_key_identifier(public_key: &[u8]) -> der::Result<Extension> {
    let identifier = SubjectKeyIdentifier(OctetString::new(key_identifier(public_key)?)?);
    extension(false, &identifier)
}

/// SHA-1 over the bits of `public_key`, a DER SubjectPublicKeyInfo (RFC 5280, 4.2.1.2, method 1).
pub(crate) fn key_identifier(public_key: &[u8]) -> der::Result<[u8; 20]> {
    let info = SubjectPublicKeyInfoRef::from_der(public_key)?;
    Ok(Sha1::digest(info.subject_public_key.raw_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;

    #[test]
    fn the_issuing_distribution_point_has_its_own_object_identifier_and_der_defaults() {
        let point = issuing_distribution_point(Authority::UserAuthentication.name().unwrap()).unwrap();
        assert_eq!(point.extn_id.to_string(), "2.5.29.28");
        assert!(point.critical);
        let bytes = point.extn_value.as_bytes();
        // the last element is onlyContainsUserCerts [1] TRUE: those that are FALSE are left out
        assert!(bytes.ends_with(&[0x81, 0x01, 0xFF]), "{bytes:02X?}");
    }

    #[test]
    fn a_crl_number_is_a_shortest_non_negative_integer() {
        let bytes = |number| crl_number(number).unwrap().extn_value.as_bytes().to_vec();
        assert_eq!(bytes(0), [0x02, 0x01, 0x00]);
        assert_eq!(bytes(0x80), [0x02, 0x02, 0x00, 0x80]);
        assert_eq!(bytes(u64::MAX), [&[0x02, 0x09, 0x00][..], &[0xFF; 8]].concat());
    }

    #[test]
    fn key_usages_have_the_measured_bytes() {
        let bytes = |extension: Extension| extension.extn_value.as_bytes().to_vec();
        assert_eq!(bytes(key_usage(KeyUsages::DigitalSignature).unwrap()), [0x03, 0x02, 0x07, 0x80]);
        assert_eq!(
            bytes(key_usage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation).unwrap()),
            [0x03, 0x02, 0x06, 0xC0]
        );
        assert_eq!(
            bytes(key_usage(KeyUsages::KeyCertSign | KeyUsages::CRLSign).unwrap()),
            [0x03, 0x02, 0x01, 0x06]
        );
        assert_eq!(bytes(authority().unwrap()), [0x30, 0x03, 0x01, 0x01, 0xFF]);
    }
}
