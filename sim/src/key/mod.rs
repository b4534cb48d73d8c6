//! Signing keys. A card signs through [`Signer`] and does not know how; [`RsaKey`] is the kind that
//! today's cards hold, and [`KeyName`] finds one in the pool of TEST keys that the program carries.

mod digest_info;
mod pool;
mod rsa_key;
mod scheme;

pub use digest_info::DigestInfo;
pub use pool::{KeyName, UnknownKey};
pub(crate) use pool::{authority_key, card_verifiable_key, responder_key};
pub use rsa_key::{DecryptError, KeyError, RsaKey};
pub use scheme::SignatureScheme;

use rand_core::Rng;
use sha2::{Digest, Sha256};
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

    /// The RSASSA-PSS signature (RFC 8017, 8.1) of what has the SHA-256 `digest`, MGF1 with SHA-256 and
    /// a salt of 32 bytes out of `randomness`.
    ///
    /// # Errors
    /// [`SignError::Unsupported`] for a key that is not RSA; [`SignError::Refused`] when the
    /// cryptographic library refuses, also a digest that does not have 32 bytes.
    fn sign_pss(&self, digest: &[u8], randomness: &mut dyn Rng) -> Result<Vec<u8>, SignError>;

    /// The signature of `data` by the way that P1 of COMPUTE DIGITAL SIGNATURE names.
    ///
    /// # Errors
    /// As [`sign_verbatim`](Self::sign_verbatim) and [`sign_pss`](Self::sign_pss).
    fn sign(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        randomness: &mut dyn Rng,
    ) -> Result<Vec<u8>, SignError> {
        match scheme {
            SignatureScheme::Verbatim => self.sign_verbatim(data),
            SignatureScheme::Sha256Bare => self.sign_verbatim(&Sha256::digest(data)),
            SignatureScheme::PrehashedDigestInfo => self.sign_verbatim(&DigestInfo::around_sha256(data)),
            SignatureScheme::Sha256DigestInfo => self.sign_sha256(data),
            SignatureScheme::PrehashedPss => self.sign_pss(data, randomness),
            SignatureScheme::Sha256Pss => self.sign_pss(&Sha256::digest(data), randomness),
        }
    }

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
