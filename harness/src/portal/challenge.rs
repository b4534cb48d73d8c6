//! A challenge: used once, short-lived, bound to the session and the purpose that it was made for.

use super::answer::Answer;
use super::screen::Purpose;
use super::token::{ChallengeId, FlowId, Randomness, SessionToken, drawn, hexadecimal};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the terminal is asked to have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRequest {
    /// goes with the answer
    pub challenge: ChallengeId,
    /// 32 bytes; the card signs the DigestInfo of their SHA-256 with the key for user authentication
    pub nonce: [u8; 32],
    /// what the signature will be used for
    pub purpose: Purpose,
    /// afterwards no answer is accepted
    pub expires: Timestamp,
}

/// A challenge as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Challenge {
    /// the store's key of the session that it was made for
    session: String,
    pub(super) flow: FlowId,
    pub(super) purpose: Purpose,
    pub(super) nonce: [u8; 32],
    pub(super) expires: Timestamp,
    /// the digest of the answer, once there is one
    answered: Option<String>,
}

/// Whether an answer may be looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// it is the first, in time, in the right session
    First,
    /// the very answer that came before
    Again,
    /// another answer came before
    Used,
    /// it is too late
    Expired,
    /// it came in another session
    OtherSession,
}

impl Challenge {
    pub(super) fn draw(
        session: &SessionToken,
        flow: FlowId,
        purpose: Purpose,
        expires: Timestamp,
        randomness: &mut Randomness,
    ) -> Self {
        Self { session: session.key(), flow, purpose, nonce: drawn(randomness), expires, answered: None }
    }

    pub(super) fn request(&self, id: ChallengeId) -> CardRequest {
        CardRequest { challenge: id, nonce: self.nonce, purpose: self.purpose, expires: self.expires }
    }

    /// Whether an answer with this digest, in this session, may be looked at; `is_current` when the
    /// session has not been renewed since. Who brings the same answer again need not know that it was.
    pub(super) fn admit(
        &self,
        session: &SessionToken,
        is_current: bool,
        digest: &str,
        now: Timestamp,
    ) -> Admission {
        match &self.answered {
            _ if session.key() != self.session => Admission::OtherSession,
            Some(before) if before == digest => Admission::Again,
            _ if !is_current => Admission::OtherSession,
            Some(_) => Admission::Used,
            None if now > self.expires => Admission::Expired,
            None => Admission::First,
        }
    }

    pub(super) fn note_answer(&mut self, digest: String) {
        self.answered = Some(digest);
    }

    /// Whether it need not be kept any longer: a late answer is told that it is late for a while.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        const KEPT: SignedDuration = SignedDuration::from_mins(60);
        now.duration_since(self.expires) > KEPT
    }
}

/// What tells one answer from another.
pub(super) fn digest(answer: &Answer) -> String {
    let mut hash = Sha256::new();
    match answer {
        Answer::Signed { certificate, signature } => {
            hash.update((certificate.len() as u64).to_be_bytes());
            hash.update(certificate);
            hash.update(signature);
        }
        Answer::Failed(failure) => {
            hash.update(b"failed ");
            hash.update(format!("{failure:?}"));
        }
    }
    hexadecimal(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::token::{SessionKey, seeded_randomness};

    #[test]
    fn an_answer_counts_once_in_time_and_in_its_session() {
        let mut randomness = seeded_randomness(7);
        let key = SessionKey::new(&[1; 32]);
        let [mine, other] = [(); 2].map(|()| key.issue(&mut randomness));
        let expires: Timestamp = "2026-04-01T00:05:00Z".parse().unwrap();
        let late = expires + SignedDuration::from_secs(1);
        let flow = FlowId::draw(&mut randomness);
        let mut challenge = Challenge::draw(&mine, flow, Purpose::Inquiry, expires, &mut randomness);
        assert_eq!(challenge.admit(&mine, true, "a", expires), Admission::First);
        assert_eq!(challenge.admit(&mine, true, "a", late), Admission::Expired);
        assert_eq!(challenge.admit(&mine, false, "a", expires), Admission::OtherSession);
        assert_eq!(challenge.admit(&other, true, "a", expires), Admission::OtherSession);
        challenge.note_answer("a".to_owned());
        assert_eq!(challenge.admit(&mine, true, "a", late), Admission::Again);
        assert_eq!(challenge.admit(&mine, false, "a", late), Admission::Again);
        assert_eq!(challenge.admit(&mine, true, "b", expires), Admission::Used);
        assert_eq!(challenge.admit(&mine, false, "b", expires), Admission::OtherSession);
    }
}
