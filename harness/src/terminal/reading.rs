//! How clients read a certificate whose length they do not know.

use schemars::JsonSchema;
use serde::Deserialize;

/// How clients read a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadStyle {
    /// 4-byte header, then blocks from 0, the last one exact
    #[default]
    Header4,
    /// 4-byte header, then blocks from 4
    Header4Continue,
    /// 7-byte header, then blocks from 0
    Header7,
    /// 7-byte header, then blocks from 7
    Header7Continue,
    /// whole blocks until the EF ends
    Blocks,
    /// 8-byte header, then 255-byte blocks from 0
    Header8Ff,
    /// 4-byte header, then the rest with extended Le
    Extended,
    /// 4-byte header, then all from 0 with extended Le
    ExtendedFromStart,
    /// by short identifier: 4-byte header, then the rest with extended Le
    Sfi,
}

/// One READ BINARY of a reading style: from where, how many bytes, and whether with extended Le.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// first byte
    pub offset: u16,
    /// Ne
    pub le: u32,
    /// extended length fields
    pub extended: bool,
}

impl ReadStyle {
    /// The first READ BINARY, from which the certificate's length is learnt.
    #[must_use]
    pub const fn header(self) -> Read {
        let le = match self {
            Self::Header7 | Self::Header7Continue => 7,
            Self::Header8Ff => 8,
            _ => 4,
        };
        Read { offset: 0, le, extended: false }
    }

    /// The reads that follow when the whole certificate has `length` bytes.
    #[must_use]
    pub fn body(self, length: u16) -> Vec<Read> {
        let blocks = |from: u16, block: u16| -> Vec<Read> {
            (from..length)
                .step_by(usize::from(block))
                .map(|offset| Read { offset, le: u32::from(block.min(length - offset)), extended: false })
                .collect()
        };
        let extended = |from: u16| vec![Read { offset: from, le: u32::from(length - from), extended: true }];
        match self {
            Self::Header4 | Self::Header7 => blocks(0, 256),
            Self::Header4Continue => blocks(4, 256),
            Self::Header7Continue => blocks(7, 256),
            Self::Header8Ff => blocks(0, 255),
            Self::Blocks => blocks(0, 256).into_iter().map(|read| Read { le: 256, ..read }).collect(),
            Self::Extended | Self::Sfi => extended(4),
            Self::ExtendedFromStart => extended(0),
        }
    }
}

/// The length of a DER object by the beginning of its encoding, header included.
#[must_use]
pub fn der_length(header: &[u8]) -> Option<u16> {
    match *header {
        [0x30, 0x82, high, low, ..] => u16::from_be_bytes([high, low]).checked_add(4),
        [0x30, 0x81, length, ..] => Some(u16::from(length) + 3),
        [0x30, length @ 0..=0x7F, ..] => Some(u16::from(length) + 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_reads_the_whole_certificate() {
        for style in
            [ReadStyle::Header4, ReadStyle::Header7, ReadStyle::Header8Ff, ReadStyle::ExtendedFromStart]
        {
            let total: u32 = style.body(1590).iter().map(|read| read.le).sum();
            assert_eq!(total, 1590, "{style:?}");
        }
        assert_eq!(ReadStyle::Header7Continue.body(1590)[0], Read { offset: 7, le: 256, extended: false });
        assert_eq!(ReadStyle::Extended.body(1590), [Read { offset: 4, le: 1586, extended: true }]);
        assert_eq!(
            ReadStyle::Header4.body(512).last(),
            Some(&Read { offset: 256, le: 256, extended: false })
        );
    }

    #[test]
    fn a_der_header_tells_the_length() {
        assert_eq!(der_length(&[0x30, 0x82, 0x06, 0x32]), Some(0x636));
        assert_eq!(der_length(&[0x30, 0x81, 0x90]), Some(0x93));
        assert_eq!(der_length(&[0x04, 0x03]), None);
    }
}
