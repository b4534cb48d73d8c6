//! What is checked of certificates and signatures. The arithmetic is its own (s^e mod n by a
//! big-integer crate, then a comparison of the whole encoded message), so that no signer judges
//! itself.

mod certificate;
mod der;
mod elliptic;
mod fields;
mod pss;
mod public_key;
mod rsa;
mod shape;
mod words;

pub use certificate::{Certificate, CertificateProblem, Purpose, Trust};
pub use elliptic::{Curve, EllipticPublicKey};
pub use pss::PssProblem;
pub use public_key::{PublicKey, SignatureScheme};
pub use rsa::{RsaPublicKey, SignatureProblem};
pub use shape::shape_problem;
