//! A profile's YAML document. It tells everything, or `extends` a built-in profile and tells what is
//! different.

use super::{
    AnswerToReset, Applications, CertificateAccess, Certificates, EmptyVerify, Latency, Profile,
    SecurityStatusLifetime, SharedPins, Tries, VerificationCodes,
};
use crate::apdu::{MAX_RESPONSE_DATA, Status};
use crate::bilingual::Bilingual;
use crate::document::{self, DocumentError, Position, Spanned};
use crate::hex::{self, Bytes};
use serde::{Deserialize, Deserializer, de};

/// Fewest bytes that every card answers: those of a short Le.
const SHORT_LE: u32 = 256;

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
    applications: Option<Applications>,
    user_authentication_certificate: Option<CertificateAccess>,
    certificates: Option<Certificates>,
    shared_pins: Option<SharedPins>,
    verification_codes: Option<VerificationCodes>,
    tries: Option<Tries>,
    blocked_status: Option<StatusSource>,
    empty_verify: Option<EmptyVerify>,
    security_status: Option<SecurityStatusLifetime>,
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
        Ok(Profile {
            title: self.title,
            preview: self.preview,
            atr: told!(atr, self.atr),
            stored_atr: told!(stored_atr, self.stored_atr),
            token_label: told!(token_label, self.token_label.map(|label| label.value)),
            applications: told!(applications, self.applications),
            user_authentication_certificate: told!(
                user_authentication_certificate,
                self.user_authentication_certificate
            ),
            certificates: told!(certificates, self.certificates),
            shared_pins: told!(shared_pins, self.shared_pins),
            verification_codes: told!(verification_codes, self.verification_codes),
            tries: told!(tries, self.tries),
            blocked_status: told!(blocked_status, self.blocked_status.map(|status| status.0)),
            empty_verify: told!(empty_verify, self.empty_verify),
            security_status: told!(security_status, self.security_status),
            last_command_status: told!(last_command_status, self.last_command_status.map(|status| status.0)),
            extended_length: told!(extended_length, self.extended_length),
            longest_response: told!(longest_response, self.longest_response.map(|longest| longest.value)),
            latency: told!(latency, self.latency),
        })
    }
}

fn is_label(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}
