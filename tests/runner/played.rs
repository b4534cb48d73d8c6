//! Runs that play the reader's end, with a card in the hand of the test.

use crate::process::in_hand::InHand;
use crate::process::{Ended, Running, vmyna};
use vmyna_sim::smart_card::SmartCard;

/// Starts a run that plays the reader, and lets `card` connect to it.
pub fn start(card: impl SmartCard + 'static, arguments: &[&str]) -> (Running, InHand) {
    let mut running = Running::start(&mut vmyna(["run", "--card", "vpcd:0"].iter().chain(arguments)));
    let card = InHand::connect(card, running.tells_port("waiting for a virtual card on"));
    (running, card)
}

pub fn play(card: impl SmartCard + 'static, arguments: &[&str]) -> (Ended, InHand) {
    let (running, card) = start(card, arguments);
    (running.ends(), card)
}
