//! The parts of a profile's document that are maps. Entries that it leaves out are those of the profile that
//! it extends; without one, the name of the first entry that is not told is the error.

use super::{Certificates, EmptyVerify, EmptyVerifyAnswer, Fate, SecurityStatusLifetime, Tries};
use crate::key::Algorithm;
use crate::pin::PinName;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;

/// Years from the issue of a certificate to its end, from and to.
const FEWEST_YEARS: i16 = 5;
const MOST_YEARS: i16 = 10;

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct TriesSource(BTreeMap<PinName, Count>);

#[derive(Deserialize, Clone, Copy)]
struct Count(#[serde(deserialize_with = "tries")] u8);

impl TriesSource {
    pub fn onto(&self, base: Option<&Tries>) -> Result<Tries, String> {
        let mut all = base.map_or([0; PinName::ALL.len()], |base| base.0);
        for pin in PinName::ALL {
            match self.0.get(&pin) {
                Some(Count(count)) => all[pin as usize] = *count,
                None if base.is_none() => return Err(pin.to_string()),
                None => {}
            }
        }
        Ok(Tries(all))
    }
}

fn tries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        tries @ 1..=15 => Ok(tries),
        tries => Err(de::Error::custom(format!("a PIN has 1 to 15 tries, not {tries}"))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CertificatesSource {
    algorithm: Option<Algorithm>,
    years: Option<Years>,
}

#[derive(Deserialize, Clone, Copy)]
struct Years(#[serde(deserialize_with = "years")] i16);

impl CertificatesSource {
    pub fn onto(&self, base: Option<&Certificates>) -> Result<Certificates, String> {
        Ok(Certificates {
            algorithm: entry("algorithm", self.algorithm, base.map(|base| base.algorithm))?,
            years: entry("years", self.years.map(|years| years.0), base.map(|base| base.years))?,
        })
    }
}

fn years<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i16, D::Error> {
    match i16::deserialize(deserializer)? {
        years @ FEWEST_YEARS..=MOST_YEARS => Ok(years),
        years => Err(de::Error::custom(format!(
            "certificates are valid for {FEWEST_YEARS} to {MOST_YEARS} years, not {years}"
        ))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmptyVerifySource {
    when_verified: Option<EmptyVerifyAnswer>,
    when_blocked: Option<EmptyVerifyAnswer>,
}

impl EmptyVerifySource {
    pub fn onto(&self, base: Option<&EmptyVerify>) -> Result<EmptyVerify, String> {
        Ok(EmptyVerify {
            when_verified: entry("when_verified", self.when_verified, base.map(|base| base.when_verified))?,
            when_blocked: entry("when_blocked", self.when_blocked, base.map(|base| base.when_blocked))?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecurityStatusSource {
    on_warm_reset: Option<Fate>,
    on_selecting_the_same_application: Option<Fate>,
}

impl SecurityStatusSource {
    pub fn onto(&self, base: Option<&SecurityStatusLifetime>) -> Result<SecurityStatusLifetime, String> {
        Ok(SecurityStatusLifetime {
            on_warm_reset: entry("on_warm_reset", self.on_warm_reset, base.map(|base| base.on_warm_reset))?,
            on_selecting_the_same_application: entry(
                "on_selecting_the_same_application",
                self.on_selecting_the_same_application,
                base.map(|base| base.on_selecting_the_same_application),
            )?,
        })
    }
}

fn entry<T>(name: &str, own: Option<T>, base: Option<T>) -> Result<T, String> {
    own.or(base).ok_or_else(|| name.to_owned())
}
