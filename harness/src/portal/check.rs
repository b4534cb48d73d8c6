//! What a relying party checks of an answer: the signature over the nonce, by comparing the whole
//! encoded message; the path to a configured TEST authority, found by its key and not by its name,
//! which all generations share; dates, policy and usages; and the status that the authority gives.

use super::applicant::Applicant;
use super::rejection::Rejection;
use super::status::StatusSource;
use crate::terminal::{Credential, Digest};
use crate::verify::{Certificate, CertificateProblem, Purpose};
use der::Decode;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid;
use jiff::{SignedDuration, Timestamp};
use sha2::Digest as _;
use std::time::SystemTime;
use vmyna_sim::pki::{
    Authority, CertificateStatus, CertificationAuthority, Generation, PkiError, Reason, Revocation,
};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CertificatePolicies, KeyUsage, SubjectKeyIdentifier};

/// Policy of 利用者証明用 in the arc for tests; the production arc is not accepted.
const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.1.0.30");

/// Policy of 署名用 in the arc for tests.
const SIGNATURE_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.1.0.20");

/// How long it takes until services know a renewed certificate (about an hour is what the FAQ of
/// マイナポータル says).
pub const PROPAGATION: SignedDuration = SignedDuration::from_hours(1);

/// Checks answers.
pub struct Checker {
    anchors: Vec<Certificate>,
    signature_anchors: Vec<Certificate>,
    status: Box<dyn StatusSource>,
}

impl Checker {
    /// Accepts certificates for user authentication that one of the `anchors` signed and `status`
    /// knows nothing against; and no signature certificates.
    #[must_use]
    pub fn new(anchors: Vec<Certificate>, status: Box<dyn StatusSource>) -> Self {
        Self { anchors, signature_anchors: Vec::new(), status }
    }

    /// The same, and signature certificates that one of the `anchors` signed.
    #[must_use]
    pub fn with_signatures_of(self, anchors: Vec<Certificate>) -> Self {
        Self { signature_anchors: anchors, ..self }
    }

    /// Whether `signature` is by the holder of `certificate`, which must be one for `credential`, over
    /// `nonce`, and the certificate good at `now`; whose it is, if so.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(
        &self,
        credential: Credential,
        certificate: &[u8],
        signature: &[u8],
        nonce: &[u8],
        now: Timestamp,
    ) -> Result<Applicant, Rejection> {
        let certificate = Certificate::parse(certificate).map_err(|_| Rejection::MalformedCertificate)?;
        let issuer = self.issuer(credential, &certificate).ok_or(Rejection::UnknownIssuer)?;
        is_for(credential, &certificate)?;
        let key = certificate.public_key().map_err(|_| Rejection::MalformedCertificate)?;
        let signed = Digest::Sha256.digest_info(&sha2::Sha256::digest(nonce));
        key.verify(&signed, signature).map_err(|_| Rejection::SignatureMismatch)?;
        self.is_good(&certificate, issuer, now)?;
        let begun = certificate.parsed().tbs_certificate().validity().not_before.to_unix_duration();
        if i64::try_from(begun.as_secs()).is_ok_and(|begun| now.as_second() - begun < PROPAGATION.as_secs()) {
            return Err(Rejection::NotYetPropagated);
        }
        Applicant::of(&certificate).ok_or(Rejection::MalformedCertificate)
    }

    /// Whether a signature certificate that was accepted before is still good at `now`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_on_file(&self, certificate: &[u8], now: Timestamp) -> Result<(), Rejection> {
        let certificate = Certificate::parse(certificate).map_err(|_| Rejection::MalformedCertificate)?;
        let issuer = self.issuer(Credential::DigitalSignature, &certificate);
        self.is_good(&certificate, issuer.ok_or(Rejection::UnknownIssuer)?, now)
    }

    /// Dates and status.
    fn is_good(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        is_in_force(certificate, now)?;
        is_in_force(issuer, now)?;
        match self.status.status(certificate, issuer, now).map_err(|_| Rejection::StatusUnavailable)? {
            CertificateStatus::Good => Ok(()),
            CertificateStatus::Unknown => Err(Rejection::StatusUnavailable),
            CertificateStatus::Revoked(Revocation { reason: Reason::CertificateHold, .. }) => {
                Err(Rejection::OnHold)
            }
            CertificateStatus::Revoked(Revocation { reason, .. }) => Err(Rejection::Revoked { reason }),
        }
    }

    /// The anchor whose key signed the certificate: first the one whose key identifier it names.
    fn issuer(&self, credential: Credential, certificate: &Certificate) -> Option<&Certificate> {
        let anchors = match credential {
            Credential::UserAuthentication => &self.anchors,
            Credential::DigitalSignature => &self.signature_anchors,
        };
        let named = extension::<AuthorityKeyIdentifier>(certificate).and_then(|named| named.key_identifier);
        let is_named = |anchor: &&Certificate| {
            named.is_some() && extension::<SubjectKeyIdentifier>(anchor).map(|own| own.0) == named
        };
        let (first, others): (Vec<_>, Vec<_>) = anchors.iter().partition(is_named);
        first.into_iter().chain(others).find(|anchor| certificate.is_signed_by(anchor).is_ok())
    }
}

/// The latest three generations of the TEST authority for user authentication at `now`.
///
/// # Errors
/// [`PkiError`] when their keys cannot be used.
pub fn built_in_anchors(now: Timestamp) -> Result<Vec<Certificate>, PkiError> {
    recent(Authority::UserAuthentication, now)
}

/// The latest three generations of the TEST authority for signatures at `now`.
///
/// # Errors
/// [`PkiError`] when their keys cannot be used.
pub fn built_in_signature_anchors(now: Timestamp) -> Result<Vec<Certificate>, PkiError> {
    recent(Authority::DigitalSignature, now)
}

fn recent(authority: Authority, now: Timestamp) -> Result<Vec<Certificate>, PkiError> {
    let mut anchors = Vec::new();
    for generation in Generation::recent(now) {
        let authority = CertificationAuthority::of(authority, generation)?;
        // what we encoded can be parsed
        anchors.extend(Certificate::parse(authority.certificate()).ok());
    }
    Ok(anchors)
}

/// Key usage and policy must be there, unlike in [`Certificate::fits`], which is kind to other
/// people's cards: a relying party is not.
fn is_for(credential: Credential, certificate: &Certificate) -> Result<(), Rejection> {
    let (policy, purpose) = match credential {
        Credential::UserAuthentication => (POLICY, Purpose::UserAuthentication),
        Credential::DigitalSignature => (SIGNATURE_POLICY, Purpose::DigitalSignature),
    };
    let has_policy = extension::<CertificatePolicies>(certificate)
        .is_some_and(|policies| policies.0.iter().any(|named| named.policy_identifier == policy));
    let fits = certificate.fits(purpose).is_ok()
        && extension::<KeyUsage>(certificate).is_some()
        && certificate.has_card_key().is_ok();
    if has_policy && fits { Ok(()) } else { Err(Rejection::WrongCertificate) }
}

fn is_in_force(certificate: &Certificate, now: Timestamp) -> Result<(), Rejection> {
    let validity = certificate.parsed().tbs_certificate().validity();
    match certificate.is_valid_at(SystemTime::from(now)) {
        Ok(()) => Ok(()),
        Err(CertificateProblem::Validity { .. })
            if SystemTime::from(now) < SystemTime::UNIX_EPOCH + validity.not_before.to_unix_duration() =>
        {
            Err(Rejection::NotYetValid)
        }
        Err(_) => Err(Rejection::Expired),
    }
}

fn extension<T: for<'a> Decode<'a, Error = der::Error> + AssociatedOid>(
    certificate: &Certificate,
) -> Option<T> {
    let extensions = certificate.parsed().tbs_certificate().extensions().into_iter().flatten();
    extensions
        .filter(|extension| extension.extn_id == T::OID)
        .find_map(|extension| T::from_der(extension.extn_value.as_bytes()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::status::BuiltInRegister;
    use vmyna_sim::holder::Holder;
    use vmyna_sim::issue::{Issued, issue, superseded};

    const NOW: &str = "2026-04-01T00:30:00Z";
    const AUTHENTICATION: Credential = Credential::UserAuthentication;

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn checker() -> Checker {
        Checker::new(built_in_anchors(now()).unwrap(), Box::new(BuiltInRegister::default()))
    }

    fn issued(holder: &str) -> Issued {
        issue(&Holder::built_in(holder).unwrap(), now()).unwrap()
    }

    fn check_of(issued: &Issued) -> Result<Applicant, Rejection> {
        let certified = &issued.user_authentication;
        let signature = certified.key.sign_message(b"nonce").unwrap();
        checker().check(AUTHENTICATION, &certified.certificate, &signature, b"nonce", now())
    }

    #[test]
    fn each_holder_is_accepted_or_told_why_not() {
        for (holder, expected) in [
            ("hanako", None),
            ("taro", None),
            ("child", None),
            ("moved", None),
            ("generation-previous", None),
            ("generation-oldest", Some(Rejection::Expired)),
            ("expired", Some(Rejection::Expired)),
            ("not-yet-valid", Some(Rejection::NotYetValid)),
            ("revoked", Some(Rejection::Revoked { reason: Reason::CessationOfOperation })),
            ("on-hold", Some(Rejection::OnHold)),
            ("renewed", Some(Rejection::NotYetPropagated)),
        ] {
            assert_eq!(check_of(&issued(holder)).err(), expected, "{holder}");
        }
    }

    #[test]
    fn the_certificate_before_a_renewal_is_told_to_be_replaced() {
        let before = superseded(&Holder::built_in("renewed").unwrap(), now()).unwrap().unwrap();
        assert_eq!(check_of(&before), Err(Rejection::Revoked { reason: Reason::Superseded }));
    }

    #[test]
    fn generations_with_one_name_are_told_apart_by_key() {
        let mut anchors = built_in_anchors(now()).unwrap();
        let previous = issued("generation-previous").user_authentication;
        let signature = previous.key.sign_message(b"nonce").unwrap();
        for _ in 0..anchors.len() {
            anchors.rotate_left(1);
            let checker = Checker::new(anchors.clone(), Box::new(BuiltInRegister::default()));
            assert!(
                checker.check(AUTHENTICATION, &previous.certificate, &signature, b"nonce", now()).is_ok()
            );
        }
        let latest_only = Checker::new(
            vec![built_in_anchors(now()).unwrap().remove(0)],
            Box::new(BuiltInRegister::default()),
        );
        let refused = latest_only.check(AUTHENTICATION, &previous.certificate, &signature, b"nonce", now());
        assert_eq!(refused, Err(Rejection::UnknownIssuer));
    }

    #[test]
    fn another_nonce_certificate_or_key_is_refused() {
        let (hanako, taro) = (issued("hanako"), issued("taro"));
        let certified = &hanako.user_authentication;
        let signature = certified.key.sign_message(b"nonce").unwrap();
        let check = |certificate: &[u8], signature: &[u8], nonce: &[u8]| {
            checker().check(AUTHENTICATION, certificate, signature, nonce, now()).err()
        };
        let own = &certified.certificate;
        assert_eq!(check(own, &signature, b"nonce"), None);
        assert_eq!(check(own, &signature, b"other"), Some(Rejection::SignatureMismatch));
        assert_eq!(check(own, &signature[1..], b"nonce"), Some(Rejection::SignatureMismatch));
        let others = &taro.user_authentication.certificate;
        assert_eq!(check(others, &signature, b"nonce"), Some(Rejection::SignatureMismatch));
        assert_eq!(check(b"", &signature, b"nonce"), Some(Rejection::MalformedCertificate));
        let mut forged = own.clone();
        forged[15] ^= 1;
        assert_eq!(check(&forged, &signature, b"nonce"), Some(Rejection::UnknownIssuer));
        let for_signatures = &hanako.digital_signature.as_ref().unwrap().certificate;
        assert_eq!(check(for_signatures, &signature, b"nonce"), Some(Rejection::UnknownIssuer));
    }

    #[test]
    fn signature_certificates_are_accepted_for_signatures_only_and_of_their_own_authority() {
        let both = || checker().with_signatures_of(built_in_signature_anchors(now()).unwrap());
        let check = |checker: Checker, credential, certified: &vmyna_sim::issue::CertifiedKey| {
            let signature = certified.key.sign_message(b"nonce").unwrap();
            checker.check(credential, &certified.certificate, &signature, b"nonce", now()).err()
        };
        let signing = Credential::DigitalSignature;
        let [hanako, moved] = ["hanako", "moved"].map(issued);
        let of_signatures = hanako.digital_signature.as_ref().unwrap();
        assert_eq!(check(both(), signing, of_signatures), None);
        assert_eq!(check(checker(), signing, of_signatures), Some(Rejection::UnknownIssuer));
        assert_eq!(check(both(), signing, &hanako.user_authentication), Some(Rejection::UnknownIssuer));
        let revoked = moved.digital_signature.as_ref().unwrap();
        let reason = Reason::AffiliationChanged;
        assert_eq!(check(both(), signing, revoked), Some(Rejection::Revoked { reason }));
        assert_eq!(check(both(), AUTHENTICATION, &moved.user_authentication), None);
        assert_eq!(both().check_on_file(&revoked.certificate, now()), Err(Rejection::Revoked { reason }));
        let mut all = built_in_anchors(now()).unwrap();
        all.extend(built_in_signature_anchors(now()).unwrap());
        let trusting =
            Checker::new(all.clone(), Box::new(BuiltInRegister::default())).with_signatures_of(all);
        assert_eq!(check(trusting, signing, &hanako.user_authentication), Some(Rejection::WrongCertificate));
    }
}
