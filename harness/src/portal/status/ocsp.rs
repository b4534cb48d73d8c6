//! An OCSP responder (RFC 6960), asked over HTTP for each certificate. Its answer counts when the
//! issuer signed it, or somebody whom the issuer has certified for that, and when it is of now.

use super::{StatusSource, StatusUnavailable};
use crate::verify::Certificate;
use der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, OctetString};
use der::oid::AssociatedOid;
use der::{Decode, Encode, Enumerated, Sequence, Tag, Tagged};
use jiff::{SignedDuration, Timestamp};
use sha1::Digest;
use std::time::{Duration, SystemTime};
use vmyna_sim::pki::{CertificateStatus, Reason, Revocation};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{CrlReason, ExtendedKeyUsage};
use x509_cert::spki::AlgorithmIdentifierOwned;

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
const TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST: u64 = 64 * 1024;
/// How far the responder's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// A responder.
pub struct OcspResponder {
    url: String,
    agent: ureq::Agent,
}

/// CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }
#[derive(Sequence, PartialEq, Eq)]
struct CertId {
    hash_algorithm: AlgorithmIdentifierOwned,
    issuer_name_hash: OctetString,
    issuer_key_hash: OctetString,
    serial_number: der::asn1::Int,
}

/// Request ::= SEQUENCE { reqCert CertID }
#[derive(Sequence)]
struct SingleRequest {
    req_cert: CertId,
}

/// TBSRequest ::= SEQUENCE { requestList SEQUENCE OF Request }
#[derive(Sequence)]
struct TbsRequest {
    request_list: Vec<SingleRequest>,
}

/// OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest }
#[derive(Sequence)]
struct OcspRequest {
    tbs_request: TbsRequest,
}

#[derive(Enumerated, Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

/// OCSPResponse ::= SEQUENCE { responseStatus, responseBytes [0] EXPLICIT ResponseBytes OPTIONAL }
#[derive(Sequence)]
struct OcspResponse {
    response_status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    response_bytes: Option<ResponseBytes>,
}

/// ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING }
#[derive(Sequence)]
struct ResponseBytes {
    response_type: ObjectIdentifier,
    response: OctetString,
}

/// BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature, certs [0] OPTIONAL }
#[derive(Sequence)]
struct BasicOcspResponse {
    tbs_response_data: Any,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    certs: Option<Vec<Any>>,
}

/// ResponseData, whose version is the default.
#[derive(Sequence)]
struct ResponseData {
    responder_id: Any,
    produced_at: GeneralizedTime,
    responses: Vec<SingleResponse>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    response_extensions: Option<Vec<Extension>>,
}

/// SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0], singleExtensions [1] }
#[derive(Sequence)]
struct SingleResponse {
    cert_id: CertId,
    cert_status: Any,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    single_extensions: Option<Vec<Extension>>,
}

/// RevokedInfo ::= SEQUENCE { revocationTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }
#[derive(Sequence)]
struct RevokedInfo {
    revocation_time: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    revocation_reason: Option<CrlReason>,
}

impl OcspResponder {
    /// The responder at an `http://` address.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
        Self { url: url.into(), agent }
    }

    fn unavailable(&self, error: impl std::fmt::Display) -> StatusUnavailable {
        StatusUnavailable(format!("{}: {error}", self.url))
    }

    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, ureq::Error> {
        let post = self.agent.post(&self.url).header("content-type", "application/ocsp-request");
        post.send(request)?.body_mut().with_config().limit(LONGEST).read_to_vec()
    }
}

impl StatusSource for OcspResponder {
    fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<CertificateStatus, StatusUnavailable> {
        let unreadable = |error: der::Error| self.unavailable(error);
        let request_list = vec![SingleRequest { req_cert: id(certificate, issuer).map_err(unreadable)? }];
        let request = OcspRequest { tbs_request: TbsRequest { request_list } };
        let answer =
            self.ask(&request.to_der().map_err(unreadable)?).map_err(|error| self.unavailable(error))?;
        read(&answer, &id(certificate, issuer).map_err(unreadable)?, issuer, now)
            .map_err(|error| self.unavailable(error))
    }
}

fn id(certificate: &Certificate, issuer: &Certificate) -> der::Result<CertId> {
    let issuer = issuer.parsed().tbs_certificate();
    let key = issuer.subject_public_key_info().subject_public_key.raw_bytes();
    Ok(CertId {
        hash_algorithm: AlgorithmIdentifierOwned { oid: SHA1, parameters: Some(Any::null()) },
        issuer_name_hash: OctetString::new(&sha1::Sha1::digest(issuer.subject().to_der()?)[..])?,
        issuer_key_hash: OctetString::new(&sha1::Sha1::digest(key)[..])?,
        serial_number: der::asn1::Int::from_der(
            &certificate.parsed().tbs_certificate().serial_number().to_der()?,
        )?,
    })
}

/// The status in an answer, if all of it holds.
fn read(
    answer: &[u8],
    asked: &CertId,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<CertificateStatus, String> {
    let told = |error: der::Error| error.to_string();
    let response = OcspResponse::from_der(answer).map_err(told)?;
    let Some(bytes) = response.response_bytes else {
        return Err(format!("the responder says {:?}", response.response_status));
    };
    let basic = BasicOcspResponse::from_der(bytes.response.as_bytes()).map_err(told)?;
    is_authentic(&basic, issuer, now)?;
    let data: ResponseData = basic.tbs_response_data.decode_as().map_err(told)?;
    let single = data.responses.into_iter().find(|single| {
        (&single.cert_id.issuer_key_hash, &single.cert_id.serial_number)
            == (&asked.issuer_key_hash, &asked.serial_number)
    });
    let single = single.ok_or("the answer is about another certificate")?;
    let at = |time: GeneralizedTime| {
        Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
            .unwrap_or(Timestamp::MAX)
    };
    if at(single.this_update) > now + SKEW || single.next_update.is_some_and(|next| at(next) < now) {
        return Err("the answer is not of now".to_owned());
    }
    match single.cert_status.tag().number().value() {
        0 => Ok(CertificateStatus::Good),
        1 => {
            let info = Any::new(Tag::Sequence, single.cert_status.value()).map_err(told)?;
            let info: RevokedInfo = info.decode_as().map_err(told)?;
            let reason = super::reason(info.revocation_reason).unwrap_or(Reason::Unspecified);
            Ok(CertificateStatus::Revoked(Revocation { since: at(info.revocation_time), reason }))
        }
        _ => Ok(CertificateStatus::Unknown),
    }
}

/// Whether the issuer signed, or one to whom it delegated its answers.
fn is_authentic(basic: &BasicOcspResponse, issuer: &Certificate, now: Timestamp) -> Result<(), String> {
    let signed = basic.tbs_response_data.to_der().map_err(|error| error.to_string())?;
    let delegate = |der: &Any| {
        let certificate = Certificate::parse(&der.to_der().ok()?).ok()?;
        let usages = certificate.parsed().tbs_certificate().extensions().into_iter().flatten();
        let is_delegate = usages
            .filter(|extension| extension.extn_id == ExtendedKeyUsage::OID)
            .filter_map(|extension| ExtendedKeyUsage::from_der(extension.extn_value.as_bytes()).ok())
            .any(|usage| usage.0.contains(&OCSP_SIGNING));
        let holds = is_delegate
            && certificate.is_signed_by(issuer).is_ok()
            && certificate.is_valid_at(SystemTime::from(now)).is_ok();
        holds.then_some(certificate)
    };
    let delegates = basic.certs.iter().flatten().filter_map(delegate);
    std::iter::once(issuer.clone())
        .chain(delegates)
        .filter_map(|signer| signer.public_key().ok())
        .any(|key| super::is_sha256_signature(&key, &signed, basic.signature.raw_bytes()))
        .then_some(())
        .ok_or_else(|| "nobody who may has signed the answer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmyna_sim::holder::Holder;
    use vmyna_sim::issue::issue;
    use vmyna_sim::pki::Register;
    use vmyna_sim::pki::ocsp::Responder;

    #[test]
    fn the_answers_of_our_responder_are_read_and_changed_ones_refused() {
        let now: Timestamp = "2026-04-01T00:30:00Z".parse().unwrap();
        for (holder, expected) in [
            ("hanako", None),
            ("revoked", Some(Reason::CessationOfOperation)),
            ("on-hold", Some(Reason::CertificateHold)),
        ] {
            let issued = issue(&Holder::built_in(holder).unwrap(), now).unwrap();
            let mut register = Register::new();
            register.enrol(issued.user_authentication.record.clone());
            let certificate = Certificate::parse(&issued.user_authentication.certificate).unwrap();
            let issuer = Certificate::parse(&issued.user_authentication_ca).unwrap();
            let asked = id(&certificate, &issuer).unwrap();
            let request_list = vec![SingleRequest { req_cert: id(&certificate, &issuer).unwrap() }];
            let request = OcspRequest { tbs_request: TbsRequest { request_list } }.to_der().unwrap();
            let answer = Responder::new().answer(&request, &register, now).der;
            let status = read(&answer, &asked, &issuer, now).unwrap();
            match (status, expected) {
                (CertificateStatus::Good, None) => {}
                (CertificateStatus::Revoked(revocation), Some(reason)) => {
                    assert_eq!(revocation.reason, reason);
                }
                (other, _) => panic!("{holder}: {other}"),
            }
            let later = now + SignedDuration::from_hours(1);
            assert_eq!(read(&answer, &asked, &issuer, later).unwrap_err(), "the answer is not of now");
            let other_issuer = Certificate::parse(&issued.digital_signature_ca).unwrap();
            assert!(read(&answer, &asked, &other_issuer, now).is_err());
            let mut changed = answer.clone();
            changed[120] ^= 1;
            assert!(read(&changed, &asked, &issuer, now).is_err());
        }
    }
}
