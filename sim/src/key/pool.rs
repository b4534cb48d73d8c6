//! The TEST keys that the program carries, by name, out of `vectors/pki/TEST-KEYS/`. Each is read at
//! most once in a process and shared by all cards that hold it.

use super::{KeyError, RsaKey};
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};
use thiserror::Error;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/pki/TEST-KEYS");

/// Sets of keys for holders that name none.
const SPARE_SETS: u8 = 8;

/// A key file as it came, and the key once it has been read.
struct Entry {
    pem: &'static str,
    key: OnceLock<Result<Arc<RsaKey>, KeyError>>,
}

static POOL: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
    FILES
        .files()
        .filter_map(|file| {
            let name = file.path().file_name()?.to_str()?.strip_suffix(".TEST.pem")?;
            Some((name, Entry { pem: file.contents_utf8()?, key: OnceLock::new() }))
        })
        .collect()
});

fn read(entry: &'static Entry) -> Result<Arc<RsaKey>, KeyError> {
    entry.key.get_or_init(|| RsaKey::from_pem(entry.pem).map(Arc::new)).clone()
}

/// The name of a key in the pool that a holder may have; the keys of the authorities and of their
/// OCSP responders have none.
#[derive(Clone, Copy)]
pub struct KeyName {
    name: &'static str,
    entry: &'static Entry,
}

/// No key in the pool has this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no key in the pool has this name; there are {}", .known.join(", "))]
pub struct UnknownKey {
    /// the names there are, in alphabetical order
    pub known: Vec<&'static str>,
}

/// What the key of an authority is called, up to its purpose and slot.
const AUTHORITY: &str = "ca-";
/// What the key of an OCSP responder is called, up to its purpose.
const RESPONDER: &str = "ocsp-";

fn is_for_holders(name: &str) -> bool {
    !name.starts_with(AUTHORITY) && !name.starts_with(RESPONDER)
}

impl KeyName {
    /// The key called `name`: its file name without `.TEST.pem`.
    ///
    /// # Errors
    /// [`UnknownKey`] when there is none; it lists those there are.
    pub fn parse(name: &str) -> Result<Self, UnknownKey> {
        match POOL.get_key_value(name) {
            Some((name, entry)) if is_for_holders(name) => Ok(Self { name, entry }),
            _ => {
                Err(UnknownKey { known: POOL.keys().copied().filter(|name| is_for_holders(name)).collect() })
            }
        }
    }

    /// The name of the spare key for the holder `id` and `purpose` (such as `user-authentication` or
    /// `text`): the one of the set whose number is the first byte of SHA-256(id), modulo 8.
    #[must_use]
    pub fn spare(id: &str, purpose: &str) -> String {
        format!("spare-{}-{purpose}", Sha256::digest(id)[0] % SPARE_SETS)
    }

    /// The name of the key that the holder `id` has when the holder's file names none: the one called
    /// after the holder where there is one, otherwise a [spare](Self::spare) one.
    #[must_use]
    pub fn default_of(id: &str, purpose: &str) -> String {
        let own = format!("{id}-{purpose}");
        if Self::parse(&own).is_ok() { own } else { Self::spare(id, purpose) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// The key of this name.
    ///
    /// # Errors
    /// [`KeyError`] when the file is not the key it should be.
    pub fn key(self) -> Result<Arc<RsaKey>, KeyError> {
        read(self.entry)
    }
}

/// The key of the authority for `purpose` in `slot` (0 to 2).
pub(crate) fn authority_key(purpose: &str, slot: usize) -> Result<Arc<RsaKey>, KeyError> {
    POOL.get(format!("{AUTHORITY}{purpose}-{slot}").as_str()).ok_or(KeyError::Pem).and_then(read)
}

/// The key for `purpose` of an authority of card-verifiable certificates (`cv`), or of the
/// municipalities whose keys it certifies (`municipality`).
pub(crate) fn card_verifiable_key(role: &str, purpose: &str) -> Result<Arc<RsaKey>, KeyError> {
    POOL.get(format!("{AUTHORITY}{role}-{purpose}").as_str()).ok_or(KeyError::Pem).and_then(read)
}

/// The key of the OCSP responder of the authority for `purpose`.
pub(crate) fn responder_key(purpose: &str) -> Result<Arc<RsaKey>, KeyError> {
    POOL.get(format!("{RESPONDER}{purpose}").as_str()).ok_or(KeyError::Pem).and_then(read)
}

impl PartialEq for KeyName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for KeyName {}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holder::Holder;
    use crate::key::Signer;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_of_the_pool_is_another_one() {
        let keys: BTreeSet<_> =
            POOL.values().map(|entry| read(entry).unwrap().public_key().to_vec()).collect();
        assert_eq!(keys.len(), POOL.len());
    }

    #[test]
    fn built_in_holders_share_no_named_key_and_use_no_spare_one_for_certificates() {
        let mut seen = BTreeSet::new();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        for name in Holder::built_in_names() {
            let holder = Holder::built_in(name).unwrap();
            let signature = holder.signature_certificate(now).map(|_| holder.keys.digital_signature);
            let keys = holder.keys;
            for key in [Some(keys.user_authentication), signature].into_iter().flatten() {
                assert!(!key.as_str().starts_with("spare-"), "{name} uses {key:?}");
                assert!(seen.insert(key.as_str()), "{name} shares {key:?}");
            }
            for key in [keys.text, keys.visual, keys.session, keys.common] {
                let named = !key.as_str().starts_with("spare-");
                assert!(!named || seen.insert(key.as_str()), "{name} shares {key:?}");
            }
        }
    }

    #[test]
    fn every_spare_set_and_every_slot_is_there() {
        for purpose in ["user-authentication", "digital-signature", "text", "visual", "session", "common"] {
            for set in 0..SPARE_SETS {
                assert!(KeyName::parse(&format!("spare-{set}-{purpose}")).is_ok());
            }
        }
        for purpose in ["user-authentication", "digital-signature"] {
            for slot in 0..3 {
                assert!(authority_key(purpose, slot).is_ok());
            }
            assert!(responder_key(purpose).is_ok());
        }
    }

    #[test]
    fn keys_of_authorities_and_responders_are_not_for_holders() {
        for name in ["ca-user-authentication-0", "ocsp-user-authentication"] {
            let error = KeyName::parse(name).unwrap_err();
            assert!(error.known.contains(&"hanako-user-authentication"));
            assert!(!error.to_string().contains("ca-") && !error.to_string().contains("ocsp-"), "{error}");
        }
    }

    #[test]
    fn a_key_is_read_once_and_shared() {
        let name = KeyName::parse("spare-0-digital-signature").unwrap();
        assert!(Arc::ptr_eq(&name.key().unwrap(), &name.key().unwrap()));
    }
}
