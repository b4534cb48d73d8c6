//! What is done to a card at the municipal counter (市区町村の窓口), by an operator: no command does
//! it.

use super::VirtualCard;
use crate::pin::PinName;
use std::io;

impl VirtualCard {
    /// Fills the counter of a PIN again, blocked or not; its value stays. The security status falls.
    ///
    /// # Errors
    /// The state could not be stored; the counter is then as it was.
    pub fn unblock(&mut self, pin: PinName) -> io::Result<()> {
        let full = self.personalised.profile().tries.of(pin);
        let before = std::mem::replace(&mut self.persistent.get_mut(pin).tries_left, full);
        self.volatile.verified.remove(pin);
        self.store.save(&self.persistent).inspect_err(|_| {
            self.persistent.get_mut(pin).tries_left = before;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smart_card::{Reaction, SmartCard};
    use hex_literal::hex;

    #[test]
    fn an_operator_unblocks_what_three_wrong_values_have_blocked() {
        let mut card = VirtualCard::built_in("hanako").unwrap();
        card.transmit(&hex!("00A4040C0AD392F000260100000001"));
        card.transmit(&hex!("00A4020C020018"));
        for _ in 0..4 {
            card.transmit(&hex!("002000800430303030"));
        }
        let right = hex!("002000800431323334");
        assert_eq!(card.transmit(&right), Reaction::Answer(hex!("6984").into()));
        card.unblock(PinName::UserAuthentication).unwrap();
        assert_eq!(card.transmit(&hex!("00200080")), Reaction::Answer(hex!("63C3").into()));
        assert_eq!(card.transmit(&right), Reaction::Answer(hex!("9000").into()));
    }
}
