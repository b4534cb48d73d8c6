//! What the authority says of the certificates in a flow: as their holders' files have it, until the
//! operator or the scenario changes it.

use crate::portal::status::{StatusSource, StatusUnavailable, is_of};
use crate::verify::Certificate;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vmyna_sim::pki::{CertificateStatus, Reason, Record, Revocation};

/// The authority's word. Clones are the same authority.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    unreachable: bool,
    released: bool,
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a certificate.
    pub fn enrol(&self, record: Record) {
        let mut state = self.state();
        if !state.records.iter().any(|known| known.is(&record)) {
            state.records.push(record);
        }
    }

    /// Revokes a certificate that was noted, at `now`.
    pub fn revoke(&self, record: &Record, reason: Reason, now: Timestamp) {
        let mut state = self.state();
        for known in state.records.iter_mut().filter(|known| known.is(record)) {
            known.revoked = Some(Revocation { since: now, reason });
        }
    }

    /// Whether the authority does not answer.
    pub fn set_unreachable(&self, unreachable: bool) {
        self.state().unreachable = unreachable;
    }

    /// Releases every certificate that is on hold.
    pub fn release_holds(&self) {
        self.state().released = true;
    }
}

impl StatusSource for Registry {
    fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<CertificateStatus, StatusUnavailable> {
        let state = self.state();
        if state.unreachable {
            return Err(StatusUnavailable("the authority does not answer".to_owned()));
        }
        let is_it = |record: &&Record| is_of(record, certificate, issuer);
        Ok(match state.records.iter().find(is_it).map(|record| record.status(now)) {
            Some(CertificateStatus::Revoked(Revocation { reason: Reason::CertificateHold, .. }))
                if state.released =>
            {
                CertificateStatus::Good
            }
            Some(status) => status,
            None => CertificateStatus::Good,
        })
    }
}
