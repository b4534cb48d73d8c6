//! A profile's YAML document. It tells everything, or `extends` a built-in profile and tells what is
//! different: of the tries, the certificates and what happens when, single entries too.

use super::parts::{CertificatesSource, EmptyVerifySource, SecurityStatusSource, TriesSource};
use super::{
    AnswerToReset, Applications, CertificateAccess, Latency, Profile, SharedPins, VerificationCodes,
};
use crate::apdu::{MAX_RESPONSE_DATA, Status};
use crate::bilingual::Bilingual;
use crate::document::{self, DocumentError, Position, Spanned};
use crate::hex::{self, Bytes};
use crate::pin::PinName;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;

/// Fewest bytes that every card answers: those of a short Le.
const SHORT_LE: u32 = 256;
/// The application that every card has, beside the card manager.
const JPKI: &str = "jpki";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    extends: Option<Spanned<String>>,
    title: Bilingual,
    #[serde(default)]
    preview: bool,
    atr: Option<AnswerToReset>,
    stored_atr: Option<Bytes>,
    token_label: Option<Spanned<String>>,
    applications: Option<Spanned<Applications>>,
    user_authentication_certificate: Option<CertificateAccess>,
    certificates: Option<Spanned<CertificatesSource>>,
    shared_pins: Option<BTreeMap<PinName, Spanned<PinName>>>,
    verification_codes: Option<VerificationCodes>,
    tries: Option<Spanned<TriesSource>>,
    blocked_status: Option<StatusSource>,
    empty_verify: Option<Spanned<EmptyVerifySource>>,
    security_status: Option<Spanned<SecurityStatusSource>>,
    last_command_status: Option<StatusSource>,
    extended_length: Option<bool>,
    longest_response: Option<Spanned<u32>>,
    latency: Option<Latency>,
}

struct StatusSource(Status);

impl<'de> Deserialize<'de> for StatusSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match hex::decode(&text).as_deref() {
            Ok(&[sw1, sw2]) => Ok(Self(Status::from(u16::from_be_bytes([sw1, sw2])))),
            _ => {
                Err(de::Error::custom(format!("a status is four hex digits, such as \"6984\", not {text:?}")))
            }
        }
    }
}

pub(super) fn parse(file: &str, text: &str) -> Result<Profile, DocumentError> {
    let source: Source = document::parse(file, text)?;
    let base = match &source.extends {
        None => None,
        Some(name) => Some(Profile::built_in(&name.value).ok_or_else(|| {
            let known = Profile::built_in_names().collect::<Vec<_>>().join(", ");
            let problem = format!("no built-in profile has this name; there are: {known}");
            DocumentError::invalid(text, Position::of(file, name), problem)
        })?),
    };
    source.onto(base, file, text)
}

impl Source {
    fn onto(self, base: Option<Profile>, file: &str, text: &str) -> Result<Profile, DocumentError> {
        let missing = |field: &str| {
            let start = Position { file: file.to_owned(), line: 1, column: 1 };
            let problem =
                format!("missing field `{field}`; only a profile that `extends` another may leave it out");
            DocumentError::invalid(text, start, problem)
        };
        let invalid = |at: Position, problem: String| DocumentError::invalid(text, at, problem);
        if let Some(at) = self.applications.as_ref().filter(|at| !at.value.contains(JPKI)) {
            let problem =
                "a card has `jpki` here: it is what authenticates and signs, and scenarios begin with it";
            return Err(invalid(Position::of(file, at), problem.to_owned()));
        }
        let shared_pins = match &self.shared_pins {
            None => None,
            Some(written) => {
                Some(shared_pins(written).map_err(|(at, problem)| invalid(Position::of(file, at), problem))?)
            }
        };
        if let Some(label) = self.token_label.as_ref().filter(|label| !is_label(&label.value)) {
            let problem = "expected a label of 1 to 32 ASCII characters";
            return Err(DocumentError::invalid(text, Position::of(file, label), problem));
        }
        if let Some(longest) = &self.longest_response
            && !(SHORT_LE..=MAX_RESPONSE_DATA as u32).contains(&longest.value)
        {
            let problem = format!("expected {SHORT_LE} to {MAX_RESPONSE_DATA} bytes");
            return Err(DocumentError::invalid(text, Position::of(file, longest), problem));
        }
        macro_rules! told {
            ($field:ident, $own:expr) => {
                match ($own, &base) {
                    (Some(own), _) => own,
                    (None, Some(base)) => base.$field.clone(),
                    (None, None) => return Err(missing(stringify!($field))),
                }
            };
        }
        macro_rules! merged {
            ($field:ident) => {
                match (self.$field, &base) {
                    (Some(own), base) => {
                        let at = Position::of(file, &own);
                        own.value.onto(base.as_ref().map(|base| &base.$field)).map_err(|entry| {
                            let whole = "only a profile that `extends` another may leave it out";
                            invalid(at, format!("`{entry}` is not told here; {whole}"))
                        })?
                    }
                    (None, Some(base)) => base.$field.clone(),
                    (None, None) => return Err(missing(stringify!($field))),
                }
            };
        }
        Ok(Profile {
            title: self.title,
            preview: self.preview,
            atr: told!(atr, self.atr),
            stored_atr: told!(stored_atr, self.stored_atr),
            token_label: told!(token_label, self.token_label.map(|label| label.value)),
            applications: told!(applications, self.applications.map(|applications| applications.value)),
            user_authentication_certificate: told!(
                user_authentication_certificate,
                self.user_authentication_certificate
            ),
            certificates: merged!(certificates),
            shared_pins: told!(shared_pins, shared_pins),
            verification_codes: told!(verification_codes, self.verification_codes),
            tries: merged!(tries),
            blocked_status: told!(blocked_status, self.blocked_status.map(|status| status.0)),
            empty_verify: merged!(empty_verify),
            security_status: merged!(security_status),
            last_command_status: told!(last_command_status, self.last_command_status.map(|status| status.0)),
            extended_length: told!(extended_length, self.extended_length),
            longest_response: told!(longest_response, self.longest_response.map(|longest| longest.value)),
            latency: told!(latency, self.latency),
        })
    }
}

/// `written`, or which entry leads nowhere, and why.
fn shared_pins(
    written: &BTreeMap<PinName, Spanned<PinName>>,
) -> Result<SharedPins, (&Spanned<PinName>, String)> {
    for (reference, at) in written {
        let pin = at.value;
        if pin == *reference {
            return Err((
                at,
                format!("`{pin}` cannot be shared with itself; name another PIN, or leave it out"),
            ));
        }
        if let Some(behind) = written.get(&pin) {
            let problem = format!(
                "`{pin}` is no PIN of its own here but `{}`; name a PIN that is not shared itself",
                behind.value
            );
            return Err((at, problem));
        }
    }
    Ok(SharedPins::new(written.iter().map(|(reference, at)| (*reference, at.value)).collect()))
}

fn is_label(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}
