//! The plan in words: printed before the first command leaves.

use super::peer::PeerOptions;
use super::plan::{Cost, Plan};
use crate::scenario::Scenario;
use vmyna_sim::pin::PinName;

/// What `planned` will do to a card, and what of it is allowed.
pub(super) fn describe(planned: &[(&Scenario, Plan)], options: &PeerOptions) -> String {
    let count = |cost: Cost| planned.iter().filter(|(_, plan)| plan.cost() == cost).count();
    let mut text = format!(
        "{} scenarios: {} only read, {} present PINs and refill the counters, {} change a PIN and change it back, \
         {} leave tries spent or a PIN blocked",
        planned.len(),
        count(Cost::Reading),
        count(Cost::Refilling),
        count(Cost::Changing),
        count(Cost::LockingOut),
    );
    for pin in PinName::JPKI {
        let uses = || planned.iter().filter_map(|(_, plan)| plan.pins.get(&pin));
        let (right, wrong): (u32, u32) =
            (uses().map(|usage| usage.right).sum(), uses().map(|usage| usage.wrong).sum());
        let changes = uses().filter(|usage| usage.changed).count();
        text.push_str(&format!(
            "\n  {pin}: the right value is presented {right} times, wrong values {wrong} times, and it is changed in \
             {changes} scenarios"
        ));
    }
    let consent = |given: bool, what: &str, flag: &str| {
        if given { format!("{what}: allowed") } else { format!("{what}: not without {flag}") }
    };
    text.push_str(&match (options.mine, &options.holder) {
        (true, _) => "\n  --mine: the card is a simulator; nothing is held back".to_owned(),
        (false, holder) => format!(
            "\n  unless its certificate names JPKI-VMYNA-TEST, the card may be real. Then: {}; {}; {}",
            consent(options.consent.spend_tries, "wrong PINs", "--spend-tries"),
            consent(options.consent.change_pins, "PIN changes", "--change-pins"),
            match holder {
                Some(_) => "right PINs: as --holder says".to_owned(),
                None => "right PINs: not without --holder".to_owned(),
            },
        ),
    });
    text
}
