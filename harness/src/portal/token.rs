//! Names that nobody can guess: sessions, flows and challenges. Drawn from randomness that is handed
//! in.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// Fills a buffer with bytes that nobody can foretell; in tests, with any.
pub type Randomness = Box<dyn FnMut(&mut [u8]) + Send>;

/// The system's randomness.
///
/// # Panics
/// Where the system has none at all: a token of zeros would be worse.
#[must_use]
pub fn system_randomness() -> Randomness {
    Box::new(|bytes| {
        aws_lc_rs::rand::fill(bytes).expect("the system has randomness");
    })
}

/// Reproducible bytes, for tests and scenarios.
#[must_use]
pub fn seeded_randomness(seed: u64) -> Randomness {
    let mut counter = 0u64;
    Box::new(move |bytes| {
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(seed.to_be_bytes());
            hash.update(counter.to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
            counter += 1;
        }
    })
}

/// By this a portal knows the sessions that it has issued itself.
pub(super) struct SessionKey(hmac::Key);

impl SessionKey {
    /// From 32 bytes that nobody can foretell.
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The first token of a new session.
    pub(super) fn issue(&self, randomness: &mut Randomness) -> SessionToken {
        self.marked(hexadecimal(&drawn::<16>(randomness)) + &"0".repeat(32))
    }

    /// The token of the same session from the moment on at which `challenge` was answered in it. It is
    /// always the same one, so that an answer that comes again gets it again.
    pub(super) fn renew(&self, token: &SessionToken, challenge: &ChallengeId) -> SessionToken {
        self.marked(token.session().to_owned() + challenge.as_str())
    }

    /// Whether it was issued with this key. A session that a visitor brings along from elsewhere is
    /// none: somebody else may know it.
    pub(super) fn has_issued(&self, token: &SessionToken) -> bool {
        let (name, mark) = token.0.split_at(MARKED);
        self.mark(name).as_bytes().ct_eq(mark.as_bytes()).into()
    }

    fn marked(&self, name: String) -> SessionToken {
        let mark = self.mark(&name);
        SessionToken(name + &mark)
    }

    fn mark(&self, name: &str) -> String {
        hexadecimal(&hmac::sign(&self.0, name.as_bytes()).as_ref()[..16])
    }
}

/// Digits of a token before the mark of whoever issued it.
const MARKED: usize = 64;

/// What a browser's cookie holds: 128 bits that name the session, 128 bits that name the authentication
/// by which it was renewed, and 128 bits that only the portal can have written. The store knows digests
/// only.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// A token as it came from outside; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_hexadecimal(text, MARKED + 32).then(|| Self(text.to_owned()))
    }

    /// What stays when it is renewed.
    fn session(&self) -> &str {
        &self.0[..32]
    }

    /// As the cookie has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What forms of this session carry, so that no other site can press buttons here. Pages that were
    /// open when the session was renewed stay good.
    #[must_use]
    pub fn form_token(&self) -> String {
        derived("form", self.session())
    }

    /// Whether `text` is this session's [`form_token`](Self::form_token), in constant time.
    #[must_use]
    pub fn has_form_token(&self, text: &str) -> bool {
        self.form_token().as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// How the store knows the session.
    pub(super) fn key(&self) -> String {
        derived("session", self.session())
    }

    /// How the store knows this very token.
    pub(super) fn digest(&self) -> String {
        derived("token", &self.0)
    }
}

/// What can be told of a secret for one purpose.
pub(super) fn derived(purpose: &str, secret: &str) -> String {
    hexadecimal(&Sha256::digest(format!("vmyna portal {purpose} {secret}")))
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub(super) fn draw(randomness: &mut Randomness) -> Self {
                Self(hexadecimal(&drawn::<16>(randomness)))
            }

            /// As it came from outside; `None` when it cannot be one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                is_hexadecimal(text, 32).then(|| Self(text.to_owned()))
            }

            /// 32 hexadecimal digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier! {
    /// One way through the screens, in one tab: 128 bits.
    FlowId
}
identifier! {
    /// One challenge; the `state` of a callback: 128 bits.
    ChallengeId
}

pub(super) fn drawn<const LENGTH: usize>(randomness: &mut Randomness) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    randomness(&mut bytes);
    bytes
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_to_the_portal_that_issued_it_and_to_no_other() {
        let mut randomness = seeded_randomness(1);
        let [own, others] = [[1; 32], [2; 32]].map(|bytes| SessionKey::new(&bytes));
        let token = own.issue(&mut randomness);
        assert!(own.has_issued(&token) && !others.has_issued(&token));
        assert_eq!(SessionToken::parse(token.as_str()), Some(token.clone()));
        let made_up = SessionToken::parse(&format!("{}{}", &token.as_str()[..MARKED], "0".repeat(32)));
        assert!(!own.has_issued(&made_up.unwrap()));
    }

    #[test]
    fn a_renewed_token_is_another_of_the_same_session_and_cannot_be_worked_out() {
        let mut randomness = seeded_randomness(1);
        let key = SessionKey::new(&[1; 32]);
        let token = key.issue(&mut randomness);
        let [one, other] = [(); 2].map(|()| ChallengeId::draw(&mut randomness));
        let renewed = key.renew(&token, &one);
        assert!(key.has_issued(&renewed));
        assert_eq!((renewed.key(), renewed.form_token()), (token.key(), token.form_token()));
        assert_ne!(renewed.digest(), token.digest());
        assert_eq!(key.renew(&token, &one), renewed);
        assert_ne!(key.renew(&token, &other), renewed);
        assert_ne!(SessionKey::new(&[2; 32]).renew(&token, &one), renewed);
    }

    #[test]
    fn tokens_differ_and_are_read_back() {
        let mut randomness = seeded_randomness(1);
        let key = SessionKey::new(&[1; 32]);
        let [one, other] = [(); 2].map(|()| key.issue(&mut randomness));
        assert_ne!(one, other);
        assert_eq!(SessionToken::parse(one.as_str()), Some(one.clone()));
        assert!(one.has_form_token(&one.form_token()) && !one.has_form_token(&other.form_token()));
        assert!(!format!("{one:?}").contains(one.as_str()));
        for wrong in ["", "abc", &one.as_str().to_uppercase(), &format!("{}0", one.as_str())] {
            assert_eq!(SessionToken::parse(wrong), None, "{wrong}");
        }
    }
}
