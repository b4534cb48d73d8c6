//! Digests, and the DigestInfo of PKCS#1 around them.

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::Digest as _;

/// Digests with a DigestInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Digest {
    /// The digest of `data`.
    #[must_use]
    pub fn of(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(data).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(data).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(data).to_vec(),
        }
    }

    /// Its `AlgorithmIdentifier` in DER.
    const fn algorithm_identifier(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00],
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        }
    }

    /// The DigestInfo that holds `value`; of a digest 127 bytes are far more than any has.
    #[must_use]
    pub fn digest_info(self, value: &[u8]) -> Vec<u8> {
        let algorithm = self.algorithm_identifier();
        let octet_string = [&[0x04], &length(value.len())[..], value].concat();
        [&[0x30], &length(algorithm.len() + octet_string.len())[..], algorithm, &octet_string].concat()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}

const SHA256: [u8; 15] = of_sha2(0x01);
const SHA384: [u8; 15] = of_sha2(0x02);
const SHA512: [u8; 15] = of_sha2(0x03);

/// `AlgorithmIdentifier` of 2.16.840.1.101.3.4.2.`last`
const fn of_sha2(last: u8) -> [u8; 15] {
    [0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last, 0x05, 0x00]
}

/// A length in DER.
fn length(length: usize) -> Vec<u8> {
    match length.to_be_bytes() {
        [0, 0, 0, 0, 0, 0, 0, short @ 0..=0x7F] => vec![short],
        [0, 0, 0, 0, 0, 0, 0, byte] => vec![0x81, byte],
        [.., high, low] => vec![0x82, high, low],
    }
}
