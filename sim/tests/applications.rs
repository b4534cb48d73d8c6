//! The applications beside JPKI, read as a client reads them: layouts, signatures, access
//! conditions, PINs, records and data objects. Nothing of the card's own encoding is used here.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[path = "applications/card_manager.rs"]
mod card_manager;
#[path = "applications/common.rs"]
mod common;
#[path = "applications/text.rs"]
mod text;
#[path = "applications/visual.rs"]
mod visual;

use hex_literal::hex;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};

const TEXT: [u8; 10] = hex!("D3921000310001010408");
const VISUAL: [u8; 10] = hex!("D3921000310001010402");
const JUKI: [u8; 10] = hex!("D3921000310001010401");
const COMMON: [u8; 10] = hex!("D3921000310001010100");
const JPKI: [u8; 10] = hex!("D392F000260100000001");
const CARD_MANAGER: [u8; 7] = hex!("A0000001510000");

const MY_NUMBER: &[u8] = b"123456789018";
const CODE_B: &[u8] = b"55061520352285";

static HANAKO: LazyLock<Arc<Personalised>> = LazyLock::new(|| {
    let holder = Holder::built_in("hanako").unwrap();
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    Arc::new(Personalised::new(holder, Profile::card(), now).unwrap())
});

/// A card with one application selected.
struct Client(VirtualCard);

impl Client {
    fn at(aid: &[u8]) -> Self {
        let mut client = Self(VirtualCard::new(HANAKO.clone()));
        client.select(aid);
        client
    }

    fn select(&mut self, aid: &[u8]) {
        let select = CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(aid).to_bytes();
        assert_eq!(self.status(&select), Status::Success);
    }

    fn transmit(&mut self, command: &[u8]) -> (Vec<u8>, Status) {
        let Reaction::Answer(answer) = self.0.transmit(command) else { panic!("the card answers") };
        let response = ResponseApdu::try_from(&answer[..]).unwrap();
        (response.data.to_vec(), response.status)
    }

    fn status(&mut self, command: &[u8]) -> Status {
        self.transmit(command).1
    }

    /// The whole of a transparent EF, filler included.
    fn read(&mut self, sfi: u8) -> Result<Vec<u8>, Status> {
        match self.transmit(&[0x00, 0xB0, 0x80 | sfi, 0x00, 0x00, 0x00, 0x00]) {
            (data, Status::Success) => Ok(data),
            (_, status) => Err(status),
        }
    }

    fn verify(&mut self, sfi: u8, value: &[u8]) -> Status {
        self.status(&CommandBuilder::new(0x00, 0x20, 0x00, 0x80 | sfi).data(value).to_bytes())
    }

    fn tries_left(&mut self, sfi: u8) -> Status {
        self.status(&[0x00, 0x20, 0x00, 0x80 | sfi])
    }
}

/// A card with `aid` selected and `value` verified.
fn opened(aid: &[u8], sfi: u8, value: &[u8]) -> Client {
    let mut client = Client::at(aid);
    assert_eq!(client.verify(sfi, value), Status::Success);
    client
}

/// The data objects in `bytes`, one behind the other: tag, where it begins, where its value begins,
/// value.
fn objects(bytes: &[u8]) -> Vec<(u32, usize, &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != 0xFF || found.is_empty() && at < bytes.len() {
        let begin = at;
        let mut tag = u32::from(bytes[at]);
        at += 1;
        if tag & 0x1F == 0x1F {
            tag = tag << 8 | u32::from(bytes[at]);
            at += 1;
        }
        let length = match bytes[at] {
            0x82 => {
                at += 2;
                usize::from(u16::from_be_bytes([bytes[at - 1], bytes[at]]))
            }
            length => {
                assert!(length < 0x80, "81 is not used on this card");
                usize::from(length)
            }
        };
        at += 1;
        found.push((tag, begin, &bytes[at..at + length]));
        at += length;
    }
    found
}

/// The value of the one object `tag` that `file` begins with; what follows is filler.
fn only(file: &[u8], tag: u32) -> &[u8] {
    let (found, _, value) = objects(file)[0];
    assert_eq!(found, tag);
    let end = value.as_ptr_range().end as usize - file.as_ptr() as usize;
    assert!(file[end..].iter().all(|byte| *byte == 0xFF), "filler is FF");
    value
}

fn tags(value: &[u8]) -> Vec<u32> {
    objects(value).into_iter().map(|(tag, _, _)| tag).collect()
}

fn value(bytes: &[u8], tag: u32) -> &[u8] {
    objects(bytes).into_iter().find(|(found, _, _)| *found == tag).expect("the object is there").2
}

/// The bytes before the object `tag`, which a signature covers.
fn before(bytes: &[u8], tag: u32) -> &[u8] {
    let (_, begin, _) = objects(bytes).into_iter().find(|(found, _, _)| *found == tag).unwrap();
    &bytes[..begin]
}

/// `90` exponent, `91` modulus
fn public_key(bytes: &[u8]) -> RsaPublicKey {
    assert_eq!((tags(bytes), bytes.len()), (vec![0x90, 0x91], 265));
    let number = |tag| BoxedUint::from_be_slice(value(bytes, tag), 2048).unwrap();
    RsaPublicKey::new(number(0x91), number(0x90)).unwrap()
}

fn is_signed(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature).is_ok()
}

/// Issuer, subject and key of a certificate whose body `issuer` has signed.
fn certified<'a>(parts: &'a [u8], issuer: &RsaPublicKey) -> (&'a [u8], &'a [u8], RsaPublicKey) {
    let body = value(parts, 0x5F4E);
    assert_eq!(body.len(), 297);
    assert!(is_signed(issuer, body, value(parts, 0x5F37)));
    (&body[..16], &body[16..32], public_key(&body[32..]))
}

fn authority(pem: &str) -> RsaPublicKey {
    RsaPrivateKey::from_pkcs8_pem(pem).unwrap().to_public_key()
}

/// `80 2A 00 00` over the DigestInfo of "present".
fn presence() -> Vec<u8> {
    let digest_info =
        [&hex!("3031300D060960864801650304020105000420")[..], &Sha256::digest(b"present")].concat();
    CommandBuilder::new(0x80, 0x2A, 0x00, 0x00).data(&digest_info).le(256).to_bytes()
}

#[test]
fn each_card_face_application_proves_its_presence_without_any_pin() {
    let mut text = opened(&TEXT, 0x11, b"1234");
    let published = text.read(0x07).unwrap();
    let published = public_key(value(only(&published, 0xFF50), 0xDF51));
    let (signature, status) = Client::at(&TEXT).transmit(&presence());
    assert_eq!(status, Status::Success);
    assert!(is_signed(&published, b"present", &signature));

    let mut visual = opened(&VISUAL, 0x11, b"550615");
    let published = visual.read(0x01).unwrap();
    let published = public_key(value(only(&published, 0xFF10), 0xDF12));
    let (signature, status) = Client::at(&VISUAL).transmit(&presence());
    assert_eq!(status, Status::Success);
    assert!(is_signed(&published, b"present", &signature));

    for aid in [&JPKI[..], &JUKI, &COMMON, &CARD_MANAGER] {
        assert_eq!(Client::at(aid).status(&presence()), Status::IncorrectP1P2);
    }
}

/// Each transparent EF and the PINs that open it; nothing stands for everybody.
type Matrix = [(u8, &'static [u8])];

fn holds(aid: &[u8], pins: &[(u8, &[u8])], matrix: &Matrix) {
    for (file, openers) in matrix {
        let free = openers.is_empty();
        let before = Client::at(aid).read(*file);
        assert_eq!(before.is_ok(), free, "{file:02X} without any PIN: {:?}", before.err());
        for (pin, value) in pins {
            let after = opened(aid, *pin, value).read(*file);
            if free || openers.contains(pin) {
                assert!(after.is_ok(), "{file:02X} with {pin:02X}: {:?}", after.err());
            } else {
                assert_eq!(after, Err(Status::SecurityStatusNotSatisfied), "{file:02X} with {pin:02X}");
            }
        }
    }
}

#[test]
fn each_file_opens_to_its_pins_and_to_no_other() {
    let pin_or_code: &[u8] = &[0x11, 0x14, 0x15];
    holds(
        &TEXT,
        &[(0x11, b"1234"), (0x14, MY_NUMBER), (0x15, CODE_B)],
        &[
            (0x01, &[0x11, 0x14]),
            (0x02, &[0x11, 0x15]),
            (0x03, pin_or_code),
            (0x04, &[]),
            (0x05, &[]),
            (0x06, pin_or_code),
            (0x07, pin_or_code),
            (0x08, pin_or_code),
        ],
    );
    holds(
        &VISUAL,
        &[(0x11, b"550615"), (0x12, CODE_B), (0x13, MY_NUMBER)],
        &[
            (0x01, &[0x11]),
            (0x02, &[0x12, 0x13]),
            (0x03, &[]),
            (0x04, &[]),
            (0x05, &[0x13]),
            (0x06, &[0x12, 0x13]),
        ],
    );
}

#[test]
fn leaving_an_application_closes_its_files() {
    for other in [&JPKI[..], &VISUAL, &JUKI, &COMMON, &CARD_MANAGER] {
        let mut client = opened(&TEXT, 0x11, b"1234");
        client.select(&TEXT);
        assert!(client.read(0x01).is_ok(), "selecting it again is not leaving it");
        client.select(other);
        client.select(&TEXT);
        assert_eq!(client.read(0x01), Err(Status::SecurityStatusNotSatisfied));
        assert_eq!(client.status(&hex!("002401910439393939")), Status::SecurityStatusNotSatisfied);
    }
}

#[test]
fn every_number_has_a_counter_of_its_own() {
    let mut client = Client::at(&TEXT);
    for (sfi, tries) in [(0x11, 3), (0x14, 10), (0x15, 10)] {
        assert_eq!(client.tries_left(sfi), Status::TriesLeft(tries));
    }
    assert_eq!(client.verify(0x14, b"000000000000"), Status::TriesLeft(9));
    client.select(&VISUAL);
    for (sfi, tries) in [(0x11, 10), (0x12, 10), (0x13, 10)] {
        assert_eq!(client.tries_left(sfi), Status::TriesLeft(tries), "{sfi:02X}");
    }
    for left in (0..10).rev() {
        assert_eq!(client.verify(0x13, b"000000000000"), Status::TriesLeft(left));
    }
    assert_eq!(client.verify(0x13, MY_NUMBER), Status::ReferencedIefBlocked);
    assert_eq!(client.verify(0x12, CODE_B), Status::Success);
    for (aid, sfi) in [(&JUKI[..], 0x1C), (&COMMON, 0x1C)] {
        client.select(aid);
        assert_eq!(client.verify(sfi, b"0000"), Status::TriesLeft(2));
        assert_eq!(client.verify(sfi, b"1234"), Status::Success);
        assert_eq!(client.tries_left(sfi), Status::TriesLeft(3));
    }
    client.select(&TEXT);
    assert_eq!(client.tries_left(0x14), Status::TriesLeft(9), "another application's counter is untouched");
}

#[test]
fn the_reference_that_was_issued_blocked_stays_so() {
    let mut client = Client::at(&TEXT);
    assert_eq!(client.tries_left(0x12), Status::TriesLeft(0));
    for value in [&b"1234"[..], b"0000"] {
        assert_eq!(client.verify(0x12, value), Status::ReferencedIefBlocked);
    }
    assert_eq!(client.status(&hex!("002401920439393939")), Status::ReferencedIefBlocked);
}

#[test]
fn chosen_pins_change_with_their_command_and_printed_numbers_do_not() {
    let mut text = opened(&TEXT, 0x11, b"1234");
    assert_eq!(text.status(&hex!("803200910435363738")), Status::ConditionsOfUseNotSatisfied);
    assert_eq!(text.status(&hex!("002401910435363738")), Status::Success);
    assert_eq!(text.verify(0x11, b"1234"), Status::TriesLeft(2));
    assert_eq!(text.verify(0x11, b"5678"), Status::Success);

    for aid in [&JUKI, &COMMON] {
        let mut client = Client::at(aid);
        let change = hex!("8032009C0435363738");
        assert_eq!(client.status(&change), Status::SecurityStatusNotSatisfied);
        assert_eq!(client.verify(0x1C, b"1234"), Status::Success);
        assert_eq!(client.status(&hex!("0024019C0435363738")), Status::ConditionsOfUseNotSatisfied);
        assert_eq!(client.status(&change), Status::Success);
        assert_eq!(client.verify(0x1C, b"5678"), Status::Success);
    }

    for (aid, sfi, value) in
        [(TEXT, 0x14, MY_NUMBER), (TEXT, 0x15, CODE_B), (VISUAL, 0x13, MY_NUMBER), (VISUAL, 0x11, b"550615")]
    {
        let mut client = opened(&aid, sfi, value);
        for (cla, ins, p1) in [(0x00, 0x24, 0x01), (0x80, 0x32, 0x00)] {
            let change = CommandBuilder::new(cla, ins, p1, 0x80 | sfi).data(value).to_bytes();
            assert_eq!(client.status(&change), Status::ConditionsOfUseNotSatisfied);
        }
        assert_eq!(client.verify(sfi, value), Status::Success);
    }
}

#[test]
fn a_command_that_does_not_fit_the_structure_of_a_file_is_6981() {
    let mut client = Client::at(&COMMON);
    assert_eq!(client.status(&hex!("00B0810000")), Status::IncompatibleFileStructure);
    assert_eq!(client.status(&hex!("00B201E400")), Status::IncompatibleFileStructure, "a PIN has no record");
    client.select(&TEXT);
    assert_eq!(client.status(&hex!("00B2012400")), Status::IncompatibleFileStructure);
    assert_eq!(client.status(&hex!("00B0910000")), Status::IncompatibleFileStructure);
}
