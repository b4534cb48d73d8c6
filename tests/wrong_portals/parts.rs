//! Portals with a wrong part.

use super::WrongPortal;
use super::seen::Wrongness;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Mutex;
use vmyna::flow::Parts;
use vmyna::portal::status::{StatusSource, StatusUnavailable};
use vmyna::portal::{Lives, Portal, SetUpError, built_in_anchors};
use vmyna::verify::Certificate;
use vmyna_sim::pki::{CertificateStatus, Reason, Revocation};

/// All of them.
pub const ALL: &[WrongPortal] = &[
    part("ignores_revocation", "RP-10", "asks nobody whether a certificate is revoked", |parts| {
        Parts { status: Box::new(AlwaysGood), ..parts }.portal()
    }),
    part("ignores_holds", "RP-11", "takes a certificate on hold (一時保留) for good", |parts| {
        Parts { status: Box::new(Changed(parts.status, hold_is_good)), ..parts }.portal()
    }),
    part("takes_a_hold_for_good", "RP-11", "takes a certificate on hold for revoked for good", |parts| {
        Parts { status: Box::new(Changed(parts.status, hold_is_final)), ..parts }.portal()
    }),
    part(
        "takes_silence_of_the_authority_for_consent",
        "RP-12",
        "accepts where the status cannot be asked",
        |parts| Parts { status: Box::new(Consenting(parts.status)), ..parts }.portal(),
    ),
    part(
        "does_not_say_why_a_certificate_is_revoked",
        "RP-18",
        "tells every revocation with one reason",
        |parts| Parts { status: Box::new(Changed(parts.status, without_reason)), ..parts }.portal(),
    ),
    part(
        "chooses_the_authority_by_name",
        "RP-07",
        "chooses the authority by its name, which three generations share",
        |parts| {
            // All of one name: it takes the first.
            Parts { anchors: parts.anchors.into_iter().take(1).collect(), ..parts }.portal()
        },
    ),
    part("trusts_every_authority", "RP-06", "trusts authorities that are not its own", |mut parts| {
        parts.anchors.extend(built_in_anchors(parts.clock.now())?);
        parts.portal()
    }),
    part(
        "forgets_what_is_on_file",
        "RP-20",
        "does not ask about the signature certificate on file again",
        |parts| Parts { status: Box::new(AskingOnce(parts.status, Mutex::default())), ..parts }.portal(),
    ),
    part("has_a_clock_that_stands", "RP-08", "looks at dates by a clock that stands", |parts| {
        let stands: Timestamp = vmyna::flow::BEGINNING;
        Parts { clock: vmyna::flow::FlowClock::at(stands), ..parts }.portal()
    }),
    part("has_challenges_that_live_for_a_day", "RP-01", "takes challenges a day later", |parts| {
        Parts { lives: Lives { challenge: SignedDuration::from_hours(24), ..parts.lives }, ..parts }.portal()
    }),
    part("gives_everyone_the_same_challenge", "RP-03", "gives everyone the same challenge", |mut parts| {
        let mut draws = 0;
        let randomness = Box::new(move |bytes: &mut [u8]| {
            (parts.randomness)(bytes);
            draws += 1;
            // The first 32 bytes are the portal's own key, those that follow are challenges.
            if bytes.len() == 32 && draws > 1 {
                bytes.fill(0);
            }
        });
        Parts { randomness, ..parts }.portal()
    }),
];

const fn part(
    name: &'static str,
    breaks: &'static str,
    says: &'static str,
    make: fn(Parts) -> Result<Portal, SetUpError>,
) -> WrongPortal {
    WrongPortal { name, breaks, says, make, wrongness: Wrongness::None }
}

type Answer = Result<CertificateStatus, StatusUnavailable>;

struct AlwaysGood;

impl StatusSource for AlwaysGood {
    fn status(&self, _: &Certificate, _: &Certificate, _: Timestamp) -> Answer {
        Ok(CertificateStatus::Good)
    }
}

/// Asks about each certificate once, and remembers.
struct AskingOnce(Box<dyn StatusSource>, Mutex<BTreeMap<Vec<u8>, CertificateStatus>>);

impl StatusSource for AskingOnce {
    fn status(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) -> Answer {
        let mut known = self.1.lock().expect("nobody panics here");
        if let Some(status) = known.get(certificate.der()) {
            return Ok(*status);
        }
        let status = self.0.status(certificate, issuer, now)?;
        known.insert(certificate.der().to_vec(), status);
        Ok(status)
    }
}

struct Consenting(Box<dyn StatusSource>);

impl StatusSource for Consenting {
    fn status(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) -> Answer {
        self.0.status(certificate, issuer, now).or(Ok(CertificateStatus::Good))
    }
}

struct Changed(Box<dyn StatusSource>, fn(Revocation) -> CertificateStatus);

impl StatusSource for Changed {
    fn status(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) -> Answer {
        Ok(match self.0.status(certificate, issuer, now)? {
            CertificateStatus::Revoked(revocation) => (self.1)(revocation),
            other => other,
        })
    }
}

fn hold_is_good(revocation: Revocation) -> CertificateStatus {
    match revocation.reason {
        Reason::CertificateHold => CertificateStatus::Good,
        _ => CertificateStatus::Revoked(revocation),
    }
}

fn hold_is_final(revocation: Revocation) -> CertificateStatus {
    let reason = match revocation.reason {
        Reason::CertificateHold => Reason::CessationOfOperation,
        other => other,
    };
    CertificateStatus::Revoked(Revocation { reason, ..revocation })
}

fn without_reason(revocation: Revocation) -> CertificateStatus {
    CertificateStatus::Revoked(Revocation { reason: Reason::CessationOfOperation, ..revocation })
}
