//! The register of both authorities: every certificate that they know to have issued, and what has
//! become of it. Plain data with its changes; where it is kept is the [folder](super::Folder)'s
//! business.

use super::status::{releasable, revoked};
use super::{
    Authority, CertificateStatus, Generation, Partition, Reason, Revocation, StatusError, Validity, serial,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;
use x509_cert::serial_number::SerialNumber;

/// The version that is written.
const VERSION: u32 = 1;

/// What an authority notes of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// whose it is
    pub holder: String,
    /// who issued it
    pub authority: Authority,
    /// which generation of the authority, written as the year in which it began
    #[serde(with = "year")]
    pub generation: Generation,
    /// its number among those of the authority
    #[serde(with = "serial::hexadecimal")]
    pub serial_number: SerialNumber,
    /// from when until when it is valid
    pub validity: Validity,
    /// in whose revocation list it would be
    pub municipality: Partition,
    /// what has become of it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

impl Record {
    /// Its status at `now`: a revocation counts from its time on.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> CertificateStatus {
        match self.revoked {
            Some(revocation) if revocation.since <= now => CertificateStatus::Revoked(revocation),
            _ => CertificateStatus::Good,
        }
    }

    /// Whether both are of the same certificate, whatever has become of it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (self.authority, self.generation, &self.serial_number)
            == (other.authority, other.generation, &other.serial_number)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, authority, serial_number, .. } = self;
        write!(f, "{holder} {} {}", authority.purpose(), serial::shown(serial_number))
    }
}

mod year {
    use super::Generation;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(super) fn serialize<S: Serializer>(generation: &Generation, to: S) -> Result<S::Ok, S::Error> {
        generation.year().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Generation, D::Error> {
        let year = i16::deserialize(from)?;
        Generation::of_year(year)
            .ok_or_else(|| de::Error::custom(format!("no generation of an authority began in {year}")))
    }
}

/// All records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    edition: u64,
    records: Vec<Record>,
}

/// A register that cannot be read.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// it is not what was once written
    #[error("this is no complete register ({0})")]
    Damaged(#[from] serde_json::Error),
    /// it was written by a later vmyna
    #[error("this register has version {0}, and this vmyna reads up to {VERSION}")]
    Newer(u64),
}

#[derive(Deserialize)]
struct Envelope {
    vmyna_pki: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    vmyna_pki: u32,
    edition: u64,
    certificates: Vec<Record>,
}

impl Default for Register {
    fn default() -> Self {
        Self::new()
    }
}

impl Register {
    /// A register in which nothing is.
    #[must_use]
    pub const fn new() -> Self {
        Self { edition: 0, records: Vec::new() }
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`RegisterError`] when it is something else.
    pub fn from_json(text: &str) -> Result<Self, RegisterError> {
        let Envelope { vmyna_pki: version } = serde_json::from_str(text)?;
        if version > u64::from(VERSION) {
            return Err(RegisterError::Newer(version));
        }
        let Document { edition, certificates, .. } = serde_json::from_str(text)?;
        Ok(Self { edition, records: certificates })
    }

    /// As JSON, with a line ending; the same register gives the same text.
    ///
    /// # Errors
    /// None is known; they are those of the JSON writer.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let document =
            Document { vmyna_pki: VERSION, edition: self.edition, certificates: self.records.clone() };
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    /// How many times what revocation lists say has changed.
    #[must_use]
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// All records, in the order in which they came.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Notes a certificate. One that is there already stays as it is.
    pub fn enrol(&mut self, record: Record) {
        if !self.records.iter().any(|known| known.is(&record)) {
            self.count_change(record.revoked.is_some());
            self.records.push(record);
        }
    }

    /// Revokes the certificate that `record` is of, or puts it on hold.
    ///
    /// # Errors
    /// [`StatusError`] when it is revoked for good, on hold already, or not here.
    pub fn revoke(
        &mut self,
        record: &Record,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Revocation, StatusError> {
        let known = self.find(record)?;
        let revocation = revoked(known.revoked, reason, now)?;
        known.revoked = Some(revocation);
        self.count_change(true);
        Ok(revocation)
    }

    /// Ends the hold of the certificate that `record` is of.
    ///
    /// # Errors
    /// [`StatusError`] when it is not on hold, or not here.
    pub fn release(&mut self, record: &Record) -> Result<(), StatusError> {
        let known = self.find(record)?;
        releasable(known.revoked)?;
        known.revoked = None;
        self.count_change(true);
        Ok(())
    }

    fn count_change(&mut self, changed: bool) {
        self.edition = self.edition.saturating_add(u64::from(changed));
    }

    fn find(&mut self, record: &Record) -> Result<&mut Record, StatusError> {
        self.records.iter_mut().find(|known| known.is(record)).ok_or(StatusError::Unknown)
    }

    /// The record of the certificate with this number that `authority` issued with its key number
    /// `slot`. Names and keys are all that an OCSP request says of the issuer, and generations with
    /// the same key look alike in it.
    pub(crate) fn by_key(&self, authority: Authority, slot: usize, serial_number: &[u8]) -> Option<&Record> {
        self.records.iter().find(|record| {
            record.authority == authority
                && record.generation.slot() == slot
                && record.serial_number.as_bytes() == serial_number
        })
    }

    /// The records of what a generation of an authority issued.
    pub(crate) fn issued_by(
        &self,
        authority: Authority,
        generation: Generation,
    ) -> impl Iterator<Item = &Record> {
        self.records
            .iter()
            .filter(move |record| record.authority == authority && record.generation == generation)
    }

    /// The municipalities for which a generation of an authority issued anything.
    #[must_use]
    pub fn municipalities(&self, authority: Authority, generation: Generation) -> BTreeSet<&Partition> {
        self.issued_by(authority, generation).map(|record| &record.municipality).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Reason = Reason::CertificateHold;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn record() -> Record {
        let generation = Generation::of_year(2023).unwrap();
        Record {
            holder: "hanako".to_owned(),
            authority: Authority::DigitalSignature,
            generation,
            serial_number: SerialNumber::new(&[0x07, 0x05, 0xD9, 0x90]).unwrap(),
            validity: generation.validity(),
            municipality: Partition { prefecture: "Tokyo-to".to_owned(), city: "Chiyoda-ku".to_owned() },
            revoked: None,
        }
    }

    fn register() -> Register {
        let mut register = Register::new();
        register.enrol(record());
        register
    }

    #[test]
    fn a_hold_is_released_and_nothing_else_is() {
        let mut register = register();
        assert_eq!(register.release(&record()), Err(StatusError::NotOnHold));
        register.revoke(&record(), HOLD, at("2026-01-01T00:00:00Z")).unwrap();
        register.release(&record()).unwrap();
        assert_eq!(register.records()[0].status(at("2026-01-02T00:00:00Z")), CertificateStatus::Good);
        let revocation =
            register.revoke(&record(), Reason::KeyCompromise, at("2026-01-03T00:00:00Z")).unwrap();
        assert_eq!(register.release(&record()), Err(StatusError::Revoked(revocation)));
        assert_eq!(register.edition(), 3);
    }

    #[test]
    fn what_is_revoked_stays_so_and_counts_from_the_hold_on() {
        let mut register = register();
        let (first, later) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        register.revoke(&record(), HOLD, first).unwrap();
        assert_eq!(register.revoke(&record(), HOLD, later), Err(StatusError::OnHold(first)));
        let revocation = register.revoke(&record(), Reason::Superseded, later).unwrap();
        assert_eq!(revocation, Revocation { since: first, reason: Reason::Superseded });
        for reason in Reason::ALL {
            assert_eq!(register.revoke(&record(), reason, later), Err(StatusError::Revoked(revocation)));
        }
    }

    #[test]
    fn a_revocation_counts_from_its_time_on() {
        let mut register = register();
        let revocation = register.revoke(&record(), HOLD, at("2026-01-01T00:00:00Z")).unwrap();
        let status = |now| register.records()[0].status(at(now));
        assert_eq!(status("2025-12-31T23:59:59Z"), CertificateStatus::Good);
        assert_eq!(status("2026-01-01T00:00:00Z"), CertificateStatus::Revoked(revocation));
    }

    #[test]
    fn what_is_written_is_read_again_and_enrolling_twice_changes_nothing() {
        let mut register = register();
        register.revoke(&record(), Reason::AffiliationChanged, at("2026-01-01T00:00:00Z")).unwrap();
        let text = register.to_json().unwrap();
        assert!(text.contains("\"serial_number\": \"0705D990\"") && text.contains("2023"), "{text}");
        let mut again = Register::from_json(&text).unwrap();
        assert_eq!(again, register);
        again.enrol(record());
        assert_eq!(again.to_json().unwrap(), text);
    }

    #[test]
    fn what_is_no_register_is_refused_with_its_place() {
        for (text, expected) in [
            ("", "this is no complete register (EOF while parsing a value at line 1 column 0)"),
            ("{\"vmyna_pki\": 2}", "this register has version 2, and this vmyna reads up to 1"),
            ("{\"vmyna_pki\": 1, \"edition\": 0}", "missing field `certificates`"),
        ] {
            let error = Register::from_json(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let text = register().to_json().unwrap();
        for (good, bad) in [("2023", "2022"), ("0705D990", "0705D99"), ("digital_signature", "signature")] {
            assert!(Register::from_json(&text.replacen(good, bad, 1)).is_err(), "{bad}");
        }
    }
}
