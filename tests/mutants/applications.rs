//! Wrong in 券面事項入力補助, 券面事項確認, 住基 and 共通: what opens what, counters, files, records, keys.

use super::Mutant;
use super::reading::{is_read, overlay};
use super::wrong_card::{Right, Rules, Wrongness, answers, commands, counting, full_tries};
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::pin::PinName;

pub const ALL: &[Mutant] = &[
    Mutant::new("number-free", "TXT-04", "the individual number needs no PIN", || {
        opened("text", 0x0001, PinName::TextInput)
    }),
    Mutant::new("basic-data-free", "TXT-10", "name and address need no PIN", || {
        opened("text", 0x0002, PinName::TextInput)
    }),
    Mutant::new("number-without-filler", "TXT-03", "EF 0001 has 15 bytes, not 17", || {
        changed("text", 0x0001, 0x81, |bytes| bytes.truncate(15))
    }),
    Mutant::new("number-in-binary", "TXT-02", "the individual number is not in ASCII", || {
        changed("text", 0x0001, 0x81, |bytes| bytes[3..15].iter_mut().for_each(|digit| *digit -= b'0'))
    }),
    Mutant::new("number-with-a-wrong-check-digit", "TXT-51", "the check digit is one too high", || {
        changed("text", 0x0001, 0x81, |bytes| bytes[14] = b'0' + (bytes[14] - b'0' + 1) % 10)
    }),
    Mutant::new("name-in-ascii", "TXT-52", "the first character of the name is three in ASCII", || {
        changed("text", 0x0002, 0x82, |bytes| bytes[17..20].copy_from_slice(b"Abc"))
    }),
    Mutant::new("code-b-opens-the-number", "TXT-07", "照合番号B opens the individual number", || {
        opened_by("text", 0x0001, PinName::TextCodeB, PinName::TextInput)
    }),
    Mutant::new("code-a-opens-the-basic-data", "TXT-09", "照合番号A opens name and address", || {
        opened_by("text", 0x0002, PinName::TextCodeA, PinName::TextInput)
    }),
    Mutant::new("basic-data-filled-with-zeros", "TXT-24", "behind the object stand zeros", || {
        changed("text", 0x0002, 0x82, |bytes| {
            let last = bytes.iter().rposition(|byte| *byte != 0xFF).unwrap_or(0);
            bytes[last + 1..].fill(0);
        })
    }),
    Mutant::new("basic-information-trimmed", "TXT-34", "EF 0005 ends with its object", || {
        changed("text", 0x0005, 0x85, |bytes| bytes.truncate(164))
    }),
    Mutant::new("text-pin-has-five-tries", "TXT-42", "the PIN 0011 has five tries", || {
        tries_of(|pin| if pin == PinName::TextInput { 5 } else { full_tries(pin) })
    }),
    Mutant::new("text-code-a-has-three-tries", "TXT-45", "照合番号A has three tries", || {
        tries_of(|pin| if pin == PinName::TextCodeA { 3 } else { full_tries(pin) })
    }),
    Mutant::new("text-code-b-has-three-tries", "TXT-46", "照合番号B has three tries", || {
        tries_of(|pin| if pin == PinName::TextCodeB { 3 } else { full_tries(pin) })
    }),
    Mutant::new("text-counters-tied", "TXT-47", "a wrong PIN 0011 spends a try of 照合番号A", || {
        counting(Rules {
            spends_also: |pin| (pin == PinName::TextInput).then_some(PinName::TextCodeA),
            ..Rules::default()
        })
    }),
    Mutant::new("text-blocked-opens", "TXT-43", "the right PIN 0011 opens although it is blocked", || {
        counting(Rules { blocked_opens: true, ..Rules::default() })
    }),
    Mutant::new("blocked-from-birth-counts", "TXT-44", "0012 answers 63C0 to data, not 6984", || {
        commands(|right, command, raw| {
            let there = right.means(command, "text", 0x0012);
            let answer = right.answer(raw);
            if there && command.ins() == 0x20 { vec![0x63, 0xC0] } else { answer }
        })
    }),
    Mutant::new(
        "text-verification-outlives-leaving",
        "TXT-15",
        "leaving the application closes nothing",
        || {
            let mut verified = false;
            commands(move |right, command, raw| {
                let answer = right.answer(raw);
                match (command.ins(), &answer[..]) {
                    (0x20, [0x90, 0x00]) if right.application == "text" => verified = true,
                    (0xA4, [0x90, 0x00]) if verified && right.application == "text" => {
                        right.present(PinName::TextInput);
                    }
                    _ => {}
                }
                answer
            })
        },
    ),
    Mutant::new("face-free", "VIS-02", "the face of the card needs no 照合番号", || {
        opened("visual", 0x0002, PinName::VisualCodeB)
    }),
    Mutant::new(
        "code-b-opens-the-picture",
        "VIS-06",
        "照合番号B opens the picture of the number",
        || opened_by("visual", 0x0005, PinName::VisualCodeB, PinName::VisualCodeA),
    ),
    Mutant::new("code-a-opens-the-birth", "VIS-07", "照合番号A opens EF 0001", || {
        opened_by("visual", 0x0001, PinName::VisualCodeA, PinName::BirthDate)
    }),
    Mutant::new(
        "visual-codes-have-three-tries",
        "VIS-34",
        "照合番号 of the face have three tries",
        || {
            tries_of(|pin| match pin {
                PinName::VisualCodeA | PinName::VisualCodeB => 3,
                other => full_tries(other),
            })
        },
    ),
    Mutant::new("visual-blocked-opens", "VIS-35", "a blocked 照合番号 opens all the same", || {
        counting(Rules { blocked_opens: true, ..Rules::default() })
    }),
    Mutant::new("visual-counters-tied", "VIS-36", "a wrong 照合番号A spends a try of B", || {
        counting(Rules {
            spends_also: |pin| (pin == PinName::VisualCodeA).then_some(PinName::VisualCodeB),
            ..Rules::default()
        })
    }),
    Mutant::new("visual-not-refilled", "VIS-37", "the right 照合番号 gives no try back", || {
        counting(Rules { refill: |left, _| left, ..Rules::default() })
    }),
    Mutant::new("lengths-in-der", "VIS-30", "lengths from 128 to 255 are written 81 hh", || {
        changed("visual", 0x0005, 0x85, |bytes| {
            if let Some(at) = bytes.windows(4).position(|window| window == [0xDF, 0x41, 0x82, 0x00]) {
                bytes.splice(at + 2..at + 4, [0x81]);
                bytes.push(0xFF);
            }
        })
    }),
    Mutant::new("record-in-ber", "COM-02", "record 1 begins with another tag", || {
        answers(|command, answer| {
            if command.ins() == 0xB2 && answer.len() > 2 {
                answer[0] = 0x80;
            }
        })
    }),
    Mutant::new("record-without-sfi", "COM-04", "READ RECORD knows no short identifier", || {
        commands(|right, command, raw| match (command.ins(), command.p2()) {
            (0xB2, p2) if p2 >> 3 != 0 => vec![0x6A, 0x86],
            _ => right.answer(raw),
        })
    }),
    Mutant::new("missing-record-says-6a82", "COM-05", "a missing record answers 6A82", || {
        answers(|command, answer| {
            if command.ins() == 0xB2 && answer == &[0x6A, 0x83] {
                *answer = vec![0x6A, 0x82];
            }
        })
    }),
    Mutant::new("records-read-as-bytes", "COM-07", "READ BINARY reads a record file", || {
        commands(|right, command, raw| {
            let there = right.application == "common" && is_read(command);
            let answer = right.answer(raw);
            if there && answer == [0x69, 0x81] { vec![0x01, 0x1C, 0x90, 0x00] } else { answer }
        })
    }),
    Mutant::new("authenticates-briefly", "COM-11", "INTERNAL AUTHENTICATE answers 128 bytes", || {
        answers(|command, answer| {
            if command.ins() == 0x88 && answer.len() > 130 {
                answer.drain(..128);
            }
        })
    }),
    Mutant::new("no-challenge-wanted", "COM-13", "INTERNAL AUTHENTICATE takes no challenge at all", || {
        commands(|right, command, raw| match command.ins() {
            0x88 if command.data().is_empty() => [vec![0x5A; 256], vec![0x90, 0x00]].concat(),
            _ => right.answer(raw),
        })
    }),
    Mutant::new("signing-key-authenticates", "COM-15", "the key of the face authenticates too", || {
        answers(|command, answer| {
            if command.ins() == 0x88 && answer == &[0x69, 0x85] {
                *answer = [vec![0x5A; 256], vec![0x90, 0x00]].concat();
            }
        })
    }),
    Mutant::new("common-pin-has-five-tries", "COM-18", "the PIN 001C of 共通 has five tries", || {
        tries_of(|pin| if pin == PinName::CommonCard { 5 } else { full_tries(pin) })
    }),
    Mutant::new("one-counter-for-001c", "COM-21", "a wrong 001C of 共通 spends a try of 住基's", || {
        counting(Rules {
            spends_also: |pin| match pin {
                PinName::CommonCard => Some(PinName::ResidentRegister),
                PinName::ResidentRegister => Some(PinName::CommonCard),
                _ => None,
            },
            ..Rules::default()
        })
    }),
    Mutant::new("register-pin-has-five-tries", "JUK-05", "the PIN 001C of 住基 has five tries", || {
        tries_of(|pin| if pin == PinName::ResidentRegister { 5 } else { full_tries(pin) })
    }),
    Mutant::new("register-blocked-opens", "JUK-06", "a blocked 001C of 住基 opens all the same", || {
        counting(Rules { blocked_opens: true, ..Rules::default() })
    }),
    Mutant::new("register-pin-change-refused", "JUK-07", "住基 does not know CHANGE KEY", || {
        change_key("juki", |_, _| vec![0x6D, 0x00])
    }),
    Mutant::new(
        "register-pin-change-forgotten",
        "JUK-07",
        "住基 answers CHANGE KEY and keeps the PIN",
        || change_key("juki", |_, _| vec![0x90, 0x00]),
    ),
    Mutant::new("common-pin-change-refused", "COM-20", "共通 does not know CHANGE KEY", || {
        change_key("common", |_, _| vec![0x6D, 0x00])
    }),
    Mutant::new("common-pin-change-with-data", "COM-20", "共通 answers CHANGE KEY with data", || {
        change_key("common", |right, raw| [&[0x00][..], &right.answer(raw)].concat())
    }),
];

/// READ BINARY of that EF works without its PIN.
fn opened(application: &'static str, file: u16, pin: PinName) -> Wrongness {
    commands(move |right, command, raw| {
        if is_read(command) && right.means(command, application, file) {
            right.present(pin);
        }
        right.answer(raw)
    })
}

/// Once `by` is verified, that EF opens as if `pin` were.
fn opened_by(application: &'static str, file: u16, by: PinName, pin: PinName) -> Wrongness {
    let mut verified = false;
    commands(move |right, command, raw| {
        let verifies = command.ins() == 0x20 && right.pin_of(command) == Some(by);
        if verified && is_read(command) && right.means(command, application, file) {
            right.present(pin);
        }
        let answer = right.answer(raw);
        verified |= verifies && answer == [0x90, 0x00];
        answer
    })
}

/// What an EF holds, changed. `p1` reads it by its short identifier, once the card lets it be read.
/// A card whose EF says something else, read as a whole by P1.
pub fn changed(
    application: &'static str,
    file: u16,
    p1: u8,
    change: impl Fn(&mut Vec<u8>) + Send + 'static,
) -> Wrongness {
    overlay(application, file, move |right: &mut Right| {
        let selected = right.file;
        let whole = CommandBuilder::new(0x00, 0xB0, p1, 0x00).le(65_536).extended().to_bytes();
        let mut bytes = right.answer(&whole);
        right.select_again(selected);
        bytes.truncate(bytes.len() - 2);
        change(&mut bytes);
        bytes
    })
}

fn tries_of(full: fn(PinName) -> u8) -> Wrongness {
    counting(Rules { full, ..Rules::default() })
}

/// A card whose application meets CHANGE KEY in another way.
fn change_key(application: &'static str, meet: fn(&mut Right, &[u8]) -> Vec<u8>) -> Wrongness {
    commands(move |right, command, raw| {
        if command.ins() == 0x32 && right.application == application {
            return meet(right, raw);
        }
        right.answer(raw)
    })
}
