//! Every way to sign, checked by `openssl`, which knows nothing of us. A missing `openssl` fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::Command;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::card::VirtualCard;
use vmyna_sim::smart_card::{Reaction, SmartCard};

const AUTHENTICATION: u8 = 0x97;
const SIGNATURE: u8 = 0x9A;
const CERTIFICATES: [(u8, u8); 2] = [(AUTHENTICATION, 0x8A), (SIGNATURE, 0x81)];

fn transmit(card: &mut VirtualCard, command: &[u8]) -> (Vec<u8>, Status) {
    let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
    let response = ResponseApdu::try_from(&answer[..]).unwrap();
    (response.data.to_vec(), response.status)
}

/// A card with both PINs of the JPKI application verified.
fn card() -> VirtualCard {
    let mut card = VirtualCard::built_in("hanako").unwrap();
    for command in [
        &hex!("00A4040C0AD392F000260100000001")[..],
        &hex!("00200098 04 31323334"),
        &hex!("0020009B 06 414243313233"),
    ] {
        assert_eq!(transmit(&mut card, command).1, Status::Success);
    }
    card
}

fn sign(card: &mut VirtualCard, p1: u8, key: u8, data: &[u8]) -> (Vec<u8>, Status) {
    transmit(card, &CommandBuilder::new(0x80, 0x2A, p1, key).data(data).le(256).to_bytes())
}

fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {}: {told}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Writes the public key of the certificate with that short identifier to `public.pem`.
fn export_key(card: &mut VirtualCard, certificate: u8, folder: &Path) {
    let (file, _) = transmit(card, &[0x00, 0xB0, certificate, 0, 0, 0, 0]);
    fs::write(folder.join("certificate.der"), file).unwrap();
    let pem = openssl(folder, &["x509", "-inform", "DER", "-in", "certificate.der", "-noout", "-pubkey"]);
    fs::write(folder.join("public.pem"), pem).unwrap();
}

#[test]
fn openssl_verifies_every_scheme_with_both_keys() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut card = card();
    let message = [0x5A; 255];
    let hash = Sha256::digest(message);
    fs::write(folder.join("message"), message).unwrap();
    fs::write(folder.join("hash"), hash).unwrap();
    let (pkcs1, pss) = ("rsa_padding_mode:pkcs1", "rsa_padding_mode:pss");
    let (sha256, salt) = ("digest:sha256", "rsa_pss_saltlen:32");
    let schemes: [(u8, &[u8], &str, &[&str]); 5] = [
        (0x01, &message, "hash", &[pkcs1]),
        (0x02, &hash, "hash", &[pkcs1, sha256]),
        (0x03, &message, "hash", &[pkcs1, sha256]),
        (0x04, &hash, "hash", &[pss, sha256, salt]),
        (0x05, &message, "hash", &[pss, sha256, salt]),
    ];
    for (key, certificate) in CERTIFICATES {
        export_key(&mut card, certificate, folder);
        let (signature, _) = sign(&mut card, 0x00, key, &message[..245]);
        fs::write(folder.join("signature"), signature).unwrap();
        openssl(
            folder,
            &[
                "pkeyutl",
                "-verifyrecover",
                "-pubin",
                "-inkey",
                "public.pem",
                "-in",
                "signature",
                "-out",
                "recovered",
                "-pkeyopt",
                pkcs1,
            ],
        );
        assert_eq!(fs::read(folder.join("recovered")).unwrap(), message[..245]);
        for (p1, data, signed, options) in schemes {
            let (signature, status) = sign(&mut card, p1, key, data);
            assert_eq!((signature.len(), status), (256, Status::Success), "P1 {p1:02X}");
            fs::write(folder.join("signature"), signature).unwrap();
            let mut arguments = vec![
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "public.pem",
                "-sigfile",
                "signature",
                "-in",
                signed,
            ];
            arguments.extend(options.iter().flat_map(|option| ["-pkeyopt", *option]));
            assert!(openssl(folder, &arguments).contains("Verified Successfully"), "P1 {p1:02X}");
        }
    }
}

#[test]
fn each_scheme_takes_its_lengths_and_no_others() {
    let mut card = card();
    for p1 in 0x00..=0xFF {
        let (shortest, longest) = match p1 {
            0x00 => (1, 245),
            0x01 | 0x03 | 0x05 => (1, 255),
            0x02 | 0x04 => (32, 32),
            _ => {
                assert_eq!(sign(&mut card, p1, AUTHENTICATION, &[0x5A; 32]).1, Status::IncorrectP1P2);
                continue;
            }
        };
        for length in [1, 31, 32, 33, 245, 246, 255] {
            let expected = match (shortest..=longest).contains(&length) {
                true => Status::Success,
                false => Status::WrongLength,
            };
            let (_, status) = sign(&mut card, p1, AUTHENTICATION, &vec![0x5A; length]);
            assert_eq!(status, expected, "P1 {p1:02X} of {length} bytes");
        }
    }
}

#[test]
fn no_scheme_signs_without_its_pin() {
    let mut card = VirtualCard::built_in("hanako").unwrap();
    transmit(&mut card, &hex!("00A4040C0AD392F000260100000001"));
    for p1 in 0x00..=0x05 {
        let (data, status) = sign(&mut card, p1, AUTHENTICATION, &[0x5A; 32]);
        assert_eq!((data.len(), status), (0, Status::SecurityStatusNotSatisfied));
    }
}
