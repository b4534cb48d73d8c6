//! Wrong in what tells phones, the older card and the next generation from this card.

use super::Mutant;
use super::reading::overlay;
use super::signing::is_signature;
use super::wrong_card::{Right, Wrongness, answers, commands};
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::pin::PinName;

pub const ALL: &[Mutant] = &[
    Mutant::new(
        "android-with-the-label-of-a-card",
        "PRF-04",
        "an Android phone says JPKIAPICCTOKEN2",
        || label("JPKIAPICCTOKEN2"),
    ),
    Mutant::new(
        "android-with-the-text-application",
        "PRF-05",
        "an Android phone has 入力補助 as well",
        || {
            commands(|right, command, raw| {
                let answer = right.answer(raw);
                let is_text = vmyna_sim::application::name(command.data()) == Some("text");
                if command.ins() == 0xA4 && is_text { vec![0x90, 0x00] } else { answer }
            })
        },
    ),
    Mutant::new(
        "android-certificate-free",
        "PRF-06",
        "an Android phone shows its certificate to anybody",
        || {
            commands(|right, command, raw| {
                if command.ins() == 0xB0 && right.means(command, "jpki", 0x000A) {
                    right.present(PinName::UserAuthentication);
                }
                right.answer(raw)
            })
        },
    ),
    Mutant::new("iphone-with-the-label-of-android", "PRF-07", "an iPhone says JPKIAPGPSETOKEN", || {
        label("JPKIAPGPSETOKEN")
    }),
    Mutant::new("iphone-refuses-the-last-command", "PRF-08", "an iPhone answers 80FC0000 with 6700", || {
        answers(|command, answer| {
            if (command.cla(), command.ins()) == (0x80, 0xFC) {
                *answer = vec![0x67, 0x00];
            }
        })
    }),
    Mutant::new("older-card-with-the-new-label", "PRF-09", "the older card says JPKIAPICCTOKEN2", || {
        label("JPKIAPICCTOKEN2")
    }),
    Mutant::new("phone-signs-once", "PRF-10", "a phone wants its PIN before each signature", || {
        answers(|command, answer| {
            if is_signature(command) && command.data().len() == 51 && answer.len() == 258 {
                *answer = vec![0x69, 0x82];
            }
        })
    }),
    Mutant::new(
        "next-generation-raw-signature",
        "PRF-11",
        "the next generation signs r and s without DER",
        || {
            answers(|command, answer| {
                if is_signature(command) && answer.len() > 60 {
                    answer.drain(..4);
                }
            })
        },
    ),
    Mutant::new("next-generation-other-hash", "PRF-11", "the next generation signs another hash", || {
        commands(|right, command, raw| match is_signature(command) {
            true => {
                let other: Vec<u8> = command.data().iter().map(|byte| byte ^ 0xFF).collect();
                right
                    .answer(&CommandBuilder::new(0x80, 0x2A, 0, command.p2()).data(&other).le(256).to_bytes())
            }
            false => right.answer(raw),
        })
    }),
    Mutant::new(
        "next-generation-text-opens-to-four-digits",
        "PRF-15",
        "the PIN of four digits opens the data for filling in forms",
        || {
            commands(|right, command, raw| {
                let is_short = command.ins() == 0x20 && command.data().len() == 4;
                if is_short && right.application == "text" { vec![0x90, 0x00] } else { right.answer(raw) }
            })
        },
    ),
    Mutant::new(
        "next-generation-code-of-twelve-digits",
        "PRF-16",
        "照合番号A of the next generation is still the individual number",
        || {
            commands(|right, command, raw| {
                let is_long = command.ins() == 0x20 && command.data().len() == 12;
                if is_long && right.application == "text" { vec![0x90, 0x00] } else { right.answer(raw) }
            })
        },
    ),
];

/// Another label in the token information.
fn label(label: &'static str) -> Wrongness {
    overlay("jpki", 0x0006, move |right: &mut Right| {
        let selected = right.file;
        let mut bytes = right.answer(&[0x00, 0xB0, 0x86, 0x00, 0x00]);
        right.select_again(selected);
        bytes.truncate(bytes.len() - 2);
        bytes[..32].copy_from_slice(format!("{label:32}").as_bytes());
        bytes
    })
}
