//! Data objects as the files of the card hold them. Transparent EFs and GET DATA hold BER-TLV, whose
//! lengths are not DER: from 128 on they take three bytes, `82 hh ll`, also where two would do (the
//! measured 券面事項確認 0005 begins `DF41 82 00 91`). Record EFs hold the simple TLV of JICSAP 1.1.

/// Longest value whose length takes one byte in BER.
const SHORT_FORM: usize = 0x7F;

/// A BER-TLV data object with a tag of one or two bytes and a value of up to 65,535.
///
/// # Panics
/// When the value is longer.
#[must_use]
pub fn ber(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut object = Vec::with_capacity(value.len() + 5);
    match tag.to_be_bytes() {
        [0, tag] => object.push(tag),
        two => object.extend(two),
    }
    if value.len() <= SHORT_FORM {
        object.push(value.len() as u8);
    } else {
        object.push(0x82);
        object.extend(length_bytes(value));
    }
    object.extend_from_slice(value);
    object
}

/// The object `tag` that holds `objects` behind a table `table_tag` of where each of them begins,
/// counted from the first byte of the whole, two bytes each.
#[must_use]
pub fn ber_with_offsets(tag: u16, table_tag: u16, objects: &[Vec<u8>]) -> Vec<u8> {
    let table = |offsets: &[u8]| ber(table_tag, offsets);
    let empty_table = table(&vec![0; objects.len() * 2]);
    let length: usize = objects.iter().map(Vec::len).sum();
    let header = ber(tag, &vec![0; empty_table.len() + length]).len() - length - empty_table.len();
    let mut next = header + empty_table.len();
    let mut offsets = Vec::with_capacity(objects.len() * 2);
    for object in objects {
        offsets.extend((next as u16).to_be_bytes());
        next += object.len();
    }
    ber(tag, &[table(&offsets), objects.concat()].concat())
}

/// A simple TLV data object (JICSAP 1.1, 4.4.1): one byte of tag, one byte of length or `FF` and two
/// bytes from 255 on.
///
/// # Panics
/// When the value has more than 65,535 bytes.
#[must_use]
pub fn simple(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut object = vec![tag];
    match u8::try_from(value.len()) {
        Ok(length @ 0..=0xFE) => object.push(length),
        _ => {
            object.push(0xFF);
            object.extend(length_bytes(value));
        }
    }
    object.extend_from_slice(value);
    object
}

fn length_bytes(value: &[u8]) -> [u8; 2] {
    u16::try_from(value.len()).expect("a value fits into a file").to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    #[test]
    fn lengths_from_128_on_take_three_bytes() {
        assert_eq!(ber(0xFF10, b"ab"), hex!("FF10 02 6162"));
        assert_eq!(ber(0x4D, &[]), hex!("4D 00"));
        assert_eq!(ber(0xDF41, &[0; 0x7F])[..3], hex!("DF41 7F"));
        assert_eq!(ber(0xDF41, &[0; 0x80])[..5], hex!("DF41 82 0080"));
        assert_eq!(ber(0xDF41, &[0; 0x0129])[..5], hex!("DF41 82 0129"));
    }

    #[test]
    fn offsets_count_from_the_first_byte_of_the_file() {
        let objects = [ber(0xDF22, &[1; 15]), ber(0xDF23, &[2; 54]), ber(0xDF24, &[3; 8]), ber(0xDF25, &[4])];
        let file = ber_with_offsets(0xFF20, 0xDF21, &objects);
        // as measured, 券面事項入力補助 0002
        assert_eq!(file[..14], hex!("FF20 65 DF21 08 000E 0020 0059 0064"));
        let long = ber_with_offsets(0xFF20, 0xDF21, &[ber(0xDF22, &[1; 200])]);
        assert_eq!(long[..10], hex!("FF20 82 00D2 DF21 02 000A"));
        assert_eq!(long[10..12], hex!("DF22"));
    }

    #[test]
    fn simple_lengths_take_one_byte_up_to_254() {
        assert_eq!(simple(0x01, b"ab"), hex!("01 02 6162"));
        assert_eq!(simple(0x01, &[0; 254])[..2], hex!("01 FE"));
        assert_eq!(simple(0x01, &[0; 255])[..4], hex!("01 FF 00FF"));
    }
}
