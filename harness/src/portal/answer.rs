//! What a terminal brings back for a challenge.

use super::failure::TerminalFailure;

/// The terminal's answer. There is no PIN in it: the terminal keeps that to itself and the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// the card signed
    Signed {
        /// EF 000A: the certificate for user authentication, DER
        certificate: Vec<u8>,
        /// PKCS#1 v1.5 over the DigestInfo of the SHA-256 of the nonce
        signature: Vec<u8>,
    },
    /// it did not
    Failed(TerminalFailure),
}
