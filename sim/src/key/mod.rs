//! Signing keys. A card signs through [`Signer`] and does not know how; [`RsaKey`] is the kind that
//! today's cards hold, and [`KeyName`] finds one in the pool of TEST keys that the program carries.

mod digest_info;
mod pool;
mod rsa_key;

pub use digest_info::DigestInfo;
pub use pool::{KeyName, UnknownKey};
pub(crate) use pool::{authority_key, card_verifiable_key, responder_key};
pub use rsa_key::{KeyError, RsaKey};

use std::fmt::Debug;
use thiserror::Error;

/// A private key that signs and never leaves. `Debug` of an implementation shows no key material.
pub trait Signer: Debug + Send + Sync {
    /// The RSASSA-PKCS1-v1_5 signature (RFC 8017, 8.2.1, from step 2 of 9.2 on) over `data` as it
    /// stands, 1 to 245 bytes, normally a DER DigestInfo: `00 01 FF … FF 00 data` to the private
    /// exponent, 256 bytes. This is COMPUTE DIGITAL SIGNATURE with P1 = 00.
    ///
    /// # Errors
    /// [`SignError::Length`] for no data or more than 245 bytes; [`SignError::Refused`] when the
    /// cryptographic library refuses.
    fn sign_verbatim(&self, data: &[u8]) -> Result<Vec<u8>, SignError>;

    /// The public key: a DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
    fn public_key(&self) -> &[u8];

    /// The sha256WithRSAEncryption signature of `message`, as issuers of certificates use it.
    ///
    /// # Errors
    /// [`SignError::Refused`] when the cryptographic library refuses.
    fn sign_sha256(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_verbatim(&DigestInfo::sha256_of(message))
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignError {
    /// The padding leaves room for 1 to 245 bytes.
    #[error("an RSA key of 2048 bits signs 1 to 245 bytes, not {0}")]
    Length(usize),
    /// The cryptographic library refused, and gives no reason.
    #[error("the cryptographic library refused to sign")]
    Refused,
}
