//! RSA verification with arithmetic of its own: RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2) by comparing the
//! whole encoded message, RSASSA-PSS (8.1.2) by what [`pss`](super::pss) says of it.

use super::pss::{self, PssProblem};
use num_bigint::BigUint;
use thiserror::Error;
use vmyna_sim::hex::Spaced;

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: BigUint,
    exponent: BigUint,
}

/// Why a signature does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureProblem {
    /// not as long as the modulus
    #[error("the signature has {came} bytes; the modulus has {expected}")]
    Length {
        /// bytes of the modulus
        expected: usize,
        /// bytes of the signature
        came: usize,
    },
    /// not a number below the modulus
    #[error("the signature is not smaller than the modulus")]
    Range,
    /// a key with which a card could keep the harness busy for hours
    #[error("the key is out of all proportion: {modulus} bits of modulus, {exponent} of exponent")]
    Monstrous {
        /// bits of the modulus
        modulus: u64,
        /// bits of the public exponent
        exponent: u64,
    },
    /// s^e mod n is not the encoded message
    #[error("s^e mod n is not 00 01 FF … FF 00 and the data: it begins {beginning} and ends {ending}")]
    EncodedMessage {
        /// its first bytes
        beginning: String,
        /// its last bytes
        ending: String,
    },
    /// s^e mod n is not encoded as PSS has it
    #[error("it is no RSASSA-PSS signature of this hash: {0}")]
    Pss(PssProblem),
    /// the signature is not that of the hash, on this curve
    #[error("it is no ECDSA signature of this hash by the key on {curve}")]
    Elliptic {
        /// of the key
        curve: &'static str,
    },
    /// the key cannot sign in this way
    #[error("a key on {curve} signs hashes of {expected} bytes with ECDSA and nothing else")]
    NotForThisKey {
        /// of the key
        curve: &'static str,
        /// bytes of the hashes that it signs
        expected: usize,
    },
}

/// No authority has a longer key, nor a public exponent that does not fit the registers of its card.
const LONGEST_MODULUS: u64 = 8192;
const LONGEST_EXPONENT: u64 = 64;

impl RsaPublicKey {
    /// From big-endian modulus and exponent.
    #[must_use]
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        Self { modulus: BigUint::from_bytes_be(modulus), exponent: BigUint::from_bytes_be(exponent) }
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulus(&self) -> Vec<u8> {
        self.modulus.to_bytes_be()
    }

    /// Bits of the modulus.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.modulus.bits()
    }

    /// Whether the public exponent is 65537.
    #[must_use]
    pub fn has_usual_exponent(&self) -> bool {
        self.exponent == BigUint::from(65_537u32)
    }

    /// Whether `signature` is PKCS#1 v1.5 type 1 over `data`, as it is.
    ///
    /// # Errors
    /// [`SignatureProblem`] says how it differs.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), SignatureProblem> {
        let came = self.opened(signature)?;
        if came != encoded_message(data, came.len()) {
            let beginning = Spaced(&came[..came.len().min(4)]).to_string();
            let ending = Spaced(&came[came.len().saturating_sub(8)..]).to_string();
            return Err(SignatureProblem::EncodedMessage { beginning, ending });
        }
        Ok(())
    }

    /// Whether `signature` is RSASSA-PSS over a SHA-256 `hash`, with MGF1 of SHA-256 and a salt as long
    /// as the hash.
    ///
    /// # Errors
    /// [`SignatureProblem`] says how it differs.
    pub fn verify_pss(&self, hash: &[u8], signature: &[u8]) -> Result<(), SignatureProblem> {
        let opened = self.opened(signature)?;
        // The encoded message is a bit shorter than the modulus (RFC 8017, 8.1.2).
        let bits = usize::try_from(self.bits().saturating_sub(1)).unwrap_or(usize::MAX);
        let (surplus, encoded) = opened.split_at(opened.len().saturating_sub(bits.div_ceil(8)));
        if surplus.iter().any(|byte| *byte != 0) {
            return Err(SignatureProblem::Pss(PssProblem::HighBits));
        }
        pss::verify(hash, encoded, bits).map_err(SignatureProblem::Pss)
    }

    /// s^e mod n, as long as the modulus.
    fn opened(&self, signature: &[u8]) -> Result<Vec<u8>, SignatureProblem> {
        let (modulus, exponent) = (self.bits(), self.exponent.bits());
        if modulus > LONGEST_MODULUS || exponent > LONGEST_EXPONENT {
            return Err(SignatureProblem::Monstrous { modulus, exponent });
        }
        let length = usize::try_from(modulus.div_ceil(8)).unwrap_or(usize::MAX);
        if signature.len() != length {
            return Err(SignatureProblem::Length { expected: length, came: signature.len() });
        }
        let number = BigUint::from_bytes_be(signature);
        if number >= self.modulus {
            return Err(SignatureProblem::Range);
        }
        let recovered = number.modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut opened = vec![0; length.saturating_sub(recovered.len())];
        opened.extend(recovered);
        Ok(opened)
    }
}

/// `00 01 FF … FF 00 ‖ data`, with at least eight `FF`
fn encoded_message(data: &[u8], length: usize) -> Vec<u8> {
    let padding = length.saturating_sub(data.len() + 3).max(8);
    [&[0x00, 0x01][..], &vec![0xFF; padding], &[0x00], data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmyna_sim::card::Personalised;

    #[test]
    fn only_the_exact_encoded_message_verifies() {
        let card = Personalised::built_in("hanako").unwrap();
        let issued = &card.issued().user_authentication;
        let key = super::super::Certificate::parse(&issued.certificate).unwrap().public_key().unwrap();
        let data = b"\x30\x31 whatever";
        let mut signature = issued.key.sign_verbatim(data).unwrap();
        assert_eq!(key.verify(data, &signature), Ok(()));
        assert!(matches!(key.verify(b"other", &signature), Err(SignatureProblem::EncodedMessage { .. })));
        assert!(matches!(key.verify(data, &signature[1..]), Err(SignatureProblem::Length { .. })));
        assert_eq!(key.verify(data, &[0xFF; 256]), Err(SignatureProblem::Range));
        signature[255] ^= 1;
        assert!(key.verify(data, &signature).is_err());
    }

    #[test]
    fn a_key_that_would_take_hours_is_refused() {
        let huge = [0xFF; 30_000];
        let key = RsaPublicKey::new(&huge, &huge);
        let problem = SignatureProblem::Monstrous { modulus: 240_000, exponent: 240_000 };
        assert_eq!(key.verify(b"data", &[0x01; 30_000]), Err(problem.clone()));
        assert_eq!(key.verify_pss(&[0; 32], &[0x01; 30_000]), Err(problem));
        let long_exponent = RsaPublicKey::new(&[0xFF; 256], &huge);
        assert!(matches!(
            long_exponent.verify(b"data", &[0x01; 256]),
            Err(SignatureProblem::Monstrous { .. })
        ));
        for degenerate in [&[][..], &[0], &[1]] {
            let key = RsaPublicKey::new(degenerate, &[1, 0, 1]);
            assert!(key.verify(b"data", &[]).is_err() && key.verify_pss(&[0; 32], &[]).is_err());
            assert!(key.verify(b"data", &[1]).is_err() && key.verify_pss(&[0; 32], &[0]).is_err());
        }
    }
}
