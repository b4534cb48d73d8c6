//! A holder's YAML document: its shape, its defaults, and every rule that a value must keep. Errors
//! show the line with the values masked, for a file may hold the PINs of a real card.

mod full_width;
mod images;
mod jpeg2000;
mod masking;
mod state;

use super::{Age, Card, Holder, Keys, Municipality, MyNumber, Person, Pins, Sex, Substitutes};
use crate::bilingual::Bilingual;
use crate::document::{self, DocumentError, Position, Spanned};
use crate::key::KeyName;
use crate::pin::{PinName, PinSet, PinValue};
use images::ImagesSource;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use masking::{mask_values, masked};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use state::StateSource;
use std::path::Path;
use zeroize::Zeroize;

/// Longest locality: with ` CRLDP` behind it, a common name of 64 characters (RFC 5280,
/// ub-common-name).
const MAX_LOCALITY: usize = 58;

/// Oldest age that a file may give.
const MAX_AGE: i16 = 130;

const DEFAULT_BIRTHDAY: &str = "04-02";
const DEFAULT_ADDRESS: &str = "東京都千代田区試験町１丁目２番３号";
const DEFAULT_MY_NUMBER: &str = "123456789018";
const DEFAULT_CODE: &str = "13101";
const DEFAULT_PREFECTURE: &str = "Tokyo-to";
const DEFAULT_CITY: &str = "Chiyoda-ku";
const DEFAULT_USER_AUTHENTICATION_PIN: &str = "1234";
const DEFAULT_DIGITAL_SIGNATURE_PIN: &str = "ABC123";
const DEFAULT_OTHER_PIN: &str = "1234";

type Text = Option<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderSource {
    title: Option<Bilingual>,
    person: PersonSource,
    #[serde(default)]
    municipality: MunicipalitySource,
    #[serde(default)]
    pins: PinsSource,
    #[serde(default)]
    card: CardSource,
    #[serde(default)]
    keys: KeysSource,
    #[serde(default)]
    state: StateSource,
    #[serde(default)]
    images: ImagesSource,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonSource {
    name: Spanned<String>,
    birth: Text,
    age: Option<Spanned<i64>>,
    birthday: Text,
    #[serde(default)]
    sex: SexSource,
    address: Text,
    my_number: Text,
    #[serde(default)]
    substitutes: SubstitutesSource,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SubstitutesSource {
    name: Text,
    address: Text,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum SexSource {
    Male,
    Female,
    #[default]
    Unknown,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct MunicipalitySource {
    code: Text,
    prefecture: Text,
    city: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PinsSource {
    user_authentication: Text,
    digital_signature: Text,
    text_input: Text,
    resident_register: Text,
    common_card: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CardSource {
    security_code: Text,
    expiry: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct KeysSource {
    user_authentication: Text,
    digital_signature: Text,
    text: Text,
    visual: Text,
    session: Text,
    common: Text,
}

impl Drop for PinsSource {
    fn drop(&mut self) {
        let all = [
            &mut self.user_authentication,
            &mut self.digital_signature,
            &mut self.text_input,
            &mut self.resident_register,
            &mut self.common_card,
        ];
        for pin in all.into_iter().flatten() {
            pin.value.zeroize();
        }
    }
}

impl Drop for CardSource {
    fn drop(&mut self) {
        for value in [&mut self.security_code, &mut self.expiry].into_iter().flatten() {
            value.value.zeroize();
        }
    }
}

/// The document being read: what is needed to say where something is wrong.
struct Document<'d> {
    file: &'d str,
    text: &'d str,
}

impl Document<'_> {
    fn error<T>(&self, at: &Spanned<T>, problem: impl Into<String>) -> DocumentError {
        DocumentError::invalid(&mask_values(self.text), Position::of(self.file, at), problem)
    }

    /// The value written, or `default`; a refusal by `read` becomes an error at the place.
    fn value<T, E: ToString>(
        &self,
        written: &Text,
        default: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, DocumentError> {
        match written {
            Some(at) => read(&at.value).map_err(|problem| self.error(at, problem.to_string())),
            None => read(default).map_err(|problem| self.error_at_start(problem.to_string())),
        }
    }

    fn error_at_start(&self, problem: String) -> DocumentError {
        let start = Position { file: self.file.to_owned(), line: 1, column: 1 };
        DocumentError::invalid(&mask_values(self.text), start, problem)
    }
}

/// `today` is the last day on which the holder can have been born, where anybody knows one.
pub(super) fn parse(file: &str, text: &str, today: Option<Date>) -> Result<Holder, DocumentError> {
    let source: HolderSource = document::parse(file, text).map_err(|error| masked(error, text))?;
    let document = Document { file, text };
    let id = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file).to_owned();
    let (person, age) = person(&document, &source.person)?;
    if let (Some(at), Some(today)) = (&source.person.birth, today)
        && person.birth > today
    {
        let problem = format!("expected a date of birth that is not after today, {today}; or write `age`");
        return Err(document.error(at, problem));
    }
    let stated = stated(&source);
    let title = match source.title {
        Some(title) => title,
        None => Bilingual { ja: person.name.clone(), en: person.name.clone() },
    };
    let municipality = municipality(&document, &source.municipality)?;
    let pins = Pins {
        user_authentication: document.value(
            &source.pins.user_authentication,
            DEFAULT_USER_AUTHENTICATION_PIN,
            PinValue::four_digits,
        )?,
        digital_signature: document.value(
            &source.pins.digital_signature,
            DEFAULT_DIGITAL_SIGNATURE_PIN,
            PinValue::password,
        )?,
        text_input: document.value(&source.pins.text_input, DEFAULT_OTHER_PIN, PinValue::four_digits)?,
        resident_register: document.value(
            &source.pins.resident_register,
            DEFAULT_OTHER_PIN,
            PinValue::four_digits,
        )?,
        common_card: document.value(&source.pins.common_card, DEFAULT_OTHER_PIN, PinValue::four_digits)?,
    };
    let card = card(&document, &source.card, &id)?;
    if let (Some(at), Some(expiry), None) = (&source.card.expiry, card.expiry, age)
        && expiry < person.birth
    {
        return Err(document.error(at, "expected a date of expiry that is not before the birth"));
    }
    let keys = keys(&document, &source.keys, &id)?;
    let state = source.state.read(&document)?;
    let images = source.images.read(&document)?;
    let holder = Holder { id, title, person, municipality, pins, card, keys, state, images, age, stated };
    Ok(holder.as_of(Timestamp::UNIX_EPOCH))
}

/// One municipality: a code and names that do not go with the default of the others are given together.
fn municipality(document: &Document<'_>, source: &MunicipalitySource) -> Result<Municipality, DocumentError> {
    let municipality = Municipality {
        code: document.value(&source.code, DEFAULT_CODE, municipality_code)?,
        prefecture: document.value(&source.prefecture, DEFAULT_PREFECTURE, locality)?,
        city: document.value(&source.city, DEFAULT_CITY, locality)?,
    };
    let entries = [
        ("code", &source.code, DEFAULT_CODE),
        ("prefecture", &source.prefecture, DEFAULT_PREFECTURE),
        ("city", &source.city, DEFAULT_CITY),
    ];
    let another = entries.iter().find_map(|(_, at, default)| at.as_ref().filter(|at| at.value != *default));
    let left_out = entries.iter().find(|(_, at, _)| at.is_none());
    match (another, left_out) {
        (Some(at), Some((missing, ..))) => Err(document.error(
            at,
            format!(
                "another municipality than the default ({DEFAULT_CODE} {DEFAULT_CITY}, {DEFAULT_PREFECTURE}) \
                 has its `code`, `prefecture` and `city` all told; `{missing}` is left out"
            ),
        )),
        _ => Ok(municipality),
    }
}

/// The PINs whose value `source` says.
fn stated(source: &HolderSource) -> PinSet {
    let HolderSource { pins, person, card, .. } = source;
    let birth = person.birth.is_some();
    let code_b = birth && card.expiry.is_some() && card.security_code.is_some();
    let code_a = person.my_number.is_some();
    let mut stated = PinSet::default();
    for (pin, is_stated) in [
        (PinName::UserAuthentication, pins.user_authentication.is_some()),
        (PinName::DigitalSignature, pins.digital_signature.is_some()),
        (PinName::TextInput, pins.text_input.is_some()),
        (PinName::ResidentRegister, pins.resident_register.is_some()),
        (PinName::CommonCard, pins.common_card.is_some()),
        (PinName::BirthDate, birth),
        (PinName::TextCodeA, code_a),
        (PinName::VisualCodeA, code_a),
        (PinName::TextCodeB, code_b),
        (PinName::VisualCodeB, code_b),
    ] {
        if is_stated {
            stated.insert(pin);
        }
    }
    stated
}

/// The security code that a holder's file does not tell: the last four digits of the first four
/// bytes of SHA-256(id).
fn card(document: &Document<'_>, source: &CardSource, id: &str) -> Result<Card, DocumentError> {
    let hash = Sha256::digest(id);
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % 10_000;
    let security_code = document.value(&source.security_code, &format!("{number:04}"), |text| {
        PinValue::four_digits(text).map_err(|_| "a security code has 4 digits (0 to 9)")
    })?;
    let expiry = match &source.expiry {
        Some(at) => Some(expiry(&at.value).map_err(|problem| document.error(at, problem))?),
        None => None,
    };
    Ok(Card { security_code, expiry })
}

fn person(document: &Document<'_>, source: &PersonSource) -> Result<(Person, Option<Age>), DocumentError> {
    let name =
        full_width::name(&source.name.value).map_err(|problem| document.error(&source.name, problem))?;
    let (birth, age) = birth_or_age(document, source)?;
    let sex = match source.sex {
        SexSource::Male => Sex::Male,
        SexSource::Female => Sex::Female,
        SexSource::Unknown => Sex::Unknown,
    };
    let address = document.value(&source.address, DEFAULT_ADDRESS, full_width::of)?;
    let my_number = document.value(&source.my_number, DEFAULT_MY_NUMBER, MyNumber::parse)?;
    let substitutes = Substitutes {
        name: document.value(&source.substitutes.name, &none_of(&name), |map| substitutes(map, &name))?,
        address: document
            .value(&source.substitutes.address, &none_of(&address), |map| substitutes(map, &address))?,
    };
    Ok((Person { name, birth, sex, address, my_number, substitutes }, age))
}

/// A birth stands as it is; an age waits for a clock.
fn birth_or_age(
    document: &Document<'_>,
    source: &PersonSource,
) -> Result<(Date, Option<Age>), DocumentError> {
    match (&source.birth, &source.age) {
        (Some(at), None) => {
            if let Some(birthday) = &source.birthday {
                return Err(document.error(birthday, "`birthday` goes with `age`; `birth` says it already"));
            }
            let birth = birth(&at.value).map_err(|problem| document.error(at, problem))?;
            Ok((birth, None))
        }
        (None, Some(at)) => {
            let years = i16::try_from(at.value).ok().filter(|years| (0..=MAX_AGE).contains(years));
            let years = years
                .ok_or_else(|| document.error(at, format!("expected an age from 0 to {MAX_AGE} years")))?;
            let birthday = document.value(&source.birthday, DEFAULT_BIRTHDAY, birthday)?;
            Ok((birthday, Some(Age { years, birthday })))
        }
        (Some(_), Some(at)) => Err(document.error(at, "expected either `birth` or `age`, not both")),
        (None, None) => Err(document.error(&source.name, "missing field `birth` (or `age`) beside the name")),
    }
}

fn keys(document: &Document<'_>, source: &KeysSource, id: &str) -> Result<Keys, DocumentError> {
    let default = |purpose| KeyName::default_of(id, purpose);
    let user_authentication =
        document.value(&source.user_authentication, &default("user-authentication"), KeyName::parse)?;
    let digital_signature =
        document.value(&source.digital_signature, &default("digital-signature"), KeyName::parse)?;
    Ok(Keys {
        user_authentication,
        digital_signature,
        text: document.value(&source.text, &default("text"), KeyName::parse)?,
        visual: document.value(&source.visual, &default("visual"), KeyName::parse)?,
        session: document.value(&source.session, &default("session"), KeyName::parse)?,
        common: document.value(&source.common, &default("common"), KeyName::parse)?,
    })
}

/// Births from the introduction of the Gregorian calendar in Japan (1873) to 9900, so that every
/// certificate's dates have four digits.
fn birth(text: &str) -> Result<Date, String> {
    let birth: Date =
        text.parse().map_err(|_| "expected a date that exists, written like 1980-06-15".to_owned())?;
    if (date(1873, 1, 1)..date(9900, 1, 1)).contains(&birth) {
        Ok(birth)
    } else {
        Err("expected a date of birth from 1873-01-01 to 9899-12-31".into())
    }
}

/// A day of the year, as one of a leap year.
fn birthday(text: &str) -> Result<Date, &'static str> {
    let day = (text.len() == 5).then(|| format!("2000-{text}").parse().ok()).flatten();
    day.ok_or("expected a day of the year, written like 05-31")
}

/// 代替文字情報 for a text all of whose characters are its own.
fn none_of(text: &str) -> String {
    "0".repeat(text.chars().count())
}

fn substitutes(map: &str, text: &str) -> Result<String, String> {
    let characters = text.chars().count();
    if map.len() == characters && map.bytes().all(|digit| matches!(digit, b'0' | b'1')) {
        Ok(map.to_owned())
    } else {
        Err(format!("expected {characters} digits 0 or 1, one for each character of the text"))
    }
}

fn expiry(text: &str) -> Result<Date, &'static str> {
    let expiry: Date = text.parse().map_err(|_| "expected a date that exists, written like 2035-06-15")?;
    if expiry.year() >= 1873 { Ok(expiry) } else { Err("expected a date of expiry from 1873-01-01") }
}

fn municipality_code(text: &str) -> Result<String, &'static str> {
    let fits = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.to_owned()).ok_or(
        "a municipality code has 5 digits here: the first five of the six published, without the check digit",
    )
}

fn locality(text: &str) -> Result<String, String> {
    let graphic = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if (1..=MAX_LOCALITY).contains(&text.len()) && text.bytes().all(graphic) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected a name in Latin letters, at most {MAX_LOCALITY} characters, such as Tokyo-to"))
    }
}

#[cfg(test)]
mod tests;
