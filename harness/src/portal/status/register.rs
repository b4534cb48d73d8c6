//! The register of the TEST authorities as this process makes it: the built-in holders, in the state
//! that their files give.

use super::{StatusSource, StatusUnavailable};
use crate::verify::Certificate;
use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::{Issued, issue, superseded};
use vmyna_sim::pki::{CertificateStatus, Record, Register};

/// Knows the certificates of the built-in holders, and of those that it is told. A certificate that
/// is not in it has nothing against it, as with a revocation list.
#[derive(Default)]
pub struct BuiltInRegister {
    more: Vec<Holder>,
    known: Mutex<(Option<i64>, Register)>,
}

impl BuiltInRegister {
    /// The built-in holders and `more`.
    #[must_use]
    pub fn with(more: Vec<Holder>) -> Self {
        Self { more, known: Mutex::default() }
    }

    /// Notes what is in the cards of all holders at `now`; certificates change with the hour at
    /// most.
    fn look_around(&self, known: &mut (Option<i64>, Register), now: Timestamp) {
        let hour = now.as_second().div_euclid(3600);
        if known.0 == Some(hour) {
            return;
        }
        let built_in = Holder::built_in_names().into_iter().filter_map(Holder::built_in);
        for holder in built_in.chain(self.more.iter().cloned()) {
            // a holder for whom nothing can be issued has no certificate that could be asked about
            let before = superseded(&holder, now).ok().flatten();
            let issued = issue(&holder, now).ok();
            for certified in before.iter().chain(&issued).flat_map(Issued::certified) {
                known.1.enrol(certified.record.clone());
            }
        }
        known.0 = Some(hour);
    }
}

impl StatusSource for BuiltInRegister {
    fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Result<CertificateStatus, StatusUnavailable> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_around(&mut known, now);
        let is_it = |record: &&Record| super::is_of(record, certificate, issuer);
        Ok(known.1.records().iter().find(is_it).map_or(CertificateStatus::Good, |record| record.status(now)))
    }
}
