//! 券面事項確認: the face of the card as pictures, for whoever holds the card and types what is printed
//! on it. The date of birth alone opens no more than itself.

use super::table::{file, filled, pin, private_key, transparent};
use crate::access::Access;
use crate::apdu::Status;
use crate::file::{Application, FileKind, Personalisation, PrivateKey, SessionKeyDelivery};
use crate::key::Signer;
use crate::pin::PinName;
use crate::pki::{KeyId, PkiError, derived, public_key_objects};
use crate::tlv::{ber, ber_with_offsets};
use hex_literal::hex;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

const BIRTH_DATE: Access = Access::AnyOf(&[PinName::BirthDate]);
const CODE_A: Access = Access::AnyOf(&[PinName::VisualCodeA]);
const EITHER_CODE: Access = Access::AnyOf(&[PinName::VisualCodeA, PinName::VisualCodeB]);

pub static VISUAL: Application = Application {
    name: "visual",
    aid: &hex!("D3921000310001010402"),
    files: &[
        transparent(0x0001, BIRTH_DATE, age),
        transparent(0x0002, EITHER_CODE, |card| Ok(filled(&card_face(card)?, CARD_FACE_SIZE))),
        transparent(0x0003, Access::Free, |card| Ok(basic_information(card))),
        transparent(0x0004, Access::Free, |card| Ok(card.issued.body.visual_issuer.certificate().template())),
        transparent(0x0005, CODE_A, |card| Ok(filled(&my_number_picture(card)?, MY_NUMBER_SIZE))),
        transparent(0x0006, EITHER_CODE, |_| Ok(filled(&[], 16))),
        pin(0x0011, PinName::BirthDate),
        pin(0x0012, PinName::VisualCodeB),
        pin(0x0013, PinName::VisualCodeA),
        private_key(0x001A, PrivateKey::Visual, Access::Free),
        file(0x001C, FileKind::UndocumentedInternal),
        file(0x001E, FileKind::UndocumentedInternal),
    ],
    default_key: Some(PrivateKey::Visual),
    objects: &[],
    session_key: SessionKeyDelivery::Refused(Status::NoKeyDelivery),
};

/// Sizes of 0002 and 0005, which are not published; 3,070 and 686 bytes of data were measured.
const CARD_FACE_SIZE: usize = 6144;
const MY_NUMBER_SIZE: usize = 1024;

fn digits(day: Date) -> Vec<u8> {
    day.strftime("%Y%m%d").to_string().into_bytes()
}

fn public_key(card: &Personalisation<'_>) -> Result<Vec<u8>, PkiError> {
    public_key_objects(&card.issued.body.visual_key)
}

/// `objects`, then the municipality's signature over them as `tag`.
fn signed(card: &Personalisation<'_>, objects: &[Vec<u8>], tag: u16) -> Result<Vec<u8>, PkiError> {
    let objects = objects.concat();
    let signature = card.issued.body.visual_issuer.key().sign_message(&objects)?;
    Ok([objects, ber(tag, &signature)].concat())
}

/// 0001: the date of birth and the card's key.
fn age(card: &Personalisation<'_>) -> Result<Vec<u8>, PkiError> {
    let objects = [ber(0xDF11, &digits(card.holder.person.birth)), ber(0xDF12, &public_key(card)?)];
    Ok(ber(0xFF10, &signed(card, &objects, 0xDF13)?))
}

/// EF 0002. The date of expiry and the picture of the security code stand behind the signature and
/// are not covered by it.
fn card_face(card: &Personalisation<'_>) -> Result<Vec<u8>, PkiError> {
    let person = &card.holder.person;
    let mut objects = vec![
        ber(0xDF22, &digits(person.birth)),
        ber(0xDF23, &[person.sex.code() as u8]),
        ber(0xDF24, &public_key(card)?),
        ber(0xDF25, &card.images.name_png),
        ber(0xDF26, &card.images.address_png),
        ber(0xDF27, &card.images.portrait_jp2),
    ];
    let signature = card.issued.body.visual_issuer.key().sign_verbatim(&digest_info(&objects))?;
    objects.push(ber(0xDF28, &signature));
    objects.push(ber(0xDF29, &digits(card.issued.body.expiry)));
    objects.push(ber(0xDF2A, &card.images.security_code_png));
    Ok(ber_with_offsets(0xFF20, 0xDF21, &objects))
}

/// What the signature of 0002 pads: a DigestInfo that names SHA-256 and holds three digests, 96
/// bytes, where one is usual: of date of birth, sex and key; of both texts; of the portrait.
/// Measured: this is how the signature on a test card opens with the key of its 0004.
fn digest_info(objects: &[Vec<u8>]) -> Vec<u8> {
    const HEADER: [u8; 19] = hex!("3071 300D 0609608648016503040201 0500 0460");
    let digests = [&objects[..3], &objects[3..5], &objects[5..]].map(|group| Sha256::digest(group.concat()));
    [&HEADER[..], &digests.concat()].concat()
}

/// 0003: versions, the identifier of a key that is not the one of 0004, the municipality, and 256
/// bytes that nobody outside understands behind the identifier of another key.
fn basic_information(card: &Personalisation<'_>) -> Vec<u8> {
    let opaque: Vec<u8> = (0..8)
        .flat_map(|part| derived(&["visual basic information", card.holder.id(), &part.to_string()]))
        .collect();
    let objects = [
        ber(0xDF31, &hex!("06030E01")),
        ber(0xDF32, &KeyId::authority(*b"24").0),
        ber(0xDF33, &[0x00]),
        ber(0xDF34, card.holder.municipality.code.as_bytes()),
        ber(0xDF35, &[&KeyId::authority(*b"25").0[..], &opaque].concat()),
    ];
    ber(0xFF30, &objects.concat())
}

/// 0005: the individual number as a picture.
fn my_number_picture(card: &Personalisation<'_>) -> Result<Vec<u8>, PkiError> {
    let objects = [ber(0xDF41, &card.images.my_number_png), ber(0xDF42, &public_key(card)?)];
    Ok(ber(0xFF40, &signed(card, &objects, 0xDF43)?))
}
