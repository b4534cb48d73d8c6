//! Values that look arbitrary and are not: serial numbers and the like, derived from what they are
//! for, so that the same holder and clock give the same bytes at every start.

use sha2::{Digest, Sha256};
use x509_cert::serial_number::SerialNumber;

/// SHA-256 over `parts`, each preceded by its length, so that no two lists give the same input.
pub(crate) fn derived(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A positive INTEGER of exactly four bytes, as production certificates have (such as 0705D990).
pub(crate) fn serial_number(parts: &[&str]) -> der::Result<SerialNumber> {
    let hash = derived(parts);
    let first = (hash[0] & 0x7F).max(1);
    SerialNumber::new(&[first, hash[1], hash[2], hash[3]])
}

/// How a serial number is written in files and messages: hexadecimal digits, two for each byte.
pub(crate) fn shown(serial_number: &SerialNumber) -> String {
    serial_number.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// For serde: a serial number as [`shown`].
pub(crate) mod hexadecimal {
    use crate::hex;
    use serde::{Deserialize, Deserializer, Serializer, de};
    use x509_cert::serial_number::SerialNumber;

    pub(crate) fn serialize<S: Serializer>(number: &SerialNumber, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::shown(number))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SerialNumber, D::Error> {
        let bytes = hex::decode(&String::deserialize(from)?).map_err(de::Error::custom)?;
        SerialNumber::new(&bytes).map_err(|_| de::Error::custom("a serial number has 1 to 20 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;

    #[test]
    fn serial_numbers_are_positive_and_have_four_bytes() {
        for number in 0..1000 {
            let der = serial_number(&["test", &number.to_string()]).unwrap().to_der().unwrap();
            assert_eq!(der[..2], [0x02, 0x04]);
            assert!((0x01..0x80).contains(&der[2]));
        }
    }

    #[test]
    fn where_one_part_ends_matters() {
        assert_ne!(derived(&["ab", "c"]), derived(&["a", "bc"]));
    }
}
