//! What the built-in profiles change: every one of them makes a card that does the basic flow, and
//! each difference can be seen.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use std::collections::BTreeSet;
use std::sync::Arc;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::key::Algorithm;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");
const SELECT_TEXT: [u8; 15] = hex!("00A4040C0AD3921000310001010408");
const VERIFY: [u8; 9] = hex!("002000980431323334");
const READ_AUTHENTICATION: [u8; 5] = hex!("00B08A0004");

fn card(profile: &str) -> VirtualCard {
    of(Profile::built_in(profile).unwrap())
}

fn of(profile: Profile) -> VirtualCard {
    VirtualCard::new(Arc::new(Personalised::built_in_of("hanako", profile).unwrap()))
}

fn changed(lines: &str) -> VirtualCard {
    let text = format!("extends: card\ntitle: {{ja: 私の, en: mine}}\n{lines}\n");
    of(Profile::parse("mine.yaml", &text).unwrap())
}

fn send(card: &mut VirtualCard, command: &[u8]) -> (Vec<u8>, Status) {
    let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
    let response = ResponseApdu::try_from(&answer[..]).unwrap();
    (response.data.to_vec(), response.status)
}

fn atr(card: &mut VirtualCard) -> Vec<u8> {
    let Reaction::Answer(atr) = card.atr() else { panic!("the card answers") };
    atr
}

#[test]
fn every_profile_authenticates() {
    for name in Profile::built_in_names() {
        let mut card = card(name);
        assert_eq!(send(&mut card, &SELECT_JPKI).1, Status::Success, "{name}");
        assert_eq!(send(&mut card, &VERIFY).1, Status::Success, "{name}");
        let (hash, length) = match Profile::built_in(name).unwrap().certificates.algorithm {
            Algorithm::Rsa2048 => (32, 256..=256),
            // two integers of the length of the curve, in DER
            Algorithm::EcdsaP384 => (48, 98..=104),
            Algorithm::EcdsaP256 => (32, 66..=72),
        };
        let sign = CommandBuilder::new(0x80, 0x2A, 0x00, 0x97).data(&vec![0x55; hash]).le(256).to_bytes();
        let signature = send(&mut card, &sign).0.len();
        assert!(length.contains(&signature), "{name}: {signature} bytes");
        assert_eq!(send(&mut card, &READ_AUTHENTICATION).0[..2], hex!("3082"), "{name}");
        let label = Profile::built_in(name).unwrap().token_label;
        let (token, _) = send(&mut card, &hex!("00B0860020"));
        assert_eq!(String::from_utf8(token).unwrap(), format!("{label:32}"), "{name}");
    }
}

#[test]
fn measured_answers_to_reset_are_well_formed_and_differ() {
    let mut seen = BTreeSet::new();
    for name in Profile::built_in_names() {
        let atr = atr(&mut card(name));
        assert_eq!(atr[0], 0x3B, "{name}");
        let check = atr[1..].iter().fold(0, |check, byte| check ^ byte);
        // without a byte TCK only T=0 is offered, or the measured chip leaves it out
        assert!(check == 0 || name.starts_with("contact-"), "{name} {atr:02X?}");
        seen.insert(atr);
    }
    assert_eq!(seen.len(), 10, "five on contacts, four and one with a PUPI over the air");
}

#[test]
fn a_pupi_is_drawn_at_each_activation_and_stays_until_the_next() {
    let mut card = card("contactless-pupi");
    card.power(Power::On);
    let first = atr(&mut card);
    assert_eq!(atr(&mut card), first);
    card.power(Power::WarmReset);
    assert_eq!(atr(&mut card), first);
    card.power(Power::Off);
    card.power(Power::On);
    assert_ne!(atr(&mut card), first);
}

#[test]
fn the_contacts_answer_is_told_over_the_air_too() {
    let mut card = card("contactless");
    send(&mut card, &SELECT_JPKI);
    assert_eq!(send(&mut card, &hex!("00CA5F5100")).0, hex!("E000FF8131FE4514"));
}

#[test]
fn a_phone_has_jpki_alone_and_its_certificate_behind_the_pin() {
    let mut phone = card("android");
    assert_eq!(send(&mut phone, &SELECT_TEXT).1, Status::FileNotFound);
    assert_eq!(send(&mut phone, &hex!("00A4040C07A0000001510000")).1, Status::Success);
    send(&mut phone, &SELECT_JPKI);
    assert_eq!(send(&mut phone, &READ_AUTHENTICATION).1, Status::SecurityStatusNotSatisfied);
    send(&mut phone, &VERIFY);
    assert_eq!(send(&mut phone, &READ_AUTHENTICATION).1, Status::Success);
    let mut ordinary = card("card");
    assert_eq!(send(&mut ordinary, &SELECT_TEXT).1, Status::Success);
    send(&mut ordinary, &SELECT_JPKI);
    assert_eq!(send(&mut ordinary, &READ_AUTHENTICATION).1, Status::Success);
}

#[test]
fn only_the_iphone_knows_the_last_command() {
    for name in Profile::built_in_names() {
        let expected = if name == "iphone" { Status::Success } else { Status::WrongLength };
        assert_eq!(send(&mut card(name), &hex!("80FC0000")).1, expected, "{name}");
    }
}

#[test]
fn a_preview_says_so() {
    let previews = Profile::built_in_names().filter(|name| Profile::built_in(name).unwrap().preview);
    assert_eq!(
        previews.collect::<Vec<_>>(),
        ["iphone", "juki-card", "next-generation", "next-generation-p256"]
    );
}

#[test]
fn lengths_end_where_the_profile_says() {
    let extended = hex!("00B08A00000400");
    let mut card = changed("longest_response: 300");
    send(&mut card, &SELECT_JPKI);
    assert_eq!(send(&mut card, &extended).0.len(), 300);
    let mut card = changed("extended_length: false");
    send(&mut card, &SELECT_JPKI);
    assert_eq!(send(&mut card, &extended).1, Status::WrongLength);
    assert_eq!(send(&mut card, &hex!("00B08A0000")).0.len(), 256);
}
