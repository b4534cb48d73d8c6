//! The values of a PIN that a holder enters.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::{card_expiry, issued_pin};
use vmyna_sim::pin::{PinName, PinValue};

/// A value of a PIN, by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PinChoice {
    /// the holder's own
    Right,
    /// of the same form, and another
    Wrong,
    /// a third value of the same form
    New,
    /// the holder's own with its letters in lower case, which is another value
    LowerCase,
}

/// The holder's own value of a PIN, on a card that is valid as long as one issued now.
#[must_use]
pub fn own_pin(holder: &Holder, pin: PinName) -> PinValue {
    let now = Timestamp::now();
    let expiry = card_expiry(holder, now).unwrap_or(Date::MAX);
    issued_pin(&holder.clone().as_of(now), expiry, pin)
}

/// A value of `pin`: the holder's own, or one that differs from it in the last characters and has
/// the same form.
#[must_use]
pub fn pin_value(holder: &Holder, pin: PinName, choice: PinChoice) -> PinValue {
    let own = own_pin(holder, pin);
    let shift = match choice {
        PinChoice::Right => return own,
        PinChoice::LowerCase => return PinValue::new(own.as_bytes().to_ascii_lowercase()),
        PinChoice::Wrong => 1,
        PinChoice::New => 2,
    };
    let mut other = own.as_bytes().to_vec();
    if let Some(last) = other.last_mut() {
        *last = match *last {
            digit @ b'0'..=b'9' => b'0' + (digit - b'0' + shift) % 10,
            letter => b'A' + (letter.wrapping_sub(b'A') + shift) % 26,
        };
    }
    PinValue::new(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_pin_differ_and_have_its_form() {
        let holder = Holder::built_in("hanako").unwrap();
        for pin in PinName::ALL {
            let values = [PinChoice::Right, PinChoice::Wrong, PinChoice::New]
                .map(|choice| pin_value(&holder, pin, choice));
            assert!(values.iter().all(|value| pin.allows(value.as_bytes())));
            assert!(values[0] != values[1] && values[1] != values[2] && values[0] != values[2]);
        }
    }
}
