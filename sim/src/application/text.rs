//! 券面事項入力補助: the individual number and the four basic data as text, and what proves them: the
//! digests of both signed by the municipality, and a key of the card's own.

use super::table::{file, filled, pin, private_key, transparent};
use crate::access::Access;
use crate::file::{Application, FileKind, Personalisation, PrivateKey, SessionKeyDelivery};
use crate::key::Signer;
use crate::pin::PinName;
use crate::pki::{KeyId, PkiError, derived, public_key_objects};
use crate::tlv::{ber, ber_with_offsets};
use hex_literal::hex;
use sha2::{Digest, Sha256};

const PIN_OR_A: Access = Access::AnyOf(&[PinName::TextInput, PinName::TextCodeA]);
const PIN_OR_B: Access = Access::AnyOf(&[PinName::TextInput, PinName::TextCodeB]);
const PIN_OR_CODE: Access = Access::AnyOf(&[PinName::TextInput, PinName::TextCodeA, PinName::TextCodeB]);

pub static TEXT: Application = Application {
    name: "text",
    aid: &hex!("D3921000310001010408"),
    files: &[
        transparent(0x0001, PIN_OR_A, |card| Ok(my_number(card))),
        transparent(0x0002, PIN_OR_B, |card| Ok(filled(&attributes(card), ATTRIBUTES_SIZE))),
        transparent(0x0003, PIN_OR_CODE, digests),
        transparent(0x0004, Access::Free, |card| Ok(card.issued.body.text_issuer.certificate().template())),
        transparent(0x0005, Access::Free, |card| Ok(filled(&basic_information(card), 256))),
        transparent(0x0006, PIN_OR_CODE, |card| {
            Ok(ber(0x00A1, &public_key_objects(&card.issued.body.session_key)?))
        }),
        transparent(0x0007, PIN_OR_CODE, signed_public_key),
        // What these bytes are for, and what opens them, nobody outside knows.
        transparent(0x0008, PIN_OR_CODE, |_| Ok(filled(&[], 16))),
        file(0x0010, FileKind::UndocumentedInternal),
        pin(0x0011, PinName::TextInput),
        file(0x0012, FileKind::BlockedPin),
        private_key(0x0013, PrivateKey::Text, Access::Free),
        pin(0x0014, PinName::TextCodeA),
        pin(0x0015, PinName::TextCodeB),
    ],
    default_key: Some(PrivateKey::Text),
    objects: &[],
    session_key: SessionKeyDelivery::After(PinName::TextInput),
};

/// The digest of the file in 0003 covers its filler too, so this size is known.
const MY_NUMBER_SIZE: usize = 17;

/// Size of 0002, which is not published: enough for name and address of 200 characters each.
const ATTRIBUTES_SIZE: usize = 1280;

fn my_number(card: &Personalisation<'_>) -> Vec<u8> {
    filled(&ber(0xFF10, card.holder.person.my_number.as_bytes()), MY_NUMBER_SIZE)
}

/// 氏名, 住所, 生年月日, 性別
fn attribute_objects(card: &Personalisation<'_>) -> [Vec<u8>; 4] {
    let person = &card.holder.person;
    [
        ber(0xDF22, person.name.as_bytes()),
        ber(0xDF23, person.address.as_bytes()),
        ber(0xDF24, person.birth.strftime("%Y%m%d").to_string().as_bytes()),
        ber(0xDF25, &[person.sex.code() as u8]),
    ]
}

fn attributes(card: &Personalisation<'_>) -> Vec<u8> {
    ber_with_offsets(0xFF20, 0xDF21, &attribute_objects(card))
}

/// 0003: the digest of 0001 as it lies in the card, that of 0002 without header and table of
/// offsets, and the municipality's signature over both objects.
fn digests(card: &Personalisation<'_>) -> Result<Vec<u8>, PkiError> {
    let signed = [
        ber(0xDF31, &Sha256::digest(my_number(card))),
        ber(0xDF32, &Sha256::digest(attribute_objects(card).concat())),
    ]
    .concat();
    let signature = card.issued.body.text_issuer.key().sign_message(&signed)?;
    Ok(ber(0xFF30, &[signed, ber(0xDF33, &signature)].concat()))
}

/// 0005: versions, the identifier of a key that is not the one of 0004, and 128 bytes of which a
/// measured card fills 32.
fn basic_information(card: &Personalisation<'_>) -> Vec<u8> {
    let unknown = filled(&derived(&["text basic information", card.holder.id()]), 128);
    let objects =
        [ber(0xDF41, &hex!("01030E01")), ber(0xDF42, &KeyId::authority(*b"34").0), ber(0xDF43, &unknown)];
    ber(0xFF40, &objects.concat())
}

/// 0007: the public half of 0013, signed by the municipality.
fn signed_public_key(card: &Personalisation<'_>) -> Result<Vec<u8>, PkiError> {
    let body = &card.issued.body;
    let signed = ber(0xDF51, &public_key_objects(&body.text_key)?);
    let signature = body.text_issuer.key().sign_message(&signed)?;
    Ok(ber(0xFF50, &[signed, ber(0xDF52, &signature)].concat()))
}
