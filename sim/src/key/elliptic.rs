//! Keys on elliptic curves, which the next generation of the card is announced to have. They sign
//! deterministically (RFC 6979): the same card gives the same bytes.

use super::{Algorithm, KeyError, KeyName, SignError, SignatureScheme, Signer};
use include_dir::{Dir, include_dir};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rand_core::Rng;
use sha2::{Digest, Sha256, Sha384};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/pki/TEST-KEYS");

/// A private key on one of two curves.
pub struct EllipticKey {
    curve: Curve,
    public_key: Vec<u8>,
}

enum Curve {
    P384(p384::ecdsa::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl EllipticKey {
    /// Reads an unencrypted PKCS #8 private key in PEM for `algorithm`.
    ///
    /// # Errors
    /// [`KeyError::NotOfAlgorithm`] when it is not that.
    pub fn from_pem(pem: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let curve = match algorithm {
            Algorithm::EcdsaP384 => p384::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Curve::P384),
            Algorithm::EcdsaP256 => p256::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Curve::P256),
            Algorithm::Rsa2048 => return Err(KeyError::NotOfAlgorithm),
        }
        .map_err(|_| KeyError::NotOfAlgorithm)?;
        let public_key = match &curve {
            Curve::P384(key) => key.verifying_key().to_public_key_der(),
            Curve::P256(key) => key.verifying_key().to_public_key_der(),
        }
        .map_err(|_| KeyError::NotOfAlgorithm)?;
        Ok(Self { curve, public_key: public_key.as_bytes().to_vec() })
    }

    /// Bytes of the hash that it signs.
    const fn hash_length(&self) -> usize {
        match self.curve {
            Curve::P384(_) => 48,
            Curve::P256(_) => 32,
        }
    }
}

impl Signer for EllipticKey {
    /// The ECDSA signature of a hash of 48 (P-384) or 32 bytes (P-256): a DER `Ecdsa-Sig-Value`.
    fn sign_verbatim(&self, hash: &[u8]) -> Result<Vec<u8>, SignError> {
        if hash.len() != self.hash_length() {
            return Err(SignError::Length(hash.len()));
        }
        match &self.curve {
            Curve::P384(key) => {
                let signature: Result<p384::ecdsa::Signature, _> = key.sign_prehash(hash);
                signature.map(|signature| signature.to_der().as_bytes().to_vec())
            }
            Curve::P256(key) => {
                let signature: Result<p256::ecdsa::Signature, _> = key.sign_prehash(hash);
                signature.map(|signature| signature.to_der().as_bytes().to_vec())
            }
        }
        .map_err(|_| SignError::Refused)
    }

    fn sign_message(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self.curve {
            Curve::P384(_) => self.sign_verbatim(&Sha384::digest(message)),
            Curve::P256(_) => self.sign_verbatim(&Sha256::digest(message)),
        }
    }

    fn sign_pss(&self, _: &[u8], _: &mut dyn Rng) -> Result<Vec<u8>, SignError> {
        Err(SignError::Unsupported)
    }

    /// The scheme of P1 = 00 alone: the others are ways to pad for RSA.
    fn sign(&self, scheme: SignatureScheme, data: &[u8], _: &mut dyn Rng) -> Result<Vec<u8>, SignError> {
        match scheme {
            SignatureScheme::Verbatim => self.sign_verbatim(data),
            _ => Err(SignError::Unsupported),
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self.curve {
            Curve::P384(_) => Algorithm::EcdsaP384,
            Curve::P256(_) => Algorithm::EcdsaP256,
        }
    }

    fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

impl fmt::Debug for EllipticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EllipticKey({:?})", self.algorithm())
    }
}

/// The key of the authority for `purpose`.
pub(crate) fn authority_key(algorithm: Algorithm, purpose: &str) -> Result<Arc<EllipticKey>, KeyError> {
    key(algorithm, &format!("ca-{purpose}"))
}

/// The key of the holder `id` for `purpose`: one of eight, as [`KeyName::spare`] chooses.
pub(crate) fn holder_key(
    algorithm: Algorithm,
    id: &str,
    purpose: &str,
) -> Result<Arc<EllipticKey>, KeyError> {
    key(algorithm, &KeyName::spare(id, purpose))
}

/// The key in `TEST-KEYS/p384/` or `p256/`, read once in a process.
fn key(algorithm: Algorithm, name: &str) -> Result<Arc<EllipticKey>, KeyError> {
    static READ: Mutex<BTreeMap<String, Arc<EllipticKey>>> = Mutex::new(BTreeMap::new());
    let folder = match algorithm {
        Algorithm::EcdsaP384 => "p384",
        Algorithm::EcdsaP256 => "p256",
        Algorithm::Rsa2048 => return Err(KeyError::NotOfAlgorithm),
    };
    let path = format!("{folder}/{name}.TEST.pem");
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(key) = read.get(&path) {
        return Ok(key.clone());
    }
    let pem = FILES.get_file(&path).and_then(|file| file.contents_utf8()).ok_or(KeyError::Pem)?;
    let key = Arc::new(EllipticKey::from_pem(pem, algorithm)?);
    read.insert(path, key.clone());
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_is_another_one_on_its_curve() {
        let mut seen = BTreeSet::new();
        for algorithm in [Algorithm::EcdsaP384, Algorithm::EcdsaP256] {
            for purpose in ["user-authentication", "digital-signature"] {
                let spare = (0..8).map(|set| format!("spare-{set}-{purpose}"));
                for name in spare.chain([format!("ca-{purpose}")]) {
                    let key = key(algorithm, &name).unwrap();
                    assert_eq!(key.algorithm(), algorithm);
                    assert!(seen.insert(key.public_key().to_vec()), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_signature_is_the_same_each_time_and_of_a_hash_alone() {
        let key = holder_key(Algorithm::EcdsaP384, "hanako", "user-authentication").unwrap();
        let hash = Sha384::digest(b"message");
        assert_eq!(key.sign_verbatim(&hash), key.sign_message(b"message"));
        assert_eq!(key.sign_verbatim(&hash[1..]), Err(SignError::Length(47)));
        assert_eq!(format!("{key:?}"), "EllipticKey(EcdsaP384)");
    }

    #[test]
    fn a_key_of_the_other_curve_is_refused() {
        let file = FILES.get_file("p256/ca-user-authentication.TEST.pem").unwrap();
        let pem = file.contents_utf8().unwrap();
        assert!(EllipticKey::from_pem(pem, Algorithm::EcdsaP256).is_ok());
        for algorithm in [Algorithm::EcdsaP384, Algorithm::Rsa2048] {
            assert_eq!(EllipticKey::from_pem(pem, algorithm).err(), Some(KeyError::NotOfAlgorithm));
        }
    }
}
