//! An OCSP response and how it is signed.

use super::request::CertId;
use crate::key::Signer;
use crate::pki::{CertificateStatus, PkiError, Revocation, extension, generalized_time};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::SHA_256_WITH_RSA_ENCRYPTION;
use const_oid::db::rfc6960::ID_PKIX_OCSP_BASIC;
use der::asn1::{Any, BitString, Null, OctetString};
use der::{Choice, Encode, Enumerated, Sequence};
use jiff::Timestamp;
use spki::AlgorithmIdentifierOwned;
use std::fmt;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlReason;

/// OCSPResponseStatus (RFC 6960, 4.2.1), those that are given here:
///
/// ```text
/// OCSPResponseStatus ::= ENUMERATED {
///     successful (0), malformedRequest (1), internalError (2), tryLater (3),
///     sigRequired (5), unauthorized (6) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enumerated)]
#[repr(u8)]
pub enum ResponseStatus {
    /// there is an answer
    Successful = 0,
    /// it was no request
    MalformedRequest = 1,
    /// the answer could not be made
    InternalError = 2,
    /// not all certificates that were asked for are of one authority of ours
    Unauthorized = 6,
}

impl fmt::Display for ResponseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::Unauthorized => "unauthorized",
        })
    }
}

/// OCSPResponse (RFC 6960, 4.2.1):
///
/// ```text
/// OCSPResponse ::= SEQUENCE {
///     responseStatus         OCSPResponseStatus,
///     responseBytes      [0] EXPLICIT ResponseBytes OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct OcspResponse {
    response_status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    response_bytes: Option<ResponseBytes>,
}

/// ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING }
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct ResponseBytes {
    response_type: ObjectIdentifier,
    response: OctetString,
}

/// BasicOCSPResponse:
///
/// ```text
/// BasicOCSPResponse ::= SEQUENCE {
///     tbsResponseData      ResponseData,
///     signatureAlgorithm   AlgorithmIdentifier,
///     signature            BIT STRING,
///     certs            [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct BasicOcspResponse {
    tbs_response_data: ResponseData,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    certs: Vec<Any>,
}

/// ResponseData, whose version is the default v1:
///
/// ```text
/// ResponseData ::= SEQUENCE {
///     version             [0] EXPLICIT Version DEFAULT v1,
///     responderID             ResponderID,
///     producedAt              GeneralizedTime,
///     responses               SEQUENCE OF SingleResponse,
///     responseExtensions  [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct ResponseData {
    responder_id: ResponderId,
    produced_at: Any,
    responses: Vec<SingleResponse>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    response_extensions: Option<Vec<Extension>>,
}

/// ResponderID, by the SHA-1 over the bits of the public key:
///
/// ```text
/// ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Choice)]
enum ResponderId {
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", constructed = "true")]
    ByKey(OctetString),
}

/// SingleResponse:
///
/// ```text
/// SingleResponse ::= SEQUENCE {
///     certID                CertID,
///     certStatus            CertStatus,
///     thisUpdate            GeneralizedTime,
///     nextUpdate        [0] EXPLICIT GeneralizedTime OPTIONAL,
///     singleExtensions  [1] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct SingleResponse {
    cert_id: CertId,
    cert_status: CertStatus,
    this_update: Any,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    next_update: Any,
}

/// CertStatus:
///
/// ```text
/// CertStatus ::= CHOICE {
///     good     [0] IMPLICIT NULL,
///     revoked  [1] IMPLICIT RevokedInfo,
///     unknown  [2] IMPLICIT UnknownInfo }   -- NULL
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Choice)]
enum CertStatus {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    Good(Null),
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true")]
    Revoked(RevokedInfo),
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT")]
    Unknown(Null),
}

/// RevokedInfo:
///
/// ```text
/// RevokedInfo ::= SEQUENCE {
///     revocationTime        GeneralizedTime,
///     revocationReason  [0] EXPLICIT CRLReason OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct RevokedInfo {
    revocation_time: Any,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    revocation_reason: Option<CrlReason>,
}

impl CertStatus {
    fn of(status: CertificateStatus) -> der::Result<Self> {
        Ok(match status {
            CertificateStatus::Good => Self::Good(Null),
            CertificateStatus::Unknown => Self::Unknown(Null),
            CertificateStatus::Revoked(Revocation { since, reason }) => Self::Revoked(RevokedInfo {
                revocation_time: generalized_time(since)?,
                revocation_reason: reason.code(),
            }),
        })
    }
}

/// A response that is only its status, as every one but `successful` is.
pub(super) fn refusal(status: ResponseStatus) -> Vec<u8> {
    // OCSPResponse of one ENUMERATED of one byte; by hand, because this must not fail
    vec![0x30, 0x03, 0x0A, 0x01, status as u8]
}

/// What a response says.
pub(super) struct Content {
    /// in the order of the request
    pub(super) statuses: Vec<(CertId, CertificateStatus)>,
    /// producedAt, and thisUpdate of all of them
    pub(super) now: Timestamp,
    /// nextUpdate of all of them
    pub(super) next_update: Timestamp,
    /// the request's own
    pub(super) nonce: Option<Extension>,
}

impl Content {
    /// The successful response, DER, signed by `key` with sha256WithRSAEncryption; `certificate` is
    /// the key's and goes with it.
    pub(super) fn sign(self, key: &dyn Signer, certificate: &Any) -> Result<Vec<u8>, PkiError> {
        let responses = self
            .statuses
            .into_iter()
            .map(|(cert_id, status)| {
                Ok(SingleResponse {
                    cert_id,
                    cert_status: CertStatus::of(status)?,
                    this_update: generalized_time(self.now)?,
                    next_update: generalized_time(self.next_update)?,
                })
            })
            .collect::<der::Result<_>>()?;
        let tbs_response_data = ResponseData {
            responder_id: ResponderId::ByKey(OctetString::new(extension::key_identifier(key.public_key())?)?),
            produced_at: generalized_time(self.now)?,
            responses,
            response_extensions: self.nonce.map(|nonce| vec![nonce]),
        };
        let signature = key.sign_message(&tbs_response_data.to_der()?)?;
        let basic = BasicOcspResponse {
            tbs_response_data,
            signature_algorithm: AlgorithmIdentifierOwned {
                oid: SHA_256_WITH_RSA_ENCRYPTION,
                parameters: Some(Any::null()),
            },
            signature: BitString::from_bytes(&signature)?,
            certs: vec![certificate.clone()],
        };
        let response_bytes =
            ResponseBytes { response_type: ID_PKIX_OCSP_BASIC, response: OctetString::new(basic.to_der()?)? };
        let response = OcspResponse {
            response_status: ResponseStatus::Successful,
            response_bytes: Some(response_bytes),
        };
        Ok(response.to_der()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_bytes_of_the_structure() {
        for status in
            [ResponseStatus::MalformedRequest, ResponseStatus::InternalError, ResponseStatus::Unauthorized]
        {
            let structure = OcspResponse { response_status: status, response_bytes: None };
            assert_eq!(refusal(status), structure.to_der().unwrap());
        }
    }
}
