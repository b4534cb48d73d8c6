//! RSA keys of 2048 bits. What clients sign nearly always, a DigestInfo with SHA-256, 384 or 512,
//! goes to the fast library; everything else goes to the slower one that pads any bytes, whose form
//! of the key is made only when first needed, so that starting stays quick.

use super::{DigestInfo, SignError, Signer};
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512};
use rand_core::{Rng, TryCryptoRng, TryRng};
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha2::Sha256;
use std::convert::Infallible;
use std::fmt;
use std::sync::OnceLock;
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a modulus of 2048 bits, and so of a signature.
const MODULUS_LENGTH: usize = 256;
/// The padding takes `00 01`, eight bytes `FF` at least, and `00` (RFC 8017, 9.2).
const MAX_DATA: usize = MODULUS_LENGTH - 11;

/// An RSA private key of 2048 bits.
pub struct RsaKey {
    fast: KeyPair,
    any_bytes: OnceLock<Option<RsaPrivateKey>>,
    pkcs8: Zeroizing<Vec<u8>>,
    public_key: Vec<u8>,
}

/// Why a text is no key that can be used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not PEM, or not labelled as a PKCS #8 private key.
    #[error("expected a PEM block labelled PRIVATE KEY")]
    Pem,
    /// The block does not hold an RSA key that passes the library's checks.
    #[error("expected an RSA private key in PKCS #8")]
    NotRsa,
    /// The key is for another algorithm than the one it is wanted for.
    #[error("expected a PKCS #8 private key of another algorithm")]
    NotOfAlgorithm,
    /// An RSA key, but of another size.
    #[error("expected an RSA key of 2048 bits, not {bits}")]
    Size {
        /// the bits of its modulus
        bits: usize,
    },
}

impl RsaKey {
    /// Reads an unencrypted PKCS #8 private key in PEM (RFC 7468, 10).
    ///
    /// # Errors
    /// [`KeyError`] when it is not that, or not an RSA key of 2048 bits.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, der) = der::pem::decode_vec(pem.as_bytes()).map_err(|_| KeyError::Pem)?;
        let pkcs8 = Zeroizing::new(der);
        if label != "PRIVATE KEY" {
            return Err(KeyError::Pem);
        }
        let fast = KeyPair::from_pkcs8(&pkcs8).map_err(|_| KeyError::NotRsa)?;
        if fast.public_modulus_len() != MODULUS_LENGTH {
            return Err(KeyError::Size { bits: fast.public_modulus_len() * 8 });
        }
        let public_key = fast.public_key().as_der().map_err(|_| KeyError::NotRsa)?.as_ref().to_vec();
        Ok(Self { fast, any_bytes: OnceLock::new(), pkcs8, public_key })
    }

    fn sign_digest(&self, info: DigestInfo<'_>) -> Result<Vec<u8>, SignError> {
        let (algorithm, encoding, digest) = match info {
            DigestInfo::Sha256(digest) => (&digest::SHA256, &RSA_PKCS1_SHA256, digest),
            DigestInfo::Sha384(digest) => (&digest::SHA384, &RSA_PKCS1_SHA384, digest),
            DigestInfo::Sha512(digest) => (&digest::SHA512, &RSA_PKCS1_SHA512, digest),
        };
        let digest = Digest::import_less_safe(digest, algorithm).map_err(|_| SignError::Refused)?;
        let mut signature = vec![0; MODULUS_LENGTH];
        self.fast.sign_digest(encoding, &digest, &mut signature).map_err(|_| SignError::Refused)?;
        Ok(signature)
    }

    /// The form of the key that pads any bytes.
    fn any_bytes(&self) -> Option<&RsaPrivateKey> {
        self.any_bytes.get_or_init(|| RsaPrivateKey::from_pkcs8_der(&self.pkcs8).ok()).as_ref()
    }

    fn sign_any_bytes(&self, data: &[u8]) -> Result<Vec<u8>, SignError> {
        let key = self.any_bytes().ok_or(SignError::Refused)?;
        key.sign(Pkcs1v15Sign::new_unprefixed(), data).map_err(|_| SignError::Refused)
    }

    /// What was encrypted to `ciphertext`, 256 bytes, with RSAES-OAEP, SHA-256 and an empty label
    /// (RFC 8017, 7.1).
    ///
    /// # Errors
    /// [`DecryptError`], which says no more than a card may tell.
    pub fn decrypt_oaep_sha256(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let key = self.any_bytes().ok_or(DecryptError::Padding)?;
        if ciphertext.len() != MODULUS_LENGTH || *ciphertext >= *key.n().to_be_bytes() {
            return Err(DecryptError::NotBelowModulus);
        }
        key.decrypt(Oaep::<Sha256>::new(), ciphertext).map(Zeroizing::new).map_err(|_| DecryptError::Padding)
    }
}

/// Why nothing was decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecryptError {
    /// It does not have 256 bytes, or is no number below the modulus.
    #[error("expected a number of 256 bytes below the modulus")]
    NotBelowModulus,
    /// It was not encrypted to this key.
    #[error("not encrypted to this key")]
    Padding,
}

/// The randomness that was handed in, as the library wants it.
struct Salt<'r>(&'r mut dyn Rng);

impl TryRng for Salt<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

// A salt need not be secret: that of a test card may come out of a fixed seed.
impl TryCryptoRng for Salt<'_> {}

impl Signer for RsaKey {
    fn sign_verbatim(&self, data: &[u8]) -> Result<Vec<u8>, SignError> {
        if !(1..=MAX_DATA).contains(&data.len()) {
            return Err(SignError::Length(data.len()));
        }
        match DigestInfo::parse(data) {
            Some(info) => self.sign_digest(info),
            None => self.sign_any_bytes(data),
        }
    }

    fn sign_pss(&self, digest: &[u8], randomness: &mut dyn Rng) -> Result<Vec<u8>, SignError> {
        let key = self.any_bytes().ok_or(SignError::Refused)?;
        let salt = &mut Salt(randomness);
        key.sign_with_rng(salt, Pss::<Sha256>::new(), digest).map_err(|_| SignError::Refused)
    }

    fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(2048 bits)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyName;
    use rsa::RsaPublicKey;
    use rsa::pkcs8::DecodePublicKey;
    use sha2::{Sha384, Sha512};
    use std::sync::Arc;

    fn key() -> Arc<RsaKey> {
        KeyName::parse("hanako-user-authentication").unwrap().key().unwrap()
    }

    fn digest_infos() -> [Vec<u8>; 3] {
        use sha2::Digest;
        let with = |prefix: [u8; 19], digest: &[u8]| [&prefix[..], digest].concat();
        let mut sha384 = [0; 19];
        sha384.copy_from_slice(&hex_literal::hex!("3041300d060960864801650304020205000430"));
        let mut sha512 = [0; 19];
        sha512.copy_from_slice(&hex_literal::hex!("3051300d060960864801650304020305000440"));
        [
            DigestInfo::sha256_of(b"message"),
            with(sha384, &Sha384::digest(b"message")),
            with(sha512, &Sha512::digest(b"message")),
        ]
    }

    #[test]
    fn both_libraries_give_the_same_bytes() {
        let key = key();
        for info in digest_infos() {
            assert!(DigestInfo::parse(&info).is_some());
            assert_eq!(key.sign_verbatim(&info).unwrap(), key.sign_any_bytes(&info).unwrap());
        }
    }

    #[test]
    fn one_to_245_bytes_are_signed_as_they_stand() {
        let key = key();
        let public = RsaPublicKey::from_public_key_der(key.public_key()).unwrap();
        for length in [1, 35, 51, 244, 245] {
            let data = vec![0x5A; length];
            let signature = key.sign_verbatim(&data).unwrap();
            assert_eq!(signature.len(), 256);
            public.verify(Pkcs1v15Sign::new_unprefixed(), &data, &signature).unwrap();
        }
    }

    #[test]
    fn nothing_and_246_bytes_are_refused() {
        assert_eq!(key().sign_verbatim(&[]), Err(SignError::Length(0)));
        assert_eq!(key().sign_verbatim(&[1; 246]), Err(SignError::Length(246)));
    }

    #[test]
    fn the_slower_form_is_made_only_when_needed() {
        let pem = include_str!("../../vectors/pki/TEST-KEYS/hanako-user-authentication.TEST.pem");
        let key = RsaKey::from_pem(pem).unwrap();
        key.sign_message(b"message").unwrap();
        assert!(key.any_bytes.get().is_none());
        key.sign_verbatim(b"message").unwrap();
        assert!(key.any_bytes.get().is_some());
    }

    #[test]
    fn debug_shows_no_key_material() {
        assert_eq!(format!("{:?}", key()), "RsaKey(2048 bits)");
    }

    #[test]
    fn what_is_no_rsa_key_is_refused() {
        assert_eq!(RsaKey::from_pem("hello").unwrap_err(), KeyError::Pem);
        let public = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n";
        assert_eq!(RsaKey::from_pem(public).unwrap_err(), KeyError::Pem);
        let empty = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        assert_eq!(RsaKey::from_pem(empty).unwrap_err(), KeyError::NotRsa);
    }
}
