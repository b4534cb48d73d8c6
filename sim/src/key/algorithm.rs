//! The algorithms of signing keys, and how certificates name their signatures.

use const_oid::db::rfc5912::{ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, SHA_256_WITH_RSA_ENCRYPTION};
use der::asn1::Any;
use serde::Deserialize;
use spki::AlgorithmIdentifierOwned;

/// The algorithm of the holder's keys and of the authorities above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// RSA of 2048 bits, with SHA-256: today's cards
    #[serde(rename = "rsa_2048")]
    Rsa2048,
    /// ECDSA on P-384, with SHA-384
    EcdsaP384,
    /// ECDSA on P-256, with SHA-256
    EcdsaP256,
}

impl Algorithm {
    /// The signatureAlgorithm of certificates.
    #[must_use]
    pub fn identifier(self) -> AlgorithmIdentifierOwned {
        match self {
            Self::Rsa2048 => {
                AlgorithmIdentifierOwned { oid: SHA_256_WITH_RSA_ENCRYPTION, parameters: Some(Any::null()) }
            }
            // absent parameters: RFC 5758, 3.2
            Self::EcdsaP384 => AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA_384, parameters: None },
            Self::EcdsaP256 => AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA_256, parameters: None },
        }
    }
}
