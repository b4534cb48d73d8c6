//! Every EF and every data object of `hanako` at a fixed clock, decoded, for a reader to look at. What a
//! change does to the contents of a card shows here.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::application;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::file::{Application, FileKind};
use vmyna_sim::hex::Spaced;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::issued_pin;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};

fn hanako() -> Arc<Personalised> {
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    Arc::new(Personalised::new(Holder::built_in("hanako").unwrap(), Profile::card(), now).unwrap())
}

fn transmit(card: &mut VirtualCard, command: &CommandBuilder) -> (Vec<u8>, Status) {
    let Reaction::Answer(answer) = card.transmit(&command.to_bytes()) else { panic!("the card answers") };
    let response = ResponseApdu::try_from(&answer[..]).unwrap();
    (response.data.to_vec(), response.status)
}

/// `bytes` as text where they are some, otherwise in hexadecimal, long ones by their digest.
fn value(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control));
    match text {
        Some(text) if !text.is_empty() => format!("{text:?}"),
        _ if bytes.len() <= 32 => Spaced(bytes).to_string(),
        _ => format!("{} bytes, SHA-256 {}…", bytes.len(), Spaced(&Sha256::digest(bytes)[..8])),
    }
}

/// A BER-TLV object at the beginning of `bytes`: tag, whether it holds others, value, and what follows.
fn object(bytes: &[u8]) -> Option<(String, bool, &[u8], &[u8])> {
    let two = bytes.first()? & 0x1F == 0x1F;
    let (tag, rest) = bytes.split_at_checked(1 + usize::from(two))?;
    let (length, rest) = match rest {
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length @ 0..=0x7F, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    let name = tag.iter().map(|byte| format!("{byte:02X}")).collect();
    // of the tags of one's own, FF.. and 7F.. hold others, DF.. and 5F.. do not
    Some((name, tag[0] & 0x20 != 0, value, rest))
}

fn decode(bytes: &[u8], depth: usize, told: &mut String) {
    let indent = "  ".repeat(depth);
    let mut rest = bytes;
    while !rest.is_empty() && !rest.iter().all(|byte| *byte == 0xFF) {
        let Some((tag, constructed, inside, after)) = object(rest) else {
            writeln!(told, "{indent}{}", value(rest)).unwrap();
            return;
        };
        if constructed && object(inside).is_some() {
            writeln!(told, "{indent}{tag}, {} bytes", inside.len()).unwrap();
            decode(inside, depth + 1, told);
        } else {
            writeln!(told, "{indent}{tag} {}", value(inside)).unwrap();
        }
        rest = after;
    }
    if !rest.is_empty() {
        writeln!(told, "{indent}and {} bytes FF", rest.len()).unwrap();
    }
}

/// A certificate in a few words, and how much filler follows it.
fn certificate(bytes: &[u8], told: &mut String) {
    let (filler, certificate) = x509_parser::parse_x509_certificate(bytes).unwrap();
    let validity = certificate.validity();
    writeln!(told, "    certificate of {} bytes", bytes.len() - filler.len()).unwrap();
    writeln!(told, "    subject {}", certificate.subject()).unwrap();
    writeln!(told, "    issuer {}", certificate.issuer()).unwrap();
    writeln!(
        told,
        "    number {}, {} to {}",
        certificate.raw_serial_as_string(),
        validity.not_before,
        validity.not_after
    )
    .unwrap();
    writeln!(told, "    SHA-256 {}", Spaced(&Sha256::digest(&bytes[..bytes.len() - filler.len()]))).unwrap();
    writeln!(told, "    and {} bytes FF", filler.len()).unwrap();
}

/// A serialised CK_TOKEN_INFO: four padded texts, eleven numbers, two versions, a time.
fn token_information(bytes: &[u8], told: &mut String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned();
    let numbers: Vec<_> = bytes[96..140]
        .chunks(4)
        .map(|word| format!("{:X}", u32::from_be_bytes(word.try_into().unwrap())))
        .collect();
    for field in [&bytes[..32], &bytes[32..64], &bytes[64..80], &bytes[80..96]] {
        writeln!(told, "    {:?}, padded to {}", text(field), field.len()).unwrap();
    }
    writeln!(told, "    {}", numbers.join(" ")).unwrap();
    writeln!(told, "    {:?}", text(&bytes[140..])).unwrap();
}

fn dump(card: &mut VirtualCard, application: &Application, told: &mut String) {
    let select = CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(application.aid);
    assert_eq!(transmit(card, &select).1, Status::Success);
    writeln!(told, "{}, AID {}", application.name, Spaced(application.aid)).unwrap();
    let personalised = hanako();
    for file in application.files {
        if let FileKind::Pin(pin) = file.kind {
            let value = issued_pin(personalised.holder(), personalised.issued().body.expiry, pin);
            let sfi = file.id.sfi().unwrap().value();
            let verify = CommandBuilder::new(0x00, 0x20, 0x00, 0x80 | sfi).data(value.as_bytes());
            assert_eq!(transmit(card, &verify).1, Status::Success, "{pin}");
        }
    }
    for file in application.files {
        let sfi = file.id.sfi().unwrap().value();
        let ask = CommandBuilder::new(0x00, 0x20, 0x00, 0x80 | sfi);
        match file.kind {
            FileKind::Transparent { .. } => {
                let read = CommandBuilder::new(0x00, 0xB0, 0x80 | sfi, 0x00).le(65_536);
                let (bytes, status) = transmit(card, &read);
                assert_eq!(status, Status::Success);
                writeln!(told, "  {:04X} transparent, {} bytes", file.id.0, bytes.len()).unwrap();
                match &bytes[..] {
                    [0x30, 0x82, ..] => certificate(&bytes, told),
                    [0x4A, 0x50, ..] => token_information(&bytes, told),
                    [0xFF, 0x10 | 0x20 | 0x30 | 0x40 | 0x50, ..] | [0x7F, ..] | [0xA1, ..] => {
                        decode(&bytes, 2, told);
                    }
                    _ => writeln!(told, "    {}", value(&bytes)).unwrap(),
                }
            }
            FileKind::Records { .. } => {
                let read = CommandBuilder::new(0x00, 0xB2, 0x01, sfi << 3 | 0x04).le(256);
                let (record, status) = transmit(card, &read);
                assert_eq!(status, Status::Success);
                writeln!(
                    told,
                    "  {:04X} records; record 1 {:02X} {}",
                    file.id.0,
                    record[0],
                    value(&record[2..])
                )
                .unwrap();
            }
            FileKind::Pin(pin) => {
                writeln!(told, "  {:04X} PIN {pin}, {}", file.id.0, transmit(card, &ask).1).unwrap();
            }
            FileKind::BlockedPin => {
                writeln!(told, "  {:04X} PIN without a value, {}", file.id.0, transmit(card, &ask).1)
                    .unwrap();
            }
            FileKind::PrivateKey { key, .. } => {
                writeln!(told, "  {:04X} private key {key:?}", file.id.0).unwrap();
            }
            FileKind::UndocumentedTransparent => {
                writeln!(told, "  {:04X} transparent, unknown", file.id.0).unwrap();
            }
            FileKind::UndocumentedInternal => {
                writeln!(told, "  {:04X} internal, unknown", file.id.0).unwrap();
            }
        }
    }
    for object in application.objects {
        let [high, low] = object.tag.to_be_bytes();
        let (bytes, status) = transmit(card, &CommandBuilder::new(0x00, 0xCA, high, low).le(65_536));
        assert_eq!(status, Status::Success);
        let name = application::object_name(object.tag).unwrap();
        writeln!(told, "  GET DATA {:04X}, {name}: {}", object.tag, value(&bytes)).unwrap();
    }
}

#[test]
fn every_file_of_hanako() {
    let mut card = VirtualCard::new(hanako());
    let mut told = String::new();
    for application in application::ALL {
        dump(&mut card, application, &mut told);
    }
    insta::assert_snapshot!(told);
}
