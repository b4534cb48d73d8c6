//! The DER DigestInfo that is padded and signed in PKCS #1 v1.5, recognised by its fixed beginning.

use sha2::{Digest, Sha256};

/// DigestInfo (RFC 8017, 9.2):
///
/// ```text
/// DigestInfo ::= SEQUENCE {
///     digestAlgorithm AlgorithmIdentifier,   -- with parameters NULL
///     digest          OCTET STRING
/// }
/// ```
///
/// One whose hash is of the SHA-2 family, with its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestInfo<'d> {
    /// SHA-256 and 32 bytes
    Sha256(&'d [u8]),
    /// SHA-384 and 48 bytes
    Sha384(&'d [u8]),
    /// SHA-512 and 64 bytes
    Sha512(&'d [u8]),
}

// The encodings that RFC 8017, 9.2, note 1 lists: everything before the digest.
const SHA256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];
const SHA384: [u8; 19] = [
    0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00,
    0x04, 0x30,
];
const SHA512: [u8; 19] = [
    0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
    0x04, 0x40,
];

impl<'d> DigestInfo<'d> {
    /// `data`, if it is exactly the DER encoding of a DigestInfo with SHA-256, SHA-384 or SHA-512.
    #[must_use]
    pub fn parse(data: &'d [u8]) -> Option<Self> {
        let (prefix, digest) = data.split_first_chunk::<19>()?;
        match (*prefix, digest.len()) {
            (SHA256, 32) => Some(Self::Sha256(digest)),
            (SHA384, 48) => Some(Self::Sha384(digest)),
            (SHA512, 64) => Some(Self::Sha512(digest)),
            _ => None,
        }
    }

    /// The DER encoding, 51 bytes, of the DigestInfo with the SHA-256 of `message`.
    #[must_use]
    pub fn sha256_of(message: &[u8]) -> Vec<u8> {
        Self::around_sha256(&Sha256::digest(message))
    }

    /// The DER encoding of the DigestInfo with `digest`, a SHA-256 of 32 bytes.
    #[must_use]
    pub fn around_sha256(digest: &[u8]) -> Vec<u8> {
        [&SHA256[..], digest].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::{Any, Encode, Sequence, asn1::OctetString};
    use spki::AlgorithmIdentifierOwned;

    #[derive(Sequence)]
    struct Standard {
        digest_algorithm: AlgorithmIdentifierOwned,
        digest: OctetString,
    }

    fn encoded(oid: const_oid::ObjectIdentifier, digest: &[u8]) -> Vec<u8> {
        let digest_algorithm = AlgorithmIdentifierOwned { oid, parameters: Some(Any::null()) };
        Standard { digest_algorithm, digest: OctetString::new(digest).unwrap() }.to_der().unwrap()
    }

    #[test]
    fn the_fixed_beginnings_are_what_der_gives() {
        use const_oid::db::rfc5912::{ID_SHA_256, ID_SHA_384, ID_SHA_512};
        let bytes = [0xA5; 64];
        assert_eq!(
            DigestInfo::parse(&encoded(ID_SHA_256, &bytes[..32])),
            Some(DigestInfo::Sha256(&bytes[..32]))
        );
        assert_eq!(
            DigestInfo::parse(&encoded(ID_SHA_384, &bytes[..48])),
            Some(DigestInfo::Sha384(&bytes[..48]))
        );
        assert_eq!(DigestInfo::parse(&encoded(ID_SHA_512, &bytes)), Some(DigestInfo::Sha512(&bytes)));
    }

    #[test]
    fn anything_else_is_not_one() {
        let standard = DigestInfo::sha256_of(b"message");
        let longer = [&standard[..], &[0]].concat();
        for data in [&b""[..], &[0; 51], &standard[..50], &longer, &standard[1..]] {
            assert_eq!(DigestInfo::parse(data), None);
        }
    }
}
