//! PINs that are one: two references on the card, one value and one counter.

use crate::pin::{PinName, PinSet};
use std::collections::BTreeMap;

/// For each PIN that is none of its own, the one that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedPins(BTreeMap<PinName, PinName>);

impl SharedPins {
    /// None of `all` may lead to a reference that is itself a key of it.
    pub(super) const fn new(all: BTreeMap<PinName, PinName>) -> Self {
        Self(all)
    }

    /// The PIN whose value and counter the reference `pin` has.
    #[must_use]
    pub fn behind(&self, pin: PinName) -> PinName {
        self.0.get(&pin).copied().unwrap_or(pin)
    }

    /// `verified`, together with every reference to one of its PINs.
    #[must_use]
    pub fn all_verified(&self, verified: PinSet) -> PinSet {
        let mut all = verified;
        for (reference, pin) in &self.0 {
            if verified.contains(*pin) {
                all.insert(*reference);
            }
        }
        all
    }
}
