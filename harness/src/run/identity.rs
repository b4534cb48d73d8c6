//! What tells one card from another.

use super::event::CardIdentity;
use crate::verify::Certificate;
use jiff::Timestamp;
use vmyna_sim::card::Personalised;
use vmyna_sim::hex::Spaced;

impl CardIdentity {
    /// Of a card that was read: its answer to reset, and its certificate for user authentication
    /// where that can be read without a PIN.
    #[must_use]
    pub fn of(atr: &[u8], certificate: Option<&Certificate>) -> Self {
        let mut identity = Self { atr: Some(Spaced(atr).to_string()), ..Self::default() };
        if let Some(certificate) = certificate {
            let body = certificate.parsed().tbs_certificate();
            identity.subject = Some(body.subject().to_string());
            identity.issuer = Some(body.issuer().to_string());
            identity.serial = Some(Spaced(body.serial_number().as_bytes()).to_string());
            let not_after = Timestamp::try_from(body.validity().not_after.to_system_time());
            identity.not_after = not_after.ok().map(|time| time.to_string());
        }
        identity
    }

    /// Of a built-in card with the answer to reset `atr`; `profile` is the name of its profile.
    #[must_use]
    pub fn of_built_in(personalised: &Personalised, atr: &[u8], profile: &str) -> Self {
        let certificate = Certificate::parse(&personalised.issued().user_authentication.certificate).ok();
        Self {
            profile: Some(profile.to_owned()),
            holder: Some(personalised.holder().title.en.clone()),
            holder_ja: Some(personalised.holder().title.ja.clone()),
            ..Self::of(atr, certificate.as_ref())
        }
    }
}
