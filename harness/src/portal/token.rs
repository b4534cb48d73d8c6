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

    /// A new session: 128 bits, and 128 bits that say whose it is.
    pub(super) fn issue(&self, randomness: &mut Randomness) -> SessionToken {
        let name = hexadecimal(&drawn::<16>(randomness));
        let mark = self.mark(&name);
        SessionToken(name + &mark)
    }

    /// Whether it was issued with this key. A session that a visitor brings along from elsewhere is
    /// none: somebody else may know it.
    pub(super) fn has_issued(&self, token: &SessionToken) -> bool {
        let (name, mark) = token.0.split_at(32);
        self.mark(name).as_bytes().ct_eq(mark.as_bytes()).into()
    }

    fn mark(&self, name: &str) -> String {
        hexadecimal(&hmac::sign(&self.0, name.as_bytes()).as_ref()[..16])
    }
}

/// What a browser's cookie holds: 256 bits. The store knows its digest only.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// One that no portal has issued.
    pub(super) fn draw(randomness: &mut Randomness) -> Self {
        Self(hexadecimal(&drawn::<32>(randomness)))
    }

    /// A token as it came from outside; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_hexadecimal(text, 64).then(|| Self(text.to_owned()))
    }

    /// As the cookie has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What forms of this session carry, so that no other site can press buttons here.
    #[must_use]
    pub fn form_token(&self) -> String {
        self.derived("form")
    }

    /// Whether `text` is this session's [`form_token`](Self::form_token), in constant time.
    #[must_use]
    pub fn has_form_token(&self, text: &str) -> bool {
        self.form_token().as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// How the store knows the session.
    pub(super) fn key(&self) -> String {
        self.derived("session")
    }

    fn derived(&self, purpose: &str) -> String {
        hexadecimal(&Sha256::digest(format!("vmyna portal {purpose} {}", self.0)))
    }
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

fn is_hexadecimal(text: &str, length: usize) -> bool {
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
        assert!(!own.has_issued(&SessionToken::draw(&mut randomness)));
    }

    #[test]
    fn tokens_differ_and_are_read_back() {
        let mut randomness = seeded_randomness(1);
        let [one, other] = [(); 2].map(|()| SessionToken::draw(&mut randomness));
        assert_ne!(one, other);
        assert_eq!(SessionToken::parse(one.as_str()), Some(one.clone()));
        assert!(one.has_form_token(&one.form_token()) && !one.has_form_token(&other.form_token()));
        assert!(!format!("{one:?}").contains(one.as_str()));
        for wrong in ["", "abc", &one.as_str().to_uppercase(), &format!("{}0", one.as_str())] {
            assert_eq!(SessionToken::parse(wrong), None, "{wrong}");
        }
    }
}
