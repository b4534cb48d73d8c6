//! Wrong in selecting and reading: names, files, offsets, lengths, short identifiers, the token.

use super::Mutant;
use super::wrong_card::{Right, Wrongness, answers, commands};
use vmyna_sim::apdu::{CommandApdu, CommandBuilder};
use vmyna_sim::file::FileKind;

pub const ALL: &[Mutant] = &[
    Mutant::new("unknown-aid-selects", "SEL-03", "an unknown AID answers 9000", || {
        answers(|command, answer| {
            if (command.ins(), command.p1()) == (0xA4, 0x04) {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("aid-of-five-bytes-compared", "SEL-03", "only the first five bytes of an AID count", || {
        commands(|right, command, raw| {
            let data = command.data();
            if (command.ins(), command.p1()) == (0xA4, 0x04)
                && data.len() > 5
                && data[..5] == vmyna::terminal::JPKI_AID[..5]
            {
                return right.answer(&vmyna::terminal::select_application(&vmyna::terminal::JPKI_AID));
            }
            right.answer(raw)
        })
    }),
    Mutant::new("unknown-file-selects", "SEL-04", "an unknown file identifier answers 9000", || {
        answers(|command, answer| {
            if (command.ins(), command.p1()) == (0xA4, 0x02) {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new(
        "application-select-gives-fci",
        "SEL-01",
        "SELECT of the application answers with FCI",
        || {
            answers(|command, answer| {
                if (command.ins(), command.p1()) == (0xA4, 0x04) && answer == &[0x90, 0x00] {
                    answer.splice(0..0, [0x6F, 0x00]);
                }
            })
        },
    ),
    Mutant::new("file-select-gives-fci", "SEL-02", "SELECT of a file answers with FCI", || {
        answers(|command, answer| {
            if (command.ins(), command.p1()) == (0xA4, 0x02) && answer == &[0x90, 0x00] {
                answer.splice(0..0, [0x62, 0x00]);
            }
        })
    }),
    Mutant::new("path-select-accepted", "SEL-06", "SELECT with P1=09 answers 9000", || {
        answers(|command, answer| {
            if (command.ins(), command.p1()) == (0xA4, 0x09) {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("master-file-selects-at-power-up", "SEL-07", "00A40000 answers 9000 at power-up", || {
        answers(|command, answer| {
            if (command.ins(), command.p1(), command.p2()) == (0xA4, 0x00, 0x00) {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("master-file-leaves-application", "SEL-08", "00A40000 leaves the application", || {
        commands(|right, command, raw| {
            if (command.ins(), command.p1()) == (0xA4, 0x00) && right.application != "card_manager" {
                right.answer(&vmyna::terminal::select_application(&[0xA0, 0, 0, 1, 0x51, 0, 0]));
                return vec![0x90, 0x00];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("a-file-is-missing", "EF-01", "the key file 001A is missing", || {
        commands(|right, command, raw| {
            if command.ins() == 0xA4 && command.data() == [0x00, 0x1A] {
                return vec![0x6A, 0x82];
            }
            right.answer(raw)
        })
    }),
    Mutant::new("key-readable", "EF-07", "READ BINARY shows what a key file holds", || {
        commands(|right, command, raw| {
            let internal = command.ins() == 0xB0 && is_internal(right, command);
            let answer = right.answer(raw);
            if internal { vec![0xA5, 0xA5, 0xA5, 0xA5, 0x90, 0x00] } else { answer }
        })
    }),
    Mutant::new("key-file-reads-6982", "EF-08", "READ BINARY of a key file answers 6982", || {
        answers(|_, answer| {
            if answer == &[0x69, 0x81] {
                *answer = vec![0x69, 0x82];
            }
        })
    }),
    Mutant::new("le-one-too-many", "READ-01", "READ BINARY returns a byte more than Le", || {
        answers(|command, answer| {
            if is_read(command) && answer.ends_with(&[0x90, 0x00]) && command.le() == Some(7) {
                answer.splice(0..0, [0x00]);
            }
        })
    }),
    Mutant::new("le-zero-is-255", "READ-02", "Le=00 asks for 255 bytes", || {
        answers(|command, answer| {
            if is_read(command) && answer.len() == 258 {
                answer.remove(255);
            }
        })
    }),
    Mutant::new("le-too-large-6282", "READ-03", "more than what remains answers 6282", || {
        short_answers(|answer| {
            let end = answer.len() - 2;
            answer[end..].copy_from_slice(&[0x62, 0x82]);
        })
    }),
    Mutant::new("le-too-large-6cxx", "READ-03", "more than what remains answers 6Cxx", || {
        short_answers(|answer| *answer = vec![0x6C, (answer.len() - 2) as u8])
    }),
    Mutant::new("le-too-large-padded", "READ-03", "what remains is filled up with zeros", || {
        answers(|command, answer| {
            let wanted = command.le().unwrap_or(0) as usize + 2;
            if is_read(command) && answer.ends_with(&[0x90, 0x00]) && answer.len() < wanted {
                let end = answer.len() - 2;
                answer.splice(end..end, vec![0; wanted - end - 2]);
            }
        })
    }),
    Mutant::new("offset-beyond-9000", "READ-04", "an offset past the end answers 9000 and nothing", || {
        answers(|command, answer| {
            if is_read(command) && answer == &[0x6B, 0x00] {
                *answer = vec![0x90, 0x00];
            }
        })
    }),
    Mutant::new("offset-high-byte-ignored", "READ-05", "only P2 counts as offset", || {
        commands(|right, command, raw| match (command.ins(), command.p1()) {
            (0xB0, p1) if p1 & 0x80 == 0 => right.answer(&[&raw[..2], &[0x00], &raw[3..]].concat()),
            _ => right.answer(raw),
        })
    }),
    Mutant::new(
        "read-sfi-ignored",
        "READ-06",
        "READ BINARY by short identifier reads the current file",
        || {
            commands(|right, command, raw| match (command.ins(), command.p1()) {
                (0xB0, p1) if p1 & 0x80 != 0 => right.answer(&[&raw[..2], &[0x00], &raw[3..]].concat()),
                _ => right.answer(raw),
            })
        },
    ),
    Mutant::new(
        "read-sfi-offset-ignored",
        "READ-06",
        "beside a short identifier the offset is ignored",
        || {
            commands(|right, command, raw| match (command.ins(), command.p1()) {
                (0xB0, p1) if p1 & 0x80 != 0 => right.answer(&[&raw[..3], &[0x00], &raw[4..]].concat()),
                _ => right.answer(raw),
            })
        },
    ),
    Mutant::new("read-sfi-not-current", "READ-07", "a file read by short identifier is not current", || {
        commands(|right, command, raw| {
            let before = right.file;
            let answer = right.answer(raw);
            if command.ins() == 0xB0 && command.p1() & 0x80 != 0 {
                right.select_again(before);
            }
            answer
        })
    }),
    Mutant::new("extended-le-cut", "READ-08", "an extended Le gives 256 bytes at most", || {
        answers(|command, answer| {
            if is_read(command) && answer.len() > 258 {
                answer.drain(256..answer.len() - 2);
            }
        })
    }),
    Mutant::new("extended-refused", "READ-08", "an extended Le answers 6700", || {
        commands(|right, command, raw| match command.ins() {
            0xB0 if command.is_extended() => vec![0x67, 0x00],
            _ => right.answer(raw),
        })
    }),
    Mutant::new("no-file-says-6a82", "READ-09", "without a current file READ BINARY answers 6A82", || {
        answers(|command, answer| {
            if is_read(command) && answer == &[0x69, 0x86] {
                *answer = vec![0x6A, 0x82];
            }
        })
    }),
    Mutant::new("token-label-padded-with-nul", "TOK-02", "the label is padded with zero bytes", || {
        token(|bytes| bytes[15..32].fill(0))
    }),
    Mutant::new("token-label-of-the-older-card", "TOK-02", "the label is that of the older card", || {
        token(|bytes| bytes[14] = b' ')
    }),
    Mutant::new("token-too-long", "TOK-03", "the token information has 161 bytes", || {
        commands(|right, command, raw| {
            let here = is_read(command) && right.means(command, "jpki", 0x0006);
            let mut answer = right.answer(raw);
            if here && command.le().is_some_and(|le| le as usize + 2 > answer.len()) && answer.len() > 2 {
                answer.splice(0..0, [0x00]);
            }
            answer
        })
    }),
    Mutant::new("availability-says-none", "TOK-06", "EF 0008 denies both certificates", || {
        commands(|right, command, raw| {
            let here = is_read(command) && right.means(command, "jpki", 0x0008);
            let mut answer = right.answer(raw);
            if here && answer.ends_with(&[0x90, 0x00]) {
                let end = answer.len() - 2;
                answer[..end].fill(0);
            }
            answer
        })
    }),
];

pub fn is_read(command: &CommandApdu<'_>) -> bool {
    command.ins() == 0xB0
}

fn is_internal(right: &Right, command: &CommandApdu<'_>) -> bool {
    let here = vmyna_sim::application::ALL.iter().find(|known| known.name == right.application);
    let file = right.file_of(command);
    here.is_some_and(|application| {
        application.files.iter().any(|entry| {
            Some(entry.id.0) == file && matches!(entry.kind, FileKind::PrivateKey { .. } | FileKind::Pin(_))
        })
    })
}

/// Answers that are shorter than was asked for, changed.
fn short_answers(change: fn(&mut Vec<u8>)) -> Wrongness {
    answers(move |command, answer| {
        let wanted = command.le().unwrap_or(0) as usize + 2;
        if is_read(command) && answer.ends_with(&[0x90, 0x00]) && answer.len() < wanted {
            change(answer);
        }
    })
}

/// The token information, changed.
fn token(change: fn(&mut [u8])) -> Wrongness {
    overlay("jpki", 0x0006, move |right| {
        let selected = right.file;
        let mut bytes = right.answer(&CommandBuilder::new(0x00, 0xB0, 0x86, 0x00).le(256).to_bytes());
        right.select_again(selected);
        bytes.truncate(bytes.len() - 2);
        change(&mut bytes);
        bytes
    })
}

/// Other bytes in an EF; whether they may be read is decided as on the right card.
pub fn overlay(
    application: &'static str,
    file: u16,
    bytes: impl Fn(&mut Right) -> Vec<u8> + Send + 'static,
) -> Wrongness {
    let mut content: Option<Vec<u8>> = None;
    commands(move |right, command, raw| {
        if !is_read(command) || !right.means(command, application, file) {
            return right.answer(raw);
        }
        let answer = right.answer(raw);
        if !answer.ends_with(&[0x90, 0x00]) {
            return answer;
        }
        let content = content.get_or_insert_with(|| bytes(right));
        let high = if command.p1() & 0x80 == 0 { usize::from(command.p1()) << 8 } else { 0 };
        let offset = high | usize::from(command.p2());
        let end = content.len().min(offset + command.le().unwrap_or(0) as usize);
        if offset >= content.len() {
            return vec![0x6B, 0x00];
        }
        [&content[offset..end], &[0x90, 0x00]].concat()
    })
}
