//! 住民基本台帳: a PIN and the identifier of a key. What the PIN opens cannot be seen from outside.

use super::table::{pin, record_file};
use crate::access::Access;
use crate::apdu::Status;
use crate::file::{Application, SessionKeyDelivery};
use crate::pin::PinName;
use crate::pki::KeyId;
use crate::tlv::simple;
use hex_literal::hex;

pub static JUKI: Application = Application {
    name: "juki",
    aid: &hex!("D3921000310001010401"),
    files: &[
        record_file(0x0002, Access::Free, |_| vec![key_reference()]),
        pin(0x001C, PinName::ResidentRegister),
    ],
    default_key: None,
    objects: &[],
    session_key: SessionKeyDelivery::Refused(Status::SecurityStatusNotSatisfied),
};

/// The one record of 0002, the same as in 共通カード. Which key it names is not known, nor its tag.
pub(super) fn key_reference() -> Vec<u8> {
    simple(0x01, &KeyId::authority(*b"10").0)
}
