//! The data objects of secured commands and answers.

use crate::tlv::ber;

const CRYPTOGRAM: u8 = 0x86;
const EXPECTED_LENGTH: u8 = 0x96;
/// The indicator before a cryptogram: padded as in ISO/IEC 7816-4. Cards take no other.
const PADDED: u8 = 0x01;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Object<'a> {
    /// tag `86`, without the padding indicator
    Cryptogram(&'a [u8]),
    /// tag `96`
    ExpectedLength(&'a [u8]),
}

impl<'a> Object<'a> {
    /// The object in `data`, if there is one of the two, nothing else, and nothing after it.
    pub(super) fn only_one_in(data: &'a [u8]) -> Option<Self> {
        let (&tag, rest) = data.split_first()?;
        match (tag, value(rest)?) {
            (CRYPTOGRAM, [PADDED, cryptogram @ ..]) if !cryptogram.is_empty() => {
                Some(Self::Cryptogram(cryptogram))
            }
            (EXPECTED_LENGTH, length) => Some(Self::ExpectedLength(length)),
            _ => None,
        }
    }
}

/// What follows a length in short or long form, when it is as long as that says.
fn value(rest: &[u8]) -> Option<&[u8]> {
    let (length, value) = match rest {
        [length @ 0..=0x7F, value @ ..] => (usize::from(*length), value),
        [0x81, length, value @ ..] => (usize::from(*length), value),
        [0x82, high, low, value @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), value),
        _ => return None,
    };
    (value.len() == length).then_some(value)
}

/// The object of an answer.
pub(super) fn cryptogram(cryptogram: &[u8]) -> Vec<u8> {
    ber(u16::from(CRYPTOGRAM), &[&[PADDED], cryptogram].concat())
}
