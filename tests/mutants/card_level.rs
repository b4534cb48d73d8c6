//! Wrong at the level of the card: the answer to reset, challenges, probes, classes.

use super::Mutant;
use super::wrong_card::{Wrongness, answers, commands};

pub const ALL: &[Mutant] = &[
    Mutant::new("inverse-convention", "ATR-01", "the answer to reset begins with 3F", || Wrongness {
        atr: Some(vec![0x3F, 0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14]),
        ..Wrongness::default()
    }),
    Mutant::new("other-answer-to-reset", "ATR-02", "the answer to reset is that of another card", || {
        Wrongness {
            atr: Some(vec![0x3B, 0x65, 0x00, 0x00, 0x20, 0x63, 0xCB, 0x68, 0x00]),
            ..Wrongness::default()
        }
    }),
    Mutant::new("first-command-6f00", "ATR-03", "the first command after power-up answers 6F00", || {
        let mut first = true;
        commands(
            move |right, _, raw| {
                if std::mem::take(&mut first) { vec![0x6F, 0x00] } else { right.answer(raw) }
            },
        )
    }),
    Mutant::new("stored-atr-with-ts", "ATR-04", "GET DATA 5F51 tells the TS too", || {
        answers(|command, answer| {
            if (command.ins(), command.p1(), command.p2()) == (0xCA, 0x5F, 0x51) {
                answer.insert(0, 0x3B);
            }
        })
    }),
    Mutant::new(
        "stored-atr-in-card-manager",
        "ATR-05",
        "GET DATA 5F51 is answered in the card manager",
        || {
            commands(|right, command, raw| {
                let asked = (command.ins(), command.p1(), command.p2()) == (0xCA, 0x5F, 0x51);
                match right.application {
                    "card_manager" if asked => {
                        vec![0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14, 0x90, 0x00]
                    }
                    _ => right.answer(raw),
                }
            })
        },
    ),
    Mutant::new("no-manage-attributes", "SYS-04", "MANAGE ATTRIBUTES is an unknown instruction", || {
        answers(|command, answer| {
            if (command.cla(), command.ins()) == (0x80, 0x8A) {
                *answer = vec![0x6D, 0x00];
            }
        })
    }),
    Mutant::new("challenge-short", "RND-01", "a challenge lacks its last byte", || {
        answers(|command, answer| {
            if command.ins() == 0x84 && answer.len() > 2 {
                answer.remove(0);
            }
        })
    }),
    Mutant::new("challenge-needs-application", "RND-02", "no challenge before an application", || {
        commands(|right, command, raw| match command.ins() {
            0x84 if right.application == "card_manager" => vec![0x69, 0x85],
            _ => right.answer(raw),
        })
    }),
    Mutant::new("challenge-parameters-ignored", "RND-03", "GET CHALLENGE ignores P1 and P2", || {
        commands(|right, command, raw| match command.ins() {
            0x84 => right.answer(&[&raw[..2], &[0x00, 0x00], &raw[4..]].concat()),
            _ => right.answer(raw),
        })
    }),
    Mutant::new("challenge-long", "RND-04", "GET CHALLENGE gives 257 bytes", || {
        answers(|command, answer| {
            if command.ins() == 0x84 && answer == &[0x69, 0x85] {
                *answer = [vec![0x5A; 257], vec![0x90, 0x00]].concat();
            }
        })
    }),
    Mutant::new("challenge-repeats", "RND-05", "every challenge is the same", || {
        answers(|command, answer| {
            if command.ins() == 0x84 && answer.ends_with(&[0x90, 0x00]) {
                let end = answer.len() - 2;
                answer[..end].fill(0x5A);
            }
        })
    }),
    Mutant::new("foreign-data-found", "PRB-02", "GET DATA of another card answers 9000", || {
        answers(|command, answer| {
            if matches!(command.ins(), 0xCA | 0xCB) && answer.len() == 2 {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("probe-leaves-a-mark", "PRB-03", "after a foreign SELECT nothing is selected", || {
        let mut lost = false;
        commands(move |right, command, raw| {
            let answer = right.answer(raw);
            if (command.ins(), command.p1()) == (0xA4, 0x04) && answer == [0x6A, 0x82] {
                lost = true;
            }
            if lost && command.ins() == 0xB0 { vec![0x6F, 0x00] } else { answer }
        })
    }),
    Mutant::new("channels-accepted", "CLA-01", "logical channel 1 works as channel 0", || {
        commands(|right, command, raw| match command.cla() {
            0x01 => right.answer(&[&[0x00], &raw[1..]].concat()),
            _ => right.answer(raw),
        })
    }),
    Mutant::new("secure-class-ignored", "CLA-03", "class 0C is taken for 00", || {
        commands(|right, command, raw| match command.cla() {
            0x0C => right.answer(&[&[0x00], &raw[1..]].concat()),
            _ => right.answer(raw),
        })
    }),
];
