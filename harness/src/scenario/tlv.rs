//! Finding a data object inside others: BER-TLV as transparent files hold it, and the simple TLV of
//! records (JICSAP 1.1, 4.4.1).

use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// Where a data object is: `FF40/DF41`, the tags from the outermost to the one meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BerPath(Vec<u32>);

/// The tag of a simple data object: `01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimpleTag(u8);

impl BerPath {
    /// Reads `FF40/DF41`.
    ///
    /// # Errors
    /// What a path looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tag = |written: &str| {
            let written = written.trim();
            match (written.len(), u32::from_str_radix(written, 16)) {
                (2 | 4 | 6, Ok(tag)) if tag_length(&tag_bytes(tag)) == Some(written.len() / 2) => Ok(tag),
                _ => Err(format!(
                    "{written:?} is no BER tag; a path is tags in hex from the outermost on, such as \"FF40/DF41\""
                )),
            }
        };
        text.split('/').map(tag).collect::<Result<_, _>>().map(Self)
    }

    /// The value of that object in `data`; `None` where there is none.
    #[must_use]
    pub fn find<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        self.object(data).map(|object| object.value)
    }

    /// That object in `data` with its tag and its length, as it stands; `None` where there is none.
    #[must_use]
    pub fn find_whole<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        self.object(data).map(|object| object.whole)
    }

    fn object<'a>(&self, data: &'a [u8]) -> Option<Object<'a>> {
        let (last, way) = self.0.split_last()?;
        let inner = way.iter().try_fold(data, |data, wanted| {
            Objects(data).find(|object| object.tag == *wanted).map(|object| object.value)
        })?;
        Objects(inner).find(|object| object.tag == *last)
    }
}

/// How long the object is that `data` begins with, tag and length included, although not all of it may
/// be there yet; `None` where `data` does not begin as one.
#[must_use]
pub fn object_length(data: &[u8]) -> Option<usize> {
    let header = tag_length(data)?;
    let (length_bytes, length) = value_length(data.get(header..)?)?;
    Some(header + length_bytes + length)
}

/// How many bytes a length has, and what it says.
fn value_length(data: &[u8]) -> Option<(usize, usize)> {
    match data {
        [short @ 0..=0x7F, ..] => Some((1, usize::from(*short))),
        [0x81, byte, ..] => Some((2, usize::from(*byte))),
        [0x82, high, low, ..] => Some((3, usize::from(u16::from_be_bytes([*high, *low])))),
        _ => None,
    }
}

impl SimpleTag {
    /// The value of that object in `data`; `None` where there is none.
    #[must_use]
    pub fn find(self, data: &[u8]) -> Option<&[u8]> {
        let mut rest = data;
        while let [tag, length, after @ ..] = rest {
            let (length, after) = match (length, after) {
                (0xFF, [high, low, after @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), after),
                (0xFF, _) => return None,
                (length, after) => (usize::from(*length), after),
            };
            let value = after.get(..length)?;
            if *tag == self.0 {
                return Some(value);
            }
            rest = &after[length..];
        }
        None
    }
}

fn tag_bytes(tag: u32) -> Vec<u8> {
    tag.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// The bytes of the tag that `data` begins with.
fn tag_length(data: &[u8]) -> Option<usize> {
    match data {
        [first, ..] if first & 0x1F != 0x1F => Some(1),
        [_, second, ..] if second & 0x80 == 0 => Some(2),
        [_, _, _, ..] => Some(3),
        _ => None,
    }
}

/// The objects that stand one after another; ends where nothing parses any more, such as in filler.
struct Objects<'a>(&'a [u8]);

/// One of them.
struct Object<'a> {
    tag: u32,
    value: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Iterator for Objects<'a> {
    type Item = Object<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let tag_length = tag_length(self.0)?;
        let tag = self.0[..tag_length].iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte));
        let (length_bytes, length) = value_length(&self.0[tag_length..])?;
        let header = tag_length + length_bytes;
        let (whole, rest) = self.0.split_at_checked(header + length)?;
        self.0 = rest;
        Some(Object { tag, value: &whole[header..], whole })
    }
}

impl fmt::Display for BerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tag) in self.0.iter().enumerate() {
            write!(f, "{}{tag:02X}", if index == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

impl fmt::Display for SimpleTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl<'de> Deserialize<'de> for BerPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for SimpleTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match (text.len(), u8::from_str_radix(&text, 16)) {
            (2, Ok(tag)) => Ok(Self(tag)),
            _ => Err(de::Error::custom(format!(
                "a simple tag is one byte in hex such as \"01\", not {text:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmyna_sim::tlv;

    #[test]
    fn a_path_leads_into_nested_objects_past_others() {
        let inner = [tlv::ber(0xDF40, &[1; 200]), tlv::ber(0xDF41, b"name")].concat();
        let file = [tlv::ber(0x4D, &[9]), tlv::ber(0xFF40, &inner), vec![0xFF; 20]].concat();
        let find = |path: &str| BerPath::parse(path).unwrap().find(&file).map(<[u8]>::to_vec);
        assert_eq!(find("FF40/DF41").as_deref(), Some(&b"name"[..]));
        assert_eq!(find("4D").as_deref(), Some(&[9][..]));
        assert_eq!(find("FF40/DF42"), None);
        assert_eq!(find("DF41"), None);
        assert_eq!(BerPath::parse("FF40/DF41").unwrap().to_string(), "FF40/DF41");
        for wrong in ["", "FF", "FF4", "4D00", "name"] {
            assert!(BerPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_object_is_kept_whole_and_knows_its_length() {
        let file = [tlv::ber(0xFF40, &tlv::ber(0xDF41, &[7; 200])), vec![0xFF; 20]].concat();
        let whole = BerPath::parse("FF40/DF41").unwrap().find_whole(&file);
        assert_eq!(whole, Some(&tlv::ber(0xDF41, &[7; 200])[..]));
        assert_eq!(object_length(&file[..5]), Some(file.len() - 20));
        assert_eq!(object_length(&[0x30, 0x82, 0x01]), None);
        assert_eq!(object_length(&[0xFF; 16]), None);
    }

    #[test]
    fn a_simple_object_is_found_past_long_ones() {
        let record = [tlv::simple(1, &[7; 300]), tlv::simple(2, b"ab")].concat();
        assert_eq!(SimpleTag(2).find(&record), Some(&b"ab"[..]));
        assert_eq!(SimpleTag(1).find(&record).map(<[u8]>::len), Some(300));
        assert_eq!(SimpleTag(3).find(&record), None);
        assert_eq!(SimpleTag(1).find(&[1, 5, 0]), None);
    }
}
