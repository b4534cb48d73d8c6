//! A public key of either kind, and the ways to sign with it.

use super::{EllipticPublicKey, RsaPublicKey, SignatureProblem};

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA
    Rsa(RsaPublicKey),
    /// on an elliptic curve
    Elliptic(EllipticPublicKey),
}

/// What a signature is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    /// these bytes as they stand: padded by PKCS#1 v1.5 type 1, or of an elliptic key the hash
    Plain,
    /// this SHA-256, by RSASSA-PSS
    Pss,
}

impl PublicKey {
    /// An RSA key as the files of the card hold it: `90` exponent, `91` modulus, in BER-TLV.
    #[must_use]
    pub fn of_card(objects: &[u8]) -> Option<Self> {
        let (exponent, rest) = match objects {
            [0x90, length @ 0..=0x7F, rest @ ..] => rest.split_at_checked(usize::from(*length))?,
            _ => return None,
        };
        let modulus = match rest {
            [0x91, 0x82, high, low, modulus @ ..]
                if modulus.len() == usize::from(u16::from_be_bytes([*high, *low])) =>
            {
                modulus
            }
            _ => return None,
        };
        Some(Self::Rsa(RsaPublicKey::new(modulus, exponent)))
    }

    /// Whether `signature` is that of `data`.
    ///
    /// # Errors
    /// [`SignatureProblem`] says how it differs.
    pub fn verify(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureProblem> {
        match (self, scheme) {
            (Self::Rsa(key), SignatureScheme::Plain) => key.verify(data, signature),
            (Self::Rsa(key), SignatureScheme::Pss) => key.verify_pss(data, signature),
            (Self::Elliptic(key), SignatureScheme::Plain) => key.verify(data, signature),
            (Self::Elliptic(key), SignatureScheme::Pss) => {
                let curve = key.curve();
                Err(SignatureProblem::NotForThisKey { curve: curve.name(), expected: curve.hash_length() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_card_is_its_two_objects_and_nothing_more() {
        let modulus = [&[0x91, 0x82, 0x01, 0x00][..], &[0xC1; 256]].concat();
        let objects = [&[0x90, 0x03, 0x01, 0x00, 0x01][..], &modulus].concat();
        let key = PublicKey::of_card(&objects);
        assert_eq!(key, Some(PublicKey::Rsa(RsaPublicKey::new(&[0xC1; 256], &[1, 0, 1]))));
        for wrong in [&objects[1..], &objects[..264], &modulus, &[objects.clone(), vec![0]].concat()] {
            assert_eq!(PublicKey::of_card(wrong), None);
        }
    }
}
