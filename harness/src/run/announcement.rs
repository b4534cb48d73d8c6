//! The plan in words: printed before the first command leaves. It says what every scenario together
//! would do, and what of it is left when the card may be real.

use super::peer::{PeerOptions, refusal};
use super::plan::{Cost, Plan};
use crate::scenario::Scenario;
use std::collections::BTreeMap;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Tries;

/// What `planned` will do to a card whose full counters are `full`, and what of it is allowed.
pub(super) fn describe(planned: &[(&Scenario, Plan)], options: &PeerOptions, full: Tries) -> String {
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
    pins(&mut text, planned.iter().map(|(_, plan)| plan), full);
    if options.mine {
        text.push_str("\n  --mine: the card is a simulator; nothing is held back");
        return text;
    }
    text.push_str(
        "\n  unless its certificate names JPKI-VMYNA-TEST, the card may be real. Then counters are read first, and of \
         these scenarios",
    );
    let allowed =
        || planned.iter().filter(|(_, plan)| refusal(plan, options).is_none()).map(|(_, plan)| plan);
    let held_back = planned.len() - allowed().count();
    text.push_str(&match held_back {
        0 => " none is held back".to_owned(),
        _ => format!(" {held_back} are held back, which leaves:"),
    });
    if held_back > 0 {
        let before = text.len();
        pins(&mut text, allowed(), full);
        if text.len() == before {
            text.push_str("\n  no PIN is presented, and none is changed");
        }
    }
    let consent = |given: bool, what: &str, flag: &str| {
        if given { format!("{what}: allowed") } else { format!("{what}: not without {flag}") }
    };
    text.push_str(&format!(
        "\n  {}; {}; {}",
        consent(options.consent.spend_tries, "wrong PINs", "--spend-tries"),
        consent(options.consent.change_pins, "PIN changes", "--change-pins"),
        match &options.holder {
            Some(holder) => format!("right PINs: {}", told_by(holder)),
            None => "right PINs: not without --holder or --ask-pins".to_owned(),
        },
    ));
    text
}

/// The PINs that the user has written down; no other is presented to a card that may be real.
fn told_by(holder: &Holder) -> String {
    let told: Vec<_> =
        PinName::ALL.into_iter().filter(|pin| holder.states(*pin)).map(|pin| pin.to_string()).collect();
    match &told[..] {
        [] => "the holder's file tells none".to_owned(),
        told => format!("of {}", told.join(", ")),
    }
}

/// A line for each PIN that `plans` touch.
fn pins<'a>(text: &mut String, plans: impl Iterator<Item = &'a Plan>, full: Tries) {
    #[derive(Default)]
    struct Sum {
        right: u32,
        wrong: u32,
        changes: usize,
        blocking: usize,
        spent: u8,
    }
    let mut sums: BTreeMap<PinName, Sum> = BTreeMap::new();
    for (pin, usage) in plans.flat_map(|plan| &plan.pins) {
        let sum = sums.entry(*pin).or_default();
        sum.right += usage.right;
        sum.wrong += usage.wrong;
        sum.changes += usize::from(usage.changed);
        sum.blocking += usize::from(usage.blocked);
        sum.spent = sum.spent.max(usage.spent_at_end);
    }
    for (pin, Sum { right, wrong, changes, blocking, spent }) in sums {
        if right + wrong == 0 && changes == 0 {
            continue;
        }
        let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let mut line = format!("\n  {pin}: the right value {}", times(right));
        match wrong {
            0 => line.push_str(", no wrong one"),
            _ => line.push_str(&format!(", wrong ones {}", times(wrong))),
        }
        if changes > 0 {
            line.push_str(&format!("; changed and changed back in {changes} scenarios"));
        }
        match (blocking, spent) {
            (0, 0) => {}
            (0, spent) => line.push_str(&format!("; {spent} of {} tries stay spent", full.of(pin))),
            (blocking, _) => line.push_str(&format!("; blocked in {blocking} scenarios")),
        }
        text.push_str(&line);
    }
}
