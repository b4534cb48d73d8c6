//! The holder's PINs from the prompt: asked for on the terminal itself, without showing what is typed,
//! and kept nowhere but in memory.

use super::Failure;
use crate::run::Plan;
use crate::scenario::Scenario;
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use vmyna_sim::holder::{Holder, MyNumber};
use vmyna_sim::pin::{PinName, PinValue};
use vmyna_sim::profile::Profile;
use zeroize::Zeroizing;

/// A person of whom nothing is known.
const NOBODY: &str = "person: {name: 不明　不明, age: 40}\n";

/// What is asked for a PIN. 照合番号B and the date of birth come from a holder's file only.
const fn question(pin: PinName) -> Option<&'static str> {
    match pin {
        PinName::UserAuthentication => {
            Some("利用者証明用電子証明書の暗証番号 (authentication PIN, 4 digits)")
        }
        PinName::DigitalSignature => {
            Some("署名用電子証明書の暗証番号 (signature password, 6 to 16 of A-Z and 0-9)")
        }
        PinName::TextInput => Some("券面事項入力補助用の暗証番号 (text input PIN, 4 digits)"),
        PinName::ResidentRegister => Some("住民基本台帳用の暗証番号 (resident register PIN, 4 digits)"),
        PinName::CommonCard => Some("共通カードの暗証番号 (common card PIN, 4 digits)"),
        PinName::TextCodeA | PinName::VisualCodeA => {
            Some("個人番号 = 照合番号A (individual number, 12 digits)")
        }
        PinName::TextCodeB | PinName::VisualCodeB | PinName::BirthDate => None,
    }
}

/// Asks for the PINs that `scenarios` present. Whatever is left empty is not presented.
///
/// # Errors
/// When there is no terminal, or what is typed has not the form of the PIN three times in a row.
pub(super) fn ask(scenarios: &[&Scenario]) -> Result<Holder, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "--ask-pins needs a terminal to ask on; in a script, --holder FILE tells the PINs".to_owned(),
        ));
    }
    let full = Profile::card().tries;
    let plans = scenarios.iter().map(|scenario| Plan::of(scenario, full));
    let wanted: BTreeSet<PinName> = plans
        .flat_map(|plan| plan.pins)
        .filter(|(_, usage)| usage.right + usage.wrong > 0 || usage.changed)
        .map(|(pin, _)| pin)
        .collect();
    let mut holder = Holder::parse("asked", NOBODY)?;
    let mut asked = BTreeSet::new();
    for pin in wanted {
        let Some(question) = question(pin) else {
            let _ = writeln!(anstream::stderr(), "{pin}: not asked for; --holder FILE tells it");
            continue;
        };
        if asked.insert(question) {
            holder = ask_for(holder, pin, question)?;
        }
    }
    Ok(holder)
}

/// Mistakes of form that are forgiven; none of them reaches a card.
const ATTEMPTS: usize = 3;

fn ask_for(holder: Holder, pin: PinName, question: &str) -> Result<Holder, Failure> {
    for _ in 0..ATTEMPTS {
        let typed = rpassword::prompt_password(format!("{question}; Enter to leave it out: "));
        let typed = Zeroizing::new(typed.map_err(|error| Failure::Usage(format!("--ask-pins: {error}")))?);
        if typed.is_empty() {
            return Ok(holder);
        }
        if !pin.allows(typed.as_bytes()) {
            let _ = writeln!(anstream::stderr(), "that has not the form of this PIN");
            continue;
        }
        if !matches!(pin, PinName::TextCodeA | PinName::VisualCodeA) {
            return Ok(holder.with_pin(pin, PinValue::new(typed.as_bytes())));
        }
        match MyNumber::parse(&typed) {
            Ok(number) => return Ok(holder.with_my_number(number)),
            Err(error) => {
                let _ = writeln!(anstream::stderr(), "{error}");
            }
        }
    }
    Err(Failure::Usage(format!(
        "{question}: {ATTEMPTS} times not of that form; nothing was sent to the card"
    )))
}
