//! ECDSA verification for the next generation of the card, by another library than the one that
//! signs: the card is simulated with the crates `p384` and `p256`, and AWS-LC verifies.

use super::SignatureProblem;
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};

/// A public key on one of two curves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EllipticPublicKey {
    curve: Curve,
    /// uncompressed
    point: Vec<u8>,
}

/// The curves that are announced or in use for certificates of the next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1, with SHA-256
    P256,
    /// secp384r1, with SHA-384
    P384,
}

impl Curve {
    /// Its usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Bytes of the hashes that are signed on it.
    #[must_use]
    pub const fn hash_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    fn algorithms(self) -> (&'static EcdsaVerificationAlgorithm, &'static digest::Algorithm) {
        match self {
            Self::P256 => (&ECDSA_P256_SHA256_ASN1, &digest::SHA256),
            Self::P384 => (&ECDSA_P384_SHA384_ASN1, &digest::SHA384),
        }
    }
}

impl EllipticPublicKey {
    /// The key at `point`, uncompressed as certificates have it.
    #[must_use]
    pub fn new(curve: Curve, point: &[u8]) -> Self {
        Self { curve, point: point.to_vec() }
    }

    /// On which curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// Whether `signature`, an `Ecdsa-Sig-Value` in DER, is that of `hash`.
    ///
    /// # Errors
    /// [`SignatureProblem::Elliptic`], and [`SignatureProblem::NotForThisKey`] for a hash of another
    /// length.
    pub fn verify(&self, hash: &[u8], signature: &[u8]) -> Result<(), SignatureProblem> {
        let curve = self.curve.name();
        let (algorithm, digest) = self.curve.algorithms();
        let expected = self.curve.hash_length();
        let hash = Digest::import_less_safe(hash, digest)
            .map_err(|_| SignatureProblem::NotForThisKey { curve, expected })?;
        UnparsedPublicKey::new(algorithm, &self.point)
            .verify_digest(&hash, signature)
            .map_err(|_| SignatureProblem::Elliptic { curve })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use sha2::{Digest as _, Sha384};

    // Made by OpenSSL 3: `openssl dgst -sha384 -sign` of the nine bytes "a message", on secp384r1.
    const POINT: [u8; 97] = hex!(
        "04CC0CAE6B5F0E4F3AF1C3A8ABEA1662E8362DC48D82B2DD474275ED4DCDF65E4B51E04F91052572DCD5591DE1BD8A20"
        "0E729BA079146EAC8E476B685376BD262EFE8058380378FEBFF0B42472BE054F38A0DE8641201F488C8A295897F79B85"
        "B2"
    );
    const SIGNATURE: [u8; 104] = hex!(
        "3066023100E45DB80E8DB23EAB29A51493320B48D64C2911854FA11AB548E14E6D07B35DBCC539C092DAD4B5E030E733"
        "0255647F93023100F1A8CC6986518B9EE7E5D31B14FA9E4B636DCA95FF8A006A65BD20F3809915DED2C7BFD11E89A420"
        "49C0DE9547F19890"
    );

    #[test]
    fn what_openssl_signs_verifies_and_nothing_else() {
        let key = EllipticPublicKey::new(Curve::P384, &POINT);
        let hash = Sha384::digest(b"a message");
        let other = Err(SignatureProblem::Elliptic { curve: "P-384" });
        assert_eq!(key.verify(&hash, &SIGNATURE), Ok(()));
        assert_eq!(key.verify(&Sha384::digest(b"another"), &SIGNATURE), other);
        assert_eq!(key.verify(&hash, &SIGNATURE[1..]), other);
        assert_eq!(EllipticPublicKey::new(Curve::P384, &POINT[1..]).verify(&hash, &SIGNATURE), other);
        let problem = key.verify(&hash[1..], &SIGNATURE);
        assert_eq!(problem, Err(SignatureProblem::NotForThisKey { curve: "P-384", expected: 48 }));
    }
}
