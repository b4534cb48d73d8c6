//! A holder's YAML document: its shape, its defaults, and every rule that a value must keep. Errors
//! show the line with the values masked, for a file may hold the PINs of a real card.

use super::{Card, Holder, Keys, Municipality, MyNumber, Person, PinValue, Pins, Sex, Title};
use crate::document::{self, DocumentError, Position, Spanned};
use crate::key::KeyName;
use jiff::civil::{Date, date};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::Path;
use zeroize::Zeroize;

/// Longest name and longest address, in characters (200 is the published limit for addresses).
const MAX_CHARACTERS: usize = 200;
/// Longest locality: with ` CRLDP` behind it, a common name of 64 characters (RFC 5280,
/// ub-common-name).
const MAX_LOCALITY: usize = 58;

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
    title: Option<TitleSource>,
    person: PersonSource,
    #[serde(default)]
    municipality: MunicipalitySource,
    #[serde(default)]
    pins: PinsSource,
    #[serde(default)]
    card: CardSource,
    #[serde(default)]
    keys: KeysSource,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TitleSource {
    ja: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonSource {
    name: Spanned<String>,
    birth: Spanned<String>,
    #[serde(default)]
    sex: SexSource,
    address: Text,
    my_number: Text,
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

pub(super) fn parse(file: &str, text: &str) -> Result<Holder, DocumentError> {
    let source: HolderSource = document::parse(file, text).map_err(|error| masked(error, text))?;
    let document = Document { file, text };
    let id = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file).to_owned();
    let person = person(&document, &source.person)?;
    let title = match source.title {
        Some(TitleSource { ja, en }) => Title { ja, en },
        None => Title { ja: person.name.clone(), en: person.name.clone() },
    };
    let municipality = Municipality {
        code: document.value(&source.municipality.code, DEFAULT_CODE, municipality_code)?,
        prefecture: document.value(&source.municipality.prefecture, DEFAULT_PREFECTURE, locality)?,
        city: document.value(&source.municipality.city, DEFAULT_CITY, locality)?,
    };
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
    let keys = keys(&document, &source.keys, &id)?;
    Ok(Holder { id, title, person, municipality, pins, card, keys })
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

fn person(document: &Document<'_>, source: &PersonSource) -> Result<Person, DocumentError> {
    let name =
        full_width_text(&source.name.value).map_err(|problem| document.error(&source.name, problem))?;
    let birth = birth(&source.birth.value).map_err(|problem| document.error(&source.birth, problem))?;
    let sex = match source.sex {
        SexSource::Male => Sex::Male,
        SexSource::Female => Sex::Female,
        SexSource::Unknown => Sex::Unknown,
    };
    let address = document.value(&source.address, DEFAULT_ADDRESS, full_width_text)?;
    let my_number = document.value(&source.my_number, DEFAULT_MY_NUMBER, MyNumber::parse)?;
    Ok(Person { name, birth, sex, address, my_number })
}

fn keys(document: &Document<'_>, source: &KeysSource, id: &str) -> Result<Keys, DocumentError> {
    let spare = |purpose| KeyName::spare(id, purpose);
    let user_authentication =
        document.value(&source.user_authentication, &spare("user-authentication"), KeyName::parse)?;
    let digital_signature =
        document.value(&source.digital_signature, &spare("digital-signature"), KeyName::parse)?;
    Ok(Keys {
        user_authentication,
        digital_signature,
        text: document.value(&source.text, &spare("text"), KeyName::parse)?,
        visual: document.value(&source.visual, &spare("visual"), KeyName::parse)?,
        session: document.value(&source.session, &spare("session"), KeyName::parse)?,
        common: document.value(&source.common, &spare("common"), KeyName::parse)?,
    })
}

fn full_width_text(text: &str) -> Result<String, String> {
    let characters = text.chars().count();
    if text.trim().is_empty() {
        Err("expected some text here; this is empty".into())
    } else if characters > MAX_CHARACTERS {
        Err(format!("this has {characters} characters; at most {MAX_CHARACTERS} fit into a certificate"))
    } else if text.chars().any(char::is_control) {
        Err("a line break or another control character does not belong here".into())
    } else {
        Ok(text.to_owned())
    }
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

/// The same error without any value: the line masked, and what the YAML reader quotes left out.
fn masked(error: DocumentError, text: &str) -> DocumentError {
    let DocumentError::Invalid { position, problem, .. } = error else { return error };
    let names_only = ["unknown field", "missing field", "duplicate mapping key"];
    let problem = if names_only.iter().any(|start| problem.starts_with(start)) {
        problem
    } else {
        match problem.rsplit_once("expected ") {
            Some((_, expected)) if !expected.contains(['"', '\'']) => format!("expected {expected}"),
            _ => "this is not YAML that can be read here".to_owned(),
        }
    };
    DocumentError::invalid(&mask_values(text), position, problem)
}

/// `text` with every letter and digit replaced by `*`, except in keys (words before a colon).
/// Columns stay where they were.
fn mask_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
        } else {
            let is_key = character == ':' && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            shown.extend(word.drain(..).map(|c| match c {
                c if is_key => c,
                c if c.is_ascii() => '*',
                _ => '＊',
            }));
            shown.push(character);
        }
    }
    shown.pop();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "person: {name: 試験　太郎, birth: 2001-02-03}\n";

    fn problem(text: &str) -> String {
        parse("folder/taro.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn name_and_birth_are_enough() {
        let holder = parse("folder/taro.yaml", SHORT).unwrap();
        assert_eq!(holder.id(), "taro");
        assert_eq!(holder.title.ja, "試験　太郎");
        assert_eq!(holder.person.birth, date(2001, 2, 3));
        assert_eq!(holder.person.sex, Sex::Unknown);
        assert_eq!(holder.municipality.city, "Chiyoda-ku");
        assert!(holder.pins.digital_signature.matches(b"ABC123"));
        assert_eq!(holder.keys.user_authentication.as_str(), KeyName::spare("taro", "user-authentication"));
        assert!(holder.pins.text_input.matches(b"1234") && holder.pins.common_card.matches(b"1234"));
        assert_eq!(holder.card.security_code.as_bytes().len(), 4);
        assert_eq!(holder.card.expiry, None);
    }

    #[test]
    fn what_is_printed_on_the_card_can_be_told() {
        let text = format!("{SHORT}card: {{security_code: \"0815\", expiry: 2035-02-03}}\n");
        let card = parse("taro.yaml", &text).unwrap().card;
        assert!(card.security_code.matches(b"0815"));
        assert_eq!(card.expiry, Some(date(2035, 2, 3)));
        for (written, expected) in [
            ("security_code: 98765", "2:23: a security code has 4 digits"),
            ("expiry: 2035-02-30", "2:16: expected a date that exists"),
        ] {
            let told = problem(&format!("{SHORT}card: {{{written}}}\n"));
            assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{told}");
            assert!(!told.contains("98765"), "{told}");
        }
    }

    #[test]
    fn an_unknown_key_name_is_answered_with_the_known_ones() {
        let told = problem(&format!("{SHORT}keys: {{digital_signature: nobody}}\n"));
        assert!(
            told.starts_with("folder/taro.yaml:2:27: no key in the pool has this name; there are "),
            "{told}"
        );
        assert!(told.contains("hanako-digital-signature"), "{told}");
    }

    #[test]
    fn a_wrong_check_digit_is_shown_with_the_right_one() {
        let text = "person:\n  name: 試験　太郎\n  birth: 2001-02-03\n  my_number: \"123456789012\"\n";
        assert_eq!(
            problem(text),
            "folder/taro.yaml:4:14: the check digit of a My Number that begins so is 8, not 2\n   |\n \
             4 |   my_number: \"************\"\n   |              ^"
        );
    }

    #[test]
    fn leading_zeros_survive_without_quotes() {
        let holder = parse("taro.yaml", &format!("{SHORT}pins: {{user_authentication: 0012}}\n")).unwrap();
        assert!(holder.pins.user_authentication.matches(b"0012"));
    }

    #[test]
    fn no_error_prints_a_pin() {
        for pins in [
            "pins: {user_authentication: 98765}",
            "pins: {user_authentication: \"98765\", digital_signature: S3CRET98765}",
            "pins: {digital_signature: s3cret98765}",
            "pins: {user_authentication: \"9876\", digitalsignature: S3CRET98765}",
            "pins: S3CRET98765",
            "pins: [98765, S3CRET98765]",
            "pins: {user_authentication: [98765]}",
            "pins: {user_authentication: !!int S3CRET98765}",
            "pins: {user_authentication: \"98765}",
            "pins: {user_authentication: \"S3CRET98765\\q\"}",
            "pins: {user_authentication: *S3CRET98765}",
            "pins: 98765: S3CRET98765",
            "pin: {user_authentication: \"98765\"}",
            "S3CRET98765",
            "pins:\n  user_authentication: 98765\n digital_signature: S3CRET98765",
        ] {
            let told = problem(&format!("{SHORT}{pins}\n"));
            for secret in ["98765", "9876", "S3CRET", "s3cret"] {
                assert!(!told.contains(secret), "{told}");
            }
            assert!(told.starts_with("folder/taro.yaml:"), "{told}");
        }
    }

    #[test]
    fn a_pin_of_the_wrong_form_is_told_the_rule() {
        let text = format!("{SHORT}pins: {{user_authentication: \"12345\"}}\n");
        assert_eq!(
            problem(&text),
            "folder/taro.yaml:2:29: this PIN has 4 digits (0 to 9)\n   |\n \
             2 | pins: {user_authentication: \"*****\"}\n   |                             ^"
        );
    }

    #[test]
    fn values_that_no_certificate_can_hold_are_refused_where_they_stand() {
        let long = "字".repeat(201);
        for (text, expected) in [
            ("person: {name: a, birth: 2001-02-30}".to_owned(), "1:26: expected a date that exists"),
            ("person: {name: a, birth: 1872-12-31}".to_owned(), "1:26: expected a date of birth from 1873"),
            (format!("person: {{name: {long}, birth: 2001-02-03}}"), "1:16: this has 201 characters"),
            ("person: {name: \"a\\nb\", birth: 2001-02-03}".to_owned(), "1:16: a line break"),
            (format!("{SHORT}municipality: {{code: \"131016\"}}"), "2:22: a municipality code has 5 digits"),
            (format!("{SHORT}municipality: {{city: 千代田区}}"), "2:22: expected a name in Latin letters"),
            ("person: {name: a}".to_owned(), "1:"),
        ] {
            let told = problem(&text);
            assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{told}");
        }
    }
}
