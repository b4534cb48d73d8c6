//! The card manager (GlobalPlatform issuer security domain), selected at power-up. Of the files
//! under the MF one can be selected and none read; what it tells it tells as data objects, without
//! the tag and length of each.

use super::table::file;
use crate::file::{Application, DataObject, FileKind, SessionKeyDelivery};
use crate::pki::{KeyId, Purpose};
use crate::tlv::ber;
use hex_literal::hex;

pub static CARD_MANAGER: Application = Application {
    name: "card_manager",
    aid: &hex!("A0000001510000"),
    files: &[file(0x001E, FileKind::UndocumentedInternal)],
    default_key: None,
    objects: &[
        // issuer identification: the identifier of a key
        object(0x0042, |_| KeyId::authority(*b"20").0.to_vec()),
        // card identification: its digits have not been published
        object(0x0045, |card| card.issued.body.serial_number.clone().into_bytes()),
        object(0x0066, |_| card_recognition()),
        object(0x00F0, |card| card.holder.municipality.code.clone().into_bytes()),
        object(0x00F2, |card| card.issued.body.expiry.strftime("%Y%m%d").to_string().into_bytes()),
        object(0x00F7, |card| Purpose::Chain.municipality(&card.holder.municipality.code).0.to_vec()),
        object(0x00F8, |card| card.issued.body.chain[0].data_object()),
        object(0x7F21, |card| card.issued.body.chain[1].data_object()),
    ],
    session_key: SessionKeyDelivery::Undocumented,
};

const fn object(tag: u16, content: fn(&crate::file::Personalisation<'_>) -> Vec<u8>) -> DataObject {
    DataObject { tag, content }
}

/// Card recognition data (GlobalPlatform Card Specification 2.1.1, H.2): that this is a GlobalPlatform
/// card of version 2.1.1, identified by its issuer, with secure channel protocol 02, option 15.
fn card_recognition() -> Vec<u8> {
    let oid = |arcs: &[u8]| ber(0x06, &[&hex!("2A864886FC6B")[..], arcs].concat());
    let objects = [
        oid(&[1]),
        ber(0x60, &oid(&hex!("02020101"))),
        ber(0x63, &oid(&[3])),
        ber(0x64, &oid(&hex!("040215"))),
    ];
    ber(0x73, &objects.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_recognition_data_are_those_of_a_globalplatform_card() {
        let expected = hex!(
            "73 2F 06 07 2A864886FC6B01 60 0C 06 0A 2A864886FC6B02020101"
            "63 09 06 07 2A864886FC6B03 64 0B 06 09 2A864886FC6B040215"
        );
        assert_eq!(card_recognition(), expected);
    }
}
