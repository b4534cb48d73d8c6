//! The other card that a fault puts in the place of one.

use crate::card::{Personalised, VirtualCard};
use std::mem;
use std::sync::Arc;

/// Swaps a card for that of another built-in person, of the same kind; and that for the first again, as
/// it was when it was taken away.
pub fn for_another_persons() -> impl FnMut(&mut VirtualCard) + Send + 'static {
    let mut other = None;
    move |card| {
        if let Some(other) = other.get_or_insert_with(|| another(card)) {
            mem::swap(card, other);
        }
    }
}

fn another(card: &VirtualCard) -> Option<VirtualCard> {
    let card = card.personalised();
    let other = if card.holder().id() == "taro" { "hanako" } else { "taro" };
    let other = Personalised::built_in_of(other, card.profile().clone()).ok()?;
    Some(VirtualCard::new(Arc::new(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smart_card::{Reaction, SmartCard};

    #[test]
    fn the_first_card_comes_back_with_the_tries_that_it_had() {
        let mut card = VirtualCard::built_in("child").unwrap();
        let verify_wrong = |card: &mut VirtualCard| {
            for command in [
                &[0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01][..],
                &[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x18],
            ] {
                assert_eq!(card.transmit(command), Reaction::Answer(vec![0x90, 0x00]));
            }
            card.transmit(&[0x00, 0x20, 0x00, 0x80, 0x04, b'0', b'0', b'0', b'0'])
        };
        let mut swap = for_another_persons();
        assert_eq!(verify_wrong(&mut card), Reaction::Answer(vec![0x63, 0xC2]));
        swap(&mut card);
        assert_eq!(card.personalised().holder().id(), "taro");
        assert_eq!(verify_wrong(&mut card), Reaction::Answer(vec![0x63, 0xC2]));
        swap(&mut card);
        assert_eq!(card.personalised().holder().id(), "child");
        assert_eq!(verify_wrong(&mut card), Reaction::Answer(vec![0x63, 0xC1]));
    }
}
