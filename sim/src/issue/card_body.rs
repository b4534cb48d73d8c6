//! The card itself, as against its certificates: until when it is valid, its number, the keys of the
//! 券面 and 共通 applications, and the municipality's keys that signed what they hold.

use super::{IssueError, IssueWindow, era};
use crate::holder::{Holder, birthday_in};
use crate::key::RsaKey;
use crate::pin::{PinName, PinValue};
use crate::pki::{CardVerifiableCertificate, MunicipalKey, Purpose, derived};
use jiff::Timestamp;
use jiff::civil::Date;
use std::sync::Arc;

/// Years from the issue of an adult's card to the birthday on which it ends, and of a child's.
const YEARS_VALID: i16 = 10;
const YEARS_VALID_FOR_MINORS: i16 = 5;
const ADULT: i16 = 18;

/// What is in a card beside JPKI.
#[derive(Debug, Clone)]
pub struct CardBody {
    /// the last day of validity
    pub expiry: Date,
    /// the serial number: 15 digits
    pub serial_number: String,
    /// proves that 券面事項入力補助 is there (0013)
    pub text_key: Arc<RsaKey>,
    /// proves that 券面事項確認 is there (001A)
    pub visual_key: Arc<RsaKey>,
    /// to which the key of a session with 券面事項入力補助 is encrypted
    pub session_key: Arc<RsaKey>,
    /// the key of INTERNAL AUTHENTICATE (共通カード 0019)
    pub common_key: Arc<RsaKey>,
    /// signed the data of 券面事項入力補助
    pub text_issuer: Arc<MunicipalKey>,
    /// signed the data of 券面事項確認
    pub visual_issuer: Arc<MunicipalKey>,
    /// the card manager's chain of certificates, the upper one first
    pub chain: [CardVerifiableCertificate; 2],
}

impl CardBody {
    pub(super) fn issue(holder: &Holder, window: &IssueWindow, now: Timestamp) -> Result<Self, IssueError> {
        let expiry = expiry(holder, window).ok_or(IssueError::Clock { now })?;
        let code = &holder.municipality.code;
        let keys = &holder.keys;
        let key = |name: crate::key::KeyName| name.key().map_err(|error| IssueError::Pki(error.into()));
        let intermediate = MunicipalKey::of(Purpose::Chain, code)?;
        Ok(Self {
            expiry,
            serial_number: serial_number(holder.id()),
            text_key: key(keys.text)?,
            visual_key: key(keys.visual)?,
            session_key: key(keys.session)?,
            common_key: key(keys.common)?,
            text_issuer: MunicipalKey::of(Purpose::Text, code)?,
            visual_issuer: MunicipalKey::of(Purpose::Visual, code)?,
            chain: [intermediate.certificate().clone(), intermediate.last_of_chain(code)?],
        })
    }
}

/// The last day of validity of the card that `holder` has when the clock shows `now`: what the
/// holder's file says, or else the tenth birthday after its issue, the fifth for who was under 18
/// then. `None` when that would be after the year 9999.
#[must_use]
pub fn card_expiry(holder: &Holder, now: Timestamp) -> Option<Date> {
    let holder = holder.clone().as_of(now);
    expiry(&holder, &IssueWindow::at(holder.person.birth, now)?)
}

fn expiry(holder: &Holder, window: &IssueWindow) -> Option<Date> {
    if let Some(expiry) = holder.card.expiry {
        return Some(expiry);
    }
    let birth = holder.person.birth;
    let issued_in = window.issued_on.year();
    // cards are issued on birthdays here, so that the difference of the years is the age
    let years = if issued_in - birth.year() < ADULT { YEARS_VALID_FOR_MINORS } else { YEARS_VALID };
    birthday_in(birth, issued_in.checked_add(years)?)
}

/// The value of `pin` that a card of `holder` valid until `expiry` is issued with.
#[must_use]
pub fn issued_pin(holder: &Holder, expiry: Date, pin: PinName) -> PinValue {
    match pin {
        PinName::UserAuthentication => holder.pins.user_authentication.clone(),
        PinName::DigitalSignature => holder.pins.digital_signature.clone(),
        PinName::TextInput => holder.pins.text_input.clone(),
        PinName::ResidentRegister => holder.pins.resident_register.clone(),
        PinName::CommonCard => holder.pins.common_card.clone(),
        PinName::TextCodeA | PinName::VisualCodeA => PinValue::new(*holder.person.my_number.as_bytes()),
        PinName::BirthDate => PinValue::new(era::six_digits(holder.person.birth)),
        PinName::TextCodeB | PinName::VisualCodeB => {
            let front = format!("{}{:04}", era::six_digits(holder.person.birth), expiry.year());
            PinValue::new([front.as_bytes(), holder.card.security_code.as_bytes()].concat())
        }
    }
}

/// The 照合番号 of six digits that a card of the next generation valid until `expiry` is given here: how it
/// will be made is not public.
#[must_use]
pub fn six_digits(holder: &Holder, expiry: Date) -> PinValue {
    let year = format!("{:02}", expiry.year() % 100);
    PinValue::new([year.as_bytes(), holder.card.security_code.as_bytes()].concat())
}

/// Fifteen digits, of which the measured number tells no more than their count.
fn serial_number(id: &str) -> String {
    let hash = derived(&["card", id]);
    let number = hash[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    format!("4{:014}", number % 100_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn hanako() -> Holder {
        Holder::built_in("hanako").unwrap()
    }

    fn valid_until(birth: &str, now: &str) -> Option<Date> {
        let holder = Holder::parse("a.yaml", &format!("person: {{name: 試　験, birth: {birth}}}\n")).unwrap();
        card_expiry(&holder, now.parse().unwrap())
    }

    #[test]
    fn a_card_ends_on_the_tenth_birthday_or_a_childs_on_the_fifth() {
        assert_eq!(valid_until("1980-06-15", "2026-04-01T00:00:00Z"), Some(date(2035, 6, 15)));
        // issued on the eighteenth birthday, and on the one before
        assert_eq!(valid_until("2008-06-15", "2026-07-01T00:00:00Z"), Some(date(2036, 6, 15)));
        assert_eq!(valid_until("2008-06-15", "2026-06-01T00:00:00Z"), Some(date(2030, 6, 15)));
        assert_eq!(valid_until("1980-06-15", "9992-01-01T00:00:00Z"), None);
    }

    #[test]
    fn the_codes_are_what_is_printed_on_the_card() {
        let holder = hanako();
        let value = |pin| issued_pin(&holder, date(2035, 6, 15), pin);
        assert!(value(PinName::TextCodeA).matches(b"123456789018"));
        assert!(value(PinName::VisualCodeB).matches(b"55061520352285"));
        assert!(value(PinName::BirthDate).matches(b"550615"));
        for pin in PinName::ALL {
            assert!(pin.allows(value(pin).as_bytes()), "{pin}");
        }
    }

    #[test]
    fn a_serial_number_has_fifteen_digits() {
        for id in ["", "hanako", "taro"] {
            let number = serial_number(id);
            assert!(number.len() == 15 && number.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        }
    }
}
