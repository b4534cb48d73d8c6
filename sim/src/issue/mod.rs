//! Certificates made for a holder: what the counter at the town hall writes into a card. Everything
//! derives from the holder and the clock, so that every start between two birthdays gives the same
//! bytes.

mod addresses;
mod basic_data;
mod card_body;
mod end_entity;
mod era;
mod period;
mod window;

pub use addresses::{Addresses, MalformedUrl, OcspUrl};
pub use card_body::{CardBody, card_expiry, issued_pin, six_digits};
pub use window::IssueWindow;

use crate::holder::{self, CertificateState, Holder};
use crate::key::Signer;
use crate::pki::{Authority, CertificationAuthority, PkiError, Reason, Record, Revocation};
use crate::profile::Certificates;
use jiff::Timestamp;
use period::Period;
use std::sync::Arc;
use thiserror::Error;

/// What a card holds after issuing; certificates are DER.
#[derive(Debug, Clone)]
pub struct Issued {
    /// 利用者証明用 (EF 000A, key 0017)
    pub user_authentication: CertifiedKey,
    /// 署名用 (EF 0001, key 001A); none for children and on face-authentication cards
    pub digital_signature: Option<CertifiedKey>,
    /// the certificate of the authority behind 利用者証明用 (EF 000B)
    pub user_authentication_ca: Vec<u8>,
    /// the certificate of the authority behind 署名用 (EF 0002)
    pub digital_signature_ca: Vec<u8>,
    /// what is in the card beside JPKI
    pub body: CardBody,
}

/// A key and the certificate that says whose it is.
#[derive(Debug, Clone)]
pub struct CertifiedKey {
    /// DER
    pub certificate: Vec<u8>,
    /// the private key
    pub key: Arc<dyn Signer>,
    /// what the authority notes of the certificate
    pub record: Record,
}

/// Why nothing was issued.
#[derive(Debug, Error)]
pub enum IssueError {
    /// Certificates issued at this clock would end after the year 9999.
    #[error("no certificate can be issued at {now}: it would be valid beyond the year 9999")]
    Clock {
        /// the clock
        now: Timestamp,
    },
    /// A certificate could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// Issues the certificates of `holder`, as they are in the card when the clock shows `now`, with the
/// default [`Addresses`].
///
/// An ordinary holder's were issued on the last birthday (see [`IssueWindow`]), and by the generation
/// of each authority that was the latest one then; the holder's
/// [`State`](crate::holder::State) may say otherwise. None outlives the card. Whether
/// one is revoked is nothing that can be seen in it.
///
/// # Errors
/// [`IssueError`] when the clock is near the end of the calendar, or a key cannot be used.
pub fn issue(holder: &Holder, now: Timestamp) -> Result<Issued, IssueError> {
    issue_with(holder, now, &Addresses::default())
}

/// Issues the certificates of `holder` as [`issue`] does, with other addresses in them. Serial
/// numbers do not depend on these.
///
/// # Errors
/// As [`issue`].
pub fn issue_with(holder: &Holder, now: Timestamp, addresses: &Addresses) -> Result<Issued, IssueError> {
    issue_as(holder, Certificates::default(), now, addresses)
}

/// As [`issue_with`], with certificates of this kind.
///
/// # Errors
/// As [`issue`].
pub fn issue_as(
    holder: &Holder,
    kind: Certificates,
    now: Timestamp,
    addresses: &Addresses,
) -> Result<Issued, IssueError> {
    let holder = &holder.clone().as_of(now);
    let birth = holder.person.birth;
    let card = IssueWindow::at(birth, now).ok_or(IssueError::Clock { now })?;
    let body = CardBody::issue(holder, &card, now)?;
    let period = |certificate: CertificateState| {
        Period::at(birth, &holder.state, certificate, now)
            .and_then(|period| period.lasting(kind.years, birth, now))
            .and_then(|period| period.within_card(body.expiry, birth))
            .ok_or(IssueError::Clock { now })
    };
    let authentication = period(holder.state.certificates.user_authentication)?;
    let signature_state = holder.signature_certificate(now);
    let signature = period(signature_state.unwrap_or_default())?;
    let ca = |authority, period: &Period| {
        CertificationAuthority::with(authority, period.generation, kind.algorithm)
    };
    let authentication_ca = ca(Authority::UserAuthentication, &authentication)?;
    let signature_ca = ca(Authority::DigitalSignature, &signature)?;
    let mut user_authentication =
        end_entity::user_authentication(holder, &authentication.window, &authentication_ca, addresses)?;
    let state = holder.state.certificates.user_authentication;
    user_authentication.record.note(state, Reason::CessationOfOperation);
    let mut digital_signature = None;
    if let Some(state) = signature_state {
        let mut certified = end_entity::digital_signature(holder, &signature.window, &signature_ca)?;
        // moving house or another name is what ends most of these
        certified.record.note(state, Reason::AffiliationChanged);
        digital_signature = Some(certified);
    }
    Ok(Issued {
        user_authentication,
        digital_signature,
        user_authentication_ca: authentication_ca.certificate().to_vec(),
        digital_signature_ca: signature_ca.certificate().to_vec(),
        body,
    })
}

impl Issued {
    /// The certificates of the holder: 利用者証明用, then 署名用 where there is one.
    pub fn certified(&self) -> impl Iterator<Item = &CertifiedKey> {
        std::iter::once(&self.user_authentication).chain(&self.digital_signature)
    }
}

impl Record {
    /// Notes what the holder's file says of the certificate: revoked (for `reason`) or on hold since
    /// its first day.
    fn note(&mut self, state: CertificateState, reason: Reason) {
        self.revoked = state.revocation().map(|revocation| Revocation {
            since: self.validity.not_before,
            reason: match revocation {
                holder::Revocation::Revoked => reason,
                holder::Revocation::OnHold => Reason::CertificateHold,
            },
        });
    }
}

/// What was in the card of a `holder` who has just renewed the certificates: those that were
/// replaced, with other keys, and are revoked since. `None` for everyone else.
///
/// # Errors
/// As [`issue`].
pub fn superseded(holder: &Holder, now: Timestamp) -> Result<Option<Issued>, IssueError> {
    if !holder.state.renewed {
        return Ok(None);
    }
    let mut before = holder.clone();
    before.keys = holder.keys.clone().before_renewal(holder.id()).map_err(PkiError::from)?;
    before.state.renewed = false;
    let since = issue(holder, now)?.user_authentication.record.validity.not_before;
    let mut issued = issue(&before, now)?;
    for certified in std::iter::once(&mut issued.user_authentication).chain(&mut issued.digital_signature) {
        certified.record.revoked = Some(Revocation { since, reason: Reason::Superseded });
    }
    Ok(Some(issued))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hanako_at(now: &str) -> Result<Issued, IssueError> {
        issue(&Holder::built_in("hanako").unwrap(), now.parse().unwrap())
    }

    #[test]
    fn all_starts_between_two_birthdays_give_the_same_bytes() {
        let first = hanako_at("2025-06-14T15:00:00Z").unwrap();
        let last = hanako_at("2026-06-14T14:59:59Z").unwrap();
        assert_eq!(first.user_authentication.certificate, last.user_authentication.certificate);
        let signature = |issued: &Issued| issued.digital_signature.as_ref().unwrap().certificate.clone();
        assert_eq!(signature(&first), signature(&last));
        assert_eq!(first.user_authentication_ca, last.user_authentication_ca);
        assert_eq!(first.digital_signature_ca, last.digital_signature_ca);
        let next = hanako_at("2026-06-14T15:00:00Z").unwrap();
        assert_ne!(first.user_authentication.certificate, next.user_authentication.certificate);
    }

    #[test]
    fn certificates_end_with_the_card_at_the_latest() {
        let now = "2026-05-10T00:00:00Z".parse().unwrap();
        let ends = |issued: Issued| {
            let ends = issued.certified().map(|certified| certified.record.validity.not_after.to_string());
            ends.collect::<Vec<_>>()
        };
        for (expiry, expected) in [
            ("2027-01-01", "2027-01-01T14:59:59Z"),
            ("2030-12-31", "2030-12-31T14:59:59Z"),
            ("2031-01-01", "2031-01-01T14:59:59Z"),
            ("2036-01-01", "2031-01-01T14:59:59Z"),
            ("2025-12-31", "2025-12-31T14:59:59Z"),
        ] {
            let text =
                format!("person: {{name: 試験　太郎, birth: 1990-01-01}}\ncard: {{expiry: {expiry}}}\n");
            let holder = Holder::parse("mine.yaml", &text).unwrap();
            assert_eq!(ends(issue(&holder, now).unwrap()), [expected, expected], "{expiry}");
        }
        // for ten years where the card of a child is valid for five
        let child = Holder::built_in("child").unwrap();
        let kind = crate::profile::Profile::built_in("next-generation").unwrap().certificates;
        let issued = issue_as(&child, kind, now, &Addresses::default()).unwrap();
        assert_eq!(issued.body.expiry.to_string(), "2031-05-05");
        assert_eq!(ends(issued), ["2031-05-05T14:59:59Z"]);
    }

    #[test]
    fn holders_with_the_same_birthday_get_different_numbers() {
        let text = "person: {name: 試験　太郎, birth: 1980-06-15}\n";
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let [one, other] = ["one.yaml", "other.yaml"].map(|file| {
            issue(&Holder::parse(file, text).unwrap(), now).unwrap().user_authentication.certificate
        });
        // version [0] takes 5 bytes after the two headers of 4; then 02 04 and the serial number
        assert_eq!(one[13..15], [0x02, 0x04]);
        assert_ne!(one[15..19], other[15..19]);
    }

    #[test]
    fn the_end_of_the_calendar_is_an_error_that_names_the_clock() {
        let error = hanako_at("9997-01-01T00:00:00Z").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no certificate can be issued at 9997-01-01T00:00:00Z: it would be valid beyond the year 9999"
        );
    }
}
