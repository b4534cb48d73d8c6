//! Wrong in signing: key, padding, length, digest, parameters.

use super::Mutant;
use super::wrong_card::{Right, Wrongness, answers, commands};
use chacha20::ChaCha20Rng;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::SeedableRng;
use rsa::{Pss, RsaPrivateKey};
use sha1::Sha1;
use sha2::Sha256;
use std::collections::BTreeMap;
use vmyna_sim::apdu::{CommandApdu, CommandBuilder};
use vmyna_sim::key::DigestInfo;
use vmyna_sim::pin::PinName;

pub const ALL: &[Mutant] = &[
    Mutant::new(
        "signs-with-the-other-key",
        "SIG-01",
        "the authentication key signs with the signature key",
        || {
            commands(|right, command, raw| {
                if is_signature(command) && right.means(command, "jpki", 0x0017) {
                    let answer = right.answer(raw);
                    if !answer.ends_with(&[0x90, 0x00]) {
                        return answer;
                    }
                    right.present(PinName::DigitalSignature);
                    let file = right.file;
                    let signed = sign(right, 0x9A, command.data());
                    right.select_again(file);
                    return signed;
                }
                right.answer(raw)
            })
        },
    ),
    Mutant::new("signature-truncated", "SIG-01", "the signature has 255 bytes", || {
        signatures(|answer| {
            answer.remove(0);
        })
    }),
    Mutant::new("signature-too-long", "SIG-01", "a zero byte stands before the signature", || {
        signatures(|answer| answer.insert(0, 0))
    }),
    Mutant::new("signature-reversed", "SIG-01", "the signature comes little end first", || {
        signatures(|answer| {
            let end = answer.len() - 2;
            answer[..end].reverse();
        })
    }),
    Mutant::new("signature-last-bit-wrong", "SIG-01", "the last bit of the signature is wrong", || {
        signatures(|answer| {
            let last = answer.len() - 3;
            answer[last] ^= 0x01;
        })
    }),
    Mutant::new(
        "signs-the-same-always",
        "SIG-01",
        "whatever is given, the first signature comes again",
        || {
            let mut first: Option<Vec<u8>> = None;
            answers(move |command, answer| {
                if is_signature(command) && answer.len() == 258 {
                    *answer = first
                        .get_or_insert_with(|| {
                            b"another".iter().map(|_| 0x55).cycle().take(256).chain([0x90, 0x00]).collect()
                        })
                        .clone();
                }
            })
        },
    ),
    Mutant::new("hashes-what-it-is-given", "SIG-01", "a DigestInfo is hashed once more", || {
        given(DigestInfo::sha256_of)
    }),
    Mutant::new("signs-the-bare-hash", "SIG-01", "the DigestInfo around the hash is dropped", || {
        given(|data| if data.len() == 51 { data[19..].to_vec() } else { data.to_vec() })
    }),
    Mutant::new("knows-sha-256-only", "SIG-06", "a DigestInfo other than of SHA-256 answers 6A80", || {
        commands(|right, command, raw| {
            if is_signature(command) && matches!(command.data().len(), 35 | 67 | 83) {
                return vec![0x6A, 0x80];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("wants-a-digest-info", "SIG-05", "bytes that are no DigestInfo answer 6A80", || {
        commands(|right, command, raw| {
            if is_signature(command) && command.data().first() != Some(&0x30) {
                return vec![0x6A, 0x80];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("too-long-is-cut", "SIG-07", "of more than 245 bytes the first 245 are signed", || {
        commands(|right, command, raw| {
            if is_signature(command) && command.p1() == 0 && command.data().len() > 245 {
                return sign(right, command.p2(), &command.data()[..245]);
            }
            right.answer(raw)
        })
    }),
    Mutant::new("undefined-p1-signs", "SIG-08", "an undefined P1 signs as 00 does", || {
        commands(|right, command, raw| match command.p1() {
            p1 if is_signature(command) && p1 > 0x05 => {
                right.answer(&[&raw[..2], &[0x00], &raw[3..]].concat())
            }
            _ => right.answer(raw),
        })
    }),
    Mutant::new("sign-sfi-refused", "SIG-09", "the key is not found by its short identifier", || {
        commands(|right, command, raw| match command.p2() {
            0x81..=0x9E if is_signature(command) && right.application == "jpki" => vec![0x6A, 0x86],
            _ => right.answer(raw),
        })
    }),
    Mutant::new("bare-hash-in-a-digest-info", "SIG-11", "P1=01 puts the hash into a DigestInfo", || {
        by_another_way(0x01, 0x03)
    }),
    Mutant::new("given-hash-padded-bare", "SIG-12", "P1=02 pads the hash without a DigestInfo", || {
        by_another_way(0x02, 0x00)
    }),
    Mutant::new("message-hash-padded-bare", "SIG-13", "P1=03 pads the hash without a DigestInfo", || {
        by_another_way(0x03, 0x01)
    }),
    Mutant::new("pss-of-a-hash-is-pkcs1", "SIG-14", "P1=04 pads as PKCS#1 v1.5 does", || {
        by_another_way(0x04, 0x02)
    }),
    Mutant::new("pss-of-a-message-is-pkcs1", "SIG-14", "P1=05 pads as PKCS#1 v1.5 does", || {
        by_another_way(0x05, 0x03)
    }),
    Mutant::new("pss-hashes-the-hash", "SIG-14", "P1=04 hashes the hash that it is given", || {
        by_another_way(0x04, 0x05)
    }),
    Mutant::new("pss-without-a-new-salt", "SIG-14", "PSS takes the same salt each time", || {
        let mut made: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        answers(move |command, answer| {
            if is_signature(command) && matches!(command.p1(), 0x04 | 0x05) && answer.len() == 258 {
                *answer = made.entry(command.data().to_vec()).or_insert_with(|| answer.clone()).clone();
            }
        })
    }),
    Mutant::new("pss-with-a-salt-of-20-bytes", "SIG-14", "the salt of PSS is as long as a SHA-1", || {
        pss(|hash, key| key.sign_with_rng(&mut salt(), Pss::<Sha256>::new_with_salt(20), hash))
    }),
    Mutant::new("pss-masks-with-sha1", "SIG-14", "PSS hashes and masks with SHA-1", || {
        pss(|hash, key| key.sign_with_rng(&mut salt(), Pss::<Sha1>::new_with_salt(20), &hash[..20]))
    }),
    Mutant::new("without-pin-says-6985", "SIG-02", "signing without the PIN answers 6985", || {
        answers(|command, answer| {
            if is_signature(command) && answer == &[0x69, 0x82] {
                *answer = vec![0x69, 0x85];
            }
        })
    }),
];

pub fn is_signature(command: &CommandApdu<'_>) -> bool {
    (command.cla(), command.ins()) == (0x80, 0x2A)
}

fn sign(right: &mut Right, p2: u8, data: &[u8]) -> Vec<u8> {
    right.answer(&CommandBuilder::new(0x80, 0x2A, 0x00, p2).data(data).le(256).to_bytes())
}

/// Signatures of JPKI, changed.
fn signatures(change: fn(&mut Vec<u8>)) -> Wrongness {
    answers(move |command, answer| {
        if is_signature(command) && answer.len() == 258 {
            change(answer);
        }
    })
}

fn salt() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

/// PSS of a given hash, made by other hands with the key of the holder's certificate, where the right card
/// signs too.
fn pss(make: fn(&[u8], &RsaPrivateKey) -> rsa::Result<Vec<u8>>) -> Wrongness {
    const KEY: &str = include_str!("../../vectors/pki/TEST-KEYS/hanako-user-authentication.TEST.pem");
    let key = RsaPrivateKey::from_pkcs8_pem(KEY).expect("a TEST key");
    answers(move |command, answer| {
        let with_the_key = command.p2() == 0x80 || command.p2() == 0x97;
        if is_signature(command) && command.p1() == 0x04 && with_the_key && answer.len() == 258 {
            let signature = make(command.data(), &key).expect("it signs");
            answer[..256].copy_from_slice(&signature);
        }
    })
}

/// One P1 signs as another does.
fn by_another_way(p1: u8, other: u8) -> Wrongness {
    commands(move |right, command, raw| match is_signature(command) && command.p1() == p1 {
        true => right.answer(&[&raw[..2], &[other], &raw[3..]].concat()),
        false => right.answer(raw),
    })
}

/// Other bytes are signed than were given.
fn given(change: fn(&[u8]) -> Vec<u8>) -> Wrongness {
    commands(move |right, command, raw| {
        if is_signature(command) && command.p1() == 0 && right.application == "jpki" {
            return sign(right, command.p2(), &change(command.data()));
        }
        right.answer(raw)
    })
}
