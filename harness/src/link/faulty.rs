//! The built-in card in the same process, with the faults that a scenario wants.

use super::{CardLink, InProcess, LinkError};
use vmyna_sim::card::VirtualCard;
use vmyna_sim::fault::{Fault, Faults, Faulty, for_another_persons};
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
        let card = Faulty::new(card, &faults).swapping(for_another_persons());
        Self { link: InProcess(card), faults }
    }
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
