//! The part of a holder's document that says in what state the card is.

use super::Document;
use crate::document::{DocumentError, Spanned};
use crate::holder::{
    CertificateState, Certificates, IssuingGeneration, SignatureCertificate, State, TriesLeft,
};
use crate::pin::PinName;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Most tries that `63Cx` can tell.
const MAX_TRIES: u8 = 15;
/// Longest ago that a certificate may have expired, in days.
const MAX_DAYS: u16 = 3650;
/// What stands for every PIN.
const ALL: &str = "all";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct StateSource {
    #[serde(default)]
    tries_left: BTreeMap<String, Spanned<u8>>,
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

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CertificateSource {
    None,
    Valid,
    Expired,
    ExpiredDaysAgo(u16),
    NotYetValid,
    Revoked,
    OnHold,
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
        for (key, at) in &self.tries_left {
            if at.value > MAX_TRIES {
                return Err(document.error(at, format!("a PIN has at most {MAX_TRIES} tries")));
            }
            match PinName::ALL.into_iter().find(|pin| pin.to_string() == *key) {
                Some(pin) => {
                    tries_left.of.insert(pin, at.value);
                }
                None if key == ALL => tries_left.all = Some(at.value),
                None => {
                    let known = PinName::ALL.map(|pin| format!("`{pin}`")).join(", ");
                    return Err(document.error(at, format!("expected a number beside `{ALL}`, {known}")));
                }
            }
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
        CertificateSource::ExpiredDaysAgo(days @ 1..=MAX_DAYS) => CertificateState::ExpiredDaysAgo(days),
        CertificateSource::ExpiredDaysAgo(_) => {
            return Err(document.error(at, format!("expected 1 to {MAX_DAYS} days")));
        }
        CertificateSource::NotYetValid => CertificateState::NotYetValid,
        CertificateSource::Revoked => CertificateState::Revoked,
        CertificateSource::OnHold => CertificateState::OnHold,
    }))
}
