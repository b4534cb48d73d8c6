//! Wrong in what files and data objects prove: digests, signatures, the chain above them, and the keys
//! of the card itself.

use super::Mutant;
use super::reading::overlay;
use super::signing::is_signature;
use super::wrong_card::{Right, Wrongness, answers, commands};
use sha2::{Digest, Sha256};
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::issue::CardBody;
use vmyna_sim::key::{DigestInfo, Signer};
use vmyna_sim::tlv::ber;

pub const ALL: &[Mutant] = &[
    Mutant::new("digest-of-the-number-alone", "TXT-27", "DF31 leaves the filler of EF 0001 out", || {
        file("text", 0x0003, |_, bytes| {
            let digits = b"\xFF\x10\x0C123456789018";
            value_of(bytes, 0xDF31).copy_from_slice(&Sha256::digest(digits));
        })
    }),
    Mutant::new("digest-of-the-number-wrong", "TXT-27", "one bit of DF31 is wrong", || {
        file("text", 0x0003, |_, bytes| value_of(bytes, 0xDF31)[31] ^= 1)
    }),
    Mutant::new("digest-with-the-table", "TXT-28", "DF32 takes the table DF21 in", || {
        file("text", 0x0003, |right, bytes| {
            let attributes = read(right, 0x82);
            let end = attributes.iter().rposition(|byte| *byte != 0xFF).unwrap_or(0);
            let digest = Sha256::digest(&attributes[attributes.len().min(3)..=end]);
            value_of(bytes, 0xDF32).copy_from_slice(&digest);
        })
    }),
    Mutant::new(
        "digests-signed-without-tags",
        "TXT-29",
        "DF33 signs the two digests without their tags",
        || {
            file("text", 0x0003, |right, bytes| {
                let digests = [value_of(bytes, 0xDF31).to_vec(), value_of(bytes, 0xDF32).to_vec()].concat();
                let signature = body(right).text_issuer.key().sign_message(&digests).expect("it signs");
                value_of(bytes, 0xDF33).copy_from_slice(&signature);
            })
        },
    ),
    Mutant::new(
        "digests-signed-by-the-face",
        "TXT-29",
        "the municipality's other key has signed DF33",
        || {
            file("text", 0x0003, |right, bytes| {
                let signed =
                    [ber(0xDF31, value_of(bytes, 0xDF31)), ber(0xDF32, value_of(bytes, 0xDF32))].concat();
                let signature = body(right).visual_issuer.key().sign_message(&signed).expect("it signs");
                value_of(bytes, 0xDF33).copy_from_slice(&signature);
            })
        },
    ),
    Mutant::new("key-signed-by-itself", "TXT-39", "the card's own key has signed DF52", || {
        file("text", 0x0007, |right, bytes| {
            let signed = ber(0xDF51, value_of(bytes, 0xDF51));
            let signature = body(right).text_key.sign_message(&signed).expect("it signs");
            value_of(bytes, 0xDF52).copy_from_slice(&signature);
        })
    }),
    Mutant::new(
        "text-key-certified-for-another",
        "TXT-33",
        "the subject of EF 0004 was changed afterwards",
        || file("text", 0x0004, |_, bytes| value_of(bytes, 0x5F4E)[16] ^= 1),
    ),
    Mutant::new("text-key-needs-the-pin", "TXT-40", "802A0000 answers 6982 before the PIN", || {
        let mut verified = false;
        commands(move |right, command, raw| {
            let here = right.application == "text";
            verified |= here && command.ins() == 0x20 && !command.data().is_empty();
            match is_signature(command) && here && !verified {
                true => vec![0x69, 0x82],
                false => right.answer(raw),
            }
        })
    }),
    Mutant::new("text-key-is-another", "TXT-40", "another key signs than the one in EF 0007", || {
        signed_by("text", |body| &body.visual_key)
    }),
    Mutant::new("text-key-hashes-again", "TXT-40", "802A0000 hashes the DigestInfo once more", || {
        commands(|right, command, raw| match is_signature(command) && right.application == "text" {
            true => {
                let data = DigestInfo::sha256_of(command.data());
                right.answer(&CommandBuilder::new(0x80, 0x2A, 0, command.p2()).data(&data).le(256).to_bytes())
            }
            false => right.answer(raw),
        })
    }),
    Mutant::new("birth-changed-afterwards", "VIS-15", "DF11 is another day than was signed", || {
        file("visual", 0x0001, |_, bytes| value_of(bytes, 0xDF11)[7] ^= 1)
    }),
    Mutant::new(
        "birth-signed-without-tags",
        "VIS-15",
        "DF13 signs the two values without their tags",
        || {
            file("visual", 0x0001, |right, bytes| {
                let values = [value_of(bytes, 0xDF11).to_vec(), value_of(bytes, 0xDF12).to_vec()].concat();
                let signature = body(right).visual_issuer.key().sign_message(&values).expect("it signs");
                value_of(bytes, 0xDF13).copy_from_slice(&signature);
            })
        },
    ),
    Mutant::new("portrait-changed-afterwards", "VIS-21", "the last byte of the portrait is another", || {
        file("visual", 0x0002, |_, bytes| {
            let portrait = value_of(bytes, 0xDF27);
            let last = portrait.len() - 1;
            portrait[last] ^= 1;
        })
    }),
    Mutant::new("face-signed-as-a-whole", "VIS-21", "DF28 signs one digest of DF22 to DF27", || {
        file("visual", 0x0002, |right, bytes| {
            let signed = objects(bytes, &[0xDF22, 0xDF23, 0xDF24, 0xDF25, 0xDF26, 0xDF27]);
            let signature = body(right).visual_issuer.key().sign_message(&signed).expect("it signs");
            value_of(bytes, 0xDF28).copy_from_slice(&signature);
        })
    }),
    Mutant::new("expiry-signed-as-well", "VIS-22", "the third digest of DF28 takes the expiry in", || {
        file("visual", 0x0002, |right, bytes| {
            let groups: [&[u16]; 3] = [&[0xDF22, 0xDF23, 0xDF24], &[0xDF25, 0xDF26], &[0xDF27, 0xDF29]];
            let digests: Vec<u8> =
                groups.iter().flat_map(|tags| Sha256::digest(objects(bytes, tags)).to_vec()).collect();
            let info = vmyna::terminal::Digest::Sha256.digest_info(&digests);
            let signature = body(right).visual_issuer.key().sign_verbatim(&info).expect("it signs");
            value_of(bytes, 0xDF28).copy_from_slice(&signature);
        })
    }),
    Mutant::new(
        "number-picture-changed",
        "VIS-29",
        "the last byte of the number's picture is another",
        || {
            file("visual", 0x0005, |_, bytes| {
                let picture = value_of(bytes, 0xDF41);
                let last = picture.len() - 1;
                picture[last] ^= 1;
            })
        },
    ),
    Mutant::new(
        "face-key-certified-for-another",
        "VIS-27",
        "the subject of EF 0004 was changed afterwards",
        || file("visual", 0x0004, |_, bytes| value_of(bytes, 0x5F4E)[16] ^= 1),
    ),
    Mutant::new("face-key-is-another", "VIS-32", "another key signs than DF24 of EF 0002", || {
        signed_by("visual", |body| &body.text_key)
    }),
    Mutant::new(
        "lower-certificate-by-another",
        "CM-10",
        "the lower CV certificate is not signed by the upper",
        || {
            object(0x7F21, |bytes| {
                let end = bytes.len() - 1;
                bytes[end] ^= 1;
            })
        },
    ),
    Mutant::new(
        "upper-certificate-changed",
        "CM-10",
        "the upper CV certificate was changed afterwards",
        || object(0x00F8, |bytes| value_of(bytes, 0x5F4E)[16] ^= 1),
    ),
    Mutant::new(
        "answers-the-bare-challenge",
        "COM-12",
        "the challenge itself is signed, not its hash",
        || {
            authenticates(|body, challenge| {
                body.common_key.sign_verbatim(&challenge[..challenge.len().min(245)])
            })
        },
    ),
    Mutant::new(
        "answers-the-bare-hash",
        "COM-12",
        "the hash of the challenge is signed without DigestInfo",
        || authenticates(|body, challenge| body.common_key.sign_verbatim(&Sha256::digest(challenge))),
    ),
    Mutant::new(
        "answers-with-another-key",
        "COM-12",
        "the key of 入力補助 answers the challenge",
        || authenticates(|body, challenge| body.text_key.sign_message(challenge)),
    ),
    Mutant::new(
        "records-from-zero",
        "COM-02",
        "record 1 is the second, for they are counted from zero",
        || {
            commands(|right, command, raw| match command.ins() {
                0xB2 => right.answer(&[&raw[..2], &[command.p1().wrapping_add(1)], &raw[3..]].concat()),
                _ => right.answer(raw),
            })
        },
    ),
    Mutant::new("record-out-of-order", "COM-03", "the expiry stands before the municipality", || {
        answers(|command, answer| {
            if command.ins() == 0xB2 && answer.len() == 32 {
                answer[17..30].rotate_left(5);
            }
        })
    }),
    Mutant::new("key-reference-too-short", "COM-08", "the key identifier of EF 0002 has 15 bytes", || {
        answers(|command, answer| {
            if command.ins() == 0xB2 && answer.len() == 20 {
                answer[1] = 0x0F;
                answer.remove(17);
            }
        })
    }),
];

fn body(right: &Right) -> &CardBody {
    &right.card.personalised().issued().body
}

/// What the EF with that short identifier holds.
fn read(right: &mut Right, p1: u8) -> Vec<u8> {
    let selected = right.file;
    let whole = CommandBuilder::new(0x00, 0xB0, p1, 0x00).le(65_536).extended().to_bytes();
    let mut bytes = right.answer(&whole);
    right.select_again(selected);
    bytes.truncate(bytes.len() - 2);
    bytes
}

/// What an EF holds, changed.
fn file(application: &'static str, file: u16, change: fn(&mut Right, &mut Vec<u8>)) -> Wrongness {
    overlay(application, file, move |right: &mut Right| {
        let mut bytes = read(right, 0x80 | file as u8);
        change(right, &mut bytes);
        bytes
    })
}

/// What GET DATA tells of an object, changed.
fn object(tag: u16, change: fn(&mut Vec<u8>)) -> Wrongness {
    answers(move |command, answer| {
        let [p1, p2] = tag.to_be_bytes();
        if (command.ins(), command.p1(), command.p2()) == (0xCA, p1, p2) && answer.len() > 2 {
            let status = answer.split_off(answer.len() - 2);
            change(answer);
            answer.extend(status);
        }
    })
}

/// Signatures of an application by another key of the card.
fn signed_by(application: &'static str, key: fn(&CardBody) -> &vmyna_sim::key::RsaKey) -> Wrongness {
    commands(move |right, command, raw| match is_signature(command) && right.application == application {
        true => {
            let signature = key(body(right)).sign_verbatim(command.data()).expect("it signs");
            [signature, vec![0x90, 0x00]].concat()
        }
        false => right.answer(raw),
    })
}

/// Another answer to the challenge of INTERNAL AUTHENTICATE.
fn authenticates(answer: fn(&CardBody, &[u8]) -> Result<Vec<u8>, vmyna_sim::key::SignError>) -> Wrongness {
    commands(move |right, command, raw| match command.ins() == 0x88 && right.application == "common" {
        true => [answer(body(right), command.data()).expect("it signs"), vec![0x90, 0x00]].concat(),
        false => right.answer(raw),
    })
}

/// The value of the first object with that two-byte tag.
fn value_of(bytes: &mut [u8], tag: u16) -> &mut [u8] {
    let at = bytes.windows(2).position(|window| window == tag.to_be_bytes()).expect("the object is there");
    let (from, length) = match bytes[at + 2..] {
        [0x82, high, low, ..] => (at + 5, usize::from(u16::from_be_bytes([high, low]))),
        [length, ..] => (at + 3, usize::from(length)),
        [] => panic!("the object has a length"),
    };
    &mut bytes[from..from + length]
}

/// These objects with tags and lengths, one after another.
fn objects(bytes: &mut [u8], tags: &[u16]) -> Vec<u8> {
    tags.iter().flat_map(|tag| ber(*tag, value_of(bytes, *tag))).collect()
}
