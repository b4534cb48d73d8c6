//! X.509 version 3 certificates, encoded and signed. The structures are our own because those of
//! the library cannot be filled in from outside.

use super::{PkiError, Validity, validity::EncodedValidity};
use crate::key::Signer;
use der::asn1::BitString;
use der::{Decode, Encode, Sequence};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

/// Version ::= INTEGER { v1(0), v2(1), v3(2) }
const V3: u8 = 2;

/// TBSCertificate (RFC 5280, 4.1), without the unique identifiers that nobody uses:
///
/// ```text
/// TBSCertificate ::= SEQUENCE {
///     version         [0] EXPLICIT Version,
///     serialNumber        CertificateSerialNumber,
///     signature           AlgorithmIdentifier,
///     issuer              Name,
///     validity            Validity,
///     subject             Name,
///     subjectPublicKeyInfo SubjectPublicKeyInfo,
///     extensions      [3] EXPLICIT Extensions }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: EncodedValidity,
    subject: Name,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// Certificate (RFC 5280, 4.1):
///
/// ```text
/// Certificate ::= SEQUENCE {
///     tbsCertificate      TBSCertificate,
///     signatureAlgorithm  AlgorithmIdentifier,
///     signatureValue      BIT STRING }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct Certificate {
    tbs_certificate: TbsCertificate,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature_value: BitString,
}

/// What an authority is asked to certify.
pub(crate) struct Request<'k> {
    /// its number among the authority's certificates
    pub(crate) serial_number: SerialNumber,
    /// from when until when
    pub(crate) validity: Validity,
    /// whose key it is
    pub(crate) subject: Name,
    /// the key: a DER SubjectPublicKeyInfo
    pub(crate) public_key: &'k [u8],
    /// in this order
    pub(crate) extensions: Vec<Extension>,
}

impl Request<'_> {
    /// The DER certificate, signed by `key` in the name of `issuer`.
    pub(crate) fn sign(self, issuer: Name, key: &dyn Signer) -> Result<Vec<u8>, PkiError> {
        let algorithm = key.algorithm().identifier();
        let tbs_certificate = TbsCertificate {
            version: V3,
            serial_number: self.serial_number,
            signature: algorithm.clone(),
            issuer,
            validity: self.validity.to_asn1()?,
            subject: self.subject,
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(self.public_key)?,
            extensions: self.extensions,
        };
        let signature = key.sign_message(&tbs_certificate.to_der()?)?;
        let signature_value = BitString::from_bytes(&signature)?;
        Ok(Certificate { tbs_certificate, signature_algorithm: algorithm, signature_value }.to_der()?)
    }
}
