//! A card that speaks T=0 alone: a command has either data or a length, and an answer that comes after data
//! waits to be fetched. The scenarios know nothing of that.

use crate::support::reader::Slot;
use crate::{insert, play};
use libtest_mimic::Failed;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

/// Direct convention, and nothing else: T=0.
const ATR: [u8; 2] = [0x3B, 0x00];

struct T0Card {
    card: VirtualCard,
    /// an answer that has not been fetched
    waiting: Vec<u8>,
}

impl T0Card {
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let Reaction::Answer(answer) = self.card.transmit(command) else { panic!("the card answers") };
        answer
    }

    /// So many bytes of the answer that waits, and whether there are more.
    fn fetched(&mut self, wanted: usize) -> Vec<u8> {
        let rest = self.waiting.split_off(wanted.min(self.waiting.len()));
        let mut fetched = std::mem::replace(&mut self.waiting, rest);
        fetched.extend(match self.waiting.len() {
            0 => [0x90, 0x00],
            more => [0x61, more as u8],
        });
        fetched
    }
}

impl SmartCard for T0Card {
    fn atr(&mut self) -> Reaction {
        Reaction::Answer(ATR.to_vec())
    }

    fn power(&mut self, power: Power) {
        self.waiting.clear();
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let [_, ins, _, _, p3, data @ ..] = command else { return Reaction::Answer(vec![0x67, 0x00]) };
        let length = if *p3 == 0 { 256 } else { usize::from(*p3) };
        Reaction::Answer(match (ins, data.len()) {
            (0xC0, 0) => self.fetched(length),
            (_, 0) => {
                let answer = self.answer(command);
                match answer.len() - 2 {
                    0 => answer,
                    came if came == length => answer,
                    came => vec![0x6C, came as u8],
                }
            }
            (_, sent) if sent != length => vec![0x67, 0x00],
            // Keys answer with a signature, which waits.
            (0x2A | 0x88, _) => {
                let mut answer = self.answer(&[command, &[0x00]].concat());
                let status = answer.split_off(answer.len() - 2);
                self.waiting = answer;
                match self.waiting.len() {
                    0 => status,
                    length => vec![0x61, length as u8],
                }
            }
            _ => self.answer(command),
        })
    }
}

pub fn answers_are_fetched(slot: &Slot) -> Result<(), Failed> {
    let card = T0Card { card: VirtualCard::built_in("hanako")?, waiting: Vec::new() };
    let card = insert(slot, card);
    let ended = play(slot, &["--tag", "sign and not undocumented or token or challenge"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.stdout.contains("ATR 3B 00, T=0"), "{}", ended.all());
    let sent = card.commands();
    assert!(sent.iter().any(|command| command[1] == 0xC0), "{}", ended.all());
    for command in sent {
        // header, then data or a length
        assert!(command.len() == 5 || command.len() == 5 + usize::from(command[4]), "{command:02X?}");
    }
    Ok(())
}
