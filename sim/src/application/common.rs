//! 共通カード: what the card says of itself to anybody, and a key that answers a challenge.

use super::juki::key_reference;
use super::table::{pin, private_key, record_file};
use crate::access::Access;
use crate::apdu::Status;
use crate::file::{Application, Personalisation, PrivateKey, SessionKeyDelivery};
use crate::pin::PinName;
use crate::tlv::simple;
use hex_literal::hex;

pub static COMMON: Application = Application {
    name: "common",
    aid: &hex!("D3921000310001010100"),
    files: &[
        record_file(0x0001, Access::Free, |card| vec![card_information(card)]),
        record_file(0x0002, Access::Free, |_| vec![key_reference()]),
        private_key(0x0019, PrivateKey::Common, Access::Free),
        pin(0x001C, PinName::CommonCard),
    ],
    default_key: None,
    objects: &[],
    session_key: SessionKeyDelivery::Refused(Status::NoKeyDelivery),
};

/// Serial number, municipality and date of expiry: 28 digits.
fn card_information(card: &Personalisation<'_>) -> Vec<u8> {
    let body = &card.issued.body;
    let code = &card.holder.municipality.code;
    let digits = format!("{}{code}{}", body.serial_number, body.expiry.strftime("%Y%m%d"));
    simple(0x01, digits.as_bytes())
}
