//! The built-in card in the same process, with the faults that a scenario wants.

use super::{CardLink, InProcess, LinkError};
use std::mem;
use std::sync::Arc;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::fault::{Fault, Faults, Faulty};
use vmyna_sim::smart_card::Power;

/// What the faults of a scenario that are left to chance follow from: they are the same each time.
const SEED: u64 = 0;

/// A link to the built-in card that suffers faults. Its time is simulated: delays and silences take
/// none.
pub struct FaultyInProcess {
    link: InProcess<Faulty<VirtualCard>>,
    faults: Faults,
}

impl FaultyInProcess {
    /// A link to `card`, which suffers nothing yet.
    #[must_use]
    pub fn new(card: VirtualCard) -> Self {
        let faults = Faults::new(SEED);
        let mut other = None;
        let card = Faulty::new(card, &faults).swapping(move |card| {
            if let Some(other) = other.get_or_insert_with(|| another(card)) {
                mem::swap(card, other);
            }
        });
        Self { link: InProcess(card), faults }
    }
}

/// Another person's card of the same kind; after it, the first comes back.
fn another(card: &VirtualCard) -> Option<VirtualCard> {
    let card = card.personalised();
    let other = if card.holder().id() == "taro" { "hanako" } else { "taro" };
    let other = Personalised::built_in_of(other, card.profile().clone()).ok()?;
    Some(VirtualCard::new(Arc::new(other)))
}

impl CardLink for FaultyInProcess {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.link.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        // A card that was taken away is put back to be powered up.
        if power == Power::On {
            self.faults.insert();
        }
        self.link.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        self.link.transmit(command)
    }

    fn suffer(&mut self, faults: &[Fault]) -> Result<Vec<Fault>, LinkError> {
        let due = self.faults.due();
        self.faults.clear();
        self.link.0.settle();
        for fault in faults {
            let armed = self.faults.arm(*fault);
            armed.map_err(|error| LinkError::lost("取り替えるカードがない", error.to_string()))?;
        }
        Ok(due)
    }
}
