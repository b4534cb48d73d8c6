//! Whole conversations with a card: what must hold after each command, whatever it was. The input is
//! a sequence of frames as vpcd sends them (see `frames`), so that single bytes are power and reset.

use std::sync::{Arc, LazyLock};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::vpcd::frame::{self, Request};

static HANAKO: LazyLock<Arc<Personalised>> =
    LazyLock::new(|| Arc::new(Personalised::built_in("hanako").expect("she is built in")));

/// One input.
pub fn check(input: &[u8]) {
    let mut card = VirtualCard::new(HANAKO.clone());
    let (mut stream, mut body) = (input, Vec::new());
    let mut before = tries(&card);
    while frame::read(&mut stream, &mut body, || {}).is_ok() {
        match Request::from(&body[..]) {
            Request::PowerOff => card.power(Power::Off),
            Request::PowerOn => card.power(Power::On),
            Request::WarmReset => card.power(Power::WarmReset),
            Request::GetAtr => {
                let Reaction::Answer(atr) = card.atr() else { panic!("a card has an ATR") };
                assert!((2..=33).contains(&atr.len()));
            }
            Request::Apdu(command) => {
                let Reaction::Answer(answer) = card.transmit(command) else { panic!("a card answers") };
                assert!((2..=65_538).contains(&answer.len()), "{} bytes", answer.len());
                hold(&before, &tries(&card), command, &answer);
            }
            Request::Undefined(_) | Request::Empty => {}
        }
        before = tries(&card);
    }
}

fn tries(card: &VirtualCard) -> [u8; PinName::ALL.len()] {
    PinName::ALL.map(|pin| card.pins().get(pin).tries_left)
}

/// Only VERIFY touches a counter, one at a time: down by one, or full again when it succeeds; and what
/// is blocked stays blocked.
fn hold(before: &[u8], after: &[u8], command: &[u8], answer: &[u8]) {
    let changed: Vec<_> = before.iter().zip(after).filter(|(before, after)| before != after).collect();
    match changed[..] {
        [] => {}
        [(before, after)] => {
            assert_eq!(command[1], 0x20, "only VERIFY touches a counter");
            assert_ne!(*before, 0, "what is blocked stays blocked");
            let down = *after == before - 1;
            // The answer may be wrapped by secure messaging; in the clear it tells which it was.
            if command[0] == 0 && down {
                assert_eq!(answer, [0x63, 0xC0 | after]);
            } else if command[0] == 0 {
                assert!(after > before && answer == [0x90, 0x00]);
            }
        }
        _ => panic!("one command touched {} counters", changed.len()),
    }
}
