//! What differs between cards, as data: ATR, limits, statuses, lifetimes. The built-in profiles
//! are `vectors/profiles/*.yaml`; a file of the same form makes another card.

mod applications;
mod atr;
mod certificates;
mod latency;
mod parts;
mod shared_pins;
mod source;

pub use applications::Applications;
pub use atr::AnswerToReset;
pub use certificates::Certificates;
pub use latency::Latency;
pub use shared_pins::SharedPins;

use crate::apdu::Status;
use crate::bilingual::Bilingual;
use crate::document::{self, DocumentError};
use crate::hex::Bytes;
use crate::pin::PinName;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use std::path::Path;

/// A kind of card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// what the profile stands for
    pub title: Bilingual,
    /// whether so little is public that much of it is a guess
    pub preview: bool,
    /// the answer to reset
    pub atr: AnswerToReset,
    /// the answer to reset of the contacts without its first byte, as GET DATA tells it
    pub stored_atr: Bytes,
    /// first field of the token information, without padding
    pub token_label: String,
    /// the applications that there are
    pub applications: Applications,
    /// whether reading the certificate for authentication needs its PIN
    pub user_authentication_certificate: CertificateAccess,
    /// of what kind the certificates are
    pub certificates: Certificates,
    /// which PINs are one
    pub shared_pins: SharedPins,
    /// what the 照合番号 of 券面事項入力補助 are
    pub verification_codes: VerificationCodes,
    /// wrong values that may be presented before a PIN is blocked
    pub tries: Tries,
    /// the answer to VERIFY when the PIN is blocked
    pub blocked_status: Status,
    /// answers to the empty VERIFY
    pub empty_verify: EmptyVerify,
    /// when verified PINs stay verified
    pub security_status: SecurityStatusLifetime,
    /// the answer to `80 FC 00 00`, the "last command indicator"
    pub last_command_status: Status,
    /// whether commands and answers may have extended lengths
    pub extended_length: bool,
    /// most bytes of an answer, without its status
    pub longest_response: u32,
    /// how long the card takes; see [`crate::latency`]
    pub latency: Latency,
}

/// Who may read a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateAccess {
    /// anybody
    Free,
    /// who has verified its PIN
    WithPin,
}

/// What the 照合番号 of 券面事項入力補助 are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationCodes {
    /// A is the individual number, B is made of date of birth, expiry and security code
    TwelveAndFourteenDigits,
    /// the last two digits of the year of expiry and the security code
    SixDigits,
}

/// How many tries each PIN has: 1 to 15, as many as `63Cx` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries([u8; PinName::ALL.len()]);

impl Tries {
    /// How many tries `pin` has when its counter is full.
    #[must_use]
    pub const fn of(&self, pin: PinName) -> u8 {
        self.0[pin as usize]
    }

    /// The same, but at least `tries` of `pin`: a card that has so many left has so many when full.
    #[must_use]
    pub const fn at_least(mut self, pin: PinName, tries: u8) -> Self {
        if self.0[pin as usize] < tries {
            self.0[pin as usize] = tries;
        }
        self
    }
}

/// Answers to the empty VERIFY where sources differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmptyVerify {
    /// when the PIN is verified
    pub when_verified: EmptyVerifyAnswer,
    /// when the PIN is blocked
    pub when_blocked: EmptyVerifyAnswer,
}

/// One way of answering the empty VERIFY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyVerifyAnswer {
    /// `63Cx`
    TriesLeft,
    /// `9000`
    Success,
    /// the profile's `blocked_status`
    BlockedStatus,
}

/// When verified PINs stay verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecurityStatusLifetime {
    /// over a warm reset
    pub on_warm_reset: Fate,
    /// over SELECT of the application that is selected already
    pub on_selecting_the_same_application: Fate,
}

/// What becomes of the security status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// verified PINs stay verified
    Kept,
    /// no PIN is verified afterwards
    Cleared,
}

static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/profiles");

impl Profile {
    /// The names of the built-in profiles, in alphabetical order.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        let mut names: Vec<_> =
            PROFILES.files().filter_map(|file| file.path().file_stem()?.to_str()).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// The built-in profile of that name.
    ///
    /// # Panics
    /// If a profile that ships with this crate were broken; a test proves that none is.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let text = PROFILES.get_file(format!("{name}.yaml"))?.contents_utf8()?;
        let parsed = Self::parse(&format!("vectors/profiles/{name}.yaml"), text);
        Some(parsed.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The physical card on its contacts.
    ///
    /// # Panics
    /// As [`Profile::built_in`].
    #[must_use]
    pub fn card() -> Self {
        Self::built_in("card").expect("the profile `card` is built in")
    }

    /// Reads `text`, the contents of `file`: a whole profile, or one that `extends` a built-in one and
    /// tells what is different.
    ///
    /// # Errors
    /// [`DocumentError`] with the position of the first mistake.
    pub fn parse(file: &str, text: &str) -> Result<Self, DocumentError> {
        source::parse(file, text)
    }

    /// Reads the profile at `path`.
    ///
    /// # Errors
    /// [`DocumentError`] when it cannot be read or has a mistake.
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        Self::parse(&path.display().to_string(), &document::read(path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::undocumented::Situation;

    #[test]
    fn every_built_in_profile_is_sound() {
        for name in Profile::built_in_names() {
            assert!(Profile::built_in(name).is_some());
        }
    }

    #[test]
    fn a_third_party_writes_what_is_different() {
        let text = "extends: android\ntitle: {ja: 私の, en: mine}\nblocked_status: \"6983\"\n";
        let mine = Profile::parse("mine.yaml", text).unwrap();
        let android = Profile::built_in("android").unwrap();
        assert_eq!(mine.blocked_status, Status::AuthenticationMethodBlocked);
        assert_eq!(mine.token_label, android.token_label);
        assert_eq!(mine.applications, android.applications);
        assert!(!mine.preview);
        for (text, expected) in [
            ("title: {ja: あ, en: a}\n", "mine.yaml:1:1: missing field `atr`"),
            ("title: {ja: あ, en: a}\nextends: card2\n", "mine.yaml:2:10: no built-in profile has this name"),
            ("extends: card\ntitle: {ja: あ, en: a}\nlatency: {sign: 200000}\n", "mine.yaml:3:"),
            (
                "extends: card\ntitle: {ja: あ, en: a}\nlongest_response: 255\n",
                "mine.yaml:3:19: expected 256 to",
            ),
            ("extends: card\ntitle: {ja: あ, en: a}\napplications: [jpky]\n", "mine.yaml:3:"),
            (
                "extends: card\ntitle: {ja: あ, en: a}\natr: \"3B E\"\n",
                "mine.yaml:3:6: an answer to reset is",
            ),
            (
                "extends: card\ntitle: {ja: あ, en: a}\ntoken_label: ラベル\n",
                "mine.yaml:3:14: expected a label",
            ),
        ] {
            let told = Profile::parse("mine.yaml", text).unwrap_err().to_string();
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn a_status_of_the_wrong_form_is_named() {
        let text = include_str!("../vectors/profiles/card.yaml").replace("\"6984\"", "\"698\"");
        let error = Profile::parse("mine.yaml", &text).unwrap_err().to_string();
        assert!(error.contains("mine.yaml:34:17: a status is four hex digits"), "{error}");
    }

    #[test]
    fn the_tries_of_every_pin_are_told_and_fit_into_a_status() {
        let text = include_str!("../vectors/profiles/card.yaml");
        for (wrong, expected) in [
            (text.replace("birth_date: 10,", ""), "`birth_date` is not told here; only a profile that"),
            (text.replace("birth_date: 10", "birth_date: 16"), "a PIN has 1 to 15 tries, not 16"),
        ] {
            let error = Profile::parse("mine.yaml", &wrong).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn what_a_map_leaves_out_is_as_in_the_profile_that_is_extended() {
        let mine = |changed: &str| {
            let text = format!("extends: next-generation\ntitle: {{ja: 私の, en: mine}}\n{changed}\n");
            Profile::parse("mine.yaml", &text).unwrap()
        };
        let base = Profile::built_in("next-generation").unwrap();
        let tries = mine("tries: {user_authentication: 7}").tries;
        assert_eq!(tries.of(PinName::UserAuthentication), 7);
        assert_eq!(tries.of(PinName::TextInput), base.tries.of(PinName::TextInput));
        let certificates = mine("certificates: {years: 7}").certificates;
        assert_eq!((certificates.algorithm, certificates.years), (base.certificates.algorithm, 7));
        let answers = mine("empty_verify: {when_blocked: success}").empty_verify;
        assert_eq!(answers.when_blocked, EmptyVerifyAnswer::Success);
        assert_eq!(answers.when_verified, base.empty_verify.when_verified);
        let lifetime = mine("security_status: {on_warm_reset: cleared}").security_status;
        assert_eq!(lifetime.on_warm_reset, Fate::Cleared);
        assert_eq!(lifetime.on_selecting_the_same_application, Fate::Kept);
    }

    #[test]
    fn a_card_that_cannot_be_is_told_with_its_line() {
        for (wrong, expected) in [
            ("shared_pins: {text_input: text_input}", "3:27: `text_input` cannot be shared with itself"),
            (
                "shared_pins: {text_input: digital_signature, digital_signature: text_input}",
                "3:65: `text_input` is no PIN of its own here but `digital_signature`; name a PIN",
            ),
            (
                "shared_pins: {text_code_a: text_input, text_input: digital_signature}",
                "3:28: `text_input` is no PIN of its own",
            ),
            ("applications: []", "3:15: a card has `jpki` here"),
            ("applications: [text, juki]", "3:15: a card has `jpki` here"),
            ("atr: \"3B E0 00 FF 81 31 FE 45 15\"", "3:6: the last byte is 15"),
            ("certificates: {years: 4}", "3:23: certificates are valid for 5 to 10 years, not 4"),
            ("tries: {text_input: 0}", "3:21: a PIN has 1 to 15 tries, not 0"),
        ] {
            let text = format!("extends: card\ntitle: {{ja: 私の, en: mine}}\n{wrong}\n");
            let told = Profile::parse("mine.yaml", &text).unwrap_err().to_string();
            assert!(told.starts_with(&format!("mine.yaml:{expected}")), "{wrong}: {told}");
        }
    }

    #[test]
    fn the_tries_that_nobody_knows_are_those_of_the_table() {
        let tries = Profile::card().tries.of(PinName::BirthDate);
        assert_eq!(Situation::BirthDateTries.answer(), Some(Status::TriesLeft(tries)));
    }
}
