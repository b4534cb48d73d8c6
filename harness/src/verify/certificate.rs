//! Certificates as read from a card: parsing, the path to an issuer, usages and dates (RFC 5280).

use super::der::Signed;
use super::{Curve, EllipticPublicKey, PublicKey, RsaPublicKey, SignatureProblem, SignatureScheme};
use crate::language::Bilingual;
use crate::terminal::Digest;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid;
use der::{Decode, Encode};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const CLIENT_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// The organisation under which this project issues; no one else does.
const OUR_ORGANISATION: &str = "JPKI-VMYNA-TEST";

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// user authentication: digitalSignature, clientAuth
    UserAuthentication,
    /// digital signature: digitalSignature or nonRepudiation
    DigitalSignature,
    /// issuing certificates
    Issuing,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateProblem {
    /// it does not parse
    #[error("this is no X.509 certificate in DER: {0}")]
    Malformed(String),
    /// the issuer's name is not the subject of the certificate it should be signed by
    #[error("its issuer is {issuer}, but the CA certificate is that of {subject}")]
    OtherIssuer {
        /// issuer named
        issuer: String,
        /// subject of the CA certificate
        subject: String,
    },
    /// the signature does not verify
    #[error("its signature does not verify with the key of {issuer}: {problem}")]
    Signature {
        /// whose key
        issuer: String,
        /// how it differs
        problem: SignatureProblem,
    },
    /// an algorithm that is not understood
    #[error(
        "the algorithm {0} is not one of those JPKI uses (RSA with SHA-256, 384 or 512; ECDSA with SHA-256 or 384)"
    )]
    Algorithm(ObjectIdentifier),
    /// no anchor issued it
    #[error("none of the trust anchors is it or signed it")]
    Untrusted,
    /// a usage does not fit
    #[error("{}", .0.en)]
    Usage(Bilingual),
    /// outside its dates
    #[error("it is valid from {not_before} to {not_after}, not now")]
    Validity {
        /// first instant
        not_before: String,
        /// last instant
        not_after: String,
    },
    /// the key does not fit
    #[error("its key has {bits} bits; an RSA key of 2048 bits with exponent 65537 was expected")]
    Key {
        /// bits of the modulus
        bits: u64,
    },
}

impl Certificate {
    /// Reads exactly one certificate in DER.
    ///
    /// # Errors
    /// [`CertificateProblem::Malformed`].
    pub fn parse(der: &[u8]) -> Result<Self, CertificateProblem> {
        let parsed = x509_cert::Certificate::from_der(der).map_err(|error| malformed(&error))?;
        Ok(Self { der: der.to_vec(), parsed })
    }

    /// The certificate, parsed.
    #[must_use]
    pub const fn parsed(&self) -> &x509_cert::Certificate {
        &self.parsed
    }

    /// The bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the issuer is the organisation `JPKI-VMYNA-TEST`, hence the card a simulator.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let issuer = self.parsed.tbs_certificate().issuer();
        issuer.iter().any(|attribute| {
            attribute.oid == der::oid::db::rfc4519::O
                && attribute.value.value() == OUR_ORGANISATION.as_bytes()
        })
    }

    /// The public key, of whichever kind.
    ///
    /// # Errors
    /// When it is neither RSA nor on one of the curves of [`Curve`].
    pub fn key(&self) -> Result<PublicKey, CertificateProblem> {
        let info = self.parsed.tbs_certificate().subject_public_key_info();
        if info.algorithm.oid != EC_PUBLIC_KEY {
            return self.public_key().map(PublicKey::Rsa);
        }
        let parameters = info.algorithm.parameters.as_ref();
        let curve = match parameters.and_then(|oid| oid.decode_as::<ObjectIdentifier>().ok()) {
            Some(SECP256R1) => Curve::P256,
            Some(SECP384R1) => Curve::P384,
            other => return Err(CertificateProblem::Algorithm(other.unwrap_or(EC_PUBLIC_KEY))),
        };
        Ok(PublicKey::Elliptic(EllipticPublicKey::new(curve, info.subject_public_key.raw_bytes())))
    }

    /// The RSA public key.
    ///
    /// # Errors
    /// When the key is of another kind.
    pub fn public_key(&self) -> Result<RsaPublicKey, CertificateProblem> {
        let info = self.parsed.tbs_certificate().subject_public_key_info();
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(CertificateProblem::Algorithm(info.algorithm.oid));
        }
        let key = RsaPublicKeySequence::from_der(info.subject_public_key.raw_bytes())
            .map_err(|error| malformed(&error))?;
        Ok(RsaPublicKey::new(key.modulus.as_bytes(), key.public_exponent.as_bytes()))
    }

    /// Whether the holder of `issuer` signed this certificate: names and signature.
    ///
    /// # Errors
    /// What does not fit.
    pub fn is_signed_by(&self, issuer: &Self) -> Result<(), CertificateProblem> {
        let (named, subject) =
            (self.parsed.tbs_certificate().issuer(), issuer.parsed.tbs_certificate().subject());
        if named.to_der().ok() != subject.to_der().ok() {
            return Err(CertificateProblem::OtherIssuer {
                issuer: named.to_string(),
                subject: subject.to_string(),
            });
        }
        let signed = Signed::split(&self.der).map_err(|error| malformed(&error))?;
        let info = |digest: Digest| digest.digest_info(&digest.of(signed.tbs));
        let encoded = match signed.algorithm.oid {
            SHA256_WITH_RSA => info(Digest::Sha256),
            SHA384_WITH_RSA => info(Digest::Sha384),
            SHA512_WITH_RSA => info(Digest::Sha512),
            ECDSA_WITH_SHA256 => Digest::Sha256.of(signed.tbs),
            ECDSA_WITH_SHA384 => Digest::Sha384.of(signed.tbs),
            other => return Err(CertificateProblem::Algorithm(other)),
        };
        issuer
            .key()?
            .verify(SignatureScheme::Plain, &encoded, signed.signature)
            .map_err(|problem| CertificateProblem::Signature { issuer: subject.to_string(), problem })
    }

    /// Whether usages, where the certificate names any, allow `purpose`.
    ///
    /// # Errors
    /// The first usage that does not fit.
    pub fn fits(&self, purpose: Purpose) -> Result<(), CertificateProblem> {
        let wrong = |ja: &str, en: &str| Err(CertificateProblem::Usage(Bilingual::new(ja, en)));
        let usage = self.extension::<KeyUsage>()?;
        let constraints = self.extension::<BasicConstraints>()?;
        let is_authority = constraints.is_some_and(|constraints| constraints.ca);
        let allows = |wanted: KeyUsages| usage.is_none_or(|usage| usage.0.contains(wanted));
        match purpose {
            Purpose::Issuing if !is_authority => {
                wrong("基本制約が認証局の証明書としていない", "its basic constraints do not make it a CA")
            }
            Purpose::Issuing if !allows(KeyUsages::KeyCertSign) => {
                wrong("鍵用途が keyCertSign を許していない", "its key usage does not allow keyCertSign")
            }
            Purpose::Issuing => Ok(()),
            _ if is_authority => wrong("認証局の証明書である", "it is a CA certificate"),
            _ if !allows(KeyUsages::DigitalSignature) => wrong(
                "鍵用途が digitalSignature を許していない",
                "its key usage does not allow digitalSignature",
            ),
            Purpose::DigitalSignature if !allows(KeyUsages::NonRepudiation) => {
                wrong("鍵用途が nonRepudiation を許していない", "its key usage does not allow nonRepudiation")
            }
            Purpose::DigitalSignature => Ok(()),
            Purpose::UserAuthentication
                if usage.is_some_and(|usage| usage.0.contains(KeyUsages::NonRepudiation)) =>
            {
                wrong(
                    "鍵用途が、署名用のための nonRepudiation を許している",
                    "its key usage allows nonRepudiation, which is for 署名用",
                )
            }
            Purpose::UserAuthentication => match self.extension::<ExtendedKeyUsage>()? {
                Some(usage)
                    if !usage
                        .0
                        .iter()
                        .any(|oid| [CLIENT_AUTHENTICATION, ANY_EXTENDED_KEY_USAGE].contains(oid)) =>
                {
                    wrong(
                        "拡張鍵用途が clientAuth を許していない",
                        "its extended key usage does not allow clientAuth",
                    )
                }
                _ => Ok(()),
            },
        }
    }

    /// Whether `now` lies within the certificate's dates.
    ///
    /// # Errors
    /// [`CertificateProblem::Validity`].
    pub fn is_valid_at(&self, now: SystemTime) -> Result<(), CertificateProblem> {
        let validity = self.parsed.tbs_certificate().validity();
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        if (validity.not_before.to_unix_duration()..=validity.not_after.to_unix_duration()).contains(&now) {
            return Ok(());
        }
        let (not_before, not_after) = (validity.not_before.to_string(), validity.not_after.to_string());
        Err(CertificateProblem::Validity { not_before, not_after })
    }

    /// Whether the key is RSA of 2048 bits with exponent 65537.
    ///
    /// # Errors
    /// [`CertificateProblem::Key`] or [`CertificateProblem::Algorithm`].
    pub fn has_card_key(&self) -> Result<(), CertificateProblem> {
        let key = self.public_key()?;
        match key.bits() {
            2048 if key.has_usual_exponent() => Ok(()),
            bits => Err(CertificateProblem::Key { bits }),
        }
    }

    pub(super) fn extension<T: for<'a> Decode<'a, Error = der::Error> + AssociatedOid>(
        &self,
    ) -> Result<Option<T>, CertificateProblem> {
        let extensions = self.parsed.tbs_certificate().extensions().into_iter().flatten();
        extensions
            .filter(|extension| extension.extn_id == T::OID)
            .map(|extension| T::from_der(extension.extn_value.as_bytes()).map_err(|error| malformed(&error)))
            .next()
            .transpose()
    }
}

fn malformed(error: &der::Error) -> CertificateProblem {
    CertificateProblem::Malformed(error.to_string())
}

/// ```text
/// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
/// ```
#[derive(der::Sequence)]
struct RsaPublicKeySequence<'a> {
    modulus: der::asn1::UintRef<'a>,
    public_exponent: der::asn1::UintRef<'a>,
}

/// What a CA certificate read from a card is held against.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// nothing: the CA on the card is believed, and must have signed itself
    #[default]
    CardItself,
    /// these anchors
    Anchors(Vec<Certificate>),
}

impl Trust {
    /// Reads anchors from PEM or DER.
    ///
    /// # Errors
    /// What is wrong with the file's contents.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertificateProblem> {
        let anchors =
            if bytes.starts_with(b"-----") || bytes.windows(11).any(|window| window == b"-----BEGIN ") {
                x509_cert::Certificate::load_pem_chain(bytes).map_err(|error| malformed(&error))?
            } else {
                vec![x509_cert::Certificate::from_der(bytes).map_err(|error| malformed(&error))?]
            };
        let anchor = |parsed: x509_cert::Certificate| {
            parsed.to_der().map(|der| Certificate { der, parsed }).map_err(|error| malformed(&error))
        };
        let anchors: Vec<_> = anchors.into_iter().map(anchor).collect::<Result<_, _>>()?;
        if anchors.is_empty() {
            return Err(CertificateProblem::Malformed("there is no certificate in it".to_owned()));
        }
        Ok(Self::Anchors(anchors))
    }

    /// Whether the CA certificate `authority` is trusted: an anchor itself, or signed by one. The
    /// anchor is found by its key, for generations of CAs share one name.
    ///
    /// # Errors
    /// [`CertificateProblem::Untrusted`], or why it did not sign itself.
    pub fn accepts(&self, authority: &Certificate) -> Result<(), CertificateProblem> {
        match self {
            Self::CardItself => authority.is_signed_by(authority),
            Self::Anchors(anchors) => anchors
                .iter()
                .any(|anchor| anchor.der == authority.der || authority.is_signed_by(anchor).is_ok())
                .then_some(())
                .ok_or(CertificateProblem::Untrusted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmyna_sim::card::Personalised;

    fn certificates() -> [Certificate; 4] {
        let card = Personalised::built_in("hanako").unwrap();
        let issued = card.issued();
        [
            &issued.user_authentication.certificate,
            &issued.user_authentication_ca,
            &issued.digital_signature.as_ref().unwrap().certificate,
            &issued.digital_signature_ca,
        ]
        .map(|der| Certificate::parse(der).unwrap())
    }

    #[test]
    fn a_path_holds_only_to_the_right_issuer() {
        let [authentication, authentication_ca, signature, signature_ca] = certificates();
        assert_eq!(authentication.is_signed_by(&authentication_ca), Ok(()));
        assert_eq!(signature.is_signed_by(&signature_ca), Ok(()));
        assert!(matches!(
            authentication.is_signed_by(&signature_ca),
            Err(CertificateProblem::OtherIssuer { .. })
        ));
        assert_eq!(Trust::CardItself.accepts(&authentication_ca), Ok(()));
        let other = Trust::from_bytes(signature_ca.der()).unwrap();
        assert_eq!(other.accepts(&authentication_ca), Err(CertificateProblem::Untrusted));
        let mut forged = authentication.der().to_vec();
        let serial = 15;
        forged[serial] ^= 1;
        let forged = Certificate::parse(&forged).unwrap();
        assert!(matches!(forged.is_signed_by(&authentication_ca), Err(CertificateProblem::Signature { .. })));
    }

    #[test]
    fn usages_fit_the_purpose_and_no_other() {
        let [authentication, authentication_ca, signature, _] = certificates();
        assert_eq!(authentication.fits(Purpose::UserAuthentication), Ok(()));
        assert!(authentication.fits(Purpose::DigitalSignature).is_err());
        assert!(signature.fits(Purpose::UserAuthentication).is_err());
        assert_eq!(signature.fits(Purpose::DigitalSignature), Ok(()));
        assert_eq!(authentication_ca.fits(Purpose::Issuing), Ok(()));
        assert!(authentication.fits(Purpose::Issuing).is_err());
        assert!(authentication_ca.fits(Purpose::UserAuthentication).is_err());
    }

    #[test]
    fn ours_are_told_from_others_by_the_organisation() {
        assert!(certificates().iter().all(Certificate::is_ours));
    }
}
