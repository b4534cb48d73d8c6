//! What a scenario will do to a card's counters, known before anything is sent: it decides the
//! order on a card that keeps its state, what the card must bring, and what the guard will refuse.

mod reliance;
mod walk;

pub use reliance::Reliance;
pub(super) use reliance::{no_application, no_such_pin};

use crate::flow::Entered;
use crate::link::{Consent, Refused};
use crate::scenario::{PlacedStep, Scenario, Verb};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::{Profile, Tries};
use walk::Walk;

/// What a scenario costs a card, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// no PIN is presented
    Reading,
    /// PINs are presented, and all counters are full again at the end
    Refilling,
    /// PINs are changed, and changed back
    Changing,
    /// tries stay spent, or a PIN is blocked
    LockingOut,
}

/// What a scenario does with one PIN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PinUse {
    /// times the right value is presented
    pub right: u32,
    /// times another value is presented
    pub wrong: u32,
    /// its counter must be what the scenario says
    pub asked: bool,
    /// and the scenario says it in numbers
    pub counted: bool,
    /// its value is changed
    pub changed: bool,
    /// wrong values since the last right one, at the end
    pub spent_at_end: u8,
    /// it is blocked at some point
    pub blocked: bool,
}

/// What a scenario will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// by PIN; those that the scenario does not touch are missing
    pub pins: BTreeMap<PinName, PinUse>,
    /// what it takes for granted
    pub reliance: Reliance,
}

/// The requirements that the counters themselves prove, whatever the scenario is about.
const WRONG_VALUES_ARE_COUNTED: &str = "PIN-03";
const THREE_TRIES: &str = "PIN-06";
const FIVE_TRIES: &str = "PIN-09";
const SUCCESS_REFILLS: &str = "PIN-10";
const COUNTERS_ARE_INDEPENDENT: &str = "PIN-11";

impl Plan {
    /// Works out what `scenario` will do on a right card whose full counters are `full`.
    #[must_use]
    pub fn of(scenario: &Scenario, full: Tries) -> Self {
        let counted = Walk::of(scenario, full, |pin| full.of(pin)).plan;
        let counts = |pin: PinName| counted.pins.get(&pin).is_some_and(|usage| usage.counted);
        let begins = |pin| if counts(pin) { STANDARD.of(pin) } else { full.of(pin) };
        let mut walk = Walk::of(scenario, full, begins);
        for (pin, usage) in &mut walk.plan.pins {
            usage.spent_at_end = full.of(*pin).saturating_sub(walk.tries[pin]);
            usage.blocked |= walk.tries[pin] == 0;
        }
        walk.plan
    }

    /// The PIN whose tries `scenario` counts in numbers that are right of the card as it is issued, and
    /// wrong of one whose full counters are `full`: on such a card it says nothing.
    #[must_use]
    pub fn other_counts(scenario: &Scenario, full: Tries) -> Option<PinName> {
        let named = scenario.profile.as_deref().and_then(Profile::built_in);
        let standard = named.map_or(*STANDARD, |profile| profile.tries);
        let limit = |pin: &PinName| full.of(*pin) != standard.of(*pin);
        if scenario.flow.is_some() {
            let counted = |placed: &PlacedStep| match &placed.step.verb {
                Verb::Card(step) => Some(step.of.pin()),
                _ => None,
            };
            return scenario.all_steps().filter_map(counted).find(limit);
        }
        let standard = Walk::of(scenario, standard, |pin| standard.of(pin)).counts;
        let here = Walk::of(scenario, full, |pin| full.of(pin)).counts;
        let mut both = standard.into_iter().zip(here);
        both.find_map(|((pin, standard), (_, here))| (standard && !here).then_some(pin))
    }

    /// What a flow does in which the holder enters PINs so often, and a right one last of each.
    #[must_use]
    pub fn of_entering(entered: &BTreeMap<PinName, Entered>) -> Self {
        let usage = |(pin, entered): (&PinName, &Entered)| {
            let Entered { right, wrong, counted, .. } = *entered;
            (*pin, PinUse { right, wrong, counted, ..PinUse::default() })
        };
        Self { pins: entered.iter().map(usage).collect(), ..Self::default() }
    }

    /// What it costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let any = |test: fn(&PinUse) -> bool| self.pins.values().any(test);
        if any(|usage| usage.blocked || usage.spent_at_end > 0) {
            Cost::LockingOut
        } else if any(|usage| usage.changed) {
            Cost::Changing
        } else if any(|usage| usage.right + usage.wrong > 0) {
            Cost::Refilling
        } else {
            Cost::Reading
        }
    }

    /// Whether any PIN is presented.
    #[must_use]
    pub fn presents_pins(&self) -> bool {
        self.pins.values().any(|usage| usage.right + usage.wrong > 0)
    }

    /// The tries that `pin` must have left after the scenario when it had `before`, and the
    /// requirements of which a card breaks one where it has not.
    #[must_use]
    pub fn counter_afterwards(&self, pin: PinName, before: u8, full: Tries) -> (u8, &'static [&'static str]) {
        match self.pins.get(&pin) {
            Some(usage) if usage.right + usage.wrong > 0 => match (usage.spent_at_end, pin) {
                (0, PinName::UserAuthentication) => (full.of(pin), &[SUCCESS_REFILLS, THREE_TRIES]),
                (0, PinName::DigitalSignature) => (full.of(pin), &[SUCCESS_REFILLS, FIVE_TRIES]),
                (0, _) => (full.of(pin), &[SUCCESS_REFILLS]),
                (spent, _) => (full.of(pin) - spent, &[WRONG_VALUES_ARE_COUNTED]),
            },
            _ => (before, &[COUNTERS_ARE_INDEPENDENT]),
        }
    }

    /// What the guard would refuse, given what the user allows and whether the PINs are known.
    #[must_use]
    pub fn refusal(&self, consent: Consent, pins_known: bool) -> Option<Refused> {
        let any = |test: fn(&PinUse) -> bool| self.pins.values().any(test);
        if any(|usage| usage.wrong > 0) && !consent.spend_tries {
            Some(Refused::WrongPin)
        } else if any(|usage| usage.changed) && !consent.change_pins {
            Some(Refused::PinChange)
        } else if any(|usage| usage.right + usage.wrong > 0) && !pins_known {
            Some(Refused::UnknownPin)
        } else {
            None
        }
    }
}

/// Scenarios count in numbers from the full counters of the card as it is issued.
pub(super) static STANDARD: LazyLock<Tries> = LazyLock::new(|| Profile::card().tries);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;
    use crate::scenario;
    use vmyna_sim::profile::Profile;

    fn plan(steps: &str) -> Plan {
        let text = format!("id: a\ntitle: {{ja: あ, en: a}}\ncovers: [PIN-01]\nsteps:\n{steps}");
        let scenario = scenario::parse_for_test(&text, &Requirements::built_in());
        Plan::of(&scenario, Profile::card().tries)
    }

    #[test]
    fn the_cost_follows_what_is_presented() {
        assert_eq!(plan("  - select: jpki\n").cost(), Cost::Reading);
        let right = "  - select: jpki\n  - verify: {pin: user_authentication, value: right}\n";
        assert_eq!(plan(right).cost(), Cost::Refilling);
        let wrong = "  - select: jpki\n  - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 2}}\n";
        assert_eq!(plan(wrong).cost(), Cost::LockingOut);
        let refilled = format!("{wrong}  - verify: {{pin: user_authentication, value: right}}\n");
        assert_eq!(plan(&refilled).cost(), Cost::Refilling);
        let changed = format!("{right}  - change_pin: {{pin: user_authentication, to: new}}\n");
        assert_eq!(plan(&changed).cost(), Cost::Changing);
    }

    #[test]
    fn the_rules_that_counters_prove_exist() {
        for rule in
            [WRONG_VALUES_ARE_COUNTED, THREE_TRIES, FIVE_TRIES, SUCCESS_REFILLS, COUNTERS_ARE_INDEPENDENT]
        {
            assert!(Requirements::built_in().get(rule).is_some(), "{rule}");
        }
    }

    #[test]
    fn raw_bytes_count_as_a_wrong_value_of_the_pin_they_reach() {
        let raw =
            "  - select: jpki\n  - transmit: {apdu: \"00 20 00 98 03 31 32 33\", expect: {sw: \"63C?\"}}\n";
        assert_eq!(plan(raw).pins[&PinName::UserAuthentication].wrong, 1);
        assert!(!plan(raw).pins.contains_key(&PinName::DigitalSignature));
    }
}
