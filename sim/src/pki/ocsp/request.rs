//! An OCSP request, read from outside: nothing in it is trusted, and anything that is not exactly
//! one is malformed.

use const_oid::db::rfc6960::ID_PKIX_OCSP_NONCE;
use der::asn1::{Any, Int, OctetStringRef};
use der::{Decode, Sequence};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;

/// Lengths that a nonce may have (RFC 9654, 2.1).
const NONCE_LENGTHS: std::ops::RangeInclusive<usize> = 1..=128;

const V1: u8 = 0;

fn v1() -> u8 {
    V1
}

/// OCSPRequest (RFC 6960, 4.1.1):
///
/// ```text
/// OCSPRequest ::= SEQUENCE {
///     tbsRequest             TBSRequest,
///     optionalSignature  [0] EXPLICIT Signature OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct OcspRequest {
    tbs_request: TbsRequest,
    /// who asks does not matter here, so it may be anything
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    optional_signature: Option<Any>,
}

/// TBSRequest:
///
/// ```text
/// TBSRequest ::= SEQUENCE {
///     version            [0] EXPLICIT Version DEFAULT v1,
///     requestorName      [1] EXPLICIT GeneralName OPTIONAL,
///     requestList            SEQUENCE OF Request,
///     requestExtensions  [2] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct TbsRequest {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "v1")]
    version: u8,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    requestor_name: Option<Any>,
    request_list: Vec<SingleRequest>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    request_extensions: Option<Vec<Extension>>,
}

/// Request:
///
/// ```text
/// Request ::= SEQUENCE {
///     reqCert                      CertID,
///     singleRequestExtensions  [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct SingleRequest {
    req_cert: CertId,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    single_request_extensions: Option<Vec<Extension>>,
}

/// CertID:
///
/// ```text
/// CertID ::= SEQUENCE {
///     hashAlgorithm   AlgorithmIdentifier,
///     issuerNameHash  OCTET STRING,   -- of the issuer's name
///     issuerKeyHash   OCTET STRING,   -- of the issuer's public key
///     serialNumber    CertificateSerialNumber }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct CertId {
    pub(super) hash_algorithm: AlgorithmIdentifierOwned,
    pub(super) issuer_name_hash: der::asn1::OctetString,
    pub(super) issuer_key_hash: der::asn1::OctetString,
    pub(super) serial_number: Int,
}

/// Not an OCSP request that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl From<der::Error> for Malformed {
    fn from(_: der::Error) -> Self {
        Self
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// at least one
    pub(super) certificates: Vec<CertId>,
    /// the extension as it came; the answer has the same
    pub(super) nonce: Option<Extension>,
}

impl Request {
    /// Reads the DER encoding of a request.
    pub(super) fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let TbsRequest { version, request_list, request_extensions, .. } =
            OcspRequest::from_der(der)?.tbs_request;
        if version != V1 || request_list.is_empty() {
            return Err(Malformed);
        }
        let mut nonce = None;
        for extension in request_extensions.unwrap_or_default() {
            if extension.extn_id == ID_PKIX_OCSP_NONCE {
                let value = <&OctetStringRef>::from_der(extension.extn_value.as_bytes())?;
                if nonce.is_some() || !NONCE_LENGTHS.contains(&value.as_bytes().len()) {
                    return Err(Malformed);
                }
                nonce = Some(extension);
            } else if extension.critical {
                return Err(Malformed);
            }
        }
        let mut certificates = Vec::with_capacity(request_list.len());
        for request in request_list {
            // those that are not critical are for responders that know them (RFC 6960, 4.4)
            if request.single_request_extensions.unwrap_or_default().iter().any(|one| one.critical) {
                return Err(Malformed);
            }
            certificates.push(request.req_cert);
        }
        Ok(Self { certificates, nonce })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;
    use der::asn1::OctetString;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// As `openssl ocsp -reqout` writes it, for serial number 0705D990, with a nonce of 14 bytes.
    const BY_OPENSSL: [u8; 106] = hex!(
        "3068 3066 3041 303F 303D 3009 06052B0E03021A 0500
         0414 1111111111111111111111111111111111111111
         0414 2222222222222222222222222222222222222222
         0204 0705D990
         A221 301F 301D 06092B0601050507300102 0410 040E 000102030405060708090A0B0C0D"
    );

    fn with_extensions(extensions: Vec<Extension>) -> Vec<u8> {
        let mut request = OcspRequest::from_der(&BY_OPENSSL).unwrap();
        request.tbs_request.request_extensions = Some(extensions);
        request.to_der().unwrap()
    }

    fn nonce(value: &[u8]) -> Extension {
        let inner = OctetString::new(value).unwrap().to_der().unwrap();
        let extn_value = OctetString::new(inner).unwrap();
        Extension { extn_id: ID_PKIX_OCSP_NONCE, critical: false, extn_value }
    }

    #[test]
    fn a_request_is_read_and_keeps_its_bytes() {
        let request = Request::parse(&BY_OPENSSL).unwrap();
        assert_eq!(request.certificates[0].serial_number.as_bytes(), hex!("0705D990"));
        assert_eq!(request.nonce.unwrap().extn_value.as_bytes(), hex!("040E000102030405060708090A0B0C0D"));
        assert_eq!(OcspRequest::from_der(&BY_OPENSSL).unwrap().to_der().unwrap(), BY_OPENSSL);
    }

    #[test]
    fn nonces_have_1_to_128_bytes_and_come_once() {
        for length in [1, 32, 128] {
            assert!(Request::parse(&with_extensions(vec![nonce(&vec![7; length])])).is_ok(), "{length}");
        }
        for wrong in [vec![nonce(&[])], vec![nonce(&[7; 129])], vec![nonce(&[7]), nonce(&[7])]] {
            assert_eq!(Request::parse(&with_extensions(wrong)), Err(Malformed));
        }
    }

    #[test]
    fn unknown_extensions_matter_only_when_critical() {
        let other = |critical| Extension {
            extn_id: const_oid::db::rfc6960::ID_PKIX_OCSP_CRL,
            critical,
            ..nonce(&[1])
        };
        assert!(Request::parse(&with_extensions(vec![other(false)])).is_ok());
        assert_eq!(Request::parse(&with_extensions(vec![other(true)])), Err(Malformed));
    }

    #[test]
    fn what_asks_nothing_is_malformed() {
        let mut request = OcspRequest::from_der(&BY_OPENSSL).unwrap();
        request.tbs_request.request_list.clear();
        let none = request.to_der().unwrap();
        let longer = [&BY_OPENSSL[..], &[0]].concat();
        for der in [&b""[..], &[0x30, 0x00], &none, &longer, &BY_OPENSSL[..105]] {
            assert_eq!(Request::parse(der), Err(Malformed));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_at_all_make_it_panic(der: Vec<u8>) {
            let _ = Request::parse(&der);
        }

        #[test]
        fn nor_do_a_few_changed_ones(changes in prop::collection::vec((0..BY_OPENSSL.len(), any::<u8>()), 1..4), length in 0..=BY_OPENSSL.len()) {
            let mut der = BY_OPENSSL;
            for (place, byte) in changes {
                der[place] = byte;
            }
            if let Ok(request) = Request::parse(&der) {
                prop_assert!(!request.certificates.is_empty());
            }
            prop_assert!(length == der.len() || Request::parse(&der[..length]).is_err());
        }
    }
}
