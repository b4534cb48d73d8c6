//! A card that takes its time. The card itself knows no clock; who waits, and how, is handed in.

use crate::profile::Latency;
use crate::smart_card::{Power, Reaction, SmartCard};
use std::time::Duration;

/// A [`SmartCard`] around another that lets `wait` pass before each answer, as `latency` says.
pub struct Slow<C, W> {
    card: C,
    latency: Latency,
    wait: W,
}

impl<C: SmartCard, W: FnMut(Duration) + Send> Slow<C, W> {
    /// Slows `card` down; `wait` is told how long, and is not called for no time at all.
    pub const fn new(card: C, latency: Latency, wait: W) -> Self {
        Self { card, latency, wait }
    }
}

impl<C: SmartCard, W: FnMut(Duration) + Send> SmartCard for Slow<C, W> {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let reaction = self.card.transmit(command);
        let time = self.latency.of(command);
        if !time.is_zero() {
            (self.wait)(time);
        }
        reaction
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::VirtualCard;
    use crate::profile::Profile;

    #[test]
    fn each_command_takes_the_time_that_the_profile_gives_it() {
        let text = "extends: card\ntitle: {ja: 遅い, en: slow}\nlatency: {any: 5, sign: 400}\n";
        let latency = Profile::parse("slow.yaml", text).unwrap().latency;
        let mut waited = Vec::new();
        let mut card = Slow::new(VirtualCard::built_in("hanako").unwrap(), latency, |time| waited.push(time));
        let answer = card.transmit(&[0x00, 0x84, 0x00, 0x00, 0x08]);
        assert!(matches!(answer, Reaction::Answer(_)));
        card.transmit(&[0x80, 0x2A, 0x00, 0x80, 0x01, 0x55, 0x00]);
        card.transmit(&[]);
        drop(card);
        assert_eq!(waited.iter().map(Duration::as_millis).collect::<Vec<_>>(), [5, 400, 5]);
    }

    #[test]
    fn an_instant_card_does_not_wait() {
        let card = VirtualCard::built_in("hanako").unwrap();
        let mut slow = Slow::new(card, Profile::card().latency, |_| panic!("no time passes"));
        slow.transmit(&[0x00, 0x84, 0x00, 0x00, 0x08]);
    }
}
