//! The part of a holder's document that says in what state the card is.

use super::Document;
use crate::document::{DocumentError, Spanned};
use crate::holder::{
    CertificateState, Certificates, IssuingGeneration, SignatureCertificate, State, TriesLeft,
};
use crate::pin::PinName;
use crate::profile::Profile;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// Longest ago that a certificate may have expired, in days.
const MAX_DAYS: u16 = 3650;
const EXPIRED_DAYS_AGO: &str = "expired_days_ago";
/// What stands for every PIN.
const ALL: &str = "all";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct StateSource {
    #[serde(default)]
    tries_left: BTreeMap<String, Spanned<i64>>,
    #[serde(default)]
    certificates: CertificatesSource,
    #[serde(default)]
    generation: GenerationSource,
    renewed: Option<Spanned<bool>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CertificatesSource {
    user_authentication: Option<Spanned<CertificateSource>>,
    digital_signature: Option<Spanned<CertificateSource>>,
}

enum CertificateSource {
    None,
    Valid,
    Expired,
    /// none where the name stands alone
    ExpiredDaysAgo(Option<i64>),
    NotYetValid,
    Revoked,
    OnHold,
}

const CERTIFICATES: &str =
    "expected one of none, valid, expired, {expired_days_ago: DAYS}, not_yet_valid, revoked, on_hold";

impl<'de> Deserialize<'de> for CertificateSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = CertificateSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(CERTIFICATES.trim_start_matches("expected "))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CertificateSource, E> {
                Ok(match text {
                    "none" => CertificateSource::None,
                    "valid" => CertificateSource::Valid,
                    "expired" => CertificateSource::Expired,
                    EXPIRED_DAYS_AGO => CertificateSource::ExpiredDaysAgo(None),
                    "not_yet_valid" => CertificateSource::NotYetValid,
                    "revoked" => CertificateSource::Revoked,
                    "on_hold" => CertificateSource::OnHold,
                    _ => return Err(E::custom(CERTIFICATES)),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CertificateSource, A::Error> {
                match map.next_entry::<String, i64>()? {
                    Some((name, days)) if name == EXPIRED_DAYS_AGO && map.next_key::<String>()?.is_none() => {
                        Ok(CertificateSource::ExpiredDaysAgo(Some(days)))
                    }
                    _ => Err(de::Error::custom(CERTIFICATES)),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum GenerationSource {
    #[default]
    Current,
    Previous,
    Oldest,
}

impl StateSource {
    pub(super) fn read(&self, document: &Document<'_>) -> Result<State, DocumentError> {
        let state = State {
            tries_left: self.tries_left(document)?,
            certificates: self.certificates.read(document)?,
            generation: match self.generation {
                GenerationSource::Current => IssuingGeneration::Current,
                GenerationSource::Previous => IssuingGeneration::Previous,
                GenerationSource::Oldest => IssuingGeneration::Oldest,
            },
            renewed: self.renewed.as_ref().is_some_and(|renewed| renewed.value),
        };
        self.refuse_what_cannot_be(&state, document)?;
        Ok(state)
    }

    fn tries_left(&self, document: &Document<'_>) -> Result<TriesLeft, DocumentError> {
        let mut tries_left = TriesLeft::default();
        if self.tries_left.is_empty() {
            return Ok(tries_left);
        }
        let full = Profile::card().tries;
        let within = |at: &Spanned<i64>, pin: PinName| {
            let most = full.of(pin);
            u8::try_from(at.value).ok().filter(|tries| *tries <= most).ok_or_else(|| {
                document
                    .error(at, format!("expected 0 to {most} tries: the full counter of {pin} has {most}"))
            })
        };
        for (key, at) in self.tries_left.iter().filter(|(key, _)| *key != ALL) {
            let Some(pin) = PinName::ALL.into_iter().find(|pin| pin.to_string() == *key) else {
                let known = PinName::ALL.map(|pin| format!("`{pin}`")).join(", ");
                return Err(document.error(at, format!("expected a number beside `{ALL}`, {known}")));
            };
            tries_left.of.insert(pin, within(at, pin)?);
        }
        if let Some(at) = self.tries_left.get(ALL) {
            let others = PinName::ALL.into_iter().filter(|pin| !tries_left.of.contains_key(pin));
            let fewest = others.min_by_key(|pin| full.of(*pin)).unwrap_or(PinName::UserAuthentication);
            tries_left.all = Some(within(at, fewest)?);
        }
        Ok(tries_left)
    }

    /// Dates are given once: by the certificate's state, by the generation, or by the renewal.
    fn refuse_what_cannot_be(&self, state: &State, document: &Document<'_>) -> Result<(), DocumentError> {
        let earlier = state.generation != IssuingGeneration::Current;
        if let Some(renewed) = self.renewed.as_ref().filter(|renewed| renewed.value && earlier) {
            return Err(document.error(renewed, "what has just been renewed is of the current generation"));
        }
        let problem = match (earlier, state.renewed) {
            (true, _) => "a certificate of an earlier generation has its dates from there",
            (_, true) => "what has just been renewed has begun and not ended",
            _ => return Ok(()),
        };
        let CertificatesSource { user_authentication, digital_signature } = &self.certificates;
        for at in [user_authentication, digital_signature].into_iter().flatten() {
            if let CertificateSource::Expired
            | CertificateSource::ExpiredDaysAgo(_)
            | CertificateSource::NotYetValid = at.value
            {
                return Err(document.error(at, problem));
            }
        }
        Ok(())
    }
}

impl CertificatesSource {
    fn read(&self, document: &Document<'_>) -> Result<Certificates, DocumentError> {
        let user_authentication = match &self.user_authentication {
            None => CertificateState::default(),
            Some(at) => state(at, document)?.ok_or_else(|| {
                document.error(at, "every card has this certificate; only `digital_signature` can be none")
            })?,
        };
        let digital_signature = match &self.digital_signature {
            None => SignatureCertificate::default(),
            Some(at) => {
                state(at, document)?.map_or(SignatureCertificate::Absent, SignatureCertificate::Present)
            }
        };
        Ok(Certificates { user_authentication, digital_signature })
    }
}

fn state(
    at: &Spanned<CertificateSource>,
    document: &Document<'_>,
) -> Result<Option<CertificateState>, DocumentError> {
    Ok(Some(match at.value {
        CertificateSource::None => return Ok(None),
        CertificateSource::Valid => CertificateState::Valid,
        CertificateSource::Expired => CertificateState::Expired,
        CertificateSource::ExpiredDaysAgo(days) => {
            let days =
                days.and_then(|days| u16::try_from(days).ok()).filter(|days| (1..=MAX_DAYS).contains(days));
            CertificateState::ExpiredDaysAgo(days.ok_or_else(|| {
                let problem = format!("expected 1 to {MAX_DAYS} days, such as {{{EXPIRED_DAYS_AGO}: 30}}");
                document.error(at, problem)
            })?)
        }
        CertificateSource::NotYetValid => CertificateState::NotYetValid,
        CertificateSource::Revoked => CertificateState::Revoked,
        CertificateSource::OnHold => CertificateState::OnHold,
    }))
}
