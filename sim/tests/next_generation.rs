//! The preview of the next generation: `openssl` follows its chains and verifies what it signs, on both
//! curves; two PINs open everything. A missing `openssl` fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use sha2::{Digest, Sha256, Sha384};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};
use x509_parser::prelude::*;

const PROFILES: [(&str, &str, &str); 2] = [
    ("next-generation", "1.2.840.10045.4.3.3", "sha384"),
    ("next-generation-p256", "1.2.840.10045.4.3.2", "sha256"),
];

const JPKI: [u8; 10] = hex!("D392F000260100000001");
const TEXT: [u8; 10] = hex!("D3921000310001010408");
const VISUAL: [u8; 10] = hex!("D3921000310001010402");

fn card(profile: &str, holder: &str) -> VirtualCard {
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    let (holder, profile) = (Holder::built_in(holder).unwrap(), Profile::built_in(profile).unwrap());
    VirtualCard::new(Arc::new(Personalised::new(holder, profile, now).unwrap()))
}

fn transmit(card: &mut VirtualCard, command: &[u8]) -> (Vec<u8>, Status) {
    let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
    let response = ResponseApdu::try_from(&answer[..]).unwrap();
    (response.data.to_vec(), response.status)
}

fn select(card: &mut VirtualCard, aid: &[u8]) -> Status {
    transmit(card, &CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(aid).to_bytes()).1
}

fn verify(card: &mut VirtualCard, reference: u8, value: &[u8]) -> Status {
    transmit(card, &CommandBuilder::new(0x00, 0x20, 0x00, reference).data(value).to_bytes()).1
}

fn read(card: &mut VirtualCard, sfi: u8) -> (Vec<u8>, Status) {
    transmit(card, &[0x00, 0xB0, 0x80 | sfi, 0, 0, 0, 0])
}

fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {}: {told}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn openssl_follows_both_chains_and_verifies_both_signatures() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (profile, oid, digest) in PROFILES {
        let mut card = card(profile, "hanako");
        assert_eq!(select(&mut card, &JPKI), Status::Success);
        assert_eq!(verify(&mut card, 0x98, b"1234"), Status::Success);
        assert_eq!(verify(&mut card, 0x9B, b"ABC123"), Status::Success);
        for (leaf, ca, key) in [(0x0A, 0x0B, 0x97), (0x01, 0x02, 0x9A)] {
            for (name, sfi) in [("leaf", leaf), ("ca", ca)] {
                let (file, _) = read(&mut card, sfi);
                let (_, certificate) = X509Certificate::from_der(&file).unwrap();
                assert_eq!(certificate.signature_algorithm.algorithm.to_id_string(), oid);
                assert!(certificate.signature_algorithm.parameters.is_none());
                let years = if name == "leaf" { 10 } else { 20 };
                let validity = certificate.validity();
                let (first, last) = (validity.not_before.to_datetime(), validity.not_after.to_datetime());
                // the first day of a leaf begins in Japan, where it is nine hours later
                assert_eq!(last.year() - first.year(), years, "{name}");
                fs::write(folder.join(format!("{name}.der")), file).unwrap();
                let pem = format!("{name}.pem");
                openssl(folder, &["x509", "-inform", "DER", "-in", &format!("{name}.der"), "-out", &pem]);
            }
            // 1 April 2026, and eight years later
            for now in ["1775001600", "2027462400"] {
                openssl(folder, &["verify", "-x509_strict", "-attime", now, "-CAfile", "ca.pem", "leaf.pem"]);
            }
            let hash = match digest {
                "sha384" => Sha384::digest(b"message").to_vec(),
                _ => Sha256::digest(b"message").to_vec(),
            };
            let sign = CommandBuilder::new(0x80, 0x2A, 0x00, key).data(&hash).le(256).to_bytes();
            let (signature, status) = transmit(&mut card, &sign);
            assert_eq!(status, Status::Success);
            assert_eq!(transmit(&mut card, &sign).0, signature);
            fs::write(folder.join("signature"), signature).unwrap();
            fs::write(folder.join("message"), "message").unwrap();
            let key = openssl(folder, &["x509", "-in", "leaf.pem", "-noout", "-pubkey"]);
            fs::write(folder.join("public.pem"), key).unwrap();
            let digest = format!("-{digest}");
            let verified = openssl(
                folder,
                &["dgst", &digest, "-verify", "public.pem", "-signature", "signature", "message"],
            );
            assert!(verified.contains("Verified OK"), "{verified}");
        }
    }
}

#[test]
fn it_signs_a_hash_of_its_curve_and_in_one_way() {
    let mut card = card("next-generation", "hanako");
    select(&mut card, &JPKI);
    verify(&mut card, 0x98, b"1234");
    let sign = |p1, length: usize| {
        CommandBuilder::new(0x80, 0x2A, p1, 0x97).data(&vec![0x5A; length]).le(256).to_bytes()
    };
    assert_eq!(transmit(&mut card, &sign(0x00, 48)).1, Status::Success);
    for length in [1, 32, 47, 49, 67] {
        assert_eq!(transmit(&mut card, &sign(0x00, length)).1, Status::WrongLength, "{length}");
    }
    for p1 in 0x01..=0x06 {
        assert_eq!(transmit(&mut card, &sign(p1, 32)).1, Status::IncorrectP1P2, "{p1:02X}");
    }
}

#[test]
fn two_pins_and_one_code_open_everything() {
    let mut card = card("next-generation", "hanako");
    assert_eq!(select(&mut card, &VISUAL), Status::FileNotFound);
    // the data for filling in forms open with the longer PIN, not with four digits
    assert_eq!(select(&mut card, &TEXT), Status::Success);
    assert_eq!(verify(&mut card, 0x91, b"1234"), Status::TriesLeft(4));
    assert_eq!(read(&mut card, 0x02).1, Status::SecurityStatusNotSatisfied);
    assert_eq!(verify(&mut card, 0x91, b"ABC123"), Status::Success);
    assert_eq!(read(&mut card, 0x01).1, Status::Success);
    assert_eq!(read(&mut card, 0x02).1, Status::Success);
    // it is one PIN with one counter, in both applications
    assert_eq!(verify(&mut card, 0x91, b"WRONG1"), Status::TriesLeft(4));
    select(&mut card, &JPKI);
    assert_eq!(verify(&mut card, 0x9B, b"WRONG1"), Status::TriesLeft(3));
    // one code of six digits opens number and data
    select(&mut card, &TEXT);
    assert_eq!(verify(&mut card, 0x94, b"123456789018"), Status::TriesLeft(9));
    assert_eq!(verify(&mut card, 0x95, b"352285"), Status::Success);
    assert_eq!(read(&mut card, 0x01).1, Status::Success);
    assert_eq!(read(&mut card, 0x02).1, Status::Success);
}

#[test]
fn every_holder_can_have_such_a_card() {
    for (profile, ..) in PROFILES {
        for holder in Holder::built_in_names() {
            let mut card = card(profile, holder);
            assert_eq!(select(&mut card, &JPKI), Status::Success);
            assert_eq!(read(&mut card, 0x0A).1, Status::Success, "{holder}");
        }
    }
}
