//! Signing keys. A card signs through [`Signer`] and does not know how; [`RsaKey`] is the kind that
//! today's cards hold, [`EllipticKey`] the kind announced for the next, and [`KeyName`] finds one in the pool of TEST keys that the program carries.

mod algorithm;
mod digest_info;
mod elliptic;
mod pool;
mod rsa_key;
mod scheme;

pub use algorithm::Algorithm;
pub use digest_info::DigestInfo;
pub use elliptic::EllipticKey;
pub(crate) use elliptic::{authority_key as elliptic_authority_key, holder_key as elliptic_holder_key};
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
    /// cryptographic library refuses. A key that is not RSA says what it signs instead.
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
            SignatureScheme::Sha256DigestInfo => self.sign_message(data),
            SignatureScheme::PrehashedPss => self.sign_pss(data, randomness),
            SignatureScheme::Sha256Pss => self.sign_pss(&Sha256::digest(data), randomness),
        }
    }

    /// The public key: a DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
    fn public_key(&self) -> &[u8];

    /// The algorithm of the key and of the signatures that [`sign_message`](Self::sign_message) makes.
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rsa2048
    }

    /// The signature of `message` by the key's [`algorithm`](Self::algorithm), as issuers of
    /// certificates use it: sha256WithRSAEncryption for RSA.
    ///
    /// # Errors
    /// [`SignError::Refused`] when the cryptographic library refuses.
    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_verbatim(&DigestInfo::sha256_of(message))
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignError {
    /// The key signs other lengths: one of RSA 1 to 245 bytes, one on a curve a hash.
    #[error("the key does not sign {0} bytes")]
    Length(usize),
    /// A key of another kind signs in this way.
    #[error("a key of this kind does not sign in this way")]
    Unsupported,
    /// The cryptographic library refused, and gives no reason.
    #[error("the cryptographic library refused to sign")]
    Refused,
}
