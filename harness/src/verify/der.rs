//! The outer structure of a certificate, with the signed bytes as they came: a signature is over
//! those, not over what somebody would encode again.

use der::{Decode, Reader, SliceReader, asn1::BitStringRef};
use x509_cert::spki::AlgorithmIdentifierRef;

/// `SEQUENCE { tbs, algorithm, signature }`, split but not interpreted.
pub struct Signed<'a> {
    /// the signed bytes
    pub tbs: &'a [u8],
    /// how they were signed
    pub algorithm: AlgorithmIdentifierRef<'a>,
    /// the signature
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Splits `der`, which must be exactly one such sequence.
    pub fn split(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let signed = reader.sequence(|reader| {
            let tbs = reader.tlv_bytes()?;
            let algorithm = AlgorithmIdentifierRef::decode(reader)?;
            let signature = BitStringRef::decode(reader)?;
            Ok::<_, der::Error>(Self { tbs, algorithm, signature: signature.raw_bytes() })
        })?;
        reader.finish()?;
        Ok(signed)
    }
}
