//! Every built-in holder's card, whatever its state: the basic flow with its PINs, the files and the
//! keys that are there and those that are not.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vmyna_sim::apdu::{ResponseApdu, Status};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::issue;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};

fn now() -> Timestamp {
    "2026-04-01T00:00:00Z".parse().unwrap()
}

fn personalised(holder: &str) -> Arc<Personalised> {
    let holder = Holder::built_in(holder).unwrap();
    Arc::new(Personalised::new(holder, Profile::card(), now()).unwrap())
}

fn send(card: &mut VirtualCard, command: &[u8]) -> (Vec<u8>, Status) {
    let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
    let response = ResponseApdu::try_from(&answer[..]).unwrap();
    (response.data.to_vec(), response.status)
}

fn status(card: &mut VirtualCard, command: &[u8]) -> Status {
    send(card, command).1
}

fn selected(holder: &str) -> VirtualCard {
    let mut card = VirtualCard::new(personalised(holder));
    assert_eq!(status(&mut card, &hex!("00A4040C0AD392F000260100000001")), Status::Success);
    card
}

/// VERIFY of the right value by short identifier.
fn verify(card: &mut VirtualCard, sfi: u8, value: &[u8]) -> Status {
    let length = u8::try_from(value.len()).unwrap();
    status(card, &[&[0x00, 0x20, 0x00, 0x80 | sfi, length], value].concat())
}

fn sign(card: &mut VirtualCard, sfi: u8) -> Status {
    let (signature, status) = send(card, &[0x80, 0x2A, 0x00, 0x80 | sfi, 1, 0x55, 0]);
    assert_eq!(signature.len(), if status == Status::Success { 256 } else { 0 });
    status
}

#[test]
fn every_card_does_with_its_pins_what_its_state_allows() {
    for name in Holder::built_in_names() {
        let mut card = selected(name);
        let personalised = personalised(name);
        let pins = &personalised.holder().pins;
        for (pin, sfi, key, value) in [
            (PinName::UserAuthentication, 0x18, 0x17, &pins.user_authentication),
            (PinName::DigitalSignature, 0x1B, 0x1A, &pins.digital_signature),
        ] {
            let tries = personalised.tries_at_issue(pin);
            let ask = [0x00, 0x20, 0x00, 0x80 | sfi];
            assert_eq!(status(&mut card, &ask), Status::TriesLeft(tries), "{name} {pin}");
            let (verified, signed) = match tries {
                0 => (Status::ReferencedIefBlocked, Status::SecurityStatusNotSatisfied),
                _ => (Status::Success, Status::Success),
            };
            assert_eq!(verify(&mut card, sfi, value.as_bytes()), verified, "{name} {pin}");
            assert_eq!(sign(&mut card, key), signed, "{name} {pin}");
        }
        // The certificate for authentication is free, and each authority's is there.
        for (file, certificate) in [
            (0x8A, &personalised.issued().user_authentication.certificate),
            (0x8B, &personalised.issued().user_authentication_ca),
            (0x82, &personalised.issued().digital_signature_ca),
        ] {
            let (content, _) = send(&mut card, &[0x00, 0xB0, file, 0x00, 0x00, 0x08, 0x00]);
            assert!(content.starts_with(certificate), "{name} {file:02X}");
        }
    }
}

#[test]
fn a_card_without_a_signature_certificate_says_so_and_opens_nothing() {
    for name in ["child", "face-authentication"] {
        let mut card = selected(name);
        assert!(personalised(name).issued().digital_signature.is_none());
        assert_eq!(send(&mut card, &hex!("00B0880003")), (hex!("008F00").to_vec(), Status::Success));
        assert_eq!(status(&mut card, &hex!("0020009B")), Status::TriesLeft(0));
        assert_eq!(status(&mut card, &hex!("00A4020C020001")), Status::Success);
        assert_eq!(status(&mut card, &hex!("00B0000004")), Status::SecurityStatusNotSatisfied);
        assert_eq!(sign(&mut card, 0x1A), Status::SecurityStatusNotSatisfied);
    }
    let mut ordinary = selected("taro");
    assert_eq!(send(&mut ordinary, &hex!("00B0880003")).0, hex!("8F8F00"));
}

/// A file may say that a PIN works although its certificate is not there: the EF is filler then, and
/// there is no key to sign with.
#[test]
fn a_pin_that_works_without_its_certificate_finds_no_key() {
    let text = "person: {name: 試験　太郎, age: 40}\nstate: {certificates: {digital_signature: none}, \
                tries_left: {digital_signature: 5}}\n";
    let holder = Holder::parse("mine.yaml", text).unwrap();
    let personalised = Personalised::new(holder, Profile::card(), now()).unwrap();
    let mut card = VirtualCard::new(Arc::new(personalised));
    status(&mut card, &hex!("00A4040C0AD392F000260100000001"));
    assert_eq!(verify(&mut card, 0x1B, b"ABC123"), Status::Success);
    assert_eq!(sign(&mut card, 0x1A), Status::ConditionsOfUseNotSatisfied);
    assert_eq!(send(&mut card, &hex!("00B0810004")), (vec![0xFF; 4], Status::Success));
}

#[test]
fn the_last_try_blocks_and_a_right_one_refills() {
    let mut card = selected("last-try");
    assert_eq!(verify(&mut card, 0x18, b"0000"), Status::TriesLeft(0));
    assert_eq!(verify(&mut card, 0x18, b"1234"), Status::ReferencedIefBlocked);
    assert_eq!(verify(&mut card, 0x1B, b"ABC123"), Status::Success);
    assert_eq!(card.pins().get(PinName::DigitalSignature).tries_left, 5);
}

#[test]
fn two_starts_within_the_hour_give_the_same_card() {
    for name in Holder::built_in_names() {
        let holder = Holder::built_in(name).unwrap();
        let [first, second] = ["2026-04-01T00:00:00Z", "2026-04-01T00:59:59Z"]
            .map(|now| issue(&holder, now.parse().unwrap()).unwrap().user_authentication.certificate);
        assert_eq!(first, second, "{name}");
    }
}

/// Keys and authorities are read once in a process; after that a holder is issued at once. The limit
/// leaves room for a build without optimisation on a busy machine.
#[test]
fn issuing_takes_no_time() {
    let holder = Holder::built_in("hanako").unwrap();
    issue(&holder, now()).unwrap();
    let start = Instant::now();
    for _ in 0..10 {
        issue(&holder, now()).unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(1000), "{:?} for ten", start.elapsed());
}
