//! Wrong in the card manager's data objects, in the issuer's commands and in secure messaging.

use super::Mutant;
use super::wrong_card::{Wrongness, answers, commands};
use vmyna_sim::apdu::CommandApdu;

const SET_SESSION_KEY: u8 = 0xAE;

pub const ALL: &[Mutant] = &[
    Mutant::new("issuer-object-missing", "CM-02", "GET DATA 0042 answers 6A88", || {
        replaced(|command| is_object(command, 0x0042), vec![0x6A, 0x88])
    }),
    Mutant::new("expiry-in-bcd", "CM-06", "GET DATA 00F2 tells the expiry in four bytes", || {
        replaced(|command| is_object(command, 0x00F2), vec![0x20, 0x35, 0x06, 0x14, 0x90, 0x00])
    }),
    Mutant::new("large-object-cut", "CM-11", "a short Le gives the beginning of a large object", || {
        answers(|command, answer| {
            if command.ins() == 0xCA && !command.is_extended() && answer == &[0x67, 0x00] {
                *answer = [vec![0x7F; 256], vec![0x90, 0x00]].concat();
            }
        })
    }),
    Mutant::new("missing-object-empty", "CM-12", "a missing data object answers 9000", || {
        answers(|command, answer| {
            if command.ins() == 0xCA && matches!(answer[..], [0x6A, _]) {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("objects-told-everywhere", "CM-13", "data objects are told inside applications", || {
        commands(|right, command, raw| {
            let elsewhere = right.application != "card_manager";
            let answer = right.answer(raw);
            if command.ins() == 0xCA && elsewhere && answer.len() == 2 {
                return [vec![0x35; 16], vec![0x90, 0x00]].concat();
            }
            answer
        })
    }),
    Mutant::new("objects-stay-hidden", "CM-14", "selected again, the card manager tells nothing", || {
        let mut left = false;
        commands(move |right, command, raw| {
            let answer = right.answer(raw);
            left |= right.application != "card_manager";
            if command.ins() == 0xCA && left { vec![0x6A, 0x88] } else { answer }
        })
    }),
    Mutant::new("extended-get-data-refused", "LEN-02", "GET DATA with an extended Le answers 6700", || {
        replaced(|command| command.ins() == 0xCA && command.is_extended(), vec![0x67, 0x00])
    }),
    Mutant::new("last-command-told", "SYS-01", "80FC0000 answers 9000, as a phone does", || {
        replaced(|command| (command.cla(), command.ins()) == (0x80, 0xFC), vec![0x90, 0x00])
    }),
    Mutant::new("unlock-key-works", "SYS-02", "UNLOCK KEY works without a key", || {
        replaced(|command| (command.cla(), command.ins()) == (0x80, 0x54), vec![0x90, 0x00])
    }),
    Mutant::new("retry-counter-reset", "SYS-03", "RESET RETRY COUNTER works without a key", || {
        replaced(|command| (command.cla(), command.ins()) == (0x00, 0x2C), vec![0x90, 0x00])
    }),
    Mutant::new("session-key-before-pin", "SM-01", "a session key is taken before the PIN", || {
        commands(|right, command, raw| {
            let answer = right.answer(raw);
            let early = command.ins() == SET_SESSION_KEY && right.application == "text";
            if early && answer == [0x69, 0x82] { vec![0x90, 0x00] } else { answer }
        })
    }),
    Mutant::new("any-session-key-taken", "SM-03", "a session key that does not decrypt is taken", || {
        answers(|command, answer| {
            if command.ins() == SET_SESSION_KEY && matches!(answer[..], [0x6A, 0x80] | [0x6F, 0x00]) {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("session-key-elsewhere-6985", "SM-04", "共通 answers SET SESSION KEY with 6985", || {
        answers(|command, answer| {
            if command.ins() == SET_SESSION_KEY && answer == &[0x66, 0xF1] {
                *answer = vec![0x69, 0x85];
            }
        })
    }),
    Mutant::new("session-key-unknown", "SM-08", "SET SESSION KEY is not known at all", || {
        replaced(|command| command.ins() == SET_SESSION_KEY, vec![0x6D, 0x00])
    }),
    Mutant::new("secured-without-session", "SM-05", "class 08 without a session answers 6988", || {
        answers(|command, answer| {
            if command.cla() == 0x08 && answer == &[0x69, 0xFC] {
                *answer = vec![0x69, 0x88];
            }
        })
    }),
    Mutant::new("integrity-not-told-apart", "SM-07", "class 0C answers as 08 does without a session", || {
        answers(|command, answer| {
            if command.cla() == 0x0C && answer == &[0x69, 0x87] {
                *answer = vec![0x69, 0xFC];
            }
        })
    }),
];

fn is_object(command: &CommandApdu<'_>, tag: u16) -> bool {
    command.ins() == 0xCA && u16::from_be_bytes([command.p1(), command.p2()]) == tag
}

/// Such commands are answered with `answer`.
fn replaced(such: fn(&CommandApdu<'_>) -> bool, instead: Vec<u8>) -> Wrongness {
    answers(move |command, answer| {
        if such(command) {
            answer.clone_from(&instead);
        }
    })
}
