//! The TEST hierarchy: two certification authorities with the shape of the two real ones, extension
//! for extension, under names that nobody can take for theirs. Nothing in it ever runs out: a new
//! generation of each authority begins every four years, for any clock.
//!
//! What has become of a certificate is in the [`Register`]; relying parties learn it from
//! revocation lists ([`crl`]) and over OCSP ([`ocsp`]), both in a [`Folder`].

mod authority;
mod card_verifiable;
mod certificate;
pub mod crl;
mod distinguished_name;
pub(crate) mod extension;
mod folder;
mod generation;
pub mod ocsp;
mod partition;
mod register;
mod serial;
mod status;
mod validity;

pub use authority::{Authority, CertificationAuthority};
pub use card_verifiable::{
    CardVerifiableCertificate, KeyId, MunicipalKey, Purpose, authority_public_key, public_key_objects,
};
pub use folder::{Folder, FolderError, FolderFile};
pub use generation::Generation;
pub use partition::Partition;
pub use register::{Record, Register, RegisterError};
pub use status::{CertificateStatus, Reason, Revocation, StatusError, UnknownReason};
pub use validity::{JAPAN, Validity};

pub(crate) use certificate::Request;
pub(crate) use distinguished_name::DistinguishedName;
pub(crate) use serial::{derived, serial_number};
pub(crate) use validity::{end_of_day, generalized_time, start_of_day, time};

use crate::key::{KeyError, SignError};
use thiserror::Error;

/// The organisation (O) of every name in the hierarchy. The real one is `JPKI`, that of lent test
/// cards `JPKI-TEST`; a card whose certificates come from this one is nobody's.
pub const ORGANIZATION: &str = "JPKI-VMYNA-TEST";

/// Why a certificate could not be made. None of these has been seen with the keys in the pool.
#[derive(Debug, Error)]
pub enum PkiError {
    /// A key of the pool cannot be used.
    #[error("a key of the pool cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The authority's key did not sign.
    #[error("the authority's key did not sign: {0}")]
    Signing(#[from] SignError),
    /// A value does not fit into its ASN.1 type.
    #[error("a value does not fit into its ASN.1 type: {0}")]
    Encoding(#[from] der::Error),
}
