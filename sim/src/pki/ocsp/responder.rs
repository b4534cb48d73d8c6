//! The responder: one for both authorities and all their generations. It answers with certificates
//! that the authorities have delegated their answers to (extKeyUsage OCSPSigning), since relying
//! parties have more to check then, and more to get wrong, than when an authority answers itself.

use super::request::{CertId, Request};
use super::response::{Content, ResponseStatus, refusal};
use crate::key::{Signer, responder_key};
use crate::pki::{
    Authority, CertificateStatus, CertificationAuthority, Generation, PkiError, Register, extension,
    serial_number,
};
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use der::asn1::Any;
use der::{Decode, Encode};
use jiff::{SignedDuration, Timestamp};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use spki::SubjectPublicKeyInfoRef;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use x509_cert::ext::pkix::KeyUsages;

/// From thisUpdate to nextUpdate: the real responder's data are refreshed every 15 minutes. Ours
/// knows of changes at once; this is how long a relying party may keep an answer.
pub const RESPONSE_VALID_FOR: SignedDuration = SignedDuration::from_mins(15);

/// Answers OCSP requests.
#[derive(Debug, Default)]
pub struct Responder {
    /// the responder's certificates, once they have been needed
    certificates: Mutex<BTreeMap<(Authority, i16), Any>>,
}

/// An answer, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// OCSPResponse, DER
    pub der: Vec<u8>,
    /// the same for people
    pub outcome: Outcome,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// one status for each certificate, in the order of the request
    Statuses(Vec<Asked>),
    /// no answer but this status
    Refused(ResponseStatus),
}

/// A certificate that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// its serial number, hexadecimal, or more where it is known
    pub certificate: String,
    /// what was answered
    pub status: CertificateStatus,
}

impl Answer {
    /// An answer that is no more than this status.
    #[must_use]
    pub fn refusal(status: ResponseStatus) -> Self {
        Self { der: refusal(status), outcome: Outcome::Refused(status) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => status.fmt(f),
            Self::Statuses(all) => {
                for (index, Asked { certificate, status }) in all.iter().enumerate() {
                    write!(f, "{}{certificate}: {status}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl Responder {
    /// A responder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `request`, an OCSPRequest, out of `register`, when the clock shows `now`.
    ///
    /// A response has one signature, and by delegation it counts for one issuer only. A request
    /// about certificates of another authority, of both authorities, or of generations with
    /// different keys, is therefore `unauthorized`.
    #[must_use]
    pub fn answer(&self, request: &[u8], register: &Register, now: Timestamp) -> Answer {
        let Ok(request) = Request::parse(request) else {
            return Answer::refusal(ResponseStatus::MalformedRequest);
        };
        self.try_answer(request, register, now)
            .unwrap_or_else(|_| Answer::refusal(ResponseStatus::InternalError))
    }

    fn try_answer(&self, request: Request, register: &Register, now: Timestamp) -> Result<Answer, PkiError> {
        let issuers = Issuer::all(now)?;
        let is_meant_by_all = |issuer: &&Issuer| request.certificates.iter().all(|id| issuer.is_meant_by(id));
        let Some(Issuer { ca, .. }) = issuers.iter().find(is_meant_by_all) else {
            return Ok(Answer::refusal(ResponseStatus::Unauthorized));
        };
        let (mut statuses, mut told) = (Vec::new(), Vec::new());
        for id in request.certificates {
            let serial_number = id.serial_number.as_bytes();
            let record = register.by_key(ca.authority(), ca.generation().slot(), serial_number);
            let status = record.map_or(CertificateStatus::Unknown, |record| record.status(now));
            let certificate = match record {
                Some(record) => record.to_string(),
                None => serial_number.iter().map(|byte| format!("{byte:02X}")).collect(),
            };
            told.push(Asked { certificate, status });
            statuses.push((id, status));
        }
        let next_update = now.saturating_add(RESPONSE_VALID_FOR).unwrap_or(Timestamp::MAX);
        let content = Content { statuses, now, next_update, nonce: request.nonce };
        let key = responder_key(ca.authority().purpose())?;
        let der = content.sign(&*key, &self.certificate(ca)?)?;
        Ok(Answer { der, outcome: Outcome::Statuses(told) })
    }

    /// The certificate by which `ca` delegates its answers: as long valid as its own, for
    /// id-pkix-ocsp-nocheck says that nobody need ask about it.
    fn certificate(&self, ca: &CertificationAuthority) -> Result<Any, PkiError> {
        let authority = ca.authority();
        let number = ca.generation().number();
        let mut known = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = known.get(&(authority, number)) {
            return Ok(certificate.clone());
        }
        let key = responder_key(authority.purpose())?;
        let certificate = ca.certify(crate::pki::Request {
            serial_number: serial_number(&["responder", authority.purpose(), &number.to_string()])?,
            validity: ca.generation().validity(),
            subject: authority.beginning_of_name().common_name("OCSP Responder").name()?,
            public_key: key.public_key(),
            extensions: vec![
                extension::key_usage(KeyUsages::DigitalSignature)?,
                extension::ocsp_signing()?,
                extension::ocsp_no_check()?,
                ca.key_identifier_extension()?,
                extension::subject_key_identifier(key.public_key())?,
            ],
        })?;
        let certificate = Any::from_der(&certificate)?;
        known.insert((authority, number), certificate.clone());
        Ok(certificate)
    }
}

/// An authority as a request can name it.
struct Issuer {
    ca: Arc<CertificationAuthority>,
    name: Vec<u8>,
    key: Vec<u8>,
}

impl Issuer {
    /// One for each key of each authority.
    fn all(now: Timestamp) -> Result<Vec<Self>, PkiError> {
        let recent = Generation::recent(now);
        let mut all = Vec::with_capacity(Authority::ALL.len() * recent.len());
        for authority in Authority::ALL {
            let name = authority.name()?.to_der()?;
            for generation in &recent {
                let ca = CertificationAuthority::of(authority, *generation)?;
                let info = SubjectPublicKeyInfoRef::from_der(ca.key().public_key())?;
                let key = info.subject_public_key.raw_bytes().to_vec();
                all.push(Self { ca, name: name.clone(), key });
            }
        }
        Ok(all)
    }

    fn is_meant_by(&self, id: &CertId) -> bool {
        let is = |data: &[u8], expected: &[u8]| {
            hash(id.hash_algorithm.oid, data).is_some_and(|hash| hash == expected)
        };
        is(&self.name, id.issuer_name_hash.as_bytes()) && is(&self.key, id.issuer_key_hash.as_bytes())
    }
}

/// The hashes that issuers can be named by.
fn hash(algorithm: const_oid::ObjectIdentifier, data: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        ID_SHA_1 => Some(Sha1::digest(data).to_vec()),
        ID_SHA_256 => Some(Sha256::digest(data).to_vec()),
        ID_SHA_384 => Some(Sha384::digest(data).to_vec()),
        ID_SHA_512 => Some(Sha512::digest(data).to_vec()),
        _ => None,
    }
}
