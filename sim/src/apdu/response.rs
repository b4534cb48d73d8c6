//! Response APDUs: data, then the status word.

use super::Status;
use thiserror::Error;

/// A response APDU: what came before the status word, and the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseApdu<'a> {
    /// the data field; empty when there is none
    pub data: &'a [u8],
    /// SW1-SW2
    pub status: Status,
}

/// Fewer than two bytes: an answer without a status word is no response APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a response APDU ends in a two-byte status word, but {0} byte(s) came")]
pub struct TruncatedResponse(pub usize);

impl<'a> TryFrom<&'a [u8]> for ResponseApdu<'a> {
    type Error = TruncatedResponse;

    fn try_from(raw: &'a [u8]) -> Result<Self, TruncatedResponse> {
        let (data, status) = raw.split_last_chunk::<2>().ok_or(TruncatedResponse(raw.len()))?;
        Ok(Self { data, status: Status::from(u16::from_be_bytes(*status)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_bytes_are_the_status() {
        let response = ResponseApdu::try_from(&[1, 2, 0x90, 0x00][..]).unwrap();
        assert_eq!((response.data, response.status), (&[1, 2][..], Status::Success));
        assert_eq!(ResponseApdu::try_from(&[0x90][..]), Err(TruncatedResponse(1)));
    }
}
