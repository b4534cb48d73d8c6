//! What comes of an answer: it is checked, and settled in one transaction, once.

use super::{Portal, Session};
use crate::portal::answer::Answer;
use crate::portal::applicant::{Applicant, Application, CertificateOnFile};
use crate::portal::challenge::{self, Admission, Challenge};
use crate::portal::flow::Flow;
use crate::portal::outcome::Outcome;
use crate::portal::page::Page;
use crate::portal::rejection::Rejection;
use crate::portal::screen::{Purpose, Registration};
use crate::portal::store::{Changes, Keep, Record, StoreError};
use crate::portal::token::{ChallengeId, FlowId, SessionToken};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An answer in which all was in order.
struct Checked<'a> {
    whose: Applicant,
    certificate: &'a [u8],
    /// of an inquiry: how the signature certificate on file stands, if there is one
    on_file: Result<(), Rejection>,
}

/// Whose a signature certificate is, by the certificate.
#[derive(Serialize, Deserialize)]
struct SignatureOwner(Applicant);

impl Record for SignatureOwner {
    const TABLE: &'static str = "signature_owners";
}

impl Portal {
    /// The terminal's answer to a challenge, delivered by a browser with this session or none. The
    /// same answer again gets the same page, and changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]: then the same answer may come again, and gets what became of it.
    pub fn deliver(
        &self,
        session: Option<&SessionToken>,
        challenge: &ChallengeId,
        answer: &Answer,
    ) -> Result<Page, StoreError> {
        self.deliver_to(session, challenge, answer, None)
    }

    /// As [`deliver`](Self::deliver), from a terminal that shows its own screens: the challenge must
    /// be for `purpose`, and only now it says whether the box was ticked.
    ///
    /// # Errors
    /// As [`deliver`](Self::deliver).
    pub fn deliver_from_terminal(
        &self,
        session: Option<&SessionToken>,
        challenge: &ChallengeId,
        answer: &Answer,
        purpose: Purpose,
        register_user: bool,
    ) -> Result<Page, StoreError> {
        self.deliver_to(session, challenge, answer, Some((purpose, register_user)))
    }

    fn deliver_to(
        &self,
        session: Option<&SessionToken>,
        id: &ChallengeId,
        answer: &Answer,
        wanted: Option<(Purpose, bool)>,
    ) -> Result<Page, StoreError> {
        let now = self.now();
        let digest = challenge::digest(answer);
        if self.is_busy() {
            return Ok(Page::failed(Outcome::ServerBusy));
        }
        let Some(challenge) = self.store.get::<Challenge>(id.as_str())? else {
            return Ok(Page::failed(Outcome::ChallengeUnknown));
        };
        if wanted.is_some_and(|(purpose, _)| purpose != challenge.purpose) {
            return Ok(Page::failed(Outcome::ChallengeUnknown));
        }
        let Some(session) = session else { return Ok(Page::failed(Outcome::SessionLost)) };
        if challenge.admit(session, self.is_current(session)?, &digest, now) != Admission::First {
            return self.not_first(session, id, &challenge, &digest, now);
        }
        // Checking takes its time; meanwhile others may come first, which the transaction will see.
        let checked = self.checked(&challenge, answer, now)?;
        let renewed = self.session_key.renew(session, id);
        let was_first = self.store.change(Keep::OnDisk, |changes| {
            let Some(mut challenge) = changes.get::<Challenge>(id.as_str())? else { return Ok(false) };
            let known = changes.get::<Session>(&session.key())?;
            let is_current = known.is_none_or(|known| known.is_known_by(session));
            if challenge.admit(session, is_current, &digest, now) != Admission::First {
                return Ok(false);
            }
            challenge.note_answer(digest.clone());
            changes.put(id.as_str(), &challenge)?;
            let Some(mut flow) = changes.get::<Flow>(challenge.flow.as_str())? else { return Ok(false) };
            if let Some((_, register_user)) = wanted {
                flow.register_user = register_user;
            }
            let outcome = match &checked {
                Err(outcome) => *outcome,
                Ok(checked) if flow.purpose == Purpose::Signature => Self::register(changes, &flow, checked)?,
                Ok(checked) => Self::settle(changes, &flow, checked, &renewed, now)?,
            };
            flow.touched = now;
            flow.end(outcome, checked.as_ref().ok().map(|checked| checked.whose.clone()));
            changes.put(challenge.flow.as_str(), &flow)?;
            Ok(true)
        })?;
        if was_first {
            return self.answered(session, id, &challenge.flow);
        }
        match self.store.get::<Challenge>(id.as_str())? {
            Some(challenge) => self.not_first(session, id, &challenge, &digest, now),
            None => Ok(Page::failed(Outcome::ChallengeUnknown)),
        }
    }

    fn not_first(
        &self,
        session: &SessionToken,
        id: &ChallengeId,
        challenge: &Challenge,
        digest: &str,
        now: Timestamp,
    ) -> Result<Page, StoreError> {
        match challenge.admit(session, self.is_current(session)?, digest, now) {
            Admission::OtherSession => Ok(Page::failed(Outcome::SessionLost)),
            Admission::Expired => Ok(Page::failed(Outcome::ChallengeExpired)),
            Admission::Again | Admission::First => {
                // whoever came first may still be waiting for the disk
                self.store.keep_all()?;
                self.answered(session, id, &challenge.flow)
            }
            Admission::Used => Ok(Page::failed(Outcome::ChallengeUsed)),
        }
    }

    /// What whoever brought the answer to the challenge is shown, and what the session is known by if that
    /// was an authentication, and none has come after it.
    fn answered(
        &self,
        session: &SessionToken,
        challenge: &ChallengeId,
        id: &FlowId,
    ) -> Result<Page, StoreError> {
        let Some(flow) = self.store.get::<Flow>(id.as_str())? else {
            return Ok(Page::failed(Outcome::SessionLost));
        };
        let renewed = self.session_key.renew(session, challenge);
        let known = self.store.get::<Session>(&session.key())?;
        let renewed = known.is_some_and(|known| known.was_renewed_as(&renewed)).then_some(renewed);
        Ok(Page { renewed, ..self.page_of(id.clone(), &flow)? })
    }

    fn checked<'a>(
        &self,
        challenge: &Challenge,
        answer: &'a Answer,
        now: Timestamp,
    ) -> Result<Result<Checked<'a>, Outcome>, StoreError> {
        let (certificate, signature) = match answer {
            Answer::Failed(failure) => return Ok(Err((*failure).into())),
            Answer::Signed { certificate, signature } => (certificate, signature),
        };
        let credential = challenge.purpose.credential();
        let whose = match self.checker.check(credential, certificate, signature, &challenge.nonce, now) {
            Ok(whose) => whose,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let application = match challenge.purpose {
            Purpose::Inquiry => self.store.get::<Application>(&whose.key())?,
            Purpose::Application | Purpose::Signature => None,
        };
        let on_file = application.and_then(|application| application.signature_certificate);
        let on_file = on_file.map_or(Ok(()), |file| self.checker.check_on_file(&file.0, now));
        Ok(Ok(Checked { whose, certificate, on_file }))
    }

    /// The signature certificate of somebody who has made an inquiry in this session goes on file, in
    /// place of the one that was there. Nobody can have another's.
    fn register(changes: &Changes, flow: &Flow, checked: &Checked<'_>) -> Result<Outcome, StoreError> {
        let Some(Session { applicant: Some(applicant), .. }) = changes.get(&flow.session)? else {
            return Ok(Outcome::SessionLost);
        };
        let owner = changes.get::<SignatureOwner>(&checked.whose.key())?;
        if owner.is_some_and(|owner| owner.0 != applicant) {
            return Ok(Outcome::OtherCard);
        }
        let Some(application) = changes.get::<Application>(&applicant.key())? else {
            return Ok(Outcome::NotRegistered);
        };
        let file = Some(CertificateOnFile(checked.certificate.to_vec()));
        changes.put(&applicant.key(), &Application { signature_certificate: file, ..application })?;
        changes.put(&checked.whose.key(), &SignatureOwner(applicant))?;
        Ok(Outcome::SignatureRegistered)
    }

    /// What an applicant gets for whom everything was in order. From here on the session is theirs, and
    /// known by the token `renewed` alone.
    fn settle(
        changes: &Changes,
        flow: &Flow,
        Checked { whose: applicant, on_file, .. }: &Checked<'_>,
        renewed: &SessionToken,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let first = changes.get::<Session>(&flow.session)?.and_then(|session| session.applicant);
        if first.is_some_and(|first| first != *applicant) {
            return Ok(Outcome::OtherCard);
        }
        let token = Some(renewed.digest());
        changes.put(&flow.session, &Session { applicant: Some(applicant.clone()), since: now, token })?;
        let existing = changes.get::<Application>(&applicant.key())?;
        Ok(match (flow.purpose, existing) {
            (Purpose::Application, None) => {
                let application = Application {
                    register_user: flow.register_user,
                    accepted: now,
                    registration: Registration::Preparing,
                    signature_certificate: None,
                };
                changes.put(&applicant.key(), &application)?;
                Outcome::Accepted
            }
            (Purpose::Application, Some(_)) => Outcome::AlreadyRegistered,
            (_, None) => Outcome::NotRegistered,
            (_, Some(_)) => match on_file {
                Ok(()) => Outcome::Shown,
                // the law counts the end of its time among what ends a certificate (失効)
                Err(Rejection::Revoked { .. } | Rejection::Expired) => Outcome::SignatureRevoked,
                Err(other) => (*other).into(),
            },
        })
    }
}
