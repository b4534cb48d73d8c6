//! Wrong inside a session of secure messaging: padding, initial values, keys, counts, statuses, lifetimes,
//! and PINs.

use super::Mutant;
use super::secure_card::{SecureRules, iso_padded, keeping};
use super::wrong_card::{Right, Wrongness, commands};
use vmyna_sim::apdu::CommandApdu;
use vmyna_sim::smart_card::Power;

pub const ALL: &[Mutant] = &[
    Mutant::new("secured-answers-in-the-clear", "SM-10", "READ BINARY inside answers in the clear", || {
        with(|rules| rules.encrypts = false)
    }),
    Mutant::new("secured-padding-zeros", "SM-10", "answers are padded with zeros alone", || {
        with(|rules| rules.pad = zeros)
    }),
    Mutant::new("secured-padding-forgotten", "SM-10", "whole blocks are not padded", || {
        with(|rules| {
            rules.pad = |plain| if plain.len() % 16 == 0 { plain.to_vec() } else { iso_padded(plain, 16) }
        })
    }),
    Mutant::new("secured-padding-too-long", "SM-10", "answers are padded to 32 bytes", || {
        with(|rules| rules.pad = |plain| iso_padded(plain, 32))
    }),
    Mutant::new("secured-padding-of-pkcs7", "SM-10", "answers are padded as in PKCS #7", || {
        with(|rules| {
            rules.pad = |plain| {
                let missing = 16 - plain.len() % 16;
                [plain, &vec![missing as u8; missing]].concat()
            };
        })
    }),
    Mutant::new("secured-under-another-tag", "SM-10", "answers come in a data object 87", || {
        with(|rules| rules.object = [0x87, 0x01])
    }),
    Mutant::new("secured-padding-not-told", "SM-10", "the padding indicator of answers is 00", || {
        with(|rules| rules.object = [0x86, 0x00])
    }),
    Mutant::new("secured-answers-from-zero", "SM-10", "the initial value of answers is zero", || {
        with(|rules| rules.initial_value = |_, _| [0; 16])
    }),
    Mutant::new("secured-number-not-encrypted", "SM-09", "the initial value is the bare number", || {
        with(|rules| rules.initial_value = |_, number| u128::from(number).to_be_bytes())
    }),
    Mutant::new(
        "secured-number-of-one-stays",
        "SM-10",
        "every answer has the first one's initial value",
        || with(|rules| rules.answer_count = |_| 1),
    ),
    Mutant::new("secured-answers-count-on", "SM-10", "an answer's number is the next command's", || {
        with(|rules| rules.answer_count = |count| count + 1)
    }),
    Mutant::new(
        "secured-commands-not-counted",
        "SM-11",
        "every command has the first one's initial value",
        || with(|rules| rules.command_count = |_| 1),
    ),
    Mutant::new("secured-counts-from-nought", "SM-09", "the first command has the number 0", || {
        with(|rules| {
            rules.command_count = |count| count - 1;
            rules.answer_count = |count| count - 1;
        })
    }),
    Mutant::new("secured-refused-not-counted", "SM-11", "a refused command does not count", || {
        with(|rules| rules.refused_counts = false)
    }),
    Mutant::new("secured-refusal-ends", "SM-11", "a refused command ends the session", || {
        with(|rules| rules.refused_ends = true)
    }),
    Mutant::new("secured-refusal-encrypted", "SM-11", "a refusal travels encrypted", || {
        with(|rules| rules.refusals_encrypted = true)
    }),
    Mutant::new("secured-plain-counts", "SM-13", "plain commands count", || {
        with(|rules| rules.plain_counts = true)
    }),
    Mutant::new("secured-plain-ends", "SM-13", "a plain command ends the session", || {
        let mut open = false;
        commands(move |right, command, raw| match command.cla() {
            0x08 if !open => vec![0x69, 0xFC],
            0x08 => right.answer(raw),
            _ => {
                let answer = right.answer(raw);
                open = command.ins() == 0xAE && answer == [0x90, 0x00];
                answer
            }
        })
    }),
    Mutant::new("secured-key-is-the-second-half", "SM-09", "the second half of the seed is the key", || {
        with(|rules| rules.key = |seed| &seed[16..])
    }),
    Mutant::new("secured-second-key-refused", "SM-09", "a second SET SESSION KEY answers 6985", || {
        let mut opened = false;
        commands(move |right, command, raw| {
            if command.ins() == 0xAE && std::mem::replace(&mut opened, true) {
                return vec![0x69, 0x85];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("secured-second-session-counts-on", "SM-09", "a second key does not count from 1", || {
        with(|rules| rules.begins_at = |count| count)
    }),
    Mutant::new("secured-second-key-ignored", "SM-16", "a second SET SESSION KEY changes nothing", || {
        let mut opened = false;
        commands(move |right, command, raw| {
            if command.ins() == 0xAE && std::mem::replace(&mut opened, true) {
                return vec![0x90, 0x00];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("secured-old-key-works", "SM-16", "the key of the session before is still taken", || {
        with(|rules| rules.old_key_works = true)
    }),
    Mutant::new("secured-survives-a-forgery", "SM-14", "what does not decrypt ends no session", || {
        with(|rules| rules.undecipherable_ends = false)
    }),
    Mutant::new("secured-forgery-says-6982", "SM-14", "what does not decrypt answers 6982", || {
        with(|rules| rules.undecipherable = [0x69, 0x82])
    }),
    Mutant::new("secured-malformed-says-6a80", "SM-14", "another data object answers 6A80", || {
        with(|rules| rules.malformed = [0x6A, 0x80])
    }),
    Mutant::new("secured-indicator-ignored", "SM-14", "the padding indicator of commands is ignored", || {
        with(|rules| rules.minds_the_indicator = false)
    }),
    Mutant::new("secured-end-says-6988", "SM-14", "after the session's end class 08 answers 6988", || {
        with(|rules| rules.no_session = [0x69, 0x88])
    }),
    Mutant::new("secured-survives-leaving", "SM-15", "another application ends no session", || {
        with(|rules| rules.ends_with = |application| application == "card_manager")
    }),
    Mutant::new("secured-survives-the-card-manager", "SM-15", "the card manager ends no session", || {
        with(|rules| rules.ends_with = |application| application != "card_manager")
    }),
    Mutant::new("secured-survives-power-off", "SM-15", "power-off ends no session", || {
        with(|rules| rules.ends_at = |_| false)
    }),
    Mutant::new("secured-ends-at-a-warm-reset", "SM-15", "a warm reset ends the session", || {
        with(|rules| rules.ends_at = |power| matches!(power, Power::Off | Power::WarmReset))
    }),
    Mutant::new("secured-select-does-nothing", "SM-10", "SELECT inside selects nothing", || {
        instead(
            |right, command, raw| if command.ins() == 0xA4 { vec![0x90, 0x00] } else { right.answer(raw) },
        )
    }),
    Mutant::new("secured-reads-from-the-start", "SM-10", "READ BINARY inside ignores the offset", || {
        instead(|right, command, raw| match command.ins() {
            0xB0 if command.p1() & 0x80 == 0 => right.answer(&[&raw[..2], &[0, 0], &raw[4..]].concat()),
            0xB0 => right.answer(&[&raw[..3], &[0], &raw[4..]].concat()),
            _ => right.answer(raw),
        })
    }),
    Mutant::new("secured-reads-255-at-most", "SM-10", "READ BINARY inside gives 255 bytes at most", || {
        instead(|right, command, raw| {
            let mut answer = right.answer(raw);
            if command.ins() == 0xB0 && answer.len() > 257 {
                answer.drain(255..answer.len() - 2);
            }
            answer
        })
    }),
    Mutant::new("secured-verify-spends-nothing", "SM-12", "a wrong value inside spends no try", || {
        instead(|right, command, raw| {
            if command.ins() != 0x20 {
                return right.answer(raw);
            }
            let answer = right.answer(raw);
            match (answer[..] == [0x90, 0x00], right.pin_of(command)) {
                (false, Some(pin)) => {
                    right.present(pin);
                    answer
                }
                _ => answer,
            }
        })
    }),
    Mutant::new("secured-verify-accepts-anything", "SM-12", "VERIFY inside accepts any value", || {
        instead(
            |right, command, raw| if command.ins() == 0x20 { vec![0x90, 0x00] } else { right.answer(raw) },
        )
    }),
    Mutant::new("secured-verify-opens-nothing", "SM-12", "a right value inside is not remembered", || {
        instead(|right, command, raw| {
            let holder = right.card.personalised().holder();
            let is_right = |pin| vmyna::terminal::own_pin(holder, pin).as_bytes() == command.data();
            if command.ins() == 0x20 && right.pin_of(command).is_some_and(is_right) {
                return vec![0x90, 0x00];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("secured-session-closes-the-pin", "SM-09", "SET SESSION KEY forgets the PIN", || {
        let mut closed = false;
        commands(move |right, command, raw| {
            let answer = right.answer(raw);
            match (command.ins(), command.cla()) {
                (0xAE, _) if answer == [0x90, 0x00] => closed = true,
                (0x20, _) => closed = false,
                (0xB0, 0x08) if closed && answer.ends_with(&[0x90, 0x00]) => return vec![0x69, 0x82],
                _ => {}
            }
            answer
        })
    }),
];

fn zeros(plain: &[u8]) -> Vec<u8> {
    let mut padded = plain.to_vec();
    padded.resize(padded.len().next_multiple_of(16), 0);
    padded
}

/// Sessions go by the right rules but for what `change` changes.
fn with(change: fn(&mut SecureRules)) -> Wrongness {
    let mut rules = SecureRules::default();
    change(&mut rules);
    keeping(rules)
}

/// Commands inside a session are carried out otherwise.
fn instead(execute: fn(&mut Right, &CommandApdu<'_>, &[u8]) -> Vec<u8>) -> Wrongness {
    keeping(SecureRules { execute, ..SecureRules::default() })
}
