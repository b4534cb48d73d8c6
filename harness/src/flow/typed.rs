//! What the holder types into the PIN field, by the role that the scenario gives it.

use crate::scenario::EnterStep;
use crate::terminal::pin_value;
use crate::terminal::{Credential, PinChoice};
use vmyna_sim::holder::Holder;
use zeroize::Zeroizing;

/// What `holder` types where the PIN of `credential` is asked for.
#[must_use]
pub fn typed(holder: &Holder, credential: Credential, enter: EnterStep) -> Zeroizing<String> {
    let choice = match enter {
        EnterStep::Wrong => PinChoice::Wrong,
        EnterStep::LowerCase => PinChoice::LowerCase,
        _ => PinChoice::Right,
    };
    let own = pin_value(holder, credential.pin(), choice);
    let own = Zeroizing::new(String::from_utf8_lossy(own.as_bytes()).into_owned());
    let (shortest, longest) = match credential {
        Credential::UserAuthentication => (4, 4),
        Credential::DigitalSignature => (6, 16),
    };
    match enter {
        EnterStep::Right | EnterStep::Wrong | EnterStep::LowerCase => own,
        EnterStep::TooShort => Zeroizing::new(own[..shortest - 1].to_owned()),
        EnterStep::TooLong => Zeroizing::new(format!("{:0<1$}", *own, longest + 1)),
        EnterStep::Letters => Zeroizing::new("abcd".to_owned()),
        EnterStep::Nothing => Zeroizing::default(),
    }
}
